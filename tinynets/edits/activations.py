"""Edits of activations: zero, mean, resample, clamp, scale, noise, patch, steer, release; parameters stay the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from tinynets.edits.arguments import number, ordinal, values
from tinynets.edits.edit import OPERATIONS, Edit, Operation
from tinynets.edits.kinds import (
    BOOKMARK,
    BRANCH,
    CLASS,
    EXAMPLE,
    INPUT,
    NUMBER,
    ORDINAL,
    PROBE_OR_SPLIT,
    SAVE,
    SITE,
    SPLIT,
    STANDING,
    VALUES,
    WHOLE,
    Argument,
)
from tinynets.edits.values import (
    PROBE,
    Arguments,
    Bench,
    Recorded,
    direction_of,
    mean_of,
    numbers_of,
    patch_of,
    pool_of,
    said,
)
from tinynets.errors import EditError, ShapeError
from tinynets.nn.interventions import KINDS, Intervention, InterventionKind, InterventionStack, released
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, select
from tinynets.numerics.arrays import Array, Shape, Values, ignore_warnings, plain, shape_text
from tinynets.training.state import State

MAX_VALUES = 2**22  # bytes that one edit may hold
MAX_NAME = 1000  # letters of the name of a site
SIGMA = (0.0, 1e30)


def _resolve(op: str) -> Any:
    def resolve(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
        selector = select(network, target)
        return Edit(op, str(selector), _checked(network, op, selector, args))

    return resolve


def _check(network: Network, edit: Edit) -> None:
    _checked(network, edit.op, select(network, edit.target), edit.args)


def _checked(network: Network, op: str, selector: Selector, args: dict[str, Any]) -> dict[str, Any]:
    """The arguments, each checked for its kind; raises EditError that says what is wrong."""
    made = dict(args)
    for argument in OPERATIONS[op].arguments:
        name = argument.name
        if argument.kind is VALUES:
            made[name] = _values(network, op, selector, args)
        elif argument.kind.name == NUMBER.name and (argument.required or name in args):
            made[name] = number(op, args, name, *(SIGMA if name == "sigma" else ()))
        elif argument is ORDINAL:
            ordinal(op, args)
            network.site_shape(network.site(selector.site))
    return made


def _values(network: Network, op: str, selector: Selector, args: dict[str, Any]) -> Values:
    """The values to set or add, shaped like an example at the site with only these units; for resample, a pool."""
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
        if KINDS[op].pools:
            return array.ndim == len(shape) + 1 and len(array) > 0 and array.shape[1:] == tuple(shape)
        return array.shape in (tuple(least), tuple(shape)) or _broadcasts(array.shape, tuple(shape), axis)

    rule = f"(examples, {', '.join(map(str, shape))})" if KINDS[op].pools else rule
    return values(op, str(selector), args, network.dtype, fits, rule)


def _broadcasts(given: Shape, wanted: Shape, axis: int) -> bool:
    """Whether a shape broadcasts: the same number of axes, each of size 1 or equal, and the unit axis equal."""
    return (
        len(given) == len(wanted)
        and given[axis] == wanted[axis]
        and all(n in (1, m) for n, m in zip(given, wanted, strict=True))
    )


def _apply(network: Network, state: State, edit: Edit) -> str:
    return _apply_all(network, state, (edit,))


def _apply_all(network: Network, state: State, edits: Sequence[Edit]) -> str:
    """Apply and release interventions one after the other; returns what the last one did."""
    standing, done = InterventionStack(network, state.interventions), ""
    for edit in edits:
        selector = select(network, edit.target)
        if edit.op == "release":
            standing.take_off(selector.site, selector.units, selector.time)
            done = f"{selector} released"
            continue
        new = _intervention(edit, selector)
        standing.put(new)
        done = f"{selector} {OPERATIONS[edit.op].done.format(amount=new.amount)}"
    state.interventions = standing.settled()
    return done


def _intervention(edit: Edit, selector: Selector) -> Intervention:
    args, op = edit.args, edit.op
    amount, held, number = args.get(_amount(op)), args.get("values"), args.get("ordinal")
    return Intervention(op, selector.site, selector.units, selector.time, amount, held, number)


def _amount(op: str) -> str:
    """The argument of an operation that becomes the `amount` of its intervention; empty if it has none."""
    arguments = OPERATIONS[op].arguments
    return next((entry.name for entry in arguments if entry.required and entry.kind.name == NUMBER.name), "")


def _resolve_release(network: Network, state: State, target: str, args: dict[str, Any]) -> Edit:
    selector = select(network, target)
    if released(network, state.interventions, selector) == state.interventions:
        standing = ", ".join(map(str, state.interventions)) or "none"
        raise EditError(f"`{selector}`: no intervention stands there; standing: {standing}")
    return Edit("release", str(selector))


def _check_release(network: Network, edit: Edit) -> None:
    select(network, edit.target)


def _is_site(name: object) -> bool:
    return isinstance(name, str) and len(name) <= MAX_NAME and re.fullmatch(r"\w+(\.\w+)*", name) is not None


def intervention_from(network: Network, op: str, selector: Selector, args: dict[str, Any]) -> Intervention:
    """An intervention from a file, checked like an edit."""
    amount = _amount(op)
    given = {name: value for name, value in ((amount, args.get("amount")),) if name}
    given |= {name: args[name] for name in ("values", "ordinal") if args.get(name) is not None}
    made = _checked(network, op, selector, given)
    rows = args.get("rows")
    if rows is not None:
        rows = tuple(int(row) for row in rows)
        if not KINDS[op].adds_noise or len(rows) != len(selector.units) or not all(0 <= row < 2**20 for row in rows):
            raise EditError(f"`{op}` {selector}: `rows` must be a number for each unit, not {list(rows)}")
    origin = args.get("origin")
    if origin is not None and (not KINDS[op].draws or not _is_site(origin)):
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


# -- the sources of values: from the arguments given to those recorded


def _mean_arguments(bench: Bench, target: str, given: Arguments) -> Recorded:
    """The arguments of `mean`: what it is taken over, or its values."""
    if given.get("values") is not None:
        return {"values": given["values"]}
    over = given["over"]
    return {"over": over, "values": (yield from mean_of(bench, select(bench.network, target), over))}


def _resample_arguments(bench: Bench, target: str, given: Arguments) -> Recorded:
    """The arguments of `resample`: where examples are drawn from and how many, or the examples themselves."""
    ordinal = given["ordinal"]
    if given.get("values") is not None:
        return {"values": given["values"], "ordinal": ordinal}
    over, examples = given["over"], given["examples"]
    found = yield from pool_of(bench, select(bench.network, target), over, examples, ordinal)
    return {"over": over, "examples": plain(examples), "ordinal": ordinal, "values": found}


def _patch_arguments(bench: Bench, target: str, given: Arguments) -> Recorded:
    """The arguments of `patch`: the example and the moment of the activations, or its values."""
    places = {name: given.get(name) for name in ("branch", "bookmark", "save")}
    example, written = given.get("example"), given.get("input")
    if given.get("values") is not None:
        if any(value is not None for value in (example, written, *places.values())):
            raise EditError("`patch` takes `values` alone, or where they come from")
        return {"values": given["values"]}
    numbers = written if written is None or isinstance(written, str) else numbers_of(written).tolist()
    found = yield from patch_of(bench, select(bench.network, target), example, written, places)
    return {**said({"example": example, "input": numbers, **places}), "values": found}


def _steer_arguments(bench: Bench, target: str, given: Arguments) -> Recorded:
    """The arguments of `steer`: the classes to go toward and away from, or its values, scaled."""
    toward, away = given.get("toward"), given.get("away")
    factor = number("steer", given, "scale")
    if given.get("values") is not None:
        if toward is not None or away is not None:
            raise EditError("`steer` takes `values` alone, or classes")
        found = _values(bench.network, "steer", select(bench.network, target), given)
        with ignore_warnings():
            return {"values": found.array * bench.network.dtype.type(factor)}
    if toward is None:
        raise EditError("`steer` needs `toward=` (a class), or `values=`")
    over = given["over"]
    found = yield from direction_of(bench, select(bench.network, target), over, toward, away, factor)
    return {**said({"toward": toward, "away": away, "over": over, "scale": factor}), "values": found}


# -- the operations


def intervening(
    op: str,
    done: str,
    help_: str,
    *arguments: Argument,
    values: Callable[[Bench, str, Arguments], Recorded] | None = None,
    kind: InterventionKind | None = None,
) -> Operation:
    """Make an operation that adds an intervention of its name; `kind` is given if the name is not known yet."""
    return Operation(
        op,
        "activation",
        SITE,
        help_,
        arguments,
        _resolve(op),
        _apply,
        _check,
        values=values,
        apply_all=_apply_all,
        intervention=kind or KINDS[op],
        done=done,
    )


_VALUES = Argument("values", VALUES)
ACTIVATIONS = (
    intervening("zero", "zeroed", "hold units' activations at zero"),
    intervening(
        "mean",
        "set to its mean",
        "hold units at their mean over the probe or a split",
        Argument("over", PROBE_OR_SPLIT, named=False, default=PROBE, derives=True),
        _VALUES,
        values=_mean_arguments,
    ),
    intervening(
        "resample",
        "taken from other examples",
        "give units the activations of other examples, drawn at random",
        Argument("over", SPLIT, named=False, default="train", derives=True),
        Argument("examples", WHOLE, default=64, derives=True),
        _VALUES,
        ORDINAL,
        values=_resample_arguments,
    ),
    intervening(
        "clamp",
        "clamped to {amount:g}",
        "hold units' activations at a value",
        Argument("value", NUMBER, required=True, named=False, example="0.5"),
    ),
    intervening(
        "scale",
        "scaled by {amount:g}",
        "multiply units' activations",
        Argument("factor", NUMBER.called("FACTOR"), required=True, named=False, example="2"),
    ),
    intervening(
        "noise",
        "with noise of sigma {amount:g}",
        "add normal noise to units' activations",
        Argument("sigma", NUMBER.called("SIGMA"), required=True, named=False, example="0.1"),
        ORDINAL,
    ),
    intervening(
        "patch",
        "patched",
        "hold units at what another example, input, branch, bookmark or save gives them",
        Argument("example", EXAMPLE, required=True, example="", derives=True),
        Argument("input", INPUT, either=True, derives=True),
        Argument("branch", BRANCH, derives=True),
        Argument("bookmark", BOOKMARK, either=True, derives=True),
        Argument("save", SAVE, either=True, derives=True),
        _VALUES,
        values=_patch_arguments,
    ),
    intervening(
        "steer",
        "steered",
        "add a vector to units: the difference of two classes' means",
        Argument("toward", CLASS, required=True, example="", derives=True),
        Argument("away", CLASS, required=True, derives=True),
        Argument("scale", NUMBER.called("K"), default=1.0),
        Argument("over", SPLIT.called(""), default="train", derives=True),
        _VALUES,
        values=_steer_arguments,
    ),
    Operation(
        "release",
        "activation",
        STANDING,
        "take interventions off units",
        (),
        _resolve_release,
        _apply,
        _check_release,
        apply_all=_apply_all,
    ),
)
