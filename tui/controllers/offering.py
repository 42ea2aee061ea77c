"""The palette: everything that can be done, what fits the selection first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from tui import actions
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.model.operations import CommandDraft
from tui.model.operations import Entry as Operation
from tui.screens.lab import LabScreen

if TYPE_CHECKING:  # the app starts sooner without it
    from tui.screens.palette import Entry

ON_A_LINE = "On the command line"


class OfferingController(Controller):
    """Opens the palette. `perform` runs an action by its id, `begin` the line of an operation that `fitting` lists."""

    def __init__(
        self,
        ui: LabScreen,
        commands: Commands,
        *,
        perform: Callable[[str], Any],
        fitting: Callable[[], list[Operation]],
        begin: Callable[[CommandDraft], Any],
    ) -> None:
        super().__init__(ui, commands)
        self._perform, self._fitting, self._begin = perform, fitting, begin

    def palette(self) -> None:
        from tui.screens.palette import Palette, provider  # the app starts sooner without it

        self.ui.app.push_screen(Palette(providers=[provider(self.entries)], placeholder="what to do"))

    def entries(self) -> Iterator[Entry]:
        """All that the palette offers: actions, the operations on the selected unit, and the verbs."""
        from tinynets.lab.verbs import VERBS  # the app starts sooner without these
        from tui.screens.palette import HERE, KEYS, TYPED, Entry

        later, pane = self.ui.app.call_later, self.ui.desk.choice.active
        at, here = self.ui.selection, self._fitting()
        for action in actions.ACTIONS:
            if not action.palette or (action.pane and pane not in action.pane):
                continue
            fits = bool(action.pane) or (action.group == actions.EDIT and bool(here))
            words = action.help.replace("the unit", at.selector) if fits else action.help
            run = partial(later, self._perform, action.id)
            yield Entry(words, action.shown_key, action.group, run, HERE if fits else KEYS)
        keyed = {action.keys for action in actions.ACTIONS if action.group == actions.EDIT}
        for operation in here:
            if operation.key not in keyed:
                words = f"{operation.verb} {at.selector}: {operation.help}"
                run = partial(later, self._begin, operation.line)
                yield Entry(words, f"a {actions.shown_key(operation.key)}", actions.EDIT, run, HERE)
        for verb in VERBS.values():
            run = partial(later, self.commands.begin_line, verb)
            yield Entry(f"{verb.usage}   {verb.help}", ":", ON_A_LINE, run, TYPED)
