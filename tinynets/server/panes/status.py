"""The status line."""

from __future__ import annotations

from typing import Any

from tinynets.experiment.experiment import Experiment
from tinynets.nn.block import Block
from tinynets.server.activity import Activity
from tinynets.server.frame import Status
from tinynets.server.panes.timeline import Filed
from tinynets.training.frozen import why_nothing_learns
from tinynets.training.trainer import LOSS


def status(experiment: Experiment, filed: Filed, doing: Activity) -> Status:
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
        still=why_nothing_learns(experiment.network, experiment.state),
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
