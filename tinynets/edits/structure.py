"""Edits of structure: prune and grow units, insert and remove layers, and switch activations, during training."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import numpy as np

from tinynets.edits.arguments import ordinal, whole
from tinynets.edits.edit import Edit, Operation, literal
from tinynets.edits.kinds import (
    ACTIVATED,
    ACTIVATION,
    INSERTABLE,
    LAYER,
    LAYER_KIND,
    NAME,
    NUMBER,
    ORDINAL,
    PRUNABLE,
    RESIZABLE,
    UNIT_NUMBER,
    WHOLE,
    Argument,
    Target,
)
from tinynets.edits.surgery.plan import SurgeryPlan, rebuilt, resize, shape_network, with_activation
from tinynets.edits.surgery.transfer import check_carried, transfer_state
from tinynets.errors import EditError, ShapeError, nearest
from tinynets.nn.block import Block
from tinynets.nn.layers import LAYERS, Activation, FeatureMap, Layer, describe, layer_from
from tinynets.nn.layers.structure import Next, Split
from tinynets.nn.layout import parameter_count
from tinynets.nn.network import Network
from tinynets.nn.selectors import select
from tinynets.numerics import rng
from tinynets.numerics.arrays import plain
from tinynets.training.state import State

MAX_GROWN = 2**16
MAX_MADE = 2**24
"""The most parameters that surgery may give a network: an edit in a save is a few bytes, its result is not."""


def insertable() -> tuple[str, ...]:
    """The kinds of layers that can be made to pass their input on unchanged, and the activations last."""
    kinds = [kind for kind, layer in LAYERS.items() if layer.insertable]
    return tuple(sorted(kinds, key=lambda kind: LAYERS[kind].is_activation))


def _block(network: Network, op: str, target: str, *, whole_block: bool = True) -> Block:
    selector = select(network, target)
    if selector.pre or selector.time is not None or (whole_block and not selector.whole):
        what = "a block" if whole_block else "units"
        raise EditError(f"`{op}` is about {what}, not `{selector}`")
    return network.block(selector.block)


Planned = Callable[[Network, Edit], SurgeryPlan]


def _structural(
    name: str,
    about: Target,
    help_: str,
    plan: Planned,
    said: Callable[[Network, Edit], str],
    *arguments: Argument,
) -> Operation:
    def after(network: Network, edit: Edit) -> Network:
        try:
            made = shape_network(network, plan(network, edit).described)
        except ShapeError as error:
            raise EditError(f"`{name}` {edit.target}: {error}") from None
        if network.known_shapes[-1] != made.known_shapes[-1]:
            raise EditError(f"`{name}` {edit.target}: the network's outputs would change")
        return made

    def resolve(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
        given = {key: plain(value) for key, value in args.items()}
        edit = Edit(name, target if name == "remove" else str(select(network, target)), given)
        made = after(network, edit)
        check_carried(network, made, state, plan(network, edit))
        return edit

    def apply(network: Network, state: State, edit: Edit) -> str:
        done = said(network, edit)
        transfer_state(network, state, plan(network, edit))
        return done

    return Operation(name, "structure", about, help_, arguments, resolve, apply, after, after=after)


# -- prune, grow


def _prune(network: Network, edit: Edit) -> SurgeryPlan:
    selector, block = select(network, edit.target), _block(network, "prune", edit.target, whole_block=False)
    if selector.whole:
        raise EditError(f"`{selector}` is all of `{block.name}`; at least one unit must be left")
    kept = np.delete(np.arange(block.units), selector.units)
    return resize(network, block, FeatureMap(kept, np.ones(len(kept)), np.zeros(len(kept), np.bool_)))


def _grow(network: Network, edit: Edit) -> SurgeryPlan:
    block, args = _block(network, "grow", edit.target), edit.args
    count, number = whole("grow", args, "count", 1, MAX_GROWN), ordinal("grow", args)
    parent = None if args.get("split") is None else whole("grow", args, "split", 0, block.units - 1)
    if network.theta.size * (block.units + count) ** 2 > MAX_MADE * block.units**2:  # no array grows faster
        one, two = (
            parameter_count(resize(network, block, _larger(block, few, parent, number)).layers) - network.theta.size
            for few in (1, 2)
        )
        square = (two - 2 * one) // 2  # of units with weights to each other, for each pair
        _check_room("grow", network, (one - square) * count + square * count**2)
    return resize(network, block, _larger(block, count, parent, number), number)


def _larger(block: Block, count: int, parent: int | None, number: int) -> FeatureMap:
    """A block's units and `count` more: fresh ones, or parts of a split one."""
    same, fresh = FeatureMap.same(block.units), np.ones(count, np.bool_)
    source, share = np.full(count, -1), np.zeros(count)
    if parent is not None:
        parts = _parts(count + 1, block.name, number)
        source[:], share[:] = parent, parts[1:]
        same.share[parent] = parts[0]
    return FeatureMap(
        np.concatenate([same.source, source]),
        np.concatenate([same.share, share]),
        np.concatenate([same.fresh, fresh]),
    )


def _check_room(op: str, network: Network, more: int) -> None:
    """Raise EditError if a network would get too many parameters, before anything is allocated."""
    if network.theta.size + more > MAX_MADE:
        raise EditError(
            f"`{op}`: the network would have {network.theta.size + more:,} parameters; surgery makes it at most "
            f"{MAX_MADE:,}"
        )


def _parts(count: int, block: str, number: int) -> np.ndarray:
    """Shares of a unit's outgoing weights that sum to 1, unequal so that the parts learn differently."""
    drawn = 0.5 + rng.uniforms(0, f"split/{block}", number, (count,))
    parts: np.ndarray = drawn / drawn.sum()
    return parts


def _grown(network: Network, edit: Edit) -> str:
    block, args = network.block(select(network, edit.target).block), edit.args
    how = "" if args.get("split") is None else f" split off {block.name}[{args['split']}]"
    return f"{block.name}: {block.units} -> {block.units + args['count']} units{how}"


def _pruned(network: Network, edit: Edit) -> str:
    selector = select(network, edit.target)
    units = network.block(selector.block).units
    return f"{selector} pruned: {units} -> {units - len(selector.units)} units"


# -- insert, remove


def _insert(network: Network, edit: Edit) -> SurgeryPlan:
    block, kind = _block(network, "insert", edit.target), edit.args.get("kind")
    known = insertable()
    if kind not in known:
        raise EditError(
            f"`insert`: `kind` is one of {', '.join(known)}, which change no output, not {kind!r}"
            f"{nearest(str(kind), known)}"
        )
    last = network.layers[block.last]
    if last.gives_distances and last is network.layers[-1]:
        raise EditError(f"`insert`: `{last.name}` gives the distances that the loss goes by; nothing stands behind it")
    shape = network.known_shapes[block.last]
    full = _name_of_inserted(network, edit)
    name = full.rpartition(".")[2]
    made = _inserting(kind, shape, edit.args)
    _check_room("insert", network, parameter_count([made]))
    made.name = name

    def change(path: str, layer: Layer) -> list[Layer]:
        return [layer, made] if path == last.name else [layer]

    initial = {(full, entry.name): partial(made.passing_values, entry) for entry in made.parameters()}
    return SurgeryPlan(rebuilt(network.parts, change), initial=initial)


def _inserting(kind: str, shape: tuple[int | None, ...], args: dict[str, Any]) -> Layer:
    """A layer whose input and output have this shape."""
    made = LAYERS[kind]
    settings = {"rate": args["rate"]} if "rate" in args else {}
    if settings.keys() - signature(made).parameters.keys():
        raise EditError(f"`insert`: a `{kind}` takes no `rate`")
    if made.input_axes not in (None, len(shape)):
        raise EditError(f"`insert`: a {kind} takes {made.input_axes} axes, not {len(shape)}")
    try:
        return made.passing(shape[-1] or 0, **settings)
    except ShapeError as error:
        raise EditError(f"`insert`: {error}") from None


def _free(network: Network, given: object, kind: str, beside: str) -> str:
    """A name that no layer in the same container has yet."""
    folder = beside.rpartition(".")[0]
    taken = {layer.name.rpartition(".")[2] for layer in network.layers if layer.name.rpartition(".")[0] == folder}
    taken |= {part.name for part in network.parts} if not folder else set()
    if given is None:
        return next(name for number in range(1, len(taken) + 2) if (name := f"{kind}{number}") not in taken)
    if not isinstance(given, str) or not given.isidentifier():
        raise EditError(f"`insert`: `name` must be a word of letters, digits and _, not {given!r}")
    if given in taken:
        raise EditError(f"`insert`: there is a layer `{given}` already")
    return given


def _name_of_inserted(network: Network, edit: Edit) -> str:
    """The full name of an inserted layer, including that of its container."""
    last = network.layers[network.block(select(network, edit.target).block).last]
    name = _free(network, edit.args.get("name"), edit.args["kind"], last.name)
    folder = last.name.rpartition(".")[0]
    return f"{folder}.{name}" if folder else name


def _inserted(network: Network, edit: Edit) -> str:
    behind = network.block(select(network, edit.target).block).name
    return f"{edit.args['kind']} `{_name_of_inserted(network, edit)}` inserted behind {behind}"


def _remove(network: Network, edit: Edit) -> SurgeryPlan:
    layer = network[edit.target]
    index = network.layers.index(layer)
    before, after = network.known_shapes[index - 1] if index else network.known_input, network.known_shapes[index]
    if before != after or layer.takes_integers:
        raise EditError(f"`{layer.name}` {layer!r} gives another shape than it takes, so it cannot be removed")
    if _alone(network, layer):
        raise EditError(f"`{layer.name}` is the only layer there")
    gone = False

    def change(path: str, entry: Layer) -> list[Layer]:
        nonlocal gone
        if path == layer.name and entry.kind == layer.kind:
            gone = True
            return []
        return [entry]

    layers = rebuilt(network.parts, change)
    if not gone:
        raise EditError(f"`{layer.name}` is an end of a container, which cannot be removed")
    return SurgeryPlan(layers)


def _alone(network: Network, layer: Layer) -> bool:
    """Whether a layer is the only one in its container or the network."""
    folder = layer.name.rpartition(".")[0]
    beside = [other for other in network.layers if other is not layer and not isinstance(other, Split | Next)]
    return all(other.name.rpartition(".")[0] != folder for other in beside)


def _removed(network: Network, edit: Edit) -> str:
    return f"{edit.target} removed"


# -- the activation of a block


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


def activation_kinds() -> list[str]:
    """The kinds that `activation` can switch a block to."""
    return [name for name, layer in LAYERS.items() if issubclass(layer, Activation)]


def _known_activation(kind: object) -> str:
    known = activation_kinds()
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
    """The activation that an edit asks for: `to` is its kind, the other arguments are the activation's."""
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


def _activated(network: Network, edit: Edit) -> tuple[dict[str, Any], ...]:
    block = _switchable(network, edit.target)
    return tuple(describe(layer) for layer in with_activation(network, block, _made_activation(edit.args)))


def _after_activation(network: Network, edit: Edit) -> Network:
    return shape_network(network, _activated(network, edit))


def _activation(network: Network, state: State, edit: Edit) -> str:
    block = _switchable(network, edit.target)
    before, made = block.activation, _made_activation(edit.args)
    assert before is not None
    arguments = "".join(f" {name}={literal(value)}" for name, value in edit.args.items() if name != "to")
    state.architecture = _activated(network, edit)
    return f"{block.name}: {before.kind} -> {made.kind}{arguments}"


STRUCTURE = (
    Operation(
        "activation",
        "structure",
        ACTIVATED,
        "give a block another activation; its weights stay",
        (Argument("to", ACTIVATION, required=True, named=False, example=""),),
        _resolve_activation,
        _activation,
        _activated,
        after=_after_activation,
        open_ended=True,
    ),
    _structural("prune", PRUNABLE, "remove units; the outputs are those with them zeroed", _prune, _pruned),
    _structural(
        "grow",
        RESIZABLE,
        "add units without outgoing weights, or parts of one; the outputs stay",
        _grow,
        _grown,
        Argument("count", WHOLE.called("COUNT"), named=False, example="1", default=1),
        Argument("split", UNIT_NUMBER),
        ORDINAL,
    ),
    _structural(
        "insert",
        INSERTABLE,
        f"insert a layer that changes no output behind a block: {', '.join(insertable())}",
        _insert,
        _inserted,
        Argument("kind", LAYER_KIND, required=True, named=False, example=""),
        Argument("name", NAME),
        Argument("rate", NUMBER.called("P")),
    ),
    _structural("remove", LAYER, "remove a layer that gives the shape it takes", _remove, _removed),
)
