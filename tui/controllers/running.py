"""Trains: run and pause, steps, phases, evaluations, and escape."""

from __future__ import annotations

from tui.controllers.base import Controller


class RunningController(Controller):
    """The actions of training."""

    def run_or_pause(self) -> None:
        if self.run_now and self.run_now.mode != "paused":
            self.commands.do("pause")
        else:
            self.commands.do("start")

    def step(self, n: int) -> None:
        self.commands.do("step", *([n] if n != 1 else []))

    def ask_steps(self) -> None:
        self.ask_count("Steps to train", "100", lambda n: self.commands.do("step", n))

    def phase(self) -> None:
        self.commands.do("phase")

    def evaluate(self) -> None:
        self.commands.do("evaluate")

    def cancel(self) -> None:
        """Close or stop the innermost thing: the command line, a command at work, what is open in a pane, a run."""
        if self.ui.command_line.display:
            self.ui.close_command_line()
        elif self.commands.client and self.commands.client.busy:
            self.commands.client.cancel()
        elif self.ui.desk.choice.active == "examples" and self.ui.examples.close():
            return
        elif self.ui.desk.choice.zoom:
            self.ui.toggle_zoom()
        elif self.ui.leave_own():
            self.ui.status.say("back to the probe")
        elif self.run_now and self.run_now.mode != "paused":
            self.commands.do("pause")
