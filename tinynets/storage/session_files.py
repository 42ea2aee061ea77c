"""The files of a lab: the save that it has open, its journal, and the locks that keep other labs off both."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tinynets.data import Dataset
from tinynets.errors import SaveError
from tinynets.foreign_text import printable
from tinynets.history.player import Player
from tinynets.recipes.recipe import Recipe
from tinynets.storage import locks
from tinynets.storage.journal import Journal
from tinynets.storage.paths import journal_folder
from tinynets.storage.records import read_records
from tinynets.storage.saves import read_header
from tinynets.system.paths import expanded_path, unusable


class SessionFiles:
    """What a lab holds of files. It knows nothing of the lab, and so can let go of them when that is gone.

    `journal` is a folder, True for the user's own, False for none. `told` hears of what a person should know.
    """

    def __init__(self, journal: bool | str | Path, read_only: bool, told: Callable[[str], None]) -> None:
        self.path = ""
        """The file of the last save or load."""
        self.read_only = read_only
        """Whether that file is another lab's to write."""
        self.named = ""
        """What a journal names as the file to save to, where no save stands: not written unasked."""
        self.told = told
        self.journal: Journal | None = None
        self._folder = journal_folder() if isinstance(journal, bool) else expanded_path(journal)
        if why := unusable(self._folder):
            raise SaveError(f"`{self._folder}` can hold no journals: {why}")
        self._wants_journal = journal is not False
        self._save: locks.HeldLock | None = None
        self._claimed: locks.HeldLock | None = None
        self._recovered: locks.HeldLock | None = None

    # -- what is opened

    def open(self, path: str) -> None:
        """Have this save open; where another process has it, read-only, which is told."""
        self.path = path
        if self.read_only:
            return
        self._save = locks.acquire(path)
        if self._save is None:
            self.read_only = True
            who = f"`{printable(path)}` is open in {locks.holder(path)}"
            self.told(f"{who}: it is read-only here, save under another name")

    def recover(self, journal: str) -> None:
        """Have this journal open, and the save that it goes on from. Raises SaveError where a lab is at work on it."""
        if not self.read_only:
            self._recovered = locks.acquire(journal)
            if self._recovered is None:
                raise SaveError(f"`{journal}` is open in {locks.holder(journal)}")
        save = read_header(journal).path
        if save and not is_save(save):
            self.named = save
            shown = printable(save)
            self.told(f"`{shown}`, which this was to be saved to, is no save of tinynets: it is not written unasked")
        elif save and _written_since(save, journal):
            self.told(f"`{printable(save)}` was written after what is recovered here: save under another name")
        elif save:
            self.open(save)

    def begin(self, recipe: Recipe, data: Dataset, player: Player) -> None:
        """From now on write what is done to a journal, where one is wanted."""
        if not self._wants_journal:
            return
        fresh = self._recovered is None
        self.journal = Journal(recipe, data, player, self.path, self._folder, fresh=fresh)
        self.journal.told = lambda message: self.told(message)
        self.journal.when_on_disk = self._forget_recovered
        player.tick, player.recorded = self.journal.tick, self.journal.soon

    # -- saving

    def known(self) -> str:
        """The file that a save without a path goes to; may be empty. SaveError where that is not ours to replace.

        Only what this project wrote is replaced unasked, and a file never says where to write.
        """
        if self.named:
            raise SaveError(
                f"`{self.named}`, named by what was recovered, is no save of tinynets: give a path to save to"
            )
        if self.path and os.path.lexists(self.path) and not begins_as_save(self.path):
            raise SaveError(f"`{self.path}` is no longer a save of tinynets: give a path to save to")
        return self.path

    def claim(self, path: str) -> None:
        """Take the lock of a file that is to be saved to. Raises SaveError where it is another lab's to write."""
        if self.path and self.read_only and _same(path, self.path):
            raise SaveError(f"`{path}` is open read-only: save under another name")
        if self._claimed is not None:
            if self._claimed.real == os.path.realpath(path):
                return
            self._claimed.release()
        self._claimed = locks.acquire(path)
        if self._claimed is None:
            raise SaveError(f"`{path}` is open in {locks.holder(path)}: save under another name")

    def saved(self, path: str) -> None:
        """All that there is stands in this file, whose lock was claimed."""
        if self._save is not None:
            self._save.release()
        self._save, self._claimed = self._claimed, None
        self.path, self.read_only, self.named = path, False, ""
        self._forget_recovered()  # the older of the two first: what is left behind at any moment is all there is
        if self.journal is not None:
            self.journal.path = path
            self.journal.begin_anew()

    # -- the end

    def close(self, *, discard: bool = False) -> None:
        """Let go of everything. What is not saved stays in the journal, or goes with it. May be called twice."""
        if discard:
            self._forget_recovered()
        if self.journal is not None:
            self.journal.end(discard=discard)
        for held in (self._save, self._claimed, self._recovered):
            if held is not None:
                held.release()
        self._save = self._claimed = self._recovered = None

    def _forget_recovered(self) -> None:
        """What was recovered stands elsewhere: its journal goes, where it is one of ours."""
        held, self._recovered = self._recovered, None
        if held is None:
            return
        if held.alone and _same(os.path.dirname(held.real), self._folder):
            with suppress(OSError):
                Path(held.real).unlink()
        held.release(forget=True)


def _written_since(save: str, journal: str) -> bool:
    try:
        return os.stat(save).st_mtime_ns > os.stat(journal).st_mtime_ns
    except OSError:
        return False


def begins_as_save(path: str) -> bool:
    """Whether a file has the header of a save that tinynets wrote."""
    try:
        return read_header(path).kind == "save"
    except SaveError:
        return False


def is_save(path: str) -> bool:
    """Whether a file is a whole save that tinynets wrote."""
    try:
        return begins_as_save(path) and all(True for _ in read_records(path))
    except SaveError:
        return False


def _same(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
