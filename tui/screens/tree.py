"""The branches as a tree, with the start and end of each and its bookmarks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.server.frame import BookmarkMark, BranchLine, Frame, TimelineStrip
from tui.render.branch_tree import NARROW, TreeLayout, heading, tree_rows
from tui.render.palette import Terminal
from tui.render.plain_text import plain
from tui.screens.ask import AskScreen
from tui.screens.drop import UnbookmarkScreen
from tui.screens.modal import Modal

KEYS = "enter go  F fork here  r rename  d drop  c compare  esc close"
FEW_KEYS = "enter go  F fork  r rename  d drop  c compare  esc"


@dataclass(frozen=True)
class HistoryActions:
    """What the tree screen can ask the history controller to do."""

    go: Callable[[str, str], None]
    """Run a verb that goes somewhere: to a branch, to a bookmark."""
    fork: Callable[[], None]
    drop: Callable[[str], None]
    compare: Callable[[str], None]
    done: Callable[..., Awaitable[tuple[bool, str]]]
    """Run another verb; returns whether it worked, and the message about it."""
    latest: Callable[[], Frame | None]
    """The latest frame."""


class TreeScreen(Modal[None]):
    """Arrows and enter choose where to go; letters act on the highlighted row, and the tree stays open."""

    DEFAULT_CSS = """
    TreeScreen > Vertical { width: 132; }
    TreeScreen #heading { color: $lab-dim; height: 1; }
    TreeScreen #said { color: $lab-dim; margin-top: 1; height: auto; max-height: 3; }
    TreeScreen #said.error { color: $lab-bad; }
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
        """The key of the row that the last description is about."""
        self._said = ""
        """That description."""

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
        """Take the frame that came while a question was open."""
        frame = self._history.latest()
        if frame is not None:
            self.hear(frame)

    # -- the rows

    def take(self, frame: Frame) -> None:
        """List a frame's branches and bookmarks; the same item stays highlighted."""
        listing = self.query_one(OptionList)
        kept = self._key(self._item) if self._items else self._first or f"branch {frame.status.branch}"
        unchanged = bool(self._items) and _drawn(frame) == _drawn(self._frame) and listing.option_count
        self._frame = frame
        if unchanged and self._width == self._room():
            self._tell_anew()
            return
        self._width = self._room()
        self.query_one(Vertical).border_subtitle = plain(KEYS if self._width >= NARROW else FEW_KEYS)
        layout = TreeLayout.of(frame.timeline.branches, self._width)
        rows = tree_rows(frame.timeline, layout, getattr(self.app, "look", Terminal()))
        self._items = [item for item, _ in rows]
        listing.set_options(Option(text) for _, text in rows)
        keys = [self._key(item) for item in self._items]
        listing.highlighted = keys.index(kept) if kept in keys else 0
        self.query_one("#heading", Static).update(heading(layout))
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

    # -- what the keys do

    def on_option_list_option_highlighted(self) -> None:
        """Describe the highlighted row; an answer stays until another row is highlighted."""
        if self._told != self._key(self._item):
            self._told = self._key(self._item)
            self._said = about(self._item, self._frame.timeline)
            self.say(self._said)

    def _tell_anew(self) -> None:
        """Bring the description of the highlighted row up to date; an answer stays."""
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
            self._compare_with_another()
        else:
            self._history.compare(item.name)

    def _compare_with_another(self) -> None:
        """Compare the current branch with the only other one; where there are several, go to the first of them."""
        others = [at for at, item in enumerate(self._items) if isinstance(item, BranchLine) and not item.current]
        if len(others) == 1:
            self._history.compare(self._items[others[0]].name)
        elif others:
            first = self._items[others[0]]
            self._told = self._key(first)  # what is said of it is this
            self.query_one(OptionList).highlighted = others[0]
            self.say(f"c compares {first.name} with the current branch; arrows pick another of the {len(others)}")
        else:
            self.say("there is no other branch to compare with: F makes one from here")

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
    """The description of an item, in full even if its row is cut, and what enter does with it."""
    if isinstance(item, BookmarkMark):
        note = f": {item.note}" if item.note else ""
        return f"enter goes to bookmark {item.name}, step {item.step:,} of {item.branch}{note}"
    if not item.current:
        left = f"; it left {item.parent} at step {item.fork:,}" if item.parent else ""
        return f"enter goes to the end of {item.name}, step {item.end:,}; c compares it with the current branch{left}"
    if strip.step < item.end:
        return f"{item.name} is the current branch; enter goes to its end, step {item.end:,}"
    return f"{item.name} is the current branch, and this is its end, step {item.end:,}"


def _drawn(frame: Frame) -> tuple[object, ...]:
    """What the rows are drawn from."""
    strip = frame.timeline
    return strip.branches, strip.pins, strip.step, strip.end
