"""Scene: the examples that are looked at: those of the probe, or in mid-step the batch, and how far its phases came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.probe import Probe
from tinynets.nn.block import Block
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.trainer import LOSS


@dataclass(frozen=True)
class Scene:
    """The watched examples, with the workspace that holds their activations, and how far the step has come."""

    watched: Probe
    """The probe, or in mid-step the batch in the training's own workspace."""
    of_batch: bool
    step: int
    """The number of the half-done step; between steps, of the last one."""
    kind: str
    """The kind of the last phase that was done (batch, forward, ...); empty between steps."""
    forward: int
    """How many layers forward has passed, from the first."""
    backward: int
    """The index of the last layer, counted from the end, that backward has passed; the number of layers if none."""
    has_losses: bool
    """Whether the loss of each example is known."""

    @staticmethod
    def of(experiment: Experiment, *, of_probe: bool = False) -> Scene:
        """What there is to see now; between steps, or with `of_probe`, that is the probe after its last forward."""
        player, count = experiment.player, len(experiment.network.layers)
        done = player.phase_order[: player.phases_done]
        if not done or of_probe:
            return Scene(experiment.probe, False, experiment.moment.step, "", count, count, True)
        forward = sum(phase.kind == "forward" for phase in done)
        backward = count - sum(phase.kind == "backward" for phase in done)
        step = experiment.moment.step + 1
        return Scene(_batch(experiment), True, step, done[-1].kind, forward, backward, LOSS in done)

    def has_values(self, block: Block) -> bool:
        """Whether a block's output has arrived."""
        return block.last < self.forward

    def has_gradient(self, block: Block) -> bool:
        """Whether backward has brought the gradient of a block's output in this step."""
        return self.backward <= block.last

    def has_weight_gradient(self, block: Block) -> bool:
        """Whether backward has brought the gradients of a block's weights in this step."""
        return self.backward <= block.first

    def losses(self, experiment: Experiment) -> Array | None:
        """The loss of each example, times its weight, (N,); None while it is not known."""
        if not self.has_losses or not self.of_batch:
            return self.watched.losses_here(experiment.loss) if self.has_losses else None
        with ignore_warnings():
            buffers = experiment.player.trainer.loss_buffers
            losses = experiment.loss.each_of_batch(self.watched.workspace.out, self.watched.y, buffers)
        return losses if self.watched.weight is None else losses * self.watched.weight


def _batch(experiment: Experiment) -> Probe:
    """The batch of the half-done step, with the activations that its phases have made."""
    trainer, data = experiment.player.trainer, experiment.data
    rows: list[int] = np.asarray(trainer.sampler.indices(trainer.state.step)).tolist()
    examples = tuple([data.describe("train", row) for row in rows])
    targets = tuple([data.describe_target("train", row) for row in rows])
    weight = trainer.loss_buffers.weight if trainer.weight is not None else None
    return Probe("train", trainer.x_batch, trainer.y_batch, examples, targets, weight, trainer.workspace)
