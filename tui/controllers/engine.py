"""Starts the engine, listens to it, restarts it after it has ended, and closes it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tinynets.server.frame import Frame, View
from tui.actions import keyed
from tui.client import Client, Spawned
from tui.controllers.base import Controller
from tui.controllers.commands import GONE, NOTHING_OPEN, READY, Commands
from tui.model.answers import still_words
from tui.render.plain_text import plain
from tui.screens.lab import LabScreen
from tui.screens.modal import Modal
from tui.widgets.pane import WAITING

Spawn = Callable[[str, dict[str, Any]], Spawned]

WELCOMES = (
    "{run} runs the training, {step} makes one step, arrows walk the units, {zero} zeroes the one under the cursor, "
    "{help} is help",
    "{run} runs, {step} makes one step, arrows walk the units, {zero} zeroes one, {help} is help",
    "{run} runs, {step} steps, arrows walk, {help} is help",
)
"""The longest that fits is said."""

LASTING = frozenset({"memory", "threads", "plugins"})
"""Options that hold for every source; the others belong to the source they were given with."""


class EngineController(Controller):
    """Listens to the engine. `opened` is called at its first frame, `refused` if it could not open its source."""

    def __init__(
        self,
        ui: LabScreen,
        commands: Commands,
        spawn: Spawn,
        source: str,
        options: dict[str, Any],
        *,
        opened: Callable[[], None],
        refused: Callable[[], None],
        looking: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(ui, commands)
        self._spawn, self._source, self._options = spawn, source, options
        self._opened, self._refused = opened, refused
        self._looking = looking or {}
        """What the user's own settings say about every view."""
        self._sent: View | None = None
        self._first = True
        """Whether this engine has yet to send its first frame."""
        self.revived = False
        """Whether this engine was started in place of one that died."""

    # -- its life

    def begin(self, engine: Spawned | None = None) -> None:
        """Listen to an engine that was started earlier, or start one."""
        self.commands.client = Client(engine or self._spawn(self._source, self._options), self)
        self._first = True
        self._sent = None
        self.ui.send_view()

    def idle(self) -> None:
        """Have no engine, until something is opened."""
        self.commands.refused = True
        self._wait(keyed(NOTHING_OPEN))

    def restart(self) -> None:
        if self.commands.alive:
            self.ui.status.say(keyed("the engine is running: {restart} is for when it has ended"))
            return
        if self.commands.refused:
            self.commands.fail(keyed(NOTHING_OPEN))
            return
        self.reconnect(self._restart_source())
        self.revived = True

    def _restart_source(self) -> str:
        """The last save, or the source that the lab was opened on."""
        return (self.run_now.path if self.run_now else "") or self._source or "names-mlp"

    def reconnect(self, source: str) -> None:
        """Start another engine in place of the one that ended."""
        if self.commands.client:
            self.commands.client.close()
        if source != self._source:
            self._options = {name: value for name, value in self._options.items() if name in LASTING}
        self._source, self.commands.refused, self.revived = source, False, False
        self._wait(WAITING)
        self.ui.header.dead = False
        self.ui.banner.display = False
        self.ui.status.say("")
        self.begin()

    def close(self) -> None:
        """Close the engine, so that no process stays behind; may be called twice."""
        client, self.commands.client = self.commands.client, None
        if client:
            client.close(quit_for_good=self.commands.quit_for_good)

    def _wait(self, text: str) -> None:
        """Have every empty widget say why there is nothing to see."""
        for widget in (self.ui.header, *self.ui.panes.values()):
            widget.waiting = text
            widget.redraw()

    # -- to the engine

    def look(self, view: View) -> None:
        """Tell the engine what the user is looking at, if that has changed."""
        view = replace(view, **self._looking)
        if self.commands.client is not None and view != self._sent:
            self._sent = view
            self.commands.client.look(view)

    def drawn(self, number: int) -> None:
        """Tell the engine that a frame was drawn, so that it may send the next."""
        if self.commands.client is not None:
            self.commands.client.acknowledge(number)

    # -- from the engine

    def frame(self, frame: Frame) -> None:
        self.ui.after_cursor(self._take, frame)

    def _take(self, frame: Frame) -> None:
        before = self.ui.frame
        if self._first and not self.ui.status.message:
            room = self.ui.app.size.width - 3
            self.ui.status.say(next((text for text in map(keyed, WELCOMES) if len(text) <= room), keyed(WELCOMES[-1])))
        if self._first:
            self.ui.app.call_later(self._opened)
        self._first = False
        if before is None:
            gc.freeze()  # what exists by now will stay: collecting it as garbage again and again would delay a key
            self.ui.app.set_timer(READY, self.commands.get_ready)
        if frame.status.note and (before is None or frame.status.note != before.status.note):
            self.ui.status.say(frame.status.note)
            self.commands.notify_cut(frame.status.note, "warning")
        if frame.status.still and (before is None or frame.status.still != before.status.still):
            self.say_still(frame.status.still)
        self.ui.take(frame)
        top = self.ui.app.screen
        if isinstance(top, Modal):
            if top.STILL and frame.status.mode != "paused":
                self.commands.hold_still()
            top.call_later(top.hear, frame)  # the screen may not have its widgets yet

    def say_still(self, why: str) -> None:
        """Warn that nothing learns, unless the answer of the command that caused it says so already."""
        said = still_words(why)
        if said not in self.ui.status.message:
            self.ui.status.say(said, warning=True)

    def progress(self, done: int, total: int | None, what: str) -> None:
        self.ui.status.working(what or self.commands.work, done, total)

    def said(self, message: str, severity: str) -> None:
        kind = severity if severity in ("warning", "error") else "information"
        self.ui.status.say(message, error=kind == "error")
        self.commands.notify_cut(message, kind)

    def failed(self, kind: str, message: str) -> None:
        """Report that the engine could not open its source."""
        self.commands.refused = True
        self.ui.header.dead = True
        self._wait(keyed(NOTHING_OPEN))
        self.commands.fail(message)
        self.ui.app.call_later(self._refused)

    def died(self, exitcode: int | None) -> None:
        if self.commands.refused:
            return
        self.ui.header.dead = True
        self.ui.header.redraw()
        how = f" (exit status {exitcode})" if exitcode else ""
        said = f"The engine process ended{how}. What you see is its last picture."
        self.ui.banner.update(plain(f"{said} {keyed('{restart}')} starts it again from {self._restart_source()}."))
        self.ui.banner.display = True
        self.commands.fail(keyed(GONE))
