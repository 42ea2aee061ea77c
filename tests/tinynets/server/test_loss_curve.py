"""The loss curve that the server sends: every step counted once, ranges, averages, other branches, rates, updates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import LossCurve, View
from tinynets.server.frame_builder import FrameBuilder

Make = Callable[..., tn.Lab]


def curve_of(lab: tn.Lab, builder: FrameBuilder | None = None, **view: Any) -> LossCurve:
    frame = (builder or FrameBuilder.of(lab)).frame(View(panes=("loss",), **view), 1, Activity())
    assert frame.loss is not None
    return frame.loss


@pytest.mark.parametrize("steps", [1, 2, 3, 50, 799])
@pytest.mark.parametrize("window", [0, 1, 30, 400, 5000])
@pytest.mark.parametrize("until", [None, 1, 25, 600])
def test_each_column_is_the_least_the_most_and_the_mean_of_its_steps(
    make_tiny: Make, steps: int, window: int, until: int | None
) -> None:
    lab = make_tiny()
    lab.run(steps)
    curve = curve_of(lab, plot_columns=40, window=window, until=until)
    first, last = curve.span
    assert (last - first) == (window if window and (until is None or until >= window) else last - first)
    assert len(curve.steps) <= 40
    covered = np.concatenate([np.arange(a, b + 1) for a, b in zip(curve.steps, curve.ends, strict=True)] or [[]])
    assert np.array_equal(covered, np.arange(first + 1, min(last, steps) + 1))
    for at, (begin, end) in enumerate(zip(curve.steps, curve.ends, strict=True)):
        losses = lab.losses[begin - 1 : end].astype(np.float64)
        assert (curve.low[at], curve.high[at]) == (losses.min(), losses.max())
        assert curve.mean[at] == pytest.approx(losses.mean(), rel=1e-9)


def test_the_average_is_the_mean_over_all_steps_of_the_columns_around(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(777)
    curve = curve_of(lab, plot_columns=100)
    assert curve.average is not None
    assert curve.around == 4
    for at in (0, 3, 50, 99):
        begin, end = curve.steps[max(at - 4, 0)], curve.ends[min(at + 4, 99)]
        assert curve.average[at] == pytest.approx(lab.losses[begin - 1 : end].astype(np.float64).mean(), rel=1e-9)


def test_an_enormous_loss_spoils_no_other_average() -> None:
    lab = tn.Lab("xor")
    lab.run(300)
    losses = lab.player.branch.losses
    losses.values[2] = 3e38
    curve = curve_of(lab, plot_columns=100)
    assert curve.average is not None
    assert np.isfinite(curve.average).all()
    assert curve.average[20:].max() < 1


def test_other_branches_begin_where_they_part_so_that_the_shared_past_is_drawn_once(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(100)
    lab.seek(40)
    lab.fork("one")
    lab.run(80)
    lab.seek(60)
    lab.fork("two")
    lab.run(10)
    lab.switch("main")
    curve = curve_of(lab, plot_columns=100)
    assert {other.name: int(other.steps[0]) for other in curve.others} == {"one": 41, "two": 41}
    lab.switch("two")
    curve = curve_of(lab, plot_columns=100)
    assert {other.name: int(other.steps[0]) for other in curve.others} == {"main": 41, "one": 61}
    one = next(other for other in curve.others if other.name == "one")
    assert one.steps[-1] == 70  # up to where the current branch ends
    assert one.mean[-1] > 0
    assert not curve_of(lab, window=30, until=35).others


def test_of_many_branches_some_are_left_out_and_counted(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(30)
    for name in "abcdefgh":
        lab.switch("main", step=10)
        lab.fork(name)
        lab.run(3)
    lab.switch("main")
    curve = curve_of(lab)
    assert (len(curve.others), curve.left_out) == (5, 3)


def test_the_learning_rate_is_what_each_step_was_made_with(make_tiny: Make) -> None:
    lab = make_tiny()
    used = []
    for step in range(60):
        if step == 20:
            lab.set("lr", 0.03)
        if step == 40:
            lab.set("optimizer", "adam", lr=0.002)
        used.append(lab.state.hyper.lr(step))
        lab.step()
    curve = curve_of(lab, curve="rate", plot_columns=100)
    assert curve.kind == "rate"
    assert np.allclose(curve.mean, used)
    lab.seek(10)
    assert np.allclose(curve_of(lab, curve="rate", plot_columns=100).mean, used)


def test_updates_are_measured_where_a_frame_was_seen_and_nowhere_else(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    builder = FrameBuilder.of(lab)
    expected = {}
    for step in (1, 2, 3, 7):
        lab.seek(step - 1)
        before = lab.network.theta.copy()
        lab.step()
        moved = lab.network.theta - before
        expected[step] = np.log10(moved[:18].std() / lab.network.theta[:18].std())
        curve_of(lab, builder)
    lab.zero("hidden[0]")
    curve = curve_of(lab, builder, curve="updates")
    steps, ratios = curve.updates["hidden"]
    assert steps.tolist() == [1, 2, 3, 7]
    assert np.allclose(ratios, [expected[step] for step in steps])
    assert len(curve.steps) == 0


def test_an_update_is_not_measured_behind_a_jump_or_an_edit_of_the_parameters(make_tiny: Make) -> None:
    lab = make_tiny()
    builder = FrameBuilder.of(lab)
    lab.run(20)
    lab.seek(0)
    lab.seek(20)  # a kept state, perhaps: no step was computed
    lab.zero_weights("hidden[0]")
    assert 20 not in [int(s) for steps, _ in curve_of(lab, builder, curve="updates").updates.values() for s in steps]


def test_the_timeline_tells_the_losses_of_what_it_shows(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(600)
    strip = FrameBuilder.of(lab).frame(View(panes=(), window=100, until=300), 1, Activity()).timeline
    assert strip.span == (200, 300)
    assert strip.losses is not None
    assert np.allclose(strip.losses, lab.losses[200:300])
    whole = FrameBuilder.of(lab).frame(View(panes=()), 1, Activity()).timeline
    assert whole.span == (0, 600)
    assert whole.losses is not None
    assert np.average(whole.losses) == pytest.approx(lab.losses.mean(), rel=0.02)


def test_the_last_evaluation_up_to_this_moment_is_known_to_the_header(make_tiny: Make) -> None:
    lab = make_tiny()
    assert FrameBuilder.of(lab).frame(View(), 1, Activity()).status.evaluated is None
    lab.run(10)
    found = lab.evaluate("train")
    lab.run(10)
    lab.evaluate("train")
    lab.seek(15)
    told = FrameBuilder.of(lab).frame(View(), 1, Activity()).status.evaluated
    assert told == ("train", 10, float(found))
