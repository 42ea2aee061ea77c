"""A file that only grows: each piece is with the system when `append` returns, and on the disk soon after.

The system keeps what it was given when the process is killed. That it also outlives a power cut is seen to in a thread,
so that a slow disk holds nothing up.
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
    """A file that is to be on the disk, by a descriptor of its own; `done` is set when it is."""

    descriptor: int
    done: threading.Event
    folder: Path | None
    """Where its name was changed, which is to last as well."""


class FsyncThread:
    """Syncs files in a thread, which begins with the first."""

    def __init__(self) -> None:
        self._wishes: dict[int, _Wish] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def ask(self, file: BinaryIO, folder: Path | None = None) -> threading.Event:
        """Have what has been written to a file by now on the disk; says when that is done."""
        with self._changed:
            wish = self._wishes.get(file.fileno())
            if wish is None:  # one that waits already covers what was written since
                wish = self._wishes[file.fileno()] = _Wish(os.dup(file.fileno()), threading.Event(), folder)
            wish.folder = wish.folder or folder
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="journal to disk", daemon=True)
                self._thread.start()
            self._changed.notify()
            return wish.done

    def close(self, patience: float) -> None:
        """Do what was asked for, and end; what takes longer is left to the system."""
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
    """A file open for appending, and its bytes up to the last whole piece."""

    path: Path
    file: BinaryIO
    size: int

    def append(self, piece: bytes | memoryview) -> None:
        """Add a piece whole; where it cannot be written, cut off what was, and raise OSError."""
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
    """A file of pieces, begun anew at will: the file of that name is the old one or the new one, whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._syncer = FsyncThread()
        self._current: _Open | None = None
        self._next: tuple[_Open, threading.Event] | None = None
        self._synced: threading.Event | None = None
        self._start_synced: threading.Event | None = None

    @property
    def size(self) -> int:
        """Bytes; 0 before it is begun."""
        newest = self._next[0] if self._next else self._current
        return newest.size if newest else 0

    @property
    def begun(self) -> bool:
        return self._current is not None

    @property
    def settling(self) -> bool:
        """Whether it was begun anew, and what it then began with is not on the disk yet."""
        return self._next is not None and not self._next[1].is_set()

    @property
    def on_disk(self) -> bool:
        """Whether all that was appended would outlive a power cut."""
        return self._next is None and self._synced is not None and self._synced.is_set()

    @property
    def start_on_disk(self) -> bool:
        """Whether what it began with would outlive a power cut."""
        return self._next is None and self._start_synced is not None and self._start_synced.is_set()

    def begin(self, pieces: Iterable[bytes | memoryview], *, at_once: bool = False) -> None:
        """Begin it (anew) with these pieces; what was there goes when they are on the disk. OSError: all is as it was.

        Until then both files grow: what was there must hold already all that is in the pieces. Where it cannot,
        `at_once` waits for the disk.
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
        """Add a piece; OSError where it cannot be written, and then the file is as it was."""
        self.settle()
        if self._current is None:
            raise ValueError(f"`{self.path}` is not begun")
        self._current.append(piece)
        if self._next is not None:
            try:
                self._next[0].append(piece)
            except OSError:  # there is no room for both: the old one goes on
                self._drop_next()
        self._synced = self._ask()

    def settle(self) -> None:
        """Put the file that was begun anew in the place of the old one, once it is on the disk."""
        if self._next is not None and self._next[1].is_set():
            made, _ = self._next
            self._next = None
            self._replace_by(made)

    def close(self, patience: float = 2.0) -> None:
        """Let go of the file, which stays."""
        with suppress(OSError):  # it was taken away meanwhile, folder and all
            self.settle()
        self._drop_next()
        self._syncer.close(patience)
        if self._current is not None:
            self._current.file.close()
            self._current = None

    def delete(self) -> None:
        """Let go of the file and take it away."""
        self.close(patience=0.0)
        with suppress(OSError):
            self.path.unlink()

    def _ask(self, folder: Path | None = None) -> threading.Event | None:
        try:
            return self._syncer.ask(self._current.file, folder) if self._current else None
        except OSError:  # no descriptor left: the system writes it in its own time
            return None

    def _replace_by(self, made: _Open) -> bool:
        """Rename a file to our name, both closed meanwhile, as some systems want it; else the old one stays."""
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
    """Make a rename last, where folders can be synced (not on Windows, nor on every file system)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
