"""The app: it builds one screen and its controllers, and passes keys and clicks on to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from tui import actions
from tui.client import Spawned
from tui.config import Config, checked
from tui.controllers.commands import Commands
from tui.controllers.curve import CurveController
from tui.controllers.engine import EngineController, Spawn
from tui.controllers.examples import ExamplesController
from tui.controllers.files import FileController
from tui.controllers.find import FindController
from tui.controllers.history import HistoryController
from tui.controllers.key_bar import KeyBarController
from tui.controllers.log import LogController
from tui.controllers.offering import OfferingController
from tui.controllers.running import RunningController
from tui.controllers.style import StyleController
from tui.controllers.taking_out import TakingOutController
from tui.controllers.unit import UnitController
from tui.controllers.units import UnitsController
from tui.controllers.view import ViewController
from tui.dressed import DressedApp
from tui.render.plain_text import Seen
from tui.screens.lab import LabScreen
from tui.state import StateFile
from tui.widgets.command_line import CommandLine
from tui.widgets.desk import Desk
from tui.widgets.log import LogPane
from tui.widgets.loss import LossPane
from tui.widgets.pane import Lines, Pane
from tui.widgets.phase_bar import PhaseBar
from tui.widgets.timeline import TimelineStripWidget

SEEN = Seen()


class LabApp(DressedApp):
    """Puts the parts together and binds the keys: `perform` finds the controller that the registry names."""

    TITLE = "tinynets-lab"
    ENABLE_COMMAND_PALETTE = False
    """The lab has a palette of its own."""
    NOTIFICATION_TIMEOUT = 4
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[Any]] = actions.bindings()

    _begun = False
    """The lab has its widgets."""

    def __init__(
        self,
        spawn: Spawn,
        source: str,
        options: dict[str, Any] | None = None,
        engine: Spawned | None = None,
        *,
        config: Config | None = None,
        state: StateFile | None = None,
        tour: bool = False,
    ) -> None:
        """Without a `source`, ask for one first."""
        super().__init__()
        self.config = config = checked(config or Config(Path()), tuple(self.theme_names()))
        actions.give_keys(config.keys)
        self._tour, self._early = tour, list[events.Event]()  # what was typed before there was a lab
        self.lab = lab = LabScreen(
            ready=lambda: self._begin(source, engine),
            looked=lambda view: self.engine.look(view),
            drawn=lambda number: self.engine.drawn(number),
            keys=lambda: self.key_bar.shown(),
            label=lambda action: self.key_bar.label(action),
        )
        state = state or StateFile()
        self.commands = Commands(lab)
        self._make_controllers(lab, self.commands)
        self.files = FileController(lab, self.commands, lambda source: self.engine.reconnect(source), state, source)
        self.engine = EngineController(
            lab,
            self.commands,
            spawn,
            source,
            options or {},
            opened=self._opened,
            refused=self.files.open,
            looking=config.looking,
        )
        self.style = StyleController(lab, self.commands, config, state, self.theme_names)
        self.dress(self.style.wanted)

    def _make_controllers(self, lab: LabScreen, commands: Commands) -> None:
        """Make those that need nothing but the lab and the app."""
        self.running = RunningController(lab, commands)
        self.history = HistoryController(lab, commands)
        self.unit = UnitController(lab, commands)
        self.units = UnitsController(lab, commands)
        self.view = ViewController(lab, commands)
        self.examples = ExamplesController(lab, commands)
        self.curve = CurveController(lab, commands)
        self.taking_out = TakingOutController(
            lab, commands, shown=self._strips, recorder=lambda: self._driver if hasattr(self._driver, "cast") else None
        )
        self.key_bar = KeyBarController(lab, commands)
        self.find = FindController(lab, commands)
        self.offering = OfferingController(
            lab, commands, perform=self.action_perform, fitting=self.unit.fitting, begin=self.unit.begin
        )
        self.record = LogController(lab, commands)

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

    def _strips(self) -> list[Strip]:
        """The lines of the lab's screen."""
        return self.lab._compositor.render_strips()

    def on_unmount(self) -> None:
        self.files.keep_place()
        self.engine.close()

    # -- colours

    @property
    def follows_background(self) -> bool:
        """Whether the driver is to ask the terminal about its background."""
        return self.style.follows

    def found_background(self, dark: bool) -> None:
        self.style.found_background(dark)

    # -- keys

    async def on_event(self, event: events.Event) -> None:
        """What is typed before there is a lab waits for it."""
        if isinstance(event, events.Key):
            self.lab.pressed += 1
        if self._begun or not isinstance(event, events.Key | events.Paste):
            if not (isinstance(event, events.Key) and self._begun and self.style.takes(event.key)):
                await super().on_event(event)
        else:
            self._early.append(event)

    def _begin(self, source: str, engine: Spawned | None) -> None:
        """The lab has its widgets, and takes keys from now on."""
        self.set_keymap(dict(self.config.keys))
        self.lab.lay_out(self.config.left, self.config.panes)
        if source:
            self.files.go_to_place(source)
            self.engine.begin(engine)
        else:
            self.engine.idle()
            self.files.start()
        self._begun = True
        for event in self._early:
            self.post_message(event)
        self._early.clear()

    def _opened(self) -> None:
        """The first frame of an engine has come."""
        self.style.complain()
        self.files.opened(revived=self.engine.revived)
        if self._tour:
            self._tour = False
            self.style.tour()

    def handler(self, action: actions.Action) -> Callable[..., None]:
        """The controller method that carries out an action."""
        controller, _, method = action.handler.partition(".")
        found: Callable[..., None] = getattr(getattr(self, controller), method)
        return found

    def action_perform(self, name: str) -> None:
        action = actions.BY_ID[name]
        self.handler(action)(*action.args)
        self.style.heard(name)

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

    # -- messages from the lab's widgets

    @on(CommandLine.Entered)
    def _line_entered(self, message: CommandLine.Entered) -> None:
        if message.text:
            self.commands.enter_line(message.text)
        else:
            self.lab.close_command_line()

    @on(Lines.Read)
    def _read(self, message: Lines.Read) -> None:
        self.lab.status.hint(message.text)

    @on(Pane.MenuAsked)
    def _menu_asked(self) -> None:
        self.unit.operate()

    @on(Lines.Wheeled)
    def _wheeled(self, message: Lines.Wheeled) -> None:
        self.curve.nearer(0.5 if message.by > 0 else 2.0)

    @on(LogPane.Asked)
    def _log_asked(self) -> None:
        self.record.go()

    @on(PhaseBar.Picked)
    def _phase_picked(self, message: PhaseBar.Picked) -> None:
        self.running.phase_to(message.phase)

    @on(TimelineStripWidget.Sought)
    def _sought(self, message: TimelineStripWidget.Sought) -> None:
        self.history.go_to(message.step, message.edits)

    @on(TimelineStripWidget.Switched)
    def _switched(self, message: TimelineStripWidget.Switched) -> None:
        self.history.switch(message.branch, message.step)

    @on(Desk.Arranged)
    def _arranged(self) -> None:
        self.lab.call_after_refresh(self.style.place)

    @on(LossPane.Sought)
    def _sought_on_curve(self, message: LossPane.Sought) -> None:
        self.history.go_to(message.step)
