"""Moments and bookmarks: places in a run's history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from tinynets.edits.edit import Edit
from tinynets.foreign_text import printable

MAX_BOOKMARKS = 10_000
MAX_NAME = 60  # characters of a name of a branch or a bookmark
MAX_NOTE = 2000


def is_name(name: object) -> bool:
    """Whether this can be the name of a branch or a bookmark."""
    return isinstance(name, str) and bool(name.strip()) and name.isprintable() and len(name) <= MAX_NAME


class Moment(NamedTuple):
    """A point in history: the number of a branch, of steps done and of the branch's edits applied."""

    branch: int
    step: int
    edits: int


@dataclass(frozen=True)
class RecordedEdit:
    """An edit where it was done: after `step` steps, with its report and the probe loss before and after."""

    step: int
    edit: Edit
    done: str = ""
    before: float = float("nan")
    after: float = float("nan")
    phase: str = ""
    """The phase of the step that was half done when it was made, `forward tanh`; empty between steps."""


@dataclass(frozen=True)
class Bookmark:
    """A moment to come back to, with a name and a note."""

    name: str
    note: str
    moment: Moment

    def __str__(self) -> str:
        note = f": {self.note}" if self.note else ""
        return printable(f"{self.name} at step {self.moment.step:,}{note}")
