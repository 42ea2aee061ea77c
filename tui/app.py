"""The app: it builds one screen and its controllers, and passes keys and clicks on to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, SystemCommand
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import Input

from tui import actions
from tui.client import Spawned
from tui.controllers.commands import Commands
from tui.controllers.engine import EngineController, Spawn
from tui.controllers.examples import ExamplesController
from tui.controllers.files import FileController
from tui.controllers.history import HistoryController
from tui.controllers.key_bar import KeyBarController
from tui.controllers.running import RunningController
from tui.controllers.unit import UnitController
from tui.controllers.view import ViewController
from tui.render.palette import Terminal, speaks_unicode
from tui.render.plain_text import Seen
from tui.screens.lab import LabScreen
from tui.widgets.command_line import CommandLine
from tui.widgets.timeline import TimelineStripWidget

SEEN = Seen()
TYPED = "On the command line"
THEME = Theme(
    name="tinynets", primary="#c9a6ff", secondary="#3aa0ff", accent="#c9a6ff", warning="#ffd76a", error="#ff7b72",
    success="#7fd88f", foreground="#d5dbe5", background="#11151b", surface="#11151b", panel="#1d2430", dark=True,
)  # fmt: skip


class LabApp(App[None]):
    """Puts the parts together and binds the keys: `perform` finds the controller that the registry names."""

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
        self._begun = False
        """The lab has its widgets."""
        self._early: list[events.Event] = []
        """What was typed before."""
        self.look = Terminal(colour=not self.no_color, unicode=speaks_unicode())
        self.lab = lab = LabScreen(
            ready=lambda: self._begin(engine),
            looked=lambda view: self.engine.look(view),
            drawn=lambda number: self.engine.drawn(number),
            keys=lambda: self.key_bar.shown(),
            label=lambda action: self.key_bar.label(action),
        )
        self.commands = commands = Commands(lab)
        self.running = RunningController(lab, commands)
        self.history = HistoryController(lab, commands)
        self.unit = UnitController(lab, commands)
        self.view = ViewController(lab, commands)
        self.examples = ExamplesController(lab, commands)
        self.files = FileController(lab, commands, reconnect=lambda source: self.engine.reconnect(source))
        self.engine = EngineController(
            lab, commands, spawn, source, options or {}, opened=self.files.offer, refused=self.files.open
        )
        self.key_bar = KeyBarController(lab, commands)

    def get_default_screen(self) -> Screen[Any]:
        return self.lab

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        if found.__name__ == "LinuxDriver":
            from tui.driver import LabDriver  # Windows has no such driver

            return LabDriver
        return found

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), SEEN]

    def on_resize(self, event: events.Resize) -> None:
        if self.lab.is_mounted:
            self.lab.fit(event.size)

    def on_unmount(self) -> None:
        self.engine.close()

    # -- keys

    async def on_event(self, event: events.Event) -> None:
        """What is typed before there is a lab waits for it."""
        if self._begun or not isinstance(event, events.Key | events.Paste):
            await super().on_event(event)
        else:
            self._early.append(event)

    def _begin(self, engine: Spawned | None) -> None:
        """The lab has its widgets, and takes keys from now on."""
        self.engine.begin(engine)
        self._begun = True
        for event in self._early:
            self.post_message(event)
        self._early.clear()

    def handler(self, action: actions.Action) -> Callable[..., None]:
        """The controller method that carries out an action."""
        controller, _, method = action.handler.partition(".")
        found: Callable[..., None] = getattr(getattr(self, controller), method)
        return found

    def action_perform(self, name: str) -> None:
        action = actions.BY_ID[name]
        self.handler(action)(*action.args)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Screens opened over the lab keep tab for their own fields; while nothing is visible, only `q` acts."""
        name = parameters[0] if action == "perform" else ""
        if not self.lab.room and name != "quit":
            return False
        if name == "command" and isinstance(self.focused, Input):
            return False
        return not (name in actions.PRIORITY and len(self.screen_stack) > 1)

    async def action_quit(self) -> None:
        self.files.leave()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Entries of the command palette: the registry's actions and the command line's verbs."""
        from tinynets.lab.verbs import VERBS  # the app starts sooner without it

        for action in actions.ACTIONS:
            if action.palette:
                title = f"{action.help}  ({action.shown_key})"
                yield SystemCommand(title, action.group, lambda a=action: self.call_later(self.run_action, a.command))
        for verb in VERBS.values():
            title = f":{verb.name}  {verb.help}"
            yield SystemCommand(title, TYPED, lambda v=verb: self.call_later(self.commands.begin_line, v))

    # -- messages from the lab's widgets

    @on(CommandLine.Entered)
    def _line_entered(self, message: CommandLine.Entered) -> None:
        self.lab.close_command_line()
        if message.text:
            self.commands.run_line(message.text)

    @on(TimelineStripWidget.Sought)
    def _sought(self, message: TimelineStripWidget.Sought) -> None:
        self.history.go_to(message.step, message.edits)

    @on(TimelineStripWidget.Switched)
    def _switched(self, message: TimelineStripWidget.Switched) -> None:
        self.history.switch(message.branch)

    @on(TimelineStripWidget.Hovered)
    def _hovered(self, message: TimelineStripWidget.Hovered) -> None:
        self.lab.status.hint(message.text)
