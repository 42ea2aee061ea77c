"""Schedules: the factor on the base learning rate at each step; `set lr` moves the base.

Each is a function of the step alone. With `warmup` N, the first N updates are also scaled by 1/N, 2/N, ... 1.
"""

from __future__ import annotations

import inspect
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, pi
from typing import Any, ClassVar

from tinynets.errors import ShapeError, nearest
from tinynets.numerics.arrays import is_finite_number, settle_numbers


@dataclass(frozen=True)
class Schedule:
    """The constant schedule: the factor is always 1. Base of the others."""

    kind: ClassVar[str] = "constant"
    warmup: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        settle_numbers(self)
        _whole(self.kind, "warmup", self.warmup, 0)

    def factor(self, step: int) -> float:
        """The factor for the update that leads from `step` to `step` + 1."""
        if step < self.warmup:
            return self.after_warmup(step) * (step + 1) / self.warmup
        return self.after_warmup(step)

    def after_warmup(self, step: int) -> float:
        """The factor without warm-up."""
        return 1.0

    def arguments(self) -> dict[str, Any]:
        """Its own arguments, as in a recipe."""
        return {}

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind} | self.arguments() | ({"warmup": self.warmup} if self.warmup else {})


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """The factor is multiplied by `factor_at` at each of the steps `at`."""

    kind: ClassVar[str] = "step"
    at: tuple[int, ...] = ()
    factor_at: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.at, list | tuple):
            raise ShapeError(
                f"`step` schedule: `at` must be rising step numbers above 0, as (1000, 2000), not {self.at!r}"
            )
        object.__setattr__(self, "at", tuple(self.at))
        whole = all(isinstance(step, int) and not isinstance(step, bool) and step > 0 for step in self.at)
        if not whole or list(self.at) != sorted(set(self.at)):
            raise ShapeError(f"`step` schedule: `at` must be rising step numbers above 0, not {list(self.at)!r}")
        _share(self.kind, "factor", self.factor_at)
        try:
            float(self.factor_at) ** len(self.at)
        except OverflowError:
            raise ShapeError(
                f"`step` schedule: `factor` {self.factor_at!r} becomes infinite after {len(self.at)} steps of it"
            ) from None

    def after_warmup(self, step: int) -> float:
        return float(self.factor_at) ** bisect_right(self.at, step)

    def arguments(self) -> dict[str, Any]:
        return {"at": list(self.at), "factor": self.factor_at}


@dataclass(frozen=True)
class LinearSchedule(Schedule):
    """The factor goes linearly from 1 to `end` in `steps` steps, and stays there."""

    kind: ClassVar[str] = "linear"
    steps: int = 1000
    end: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _whole(self.kind, "steps", self.steps, 1)
        _share(self.kind, "end", self.end)

    def after_warmup(self, step: int) -> float:
        return 1.0 + (self.end - 1.0) * min(step / self.steps, 1.0)

    def arguments(self) -> dict[str, Any]:
        return {"steps": self.steps, "end": self.end}


@dataclass(frozen=True)
class CosineSchedule(LinearSchedule):
    """The factor goes along half a cosine from 1 to `end` in `steps` steps, and stays there.

    Source: Loshchilov and Hutter, "SGDR" (2017), without restarts.
    """

    kind: ClassVar[str] = "cosine"

    def after_warmup(self, step: int) -> float:
        return self.end + (1.0 - self.end) * (1.0 + cos(pi * min(step / self.steps, 1.0))) / 2.0


@dataclass(frozen=True)
class ExponentialSchedule(Schedule):
    """The factor is `rate` to the power of step / `steps`: multiplied by `rate` every `steps` steps, smoothly."""

    kind: ClassVar[str] = "exponential"
    steps: int = 1000
    rate: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        _whole(self.kind, "steps", self.steps, 1)
        if not is_finite_number(self.rate) or not 0 < self.rate <= 1:
            raise ShapeError(f"`exponential` schedule: `rate` must be above 0 and at most 1, not {self.rate!r}")

    def after_warmup(self, step: int) -> float:
        factor: float = float(self.rate) ** (step / self.steps)
        return factor

    def arguments(self) -> dict[str, Any]:
        return {"steps": self.steps, "rate": self.rate}


def _whole(kind: str, name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 10**15:
        raise ShapeError(f"`{kind}` schedule: `{name}` must be a whole number of at least {least}, not {value!r}")


def _share(kind: str, name: str, value: object) -> None:
    if not is_finite_number(value) or value < 0:
        raise ShapeError(f"`{kind}` schedule: `{name}` must be a finite number above or at 0, not {value!r}")


# -- as recipes and `set` write them: the signatures define the keys


def _constant(warmup: int = 0) -> Schedule:
    return Schedule(warmup=warmup)


def _step(at: list[int], factor: float, warmup: int = 0) -> Schedule:
    steps = tuple(at) if isinstance(at, list | tuple) else (at,)
    return StepSchedule(steps, factor, warmup=warmup)


def _linear(steps: int, end: float = 0.0, warmup: int = 0) -> Schedule:
    return LinearSchedule(steps, end, warmup=warmup)


def _cosine(steps: int, end: float = 0.0, warmup: int = 0) -> Schedule:
    return CosineSchedule(steps, end, warmup=warmup)


def _exponential(steps: int, rate: float, warmup: int = 0) -> Schedule:
    return ExponentialSchedule(steps, rate, warmup=warmup)


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": _constant,
    "step": _step,
    "linear": _linear,
    "cosine": _cosine,
    "exponential": _exponential,
}


def schedule_from(config: dict[str, Any]) -> Schedule:
    """Make a schedule from a plain description; raises ShapeError for an unknown kind or wrong arguments."""
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str) or kind not in SCHEDULES:
        raise ShapeError(f"a schedule is one of {', '.join(SCHEDULES)}, not {kind!r}{nearest(str(kind), SCHEDULES)}")
    parameters = inspect.signature(SCHEDULES[kind]).parameters
    for name in arguments:
        if name not in parameters:
            known = ", ".join(parameters)
            raise ShapeError(f"`{kind}` schedule: there is no `{name}`, only {known}{nearest(name, parameters)}")
    for name, entry in parameters.items():
        if entry.default is inspect.Parameter.empty and name not in arguments:
            raise ShapeError(f"`{kind}` schedule: `{name}` is missing")
    return SCHEDULES[kind](**arguments)
