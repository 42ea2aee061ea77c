"""A schedule counts from the step at which it is set; and when nothing learns, the lab says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.numerics.rules import FIRST
from tinynets.server.activity import Activity
from tinynets.server.frame import View
from tinynets.server.frame_builder import FrameBuilder
from tinynets.training.schedules import schedule_from

Make = Callable[..., tn.Lab]
OF_SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {"warmup": 5},
    "step": {"at": [3, 7], "factor": 0.5},
    "linear": {"steps": 6, "warmup": 2},
    "cosine": {"steps": 8, "end": 0.1},
    "exponential": {"steps": 4, "rate": 0.5, "warmup": 3},
}


def status(lab: tn.Lab) -> Any:
    """The status that the app's header shows."""
    return FrameBuilder.of(lab).frame(View("hidden"), 1, Activity()).status


def old_lab(folder: Path) -> tn.Lab:
    """A lab under the first rules."""
    text = Path(tn.__file__).with_name("recipes").joinpath("xor.toml").read_text()
    path = folder / "old.toml"
    path.write_text(re.sub(r"(?m)^\[training\]$", "[training]\nrules = 1", text))
    return tn.Lab(path)


# -- from here on


@pytest.mark.parametrize("kind", OF_SCHEDULES)
@settings(max_examples=10, deadline=None)
@given(begin=st.integers(0, 20), after=st.integers(0, 20))
def test_a_schedule_counts_its_steps_from_where_it_is_set(make_tiny: Make, kind: str, begin: int, after: int) -> None:
    lab = make_tiny()
    if begin:
        lab.run(begin)
    said = lab.set("schedule", kind, **OF_SCHEDULES[kind]).done
    assert said.endswith(f", its steps counted from step {begin}" if begin else f"constant -> {kind}")
    wanted = schedule_from({"kind": kind, **OF_SCHEDULES[kind]})
    assert lab.state.hyper.lr(begin + after) == 0.1 * wanted.factor(after)
    if after:
        lab.run(after)
    assert lab.state.hyper.lr(begin + after) == 0.1 * wanted.factor(after)


def test_where_a_schedule_began_comes_back_from_a_save_and_from_undo(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny()
    lab.run(20)
    lab.set("schedule", "cosine", steps=10, warmup=2)
    lab.run(7)
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(tmp_path / "x.msgpack")
    assert again.state.hyper.scheduled == 20
    assert again.state.digest() == lab.state.digest()
    assert again.verify().equal
    lab.seek(10)
    assert (lab.state.hyper.scheduled, lab.state.hyper.schedule.kind) == (0, "constant")
    lab.seek(27)
    assert again.state.digest() == lab.state.digest()


def test_a_run_of_the_first_rules_counts_a_schedule_from_step_0(tmp_path: Path) -> None:
    lab = old_lab(tmp_path)
    lab.run(20)
    report = lab.set("schedule", "linear", steps=40)
    assert report.done == "schedule constant -> linear"
    assert (lab.state.hyper.rules, lab.state.hyper.scheduled) == (FIRST, 0)
    assert "scheduled" not in lab.state.hyper.config()
    assert lab.state.hyper.lr(20) == lab.state.hyper.optimizer.lr / 2


def test_under_the_first_rules_a_schedule_that_is_over_is_said(tmp_path: Path) -> None:
    lab = old_lab(tmp_path)
    lab.run(20)
    assert "nothing learns" in str(lab.set("schedule", "linear", steps=10))


# -- a rate of 0

STILL: dict[str, tuple[Callable[[tn.Lab], object], str]] = {
    "lr": (lambda lab: lab.set("lr", 0), "`lr` is 0"),
    "optimizer": (lambda lab: lab.set("optimizer", "adam", lr=0), "`lr` is 0"),
    "ended": (
        lambda lab: (lab.set("schedule", "cosine", steps=1), lab.run(1)),
        "the schedule `cosine` has brought the learning rate to 0",
    ),
    "factor": (
        lambda lab: (lab.set("schedule", "step", at=[1], factor=0), lab.run(1)),
        "the schedule `step` has brought the learning rate to 0",
    ),
    "frozen": (lambda lab: (lab.freeze("hidden"), lab.freeze("output")), "everything is frozen"),
    "rates": (
        lambda lab: (lab.rate("hidden", 0), lab.set("output.rate", 0)),
        "all that is not frozen has the rate 0",
    ),
    "units": (
        lambda lab: (lab.rate("hidden[0:3]", 0), lab.freeze("hidden[3:6]"), lab.rate("output", 0)),
        "all that is not frozen has the rate 0",
    ),
}


@pytest.mark.parametrize("way", STILL)
def test_that_nothing_learns_is_said_by_reports_warnings_and_the_lab(make_tiny: Make, way: str) -> None:
    lab = make_tiny()
    lab.run(3)
    assert status(lab).still == ""
    act, why = STILL[way]
    act(lab)
    assert status(lab).still == why
    before = lab.state.theta
    report = lab.run(2)
    assert (lab.state.theta == before).all()
    assert report.still == why
    assert str(report).endswith(f"; nothing learns: {why}")
    lab.run(2)
    assert lab.warnings == [f"nothing learns: {why}"]


def test_the_edit_that_brings_it_about_says_so_and_later_ones_do_not(make_tiny: Make) -> None:
    lab = make_tiny()
    assert "nothing learns" not in str(lab.freeze("hidden"))
    assert str(lab.freeze("output")).endswith("; nothing learns: everything is frozen")
    assert "nothing learns" not in str(lab.zero("hidden[1]"))
    assert "nothing learns" not in str(lab.unfreeze("output"))


def test_a_run_that_ends_with_its_schedule_has_learned_to_its_last_step(make_tiny: Make) -> None:
    lab = make_tiny(schedule=tn.CosineSchedule(10))
    assert lab.run(10).still == ""
    assert lab.warnings == []


def test_the_command_line_says_it_before_and_behind_a_run(
    make_tiny: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = make_tiny(schedule=tn.CosineSchedule(10))
    path = tmp_path / "x.msgpack"
    lab.save(path)
    said = "nothing learns: the schedule `cosine` has brought the learning rate to 0"
    lab.close()

    def run(*arguments: str) -> None:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert not ended.value.code

    run("train", str(path), "--steps", "10", "--save", str(path))
    assert said not in capsys.readouterr().err
    run("train", str(path), "--steps", "5", "--save", str(path))
    assert capsys.readouterr().err.count(said) == 1
    run("info", str(path))
    assert "learns    nothing: the schedule" in capsys.readouterr().out


def test_a_frame_of_the_lab_carries_it(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.set("lr", 0)
    assert status(lab).lr == 0
    assert status(lab).still == "`lr` is 0"
