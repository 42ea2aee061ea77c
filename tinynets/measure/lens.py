"""Lens: what the panes are painted with: values, gradients, changes or importance, of units and of weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.scene import Scene
from tinynets.history.moment import Moment
from tinynets.measure.aside import Aside, Past
from tinynets.measure.block_view import BlockView, limit_of
from tinynets.measure.earlier import Earlier, EarlierStates
from tinynets.measure.lens_names import LENSES
from tinynets.measure.unit_numbers import Numbers, numbers_of, shared_edits, unit_numbers
from tinynets.measure.weight_matrix import biases_of, incoming, names_of_rows
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array

NOT_YET = "not yet"
UNIT = re.compile(r"([\w.]+)\[(\d+)\]")
"""A unit in the name of a row: `f rnn[2]@t-1`."""


def lens_of_phase(scene: Scene, updated: bool) -> str:
    """The lens that follows the phases: values going forward, gradients going back, at last what the update changed."""
    if scene.kind == "backward":
        return "gradient"
    return "change" if updated and not scene.of_batch else "value"


@dataclass(frozen=True)
class UnitField:
    """A block's units through the lens."""

    values: Array | None
    """(examples, positions, units); None if there is nothing to show. NaN for units that have no counterpart."""
    limit: float = 1.0
    """The value of full colour, on one example."""
    missing: str = ""
    """Why there is nothing to show."""
    together: Array | None = None
    """(positions, units) of all examples together, shown in place of those of one; None for lenses of one example."""

    def at(self, example: int) -> Array | None:
        """(positions, units) on an example."""
        return self.together if self.together is not None else None if self.values is None else self.values[example]


@dataclass(frozen=True)
class MatrixField:
    """A block's weights through the lens: (rows, units), and (units,) for the biases."""

    values: Array | None
    biases: tuple[Array, ...] = ()
    missing: str = ""


@dataclass
class Lens:
    """A lens at one moment; what it needs is computed when it is first asked for."""

    experiment: Experiment
    scene: Scene
    name: str
    by_hand: bool
    """It was chosen, and does not follow the phases: gradients that backward has yet to bring are computed ahead."""
    aside: Aside
    past: Past
    find_earlier: Callable[[], Earlier]
    """Finds the state that a change is measured against."""

    @cached_property
    def earlier(self) -> Earlier:
        return self.find_earlier()

    @cached_property
    def _ahead(self) -> tuple[Network, Workspace]:
        """Gradients that are computed beside the run."""
        return self.aside.gradients(self.experiment, self.scene)

    @cached_property
    def _before(self) -> tuple[Network, Workspace]:
        """The network in the earlier state, and what it makes of the examples."""
        assert self.earlier.state is not None
        return self.past.forward(self.experiment, self.scene, self.earlier.state)

    # -- units

    def units(self, view: BlockView | None, block: Block) -> UnitField:
        """A block's units; `view` is None as long as forward has not reached the block."""
        if self.name == "gradient":
            return self._gradient(block)
        if self.name == "importance":
            return self._importance(block)
        if view is None:
            return UnitField(None, missing=NOT_YET)
        return self._change(view) if self.name == "change" else UnitField(view.out, view.limit)

    def _gradient(self, block: Block) -> UnitField:
        network = self.experiment.network
        if self.scene.of_batch and self.scene.has_gradient(block):
            found = self.scene.watched.workspace.unit_gradients(network, block.last)
        elif self.scene.of_batch and not self.by_hand:
            return UnitField(None, missing=NOT_YET)
        else:
            found = self._ahead[1].unit_gradients(self._ahead[0], block.last)
        if found is None:
            return UnitField(None, missing="no gradient gets here")
        values = found.reshape(len(found), -1, block.units)
        return UnitField(values, limit_of(values))

    def _importance(self, block: Block) -> UnitField:
        """Minus output times gradient: to first order, by how much the loss would rise if the output were 0."""
        network, workspace = self._ahead
        gradient = workspace.unit_gradients(network, block.last)
        if gradient is None:
            return UnitField(None, missing="no gradient gets here")
        out = workspace.units_behind(network, block.last)
        values = -(gradient * out).reshape(len(out), -1, block.units)
        together = values.sum(axis=0, dtype=np.float64)
        return UnitField(values, limit_of(together), together=together)

    def _change(self, view: BlockView) -> UnitField:
        if self.earlier.state is None:
            return UnitField(None, missing=self.earlier.words)
        network, workspace = self._before
        if not network.has_block(view.block.name):
            return UnitField(None, missing="it was not there")
        block = network.block(view.block.name)
        before = workspace.units_behind(network, block.last)
        before = before.reshape(len(before), -1, block.units)
        if before.shape[1] != view.out.shape[1]:
            return UnitField(None, missing=f"it had {before.shape[1]} positions")
        at = self._places(view.block, block)
        values = view.out - before if at is None else np.where(at >= 0, view.out - before[..., at], np.nan)
        return UnitField(values, limit_of(values))

    # -- weights

    def weights(self, block: Block) -> MatrixField:
        """A block's weights, arranged as in `weight_matrix`."""
        layer = self.experiment.network.layers[block.first]
        if self.name == "value":
            return MatrixField(incoming(layer, block.units), biases_of(layer, block.units))
        if self.name == "change":
            return self._weight_change(block)
        brought = self.scene.of_batch and self.scene.has_weight_gradient(block)
        if self.name == "gradient" and self.scene.of_batch and not brought and not self.by_hand:
            return MatrixField(None, missing=NOT_YET)
        source = layer if brought else self._ahead[0].layers[block.first]
        gradient = incoming(source, block.units, gradient=True)
        biases = biases_of(source, block.units, gradient=True)
        if self.name == "gradient" or gradient is None:
            return MatrixField(gradient, biases)
        w, b = incoming(layer, block.units), biases_of(layer, block.units)
        assert w is not None
        return MatrixField(-(w * gradient), tuple(-(one * other) for one, other in zip(b, biases, strict=True)))

    def _weight_change(self, block: Block) -> MatrixField:
        if self.earlier.state is None:
            return MatrixField(None, missing=self.earlier.words)
        past = self.past.network(self.experiment, self.earlier.state)
        if not past.has_block(block.name):
            return MatrixField(None, missing="it was not there")
        other, layer = past.block(block.name), self.experiment.network.layers[block.first]
        now, then = incoming(layer, block.units), incoming(past.layers[other.first], other.units)
        if now is None or then is None:
            return MatrixField(None, missing="its weights were other ones")
        columns, rows = self._places(block, other), self._rows(block, past, other)
        b, c = biases_of(layer, block.units), biases_of(past.layers[other.first], other.units)
        if columns is None and rows is None:
            return MatrixField(now - then, tuple(one - two for one, two in zip(b, c, strict=True)))
        columns = np.arange(block.units) if columns is None else columns
        rows = np.arange(len(now)) if rows is None else rows
        known = (rows >= 0)[:, None] & (columns >= 0)
        values = np.where(known, now - then[np.ix_(rows, columns)], np.nan)
        biases = tuple(np.where(columns >= 0, one - two[columns], np.nan) for one, two in zip(b, c, strict=True))
        return MatrixField(values, biases)

    # -- units that have moved

    @cached_property
    def _numbers(self) -> tuple[Numbers, Numbers]:
        """The numbers of the units now, and in the earlier state."""
        experiment, moment = self.experiment, self.earlier.moment
        assert moment is not None
        assert self.earlier.state is not None
        ours = experiment.branch.edits[: experiment.moment.edits]
        theirs = experiment.timeline.branches[moment.branch].edits[: moment.edits]
        past = self.past.network(experiment, self.earlier.state)
        shared = shared_edits(ours, theirs)
        return unit_numbers(experiment.network, ours), unit_numbers(past, theirs, shared)

    def _places(self, block: Block, other: Block) -> Array | None:
        """(units,) where each unit was, -1 where there was none; None if all are where they were."""
        now, then = self._numbers
        return _matched(
            numbers_of(now, block.name, block.units).tolist(), numbers_of(then, other.name, other.units).tolist()
        )

    def _rows(self, block: Block, past: Network, other: Block) -> Array | None:
        """The same for the rows of a block's matrix, which are called after the units that they come from."""
        now, then = self._numbers
        if not now and not then:
            return None
        text = self.experiment.data.text
        ours = [_numbered(name, now) for name in names_of_rows(self.experiment.network, text, block)]
        return _matched(ours, [_numbered(name, then) for name in names_of_rows(past, text, other)])


@dataclass
class Lenses:
    """Makes the lens of one frame after another, and keeps what can serve the next."""

    _aside: Aside = field(default_factory=Aside)
    _past: Past = field(default_factory=Past)
    _earlier: EarlierStates = field(default_factory=EarlierStates)
    _half_done: Moment | None = None
    """The moment at which the half-done step of the last frame began."""
    _updated: Moment | None = None
    """The moment right after a step whose phases were seen."""

    def lens(self, experiment: Experiment, scene: Scene, wanted: str, against: str | int, *, moving: bool) -> Lens:
        """The lens that is wanted, or if that is none of them the one that fits the phase.

        `against`: since when a change is measured (see `EarlierStates.find`); `moving`: steps are being taken.
        """
        self._follow(experiment.moment, scene)
        by_hand = wanted in LENSES
        name = wanted if by_hand else lens_of_phase(scene, experiment.moment == self._updated)
        since = against if by_hand else ""

        def earlier() -> Earlier:
            return self._earlier.find(experiment, since, moving)

        return Lens(experiment, scene, name, by_hand, self._aside, self._past, earlier)

    def _follow(self, moment: Moment, scene: Scene) -> None:
        """Notice that a half-done step has been finished."""
        if scene.of_batch:
            self._half_done, self._updated = moment, None
            return
        half, self._half_done = self._half_done, None
        if half is not None and (half.branch, half.step + 1) == moment[:2]:
            self._updated = moment
        elif moment != self._updated:
            self._updated = None


def _matched(ours: Sequence[object], theirs: Sequence[object]) -> Array | None:
    """Where each of ours is among theirs, -1 where it is not; None if both are the same."""
    if ours == theirs:
        return None
    places = {name: place for place, name in enumerate(theirs)}
    return np.array([places.get(name, -1) for name in ours], np.int64)


def _numbered(name: str, numbers: Numbers) -> str:
    """A row's name with the unit's number in place of its place."""

    def number(found: re.Match[str]) -> str:
        block, unit = found[1], int(found[2])
        return f"{block}[{numbers[block][unit]}]" if block in numbers and unit < len(numbers[block]) else found[0]

    return UNIT.sub(number, name)
