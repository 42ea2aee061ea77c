"""Lists the saves of a folder with their headers; one that cannot be read is listed with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tinynets.errors import SaveError
from tinynets.foreign_text import one_for_one
from tinynets.history.evaluation import loss_text
from tinynets.storage.header import SaveHeader
from tinynets.storage.paths import SUFFIX, list_saves
from tinynets.storage.saves import read_header


@dataclass(frozen=True)
class Listed:
    """A save in a list; if it cannot be read, `header` is None and `damage` says why."""

    path: Path
    size: int
    """Bytes."""
    modified: float
    """When it was written last, seconds since 1970."""
    header: SaveHeader | None
    damage: str = ""

    @property
    def name(self) -> str:
        return self.path.name.removesuffix(SUFFIX)

    @property
    def when(self) -> str:
        """When it was last written, `2031-05-01 17:03`."""
        return datetime.fromtimestamp(self.modified).strftime("%Y-%m-%d %H:%M")

    @property
    def holds(self) -> str:
        """Recipe, step and branch in words, or that it cannot be read."""
        if self.header is None:
            return "cannot be read as a save"
        return one_for_one(f"{self.header.recipe} at step {self.header.step:,} ({self.header.branch})")

    @property
    def loss(self) -> str:
        """The loss in words, `loss 2.31`; empty if it is not known."""
        if self.header is None or self.header.loss is None:
            return ""
        return f"loss {loss_text(self.header.loss)}"

    def config(self) -> dict[str, Any]:
        """Plain data; None for what a save of the first format version does not hold."""
        keys = ("recipe", "step", "end", "branch", "branches", "edits", "bookmarks", "loss", "parameters", "created")
        told = {key: getattr(self.header, key, None) for key in keys}
        return {
            "name": self.name,
            "path": str(self.path),
            **told,
            "modified": self.when,
            "size": self.size,
            "damage": self.damage or None,
        }


def list_headers(folder: str | Path | None = None) -> list[Listed]:
    """The saves of a folder, newest first; by default those of the default folder, then those that ship with tinynets.

    Raises SaveError if there is no such folder; a file that cannot be read is listed with the reason.
    """
    return list(listed(list_saves(folder)))


def listed(paths: Sequence[Path]) -> Iterator[Listed]:
    """These saves with their headers; a file that is gone is left out."""
    for path in paths:
        try:
            stat = path.stat()
        except OSError:  # it was deleted meanwhile
            continue
        header, damage = None, ""
        try:
            header = read_header(path)
        except SaveError as error:
            damage = str(error)
        yield Listed(path, stat.st_size, stat.st_mtime, header, damage)


def table(entries: Sequence[Listed]) -> list[str]:
    """One line for each save, in columns."""
    rows = [_cells(entry) for entry in entries]
    widths = [max((len(row[column]) for row in rows if len(row) > 2), default=0) for column in range(7)]
    widths[0] = max((len(row[0]) for row in rows), default=0)
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]


def _cells(entry: Listed) -> list[str]:
    header, name = entry.header, one_for_one(entry.name)
    if header is None:
        return [name, f"cannot be read: {one_for_one(entry.damage)}"]
    return [
        name,
        entry.holds,
        "" if header.branches is None else _counted(header.branches, "branch", "es"),
        "" if header.edits is None else _counted(header.edits, "edit", "s"),
        entry.loss,
        entry.when,
        size_text(entry.size),
    ]


def _counted(count: int, word: str, plural: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else plural}"


def size_text(count: int) -> str:
    """Bytes as `1.3 MB` or `12 kB`."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
