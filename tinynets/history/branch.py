"""Branch: a line of history with its losses, edits, evaluations and keyframes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from tinynets.errors import TimelineError
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import Moment, RecordedEdit
from tinynets.numerics.arrays import Array
from tinynets.training.state import State

FEW = 16  # up to this many evaluations are inserted one by one


class LossHistory:
    """The training loss of every step of a branch, in a growing array.

    The part that a branch shares with its parent is not copied until `values` are needed.
    """

    def __init__(self, dtype: np.dtype[np.floating] | str = "float64") -> None:
        self._values: Array = np.empty(0, dtype)
        self._count = 0
        self._before: tuple[LossHistory, int] | None = None
        """The history whose first losses, this many, come before its own."""

    def __len__(self) -> int:
        return self._count + (self._before[1] if self._before else 0)

    def append(self, value: float) -> None:
        self._make_room(1)
        self._values[self._count] = value
        self._count += 1

    def extend(self, values: Array) -> None:
        """Append the losses of the next steps, (n,)."""
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
        """The losses of the steps after `first`, through `end`; a copy if they are not in one array."""
        parts: list[Array] = []
        losses: LossHistory | None = self
        while losses is not None and end > first:
            before, shared = losses._before or (None, 0)
            if end > shared:
                parts.append(losses._values[max(first - shared, 0) : end - shared])
            losses, end = before, min(end, shared)
        return parts[0] if len(parts) == 1 else np.concatenate([self._values[:0], *reversed(parts)])

    def head(self, count: int) -> LossHistory:
        """A history of the first `count` losses, to continue from."""
        made, owner = LossHistory(self._values.dtype), self
        while owner._before is not None and owner._before[1] >= count:
            owner = owner._before[0]
        made._before = (owner, count) if count else None
        return made


@dataclass
class Branch:
    """A line of history from the start, with its edits, losses, evaluations and keyframes; `number` never changes."""

    number: int
    name: str
    losses: LossHistory
    edits: list[RecordedEdit] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    parent: int | None = None
    fork: int = 0
    """The step at which it was forked from its parent."""
    shared: int = 0
    """How many of its first edits are shared with its parent."""
    keyframes: dict[tuple[int, int], State] = field(default_factory=dict)
    undone_to: tuple[int, int] | None = None
    """(step, edits) before the first edit here that is undone; None if none is."""
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
        """The end that a person sees: the last moment, or the one that undo of an edit went back to."""
        return self.end if self.undone_to is None else Moment(self.number, *self.undone_to)

    @property
    def undone_edits(self) -> str:
        """What lies beyond `seen_end`, in words; empty if nothing."""
        count = len(self.edits) - self.seen_end.edits
        return f"before {count} edit{'s that were' if count > 1 else ' that was'} undone" if count else ""

    @property
    def widest(self) -> int:
        """The most steps from one keyframe to the next or to the end, which a seek has to compute at most."""
        steps = [step for step, _ in self._order]
        return max((b - a for a, b in pairwise([*steps, len(self.losses)])), default=0)

    def moment_at(self, step: int) -> Moment:
        """The moment after the last edit at a recorded step, without undone edits."""
        if self.undone_to is not None and self.undone_to[0] == step:
            return self.seen_end
        return Moment(self.number, step, self.edits_through(step))

    def edits_through(self, step: int) -> int:
        """How many edits were done at or before this step."""
        return bisect_right(self._steps, step)

    def append_edit(self, placed: RecordedEdit) -> None:
        self.edits.append(placed)
        self._steps.append(placed.step)

    def keep(self, moment: tuple[int, int], state: State) -> None:
        """Hold a keyframe at (step, edits)."""
        if moment not in self.keyframes:
            insort(self._order, moment)
        self.keyframes[moment] = state

    def thin(self, stride: int) -> None:
        """Drop keyframes that are not at multiples of `stride`; the start is kept."""
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
        """Keep an evaluation; an equal one at the same step is kept only once."""
        place = bisect_right(self.evaluations, evaluation.step, key=lambda entry: entry.step)
        if (
            evaluation
            not in self.evaluations[bisect_left(self.evaluations, evaluation.step, key=lambda e: e.step) : place]
        ):
            self.evaluations.insert(place, evaluation)

    def merge(self, evaluations: list[Evaluation]) -> None:
        """Insert evaluations in order, each after the existing ones of its step."""
        if len(evaluations) > FEW:
            self.evaluations += evaluations
            self.evaluations.sort(key=lambda entry: entry.step)  # stable, so evaluations of one step keep their order
            return
        for entry in evaluations:
            if not self.evaluations or entry.step >= self.evaluations[-1].step:
                self.evaluations.append(entry)
            else:
                self.evaluations.insert(bisect_right(self.evaluations, entry.step, key=lambda e: e.step), entry)

    def inherits(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation of its parent lies in the part that both share."""
        return evaluation.step <= self.fork and evaluation.edits <= self.shared

    def fork_at(self, moment: Moment, number: int, name: str) -> Branch:
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

    def fork_cost(self, moment: Moment) -> int:
        """How many evaluations and keyframes there are through a step, with any edits: the work of `fork_at`."""
        early = bisect_right(self.evaluations, moment.step, key=lambda entry: entry.step)
        return early + bisect_right(self._order, (moment.step, moment.edits))
