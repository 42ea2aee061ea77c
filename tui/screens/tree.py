"""The branches as a tree, with where each left and how it ended, and the bookmarks on them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.foreign_text import printable
from tinynets.server.frame import BookmarkMark, BranchLine, Frame, TimelineStrip
from tui.render import palette
from tui.render.drawing import clip, columns, number, padded
from tui.render.palette import Terminal
from tui.render.plain_text import plain
from tui.screens.modal import Modal

KEYS = "enter go  F fork here  r rename  d drop  c compare  esc close"
FEW_KEYS = "enter go  F fork  r rename  d drop  c compare  esc"
NARROW = 56
"""Columns under which only the numbers that matter most have room."""
PICTURE = 100
"""Columns of the dialog from which the branches are drawn to scale."""
MOST = 34, 50
"""Columns of the names, where the branches are drawn beside them: as a rule, and where there is much room."""
NAME = 16
"""Columns that a name keeps, however deep its branch is in the tree."""


@dataclass(frozen=True)
class HistoryActions:
    """What the tree can have done, and asks."""

    go: Callable[[str, str], None]
    """Do the verb that goes somewhere: a branch, a bookmark."""
    fork: Callable[[], None]
    drop: Callable[[str], None]
    compare: Callable[[str], None]
    done: Callable[..., Awaitable[tuple[bool, str]]]
    """Do another verb; gives whether it worked, and what is said of it."""
    latest: Callable[[], Frame | None]
    """The last frame that has come."""


class TreeScreen(Modal[None]):
    """Arrows and enter go somewhere; letters work on what is highlighted, and the tree stays open."""

    DEFAULT_CSS = """
    TreeScreen > Vertical { width: 132; }
    TreeScreen #heading { color: #8b95a5; height: 1; }
    TreeScreen #said { color: #8b95a5; margin-top: 1; height: auto; max-height: 3; }
    TreeScreen #said.error { color: #ff7b72; }
    """
    BINDINGS: ClassVar = [
        ("escape,t,q,apostrophe", "dismiss(None)", "close"),
        ("F", "fork", "fork here"),
        ("r", "rename", "rename"),
        ("d,delete", "drop", "drop"),
        ("c", "compare", "compare"),
    ]

    def __init__(self, frame: Frame, history: HistoryActions, on: str = "") -> None:
        super().__init__()
        self._frame, self._history = frame, history
        self._first = on
        self._items: list[BranchLine | BookmarkMark] = []
        self._told = ""
        """The row that was said to be highlighted."""
        self._said = ""
        """What was said of it."""

    @property
    def _look(self) -> Terminal:
        return getattr(self.app, "look", Terminal())

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Branches and bookmarks"
        with box:
            yield Static("", id="heading", markup=False)
            yield OptionList(markup=False)
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        self.take(self._frame)

    def on_resize(self) -> None:
        self.query_one(OptionList).styles.max_height = max(3, self.app.size.height * 95 // 100 - 8)
        self.take(self._frame)

    def on_screen_resume(self) -> None:
        """What came while a question stood above."""
        frame = self._history.latest()
        if frame is not None:
            self.hear(frame)

    # -- the rows

    def take(self, frame: Frame) -> None:
        """List what a frame holds; the same item stays highlighted."""
        listing = self.query_one(OptionList)
        kept = self._key(self._item) if self._items else self._first or f"branch {frame.status.branch}"
        unchanged = bool(self._items) and frame.timeline == self._frame.timeline and listing.option_count
        self._frame = frame
        if unchanged and self._width == self._room():
            self._tell_anew()
            return
        self._width = self._room()
        self.query_one(Vertical).border_subtitle = plain(KEYS if self._width >= NARROW else FEW_KEYS)
        layout = Layout.of(frame.timeline.branches, self._width)
        rows = self._rows(frame.timeline, layout)
        self._items = [item for item, _ in rows]
        listing.set_options(Option(text) for _, text in rows)
        keys = [self._key(item) for item in self._items]
        listing.highlighted = keys.index(kept) if kept in keys else 0
        self.query_one("#heading", Static).update(self._heading(layout))
        self._tell_anew()

    _width = 0
    _saying = ""

    def _room(self) -> int:
        return min(132, self.app.size.width * 96 // 100) - 8

    @property
    def _item(self) -> BranchLine | BookmarkMark:
        at = self.query_one(OptionList).highlighted
        return self._items[at if at is not None else 0]

    @staticmethod
    def _key(item: BranchLine | BookmarkMark) -> str:
        return f"{'bookmark' if isinstance(item, BookmarkMark) else 'branch'} {item.name}"

    def _rows(self, strip: TimelineStrip, layout: Layout) -> list[tuple[BranchLine | BookmarkMark, Text]]:
        look = self._look
        rows: list[tuple[BranchLine | BookmarkMark, Text]] = []
        for at, branch in enumerate(strip.branches):
            lead = layout.lead(strip.branches, at, look)
            rows.append((branch, self._branch_row(strip, branch, lead, layout)))
            pins = [pin for pin in strip.pins if pin.branch == branch.name]
            below = layout.lead(strip.branches, at, look, below=True) if pins else ""
            rows += [(pin, self._pin_row(pin, below, layout.width)) for pin in pins]
        return rows

    def _heading(self, layout: Layout) -> Text:
        steps = f"{'from':>8}{'to':>9}{'edits':>7}{'loss there':>12}" if layout.whole else f"{'to':>9}{'loss':>9}"
        picture = " " * (layout.picture + 2) if layout.picture else ""
        return Text("  " + "branch".ljust(layout.name) + picture + steps)

    def _branch_row(self, strip: TimelineStrip, branch: BranchLine, lead: str, layout: Layout) -> Text:
        here = self._look.glyph("here") if branch.current else " "
        row = Text.assemble((here + " ", "bold"), (lead, palette.FAINT.without_color + Style(dim=True)))
        name = layout.name - len(lead)
        row.append(padded(clip(branch.name, name - 1), name), "bold")
        if layout.picture:
            row.append(self._line(strip, branch, layout.picture) + "  ")
        loss = number(branch.loss) if branch.loss is not None else "-"
        whole = f"{branch.fork:>8,}{branch.end:>9,}{branch.edits:>7,}{loss:>12}"
        row.append(whole if layout.whole else f"{branch.end:>9,}{loss:>9}")
        row.truncate(layout.width - 2)
        return row

    def _line(self, strip: TimelineStrip, branch: BranchLine, width: int) -> str:
        """The branch to scale: from its fork to its end, with its bookmarks and where we stand."""
        look = self._look
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

    def _pin_row(self, pin: BookmarkMark, lead: str, width: int) -> Text:
        at = f"step {pin.step:,}" + (f", after {pin.here} edit{'s' if pin.here > 1 else ''} there" if pin.here else "")
        row = Text.assemble("  ", (lead, Style(dim=True)), (f"{self._look.glyph('pin')} {printable(pin.name)}", "bold"))
        row.append(f"  {at}" + (f": {printable(pin.note)}" if pin.note else ""))
        row.truncate(width - 2, overflow="ellipsis")
        return row

    # -- what the keys do

    def on_option_list_option_highlighted(self) -> None:
        """Say what it is; an answer that stands there stays until another row is picked."""
        if self._told != self._key(self._item):
            self._told = self._key(self._item)
            self._said = about(self._item, self._frame.timeline)
            self.say(self._said)

    def _tell_anew(self) -> None:
        """What was said of the row that is highlighted, as it is now; an answer stays."""
        now = about(self._item, self._frame.timeline)
        if self._saying == self._said != now and self._told == self._key(self._item):
            self._said = now
            self.say(now)

    def on_option_list_option_selected(self) -> None:
        item = self._item
        self.dismiss(None)
        self._history.go("seek" if isinstance(item, BookmarkMark) else "switch", item.name)

    def action_fork(self) -> None:
        self._history.fork()

    def action_rename(self) -> None:
        from tui.screens.ask import AskScreen

        item = self._item
        if isinstance(item, BookmarkMark):
            self.say("a bookmark keeps its name: d takes it away, m makes another", error=True)
            return

        def answered(name: str | None) -> None:
            if name and name != item.name:
                self._do("rename", item.name, name)

        self.app.push_screen(AskScreen(f"Rename branch {item.name}", item.name, "another name"), answered)

    def action_drop(self) -> None:
        item = self._item
        if isinstance(item, BookmarkMark):
            from tui.screens.drop import UnbookmarkScreen

            name = item.name
            self.app.push_screen(UnbookmarkScreen(item), lambda yes: self._do("unbookmark", name) if yes else None)
        elif item.current:
            self.say(f"{item.name} is the current branch: go to another (enter) before it is dropped", error=True)
        else:
            self._history.drop(item.name)

    def action_compare(self) -> None:
        item = self._item
        if isinstance(item, BookmarkMark):
            self.say("bookmarks are not compared, branches are", error=True)
        elif item.current:
            self.say("this is the current branch: pick the one to compare it with", error=True)
        else:
            self._history.compare(item.name)

    def _do(self, verb: str, *args: Any) -> None:
        async def work() -> None:
            done, said = await self._history.done(verb, *args)
            self.say(said, error=not done)

        self.run_worker(work(), exit_on_error=False)

    def say(self, text: str, error: bool = False) -> None:
        self._saying = text
        said = self.query_one("#said", Static)
        said.set_class(error, "error")
        said.update(plain(text))


def about(item: BranchLine | BookmarkMark, strip: TimelineStrip) -> str:
    """What is highlighted, whole where its row is cut, and what enter does with it."""
    if isinstance(item, BookmarkMark):
        note = f": {item.note}" if item.note else ""
        return f"enter goes to bookmark {item.name}, step {item.step:,} of {item.branch}{note}"
    if not item.current:
        left = f"; it left {item.parent} at step {item.fork:,}" if item.parent else ""
        return f"enter goes to the end of {item.name}, step {item.end:,}; c compares it with the current branch{left}"
    if strip.step < item.end:
        return f"{item.name} is the current branch; enter goes to its end, step {item.end:,}"
    return f"{item.name} is the current branch, and this is its end, step {item.end:,}"


@dataclass(frozen=True)
class Layout:
    """How many columns of a row each of its parts has; `picture` 0: there is no room for one."""

    width: int
    name: int
    picture: int
    indent: int
    """Columns by which a branch stands to the right of the one that it left: fewer where they nest deeply."""

    @property
    def whole(self) -> bool:
        """Whether there is room for all of the numbers."""
        return self.width >= NARROW

    @classmethod
    def of(cls, branches: tuple[BranchLine, ...], width: int) -> Layout:
        drawn = width + 8 >= PICTURE
        most = max(MOST[0], min(MOST[1], width - 74)) if drawn else max(16, width - (40 if width >= NARROW else 28))
        deepest = max(branch.depth for branch in branches)
        room = max(0, most - 1 - NAME)
        indent = next((columns for columns in (3, 2) if columns * deepest <= room), 1)
        widest = max(min(room, indent * branch.depth) + columns(branch.name) for branch in branches)
        name = min(max(widest, 12) + 3, most)
        return cls(width, name, max(0, min(60, width - name - 46)) if drawn else 0, indent)

    def lead(self, branches: tuple[BranchLine, ...], at: int, look: Terminal, *, below: bool = False) -> str:
        """The lines before a name; where they would leave it too little room, the depth and the last of them."""
        drawn, room = twig(branches, at, look, self.indent, below=below), max(0, self.name - 1 - NAME)
        if len(drawn) <= room:
            return drawn
        depth = f"{branches[at].depth} "
        mark = " " * len(depth) if below else depth
        return (mark + drawn[-max(1, room - len(mark)) :])[:room]


def twig(branches: tuple[BranchLine, ...], at: int, look: Terminal, indent: int = 3, *, below: bool = False) -> str:
    """The tree's lines before the name of a branch; `below`: before what stands under that branch."""
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
    """Whether another branch of this depth follows before the tree comes back above it."""
    for branch in branches[at + 1 :]:
        if branch.depth <= depth:
            return branch.depth == depth
    return False
