"""Editor: does edits to a running net."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tinynets.data import Dataset
from tinynets.edits import registry
from tinynets.edits import values as sources
from tinynets.edits.arguments import number
from tinynets.errors import EditError, SaveError
from tinynets.experiment.experiment import Experiment
from tinynets.history.moment import RecordedEdit
from tinynets.history.player import Player, whole
from tinynets.jobs import Progress
from tinynets.lab.reports import EditReport
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, select
from tinynets.numerics.arrays import Array, Values, ignore_warnings, plain
from tinynets.system.paths import expanded
from tinynets.training.frozen import why_nothing_learns
from tinynets.training.state import State, network_of

Job = Generator[Progress, None, EditReport]
Numbers = Sequence[Any] | Array | Values


@dataclass(frozen=True)
class LabBench:
    """A run whose other moments, and saves, an edit's values can be taken from; see `sources.Bench`."""

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

    def at(self, place: str, name: str) -> Generator[Progress, None, tuple[Network, State]]:
        timeline = self.experiment.timeline
        moment = timeline.named(name).seen_end if place == "branch" else timeline.marked(name).moment
        state = yield from self.experiment.state_at(moment)
        return network_of(state, self.network.input_shape), state

    def opened(self, save: str) -> LabBench:
        path = expanded(save)
        if not os.path.exists(path):
            raise SaveError(f"`{path}` does not exist")
        return LabBench(self.open_save(path), self.open_save)


class Editor:
    """Does the operations of `edits.OPERATIONS` to a run: recorded, undoable, answered with what each did.

    All raise EditError or SelectorError that names thing, rule and value, and then nothing has changed. `open_save`
    opens saves that values are taken from.
    """

    def __init__(self, experiment: Experiment, open_save: Callable[[str], Experiment]) -> None:
        self._experiment = experiment
        self._bench = LabBench(experiment, open_save)

    @property
    def player(self) -> Player:
        """The live state that is edited."""
        return self._experiment.player

    def mean(self, selector: str, over: str = "probe", *, values: Numbers | None = None) -> Job:
        if values is not None:
            return self.edit("mean", selector, values=values)
        return (
            yield from self._sourced(
                "mean", selector, lambda target: sources.mean_of(self._bench, target, over), over=over
            )
        )

    def resample(self, selector: str, over: str = "train", *, examples: int = 64, values: Numbers | None = None) -> Job:
        ordinal = self.player.position.edits
        if values is not None:
            return self.edit("resample", selector, values=values, ordinal=ordinal)

        def find(target: Selector) -> sources.Found:
            return sources.pool_of(self._bench, target, over, examples, ordinal)

        return (
            yield from self._sourced("resample", selector, find, over=over, examples=plain(examples), ordinal=ordinal)
        )

    def patch(
        self,
        selector: str,
        *,
        example: int | None = None,
        input: Any = None,
        branch: str | None = None,
        bookmark: str | None = None,
        save: str | None = None,
        values: Numbers | None = None,
    ) -> Job:
        places = {"branch": branch, "bookmark": bookmark, "save": save}
        if values is not None:
            if any(value is not None for value in (example, input, *places.values())):
                raise EditError("`patch` takes `values` alone, or where they come from")
            return self.edit("patch", selector, values=values)
        written = input if input is None or isinstance(input, str) else sources.numbers_of(input).tolist()
        said = {"example": example, "input": written, **places}

        def find(target: Selector) -> sources.Found:
            return sources.patch_of(self._bench, target, example, input, places)

        return (yield from self._sourced("patch", selector, find, **_given(said)))

    def steer(
        self,
        selector: str,
        *,
        toward: Any = None,
        away: Any = None,
        over: str = "train",
        scale: float = 1.0,
        values: Numbers | None = None,
    ) -> Job:
        factor = number("steer", {"scale": scale}, "scale")
        if values is not None:
            if toward is not None or away is not None:
                raise EditError("`steer` takes `values` alone, or classes")
            edit = registry.resolve(self.player.network, self.player.state, "steer", selector, {"values": values})
            with ignore_warnings():
                scaled = edit.args["values"].array * self.player.network.dtype.type(factor)
            return self.edit("steer", selector, values=scaled)
        if toward is None:
            raise EditError("`steer` needs `toward=` (a class), or `values=`")

        def find(target: Selector) -> sources.Found:
            return sources.direction_of(self._bench, target, over, toward, away, factor)

        said = {"toward": toward, "away": away, "over": over, "scale": factor}
        return (yield from self._sourced("steer", selector, find, **_given(said)))

    def transplant(
        self,
        selector: str,
        *,
        save: str | None = None,
        branch: str | None = None,
        bookmark: str | None = None,
        source: str | None = None,
        values: Numbers | None = None,
    ) -> Job:
        if values is not None:
            return self.edit("transplant", selector, values=values)
        places = {"branch": branch, "bookmark": bookmark, "save": save}

        def find(target: Selector) -> sources.Found:
            return sources.learned_of(self._bench, target, source, places)

        return (yield from self._sourced("transplant", selector, find, **_given({**places, "source": source})))

    def _sourced(self, op: str, selector: str, find: Callable[[Selector], sources.Found], **said: Any) -> Job:
        """An edit whose values are to be found; a half-done step is finished once it is known that they can be."""
        player = self.player
        target = select(player.network, selector)
        if player.phases_done:
            found = yield from find(target)
            registry.resolve(player.network, player.state, op, selector, {**said, "values": found})
            player.complete_step()
        found = yield from find(target)
        branch = said.get("branch")
        undone = player.timeline.named(branch).undone_edits if branch is not None else ""
        report = self.edit(op, selector, **said, values=found)
        return replace(report, done=f"{report.done}, as on {branch} {undone}") if undone else report

    @whole
    def edit(self, op: str, target: str, **args: Any) -> EditReport:
        """Do an operation, with the probe measured before and behind it; a half-done step is finished first."""
        player = self.player
        edit = registry.resolve(player.network, player.state, op, target, args)
        player.complete_step()
        was_still = why_nothing_learns(player.network, player.state)
        before, accuracy_before = self._experiment.probe_measures()
        accuracies = [accuracy_before]

        def report(done: str) -> RecordedEdit:
            after, accuracy = self._experiment.probe_measures()
            accuracies.append(accuracy)
            return RecordedEdit(player.position.step, edit, done, before, after)

        placed = player.edit(edit, report)
        still = why_nothing_learns(player.network, player.state)
        since = still if still != was_still else ""
        before, after, (first, *_, last) = placed.before, placed.after, accuracies
        return EditReport(placed.step, placed.done, before, after, edit.python(), first, last, since)


def _given(said: dict[str, Any]) -> dict[str, Any]:
    """Those arguments that were given, their numbers Python's own."""
    return {name: plain(value) for name, value in said.items() if value is not None}
