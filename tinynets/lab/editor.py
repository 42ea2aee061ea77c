"""Editor: applies edits to a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinynets.data import Dataset
from tinynets.edits import registry
from tinynets.errors import SaveError
from tinynets.experiment.experiment import Experiment
from tinynets.history.moment import RecordedEdit
from tinynets.history.player import Player, whole
from tinynets.jobs import Job
from tinynets.lab.reports import EditReport
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array, Values
from tinynets.system.paths import expanded
from tinynets.training.frozen import why_nothing_learns
from tinynets.training.state import State, network_of
from tinynets.training.trainer import LOSS

WITHIN = "activation"
"""The family of operations that act on a half-done step: what they change lies ahead of nothing that it has read."""

Numbers = Sequence[Any] | Array | Values


@dataclass(frozen=True)
class LabBench:
    """The run and the saves that an edit can take values from; see `edits.values.Bench`."""

    experiment: Experiment
    open_save: Callable[[str], Experiment]

    @property
    def network(self) -> Network:
        return self.experiment.network

    @property
    def state(self) -> State:
        return self.experiment.state

    @property
    def data(self) -> Dataset:
        return self.experiment.data

    @property
    def probe_batch(self) -> tuple[Array, Array]:
        return self.experiment.probe.x, self.experiment.probe.y

    def split(self, name: str) -> tuple[Array, Array]:
        return self.experiment.split(name)

    def at(self, place: str, name: str) -> Job[tuple[Network, State]]:
        timeline = self.experiment.timeline
        moment = timeline.named(name).seen_end if place == "branch" else timeline.marked(name).moment
        state = yield from self.experiment.state_at(moment)
        return network_of(state, self.network.input_shape), state

    def opened(self, save: str) -> LabBench:
        path = expanded(save)
        if not os.path.exists(path):
            raise SaveError(f"`{path}` does not exist")
        return LabBench(self.open_save(path), self.open_save)


def _forked(before: str, old: str, new: str, step: int) -> str:
    """What became of the branches by an edit in the past: `before` and `old` name the one that was left."""
    if new == before:
        return f"what was undone is branch `{old}` now"
    return f"new branch `{new}` from step {step:,}"


class Editor:
    """Applies the operations of `edits.registry.OPERATIONS` to a run, records them, and reports what each did.

    Each can be undone. A refused one raises EditError or SelectorError that names thing, rule and value, and changes
    nothing. `open_save` opens the saves that values are taken from.
    """

    def __init__(self, experiment: Experiment, open_save: Callable[[str], Experiment]) -> None:
        self._experiment = experiment
        self._bench = LabBench(experiment, open_save)

    @property
    def player(self) -> Player:
        """The player of the run that is edited."""
        return self._experiment.player

    def edit(self, op: str, target: str, given: Mapping[str, Any]) -> Job[EditReport]:
        """Apply an operation; `given` are its arguments as the lab's method takes them, defaults included.

        Values are looked up first. In a half-done step, an edit of activations acts on this very step. For any other
        the step is finished, once it is certain that the edit can be applied; the report says so.
        """
        half, branch = self.player.phases_done > 0, self.player.branch
        name = branch.name
        report = yield from self._edit(op, target, given)
        if self.player.branch is not branch:
            report = replace(report, forked=_forked(name, branch.name, self.player.branch.name, report.step))
        return replace(report, finished=report.step) if half and not report.phase else report

    def _edit(self, op: str, target: str, given: Mapping[str, Any]) -> Job[EditReport]:
        player, operation = self.player, registry.named(op)
        args = operation.given(given, player.position.edits)
        if operation.values is None:
            return self._do(op, target, args)
        found = yield from operation.values(self._bench, target, args)
        if player.phases_done and operation.family != WITHIN:
            registry.resolve(player.network, player.state, op, target, found)
            player.complete_step()
            found = yield from operation.values(self._bench, target, args)
        branch = found.get("branch")
        undone = player.timeline.named(branch).undone_edits if branch is not None else ""
        report = self._do(op, target, found)
        return replace(report, done=f"{report.done}, as on {branch} {undone}") if undone else report

    @whole
    def _do(self, op: str, target: str, args: dict[str, Any]) -> EditReport:
        """Apply an operation and measure the probe before and after it, and the batch of a half-done step."""
        player = self.player
        edit = registry.resolve(player.network, player.state, op, target, args)
        if registry.OPERATIONS[op].family != WITHIN:
            player.complete_step()
        phase = str(player.phase_order[player.phases_done - 1]) if player.phases_done else ""
        batch_before = self._batch_loss()
        was_still = why_nothing_learns(player.network, player.state)
        before, accuracy_before = self._experiment.probe_measures()
        accuracies = [accuracy_before]

        def report(done: str) -> RecordedEdit:
            after, accuracy = self._experiment.probe_measures()
            accuracies.append(accuracy)
            return RecordedEdit(player.position.step, edit, done, before, after, phase)

        placed = player.edit(edit, report)
        still = why_nothing_learns(player.network, player.state)
        since = still if still != was_still else ""
        before, after, (first, *_, last) = placed.before, placed.after, accuracies
        return EditReport(
            placed.step,
            placed.done,
            before,
            after,
            edit.python(),
            first,
            last,
            since,
            phase=phase,
            batch_before=batch_before,
            batch_after=self._batch_loss(),
        )

    def _batch_loss(self) -> float | None:
        """The loss of the half-done step's batch; None before its phase `loss`."""
        player = self.player
        return player.trainer.batch_loss if LOSS in player.phase_order[: player.phases_done] else None
