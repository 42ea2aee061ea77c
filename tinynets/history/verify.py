"""Verifies a run: recomputes one branch or all of them and compares with the recorded states and losses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from tinynets.errors import TinynetsError
from tinynets.foreign_text import printable
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.history.moves import compute_on, go
from tinynets.history.player import Player
from tinynets.history.timeline import Timeline
from tinynets.jobs import Job, Progress
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.training.state import State

SHOWN = 4  # places that a line names at most
ELSEWHERE = (
    "recorded with another processor, numpy or number of threads: the last bits may differ; "
    "computed on from each stored keyframe"
)
Place = tuple[int, int]
"""Steps done and edits applied."""


@dataclass(frozen=True)
class Difference:
    """A place where two states differ, such as `hidden.w` or `momentum of hidden.w`, and the largest |difference|."""

    place: str
    largest: float = 0.0

    def __str__(self) -> str:
        return f"{self.place} (at most {self.largest:.3g})" if self.largest else self.place


@dataclass(frozen=True)
class Divergence:
    """A stretch between two keyframes with another result than recorded."""

    branch: str
    step: int
    """The first step whose loss, or state, differs."""
    keyframe: int | None
    """The step of the compared keyframe; None after the last one, where there are only losses."""
    places: tuple[Difference, ...]
    """What differs in the keyframe, the largest first; empty if only the losses do."""
    largest: float
    """Largest |difference| of a value or a loss."""
    failed: str = ""
    """Why it could not be computed."""

    def __str__(self) -> str:
        where = f"branch {self.branch} at step {self.step:,}"
        if self.failed:
            return f"{where}: cannot be computed: {self.failed}"
        if not self.places:
            return f"{where}: the losses (at most {self.largest:.3g})"
        named = ", ".join(map(str, self.places[:SHOWN]))
        more = f" and {len(self.places) - SHOWN} more" if len(self.places) > SHOWN else ""
        seen = f" in the keyframe of step {self.keyframe:,}" if self.keyframe != self.step else ""
        return f"{where}: {named}{more}{seen}"


@dataclass(frozen=True)
class VerifyReport:
    """The result of recomputing all branches."""

    branches: int
    steps: int
    edits: int
    keyframes: int
    """Keyframes compared, byte for byte."""
    losses: int
    """Step losses compared, bit for bit."""
    divergences: tuple[Divergence, ...]
    """In the order of the tree; after one, computing goes on from the stored keyframe."""
    same_machine: bool
    """Whether processor, numpy and number of threads are the same as in the recording."""
    start: str = ""
    """The start in words: as recipe and seed give it, or not, or from given parameters."""

    @property
    def equal(self) -> bool:
        return not self.divergences

    @property
    def largest(self) -> float:
        """The largest |difference| found."""
        return max((entry.largest for entry in self.divergences), default=0.0)

    def __str__(self) -> str:
        return "\n".join(map(printable, self.lines()))

    def lines(self) -> list[str]:
        done = _counted(self.branches, "branch", "branches")
        what = f"{done}, {self.steps:,} steps and {_counted(self.edits, 'edit')} computed again"
        begun = f", from {self.start}" if self.start else ""
        compared = f"{what}{begun}, {_counted(self.keyframes, 'keyframe')} and {self.losses:,} losses compared"
        if self.equal:
            return [f"{compared}: the same bytes"]
        made = [f"{compared}: differs first on {self.divergences[0]}"]
        made += [f"  then on {entry}" for entry in self.divergences[1:]]
        if not self.same_machine:
            made.append(f"  {ELSEWHERE}, the largest difference met is {self.largest:.3g}")
        return made


def _counted(count: int, word: str, words: str = "") -> str:
    return f"{count:,} {word if count == 1 else words or word + 's'}"


@dataclass(frozen=True)
class Origin:
    """The stated start of a run: the name of its recipe, its seed, and how to make that start again."""

    recipe: str
    seed: int
    given: bool
    """Whether its parameters were given, so that there is nothing to compare them with."""
    make: Callable[[], tuple[Network, State]]


def verify(recorded: Player, origin: Origin) -> Job[VerifyReport]:
    """Recompute every branch, stretch by stretch from keyframe to keyframe, and compare; the player does not move."""
    recorded.need_data()
    branches = [recorded.timeline.branches[entry.number] for entry in recorded.timeline.tree()]
    stretches = [(branch, *stretch) for branch in branches for stretch in _stretches(branch)]
    total = sum(target[0] - begin[0] for _, begin, target in stretches)
    start, differs = _start(origin, branches[0])
    found: list[Divergence] = [] if differs is None else [differs]
    done = keyframes = 0
    player, playing = recorded, -1
    computed: State | None = None
    """The computed state at the keyframe before, if it differs."""
    for branch, begin, target in stretches:
        if branch.number != playing:
            player, playing, computed = _player_of(recorded, branch), branch.number, None
        before = Progress(done, total, "steps")
        divergence = yield from _stretch(player, branch, branch.keyframes[begin], begin, target, before)
        if divergence is not None and computed is not None:  # then the keyframe before may have been altered
            again = yield from _stretch(player, branch, computed, begin, target, before)
            divergence = divergence if again is not None else None
        computed = player.state.copy() if divergence is not None and not divergence.failed else None
        found += [divergence] if divergence is not None else []
        done += target[0] - begin[0]
        keyframes += target in branch.keyframes
    edits = sum(len(branch.edits) - (branch.shared if branch.parent is not None else 0) for branch in branches)
    return VerifyReport(len(branches), done, edits, keyframes, done, tuple(found), _same_machine(recorded), start)


def _same_machine(player: Player) -> bool:
    return not player.timeline.elsewhere


def _start(origin: Origin, branch: Branch) -> tuple[str, Divergence | None]:
    """The stored start in words, and where it differs from the one by recipe and seed."""
    kept = branch.keyframes[0, 0]
    start = f"what recipe `{origin.recipe}` and seed {origin.seed} give"
    try:
        network, made = origin.make()
    except TinynetsError as error:
        return f"a start that cannot be held against {start}", Divergence(branch.name, 0, 0, (), 0.0, str(error))
    if origin.given and kept.theta.shape == made.theta.shape and kept.theta.dtype == made.theta.dtype:
        start = "parameters that were given and can be held against no seed"
        made.theta[:] = kept.theta
    places = differences(network, made, kept)
    if not places:
        return start, None
    largest = max(place.largest for place in places)
    return f"a start that is not {start}", Divergence(branch.name, 0, 0, places, largest)


def _stretches(branch: Branch) -> Iterator[tuple[Place, Place]]:
    """The stretches from keyframe to keyframe and to the end; for a forked branch, only its own part."""
    begin = (0, 0) if branch.parent is None else branch.nearest(branch.fork, branch.shared)
    for key in sorted(key for key in {*branch.keyframes, branch.end[1:]} if key > begin):
        yield begin, key
        begin = key


def _player_of(recorded: Player, branch: Branch) -> Player:
    """A player for a branch's edits, on a separate timeline that keeps no states."""
    timeline = Timeline(branch.keyframes[0, 0], budget=1)
    for placed in branch.edits:
        timeline.branch.append_edit(placed)
    return Player(timeline, recorded.loss, recorded.examples, leads=False)


def _stretch(
    player: Player, branch: Branch, state: State, begin: Place, target: Place, before: Progress
) -> Job[Divergence | None]:
    """Compute from the state at one keyframe to the next one or the end; returns the divergence, if any."""
    first, last = begin[0], target[0]
    own, kept = player.timeline.branch, branch.losses.part(first, last)
    if len(own.losses) != first:
        own.losses = branch.losses.head(first)
    failed = ""
    try:
        for progress in compute_on(player, state, Moment(0, *begin), Moment(0, *target)):
            yield Progress(before.done + progress.done, before.total, before.what)
    except TinynetsError as error:
        failed = str(error)
    found = own.losses.part(first, len(own.losses))
    different = np.flatnonzero(found != kept[: len(found)])
    places: tuple[Difference, ...] = ()
    if target in branch.keyframes and not failed:
        places = differences(player.network, player.state, branch.keyframes[target])
    if not failed and not places and not different.size:
        return None
    apart = np.abs(found[different].astype(np.float64) - kept[different])
    largest = max([float(apart.max(initial=0.0)), *(place.largest for place in places)])
    step = first + int(different[0]) + 1 if different.size else first + len(found)
    return Divergence(branch.name, step, last if places else None, places, largest, failed)


# -- where two states differ


def differences(network: Network, found: State, kept: State) -> tuple[Difference, ...]:
    """Where two states of one network differ, the largest difference first; empty if all bytes are the same."""
    if found.digest() == kept.digest():
        return ()
    ours, theirs = found.config(), kept.config()
    made = [Difference(name) for name in ours if ours[name] != theirs[name]]
    arrays = [("frozen", found.frozen, kept.frozen), ("frozen buffers", found.frozen_buffers, kept.frozen_buffers)]
    arrays.append(("counts of updates", found.counts, kept.counts))
    made += [Difference(name) for name, one, other in arrays if not np.array_equal(one, other)]
    values: list[Difference] = []
    for name in sorted({*values_of(found), *values_of(kept)}):
        one, other = values_of(found).get(name), values_of(kept).get(name)
        if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
            made.append(Difference(name))
        else:
            values += _by_place(network, name, one, other)
    return tuple(sorted(values, key=lambda entry: -entry.largest)) + tuple(made)


def values_of(state: State) -> dict[str, Array]:
    """The arrays of a state that a step changes."""
    return {"theta": state.theta, "buffers": state.buffers, **state.slots}


def _by_place(network: Network, name: str, one: Array, other: Array) -> Iterator[Difference]:
    """Differences by place: parameters, slots or carried arrays whose bytes differ."""
    start = 0
    for layer in network.layers:
        for entry in layer.carried() if name == "buffers" else layer.parameters():
            ours, theirs = (vector[start : start + entry.size] for vector in (one, other))
            start += entry.size
            if ours.tobytes() != theirs.tobytes():
                with np.errstate(invalid="ignore", over="ignore"):
                    largest = float(np.abs(ours.astype(np.float64) - theirs).max(initial=0.0))
                place = f"{layer.name}.{entry.name}"
                yield Difference(place if name in ("theta", "buffers") else f"{name} of {place}", largest)


# -- one branch, from its start


@dataclass
class ReplayReport:
    """The result of a replay: how much was compared, and the first moment that differs."""

    steps: int
    edits: int
    compared: int = 0
    """Keyframes compared, byte for byte."""
    losses: int = 0
    """Step losses compared, bit for bit."""
    first_difference: int | None = None
    """The first step whose keyframe or loss differs."""
    largest_difference: float = 0.0
    """Largest |difference| of a parameter, an optimizer's slot or a carried value among the keyframes that differ."""
    digests: dict[int, str] = field(default_factory=dict)
    same_machine: bool = True
    """Whether processor, numpy and number of threads are those it was recorded with; else it was computed on from each
    stored keyframe, as replaying does in the lab."""

    @property
    def equal(self) -> bool:
        return self.first_difference is None

    def __str__(self) -> str:
        done = f"{self.steps:,} steps and {_counted(self.edits, 'edit')} replayed"
        what = f"{done}, {_counted(self.compared, 'keyframe')} and {self.losses:,} losses compared"
        if self.equal:
            return f"{what}: the same bytes"
        found = f"{what}: differs first at step {self.first_difference:,}, at most by {self.largest_difference:.3g}"
        return found if self.same_machine else f"{found}; {ELSEWHERE}"


def replay(
    played: Player, every: int | None = None, show: Callable[[Progress], None] = lambda progress: None
) -> ReplayReport:
    """Recompute the current branch of a player from its start state; the player itself does not change.

    `every`: note the digest at this interval of steps. `show` is called with the progress.
    """
    played.need_data()
    recorded = played.branch
    player = _player_of(played, recorded)
    report = ReplayReport(len(recorded.losses), len(recorded.edits), same_machine=_same_machine(played))
    for step, count in sorted({*recorded.keyframes, *_every(recorded, every), (recorded.end.step, recorded.end.edits)}):
        for progress in go(player, Moment(0, step, count)):
            show(Progress(step - progress.total + progress.done if progress.total else step, report.steps, "steps"))
        if (step, count) in recorded.keyframes:
            report.compared += 1
            kept = recorded.keyframes[step, count]
            places = differences(player.network, player.state, kept)
            if places and not report.same_machine:
                for _ in compute_on(player, kept, player.position, player.position):
                    pass
            if places:
                report.first_difference = min(report.first_difference or step, step)
                report.largest_difference = max([report.largest_difference, *(place.largest for place in places)])
        if every and step and step % every == 0:
            report.digests[step] = player.state.digest()
    found, losses = player.branch.losses.values, recorded.losses.values
    report.losses = len(losses)
    different = np.flatnonzero(found != losses)
    if different.size:
        first = int(different[0]) + 1
        report.first_difference = min(report.first_difference or first, first)
    return report


def _every(branch: Branch, every: int | None) -> set[Place]:
    """The moments after the last edit, at this interval of steps."""
    return {(step, branch.edits_through(step)) for step in range(0, len(branch.losses) + 1, every)} if every else set()
