"""Optimizers: how gradients update the flat vector of parameters, as a few operations over it.

An optimizer proposes an update; the training step checks and commits it. So nothing is written before it is known to
be finite, and frozen parameters are left out in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from tinynets.errors import ShapeError, nearest, shown
from tinynets.numerics.arrays import Array, is_finite_number, scalar, settle_numbers

Slots = dict[str, Array]


class Late:
    """Parameters whose updates began at different steps, in groups.

    behind: how many fewer updates each group has had than the first; which (n,): the group of each parameter.
    """

    def __init__(self, behind: list[int], which: Array, dtype: np.dtype[Any]) -> None:
        self.behind, self._which = behind, which
        self._spread = np.empty(len(which), dtype)

    def spread(self, of_groups: list[float]) -> Array:
        """(n,) the number of each parameter's group; valid until the next call."""
        return np.array(of_groups, self._spread.dtype).take(self._which, 0, self._spread, "clip")


class Scratch:
    """Vectors as long as theta that an optimizer writes its proposal into.

    `late`: the parameters that have had fewer updates than others; None: all have had the same number.
    """

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self.delta = np.empty(size, dtype)
        self.late: Late | None = None
        self._slots: Slots = {}
        self._number = scalar(0, dtype)

    def number(self, value: float) -> Array:
        """A number in the form that numpy takes fastest; valid until the next call."""
        self._number[()] = value
        return self._number

    def slot(self, name: str) -> Array:
        if name not in self._slots:
            self._slots[name] = np.empty_like(self.delta)
        return self._slots[name]


@dataclass(frozen=True)
class Optimizer:
    """Base: `lr` is the learning rate that a schedule multiplies."""

    kind: ClassVar[str] = ""
    counts_updates: ClassVar[bool] = False
    """Its updates depend on how many a parameter has had."""
    lr: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            check_setting(self.kind, field.name, getattr(self, field.name))
        settle_numbers(self)

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind} | {field.name: getattr(self, field.name) for field in fields(self)}

    def slot_names(self) -> tuple[str, ...]:
        """Names of the vectors that it carries from step to step; they start at zero."""
        return ()

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        """Write what to subtract from theta into `scratch.delta`; return the new slots, in scratch vectors.

        `count` is the number of this update, from 1; it is less for the parameters in `scratch.late`.
        """
        raise TypeError(f"{type(self).__name__} is a base class")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: v = momentum v + (grad + weight_decay theta); theta = theta - lr v.

    With `nesterov` the step is lr (grad + weight_decay theta + momentum v), with the new v; without momentum nothing
    changes. Source: Sutskever et al. (2013), in PyTorch's form (no dampening).
    """

    kind: ClassVar[str] = "sgd"
    momentum: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    def slot_names(self) -> tuple[str, ...]:
        return ("velocity",) if self.momentum else ()

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        delta = scratch.delta
        if self.weight_decay:
            np.multiply(theta, self.weight_decay, delta)
            grad = np.add(delta, grad, delta)
        if not self.momentum:
            np.multiply(grad, scratch.number(lr), delta)
            return {}
        velocity = scratch.slot("velocity")
        np.multiply(slots["velocity"], self.momentum, velocity)
        np.add(velocity, grad, velocity)
        if self.nesterov:
            ahead = np.multiply(velocity, self.momentum, scratch.slot("ahead"))
            np.add(grad, ahead, delta)
            np.multiply(delta, lr, delta)
        else:
            np.multiply(velocity, lr, delta)
        return {"velocity": velocity}


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """s = decay s + (1 - decay) g^2; theta = theta - lr g / (sqrt(s) + epsilon), g = grad + weight_decay theta.

    With `momentum`, v = momentum v + g / (sqrt(s) + epsilon) and theta = theta - lr v. Source: Tieleman and Hinton
    (2012), lecture 6e of "Neural networks for machine learning", in PyTorch's form; `decay` is its `alpha`.
    """

    kind: ClassVar[str] = "rmsprop"
    lr: float = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0
    weight_decay: float = 0.0

    def slot_names(self) -> tuple[str, ...]:
        return ("square", "velocity") if self.momentum else ("square",)

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        delta, square = scratch.delta, scratch.slot("square")
        if self.weight_decay:
            grad = _decayed(theta, grad, self.weight_decay, scratch)
        _average_square(slots["square"], grad, self.decay, square, delta)
        np.sqrt(square, delta)
        np.add(delta, self.epsilon, delta)
        np.divide(grad, delta, delta)
        if not self.momentum:
            np.multiply(delta, lr, delta)
            return {"square": square}
        velocity = scratch.slot("velocity")
        np.multiply(slots["velocity"], self.momentum, velocity)
        np.add(velocity, delta, velocity)
        np.multiply(velocity, lr, delta)
        return {"square": square, "velocity": velocity}


@dataclass(frozen=True)
class Adam(Optimizer):
    """m = beta1 m + (1 - beta1) g, s = beta2 s + (1 - beta2) g^2, g = grad + weight_decay theta;
    theta = theta - lr m' / (sqrt(s') + epsilon), m' = m / (1 - beta1^n), s' = s / (1 - beta2^n) at update n, which is
    counted for each parameter.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), in PyTorch's form.
    """

    kind: ClassVar[str] = "adam"
    counts_updates: ClassVar[bool] = True
    lr: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def slot_names(self) -> tuple[str, ...]:
        return ("mean", "square")

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        if self.weight_decay:
            grad = _decayed(theta, grad, self.weight_decay, scratch)
        return self._propose(grad, slots, lr, count, scratch)

    def _propose(self, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        delta, mean, square = scratch.delta, scratch.slot("mean"), scratch.slot("square")
        np.subtract(grad, slots["mean"], mean)
        np.multiply(mean, 1 - self.beta1, mean)
        np.add(mean, slots["mean"], mean)
        _average_square(slots["square"], grad, self.beta2, square, delta)
        np.sqrt(square, delta)
        late = scratch.late
        if late is None:
            np.multiply(delta, 1 / sqrt(1 - self.beta2**count), delta)
            np.add(delta, self.epsilon, delta)
            np.divide(mean, delta, delta)
            np.multiply(delta, lr / (1 - self.beta1**count), delta)
        else:
            counts = [count - behind for behind in late.behind]
            np.multiply(delta, late.spread([1 / sqrt(1 - self.beta2**each) for each in counts]), delta)
            np.add(delta, self.epsilon, delta)
            np.divide(mean, delta, delta)
            np.multiply(delta, late.spread([lr / (1 - self.beta1**each) for each in counts]), delta)
        return {"mean": mean, "square": square}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with weight decay beside the gradient, not in it: theta also loses lr weight_decay theta.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization" (2019), in PyTorch's form.
    """

    kind: ClassVar[str] = "adamw"
    weight_decay: float = 0.01

    def propose(self, theta: Array, grad: Array, slots: Slots, lr: float, count: int, scratch: Scratch) -> Slots:
        proposed = self._propose(grad, slots, lr, count, scratch)
        if self.weight_decay:
            decay = np.multiply(theta, lr * self.weight_decay, scratch.slot("decay"))
            np.add(scratch.delta, decay, scratch.delta)
        return proposed


def _decayed(theta: Array, grad: Array, weight_decay: float, scratch: Scratch) -> Array:
    """grad + weight_decay theta."""
    decayed = np.multiply(theta, weight_decay, scratch.slot("gradient"))
    return np.add(decayed, grad, decayed)


def _average_square(before: Array, grad: Array, share: float, out: Array, spare: Array) -> None:
    """out = share before + (1 - share) grad^2."""
    np.multiply(grad, grad, out)
    np.multiply(out, 1 - share, out)
    np.multiply(before, share, spare)
    np.add(out, spare, out)


OPTIMIZERS: dict[str, type[Optimizer]] = {cls.kind: cls for cls in (SGD, RMSprop, Adam, AdamW)}

NAMED: dict[str, dict[str, Any]] = {
    "sgd": {"kind": "sgd"},
    "momentum": {"kind": "sgd", "momentum": 0.9},
    "nesterov": {"kind": "sgd", "momentum": 0.9, "nesterov": True},
    "rmsprop": {"kind": "rmsprop"},
    "adam": {"kind": "adam"},
    "adamw": {"kind": "adamw"},
}
"""The optimizers by their common names."""

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


def check_setting(thing: str, name: str, value: object) -> float | bool:
    """The value of a setting as a float (`nesterov`: a bool); raises ShapeError that names thing, rule and value."""
    if name == "nesterov":
        if not isinstance(value, bool | np.bool_):
            raise ShapeError(f"`{thing}`: `nesterov` must be true or false, not {value!r}")
        return bool(value)
    if name not in _RULES:
        known = [*_RULES, "nesterov"]
        raise ShapeError(f"`{name}` is not a setting; there are {', '.join(known)}{nearest(name, known)}")
    low, high, rule = _RULES[name]
    if not is_finite_number(value) or not low <= value < high:
        raise ShapeError(f"`{thing}`: `{name}` must be {rule}, not {value!r}")
    return float(value)


def optimizer_from(config: dict[str, Any]) -> Optimizer:
    """Make an optimizer from a plain description: its `kind`, the common name, and arguments.

    Raises ShapeError for an unknown kind or a wrong setting.
    """
    arguments = dict(config)
    return named_optimizer(arguments.pop("kind", None), arguments)


def as_optimizer(given: Any) -> Optimizer:
    """Make an optimizer from an Optimizer, from a name as in recipes, `"adam"`, or from a dict of `kind` and arguments.

    Raises ShapeError for anything else.
    """
    if isinstance(given, Optimizer):
        return given
    if isinstance(given, str | Mapping):
        return optimizer_from({"kind": given} if isinstance(given, str) else dict(given))
    raise ShapeError(f"`optimizer` must be an optimizer such as tn.SGD(0.1) or 'sgd', not {shown(given)}")


def named_optimizer(name: object, arguments: dict[str, Any]) -> Optimizer:
    """Make an optimizer from its common name and arguments; raises ShapeError for an unknown name or argument."""
    if not isinstance(name, str) or name not in NAMED:
        raise ShapeError(f"an optimizer is one of {', '.join(NAMED)}, not {name!r}{nearest(str(name).lower(), NAMED)}")
    named = NAMED[name] | arguments
    kind = OPTIMIZERS[NAMED[name]["kind"]]
    known = [field.name for field in fields(kind)]
    for key in arguments:
        if key not in known:
            raise ShapeError(f"`{kind.kind}` has no setting `{key}`, only {', '.join(known)}{nearest(str(key), known)}")
    return kind(**{key: value for key, value in named.items() if key != "kind"})
