"""Layout: where the arrays of layers lie in a network's flat vectors, and which places belong to which unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinynets.errors import SelectorError, ShapeError
from tinynets.nn.block import Block
from tinynets.nn.layers import Layer, Parameter
from tinynets.numerics.arrays import Array, shape_text

MAX_PARAMETERS = 2**28


class Layout:
    """The order of the parameters in `theta` and `grad`, and of the carried arrays in `carried`: layer after layer.

    `starts` and `carried_starts` are where each layer's part begins, followed by the whole length. Raises ShapeError
    for more than MAX_PARAMETERS.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self.names = tuple(layer.name for layer in layers)
        self.parameters = tuple(tuple(layer.parameters()) for layer in layers)
        self.carried = tuple(tuple(layer.carried()) for layer in layers)
        self.starts, self.carried_starts = _starts(self.parameters), _starts(self.carried)
        self.size, self.carried_size = self.starts[-1], self.carried_starts[-1]
        if self.size > MAX_PARAMETERS:
            raise ShapeError(f"the layers have {self.size:,} parameters; at most {MAX_PARAMETERS:,} are allowed")

    # -- the vectors

    def vectors(self, dtype: np.dtype[Any], theta: Array | None, carried: Array | None) -> tuple[Array, Array, Array]:
        """`theta`, `grad` and `carried`: those given, or new ones; raises ShapeError if `theta` does not fit.

        For an outline (`theta` without axes) nothing is allocated.
        """
        outline = theta is not None and theta.ndim == 0
        if theta is None:
            theta = np.empty(self.size, dtype)
        elif outline:
            carried = np.broadcast_to(theta, (self.carried_size,))
            theta = np.broadcast_to(theta, (self.size,))
        if theta.shape != (self.size,) or theta.dtype != dtype:
            raise ShapeError(
                f"`theta` is {shape_text(theta.shape)} {theta.dtype}; "
                f"the layers take {shape_text((self.size,))} {dtype}"
            )
        grad = theta if outline else np.zeros(self.size, dtype)
        return theta, grad, np.empty(self.carried_size, dtype) if carried is None else carried

    def bind(self, layers: Sequence[Layer], theta: Array, grad: Array, carried: Array) -> tuple[Layer, ...]:
        """Copies of the layers whose arrays are views into the vectors."""
        return tuple(
            layer.bind(
                _views(self.parameters[index], theta, self.starts[index]),
                _views(self.parameters[index], grad, self.starts[index]),
                self.carried_views(index, carried),
            )
            for index, layer in enumerate(layers)
        )

    def carried_views(self, layer: int, carried: Array) -> dict[str, Array]:
        """The carried arrays of a layer, by name, as views into a vector like `carried`."""
        return _views(self.carried[layer], carried, self.carried_starts[layer])

    def draw_parameters(self, theta: Array, seed: int) -> None:
        """Draw all parameters, each from its own address."""
        _draw_all(theta, seed, self.names, self.parameters)

    def draw_carried(self, carried: Array, seed: int) -> None:
        """Set the carried arrays to their starting values."""
        _draw_all(carried, seed, self.names, self.carried)

    # -- places in them

    def parameter_slice(self, layer: int, parameter: str) -> slice:
        """Where a layer's parameter lies in `theta`."""
        start = self.starts[layer]
        for entry in self.parameters[layer]:
            if entry.name == parameter:
                return slice(start, start + entry.size)
            start += entry.size
        raise SelectorError(f"`{self.names[layer]}` has no parameter `{parameter}`")

    def carried_slice(self, layer: int, name: str) -> slice:
        """Where a layer's carried array lies in `carried`."""
        start = self.carried_starts[layer]
        for entry in self.carried[layer]:
            if entry.name == name:
                return slice(start, start + entry.size)
            start += entry.size
        raise SelectorError(f"`{self.names[layer]}` carries no `{name}`")

    def block_parameter(self, block: Block, name: str) -> tuple[int, Parameter] | None:
        """The parameter of that name in a block, after the index of its layer; None if there is none."""
        for index in range(block.first, block.last + 1):
            for entry in self.parameters[index]:
                if entry.name == name:
                    return index, entry
        return None

    def shared_indices(self, block: Block) -> Array:
        """Positions in `theta` that belong to a block but to none of its units."""
        return np.flatnonzero(self.owners(block) < 0) + self.starts[block.first]

    def owners(self, block: Block) -> Array:
        """(n,) the unit that each parameter of a block belongs to, in the order of `theta`; -1: to no single unit."""
        if block.units == 1:  # the whole block belongs to its only unit
            return np.zeros(self.block_parameters(block), np.int64)
        entries = self.parameters[block.first : block.last + 1]
        return np.concatenate([np.empty(0, np.int64), *(entry.owners() for group in entries for entry in group)])

    def shares_in(self, block: Block, places: Array) -> tuple[Array, Array]:
        """How many parameters each unit of a block has, and how many of them are at these sorted places."""
        owners, start = self.owners(block), self.starts[block.first]
        first, last = np.searchsorted(places, (start, start + len(owners)))
        inside = owners[places[first:last] - start]
        has, there = (np.bincount(found[found >= 0], minlength=block.units) for found in (owners, inside))
        return has, there

    def block_parameters(self, block: Block) -> int:
        """How many parameters a block has."""
        return self.starts[block.last + 1] - self.starts[block.first]

    def block_slice(self, block: Block) -> slice:
        """Where a block's parameters lie in `theta`."""
        return slice(self.starts[block.first], self.starts[block.last + 1])

    def unit_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `theta` of all that belongs to these units of a block, sorted; empty without parameters."""
        return self._places(block, units, self.starts, self.parameters)

    def carried_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of what these units learned (running statistics), sorted."""
        return self._places(block, units, self.carried_starts, self.carried, transient=False)

    def resettable_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of everything that belongs to these units, including hidden state, sorted."""
        return self._places(block, units, self.carried_starts, self.carried)

    def hidden_indices(self, block: Block, units: Iterable[int]) -> Array:
        """Positions in `carried` of the hidden state of these units, sorted."""
        units = list(units)
        return np.setdiff1d(self.resettable_indices(block, units), self.carried_indices(block, units))

    def _places(
        self,
        block: Block,
        units: Iterable[int],
        starts: list[int],
        entries: Sequence[tuple[Parameter, ...]],
        transient: bool = True,
    ) -> Array:
        wanted = np.arange(block.units) if units == range(block.units) else np.unique(np.fromiter(units, np.int64))
        found = [np.empty(0, np.int64)]
        for index in range(block.first, block.last + 1):
            start = starts[index]
            for entry in entries[index]:
                if transient or not entry.transient:
                    found.append(start + entry.places(wanted, whole=len(wanted) == block.units))
                start += entry.size
        return np.sort(np.concatenate(found))


def parameter_count(layers: Iterable[Layer]) -> int:
    """How many parameters these layers have; nothing needs to be allocated yet."""
    return sum(entry.size for layer in layers for part in layer.expand() for entry in part.parameters())


def carried_count(layers: Iterable[Layer]) -> int:
    """How many values these layers carry from step to step."""
    return sum(entry.size for layer in layers for part in layer.expand() for entry in part.carried())


def _draw_all(vector: Array, seed: int, names: Sequence[str], entries: Sequence[tuple[Parameter, ...]]) -> None:
    start = 0
    for name, group in zip(names, entries, strict=True):
        for entry in group:
            vector[start : start + entry.size] = _drawn(seed, name, entry, vector.dtype)
            start += entry.size


def _drawn(seed: int, layer: str, entry: Parameter, dtype: np.dtype[Any]) -> Array:
    name = f"{layer}.{entry.name}"
    with np.errstate(over="ignore", invalid="ignore"):
        values = entry.init.draw(seed, f"init/{name}", entry.shape, entry.fan_in, entry.fan_out)
        drawn: Array = values.reshape(-1).astype(dtype)
    if drawn.size and not (np.isfinite(drawn.max()) and np.isfinite(drawn.min())):
        raise ShapeError(f"`{name}`: {entry.init!r} draws values beyond {dtype}")
    return drawn


def _starts(entries: Sequence[tuple[Parameter, ...]]) -> list[int]:
    """Where each layer's arrays start in a flat vector, followed by the vector's length."""
    starts = [0]
    for group in entries:
        starts.append(starts[-1] + sum(entry.size for entry in group))
    return starts


def _views(entries: tuple[Parameter, ...], vector: Array, start: int) -> dict[str, Array]:
    views = {}
    for entry in entries:
        views[entry.name] = vector[start : start + entry.size].reshape(entry.shape)
        start += entry.size
    return views
