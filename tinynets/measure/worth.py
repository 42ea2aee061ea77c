"""Worth: by how much the loss rises without each unit of a block, measured by zeroing one after another.

Layers before the block do the same whatever becomes of it, so they are computed once for all of its units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.errors import EditError, SelectorError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.history.evaluation import loss_text
from tinynets.jobs import Job, Progress
from tinynets.nn.block import Block
from tinynets.nn.interventions import Intervention, acts_at, examples_from, pushed
from tinynets.nn.network import Network
from tinynets.nn.selectors import select
from tinynets.nn.workspace import CHUNK, Workspace
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.checks import check_whole
from tinynets.training.state import State, network_of, state_taps

EXAMPLES = 2000
"""How many examples of a larger split are measured unless more are asked for."""
NAMED = 3
"""How many units a line names."""


@dataclass(frozen=True)
class Worth:
    """The loss with all units of a block and without each of them, at one moment."""

    block: str
    branch: str
    step: int
    moment: tuple[int, int, int]
    """Branch number, steps and edits: what was measured holds there alone."""
    split: str
    examples: int
    of: int
    """How many examples the split has."""
    loss: float
    without: Array
    """(units,) the loss without each unit."""

    @property
    def values(self) -> Array:
        """(units,) by how much the loss rises without each unit; below 0 where it falls."""
        with ignore_warnings():
            return np.asarray(self.without - self.loss)

    @property
    def best(self) -> int:
        """The unit without which the loss rises most."""
        return int(np.argmax(np.nan_to_num(self.values, nan=-np.inf)))

    @property
    def measured(self) -> str:
        """On what it was measured, in words."""
        return (
            f"{self.split}, {self.examples:,}" + (f" of {self.of:,}" if self.of > self.examples else "") + " examples"
        )

    def __str__(self) -> str:
        values = self.values
        order = np.argsort(-values, kind="stable")[:NAMED]
        named = ", ".join(f"{self.block}[{unit}] {values[unit]:+.4f}" for unit in order.tolist())
        raising = f"{int((values < 0).sum())} of {len(values)} only raise it"
        return f"worth most: {named}; {raising}; the loss is {loss_text(self.loss)} ({self.measured})"


def worth(experiment: Experiment, block: object, split: str | None, examples: int | None) -> Job[Worth]:
    """The worth of each unit of a block, as a job; nothing moves."""
    found = _block(experiment, block)
    split, rows = _rows(experiment, split, examples)
    experiment.player.need_data()
    moment, branch, state = experiment.moment, experiment.branch.name, experiment.state.live()
    network = network_of(state, experiment.network.input_shape)
    taps = [state_taps(network, state, _without(network, state, found, unit)) for unit in range(found.units)]
    first = min(acts_at(network, _zero(found, 0)))
    x, y = experiment.splits[split]
    weight = experiment.splits.weight(split)
    there, workspace = len(x), Workspace()
    if rows is not None:
        x, y, weight = x[rows], y[rows], None if weight is None else weight[rows]
    totals = np.zeros(1 + found.units)
    variants = [network.taps, *taps]
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        before = None
        for number, tapped in enumerate(variants):
            network.taps = tapped
            with ignore_warnings(), examples_from(network, start):
                before = before or _Before.of(network, workspace, x[part], first)
                losses = experiment.loss.each(before.out(workspace), y[part])
            totals[number] += float((losses if weight is None else losses * weight[part]).sum())
            done = start * len(variants) + (number + 1) * len(losses)
            yield Progress(done, len(x) * len(variants), f"examples without a unit of {found.name}")
    loss, *without = (totals / len(x)).tolist()
    step, edits = moment.step, moment.edits
    return Worth(found.name, branch, step, (moment.branch, step, edits), split, len(x), there, loss, np.array(without))


def _block(experiment: Experiment, name: object) -> Block:
    found = select(experiment.network, name)
    if not found.whole or found.pre or found.time is not None or "[" in str(name):
        raise SelectorError(f"`worth` is of all units of a block, as `{found.block}`, not of `{name}`")
    return experiment.network.block(found.block)


def _rows(experiment: Experiment, split: str | None, examples: int | None) -> tuple[str, Array | None]:
    """The split, and which of its examples; None: all. They are those that `evaluate` takes for the same number."""
    known = experiment.data.splits
    if split is None:
        split = "dev" if "dev" in known else "train"
    if not isinstance(split, str) or split not in known:
        raise EditError(f"there is no split `{split}`, only {', '.join(known)}{nearest(str(split), known)}")
    there = len(known[split][0])
    if examples is None:
        return split, None
    check_whole("examples", examples, 1, 2**63 - 1)
    if examples >= there:
        return split, None
    return split, np.sort(rng.permutation(experiment.evaluator.seed, f"evaluate {split}", 0, there)[:examples])


def _zero(block: Block, unit: int) -> Intervention:
    return Intervention("zero", block.name, (unit,))


def _without(network: Network, state: State, block: Block, unit: int) -> tuple[Intervention, ...]:
    """What stands on activations once the unit is zeroed."""
    return pushed(network, state.interventions, _zero(block, unit))


@dataclass(frozen=True)
class _Before:
    """What the layers before `first` make of a batch; nothing behind them changes it."""

    first: int
    x: Array
    open: dict[object, list[Any]]
    """What splits keep for their joins there."""

    @staticmethod
    def of(network: Network, workspace: Workspace, x: Array, first: int) -> _Before:
        workspace.fit(network, x.shape)
        for act in workspace.forward_acts[:first]:
            x = act(x)
        return _Before(first, x, {link: list(kept) for link, kept in workspace.context.open.items()})

    def out(self, workspace: Workspace) -> Array:
        """The output of the network, from there on."""
        workspace.context.open = {link: list(kept) for link, kept in self.open.items()}
        x = self.x
        for act in workspace.forward_acts[self.first :]:
            x = act(x)
        return x
