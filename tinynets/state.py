"""State: all that a training step reads or writes, as data that copies, compares and digests as bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any

import msgpack
import numpy as np

from tinynets.arrays import Array
from tinynets.network import Network
from tinynets.optimizers import Optimizer, Slots
from tinynets.schedules import Schedule


@dataclass(frozen=True)
class Intervention:
    """An operation on activations that stands: `zero` on units 3 and 4 of the site `hidden`, or of `hidden.pre`."""

    op: str
    site: str
    units: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.op} {self.selector()}"

    def selector(self) -> str:
        return f"{self.site}{units_text(self.units)}"

    def config(self) -> dict[str, Any]:
        return {"op": self.op, "site": self.site, "units": list(self.units)}


@dataclass(frozen=True)
class Hyper:
    """What governs the steps: optimizer and schedule, and how batches are drawn."""

    optimizer: Optimizer
    schedule: Schedule = field(default_factory=Schedule)
    batch: int = 32
    sampling: str = "replacement"
    seed: int = 0

    def config(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.config(),
            "schedule": self.schedule.config(),
            "batch": self.batch,
            "sampling": self.sampling,
            "seed": self.seed,
        }

    def lr(self, step: int) -> float:
        """The learning rate of the update that leads from `step` to `step` + 1."""
        return self.optimizer.lr * self.schedule.factor(step)


@dataclass
class State:
    """Architecture, parameters and everything else that the next step depends on.

    theta (n,); each slot (n,); buffers (m,) what layers carry besides parameters; frozen (k,) sorted positions in
    theta.
    """

    architecture: tuple[dict[str, Any], ...]
    theta: Array
    slots: Slots
    buffers: Array
    frozen: Array
    interventions: tuple[Intervention, ...]
    hyper: Hyper
    step: int = 0

    @staticmethod
    def start(network: Network, hyper: Hyper) -> State:
        """The state before the first step of a network as it stands."""
        slots = {name: np.zeros_like(network.theta) for name in hyper.optimizer.slot_names()}
        return State(
            network.architecture,
            network.theta.copy(),
            slots,
            np.empty(0, network.dtype),
            np.empty(0, np.int64),
            (),
            hyper,
        )

    def copy(self) -> State:
        """A state of its own, whose arrays cannot be written: what has been is not changed."""
        theta, buffers, frozen = self.theta.copy(), self.buffers.copy(), self.frozen.copy()
        slots = {name: slot.copy() for name, slot in self.slots.items()}
        for array in (theta, buffers, frozen, *slots.values()):
            array.flags.writeable = False
        return replace(self, theta=theta, slots=slots, buffers=buffers, frozen=frozen)

    def nbytes(self) -> int:
        """Bytes that its arrays take."""
        slots = sum(slot.nbytes for slot in self.slots.values())
        return self.theta.nbytes + slots + self.buffers.nbytes + self.frozen.nbytes

    def config(self) -> dict[str, Any]:
        """Everything but the arrays, as plain data."""
        return {
            "architecture": [dict(layer) for layer in self.architecture],
            "interventions": [intervention.config() for intervention in self.interventions],
            "hyper": self.hyper.config(),
            "step": self.step,
        }

    def digest(self) -> str:
        """sha256 over everything, as 64 hexadecimal digits: equal digests, equal bytes."""
        sha = hashlib.sha256(canonical(self.config()))
        for name, array in [
            ("theta", self.theta),
            ("buffers", self.buffers),
            ("frozen", self.frozen),
            *sorted(self.slots.items()),
        ]:
            sha.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.digest() == other.digest()


def canonical(value: Any) -> bytes:
    """One sequence of bytes for equal plain data, whatever the order of its keys."""

    def ordered(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: ordered(item[key]) for key in sorted(item)}
        return [ordered(part) for part in item] if isinstance(item, list | tuple) else item

    packed: bytes = msgpack.packb(ordered(value))
    return packed


def units_text(units: tuple[int, ...]) -> str:
    """`[3]`, `[0:8]` for a run, `[1,5,9]` otherwise."""
    if len(units) > 2 and units == tuple(range(units[0], units[-1] + 1)):
        return f"[{units[0]}:{units[-1] + 1}]"
    return f"[{','.join(map(str, units))}]"
