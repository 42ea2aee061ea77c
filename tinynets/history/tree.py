"""BranchTree: a short form of the branches, to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinynets.foreign_text import printable


@dataclass(frozen=True)
class BranchSummary:
    """A branch, as shown in a tree."""

    number: int
    name: str
    parent: str
    """The branch that it was forked from; empty for the first."""
    fork: int
    end: int
    edits: int
    """Edits of its own, not counting those shared with its parent."""
    depth: int
    current: bool


@dataclass(frozen=True)
class BranchTree:
    """Branches, each after its parent."""

    branches: tuple[BranchSummary, ...]

    def __iter__(self) -> Iterator[BranchSummary]:
        return iter(self.branches)

    def __str__(self) -> str:
        return "\n".join(map(printable, self.lines()))

    def lines(self) -> list[str]:
        """One line for each branch."""
        width = max(2 * branch.depth + len(branch.name) for branch in self.branches) + 2
        made = []
        for branch in self.branches:
            name = "  " * branch.depth + branch.name
            left = f"left {branch.parent} at step {branch.fork:,}, " if branch.parent else ""
            edits = f", {branch.edits} edit{'s' if branch.edits != 1 else ''}" if branch.edits else ""
            made.append(f"{'*' if branch.current else ' '} {name:<{width}}{left}ends at step {branch.end:,}{edits}")
        return made
