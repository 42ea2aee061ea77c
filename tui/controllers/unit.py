"""Operates on the selected unit, and opens its explanation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tinynets.errors import TinynetsError
from tinynets.server.frame import FROZEN
from tui.actions import keyed
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.model.answers import message_for
from tui.model.operations import CommandDraft, Entry, Site, line_for, menu
from tui.model.prefill import value_now
from tui.model.selection import RELEASED, Selection, UnitNow, unit_now
from tui.model.weight_line import weight_line
from tui.screens.ask import AskScreen
from tui.screens.lab import LabScreen

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call


NO_UNIT = "no unit is selected yet"


class UnitController(Controller):
    """The actions on the selected unit, or on all marked units of the Units pane together: one edit for each block.

    They do nothing before the first frame, when no unit is selected.
    """

    def __init__(self, ui: LabScreen, commands: Commands) -> None:
        super().__init__(ui, commands)
        commands.on_answer("explain", self._show_explanation)

    def zero_or_release(self) -> None:
        released = self._all(lambda now: now.output in RELEASED)
        self._do([("release" if released else "zero", target.selector) for target in self.targets])

    def freeze_or_unfreeze(self) -> None:
        frozen = self._all(lambda now: now.frozen == FROZEN)
        self._do([("unfreeze" if frozen else "freeze", target.selector) for target in self.targets])

    def release(self) -> None:
        """Remove all interventions on the units, before their activations and at their outputs."""
        self._do([("release", site) for target in self.targets for site in self._standing(target)])

    def fitting(self) -> list[Entry]:
        """The operations that fit the units; none where there are none."""
        frame, targets = self.ui.frame, self.targets
        return menu(frame, targets[0]) if frame is not None and targets else []

    def _standing(self, target: Selection) -> list[str]:
        """Where something stands on any of the units; if nothing does, their outputs."""
        found = [unit_now(self.ui.frame, replace(target, unit=unit, group=())) for unit in target.units]
        sites = [target.of(f"{target.block}.pre")] if any(now.before for now in found) else []
        at_output = any(now.output or now.times for now in found)
        return [*sites, *([target.selector] if at_output or not sites else [])]

    def _all(self, holds: Callable[[UnitNow], bool]) -> bool:
        return all(holds(unit_now(self.ui.frame, target)) for target in self.targets)

    def operate(self, verb: str = "") -> None:
        """Apply an operation to the units; the command line asks for what it needs. Without a verb, open the menu."""
        frame, targets = self.ui.frame, self.targets
        if frame is None or not targets:
            self.ui.status.say(NO_UNIT)
            return
        if not verb:
            from tui.screens.operate import OperateScreen  # the app starts sooner without it

            self.ask(OperateScreen(frame, targets[0]), self.begin)
            return
        self._begin([(target, line_for(verb, frame, target)) for target in targets], verb)

    def edit_weight(self) -> None:
        """Ask for another value of the weight under the cursor, in the pane of weights or of the unit."""
        if self.ui.frame is None:
            return
        line = weight_line(self.ui.frame, self.ui.selection, self.ui.active_pane.NAME)
        if isinstance(line, str):
            self.commands.fail(line)
        else:
            self._begin([(self.ui.selection, line)], "set_weight")

    def begin(self, line: CommandDraft | None) -> None:
        """Do what was chosen in the menu; to the marked units of other blocks, at the same site, too."""
        frame, targets = self.ui.frame, self.targets
        if line is None or frame is None or not targets:
            return
        verb, *words = line.text.split()
        if not words:  # all that it takes is still asked, as for `remove LAYER`
            self._begin([(targets[0], line)], verb)
            return
        time = words[0].partition("@t=")[2]
        site = Site(before=".pre[" in words[0], time=int(time) if time else None)
        others = [(target, line_for(verb, frame, target, site)) for target in targets[1:]]
        self._begin([(targets[0], line), *others], verb)

    def _begin(self, lines: list[tuple[Selection, CommandDraft | None]], verb: str) -> None:
        """Run lines that are complete; otherwise let the user complete them."""
        unfit = [target.selector for target, line in lines if line is None]
        if unfit:
            self.commands.fail(f"`{verb}` does not fit {' and '.join(unfit)}: {keyed('{operate}')} lists what does")
            return
        found = [line for _, line in lines if line is not None]
        first = found[0]
        if len(found) > 1 and first.asked:
            title = f"{verb}: {self._counted()}"
            self.ask(AskScreen(title, first.asked, "a value"), lambda asked: self._complete(found, asked))
        elif first.asked:
            now = value_now(f"{first.text} ", self.ui.frame, lines[0][0])
            whole = f"{first.text} {now}" if now else first.whole
            self.ui.open_command_line(whole, len(now or first.asked.partition("=")[2] or first.asked))
        elif len(found) > 1:
            self._run(found, "")
        else:
            self.commands.run_line(first.text)

    def _complete(self, lines: list[CommandDraft], asked: str | None) -> None:
        if asked:
            self._run(lines, f" {asked}")

    def _run(self, lines: list[CommandDraft], asked: str) -> None:
        from tinynets.lab.command_line import parse  # the app starts sooner without it

        try:
            calls = [parse(line.text + asked) for line in lines]
        except TinynetsError as error:
            self.commands.fail(str(error))
            return
        self.commands.start(self._done([(call.verb, call.args, call.kwargs) for call in calls]))

    def _do(self, edits: list[tuple[str, str]]) -> None:
        if not edits:
            self.ui.status.say(NO_UNIT)
        else:
            self.commands.start(self._done([(verb, (selector,), {}) for verb, selector in edits]))

    async def _done(self, calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]) -> None:
        """Do one edit after another; of marked units, say to how many what was done."""
        count, reports = self._counted(), []
        for verb, args, kwargs in calls:
            report = await self.commands.done(verb, *args, **kwargs)
            if report is False:
                return
            reports.append(report)
        together = len(reports) > 1 and not (await self.commands.tried("join", len(reports)))[1]
        if count:
            status, last = self.ui.status, reports[-1]
            said = f"{calls[0][0]}, {count}: "
            if len(reports) > 1 and hasattr(last, "after"):
                effect = f"probe loss {reports[0].before:.4f} -> {last.after:.4f}"
                back = keyed("{undo} takes them back" if together else "{undo} takes back one at a time")
                status.say(f"{said}{len(reports)} edits, {effect}; {back}", status.python)
            else:
                status.say(said + message_for(calls[0][0], last, status.room - len(said)), status.python)

    def _counted(self) -> str:
        """How many units are marked, and in how many blocks; empty if an operation is done to the selected unit."""
        groups = [target.group for target in self.targets if target.group]
        units = sum(map(len, groups))
        blocks = f" in {len(groups)} blocks" if len(groups) > 1 else ""
        return f"{units} marked unit{'s' * (units > 1)}{blocks}" if groups else ""

    def _show_explanation(self, call: Call, found: Any) -> None:
        from tui.screens.explain import ExplainScreen  # the app starts sooner without it

        self.ask(ExplainScreen(found, self._explain, self.ui.frame.splits if self.ui.frame else ()))

    async def _explain(self, selector: str, example: int, split: str, own: dict[str, str]) -> Any:
        """An Explanation; False if it failed."""
        given = () if "input" in own else (example,)
        return await self.commands.done("explain", selector, *given, split=split, **own)
