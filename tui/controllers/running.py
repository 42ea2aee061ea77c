"""Trains: run and pause, steps, phases, breakpoints, evaluations, and escape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.screens.lab import LabScreen

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call


class RunningController(Controller):
    """The actions of training."""

    def __init__(self, ui: LabScreen, commands: Commands) -> None:
        super().__init__(ui, commands)
        commands.on_line("breakpoints", self._breakpoints_line)

    def run_or_pause(self) -> None:
        if self.run_now and self.run_now.mode != "paused":
            self.commands.do("pause")
        else:
            self.commands.do("start")

    def step(self, n: int) -> None:
        self.commands.do("step", *([n] if n != 1 else []))

    def ask_steps(self) -> None:
        self.ask_count("Steps to train", "100", lambda n: self.commands.do("step", n))

    # -- within a step

    def phase(self) -> None:
        self.commands.do("phase")

    def phase_back(self) -> None:
        self.commands.do("phase_back")

    def phase_to(self, phase: str) -> None:
        self.commands.do("phase_to", phase)

    def out_or_next_example(self) -> None:
        """In mid-step, finish the step; else go to the next example."""
        if self.run_now and self.run_now.phase:
            self.commands.do("step_out")
        else:
            self.ui.select(example=self.ui.selection.example + 1)

    # -- breakpoints

    def breakpoints(self) -> None:
        from tui.screens.breakpoints import BreakpointsScreen  # the app starts sooner without it

        if self.ui.frame is not None:
            at = self.ui.selection.selector if self.ui.selection.block else ""
            self.ask(BreakpointsScreen(self.ui.frame, at, self._said, self._go_on))

    async def _said(self, verb: str, *args: Any) -> tuple[bool, str]:
        """Run a verb. Returns whether it worked, and the message about it."""
        found = await self.commands.done(verb, *args)
        return bool(found), self.ui.status.message

    def _go_on(self) -> None:
        if self.run_now is None or self.run_now.mode == "paused":
            self.commands.do("start")

    def _breakpoints_line(self, call: Call) -> bool:
        self.breakpoints()
        return True

    # -- besides

    def evaluate(self) -> None:
        self.commands.do("evaluate")

    def cancel(self) -> None:
        """Close or stop the innermost thing: the command line, a command at work, marks, the zoom, a run."""
        if self.ui.command_line.display:
            self.ui.close_command_line()
        elif self.commands.client and self.commands.client.busy:
            self.commands.client.cancel()
        elif self.ui.active_pane.escaped():
            pass
        elif self.ui.desk.choice.zoom:
            self.ui.toggle_zoom()
        elif self.ui.selection.own is not None:
            self.ui.select(example=self.ui.selection.example)
            self.ui.status.say("back to the probe")
        elif self.run_now and self.run_now.mode != "paused":
            self.commands.do("pause")
