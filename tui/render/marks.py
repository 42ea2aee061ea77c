"""Marks of units: glyphs and colours that mean the same in every pane.

Magenta marks interventions, ice what is frozen, red what is dead; orange and blue are kept for values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.style import Style

from tinynets.server.frame import FROZEN, PARTLY, SEVERAL, Mask, Standing
from tui.render import palette
from tui.render.operation_looks import LOOKS
from tui.render.palette import Terminal


@dataclass(frozen=True)
class Sign:
    """How one state of a unit (zeroed, frozen, dead, ...) is shown and called."""

    name: str
    ink: str
    """The name of its style in the palette."""
    words: str

    @property
    def style(self) -> Style:
        return palette.named(self.ink)

    def glyph(self, look: Terminal) -> str:
        return look.glyph(self.name)


SIGNS: dict[str, Sign] = {
    sign.name: sign
    for sign in (
        *(Sign(name, "DONE", look.words) for name, look in LOOKS.items() if look.glyphs),
        Sign("several", "DONE", "several of these"),
        Sign("frozen", "ICE", "frozen"),
        Sign("partly", "ICE", "frozen in part"),
        Sign("dead", "BAD", "dead"),
        Sign("rate", "ICE", "own rate"),
    )
}
"""All signs, the most important first: a cell with room for only one shows that."""


def sign_of(name: str) -> Sign:
    """The sign of a name; an operation on activations without a look of its own has the sign of its family."""
    return SIGNS.get(name) or Sign("other", "DONE", name)


@dataclass(frozen=True)
class UnitMark:
    """The mark of one unit: its first sign, and whether that is an intervention before the activation."""

    sign: Sign
    before: bool = False
    second: Sign | None = None

    @property
    def style(self) -> Style:
        return palette.BEFORE if self.before else self.sign.style

    def text(self, width: int, look: Terminal) -> str:
        """The glyph and, if there is room, another after it: the next sign, or "before the activation"."""
        more = self.second.glyph(look) if self.second else look.glyph("before") if self.before else ""
        return (self.sign.glyph(look) + (more if width > 1 else "")).ljust(width)


class Marks:
    """The marks of a block's units at one of its time steps, or at all of them."""

    def __init__(self, standing: Standing | None, dead: Mask, time: int | None = None) -> None:
        if standing is None or len(standing.op) != len(dead):
            standing = Standing.none(len(dead))
        self.standing = found = standing.anywhere() if time is None else standing.at(time)
        self._op = found.op
        self._masks = {
            "frozen": found.frozen == FROZEN,
            "partly": found.frozen == PARTLY,
            "dead": dead,
            "rate": found.rate != 1,
        }
        self.any: Mask = np.logical_or.reduce([self._op > 0, *self._masks.values()])

    def of(self, unit: int) -> UnitMark | None:
        """The mark of a unit; None if it has none."""
        if not 0 <= unit < len(self.any) or not self.any[unit]:
            return None
        names = [self.standing.kinds[self._op[unit]]] if self._op[unit] else []
        names += [name for name, mask in self._masks.items() if mask[unit]]
        second = sign_of(names[1]) if len(names) > 1 else None
        return UnitMark(sign_of(names[0]), bool(self._op[unit]) and not self.standing.output[unit], second)

    def glyph(self, unit: int, look: Terminal) -> tuple[str, Style] | None:
        """The mark of a unit in one cell; None if it has none."""
        mark = self.of(unit)
        return None if mark is None else (mark.sign.glyph(look), mark.style)

    def counts(self) -> list[tuple[Sign, int]]:
        """How many units have each sign."""
        kinds = self.standing.kinds
        codes = [*range(SEVERAL + 1, len(kinds)), SEVERAL]
        found = [(sign_of(kinds[code]), int((self._op == code).sum())) for code in codes]
        found += [(SIGNS[name], int(mask.sum())) for name, mask in self._masks.items()]
        return [(sign, count) for sign, count in found if count]
