"""Moves in time: steps, marks, playback, branches and bookmarks, conditions, undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from tui.actions import keyed
from tui.controllers.base import Answer, Controller
from tui.controllers.commands import Commands
from tui.model.stops import Stop, next_stop
from tui.screens.lab import LabScreen
from tui.screens.modal import Modal

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call


class HistoryController(Controller):
    """The actions that move in time, and clicks on the timeline."""

    def __init__(self, ui: LabScreen, commands: Commands) -> None:
        super().__init__(ui, commands)
        self._condition = ""
        """The last condition entered."""
        commands.on_line("drop", self._drop_line)
        commands.on_line("tree", self._tree_line)
        commands.on_line("bookmarks", self._tree_line)
        commands.on_answer("compare", self._show_comparison)

    # -- moments

    def back(self, n: int) -> None:
        self.commands.do("back", *([n] if n != 1 else []))

    def ask_back(self) -> None:
        self.ask_count("Steps to go back", "100", lambda n: self.commands.do("back", n))

    def seek_start(self) -> None:
        self.commands.do("seek", 0)

    def seek_end(self) -> None:
        if self.run_now:
            self.commands.do("seek", self.run_now.end)

    def go_to(self, step: int, edits: int | None = None) -> None:
        self.commands.do("seek", step, **({} if edits is None else {"edits": edits}))

    def stop(self, by: int) -> None:
        """Go to the next moment worth stopping at, and say what it is."""
        status = self.run_now
        if self.ui.frame is None or status is None:
            return
        stop = next_stop(self.ui.frame.timeline, (status.step, status.edits_here), by)
        if stop is None:
            self.ui.status.say("there is nothing earlier" if by < 0 else "there is nothing later on this branch")
        else:
            self.commands.start(self._stop_at(stop))

    async def _stop_at(self, stop: Stop) -> None:
        step, edits = stop.place
        report = await self.commands.done("seek", step, **({"edits": edits} if stop.edited else {}))
        if report:
            self.ui.status.say(f"step {step:,}, {stop.text}", self.ui.status.python)

    def until(self, back: bool = False) -> None:
        from tui.screens.until import UntilScreen  # the app starts sooner without it

        def answered(answer: tuple[str, bool] | None) -> None:
            if answer:
                self._condition, backward = answer
                self.commands.run_line(f"{'back_until' if backward else 'until'} {self._condition}")

        unit = self.ui.selection.selector if self.ui.selection.block else ""
        asked = f"alive {unit}" if back and self.unit_now.dead else self._condition
        self.ask(UntilScreen(unit, back, asked), answered)

    def play(self, direction: int) -> None:
        """Play the recorded run forward (1) or backward (-1); pause it if it already plays that way."""
        if self.run_now and self.run_now.mode == ("playing" if direction > 0 else "rewinding"):
            self.commands.do("pause")
        else:
            self.commands.do("play", **({} if direction > 0 else {"backward": True}))

    def undo(self) -> None:
        self.commands.do("undo")

    def redo(self) -> None:
        self.commands.do("redo")

    # -- bookmarks and branches

    def _ask_of_now(self, screen: Modal[Answer], answered: Callable[[Answer | None], None]) -> None:
        """Ask about the present moment, and stay there: the lab is paused while the question is open."""
        if self.run_now and self.run_now.mode != "paused":
            self.commands.hold_still()
        self.ask(screen, answered)

    def bookmark(self) -> None:
        from tui.screens.bookmark import BookmarkScreen  # the app starts sooner without it

        def answered(answer: tuple[str, str] | None) -> None:
            if answer:
                self.commands.do("bookmark", answer[0], *([answer[1]] if answer[1] else []))

        if self.ui.frame is not None:
            self._ask_of_now(BookmarkScreen(self.ui.frame), answered)

    def fork(self) -> None:
        from tui.screens.fork import ForkScreen  # the app starts sooner without it

        frame = self.ui.frame
        if frame is None:
            return
        names = {branch.name for branch in frame.timeline.branches}
        name = next(n for i in count(1) if (n := "what-if" if i == 1 else f"what-if-{i}") not in names)

        def answered(answer: str | None) -> None:
            if answer:
                self.commands.do("fork", answer)

        self._ask_of_now(ForkScreen(frame.status.step, name), answered)

    def switch(self, branch: str, step: int | None = None) -> None:
        self.commands.do("switch", branch, **({} if step is None else {"step": step}))

    def tree(self, on: str = "") -> None:
        """Open the tree of branches; `on` is the row highlighted first."""
        from tui.screens.tree import HistoryActions, TreeScreen  # the app starts sooner without it

        if self.ui.frame is not None:
            actions = HistoryActions(
                go=self.commands.do,
                fork=self.fork,
                drop=self.drop,
                compare=self.compare,
                done=self._said,
                latest=lambda: self.ui.frame,
            )
            self.ask(TreeScreen(self.ui.frame, actions, on))

    async def _said(self, verb: str, *args: Any) -> tuple[bool, str]:
        """Run a verb. Returns whether it worked, and the message about it."""
        found = await self.commands.done(verb, *args)
        return bool(found), self.ui.status.message

    def drop(self, name: str) -> None:
        """Drop a branch, asking first; but if the engine would refuse, let it say so at once."""
        from tui.screens.drop import DropScreen  # the app starts sooner without it

        frame = self.ui.frame
        if frame is None or all(branch.name != name or branch.current for branch in frame.timeline.branches):
            self.commands.do("drop", name)
            return
        self.ask(DropScreen(frame.timeline, name), lambda yes: self.commands.do("drop", name) if yes else None)

    def compare(self, name: str) -> None:
        """Compare the current branch with another."""
        from tinynets.lab.command_line import Call  # the app starts sooner without it

        self.commands.start(self.commands.answer(Call("compare", (name,))))

    # -- lines and answers

    def _drop_line(self, call: Call) -> bool:
        if len(call.args) == 1 and isinstance(call.args[0], str):
            self.drop(call.args[0])
            return True
        return False

    def _tree_line(self, call: Call) -> bool:
        pins = self.ui.frame.timeline.pins if self.ui.frame else ()
        if call.verb == "bookmarks" and not pins:
            self.ui.status.say(keyed("bookmarks: nothing yet; {bookmark} makes one"), "lab.bookmarks")
        else:
            self.tree(f"bookmark {pins[0].name}" if call.verb == "bookmarks" else "")
        return True

    def _show_comparison(self, call: Call, found: Any) -> None:
        from tui.screens.compare import CompareScreen  # the app starts sooner without it

        async def at(step: int) -> tuple[Any, str] | None:
            again = replace(call, kwargs={**call.kwargs, "step": step})
            answer = await self.commands.done(again.verb, *again.args, **again.kwargs)
            return (answer, again.python()) if answer else None

        frame = self.ui.frame
        ours = frame is not None and found.a.name == frame.status.branch
        known = frame is not None and any(branch.name == found.b.name for branch in frame.timeline.branches)
        lens = self._through_the_lens if ours and known else None
        self.ask(CompareScreen(found, call.python(), at, lens))

    def _through_the_lens(self, branch: str) -> None:
        """Paint the panes with the change against another branch."""
        self.ui.look(lens="change", against=branch)
        self.ui.status.say(f"lens change: how this branch differs from {branch}; {keyed('{lens}')} goes on")
