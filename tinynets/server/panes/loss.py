"""The Loss pane: the training loss of a branch, and its evaluations."""

from __future__ import annotations

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.numerics.arrays import Array
from tinynets.server.frame import LossCurve


def curve(experiment: Experiment, columns: int) -> LossCurve:
    """The losses of the branch, min, max and mean of each column."""
    values = experiment.branch.losses.values
    starts = np.linspace(0, len(values), min(columns, len(values)), endpoint=False).astype(np.int64)
    evaluations: dict[str, tuple[Array, Array]] = {}
    entries = [entry for entry in experiment.branch.evaluations if not entry.clean]
    for split in sorted({entry.split for entry in entries}):
        chosen = [entry for entry in entries if entry.split == split]
        evaluations[split] = (np.array([e.step for e in chosen], np.int64), np.array([e.loss for e in chosen]))
    if not len(values):
        nothing = np.empty(0)
        return LossCurve(
            starts, nothing, nothing, nothing, evaluations, experiment.moment.step, len(experiment.branch.losses)
        )
    counts = np.diff([*starts, len(values)])
    return LossCurve(
        starts + 1,
        np.minimum.reduceat(values, starts),
        np.maximum.reduceat(values, starts),
        np.add.reduceat(values.astype(np.float64), starts) / counts,
        evaluations,
        experiment.moment.step,
        len(experiment.branch.losses),
    )
