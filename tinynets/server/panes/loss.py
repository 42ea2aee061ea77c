"""The Loss pane: the training loss of a branch and its evaluations, other branches', the learning rate, the updates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.history.branch import Branch
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import BranchCurve, LossCurve, View
from tinynets.server.panes.updates import Updates
from tinynets.training import settings
from tinynets.training.hyper import Hyper

MOST_OTHERS = 5
"""How many other branches have a curve."""
SMOOTH = 24
"""The average is taken over about a twelfth of all columns."""


def curve(experiment: Experiment, view: View, updates: Updates) -> LossCurve:
    """What the view asks for, of the steps that it shows."""
    branch = experiment.branch
    span = view.span(len(branch.losses))
    starts = columns(span, len(branch.losses), view.plot_columns)
    nothing = np.empty(0)
    made = LossCurve(
        starts + 1, nothing, nothing, nothing, {}, experiment.moment.step, len(branch.losses), span, kind=view.curve
    )
    if view.curve == "updates":
        return replace(made, steps=starts[:0], updates=updates.of(experiment, span))
    if view.curve == "rate":
        rates = learning_rates(experiment, starts)
        return replace(made, low=rates, high=rates, mean=rates)
    others, left_out = _others(experiment, span, view.plot_columns)
    made = replace(made, evaluations=_evaluations(branch, span), others=others, left_out=left_out)
    return _losses(made, branch.losses.values, starts) if len(starts) else made


def columns(span: tuple[int, int], recorded: int, most: int) -> Array:
    """The step before each column: at most `most` for the whole span, of which so many steps are recorded."""
    first, last = span
    each = max(1.0, (last - first) / most)
    count = int(np.ceil(max(0, min(last, recorded) - first) / each - 1e-9))
    starts: Array = np.floor(np.arange(count) * each + 1e-9).astype(np.int64)
    return first + starts


def means(values: Array, starts: Array, end: int) -> Array:
    """(columns,) the mean of the values from each start to the next, the last up to `end`."""
    with ignore_warnings():  # float64 losses can be so large that their sum is not finite
        sums: Array = np.add.reduceat(values[:end].astype(np.float64), starts)
        return sums / np.diff([*starts, end])


def _losses(curve: LossCurve, values: Array, starts: Array) -> LossCurve:
    end = min(curve.span[1], len(values))
    counts = np.diff([*starts, end])
    kept, places = values[starts[0] : end], starts - starts[0]
    mean = means(kept, places, len(kept))
    around = len(starts) // SMOOTH
    return replace(
        curve,
        low=np.minimum.reduceat(kept, places),
        high=np.maximum.reduceat(kept, places),
        mean=mean,
        average=_smoothed(mean, counts, around) if around else None,
        around=around,
    )


def _smoothed(mean: Array, counts: Array, around: int) -> Array:
    """The mean over all steps of each column and of `around` others on either side; fewer at the ends."""
    within, at = np.ones(2 * around + 1), slice(around, around + len(mean))
    with ignore_warnings():
        sums, steps = (np.convolve(part, within)[at] for part in (mean * counts, counts.astype(np.float64)))
        return sums / steps


def _evaluations(branch: Branch, span: tuple[int, int]) -> dict[str, tuple[Array, Array]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for entry in branch.evaluations:
        if not entry.clean and span[0] <= entry.step <= span[1]:
            found.setdefault(entry.split, []).append((entry.step, entry.loss))
    return {
        split: (np.array([step for step, _ in found[split]], np.int64), np.array([loss for _, loss in found[split]]))
        for split in sorted(found)
    }


def _others(experiment: Experiment, span: tuple[int, int], most: int) -> tuple[tuple[BranchCurve, ...], int]:
    """The losses of other branches behind the steps they share with this one, of those that have any here."""
    timeline = experiment.timeline
    found = []
    for branch in timeline.branches.values():
        first = max(span[0], timeline.shared_steps(experiment.branch, branch))
        if branch is not experiment.branch and min(len(branch.losses), span[1]) > first:
            found.append((branch, first))
    return tuple(_other(branch, first, span, most) for branch, first in found[:MOST_OTHERS]), len(found[MOST_OTHERS:])


def _other(branch: Branch, first: int, span: tuple[int, int], most: int) -> BranchCurve:
    """One branch after a step, in the columns of the whole span; the first of them may be cut short."""
    end = min(len(branch.losses), span[1])
    starts = columns(span, end, most)
    around = len(columns(span, span[1], most)) // SMOOTH
    starts = np.unique(np.maximum(starts[max(0, int(np.searchsorted(starts, first, "right")) - 1) :], first))
    mean = means(branch.losses.part(first, end), starts - first, end - first)
    return BranchCurve(branch.name, starts + 1, _smoothed(mean, np.diff([*starts, end]), around) if around else mean)


def learning_rates(experiment: Experiment, steps: Array) -> Array:
    """The learning rate of the update that follows each of these steps, by what was set until then on this branch."""
    branch = experiment.branch
    start = branch.keyframes[0, 0]
    held: list[tuple[int, Hyper]] = [(0, start.hyper)]
    state = replace(start)
    for placed in branch.edits:
        if placed.edit.op == "set" and "." not in placed.edit.target:
            state.step = placed.step
            settings.change(experiment.network, state, placed.edit.target, placed.edit.args)
            held.append((placed.step, state.hyper))
    places = np.searchsorted([step for step, _ in held], steps, "right") - 1
    return np.array([held[place][1].lr(int(step)) for place, step in zip(places, steps, strict=True)], np.float64)
