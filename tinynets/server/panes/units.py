"""The Units pane: every unit of a block, or of all blocks, as a row of numbers over the probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from math import inf
from time import perf_counter

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.scene import Scene
from tinynets.history.moment import Moment
from tinynets.measure.aside import Aside
from tinynets.measure.block_view import BlockView, BlockViews, limit_of
from tinynets.measure.earlier import EarlierStates
from tinynets.measure.lens import Lens
from tinynets.nn.block import Block
from tinynets.nn.saturation import activation_of, flatness
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import Units, View
from tinynets.server.panes.worth import KeptWorths

BINS = 16
"""How many columns a sparkline has."""
SHARE = 20
"""While steps are taken, gradients and changes are computed anew after this many times what they cost."""


@dataclass
class UnitTable:
    """Makes the rows of one frame after another; while steps are taken, it keeps what costs most for a while."""

    _aside: Aside = field(default_factory=Aside)
    _earlier: EarlierStates = field(default_factory=EarlierStates)
    _kept: dict[str, tuple[Array, Array]] = field(default_factory=dict)
    """Gradient and change of the units of each block."""
    _of: object = None
    _due: float = 0.0

    def of(self, lens: Lens, views: BlockViews, view: View, worths: KeptWorths, *, moving: bool) -> Units | None:
        """The rows of a view; None if no block has units."""
        experiment = lens.experiment
        network = experiment.network
        blocks = [block for block in network.blocks if block.units and (view.every_unit or block.name == view.block)]
        if not blocks:
            return None
        with ignore_warnings():
            backward = self._backward(lens, blocks, moving)
            rows = [_statistics(lens, views, block) for block in blocks]
        worth = [worths.of(experiment, block) for block in blocks]
        columns = map(np.concatenate, zip(*rows, strict=True))
        bins, limit, mean, std, flat, dead = columns
        sizes = [block.units for block in blocks]
        return Units(
            tuple(block.name for block in blocks),
            np.repeat(np.arange(len(blocks)), sizes),
            np.concatenate([np.arange(size) for size in sizes]),
            bins,
            limit,
            mean,
            std,
            flat,
            dead,
            np.concatenate([backward[block.name][0] for block in blocks]),
            np.concatenate([backward[block.name][1] for block in blocks]),
            np.concatenate([values for values, _, _ in worth]),
            np.repeat([holds for _, holds, _ in worth], sizes),
            tuple(measured for _, _, measured in worth),
            tuple(_only_off(experiment, block) for block in blocks),
        )

    def _backward(self, lens: Lens, blocks: list[Block], moving: bool) -> dict[str, tuple[Array, Array]]:
        """Gradient and change of the units of each block."""
        experiment, begun = lens.experiment, perf_counter()
        asked = experiment.network, tuple(block.name for block in blocks)
        if moving and asked == self._of and begun < self._due:
            return self._kept
        gradients, changes = self._gradients(lens), self._changes(experiment, moving)
        self._kept = {block.name: (gradients(block), changes(block)) for block in blocks}
        self._of, self._due = asked, perf_counter() + SHARE * (perf_counter() - begun)
        return self._kept

    def _gradients(self, lens: Lens) -> Callable[[Block], Array]:
        """Finds (units,) mean |d loss / d output| over the probe, at all positions."""
        experiment, scene = lens.experiment, lens.scene
        aside = self._aside if scene.of_batch else lens.aside
        network, workspace = aside.gradients(experiment, _probe_scene(experiment) if scene.of_batch else scene)

        def gradient(block: Block) -> Array:
            found = workspace.unit_gradients(network, block.last)
            if found is None:
                return np.full(block.units, np.nan)
            # The gradients are those of the mean loss, so that their sum is the mean of those of each example's loss.
            sums: Array = np.abs(found).reshape(len(found), -1, block.units).sum(axis=0, dtype=np.float64)
            return np.asarray(sums.mean(axis=0))

        return gradient

    def _changes(self, experiment: Experiment, moving: bool) -> Callable[[Block], Array]:
        """Finds (units,) the change of all parameters of each unit by the last update, relative to their size."""
        state, step = experiment.state, experiment.moment.step
        before = self._earlier.find(experiment, "", moving)
        at = Moment(experiment.moment.branch, step - 1, experiment.branch.edits_through(step - 1))
        if before.state is None or before.moment != at or before.state.architecture != state.architecture:
            return lambda block: np.full(block.units, np.nan)
        return partial(_change, experiment, state.theta.astype(np.float64) - before.state.theta)


def _change(experiment: Experiment, delta: Array, block: Block) -> Array:
    network = experiment.network
    owners, first = network.owners(block), network.first_index(block)
    if not owners.size:
        return np.full(block.units, np.nan)
    places, own = np.flatnonzero(owners >= 0) + first, owners[owners >= 0]
    moved = np.bincount(own, delta[places] ** 2, block.units)
    size = np.bincount(own, experiment.state.theta[places].astype(np.float64) ** 2, block.units)
    return np.where(moved == 0, 0.0, np.sqrt(moved / size))


def _probe_scene(experiment: Experiment) -> Scene:
    """The probe, whatever phase the step is in."""
    count = len(experiment.network.layers)
    return Scene(experiment.probe, False, experiment.moment.step, "", count, count, True)


def _statistics(lens: Lens, views: BlockViews, block: Block) -> tuple[Array, ...]:
    """Bins and their limit, mean, deviation, the share that is flat, and which are dead; the bins are of the lens."""
    shown = views.of(block)
    view = BlockView.of(lens.experiment, block) if lens.scene.of_batch or shown is None else shown
    out = view.out.reshape(-1, block.units)
    bins, limit = _bins(lens, shown, block)
    mean, std = out.mean(axis=0, dtype=np.float64), out.std(axis=0, dtype=np.float64)
    return bins, np.full(block.units, limit), mean, std, _flat(lens.experiment, view), view.dead


def _flat(experiment: Experiment, view: BlockView) -> Array:
    """(units,) the share of examples on which an activation is saturated, or off."""
    block, watched = view.block, view.watched
    if activation_of(experiment.network, block) is None:
        return np.full(block.units, np.nan)
    mask = view.saturated
    if _only_off(experiment, block):
        found = flatness(experiment.network, watched.workspace, block, watched.x)
        mask = mask if found is None else found.blocked
    shares: Array = mask.reshape(-1, block.units).mean(axis=0)
    return shares


def _bins(lens: Lens, view: BlockView | None, block: Block) -> tuple[Array, float]:
    """(units, columns) what the lens shows, the mean of the examples in each column, and the value of a full bar."""
    shown = lens.units(view, block)
    if shown.values is None:
        return np.full((block.units, BINS), np.nan, np.float32), 1.0
    by_example = shown.values.mean(axis=1, dtype=np.float64)
    count = min(BINS, len(by_example))
    edges = np.linspace(0, len(by_example), count + 1).astype(np.int64)
    sums = np.add.reduceat(by_example, edges[:-1], axis=0)
    bins = (sums / np.diff(edges)[:, None]).T.astype(np.float32)
    wide: Array = np.full((block.units, BINS), np.nan, np.float32)
    wide[:, :count] = bins
    bounded = lens.name == "value" and block.activation is not None and block.activation.output_range[1] < inf
    return wide, shown.limit if bounded else limit_of(bins)


def _only_off(experiment: Experiment, block: Block) -> bool:
    """Whether its activation is 0 where it is flat, and has no other end."""
    activation = activation_of(experiment.network, block)
    return activation is not None and activation.output_range == (0.0, inf)
