"""Edits of parameters: set, nudge, zero, draw anew, copy, swap, flip, round, sparsify and transplant.

`UNITS` are a block's units, which stand for everything they learned, or for their weights alone where documented;
`WEIGHTS` are elements of one parameter, as `hidden.w[4,3]`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinynets.edits.arguments import number, ordinal, values, whole
from tinynets.edits.edit import OPERATIONS, Edit, Operation
from tinynets.edits.exchange import (
    Checked,
    check_flip,
    check_pair,
    copy,
    exact_flip,
    exact_swap,
    learned_units,
    sign_flip,
    swap,
)
from tinynets.edits.kinds import (
    BOOKMARK,
    BRANCH,
    ELEMENTS,
    ELSEWHERE,
    FLAG,
    FLIPPABLE,
    LEARNED,
    NUMBER,
    ORDINAL,
    OTHER_UNITS,
    SAVE,
    UNITS_ELSEWHERE,
    VALUES,
    WEIGHTS,
    WEIGHTS_OR_BIAS,
    WHOLE,
    Argument,
    Target,
)
from tinynets.edits.values import Arguments, Bench, Recorded, learned_of, places_of, said
from tinynets.errors import EditError, SelectorError
from tinynets.foreign_text import printable
from tinynets.nn.block import Block
from tinynets.nn.layers import Parameter
from tinynets.nn.network import Network
from tinynets.nn.selectors import ParameterSelector, Selector, select, select_learned
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import FIRST
from tinynets.training.state import State

MAX_BITS = 16


def weight_places(network: Network, block: Block, units: tuple[int, ...]) -> Array:
    """Positions in theta of the units' incoming weights: matrices only, no biases, gains or shifts."""
    found = [np.empty(0, np.int64)]
    for index in range(block.first, block.last + 1):
        for entry in network.layers[index].parameters():
            if len(entry.shape) > 1:
                start = network.parameter_slice(index, entry.name).start
                found.append(start + entry.places(np.array(units), whole=len(units) == block.units))
    return np.unique(np.concatenate(found))


def _targeted(network: Network, op: str, target: str) -> tuple[str, Array]:
    """The weights that an edit acts on: those of units, or elements of a parameter."""
    selector = select_learned(network, target)
    if isinstance(selector, ParameterSelector):
        return str(selector), selector.places(network)
    block, selector = learned_units(network, op, target)
    places = weight_places(network, block, selector.units)
    if not places.size:
        raise EditError(f"`{selector}` has no weights")
    return str(selector), places


def _elements(network: Network, op: str, target: str) -> tuple[str, Array]:
    selector = select_learned(network, target)
    if not isinstance(selector, ParameterSelector):
        block = network.block(selector.block)
        known = [
            entry.name for index in range(block.first, block.last + 1) for entry in network.layers[index].parameters()
        ]
        example = f", as `{block.name}.{known[0]}`" if known else ""
        raise SelectorError(f"`{op}` is about elements of a parameter{example}, not units: `{selector}`")
    return str(selector), selector.places(network)


Change = Callable[[Network, State, Edit], str]


def _operation(
    name: str,
    about: Target,
    help_: str,
    checked: Checked,
    change: Change,
    *arguments: Argument,
    exact: Callable[[Network, State | None, Edit], None] = lambda network, state, edit: None,
    values: Callable[[Bench, str, Arguments], Recorded] | None = None,
) -> Operation:
    """Make an operation whose arguments do not depend on the state.

    `exact` raises EditError if it could not keep its promise; edits recorded under the first rules are applied as they
    were then.
    """

    def resolve(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
        edit = Edit(name, str(select_learned(network, target)), checked(network, target, args))
        exact(network, state, edit)
        return edit

    def check(network: Network, edit: Edit) -> None:
        checked(network, edit.target, edit.args)
        if network.rules > FIRST:
            exact(network, None, edit)

    return Operation(name, "parameter", about, help_, arguments, resolve, change, check, values=values)


# -- set, nudge, zero


def _check_set(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    _elements(network, "set_weight", target)
    return {"value": number("set_weight", args, "value")}


def _set_weight(network: Network, state: State, edit: Edit) -> str:
    what, places = _elements(network, "set_weight", edit.target)
    before = state.theta[places]
    state.theta[places] = edit.args["value"]
    was = f" (was {before[0]:.6g})" if len(places) == 1 else f" ({len(places):,} elements)"
    return f"{what} set to {edit.args['value']:g}{was}"


def _check_nudge(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    _targeted(network, "nudge", target)
    return {"by": number("nudge", args, "by")}


def _nudge(network: Network, state: State, edit: Edit) -> str:
    what, places = _targeted(network, "nudge", edit.target)
    with np.errstate(over="ignore"):
        nudged = state.theta[places] + state.theta.dtype.type(edit.args["by"])
    _put(state, places, nudged, what)
    return f"{what} nudged by {edit.args['by']:g}"


def _put(state: State, places: Array, new: Array, what: str) -> None:
    """Write all these parameters, or none if one is not finite."""
    if not np.isfinite(new).all():
        raise EditError(f"`{what}` would become NaN or infinite")
    state.theta[places] = new


def _check_zero(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    _targeted(network, "zero_weights", target)
    return {}


def _zero_weights(network: Network, state: State, edit: Edit) -> str:
    what, places = _targeted(network, "zero_weights", edit.target)
    state.theta[places] = 0
    return f"weights of {what} set to 0"


# -- draw anew


def _check_reinit(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    learned_units(network, "reinit", target)
    return {"ordinal": ordinal("reinit", args)}


def _reinit(network: Network, state: State, edit: Edit) -> str:
    block, selector = learned_units(network, "reinit", edit.target)
    drawn = []
    for index in range(block.first, block.last + 1):
        layer = network.layers[index]
        for entry in layer.parameters():
            start = network.parameter_slice(index, entry.name).start
            drawn.append((state.theta, *_drawn(state, edit, selector, layer.name, entry, start)))
        for entry in layer.carried():
            if not entry.transient:
                start = network.carried_slice(index, entry.name).start
                drawn.append((state.buffers, *_drawn(state, edit, selector, layer.name, entry, start)))
    for vector, places, new in drawn:
        vector[places] = new
        for slot in state.slots.values() if vector is state.theta else ():
            slot[places] = 0
    return f"{selector} drawn anew"


def _drawn(
    state: State, edit: Edit, selector: Selector, layer: str, entry: Parameter, start: int
) -> tuple[Array, Array]:
    """The places of the units in an array, and the values drawn for them."""
    places = entry.places(np.array(selector.units), whole=selector.whole)
    purpose = f"reinit/{layer}.{entry.name}/{edit.args['ordinal']}"
    new = entry.init.draw(state.hyper.seed, purpose, entry.shape, entry.fan_in, entry.fan_out).reshape(-1)[places]
    with np.errstate(over="ignore"):
        new = new.astype(state.theta.dtype)
    if not np.isfinite(new).all():
        raise EditError(f"`reinit` {selector}: {entry.init!r} draws values beyond {state.theta.dtype}")
    return start + places, new


# -- round, sparsify


def _check_round(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    _targeted(network, "round", target)
    return {"bits": whole("round", args, "bits", 1, MAX_BITS)}


def _round(network: Network, state: State, edit: Edit) -> str:
    """Round to whole multiples of the largest |weight| / (2^(bits - 1) - 1): symmetric quantization.

    1 bit: plus or minus the mean |weight|.
    """
    what, places = _targeted(network, "round", edit.target)
    bits, before = edit.args["bits"], state.theta[places].astype(np.float64)
    largest = np.abs(before).max(initial=0.0)
    if bits == 1:
        after = np.where(before < 0, -1, 1) * np.abs(before).mean()
    else:
        step = largest / (2 ** (bits - 1) - 1)
        after = np.rint(before / step) * step if step else before
    _put(state, places, after.astype(state.theta.dtype), what)
    off = float(np.sqrt(np.square(after - before).mean()))
    return f"{what} rounded to {bits} bit{'s' if bits > 1 else ''}, off by {off:.3g} (rms)"


def _check_sparsify(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    _targeted(network, "sparsify", target)
    return {"share": number("sparsify", args, "share", 0.0, 1.0)}


def _sparsify(network: Network, state: State, edit: Edit) -> str:
    """Set the smallest weights to zero and freeze them there."""
    what, places = _targeted(network, "sparsify", edit.target)
    count = round(edit.args["share"] * len(places))
    smallest = places[np.argsort(np.abs(state.theta[places]), kind="stable")[:count]]
    state.theta[smallest] = 0
    state.frozen = np.union1d(state.frozen, smallest)
    return f"{count:,} of {len(places):,} weights of {what} held at 0"


# -- transplant


def _check_transplant(network: Network, target: str, args: dict[str, Any]) -> dict[str, Any]:
    block, selector = learned_units(network, "transplant", target)
    size = sum(map(len, places_of(network, block, selector)))
    made = {name: value for name, value in args.items() if name != "values"}
    for name, value in made.items():
        if not isinstance(value, str):
            raise EditError(f"`transplant`: `{name}` must be text, not {value!r}")
    found = values("transplant", str(selector), args, network.dtype, lambda array: array.shape == (size,), f"({size},)")
    return {**made, "values": found}


def _transplant_arguments(bench: Bench, target: str, given: Arguments) -> Recorded:
    """The arguments of `transplant`: the source and the units there, or what they learned."""
    if given.get("values") is not None:
        return {"values": given["values"]}
    places, source = {name: given.get(name) for name in ("branch", "bookmark", "save")}, given.get("source")
    found = yield from learned_of(bench, select(bench.network, target), source, places)
    return {**said({**places, "source": source}), "values": found}


def _transplant(network: Network, state: State, edit: Edit) -> str:
    block, selector = learned_units(network, "transplant", edit.target)
    places, carried = places_of(network, block, selector)
    given = edit.args["values"].array
    state.theta[places], state.buffers[carried] = given[: len(places)], given[len(places) :]
    for slot in state.slots.values():
        slot[places] = 0
    sources = [entry.name for entry in OPERATIONS[edit.op].arguments if entry.kind in ELSEWHERE]
    where = next((f" from {name} {printable(edit.args[name])}" for name in sources if name in edit.args), "")
    return f"{selector} transplanted{where}"


_OUTGOING = Argument("outgoing", FLAG)
PARAMETERS = (
    _operation(
        "set_weight",
        ELEMENTS,
        "set elements of a parameter: set_weight hidden.w[4,3] 0.5",
        _check_set,
        _set_weight,
        Argument("value", NUMBER, required=True, named=False, example="0"),
    ),
    _operation(
        "nudge",
        WEIGHTS_OR_BIAS,
        "add to weights",
        _check_nudge,
        _nudge,
        Argument("by", NUMBER.called("BY"), required=True, named=False, example="0.1"),
    ),
    _operation("zero_weights", WEIGHTS, "set incoming weights to 0", _check_zero, _zero_weights),
    _operation("reinit", LEARNED, "draw what units have learned anew", _check_reinit, _reinit, ORDINAL),
    _operation(
        "copy",
        LEARNED,
        "copy what units have learned to others of their block",
        check_pair("copy", "to"),
        copy,
        Argument("to", OTHER_UNITS, required=True, named=False, example=""),
        _OUTGOING,
    ),
    _operation(
        "swap",
        LEARNED,
        "swap units of a block",
        check_pair("swap", "other"),
        swap,
        Argument("other", OTHER_UNITS, required=True, named=False, example=""),
        _OUTGOING,
        exact=exact_swap,
    ),
    _operation(
        "sign_flip",
        FLIPPABLE,
        "turn the signs of units' weights and biases round",
        check_flip,
        sign_flip,
        _OUTGOING,
        exact=exact_flip,
    ),
    _operation(
        "round",
        WEIGHTS,
        "round weights to so many bits: what does quantizing cost?",
        _check_round,
        _round,
        Argument("bits", WHOLE.called("BITS"), required=True, named=False, example="3"),
    ),
    _operation(
        "sparsify",
        WEIGHTS,
        "set the smallest weights to 0 and hold them there",
        _check_sparsify,
        _sparsify,
        Argument("share", NUMBER.called("SHARE"), required=True, named=False, example="0.5"),
    ),
    _operation(
        "transplant",
        LEARNED,
        "take what units have learned over from a save, branch or bookmark",
        _check_transplant,
        _transplant,
        Argument("save", SAVE, required=True, derives=True),
        Argument("branch", BRANCH, either=True, example="", derives=True),
        Argument("bookmark", BOOKMARK, either=True, derives=True),
        Argument("source", UNITS_ELSEWHERE),
        Argument("values", VALUES),
        values=_transplant_arguments,
    ),
)
