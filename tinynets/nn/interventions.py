"""Interventions on activations, and the arithmetic that they amount to at each site.

They stack in the order in which they were made. One that sets values (zero, mean, clamp, patch, resample) covers
earlier ones on its units. All interventions at a site combine into one multiplication and one addition, and only the
addition is ever random (noise, resample). So they cost little, and gradients flow through the multiplication.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from tinynets.nn.layers import Layer
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, format_units
from tinynets.nn.taps import Tap
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, Shape, Values
from tinynets.numerics.rules import FIRST


@dataclass(frozen=True)
class InterventionKind:
    """A kind of intervention, and what it does to the activations of its units."""

    does: Literal["sets", "adds", "multiplies"]
    """One that sets gives units its own values, whatever they were."""
    draws: bool = False
    """Its values are random, drawn anew for each batch."""
    zeroes: bool = False
    """The values that it sets are 0."""

    @property
    def sets(self) -> bool:
        return self.does == "sets"

    @property
    def keeps_zero(self) -> bool:
        """Whether it leaves 0 where 0 comes to it."""
        return self.zeroes or self.does == "multiplies"

    @property
    def pools(self) -> bool:
        """Whether its values are examples, one of which is drawn for each row of a batch."""
        return self.sets and self.draws

    @property
    def adds_noise(self) -> bool:
        """Whether what it adds is drawn for each unit."""
        return self.does == "adds" and self.draws


KINDS: dict[str, InterventionKind] = {
    "zero": InterventionKind("sets", zeroes=True),
    "mean": InterventionKind("sets"),
    "resample": InterventionKind("sets", draws=True),
    "clamp": InterventionKind("sets"),
    "scale": InterventionKind("multiplies"),
    "noise": InterventionKind("adds", draws=True),
    "patch": InterventionKind("sets"),
    "steer": InterventionKind("adds"),
}


@dataclass(frozen=True)
class Intervention:
    """An operation on activations in force, such as `zero` on units 3 and 4 of the site `hidden` or `hidden.pre`.

    `amount` is the value, factor or sigma of clamp, scale and noise. `values` are what mean, patch and steer set or
    add, shaped like an example at the site, with its units in the order of `units`; for resample, several such
    examples. Random numbers are addressed by the edit (its `ordinal`), the site and the step, and, where a split is
    evaluated in parts, by the part's place in it (but not under the first rules). `rows` says which row of that drawing
    belongs to each unit, so that units keep their numbers when others are pruned; `origin` is the site's original name.
    """

    op: str
    site: str
    units: tuple[int, ...]
    time: int | None = None
    """One time step of a recurrent layer; None: all."""
    amount: float | None = None
    values: Values | None = None
    ordinal: int | None = None
    rows: tuple[int, ...] | None = None
    origin: str | None = None

    def __str__(self) -> str:
        return f"{self.op} {self.selector()}" + (f" {self.amount:g}" if self.amount is not None else "")

    def selector(self) -> str:
        time = "" if self.time is None else f"@t={self.time}"
        return f"{self.site}{format_units(self.units)}{time}"

    def config(self) -> dict[str, Any]:
        """Plain data and arrays; fields without a value are left out."""
        more = {
            "amount": self.amount,
            "values": None if self.values is None else self.values.array,
            "ordinal": self.ordinal,
            "rows": None if self.rows is None else list(self.rows),
            "origin": self.origin,
        }
        known = {key: value for key, value in more.items() if value is not None}
        return {"op": self.op, "site": self.site, "units": list(self.units), "time": self.time, **known}

    def of_units(self, kept: Sequence[int], numbers: Sequence[int], axis: int) -> Intervention:
        """The same on only some of its units (given by their places in `units`), which now have these numbers."""
        values = self.values
        if values is not None:
            values = Values(values.array.take(list(kept), axis=self.unit_axis(axis)))
        rows = self.rows
        if KINDS[self.op].adds_noise:
            rows = tuple((self.rows or self.units)[place] for place in kept)
        return replace(self, units=tuple(numbers), values=values, rows=rows)

    def at(self, site: str) -> Intervention:
        """The same at a site of another name, with the same random numbers as before."""
        if site == self.site or not KINDS[self.op].draws:
            return replace(self, site=site)
        origin = self.origin or self.site
        return replace(self, site=site, origin=None if origin == site else origin)

    def renumbered(self, now: Sequence[tuple[int, int]], axis: int) -> Intervention:
        """The same on renumbered units: for each, its place in `units` and its number now."""
        rising = sorted(now, key=lambda pair: pair[1])
        return self.of_units([place for place, _ in rising], [number for _, number in rising], axis)

    def negated(self, flipped: Iterable[int], axis: int) -> tuple[Intervention, ...]:
        """The same after the outputs of some units changed sign: one for the other units, one for these."""
        wanted = frozenset(flipped)
        turned = [place for place, unit in enumerate(self.units) if unit in wanted]
        if not turned or KINDS[self.op].keeps_zero:
            return (self,)
        left = [place for place in range(len(self.units)) if place not in turned]
        stay = (self.of_units(left, [self.units[place] for place in left], axis),) if left else ()
        other = self.of_units(turned, [self.units[place] for place in turned], axis)
        if KINDS[self.op].adds_noise:  # the same noise is drawn, so the sign is turned back before it is added
            turn = Intervention("scale", self.site, other.units, self.time, -1.0)
            return (*stay, turn, other, turn)
        amount = None if other.amount is None else -other.amount
        values = None if other.values is None else Values(-other.values.array)
        return (*stay, replace(other, amount=amount, values=values))

    def unit_axis(self, site_axis: int) -> int:
        """The unit axis of `values`, given that of an example at the site."""
        return site_axis + 1 if KINDS[self.op].pools and site_axis >= 0 else site_axis

    @property
    def nbytes(self) -> int:
        return 0 if self.values is None else self.values.array.nbytes


# -- which are in force


def pushed(network: Network, standing: Iterable[Intervention], new: Intervention) -> tuple[Intervention, ...]:
    """The interventions in force with a new one on top; one that sets values covers earlier ones."""
    if KINDS[new.op].sets:
        standing = without_units(network, standing, new.site, new.units, new.time)
    return (*standing, new)


class InterventionStack:
    """The interventions in force during many changes; each change takes work in proportion to the units named.

    Which units are covered is noted; only at the end is each intervention cut down to the units left to it.
    """

    def __init__(self, network: Network, standing: Iterable[Intervention]) -> None:
        self._network = network
        self._entries: list[Intervention] = []
        self._gone: list[set[int]] = []
        self._at: dict[tuple[str, int], dict[int | None, list[int]]] = {}
        """The entries on each unit of a site, by time step."""
        for entry in standing:
            self._add(entry)

    def put(self, new: Intervention) -> None:
        """Add one on top; if it sets values, it covers earlier ones."""
        if KINDS[new.op].sets:
            self.take_off(new.site, new.units, new.time)
        self._add(new)

    def _add(self, entry: Intervention) -> None:
        for unit in entry.units:
            self._at.setdefault((entry.site, unit), {}).setdefault(entry.time, []).append(len(self._entries))
        self._entries.append(entry)
        self._gone.append(set())

    def take_off(self, site: str, units: Iterable[int], time: int | None) -> None:
        """Remove the interventions on these units, at one time step or (None) at all of them."""
        for unit in units:
            there = self._at.get((site, unit), {})
            for at in list(there) if time is None else [time]:
                for number in there.pop(at, ()):
                    self._gone[number].add(unit)

    def settled(self) -> tuple[Intervention, ...]:
        """The interventions in force now, each on the units left to it."""
        made = []
        for entry, gone in zip(self._entries, self._gone, strict=True):
            kept = [place for place, unit in enumerate(entry.units) if unit not in gone]
            if kept and len(kept) < len(entry.units):
                axis = self._network.layers[self._network.site(entry.site)].site_axis
                entry = entry.of_units(kept, [entry.units[place] for place in kept], axis)
            made += [entry] if kept else []
        return tuple(made)


def released(network: Network, standing: Iterable[Intervention], selector: Selector) -> tuple[Intervention, ...]:
    """The interventions without the units that the selector names at its site."""
    return without_units(network, standing, selector.site, selector.units, selector.time)


def without_units(
    network: Network, standing: Iterable[Intervention], site: str, units: Iterable[int], time: int | None
) -> tuple[Intervention, ...]:
    gone, left = frozenset(units), []
    for entry in standing:
        if entry.site == site and time in (None, entry.time):
            kept = [place for place, unit in enumerate(entry.units) if unit not in gone]
            if not kept:
                continue
            if len(kept) < len(entry.units):
                axis = network.layers[network.site(site)].site_axis
                entry = entry.of_units(kept, [entry.units[place] for place in kept], axis)
        left.append(entry)
    return tuple(left)


# -- their arithmetic


def recurs(layer: Layer) -> bool:
    """Whether a layer is recurrent: its units feed back into it at the next step."""
    return any(entry.own_axis is not None for entry in layer.parameters())


def acts_at(network: Network, entry: Intervention) -> list[int]:
    """Indices of the layers where an intervention acts: that of its site, and for a zeroed unit its recurrent layer."""
    site = network.site(entry.site)
    block = network.site_block(entry.site)
    if not KINDS[entry.op].zeroes or network.rules == FIRST or site != block.last or site == block.first:
        return [site]
    layer, *joined = network.layers[block.first : block.last + 1]
    within = layer.taps_itself and recurs(layer) and not any(other.mixes_units for other in joined)
    return [block.first, site] if within else [site]


def compile_taps(
    network: Network, interventions: Iterable[Intervention], *, seed: int, step: Callable[[], int]
) -> list[Tap | None]:
    """The tap behind each layer, or None. Random terms follow the seed and the step of each forward."""
    by_layer: dict[int, list[Intervention]] = {}
    for entry in interventions:
        for index in acts_at(network, entry):
            by_layer.setdefault(index, []).append(entry)
    compiled: list[Tap | None] = [None] * len(network.layers)
    with np.errstate(over="ignore", invalid="ignore"):  # a step finds and names infinite values
        for index, entries in by_layer.items():
            compiled[index] = _tap(network, index, entries, seed, step)
    return compiled


class _Affine:
    """out * multiply + add over an example at a site, combined intervention by intervention."""

    def __init__(self, multiply: Array, add: Array) -> None:
        self.multiply, self.add = multiply, add

    def over_time(self, steps: int) -> None:
        """Give each time step its own factors and terms."""
        self.multiply, self.add = (
            array if array.ndim > 1 else np.broadcast_to(array, (steps, len(array))).copy()
            for array in (self.multiply, self.add)
        )

    def do(self, entry: Intervention, axis: int, where: Any) -> None:
        if KINDS[entry.op].does == "multiplies":
            self.multiply[where] *= entry.amount
            self.add[where] *= entry.amount
            return
        values: Any = 0.0 if entry.amount is None else entry.amount
        if entry.values is not None:
            values = entry.values.array
            if entry.time is None and values.ndim > 1:
                shape = list(values.shape)
                shape[axis] = self.add.shape[axis]
                self.add = np.broadcast_to(self.add, np.broadcast_shapes(self.add.shape, tuple(shape))).copy()
        if KINDS[entry.op].does == "adds":
            self.add[where] += values
        else:
            self.multiply[where] = 0
            self.add[where] = values


Stage = Callable[[Array, int], None]
"""Changes the added values (B, ...) in place when they are drawn, given the place of the first example in its split."""


def _tap(network: Network, index: int, entries: list[Intervention], seed: int, step: Callable[[], int]) -> Tap:
    layer, block = network.layers[index], network.site_block(entries[0].site)
    ones = layer.by_unit(np.ones(block.units, network.dtype))
    whole, axis = _Affine(ones.copy(), np.zeros_like(ones)), layer.site_axis
    steps = network.time_steps(block) if any(entry.time is not None for entry in entries) else 0
    stages: list[Stage] = []
    part = whole
    for entry in entries:
        if steps:
            part.over_time(steps)
        where = _where(entry, axis)
        if KINDS[entry.op].draws:
            stages += [_adds(part)] if stages else []
            stages.append(_draws(entry, axis, seed, step, by_place=network.rules > FIRST))
            if KINDS[entry.op].sets:
                whole.multiply[where] = 0
            part = _Affine(np.ones_like(whole.multiply), np.zeros_like(whole.multiply))
            continue
        part.do(entry, axis, where)
        if part is not whole:
            _Affine(whole.multiply, np.zeros_like(whole.multiply)).do(replace(entry, values=None), axis, where)
    if not stages:
        return Tap(whole.multiply, whole.add)
    stages.append(_adds(part))
    drawn = frozenset(unit for entry in entries if KINDS[entry.op].draws for unit in entry.units)
    return Tap(whole.multiply, whole.add, Drawing(network.site_shape(index), whole.add, stages), drawn)


def _where(entry: Intervention, axis: int) -> tuple[Any, ...]:
    """The index of the entry's units in an example at the site, or in a batch."""
    units = np.array(entry.units)
    if axis >= 0:
        return (..., units, slice(None), slice(None))
    return (..., units) if entry.time is None else (..., entry.time, units)


def _adds(part: _Affine) -> Stage:
    def stage(add: Array, place: int) -> None:
        np.multiply(add, part.multiply, add)
        np.add(add, part.add, add)

    return stage


def _draws(entry: Intervention, axis: int, seed: int, step: Callable[[], int], *, by_place: bool) -> Stage:
    address, where = f"{entry.op}/{entry.origin or entry.site}/{entry.ordinal}", _where(entry, axis)

    def purpose(place: int) -> str:
        return f"{address}/{place}" if place and by_place else address

    def resample(add: Array, place: int) -> None:
        assert entry.values is not None
        pool = entry.values.array
        chosen = rng.integers(seed, purpose(place), step(), len(pool), (len(add),))
        add[where] = pool[chosen].astype(add.dtype, copy=False)

    def noise(add: Array, place: int) -> None:
        rows, by_unit = np.array(entry.rows or entry.units), axis + (axis >= 0)
        there = np.moveaxis(add[where], by_unit, 0)
        count = int(rows.max()) + 1
        drawn = rng.normal_rows(seed, purpose(place), step(), count, there[0].size)[rows]
        added = (drawn * entry.amount).reshape(there.shape)
        add[where] += np.moveaxis(added, 0, by_unit).astype(add.dtype)

    return resample if KINDS[entry.op].pools else noise


class Drawing:
    """The random term at a site, drawn for a batch; `place` is the index of its first example in the split."""

    def __init__(self, shape: Shape, first: Array, stages: list[Stage]) -> None:
        self.shape, self.first, self.stages = shape, first, stages
        self.place = 0

    def __call__(self, batch: int) -> Array:
        add = np.empty((batch, *self.shape), self.first.dtype)
        add[...] = self.first
        for stage in self.stages:
            stage(add, self.place)
        return add


@contextmanager
def examples_from(network: Network, place: int) -> Iterator[None]:
    """Draw random terms for the examples from this place of their split on, not for its first ones."""
    drawings = [tap.draw for tap in network.taps if tap is not None and isinstance(tap.draw, Drawing)]
    try:
        for drawing in drawings:
            drawing.place = place
        yield
    finally:
        for drawing in drawings:
            drawing.place = 0
