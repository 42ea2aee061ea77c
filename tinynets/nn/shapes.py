"""Infers from a stack of layers and an input shape the shapes between them and the blocks, and checks inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tinynets.errors import DataError, ShapeError
from tinynets.nn.block import Block
from tinynets.nn.layers import Activation, Layer
from tinynets.nn.layers.structure import Next, Split
from tinynets.numerics.arrays import Array, Shape, as_array, converted, is_integer, shape_text
from tinynets.numerics.rules import FIRST

Known = tuple[int | None, ...]
"""A shape, batch axis first; None stands for an unknown size."""


def example_shape(shape: object) -> Shape | None:
    """A given shape of an example as a tuple; None stays None."""
    if shape is None:
        return None
    if not isinstance(shape, list | tuple) or not all(
        isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 0 for n in shape
    ):
        raise ShapeError(f"`input_shape` must be the sizes of an example's axes, as (28, 28, 1), not {shape!r}")
    return tuple(int(n) for n in shape)


def find_input_layers(layers: Sequence[Layer]) -> list[Layer]:
    """The layers that take the network's input: all of them take whole numbers, or none; layers further on may not."""
    found: list[Layer] = []
    producers: dict[object, Layer | None] = {}
    producer: Layer | None = None
    for layer in layers:
        if isinstance(layer, Split):
            producers[layer.link] = producer
        elif isinstance(layer, Next):
            producer = producers[layer.link]
        else:
            if producer is None:
                found.append(layer)
            elif layer.takes_integers:
                raise ShapeError(
                    f"`{layer.name}` {layer!r} takes whole numbers, not what `{producer.name}` {producer!r} gives"
                )
            producer = layer
    for layer in found:
        if layer.takes_integers != found[0].takes_integers:
            whole, other = (layer, found[0]) if layer.takes_integers else (found[0], layer)
            raise ShapeError(
                f"`{whole.name}` {whole!r} takes the input as whole numbers, `{other.name}` {other!r} does not; "
                "one input cannot be both"
            )
    return found


def infer_shapes(
    layers: Sequence[Layer], input_layers: Sequence[Layer], input_shape: Shape | None
) -> tuple[Known, list[Known]]:
    """The known shape of the input and the known shapes behind the layers.

    Without a given input shape, the input has as few axes as all layers can take.
    """
    if input_shape is not None:
        shape: Known = (None, *input_shape)
        return shape, list(shapes_from(layers, shape))
    least = input_layers[0].input_shape()
    most = max(len(layer.input_shape()) for layer in layers)
    problems: list[tuple[int, ShapeError]] = []
    for more in range(max(most - len(least), 0) + 1):
        shape = (None, *[None] * more, *least[1:])
        shapes: list[Known] = []
        try:
            shapes.extend(shapes_from(layers, shape))
        except ShapeError as error:
            problems.append((len(shapes), error))
        else:
            return shape, shapes
    raise max(problems, key=lambda problem: problem[0])[1]  # the problem of the input that got furthest


def shapes_from(layers: Sequence[Layer], shape: Known) -> Iterator[Known]:
    """The shapes behind the layers, one by one, for an input of `shape`."""
    for index in range(len(layers)):
        shape = shape_behind(layers, index, shape)
        yield shape


def shape_behind(layers: Sequence[Layer], index: int, shape: Known) -> Known:
    """The shape behind a layer, given the one in front of it; a ShapeError names the layer and that shape."""
    layer = layers[index]
    try:
        return layer.output_shape(shape)
    except ShapeError as error:
        given = f"`{layers[index - 1].name}` {layers[index - 1]!r} gives" if index else "the input has"
        raise ShapeError(f"`{layer.name}` {layer!r} {error}, which {given}") from None


def output_shape(layers: Sequence[Layer], shape: Shape) -> Shape:
    """The shape of the output for a batch of `shape`; raises ShapeError where it does not fit."""
    *_, last = shapes_from(layers, shape)
    return tuple(n or 0 for n in last)


def find_blocks(layers: Sequence[Layer], shapes: Sequence[Known]) -> tuple[Block, ...]:
    """The blocks of a stack of layers, given the shapes behind them."""
    blocks: list[Block] = []
    for index, layer in enumerate(layers):
        previous = blocks[-1] if blocks else None
        units = layer.units(shapes[index])
        activation = layer if isinstance(layer, Activation) else None
        open_ = (
            previous is not None
            and previous.activation is None
            and _learns(layers, previous)
            and not layers[previous.last].closed
        )
        if layer.joins and previous is not None and open_ and previous.units:
            blocks[-1] = Block(previous.name, previous.first, index, previous.units, activation)
        else:
            counts = layer.parameters() or layer.has_units or activation is not None
            blocks.append(Block(layer.name, index, index, units if counts else 0, activation))
    return tuple(blocks)


def _learns(layers: Sequence[Layer], block: Block) -> bool:
    return any(entry.size for layer in layers[block.first : block.last + 1] for entry in layer.parameters())


def check_batch(layers: Sequence[Layer], shapes: Sequence[Known], batch: int) -> None:
    """Raise ShapeError where a layer cannot train on batches of `batch` examples of the shape in front of it."""
    for layer, shape in zip(layers, shapes, strict=False):
        try:
            layer.check_batch((batch, *shape[1:]))
        except ShapeError as error:
            raise ShapeError(f"`{layer.name}` {layer!r} {error}") from None


def checked_input(input_layers: Sequence[Layer], x: Any, dtype: np.dtype[Any], rules: int) -> Array:
    """`x` in the form that the input layers take: whole numbers in range for an embedding, else numbers of `dtype`."""
    x = as_array("x", x)
    if x.ndim < 1 or x.shape[0] < 1:
        raise ShapeError(f"a batch needs at least one example; `x` is {shape_text(x.shape)}")
    first = min(input_layers, key=_vocabulary)
    if not first.takes_integers:
        if x.dtype.kind not in "biuf":
            raise ShapeError(f"`x` must hold numbers, not {x.dtype}")
        return converted(x, dtype, "x" if rules > FIRST else "")
    if not is_integer(x):
        raise ShapeError(f"`{first.name}` {first!r} takes whole numbers, not {x.dtype}")
    vocabulary = _vocabulary(first)
    if x.size and (x.min() < 0 or x.max() >= vocabulary):
        wrong = int(x.min() if x.min() < 0 else x.max())
        raise DataError(f"`{first.name}` {first!r} takes indices 0 to {vocabulary - 1}, not {wrong}")
    return np.ascontiguousarray(x, np.int64)


def _vocabulary(layer: Layer) -> int:
    """How many indices a layer knows; unlimited if it does not say."""
    known: int = getattr(layer, "vocabulary", 2**62)
    return known
