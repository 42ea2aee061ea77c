"""Carries interventions over a change of the layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tinynets.edits.surgery.plan import SurgeryPlan
from tinynets.edits.surgery.reach import consumers
from tinynets.errors import EditError
from tinynets.nn.block import Block
from tinynets.nn.interventions import Intervention, acts_at, pushed
from tinynets.nn.layers import FeatureMap
from tinynets.nn.network import Network
from tinynets.numerics.rules import FIRST


def carried_interventions(
    network: Network, after: Network, plan: SurgeryPlan, interventions: Iterable[Intervention]
) -> tuple[Intervention, ...]:
    """The interventions at their new sites, with their units renumbered; those on removed units are left out.

    If two sites have become one, the interventions of the earlier site come first.
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
        made = pushed(after, made, entry)
    return made


def _site_now(network: Network, after: Network, entry: Intervention) -> str:
    """The new name of an intervention's site; empty if its block is gone.

    It lies behind the same layer or, if that is gone, its replacement. Raises EditError if there is no site.
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
    """Raise EditError if an intervention would act elsewhere than before, or on something that does not exist."""
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
    """The layer that now gives the value that was behind `gone`: its replacement, or the layer before it."""
    old, new = [layer.name for layer in network.layers], [layer.name for layer in after.layers]
    before = next((name for name in reversed(old[: old.index(gone)]) if name in new), None)
    at = 0 if before is None else new.index(before) + 1
    while at < len(new) and new[at] not in old:
        at += 1
    return new[at - 1] if at else ""


def _names(layers: Iterable[str]) -> str:
    return " and ".join(f"`{name}`" for name in layers)


def _units_now(network: Network, plan: SurgeryPlan, entry: Intervention) -> Intervention | None:
    """An intervention with its units renumbered, including the parts of a split one; None if none is left."""
    block = network.site_block(entry.site).name
    features = plan.units[block] if block == plan.block else plan.passed.get(block)
    if features is None or (network.rules == FIRST and block != plan.block):
        return entry
    return _followed(network, entry, features)


def _followed(network: Network, entry: Intervention, features: FeatureMap) -> Intervention | None:
    places = {unit: place for place, unit in enumerate(entry.units)}
    now = [(places[int(old)], new) for new, old in enumerate(features.source) if int(old) in places]
    if not now:
        return None
    return entry.renumbered(now, network.layers[network.site(entry.site)].site_axis)


def exchanged(
    network: Network, standing: Iterable[Intervention], block: Block, change: FeatureMap, *, behind: bool
) -> tuple[Intervention, ...]:
    """The interventions after a renumbering of a block's units, each still on its unit.

    `behind`: interventions on the layers that pass the units on follow too.
    """
    changes = {block.name: change}
    if behind and not network.layers[block.last].closed:
        reached = consumers(network, block, change)
        changes |= {network.layers[consumer.layer].name: consumer.features for consumer in reached if not consumer.ends}
    made = []
    for entry in standing:
        features = changes.get(network.site_block(entry.site).name)
        moved = entry if features is None else _followed(network, entry, features)
        made += [moved] if moved is not None else []
    return tuple(made)
