"""Operates on the selected unit, and opens its explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinynets.server.frame import FROZEN
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.model.operations import CommandDraft, line_for
from tui.model.selection import RELEASED
from tui.model.weight_line import weight_line
from tui.screens.lab import LabScreen
from tui.screens.operate import OperateScreen

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call


class UnitController(Controller):
    """The actions on the selected unit. They do nothing before the first frame, when no unit is selected."""

    def __init__(self, ui: LabScreen, commands: Commands) -> None:
        super().__init__(ui, commands)
        commands.on_answer("explain", self._show_explanation)

    def zero_or_release(self) -> None:
        self._do("release" if self.unit_now.output in RELEASED else "zero")

    def freeze_or_unfreeze(self) -> None:
        self._do("unfreeze" if self.unit_now.frozen == FROZEN else "freeze")

    def release(self) -> None:
        """Remove all interventions on the unit, before its activation and at its output."""
        if self.ui.frame is None:
            return
        now, at = self.unit_now, self.ui.selection
        sites = [f"{at.block}.pre[{at.unit}]"] if now.before else []
        sites += [at.selector] if now.output or now.times or not sites else []
        for site in sites:
            self.commands.do("release", site)

    def _do(self, verb: str) -> None:
        if self.ui.frame is not None and self.ui.selection.block:
            self.commands.do(verb, self.ui.selection.selector)

    def operate(self, verb: str = "") -> None:
        """Apply an operation to the unit; the command line asks for what it needs. Without a verb, open the menu."""
        frame, at = self.ui.frame, self.ui.selection
        if frame is None or not at.block:
            return
        if not verb:
            self.ask(OperateScreen(frame, at), self._begin)
            return
        line = line_for(verb, frame, at)
        if line is None:
            self.commands.fail(f"`{verb}` does not fit {at.selector}: a lists what does")
        else:
            self._begin(line)

    def edit_weight(self) -> None:
        """Ask for another value of the weight under the cursor, in the pane of weights or of the unit."""
        if self.ui.frame is None:
            return
        line = weight_line(self.ui.frame, self.ui.selection, self.ui.active_pane.NAME)
        if isinstance(line, str):
            self.commands.fail(line)
        else:
            self._begin(line)

    def _begin(self, line: CommandDraft | None) -> None:
        """Run a line that is complete; otherwise let the user complete it."""
        if line is None:
            return
        if line.asked:
            self.ui.open_command_line(line.whole, len(line.asked.partition("=")[2] or line.asked))
        else:
            self.commands.run_line(line.text)

    def _show_explanation(self, call: Call, found: Any) -> None:
        from tui.screens.explain import ExplainScreen  # the app starts sooner without it

        self.ask(ExplainScreen(found, self._explain, self.ui.frame.splits if self.ui.frame else ()))

    async def _explain(self, selector: str, example: int, split: str) -> Any:
        """An Explanation; False if it failed."""
        return await self.commands.done("explain", selector, example, split=split)
