"""Moments and bookmarks: places in a run's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tinynets.edits.edit import Edit
from tinynets.foreign_text import printable

MAX_BOOKMARKS = 10_000
MAX_NAME = 60  # characters of a branch's or a bookmark's
MAX_NOTE = 2000


def is_name(name: object) -> bool:
    """Whether a branch or a bookmark can be called that."""
    return isinstance(name, str) and bool(name.strip()) and name.isprintable() and len(name) <= MAX_NAME


class Moment(NamedTuple):
    """A point of history: so many steps done and so many of the branch's edits applied, on a branch (its number)."""

    branch: int
    step: int
    edits: int


@dataclass(frozen=True)
class RecordedEdit:
    """An edit where it was done: after `step` steps; what it said, and the probe loss before and after."""

    step: int
    edit: Edit
    done: str = ""
    before: float = float("nan")
    after: float = float("nan")


@dataclass(frozen=True)
class Bookmark:
    """A moment worth coming back to: its name and what was noted of it."""

    name: str
    note: str
    moment: Moment

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return printable(f"{self.name} at step {self.moment.step:,}{note}")
