"""Recovery: finds journals left behind by a killed lab, a closed terminal or a power cut.

A living lab holds the lock of its journal (see locks.py); a journal that nobody holds is left over. Its description is
read from its small records alone.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tinynets.errors import SaveError, nearest
from tinynets.foreign_text import printable
from tinynets.storage import locks
from tinynets.storage.paths import journal_folder
from tinynets.storage.records import scan_small
from tinynets.system.paths import restored

SUFFIX = ".journal"
SMALL = 4 * 2**20  # bytes; larger records are skipped
LOOKED_INTO = ("header", "branch", "edits", "position")


@dataclass(frozen=True)
class RecoverableJournal:
    """A left-over journal, and what it holds that was never saved."""

    file: Path
    recipe: str
    step: int
    """The step of the lab's position."""
    edits: int
    """On all branches."""
    branches: int
    when: str
    """When it was written last, `2031-05-01 17:03:20`."""
    save: str
    """The save that its lab had open; may be empty."""
    size: int
    """Bytes."""

    @property
    def name(self) -> str:
        return self.file.name.removesuffix(SUFFIX)

    def config(self) -> dict[str, Any]:
        return {"name": self.name, **asdict(self), "file": str(self.file)}

    def __str__(self) -> str:
        edits = f", {self.edits} edit{'s' if self.edits != 1 else ''}" if self.edits else ""
        branches = f", {self.branches} branches" if self.branches > 1 else ""
        save = f", of {self.save}" if self.save else ", never saved"
        return printable(f"{self.recipe} at step {self.step:,}{edits}{branches}, {self.when}{save}")


def recoverable(folder: Path | None = None) -> list[RecoverableJournal]:
    """The journals of a folder (default: the user's own) that nobody holds and that can be recovered, newest first."""
    found = []
    for file in _journals(folder or journal_folder()):
        held = locks.acquire(file)
        if held is None:
            continue
        try:
            seen = _look(file) if held.alone else None
            if seen is not None:
                found.append((file.stat().st_mtime_ns, seen.name, seen))
        except FileNotFoundError:  # its lab has saved meanwhile
            continue
        finally:
            held.release(forget=True)
    return [seen for *_, seen in sorted(found, key=lambda entry: entry[:2], reverse=True)]


def find(name: str, folder: Path | None = None) -> RecoverableJournal:
    """The journal of that name, or the `latest`; raises SaveError that lists the existing ones."""
    found = {entry.name: entry for entry in recoverable(folder)}
    if not found:
        raise SaveError("there is nothing to recover")
    if name == "latest":
        return next(iter(found.values()))
    name = Path(name).name.removesuffix(SUFFIX)
    if name not in found:
        raise SaveError(f"there is no journal `{name}`, only {', '.join(found)}{nearest(name, found)}")
    return found[name]


def discard(entry: RecoverableJournal) -> None:
    """Delete a journal; raises SaveError if a lab has it open or it cannot be deleted."""
    held = locks.acquire(entry.file)
    if held is None:
        raise SaveError(f"`{entry.file}` is open in {locks.holder(entry.file)}")
    try:
        if not held.alone:
            raise SaveError(f"`{entry.file}` is open in this process")
        entry.file.unlink(missing_ok=True)
    except OSError as error:
        raise SaveError(f"`{entry.file}` cannot be taken away: {error.strerror}") from None
    finally:
        held.release(forget=True)


def _journals(folder: Path) -> list[Path]:
    """The journals of a folder, held or not; deletes left-over parts of journals that were begun anew."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return []
    for name in names:
        if name.startswith(".") and name.endswith(f"{SUFFIX}.tmp"):
            held = locks.acquire(folder / name[1 : -len(".tmp")])
            if held is not None:
                with suppress(OSError):
                    (folder / name).unlink()
                held.release(forget=True)
    return [folder / name for name in names if name.endswith(SUFFIX)]


def _look(file: Path) -> RecoverableJournal | None:
    """The description of a journal; None if it is not a journal or holds no moment."""
    header: dict[str, Any] = {}
    step, edits, branches = -1, 0, 0
    try:
        with open(file, "rb") as opened:
            status = os.fstat(opened.fileno())
            for record in scan_small(opened, LOOKED_INTO, SMALL):
                match record:
                    case {"record": "header", "kind": "journal", "recipe": str(), "path": str() | bytes()}:
                        header = record
                    case {"record": "branch"}:
                        branches += 1
                    case {"record": "edits", "edits": list(entries)}:
                        edits += len(entries)
                    case {"record": "position", "step": int(step)}:
                        pass
        when = datetime.fromtimestamp(status.st_mtime).isoformat(" ", "seconds")
    except (OSError, ValueError, OverflowError):  # the last two: an impossible time
        return None
    if not header or step < 0:
        return None
    return RecoverableJournal(
        file, header["recipe"], step, edits, branches, when, restored(header["path"]), status.st_size
    )
