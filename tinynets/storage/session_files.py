"""SessionFiles: the save that a lab has open, its journal, and the locks that keep other labs off both."""

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
    """The files of a lab. It does not refer to the lab, so it can release them when the lab is gone.

    `journal` is a folder, True for the user's own, False for none. `told` is called with what a person should know.
    """

    def __init__(self, journal: bool | str | Path, read_only: bool, told: Callable[[str], None]) -> None:
        self.path = ""
        """The file last saved to or loaded from."""
        self.read_only = read_only
        """Whether this lab may not write that file."""
        self.named = ""
        """The file that a journal names to save to, if no save is there; written only when asked."""
        self.told = told
        self.journal: Journal | None = None
        self._folder = journal_folder() if isinstance(journal, bool) else expanded_path(journal)
        if why := unusable(self._folder):
            raise SaveError(f"`{self._folder}` can hold no journals: {why}")
        self._wants_journal = journal is not False
        self._save: locks.HeldLock | None = None
        self._claimed: locks.HeldLock | None = None
        self._recovered: locks.HeldLock | None = None

    # -- what to write is opened

    def open(self, path: str) -> None:
        """Open this save; if another process has it open, as read-only, with a message."""
        self.path = path
        if self.read_only:
            return
        self._save = locks.acquire(path)
        if self._save is None:
            self.read_only = True
            who = f"`{printable(path)}` is open in {locks.holder(path)}"
            self.told(f"{who}: it is read-only here, save under another name")

    def recover(self, journal: str) -> None:
        """Open this journal and the save that it belongs to. Raises SaveError if a lab is using it."""
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
        """From now on write what is done to a journal, if one is wanted."""
        if not self._wants_journal:
            return
        fresh = self._recovered is None
        self.journal = Journal(recipe, data, player, self.path, self._folder, fresh=fresh)
        self.journal.told = lambda message: self.told(message)
        self.journal.when_on_disk = self._forget_recovered
        player.tick, player.recorded = self.journal.tick, self.journal.soon

    # -- saving

    def known(self) -> str:
        """The file that a save without a path goes to; may be empty. Raises SaveError if it must not be replaced.

        Only files that tinynets wrote are replaced without being asked, and a file never says where to write.
        """
        if self.named:
            raise SaveError(
                f"`{self.named}`, named by what was recovered, is no save of tinynets: give a path to save to"
            )
        if self.path and os.path.lexists(self.path) and not begins_as_save(self.path):
            raise SaveError(f"`{self.path}` is no longer a save of tinynets: give a path to save to")
        return self.path

    def claim(self, path: str) -> None:
        """Take the lock of a file to save to. Raises SaveError if another lab may write it."""
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
        """Note that everything has been saved to this file, whose lock was claimed."""
        if self._save is not None:
            self._save.release()
        self._save, self._claimed = self._claimed, None
        self.path, self.read_only, self.named = path, False, ""
        self._forget_recovered()  # the older one first, so that what is left at any moment is complete
        if self.journal is not None:
            self.journal.path = path
            self.journal.begin_anew()

    # -- the end

    def close(self, *, discard: bool = False) -> None:
        """Release everything. Unsaved work stays in the journal, or is discarded with it. It may be called twice."""
        if discard:
            self._forget_recovered()
        if self.journal is not None:
            self.journal.end(discard=discard)
        for held in (self._save, self._claimed, self._recovered):
            if held is not None:
                held.release()
        self._save = self._claimed = self._recovered = None

    def _forget_recovered(self) -> None:
        """Delete the recovered journal, if it is one of ours, since its contents are elsewhere now."""
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
