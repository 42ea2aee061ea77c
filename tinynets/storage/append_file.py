"""Append-only files: a piece is with the system when `append` returns, and on the disk soon after.

The system keeps written data even if the process is killed. A thread syncs them to the disk, so that they survive a
power cut too and a slow disk does not block anything.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass
class _Wish:
    """A file to be synced, with a descriptor of its own; `done` is set when it is on the disk."""

    descriptor: int
    done: threading.Event
    folder: Path | None
    """The folder in which it was renamed, to be synced too."""


class FsyncThread:
    """Syncs files in a thread, which starts with the first file."""

    def __init__(self) -> None:
        self._wishes: dict[int, _Wish] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, file: BinaryIO, folder: Path | None = None) -> threading.Event:
        """Ask to sync what has been written to a file so far; returns an event for when that is done."""
        with self._changed:
            wish = self._wishes.get(file.fileno())
            if wish is None:  # a waiting one covers later writes too
                wish = self._wishes[file.fileno()] = _Wish(os.dup(file.fileno()), threading.Event(), folder)
            wish.folder = wish.folder or folder
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="journal to disk", daemon=True)
                self._thread.start()
            self._changed.notify()
            return wish.done

    def close(self, patience: float) -> None:
        """Finish the requested syncs and end; what takes longer than `patience` is left to the system."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(patience)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._wishes and not self._closed:
                    self._changed.wait()
                if not self._wishes:
                    return
                wish = self._wishes.pop(next(iter(self._wishes)))
            with suppress(OSError):
                os.fsync(wish.descriptor)
                if wish.folder is not None:
                    sync_folder(wish.folder)
                wish.done.set()
            with suppress(OSError):
                os.close(wish.descriptor)


@dataclass
class _Open:
    """A file open for appending, and its size up to the last whole piece."""

    path: Path
    file: BinaryIO
    size: int

    def append(self, piece: bytes | memoryview) -> None:
        """Append a whole piece; if it cannot be written, cut off the written part and raise OSError."""
        left = memoryview(piece)
        try:
            while left:
                left = left[self.file.write(left) :]
        except OSError:
            with suppress(OSError):
                self.file.truncate(self.size)
                self.file.seek(self.size)
            raise
        self.size += len(piece)


class AppendOnlyFile:
    """A file of pieces that can be begun anew; at any time the file of that name is the whole old or new one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._syncer = FsyncThread()
        self._current: _Open | None = None
        self._next: tuple[_Open, threading.Event] | None = None
        self._synced: threading.Event | None = None
        self._start_synced: threading.Event | None = None

    @property
    def size(self) -> int:
        """The size in bytes; 0 before it is begun."""
        newest = self._next[0] if self._next else self._current
        return newest.size if newest else 0

    @property
    def begun(self) -> bool:
        return self._current is not None

    @property
    def settling(self) -> bool:
        """Whether it was begun anew and its first pieces are not on the disk yet."""
        return self._next is not None and not self._next[1].is_set()

    @property
    def on_disk(self) -> bool:
        """Whether everything appended would survive a power cut."""
        return self._next is None and self._synced is not None and self._synced.is_set()

    @property
    def start_on_disk(self) -> bool:
        """Whether its first pieces would survive a power cut."""
        return self._next is None and self._start_synced is not None and self._start_synced.is_set()

    def begin(self, pieces: Iterable[bytes | memoryview], *, at_once: bool = False) -> None:
        """Begin the file (anew) with these pieces; the old one goes when they are on disk. On OSError nothing changes.

        Until then both files grow, so the old one must already hold everything in the pieces. If it does not, `at_once`
        waits for the disk.
        """
        self._drop_next()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.tmp")
        made = _Open(beside, open(beside, "wb", buffering=0), 0)  # noqa: SIM115 - it stays open
        try:
            for piece in pieces:
                made.append(piece)
            if self._current is None:
                self._replace_by(made)
            elif at_once:
                os.fsync(made.file.fileno())
                if not self._replace_by(made):
                    raise OSError(errno.EACCES, os.strerror(errno.EACCES))
            else:
                self._next = made, self._syncer.ask(made.file)
        except BaseException:
            made.file.close()
            with suppress(OSError):
                beside.unlink()
            raise

    def append(self, piece: bytes) -> None:
        """Append a piece; raises OSError if it cannot be written, and then the file does not change."""
        self.settle()
        if self._current is None:
            raise ValueError(f"`{self.path}` is not begun")
        self._current.append(piece)
        if self._next is not None:
            try:
                self._next[0].append(piece)
            except OSError:  # no room for both: go on with the old one
                self._drop_next()
        self._synced = self._ask()

    def settle(self) -> None:
        """Replace the old file by the one begun anew, once that is on the disk."""
        if self._next is not None and self._next[1].is_set():
            made, _ = self._next
            self._next = None
            self._replace_by(made)

    def close(self, patience: float = 2.0) -> None:
        """Close the file and keep it."""
        with suppress(OSError):  # it was deleted meanwhile, perhaps with its folder
            self.settle()
        self._drop_next()
        self._syncer.close(patience)
        if self._current is not None:
            self._current.file.close()
            self._current = None

    def delete(self) -> None:
        """Close the file and delete it."""
        self.close(patience=0.0)
        with suppress(OSError):
            self.path.unlink()

    def _ask(self, folder: Path | None = None) -> threading.Event | None:
        try:
            return self._syncer.ask(self._current.file, folder) if self._current else None
        except OSError:  # no descriptor left: the system writes it when it likes
            return None

    def _replace_by(self, made: _Open) -> bool:
        """Rename a file to our name, with both closed, as some systems require; if that fails, the old one stays."""
        made.file.close()
        old, self._current = self._current, None
        if old is not None:
            old.file.close()
        try:
            os.replace(made.path, self.path)
        except OSError:
            if old is None:
                raise
            with suppress(OSError):
                made.path.unlink()
        else:
            old = None
        file = open(self.path, "ab", buffering=0)  # noqa: SIM115
        self._current = _Open(self.path, file, os.fstat(file.fileno()).st_size)
        self._synced = self._start_synced = self._ask(self.path.parent)
        return old is None

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next[0].file.close()
            with suppress(OSError):
                self._next[0].path.unlink()
            self._next = None


def sync_folder(folder: Path) -> None:
    """Make a rename durable, where folders can be synced (not on Windows, nor on every file system)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
