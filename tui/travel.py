"""Moving in time, as the keys do it: back and forth, playing, from mark to mark, between branches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TypeVar

from tinynets.server.frame import Status
from tui.core import LabCore
from tui.model.stops import Stop, next_stop
from tui.screens.modal import Modal
from tui.widgets.timeline import TimelineStripWidget

Answer = TypeVar("Answer")

MIN_SPEED, MAX_SPEED = 0.5, 1e6
"""Steps a second, of playing."""


class TimeTravel(LabCore):
    """The actions of the group that goes back and forth, and the timeline strip's clicks."""

    _condition = ""
    """The condition that was asked for last."""
    _pausing = False

    @property
    def lab_status(self) -> Status | None:
        return self.lab_frame.status if self.lab_frame else None

    def action_go_back(self, n: int) -> None:
        self.do("back", *([n] if n != 1 else []))

    def action_ask_back(self) -> None:
        self.ask_count("Steps to go back", "100", lambda n: self.do("back", n))

    def action_seek_start(self) -> None:
        self.do("seek", 0)

    def action_seek_end(self) -> None:
        if self.lab_status:
            self.do("seek", self.lab_status.end)

    def on_timeline_strip_widget_sought(self, message: TimelineStripWidget.Sought) -> None:
        self.go_to(message.step, message.edits)

    def on_timeline_strip_widget_switched(self, message: TimelineStripWidget.Switched) -> None:
        self.do("switch", message.branch)

    def on_timeline_strip_widget_hovered(self, message: TimelineStripWidget.Hovered) -> None:
        self.status.hint(message.text)

    def go_to(self, step: int, edits: int | None = None) -> None:
        self.do("seek", step, **({} if edits is None else {"edits": edits}))

    def action_stop(self, by: int) -> None:
        """To the next moment worth stopping at; says what it is."""
        status = self.lab_status
        if self.lab_frame is None or status is None:
            return
        stop = next_stop(self.lab_frame.timeline, (status.step, status.edits_here), by)
        if stop is None:
            self.status.say("there is nothing earlier" if by < 0 else "there is nothing later on this branch")
        else:
            self.run_worker(self._stop_at(stop), exit_on_error=False)

    async def _stop_at(self, stop: Stop) -> None:
        step, edits = stop.place
        report = await self.done("seek", step, **({"edits": edits} if stop.edited else {}))
        if report:
            self.status.say(f"step {step:,}, {stop.text}", self.status.python)

    def hold_still(self) -> None:
        if not self._pausing:
            self._pausing = True
            self.run_worker(self._hold_still(), exit_on_error=False)

    async def _hold_still(self) -> None:
        try:
            await self.done("pause")
        finally:
            self._pausing = False

    def ask_of_now(self, screen: Modal[Answer], answered: Callable[[Answer | None], None]) -> None:
        """Ask about this moment, and stay in it: behind the question nothing goes on."""
        if self.lab_status and self.lab_status.mode != "paused":
            self.hold_still()
        self.push_screen(screen, answered)

    def action_bookmark(self) -> None:
        from tui.screens.bookmark import BookmarkScreen

        def answered(answer: tuple[str, str] | None) -> None:
            if answer:
                self.do("bookmark", answer[0], *([answer[1]] if answer[1] else []))

        if self.lab_frame is not None:
            self.ask_of_now(BookmarkScreen(self.lab_frame), answered)

    def action_tree(self, on: str = "") -> None:
        from tui.screens.tree import TreeScreen

        if self.lab_frame is not None:
            self.push_screen(TreeScreen(self.lab_frame, on))

    def action_fork(self) -> None:
        from tui.screens.fork import ForkScreen

        frame = self.lab_frame
        if frame is None:
            return
        names = {branch.name for branch in frame.timeline.branches}
        name = next(n for i in count(1) if (n := "what-if" if i == 1 else f"what-if-{i}") not in names)

        def answered(answer: str | None) -> None:
            if answer:
                self.do("fork", answer)

        self.ask_of_now(ForkScreen(frame.status.step, name), answered)

    def action_until(self, back: bool = False) -> None:
        from tui.screens.until import UntilScreen

        def answered(answer: tuple[str, bool] | None) -> None:
            if answer:
                self._condition, backward = answer
                self.run_line(f"{'back_until' if backward else 'until'} {self._condition}")

        unit = self.selection.selector if self.selection.block else ""
        asked = f"alive {unit}" if back and self.unit_now.dead else self._condition
        self.push_screen(UntilScreen(unit, back, asked), answered)

    def ask_drop(self, name: str) -> None:
        """Drop a branch, asked for first; what the engine refuses it refuses in words."""
        from tui.screens.drop import DropScreen

        frame = self.lab_frame
        if frame is None or all(branch.name != name or branch.current for branch in frame.timeline.branches):
            self.do("drop", name)
            return
        self.push_screen(DropScreen(frame.timeline, name), lambda yes: self.do("drop", name) if yes else None)

    def action_speed(self, factor: float) -> None:
        """Play faster or slower, in the direction in which it plays."""
        status = self.lab_status
        if status is None or status.mode not in ("playing", "rewinding"):
            self.status.say("p plays what is recorded, P plays it backward; then + and - change the speed")
            return
        speed = min(MAX_SPEED, max(MIN_SPEED, status.steps_per_second * factor))
        self.do("play", speed if status.mode == "playing" else -speed)

    def action_play(self, speed: int) -> None:
        status = self.lab_status
        if status and status.mode == ("playing" if speed > 0 else "rewinding"):
            self.do("pause")
        else:
            self.do("play", **({} if speed > 0 else {"backward": True}))

    def action_undo(self) -> None:
        self.do("undo")

    def action_redo(self) -> None:
        self.do("redo")

    def ask_count(self, title: str, default: str, then: object) -> None:
        """Ask for a whole number, then do something with it."""
        from tui.screens.ask import AskScreen

        def answered(text: str | None) -> None:
            if text is None:
                return
            digits = text.replace(",", "").replace("_", "").strip()
            if digits.isdigit() and int(digits) > 0:
                then(int(digits))  # type: ignore[operator]
            else:
                self.fail(f"`{text}` is not a number of steps: a whole number from 1 is needed")

        self.push_screen(AskScreen(title, default, "a whole number"), answered)
