"""What the app is made of: the panes on their desk, the engine's frames coming in, the selection going out.

What the keys do stands in `app.py`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.driver import Driver
from textual.filter import LineFilter
from textual.geometry import Size
from textual.theme import Theme
from textual.timer import Timer
from textual.widgets import Static

from tinynets.foreign_text import printable_lines
from tinynets.server.frame import Frame, View
from tui import actions
from tui.client import Client, EngineError, Spawned
from tui.model.answers import message_for, still_words
from tui.model.selection import Selection, UnitNow, fitted, followed, unit_now
from tui.render.palette import Terminal
from tui.render.plain_text import Seen, plain
from tui.screens.modal import Modal
from tui.widgets.activations import ActivationsPane
from tui.widgets.command_line import CommandLine
from tui.widgets.desk import Body, Desk, picked
from tui.widgets.header import Header, Tabs
from tui.widgets.loss import LossPane
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.output import OutputPane
from tui.widgets.pane import WAITING, Lines, Pane
from tui.widgets.status import KeyBar, StatusLine
from tui.widgets.timeline import TimelineStripWidget
from tui.widgets.weights import WeightsPane

SMALLEST = (60, 16)
NOTHING_OPEN = "nothing is open: o opens, q quits"
SLOW = 0.2
"""Seconds after which a command that has not been answered is shown to be at work."""

AT_ONCE = 3
"""Widgets drawn between two looks at what else has arrived."""

WELCOMES = (
    "space runs the training, s makes one step, arrows walk the units, z zeroes the one under the cursor, ? is help",
    "space runs, s makes one step, arrows walk the units, z zeroes one, ? is help",
    "space runs, s steps, arrows walk, ? is help",
)
"""The longest that fits is said."""

LASTING = frozenset({"memory", "threads", "plugins"})
"""Options that hold whatever is opened; the others are of the source they were given with."""

SEEN = Seen()

Spawn = Callable[[str, dict[str, Any]], Spawned]

THEME = Theme(
    name="tinynets", primary="#c9a6ff", secondary="#3aa0ff", accent="#c9a6ff", warning="#ffd76a", error="#ff7b72",
    success="#7fd88f", foreground="#d5dbe5", background="#11151b", surface="#11151b", panel="#1d2430", dark=True,
)  # fmt: skip


class LabCore(App[None]):
    """The screen, the engine and the selection."""

    TITLE = "tinynets-lab"
    NOTIFICATION_TIMEOUT = 4
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[Any]] = actions.bindings()

    def __init__(
        self, spawn: Spawn, source: str, options: dict[str, Any] | None = None, engine: Spawned | None = None
    ) -> None:
        super().__init__()
        self.register_theme(THEME)
        self.theme = "tinynets"
        self.animation_level = "none"
        self.look = Terminal(colour=not self.no_color, unicode=_speaks_unicode())
        self._spawn, self._source, self._options, self._engine = spawn, source, options or {}, engine
        self.link: Client | None = None
        self.lab_frame: Frame | None = None
        self.selection = Selection()
        self._sent: View | None = None
        self.ready = False
        self.room = True
        """Whether the terminal has room for the lab."""
        self._first = True
        """No frame of this engine has come yet."""
        self.quit_for_good = False
        """The person has quit, and was asked about what is not saved."""
        self._refused = False
        self._working: Timer | None = None
        self._pending = 0
        self._work = ""
        self._undrawn: list[Lines] = []
        self._cursor_unpainted = False

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        if found.__name__ == "LinuxDriver":
            from tui.driver import LabDriver

            return LabDriver
        return found

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), SEEN]

    # -- what is on the screen

    def compose(self) -> ComposeResult:
        with Body(id="lab"):
            yield Header(id="header")
            yield Static("", id="banner", markup=False)
            yield Tabs(id="tabs")
            yield Desk(NetworkPane(), WeightsPane(), ActivationsPane(), LossPane(), NeuronPane(), OutputPane())
            yield TimelineStripWidget(id="timeline")
            yield StatusLine(id="status")
            yield KeyBar(self.key_bar_actions, self.label_of, id="keys")
            yield CommandLine(self.complete)
        yield Static("", id="small", markup=False)

    def on_mount(self) -> None:
        # Looked up once: a query for each frame would cost more than drawing the header.
        self.desk = self.query_one(Desk)
        self.header = self.query_one(Header)
        self.tabs = self.query_one(Tabs)
        self.timeline = self.query_one(TimelineStripWidget)
        self.status = self.query_one(StatusLine)
        self.keys = self.query_one(KeyBar)
        self.command_line = self.query_one(CommandLine)
        self.panes = {pane.NAME: pane for pane in self.query(Pane)}
        self.ready = True
        self.fit(self.size)
        self.panes["network"].focus()
        self.connect(self._engine or self._spawn(self._source, self._options))

    def on_resize(self, event: events.Resize) -> None:
        if self.ready:
            self.fit(event.size)

    def fit(self, size: Size) -> None:
        """All panes, some of them, or a plain message when there is no room for any."""
        self.room = fits = size.width >= SMALLEST[0] and size.height >= SMALLEST[1]
        self.query_one("#lab").display = fits
        small = self.query_one("#small", Static)
        small.display = not fits
        if not fits:
            needs = f"{SMALLEST[0]}x{SMALLEST[1]}"
            small.update(plain(f"tinynets-lab needs at least {needs}; this terminal is {size.width}x{size.height}"))

    def on_desk_arranged(self) -> None:
        """The visible panes changed: the others are not asked for."""
        visible = self.desk.visible_panes()
        self.tabs.display = len(visible) < len(self.panes)
        self.tabs.update(visible, self.desk.wish.active)
        self.send_view()
        self.show()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and self.desk.wish.active != event.widget.NAME:
            self.desk.ask(replace(self.desk.wish, **picked(self.desk.wish, event.widget.NAME)))
            self.tabs.update(self.desk.visible_panes(), event.widget.NAME)

    def pick_pane(self, name: str) -> None:
        """Show a pane and give it the keys."""
        self.desk.ask(replace(self.desk.wish, **picked(self.desk.wish, name)))
        self.panes[name].display = True
        self.panes[name].focus()
        self.tabs.update(self.desk.visible_panes(), name)

    @property
    def active_pane(self) -> Pane:
        return self.panes[self.desk.wish.active]

    def show(self) -> None:
        """Draw the latest frame with the selection as it is now."""
        if self.lab_frame is not None:
            for widget in self._shown():
                widget.show(self.lab_frame, self.selection)

    def _shown(self) -> list[Lines]:
        return [self.header, self.timeline, *(p for p in self.panes.values() if p.display), self.keys]

    def _draw_next(self) -> None:
        """Draw the frame a few widgets at a time, so that a key need not wait for all; painted together at the end."""
        if self.lab_frame is not None and self._undrawn:
            now, self._undrawn = self._undrawn[:AT_ONCE], self._undrawn[AT_ONCE:]
            for widget in now:
                widget.show(self.lab_frame, self.selection, hold=True)
        if self._undrawn:
            self.call_later(self._draw_next)
            return
        for widget in self._shown():
            widget.repaint()
        if self.link and self.lab_frame:
            self.screen.call_after_refresh(self.link.acknowledge, self.lab_frame.number)

    # -- the engine

    def connect(self, engine: Spawned) -> None:
        self.link = Client(engine, self)
        self._first = True
        self._sent = None
        self.send_view()

    def engine_frame(self, frame: Frame) -> None:
        """Draw a frame; after the cursor, if that has moved and not been painted yet."""
        if self._cursor_unpainted:
            self.screen.call_after_refresh(self.take_frame, frame)
        else:
            self.take_frame(frame)

    def take_frame(self, frame: Frame) -> None:
        self._cursor_unpainted = False
        if self._first and not self.status.message:
            room = self.size.width - 3
            self.status.say(next((text for text in WELCOMES if len(text) <= room), WELCOMES[-1]))
        if self._first:
            self.call_later(self.opened)
        self._first = False
        if self.lab_frame is None:
            gc.freeze()  # what has been made by now stays: looking through it again would hold up a key
        if frame.status.note and (self.lab_frame is None or frame.status.note != self.lab_frame.status.note):
            self.status.say(frame.status.note)
            self._note_what_is_cut(frame.status.note, "warning")
        if frame.status.still and (self.lab_frame is None or frame.status.still != self.lab_frame.status.still):
            self._say_still(frame.status.still)
        self.selection = followed(self.selection, self.lab_frame, frame)
        self.lab_frame = frame
        network = self.panes["network"]
        assert isinstance(network, NetworkPane)
        if self.desk.size.width:
            wanted = network.wanted_height(frame, round(self.desk.size.width * 0.6) - 2) + 2
            self.desk.ask(replace(self.desk.wish, network_height=wanted))
        self.send_view()
        self._undrawn = self._shown()
        self._draw_next()
        if isinstance(self.screen, Modal):
            if self.screen.STILL and frame.status.mode != "paused":
                self.hold_still()
            self.screen.call_later(self.screen.hear, frame)  # it may not have its widgets yet

    def _say_still(self, why: str) -> None:
        """That nothing learns, unless the answer of what made it so says it already."""
        said = still_words(why)
        if said not in self.status.message:
            self.status.say(said, warning=True)

    def engine_progress(self, done: int, total: int | None, what: str) -> None:
        self.status.working(what or self._work, done, total)

    def engine_said(self, message: str, severity: str) -> None:
        kind = severity if severity in ("warning", "error") else "information"
        self.status.say(message, error=kind == "error")
        self._note_what_is_cut(message, kind)

    def engine_failed(self, kind: str, message: str) -> None:
        """The engine could not open what it was started on."""
        self._refused = True
        self.header.dead = True
        for widget in (self.header, *self.panes.values()):
            widget.waiting = NOTHING_OPEN
            widget.redraw()
        self.fail(message)
        self.call_later(self.run_action, "open")

    def engine_died(self, exitcode: int | None) -> None:
        if self._refused:
            return
        self.header.dead = True
        self.header.redraw()
        banner = self.query_one("#banner", Static)
        how = f" (exit status {exitcode})" if exitcode else ""
        said = f"The engine process ended{how}. What you see is its last picture."
        banner.update(plain(f"{said} R starts it again from {self.restart_source()}."))
        banner.display = True
        self.fail("the engine process ended: R starts it again")

    def restart_source(self) -> str:
        """The last save, or what the lab was opened on."""
        frame = self.lab_frame
        return (frame.status.path if frame else "") or self._source or "names-mlp"

    def reconnect(self, source: str) -> None:
        """Start another engine process in place of the one that ended."""
        if self.link:
            self.link.close()
        if source != self._source:
            self._options = {name: value for name, value in self._options.items() if name in LASTING}
        self._source, self._refused = source, False
        for widget in (self.header, *self.panes.values()):
            widget.waiting = WAITING
            widget.redraw()
        self.header.dead = False
        self.query_one("#banner").display = False
        self.status.say("")
        self.connect(self._spawn(source, self._options))

    def close_engine(self) -> None:
        """Leave no process behind; may be called twice."""
        link, self.link = self.link, None
        if link:
            link.close(quit_for_good=self.quit_for_good)

    def on_unmount(self) -> None:
        self.close_engine()

    # -- commands

    def do(self, verb: str, *args: Any, **kwargs: Any) -> None:
        """Send a command; its result goes to the status line."""
        self.run_worker(self.done(verb, *args, **kwargs), exit_on_error=False)

    async def done(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Send a command and wait for what it gives, True for nothing; False when it failed, which has been said."""
        if self.link is None:
            return False
        if self._refused:
            self.fail(NOTHING_OPEN)
            return False
        self._begin(verb)
        try:
            value = await self.link.call(verb, *args, **kwargs)
        except EngineError as error:
            self.fail(error.message, quiet=error.kind == "Cancelled")
            return False
        else:
            line = getattr(value, "python", python_line(verb, args, kwargs))
            self.status.say(message_for(verb, value, self.status.room), line)
            return True if value is None else value
        finally:
            self._finish()

    def _begin(self, verb: str) -> None:
        self._pending += 1
        self._work = verb
        if self._working is None:
            self._working = self.set_timer(SLOW, self._show_work)

    def _show_work(self) -> None:
        self.status.working(self._work)
        self._working = self.set_interval(0.1, self.status.redraw)

    def _finish(self) -> None:
        self._pending -= 1
        if not self._pending and self._working is not None:
            self._working.stop()
            self._working = None
            self.status.rest()

    def fail(self, message: str, quiet: bool = False) -> None:
        """In the status line; a `quiet` one is what the person asked for."""
        self.status.say(message, error=True)
        if not quiet:
            self._note_what_is_cut(message, "error")

    def _note_what_is_cut(self, message: str, kind: Any) -> None:
        """A notification with the whole of a message that the status line has no room for."""
        if not self.status.whole(message):
            self.notify(printable_lines(message), severity=kind, markup=False)

    # -- selection and view

    def select(self, **changes: Any) -> None:
        """Move the cursor: drawn at once, the engine's details follow."""
        wanted = replace(self.selection, **{key: value for key, value in changes.items() if value is not None})
        if self.lab_frame is not None:
            if wanted.block != self.selection.block:
                wanted = replace(wanted, row=0)
            wanted = fitted(wanted, self.lab_frame)
        if wanted != self.selection:
            self.selection = wanted
            self.send_view()
            self.show_cursor()

    @property
    def unit_now(self) -> UnitNow:
        """What stands on the selected unit."""
        return unit_now(self.lab_frame, self.selection)

    def show_cursor(self) -> None:
        """Draw the panes on which the cursor stands; the others wait for the frame that follows."""
        for name in ("network", "weights", "activations"):
            if self.lab_frame is not None and self.panes[name].display:
                self.panes[name].show(self.lab_frame, self.selection)
        self._cursor_unpainted = True
        self.screen.call_after_refresh(setattr, self, "_cursor_unpainted", False)

    def on_pane_chosen(self, message: Pane.Chosen) -> None:
        self.select(block=message.block, unit=message.unit, example=message.example, row=message.row)

    def send_view(self) -> None:
        """Tell the engine what is looked at, when that has changed."""
        if self.link is None or not self.desk.size.width:
            return
        chosen_now = self.selection
        columns = max(20, self.panes["loss"].size.width - 10)
        view = View(chosen_now.block, chosen_now.unit, chosen_now.example, self.desk.visible_panes(), columns)
        if view != self._sent:
            self._sent = view
            self.link.look(view)

    # -- what the subclass fills in

    def hold_still(self) -> None:
        """Pause what goes on."""

    def opened(self) -> None:
        """An engine's first frame has come."""

    def run_line(self, text: str) -> None:
        """Do what a line of the command line says."""

    def key_bar_actions(self) -> list[actions.Action]:
        return actions.footer_actions()

    def label_of(self, action: actions.Action) -> str:
        return action.label

    def complete(self, text: str) -> list[str]:
        return []


def python_line(verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The call as a user of the library writes it."""
    from tinynets.lab.command_line import Call

    return Call(verb, args, kwargs).python()


def _speaks_unicode() -> bool:
    """False where the terminal's encoding has no blocks, or where a person asks for plain ASCII."""
    if os.environ.get("TINYNETS_ASCII"):
        return False
    encoding = (getattr(sys.__stdout__, "encoding", "") or "utf-8").lower()
    return "utf" in encoding
