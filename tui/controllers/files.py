"""Writes and opens saves, offers to recover journals, and asks before unsaved work is left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tinynets.errors import unwritable
from tinynets.foreign_text import printable_lines
from tui.controllers.base import Controller
from tui.controllers.commands import Commands
from tui.screens.ask import AskScreen
from tui.screens.lab import LabScreen
from tui.screens.leave import LeaveScreen
from tui.screens.open import OpenScreen
from tui.screens.overwrite import OverwriteScreen, in_the_way

if TYPE_CHECKING:  # the app starts sooner without it
    from tinynets.lab.command_line import Call


class FileController(Controller):
    """The actions on saves. `reconnect` starts another engine if none is running any more."""

    def __init__(self, ui: LabScreen, commands: Commands, reconnect: Callable[[str], None]) -> None:
        super().__init__(ui, commands)
        self._reconnect = reconnect
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
        self.ask(OpenScreen(), self._take_up)

    def _take_up(self, source: str | None) -> None:
        if not source:
            return
        if not self.commands.alive:
            self._reconnect(source)
        else:
            self._leaving("open", lambda: self.commands.do("open", source))

    def _open_line(self, call: Call) -> bool:
        if len(call.args) == 1:
            self._take_up(call.args[0])
            return True
        return False

    def offer(self) -> None:
        """Offer to recover the journal of an earlier lab, unless another question is open."""
        self.commands.start(self._offer_recovery())

    def recover(self) -> None:
        self.commands.start(self._offer_recovery(asked=True))

    def _recover_line(self, call: Call) -> bool:
        self.recover()
        return True

    async def _offer_recovery(self, asked: bool = False) -> None:
        from tinynets.storage.recovery import recoverable  # the app starts sooner without these
        from tui.screens.recover import RecoverScreen

        found = await asyncio.to_thread(recoverable)
        if found and not asked and self.ui.command_line.display:  # it keeps the keys
            told = "an earlier lab ended before its work was saved: `recover` shows it"
            self.ui.app.notify(printable_lines(told), severity="warning", markup=False)
        elif found and (asked or len(self.ui.app.screen_stack) == 1):
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
