"""The tree of branches, in short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinynets.foreign_text import printable


@dataclass(frozen=True)
class BranchSummary:
    """A branch as a tree shows it."""

    number: int
    name: str
    parent: str
    """The branch that it left; empty for the first."""
    fork: int
    end: int
    edits: int
    """Edits of its own, those it shares with its parent not counted."""
    depth: int
    current: bool


@dataclass(frozen=True)
class BranchTree:
    """Branches, each behind the one that it left."""

    limbs: tuple[BranchSummary, ...]

    def __iter__(self) -> Iterator[BranchSummary]:
        return iter(self.limbs)

    def __str__(self) -> str:
        return "\n".join(map(printable, self.lines()))

    def lines(self) -> list[str]:
        """One line a branch."""
        width = max(2 * limb.depth + len(limb.name) for limb in self.limbs) + 2
        made = []
        for limb in self.limbs:
            name = "  " * limb.depth + limb.name
            left = f"left {limb.parent} at step {limb.fork:,}, " if limb.parent else ""
            edits = f", {limb.edits} edit{'s' if limb.edits != 1 else ''}" if limb.edits else ""
            made.append(f"{'*' if limb.current else ' '} {name:<{width}}{left}ends at step {limb.end:,}{edits}")
        return made
