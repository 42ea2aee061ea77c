"""Inspector: answers questions about a run, which it leaves where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.generation import TextGenerator
from tinynets.experiment.prediction import Prediction, predict
from tinynets.history.evaluation import Evaluation
from tinynets.history.player import Player
from tinynets.history.verify import Origin, VerifyReport, verify
from tinynets.jobs import Job
from tinynets.lab.script import script_of, write_script
from tinynets.measure.compare import compare_branches, resolve_branch
from tinynets.measure.comparison import Comparison
from tinynets.measure.explain import explain
from tinynets.measure.explanation import Explanation
from tinynets.storage.session_files import SessionFiles
from tinynets.training.frozen import frozen_units


class Inspector:
    """Answers questions about a run, which it leaves where it stands. `files`: where the run is saved."""

    def __init__(self, experiment: Experiment, files: SessionFiles) -> None:
        self._experiment = experiment
        self._files = files
        self._writer = TextGenerator(experiment.data)

    @property
    def player(self) -> Player:
        """The live state that is looked at."""
        return self._experiment.player

    # -- the network as it stands

    def evaluate(
        self, split: str | None = None, *, clean: bool = False, examples: int | None = None
    ) -> Job[Evaluation]:
        """Mean loss (and accuracy) over a whole split, or over so many `examples` of it."""
        return self._experiment.evaluate(split, clean=clean, examples=examples)

    def explain(self, selector: str, example: int = 0, *, split: str = "train", top: int = 8) -> Job[Explanation]:
        """How one unit comes to its value on an example of the probe, what came back, what it responds to, what for."""
        return explain(self._experiment, selector, example, split, top)

    def map_errors(self, split: str = "train") -> dict[str, float]:
        """Quantization and topographic error of a self-organizing map; nothing of other networks."""
        return self._experiment.evaluator.map_errors(self.player.network, split)

    def sample(
        self, n: int = 10, *, temperature: float = 1.0, seed: int | None = None, prefix: str = ""
    ) -> tuple[str, ...]:
        """n generated texts that start with `prefix`; the same when asked again at the same moment."""
        seed = self._experiment.recipe.training.hyper.seed if seed is None else seed
        return self._writer.sample(self.player.network, n, temperature, seed, prefix)

    def predict(self, input: Any = None, *, example: int | None = None, split: str | None = None) -> Prediction:
        """What the network says of an input, or of an `example` of the data."""
        return predict(self._experiment, input, example, split)

    def frozen(self) -> dict[str, tuple[int, ...]]:
        """Block -> its frozen units, for the blocks that have any."""
        network, frozen, found = self.player.network, self.player.state.frozen, {}
        for block in network.blocks:
            mask = frozen_units(network, frozen, block)
            if mask.any():
                found[block.name] = tuple(int(unit) for unit in np.flatnonzero(mask))
        return found

    def frozen_weights(self) -> dict[str, int]:
        """Parameter -> how many of its elements are frozen alone, their units not being frozen whole."""
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

    # -- the whole run

    def compare(self, a: str, b: str | None = None, *, step: int | None = None) -> Job[Comparison]:
        """Two branches, or saves, side by side; with one name, the current branch against it."""
        first, second = (self.player.branch.name, a) if b is None else (a, b)
        ours, theirs = (resolve_branch(self._experiment, self._files.path, name) for name in (first, second))
        return (yield from compare_branches(ours, theirs, step))

    def verify(self) -> Job[VerifyReport]:
        """Compute every branch again from its start and compare with what was kept: each keyframe, each loss."""
        experiment, recipe = self._experiment, self._experiment.recipe
        given = recipe.data["set"] == "arrays"
        origin = Origin(recipe.name, recipe.training.hyper.seed, given, experiment.initial)
        return verify(experiment.player, origin)

    def script(self, path: str | Path | None = None, *, overwrite: bool = False) -> Job[str]:
        """A Python script that rebuilds the whole run and checks that it ends at the same bytes."""
        text = yield from script_of(self._experiment, self._files.path)
        return text if path is None else write_script(text, path, overwrite)
