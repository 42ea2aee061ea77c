"""Copies, swaps and flips units of a block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tinynets.edits.arguments import flag
from tinynets.edits.edit import Edit
from tinynets.edits.surgery.plan import passed_units
from tinynets.edits.surgery.reach import outgoing_places
from tinynets.edits.surgery.standing import exchanged
from tinynets.edits.symmetry import SIGNED, bears_sign, check_odd, flipped_from, flipped_places, takes_each
from tinynets.errors import EditError
from tinynets.nn.block import Block
from tinynets.nn.interventions import Intervention
from tinynets.nn.layers import FeatureMap
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, select
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import FIRST
from tinynets.training.frozen import frozen_mask
from tinynets.training.hyper import Hyper
from tinynets.training.param_groups import by_unit, with_units
from tinynets.training.state import State

Checked = Callable[[Network, str, dict[str, Any]], dict[str, Any]]
"""The arguments of an edit on a network, checked: (network, target, args) -> args."""


def learned_units(network: Network, op: str, target: str) -> tuple[Block, Selector]:
    """The block and units of a target, which must have parameters."""
    selector = select(network, target)
    if selector.pre or selector.time is not None:
        raise EditError(f"`{op}` is about all that a unit has learned: `{selector.block}[...]`, not `{selector}`")
    block = network.block(selector.block)
    if not network.block_parameters(block):
        raise EditError(f"`{selector}` has no parameters")
    return block, selector


def check_pair(op: str, key: str) -> Checked:
    """Make a check for an operation on units and, in argument `key`, the same number of other units of the block."""

    def checked(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
        block, selector = learned_units(network, op, target)
        other_block, other = learned_units(network, op, args.get(key, ""))
        if other_block != block:
            raise EditError(f"`{op}`: `{selector}` and `{other}` are units of two blocks; of one block they must be")
        if len(other.units) != len(selector.units):
            raise EditError(f"`{op}`: `{selector}` has {len(selector.units)} units, `{other}` {len(other.units)}")
        if set(other.units) & set(selector.units):
            raise EditError(f"`{op}`: `{selector}` and `{other}` have units in common")
        outgoing = {"outgoing": True} if flag(op, args, "outgoing") else {}
        if outgoing:
            outgoing_places(network, block, selector.units)
        return {key: str(other), **outgoing}

    return checked


def _pairs(
    network: Network, block: Block, one: Selector, other: Selector, outgoing: bool
) -> list[tuple[Array, Array, bool]]:
    """The places of units in theta, then in the carried arrays, each paired with that of the other units."""
    found = []
    for a, b in zip(one.units, other.units, strict=True):
        found.append((network.unit_indices(block, [a]), network.unit_indices(block, [b]), False))
        found.append((network.resettable_indices(block, [a]), network.resettable_indices(block, [b]), True))
        if outgoing:
            found.append((outgoing_places(network, block, [a]), outgoing_places(network, block, [b]), False))
    return found


def copy(network: Network, state: State, edit: Edit) -> str:
    """Copy what was learned; the other units keep their interventions, frozen weights and rates."""
    block, one = learned_units(network, "copy", edit.target)
    _, other = learned_units(network, "copy", edit.args["to"])
    for source, target, is_carried in _pairs(network, block, one, other, edit.args.get("outgoing", False)):
        for vector in (state.buffers,) if is_carried else (state.theta, *state.slots.values()):
            vector[target] = vector[source]
    return f"{one} copied to {other}"


def swap(network: Network, state: State, edit: Edit) -> str:
    """Move everything of a unit to its new place: what it learned and carries, the optimizer's slots, its
    interventions, frozen weights (held zeros too), learning rate and penalties.

    Dropout masks, which are drawn by place, stay with the place. So do outgoing weights without `outgoing`, and the
    interventions on the layers in between.
    """
    block, one = learned_units(network, "swap", edit.target)
    _, other = learned_units(network, "swap", edit.args["other"])
    outgoing = edit.args.get("outgoing", False)
    frozen = frozen_mask(state.theta.size, state.frozen)
    frozen_buffers = frozen_mask(state.buffers.size, state.frozen_buffers)
    along = () if network.rules == FIRST else (frozen,)
    along_carried = () if network.rules == FIRST else (frozen_buffers,)
    for source, target, is_carried in _pairs(network, block, one, other, outgoing):
        vectors = (state.buffers, *along_carried) if is_carried else (state.theta, *state.slots.values(), *along)
        for vector in vectors:
            vector[source], vector[target] = vector[target], vector[source]
    if network.rules > FIRST:
        state.frozen, state.frozen_buffers = np.flatnonzero(frozen), np.flatnonzero(frozen_buffers)
        order = _order(block, one, other)
        change = FeatureMap(order, np.ones(block.units), np.zeros(block.units, np.bool_))
        state.interventions = exchanged(network, state.interventions, block, change, behind=outgoing)
        state.hyper = _with_settings(state.hyper, block, order)
    return f"{one} and {other} swapped"


def _order(block: Block, one: Selector, other: Selector) -> Array:
    """The unit that comes to each place of a block when these are swapped."""
    order = np.arange(block.units)
    order[[*one.units, *other.units]] = [*other.units, *one.units]
    return order


def _with_settings(hyper: Hyper, block: Block, order: Array) -> Hyper:
    """The settings of single units of a block, with the units in another order."""
    changed: dict[str, Any] = {}
    for name in ("rates", "l1", "l2"):
        held = by_unit(getattr(hyper, name), block.name)
        if held:
            now = {new: held[int(old)] for new, old in enumerate(order) if int(old) in held}
            changed[name] = with_units(getattr(hyper, name), block.name, now)
    return replace(hyper, **changed)


def exact_swap(network: Network, state: State | None, edit: Edit) -> None:
    """Raise EditError if swapping units with their outgoing weights would change the output."""
    if not edit.args.get("outgoing"):
        return
    block, one = learned_units(network, "swap", edit.target)
    _, other = learned_units(network, "swap", edit.args["other"])
    layer = network.layers[block.first]
    if takes_each(layer):
        raise EditError(
            f"`swap`: a unit of `{layer.name}` {layer!r} takes the feature of its own number too, which would not go "
            "with it"
        )
    if network.rules == FIRST and state is not None:
        change = FeatureMap(_order(block, one, other), np.ones(block.units), np.zeros(block.units, np.bool_))
        if exchanged(network, state.interventions, block, change, behind=True) != state.interventions:
            raise EditError(
                f"`swap`: in a run of an earlier version what stands on `{one}` or `{other}` stays where it is; "
                "release it first"
            )


def check_flip(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a flip."""
    block, selector = learned_units(network, "sign_flip", target)
    if not flag("sign_flip", args, "outgoing"):
        return {}
    outgoing_places(network, block, selector.units)
    return {"outgoing": True}


def exact_flip(network: Network, state: State | None, edit: Edit) -> None:
    """Raise EditError if the sum of a unit cannot be flipped, or if flipping it with its outgoing weights would change
    the output.
    """
    block, selector = learned_units(network, "sign_flip", edit.target)
    start = flipped_from(network, block)
    layer = network.layers[start]
    if not bears_sign(network, block):
        raise EditError(f"`sign_flip`: the weights of `{layer.name}` {layer!r} do not bear the sign of what it gives")
    outgoing = edit.args.get("outgoing", False)
    if outgoing:
        check_odd(network, block, start)
    if state is None or network.rules > FIRST or not outgoing:
        return
    stands = _turned(network, state.interventions, block, selector, outgoing) != state.interventions
    if stands or start > block.first or layer.joins or layer.signed_group is not None:
        raise EditError(f"`sign_flip`: in a run of an earlier version it does not keep what `{selector}` gives on")


def sign_flip(network: Network, state: State, edit: Edit) -> str:
    """Flip the sign of the sum before the activation: of weights, biases, shifts and running means, not of gains.

    If a norm begins the block, or computes each unit from all of them, only its gain and shift are flipped. In a GRU or
    LSTM only the weights of the new value are, not those of the gates. With outgoing weights, those of a recurrent
    unit to itself change too, and interventions that set its values (a clamp) set them with the other sign. So the
    output does not change, and the network learns as it would have (the optimizer's velocities and means flip too).
    """
    block, selector = learned_units(network, "sign_flip", edit.target)
    outgoing = edit.args.get("outgoing", False)
    if network.rules == FIRST:
        _flip_as_once(network, state, block, selector, outgoing)
    else:
        start = flipped_from(network, block)
        places, carried = flipped_places(network, block, start, selector.units)
        state.buffers[carried] = -state.buffers[carried]
        if outgoing:
            own = start == block.first
            places = np.setxor1d(places, outgoing_places(network, block, selector.units, own=own))
            hidden = network.hidden_indices(block, selector.units if own else ())
            state.buffers[hidden] = -state.buffers[hidden]
        for vector in (state.theta, *(state.slots[name] for name in SIGNED & state.slots.keys())):
            vector[places] = -vector[places]
        state.interventions = _turned(network, state.interventions, block, selector, outgoing)
    return f"signs of {selector} flipped" + (", outgoing too" if outgoing else "")


def _turned(
    network: Network, standing: tuple[Intervention, ...], block: Block, selector: Selector, outgoing: bool
) -> tuple[Intervention, ...]:
    """The interventions, with the other sign on flipped units if their outgoing weights are flipped too."""
    closed = network.layers[block.last].closed  # the outgoing weights of a head belong to it
    if not outgoing and not closed:
        return standing
    flipped = {block.name: np.array(selector.units)}
    if not closed:
        flipped |= passed_units(network, block, selector.units)
    made: list[Intervention] = []
    for entry in standing:
        units = flipped.get(network.site_block(entry.site).name)
        axis = network.layers[network.site(entry.site)].site_axis
        made += [entry] if units is None else entry.negated(units.tolist(), axis)
    return tuple(made)


def _flip_as_once(network: Network, state: State, block: Block, selector: Selector, outgoing: bool) -> None:
    """The flip under the first rules: of every weight, but not of interventions."""
    whole_block = len(selector.units) == block.units
    for index in range(block.first, block.last + 1):
        layer = network.layers[index]
        for entry in layer.parameters():
            if entry.name != "gain":
                start = network.parameter_slice(index, entry.name).start
                places = start + entry.places(np.array(selector.units), whole=whole_block)
                state.theta[places] = -state.theta[places]
        for entry in layer.carried():
            if entry.name == "running_mean":
                start = network.carried_slice(index, entry.name).start
                places = start + entry.places(np.array(selector.units), whole=whole_block)
                state.buffers[places] = -state.buffers[places]
    if outgoing:
        places = outgoing_places(network, block, selector.units)
        state.theta[places] = -state.theta[places]
        hidden = network.hidden_indices(block, selector.units)
        state.buffers[hidden] = -state.buffers[hidden]
