"""Carries a state over to a network of another shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tinynets.edits.surgery.plan import SurgeryPlan
from tinynets.edits.surgery.standing import carried_interventions
from tinynets.errors import EditError
from tinynets.nn.interventions import KINDS, recurs
from tinynets.nn.layers import FeatureMap, Layer, Parameter
from tinynets.nn.network import Network, network_from
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import FIRST
from tinynets.training.frozen import frozen_units
from tinynets.training.param_groups import by_unit, parse_key, with_units
from tinynets.training.state import State


def transfer_state(network: Network, state: State, plan: SurgeryPlan) -> None:
    """Change a state of this network into one for a plan: everything that existed keeps its value."""
    after = network_from(plan.described, dtype=network.dtype, input_shape=network.input_shape, rules=network.rules)
    if network.rules > FIRST:
        check_carried(network, after, state, plan)
    interventions = carried_interventions(network, after, plan, state.interventions)
    theta = ParameterMap(network, after, plan, lambda layer: layer.parameters(), state.hyper.seed)
    carried = ParameterMap(network, after, plan, lambda layer: layer.carried(), state.hyper.seed)
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


def _still_frozen(network: Network, after: Network, plan: SurgeryPlan, state: State) -> Array:
    """The new positions of everything that belongs to frozen units, including weights from grown units."""
    found = [np.empty(0, np.int64)]
    for block in network.blocks if plan.block and state.frozen.size else ():
        held = set(np.flatnonzero(frozen_units(network, state.frozen, block)).tolist())
        now = plan.units[block.name] if block.name == plan.block else FeatureMap.same(block.units)
        kept = [new for new, old in enumerate(now.source) if int(old) in held and not now.fresh[new]]
        if kept:
            found.append(after.unit_indices(after.block(block.name), kept))
    return np.unique(np.concatenate(found))


class ParameterMap:
    """Where each value of one flat vector comes from in another: `source`, -1 for fresh values."""

    def __init__(
        self,
        network: Network,
        after: Network,
        plan: SurgeryPlan,
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
        """The new vector: old values times their shares, and fresh values."""
        taken = before.take(np.maximum(self.source, 0), mode="clip") if self.before else self.fresh
        halved = self.share != 1
        made = np.where(self.source < 0, self.fresh, taken)
        made[halved] = (made[halved] * self.share[halved]).astype(self.dtype)
        return made.astype(self.dtype, copy=False)

    def slot(self, before: Array) -> Array:
        """The new slot: old values stay, fresh ones start at zero."""
        taken = before.take(np.maximum(self.source, 0), mode="clip") if self.before else self.fresh
        return np.where(self.kept, taken, 0).astype(before.dtype, copy=False)

    def positions(self, before: Array) -> Array:
        """The new places of these positions."""
        return np.flatnonzero(self.kept & np.isin(self.source, before))


Moved = tuple[Array, Array, Array, bool]
"""Sources, shares, whether values are unchanged; whether the whole array is fresh."""


def _fresh(entry: Parameter) -> Moved:
    return np.full(entry.size, -1), np.ones(entry.size), np.zeros(entry.size, np.bool_), True


def _entry(start: int, old: Parameter, new: Parameter, layer: str, plan: SurgeryPlan) -> Moved:
    """Where the elements of an array come from, along each axis, if from anywhere."""
    units, inputs = plan.units.get(layer), plan.inputs.get(layer)
    axes = [FeatureMap.same(size) for size in old.shape]
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


def _groups(units: FeatureMap, entry: Parameter) -> FeatureMap:
    """The same along an axis where each unit has several places, group after group; there are no shares there."""
    places = np.arange(entry.each)
    starts = np.arange(entry.groups)[:, None, None] * (entry.units * entry.each)
    source = np.where(units.source < 0, -1, units.source * entry.each)[None, :, None]
    along = np.where(source < 0, -1, starts + source + places).reshape(-1)
    fresh = np.broadcast_to(units.fresh[None, :, None], (entry.groups, len(units.fresh), entry.each)).reshape(-1)
    return FeatureMap(along, np.ones(len(along)), fresh)


def _initial(layer: Layer, entry: Parameter, moved: Moved, plan: SurgeryPlan, seed: int) -> Array:
    """The fresh values of an array: given, drawn, or zero for weights from a fresh unit."""
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


def check_carried(network: Network, after: Network, state: State, plan: SurgeryPlan) -> None:
    """Raise EditError if interventions or settings in a state keep a plan from doing what it promises."""
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
        if gone and not KINDS[entry.op].keeps_zero and entry.amount != 0:
            raise EditError(
                f"`{entry}` makes something of zero, so what it stands on cannot be pruned; release it first"
            )
    for entry in carried_interventions(network, after, plan, state.interventions):
        steps = 0 if entry.site.endswith(".pre") else after.time_steps(after.site_block(entry.site))
        if entry.time is not None and not steps:
            raise EditError(f"`{entry}` would stand on a time step where the site has none; release it first")
    _check_settings(network, after, state)


def _check_recurrence(network: Network, plan: SurgeryPlan) -> None:
    """Raise EditError if, under the first rules, a pruned unit would leave a recurrence in which a zeroed one stays."""
    for block in network.blocks:
        if block.name != plan.block or block.last == block.first or not recurs(network.layers[block.first]):
            continue
        if len(set(plan.units[block.name].source.tolist()) - {-1}) < block.units:
            raise EditError(
                f"`{block.name}` cannot have fewer units in a run of an earlier version, where one that is zeroed "
                "still acts within its recurrence"
            )


def _check_settings(network: Network, after: Network, state: State) -> None:
    """Raise EditError if a layer that stays would fall under the settings of another block."""
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


def _settings(settings: Mapping[str, float], plan: SurgeryPlan, names: set[str]) -> dict[str, float]:
    """Settings of blocks and units, without those that are gone."""
    left = {key: value for key, value in settings.items() if parse_key(key)[0] in names}
    had = by_unit(left, plan.block) if plan.block in names and plan.block else {}
    if had:
        features = plan.units[plan.block]
        now = {int(old): new for new, old in enumerate(features.source) if not features.fresh[new]}
        found = {now[unit]: value for unit, value in had.items() if unit in now}
        left = with_units(left, plan.block, found)
    return left
