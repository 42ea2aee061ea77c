"""On learning: freeze and unfreeze, and what a unit's learning rate is multiplied by.

Freezing keeps every byte: of a unit its incoming weights, bias, gain, shift, running statistics and the optimizer's
slots of all of them; its outgoing weights where that is asked for. What belongs to no single unit of a block is frozen
exactly while all units of the block are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinynets.arrays import Array
from tinynets.block import Block
from tinynets.errors import EditError
from tinynets.network import Network
from tinynets.operations.base import Edit, Operation, flag, number, only
from tinynets.selectors import ParameterSelector, Selector, select, select_learned
from tinynets.state import State
from tinynets.surgery import outgoing_places
from tinynets.unit_settings import with_unit_rates


@dataclass(frozen=True)
class Learned:
    """Places in theta and in what is carried, and what they are called."""

    what: str
    places: Array
    carried: Array
    blocks: tuple[Block, ...]
    """Whose units they are, where they are units."""


def learned(network: Network, op: str, target: str, args: dict[str, Any]) -> Learned:
    """What an edit on learning is about; raises EditError or SelectorError."""
    only(op, args, "outgoing", "others")
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
        everything = np.arange(network.theta.size)
        rest = [network.carried_indices(block, range(block.units)) for block in network.blocks if block.units]
        places = np.setdiff1d(everything, found.places)
        if not places.size:
            raise EditError(f"`{selector}` is all there is, so there are no others to freeze")
        carried = np.setdiff1d(np.concatenate([none, *rest]), found.carried)
        found = Learned(f"all but {found.what}", places, carried, ())
    return found


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
    found = learned(network, "freeze", edit.target, edit.args)
    state.frozen = np.union1d(state.frozen, found.places)
    state.frozen_buffers = np.union1d(state.frozen_buffers, found.carried)
    for block in found.blocks:
        if _held(network, state, block).all():
            state.frozen = np.union1d(state.frozen, network.unit_indices(block, range(block.units)))
    return f"{found.what} frozen"


def _unfreeze(network: Network, state: State, edit: Edit) -> str:
    found = learned(network, "unfreeze", edit.target, edit.args)
    state.frozen = np.setdiff1d(state.frozen, found.places)
    state.frozen_buffers = np.setdiff1d(state.frozen_buffers, found.carried)
    for block in found.blocks:
        if not _held(network, state, block).all():
            state.frozen = np.setdiff1d(state.frozen, network.shared_indices(block))
    return f"{found.what} unfrozen"


def _held(network: Network, state: State, block: Block) -> Array:
    """(units,) of which units of a block nothing can learn; one without parameters of its own is among them."""
    has, frozen = network.shares_in(block, state.frozen)
    return np.asarray(has == frozen)


def frozen_units(network: Network, state: State, block: str) -> Array:
    """Which units of a block are frozen, a mask (units,)."""
    entry = network.block(block)
    if not state.frozen.size:
        return np.zeros(entry.units, np.bool_)
    has, frozen = network.shares_in(entry, state.frozen)
    return np.asarray((has > 0) & (has == frozen))


# -- learning rates


def _rate(network: Network, target: str, args: dict[str, Any]) -> tuple[Selector, float]:
    only("rate", args, "factor")
    selector = select(network, target)
    if selector.pre or selector.time is not None or not network.block_parameters(network.block(selector.block)):
        raise EditError(f"`{selector}` has no parameters that a learning rate could be for")
    return selector, number("rate", args, "factor", 0.0)


def _resolve_rate(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector, factor = _rate(network, target, args)
    return Edit("rate", str(selector), {"factor": factor})


def _apply_rate(network: Network, state: State, edit: Edit) -> str:
    selector, factor = _rate(network, edit.target, edit.args)
    rates = with_unit_rates(state.hyper.rates, network.block(selector.block), selector.units, factor)
    state.hyper = replace(state.hyper, rates=rates)
    return f"{selector} learns at {factor:g} times the rate"


_OPTIONS = {"outgoing": "flag", "others": "flag"}
LEARNING = (
    Operation(
        "freeze",
        "learning",
        "freeze UNITS|WEIGHTS [outgoing=true] [others=true]",
        "keep every byte of units (or of all others, or of single weights) while training",
        _resolve_freeze,
        _freeze,
        _check,
        options=_OPTIONS,
    ),
    Operation(
        "unfreeze",
        "learning",
        "unfreeze UNITS|WEIGHTS [outgoing=true] [others=true]",
        "let what is frozen learn again",
        _resolve_unfreeze,
        _unfreeze,
        _check,
        options=_OPTIONS,
    ),
    Operation(
        "rate",
        "learning",
        "rate UNITS FACTOR",
        "multiply the learning rate of units",
        _resolve_rate,
        _apply_rate,
        lambda network, edit: _rate(network, edit.target, edit.args),
        ("units", "number"),
    ),
)
