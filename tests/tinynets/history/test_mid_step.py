"""Within a step: a phase back is exact, and an edit at any phase is the same edit made before the step."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_labs import STANDS, random_lab

import tinynets as tn
from tinynets.nn.layers import LAYERS
from tinynets.recipes.catalog import list_recipes

Make = Callable[..., tn.Lab]
SEEDS = range(24)
MANY = range(24, 24 + 20 * int(os.environ.get("TINYNETS_PROOF", "1")))
ON_ACTIVATIONS = STANDS[:8]


def total(lab: tn.Lab) -> int:
    return len(lab.player.phase_order)


def phases(lab: tn.Lab, count: int) -> None:
    for _ in range(count):
        lab.phase()


def scratch(lab: tn.Lab) -> list[bytes]:
    """What the phases done so far have written: outputs, and gradients as far as backward has come."""
    player, network = lab.player, lab.network
    workspace, done = player.trainer.workspace, list(map(str, player.phase_order[: player.phases_done]))
    made = [
        workspace.output_of(i).tobytes() for i, layer in enumerate(network.layers) if f"forward {layer.name}" in done
    ]
    for i, layer in enumerate(network.layers):
        if f"backward {layer.name}" in done:
            gradient = workspace.gradient_at(i)
            made.append(b"" if gradient is None else gradient.tobytes())
            made += [getattr(layer, "d" + entry.name).tobytes() for entry in layer.parameters()]
    return made


# -- a phase back


def check_phases_back(lab: tn.Lab) -> None:
    """Every phase back and forth leaves the same scratch, and at the end the same step."""
    lab.step()
    straight = lab.state.digest(), lab.loss
    lab.back()
    begun = lab.moment, lab.state.digest()
    seen = []
    for _ in range(total(lab) - 1):
        lab.phase()
        seen.append(scratch(lab))
    for count in reversed(range(1, total(lab) - 1)):
        report = lab.phase_back()
        assert (report.done, report.back) == (count, True)
        assert scratch(lab) == seen[count - 1]
        assert lab.state.digest() == begun[1]
    assert lab.phase_back().done == 0
    assert (lab.moment, lab.state.digest(), lab.player.phases_done) == (*begun, 0)
    phases(lab, total(lab))
    assert (lab.state.digest(), lab.loss) == straight
    report = lab.phase_back()  # from between steps into the step just done
    assert (report.done, lab.step_number) == (total(lab) - 1, begun[0].step)
    assert scratch(lab) == seen[-1]
    lab.step_out()
    assert (lab.state.digest(), lab.loss) == straight


@pytest.mark.parametrize("recipe", [entry.name for entry in list_recipes()])
def test_phases_back_and_forth_end_at_the_straight_step_in_every_recipe(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(2)
    check_phases_back(lab)


@pytest.mark.parametrize("seed", SEEDS)
def test_phases_back_and_forth_end_at_the_straight_step(seed: int) -> None:
    check_phases_back(random_lab(seed))


@pytest.mark.proof
def test_phases_back_and_forth_end_at_the_straight_step_in_many_networks() -> None:
    for seed in MANY:
        check_phases_back(random_lab(seed, "float32" if seed % 3 else "float64"))


@pytest.mark.proof
def test_the_networks_here_have_every_kind_of_layer() -> None:
    labs = [*map(random_lab, (*SEEDS, *MANY)), *(tn.Lab(entry.name) for entry in list_recipes())]
    assert {kind for lab in labs for kind in _kinds(lab.state_now.architecture)} >= set(LAYERS) - {"reshape"}


def _kinds(description: object) -> set[str]:
    if isinstance(description, dict):
        own = {description["kind"]} if isinstance(description.get("kind"), str) else set()
        return own.union(*map(_kinds, description.values()))
    if isinstance(description, list | tuple):
        return set().union(*map(_kinds, description))
    return set()


def test_a_phase_back_between_steps_goes_over_the_edits_there_and_on_again(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    lab.zero("hidden[1]")
    lab.freeze("hidden[2]")
    end = lab.moment, lab.state.digest()
    report = lab.phase_back()
    assert str(report) == "back to backward hidden, over 2 edits at step 3 (8 of 9), next update"
    assert lab.step_number == 2
    lab.phase()
    assert lab.moment == (0, 3, 0)
    lab.seek(3)
    assert (lab.moment, lab.state.digest()) == end
    assert lab.branches == ("main",)


def test_before_step_0_there_is_no_phase(make_tiny: Make, says: Callable[..., object]) -> None:
    lab = make_tiny()
    with says(tn.TimelineError, "there is nothing before step 0: no phase to go back to"):
        lab.phase_back()
    lab.phase()
    assert str(lab.phase_back()) == "back to before the step: at step 0, next batch"
    with says(tn.TimelineError, "there is nothing before step 0: no phase to go back to"):
        lab.phase_back()


def test_a_phase_is_gone_to_by_its_name_forward_and_back(make_tiny: Make, says: Callable[..., object]) -> None:
    lab, other = make_tiny(), make_tiny()
    assert str(lab.phase_to("backward output")) == "backward output done (6 of 9), next backward tanh1"
    assert str(lab.phase_to("forward hidden")) == "back to forward hidden (2 of 9), next forward tanh1"
    assert lab.phase_to("forward hidden").done == 2
    message = "`backward hiden` is not a phase of a step of this network: there are 9; did you mean `backward hidden`?"
    with says(tn.CommandError, message):
        lab.phase_to("backward hiden")
    assert lab.player.phases_done == 2
    assert str(lab.phase_to("update")) == "update done: step 1 is complete"
    other.step()
    assert lab.state.digest() == other.state.digest()
    with says(tn.TimelineError, "no step is half done: `phase` begins one"):
        lab.step_out()


# -- an edit in mid-step


def acted(lab: tn.Lab, number: int) -> tn.EditReport | None:
    """An edit of activations of the kind of that number; None where it does not fit."""
    try:
        report: tn.EditReport = ON_ACTIVATIONS[number % 8](lab, np.random.default_rng(number))  # type: ignore[assignment]
    except (tn.EditError, tn.SelectorError, tn.ShapeError):
        return None
    return report


def check_edits(make: Callable[[], tn.Lab], number: int, path: Path) -> None:
    """An edit at every phase of a step is the same edit made before the step, and is undone and redone there."""
    whole = make()
    without = make()
    without.step()
    if acted(whole, number) is None:
        return
    place = whole.moment
    whole.step()
    wanted = whole.state.digest(), whole.loss, whole.probe_loss()
    for count in range(1, total(whole)):
        lab = make()
        phases(lab, count)
        plain = scratch(lab)
        report = acted(lab, number)
        assert report is not None
        assert report.finished is None
        assert lab.moment == place
        assert lab.player.phases_done == count
        assert lab.player.branch.edits[-1].phase == report.phase == str(lab.player.phase_order[count - 1])
        edited = scratch(lab)
        lab.undo()
        assert (scratch(lab), lab.player.phases_done) == (plain, count)
        lab.redo()
        assert (scratch(lab), lab.player.phases_done) == (edited, count)
        lab.step_out()
        assert (lab.state.digest(), lab.loss, lab.probe_loss()) == wanted
        lab.undo()
        lab.undo()
        lab.step()
        assert (lab.state.digest(), lab.loss) == (without.state.digest(), without.loss)
    lab.save(path)
    again = tn.Lab(path)
    assert again.verify().equal
    assert [entry.phase for branch in again.player.timeline.branches.values() for entry in branch.edits] == [
        entry.phase for branch in lab.player.timeline.branches.values() for entry in branch.edits
    ]


@pytest.mark.parametrize("seed", range(8))
def test_an_edit_at_any_phase_is_the_edit_before_the_step(seed: int, tmp_path: Path) -> None:
    check_edits(lambda: random_lab(seed), seed, tmp_path / "lab.msgpack")


@pytest.mark.proof
def test_an_edit_at_any_phase_is_the_edit_before_the_step_in_many_networks(tmp_path: Path) -> None:
    for seed in MANY:
        check_edits(lambda seed=seed: random_lab(seed), seed, tmp_path / f"{seed}.msgpack")  # type: ignore[misc]


def test_an_edit_in_mid_step_says_what_it_does_to_this_step(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(5)
    phases(lab, 3)
    before, after = lab.probe_loss(), lab.zero("hidden[1]")
    assert str(after).startswith(f"hidden[1] zeroed in this step: probe loss {before:.4f} -> ")
    phases(lab, 2)
    loss = lab.player.trainer.batch_loss
    report = lab.clamp("hidden[2]", 0.5)
    assert report.batch_before == loss
    assert report.batch_after == lab.player.trainer.batch_loss != loss
    said = f"hidden[2] clamped to 0.5 in this step: its batch's loss {loss:.4f} -> {report.batch_after:.4f}, probe loss"
    assert str(report).startswith(said)
    lab.step_out()
    assert lab.loss == pytest.approx(report.batch_after)
    assert [entry.phase for entry in lab.log] == ["forward tanh1", "loss"]
    assert "  # in the step, after loss, probe loss " in str(lab.log[1])


def test_undo_in_mid_step_takes_edits_off_first_and_then_drops_the_step(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(5)
    begun = lab.moment, lab.state.digest()
    phases(lab, 4)
    lab.zero("hidden[1]")
    lab.zero("hidden[2]")
    said = str(lab.undo())
    assert said.startswith("undone: hidden[2] zeroed, still in mid-step (forward output), at step 5")
    assert [str(entry) for entry in lab.interventions] == ["zero hidden[1]"]
    lab.undo()
    assert lab.player.phases_done == 4
    assert str(lab.undo()).startswith("undone: the half-done step, at step 5")
    assert (lab.moment, lab.state.digest(), lab.player.phases_done) == (*begun, 0)


def test_joined_edits_are_taken_back_together_between_steps_and_in_mid_step_and_by_a_save(
    make_tiny: Make, tmp_path: Path, says: Callable[..., Any]
) -> None:
    lab = make_tiny()
    lab.run(5)
    for done in (0, 4):
        phases(lab, done)
        begun = lab.moment, lab.state.digest(), lab.player.phases_done
        lab.zero("hidden[1]")
        lab.scale("output[0]", 2.0)
        edited = lab.moment, lab.state.digest()
        assert lab.join(2) == "undo takes back 2 edits, hidden[1] zeroed to output[0] scaled by 2"
        for _ in range(2):
            assert str(lab.undo()).startswith("undone: 2 edits, hidden[1] zeroed to output[0] scaled by 2")
            assert (lab.moment, lab.state.digest(), lab.player.phases_done) == begun
            assert str(lab.redo()).startswith("redone: 2 edits")
            assert (lab.moment, lab.state.digest(), lab.player.phases_done) == (*edited, done)
    lab.step_out()
    with says(tn.TimelineError, "the last 3 actions are not edits that were made one right after another"):
        lab.join(3)
    lab.zero("hidden[2]")
    lab.freeze("hidden[2]")
    lab.join(2)
    lab.save(tmp_path / "joined.msgpack")
    again = tn.Lab(tmp_path / "joined.msgpack")
    again.undo()
    assert again.moment[1:] == (6, 4)
    assert again.verify().equal


def test_an_edit_undone_in_mid_step_stays_reachable_when_the_step_goes_on(make_tiny: Make) -> None:
    lab, plain = make_tiny(), make_tiny()
    for each in (lab, plain):
        each.run(5)
    phases(lab, 4)
    lab.zero("hidden[1]")
    lab.undo()
    lab.step_out()
    plain.step()
    assert lab.state.digest() == plain.state.digest()
    assert not lab.log
    assert lab.branches == ("branch-2", "main")
    assert lab.branch == "main"
    lab.switch("branch-2")
    assert [entry.phase for entry in lab.log] == ["forward output"]
    lab.switch("main")
    assert lab.state.digest() == plain.state.digest()
    lab.undo()
    assert lab.moment[1:] == (5, 0)


def test_edits_made_and_taken_off_one_after_the_other_in_mid_step_leave_the_step_without_them(make_tiny: Make) -> None:
    lab, plain = make_tiny(), make_tiny()
    plain.run(8)
    lab.run(5)
    phases(lab, 4)
    for unit in range(3):
        lab.zero(f"hidden[{unit}]")
        lab.undo()
    lab.step_out()
    lab.run(2)
    assert (lab.state.digest(), lab.moment[1:]) == (plain.state.digest(), (8, 0))
    assert lab.verify().equal


def test_an_edit_in_mid_step_of_the_past_forks(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(8)
    end = lab.state.digest()
    lab.seek(3)
    phases(lab, 6)
    lab.scale("hidden[0]", 2.0)
    assert lab.branch == "branch-2"
    assert (lab.player.phases_done, lab.end) == (6, 3)
    lab.undo()
    assert (lab.branch, lab.player.phases_done) == ("main", 6)
    lab.step_out()
    assert (lab.branch, lab.end) == ("main", 8)
    lab.run(4)
    assert lab.state.digest() == end


def test_undo_in_mid_step_goes_nowhere_else_once_the_branch_it_came_from_is_dropped(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(8)
    lab.seek(3)
    phases(lab, 6)
    lab.scale("hidden[0]", 2.0)
    lab.drop("main")
    assert str(lab.undo()).startswith("undone: the half-done step, at step 3")
    assert (lab.moment[1:], lab.player.phases_done) == ((3, 1), 0)


def test_an_edit_that_makes_the_step_infinite_leaves_it_as_it_was(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    phases(lab, 6)
    before = lab.moment, lab.state.digest(), lab.log, scratch(lab), lab.branches
    with pytest.raises(tn.NonFiniteError):
        lab.scale("output", 3e38)
    assert (lab.moment, lab.state.digest(), lab.log, scratch(lab), lab.branches) == before
    assert lab.player.phases_done == 6
    assert not lab.interventions
    lab.step_out()
    other = make_tiny()
    other.run(4)
    assert lab.state.digest() == other.state.digest()


def test_dropping_a_step_keeps_the_edits_made_in_it(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    phases(lab, 6)
    lab.zero("hidden[1]")
    lab.back()
    assert (lab.moment, lab.player.phases_done) == ((0, 3, 1), 0)
    assert lab.interventions
    lab.undo()
    assert not lab.interventions


def test_an_edit_in_mid_step_is_in_the_journal_at_once(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny(journal=tmp_path)
    lab.run(3)
    phases(lab, 5)
    lab.zero("hidden[1]")
    lab.flush()
    assert lab.journal_file is not None
    found = tn.Lab(shutil.copy(lab.journal_file, tmp_path / "left.journal"))
    assert found.moment == lab.moment
    assert [entry.phase for entry in found.log] == ["loss"]
    lab.step_out()
    found.step()
    assert found.state.digest() == lab.state.digest()


def test_a_script_repeats_an_edit_in_mid_step_and_says_where_it_was_made(tmp_path: Path) -> None:
    lab = tn.Lab("xor")
    lab.run(3)
    phases(lab, 5)
    lab.clamp("hidden[1]", 0.25)
    lab.run(3)
    text = lab.script()
    assert f'lab.clamp("hidden[1]", 0.25)  # in the step, after {lab.log[0].phase}\n' in text
    (tmp_path / "run.py").write_text(text)
    environment = {**os.environ, "PYTHONPATH": str(Path(tn.__file__).parents[1])}
    subprocess.run([sys.executable, tmp_path / "run.py"], check=True, env=environment)
