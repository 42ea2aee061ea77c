"""Where parameters start. An initializer is a small value; what it draws is addressed by seed, layer and parameter.

Sources: He et al., "Delving deep into rectifiers" (2015) for Kaiming; the gains are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from tinynets import rng
from tinynets.arrays import Array, Shape, is_finite_number
from tinynets.errors import ShapeError, nearest

GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2.0)}


@dataclass(frozen=True, kw_only=True)
class Initializer:
    """Base: `scale` multiplies whatever is drawn."""

    kind: ClassVar[str] = ""
    scale: float = 1.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            named = field.name == "gain" and isinstance(value, str)
            if not named and not is_finite_number(value):
                raise ShapeError(f"`{self.kind}` initializer: `{field.name}` must be a finite number, not {value!r}")

    def draw(self, seed: int, purpose: str, shape: Shape, fan_in: int = 1, fan_out: int = 1) -> Array:
        """float64 values of `shape`; `fan_in` inputs go into one unit, `fan_out` units are fed by one input."""
        return self.scale * self._draw(seed, purpose, shape, fan_in, fan_out)

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
        return self.std * rng.normals(seed, purpose, 0, shape)


@dataclass(frozen=True)
class Kaiming(Initializer):
    """Normal with standard deviation gain / sqrt(fan_in); `gain` is a number or an activation's name (tanh: 5/3)."""

    kind: ClassVar[str] = "kaiming"
    gain: float | str = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.gain, str) and self.gain not in GAINS:
            known = ", ".join(GAINS)
            hint = nearest(self.gain, GAINS)
            raise ShapeError(f"`kaiming` initializer: `gain` is a number or one of {known}, not {self.gain!r}{hint}")

    def _draw(self, seed: int, purpose: str, shape: Shape, fan_in: int, fan_out: int) -> Array:
        gain = GAINS[self.gain] if isinstance(self.gain, str) else self.gain
        return gain / sqrt(fan_in) * rng.normals(seed, purpose, 0, shape)


INITIALIZERS: dict[str, Callable[..., Initializer]] = {cls.kind: cls for cls in (Zeros, Uniform, Normal, Kaiming)}


def initializer(config: dict[str, Any]) -> Initializer:
    """The initializer that `config` describes: its `kind` and that kind's arguments."""
    arguments = dict(config)
    return INITIALIZERS[arguments.pop("kind")](**arguments)
