"""State: everything that a training step reads or writes, as data that can be copied, compared and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinynets.nn.interventions import Intervention, compile_taps
from tinynets.nn.network import Network, network_from
from tinynets.nn.taps import Tap
from tinynets.numerics.arrays import Array, Shape
from tinynets.numerics.canonical import canonical
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import Slots

ALIKE: Array = np.empty(0, np.int64)
"""The counts of a state in which all parameters have been updated since the same step."""
ALIKE.flags.writeable = False


@dataclass
class State:
    """Architecture, parameters and everything else that the next step depends on.

    theta (n,); each slot (n,); buffers (m,) what layers carry besides parameters; frozen (k,) sorted positions in
    theta; counts (n,), replaced but never written: for a parameter the step from which its updates count, for a frozen
    one the number of its updates (training/counts.py), or (0,): all count from `hyper.since`.
    """

    architecture: tuple[dict[str, Any], ...]
    theta: Array
    slots: Slots
    buffers: Array
    frozen: Array
    frozen_buffers: Array
    interventions: tuple[Intervention, ...]
    hyper: Hyper
    step: int = 0
    counts: Array = field(default_factory=lambda: ALIKE)

    @staticmethod
    def start(network: Network, hyper: Hyper) -> State:
        """The state of this network before the first step."""
        slots = {name: np.zeros_like(network.theta) for name in hyper.optimizer.slot_names()}
        return State(
            network.architecture,
            network.theta.copy(),
            slots,
            network.carried.copy(),
            np.empty(0, np.int64),
            np.empty(0, np.int64),
            (),
            hyper,
        )

    def __getstate__(self) -> tuple[dict[str, Any], frozenset[str]]:
        """All fields, and which arrays are read-only, so that a copy has the same ones."""
        return dict(vars(self)), frozenset(name for name, array in self._arrays() if not array.flags.writeable)

    def __setstate__(self, state: tuple[dict[str, Any], frozenset[str]]) -> None:
        fields, read_only = state
        self.__dict__.update(fields)
        for name, array in self._arrays():
            if name in read_only:
                array.flags.writeable = False

    def _arrays(self) -> list[tuple[str, Array]]:
        fixed = ("theta", "buffers", "frozen", "frozen_buffers", "counts")
        return [*((name, getattr(self, name)) for name in fixed), *((f"slots.{n}", s) for n, s in self.slots.items())]

    def copy(self) -> State:
        """A copy with read-only arrays, since the past must not change."""
        arrays = {name: getattr(self, name).copy() for name in ("theta", "buffers", "frozen", "frozen_buffers")}
        slots = {name: slot.copy() for name, slot in self.slots.items()}
        for array in (*arrays.values(), *slots.values()):
            array.flags.writeable = False
        return replace(self, **arrays, slots=slots)

    def live(self) -> State:
        """A copy with writable arrays."""
        arrays = {name: getattr(self, name).copy() for name in ("theta", "buffers", "frozen", "frozen_buffers")}
        return replace(self, **arrays, slots={name: slot.copy() for name, slot in self.slots.items()})

    def become(self, other: State) -> None:
        """Take everything over from another state; if the layers are the same, writable theta and buffers are reused
        in place.
        """
        same = self.architecture == other.architecture
        for name in ("theta", "buffers"):
            array = getattr(self, name)
            if same and array.flags.writeable:
                np.copyto(array, getattr(other, name))
            else:
                setattr(self, name, getattr(other, name))
        self.architecture, self.slots = other.architecture, other.slots
        self.frozen, self.frozen_buffers = other.frozen, other.frozen_buffers
        self.interventions, self.hyper = other.interventions, other.hyper
        self.step, self.counts = other.step, other.counts

    def nbytes(self) -> int:
        """How many bytes its arrays take."""
        slots = sum(slot.nbytes for slot in self.slots.values())
        places = self.frozen.nbytes + self.frozen_buffers.nbytes
        return self.theta.nbytes + slots + self.buffers.nbytes + places + self.counts.nbytes

    def config(self) -> dict[str, Any]:
        """Everything but the arrays, as plain data."""
        return {
            "architecture": [dict(layer) for layer in self.architecture],
            "interventions": [intervention.config() for intervention in self.interventions],
            "hyper": self.hyper.config(),
            "step": self.step,
        }

    def digest(self) -> str:
        """sha256 over everything, as 64 hexadecimal digits: equal digests mean equal bytes."""
        sha = hashlib.sha256(canonical(self.config()))
        for name, array in [
            ("theta", self.theta),
            ("buffers", self.buffers),
            ("frozen", self.frozen),
            ("frozen_buffers", self.frozen_buffers),
            *([("counts", self.counts)] if self.counts.size else []),
            *sorted(self.slots.items()),
        ]:
            sha.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.digest() == other.digest()


def network_of(state: State, input_shape: Shape | None, *, read_only: bool = False) -> Network:
    """The network of a state, around its arrays, with its interventions.

    `read_only`: the arrays cannot be written through the network.
    """
    theta, carried = state.theta, state.buffers
    if read_only:
        theta, carried = theta.view(), carried.view()
        theta.flags.writeable = carried.flags.writeable = False
    network = network_from(
        state.architecture,
        dtype=theta.dtype,
        theta=theta,
        carried=carried,
        input_shape=input_shape,
        rules=state.hyper.rules,
    )
    network.taps = state_taps(network, state)
    return network


def state_taps(network: Network, state: State, standing: Iterable[Intervention] | None = None) -> list[Tap | None]:
    """The tap behind each layer of a state's network, or None; random terms follow the state's step.

    `standing`: the interventions, if they are not yet the state's.
    """
    found = state.interventions if standing is None else standing
    return compile_taps(network, found, seed=state.hyper.seed, step=lambda: state.step)
