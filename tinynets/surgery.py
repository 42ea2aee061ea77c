"""Changing the architecture of a living network: what its layers would be after it, and where everything comes from.

A `Plan` says which layers there will be, and of those that change how their units and the features that come in follow
from those that were. From that follows one index for theta, slots, frozen set and rates alike: where each parameter
comes from, or that it is fresh. Widths that must match are refused in words.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tinynets.arrays import Array
from tinynets.block import Block
from tinynets.errors import EditError, ShapeError
from tinynets.interventions import Intervention, acts_at, recurs, stacked
from tinynets.layers import (
    Activation,
    Dropout,
    Features,
    Layer,
    Parallel,
    Parameter,
    Residual,
    describe,
    layer_from,
    named,
)
from tinynets.layers.structure import Add, Join, Next, Split
from tinynets.network import Network, network_from
from tinynets.rules import FIRST
from tinynets.state import State
from tinynets.unit_settings import by_unit, parted, with_units

Described = tuple[dict[str, Any], ...]
KEEP_ZERO = ("zero", "scale")
"""Interventions that leave 0 where 0 comes to them."""
Change = Callable[[str, Layer], list[Layer]]


# -- who takes what a block gives


@dataclass(frozen=True)
class Taker:
    """A layer that what a block gives comes to, by its index, and how its input's features follow from those before."""

    layer: int
    features: Features
    before: int
    """How many features came in."""
    ends: bool
    """It weighs them; a layer that does not passes them on; of one that joins branches they are those that it gives."""


@dataclass
class _Opened:
    """A container on the way: what came in, and what its branches gave; None for what is none of the block's."""

    features: Features | None
    width: int
    outputs: list[tuple[Features | None, int]] = field(default_factory=list)


def takers(network: Network, block: Block, change: Features) -> list[Taker]:
    """Every layer that another width of a block reaches, until each way has come to one that weighs what comes in.

    Raises ShapeError where a width must stay as it is: at the outputs, where something is added, where a layer makes
    something of features that are zero.
    """
    found: list[Taker] = []
    opened: dict[object, _Opened] = {}
    features: Features | None = None
    for index, layer in enumerate(network.layers):
        shape = network.known_shapes[index - 1] if index else network.known_input
        width = shape[-1] or 0
        if isinstance(layer, Split):
            opened[layer.link] = _Opened(features, width)
        elif isinstance(layer, Next):
            opened[layer.link].outputs.append((features, width))
            features = opened[layer.link].features
        elif isinstance(layer, Add | Join):
            features = _joined(layer, opened.pop(layer.link), features, width)
            if features is not None:
                found.append(Taker(index, features, len(features.source), False))
        elif features is not None:
            features = _met(found, index, layer, features, shape)
        if index == block.last:
            features = change
    if features is not None:
        raise ShapeError(f"`{block.name}` gives the network's outputs, whose number its targets fix")
    return found


def _met(
    found: list[Taker], index: int, layer: Layer, features: Features, shape: tuple[int | None, ...]
) -> Features | None:
    """What a layer makes of the features that come to it; None where it ends them."""
    ends = any(entry.input_axis is not None for entry in layer.parameters())
    try:
        after = None if ends else layer.passed_on(features, shape)
    except ShapeError as error:
        raise ShapeError(f"`{layer.name}`: {error}") from None
    found.append(Taker(index, features, shape[-1] or 0, ends))
    return after


def _joined(layer: Add | Join, opened: _Opened, features: Features | None, width: int) -> Features | None:
    outputs = [*opened.outputs, (features, width)]
    if all(entry is None for entry, _ in outputs) and (isinstance(layer, Join) or opened.features is None):
        return None
    if isinstance(layer, Add) or layer.join == "sum":
        raise ShapeError(f"`{layer.name}` adds what comes to it, so the widths must match")
    sources, shares, fresh, start = [], [], [], 0
    for entry, count in outputs:
        part = entry or Features.same(count)
        sources.append(np.where(part.source < 0, -1, part.source + start))
        shares.append(part.share)
        fresh.append(part.fresh)
        start += count
    return Features(np.concatenate(sources), np.concatenate(shares), np.concatenate(fresh))


def outgoing_places(network: Network, block: Block, units: Iterable[int], *, own: bool = True) -> Array:
    """Positions in theta of the weights with which other layers, or (`own`) the block itself, take up these units,
    sorted.
    """
    if block.last == len(network.layers) - 1:
        raise EditError(f"`{block.name}` gives the network's outputs, so it has no outgoing weights")
    if network.layers[block.last].closed:  # a head's own weights are all that there are
        return np.empty(0, np.int64)
    chosen = np.array(sorted(units))
    marked = Features.same(block.units)
    marked.share[chosen] = 2
    try:
        reached = takers(network, block, marked)
    except ShapeError as error:
        raise EditError(f"the outgoing weights of `{block.name}`: {error}") from None
    found = [np.empty(0, np.int64)]
    for taker in reached:
        layer = network.layers[taker.layer]
        for entry in layer.parameters():
            if taker.ends and entry.input_axis is not None:
                start = network.parameter_slice(taker.layer, entry.name).start
                found.append(start + entry.across(entry.input_axis, np.flatnonzero(taker.features.share == 2)))
    for index in range(block.first, block.last + 1) if own else ():
        for entry in network.layers[index].parameters():
            if entry.own_axis is not None:
                found.append(network.parameter_slice(index, entry.name).start + entry.across(entry.own_axis, chosen))
    return np.unique(np.concatenate(found))


def passed_units(network: Network, block: Block, units: Iterable[int]) -> dict[str, Array]:
    """Of each layer that passes these units on, which of its own they are."""
    marked = Features.same(block.units)
    marked.share[list(units)] = 2
    return {
        network.layers[taker.layer].name: np.flatnonzero(taker.features.share == 2)
        for taker in takers(network, block, marked)
        if not taker.ends
    }


# -- other layers


@dataclass
class Plan:
    """The layers that there will be; by name of those that change, their units and the features that come in.

    `initial` makes values of fresh parameters, by layer and parameter; what is neither there nor fresh along its inputs
    is drawn as the layer would, addressed by `ordinal`. Nothing as large as parameters is made for a plan alone.
    """

    layers: list[Layer]
    units: dict[str, Features] = field(default_factory=dict)
    inputs: dict[str, Features] = field(default_factory=dict)
    passed: dict[str, Features] = field(default_factory=dict)
    """Of layers that pass the block's units on, what their own units are."""
    initial: Mapping[tuple[str, str], Callable[[], Array]] = field(default_factory=dict)
    block: str = ""
    """Whose units change."""
    ordinal: int = 0

    @property
    def described(self) -> Described:
        return tuple(describe(layer) for layer in self.layers)


def resize(network: Network, block: Block, change: Features, ordinal: int = 0) -> Plan:
    """The plan of a block with other units. Raises EditError where that cannot be."""
    try:
        if network.layers[block.last].closed:
            raise ShapeError("its heads share the layer's width among them")
        reached = takers(network, block, change)
        arguments, units = _of_block(network, block, change), {}
        for name in arguments:
            units[name] = change
        inputs = {}
        passed = {network.layers[taker.layer].name: taker.features for taker in reached if not taker.ends}
        for taker in reached:
            layer = network.layers[taker.layer]
            if taker.ends:
                arguments[layer.name] = _with(layer, layer.input_setting, len(taker.features.source))
                inputs[layer.name] = taker.features
            elif isinstance(layer, Dropout):
                arguments[layer.name] = layer.with_features(taker.features, taker.before)
        made = {name: layer_from({"kind": network[name].kind, **given}) for name, given in arguments.items()}
    except ShapeError as error:
        raise EditError(f"`{block.name}` cannot have other units: {error}") from None

    def changed(path: str, layer: Layer) -> list[Layer]:
        if path not in made:
            return [layer]
        made[path].name = layer.name
        return [made[path]]

    return Plan(replaced(network.parts, changed), units, inputs, passed, block=block.name, ordinal=ordinal)


def _of_block(network: Network, block: Block, change: Features) -> dict[str, dict[str, Any]]:
    """The arguments of a block's own layers for other units."""
    if block.activation is not None and block.first == block.last:
        raise ShapeError("it has those of what comes to it")
    arguments = {}
    for index in range(block.first, block.last + 1):
        layer = network.layers[index]
        if layer.mixes_units:
            raise ShapeError(f"`{layer.name}` {layer!r} makes each unit of all of them")
        if network.rules > FIRST and recurs(layer) and not layer.taps_itself:
            raise ShapeError(f"`{layer.name}` {layer!r} feeds back what a zeroed unit gave")
        if layer.parameters() or not layer.is_activation:
            arguments[layer.name] = _with(layer, layer.unit_setting, len(change.source))
    return arguments


def _with(layer: Layer, setting: str, count: int) -> dict[str, Any]:
    if not setting:
        raise ShapeError(f"`{layer.name}` {layer!r} must keep the width it has")
    described = describe(layer)
    return {key: value for key, value in described.items() if key not in ("kind", "name")} | {setting: count}


def with_activation(network: Network, block: Block, made: Activation) -> list[Layer]:
    """The layers of a network with another activation in a block, everything else as it is."""
    old = network.layers[block.last]

    def change(path: str, layer: Layer) -> list[Layer]:
        if path != old.name:
            return [layer]
        folder = path.rpartition(".")[0]
        others = [other.name.rpartition(".") for other in network.layers if other is not old]
        taken = {name for beside, _, name in others if beside == folder}
        return [_renamed(made, layer, taken, keep_name=block.first == block.last)]

    return replaced(network.parts, change)


def replaced(layers: Sequence[Layer], change: Change, prefix: str = "") -> list[Layer]:
    """Copies of the layers with some of them made others, in containers too; all the others keep their names.

    `change(path, layer)` gives what stands in the place of one.
    """
    made: list[Layer] = []
    for layer in named(layers):
        path = prefix + layer.name
        if isinstance(layer, Residual):
            layer.layers = replaced(layer.layers, change, f"{path}.")
        elif isinstance(layer, Parallel):
            layer.branches = [
                replaced(branch, change, f"{path}.branch{number}.") for number, branch in enumerate(layer.branches, 1)
            ]
        made += change(path, layer)
    return made


def _renamed(made: Layer, old: Layer, taken: set[str], keep_name: bool) -> Layer:
    """A copy of a layer to stand in the place of another.

    It keeps the other's name where that was given to it, or names a block; `tanh1` becomes `relu1`.
    """
    made = copy.copy(made)
    automatic = re.fullmatch(rf"{old.kind.replace('-', '_')}\d+", old.name)
    if keep_name or not automatic:
        made.name = old.name
        return made
    kind = made.kind.replace("-", "_")
    made.name = next(name for number in range(1, len(taken) + 2) if (name := f"{kind}{number}") not in taken)
    return made


def outline(network: Network, described: Iterable[Mapping[str, Any]]) -> Network:
    """A network of these layers to look at, for the same input: its parameters take no memory and cannot be used."""
    layers = [layer_from(dict(entry)) for entry in described]
    nothing = np.zeros((), network.dtype)
    return Network(
        layers,
        dtype=network.dtype,
        input_shape=tuple(n or 0 for n in network.known_input[1:]) if network.input_shape is not None else None,
        theta=nothing,
        carried=nothing,
        rules=network.rules,
    )


# -- carrying a state over


def carry_over(network: Network, state: State, plan: Plan) -> None:
    """Make a state, whose network this is, that of a plan: everything that was there stays what it was."""
    after = network_from(plan.described, dtype=network.dtype, input_shape=network.input_shape, rules=network.rules)
    if network.rules > FIRST:
        check_carried(network, after, state, plan)
    interventions = _standing(network, after, plan, state.interventions)
    theta = _Moved(network, after, plan, lambda layer: layer.parameters(), state.hyper.seed)
    carried = _Moved(network, after, plan, lambda layer: layer.carried(), state.hyper.seed)
    frozen, frozen_buffers = theta.positions(state.frozen), carried.positions(state.frozen_buffers)
    frozen = np.union1d(frozen, _still_frozen(network, after, plan, state))
    state.slots = {name: theta.slot(slot) for name, slot in state.slots.items()}
    state.theta, state.buffers = theta.values(state.theta), carried.values(state.buffers)
    state.frozen, state.frozen_buffers = frozen, frozen_buffers
    state.architecture = after.architecture
    state.interventions = interventions
    names = {block.name for block in after.blocks}
    changed: dict[str, Any] = {key: _settings(getattr(state.hyper, key), plan, names) for key in ("rates", "l1", "l2")}
    state.hyper = replace(state.hyper, **changed)


def _still_frozen(network: Network, after: Network, plan: Plan, state: State) -> Array:
    """Where all that belongs to units that were frozen is now: the weights from units that have grown too."""
    found = [np.empty(0, np.int64)]
    for block in network.blocks if plan.block and state.frozen.size else ():
        has, frozen = network.shares_in(block, state.frozen)
        held = set(np.flatnonzero((has > 0) & (has == frozen)).tolist())
        now = plan.units[block.name] if block.name == plan.block else Features.same(block.units)
        kept = [new for new, old in enumerate(now.source) if int(old) in held and not now.fresh[new]]
        if kept:
            found.append(after.unit_indices(after.block(block.name), kept))
    return np.unique(np.concatenate(found))


class _Moved:
    """Where each value of one flat vector comes from in another: `source`, -1 for what is fresh."""

    def __init__(
        self,
        network: Network,
        after: Network,
        plan: Plan,
        entries: Callable[[Layer], tuple[Parameter, ...]],
        seed: int,
    ) -> None:
        starts: dict[tuple[str, str], tuple[int, Parameter]] = {}
        at = 0
        for layer in network.layers:
            for entry in entries(layer):
                starts[layer.name, entry.name] = at, entry
                at += entry.size
        self.before, self.dtype = at, network.dtype
        sources, shares, kept, fresh = [np.empty(0, np.int64)], [np.empty(0)], [np.empty(0, np.bool_)], [np.empty(0)]
        for layer in after.layers:
            for entry in entries(layer):
                place = starts.get((layer.name, entry.name))
                moved = _fresh(entry) if place is None else _entry(*place, entry, layer.name, plan)
                sources.append(moved[0])
                shares.append(moved[1])
                kept.append(moved[2])
                fresh.append(_initial(layer, entry, moved, plan, seed))
        self.source, self.share, self.kept = np.concatenate(sources), np.concatenate(shares), np.concatenate(kept)
        with np.errstate(over="ignore"):
            self.fresh = np.concatenate(fresh).astype(self.dtype)
        if not np.isfinite(self.fresh).all():
            raise EditError(f"what is new would be drawn with values beyond {self.dtype}")

    def values(self, before: Array) -> Array:
        """The vector: what was there, its share of it, and what is fresh."""
        taken = before.take(np.maximum(self.source, 0), mode="clip") if self.before else self.fresh
        halved = self.share != 1
        made = np.where(self.source < 0, self.fresh, taken)
        made[halved] = (made[halved] * self.share[halved]).astype(self.dtype)
        return made.astype(self.dtype, copy=False)

    def slot(self, before: Array) -> Array:
        """A slot: what was there stays, what is fresh starts at zero."""
        taken = before.take(np.maximum(self.source, 0), mode="clip") if self.before else self.fresh
        return np.where(self.kept, taken, 0).astype(before.dtype, copy=False)

    def positions(self, before: Array) -> Array:
        """Where these positions are now."""
        return np.flatnonzero(self.kept & np.isin(self.source, before))


Moved = tuple[Array, Array, Array, bool]
"""Sources, shares, whether it is the very same value; whether the whole array is fresh."""


def _fresh(entry: Parameter) -> Moved:
    return np.full(entry.size, -1), np.ones(entry.size), np.zeros(entry.size, np.bool_), True


def _entry(start: int, old: Parameter, new: Parameter, layer: str, plan: Plan) -> Moved:
    """Where the elements of an array come from: along each axis from somewhere, or from nowhere."""
    units, inputs = plan.units.get(layer), plan.inputs.get(layer)
    axes = [Features.same(size) for size in old.shape]
    if units is not None and old.own_axis is not None:
        axes[old.own_axis] = units
    if units is not None and old.unit_axis is not None:
        axes[old.unit_axis] = _groups(units, old)
    if inputs is not None and old.input_axis is not None:
        axes[old.input_axis] = inputs
    source: Array = np.full((), start, np.int64)
    share: Array = np.ones(())
    missing: Array = np.zeros((), np.bool_)
    fresh: Array = missing
    for axis, size in zip(axes, old.shape, strict=True):
        source = (source - start)[..., None] * size + axis.source + start
        share = share[..., None] * np.where(axis.source < 0, 1, axis.share)
        missing, fresh = missing[..., None] | (axis.source < 0), fresh[..., None] | axis.fresh
    source, missing = source.reshape(-1), missing.reshape(-1)
    return np.where(missing, -1, source), share.reshape(-1), ~(missing | fresh.reshape(-1)), False


def _groups(units: Features, entry: Parameter) -> Features:
    """The same along an axis where each unit has several places, group after group; nothing is shared there."""
    places = np.arange(entry.each)
    starts = np.arange(entry.groups)[:, None, None] * (entry.units * entry.each)
    source = np.where(units.source < 0, -1, units.source * entry.each)[None, :, None]
    along = np.where(source < 0, -1, starts + source + places).reshape(-1)
    fresh = np.broadcast_to(units.fresh[None, :, None], (entry.groups, len(units.fresh), entry.each)).reshape(-1)
    return Features(along, np.ones(len(along)), fresh)


def _initial(layer: Layer, entry: Parameter, moved: Moved, plan: Plan, seed: int) -> Array:
    """What is fresh of an array: given, drawn, or zero where it weighs a unit that is fresh."""
    given = plan.initial.get((layer.name, entry.name))
    if given is not None:
        return given().reshape(-1)
    if not (moved[0] < 0).any():
        return np.zeros(entry.size)
    purpose = f"{'insert' if moved[3] else 'grow'}/{layer.name}.{entry.name}/{plan.ordinal}"
    drawn = entry.init.draw(seed, purpose, entry.shape, entry.fan_in, entry.fan_out).astype(np.float64)
    for axis, change in ((entry.own_axis, plan.units), (entry.input_axis, plan.inputs)):
        features = change.get(layer.name)
        if axis is not None and features is not None:
            np.moveaxis(drawn, axis, 0)[features.source < 0] = 0
    return drawn.reshape(-1)


def check_carried(network: Network, after: Network, state: State, plan: Plan) -> None:
    """Raise EditError where what stands in a state, or is set there, keeps a plan from doing what it promises."""
    if network.rules == FIRST:
        _check_recurrence(network, plan)
    for entry in state.interventions:
        features = plan.passed.get(network.site_block(entry.site).name)
        if features is None:
            continue
        if network.rules == FIRST:
            raise EditError(
                f"`{entry}` stands on what `{plan.block}` gives on, and would not follow it in a run of an earlier "
                "version; release it first"
            )
        gone = frozenset(entry.units) - frozenset(features.source.tolist())
        if gone and entry.op not in KEEP_ZERO and entry.amount != 0:
            raise EditError(
                f"`{entry}` makes something of zero, so what it stands on cannot be pruned; release it first"
            )
    for entry in _standing(network, after, plan, state.interventions):
        steps = 0 if entry.site.endswith(".pre") else after.time_steps(after.site_block(entry.site))
        if entry.time is not None and not steps:
            raise EditError(f"`{entry}` would stand on a time step where the site has none; release it first")
    _check_settings(network, after, state)


def _check_recurrence(network: Network, plan: Plan) -> None:
    """Raise EditError where, by the first rules, a pruned unit would leave a recurrence in which a zeroed one stays."""
    for block in network.blocks:
        if block.name != plan.block or block.last == block.first or not recurs(network.layers[block.first]):
            continue
        if len(set(plan.units[block.name].source.tolist()) - {-1}) < block.units:
            raise EditError(
                f"`{block.name}` cannot have fewer units in a run of an earlier version, where one that is zeroed "
                "still acts within its recurrence"
            )


def _standing(
    network: Network, after: Network, plan: Plan, interventions: Iterable[Intervention]
) -> tuple[Intervention, ...]:
    """The interventions where they stand now, with their units as they are numbered now; on what is gone none.

    Where two sites have become one, what stood on the earlier one comes first.
    """
    kept: list[tuple[int, Intervention]] = []
    for entry in interventions:
        site, units = _site_now(network, after, entry), _units_now(network, plan, entry)
        if site and units is not None:
            now = replace(units, site=site) if network.rules == FIRST else units.at(site)
            _check_moved(network, after, entry, now)
            kept.append((network.site(entry.site), now))
        elif not site and network.rules > FIRST:
            raise EditError(f"`{entry}` stands on what would be gone; release it first")
    if len({place for place, _ in kept}) > len({entry.site for _, entry in kept}):
        kept.sort(key=lambda pair: pair[0])
    made: tuple[Intervention, ...] = ()
    for _, entry in kept:
        made = stacked(after, made, entry)
    return made


def _site_now(network: Network, after: Network, entry: Intervention) -> str:
    """What the site of an intervention is called now; empty where its block is gone.

    It lies behind the same layer or, where that is gone, what is in its place. Raises EditError where no site is.
    """
    block, layer = network.site_block(entry.site), network.layers[network.site(entry.site)].name
    sites = {after.layers[other.last].name: other.name for other in after.blocks}
    sites |= {after.layers[other.pre].name: f"{other.name}.pre" for other in after.blocks if other.pre is not None}
    if layer in sites:
        return sites[layer]
    if any(other.name == layer for other in after.layers):
        raise EditError(f"`{entry}` would stand in the middle of a block, where no site is; release it first")
    now = next((other for other in after.blocks if other.name == block.name), None)
    if now is None:
        return ""
    if network.rules > FIRST and (instead := _place_of(network, after, layer)) in sites:
        return sites[instead]
    return entry.site if now.pre is not None else now.name


def _check_moved(network: Network, after: Network, entry: Intervention, now: Intervention) -> None:
    """Raise EditError where an intervention would act elsewhere than it did, or on what is not there."""
    if max(now.units) >= after.site_block(now.site).units:
        raise EditError(f"`{entry}` stands on units that would be gone; release it first")
    if network.rules == FIRST:
        return
    there = {layer.name: layer for layer in after.layers}
    was = [network.layers[index].name for index in acts_at(network, entry)]
    would = [after.layers[index].name for index in acts_at(after, now)]
    elsewhere = set(would).symmetric_difference(name for name in was if name in there)
    moves = was[-1] not in there and would[-1] == _place_of(network, after, was[-1])
    if elsewhere and not (moves and not any(there[name].taps_itself for name in elsewhere)):
        raise EditError(f"`{entry}` acts at {_names(was)}, and would act at {_names(would)}; release it first")


def _place_of(network: Network, after: Network, gone: str) -> str:
    """Behind which layer a value now is that was behind `gone`: what has come in its place, or what was before it."""
    old, new = [layer.name for layer in network.layers], [layer.name for layer in after.layers]
    before = next((name for name in reversed(old[: old.index(gone)]) if name in new), None)
    at = 0 if before is None else new.index(before) + 1
    while at < len(new) and new[at] not in old:
        at += 1
    return new[at - 1] if at else ""


def _names(layers: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in layers)


def _units_now(network: Network, plan: Plan, entry: Intervention) -> Intervention | None:
    """An intervention with its units as they are numbered now, parts of a split one too; None where none is left."""
    block = network.site_block(entry.site).name
    features = plan.units[block] if block == plan.block else plan.passed.get(block)
    if features is None or (network.rules == FIRST and block != plan.block):
        return entry
    return _followed(network, entry, features)


def _followed(network: Network, entry: Intervention, features: Features) -> Intervention | None:
    places = {unit: place for place, unit in enumerate(entry.units)}
    now = [(places[int(old)], new) for new, old in enumerate(features.source) if int(old) in places]
    if not now:
        return None
    return entry.renumbered(now, network.layers[network.site(entry.site)].site_axis)


def exchanged(
    network: Network, standing: Iterable[Intervention], block: Block, change: Features, *, behind: bool
) -> tuple[Intervention, ...]:
    """What stands, each on the unit that it stood on when units of a block have other numbers.

    `behind`: what stands on the layers that pass them on follows too.
    """
    changes = {block.name: change}
    if behind and not network.layers[block.last].closed:
        reached = takers(network, block, change)
        changes |= {network.layers[taker.layer].name: taker.features for taker in reached if not taker.ends}
    made = []
    for entry in standing:
        features = changes.get(network.site_block(entry.site).name)
        moved = entry if features is None else _followed(network, entry, features)
        made += [moved] if moved is not None else []
    return tuple(made)


def _check_settings(network: Network, after: Network, state: State) -> None:
    """Raise EditError where a layer that stays would come to learn by the settings of another block."""
    for name in ("rates", "l1", "l2"):
        held: dict[str, Mapping[str, float]] = {}
        for key, value in getattr(state.hyper, name).items():
            block, _, units = key.partition("[")
            held[block] = {**held.get(block, {}), units: value}
        owners = _owners(network)
        for layer, now in _owners(after).items():
            was = owners.get(layer)
            if was is not None and was != now and held.get(was) != held.get(now):
                what = {"rates": "rate"}.get(name, name)
                raise EditError(f"`{layer}` would go from block `{was}` to `{now}` and learn by another `{what}`")


def _owners(network: Network) -> dict[str, str]:
    """The block of each layer that has parameters."""
    return {
        layer.name: block.name
        for block in network.blocks
        for layer in network.layers[block.first : block.last + 1]
        if layer.parameters()
    }


def _settings(settings: Mapping[str, float], plan: Plan, names: set[str]) -> dict[str, float]:
    """Settings of blocks and units, those of what is gone left out."""
    left = {key: value for key, value in settings.items() if parted(key)[0] in names}
    had = by_unit(left, plan.block) if plan.block in names and plan.block else {}
    if had:
        features = plan.units[plan.block]
        now = {int(old): new for new, old in enumerate(features.source) if not features.fresh[new]}
        found = {now[unit]: value for unit, value in had.items() if unit in now}
        left = with_units(left, plan.block, found)
    return left
