"""Verifying: every branch is recomputed, and a difference is named with its step and place."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.history import moves, runs
from tinynets.history.moment import Moment
from tinynets.history.verify import replay
from tinynets.jobs import run_to_end
from tinynets.storage.records import read_records, write_records

Make = Callable[..., tn.Lab]


@pytest.fixture(autouse=True)
def close_keyframes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keyframes every few steps, so that small runs have many."""
    monkeypatch.setattr(runs, "KEYFRAME_COST", 1e-9)


@pytest.fixture
def lab(make_tiny: Make) -> tn.Lab:
    """Two branches with edits, and momentum; keyframes at every eighth step."""
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))
    lab.player.timeline.keyframes.stride = 8
    lab.run(40)
    lab.zero("hidden[1]")
    lab.freeze("hidden[2]")
    lab.run(40)
    lab.seek(40, edits=1)
    lab.fork("what-if")
    lab.set("lr", 0.05)
    lab.run(30)
    return lab


def altered(lab: tn.Lab, step: int, change: Callable[[Any], Any], branch: str = "main") -> None:
    """Replace the state of a branch's keyframe at a step."""
    found = lab.player.timeline.named(branch)
    key = next(key for key in sorted(found.keyframes) if key[0] == step)
    found.keyframes[key] = change(found.keyframes[key])


def with_theta(index: int, by: float) -> Callable[[Any], Any]:
    def change(state: Any) -> Any:
        theta = state.theta.copy()
        theta[index] += by
        return replace(state, theta=theta)

    return change


def test_what_was_recorded_comes_out_again_branch_by_branch(lab: tn.Lab) -> None:
    before = lab.moment, lab.state.digest(), lab.tree
    report = lab.verify()
    assert report.equal
    assert (report.branches, report.edits) == (2, 3)
    assert report.losses == report.steps == 80 + 30
    assert report.keyframes >= 80 // 8 + 30 // 8
    assert str(report).startswith("2 branches, 110 steps and 3 edits computed again, ")
    assert str(report).endswith(" keyframes and 110 losses compared: the same bytes")
    assert (lab.moment, lab.state.digest(), lab.tree) == before


def test_an_altered_keyframe_is_found_with_step_and_layer_and_the_others_are_judged_alone(lab: tn.Lab) -> None:
    output = lab.network.parameter_slice(2, "b").start
    altered(lab, 24, with_theta(output, 0.25))
    report = lab.verify()
    first = report.divergences[0]
    assert (first.branch, first.step, first.keyframe) == ("main", 24, 24)
    assert [entry.place for entry in first.places] == ["output.b"]
    assert first.largest == pytest.approx(0.25)
    assert [entry.step for entry in report.divergences] == [24]
    assert str(report).splitlines()[0].endswith("differs first on branch main at step 24: output.b (at most 0.25)")


def test_the_start_is_held_against_recipe_and_seed() -> None:
    lab = tn.Lab("xor", seed=7)
    lab.run(5)
    report = lab.verify()
    assert report.equal
    assert ", from what recipe `xor` and seed 7 give, " in str(report)


START: list[tuple[Callable[[Any], Any], str]] = [
    (lambda state: with_theta(0, 0.5)(state), "hidden.w"),
    (lambda state: replace(state, frozen=np.arange(2)), "frozen"),
    (lambda state: replace(state, hyper=replace(state.hyper, clip_norm=3.0)), "hyper"),
    (lambda state: replace(state, slots={name: slot + 1 for name, slot in state.slots.items()}), " of hidden.w"),
]


@pytest.mark.parametrize(("change", "place"), START)
def test_a_start_that_recipe_and_seed_do_not_give_is_said(change: Callable[[Any], Any], place: str) -> None:
    lab = tn.Lab("xor")
    main = lab.player.timeline.branch
    main.keyframes[0, 0] = change(main.keyframes[0, 0])
    report = lab.verify()
    assert not report.equal
    first = report.divergences[0]
    assert (first.branch, first.step, first.keyframe) == ("main", 0, 0)
    assert any(entry.place.endswith(place) for entry in first.places)
    assert "from a start that is not what recipe `xor` and seed 0 give" in str(report)
    assert "differs first on branch main at step 0: " in str(report)


def test_another_start_is_found_also_where_all_else_follows_from_it(tmp_path: Path) -> None:
    lab = tn.Lab("xor")
    main = lab.player.timeline.branch
    start = main.keyframes[0, 0] = with_theta(0, 0.5)(main.keyframes[0, 0])
    lab.player.load(start, Moment(0, 0, 0))
    lab.run(5)
    lab.save(tmp_path / "x.msgpack")
    report = tn.Lab(tmp_path / "x.msgpack").verify()
    assert [(entry.branch, entry.step) for entry in report.divergences] == [("main", 0)]
    assert report.largest == pytest.approx(0.5)


def test_of_a_network_that_was_given_nothing_tells_the_start_and_that_is_said(make_tiny: Make) -> None:
    lab = make_tiny(net_seed=3)
    lab.run(3)
    report = lab.verify()
    assert report.equal
    assert ", from parameters that were given and can be held against no seed, " in str(report)
    main = lab.player.timeline.branch
    main.keyframes[0, 0] = replace(main.keyframes[0, 0], frozen=np.arange(3))
    assert [entry.place for entry in lab.verify().divergences[0].places] == ["frozen"]


@pytest.mark.parametrize("recipe", ["names-mlp", "digits-cnn", "names-gru", "colors-som", "modular"])
def test_the_start_of_every_kind_of_recipe_is_what_it_gives(recipe: str, tmp_path: Path) -> None:
    lab = tn.Lab(recipe)
    lab.save(tmp_path / "x.msgpack")
    assert tn.Lab(tmp_path / "x.msgpack").verify().equal


def test_slots_frozen_sets_and_settings_are_named(lab: tn.Lab) -> None:
    def slot(state: Any) -> Any:
        (name, velocity), *_ = state.slots.items()
        velocity = velocity.copy()
        velocity[3] += 1.0
        return replace(state, slots={name: velocity})

    name = next(iter(lab.state.slots))
    cases = [
        (slot, f"{name} of hidden.w"),
        (lambda state: replace(state, frozen=np.arange(2)), "frozen"),
        (lambda state: replace(state, hyper=replace(state.hyper, clip_norm=3.0)), "hyper"),
        (lambda state: replace(state, interventions=()), "interventions"),
    ]
    found = lab.player.timeline.named("main")
    for change, place in cases:
        key = (48, 2)
        kept = found.keyframes[key]
        found.keyframes[key] = change(kept)
        assert place in [entry.place for entry in lab.verify().divergences[0].places]
        found.keyframes[key] = kept
    assert lab.verify().equal


def test_running_statistics_are_named_by_their_layer() -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    layers = [tn.Linear(2, 4, name="hidden"), tn.BatchNorm(4, name="norm"), tn.Tanh(), tn.Linear(4, 2, name="output")]
    lab = tn.Lab(tn.Network(layers), data=(x, (x[:, 0] > 0).astype(np.int64)), loss=tn.CrossEntropy(), batch=5)
    lab.player.timeline.keyframes.stride = 8
    lab.run(20)

    def change(state: Any) -> Any:
        return replace(state, buffers=state.buffers + np.float32(0.5))

    altered(lab, 8, change)
    places = [entry.place for entry in lab.verify().divergences[0].places]
    assert places
    assert all(place.startswith("norm.") for place in places)


def test_a_loss_that_does_not_come_out_is_found_where_there_is_no_keyframe(lab: tn.Lab) -> None:
    losses = lab.player.timeline.named("what-if").losses
    losses.values[-1] += 0.5
    report = lab.verify()
    (found,) = report.divergences
    assert (found.branch, found.step, found.places) == ("what-if", 70, ())
    assert found.largest == pytest.approx(0.5)
    assert str(found) == "branch what-if at step 70: the losses (at most 0.5)"


def test_a_stretch_that_cannot_be_computed_is_told_and_the_rest_goes_on(lab: tn.Lab) -> None:
    output = lab.network.parameter_slice(2, "b").start  # not before a tanh, which would make it finite again
    altered(lab, 0, with_theta(output, float("inf")))
    report = lab.verify()
    assert [entry.step for entry in report.divergences] == [0]
    assert "step 1: the loss became nan" in report.divergences[0].failed
    assert "cannot be computed: step 1" in str(report)


def test_two_altered_keyframes_of_which_one_follows_from_the_other_are_found_by_the_losses_between(lab: tn.Lab) -> None:
    main, player = lab.player.timeline.named("main"), lab.player
    other = with_theta(0, 0.01)(main.keyframes[24, 0])
    run_to_end(moves.compute_on(player, other, Moment(main.number, 24, 0), Moment(main.number, 32, 0)))
    main.keyframes[24, 0], main.keyframes[32, 0] = other, player.state.copy()
    assert [(entry.step, entry.failed) for entry in lab.verify().divergences] == [(24, ""), (25, "")]


def test_a_save_with_an_altered_keyframe_and_right_checksums_is_found_out(
    lab: tn.Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.msgpack", tmp_path / "bad.msgpack"
    lab.save(good)
    records = [dict(record) for record in read_records(good) if record["record"] != "end"]
    keyframes = [record for record in records if record["record"] == "keyframe" and record["step"] > 0]
    chosen = min(keyframes, key=lambda record: record["step"])
    theta = chosen["theta"].copy()
    theta[lab.network.parameter_slice(2, "w").start] += 1e-3
    chosen["theta"] = theta
    write_records(bad, records)
    assert verified(good) == 0
    assert json.loads(capsys.readouterr().out)["equal"]
    assert verified(bad) == 1
    told = json.loads(capsys.readouterr().out)["divergences"][0]
    assert (told["step"], told["places"][0]["place"]) == (chosen["step"], "output.w")
    assert told["largest"] == pytest.approx(1e-3, rel=1e-3)
    assert replay(tn.Lab(good).player).equal


def verified(path: Path) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(path), "--json"])
    status: int = ended.value.code  # type: ignore[assignment]
    return status


def test_on_another_machine_the_last_bits_may_differ_and_that_is_no_failure(
    lab: tn.Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.msgpack"
    altered(lab, 24, with_theta(0, 1e-6))
    lab.save(path)
    records = [dict(record) for record in read_records(path) if record["record"] != "end"]
    records[0]["fingerprint"] = "0" * 64
    for record in records:
        if record["record"] == "losses" and record["branch"] == 0:
            record["values"] = record["values"] + np.float32(1e-6)
    write_records(path, records)
    opened = tn.Lab(path)
    assert not opened.same_machine
    report = opened.verify()
    assert not report.equal
    assert "the last bits may differ; computed on from each stored keyframe, the largest difference met is " in str(
        report
    )
    assert verified(path) == 0
    assert json.loads(capsys.readouterr().out)["same_machine"] is False


def test_verifying_can_be_watched_and_cancelled(lab: tn.Lab) -> None:
    before = lab.moment, lab.state.digest()
    job = lab.work("verify", (), {})
    progress = next(job)
    assert progress.total == 110
    job.close()
    assert (lab.moment, lab.state.digest()) == before
    assert [entry.done for entry in lab.work("verify", (), {})][-1] == 110
