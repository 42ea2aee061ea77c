"""What is done to the selected unit, as the keys do it."""

from __future__ import annotations

from typing import Any

from tinynets.server.frame import FROZEN
from tui.model.operations import CommandDraft, line_for
from tui.travel import TimeTravel

RELEASED = ("zero", "several")
"""What `z` takes off again."""


class Surgery(TimeTravel):
    """The actions of the group of the selected unit. None is selected before the first frame, and none is done then."""

    def action_zero_or_release(self) -> None:
        self._do_to_unit("release" if self.unit_now.output in RELEASED else "zero")

    def action_freeze_or_unfreeze(self) -> None:
        self._do_to_unit("unfreeze" if self.unit_now.frozen == FROZEN else "freeze")

    def action_release(self) -> None:
        """Take off all that stands on the unit, before its activation and at its output."""
        if self.lab_frame is None:
            return
        now, at = self.unit_now, self.selection
        sites = [f"{at.block}.pre[{at.unit}]"] if now.before else []
        sites += [at.selector] if now.output or now.times or not sites else []
        for site in sites:
            self.do("release", site)

    def _do_to_unit(self, verb: str) -> None:
        if self.lab_frame is not None and self.selection.block:
            self.do(verb, self.selection.selector)

    def action_operate(self, verb: str = "") -> None:
        """Do an operation to the unit, what it needs being asked for on the command line; without a verb a menu."""
        frame = self.lab_frame
        if frame is None or not self.selection.block:
            return
        if not verb:
            from tui.screens.operate import OperateScreen

            self.push_screen(OperateScreen(frame, self.selection), self._chosen)
            return
        line = line_for(verb, frame, self.selection)
        if line is None:
            self.fail(f"`{verb}` does not fit {self.selection.selector}: a lists what does")
        else:
            self._chosen(line)

    def _chosen(self, line: CommandDraft | None) -> None:
        if line is None:
            return
        if line.asked:
            self.ask_on_line(line.whole, len(line.asked.partition("=")[2] or line.asked))
        else:
            self.run_line(line.text)

    def ask_on_line(self, text: str, asked: int) -> None:
        """Open the command line with a text, of which the end is to be said."""

    async def explain(self, selector: str, example: int, split: str) -> Any:
        """An Explanation, or False when it failed."""
        return await self.done("explain", selector, example, split=split)

    @property
    def splits(self) -> tuple[str, ...]:
        return self.lab_frame.splits if self.lab_frame else ()
