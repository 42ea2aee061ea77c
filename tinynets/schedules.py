"""Schedules: the factor on the base learning rate at each step; `set lr` moves the base."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, ClassVar

from tinynets.arrays import is_finite_number
from tinynets.errors import ShapeError, nearest


@dataclass(frozen=True)
class Schedule:
    """Constant: the factor is always 1. Base of the others."""

    kind: ClassVar[str] = "constant"

    def factor(self, step: int) -> float:
        """The factor for the update that leads from `step` to `step` + 1."""
        return 1.0

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind}


@dataclass(frozen=True)
class StepSchedule(Schedule):
    """The factor is multiplied by `factor_at` at each of the steps `at`."""

    kind: ClassVar[str] = "step"
    at: tuple[int, ...] = ()
    factor_at: float = 0.1

    def __post_init__(self) -> None:
        whole = all(isinstance(step, int) and not isinstance(step, bool) and step > 0 for step in self.at)
        if not whole or list(self.at) != sorted(set(self.at)):
            raise ShapeError(f"`step` schedule: `at` must be rising step numbers above 0, not {list(self.at)!r}")
        if not is_finite_number(self.factor_at) or self.factor_at < 0:
            raise ShapeError(f"`step` schedule: `factor` must be a finite number above or at 0, not {self.factor_at!r}")
        try:
            float(self.factor_at) ** len(self.at)
        except OverflowError:
            raise ShapeError(
                f"`step` schedule: `factor` {self.factor_at!r} becomes infinite after {len(self.at)} steps of it"
            ) from None

    def factor(self, step: int) -> float:
        return float(self.factor_at) ** bisect_right(self.at, step)

    def config(self) -> dict[str, Any]:
        return {"kind": self.kind, "at": list(self.at), "factor": self.factor_at}


SCHEDULES = ("constant", "step")


def schedule_from(config: dict[str, Any]) -> Schedule:
    """The schedule that a plain description makes; raises ShapeError for an unknown kind or wrong arguments."""
    kind = config.get("kind")
    if kind == "constant":
        return Schedule()
    if kind == "step":
        return StepSchedule(tuple(config["at"]), config["factor"])
    raise ShapeError(f"a schedule is one of {', '.join(SCHEDULES)}, not {kind!r}{nearest(str(kind), SCHEDULES)}")
