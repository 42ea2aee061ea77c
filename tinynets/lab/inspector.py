"""Inspector: answers questions about a run without moving or changing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np

from tinynets.edits.kinds import BLOCK, COMPARED, EXAMPLE, INPUT, NUMBER, ON, SCRIPT, SPLIT, TEXT, UNIT, WHOLE
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.generation import TextGenerator
from tinynets.experiment.prediction import Prediction, predict
from tinynets.history.evaluation import Evaluation
from tinynets.history.player import Player
from tinynets.history.verify import Origin, VerifyReport, verify
from tinynets.jobs import Job
from tinynets.lab.reports import LogEntry
from tinynets.lab.script import script_of, write_script
from tinynets.lab.verb import verb
from tinynets.measure.compare import compare_branches, resolve_branch
from tinynets.measure.comparison import Comparison
from tinynets.measure.confusion import Confusion, confusion_of
from tinynets.measure.explain import On, explain
from tinynets.measure.explanation import Explanation
from tinynets.measure.worth import EXAMPLES, Worth, worth
from tinynets.nn.interventions import Intervention
from tinynets.storage.session_files import SessionFiles
from tinynets.training.frozen import frozen_units


class Inspector:
    """Answers questions about a run without moving or changing it. `files`: where the run is saved."""

    def __init__(self, experiment: Experiment, files: SessionFiles) -> None:
        self._experiment = experiment
        self._files = files
        self._writer = TextGenerator(experiment.data)

    @property
    def player(self) -> Player:
        """The player of the run that is inspected."""
        return self._experiment.player

    # -- the network at this moment

    @verb("looking", "how a unit comes to its value, what it responds to, what it does to the outputs", lets_run=True)
    def explain(
        self,
        selector: Annotated[str, UNIT],
        example: Annotated[int, WHOLE.called("EXAMPLE")] = 0,
        *,
        split: Annotated[str, SPLIT] = "train",
        top: Annotated[int, WHOLE] = 8,
        input: Annotated[Any, INPUT.called("TEXT|NUMBERS")] = None,
        of: Annotated[str | None, SPLIT] = None,
    ) -> Job[Explanation]:
        """How a unit gets its value and gradient on an example, what it responds to and what it affects."""
        return explain(self._experiment, selector, On(example, input, of), split, top)

    @verb("looking", "by how much the loss rises without each unit of a block: each is zeroed in turn", lets_run=True)
    def worth(
        self,
        block: Annotated[str, BLOCK],
        *,
        split: Annotated[str | None, SPLIT] = None,
        examples: Annotated[int | None, WHOLE] = EXAMPLES,
    ) -> Job[Worth]:
        """The loss over a split with all units of a block, and without each of them."""
        return worth(self._experiment, block, split, examples)

    @verb(
        "looking",
        "loss and accuracy over a split (dev), or over N of it; clean: without the interventions",
        lets_run=True,
        shows=True,
    )
    def evaluate(
        self,
        split: Annotated[str | None, SPLIT] = None,
        *,
        clean: Annotated[bool, ON] = False,
        examples: Annotated[int | None, WHOLE] = None,
    ) -> Job[Evaluation]:
        """Mean loss (and accuracy) over a whole split, or over a number of `examples` of it."""
        return self._experiment.evaluate(split, clean=clean, examples=examples)

    @verb("looking", "which class a split (dev) is taken for which, counted", lets_run=True, shows=True)
    def confusion(self, split: Annotated[str | None, SPLIT] = None) -> Job[Confusion]:
        """How often each class of a split was taken for each."""
        return confusion_of(self._experiment, split)

    @verb("looking", "write N names with the network as it stands", lets_run=True, shows=True)
    def sample(
        self,
        n: Annotated[int, WHOLE] = 10,
        *,
        temperature: Annotated[float, NUMBER.called("T")] = 1.0,
        seed: Annotated[int | None, WHOLE.called("S")] = None,
        prefix: Annotated[str, TEXT] = "",
    ) -> tuple[str, ...]:
        """n generated texts that start with `prefix`; the same when asked again at the same moment."""
        seed = self._experiment.recipe.training.hyper.seed if seed is None else seed
        return self._writer.sample(self.player.network, n, temperature, seed, prefix)

    @verb(
        "looking",
        "what comes after a text, or out for numbers, as 0.3,-1, or for an example of the data",
        lets_run=True,
        shows=True,
    )
    def predict(
        self,
        input: Annotated[Any, INPUT.called("TEXT|NUMBERS")] = None,
        *,
        example: Annotated[int | None, EXAMPLE] = None,
        split: Annotated[str | None, SPLIT] = None,
    ) -> Prediction:
        """The network's prediction for an input, or for an `example` of the data."""
        return predict(self._experiment, input, example, split)

    def map_errors(self, split: str = "train") -> dict[str, float]:
        """Quantization and topographic error of a self-organizing map; empty for other networks."""
        return self._experiment.evaluator.map_errors(self.player.network, split)

    @verb("looking", "the edits that led to this moment", lets_run=True, read=True)
    def log(self) -> tuple[LogEntry, ...]:
        """The edits that led to this moment, in order."""
        player = self.player
        return tuple(LogEntry.of(placed) for placed in player.branch.edits[: player.position.edits])

    @verb("looking", "what stands on activations at this moment", lets_run=True, read=True)
    def interventions(self) -> tuple[Intervention, ...]:
        """The interventions that are in force at this moment."""
        return self._experiment.interventions

    @verb("looking", "the units that are frozen at this moment", lets_run=True, read=True)
    def frozen(self) -> dict[str, tuple[int, ...]]:
        """The frozen units of each block that has any, by block."""
        network, frozen, found = self.player.network, self.player.state.frozen, {}
        for block in network.blocks:
            mask = frozen_units(network, frozen, block)
            if mask.any():
                found[block.name] = tuple(int(unit) for unit in np.flatnonzero(mask))
        return found

    @verb("looking", "how many single weights are frozen, by parameter", lets_run=True, read=True)
    def frozen_weights(self) -> dict[str, int]:
        """The number of elements frozen one by one in each parameter, not counting units that are frozen whole."""
        network, units, found = self.player.network, self.frozen(), {}
        for block in network.blocks:
            whole = network.unit_indices(block, units.get(block.name, ())) if block.units else np.empty(0, np.int64)
            alone = np.setdiff1d(self.player.state.frozen, whole)
            for index in range(block.first, block.last + 1):
                for entry in network.layers[index].parameters():
                    where = network.parameter_slice(index, entry.name)
                    count = int(((alone >= where.start) & (alone < where.stop)).sum())
                    if count:
                        found[f"{block.name}.{entry.name}"] = count
        return found

    @verb("looking", "the evaluations of this branch, in the order of their steps", lets_run=True, read=True)
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The evaluations of this branch, in the order of their steps."""
        return tuple(self.player.branch.evaluations)

    # -- the whole run

    @verb(
        "time",
        "two branches or saves side by side; with one, the current branch against it",
        lets_run=True,
        after="tree",
    )
    def compare(
        self,
        a: Annotated[str, COMPARED],
        b: Annotated[str | None, COMPARED.called("B")] = None,
        *,
        step: Annotated[int | None, WHOLE] = None,
    ) -> Job[Comparison]:
        """Compare two branches or saves; with one name, the current branch with it."""
        first, second = (self.player.branch.name, a) if b is None else (a, b)
        ours, theirs = (resolve_branch(self._experiment, self._files.path, name) for name in (first, second))
        return (yield from compare_branches(ours, theirs, step))

    @verb("files", "compute every branch again and compare with what was kept", shows=True)
    def verify(self) -> Job[VerifyReport]:
        """Recompute every branch from its start and compare each keyframe and each loss with the recorded one."""
        experiment, recipe = self._experiment, self._experiment.recipe
        given = recipe.data["set"] == "arrays"
        origin = Origin(recipe.name, recipe.training.hyper.seed, given, experiment.initial)
        return verify(experiment.player, origin)

    @verb("files", "the whole run as a Python script that rebuilds it", lets_run=True, shows=True)
    def script(
        self, path: Annotated[str | Path | None, SCRIPT] = None, *, overwrite: Annotated[bool, ON] = False
    ) -> Job[str]:
        """A Python script that rebuilds the whole run and checks that it ends at the same bytes."""
        text = yield from script_of(self._experiment, self._files.path)
        return text if path is None else write_script(text, path, overwrite)
