"""Breakpoints stop runs exactly where a phase is done or a condition begins to hold, and cost nothing while off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.jobs import run_to_end

Make = Callable[..., tn.Lab]


@pytest.fixture
def lab(make_tiny: Make) -> tn.Lab:
    return make_tiny(tn.ReLU())


def test_they_are_listed_switched_and_taken_away(lab: tn.Lab, says: Callable[..., Any]) -> None:
    lab.breakpoint("backward hidden")
    lab.breakpoint("loss < 0.6")
    lab.breakpoint(200)
    assert lab.breakpoint("step 200").number == 3  # the same
    lab.breakpoint_off(2)
    assert list(map(str, lab.breakpoints)) == [
        "1  at phase backward hidden",
        "2  when loss < 0.6  (off)",
        "3  when step == 200",
    ]
    assert lab.breakpoint_on(2).on
    assert lab.unbreakpoint(2) == "breakpoint 2 taken away: loss < 0.6"
    with says(tn.CommandError, "there is no breakpoint 2, only 1, 3"):
        lab.breakpoint_on(2)
    assert lab.breakpoint("loss < 0.5").number == 4
    assert not lab.unsaved


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("forward hiden", "`forward hiden` is not a phase of a step of this network: there are 9"),
        ("update", "`update` ends every step: `step` stops there without a breakpoint"),
        ("dead hidden[99]", "`hidden[99]`: `hidden` has 6 units, 0 to 5"),
        ("loss <", "condition `loss <`: nothing stands where a number should, as in `loss < 2.3`"),
        ("", "a breakpoint is a phase, a step or a condition, as `loss < 2.3`, not ''"),
        (2.5, "a breakpoint is a phase, a step or a condition, as `loss < 2.3`, not 2.5"),
    ],
)
def test_what_no_run_comes_to_is_refused(lab: tn.Lab, at: Any, message: str) -> None:
    with pytest.raises(tn.TinynetsError) as caught:
        lab.breakpoint(at)
    assert str(caught.value).startswith(message)
    assert not lab.breakpoints


def test_a_run_stops_at_a_phase_in_mid_step_and_goes_on_to_the_next_step_from_there(make_tiny: Make) -> None:
    lab, plain = make_tiny(), make_tiny()
    lab.breakpoint("backward tanh1")
    lab.breakpoint("forward output")
    report = lab.run(100)
    assert (report.step, report.stopped) == (0, "breakpoint 2: forward output")
    assert str(report) == "stopped at breakpoint 2: forward output; step 0"
    assert lab.run(100).stopped == "breakpoint 1: backward tanh1"
    assert lab.player.phases_done == 7
    report = lab.run(100)
    assert (report.step, report.stopped, lab.player.phases_done) == (1, "breakpoint 2: forward output", 4)
    lab.breakpoint_off(2)
    lab.run(100)
    assert (lab.step_number, lab.player.phases_done) == (1, 7)
    lab.step()
    assert (lab.step_number, lab.player.phases_done) == (2, 0)
    lab.unbreakpoint(1)
    lab.run(3)
    plain.run(5)
    assert lab.state.digest() == plain.state.digest()
    assert np.array_equal(lab.losses, plain.losses)


def test_one_undo_goes_back_over_a_run_that_stopped_in_mid_step(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(3)
    lab.breakpoint("loss")
    lab.run(10)
    lab.run(10)
    assert (lab.step_number, lab.player.phases_done) == (4, 5)
    lab.undo()
    assert (lab.step_number, lab.player.phases_done) == (4, 0)
    lab.undo()
    assert lab.step_number == 3
    lab.undo()
    assert lab.step_number == 0


def test_a_run_stops_where_a_condition_of_losses_begins_to_hold(make_tiny: Make) -> None:
    lab, plain = make_tiny(), make_tiny()
    plain.run(300)
    under = plain.losses < 0.6
    starts = [int(step) + 1 for step in np.flatnonzero(under & ~np.concatenate([[False], under[:-1]]))]
    lab.breakpoint("loss < 0.6")
    for step in starts[:5]:
        report = lab.run(300)
        assert (report.step, report.stopped) == (step, "breakpoint 1: loss < 0.6")
    assert str(report).startswith(f"stopped at breakpoint 1: loss < 0.6; step {step:,}: loss 0.")
    lab.seek(0)  # what is recorded stops too
    assert lab.run(300).step == starts[0]
    lab.breakpoint_off(1)
    assert lab.run(300 - starts[0]).stopped == ""
    assert lab.state.digest() == plain.state.digest()


def test_a_run_stops_where_a_condition_on_units_begins_to_hold_also_by_a_recorded_edit(lab: tn.Lab) -> None:
    lab.run(5)
    lab.zero("hidden[2]")
    lab.run(5)
    lab.seek(0)
    lab.breakpoint("mean hidden[2] == 0")
    report = lab.run(20)
    assert (report.step, lab.moment) == (5, (0, 5, 1))
    assert report.stopped == "breakpoint 1: mean hidden[2] == 0"
    assert lab.run(5).stopped == ""
    assert lab.step_number == 10


def test_conditions_of_both_kinds_and_a_step_stop_one_run(lab: tn.Lab) -> None:
    lab.breakpoint("frozen hidden[1]")
    lab.breakpoint(7)
    assert (lab.run(20).step, lab.run(3).step) == (7, 10)
    lab.freeze("hidden[1]")
    lab.seek(6)
    assert [lab.run(20).step for _ in range(3)] == [7, 10, 30]


def test_until_stops_at_a_breakpoint_before_and_says_so(lab: tn.Lab) -> None:
    lab.breakpoint(7)
    report = lab.run_until("step == 20")
    assert (report.found, report.step) == (False, 7)
    assert str(report).startswith("stopped at breakpoint 1: step == 7; step == 20 not yet; at step 7, loss ")
    report = lab.run_until("step == 20")
    assert (report.found, report.stopped) == (True, "")
    lab.breakpoint("forward hidden")
    assert lab.run_until("step == 30").stopped == "breakpoint 2: forward hidden"
    assert lab.player.phases_done == 2


def test_a_free_run_ends_at_a_breakpoint_with_words(lab: tn.Lab) -> None:
    lab.breakpoint(50)
    run = lab.free_run()
    assert run_to_end(run) == "breakpoint 1: step == 50"
    assert lab.step_number == 50


def test_one_that_the_network_lost_rests_and_runs_go_on(lab: tn.Lab) -> None:
    lab.breakpoint("dead hidden[5]")
    lab.breakpoint("forward relu1")
    lab.prune("hidden[5]")
    lab.activation("hidden", "tanh")
    first, second = lab.breakpoints
    assert first.rests == "`hidden[5]`: `hidden` has 5 units, 0 to 4"
    assert second.rests.startswith("`forward relu1` is not a phase of a step of this network")
    assert lab.run(5).stopped == ""
    lab.seek(0, edits=0)
    assert [entry.rests for entry in lab.breakpoints] == ["", ""]


def test_a_step_that_is_looked_at_by_breakpoints_is_the_same_step(make_tiny: Make) -> None:
    lab, plain = make_tiny(sampling="epoch"), make_tiny(sampling="epoch")
    for at in ("forward tanh1", "accuracy > 2", "saturated hidden > 2", "average < -1"):
        lab.breakpoint(at)
    while lab.step_number < 12:
        lab.run(12 - lab.step_number)
    plain.run(12)
    assert lab.state.digest() == plain.state.digest()
