"""Locks: tell who has a file open; the system releases them however a process ends.

Lock files are in the state folder, named after the file's real path, so that a folder of saves holds nothing but
saves. Labs in the same process share the lock of a file.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import platformdirs

if TYPE_CHECKING:  # see take_lock
    from filelock import BaseFileLock

STATE = "TINYNETS_STATE"
"""The environment variable for another folder of locks and journals."""


def state_folder() -> Path:
    """The folder of locks and journals: the user's own state folder."""
    given = os.environ.get(STATE)
    return Path(given) if given else Path(platformdirs.user_state_path("tinynets", appauthor=False))


@dataclass
class _Shared:
    """A lock of this process and its number of holders; no lock if the system has none."""

    place: Path
    lock: BaseFileLock | None
    count: int = 0


_shared: dict[str, _Shared] = {}
_owner = os.getpid()
_guard = threading.RLock()  # a lab that is garbage collected releases its lock even while another takes one


class HeldLock:
    """A file that this process has open."""

    def __init__(self, real: str, shared: _Shared) -> None:
        """`shared` already counts this one."""
        self.real, self._shared = real, shared
        self._held = True

    def __repr__(self) -> str:
        return f"HeldLock({self.real!r})"

    @property
    def alone(self) -> bool:
        """Whether nothing else in this process holds it."""
        return self._shared.count == 1

    def release(self, *, forget: bool = False) -> None:
        """Release it with the last holder in this process; `forget` deletes the lock file. It may be called twice."""
        with _guard:
            if not self._held or _shared.get(self.real) is not self._shared:
                return
            self._held = False
            self._shared.count -= 1
            if self._shared.count or _shared.get(self.real) is not self._shared:
                return
            del _shared[self.real]
            if self._shared.lock is None:
                return
            if forget:
                with suppress(OSError):
                    self._shared.place.unlink()
            with suppress(OSError):
                self._shared.place.with_suffix(".pid").unlink()
            self._shared.lock.release()


def acquire(path: str | os.PathLike[str]) -> HeldLock | None:
    """Take a file's lock; None if another process has it. On a system without locks, everything is free."""
    real = os.path.realpath(path)
    with _guard:
        _forget_after_fork()
        while True:
            shared = _shared.get(real)
            if shared is None:
                place = _place(real)
                lock = take_lock(place)
                if lock is False:
                    return None
                shared = _shared[real] = _Shared(place, lock)
            shared.count += 1
            if _shared.get(real) is shared:  # otherwise its last holder was just garbage collected
                return HeldLock(real, shared)


def holder(path: str | os.PathLike[str]) -> str:
    """Describe who has a file open: `another lab (process 123)`."""
    try:
        number = int(_place(os.path.realpath(path)).with_suffix(".pid").read_text()[:20])
    except (OSError, ValueError):
        return "another lab"
    return f"another lab (process {number})"


def _place(real: str) -> Path:
    return state_folder() / "locks" / f"{hashlib.sha256(real.encode('utf-8', 'surrogateescape')).hexdigest()}.lock"


def take_lock(place: Path) -> BaseFileLock | Literal[False] | None:
    """Take the lock; False if another process has it, None if the system has no locks."""
    from filelock import FileLock, Timeout  # 40 ms, which opening a recipe does not need

    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place, thread_local=False)
        lock.acquire(timeout=0)
    except Timeout:
        return False
    except (OSError, NotImplementedError):
        return None
    with suppress(OSError):
        place.with_suffix(".pid").write_text(str(os.getpid()))
    return lock


def _forget_after_fork() -> None:
    """Forget the parent's locks, which are not this process's."""
    global _owner
    if _owner != os.getpid():
        _owner = os.getpid()
        _shared.clear()
