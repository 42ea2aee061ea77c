"""The tree of branches as rows of text: each branch drawn to scale, with its numbers and its bookmarks."""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from tinynets.foreign_text import printable
from tinynets.server.frame import BookmarkMark, BranchLine, TimelineStrip
from tui.render import palette
from tui.render.drawing import clip, columns, number, padded
from tui.render.palette import Terminal

NARROW = 56
"""Below this many columns, only the most important numbers are shown."""
PICTURE = 100
"""From this many columns on, the branches are drawn to scale."""
MOST = 34, 50
"""Columns of the names beside drawn branches: usually, and in a wide dialog."""
NAME = 16
"""The fewest columns of a name, however deep its branch is in the tree."""


def tree_rows(strip: TimelineStrip, layout: TreeLayout, look: Terminal) -> list[tuple[BranchLine | BookmarkMark, Text]]:
    """Each branch with its row of text, followed by its bookmarks with theirs."""
    rows: list[tuple[BranchLine | BookmarkMark, Text]] = []
    for at, branch in enumerate(strip.branches):
        lead = layout.lead(strip.branches, at, look)
        rows.append((branch, _branch_row(strip, branch, lead, layout, look)))
        pins = [pin for pin in strip.pins if pin.branch == branch.name]
        below = layout.lead(strip.branches, at, look, below=True) if pins else ""
        rows += [(pin, _pin_row(pin, below, layout.width, look)) for pin in pins]
    return rows


def heading(layout: TreeLayout) -> Text:
    """The heading of the columns."""
    steps = f"{'from':>8}{'to':>9}{'edits':>7}{'loss there':>12}" if layout.whole else f"{'to':>9}{'loss':>9}"
    picture = " " * (layout.picture + 2) if layout.picture else ""
    return Text("  " + "branch".ljust(layout.name) + picture + steps)


def _branch_row(strip: TimelineStrip, branch: BranchLine, lead: str, layout: TreeLayout, look: Terminal) -> Text:
    here = look.glyph("here") if branch.current else " "
    row = Text.assemble((here + " ", "bold"), (lead, palette.FAINT.without_color + Style(dim=True)))
    name = layout.name - len(lead)
    row.append(padded(clip(branch.name, name - 1), name), "bold")
    if layout.picture:
        row.append(_to_scale(strip, branch, layout.picture, look) + "  ")
    loss = number(branch.loss) if branch.loss is not None else "-"
    whole = f"{branch.fork:>8,}{branch.end:>9,}{branch.edits:>7,}{loss:>12}"
    row.append(whole if layout.whole else f"{branch.end:>9,}{loss:>9}")
    row.truncate(layout.width - 2)
    return row


def _to_scale(strip: TimelineStrip, branch: BranchLine, width: int, look: Terminal) -> str:
    """Draw a branch from its fork to its end, with its bookmarks and the current position."""
    last = max(1, *(line.end for line in strip.branches))
    first, end, here = (round(step / last * (width - 1)) for step in (branch.fork, branch.end, strip.step))
    drawn = list(" " * first + look.glyph("line" if branch.current else "lane") * (end + 1 - first))
    drawn += " " * (width - len(drawn))
    if branch.parent:
        drawn[first] = look.glyph("leave")
    for pin in strip.pins:
        if pin.branch == branch.name:
            drawn[round(pin.step / last * (width - 1))] = look.glyph("pin")
    if branch.current:
        drawn[here] = look.glyph("here")
    return "".join(drawn)


def _pin_row(pin: BookmarkMark, lead: str, width: int, look: Terminal) -> Text:
    at = f"step {pin.step:,}" + (f", after {pin.here} edit{'s' if pin.here > 1 else ''} there" if pin.here else "")
    row = Text.assemble("  ", (lead, Style(dim=True)), (f"{look.glyph('pin')} {printable(pin.name)}", "bold"))
    row.append(f"  {at}" + (f": {printable(pin.note)}" if pin.note else ""))
    row.truncate(width - 2, overflow="ellipsis")
    return row


@dataclass(frozen=True)
class TreeLayout:
    """The width of each part of a row, in columns; `picture` is 0 if there is no room for it."""

    width: int
    name: int
    picture: int
    indent: int
    """Columns by which a branch is indented under its parent; fewer if the tree is deep."""

    @property
    def whole(self) -> bool:
        """Whether there is room for all the numbers."""
        return self.width >= NARROW

    @classmethod
    def of(cls, branches: tuple[BranchLine, ...], width: int) -> TreeLayout:
        drawn = width + 8 >= PICTURE
        most = max(MOST[0], min(MOST[1], width - 74)) if drawn else max(16, width - (40 if width >= NARROW else 28))
        deepest = max(branch.depth for branch in branches)
        room = max(0, most - 1 - NAME)
        indent = next((columns for columns in (3, 2) if columns * deepest <= room), 1)
        widest = max(min(room, indent * branch.depth) + columns(branch.name) for branch in branches)
        name = min(max(widest, 12) + 3, most)
        return cls(width, name, max(0, min(60, width - name - 46)) if drawn else 0, indent)

    def lead(self, branches: tuple[BranchLine, ...], at: int, look: Terminal, *, below: bool = False) -> str:
        """The tree's lines before a name; if they leave too little room for it, the depth and the last line."""
        drawn, room = twig(branches, at, look, self.indent, below=below), max(0, self.name - 1 - NAME)
        if len(drawn) <= room:
            return drawn
        depth = f"{branches[at].depth} "
        mark = " " * len(depth) if below else depth
        return (mark + drawn[-max(1, room - len(mark)) :])[:room]


def twig(branches: tuple[BranchLine, ...], at: int, look: Terminal, indent: int = 3, *, below: bool = False) -> str:
    """The tree's lines before the name of a branch, or, with `below`, before the rows under that branch."""
    glyphs = ("│  ", "├─ ", "╰─ ", "   ") if look.unicode else ("|  ", "+- ", "`- ", "   ")
    bar, fork, last, none = (glyph[:indent] for glyph in glyphs)
    drawn = ""
    for depth in range(1, branches[at].depth + 1):
        more = _goes_on(branches, at, depth)
        own = depth == branches[at].depth and not below
        drawn += (fork if more else last) if own else (bar if more else none)
    if below:
        drawn += bar if _goes_on(branches, at, branches[at].depth + 1) else none
    return drawn


def _goes_on(branches: tuple[BranchLine, ...], at: int, depth: int) -> bool:
    """Whether another branch of this depth follows before the tree returns to a smaller depth."""
    for branch in branches[at + 1 :]:
        if branch.depth <= depth:
            return branch.depth == depth
    return False
