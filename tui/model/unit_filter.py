"""The filter of the Units pane: what may be written, and which units it lets through.

`dead`, `saturated > 30`, `|mean| < 0.1 and not frozen`: states and comparisons, joined by `and`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tinynets.errors import nearest
from tinynets.server.frame import Floats, Mask

QUANTITIES = {
    "unit": "unit",
    "mean": "mean",
    "dev": "std",
    "deviation": "std",
    "std": "std",
    "saturated": "flat",
    "off": "flat",
    "grad": "gradient",
    "gradient": "gradient",
    "change": "change",
    "update": "change",
    "worth": "worth",
}
"""What can be compared -> the column it stands for; shares are in per cent."""
SHOWN = ("unit", "mean", "dev", "saturated", "off", "grad", "change", "worth")
"""Those that a message names."""
COMPARED: dict[str, Callable[[Floats, float], Mask]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
COMPARISON = re.compile(r"(\|?)\s*([a-z]+)\s*(\|?)\s*(<=|>=|==|!=|<|>|=)\s*(\S+)")
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]{1,3})?")
STATE = re.compile(r"(not\s+)?(\S+(?:\s+\S+)*)")


class FilterError(Exception):
    """A filter that cannot be read: what is wrong with it, in words."""


@dataclass(frozen=True)
class Comparison:
    """A column compared with a number."""

    column: str
    size: bool
    """Without its sign."""
    sign: str
    number: float

    def mask(self, columns: Mapping[str, Floats], states: Mapping[str, Mask]) -> Mask:
        values = np.abs(columns[self.column]) if self.size else columns[self.column]
        with np.errstate(invalid="ignore"):
            found: Mask = COMPARED[self.sign](values, self.number) & ~np.isnan(values)
        return found


@dataclass(frozen=True)
class State:
    """A state that a unit is in or not."""

    name: str
    negated: bool

    def mask(self, columns: Mapping[str, Floats], states: Mapping[str, Mask]) -> Mask:
        return np.asarray(states[self.name] != self.negated)


@dataclass(frozen=True)
class UnitFilter:
    """What has to hold of a unit for it to be shown; nothing: all are."""

    text: str = ""
    terms: tuple[Comparison | State, ...] = ()

    def mask(self, columns: Mapping[str, Floats], states: Mapping[str, Mask]) -> Mask:
        """(rows,) which units are shown; `columns` by the names in `QUANTITIES`, `states` by their own."""
        found = np.ones(len(columns["unit"]), np.bool_)
        for term in self.terms:
            found &= term.mask(columns, states)
        return found


def read_filter(text: str, states: tuple[str, ...]) -> UnitFilter:
    """Read a filter; `states` are the names of what a unit can be. Raises FilterError in words."""
    words = " ".join(text.lower().split())
    if not words:
        return UnitFilter()
    return UnitFilter(words, tuple(_term(part.strip(), states) for part in re.split(r"\band\b", words)))


def _term(text: str, states: tuple[str, ...]) -> Comparison | State:
    if not text:
        raise FilterError(f"`and` stands between two of these: {_known(states)}")
    found = COMPARISON.fullmatch(text)
    if found is not None:
        return _comparison(text, *found.groups())
    state = STATE.fullmatch(text)
    assert state is not None  # there is text, and it does not begin or end with blanks
    negated, name = bool(state[1]), state[2]
    if name in states:
        return State(name, negated)
    if name in QUANTITIES:
        raise FilterError(f"`{name}` is compared with a number, as `{name} > 0.1`")
    close = nearest(name, [*states, *SHOWN])
    raise FilterError(f"`{text}` is not known; a filter is {_known(states)}{close}")


def _comparison(text: str, left: str, name: str, right: str, sign: str, number: str) -> Comparison:
    if left != right:
        raise FilterError(f"`{text}`: a size is written `|{name}|`, with a bar on both sides")
    if name not in QUANTITIES:
        known = ", ".join(SHOWN)
        raise FilterError(f"there is no `{name}` to compare, only {known}{nearest(name, SHOWN)}")
    if not NUMBER.fullmatch(number.removesuffix("%")):
        raise FilterError(f"`{text}`: `{number}` is not a number, as 0.5, 1e-4 or 30%")
    return Comparison(QUANTITIES[name], bool(left), sign, float(number.removesuffix("%")))


def _known(states: tuple[str, ...]) -> str:
    return f"a state ({', '.join(states)}) or a comparison (`mean < 0`, of {', '.join(SHOWN)})"
