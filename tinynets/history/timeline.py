"""The timeline: branches of recorded steps and edits, bookmarks on them, and keyframes to start recomputing from.

A branch holds its whole history, what it shares with its parent included; States that are kept are never written again,
so branches share them.
"""

from __future__ import annotations

from tinynets.errors import TimelineError, nearest
from tinynets.history.branch import Branch, LossHistory
from tinynets.history.keyframes import BUDGET, KeyframeStore
from tinynets.history.moment import MAX_BOOKMARKS, Bookmark, Moment
from tinynets.history.tree import BranchSummary, BranchTree
from tinynets.training.state import State


class Timeline:
    """All branches of a run, which one is current, and the actions that undo goes back over."""

    def __init__(self, start: State, *, budget: int = BUDGET) -> None:
        first = Branch(0, "main", LossHistory(start.theta.dtype))
        self.branches: dict[int, Branch] = {0: first}
        self.current = 0
        self.keyframes = KeyframeStore(self.branches, budget)
        self.actions: list[tuple[Moment, Moment]] = []
        self.undone: list[tuple[Moment, Moment]] = []
        self.bookmarks: dict[str, Bookmark] = {}
        self.elsewhere = False
        """Whether some of it was recorded where the last bits may differ from those computed here."""
        self._next_number = 1
        self.keyframes.keep(Moment(0, 0, 0), start)

    @staticmethod
    def of(branches: dict[int, Branch]) -> Timeline:
        """A timeline of branches that are there already, each with a keyframe at its start."""
        first = next(iter(branches.values()))
        timeline = Timeline(first.keyframes[0, 0])
        timeline.branches, timeline.current = branches, first.number
        timeline.keyframes = KeyframeStore(branches)
        timeline._next_number = max(branches) + 1
        return timeline

    @property
    def branch(self) -> Branch:
        """The current branch."""
        return self.branches[self.current]

    def is_undone_at(self, moment: Moment) -> bool:
        """Whether the last undo has led to this moment, so that what lies ahead of it is what was undone."""
        if self.branches[moment.branch].undone_to == moment[1:]:
            return True
        if not self.undone:
            return False
        before, after = self.undone[-1]
        return before == moment and after.branch == moment.branch

    def undone_ends(self) -> list[Moment]:
        """The ends, as they are seen, of the branches on which edits were undone."""
        return [branch.seen_end for branch in self.branches.values() if branch.undone_to is not None]

    def extent(self) -> object:
        """How much there is: differs as soon as something is recorded, named or dropped."""
        branches = self.branches.values()
        counts = tuple((b.number, b.name, len(b.losses), len(b.edits), len(b.evaluations)) for b in branches)
        return counts, tuple(self.bookmarks.values())

    def marks(self) -> tuple[Bookmark, ...]:
        """The bookmarks, in the order of their steps."""
        return tuple(sorted(self.bookmarks.values(), key=lambda mark: mark.moment[1:]))

    def named(self, name: str) -> Branch:
        """The branch of that name; raises TimelineError that lists those there are."""
        names = {branch.name: branch for branch in self.branches.values()}
        if not isinstance(name, str) or name not in names:
            raise TimelineError(f"there is no branch `{name}`, only {', '.join(names)}{nearest(str(name), names)}")
        return names[name]

    # -- branches and actions

    def fork(self, moment: Moment, name: str | None = None, *, undone: bool = False) -> Branch:
        """A new current branch from a moment. After an undo it takes over the name, and what was left is renamed."""
        old = self.branches[moment.branch]
        names = [branch.name for branch in self.branches.values()]
        if name is not None:
            self.check_free(name)
        number = self._next_number
        self._next_number += 1
        if undone:
            old.undone_to = None  # it is where that is kept from now on
        made = old.fork_at(
            moment, number, name or next(n for i in range(2, number + 3) if (n := f"branch-{i}") not in names)
        )
        self.branches[number] = made
        self.current = number
        if undone and name is None:
            old.name, made.name = made.name, old.name
        return made

    def check_free(self, name: str) -> None:
        """Raises TimelineError where a branch has this name."""
        if any(branch.name == name for branch in self.branches.values()):
            raise TimelineError(f"there is a branch `{name}` already")

    def rename(self, old: str, new: str) -> None:
        """Give a branch another name; raises TimelineError where another has it."""
        branch = self.named(old)
        if new != old:
            self.check_free(new)
            branch.name = new

    def drop(self, name: str) -> str:
        """Forget a branch; says what went with it. Raises TimelineError for the current one.

        A branch that left it hangs on to what both have of the past: it becomes a branch of the dropped one's parent,
        or, of those that left it later than it left that, the one that left last takes its place and the others become
        its branches. Bookmarks on what some other branch shares go over to that one; the rest goes.
        """
        gone = self.named(name)
        if gone.number == self.current:
            raise TimelineError(f"`{name}` is the current branch; switch to another before it is dropped")
        children = [branch for branch in self.branches.values() if branch.parent == gone.number]
        marks = [mark for mark in self.bookmarks.values() if mark.moment.branch == gone.number]
        said = self.forget(gone, children, marks)
        self.keyframes.recount()
        return said

    def forget(self, gone: Branch, children: list[Branch], marks: list[Bookmark]) -> str:
        """The same of a branch whose children and bookmarks are known; what is kept is not counted anew."""
        shares = self._heirs(gone, children)
        lost = self._rehang_bookmarks(marks, shares)
        del self.branches[gone.number]
        for actions in (self.actions, self.undone):
            actions[:] = [pair for pair in actions if gone.number not in (pair[0].branch, pair[1].branch)]
        self.keyframes.empty_ring(gone.number)
        own = len(gone.losses) - max([gone.fork if gone.parent is not None else 0, *(step for _, (step, _) in shares)])
        bookmarks = f", with {', '.join(f'bookmark {mark}' for mark in lost)}" if lost else ""
        return f"branch {gone.name} dropped: {max(own, 0):,} steps of its own{bookmarks}"

    def _heirs(self, gone: Branch, children: list[Branch]) -> list[tuple[Branch, tuple[int, int]]]:
        """Hang the children of a branch elsewhere; those that share some of its past, and up to which (step, edits)."""
        shares = [(child, (child.fork, child.shared)) for child in children]
        left = (gone.fork, gone.shared)
        late = sorted((c for c in children if (c.fork, c.shared) > left or gone.parent is None), key=_fork_of)
        heir = late.pop() if late else None
        for child in children:
            if child is heir:
                child.parent, (child.fork, child.shared) = gone.parent, left
            else:
                child.parent = heir.number if heir is not None and child in late else gone.parent
        if gone.parent is not None:
            shares.append((self.branches[gone.parent], left))
        return shares

    def _rehang_bookmarks(self, marks: list[Bookmark], shares: list[tuple[Branch, tuple[int, int]]]) -> list[str]:
        """Bookmarks of a branch that goes: over to one that shares the moment; names of those that none shares."""
        lost = []
        for mark in marks:
            _, step, edits = mark.moment
            owner = next((branch for branch, end in shares if step <= end[0] and edits <= end[1]), None)
            if owner is None:
                lost.append(mark.name)
                del self.bookmarks[mark.name]
            else:
                self.bookmarks[mark.name] = Bookmark(mark.name, mark.note, Moment(owner.number, step, edits))
        return lost

    def shares(self, branch: Branch, moment: Moment) -> bool:
        """Whether a moment of another branch lies in the past that both have in common."""
        ours, theirs = self._way(branch), self._way(self.branches[moment.branch])
        ends = [(*ours[number], *theirs[number]) for number in ours.keys() & theirs.keys()]
        return any(moment.step <= min(end[::2]) and moment.edits <= min(end[1::2]) for end in ends)

    def _way(self, branch: Branch) -> dict[int, tuple[int, int]]:
        """The branches that a branch comes from, itself first, and how many steps and edits of each are its past."""
        end = len(branch.losses), len(branch.edits)
        way = {branch.number: end}
        while branch.parent is not None:
            end = min(end[0], branch.fork), min(end[1], branch.shared)
            branch = self.branches[branch.parent]
            way[branch.number] = end
        return way

    def tree(self) -> BranchTree:
        """The branches in order, each behind the one that it left."""
        summaries: list[BranchSummary] = []
        children: dict[int | None, list[Branch]] = {}
        for branch in sorted(self.branches.values(), key=_fork_of, reverse=True):
            children.setdefault(branch.parent, []).append(branch)
        open_ = [(root, 0) for root in children.get(None, [])]
        while open_:
            branch, depth = open_.pop()
            parent = "" if branch.parent is None else self.branches[branch.parent].name
            edits = len(branch.edits) - branch.shared
            current = branch.number == self.current
            end = len(branch.losses)
            summaries.append(BranchSummary(branch.number, branch.name, parent, branch.fork, end, edits, depth, current))
            open_ += [(child, depth + 1) for child in children.get(branch.number, [])]
        return BranchTree(tuple(summaries))

    def push_action(self, before: Moment, after: Moment) -> None:
        """Remember an action for undo; what had been undone is no longer redone."""
        self.undone.clear()
        if before != after:
            self.actions.append((before, after))

    # -- bookmarks

    def bookmark(self, name: str, note: str, moment: Moment) -> Bookmark:
        """Mark a moment; a name that is there already marks it from now on."""
        if len(self.bookmarks) >= MAX_BOOKMARKS and name not in self.bookmarks:
            raise TimelineError(f"there are {MAX_BOOKMARKS:,} bookmarks already, and no more are allowed")
        made = self.bookmarks[name] = Bookmark(name, note, moment)
        return made

    def marked(self, name: str) -> Bookmark:
        """The bookmark of that name; raises TimelineError that lists those there are."""
        if not isinstance(name, str) or name not in self.bookmarks:
            known = f", only {', '.join(self.bookmarks)}" if self.bookmarks else " yet, nor any other"
            raise TimelineError(f"there is no bookmark `{name}`{known}{nearest(str(name), self.bookmarks)}")
        return self.bookmarks[name]

    def unbookmark(self, name: str) -> None:
        del self.bookmarks[self.marked(name).name]


def _fork_of(branch: Branch) -> tuple[int, int, int]:
    return branch.fork, branch.shared, branch.number
