"""Checks backward passes by central differences, for users who write their own layers and losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers import Layer
from tinynets.nn.losses import FunctionLoss, Loss, as_loss
from tinynets.nn.losses.base import numbers
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, as_array, ignore_warnings, is_finite_number, shape_text
from tinynets.numerics.finite_differences import central_differences, one_sided_gaps

MOST = 1000  # places of one array that are tried
FINER = 5  # how often h is quartered where backward and central differences disagree
ROUNDED = 16  # the rounding error of a difference is taken as this many roundings of its terms


@dataclass(frozen=True)
class Checked:
    """One gradient against the differences: its largest error, relative to the largest entry of either, and where."""

    name: str
    shape: tuple[int, ...]
    error: float
    worst: tuple[int, ...]
    analytic: float
    numeric: float
    tried: int
    """The number of places tried."""
    tolerance: float
    kinks: int = 0
    """How many of those are at a kink, without a gradient to compare with; they are left out."""

    @property
    def exact(self) -> bool:
        """Whether all bits agree (as a rule only where the gradient is 0 everywhere)."""
        return self.error == 0

    @property
    def approximate(self) -> bool:
        """Whether the largest relative error lies within the tolerance."""
        return self.error <= self.tolerance

    def __str__(self) -> str:
        verdict = "exact" if self.exact else "approximate" if self.approximate else "WRONG"
        verdict = "at kinks" if self.kinks == self.tried > 0 else verdict
        size = int(np.prod(self.shape))
        part = "" if self.tried == size else f", {self.tried:,} of {size:,} tried"
        if self.kinks:
            part += f", {self.kinks:,} {'entry' if self.kinks == 1 else 'entries'} at a kink, left out"
        line = f"{self.name:<32} {shape_text(self.shape):<14} {verdict:<12} max relative error {self.error:.1e}{part}"
        if self.approximate:
            return line
        place = ", ".join(map(str, self.worst))
        return f"{line}; at [{place}] backward gives {self.analytic:.6g}, differences {self.numeric:.6g}"


@dataclass(frozen=True)
class GradReport:
    """The result of `grad_check`, gradient by gradient; true if all are right."""

    entries: tuple[Checked, ...]

    @property
    def right(self) -> bool:
        return all(entry.approximate for entry in self.entries)

    @property
    def error(self) -> float:
        """The largest relative error of all gradients."""
        return max((entry.error for entry in self.entries), default=0.0)

    def __bool__(self) -> bool:
        return self.right

    def __getitem__(self, name: str) -> Checked:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise ShapeError(f"`{name}` was not checked; there are {', '.join(entry.name for entry in self.entries)}")

    def __str__(self) -> str:
        wrong = sum(not entry.approximate for entry in self.entries)
        end = "all gradients are right" if not wrong else f"{wrong} of {len(self.entries)} gradients are wrong"
        return "\n".join([*map(str, self.entries), end])


def grad_check(
    thing: Network | Layer | Loss | Callable[[Any, Any], Any],
    x: Any,
    y: Any = None,
    loss: Loss | Callable[[Any, Any], Any] | None = None,
    *,
    h: float = 1e-5,
    tolerance: float = 1e-6,
    training: bool = True,
    seed: int = 0,
) -> GradReport:
    """Compare backward with central differences, in float64: every parameter's gradient, and the input's.

    thing: a network (with its interventions), a single layer, a loss, or a loss function.
    x: a batch (B, ...) of inputs; for a loss, a batch of outputs.
    y, loss: the targets and the loss for the network's output; without a loss, a fixed random weighted sum of the
        output is used. A loss needs the targets y that it takes.
    h: half the distance between the two points of a difference. In arrays of more than 1,000 places, 1,000 are tried.
    training: as in a training step (dropout drops values, batch statistics are used), else as in evaluation.
    seed: addresses dropout, the weighted sum, the places tried and a single layer's parameters.

    Raises ShapeError where something does not fit, or a gradient does not have the shape of its array.

    Where the two disagree, they are compared at distances smaller than `h` too: where only the slope has a kink (ELU at
    0), a right gradient agrees there. Where the value itself has a kink within `h` (the sum of a ReLU near 0), the
    forward and the backward difference disagree, and there is no gradient to compare with: such entries are counted as
    at a kink and left out.
    """
    for name, value in (("h", h), ("tolerance", tolerance)):
        if not is_finite_number(value) or value <= 0:
            raise ShapeError(f"grad_check: `{name}` must be a finite number above 0, not {value!r}")
    if isinstance(thing, Layer):
        x = as_array("x", x)
        thing = Network([thing], seed=seed, dtype="float64", input_shape=x.shape[1:])
    with ignore_warnings():
        if isinstance(thing, Network):
            judge = None if loss is None else as_loss(loss)
            return _network(thing, x, y, judge, h, tolerance, training, seed)
        return _loss(as_loss(thing), x, y, h, tolerance, seed)


def _network(
    given: Network, x: Any, y: Any, loss: Loss | None, h: float, tolerance: float, training: bool, seed: int
) -> GradReport:
    network = Network(
        given.parts,
        dtype="float64",
        input_shape=given.input_shape,
        theta=given.theta.astype(np.float64),
        rules=given.rules,
        carried=given.carried.astype(np.float64),
    )
    network.taps = [tap and type(tap)(_double(tap.multiply), _double(tap.add), tap.draw) for tap in given.taps]
    x = network.checked(x).copy()
    workspace = Workspace(input_gradient=True, training=training)
    workspace.context.seed = seed
    out = network.forward_checked(x, workspace)
    judged = _judge(loss, out, y, seed)
    dx = network.backward(judged(out)[1], workspace)

    def value() -> float:
        return judged(network.forward_checked(x, workspace))[0]

    checks = []
    grad, arrays = network.grad.copy(), []
    if x.dtype.kind == "f":
        if dx.shape != x.shape:
            raise ShapeError(f"backward gives {shape_text(dx.shape)} as gradient of the input {shape_text(x.shape)}")
        arrays.append(("input", x, dx.copy()))
    for index, layer in enumerate(network.layers):
        for entry in layer.parameters():
            place = network.parameter_slice(index, entry.name)
            name = f"{layer.name}.{entry.name}"
            arrays.append((name, getattr(layer, entry.name), grad[place].reshape(entry.shape)))
    for name, array, analytic in arrays:
        checks.append(_compared(name, value, array, analytic, h, tolerance, seed))
    return GradReport(tuple(checks))


def _double(array: Array) -> Array:
    return array.astype(np.float64)


def _judge(loss: Loss | None, out: Array, y: Any, seed: int) -> Callable[[Array], tuple[float, Array]]:
    """A function from an output to a number and its gradient."""
    if loss is None:
        weights = rng.normals(seed, "grad_check", 0, out.shape)
        return lambda given: (float((given * weights).sum()), weights)
    judge = loss
    return lambda given: judge(given, y)


def _loss(loss: Loss, x: Any, y: Any, h: float, tolerance: float, seed: int) -> GradReport:
    out = np.array(numbers("out", x), np.float64)
    if isinstance(loss, FunctionLoss):
        loss.tried(out, loss.targets(y, out.shape, out.dtype))
    gradient = loss(out, y)[1].copy()
    if gradient.shape != out.shape:
        raise ShapeError(f"the gradient is {shape_text(gradient.shape)}, the outputs are {shape_text(out.shape)}")
    return GradReport((_compared("out", lambda: loss(out, y)[0], out, gradient, h, tolerance, seed),))


def _compared(
    name: str, value: Callable[[], float], array: Array, analytic: Array, h: float, tolerance: float, seed: int
) -> Checked:
    places = np.arange(array.size)
    if array.size > MOST:
        places = np.sort(rng.permutation(seed, f"grad_check/{name}", 0, array.size)[:MOST])
    numeric = central_differences(value, array, h, places)
    ours = analytic.reshape(-1)[places]
    gaps = np.abs(ours - numeric)
    scale = max(float(np.abs(ours).max(initial=0)), float(np.abs(numeric).max(initial=0)), 1e-3)
    wrong = _still_apart(value, array, h, places, ours, gaps, tolerance * scale)
    kinks = wrong[_at_kinks(value, array, h, places[wrong], tolerance * scale)]
    gaps[kinks] = 0
    worst = int(gaps.argmax())  # a NaN counts as largest
    error = float(gaps[worst] / scale) if np.isfinite(gaps[worst]) else float("inf")
    where = tuple(int(i) for i in np.unravel_index(int(places[worst]), array.shape))
    numbers = float(ours[worst]), float(numeric[worst])
    return Checked(name, array.shape, error, where, *numbers, len(places), tolerance, len(kinks))


def _still_apart(
    value: Callable[[], float], array: Array, h: float, places: Array, ours: Array, gaps: Array, least: float
) -> Array:
    """Which places differ by more than `least` at every distance; where one agrees, its gap is updated in `gaps`.

    Where the slope has a kink (ELU at 0, Huber at its delta), differences are off by h / 4 times its jump. So as h
    shrinks they come to agree with a right gradient, never with a wrong one. Distances at which rounding alone could
    explain the gap are not tried.
    """
    wrong = np.flatnonzero(~(gaps <= least))
    rounding = ROUNDED * float(np.finfo(np.float64).eps) * abs(value())
    for _ in range(FINER):
        h /= 4
        if not len(wrong) or not rounding / h < least:
            break
        finer = np.abs(ours[wrong] - central_differences(value, array, h, places[wrong]))
        gaps[wrong] = np.where(finer <= least, finer, gaps[wrong])
        wrong = wrong[~(finer <= least)]
    return wrong


def _at_kinks(value: Callable[[], float], array: Array, h: float, places: Array, least: float) -> Array:
    """Whether each place lies within h of a kink: if all is smooth, halving h halves the gap between the two sides."""
    if not len(places):
        return np.zeros(0, np.bool_)
    whole, half = (one_sided_gaps(value, array, step, places) for step in (h, h / 2))
    bent: Array = np.abs(half - whole / 2) > least
    return bent
