"""Optimizers: what a gradient does to the flat vector, as a few operations over it.

An optimizer proposes; the training step checks what is proposed and commits it. So nothing is written before it is
known to be finite, and what is frozen is left out in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from tinynets.arrays import Array, is_finite_number
from tinynets.errors import ShapeError, nearest

Slots = dict[str, Array]


class Scratch:
    """Vectors as long as theta that an optimizer writes its proposal into."""

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.delta = np.empty(size, dtype)
        self._slots: Slots = {}

    def slot(self, name: str) -> Array:
        if name not in self._slots:
            self._slots[name] = np.empty_like(self.delta)
        return self._slots[name]


@dataclass(frozen=True)
class Optimizer:
    """Base: `lr` is the learning rate that a schedule multiplies."""

    kind: ClassVar[str] = ""
    lr: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            check_setting(self.kind, field.name, getattr(self, field.name))

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind} | {field.name: getattr(self, field.name) for field in fields(self)}

    def slot_names(self) -> tuple[str, ...]:
        """The vectors that it carries from step to step; they start at zero."""
        return ()

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        """Write into `scratch.delta` what is to be subtracted from theta; return the new slots, in scratch vectors.

        `count` is the number of this update, from 1.
        """
        raise TypeError(f"{type(self).__name__} is a base class")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: v = momentum v + (grad + weight_decay theta); theta = theta - lr v.

    Source: Sutskever et al. (2013), in PyTorch's form (no dampening).
    """

    kind: ClassVar[str] = "sgd"
    momentum: float = 0.0
    weight_decay: float = 0.0

    def slot_names(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        delta = scratch.delta
        if self.weight_decay:
            np.multiply(theta, self.weight_decay, delta)
            grad = np.add(delta, grad, delta)
        if not self.momentum:
            np.multiply(grad, lr, delta)
            return {}
        velocity = scratch.slot("velocity")
        np.multiply(slots["velocity"], self.momentum, velocity)
        np.add(velocity, grad, velocity)
        np.multiply(velocity, lr, delta)
        return {"velocity": velocity}


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD}

_NOT_NEGATIVE = (0.0, float("inf"), "a finite number above or at 0")
_SHARE = (0.0, 1.0, "a number from 0 up to, but not, 1")
_RULES: Mapping[str, tuple[float, float, str]] = {
    "lr": _NOT_NEGATIVE,
    "momentum": _SHARE,
    "weight_decay": _NOT_NEGATIVE,
    "decay": _SHARE,
    "beta1": _SHARE,
    "beta2": _SHARE,
    "epsilon": _NOT_NEGATIVE,
    "clip_norm": _NOT_NEGATIVE,
    "clip_value": _NOT_NEGATIVE,
    "rates": _NOT_NEGATIVE,
    "l1": _NOT_NEGATIVE,
    "l2": _NOT_NEGATIVE,
}
SETTINGS = ("lr", "momentum", "weight_decay")


def check_setting(thing: str, name: str, value: object) -> float:
    """The value of an optimizer's setting as a float, or a ShapeError that names thing, rule and value."""
    if name not in _RULES:
        raise ShapeError(f"`{name}` is not a setting; there are {', '.join(_RULES)}{nearest(name, _RULES)}")
    low, high, rule = _RULES[name]
    if not is_finite_number(value) or not low <= value < high:
        raise ShapeError(f"`{thing}`: `{name}` must be {rule}, not {value!r}")
    return float(value)


def optimizer_from(config: dict[str, Any]) -> Optimizer:
    """The optimizer that a plain description makes; raises ShapeError for an unknown kind or a wrong setting."""
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if kind not in OPTIMIZERS:
        raise ShapeError(
            f"an optimizer is one of {', '.join(OPTIMIZERS)}, not {kind!r}{nearest(str(kind), OPTIMIZERS)}"
        )
    return OPTIMIZERS[kind](**arguments)
