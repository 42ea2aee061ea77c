"""Draws a block in the network pane: its heading, its units as cells, the legend of its colours."""

from __future__ import annotations

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tinynets.server.frame import BlockCells, BlockInfo, LensInfo, Status
from tui.render import palette
from tui.render.arrangement import Span
from tui.render.drawing import Part, blank, both_ends, clip, columns, first_fitting, legend, length, signed
from tui.render.marks import SIGNS, Marks, UnitMark
from tui.render.palette import WITH_VALUE, Terminal

VALUES = LensInfo()
REVERSED = Style(reverse=True)


def heading(
    block: BlockInfo,
    marks: Marks | None,
    status: Status | None,
    selected: bool,
    width: int,
    look: Terminal,
    missing: str = "",
) -> Strip:
    """A block's heading: its name, its kind, and how many of its units have each mark; why it has no values."""
    name = f"{look.glyph('right')} {block.name}" if selected else f"  {block.name}"
    style = palette.ACCENT_BOLD if selected else palette.TEXT if block.units else palette.DIM
    passed = _phase(block, status, look)
    if missing:
        halfway = bool(passed and status is not None and status.next_phase)
        awaited = status.next_phase.rpartition(" ")[2] + " is next" if halfway and status is not None else missing
        passed = [*passed, (f"{awaited}  ", palette.FAINT)]
    positions = _positions(block) if width >= 60 else ""
    left_over = width - columns(name) - length(passed) - len(positions) - 12
    counts = _counts(marks, left_over, look) if marks is not None else []
    room = width - columns(name) - 2 - len(positions) - length(counts) - length(passed) - 1
    left: list[Part | Segment] = [(name + "  ", style), *passed, (clip(block.summary, room), palette.DIM)]
    return both_ends([*left, (positions, palette.FAINT)], [*counts], width)


def _phase(block: BlockInfo, status: Status | None, look: Terminal) -> list[Part]:
    """Whether an unfinished step has just passed this block forward or backward."""
    if status is None or status.phase_block != block.name:
        return []
    forward = status.phase_kind == "forward"
    arrow = look.glyph("down" if forward else "up")
    return [(f"{arrow} {status.phase_kind}  ", palette.GOOD if forward else palette.WARN)]


def _positions(block: BlockInfo) -> str:
    if not block.units or block.positions == 1:
        return ""
    return "  {} x {} pixels".format(*block.image) if block.image else f"  at {block.positions} positions"


def _counts(marks: Marks, room: int, look: Terminal) -> list[Part]:
    """How many units have each mark: in words if there is room, otherwise by glyphs."""
    found = marks.counts()
    wordy: list[Part] = [(f"  {sign.glyph(look)} {n} {sign.words}", sign.style) for sign, n in found]
    short: list[Part] = [(f"  {sign.glyph(look)} {n}", sign.style) for sign, n in found]
    several = SIGNS["several"]
    total = sum(n for sign, n in found if sign.style is several.style)
    rest = [part for part, (sign, _) in zip(short, found, strict=True) if sign.style is not several.style]
    merged: list[Part] = [(f"  {several.glyph(look)} {total}", several.style), *rest] if total else rest
    shown = next((parts for parts in (wordy, short) if length(parts) <= room), merged)
    while shown and length(shown) > room:
        shown = shown[:-1]
    return shown


def block_legend(
    cells: BlockCells | None, marks: Marks | None, width: int, look: Terminal, lens: LensInfo = VALUES
) -> Strip:
    """The lens, and the legend of the selected block's colours; each block has its own scale."""
    if cells is None or marks is None:
        return blank(width)
    missing: list[Part | Segment] = [(f"{cells.name}: {cells.missing}", palette.DIM)]
    wide, narrow = (missing,) * 2 if cells.missing else (legend(cells.limit, look), legend(cells.limit, look, 5))
    chosen = (f"{lens.name}  ", palette.ACCENT) if lens.by_hand else (f"auto: {lens.name}  ", palette.TEXT)
    name: list[Part] = [("lens ", palette.DIM), chosen]
    what = cells.words or lens.units
    told: list[list[Part]] = [[], [], []]
    if lens.name != "value":
        whole = what if cells.words else f"{what} {lens.of}".rstrip()
        told = [[(f"{words}  ", palette.DIM)] if words else [] for words in (whole, what, "")]
    whose: list[Part] = [] if cells.missing else [(f"scale of {cells.name}", palette.DIM)]
    shown: list[Part] = []
    for sign, _ in marks.counts():
        added = [*shown, (f"{sign.glyph(look)} {sign.words}  ", sign.style)]
        shown = added if length(name) + length(added) + length(narrow) + 2 <= width else shown
    signs = shown or whose
    choices = [(told[0], signs, wide), (told[0], [], wide), (told[0], signs, narrow), (told[0], [], narrow)]
    choices += [(told[1], signs, narrow), (told[1], [], narrow), (told[2], signs, narrow), (told[2], [], narrow)]
    return first_fitting(width, *(([*name, *words, *more], right) for words, more, right in choices), ([], narrow))


def unit_cells(span: Span, cells: BlockCells, marks: Marks, cursor: int, cell: int, look: Terminal) -> list[Segment]:
    """The units of a span as cells of `cell` characters; `cursor` is the selected unit, -1 for none."""
    if cells.missing:
        return hatched(span, cursor, cell, look)
    values = cells.values[span.position] if span.position >= 0 else cells.values.mean(axis=0)
    values = np.asarray(values[span.first : span.first + span.count])
    levels = palette.levels(values, cells.limit).tolist()
    special = marks.any.tolist()
    empty = " " * cell
    plain = look.colour and cell < WITH_VALUE
    made: list[Segment] = []
    for unit, level in enumerate(levels, span.first):
        if plain and not special[unit] and unit != cursor:
            made.append(palette.cell(level, empty))
            continue
        mark = marks.of(unit)
        text = _cell_text(level, float(values[unit - span.first]), mark, cell, look)
        if unit == cursor:
            made.append(_cursor_cell(text, level, span.home, cell, look))
        else:
            made += _unit_cell(text, level, mark, cell, look)
    return made


def hatched(span: Span, cursor: int, cell: int, look: Terminal) -> list[Segment]:
    """The units of a span that have no values yet."""
    hatch, at = look.glyph("hatch") * cell, cursor - span.first
    if not (span.home and 0 <= at < span.count):
        return [Segment(hatch * span.count, palette.FAINT)]
    here = Segment(hatch, palette.BRIGHT + REVERSED)
    return [Segment(hatch * at, palette.FAINT), here, Segment(hatch * (span.count - at - 1), palette.FAINT)]


def _cell_text(level: int, value: float, mark: UnitMark | None, cell: int, look: Terminal) -> str:
    """The text in a unit's cell: its mark, then its value, or a sign if there is no colour to show it."""
    text = signed(value, 3).center(cell) if cell >= WITH_VALUE else " " * cell
    if not look.colour and cell < WITH_VALUE:
        text = palette.sign_glyph(level, cell)
    if mark is not None:
        value_text = signed(value, 3).rjust(cell - 2) if cell >= WITH_VALUE else text[2:]
        text = (mark.text(2, look) + value_text)[:cell]
    return text


def _unit_cell(text: str, level: int, mark: UnitMark | None, cell: int, look: Terminal) -> list[Segment]:
    """The glyph of a mark on a dark background, then the colour of the value."""

    def coloured(part: str) -> Segment:
        return palette.cell(level, part) if look.colour else Segment(part, palette.TEXT)

    if mark is None or cell == 1:
        return [coloured(text)]
    return [Segment(text[0], mark.style), coloured(text[1:])]


def _cursor_cell(text: str, level: int, home: bool, cell: int, look: Terminal) -> Segment:
    """The selected unit: white, and at the cursor itself a block of the unit's own colour in the middle."""
    if home and not text.strip():
        text = ("▐▌" if cell % 2 == 0 else "■").center(cell) if look.unicode else "o".center(cell)
    if not look.colour:
        return Segment(text, Style(reverse=True, bold=True))
    return Segment(text, palette.cursor_cell(level) if home else palette.beside_cursor(level))
