"""The loss curve and the range of time: zoom, move along, a cursor, other curves; and the pace of playback."""

from __future__ import annotations

from dataclasses import replace

from tinynets.server.frame import CURVES
from tui.actions import keyed
from tui.controllers.base import Controller
from tui.model.time_window import TimeWindow, containing, moved, words, zoomed
from tui.widgets.loss import LossPane

MIN_SPEED, MAX_SPEED = 0.5, 1e6
"""Speeds of playback, in steps per second."""
CALLED = {"loss": "loss", "rate": "learning rate", "updates": "update:data"}


class CurveController(Controller):
    """What is seen of time: in the loss pane and on the timeline."""

    @property
    def pane(self) -> LossPane:
        found = self.ui.panes["loss"]
        assert isinstance(found, LossPane)
        return found

    # -- the range

    def nearer(self, factor: float) -> None:
        """Show fewer steps (2) or more (0.5); while playing, play faster or slower, in the same direction."""
        status, frame = self.run_now, self.ui.frame
        if status is None or frame is None:
            return
        if status.mode in ("playing", "rewinding"):
            speed = min(MAX_SPEED, max(MIN_SPEED, status.steps_per_second * factor))
            self.commands.do("play", speed if status.mode == "playing" else -speed)
            return
        wanted = zoomed(self.ui.window, factor, frame, self.pane.cursor)
        if wanted == self.ui.window:
            self.ui.status.say("no fewer steps can be shown" if factor > 1 else "all steps are shown: + shows fewer")
        else:
            self._look(wanted)

    def along(self, by: int) -> None:
        """Show earlier (-1) or later (1) steps."""
        if self.ui.frame is None:
            return
        wanted = moved(self.ui.window, by, self.ui.frame)
        if wanted == self.ui.window:
            shown = "there is nothing later" if by > 0 else "there is nothing earlier"
            self.ui.status.say(shown if self.ui.window.steps else "all steps are shown: + shows fewer of them")
        else:
            self._look(wanted)

    def whole(self) -> None:
        """Show all steps again, without a cursor."""
        self.pane.put_cursor(None)
        self._look(TimeWindow(curve=self.ui.window.curve))

    def newest(self) -> None:
        """Follow the newest steps, without a cursor."""
        self.pane.put_cursor(None)
        self._look(replace(self.ui.window, until=None))

    def _look(self, window: TimeWindow) -> None:
        self.ui.look(window=window)
        if self.run_now is not None:
            self.ui.status.say(words(window, self.run_now.end))

    # -- the cursor

    def cursor(self, by: int) -> None:
        """Move the cursor by columns."""
        self._put(self.pane.moved_cursor(by))

    def leap(self, by: int) -> None:
        """Move the cursor to the next evaluation, or by several columns."""
        self._put(self.pane.leapt_cursor(by))

    def _put(self, step: int | None) -> None:
        if step is None or self.ui.frame is None:
            self.ui.status.say(keyed("there is no step yet to move over: {step} makes one, {run} runs"))
            return
        self.pane.put_cursor(step)
        window = containing(self.ui.window, step, self.ui.frame)
        if window != self.ui.window:
            self.ui.look(window=window)

    def go(self) -> None:
        """Go to the step under the cursor."""
        if self.pane.cursor is None:
            self.ui.status.say("arrows move a cursor over the curve, enter goes to its step")
        else:
            self.commands.do("seek", self.pane.cursor)

    # -- which curve

    def log(self) -> None:
        self.ui.status.say(self.pane.toggle_log())

    def next_curve(self) -> None:
        """The loss, the learning rate, how far updates move the parameters; and round again."""
        curve = CURVES[(CURVES.index(self.ui.window.curve) + 1) % len(CURVES)]
        self.ui.look(window=replace(self.ui.window, curve=curve))
        self.ui.status.say(CALLED[curve])
