"""On activations: zero, mean, resample, clamp, scale, noise, patch, steer, and release. Parameters stay untouched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tinynets.edits.arguments import number, ordinal, reject_unknown, values
from tinynets.edits.edit import DERIVED, Edit
from tinynets.edits.operation import Operation
from tinynets.errors import EditError, ShapeError
from tinynets.nn.interventions import DRAWS, KINDS, TAKES_AMOUNT, TAKES_VALUES, Intervention, Standing, released
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, select
from tinynets.numerics.arrays import Array, Shape, Values, shape_text
from tinynets.training.state import State

MAX_VALUES = 2**22  # bytes that one edit may hold
MAX_NAME = 1000  # letters of a site's name
SIGMA = (0.0, 1e30)
DONE = {
    "zero": "zeroed",
    "mean": "set to its mean",
    "resample": "taken from other examples",
    "clamp": "clamped to {amount:g}",
    "scale": "scaled by {amount:g}",
    "noise": "with noise of sigma {amount:g}",
    "patch": "patched",
    "steer": "steered",
}


def _resolve(op: str) -> Any:
    def resolve(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
        selector = select(network, target)
        return Edit(op, str(selector), _checked(network, op, selector, args))

    return resolve


def _check(network: Network, edit: Edit) -> None:
    _checked(network, edit.op, select(network, edit.target), edit.args)


def _checked(network: Network, op: str, selector: Selector, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments, each of its kind; EditError says what is wrong."""
    amount = TAKES_AMOUNT.get(op)
    known = [amount] if amount else []
    known += ["values", *sorted(DERIVED)] if op in TAKES_VALUES else []
    known += ["scale"] if op == "steer" else []
    known += ["ordinal"] if op in DRAWS else []
    reject_unknown(op, args, *known)
    made = dict(args)
    if amount:
        made[amount] = number(op, args, amount, *(SIGMA if op == "noise" else ()))
    if op == "steer" and "scale" in args:
        made["scale"] = number(op, args, "scale")
    if op in TAKES_VALUES:
        made["values"] = _values(network, op, selector, args)
    if op in DRAWS:
        ordinal(op, args)
        network.site_shape(network.site(selector.site))
    return made


def _values(network: Network, op: str, selector: Selector, args: dict[str, Any]) -> Values:
    """What is set or added, as an example at the site has it, with these units alone; of resample a pool of them."""
    index = network.site(selector.site)
    axis, count = network.layers[index].site_axis, len(selector.units)
    try:
        shape = list(network.site_shape(index))
    except ShapeError:
        shape = [count]
    shape = [count] if selector.time is not None else shape
    shape[axis] = count
    least = [count] if axis == -1 else [count, 1, shape[-1]]
    rule = f"{shape_text(tuple(least))} or {shape_text(tuple(shape))}" if least != shape else shape_text(tuple(shape))

    def fits(array: Array) -> bool:
        if array.nbytes > MAX_VALUES:
            raise EditError(
                f"`{op}` {selector}: it would hold {array.nbytes:,} bytes; at most {MAX_VALUES:,} are allowed"
            )
        if op == "resample":
            return array.ndim == len(shape) + 1 and len(array) > 0 and array.shape[1:] == tuple(shape)
        return array.shape in (tuple(least), tuple(shape)) or _broadcasts(array.shape, tuple(shape), axis)

    rule = f"(examples, {', '.join(map(str, shape))})" if op == "resample" else rule
    return values(op, str(selector), args, network.dtype, fits, rule)


def _broadcasts(given: Shape, wanted: Shape, axis: int) -> bool:
    """Whether it has as many axes, each of them of size 1 or right, the units whole."""
    return (
        len(given) == len(wanted)
        and given[axis] == wanted[axis]
        and all(n in (1, m) for n, m in zip(given, wanted, strict=True))
    )


def _apply(network: Network, state: State, edit: Edit) -> str:
    return _apply_all(network, state, (edit,))


def _apply_all(network: Network, state: State, edits: Sequence[Edit]) -> str:
    """Interventions put up and released one after the other; says what the last one did."""
    standing, done = Standing(network, state.interventions), ""
    for edit in edits:
        selector = select(network, edit.target)
        if edit.op == "release":
            standing.take_off(selector.site, selector.units, selector.time)
            done = f"{selector} released"
            continue
        new = _intervention(edit, selector)
        standing.put(new)
        done = f"{selector} {DONE[edit.op].format(amount=new.amount)}"
    state.interventions = standing.settled()
    return done


def _intervention(edit: Edit, selector: Selector) -> Intervention:
    args = edit.args
    return Intervention(
        edit.op,
        selector.site,
        selector.units,
        selector.time,
        args.get(TAKES_AMOUNT.get(edit.op, "")),
        args["values"] if edit.op in TAKES_VALUES else None,
        args["ordinal"] if edit.op in DRAWS else None,
    )


def _resolve_release(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    reject_unknown("release", args)
    if released(network, state.interventions, selector) == state.interventions:
        standing = ", ".join(map(str, state.interventions)) or "none"
        raise EditError(f"`{selector}`: no intervention stands there; standing: {standing}")
    return Edit("release", str(selector))


def _check_release(network: Network, edit: Edit) -> None:
    select(network, edit.target)
    reject_unknown("release", edit.args)


def _is_site(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and re.fullmatch(r"\w+(\.\w+)*", name) is not None


def intervention_from(network: Network, op: str, selector: Selector, args: dict[str, Any]) -> Intervention:
    """An intervention that stands in a file, checked as an edit would be."""
    amount = TAKES_AMOUNT.get(op, "")
    given = {name: value for name, value in ((amount, args.get("amount")),) if name}
    given |= {name: args[name] for name in ("values", "ordinal") if args.get(name) is not None}
    made = _checked(network, op, selector, given)
    rows = args.get("rows")
    if rows is not None:
        rows = tuple(int(row) for row in rows)
        if op != "noise" or len(rows) != len(selector.units) or not all(0 <= row < 2**20 for row in rows):
            raise EditError(f"`{op}` {selector}: `rows` must be a number for each unit, not {list(rows)}")
    origin = args.get("origin")
    if origin is not None and (op not in DRAWS or not _is_site(origin)):
        raise EditError(f"`{op}` {selector}: `origin` must be the name of a site, not {origin!r}")
    return Intervention(
        op,
        selector.site,
        selector.units,
        selector.time,
        made.get(amount),
        made.get("values"),
        made.get("ordinal"),
        rows,
        origin,
    )


_VALUES = {"values": "numbers"}
_OF_VALUES = {"example": "whole", "input": "input", "branch": "text", "bookmark": "text", "save": "text", **_VALUES}
_ARGUMENTS: dict[str, tuple[str, str, tuple[str, ...], dict[str, str]]] = {
    "zero": ("zero UNITS", "hold units' activations at zero", ("units",), {}),
    "mean": ("mean UNITS [SPLIT]", "hold units at their mean over the probe or a split", ("units", "text?"), _VALUES),
    "resample": (
        "resample UNITS [SPLIT] [examples=N]",
        "give units the activations of other examples, drawn at random",
        ("units", "text?"),
        {"examples": "whole", **_VALUES},
    ),
    "clamp": ("clamp UNITS VALUE", "hold units' activations at a value", ("units", "number"), {}),
    "scale": ("scale UNITS FACTOR", "multiply units' activations", ("units", "number"), {}),
    "noise": ("noise UNITS SIGMA", "add normal noise to units' activations", ("units", "number"), {}),
    "patch": (
        "patch UNITS example=N|input=TEXT [branch=B|bookmark=M|save=FILE]",
        "hold units at what another example, input, branch, bookmark or save gives them",
        ("units",),
        _OF_VALUES,
    ),
    "steer": (
        "steer UNITS toward=CLASS away=CLASS [scale=K]",
        "add a vector to units: the difference of two classes' means",
        ("units",),
        {"toward": "text", "away": "text", "scale": "number", "over": "text", **_VALUES},
    ),
}
assert set(_ARGUMENTS) == set(KINDS)

ACTIVATIONS = (
    *(
        Operation(op, "activation", usage, help_, _resolve(op), _apply, _check, kinds, options, apply_all=_apply_all)
        for op, (usage, help_, kinds, options) in _ARGUMENTS.items()
    ),
    Operation(
        "release",
        "activation",
        "release UNITS",
        "take interventions off units",
        _resolve_release,
        _apply,
        _check_release,
        apply_all=_apply_all,
    ),
)
