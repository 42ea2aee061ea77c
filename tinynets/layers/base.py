"""What every layer is: a description, views into the flat vectors, and forward and backward over prepared buffers.

A layer holds no batch: whatever belongs to one batch lives in a `Buffers` that a workspace owns and passes in.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinynets.arrays import Array, Shape
from tinynets.errors import ShapeError
from tinynets.initializers import Initializer


@dataclass(frozen=True)
class Parameter:
    """One parameter array of a layer: its shape, how it starts, and which axis runs over the layer's units."""

    name: str
    shape: Shape
    init: Initializer
    unit_axis: int
    fan_in: int = 1

    @property
    def size(self) -> int:
        return prod(self.shape)


class Buffers:
    """The arrays of one layer for one batch shape: allocated once by the layer, then written with `out=`.

    `needs_dx` is False where nobody asks for the gradient of the input. `tapped` and `dtapped` are filled in while an
    intervention stands behind the layer.
    """

    out: Array
    dx: Array
    dout: Array
    needs_dx: bool
    tapped: Array | None
    dtapped: Array | None

    def __init__(self, needs_dx: bool) -> None:
        self.needs_dx = needs_dx
        self.tapped = None
        self.dtapped = None

    if TYPE_CHECKING:  # a layer's `allocate` puts here what it likes

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


class Layer:
    """Base of all layers. Subclasses say their `config`, parameters, shapes, forward and backward."""

    kind: ClassVar[str] = ""
    is_activation: ClassVar[bool] = False
    takes_integers: ClassVar[bool] = False

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and (not isinstance(name, str) or not name.isidentifier()):
            raise ShapeError(f"a layer's `name` must be a word of letters, digits and _, not {name!r}")
        self.name = name or ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(str(v) for v in self.sizes())})"

    def sizes(self) -> tuple[int, ...]:
        """The sizes that the one-line form shows."""
        return ()

    def config(self) -> dict[str, Any]:
        """Plain keyword arguments that make this layer again."""
        return {}

    def parameters(self) -> tuple[Parameter, ...]:
        return ()

    def bind(self, theta: dict[str, Array], grad: dict[str, Array]) -> Layer:
        """A copy of this layer whose parameters are the given views: `w` as `self.w`, its gradient as `self.dw`."""
        bound = copy.copy(self)
        for name, view in theta.items():
            setattr(bound, name, view)
            setattr(bound, "d" + name, grad[name])
        return bound

    def input_shape(self) -> tuple[int | None, ...]:
        """What is known of the input's shape before any data is seen, batch axis first."""
        return (None, None)

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape that follows from an input's, batch axis first; None stands for what is not known yet.

        Raises ShapeError, without naming the layer, when `shape` cannot be taken.
        """
        return shape

    def allocate(self, buffers: Buffers, shape: Shape, dtype: np.dtype[Any]) -> None:
        """Put into `buffers` what forward and backward need for an input of `shape`."""

    def forward(self, x: Array, buffers: Buffers) -> Array:
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dout: Array, buffers: Buffers) -> Array:
        """Gradient of the input, given that of the output; writes the parameters' gradients."""
        raise TypeError(f"{type(self).__name__} has no backward")


def require_size(layer: str, name: str, value: object) -> int:
    """A positive whole number, or a ShapeError that names it."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ShapeError(f"{layer}: `{name}` must be a whole number of at least 1, not {value!r}")
    return int(value)


def rows(array: Array) -> Array:
    """All leading axes made one: (..., n) as (N, n), a view."""
    return array if array.ndim == 2 else array.reshape(-1, array.shape[-1])
