"""Edits: what a user does to a running net, as small immutable records.

An operation is defined once, here: its arguments, what it checks, what it does to a State, its line of help. The API's
method, the command line's verb, the log's entry and the palette's entry follow from that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from inspect import signature
from typing import Any

import numpy as np

from tinynets import settings
from tinynets.arrays import Array
from tinynets.errors import EditError, ShapeError, nearest
from tinynets.layers import LAYERS, Activation, Tap, describe, layer_from
from tinynets.network import Block, Network
from tinynets.selectors import Selector, select
from tinynets.state import Intervention, State
from tinynets.surgery import with_activation


@dataclass(frozen=True)
class Edit:
    """One operation with its arguments resolved: `zero` on `hidden[3]`, `set` of lr to 0.01."""

    op: str
    target: str
    """A selector in its shortest form, or the name of a setting."""
    args: dict[str, Any] = field(default_factory=dict)

    def python(self) -> str:
        """The line of Python that does it."""
        values = list(self.args.items())
        positional = [literal(value) for value in (self.target, *(value for _, value in values[:1]))]
        arguments = [*positional, *(f"{name}={literal(value)}" for name, value in values[1:])]
        return f"lab.{self.op}({', '.join(arguments)})"

    def config(self) -> dict[str, Any]:
        return {"op": self.op, "target": self.target, "args": dict(self.args)}

    def __hash__(self) -> int:
        return hash((self.op, self.target, repr(sorted(self.args.items()))))


@dataclass(frozen=True)
class Operation:
    """What can be done to a running net.

    `resolve(network, state, target, args)` checks and gives the Edit; `apply(network, state, edit)` does it to a State
    and says what was done ("hidden[3] zeroed"). Applying the same edit to the same state gives the same bytes.
    """

    name: str
    family: str
    usage: str
    help: str
    resolve: Callable[[Network, State, str, dict[str, Any]], Edit]
    apply: Callable[[Network, State, Edit], str]


def resolve(network: Network, state: State, op: str, target: str, args: dict[str, Any]) -> Edit:
    """The Edit for an operation as asked for; raises EditError or SelectorError, and then nothing has changed."""
    if op not in OPERATIONS:
        raise EditError(f"`{op}` is not an operation; there are {', '.join(OPERATIONS)}{nearest(op, OPERATIONS)}")
    return OPERATIONS[op].resolve(network, state, target, args)


def apply(network: Network, state: State, edit: Edit) -> str:
    """Do an edit to a state, whose network this is; says what was done."""
    done = OPERATIONS[edit.op].apply(network, state, edit)
    network.taps = taps(network, state.interventions)
    return done


def resolve_saved(network: Network, edit: Edit) -> None:
    """Check that an edit from a file can be done to this network; raises what `resolve` would."""
    if edit.op == "set":
        settings.check(network, edit.target, edit.args)
        return
    elif edit.op in ("freeze", "unfreeze"):
        _frozen_places(network, select(network, edit.target))
    elif edit.op == "reset":
        _carried_places(network, select(network, edit.target))
    elif edit.op == "activation":
        _switchable(network, edit.target)
        _made_activation(edit.args)
        return
    else:
        select(network, edit.target)
    if edit.args:
        raise EditError(f"`{edit.op}` does not take {', '.join(map(repr, edit.args))}")


# -- on activations


def _units(op: str) -> Callable[[Network, State, str, dict[str, Any]], Edit]:
    def resolve_units(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
        return Edit(op, str(select(network, target)))

    return resolve_units


def _zero(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    covered = Intervention("zero", selector.site, selector.units, selector.time)
    state.interventions = (*without(state.interventions, selector), covered)
    return f"{selector} zeroed"


def _resolve_release(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    if without(state.interventions, selector) == state.interventions:
        standing = ", ".join(map(str, state.interventions)) or "none"
        raise EditError(f"`{selector}`: no intervention stands there; standing: {standing}")
    return Edit("release", str(selector))


def _release(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    state.interventions = without(state.interventions, selector)
    return f"{selector} released"


def without(interventions: Iterable[Intervention], selector: Selector) -> tuple[Intervention, ...]:
    """The interventions, less the units that the selector names at its site."""
    left = []
    for entry in interventions:
        if entry.site == selector.site and selector.time in (None, entry.time):
            units = tuple(unit for unit in entry.units if unit not in selector.units)
            entry = replace(entry, units=units) if units != entry.units else entry
        if entry.units:
            left.append(entry)
    return tuple(left)


def taps(network: Network, interventions: Iterable[Intervention]) -> list[Tap | None]:
    """What stands behind each layer: the interventions of its site as multiply and add, None where there are none."""
    compiled: list[Tap | None] = [None] * len(network.layers)
    for entry in interventions:
        index, block = network.site(entry.site), network.site_block(entry.site)
        units = np.array(entry.units)
        tap = compiled[index] or Tap(np.ones(block.units, network.dtype), np.zeros(block.units, network.dtype))
        if entry.time is not None and tap.multiply.ndim == 1:
            shape = (network.time_steps(block), block.units)
            tap = Tap(np.broadcast_to(tap.multiply, shape).copy(), np.broadcast_to(tap.add, shape).copy())
        where = (slice(None) if entry.time is None else entry.time, units) if tap.multiply.ndim == 2 else units
        tap.multiply[where] = 0
        tap.add[where] = 0
        compiled[index] = tap
    return compiled


# -- on learning


def _frozen_places(network: Network, selector: Selector) -> Array:
    if selector.time is not None:
        raise EditError(f"`{selector}` is one time step; what can be frozen is the unit, at all of them")
    if selector.pre:
        raise EditError(f"`{selector}` is a sum on its way; what can be frozen is the unit: `{selector.block}[...]`")
    places = network.unit_indices(network.block(selector.block), selector.units)
    if not places.size:
        raise EditError(f"`{selector}` has no parameters, so there is nothing to freeze")
    return places


def _resolve_freeze(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    _frozen_places(network, selector)
    return Edit("freeze", str(selector))


def _freeze(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    block = network.block(selector.block)
    _hold(network, state, block, _held(network, state, block) | {*selector.units})
    return f"{selector} frozen"


def _resolve_unfreeze(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    if not np.isin(_frozen_places(network, selector), state.frozen).any():
        raise EditError(f"`{selector}` is not frozen")
    return Edit("unfreeze", str(selector))


def _unfreeze(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    block = network.block(selector.block)
    _hold(network, state, block, _held(network, state, block) - {*selector.units})
    return f"{selector} unfrozen"


def _held(network: Network, state: State, block: Block) -> set[int]:
    """The units of a block of which nothing can learn; one without parameters of its own is among them."""
    free = np.ones(network.theta.size, np.bool_)
    free[state.frozen] = False
    return {unit for unit in range(block.units) if not free[network.unit_indices(block, [unit])].any()}


def _hold(network: Network, state: State, block: Block, units: set[int]) -> None:
    """Freeze these units of a block and no others; all of them: what belongs to no single unit too."""
    everything = range(block.units)
    others = np.setdiff1d(state.frozen, network.unit_indices(block, everything))
    state.frozen = np.union1d(others, network.unit_indices(block, units))
    others = np.setdiff1d(state.frozen_buffers, network.carried_indices(block, everything))
    state.frozen_buffers = np.union1d(others, network.carried_indices(block, units))


def frozen_units(network: Network, state: State, block: str) -> Array:
    """Which units of a block are frozen, a mask (units,)."""
    entry = network.block(block)
    mask = np.zeros(entry.units, np.bool_)
    if state.frozen.size and network.block_parameters(entry):
        frozen = np.zeros(network.theta.size, np.bool_)
        frozen[state.frozen] = True
        for index in range(entry.units):
            places = network.unit_indices(entry, [index])
            mask[index] = bool(places.size) and bool(frozen[places].all())
    return mask


# -- on what is carried from step to step


def _carried_places(network: Network, selector: Selector) -> Array:
    if selector.time is not None or selector.pre:
        raise EditError(f"`{selector}` carries nothing; what can be reset is the unit: `{selector.block}[...]`")
    places = network.resettable_indices(network.block(selector.block), selector.units)
    if not places.size:
        raise EditError(f"`{selector}` carries nothing from step to step, so there is nothing to reset")
    return places


def _resolve_reset(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    _carried_places(network, selector)
    return Edit("reset", str(selector))


def _reset(network: Network, state: State, edit: Edit) -> str:
    selector = select(network, edit.target)
    places = _carried_places(network, selector)
    state.buffers[places] = network.carried_start()[places]
    return f"{selector} reset"


# -- on the architecture


def _switchable(network: Network, target: str) -> Block:
    """The block whose activation can be switched."""
    selector = select(network, target)
    if not selector.whole or selector.pre or selector.time is not None:
        raise EditError(f"`{selector}`: a block has one activation for all its units; select it as `{selector.block}`")
    block = network.block(selector.block)
    if block.activation is None:
        others = ", ".join(entry.name for entry in network.blocks if entry.activation is not None)
        raise EditError(f"`{block.name}` has no activation to switch; blocks that have one: {others or 'none'}")
    return block


def _known_activation(kind: object) -> str:
    known = [name for name, layer in LAYERS.items() if issubclass(layer, Activation)]
    if not isinstance(kind, str) or kind not in known:
        raise EditError(f"`{kind}` is not an activation; there are {', '.join(known)}{nearest(str(kind), known)}")
    return kind


def _resolve_activation(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    block, made = _switchable(network, target), _made_activation(args)
    if block.activation is not None and (block.activation.kind, block.activation.config()) == (
        made.kind,
        made.config(),
    ):
        raise EditError(f"`{block.name}` has the activation {made.kind} already")
    return Edit("activation", block.name, dict(args))


def _made_activation(args: dict[str, Any]) -> Activation:
    """The activation that an edit's arguments ask for: `to` its kind, the others what that takes."""
    arguments = dict(args)
    kind = _known_activation(arguments.pop("to", None))
    known = [name for name in signature(LAYERS[kind]).parameters if name != "name"]
    for name in arguments:
        if name not in known:
            raise EditError(f"`{kind}` takes {', '.join(known) or 'no arguments'}, not `{name}`{nearest(name, known)}")
    try:
        made = layer_from({"kind": kind, **arguments})
    except (ShapeError, TypeError) as error:
        raise EditError(f"`{kind}`: {error}") from None
    assert isinstance(made, Activation)
    return made


def _activation(network: Network, state: State, edit: Edit) -> str:
    block = _switchable(network, edit.target)
    before, made = block.activation, _made_activation(edit.args)
    assert before is not None
    arguments = "".join(f" {name}={literal(value)}" for name, value in edit.args.items() if name != "to")
    state.architecture = tuple(describe(layer) for layer in with_activation(network, block, made))
    return f"{block.name}: {before.kind} -> {made.kind}{arguments}"


# -- settings


def _resolve_set(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    return Edit("set", target, settings.resolved(network, state, target, args))


def _set(network: Network, state: State, edit: Edit) -> str:
    return settings.change(network, state, edit.target, edit.args)


def literal(value: Any) -> str:
    """A plain value as Python code, text in double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


OPERATIONS: dict[str, Operation] = {
    entry.name: entry
    for entry in (
        Operation("zero", "activation", "zero UNITS", "hold units' activations at zero", _units("zero"), _zero),
        Operation("release", "activation", "release UNITS", "take interventions off units", _resolve_release, _release),
        Operation(
            "freeze", "learning", "freeze UNITS", "keep every byte of units while training", _resolve_freeze, _freeze
        ),
        Operation(
            "unfreeze", "learning", "unfreeze UNITS", "let frozen units learn again", _resolve_unfreeze, _unfreeze
        ),
        Operation(
            "reset",
            "state",
            "reset UNITS",
            "set carried hidden state, or running statistics, to the start",
            _resolve_reset,
            _reset,
        ),
        Operation(
            "activation",
            "architecture",
            "activation BLOCK KIND [name=value ...]",
            "give a block another activation; its weights stay",
            _resolve_activation,
            _activation,
        ),
        Operation(
            "set",
            "setting",
            "set NAME VALUE [name=value ...]",
            "change lr, optimizer, schedule, clip_norm, hidden.rate, hidden.l2, ...",
            _resolve_set,
            _set,
        ),
    )
}


def edit_from(config: dict[str, Any]) -> Edit:
    """An edit from plain data, as `Edit.config` gives it."""
    return Edit(config["op"], config["target"], dict(config["args"]))
