"""The timeline: keyframes within a budget, branches that share their common past, and undo that forgets nothing."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.history.branch import LossHistory
from tinynets.history.moment import Moment

Make = Callable[..., tn.Lab]


def test_losses_keep_every_value_in_its_place_as_they_grow() -> None:
    losses = LossHistory("float32")
    for value in range(5000):
        losses.append(value)
    assert np.array_equal(losses.values, np.arange(5000, dtype=np.float32))
    head = losses.head(10)
    head.append(-1)
    assert losses.values[10] == 10
    assert head.values.tolist() == [*range(10), -1]


def test_losses_that_branches_share_are_not_copied_until_they_are_looked_at() -> None:
    root = LossHistory("float32")
    root.extend(np.arange(1000, dtype=np.float32))
    line, wanted = root, list(range(1000))
    tracemalloc.start()
    for step in range(1000, 3000):
        line = line.head(step)
        line.append(-step)
        wanted.append(-step)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000
    assert len(line) == 3000
    assert line.part(990, 1010).tolist() == wanted[990:1010]
    assert line.head(1500).part(0, 1500).tolist() == wanted[:1500]
    assert line.values.tolist() == wanted
    assert root.values.tolist() == wanted[:1000]


def test_keyframes_stay_within_the_memory_given_and_every_step_stays_reachable(make_tiny: Make) -> None:
    lab = make_tiny(memory=1)
    start = lab.player.timeline.branch.keyframes[0, 0].nbytes()
    lab = make_tiny(memory=10 * start)
    timeline = lab.player.timeline
    digests = {}
    for step in range(1, 600):
        timeline.keyframes.stride = max(8, timeline.keyframes.least_stride)  # however fast steps are here
        lab.step()
        digests[step] = lab.state.digest()
        assert sum(state.nbytes() for state in timeline.branch.keyframes.values()) <= 10 * start
    assert timeline.keyframes.stride >= 64
    assert len(timeline.branch.keyframes) > 3
    for step in (1, 100, 333, 599, 64, 65, 63):
        lab.seek(step)
        assert lab.state.digest() == digests[step]


def test_what_is_kept_cannot_be_written(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    with pytest.raises(ValueError, match="read-only"):
        lab.state.theta[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        lab.network.theta[0] = 1
    layer: Any = lab.network["hidden"]
    with pytest.raises(ValueError, match="read-only"):
        layer.w[0, 0] = 1


def test_what_was_undone_stays_reachable_as_another_branch(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(10)
    lab.zero("hidden[1]")
    lab.run(10)
    left = lab.state.digest()
    lab.undo()
    lab.undo()
    assert (lab.step_number, lab.interventions) == (10, ())
    lab.freeze("hidden[2]")
    assert lab.branches == ("branch-2", "main")
    assert lab.branch == "main"
    lab.run(10)
    here = lab.state.digest()
    lab.switch("branch-2")
    assert lab.state.digest() == left != here
    assert [entry.python for entry in lab.log] == ['lab.zero("hidden[1]")']
    lab.switch("main")
    assert lab.state.digest() == here
    assert [entry.python for entry in lab.log] == ['lab.freeze("hidden[2]")']


def test_going_on_after_undoing_an_edit_leaves_it_on_another_branch(make_tiny: Make) -> None:
    lab, without = make_tiny(), make_tiny()
    lab.run(5)
    lab.zero("hidden[1]")
    lab.undo()
    lab.run(5)
    without.run(10)
    assert lab.state.digest() == without.state.digest()
    assert len(lab.branches) == 2


def test_in_the_past_steps_replay_and_only_an_edit_forks(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(5)
    lab.zero("hidden[1]")
    lab.run(5)
    end = lab.state.digest()
    lab.seek(3)
    lab.run(7)
    assert lab.state.digest() == end
    assert lab.branches == ("main",)
    lab.seek(3)
    lab.set("lr", 0.01)
    assert lab.branches == ("main", "branch-2")
    assert (lab.branch, lab.end) == ("branch-2", 3)
    lab.switch("main")
    assert lab.state.digest() == end


def test_two_branches_see_the_same_batches(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(4)
    lab.fork("other")
    lab.run(4)
    other = lab.state.digest()
    lab.switch("main")
    lab.run(4)
    assert lab.state.digest() == other


def test_undo_and_redo_go_over_every_action(make_tiny: Make) -> None:
    lab = make_tiny()
    actions: list[Callable[[], object]] = [
        lambda: lab.run(7),
        lambda: lab.zero("hidden[1]"),
        lambda: lab.set("momentum", 0.9),
        lambda: lab.step(),
        lambda: lab.freeze("hidden[0:2]"),
        lambda: lab.run(20),
    ]
    digests = [lab.state.digest()]
    for act in actions:
        act()
        digests.append(lab.state.digest())
    for digest in reversed(digests[:-1]):
        lab.undo()
        assert lab.state.digest() == digest
    for digest in digests[1:]:
        lab.redo()
        assert lab.state.digest() == digest
    assert lab.branches == ("main",)


def test_undo_and_redo_say_what_they_did(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(7)
    lab.zero("hidden[1]")
    assert str(lab.undo()).startswith("undone: hidden[1] zeroed, at step 7, loss ")
    assert str(lab.undo()) == "undone: 7 steps, at step 0"
    assert str(lab.redo()).startswith("redone: 7 steps, at step 7, loss ")


def test_losses_and_log_are_those_of_the_branch_up_to_here(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(5)
    lab.zero("hidden[1]")
    lab.run(5)
    kept = lab.losses
    lab.seek(4)
    assert lab.log == ()
    assert len(lab.losses) == 10
    lab.seek(5)
    assert [entry.step for entry in lab.log] == [5]
    assert lab.loss == kept[4]
    lab.seek(0)
    assert lab.loss is None


@pytest.mark.parametrize(
    ("act", "kind", "message"),
    [
        (lambda lab: lab.seek(-1), tn.EditError, "`step` must be a whole number from 0 to 1000000000000, not -1"),
        (lambda lab: lab.seek(1.5), tn.EditError, "`step` must be a whole number from 0 to 1000000000000, not 1.5"),
        (lambda lab: lab.back(4), tn.TimelineError, "cannot go 4 back from step 3"),
        (lambda lab: lab.back(0), tn.EditError, "`n` must be a whole number from 1 to 1000000000000, not 0"),
        (lambda lab: lab.redo(), tn.TimelineError, "there is nothing to redo"),
        (lambda lab: lab.run(0), tn.EditError, "`steps` must be a whole number from 1 to 1000000000000, not 0"),
        (lambda lab: lab.run(True), tn.EditError, "`steps` must be a whole number from 1 to 1000000000000, not True"),
        (lambda lab: lab.step("2"), tn.EditError, "`steps` must be a whole number from 1 to 1000000000000, not '2'"),
        (
            lambda lab: lab.switch("man"),
            tn.TimelineError,
            "there is no branch `man`, only main; did you mean `main`?",
        ),
        (lambda lab: lab.fork("main"), tn.TimelineError, "there is a branch `main` already"),
        (
            lambda lab: lab.fork("  "),
            tn.TimelineError,
            "a branch's name must be 1 to 60 printable characters, not '  '",
        ),
        (
            lambda lab: lab.fork(None),
            tn.TimelineError,
            "a branch's name must be 1 to 60 printable characters, not None",
        ),
    ],
)
def test_moments_that_cannot_be_reached_are_refused_and_nothing_moves(
    make_tiny: Make, says: Callable[..., Any], act: Callable[[tn.Lab], object], kind: type[Exception], message: str
) -> None:
    lab = make_tiny()
    lab.run(3)
    before = lab.moment, lab.state.digest(), lab.branches
    with says(kind, message):
        act(lab)
    assert (lab.moment, lab.state.digest(), lab.branches) == before


def test_undo_with_nothing_done_is_refused(make_tiny: Make, says: Callable[..., Any]) -> None:
    lab = make_tiny()
    with says(tn.TimelineError, "there is nothing to undo"):
        lab.undo()
    assert lab.moment == Moment(0, 0, 0)
