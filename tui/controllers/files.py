"""Writes and opens saves, offers to recover journals, and asks before unsaved work is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinynets.errors import unwritable
from tinynets.foreign_text import printable_lines
from tui.actions import BY_ID
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.model.selection import Selection, fitted
from tui.model.sources import lost_count
from tui.screens.ask import AskScreen
from tui.screens.lab import LabScreen
from tui.state import Place, StateFile, key_of

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call


class FileController(Controller):
    """The actions on saves. `reconnect` starts another engine if none is running any more."""

    def __init__(
        self,
        ui: LabScreen,
        commands: Commands,
        reconnect: Callable[[str], None],
        state: StateFile | None = None,
        source: str = "",
    ) -> None:
        super().__init__(ui, commands)
        self._reconnect = reconnect
        self._state = state or StateFile()
        self._source = source
        """What was opened, until it is saved elsewhere."""
        self.written = ""
        """The file that was saved to last."""
        commands.on_line("recover", self._recover_line)
        commands.on_line("open", self._open_line)
        commands.on_line("save", self._save_line)
        commands.on_bare("script", "script FILE writes it")

    # -- saving

    def save(self) -> None:
        self.commands.start(self._save_and())

    def save_as(self) -> None:
        self.commands.start(self._save_as())

    async def _save_as(self) -> bool:
        """Ask for a path and save to it. Returns whether it was saved."""
        status = self.run_now
        path = status.path or status.named_path if status else ""
        title = f"Save as ({Path(path).name} is read-only here)" if status and status.read_only else "Save as"
        default = "" if unwritable(path) else path  # a path that is not valid text cannot be typed
        chosen = await self.ui.app.push_screen_wait(AskScreen(title, default, "a path ending in .msgpack"))
        return bool(chosen and await self._save_to(chosen))

    async def _save_to(self, path: str) -> bool:
        """Save to a file, asking first if that overwrites a file not our own. Returns whether it was saved."""
        from tui.screens.overwrite import OverwriteScreen, in_the_way  # the app starts sooner without it

        status = self.run_now
        file, holds = await asyncio.to_thread(in_the_way, path, status.path if status else "")
        if file and not await self.ui.app.push_screen_wait(OverwriteScreen(file, holds)):
            self.ui.status.say(f"not saved: `{file}` stays as it was")
            return False
        return await self._write(path)

    async def _write(self, *path: str) -> bool:
        """Save, and say where to in full, in a notification where the status line has no room; whether it was done."""
        report = await self.commands.done("save", *path)
        if report:
            self.written = getattr(report, "path", "")
            if self.written:
                self._state.remember(last=key_of(self.written))
            self.keep_place(self.written)
            self.commands.notify_cut(str(report), "information")
        return bool(report)

    async def _save_and(self, then: Callable[[], object] = lambda: None) -> None:
        """Save, then call `then`; asks for another path if we may not write to the present one."""
        status = self.run_now
        asks = status is not None and (status.read_only or bool(status.named_path))
        if await (self._save_as() if asks else self._write()):
            then()

    def _save_line(self, call: Call) -> bool:
        if not call.args:
            self.save()
        elif isinstance(call.args[0], str):
            self.commands.start(self._save_to(call.args[0]))
        else:
            return False
        return True

    # -- opening

    def open(self) -> None:
        from tui.screens.open import OpenScreen  # the app starts sooner without it

        self.ask(OpenScreen(self._state.memory.last), self._take_up)

    def start(self) -> None:
        """Ask what to open, when nothing is; without an answer, the lab ends."""
        from tui.screens.open import OpenScreen  # the app starts sooner without it

        def answered(source: str | None) -> None:
            if source:
                self._take_up(source)
            else:
                self._quit()

        self.ask(OpenScreen(self._state.memory.last, starting=True), answered)

    def _take_up(self, source: str | None) -> None:
        if not source:
            return
        if not self.commands.alive:
            self.keep_place()
            self.go_to_place(source)
            self._reconnect(source)
        else:
            self._leaving("open", lambda: self.commands.start(self._open(source)))

    async def _open(self, source: str) -> None:
        self.keep_place()
        if await self.commands.done("open", source):
            self.go_to_place(source)
            self.ui.show()
            self._state.remember(last=key_of(source))

    # -- where one was

    def go_to_place(self, source: str) -> None:
        """Put the cursor where it was in a source that is being opened."""
        self._source = source
        place = self._state.place_of(source)
        if place is None:
            return
        if place.pane in self.ui.panes:
            self.ui.pick_pane(place.pane)
        self.ui.selection = Selection(place.block, place.unit, place.example, place.row)
        if self.ui.frame is not None:
            self.ui.selection = fitted(self.ui.selection, self.ui.frame)
        self.ui.send_view()

    def keep_place(self, source: str = "") -> None:
        """Remember what is open, and where the cursor is in it; a source just written is in no frame yet."""
        status, at = self.run_now, self.ui.selection
        source = source or (status.path if status else "") or self._source
        if status is not None and source:
            place = Place(at.block, at.unit, at.example, at.row, self.ui.desk.choice.active)
            self._state.put_place(source, place)

    def _open_line(self, call: Call) -> bool:
        if len(call.args) == 1:
            self._take_up(call.args[0])
            return True
        return False

    def opened(self, *, revived: bool) -> None:
        """Something was opened: remember it, and say whether an earlier lab has left something behind.

        What an engine left that died under our eyes is offered at once.
        """
        if revived:
            self.commands.start(self._offer_recovery(asked=False))
            return
        self._state.remember(last=key_of((self.run_now.path if self.run_now else "") or self._source))
        self.commands.start(self._note_lost(self.ui.status.message))

    async def _note_lost(self, before: str) -> None:
        """Say it in the status line, where nothing else was said meanwhile; else in a notification."""
        count = await asyncio.to_thread(lost_count)
        if not count:
            return
        which = "an earlier lab" if count == 1 else f"{count} earlier labs"
        told = f"{which} ended before the work was saved: {BY_ID['recover'].shown_key} shows it"
        if self.ui.status.message == before and not self.ui.command_line.display:
            self.ui.status.say(told, warning=True)
        else:
            self.ui.app.notify(printable_lines(told), severity="warning", markup=False)

    def recover(self) -> None:
        self.commands.start(self._offer_recovery())

    def _recover_line(self, call: Call) -> bool:
        self.recover()
        return True

    async def _offer_recovery(self, *, asked: bool = True) -> None:
        from tinynets.storage.recovery import recoverable  # the app starts sooner without these
        from tui.screens.recover import RecoverScreen

        found = await asyncio.to_thread(recoverable)
        if found:
            self.ask(RecoverScreen(found), lambda entry: self._take_up(str(entry.file) if entry else None))
        elif asked:
            self.ui.status.say("there is nothing to recover")

    # -- leaving

    def leave(self) -> None:
        self._leaving("quit", self._quit)

    def _quit(self) -> None:
        self.commands.quit_for_good = True
        self.ui.app.exit()

    def _leaving(self, verb: str, then: Callable[[], object]) -> None:
        """Leave the open run, asking first if it is unsaved."""
        from tui.screens.leave import LeaveScreen  # the app starts sooner without it

        status = self.run_now
        if status is None or not status.unsaved or not self.commands.alive:
            then()
            return

        def answered(answer: str | None) -> None:
            if answer == "go":
                then()
            elif answer == "save":
                self.commands.start(self._save_and(then))

        self.ask(LeaveScreen(status, verb), answered)
