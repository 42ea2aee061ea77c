"""Timeline: branches of recorded steps and edits, their bookmarks, and keyframes to recompute from.

A branch holds its whole history, including the part shared with its parent. Kept States are never written again, so
branches can share them.
"""

from __future__ import annotations

from tinynets.errors import TimelineError, nearest
from tinynets.history.branch import Branch, LossHistory
from tinynets.history.keyframes import BUDGET, KeyframeStore
from tinynets.history.moment import MAX_BOOKMARKS, Bookmark, Moment
from tinynets.history.tree import BranchSummary, BranchTree
from tinynets.training.state import State


class Timeline:
    """All branches of a run, the current one, and the actions that undo can go back over."""

    def __init__(self, start: State, *, budget: int = BUDGET) -> None:
        first = Branch(0, "main", LossHistory(start.theta.dtype))
        self.branches: dict[int, Branch] = {0: first}
        self.current = 0
        self.keyframes = KeyframeStore(self.branches, budget)
        self.actions: list[tuple[Moment, Moment]] = []
        self.undone: list[tuple[Moment, Moment]] = []
        self.bookmarks: dict[str, Bookmark] = {}
        self.elsewhere = False
        """Whether some of it was recorded on a machine whose last bits may differ from those computed here."""
        self._next_number = 1
        self.keyframes.keep(Moment(0, 0, 0), start)

    @staticmethod
    def of(branches: dict[int, Branch]) -> Timeline:
        """A timeline of existing branches, each with a keyframe at its start."""
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
        """Whether the last undo went to this moment, so that everything ahead of it was undone."""
        if self.branches[moment.branch].undone_to == moment[1:]:
            return True
        if not self.undone:
            return False
        before, after = self.undone[-1]
        return before == moment and after.branch == moment.branch

    def undone_ends(self) -> list[Moment]:
        """The seen ends of the branches on which edits were undone."""
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
        """The branch of that name; raises TimelineError that lists the existing ones."""
        names = {branch.name: branch for branch in self.branches.values()}
        if not isinstance(name, str) or name not in names:
            raise TimelineError(f"there is no branch `{name}`, only {', '.join(names)}{nearest(str(name), names)}")
        return names[name]

    # -- branches and actions

    def fork(self, moment: Moment, name: str | None = None, *, undone: bool = False) -> Branch:
        """Start a new current branch at a moment. After an undo it takes over the name, and the old one is renamed."""
        old = self.branches[moment.branch]
        names = [branch.name for branch in self.branches.values()]
        if name is not None:
            self.check_free(name)
        number = self._next_number
        self._next_number += 1
        if undone:
            old.undone_to = None  # from now on this branch is where it is kept
        made = old.fork_at(
            moment, number, name or next(n for i in range(2, number + 3) if (n := f"branch-{i}") not in names)
        )
        self.branches[number] = made
        self.current = number
        if undone and name is None:
            old.name, made.name = made.name, old.name
        return made

    def check_free(self, name: str) -> None:
        """Raise TimelineError if a branch has this name."""
        if any(branch.name == name for branch in self.branches.values()):
            raise TimelineError(f"there is a branch `{name}` already")

    def rename(self, old: str, new: str) -> None:
        """Rename a branch; raises TimelineError if another has the name."""
        branch = self.named(old)
        if new != old:
            self.check_free(new)
            branch.name = new

    def drop(self, name: str) -> str:
        """Delete a branch; returns what went with it. Raises TimelineError for the current one.

        Its children keep the shared past. A child that shares only what the dropped branch shares with its own parent
        becomes a child of that parent. Of the others, the one that was forked last takes the dropped branch's place,
        and the rest become its children. Bookmarks on a part that another branch shares move to that branch; others are
        deleted.
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
        """The same for a branch whose children and bookmarks are known; kept states are not recounted."""
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
        """Give the children of a branch new parents; returns the branches that share its past, and how far."""
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
        """Move the bookmarks of a deleted branch to others that share the moment; returns the names of lost ones."""
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
        """Whether a moment of another branch lies in the past that both share."""
        ours, theirs = self._way(branch), self._way(self.branches[moment.branch])
        ends = [(*ours[number], *theirs[number]) for number in ours.keys() & theirs.keys()]
        return any(moment.step <= min(end[::2]) and moment.edits <= min(end[1::2]) for end in ends)

    def shared_steps(self, one: Branch, other: Branch) -> int:
        """How many of their first steps two branches share."""
        ours, theirs = self._way(one), self._way(other)
        return max((min(ours[number][0], theirs[number][0]) for number in ours.keys() & theirs.keys()), default=0)

    def _way(self, branch: Branch) -> dict[int, tuple[int, int]]:
        """The ancestors of a branch, itself first, and how many steps and edits of each are its past."""
        end = len(branch.losses), len(branch.edits)
        way = {branch.number: end}
        while branch.parent is not None:
            end = min(end[0], branch.fork), min(end[1], branch.shared)
            branch = self.branches[branch.parent]
            way[branch.number] = end
        return way

    def tree(self) -> BranchTree:
        """The branches in order, each after its parent."""
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
        """Remember an action for undo; undone actions can no longer be redone."""
        self.undone.clear()
        if before != after:
            self.actions.append((before, after))

    def join_actions(self, count: int) -> None:
        """Make the last actions one, if they are edits that were made one right after another."""
        last = self.actions[-count:]
        ends = [after for _, after in last[:-1]]
        joins = len(last) == count and ends == [before for before, _ in last[1:]]
        if not joins or any(before.step != after.step for before, after in last):
            raise TimelineError(f"the last {count:,} actions are not edits that were made one right after another")
        self.actions[-count:] = [(last[0][0], last[-1][1])]

    # -- bookmarks

    def bookmark(self, name: str, note: str, moment: Moment) -> Bookmark:
        """Mark a moment; an existing bookmark of that name moves here."""
        if len(self.bookmarks) >= MAX_BOOKMARKS and name not in self.bookmarks:
            raise TimelineError(f"there are {MAX_BOOKMARKS:,} bookmarks already, and no more are allowed")
        made = self.bookmarks[name] = Bookmark(name, note, moment)
        return made

    def marked(self, name: str) -> Bookmark:
        """The bookmark of that name; raises TimelineError that lists the existing ones."""
        if not isinstance(name, str) or name not in self.bookmarks:
            known = f", only {', '.join(self.bookmarks)}" if self.bookmarks else " yet, nor any other"
            raise TimelineError(f"there is no bookmark `{name}`{known}{nearest(str(name), self.bookmarks)}")
        return self.bookmarks[name]

    def unbookmark(self, name: str) -> None:
        del self.bookmarks[self.marked(name).name]


def _fork_of(branch: Branch) -> tuple[int, int, int]:
    return branch.fork, branch.shared, branch.number
