"""Predictions of a network for a text, for given numbers, or for an example of the data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinynets.edits.values import as_input
from tinynets.errors import EditError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.foreign_text import printable
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings, shape_text
from tinynets.numerics.checks import check_whole


@dataclass(frozen=True)
class Prediction:
    """The prediction of a network for one input: a text to continue, numbers, or an example of the data."""

    text: str
    """The input, in words."""
    labels: tuple[str, ...]
    """The names of the outputs."""
    probabilities: tuple[float, ...]
    """Of each class, or that each output is on; empty if outputs are plain values."""
    values: tuple[float, ...] = ()
    """The outputs themselves."""
    target: str = ""
    """The target, for an example of the data."""

    def __str__(self) -> str:
        target = f" ({self.target})" if self.target else ""
        return printable(f"{self.text!r} -> " + ", ".join(self.lines(5, "{} {}")) + target)

    def lines(self, most: int, form: str) -> list[str]:
        """The most likely outputs first, or the values in order; `form` formats a name and its number."""
        if not self.probabilities:
            values = zip(self.labels[:most], self.values[:most], strict=True)
            return [form.format(label, f"{value:.4g}") for label, value in values]
        best = sorted(zip(self.probabilities, self.labels, strict=True), reverse=True)[:most]
        return [form.format(label, f"{share:.1%}") for share, label in best]


def predict(experiment: Experiment, given: Any, example: int | None, split: str | None) -> Prediction:
    """The prediction for an input, or for an example of a split (default: that of the probe)."""
    if (given is None) == (example is None):
        raise EditError("`predict` takes an input (a text, or numbers) or example=, one of them")
    if example is None:
        if split is not None:
            raise EditError("`predict`: `split` says where an example is from; with an input there is none")
        x = _input_from(experiment, given)
        return _predict(experiment, _in_words(given), x, "")
    split = experiment.probe.split if split is None else split
    known = experiment.data.splits
    if not isinstance(split, str) or split not in known:
        raise EditError(f"there is no split `{split}`, only {', '.join(known)}{nearest(str(split), known)}")
    check_whole("example", example, 0, len(known[split][0]) - 1)
    x = experiment.split(split)[0][example : example + 1]
    return _predict(
        experiment, experiment.data.describe(split, example), x, experiment.data.describe_target(split, example)
    )


def _input_from(experiment: Experiment, given: Any) -> Array:
    """A given input as (1, ...): for text data a text or a context, else numbers, also as text: `0.3, -1`."""
    if experiment.data.text is not None:
        if not isinstance(given, str | list | tuple | np.ndarray):
            raise EditError(f"the text to go on from must be text, not {given!r}")
        return as_input(experiment.network, experiment.data, experiment.probe.x.shape[1:], given)
    if isinstance(given, str):
        shape = experiment.probe.x.shape[1:]
        parts = re.sub(r"[\[\](),;]", " ", given).split()
        try:
            numbers = np.array([float(part) for part in parts])
            whole = experiment.probe.x.dtype.kind == "i"
            given = (numbers.astype(np.int64) if whole else numbers).reshape(shape)
        except (ValueError, OverflowError):
            raise EditError(
                f"`predict` takes numbers {shape_text(shape)}, as `{experiment.data.name}` is no text, or example=N, "
                f"not {given!r}"
            ) from None
    return as_input(experiment.network, experiment.data, experiment.probe.x.shape[1:], given)


def _in_words(given: Any) -> str:
    return given if isinstance(given, str) else " ".join(np.array2string(np.asarray(given), threshold=8).split())


def _predict(experiment: Experiment, text: str, x: Array, target: str) -> Prediction:
    with ignore_warnings():
        out = experiment.network.forward_checked(x, Workspace())
    row = out.reshape(-1, out.shape[-1])[-1].astype(np.float64)
    shares = experiment.loss.probabilities(row)
    return Prediction(text, output_names(experiment, len(row)), tuple(shares.tolist()), tuple(row.tolist()), target)


def output_names(experiment: Experiment, count: int) -> tuple[str, ...]:
    """The names of the outputs: the class labels, if there is one output for each class."""
    names = experiment.data.labels
    if len(names) == count:
        return names
    return ("output",) if count == 1 else tuple(f"output {index}" for index in range(count))
