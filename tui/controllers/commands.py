"""Sends commands to the engine, waits for answers and reports them; also runs lines of the command line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from tinynets.errors import TinynetsError
from tinynets.foreign_text import printable_lines
from tui.actions import keyed
from tui.client import Client, EngineError
from tui.model.answers import lines_of, message_for
from tui.model.prefill import completed, value_now
from tui.screens.lab import LabScreen

if TYPE_CHECKING:  # imported only when a line is parsed: the app starts sooner without them
    from tinynets.lab.command_line import Call
    from tinynets.lab.verb import Verb

NOTHING_OPEN = "nothing is open: {open} opens, {quit} quits"
GONE = "the engine process ended: {restart} starts it again"
READY = 0.3
"""Seconds after the first frame at which what verbs take is imported; the frame is drawn by then."""
SLOW = 0.2
"""Seconds after which the status line shows an unanswered command as running."""


class Commands:
    """What the controllers share: the client of the engine, and the one way to run a verb."""

    def __init__(self, ui: LabScreen) -> None:
        self.ui = ui
        self.client: Client | None = None
        self.refused = False
        """Whether the engine could not open its source."""
        self.quit_for_good = False
        """Whether the user has quit, and was asked about unsaved work."""
        self.work = ""
        """The last verb sent."""
        self.last_line = ""
        """The line of Python of the last action that has one."""
        self._pending = 0
        self._working: Timer | None = None
        self._pausing = False
        self._lines: dict[str, Callable[[Call], bool]] = {}
        self._screens: dict[str, Callable[[Call, Any], None]] = {}
        self._hints: dict[str, str] = {}

    def on_line(self, verb: str, handler: Callable[[Call], bool]) -> None:
        """Let a handler run the lines of a verb; if it returns False, the verb is sent as written."""
        self._lines[verb] = handler

    def on_answer(self, verb: str, show: Callable[[Call, Any], None]) -> None:
        """Let a function of its own show the result of a verb."""
        self._screens[verb] = show

    def on_bare(self, verb: str, hint: str) -> None:
        """Have what a verb without arguments gives shown with a hint at what they would do."""
        self._hints[verb] = hint

    @property
    def alive(self) -> bool:
        """Whether an engine is running."""
        return self.client is not None and self.client.alive

    def get_ready(self) -> None:
        """Import what verbs take in a thread of its own: otherwise the first key would wait for it."""
        Thread(target=import_module, args=("tinynets.lab.command_line",), daemon=True).start()

    # -- a verb

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine in the background while the app goes on."""
        self.ui.app.run_worker(work, exit_on_error=False)

    def do(self, verb: str, *args: Any, **kwargs: Any) -> None:
        """Send a command and show its result in the status line."""
        self.start(self.done(verb, *args, **kwargs))

    async def done(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        """Send a command and await its result (True in place of None). On failure, report it and return False."""
        if self.client is None:
            return False
        if self.refused:
            self.fail(keyed(NOTHING_OPEN))
            return False
        self._begin(verb)
        try:
            value = await self.client.call(verb, *args, **kwargs)
        except EngineError as error:
            self.fail(error.message if error.kind != "EngineDied" else keyed(GONE), quiet=error.kind == "Cancelled")
            return False
        else:
            self.told(value, verb, *args, **kwargs)
            return True if value is None else value
        finally:
            self._finish()

    async def tried(self, verb: str, *args: Any, **kwargs: Any) -> tuple[Any, str]:
        """Send a command and say nothing of it: its result, or its error in words."""
        if self.client is None or self.refused:
            return None, keyed(NOTHING_OPEN)
        try:
            return await self.client.call(verb, *args, **kwargs), ""
        except EngineError as error:
            return None, error.message

    def told(self, value: Any, verb: str, *args: Any, **kwargs: Any) -> None:
        """Show the result of a command in the status line, with the command as a line of Python."""
        line = getattr(value, "python", python_line(verb, args, kwargs))
        self.last_line = line or self.last_line
        self.ui.status.say(message_for(verb, value, self.ui.status.room), line)

    def hold_still(self) -> None:
        """Pause a run or a playback."""
        if not self._pausing:
            self._pausing = True
            self.start(self._pause())

    async def _pause(self) -> None:
        try:
            await self.done("pause")
        finally:
            self._pausing = False

    def _begin(self, verb: str) -> None:
        self._pending += 1
        self.work = verb
        if self._working is None:
            self._working = self.ui.app.set_timer(SLOW, self._show_work)

    def _show_work(self) -> None:
        self.ui.status.working(self.work)
        self._working = self.ui.app.set_interval(0.1, self.ui.status.redraw)

    def _finish(self) -> None:
        self._pending -= 1
        if not self._pending and self._working is not None:
            self._working.stop()
            self._working = None
            self.ui.status.rest()

    # -- a line

    def begin_line(self, verb: Verb) -> None:
        """Run a verb that takes no arguments; for any other, open the command line with it."""
        if verb.asks:
            self.ui.open_command_line(f"{verb.name} ")
        else:
            self.run_line(verb.name)

    def enter_line(self, text: str) -> None:
        """Run a line that was typed; units that it lacks are the selected one.

        Where it asks for more, and where it fails, the line is open again with its text.
        """
        draft = completed(text, self.ui.frame, self.ui.selection)
        if draft is not None and draft.asked:
            named, _, example = draft.asked.rpartition("=")
            value = value_now(f"{draft.text} ", self.ui.frame, self.ui.selection) or example
            self.ui.open_command_line(f"{draft.text} {named}{'=' if named else ''}{value}", len(value))
            return
        self.ui.close_command_line()
        self.run_line(draft.text if draft is not None else text, typed=text)

    def run_line(self, text: str, typed: str = "") -> None:
        """Parse a line of the command line, and run or send it; `typed` is opened again where that fails."""
        from tinynets.lab.command_line import parse  # the app starts sooner without them
        from tinynets.lab.verbs import verb_called

        try:
            call = parse(text)
        except TinynetsError as error:
            self.fail(str(error))
            if typed:
                self.ui.open_command_line(typed, failed=True)
            return
        handler = self._lines.get(call.verb)
        if handler is not None and handler(call):
            return
        verb = verb_called(call.verb)
        self.start(self._list(call.verb) if verb is not None and verb.read else self.answer(call, typed))

    async def answer(self, call: Call, typed: str = "") -> None:
        """Send a call; show its result in a screen of its own if the status line has no room for it.

        A typed line that fails is opened again, unless a key was pressed meanwhile: that was meant for something else.
        """
        pressed = self.ui.pressed
        value = await self.done(call.verb, *call.args, **call.kwargs)
        if value is False:
            if typed and pressed == self.ui.pressed and self.alive:
                self.ui.open_command_line(typed, failed=True)
            return
        show = self._screens.get(call.verb)
        if show is not None:
            show(call, value)
            return
        from tinynets.lab.verbs import verb_called  # the app starts sooner without it

        lines, verb = lines_of(value), verb_called(call.verb)
        whole = self.ui.status.whole(message_for(call.verb, value))
        if not whole and (len(lines) > 1 or (verb is not None and verb.shows)):
            hint = "" if call.args or call.kwargs else self._hints.get(call.verb, "")
            self._show_entries(call.python(), lines, hint)

    async def _list(self, verb: str) -> None:
        """Show one of the lab's lists, entry by entry."""
        found = await self.done(verb)
        if found:
            self._show_entries(f"lab.{verb}", lines_of(found))

    def _show_entries(self, title: str, lines: list[str], hint: str = "") -> None:
        from tui.screens.entries import EntriesScreen  # the app starts sooner without it

        self.ui.app.push_screen(EntriesScreen(title, lines, hint))

    # -- reports

    def fail(self, message: str, quiet: bool = False) -> None:
        """Show an error in the status line; a `quiet` one was caused by the user, by a cancel for example."""
        self.ui.status.say(message, error=True)
        if not quiet:
            self.notify_cut(message, "error")

    def notify_cut(self, message: str, kind: Any) -> None:
        """Show a whole message as a notification if the status line has no room for it."""
        if not self.ui.status.whole(message):
            self.ui.app.notify(printable_lines(message), severity=kind, markup=False)


def python_line(verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """The call as a user of the library would write it."""
    from tinynets.lab.command_line import Call  # the app starts sooner without it

    return Call(verb, args, kwargs).python()
