"""The timeline: branches of recorded steps and edits, moments on them, and keyframes to start recomputing from.

A branch holds its whole history, what it shares with its parent included; States that are kept are never written again,
so branches share them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from tinynets.arrays import Array
from tinynets.errors import TimelineError, nearest
from tinynets.foreign_text import printable
from tinynets.operations.base import Edit
from tinynets.state import State

BUDGET = 256 * 2**20  # bytes of keyframes
RING = 64  # dense states kept around where one stands
RING_SHARE = 8  # of so many parts of the budget the ring takes one at most
FEW = 16  # evaluations that are put one by one among those there are
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
class Placed:
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


@dataclass(frozen=True)
class Limb:
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
class Tree:
    """Branches, each behind the one that it left."""

    limbs: tuple[Limb, ...]

    def __iter__(self) -> Iterator[Limb]:
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


@dataclass(frozen=True)
class Evaluation:
    """A split's mean loss (and accuracy, where there are classes) at a step; `float` of it is the loss."""

    split: str
    step: int
    loss: float
    accuracy: float | None
    examples: int
    clean: bool = False
    """Computed without the interventions."""
    edits: int = 0
    """Edits of the branch that had been applied."""
    map_errors: dict[str, float] = field(default_factory=dict, compare=False)
    """Of a self-organizing map its quantization and topographic error; measured, not kept in saves."""
    of: int = field(default=0, compare=False)
    """How many examples the split has, where these were drawn from it; 0: they are all of it."""

    def __float__(self) -> float:
        return self.loss

    def __str__(self) -> str:
        accuracy = "" if self.accuracy is None else f", accuracy {self.accuracy:.1%}"
        clean = ", without interventions" if self.clean else ""
        errors = "".join(f", {name.replace('_', ' ')} {value:.4f}" for name, value in self.map_errors.items())
        measured = f"{self.split} loss {loss_text(self.loss)}{accuracy}{errors}"
        examples = f"{self.examples:,} of {self.of:,} examples, drawn" if self.of else f"{self.examples:,} examples"
        return printable(f"{measured} ({examples}, step {self.step:,}{clean})")


def loss_text(loss: float) -> str:
    """Four digits behind the point; of what is too large for that, as a power of ten."""
    return f"{loss:.4f}" if abs(loss) < 1e7 else f"{loss:.4g}"


class Losses:
    """The training loss of every step of a branch, in a growing array.

    What a branch shares with the one that it left is not copied before somebody asks for `values`.
    """

    def __init__(self, dtype: np.dtype[np.floating] | str = "float64") -> None:
        self._values: Array = np.empty(0, dtype)
        self._count = 0
        self._before: tuple[Losses, int] | None = None
        """Losses of which so many come before those of its own."""

    def __len__(self) -> int:
        return self._count + (self._before[1] if self._before else 0)

    def append(self, value: float) -> None:
        self._make_room(1)
        self._values[self._count] = value
        self._count += 1

    def extend(self, values: Array) -> None:
        """Losses of the steps that follow, (n,)."""
        self._make_room(len(values))
        self._values[self._count : self._count + len(values)] = values
        self._count += len(values)

    def _make_room(self, count: int) -> None:
        if self._count + count > len(self._values):
            more = np.empty(max(count, 64, min(self._count, 2**20)), self._values.dtype)
            self._values = np.concatenate([self._values[: self._count], more])

    @property
    def values(self) -> Array:
        """(steps,): entry i is the loss of the step that led from i to i + 1."""
        if self._before is not None:
            self._values, self._count, self._before = self.part(0, len(self)), len(self), None
        return self._values[: self._count]

    def part(self, first: int, end: int) -> Array:
        """Those of the steps behind `first`, through `end`; a copy where they are not in one place."""
        parts: list[Array] = []
        losses: Losses | None = self
        while losses is not None and end > first:
            before, shared = losses._before or (None, 0)
            if end > shared:
                parts.append(losses._values[max(first - shared, 0) : end - shared])
            losses, end = before, min(end, shared)
        return parts[0] if len(parts) == 1 else np.concatenate([self._values[:0], *reversed(parts)])

    def head(self, count: int) -> Losses:
        """The first so many, to go on from."""
        made, owner = Losses(self._values.dtype), self
        while owner._before is not None and owner._before[1] >= count:
            owner = owner._before[0]
        made._before = (owner, count) if count else None
        return made


@dataclass
class Branch:
    """A line of history from the start, with its edits, losses, evaluations and keyframes; `number` never changes."""

    number: int
    name: str
    losses: Losses
    edits: list[Placed] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    parent: int | None = None
    fork: int = 0
    """The step at which it left its parent."""
    shared: int = 0
    """How many of its edits are its parent's too: the first ones."""
    keyframes: dict[tuple[int, int], State] = field(default_factory=dict)
    undone_to: tuple[int, int] | None = None
    """(step, edits) before the first edit that was undone here and not done again; None: nothing is."""
    _order: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._order = sorted(self.keyframes)
        self._steps = [placed.step for placed in self.edits]

    @property
    def end(self) -> Moment:
        """The last recorded moment."""
        return Moment(self.number, len(self.losses), len(self.edits))

    @property
    def seen_end(self) -> Moment:
        """The end as a person sees it: the last moment, or the one to which undo has led back before an edit."""
        return self.end if self.undone_to is None else Moment(self.number, *self.undone_to)

    @property
    def undone_edits(self) -> str:
        """What of the branch is not in that, in words; empty: nothing."""
        count = len(self.edits) - self.seen_end.edits
        return f"before {count} edit{'s that were' if count > 1 else ' that was'} undone" if count else ""

    @property
    def widest(self) -> int:
        """The most steps from a keyframe to the next, or to the end: what a seek computes at most."""
        steps = [step for step, _ in self._order]
        return max((b - a for a, b in pairwise([*steps, len(self.losses)])), default=0)

    def edits_through(self, step: int) -> int:
        """How many edits were done at or before this step."""
        return bisect_right(self._steps, step)

    def place(self, placed: Placed) -> None:
        self.edits.append(placed)
        self._steps.append(placed.step)

    def keep(self, moment: tuple[int, int], state: State) -> None:
        """Hold a keyframe at (step, edits)."""
        if moment not in self.keyframes:
            insort(self._order, moment)
        self.keyframes[moment] = state

    def thin(self, stride: int) -> None:
        """Let go of keyframes that are not at multiples of `stride`; the start stays."""
        for moment in [key for key in self._order if key[0] % stride]:
            del self.keyframes[moment]
        self._order = sorted(self.keyframes)

    def nearest(self, step: int, edits: int) -> tuple[int, int]:
        """The last keyframe from which (step, edits) can be reached."""
        place = bisect_right(self._order, (step, edits))
        while place > 0:
            found = self._order[place - 1]
            if found[1] <= edits:
                return found
            place -= 1
        raise TimelineError(f"branch `{self.name}` has no keyframe at or before step {step}")

    def nearest_before(self, step: int, edits: int) -> tuple[int, int]:
        """The last keyframe before (step, edits), from which that can be reached."""
        place = bisect_left(self._order, (step, edits))
        return next(key for key in reversed(self._order[:place]) if key[1] <= edits)

    def record(self, evaluation: Evaluation) -> None:
        """Keep an evaluation; the same one at the same step is kept once."""
        place = bisect_right(self.evaluations, evaluation.step, key=lambda entry: entry.step)
        if (
            evaluation
            not in self.evaluations[bisect_left(self.evaluations, evaluation.step, key=lambda e: e.step) : place]
        ):
            self.evaluations.insert(place, evaluation)

    def merge(self, evaluations: list[Evaluation]) -> None:
        """Put evaluations, in their order, behind those of their steps that are there."""
        if len(evaluations) > FEW:
            self.evaluations += evaluations
            self.evaluations.sort(key=lambda entry: entry.step)  # which keeps the order of those of one step
            return
        for entry in evaluations:
            if not self.evaluations or entry.step >= self.evaluations[-1].step:
                self.evaluations.append(entry)
            else:
                self.evaluations.insert(bisect_right(self.evaluations, entry.step, key=lambda e: e.step), entry)

    def inherits(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation of the branch that it left lies in what both share."""
        return evaluation.step <= self.fork and evaluation.edits <= self.shared

    def until(self, moment: Moment, number: int, name: str) -> Branch:
        """A new branch that shares everything up to a moment of this one."""
        before = self._order[: bisect_right(self._order, (moment.step, moment.edits))]
        keyframes = {key: self.keyframes[key] for key in before if key[1] <= moment.edits}
        made = Branch(
            number,
            name,
            self.losses.head(moment.step),
            self.edits[: moment.edits],
            parent=self.number,
            fork=moment.step,
            shared=moment.edits,
            keyframes=keyframes,
        )
        early = bisect_right(self.evaluations, moment.step, key=lambda entry: entry.step)
        made.evaluations = [entry for entry in self.evaluations[:early] if made.inherits(entry)]
        return made

    def told_by(self, moment: Moment) -> int:
        """How many evaluations and keyframes there are through a step, with whatever edits: what `until` looks at."""
        early = bisect_right(self.evaluations, moment.step, key=lambda entry: entry.step)
        return early + bisect_right(self._order, (moment.step, moment.edits))


class Timeline:
    """All branches of a run, which one is current, and the actions that undo goes back over."""

    def __init__(self, start: State, *, budget: int = BUDGET) -> None:
        first = Branch(0, "main", Losses(start.theta.dtype))
        self.branches: dict[int, Branch] = {0: first}
        self.current = 0
        self.budget = budget
        self.stride = 128
        self._least_stride = 1
        self.actions: list[tuple[Moment, Moment]] = []
        self.undone: list[tuple[Moment, Moment]] = []
        self.bookmarks: dict[str, Bookmark] = {}
        self.elsewhere = False
        """Whether some of it was recorded where the last bits may differ from those computed here."""
        self._ring: dict[Moment, State] = {}
        self._bytes = self._ring_bytes = 0
        self._next_number = 1
        self.keep(Moment(0, 0, 0), start)

    @staticmethod
    def of(branches: dict[int, Branch]) -> Timeline:
        """A timeline of branches that are there already, each with a keyframe at its start."""
        first = next(iter(branches.values()))
        timeline = Timeline(first.keyframes[0, 0])
        timeline.branches, timeline.current = branches, first.number
        timeline._next_number = max(branches) + 1
        timeline._bytes = timeline._kept_bytes()
        return timeline

    @property
    def branch(self) -> Branch:
        """The current branch."""
        return self.branches[self.current]

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

    # -- kept states

    def closest(self, target: Moment) -> tuple[Moment, State]:
        """The kept State, keyframe or of the ring, from which the fewest steps lead to the target."""
        branch = self.branches[target.branch]
        step, edits = branch.nearest(target.step, target.edits)
        best, state = Moment(target.branch, step, edits), branch.keyframes[step, edits]
        for moment, kept in self._ring.items():
            if moment.branch == target.branch and best < moment <= target and moment.edits <= target.edits:
                best, state = moment, kept
        return best, state

    def keep_near(self, moment: Moment, state: State) -> None:
        """Keep a State in the ring of recent ones, the oldest falling out."""
        self._out_of_ring(moment)
        self._ring[moment] = state
        self._ring_bytes += state.nbytes()
        while len(self._ring) > RING or (len(self._ring) > 2 and self._ring_bytes > self.budget // RING_SHARE):
            self._out_of_ring(next(iter(self._ring)))

    def _out_of_ring(self, moment: Moment) -> None:
        state = self._ring.pop(moment, None)
        if state is not None:
            self._ring_bytes -= state.nbytes()

    def wants_keyframe(self, moment: Moment) -> bool:
        """Whether a keyframe belongs at this moment and is not there yet."""
        return (
            moment.step % self.stride == 0 and (moment.step, moment.edits) not in self.branches[moment.branch].keyframes
        )

    def keep(self, moment: Moment, state: State) -> None:
        """Hold a keyframe; when all together pass the budget, the stride doubles."""
        self.branches[moment.branch].keep((moment.step, moment.edits), state)
        self._bytes += state.nbytes()
        while self._bytes > self.budget and self.stride < 2**40:
            self._least_stride = self.stride = 2 * self.stride
            for branch in self.branches.values():
                branch.thin(self.stride)
            self._bytes = self._kept_bytes()

    def pace(self, steps: float) -> None:
        """Lay keyframes about so many steps apart (a power of two), wider where the budget wants it."""
        near = 2 ** (int(min(max(steps, 8), 2**16)).bit_length() - 1)
        self.stride = max(near, self._least_stride)

    def _kept_bytes(self) -> int:
        """Bytes of all keyframes, those that branches share counted once."""
        return sum({id(s): s.nbytes() for b in self.branches.values() for s in b.keyframes.values()}.values())

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
        made = old.until(
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
        self._bytes = self._kept_bytes()
        return said

    def forget(self, gone: Branch, children: list[Branch], marks: list[Bookmark]) -> str:
        """The same of a branch whose children and bookmarks are known; what is kept is not counted anew."""
        shares = self._heirs(gone, children)
        lost = self._rehang_bookmarks(marks, shares)
        del self.branches[gone.number]
        for actions in (self.actions, self.undone):
            actions[:] = [pair for pair in actions if gone.number not in (pair[0].branch, pair[1].branch)]
        for moment in [moment for moment in self._ring if moment.branch == gone.number]:
            self._out_of_ring(moment)
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

    def tree(self) -> Tree:
        """The branches in order, each behind the one that it left."""
        limbs: list[Limb] = []
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
            limbs.append(Limb(branch.number, branch.name, parent, branch.fork, end, edits, depth, current))
            open_ += [(child, depth + 1) for child in children.get(branch.number, [])]
        return Tree(tuple(limbs))

    def acted(self, before: Moment, after: Moment) -> None:
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
