"""Edits of learning: freeze and unfreeze units or weights, and set factors on learning rates.

Freezing keeps every byte: of a unit's incoming weights, bias, gain, shift and running statistics, and of their
optimizer slots; of its outgoing weights only on request. Parameters that belong to no single unit of a block are frozen
exactly while all its units are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinynets.edits.arguments import flag, number
from tinynets.edits.edit import Edit, Operation
from tinynets.edits.kinds import FLAG, FROZEN, LEARNED, LEARNED_OR_ELEMENTS, NUMBER, Argument
from tinynets.edits.surgery.reach import outgoing_places
from tinynets.errors import EditError
from tinynets.nn.block import Block
from tinynets.nn.network import Network
from tinynets.nn.selectors import ParameterSelector, Selector, select, select_learned
from tinynets.numerics.arrays import Array
from tinynets.training.frozen import frozen_mask
from tinynets.training.param_groups import UnitRates
from tinynets.training.state import State


@dataclass(frozen=True)
class Learned:
    """Places in theta and in the carried arrays, and their name."""

    what: str
    places: Array
    carried: Array
    blocks: tuple[Block, ...]
    """The blocks of the units, if they are units."""


def learned(network: Network, op: str, target: str, args: dict[str, Any]) -> Learned:
    """The places that an edit of learning acts on; raises EditError or SelectorError."""
    outgoing, others = flag(op, args, "outgoing"), flag(op, args, "others")
    selector = select_learned(network, target)
    none = np.empty(0, np.int64)
    if isinstance(selector, ParameterSelector):
        if outgoing:
            raise EditError(f"`{selector}` is a parameter; only units have outgoing weights")
        found = Learned(str(selector), selector.places(network), none, ())
    else:
        block = _of_units(network, selector)
        places, carried = network.unit_indices(block, selector.units), network.carried_indices(block, selector.units)
        if outgoing:
            places = np.union1d(places, outgoing_places(network, block, selector.units))
        if not places.size:
            raise EditError(f"`{selector}` has no parameters, so there is nothing to freeze")
        what = f"{selector} and what it gives on" if outgoing else str(selector)
        found = Learned(what, places, carried, (block,))
    if others:
        places = _others(np.ones(network.theta.size, np.bool_), found.places)
        if not places.size:
            raise EditError(f"`{selector}` is all there is, so there are no others to freeze")
        learned_there = np.zeros(network.carried.size, np.bool_)
        for block in network.blocks if network.carried.size else ():
            if block.units:
                learned_there[network.carried_indices(block, range(block.units))] = True
        carried = _others(learned_there, found.carried)
        found = Learned(f"all but {found.what}", places, carried, ())
    return found


def _others(among: Array, places: Array) -> Array:
    """The positions in a mask, except these."""
    among[places] = False
    return np.flatnonzero(among)


def _of_units(network: Network, selector: Selector) -> Block:
    if selector.time is not None:
        raise EditError(f"`{selector}` is one time step; what can be frozen is the unit, at all of them")
    if selector.pre:
        raise EditError(f"`{selector}` is a sum on its way; what can be frozen is the unit: `{selector.block}[...]`")
    return network.block(selector.block)


def _resolved(op: str, network: Network, target: str, args: dict[str, Any]) -> Edit:
    learned(network, op, target, args)
    kept = {name: True for name in ("outgoing", "others") if args.get(name)}
    return Edit(op, str(select_learned(network, target)), kept)


def _resolve_freeze(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    return _resolved("freeze", network, target, args)


def _resolve_unfreeze(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    found = learned(network, "unfreeze", target, args)
    if not np.isin(found.places, state.frozen).any():
        outgoing = ", nor are its outgoing weights" if args.get("outgoing") else ""
        raise EditError(f"`{select_learned(network, target)}` is not frozen{outgoing}")
    return _resolved("unfreeze", network, target, args)


def _check(network: Network, edit: Edit) -> None:
    learned(network, edit.op, edit.target, edit.args)


def _freeze(network: Network, state: State, edit: Edit) -> str:
    return _settle(network, state, (edit,))


_unfreeze = _freeze


def _settle(network: Network, state: State, edits: Sequence[Edit]) -> str:
    """Freeze and unfreeze, edit by edit, in work in proportion to what they name; returns what the last one did."""
    held, done = _Held(network, state), ""
    for edit in edits:
        found = learned(network, edit.op, edit.target, edit.args)
        if edit.op == "freeze":
            held.freeze(found)
        else:
            held.unfreeze(found)
        done = f"{found.what} {'frozen' if edit.op == 'freeze' else 'unfrozen'}"
    state.frozen, state.frozen_buffers = np.flatnonzero(held.places), np.flatnonzero(held.carried)
    return done


class _Held:
    """The frozen places as masks, and how many units of each block can still learn something."""

    def __init__(self, network: Network, state: State) -> None:
        self.network = network
        self.places = frozen_mask(network.theta.size, state.frozen)
        self.carried = frozen_mask(network.carried.size, state.frozen_buffers)
        self._owner = np.full(network.theta.size, -1)  # units are numbered across all blocks
        self._block: dict[str, int] = {}
        sizes: list[int] = []
        for block in network.blocks:
            if block.units:
                owners, start = network.owners(block), network.first_index(block)
                self._owner[start : start + len(owners)] = np.where(owners < 0, -1, owners + sum(sizes))
                self._block[block.name] = len(sizes)
                sizes.append(block.units)
        self._block_of_unit = np.repeat(np.arange(len(sizes)), sizes)
        learns = self._owner[~self.places]
        self._left = np.bincount(learns[learns >= 0], minlength=len(self._block_of_unit))
        self._open = np.bincount(self._block_of_unit[self._left > 0], minlength=len(sizes))
        self._shared: dict[str, Array] = {}

    def freeze(self, found: Learned) -> None:
        self._set(found.places, True)
        self.carried[found.carried] = True
        for block in found.blocks:
            if not self._open[self._block[block.name]]:
                self._set(self._shared_of(block), True)

    def unfreeze(self, found: Learned) -> None:
        self._set(found.places, False)
        self.carried[found.carried] = False
        for block in found.blocks:
            if self._open[self._block[block.name]]:
                self._set(self._shared_of(block), False)

    def _set(self, places: Array, frozen: bool) -> None:
        changed = places[self.places[places] != frozen]
        self.places[changed] = frozen
        owners = self._owner[changed]
        units, counts = np.unique(owners[owners >= 0], return_counts=True)
        before = self._left[units] > 0
        self._left[units] += -counts if frozen else counts
        turned = units[(self._left[units] > 0) != before]
        np.add.at(self._open, self._block_of_unit[turned], -1 if frozen else 1)

    def _shared_of(self, block: Block) -> Array:
        """The positions that belong to a block but to none of its units."""
        if block.name not in self._shared:
            self._shared[block.name] = self.network.shared_indices(block)
        return self._shared[block.name]


# -- learning rates


def _rate(network: Network, target: str, args: dict[str, Any]) -> tuple[Selector, float]:
    selector = select(network, target)
    if selector.pre or selector.time is not None or not network.block_parameters(network.block(selector.block)):
        raise EditError(f"`{selector}` has no parameters that a learning rate could be for")
    return selector, number("rate", args, "factor", 0.0)


def _resolve_rate(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector, factor = _rate(network, target, args)
    return Edit("rate", str(selector), {"factor": factor})


def _apply_rate(network: Network, state: State, edit: Edit) -> str:
    return _apply_rates(network, state, (edit,))


def _apply_rates(network: Network, state: State, edits: Sequence[Edit]) -> str:
    """Set rates one after the other, in work in proportion to what they name; returns what the last one did."""
    rates, done = UnitRates(state.hyper.rates), ""
    for edit in edits:
        selector, factor = _rate(network, edit.target, edit.args)
        rates.put(network.block(selector.block), selector.units, factor)
        done = f"{selector} learns at {factor:g} times the rate"
    state.hyper = replace(state.hyper, rates=rates.settings())
    return done


_WHAT = (Argument("outgoing", FLAG), Argument("others", FLAG))
LEARNING = (
    Operation(
        "freeze",
        "learning",
        LEARNED_OR_ELEMENTS,
        "keep every byte of units (or of all others, or of single weights) while training",
        _WHAT,
        _resolve_freeze,
        _freeze,
        _check,
        apply_all=_settle,
    ),
    Operation(
        "unfreeze",
        "learning",
        FROZEN,
        "let what is frozen learn again",
        _WHAT,
        _resolve_unfreeze,
        _unfreeze,
        _check,
        apply_all=_settle,
    ),
    Operation(
        "rate",
        "learning",
        LEARNED,
        "multiply the learning rate of units",
        (Argument("factor", NUMBER.called("FACTOR"), required=True, named=False, example="0.1"),),
        _resolve_rate,
        _apply_rate,
        lambda network, edit: _rate(network, edit.target, edit.args),
        apply_all=_apply_rates,
    ),
)
