"""The breakpoints: where runs stop; they are added, switched on and off, and taken away here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tinynets.server.frame import BreakpointMark, Frame
from tui.render.palette import Terminal
from tui.render.plain_text import plain
from tui.screens.ask import AskScreen
from tui.screens.modal import Modal

KEYS = "a add  space on or off  d remove  enter go on  esc close"


class BreakpointsScreen(Modal[None]):
    """Arrows choose a breakpoint, and letters act on it; the list stays open."""

    DEFAULT_CSS = """
    BreakpointsScreen > Vertical { width: 76; }
    BreakpointsScreen OptionList { max-height: 12; }
    BreakpointsScreen #said { color: $lab-dim; margin-top: 1; height: auto; max-height: 4; }
    BreakpointsScreen #said.error { color: $lab-bad; }
    """
    BINDINGS: ClassVar = [
        ("escape,q,exclamation_mark", "dismiss(None)", "close"),
        ("a", "add", "add"),
        ("space", "switch", "on or off"),
        ("d,delete", "remove", "remove"),
        Binding("enter", "go_on", "go on", priority=True),
    ]

    def __init__(
        self,
        frame: Frame,
        unit: str,
        done: Callable[..., Awaitable[tuple[bool, str]]],
        go_on: Callable[[], None],
    ) -> None:
        """`unit` is the selected one; `done` runs a verb and tells whether it worked, and what there is to say."""
        super().__init__()
        self._marks = frame.status.breakpoints
        self._unit, self._done, self._go = unit or "hidden[7]", done, go_on
        back = [mark.name for mark in frame.status.phases if mark.kind == "backward"]
        ours = [mark.name for mark in frame.status.phases if mark.kind == "backward" and f"{mark.layer}[" in self._unit]
        self._phase = (ours or back or ["loss"])[0]

    def compose(self) -> ComposeResult:
        box = Vertical(classes="box")
        box.border_title = "Breakpoints: where runs stop"
        box.border_subtitle = plain(KEYS)
        with box:
            yield OptionList(markup=False)
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        self._list()
        examples = f"a phase ({self._phase}), a condition (loss < 2.3, dead {self._unit}) or a step (200)"
        self.say(f"a asks for {examples}; they last as long as this lab is open")

    def take(self, frame: Frame) -> None:
        if frame.status.breakpoints != self._marks:
            self._marks = frame.status.breakpoints
            self._list()

    def _list(self) -> None:
        listing = self.query_one(OptionList)
        at = listing.highlighted or 0
        look: Terminal = getattr(self.app, "look", Terminal())
        listing.set_options(Option(_row(mark, look)) for mark in self._marks)
        listing.display = bool(self._marks)
        if self._marks:
            listing.highlighted = min(at, len(self._marks) - 1)
            listing.focus()

    @property
    def _mark(self) -> BreakpointMark | None:
        at = self.query_one(OptionList).highlighted
        return self._marks[at] if at is not None and at < len(self._marks) else None

    # -- what the keys do

    def action_add(self) -> None:
        def answered(text: str | None) -> None:
            if text and text.strip():
                self._do("breakpoint", text.strip())

        asked = AskScreen("Stop runs where", "", f"{self._phase}, loss < 2.3, dead {self._unit}, 200")
        self.app.push_screen(asked, answered)

    def action_switch(self) -> None:
        if self._mark is not None:
            self._do("breakpoint_off" if self._mark.on else "breakpoint_on", self._mark.number)

    def action_remove(self) -> None:
        if self._mark is not None:
            self._do("unbreakpoint", self._mark.number)

    def action_go_on(self) -> None:
        self.dismiss(None)
        self._go()

    def _do(self, verb: str, *args: Any) -> None:
        async def work() -> None:
            done, said = await self._done(verb, *args)
            self.say(said, error=not done)

        self.run_worker(work(), exit_on_error=False)

    def say(self, text: str, error: bool = False) -> None:
        said = self.query_one("#said", Static)
        said.set_class(error, "error")
        said.update(plain(text))


def _row(mark: BreakpointMark, look: Terminal) -> Text:
    """One line: whether it is on, its number, where it stops."""
    quiet = Style(dim=True)  # no colours: the highlighted row has its own
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(look.glyph("phase done" if mark.on else "phase to come") + " ")
    text.append(f"{mark.number:>2}  {'at phase' if mark.at_phase else 'when':<9}", quiet)
    text.append(plain(mark.text).plain, Style() if mark.on else quiet)
    text.append("" if mark.on else "   off", quiet)
    text.append(f"   rests: {plain(mark.rests).plain}" if mark.rests else "")
    return text
