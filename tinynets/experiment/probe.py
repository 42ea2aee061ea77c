"""Probe: the fixed examples on which a network is watched."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tinynets.data.sample import probe_rows, probed_split
from tinynets.experiment.splits import PreparedSplits
from tinynets.nn.block import Block
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.nn.saturation import flatness
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.rules import FIRST
from tinynets.training.hyper import Hyper


@dataclass
class Probe:
    """The fixed examples on which the lab shows activations; always evaluated together."""

    split: str
    x: Array
    y: Array
    examples: tuple[str, ...]
    targets: tuple[str, ...]
    weight: Array | None = None
    workspace: Workspace = field(default_factory=Workspace)
    has_targets: bool = True
    """Whether the last example has a target too; of one without, the loss says nothing."""

    @staticmethod
    def of(splits: PreparedSplits, count: int, hyper: Hyper) -> Probe:
        """A probe of `count` examples of `dev` if there is one, else of `train`, drawn for a run (data/sample.py)."""
        data, split = splits.data, probed_split(splits.data)
        x, y = splits[split]
        rows = probe_rows(data, count, hyper.seed, hyper.rules)
        described = tuple(data.describe(split, index) for index in rows.tolist())
        targets = tuple(data.describe_target(split, index) for index in rows.tolist())
        weight = splits.weight(split)
        return Probe(split, x[rows], y[rows], described, targets, None if weight is None else weight[rows])

    def with_one(self, x: Array, y: Array | None, example: str, target: str, weight: Array | None = None) -> Probe:
        """The same examples and one more behind them, evaluated in a workspace of their own.

        x, y (1, ...); `y` is None for an example without a target, whose loss then says nothing.
        """
        wanted = np.zeros_like(self.y[:1]) if y is None else y
        together = None
        if self.weight is not None:
            together = np.concatenate([self.weight, np.ones_like(self.weight[:1]) if weight is None else weight])
        return Probe(
            self.split,
            np.concatenate([self.x, x]),
            np.concatenate([self.y, wanted]),
            (*self.examples, example),
            (*self.targets, target),
            together,
            has_targets=y is not None,
        )

    def forward(self, network: Network) -> Array:
        with ignore_warnings():
            return network.forward_checked(self.x, self.workspace)

    def input_of(self, network: Network, layer: int) -> Array:
        """The input of a layer in the last forward."""
        return self.workspace.output_of(layer - 1) if layer else self.x

    def losses(self, network: Network, loss: Loss) -> Array:
        """The loss of each example times its weight, float64 (N,)."""
        self.forward(network)
        return self.losses_here(loss)

    def losses_here(self, loss: Loss) -> Array:
        """The same for the last forward."""
        with ignore_warnings():
            losses = loss.each(self.workspace.out, self.y)
        return losses if self.weight is None else losses * self.weight

    def loss(self, network: Network, loss: Loss) -> float:
        return float(self.losses(network, loss).mean())

    def accuracy(self, network: Network, loss: Loss) -> float | None:
        """The share of hits; None for losses without hits."""
        self.forward(network)
        return self.accuracy_here(loss)

    def accuracy_here(self, loss: Loss) -> float | None:
        """The same for the last forward."""
        hits = loss.right(self.workspace.out, self.y)
        hits = hits if self.weight is None else counted_hits(hits, self.weight, loss.rules)
        return None if hits is None or not hits.size else float(hits.mean())

    # -- a block's units in the last forward

    def values(self, network: Network, block: Block, *, pre: bool = False) -> Array:
        """Output (or sum before the activation) of a block, (examples, positions, units)."""
        if pre and block.pre is not None:
            return self.workspace.output_of(block.pre).reshape(len(self.x), -1, block.units)
        out = self.workspace.units_behind(network, block.last)
        return out.reshape(len(out), -1, block.units)

    def saturated(self, network: Network, block: Block) -> Array:
        """Where its units are saturated, a mask (examples, positions, units)."""
        found = flatness(network, self.workspace, block, self.x)
        return np.zeros(self.values(network, block).shape, np.bool_) if found is None else found.saturated

    def dead(self, network: Network, block: Block) -> Array:
        """Which of its units are dead, a mask (units,): their local gradient vanishes on every example."""
        found = flatness(network, self.workspace, block, self.x)
        return np.zeros(block.units, np.bool_) if found is None else np.asarray(found.blocked.all(axis=(0, 1)))


def counted_hits(hits: Array | None, weight: Array, rules: int) -> Array | None:
    """Which targets count as hit: with negative weight, those that were missed; those of weight 0 do not count.

    Under the first rules those of weight 0 counted too.
    """
    if hits is None:
        return None
    counted = (hits.T ^ (weight < 0)).T
    return counted[weight != 0] if rules > FIRST else counted
