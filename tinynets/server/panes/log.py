"""The log: all that was done on the way along a branch, each action as its line of Python, with the loss around it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan

from tinynets.experiment.experiment import Experiment
from tinynets.history.branch import Branch
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import Bookmark, RecordedEdit
from tinynets.lab.verb import call_line
from tinynets.server.frame import Log, LogRow

Place = tuple[int, int]
"""Steps done, and edits of the branch applied."""
Done = RecordedEdit | Evaluation | Bookmark | str
"""What was done at one place; a text is the name of a branch that was forked there."""


@dataclass(frozen=True)
class Entry:
    """One row before it is put into words: where it leads, and what was done; None for steps."""

    place: Place
    first: int
    """Steps done before it."""
    done: Done | None = None
    singly: bool = False
    """Whether steps were made one by one."""


@dataclass
class ActionList:
    """The rows of the current branch. They are listed anew only when something was done; each frame takes a window."""

    _known: object = None
    _entries: list[Entry] = field(default_factory=list)
    _places: list[Place] = field(default_factory=list)

    def log(self, experiment: Experiment, at: int, count: int) -> Log:
        """The rows around row `at`, or around the present one where that is below 0."""
        self._follow(experiment)
        branch, moment = experiment.branch, experiment.moment
        end, here = len(branch.losses), (moment.step, moment.edits)
        entries, places = self._entries, self._places
        last = places[-1][0]
        total = len(entries) + (end > last)  # the steps of a run that has not ended are one row more
        done = bisect_right(places, here)
        if end > last and here[0] == end:
            done = total
        begun = entries[done - 1].place[0] if 0 < done <= len(entries) else last
        within = moment.step if done < total and moment.step > begun else None
        centre = min(max(at, 0), total - 1) if at >= 0 else max(0, done - 1)
        first = max(0, min(centre - count // 2, total - count))
        shown = entries[first : first + count]
        if end > last and first + count >= total:
            shown = [*shown, Entry((end, places[-1][1]), last)]
        return Log(tuple(_row(experiment, entry) for entry in shown), first, total, done, within)

    def _follow(self, experiment: Experiment) -> None:
        """List the rows anew if anything was done since, or if the branch is another."""
        timeline, branch = experiment.timeline, experiment.branch
        actions, marks = timeline.actions, timeline.bookmarks
        known = (
            *(branch.number, branch.name, len(branch.edits), len(branch.evaluations)),
            *marks.values(),
            *(len(actions), actions[-1] if actions else None, len(timeline.undone), len(timeline.branches)),
        )
        if known != self._known:
            self._known = known
            self._entries = list(_entries(experiment))
            self._places = [entry.place for entry in self._entries]


def _entries(experiment: Experiment) -> Iterator[Entry]:
    """All rows but that of a run that has not ended: the start, what was done, and the steps between."""
    cuts = _cuts(experiment)
    done = sorted(_done(experiment), key=lambda found: found[:2])
    yield Entry((0, 0), 0, "")
    at, edits = 0, 0
    for place, _, what in done:
        yield from _steps(at, place[0], edits, cuts)
        at, edits = place[0], place[1] + isinstance(what, RecordedEdit)
        yield Entry((at, edits), at, what)
    if cuts and cuts[-1] > at:
        yield from _steps(at, cuts[-1], edits, cuts)


def _steps(first: int, end: int, edits: int, cuts: list[int]) -> Iterator[Entry]:
    """The steps between two places, cut where the actions that made them began; single steps in a row are one entry."""
    inside = cuts[bisect_right(cuts, first) : bisect_left(cuts, end)]
    begun: int | None = None
    for start, stop in pairwise([first, *inside, end] if end > first else []):
        if stop - start == 1:
            begun = start if begun is None else begun
            continue
        if begun is not None:
            yield Entry((start, edits), begun, singly=True)
            begun = None
        yield Entry((stop, edits), start)
    if begun is not None:
        yield Entry((end, edits), begun, singly=True)


def _cuts(experiment: Experiment) -> list[int]:
    """The steps at which the actions that recorded this branch began and ended.

    An action that only went over recorded steps cuts nothing. Where nothing is known of them, as in a part of a save
    that undo does not reach, steps are one row from edit to edit.
    """
    timeline = experiment.timeline
    limits = {branch.number: limit for branch, limit in _way(experiment)}
    found: set[int] = set()
    reached = 0
    for before, after in [*timeline.actions, *reversed(timeline.undone)]:
        end = min(after.step, limits.get(after.branch, 0))
        if end > reached and after.step > before.step:
            found |= {max(before.step, reached), end}
            reached = end
    return sorted(found)


def _way(experiment: Experiment) -> Iterator[tuple[Branch, int]]:
    """The current branch and those it was forked from, each with the last step that belongs to its past."""
    branch, limit = experiment.branch, len(experiment.branch.losses)
    yield branch, limit
    while branch.parent is not None:
        limit = min(limit, branch.fork)
        branch = experiment.timeline.branches[branch.parent]
        yield branch, limit


def _done(experiment: Experiment) -> Iterator[tuple[Place, int, Done]]:
    """Forks, bookmarks, evaluations that someone asked for, and edits: the place, the order there, and what it was."""
    timeline, current = experiment.timeline, experiment.branch
    end: Place = current.end[1:]
    for branch, _ in _way(experiment):
        forked = branch.fork, branch.shared
        if branch.parent is not None and forked <= end:  # else the next one was forked before, and shares less
            yield forked, 0, branch.name
        end = min(end, forked)
    for mark in timeline.bookmarks.values():
        if timeline.shares(current, mark.moment):
            yield mark.moment[1:], 1, mark
    for entry in current.evaluations:
        arrived = current.edits_through(entry.step - 1) == entry.edits
        automatic = arrived and not entry.clean and entry.split == "dev" and experiment.evaluates_at(entry.step)
        if not automatic:
            yield (entry.step, entry.edits), 2, entry
    for index, placed in enumerate(current.edits):
        yield (placed.step, index), 3, placed


# -- in words


def _row(experiment: Experiment, entry: Entry) -> LogRow:
    branch, (step, edits) = experiment.branch, entry.place
    here = edits - branch.edits_through(step - 1)
    all_of_them = edits == branch.edits_through(step)
    text, python, before, after, op = _words(experiment, entry)
    return LogRow(text, python, step, None if all_of_them else here, before, after, op, entry.first)


def _words(experiment: Experiment, entry: Entry) -> tuple[str, str, float | None, float | None, str]:
    """What is shown of an entry, its Python, the loss before and after, and its operation."""
    match entry.done:
        case RecordedEdit() as placed:
            line = placed.edit.python()
            shown = f"{line}  # in the step, after {placed.phase}" if placed.phase else line
            return shown, line, _measured(placed.before), _measured(placed.after), placed.edit.op
        case Evaluation() as found:
            line = call_line("evaluate", (found.split,), {"clean": True} if found.clean else {})
            return line, line, None, found.loss, ""
        case Bookmark() as mark:
            line = call_line("bookmark", (mark.name, *([mark.note] if mark.note else [])), {})
            return line, line, None, None, ""
        case "":
            line = call_line("open", (experiment.recipe.name,), {})
            return line, line, None, None, ""
        case str(name):
            line = call_line("fork", (name,), {})
            return line, line, None, None, ""
    return _steps_in_words(experiment, entry)


def _measured(loss: float) -> float | None:
    """A loss, or None where an old save did not keep it."""
    return None if isnan(loss) else loss


def _steps_in_words(experiment: Experiment, entry: Entry) -> tuple[str, str, float | None, float | None, str]:
    """A run of steps: the loss before it is that of the step before; at the start, that of the first batch."""
    first, last = entry.first, entry.place[0]
    count, losses = last - first, experiment.branch.losses.values
    line = call_line("run", (count,), {}) if count > 1 else call_line("step", (), {})
    shown = f"lab.step() x {count}" if entry.singly and count > 1 else line
    before = float(losses[first - 1]) if first else float(losses[0]) if count > 1 else None
    return shown, line, before, float(losses[last - 1]), ""
