"""One training step: a batch, forward, loss, backward, update; whole, or a phase at a time.

The step writes theta, slots and step number only in its last phase. So a step that meets a NaN, is cancelled or is left
half-way has changed nothing.
"""

from __future__ import annotations

from math import isfinite

import numpy as np

from tinynets.arrays import Array
from tinynets.errors import NonFiniteError
from tinynets.losses import Loss, LossBuffers
from tinynets.network import Network, Phase, Phases, Workspace
from tinynets.optimizers import Scratch
from tinynets.sampling import Sampler
from tinynets.state import State

BATCH, LOSS, UPDATE = Phase("batch"), Phase("loss"), Phase("update")


class Trainer:
    """Takes steps: reads and writes `state`, whose theta the network is built around.

    x (N, ...) and y (N, ...) as the network and the loss take them.
    """

    def __init__(self, network: Network, state: State, loss: Loss, x: Array, y: Array) -> None:
        self.network, self.state, self.loss, self.x, self.y = network, state, loss, x, y
        self.workspace = Workspace()
        self.loss_buffers = LossBuffers()
        self.scratch = Scratch(state.theta.size, state.theta.dtype)
        hyper = state.hyper
        self.sampler = Sampler(len(x), hyper.batch, hyper.sampling, hyper.seed)
        self.x_batch = np.empty((hyper.batch, *x.shape[1:]), x.dtype)
        self.y_batch = np.empty((hyper.batch, *y.shape[1:]), y.dtype)
        self.last_loss = float("nan")
        self.phase_order = (BATCH, *network.forward_order, LOSS, *network.backward_order, UPDATE)

    def phases(self, pause: bool = True) -> Phases:
        """The step, a phase at a time; what is yielded has just been done. Nothing is yielded when `pause` is False."""
        state, network, workspace, scratch = self.state, self.network, self.workspace, self.scratch
        indices = self.sampler.indices(state.step)
        self.x.take(indices, 0, self.x_batch, "clip")
        self.y.take(indices, 0, self.y_batch, "clip")
        if pause:
            yield BATCH
        yield from network.forward_phases(self.x_batch, workspace, pause)
        self.loss.fit(self.loss_buffers, workspace.out)
        loss = self.loss.value(workspace.out, self.y_batch, self.loss_buffers)
        if not isfinite(loss):
            raise self._stopped(
                f"the loss became {loss}", network.first_non_finite(workspace, backward=False) or "loss"
            )
        if pause:
            yield LOSS
        yield from network.backward_phases(self.loss.gradient(self.loss_buffers), workspace, pause)
        lr = state.hyper.lr(state.step)
        slots = state.hyper.optimizer.propose(state.theta, network.grad, state.slots, lr, scratch)
        delta = scratch.delta
        if state.frozen.size:
            delta[state.frozen] = 0  # theta - 0 keeps every byte
            for name, slot in slots.items():
                slot[state.frozen] = state.slots[name][state.frozen]
        if not isfinite(delta.dot(delta)) and not np.isfinite(delta).all():
            raise self._stopped(
                "the update became NaN or infinite", network.first_non_finite(workspace, backward=True) or "update"
            )
        np.subtract(state.theta, delta, state.theta)
        for name, slot in slots.items():
            np.copyto(state.slots[name], slot)
        state.step += 1
        self.last_loss = loss
        if pause:
            yield UPDATE

    def step(self) -> float:
        """A whole step; returns its training loss. Raises NonFiniteError, and then nothing has changed.

        The caller holds numpy's warnings off (`np.errstate`), once for many steps.
        """
        for _ in self.phases(pause=False):
            pass
        return self.last_loss

    def _stopped(self, what: str, where: str) -> NonFiniteError:
        step = self.state.step + 1
        return NonFiniteError(
            f"step {step}: {what}, first in `{where}`; the state before that step is kept", step=step, where=where
        )
