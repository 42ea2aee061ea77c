"""Confusion: which class of a split a network takes for which, counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.errors import EditError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.foreign_text import printable
from tinynets.jobs import Job, Progress
from tinynets.measure.answers import answers_of, confusion
from tinynets.nn.interventions import examples_from
from tinynets.nn.workspace import CHUNK, Workspace
from tinynets.numerics.arrays import Array, ignore_warnings

NAMED = 3
"""How many mistakes a line names."""


@dataclass(frozen=True)
class Confusion:
    """How often each class of a split was taken for each, at one moment."""

    split: str
    step: int
    labels: tuple[str, ...]
    counts: Array
    """(classes, classes) the right class down, the answer across; examples without either are left out."""

    @property
    def right(self) -> int:
        """How many are answered right."""
        return int(np.trace(self.counts))

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    def mistakes(self) -> list[tuple[str, str, int]]:
        """(right class, answer, how often), the most frequent first."""
        wrong = self.counts * ~np.eye(len(self.counts), dtype=np.bool_)
        order = np.argsort(-wrong, axis=None, kind="stable")[: np.count_nonzero(wrong)]
        places = [divmod(place, len(wrong)) for place in order.tolist()]
        return [(self.labels[truth], self.labels[answer], int(wrong[truth, answer])) for truth, answer in places]

    def config(self) -> dict[str, Any]:
        """All of it as JSON data."""
        return {"split": self.split, "step": self.step, "labels": list(self.labels), "counts": self.counts.tolist()}

    def __str__(self) -> str:
        share = f" ({self.right / self.total:.1%})" if self.total else ""
        most = ", ".join(f"{truth!r} for {answer!r} {count:,}x" for truth, answer, count in self.mistakes()[:NAMED])
        taken = f"; taken most: {most}" if most else ""
        return printable(f"{self.right:,} of {self.total:,} of {self.split} right{share}{taken}")


def class_names(experiment: Experiment, kind: str, outputs: int) -> tuple[str, ...]:
    """The names of the classes that a kind of answers (`Answers.kind`) tells apart; empty where there are none."""
    known = experiment.data.labels
    if kind == "sides":
        return side_names(experiment)
    if kind != "classes":
        return ()
    return known if len(known) == outputs else tuple(map(str, range(outputs)))


def side_names(experiment: Experiment) -> tuple[str, ...]:
    """The names of the two classes that a single output tells apart."""
    if len(experiment.data.labels) == 2:
        return experiment.data.labels
    return ("0", "1") if experiment.loss.probabilities(np.zeros(1)).size else ("-1", "+1")


def confusion_of(experiment: Experiment, split: str | None) -> Job[Confusion]:
    """The confusion matrix of a split (default: `dev`, or `train` without one), as a job; nothing moves."""
    known = experiment.data.splits
    if split is None:
        split = "dev" if "dev" in known else "train"
    if not isinstance(split, str) or split not in known:
        raise EditError(f"there is no split `{split}`, only {', '.join(known)}{nearest(str(split), known)}")
    experiment.player.need_data()
    network, (x, y), weight = experiment.network, experiment.split(split), experiment.splits.weight(split)
    step, workspace, counts = experiment.moment.step, Workspace(), np.zeros((0, 0), np.int64)
    labels: tuple[str, ...] = ()
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        with ignore_warnings(), examples_from(network, start):
            out = network.forward_checked(x[part], workspace)
        found = answers_of(experiment.loss, out, y[part], None if weight is None else weight[part])
        labels = class_names(experiment, found.kind, found.values.shape[1])
        if not labels:
            raise EditError("`confusion` is of classes, and this network does not choose among classes")
        if not start:
            counts = np.zeros((len(labels), len(labels)), np.int64)
        counts += confusion(found.truth, found.answer, len(labels))
        yield Progress(min(start + CHUNK, len(x)), len(x), f"examples of {split}")
    return Confusion(split, step, labels, counts)
