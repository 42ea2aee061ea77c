"""The bases of all layers and activations: settings, shapes, and forward and backward over prepared buffers.

A layer holds no batch: whatever belongs to one batch lives in a `Buffers`, which a workspace owns and passes in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.claims import Claims
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.nn.layers.parameter import Parameter
from tinynets.nn.layers.part import Part
from tinynets.nn.layers.units import Units
from tinynets.numerics.arrays import Array, Shape
from tinynets.numerics.checks import true_or_false, whole_number


class Layer(Claims, Units, Part):
    """Base of all layers. Subclasses define `config`, parameters, shapes, forward and backward.

    What else a kind declares is in claims.py and units.py; its life inside a network is in part.py.
    """

    kind: ClassVar[str] = ""
    is_activation: ClassVar[bool] = False
    joins: ClassVar[bool] = False
    """A normalization or activation: it belongs to the block before it, if there is an open one."""
    is_end: ClassVar[bool] = False
    """It is an end of a container, and is removed with it."""
    takes_integers: ClassVar[bool] = False
    own_dx: ClassVar[bool] = False
    """Its backward writes the whole input gradient to an array of its own, which may be changed later."""
    unit_setting: ClassVar[str] = ""
    """The argument for the number of its units; empty if that cannot change."""
    input_setting: ClassVar[str] = ""
    """The argument for the number of its input features; empty if that cannot change."""
    hands_on: ClassVar[bool] = False
    """In evaluation it passes its input on unchanged."""
    input_axes: ClassVar[int | None] = None
    """The number of axes of its input, including the batch axis, if only one number is possible."""
    inner_activation: Activation | None = None
    """The activation that it applies to its own sums, inside."""

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or not name.isidentifier()):
            raise ShapeError(f"a layer's `name` must be a word of letters, digits and _, not {name!r}")
        self.name = name or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(str(v) for v in self.sizes())})"

    def sizes(self) -> tuple[int | str, ...]:
        """The sizes that its one-line form shows."""
        return ()

    def expand(self) -> list[Layer]:
        """The layers that this one expands to: itself, or for a container its two ends with the layers between them."""
        return [self]

    def parameters(self) -> tuple[Parameter, ...]:
        return ()

    def carried(self) -> tuple[Parameter, ...]:
        """Arrays carried from step to step but not learned by gradients: running statistics, hidden state."""
        return ()

    def input_shape(self) -> tuple[int | None, ...]:
        """The known part of the input's shape before any data is seen, batch axis first."""
        return (None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the output for an input of `shape`, batch axis first; None stands for an unknown size.

        Raises ShapeError, without naming the layer, if the layer cannot take `shape`.
        """
        return shape

    def check_batch(self, shape: tuple[int | None, ...]) -> None:
        """Raise ShapeError, without naming the layer, where it cannot train on batches of that shape."""

    def time_steps(self, shape: tuple[int | None, ...]) -> int:
        """The number of time steps for an input of `shape`; 0 for a layer that is not recurrent."""
        return 0

    def multiply_adds(self, shape: tuple[int | None, ...], out: tuple[int | None, ...]) -> int | None:
        """Multiply-adds of one forward for these input and output shapes; None if not known.

        By default every matrix is applied once at every position (time step, pixel) of the output.
        """
        matrices = sum(entry.size for entry in self.parameters() if len(entry.shape) > 1)
        if not matrices:
            return 0
        if self.time_steps(shape):
            return (shape[0] or 1) * self.time_steps(shape) * matrices
        places = [n for n in out[:-1] if n is not None]
        return prod(places) * matrices if len(places) == len(out) - 1 else None

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        """Allocate in `buffers` what forward and backward need for an input of `shape`."""

    def forward(self, x: Array, buffers: Buffers) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """The gradient of the input, given that of the output; also writes the parameters' gradients."""
        raise TypeError(f"{type(self).__name__} has no backward")

    # -- under surgery

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        """How its output's features change when its input's, of `shape`, do; raises ShapeError where they cannot."""
        raise ShapeError(f"{self!r} must keep the width it has")

    def with_features(self, change: FeatureMap, before: int) -> dict[str, Any] | None:
        """Its new arguments when its `before` input features change; None if they stay the same."""
        return None

    def rebuild_inside(self, rebuild: Rebuild) -> None:
        """For containers: replace each layer inside by what `rebuild` makes of it, given its place."""

    @classmethod
    def passing(cls, width: int, **settings: Any) -> Layer:
        """For insertable kinds: a layer that can pass its input of `width` features on."""
        return cls(**settings)

    def passing_values(self, entry: Parameter) -> Array:
        """The values of a parameter with which the layer passes its input on: an identity matrix, a zero bias."""
        values = np.zeros(entry.shape)
        if entry.name == "w":
            values[tuple(n // 2 for n in entry.shape[:-2])] = np.eye(entry.shape[-1])
        return values


class Activation(Layer):
    """Base of activations: x and out (...), same shape."""

    is_activation = True
    joins = True
    keeps_zero: ClassVar[bool] = False
    """Whether 0 gives 0, so that pruning units before it has no other effect."""

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        if self.mixes_units or not self.keeps_zero:
            raise ShapeError(f"{self!r} makes something of what is zero")
        return change

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        buffers.out = np.empty(shape, dtype)
        buffers.dx = np.empty(shape, dtype)

    def saturated(self, out: Array, x: Array | None = None) -> Array:
        """Where the output is so near its bounds that hardly any gradient passes: a mask like `out`.

        `x` is the input, needed by those (GELU, SiLU) whose output alone does not tell; without it they report nowhere.
        """
        return np.zeros(out.shape, np.bool_)

    def blocked(self, out: Array, x: Array | None = None) -> Array:
        """Where the local gradient vanishes; a unit for which this holds on every probe example is dead."""
        return self.saturated(out, x)


Rebuild = Callable[[Sequence[Layer], str], list[Layer]]
"""A function that replaces the layers inside a container, given the prefix of their names."""


def require_size(layer: str, name: str, value: object, least: int = 1) -> int:
    """A whole number of at least `least`; raises ShapeError that names it otherwise."""
    return whole_number(f"{layer}: `{name}`", value, least, None, ShapeError)


def require_flag(layer: str, name: str, value: object) -> bool:
    """True or False; raises ShapeError that names it otherwise."""
    return true_or_false(f"{layer}: `{name}`", value, ShapeError)


def require_initializer(layer: str, name: str, value: object, default: Initializer) -> Initializer:
    """An initializer, for None the default; raises ShapeError that names it otherwise."""
    if value is None:
        return default
    if not isinstance(value, Initializer):
        raise ShapeError(f"{layer}: `{name}` must be an initializer, as Normal(), not {value!r}")
    return value


def rows(array: Array) -> Array:
    """All leading axes merged: (..., n) as (N, n), a view."""
    return array if array.ndim == 2 else array.reshape(-1, array.shape[-1])
