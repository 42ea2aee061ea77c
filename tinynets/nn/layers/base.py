"""What every layer is: a description, views into the flat vectors, and forward and backward over prepared buffers.

A layer holds no batch: whatever belongs to one batch lives in a `Buffers` that a workspace owns and passes in.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from math import prod
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np

from tinynets.errors import ShapeError
from tinynets.nn.initializers import Initializer
from tinynets.nn.layers.buffers import Buffers
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.nn.layers.parameter import Parameter
from tinynets.numerics.arrays import Array, Shape, write_into
from tinynets.numerics.checks import true_or_false, whole_number
from tinynets.numerics.rules import CURRENT


class Layer:
    """Base of all layers. Subclasses say their `config`, parameters, shapes, forward and backward."""

    kind: ClassVar[str] = ""
    is_activation: ClassVar[bool] = False
    joins: ClassVar[bool] = False
    """A normalization or activation: it belongs to the block before it, where there is an open one."""
    has_units: ClassVar[bool] = False
    """Its output has units although it has no parameters (the sum of a residual)."""
    taps_itself: ClassVar[bool] = False
    """It applies interventions inside its forward (at every time step, on every head), not behind it."""
    closed: ClassVar[bool] = False
    """Its units are not the features of its output (they are heads), so nothing behind it joins its block."""
    takes_integers: ClassVar[bool] = False
    site_axis: ClassVar[int] = -1
    """Where the units lie in an example of what interventions act on: the last axis, for heads the first."""
    own_dx: ClassVar[bool] = False
    """Its backward writes all of the input's gradient into an array that is its own, and which may be changed then."""
    mixes_units: ClassVar[bool] = False
    """What one unit of its output is depends on the others (softmax, layer normalization)."""
    unit_setting: ClassVar[str] = ""
    """The argument that says how many units it has; empty: that cannot be changed."""
    input_setting: ClassVar[str] = ""
    """The argument that says how many features come in; empty: that cannot be changed."""
    rules: int = CURRENT
    """The rules of the run that its network belongs to (numerics/rules.py); the network sets them."""
    _own_arrays: Mapping[str, Array] = MappingProxyType({})
    """Of a layer in a network, its arrays by name: parts of the network's vectors."""
    _settled: bool = False
    """It stands in a network, which was made of its name and settings: they are not assigned any more."""

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or not name.isidentifier()):
            raise ShapeError(f"a layer's `name` must be a word of letters, digits and _, not {name!r}")
        self.name = name or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(str(v) for v in self.sizes())})"

    def sizes(self) -> tuple[int | str, ...]:
        """What the one-line form shows."""
        return ()

    def config(self) -> dict[str, Any]:
        """Plain keyword arguments that make this layer again."""
        return {}

    def expand(self) -> list[Layer]:
        """The layers that this one stands for: itself, or for a container what it holds between its two ends."""
        return [self]

    def parameters(self) -> tuple[Parameter, ...]:
        return ()

    def carried(self) -> tuple[Parameter, ...]:
        """Arrays that go from step to step without being learned: running statistics, hidden state."""
        return ()

    def bind(self, theta: dict[str, Array], grad: dict[str, Array], carried: dict[str, Array]) -> Self:
        """A copy of this layer whose arrays are the given views: `w` as `self.w`, its gradient as `self.dw`."""
        bound = copy.copy(self)
        bound._own_arrays = {}
        views = theta | carried | {f"d{name}": view for name, view in grad.items()}
        for name, view in views.items():
            setattr(bound, name, view)
        bound._own_arrays = views
        return bound

    def __setattr__(self, name: str, value: Any) -> None:
        """Of a layer in a network, what is assigned to an array is written into it, in the network's vectors.

        Raises ShapeError for its name and settings, which the network's copies, labs and saves would not follow.
        """
        view = self._own_arrays.get(name)
        if view is None or value is view:
            if self._settled and self._is_setting(name):
                raise ShapeError(
                    f"`{self.name}.{name}` cannot change once `{self.name}` stands in a network: make another network"
                )
            super().__setattr__(name, value)
        else:
            write_into(f"{self.name}.{name}", view, value)

    def __delattr__(self, name: str) -> None:
        """Raises ShapeError for what belongs to a network."""
        if name in self._own_arrays or (self._settled and self._is_setting(name)):
            raise ShapeError(f"`{self.name}.{name}` belongs to a network and cannot be deleted")
        super().__delattr__(name)

    def _is_setting(self, name: str) -> bool:
        return name == "name" or name in self.config()

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes along: of a layer in a network, arrays of its own instead of the network's."""
        return {
            name: np.array(value) if name in self._own_arrays else value
            for name, value in self.__dict__.items()
            if name not in ("_own_arrays", "_settled")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def input_shape(self) -> tuple[int | None, ...]:
        """What is known of the input's shape before any data is seen, batch axis first."""
        return (None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape that follows from an input's, batch axis first; None stands for what is not known yet.

        Raises ShapeError, without naming the layer, when `shape` cannot be taken.
        """
        return shape

    def check_batch(self, shape: tuple[int | None, ...]) -> None:
        """Raise ShapeError, without naming the layer, where it cannot train on batches of that shape."""

    def units(self, shape: tuple[int | None, ...]) -> int:
        """How many units an output of `shape` has; 0 where it is not known."""
        return shape[-1] or 0

    def time_steps(self, shape: tuple[int | None, ...]) -> int:
        """Over how many time steps it goes for an input of `shape`; 0 for a layer that is not recurrent."""
        return 0

    def multiply_adds(self, shape: tuple[int | None, ...], out: tuple[int | None, ...]) -> int | None:
        """Multiplications with parameters of one forward, for an input and output shape; None where not known.

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
        """Put into `buffers` what forward and backward need for an input of `shape`."""

    def forward(self, x: Array, buffers: Buffers) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Gradient of the input, given that of the output; writes the parameters' gradients."""
        raise TypeError(f"{type(self).__name__} has no backward")

    def site_values(self, buffers: Buffers) -> Array:
        """What interventions act on, as the last forward left it: (B, ..., units), the units along `site_axis`."""
        return buffers.out if buffers.tapped is None else buffers.tapped

    def untapped(self, buffers: Buffers) -> Array:
        """The same before interventions, each at its own time step: what they do at earlier ones counts."""
        values: Array = buffers.out
        return values

    def site_shape(self, before: Shape, after: Shape) -> Shape:
        """The shape of an example of that, from those of its input and output without the batch."""
        return after

    def by_unit(self, values: Array) -> Array:
        """(units,) laid so that it broadcasts to an example of `site_values`."""
        return values if self.site_axis == -1 else values.reshape(-1, 1, 1)

    def passed_on(self, change: FeatureMap, shape: tuple[int | None, ...]) -> FeatureMap:
        """What another width of its input, of `shape`, makes of its output's; ShapeError where it cannot be another."""
        raise ShapeError(f"{self!r} must keep the width it has")

    def unit_values(self, buffers: Buffers) -> Array:
        """What the last forward gave, unit by unit: (B, ..., units), interventions included."""
        return buffers.out if buffers.tapped is None else buffers.tapped

    def unit_values_untapped(self, buffers: Buffers) -> Array:
        """The same before interventions, as `untapped`."""
        return self.untapped(buffers)


def require_size(layer: str, name: str, value: object, least: int = 1) -> int:
    """A whole number of at least `least`, or a ShapeError that names it."""
    return whole_number(f"{layer}: `{name}`", value, least, None, ShapeError)


def require_flag(layer: str, name: str, value: object) -> bool:
    """True or False, or a ShapeError that names it."""
    return true_or_false(f"{layer}: `{name}`", value, ShapeError)


def require_initializer(layer: str, name: str, value: object, default: Initializer) -> Initializer:
    """An initializer, for None the default, or a ShapeError that names it."""
    if value is None:
        return default
    if not isinstance(value, Initializer):
        raise ShapeError(f"{layer}: `{name}` must be an initializer, as Normal(), not {value!r}")
    return value


def rows(array: Array) -> Array:
    """All leading axes made one: (..., n) as (N, n), a view."""
    return array if array.ndim == 2 else array.reshape(-1, array.shape[-1])
