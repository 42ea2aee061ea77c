"""Initializers set how parameters start; what they draw is addressed by seed, layer and parameter.

Sources: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010) for
Xavier; He et al., "Delving deep into rectifiers" (2015) for Kaiming; Saxe et al., "Exact solutions to the nonlinear
dynamics of learning in deep linear neural networks" (2013) for orthogonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import ShapeError, nearest
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, Shape, is_finite_number, settle_numbers

GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": sqrt(2.0),
    "leaky-relu": sqrt(2 / (1 + 0.01**2)),
    "elu": 1.2452,
    "gelu": 1.5335,
    "silu": 1.6765,
    "softplus": 1.0419,
}
"""By activation. The first six are PyTorch's; the others 1 / sqrt(E[f(z)^2]), z standard normal: He's condition."""

DISTRIBUTIONS = ("normal", "uniform")

_CHOICES: dict[str, tuple[str, ...]] = {"gain": tuple(GAINS), "distribution": DISTRIBUTIONS}


@dataclass(frozen=True, kw_only=True)
class Initializer:
    """Base: `scale` multiplies whatever is drawn."""

    kind: ClassVar[str] = ""
    scale: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _CHOICES and (isinstance(value, str) or field.name != "gain"):
                self._check_choice(field.name, value)
            elif not is_finite_number(value):
                raise ShapeError(f"`{self.kind}` initializer: `{field.name}` must be a finite number, not {value!r}")
        settle_numbers(self)

    def _check_choice(self, name: str, value: object) -> None:
        known = _CHOICES[name]
        if value not in known:
            what = "a number or one of" if name == "gain" else "one of"
            hint = nearest(str(value), known)
            raise ShapeError(f"`{self.kind}` initializer: `{name}` is {what} {', '.join(known)}, not {value!r}{hint}")

    def draw(self, seed: int, purpose: str, shape: Shape, fan_in: int = 1, fan_out: int = 1) -> Array:
        """float64 values of `shape`, an array of its own.

        `fan_in` is the number of inputs of one unit, `fan_out` the number of units that one input feeds.
        """
        return _times(self.scale, self._draw(seed, purpose, shape, fan_in, fan_out))

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        raise TypeError(f"{type(self).__name__} is a base class")

    def config(self) -> dict[str, Any]:
        """A plain description that `initializer` turns back into the same value."""
        return {"kind": self.kind} | {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zero."""

    kind: ClassVar[str] = "zeros"

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.zeros(shape)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform in [low, high)."""

    kind: ClassVar[str] = "uniform"
    low: float = -1.0
    high: float = 1.0

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return self.low + (self.high - self.low) * rng.uniforms(seed, purpose, 0, shape)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal with mean 0 and standard deviation `std`."""

    kind: ClassVar[str] = "normal"
    std: float = 1.0

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return _times(self.std, rng.normals(seed, purpose, 0, shape))


@dataclass(frozen=True)
class Constant(Initializer):
    """All `value`."""

    kind: ClassVar[str] = "constant"
    value: float = 1.0

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return np.full(shape, float(self.value))


@dataclass(frozen=True)
class Kaiming(Initializer):
    """Standard deviation gain / sqrt(fan_in), normal or uniform; `gain` is a number or an activation (tanh: 5/3)."""

    kind: ClassVar[str] = "kaiming"
    gain: float | str = "linear"
    distribution: str = "normal"

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        return _times(_gain(self.gain) / sqrt(fan_in), _standard(self.distribution, seed, purpose, shape))


@dataclass(frozen=True)
class Xavier(Initializer):
    """Standard deviation gain sqrt(2 / (fan_in + fan_out)), normal or uniform; `gain` as for Kaiming."""

    kind: ClassVar[str] = "xavier"
    gain: float | str = "linear"
    distribution: str = "normal"

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        factor = _gain(self.gain) * sqrt(2 / (fan_in + fan_out))
        return _times(factor, _standard(self.distribution, seed, purpose, shape))


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A random matrix with orthogonal columns (rows, if it is wider than high), each of length `gain`.

    All axes but the last are taken as one; an array of one axis is a matrix of one row.
    """

    kind: ClassVar[str] = "orthogonal"
    gain: float | str = "linear"

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        matrix = rng.normals(seed, purpose, 0, shape).reshape(-1, shape[-1])
        wide = matrix.shape[1] > matrix.shape[0]
        q, r = np.linalg.qr(matrix.T if wide else matrix)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)  # otherwise the directions are not uniformly distributed
        return _gain(self.gain) * (q.T if wide else q).reshape(shape)


def _times(factor: float, drawn: Array) -> Array:
    """Drawn values times a factor, in place: for a large array, allocating another costs more than the product."""
    product: Array = np.multiply(drawn, factor, drawn)
    return product


def _gain(gain: float | str) -> float:
    return GAINS[gain] if isinstance(gain, str) else gain


def _standard(distribution: str, seed: int, purpose: str, shape: Shape) -> Array:
    """Numbers with mean 0 and standard deviation 1."""
    if distribution == "normal":
        return rng.normals(seed, purpose, 0, shape)
    return sqrt(3.0) * (2 * rng.uniforms(seed, purpose, 0, shape) - 1)


INITIALIZERS: dict[str, Callable[..., Initializer]] = {
    cls.kind: cls for cls in (Zeros, Constant, Uniform, Normal, Kaiming, Xavier, Orthogonal)
}


def initializer(config: dict[str, Any]) -> Initializer:
    """The initializer that `config` describes: its `kind` and that kind's arguments."""
    arguments = dict(config)
    return INITIALIZERS[arguments.pop("kind")](**arguments)
