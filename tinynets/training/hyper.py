"""Hyper: the hyperparameters of a run at a moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tinynets.errors import ShapeError
from tinynets.nn.network import Network
from tinynets.numerics.arrays import as_float, settle_numbers
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.training.optimizers import Optimizer, check_setting
from tinynets.training.param_groups import check_keys
from tinynets.training.schedules import Schedule


@dataclass(frozen=True)
class Hyper:
    """The hyperparameters: optimizer and schedule, how batches are drawn, and settings of blocks."""

    optimizer: Optimizer
    schedule: Schedule = field(default_factory=Schedule)
    batch: int = 32
    sampling: str = "replacement"
    seed: int = 0
    clip_norm: float = 0.0
    """A gradient with a larger norm is scaled down to it; 0: never."""
    clip_value: float = 0.0
    """Each gradient is clipped to plus and minus this; 0: never."""
    rates: dict[str, float] = field(default_factory=dict)
    """Block, or units of one (`hidden[3]`) -> factor on the learning rate of their parameters."""
    l1: dict[str, float] = field(default_factory=dict)
    """Block -> weight of sum |theta|: l1 * sign(theta) is added to the gradient, biases included, not to the loss."""
    l2: dict[str, float] = field(default_factory=dict)
    """Block -> weight of sum theta^2 / 2: l2 * theta is added to the gradient, biases included, not to the loss."""
    since: int = 0
    """The step at which the optimizer was set, from which Adam counts its updates."""
    scheduled: int = 0
    """The step at which the schedule was set, from which it counts; always 0 under the first rules."""
    rules: int = CURRENT
    """The rules of arithmetic that the run began with (numerics/rules.py)."""

    def __post_init__(self) -> None:
        settle_numbers(self)
        for name in ("rates", "l1", "l2"):
            if isinstance(given := getattr(self, name), dict):
                object.__setattr__(self, name, {block: as_float(value) for block, value in given.items()})

    def config(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.config(),
            "schedule": self.schedule.config(),
            "batch": self.batch,
            "sampling": self.sampling,
            "seed": self.seed,
            "clip_norm": self.clip_norm,
            "clip_value": self.clip_value,
            "rates": dict(self.rates),
            "l1": dict(self.l1),
            "l2": dict(self.l2),
            "since": self.since,
        } | ({"scheduled": self.scheduled, "rules": self.rules} if self.rules > FIRST else {})

    def check(self, network: Network) -> None:
        """Raise ShapeError or SelectorError if a setting is out of range or names a block that does not exist."""
        for name in ("clip_norm", "clip_value"):
            check_setting("training", name, getattr(self, name))
        for name in ("rates", "l1", "l2"):
            if not isinstance(getattr(self, name), dict):
                raise ShapeError(f"`{name}` must be block -> number, not {getattr(self, name)!r}")
            check_keys(name, getattr(self, name), network)
            for key, value in getattr(self, name).items():
                check_setting(f"{name} of {key}", name, value)
        for name in ("since", "scheduled"):
            if not isinstance(step := getattr(self, name), int) or step < 0:
                raise ShapeError(f"`{name}` must be a step, not {step!r}")
        if self.rules not in range(FIRST, CURRENT + 1):
            raise ShapeError(f"`rules` must be {FIRST} to {CURRENT}, not {self.rules!r}")

    def lr(self, step: int) -> float:
        """The learning rate of the update that leads from `step` to `step` + 1."""
        return self.optimizer.lr * self.schedule.factor(step - self.scheduled)
