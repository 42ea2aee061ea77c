"""Where a run stands and how it came there: status, timeline, loss curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.arrays import Array
from tinynets.block import Block
from tinynets.edits import OPERATIONS
from tinynets.frame import BranchLine, LossCurve, Mark, Pin, Status, TimelineStrip
from tinynets.lab import Lab
from tinynets.still import why_still
from tinynets.timeline import Bookmark, Limb
from tinynets.training import LOSS


@dataclass(frozen=True)
class Doing:
    """What the engine is at, which a Lab does not know: mode, speed, and what it wants said."""

    mode: str = "paused"
    steps_per_second: float = 0.0
    note: str = ""


def status(lab: Lab, doing: Doing) -> Status:
    player = lab.player
    order, done = player.phase_order, player.phases_done
    hyper = lab.state_now.hyper
    moment = lab.moment
    here = moment.edits - player.branch.edits_through(moment.step - 1)
    probe_loss = float(lab.probe.losses_here(lab.recipe.training.loss).mean())
    return Status(
        recipe=lab.recipe.name,
        step=moment.step,
        end=lab.end,
        branch=lab.branch,
        edits_here=here,
        loss=lab.loss,
        probe_loss=probe_loss,
        lr=hyper.lr(moment.step),
        steps_per_second=doing.steps_per_second,
        mode=doing.mode,
        phase=str(order[done - 1]) if done else "",
        next_phase=str(order[done % len(order)]),
        phases_done=done,
        phases_total=len(order),
        unsaved=lab.unsaved,
        path=lab.path,
        seed=hyper.seed,
        dtype=lab.network.dtype.name,
        parameters=lab.network.theta.size,
        can_undo=bool(player.timeline.actions) or done > 0,
        can_redo=bool(player.timeline.undone),
        note=doing.note,
        read_only=lab.read_only,
        named_path=lab.named_path,
        still=why_still(lab.network, lab.state_now),
        **_half_done(lab),
    )


def _half_done(lab: Lab) -> dict[str, Any]:
    """The fields of a half-done step: its loss, and where its last phase was."""
    player = lab.player
    done = player.phase_order[: player.phases_done]
    if not done:
        return {}
    block = next((entry.name for entry in lab.network.blocks if done[-1].layer in _layers(lab, entry)), "")
    loss = player.trainer.batch_loss if LOSS in done else None
    return {"batch_loss": loss, "phase_kind": done[-1].kind, "phase_block": block}


def _layers(lab: Lab, block: Block) -> list[str]:
    return [layer.name for layer in lab.network.layers[block.first : block.last + 1]]


def timeline(lab: Lab) -> TimelineStrip:
    player = lab.player
    branch = player.branch
    return TimelineStrip(
        lab.step_number,
        lab.end,
        tuple(_mark(lab, index) for index in range(len(branch.edits))),
        tuple(sorted({entry.step for entry in branch.evaluations})),
        len(branch.keyframes),
        tuple(_branch_line(lab, limb) for limb in lab.tree),
        tuple(_pin(lab, mark) for mark in lab.bookmarks),
        branch.widest * player.seconds_per_step,
    )


def _branch_line(lab: Lab, limb: Limb) -> BranchLine:
    losses = lab.player.timeline.branches[limb.number].losses.values
    loss = float(losses[-1]) if len(losses) else None
    return BranchLine(limb.name, limb.fork, limb.end, limb.current, limb.parent, limb.depth, limb.edits, loss)


def _mark(lab: Lab, index: int) -> Mark:
    branch = lab.player.branch
    placed = branch.edits[index]
    here = index + 1 - branch.edits_through(placed.step - 1)
    edit, family = placed.edit, OPERATIONS[placed.edit.op].family
    return Mark(placed.step, edit.op, edit.python(), index < lab.moment.edits, here, family)


def _pin(lab: Lab, mark: Bookmark) -> Pin:
    timeline = lab.player.timeline
    _, step, edits = mark.moment
    owner = timeline.branches[mark.moment.branch]
    here = edits - owner.edits_through(step - 1)
    return Pin(mark.name, mark.note, owner.name, step, timeline.shares(timeline.branch, mark.moment), here)


def curve(lab: Lab, columns: int) -> LossCurve:
    """The losses of the branch, min, max and mean of each column."""
    values = lab.player.branch.losses.values
    starts = np.linspace(0, len(values), min(columns, len(values)), endpoint=False).astype(np.int64)
    evaluations: dict[str, tuple[Array, Array]] = {}
    entries = [entry for entry in lab.player.branch.evaluations if not entry.clean]
    for split in sorted({entry.split for entry in entries}):
        chosen = [entry for entry in entries if entry.split == split]
        evaluations[split] = (np.array([e.step for e in chosen], np.int64), np.array([e.loss for e in chosen]))
    if not len(values):
        nothing = np.empty(0)
        return LossCurve(starts, nothing, nothing, nothing, evaluations, lab.step_number, lab.end)
    counts = np.diff([*starts, len(values)])
    return LossCurve(
        starts + 1,
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
        np.add.reduceat(values.astype(np.float64), starts) / counts,
        evaluations,
        lab.step_number,
        lab.end,
    )
