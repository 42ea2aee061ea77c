"""Edits, as small immutable records, and what an operation is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinynets.arrays import Array, Values, as_array, converted, is_finite_number, shape_text
from tinynets.checks import true_or_false, whole_number
from tinynets.errors import DataError, EditError
from tinynets.foreign_text import printable
from tinynets.network import Network
from tinynets.paths import restored, stored
from tinynets.state import State

POSITIONAL = frozenset({"value", "to", "factor", "sigma", "over", "bits", "share", "by", "other", "count", "kind"})
"""Arguments that a line of Python gives without their names, where they come first."""
HIDDEN = frozenset({"ordinal"})
"""What an edit holds so that it is done again exactly, and no line of Python says."""
SOURCES = ("branch", "bookmark", "save")
"""Arguments that say from where else values came."""
DERIVED = frozenset({"example", "input", "over", "examples", "toward", "away", *SOURCES})
"""Arguments from which values follow, where the moment is the same."""
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Edit:
    """One operation with its arguments resolved: `zero` on `hidden[3]`, `set` of lr to 0.01."""

    op: str
    target: str
    """A selector in its shortest form, or the name of a setting."""
    args: dict[str, Any] = field(default_factory=dict)

    def python(self) -> str:
        """The line of Python that does it, where the moment is the same."""
        derived = bool(DERIVED & self.args.keys())
        return self._line({key: value for key, value in self.args.items() if key != "values" or not derived})

    def script(self) -> str:
        """The line of Python that does it with nothing beyond this branch: what came from elsewhere is written out."""
        if not any(source in self.args for source in SOURCES):
            return self.python()
        left = {key: value for key, value in self.args.items() if key == "values" or key not in DERIVED}
        return self._line(left)

    def _line(self, args: Mapping[str, Any]) -> str:
        shown = [(name, value) for name, value in args.items() if name not in HIDDEN]
        parts = [literal(self.target)]
        for place, (name, value) in enumerate(shown):
            parts.append(literal(value) if place == 0 and name in POSITIONAL else f"{name}={literal(value)}")
        return f"lab.{self.op}({', '.join(parts)})"

    def config(self) -> dict[str, Any]:
        """Plain data and arrays."""
        args: dict[str, Any] = dict(self.args)
        args |= {key: value.array for key, value in args.items() if isinstance(value, Values)}
        if isinstance(args.get("save"), str):
            args["save"] = stored(args["save"])
        return {"op": self.op, "target": self.target, "args": args}

    def __hash__(self) -> int:
        return hash((self.op, self.target, repr(sorted(self.args.items()))))


def edit_from(config: Mapping[str, Any]) -> Edit:
    """An edit from plain data, as `Edit.config` gives it."""
    args: dict[str, Any] = {
        key: Values(value) if isinstance(value, np.ndarray) else value for key, value in config["args"].items()
    }
    if isinstance(args.get("save"), bytes):
        args["save"] = restored(args["save"])
    return Edit(config["op"], config["target"], args)


@dataclass(frozen=True)
class Operation:
    """What can be done to a running net.

    `resolve(network, state, target, args)` checks and gives the Edit; `check(network, edit)` checks one from a file as
    far as that can be done without a state; `apply(network, state, edit)` does it to a State and says what was done
    ("hidden[3] zeroed"). Applying the same edit to the same state gives the same bytes. `after(network, edit)` is a
    network of the layers behind it to look at, of an operation that changes them. `apply_all(network, state, edits)`
    does several of them (of all operations that have the same one) in work in proportion to what they name; it gives
    the very bytes that doing one after the other would.
    `kinds` and `options` are those of the command line's arguments behind the target (see commands.py).
    """

    name: str
    family: str
    usage: str
    help: str
    resolve: Callable[[Network, State, str, dict[str, Any]], Edit]
    apply: Callable[[Network, State, Edit], str]
    check: Callable[[Network, Edit], object]
    kinds: tuple[str, ...] = ("units",)
    options: Mapping[str, str] = field(default_factory=dict)
    after: Callable[[Network, Edit], Network] | None = None
    apply_all: Callable[[Network, State, Sequence[Edit]], str] | None = None


def literal(value: Any) -> str:
    """A plain value as Python code, text in double quotes."""
    return printable(json.dumps(value, ensure_ascii=False)) if isinstance(value, str) else repr(value)


# -- arguments


def only(op: str, args: Mapping[str, Any], *known: str) -> None:
    """Raise EditError where there is an argument that an operation does not take."""
    for name in args:
        if name not in known:
            takes = ", ".join(name for name in known if name not in HIDDEN) or "no arguments"
            raise EditError(f"`{op}` takes {takes}, not `{name}`")


def number(op: str, args: Mapping[str, Any], name: str, low: float = -LARGEST, high: float = LARGEST) -> float:
    """A finite number of an edit's arguments, as a float."""
    value = args.get(name)
    if not is_finite_number(value) or not low <= value <= high:
        wide = (low, high) == (-LARGEST, LARGEST) and not is_finite_number(value)
        between = "" if wide else f" from {low:g} to {high:g}"
        raise EditError(f"`{op}`: `{name}` must be a finite number{between}, not {value!r}")
    return float(value)


def whole(op: str, args: Mapping[str, Any], name: str, low: int, high: int) -> int:
    return whole_number(f"`{op}`: `{name}`", args.get(name), low, high)


def flag(op: str, args: Mapping[str, Any], name: str) -> bool:
    """True or False; where it is not there, False."""
    return true_or_false(f"`{op}`: `{name}`", args.get(name, False))


def ordinal(op: str, args: Mapping[str, Any]) -> int:
    """The edit's number on its branch, which what is drawn for it is addressed by."""
    return whole(op, args, "ordinal", 0, 2**62)


def values(
    op: str, thing: str, args: Mapping[str, Any], dtype: Any, fits: Callable[[Array], bool], rule: str
) -> Values:
    """The array of an edit's arguments: finite, in the network's dtype, of a shape that fits."""
    given = args.get("values")
    try:
        array = as_array("values", given.array if isinstance(given, Values) else given)
        if array.dtype.kind not in "biuf":
            raise TypeError
        array = converted(array, np.dtype(dtype), "values")
    except DataError as error:
        raise EditError(f"`{op}`: {error}") from None
    except (TypeError, ValueError):
        raise EditError(f"`{op}`: `values` must be numbers, not {given!r}") from None
    if not fits(array):
        raise EditError(f"`{op}` {thing}: `values` must be {rule}, not {shape_text(array.shape)}")
    if not np.isfinite(array).all():
        raise EditError(f"`{op}`: `values` holds NaN or infinity")
    return Values(array)
