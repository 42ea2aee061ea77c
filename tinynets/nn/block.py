"""Blocks, the groups of layers whose units can be operated on, and phases, the pieces of a training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from tinynets.nn.layers import Activation


class Phase(NamedTuple):
    """A piece of a training step, reported when it is done: `forward` of layer `hidden`."""

    kind: Literal["batch", "forward", "loss", "backward", "update"]
    layer: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.layer}".rstrip()


@dataclass(frozen=True)
class Block:
    """A layer with parameters and the normalization and activation behind it, or a lone layer; 0 units: none to select.

    `first` and `last` are indices into the network's layers; the site `name` is at the output of `last`, the site
    `name.pre` at that of the layer before the activation, where there is one.
    """

    name: str
    first: int
    last: int
    units: int
    activation: Activation | None

    @property
    def pre(self) -> int | None:
        """Index of the layer whose output is the sum before the activation; None if there is none."""
        return self.last - 1 if self.activation is not None and self.last > self.first else None
