"""Workspaces: the buffers for a batch, and the forward and backward passes over them, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tinynets.nn.layers import Buffers, Context, Layer
from tinynets.nn.taps import AppliedTap, Tap
from tinynets.numerics.arrays import Array, Shape

CHUNK = 4096  # examples evaluated at once; fixed, so that the same split gives the same bits
KEPT_SHAPES = 4  # batch shapes that a workspace keeps buffers for
KEPT_BYTES = 2**24  # a larger workspace is not kept for the next prediction

Act = Callable[[Array], Array]
"""The work of a phase: it takes the result of the phase before and returns its own."""


class Layered(Protocol):
    """What a workspace needs of its network."""

    layers: tuple[Layer, ...]
    taps: list[Tap | None]
    carried: Array

    def allocate(self, shape: Shape, workspace: Workspace) -> list[Buffers]: ...


class Workspace:
    """The buffers for forward and backward of one network: one each for training, the probe, evaluation.

    With `input_gradient`, backward also computes the gradient of the input. With `clean`, interventions are skipped.
    `context` says whether this is training, and at which step. A training forward puts the next values of the network's
    carried arrays into `carried`. `forward_acts` and `backward_acts` are the passes, layer by layer.
    """

    def __init__(self, *, input_gradient: bool = False, clean: bool = False, training: bool = False) -> None:
        self.input_gradient = input_gradient
        self.clean = clean
        self.context = Context(training)
        self.carried: Array = np.empty(0)
        self.buffers: list[Buffers] = []
        self.forward_acts: list[Act] = []
        self.backward_acts: list[Act] = []
        self.out: Array = np.empty(0)
        self.dx: Array = np.empty(0)
        self._network: Layered | None = None
        self._shape: Shape | None = None
        self._kept: dict[Shape, list[Buffers]] = {}
        self._sizes: dict[Shape, int] = {}

    def __reduce__(self) -> tuple[type[Workspace], tuple[()], dict[str, Any]]:
        """Copies begin empty: buffers are not copied."""
        made = {"input_gradient": self.input_gradient, "clean": self.clean}
        context = Context(self.context.training, self.context.seed, self.context.step)
        return Workspace, (), {**made, "context": context}

    def fit(self, network: Layered, shape: Shape) -> None:
        """Prepare for a batch of `shape`, allocating if it is new; buffers of another network are dropped."""
        if network is not self._network:
            self._network, self._shape, self._kept, self._sizes = network, None, {}, {}
            self.carried = network.carried.copy()
        if shape != self._shape:
            if shape not in self._kept:
                while len(self._kept) >= KEPT_SHAPES:
                    del self._kept[next(iter(self._kept))]
                self._kept[shape] = network.allocate(shape, self)
            self._shape, self.buffers = shape, self._kept[shape]
            places = list(enumerate(self.buffers))
            self.forward_acts = [_forward_act(network, *place, self.clean) for place in places]
            self.backward_acts = [_backward_act(network, *place) for place in reversed(places)]

    @property
    def bytes(self) -> int:
        """How many bytes the arrays of all kept batch shapes take, including views."""
        for shape in self._kept.keys() - self._sizes.keys():
            values = [value for buffers in self._kept[shape] for value in vars(buffers).values()]
            self._sizes[shape] = sum(value.nbytes for value in values if isinstance(value, np.ndarray))
        return sum(map(self._sizes.__getitem__, self._kept))

    def output_of(self, layer: int) -> Array:
        """The output of a layer in the last forward, with interventions."""
        buffers = self.buffers[layer]
        return buffers.out if buffers.tapped is None else buffers.tapped

    def gradient_at(self, layer: int) -> Array | None:
        """The gradient of a layer's output in the last backward, a copy; None before one."""
        buffers = self.buffers[layer]
        dout: Array | None = getattr(buffers, "dout", None)
        if dout is None or buffers.tapped is None or buffers.applied_tap is None:
            return None if dout is None else np.array(dout)
        return buffers.applied_tap.brought(dout)

    def unit_gradients(self, network: Layered, layer: int) -> Array | None:
        """The gradient of a layer's output by unit, (B, ..., units), in the last backward; None before one."""
        dout = self.gradient_at(layer)
        return None if dout is None else network.layers[layer].unit_gradients(self.buffers[layer], dout)

    def units_behind(self, network: Layered, layer: int) -> Array:
        """The output of a layer by unit, (B, ..., units): for attention, by head."""
        return network.layers[layer].unit_values(self.buffers[layer])

    def first_non_finite(self, network: Layered, *, backward: bool) -> str:
        """The name of the first layer, in the order of the pass, with a NaN or infinite value; empty if there is none.

        In a forward pass the outputs are checked after interventions: an infinite unit that is zeroed does no harm. A
        backward pass is checked only if the forward pass before it was finite.
        """
        if backward:
            before = self.first_non_finite(network, backward=False)
            if before:
                return before
        order = range(len(network.layers))
        for index in reversed(order) if backward else order:
            layer, buffers = network.layers[index], self.buffers[index]
            arrays = [self.output_of(index)]
            if backward:
                gradients = [getattr(layer, "d" + entry.name) for entry in layer.parameters()]
                arrays = [*gradients, *([buffers.dx] if buffers.needs_dx else [])]
            if not all(np.isfinite(array).all() for array in arrays):
                return layer.name
        return ""


class Spare:
    """Keeps workspaces for reuse and lends each to one caller at a time, so that threads need not wait for each other.

    A large one is not kept: compared with the arithmetic on it, making it anew costs little. Copies begin empty.
    """

    def __init__(self) -> None:
        self._kept: list[Workspace] = []

    def __reduce__(self) -> tuple[type[Spare], tuple[()]]:
        return Spare, ()

    def take(self) -> Workspace:
        try:
            return self._kept.pop()
        except IndexError:
            return Workspace()

    def give_back(self, workspace: Workspace) -> None:
        if workspace.bytes <= KEPT_BYTES:
            self._kept.append(workspace)


def _forward_act(network: Layered, index: int, buffers: Buffers, clean: bool) -> Act:
    """The forward of a layer, followed by the interventions at its site."""
    layer = network.layers[index]
    forward = layer.forward

    def act(x: Array) -> Array:
        out = forward(x, buffers)
        tap = network.taps[index]
        if tap is None:
            buffers.tapped = None
            return out
        if buffers.applied_tap is None or buffers.applied_tap.tap is not tap:
            buffers.applied_tap = AppliedTap(tap, out)
        buffers.tapped = buffers.applied_tap.forward(out)
        return buffers.tapped

    def act_of_itself(x: Array) -> Array:
        buffers.tap = network.taps[index]
        return forward(x, buffers)

    if clean:
        return lambda x: forward(x, buffers)
    return act_of_itself if layer.taps_itself else act


def _backward_act(network: Layered, index: int, buffers: Buffers) -> Act:
    """The backward of a layer, into the network's `grad`."""
    layer = network.layers[index]
    backward, by_itself = layer.backward, layer.is_activation and not layer.mixes_units
    own = index + 1 < len(network.layers) and network.layers[index + 1].own_dx

    def act(dout: Array) -> Array:
        buffers.dout = dout
        if buffers.tapped is None or buffers.applied_tap is None:
            return backward(dout, buffers)
        dx = backward(buffers.applied_tap.backward(dout, own), buffers)
        if by_itself:
            buffers.applied_tap.still(dx)
        return dx

    return act
