"""Trainer: one training step of batch, forward, loss, backward and update, whole or a phase at a time.

The step writes theta, slots and step number only in its last phase. So a step that meets a NaN, is cancelled or is
abandoned half-way has changed nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cached_property
from math import isfinite

import numpy as np

from tinynets.errors import NonFiniteError
from tinynets.nn.block import Phase
from tinynets.nn.losses import Loss, LossBuffers
from tinynets.nn.network import Network
from tinynets.nn.workspace import Act, Workspace
from tinynets.numerics.arrays import Array
from tinynets.training.clipping import clip
from tinynets.training.counts import update_starts
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import Scratch
from tinynets.training.param_groups import blocks_first
from tinynets.training.sampler import Sampler
from tinynets.training.state import State

Phases = Generator[Phase, None, None]

BATCH, LOSS, UPDATE = Phase("batch"), Phase("loss"), Phase("update")


class Trainer:
    """Takes training steps: reads and writes `state`, around whose theta the network is built.

    x (N, ...) and y (N, ...) in the form that network and loss take; weight (N,) multiplies each example's loss.
    """

    def __init__(
        self, network: Network, state: State, loss: Loss, x: Array, y: Array, weight: Array | None = None
    ) -> None:
        self.network, self.state, self.loss = network, state, loss
        self.x, self.y, self.weight = x, y, weight
        self.workspace = Workspace(training=True)
        self.workspace.context.seed = state.hyper.seed
        self.loss_buffers = LossBuffers()
        self.scratch = Scratch(state.theta.size, state.theta.dtype)
        hyper = state.hyper
        self.sampler = Sampler(len(x), hyper.batch, hyper.sampling, hyper.seed, hyper.rules)
        self._largest = float(np.finfo(state.theta.dtype).max)  # losses are recorded in that dtype
        self.last_loss = self.batch_loss = float("nan")
        self.is_last = False
        """Whether the state is what the last update left."""
        self._buffers_before: Array = state.buffers.copy()
        self._prepare(hyper)
        self.phase_order = (BATCH, *network.forward_order, LOSS, *network.backward_order, UPDATE)

    @cached_property
    def x_batch(self) -> Array:
        """(B, ...) the examples of the last step; allocated at the first step, so that opening needs no memory."""
        return np.empty((self.sampler.batch, *self.x.shape[1:]), self.x.dtype)

    @cached_property
    def y_batch(self) -> Array:
        """(B, ...) the targets of the last step."""
        return np.empty((self.sampler.batch, *self.y.shape[1:]), self.y.dtype)

    def _acts(self) -> list[Act]:
        """The work of each phase, in order; not stored, since that would make a reference cycle."""
        workspace = self.workspace
        workspace.fit(self.network, self.x_batch.shape)
        return [self._draw, *workspace.forward_acts, self._compute_loss, *workspace.backward_acts, self._update]

    def phases(self) -> Phases:
        """One step, a phase at a time; yields each phase after it is done."""
        value = self.x_batch
        for phase, act in zip(self.phase_order, self._acts(), strict=True):
            value = act(value)
            yield phase

    def step(self) -> float:
        """Take a whole step and return its training loss. If it raises NonFiniteError, nothing has changed.

        The caller turns numpy's warnings off (`np.errstate`), once for many steps.
        """
        value = self.x_batch
        for act in self._acts():
            value = act(value)
        return self.last_loss

    def _draw(self, batch: Array) -> Array:
        """Fill the batch with this step's examples."""
        step = self.state.step
        self.workspace.context.step = self.loss_buffers.step = step
        indices = self.sampler.indices(step)
        self.x.take(indices, 0, batch, "clip")
        self.y.take(indices, 0, self.y_batch, "clip")
        if self.weight is not None:
            self.loss_buffers.weight = self.weight.take(indices)
        return batch

    def _compute_loss(self, out: Array) -> Array:
        """The loss of the output, and its gradient."""
        loss, buffers = self.loss, self.loss_buffers
        self.workspace.out = out
        loss.fit(buffers, out)
        self.batch_loss = value = loss.weighted_value(out, self.y_batch, buffers)
        if not abs(value) <= self._largest:
            where = self.network.first_non_finite(self.workspace, backward=False) or "loss"
            raise self._non_finite(f"the loss became {value}", where)
        return loss.weighted_gradient(buffers)

    def _update(self, dx: Array) -> Array:
        """Update theta, slots and carried arrays; everything is written here, once it is known to be finite."""
        state, grad, scratch = self.state, self.network.grad, self.scratch
        self.is_last = False
        hyper = state.hyper
        if hyper is not self._prepared_for or state.counts is not self._counted:
            self._prepare(hyper)
        if self._shapes_gradient:
            self._shape_gradient(grad)
        lr, count = hyper.lr(state.step), state.step - self._since + 1
        slots = hyper.optimizer.propose(state.theta, grad, state.slots, lr, count, scratch)
        delta = scratch.delta
        if self._rates is not None:
            np.multiply(delta, self._rates, delta)
        if state.frozen.size:
            delta[state.frozen] = 0  # theta - 0 keeps every byte
            for name, slot in slots.items():
                slot[state.frozen] = state.slots[name][state.frozen]
        if not leaves_finite(state.theta, delta) or (slots and not all(map(_finite, slots.values()))):
            where = self.network.first_non_finite(self.workspace, backward=True) or "update"
            raise self._non_finite("the update became NaN or infinite", where)
        carried = self.workspace.carried
        if state.buffers.size:
            if not _finite(carried):  # frozen ones too: an overflow may not show in the output
                raise self._non_finite("what it carries on became NaN or infinite", self._carrying(carried))
            carried[state.frozen_buffers] = state.buffers[state.frozen_buffers]
        np.copyto(self._buffers_before, state.buffers)
        np.subtract(state.theta, delta, state.theta)
        for name, slot in slots.items():
            np.copyto(state.slots[name], slot)
        np.copyto(state.buffers, carried)
        state.step += 1
        self.last_loss = self.batch_loss
        self.is_last = True
        return dx

    def before(self) -> tuple[Array, Array] | None:
        """theta (up to rounding) and buffers before the last update; None if the state is not what that left."""
        return (self.state.theta + self.scratch.delta, self._buffers_before.copy()) if self.is_last else None

    def _prepare(self, hyper: Hyper) -> None:
        """Lay out new settings for gradient and update as vectors over theta; None if there are none."""
        self._prepared_for, self._counted = hyper, self.state.counts
        self._since, self.scratch.late = update_starts(self.state)
        self._rates = self._over_theta(hyper.rates, 1.0)
        self._l1, self._l2 = self._over_theta(hyper.l1, 0.0), self._over_theta(hyper.l2, 0.0)
        clips = hyper.clip_norm or hyper.clip_value
        self._shapes_gradient = bool(clips) or self._l1 is not None or self._l2 is not None

    def _over_theta(self, by_block: dict[str, float], rest: float) -> Array | None:
        """(n,) the settings of blocks and units at each of their parameters, elsewhere `rest`; None if none are set."""
        if not by_block:
            return None
        vector = np.full_like(self.state.theta, rest)
        together: dict[tuple[str, float], list[int]] = {}  # no unit is named twice, so equal values go at once
        for name, units, value in blocks_first(by_block):
            if units is None:
                block = self.network.block(name)
                vector[self.network.unit_indices(block, range(block.units))] = value
            else:
                together.setdefault((name, value), []).extend(units)
        for (name, value), chosen in together.items():
            vector[self.network.unit_indices(self.network.block(name), chosen)] = value
        return vector

    def _shape_gradient(self, grad: Array) -> None:
        """Add penalties, zero frozen gradients, then clip by value and by norm."""
        theta, hyper, frozen, term = self.state.theta, self.state.hyper, self.state.frozen, self.scratch.delta
        if self._l2 is not None:
            np.add(grad, np.multiply(self._l2, theta, term), grad)
        if self._l1 is not None:
            np.sign(theta, term)
            np.add(grad, np.multiply(self._l1, term, term), grad)
        grad[frozen] = 0
        clip(grad, hyper.clip_value, hyper.clip_norm)

    def _carrying(self, carried: Array) -> str:
        """The name of the first layer that carries a NaN or infinite value."""
        end, place = 0, int(np.argmin(np.isfinite(carried)))
        for layer in self.network.layers:
            end += sum(entry.size for entry in layer.carried())
            if place < end:
                return layer.name
        return "update"

    def _non_finite(self, what: str, where: str) -> NonFiniteError:
        step = self.state.step + 1
        return NonFiniteError(
            f"step {step}: {what}, first in `{where}`; the state before that step is kept", step=step, where=where
        )


def _finite(array: Array) -> bool:
    """Whether a vector is finite; the dot product shows this quickly, unless it overflows."""
    return isfinite(array.dot(array)) or bool(np.isfinite(array).all())


def leaves_finite(theta: Array, delta: Array) -> bool:
    """Whether theta - delta is finite: if the squares of delta are, delta is too small to make theta overflow."""
    return isfinite(delta.dot(delta)) or bool(np.isfinite(theta - delta).all())
