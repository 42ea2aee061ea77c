"""The lab's main screen: the panes on their desk, the latest frame, and the selection in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from textual import events, on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Static

from tinynets.measure.lens_names import AUTO
from tinynets.server.frame import Frame, View
from tui.actions import Action
from tui.model.completion import completions
from tui.model.prefill import completed, value_now
from tui.model.selection import Selection, fitted, followed
from tui.model.time_window import TimeWindow
from tui.panes import make_desk
from tui.render.plain_text import plain
from tui.widgets.command_line import CommandLine, hint, offers
from tui.widgets.desk import Body, Desk
from tui.widgets.examples import ExamplesPane
from tui.widgets.header import Header, Tabs
from tui.widgets.log import LogPane
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.output import OutputPane
from tui.widgets.pane import Lines, Pane
from tui.widgets.phase_bar import PhaseBar
from tui.widgets.status import KeyBar, StatusLine
from tui.widgets.timeline import TimelineStripWidget
from tui.widgets.tour import TourHint
from tui.widgets.units import UnitsPane

SMALLEST = (60, 16)
AT_ONCE = 3
"""How many widgets are drawn before other messages get their turn."""
LATEST = 0.25
"""Seconds after which what is behind another screen counts as painted: that screen may be gone before it is."""


class LabScreen(Screen[None]):
    """Shows frames and holds the selection. The controllers decide what a key does; this screen does not know them.

    It calls `ready` once it is mounted, `looked` with the view that the user looks at, and `drawn` with the number of a
    frame that it has drawn. It asks `keys` for the actions of the key bar, and `label` for the label of each.
    """

    def __init__(
        self,
        *,
        ready: Callable[[], None],
        looked: Callable[[View], None],
        drawn: Callable[[int], None],
        keys: Callable[[], list[Action]],
        label: Callable[[Action], str],
    ) -> None:
        super().__init__()
        self.frame: Frame | None = None
        self.selection = Selection()
        self.window = TimeWindow()
        """The steps that the loss curve and the timeline show."""
        self.lens = AUTO
        """What the panes are painted with."""
        self.against: str | int = ""
        """Since when a change is measured."""
        self.room = True
        """Whether the terminal has room for the lab."""
        self.pressed = 0
        """How many keys were pressed so far."""
        self._ready, self._looked, self._drawn = ready, looked, drawn
        self._keys, self._label = keys, label
        self._undrawn: list[Lines] = []
        self._cursor_unpainted = False

    def compose(self) -> ComposeResult:
        with Body(id="lab"):
            yield Header(id="header")
            yield PhaseBar(id="phases")
            yield Static("", id="banner", markup=False)
            yield Tabs(id="tabs")
            yield make_desk()
            yield TimelineStripWidget(id="timeline")
            yield StatusLine(id="status")
            yield KeyBar(self._keys, self._label, id="keys")
            yield CommandLine(lambda text: completions(text, self.frame), self.close_command_line)
        yield Static("", id="small", markup=False)
        yield TourHint()

    def on_mount(self) -> None:
        # Looked up once: querying them for each frame would cost more than drawing the header.
        self.desk = self.query_one(Desk)
        self.header = self.query_one(Header)
        self.phase_bar = self.query_one(PhaseBar)
        self.banner = self.query_one("#banner", Static)
        self.tabs = self.query_one(Tabs)
        self.timeline = self.query_one(TimelineStripWidget)
        self.status = self.query_one(StatusLine)
        self.keys = self.query_one(KeyBar)
        self.tour = self.query_one(TourHint)
        self.command_line = self.query_one(CommandLine)
        self.panes = {pane.NAME: pane for pane in self.query(Pane)}
        self.examples = self.query_one(ExamplesPane)
        self.fit(self.app.size)
        self.set_focus(self.panes["network"])  # at once: `focus` would take the keys from a line opened meanwhile
        self._ready()

    def fit(self, size: Size) -> None:
        """Show the lab, or a plain message if the terminal is too small for it."""
        self.room = fits = size.width >= SMALLEST[0] and size.height >= SMALLEST[1]
        self.query_one("#lab").display = fits
        small = self.query_one("#small", Static)
        small.display = not fits
        self.header.names_phase = not self.phase_bar.fit(size.height)
        if not fits:
            needs = f"{SMALLEST[0]}x{SMALLEST[1]}"
            small.update(plain(f"tinynets-lab needs at least {needs}; this terminal is {size.width}x{size.height}"))

    # -- which panes are visible

    @on(Desk.Arranged)
    def _arranged(self) -> None:
        """Tell the engine which panes are now visible, and draw them."""
        visible = self.desk.visible_panes()
        self.tabs.display = not self.desk.large or self.desk.choice.zoom
        self.tabs.update(visible, self.desk.choice.active)
        self.send_view()
        self.show()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if isinstance(event.widget, Pane) and self.desk.choice.active != event.widget.NAME:
            self.desk.pick(event.widget.NAME)
            self.tabs.update(self.desk.visible_panes(), event.widget.NAME)

    @on(Pane.Picked)
    @on(Tabs.Picked)
    def _tab_picked(self, message: Pane.Picked | Tabs.Picked) -> None:
        self.pick_pane(message.pane)

    def pick_pane(self, name: str) -> None:
        """Show a pane and focus it."""
        self.desk.pick(name)
        self.panes[name].display = True
        self.set_focus(self.panes[name])
        self.tabs.update(self.desk.visible_panes(), name)

    @property
    def active_pane(self) -> Pane:
        return self.panes[self.desk.choice.active]

    def lay_out(self, left: float, panes: tuple[str, ...]) -> None:
        """Give the left side its share of the width, and put these panes in front; the first has the focus."""
        self.desk.follow(replace(self.desk.choice, left_share=left))
        for name in reversed(panes):
            self.pick_pane(name)

    def toggle_zoom(self) -> None:
        """Show the active pane alone, or all panes again."""
        self.desk.follow(replace(self.desk.choice, zoom=not self.desk.choice.zoom))
        self.set_focus(self.active_pane)

    # -- frames

    def take(self, frame: Frame) -> None:
        """Take a new frame and draw it; the selection stays on its unit."""
        self._cursor_unpainted = False
        self.selection = followed(self.selection, self.frame, frame)
        if frame.refused and frame.view.own == self.selection.own:
            self.selection = replace(self.selection, own=None)
            self.status.say(frame.refused, error=True)
        self.frame = self.phase_bar.frame = frame
        self.header.names_phase = not self.phase_bar.fit(self.app.size.height)
        network = self.panes["network"]
        assert isinstance(network, NetworkPane)
        if self.desk.size.width:
            width, most = self.desk.network_room
            wanted = network.wanted_height(frame, width - 2, most - 2) + 2
            self.desk.follow(replace(self.desk.choice, network_height=wanted, drawn=frame.net is not None))
        self.send_view()
        self._undrawn = lines_of(self)
        self._draw_next()

    def after_cursor(self, then: Callable[..., None], *args: Any) -> None:
        """Call `then`: now, or once the cursor is painted, if it has moved."""
        if self._cursor_unpainted:
            _once_painted(self, then, *args)
        else:
            then(*args)

    def show(self) -> None:
        """Draw the latest frame with the present selection."""
        if self.frame is not None:
            for widget in lines_of(self):
                widget.show(self.frame, self.selection)

    def _draw_next(self) -> None:
        """Draw a few widgets at a time, so that a key need not wait for all; paint them together at the end."""
        if self.frame is not None and self._undrawn:
            now, self._undrawn = self._undrawn[:AT_ONCE], self._undrawn[AT_ONCE:]
            for widget in now:
                widget.show(self.frame, self.selection, hold=True)
        if self._undrawn:
            self.app.call_later(self._draw_next)
            return
        for widget in lines_of(self):
            widget.repaint()
        if self.frame:
            _once_painted(self, self._drawn, self.frame.number)

    # -- selection and view

    def select(self, **changes: Any) -> None:
        """Move the cursor and draw it at once; the engine's details follow."""
        changes = {key: value for key, value in changes.items() if value is not None}
        if "example" in changes and "own" not in changes:
            at_own = self.frame is not None and self.frame.own and changes["example"] >= len(self.frame.examples) - 1
            changes["own"] = self.selection.own if at_own else None
        wanted = replace(self.selection, **changes)
        if self.frame is not None:
            if wanted.block != self.selection.block:
                wanted = replace(wanted, row=0)
            wanted = fitted(wanted, self.frame)
        if wanted != self.selection:
            self.selection = wanted
            self.send_view()
            self._show_cursor()

    @on(Pane.Chosen)
    def choose(self, message: Pane.Chosen) -> None:
        self.select(block=message.block, unit=message.unit, example=message.example, row=message.row, own=message.own)

    def _show_cursor(self) -> None:
        """Draw the panes that show the cursor; the others wait for the next frame.

        What is left of a frame that is half drawn is drawn with them, so that no two frames are seen at once.
        """
        if self._undrawn and self.frame is not None:
            for widget in self._undrawn:
                widget.show(self.frame, self.selection, hold=True)
            self._undrawn = []
            for widget in lines_of(self):
                widget.repaint()
        for name in ("network", "units", "weights", "activations", "neuron", "examples"):
            if self.frame is not None and self.panes[name].display:
                self.panes[name].show(self.frame, self.selection)
        self._cursor_unpainted = True

        def painted() -> None:  # not `setattr`, whose arguments Textual would look up slowly for each key
            self._cursor_unpainted = False

        _once_painted(self, painted)

    @on(LogPane.Looked)
    def send_view(self) -> None:
        """Report what the user is looking at."""
        if self.desk.size.width:
            at, columns = self.selection, 2 * max(20, self.panes["loss"].size.width - 5)
            terms = max(View.terms, self.desk.size.height if self.desk.choice.zoom else 0)
            of_batch = self.frame is not None and self.frame.of_batch
            example, batch_example = (at.other, at.example) if of_batch else (at.example, at.other)
            log = self.panes["log"]
            assert isinstance(log, LogPane)
            row, rows = log.wanted
            units = self.panes["units"]
            assert isinstance(units, UnitsPane)
            self._looked(
                View(
                    at.block,
                    at.unit,
                    example,
                    _needed(self.desk.visible_panes()),
                    columns,
                    terms,
                    own=at.own,
                    split=self.examples.split if self.frame and self.examples.split in self.frame.splits else "",
                    batch_example=batch_example,
                    lens=self.lens,
                    against=self.against,
                    every_unit=units.every_unit,
                    log_row=row,
                    log_rows=rows,
                    window=self.window.steps,
                    until=self.window.until,
                    curve=self.window.curve,
                    **_resolutions(self.panes, self.frame),
                )
            )

    def look(
        self, *, window: TimeWindow | None = None, lens: str | None = None, against: str | int | None = None
    ) -> None:
        """Show other steps or another curve of them, or paint the panes with something else; None: as it is."""
        self.window = self.window if window is None else window
        self.lens = self.lens if lens is None else lens
        self.against = self.against if against is None else against
        self.send_view()

    # -- the command line

    def open_command_line(self, text: str = "", asked: int = 0, *, failed: bool = False) -> None:
        """Open the command line with a text, whose last `asked` letters the user is to replace.

        With one that `failed`, the status line keeps saying why.
        """
        self.keys.display = False
        self.command_line.open(text, asked)
        if not failed:
            _tell_line(self, text)

    def close_command_line(self) -> None:
        self.command_line.close()
        self.keys.display = True
        self.set_focus(self.active_pane)
        self.status.say("")

    @on(CommandLine.Edited)
    def _line_edited(self, message: CommandLine.Edited) -> None:
        """Say what can come next; where a value is asked, put the present one there."""
        value = value_now(message.text, self.frame, self.selection) if message.grown else ""
        if value:
            self.command_line.fill(message.text, value)
        _tell_line(self, message.text)


def lines_of(ui: LabScreen) -> list[Lines]:
    """All that is drawn from a frame and visible now."""
    return [ui.header, ui.phase_bar, ui.timeline, *(pane for pane in ui.panes.values() if pane.display), ui.keys]


def _tell_line(ui: LabScreen, text: str) -> None:
    """Say how a line that is being typed is written, what it can be completed to, and which unit it would take."""
    draft = completed(text, ui.frame, ui.selection)
    said = hint(text, ui.status.room)
    if draft is not None:
        usage, _, about = said.partition("   ")
        said = f"{usage}   enter takes the selected unit: {draft.text}   {about}"
    ui.status.say_typing(said, offers(completions(text, ui.frame)) if text.strip() else [])


def _needed(visible: tuple[str, ...]) -> tuple[str, ...]:
    """The visible panes; a network shown alone also draws a part of what the neuron pane knows."""
    return (*visible, "neuron") if visible == ("network",) else visible


def _resolutions(panes: dict[str, Pane], frame: Frame | None) -> dict[str, Any]:
    """How finely the panes have room to draw: pictures are computed for that, not enlarged."""
    network, neuron, output = (panes[name] for name in ("network", "neuron", "output"))
    assert isinstance(network, NetworkPane)
    assert isinstance(neuron, NeuronPane)
    assert isinstance(output, OutputPane)
    found: dict[str, Any] = {"portrait": neuron.portrait(), "plane": output.plane_points()}
    if frame is not None:
        found["pixels"], found["answer"] = network.pixels(frame)
    return found


def _once_painted(lab: LabScreen, then: Callable[..., None], *args: Any) -> None:
    """Call `then` once what is on the screen is painted. A screen that closes forgets whom it was to call."""
    if lab.app.screen is lab:
        lab.call_after_refresh(then, *args)
        return
    left = [then]

    def once() -> None:
        while left:
            left.pop()(*args)

    lab.app.screen.call_after_refresh(once)
    lab.app.set_timer(LATEST, once)
