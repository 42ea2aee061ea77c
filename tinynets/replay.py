"""Replaying a recorded branch from its start, and comparing what comes out with what was kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tinynets.arrays import Array
from tinynets.lab import Lab
from tinynets.playback import Player
from tinynets.reports import Progress
from tinynets.state import State
from tinynets.timeline import Branch, Moment, Timeline


@dataclass
class ReplayReport:
    """What a replay found: how much was compared, and the first moment that came out differently."""

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

    @property
    def equal(self) -> bool:
        return self.first_difference is None

    def __str__(self) -> str:
        done = f"{self.steps:,} steps and {self.edits} edits replayed"
        what = f"{done}, {self.compared} keyframes and {self.losses:,} losses compared"
        if self.equal:
            return f"{what}: the same bytes"
        return f"{what}: differs first at step {self.first_difference:,}, at most by {self.largest_difference:.3g}"


def replay(
    lab: Lab, every: int | None = None, show: Callable[[Progress], None] = lambda progress: None
) -> ReplayReport:
    """Compute the current branch of a lab again from its start state; the lab itself is left as it is.

    `every`: note the digest at every so many steps. `show` is told how far it is.
    """
    recorded = lab.player.branch
    player = Player(Timeline(recorded.keyframes[0, 0]), lab.player.loss, lab.player.x, lab.player.y, lab.player.weight)
    for placed in recorded.edits:
        player.branch.place(placed)
    report = ReplayReport(len(recorded.losses), len(recorded.edits))
    for step, count in sorted({*recorded.keyframes, *_every(recorded, every), (recorded.end.step, recorded.end.edits)}):
        for progress in player.go(Moment(0, step, count)):
            show(Progress(step - progress.total + progress.done if progress.total else step, report.steps, "steps"))
        if (step, count) in recorded.keyframes:
            _compare(report, player.state, recorded.keyframes[step, count])
        if every and step and step % every == 0:
            report.digests[step] = player.state.digest()
    _compare_losses(report, player.branch.losses.values, recorded.losses.values)
    return report


def _every(branch: Branch, every: int | None) -> set[tuple[int, int]]:
    """The moments after the last edit at every so many steps."""
    return {(step, branch.edits_through(step)) for step in range(0, len(branch.losses) + 1, every)} if every else set()


def _compare_losses(report: ReplayReport, found: Array, kept: Array) -> None:
    report.losses = len(kept)
    different = np.flatnonzero(found != kept)
    if different.size:
        first = int(different[0]) + 1
        report.first_difference = min(report.first_difference or first, first)


def _compare(report: ReplayReport, found: State, kept: State) -> None:
    report.compared += 1
    if found.digest() != kept.digest():
        report.first_difference = min(report.first_difference or kept.step, kept.step)
        ours, theirs = _values(found), _values(kept)
        for name in ours.keys() & theirs.keys():
            if ours[name].shape == theirs[name].shape:
                largest = float(np.abs(ours[name].astype(np.float64) - theirs[name]).max(initial=0.0))
                report.largest_difference = max(report.largest_difference, largest)


def _values(state: State) -> dict[str, Array]:
    """The arrays of a state that a step computes."""
    return {"theta": state.theta, "buffers": state.buffers} | {
        f"slot {name}": slot for name, slot in state.slots.items()
    }
