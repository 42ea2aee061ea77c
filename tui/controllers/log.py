"""The Log pane's keys, and the copy of a line of Python."""

from __future__ import annotations

from tinynets.foreign_text import printable
from tui.actions import keyed
from tui.controllers.base import Controller
from tui.controllers.clipboard import copy_outside
from tui.widgets.log import LogPane

NOTHING = "nothing was done yet: {step} makes a step, and {copy} then copies its line of Python"


class LogController(Controller):
    """Moves in the log, goes to its moments, and copies its lines."""

    @property
    def pane(self) -> LogPane:
        found = self.ui.panes["log"]
        assert isinstance(found, LogPane)
        return found

    def move(self, by: int) -> None:
        self.pane.move(by)

    def page(self, by: int) -> None:
        self.pane.page(by)

    def ends(self, by: int) -> None:
        """To the first action, or to the last."""
        log = self.ui.frame.log if self.ui.frame else None
        if log is not None:
            self.pane.move(by * log.total)

    def go(self) -> None:
        """Go to the moment after the action under the cursor."""
        row = self.pane.row
        if row is None:
            self.ui.status.say("there is no action here to go to")
            return
        self.pane.follow()
        self.commands.do("seek", row.step, **({} if row.edits is None else {"edits": row.edits}))

    def copy_row(self) -> None:
        """Copy the line under the cursor."""
        row = self.pane.row
        self._copy(row.python if row else "")

    def copy(self) -> None:
        """Copy the line of the last action."""
        self._copy(self.commands.last_line)

    def _copy(self, text: str) -> None:
        if not text:
            self.ui.status.say(keyed(NOTHING))
            return
        # Pasting must not act on a terminal either; in a string of Python an escape means what it stands for.
        self.ui.app.copy_to_clipboard(printable(text))  # through the terminal, where it takes OSC 52
        tool = copy_outside(printable(text))
        self.ui.status.say(f"copied{f' (and by {tool})' if tool else ''}: {text}")
