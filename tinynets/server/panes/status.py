"""The header: the position of a run, what the server is doing, and whether the run is saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinynets.experiment.experiment import Experiment
from tinynets.nn.block import Block
from tinynets.server.activity import Activity
from tinynets.server.frame import Status
from tinynets.training.frozen import why_nothing_learns
from tinynets.training.hyper import Hyper
from tinynets.training.settings import CLIPPING
from tinynets.training.trainer import LOSS


@dataclass(frozen=True)
class FileStatus:
    """A run's file and whether it is saved, from its Lab."""

    unsaved: bool = True
    path: str = ""
    read_only: bool = False
    named_path: str = ""


def status(experiment: Experiment, file: FileStatus, activity: Activity) -> Status:
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
        steps_per_second=activity.steps_per_second,
        mode=activity.mode,
        phase=str(order[done - 1]) if done else "",
        next_phase=str(order[done % len(order)]),
        phases_done=done,
        phases_total=len(order),
        unsaved=file.unsaved,
        path=file.path,
        seed=hyper.seed,
        dtype=experiment.network.dtype.name,
        parameters=experiment.network.theta.size,
        can_undo=bool(player.timeline.actions) or done > 0,
        can_redo=bool(player.timeline.undone),
        note=activity.note,
        read_only=file.read_only,
        named_path=file.named_path,
        still=why_nothing_learns(experiment.network, experiment.state),
        settings=_settings(hyper),
        evaluated=_evaluated(experiment),
        **_half_done(experiment),
    )


def _settings(hyper: Hyper) -> dict[str, str]:
    """The optimizer with its settings, the schedule and clipping."""
    own = {name: value for name, value in hyper.optimizer.config().items() if name != "kind"}
    own |= {name: getattr(hyper, name) for name in CLIPPING}
    plain = {name: str(value).lower() if isinstance(value, bool) else f"{value:.6g}" for name, value in own.items()}
    return plain | {"optimizer": hyper.optimizer.kind, "schedule": hyper.schedule.kind}


def _evaluated(experiment: Experiment) -> tuple[str, int, float] | None:
    """The last evaluation up to this moment, of `dev` if there is one, else of any split."""
    known = [e for e in experiment.branch.evaluations if not e.clean and e.step <= experiment.moment.step]
    found = [e for e in known if e.split == "dev"] or known
    return (found[-1].split, found[-1].step, found[-1].loss) if found else None


def _half_done(experiment: Experiment) -> dict[str, Any]:
    """The fields of a half-done step: its loss, and the layer of its last phase."""
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
