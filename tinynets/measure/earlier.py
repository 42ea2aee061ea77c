"""Earlier: finds the state that a change is measured against: before the last update, a bookmark, a branch, a step."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace

from tinynets.errors import TimelineError, TinynetsError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.history import moves
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.jobs import run_to_end
from tinynets.training.state import State

QUICK = 0.01
"""While steps are taken, a state that takes longer than this (in seconds) is not looked for again."""


@dataclass(frozen=True)
class Earlier:
    """A state to compare the present one with."""

    state: State | None
    """None if there is none."""
    words: str
    """Since when, or against what: `since before step 5`; without a state, why there is none."""
    moment: Moment | None = None
    exact: bool = True
    """Whether it is the state itself, rather than what the last update leads back to."""


@dataclass
class EarlierStates:
    """Finds the state for a change; the last one found is kept, since it is asked for with every frame."""

    _key: tuple[Hashable, ...] = ()
    _found: Earlier = field(default_factory=lambda: Earlier(None, ""))

    def find(self, experiment: Experiment, against: str | int, moving: bool) -> Earlier:
        """The state of `against`: empty: before the last update; a bookmark, a branch, or a step of this branch.

        `moving`: steps are being taken, so what would cost too much stays the one that was found last.
        """
        try:
            target, words = _target(experiment, against)
        except TinynetsError as error:
            return Earlier(None, str(error))
        if target is None:
            return Earlier(None, words)
        key = (id(experiment.player), against, target, experiment.moment if against == "" else None)
        if key != self._key:
            if moving and self._key[:2] == key[:2] and moves.cost(experiment.player, target)[1] > QUICK:
                return self._found
            self._found = _fetch(experiment, against, target, words)
            self._key = key
        return self._found


def _fetch(experiment: Experiment, against: str | int, target: Moment, words: str) -> Earlier:
    before = experiment.player.trainer.before() if against == "" else None
    if before is not None:
        theta, buffers = before
        return Earlier(replace(experiment.state, theta=theta, buffers=buffers), words, target, exact=False)
    try:
        return Earlier(run_to_end(experiment.state_at(target), experiment.player.lock), words, target)
    except TinynetsError as error:  # the data are not here, so that it cannot be computed
        return Earlier(None, str(error))


def _target(experiment: Experiment, against: str | int) -> tuple[Moment | None, str]:
    """The moment that is meant, and what it is in words; why there is none."""
    here, timeline = experiment.moment, experiment.timeline
    if against == "":
        if not here.step:
            return None, "no step has been done yet"
        before = here.step - 1
        return Moment(
            here.branch, before, experiment.branch.edits_through(before)
        ), f"by the update of step {here.step:,}"
    if isinstance(against, int):
        end = experiment.branch.end.step
        if not 0 <= against <= end:
            raise TimelineError(f"step {against:,} is not recorded on `{experiment.branch.name}`, 0 to {end:,} are")
        return _at(experiment.branch, against), f"since step {against:,}"
    if against in timeline.bookmarks:
        moment = timeline.bookmarks[against].moment
        return moment, f"since bookmark {against} (step {moment.step:,})"
    names = [*timeline.bookmarks, *(branch.name for branch in timeline.branches.values())]
    if against not in names:
        known = ", ".join(names)
        raise TimelineError(f"`{against}` is neither a bookmark nor a branch, only {known}{nearest(against, names)}")
    branch = timeline.named(against)
    step = min(here.step, branch.seen_end.step)
    return _at(branch, step), f"against {against} at step {step:,}"


def _at(branch: Branch, step: int) -> Moment:
    """The moment of a step: after its edits, without those that were undone."""
    seen = branch.seen_end
    return seen if step == seen.step else Moment(branch.number, step, branch.edits_through(step))
