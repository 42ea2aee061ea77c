"""Layers that hold other layers: Residual and Parallel.

A container expands to a flat sequence of layers between two ends, so that sites, freezing, phases and replay need no
special case: `Residual([Linear(...), Tanh()], name="block1")` becomes `block1.split`, `block1.linear1`, `block1.tanh1`,
`block1`. What the ends pass to each other in a pass lies in the workspace's context, under their common `Link`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.layers.base import Layer, Rebuild
from tinynets.nn.layers.buffers import Buffers
from tinynets.numerics.arrays import Array, Shape, shape_text

JOINS = ("concatenate", "sum")


class Link:
    """What the ends of a container share: shapes while they are checked, and a key during a pass."""

    def __init__(self) -> None:
        self.shape: tuple[int | None, ...] = ()
        self.outputs: list[tuple[int | None, ...]] = []


class Residual(Layer):
    """out = x + layers(x). The output of the layers must have the shape of their input."""

    kind = "residual"

    def __init__(self, layers: Sequence[Layer], *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.layers = _layers("Residual", layers)

    def __repr__(self) -> str:
        return f"Residual({', '.join(map(repr, self.layers))})"

    def rebuild_inside(self, rebuild: Rebuild) -> None:
        self.layers = rebuild(self.layers, "")

    def config(self) -> dict[str, Any]:
        return {"layers": list(self.layers)}

    def expand(self) -> list[Layer]:
        link = Link()
        return [
            Split(link, f"{self.name}.split"),
            *_inside(self.layers, self.name),
            Add(link, self.name),
        ]


class Parallel(Layer):
    """Branches over the same input, side by side: their outputs concatenated along the last axis, or summed."""

    kind = "parallel"

    def __init__(
        self, branches: Sequence[Sequence[Layer]], *, join: str = "concatenate", name: str | None = None
    ) -> None:
        super().__init__(name=name)
        if join not in JOINS:
            raise ShapeError(f"Parallel: `join` must be one of {', '.join(JOINS)}, not {join!r}")
        if not isinstance(branches, list | tuple) or len(branches) < 2:
            raise ShapeError("Parallel: `branches` must be a list of at least two lists of layers")
        self.branches = [_layers("Parallel", branch) for branch in branches]
        self.join = join

    def __repr__(self) -> str:
        inside = " | ".join(", ".join(map(repr, branch)) for branch in self.branches)
        return f"Parallel({inside}; {self.join})"

    def rebuild_inside(self, rebuild: Rebuild) -> None:
        self.branches = [rebuild(branch, f"branch{number}.") for number, branch in enumerate(self.branches, 1)]

    def config(self) -> dict[str, Any]:
        return {"branches": [list(branch) for branch in self.branches], "join": self.join}

    def expand(self) -> list[Layer]:
        link = Link()
        flat: list[Layer] = [Split(link, f"{self.name}.split")]
        for number, branch in enumerate(self.branches, 1):
            if number > 1:
                flat.append(Next(link, f"{self.name}.next{number}"))
            flat += _inside(branch, f"{self.name}.branch{number}")
        return [*flat, Join(link, self.name, self.join)]


def _layers(owner: str, layers: object) -> list[Layer]:
    if not isinstance(layers, list | tuple) or not layers or not all(isinstance(entry, Layer) for entry in layers):
        raise ShapeError(f"{owner}: takes a list of layers, not {layers!r}")
    return list(layers)


def _inside(layers: Sequence[Layer], prefix: str) -> list[Layer]:
    """The layers of a container, expanded, with its name as prefix of theirs."""
    flat: list[Layer] = []
    for layer in named(layers):
        layer.name = f"{prefix}.{layer.name}"
        flat += layer.expand()
    return flat


def named(layers: Sequence[Layer]) -> list[Layer]:
    """Copies of the layers, each with a name: its own, or its kind and a number."""
    counts: dict[str, int] = {}
    copies = []
    for layer in layers:
        counts[layer.kind] = counts.get(layer.kind, 0) + 1
        copied = copy.copy(layer)
        copied.name = layer.name or f"{layer.kind}{counts[layer.kind]}".replace("-", "_")
        copies.append(copied)
    check_names(layer.name for layer in copies)
    return copies


def check_names(names: Iterable[str]) -> None:
    """Raise ShapeError where two layers have the same name."""
    for name, count in Counter(names).items():
        if count > 1:
            raise ShapeError(f"`{name}` is the name of {count} layers; a name must stand for one")


class _End(Layer):
    """Base of the ends of containers."""

    is_end = True

    def __init__(self, link: Link, name: str) -> None:
        super().__init__()
        self.link, self.name = link, name

    def __repr__(self) -> str:
        return type(self).__name__


class Split(_End):
    """The beginning of a container: keeps its input for the ends that follow, and gathers their gradients."""

    kind = "split"

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        self.link.shape, self.link.outputs = shape, []
        return shape

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.sum = np.empty(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        buffers.context.open[self.link] = [x]
        buffers.out = x
        return x

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """The input went several ways, so its gradient is the sum of their gradients."""
        total = dout
        if dout.size == 0:  # indices have no gradient
            return dout
        for gradient in buffers.context.open.pop(self.link)[1:]:
            total = np.add(total, gradient, buffers.sum)
        buffers.dx = total
        return total


class Add(_End):
    """The end of a Residual: adds the container's input."""

    kind = "add"
    has_units = True

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        if not _alike(shape, self.link.shape):
            raise ShapeError(f"adds {shape_text(self.link.shape)}, what came in, to {shape_text(shape)}")
        return shape

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty(shape, dtype)

    def forward(self, x: Array, buffers: Buffers) -> Array:
        out: Array = buffers.out
        np.add(x, buffers.context.open[self.link][0], out)
        return out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        buffers.context.open[self.link].append(dout)
        buffers.dx = dout
        return dout


class Next(_End):
    """Between two branches of a Parallel: keeps the output of the first and gives the input to the second."""

    kind = "next"

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        self.link.outputs.append(shape)
        return self.link.shape

    def forward(self, x: Array, buffers: Buffers) -> Array:
        opened = buffers.context.open[self.link]
        opened.append(x)
        buffers.out = opened[0]
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        opened = buffers.context.open[self.link]
        buffers.dx = opened[0].pop()
        opened.append(dout)
        return buffers.dx


class Join(_End):
    """The end of a Parallel: the outputs of its branches, side by side or summed."""

    kind = "join"
    is_odd = True
    has_units = True

    def __init__(self, link: Link, name: str, join: str) -> None:
        super().__init__(link, name)
        self.join = join

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        shapes = [*self.link.outputs, shape]
        if not all(_alike(other[:-1], shape[:-1]) for other in shapes):
            raise ShapeError(f"joins {' and '.join(map(shape_text, shapes))}, which differ before the last axis")
        if self.join == "sum":
            if not all(_alike(other, shape) for other in shapes):
                raise ShapeError(f"sums {' and '.join(map(shape_text, shapes))}, which must be alike")
            return shape
        widths = [other[-1] for other in shapes]
        known = [width for width in widths if width is not None]
        return (*shape[:-1], sum(known) if len(known) == len(widths) else None)

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.dtype = dtype

    def forward(self, x: Array, buffers: Buffers) -> Array:
        outputs = [*buffers.context.open[self.link][1:], x]
        buffers.widths = [out.shape[-1] for out in outputs]
        shape = (*x.shape[:-1], sum(buffers.widths)) if self.join == "concatenate" else x.shape
        if getattr(buffers, "out", None) is None or buffers.out.shape != shape:
            buffers.out = np.empty(shape, buffers.dtype)
        if self.join == "concatenate":
            np.concatenate(outputs, axis=-1, out=buffers.out)
        else:
            np.add(outputs[0], outputs[1], buffers.out)
            for output in outputs[2:]:
                np.add(buffers.out, output, buffers.out)
        return buffers.out

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Each branch gets its part of the gradient: the last branch's is returned, the others are kept in order."""
        if self.join == "sum":
            parts = [dout] * len(buffers.widths)
        else:
            cuts = np.cumsum(buffers.widths)[:-1]
            parts = [np.ascontiguousarray(part) for part in np.split(dout, cuts, axis=-1)]
        buffers.context.open[self.link] = [parts[:-1]]
        buffers.dx = parts[-1]
        return parts[-1]


def _alike(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    return len(a) == len(b) and all(n is None or m is None or n == m for n, m in zip(a, b, strict=True))
