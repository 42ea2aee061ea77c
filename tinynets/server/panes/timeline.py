"""The timeline: the edits of a branch, the tree of branches and the bookmarks."""

from __future__ import annotations

import numpy as np

from tinynets.edits.edit import OPERATIONS
from tinynets.experiment.experiment import Experiment
from tinynets.history.moment import Bookmark
from tinynets.history.tree import BranchSummary
from tinynets.numerics.arrays import Array
from tinynets.server.frame import BookmarkMark, BranchLine, EditMark, TimelineStrip, View
from tinynets.server.panes.loss import columns, means

PARTS = 256
"""The losses over the timeline are told in at most so many parts."""


def timeline(experiment: Experiment, view: View) -> TimelineStrip:
    player = experiment.player
    branch = player.branch
    span = view.span(len(branch.losses))
    return TimelineStrip(
        experiment.moment.step,
        len(experiment.branch.losses),
        tuple(_mark(experiment, index) for index in range(len(branch.edits))),
        tuple(sorted({entry.step for entry in branch.evaluations})),
        len(branch.keyframes),
        tuple(_branch_line(experiment, summary) for summary in experiment.timeline.tree()),
        tuple(_pin(experiment, mark) for mark in experiment.timeline.marks()),
        branch.widest * player.seconds_per_step,
        span,
        _losses(experiment, span),
    )


def _losses(experiment: Experiment, span: tuple[int, int]) -> Array:
    """The mean loss of equal parts of a span; NaN beyond the last step."""
    values = experiment.branch.losses.values
    starts = columns(span, len(values), PARTS)
    found = np.full(min(PARTS, span[1] - span[0]), np.nan)
    if len(starts):
        end = min(span[1], len(values))
        found[: len(starts)] = means(values[starts[0] : end], starts - starts[0], end - starts[0])
    return found


def _branch_line(experiment: Experiment, summary: BranchSummary) -> BranchLine:
    losses = experiment.timeline.branches[summary.number].losses.values
    loss = float(losses[-1]) if len(losses) else None
    return BranchLine(
        summary.name, summary.fork, summary.end, summary.current, summary.parent, summary.depth, summary.edits, loss
    )


def _mark(experiment: Experiment, index: int) -> EditMark:
    branch = experiment.branch
    placed = branch.edits[index]
    here = index + 1 - branch.edits_through(placed.step - 1)
    edit, family = placed.edit, OPERATIONS[placed.edit.op].family
    return EditMark(placed.step, edit.op, edit.python(), index < experiment.moment.edits, here, family)


def _pin(experiment: Experiment, mark: Bookmark) -> BookmarkMark:
    timeline = experiment.timeline
    _, step, edits = mark.moment
    owner = timeline.branches[mark.moment.branch]
    here = edits - owner.edits_through(step - 1)
    return BookmarkMark(mark.name, mark.note, owner.name, step, timeline.shares(timeline.branch, mark.moment), here)
