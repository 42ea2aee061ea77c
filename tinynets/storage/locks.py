"""Locks that tell who has a file open; the system takes them back however a process ends.

Locks stand in the state folder, called after the file's real path, so that a folder of saves holds nothing but saves.
Within a process labs share the lock of a file.
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
"""Names, in the environment, another folder for locks and journals."""


def state_folder() -> Path:
    """Where locks and journals are: the user's own state folder."""
    given = os.environ.get(STATE)
    return Path(given) if given else Path(platformdirs.user_state_path("tinynets", appauthor=False))


@dataclass
class _Shared:
    """A lock of this process, and how many hold it here; no lock where the system gave none."""

    place: Path
    lock: BaseFileLock | None
    count: int = 0


_shared: dict[str, _Shared] = {}
_owner = os.getpid()
_guard = threading.RLock()  # a lab that is collected while another takes a lock lets go of its own within that


class HeldLock:
    """A file that this process has open."""

    def __init__(self, real: str, shared: _Shared) -> None:
        """`shared` counts this one already."""
        self.real, self._shared = real, shared
        self._held = True

    def __repr__(self) -> str:
        return f"HeldLock({self.real!r})"

    @property
    def alone(self) -> bool:
        """Whether nothing else in this process holds it."""
        return self._shared.count == 1

    def release(self, *, forget: bool = False) -> None:
        """Let go, when the last of this process does; `forget` takes the lock's own file away. May be called twice."""
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
    """Take a file's lock; None where another process has it. Where the system gives no locks, everything is free."""
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
            if _shared.get(real) is shared:  # else its last holder was collected just now
                return HeldLock(real, shared)


def holder(path: str | os.PathLike[str]) -> str:
    """Who has a file open, in words: `another lab (process 123)`."""
    try:
        number = int(_place(os.path.realpath(path)).with_suffix(".pid").read_text()[:20])
    except (OSError, ValueError):
        return "another lab"
    return f"another lab (process {number})"


def _place(real: str) -> Path:
    return state_folder() / "locks" / f"{hashlib.sha256(real.encode('utf-8', 'surrogateescape')).hexdigest()}.lock"


def take_lock(place: Path) -> BaseFileLock | Literal[False] | None:
    """The lock, taken; False where another process has it, None where there are no locks to be had."""
    from filelock import FileLock, Timeout  # 40 ms, which a first look at a recipe does without

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
    """What the parent holds is not this process's."""
    global _owner
    if _owner != os.getpid():
        _owner = os.getpid()
        _shared.clear()
