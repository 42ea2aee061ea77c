"""Interventions are replayed exactly: after a seek, from a save in another process, and by a script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn

Make = Callable[..., tn.Lab]
OPERATIONS: dict[str, Callable[[tn.Lab], object]] = {
    "zero": lambda lab: lab.zero("hidden[1]"),
    "mean": lambda lab: lab.mean("hidden[1,3]", "train"),
    "mean of sums": lambda lab: lab.mean("hidden.pre[2]"),
    "resample": lambda lab: lab.resample("hidden[2:4]", examples=7),
    "clamp": lambda lab: lab.clamp("hidden[0]", 0.3),
    "scale": lambda lab: lab.scale("hidden", -0.7),
    "noise": lambda lab: lab.noise("hidden.pre[1:5]", 0.2),
    "patch": lambda lab: lab.patch("hidden[4]", example=3),
    "patch an input": lambda lab: lab.patch("hidden", input=[0.25, -0.5]),
    "steer": lambda lab: lab.steer("hidden", toward=1, away=0, scale=0.5),
}
DRAWN = ("resample", "noise")
by_operation = pytest.mark.parametrize("name", OPERATIONS)


def output(lab: tn.Lab) -> bytes:
    return bytes(lab.network.predict(lab.probe.x).tobytes())


def digests(lab: tn.Lab, steps: range) -> list[str]:
    found = []
    for step in steps:
        lab.seek(step)
        found.append(lab.state.digest())
    return found


def trained(make_tiny: Make, name: str, **options: Any) -> tn.Lab:
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9), **options)
    lab.run(3)
    OPERATIONS[name](lab)
    lab.run(5)
    return lab


@by_operation
def test_seeking_back_and_forth_gives_the_same_bytes(make_tiny: Make, name: str) -> None:
    lab = trained(make_tiny, name)
    there, out = lab.state.digest(), output(lab)
    first = digests(lab, range(9))
    lab.seek(0)
    lab.run(8)
    assert (lab.state.digest(), output(lab)) == (there, out)
    assert digests(lab, range(8, -1, -1)) == first[::-1]
    assert lab.verify().equal


@by_operation
def test_two_runs_of_the_same_are_the_same_and_differ_from_one_without(make_tiny: Make, name: str) -> None:
    one, other, bare = (
        trained(make_tiny, name),
        trained(make_tiny, name),
        make_tiny(optimizer=tn.SGD(0.1, momentum=0.9)),
    )
    bare.run(8)
    assert one.state.digest() == other.state.digest()
    assert one.state.theta.tobytes() != bare.state.theta.tobytes()


def test_a_save_goes_on_the_same_in_another_process(make_tiny: Make, tmp_path: Path) -> None:
    expected = []
    for name in OPERATIONS:
        lab = trained(make_tiny, name)
        lab.save(tmp_path / f"{name}.msgpack")
        lab.run(3)
        expected.append(f"{lab.state.digest()} {output(lab).hex()}")
    code = (
        "import sys, tinynets as tn\n"
        "for path in sys.argv[1:]:\n"
        "    lab = tn.Lab(path)\n"
        "    assert lab.verify().equal\n"
        "    lab.run(3)\n"
        "    print(lab.state.digest(), lab.network.predict(lab.probe.x).tobytes().hex())\n"
    )
    paths = [str(tmp_path / f"{name}.msgpack") for name in OPERATIONS]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == expected


@by_operation
def test_a_loaded_save_lists_the_same_interventions(make_tiny: Make, name: str, tmp_path: Path) -> None:
    lab = trained(make_tiny, name)
    lab.save(tmp_path / "run.msgpack")
    again = tn.Lab(tmp_path / "run.msgpack")
    assert (again.interventions, again.log) == (lab.interventions, lab.log)
    assert again.state.digest() == lab.state.digest()


def test_a_script_of_all_operations_makes_the_same_run(tmp_path: Path) -> None:
    recipe = (files("tinynets") / "recipes" / "spiral.toml").read_text()
    (tmp_path / "run.toml").write_text(recipe.replace("hidden1", "hidden"))
    lab = tn.Lab(str(tmp_path / "run.toml"), seed=3)
    lab.run(2)
    for act in list(OPERATIONS.values())[::-1]:
        act(lab)
        lab.run(2)
    lab.fork("other")
    lab.resample("hidden", examples=3, values=np.arange(6.0)[:, None] * np.ones(lab.network.block("hidden").units))
    lab.steer("hidden[2]", values=[0.125], scale=2.0)
    lab.mean("hidden.pre[1]", values=[0.1])
    lab.run(3)
    script = lab.script()
    names: dict[str, Any] = {}
    exec(compile(script, "script.py", "exec"), names)
    again: tn.Lab = names["lab"]
    assert again.state.digest() == lab.state.digest()
    assert again.script() == script
    again.switch("main")
    lab.switch("main")
    assert again.state.digest() == lab.state.digest()


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_is_the_same_at_the_same_step_and_other_at_another(make_tiny: Make, name: str) -> None:
    lab = make_tiny(optimizer=tn.SGD(0.0))
    lab.run(1)
    OPERATIONS[name](lab)
    here = output(lab)
    assert output(lab) == here
    lab.step()
    assert output(lab) != here
    lab.seek(1)
    assert output(lab) == here


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_twice_on_the_same_units_is_drawn_apart(make_tiny: Make, name: str) -> None:
    outputs = []
    for times in (1, 2):
        lab = make_tiny()
        for _ in range(times):
            OPERATIONS[name](lab)
        outputs.append(output(lab))
    assert outputs[0] != outputs[1]


def test_noise_of_a_unit_does_not_depend_on_which_others_have_it(make_tiny: Make) -> None:
    def fifth(selector: str) -> np.ndarray:
        lab = make_tiny(dtype="float64")
        lab.noise(selector, 0.3)
        lab.network.forward(lab.probe.x)
        found: np.ndarray = lab.network.activation("hidden")[:, 5]
        return found

    assert fifth("hidden[5]").tobytes() == fifth("hidden").tobytes() == fifth("hidden[2,5]").tobytes()


@by_operation
def test_clean_leaves_it_off_and_evaluation_has_it_on(make_tiny: Make, name: str) -> None:
    lab, bare = make_tiny(), make_tiny()
    OPERATIONS[name](lab)
    expected = bare.evaluate("train")
    assert lab.evaluate("train", clean=True).loss == expected.loss
    assert lab.evaluate("train").loss != expected.loss
    assert lab.evaluate("train").loss == lab.evaluate("train").loss


@by_operation
def test_release_gives_back_the_very_bytes(make_tiny: Make, name: str) -> None:
    lab = make_tiny()
    lab.run(4)
    before, out = lab.state.digest(), output(lab)
    OPERATIONS[name](lab)
    assert output(lab) != out
    lab.release(lab.interventions[0].site)
    assert (lab.interventions, lab.state.digest(), output(lab)) == ((), before, out)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(list(OPERATIONS)), min_size=1, max_size=6))
def test_releasing_all_that_was_stacked_gives_back_the_very_bytes(make_tiny: Make, stacked: list[str]) -> None:
    lab = make_tiny()
    before, out = lab.state.digest(), output(lab)
    for name in stacked:
        OPERATIONS[name](lab)
    for site in {entry.site for entry in lab.interventions}:
        lab.release(site)
    assert (lab.state.digest(), output(lab)) == (before, out)


def test_undo_and_redo_bring_drawn_numbers_back(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.resample("hidden[1]")
    lab.noise("hidden", 0.1)
    out = output(lab)
    lab.undo()
    lab.undo()
    lab.redo()
    lab.redo()
    assert output(lab) == out


def test_names_are_sampled_and_predicted_with_interventions_on() -> None:
    lab = tn.Lab("names-mlp")
    lab.run(20)
    bare, predicted = lab.sample(5), lab.predict("emm").probabilities
    for act in (
        lambda: lab.steer("hidden", toward="a", away="e", scale=4.0),
        lambda: lab.noise("hidden", 2.0),
        lambda: lab.resample("hidden", "dev", examples=16),
    ):
        act()
        assert lab.sample(5) != bare
        assert lab.sample(5) == lab.sample(5)
        assert lab.predict("emm").probabilities != predicted
    lab.release("hidden")
    assert (lab.sample(5), lab.predict("emm").probabilities) == (bare, predicted)
