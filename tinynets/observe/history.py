"""Where a run stands and how it came there: status, timeline, loss curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.arrays import Array
from tinynets.block import Block
from tinynets.edits import OPERATIONS
from tinynets.experiment import Experiment
from tinynets.frame import BranchLine, LossCurve, Mark, Pin, Status, TimelineStrip
from tinynets.still import why_still
from tinynets.timeline import Bookmark, Limb
from tinynets.training import LOSS


@dataclass(frozen=True)
class Doing:
    """What the engine is at, which a Lab does not know: mode, speed, and what it wants said."""

    mode: str = "paused"
    steps_per_second: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Filed:
    """How the run stands to its file, as the Lab says it."""

    unsaved: bool = True
    path: str = ""
    read_only: bool = False
    named_path: str = ""


def status(experiment: Experiment, filed: Filed, doing: Doing) -> Status:
    player = experiment.player
    order, done = player.phase_order, player.phases_done
    hyper = experiment.state.hyper
    moment = experiment.moment
    here = moment.edits - player.branch.edits_through(moment.step - 1)
    probe_loss = float(experiment.probe.losses_here(experiment.loss).mean())
    return Status(
        recipe=experiment.recipe.name,
        step=moment.step,
        end=len(experiment.branch.losses),
        branch=experiment.branch.name,
        edits_here=here,
        loss=player.last_loss,
        probe_loss=probe_loss,
        lr=hyper.lr(moment.step),
        steps_per_second=doing.steps_per_second,
        mode=doing.mode,
        phase=str(order[done - 1]) if done else "",
        next_phase=str(order[done % len(order)]),
        phases_done=done,
        phases_total=len(order),
        unsaved=filed.unsaved,
        path=filed.path,
        seed=hyper.seed,
        dtype=experiment.network.dtype.name,
        parameters=experiment.network.theta.size,
        can_undo=bool(player.timeline.actions) or done > 0,
        can_redo=bool(player.timeline.undone),
        note=doing.note,
        read_only=filed.read_only,
        named_path=filed.named_path,
        still=why_still(experiment.network, experiment.state),
        **_half_done(experiment),
    )


def _half_done(experiment: Experiment) -> dict[str, Any]:
    """The fields of a half-done step: its loss, and where its last phase was."""
    player = experiment.player
    done = player.phase_order[: player.phases_done]
    if not done:
        return {}
    block = next(
        (entry.name for entry in experiment.network.blocks if done[-1].layer in _layers(experiment, entry)), ""
    )
    loss = player.trainer.batch_loss if LOSS in done else None
    return {"batch_loss": loss, "phase_kind": done[-1].kind, "phase_block": block}


def _layers(experiment: Experiment, block: Block) -> list[str]:
    return [layer.name for layer in experiment.network.layers[block.first : block.last + 1]]


def timeline(experiment: Experiment) -> TimelineStrip:
    player = experiment.player
    branch = player.branch
    return TimelineStrip(
        experiment.moment.step,
        len(experiment.branch.losses),
        tuple(_mark(experiment, index) for index in range(len(branch.edits))),
        tuple(sorted({entry.step for entry in branch.evaluations})),
        len(branch.keyframes),
        tuple(_branch_line(experiment, limb) for limb in experiment.timeline.tree()),
        tuple(_pin(experiment, mark) for mark in experiment.timeline.marks()),
        branch.widest * player.seconds_per_step,
    )


def _branch_line(experiment: Experiment, limb: Limb) -> BranchLine:
    losses = experiment.timeline.branches[limb.number].losses.values
    loss = float(losses[-1]) if len(losses) else None
    return BranchLine(limb.name, limb.fork, limb.end, limb.current, limb.parent, limb.depth, limb.edits, loss)


def _mark(experiment: Experiment, index: int) -> Mark:
    branch = experiment.branch
    placed = branch.edits[index]
    here = index + 1 - branch.edits_through(placed.step - 1)
    edit, family = placed.edit, OPERATIONS[placed.edit.op].family
    return Mark(placed.step, edit.op, edit.python(), index < experiment.moment.edits, here, family)


def _pin(experiment: Experiment, mark: Bookmark) -> Pin:
    timeline = experiment.timeline
    _, step, edits = mark.moment
    owner = timeline.branches[mark.moment.branch]
    here = edits - owner.edits_through(step - 1)
    return Pin(mark.name, mark.note, owner.name, step, timeline.shares(timeline.branch, mark.moment), here)


def curve(experiment: Experiment, columns: int) -> LossCurve:
    """The losses of the branch, min, max and mean of each column."""
    values = experiment.branch.losses.values
    starts = np.linspace(0, len(values), min(columns, len(values)), endpoint=False).astype(np.int64)
    evaluations: dict[str, tuple[Array, Array]] = {}
    entries = [entry for entry in experiment.branch.evaluations if not entry.clean]
    for split in sorted({entry.split for entry in entries}):
        chosen = [entry for entry in entries if entry.split == split]
        evaluations[split] = (np.array([e.step for e in chosen], np.int64), np.array([e.loss for e in chosen]))
    if not len(values):
        nothing = np.empty(0)
        return LossCurve(
            starts, nothing, nothing, nothing, evaluations, experiment.moment.step, len(experiment.branch.losses)
        )
    counts = np.diff([*starts, len(values)])
    return LossCurve(
        starts + 1,
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
        np.add.reduceat(values.astype(np.float64), starts) / counts,
        evaluations,
        experiment.moment.step,
        len(experiment.branch.losses),
    )
