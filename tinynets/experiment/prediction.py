"""Predictions of a network for a text, for given numbers, or for an example of the data."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class GivenInput:
    """One input in the form that the network takes, a batch of one; with its target if it is an example of the data."""

    x: Array
    text: str
    """What it is, in words."""
    target: str = ""
    y: Array | None = None
    weight: Array | None = None


def predict(experiment: Experiment, given: Any, example: int | None, split: str | None) -> Prediction:
    """The prediction for an input, or for an example of a split (default: that of the probe)."""
    found = given_input(experiment, given, example, split)
    return _predict(experiment, found.text, found.x, found.target)


def given_input(experiment: Experiment, given: Any, example: int | None, split: str | None) -> GivenInput:
    """An input that was given, or an example of a split (default: that of the probe)."""
    if (given is None) == (example is None):
        raise EditError("`predict` takes an input (a text, or numbers) or example=, one of them")
    if example is None:
        if split is not None:
            raise EditError("`predict`: `split` says where an example is from; with an input there is none")
        return GivenInput(_input_from(experiment, given), _in_words(given))
    split = experiment.probe.split if split is None else split
    known = experiment.data.splits
    if not isinstance(split, str) or split not in known:
        raise EditError(f"there is no split `{split}`, only {', '.join(known)}{nearest(str(split), known)}")
    check_whole("example", example, 0, len(known[split][0]) - 1)
    (x, y), weight, one = experiment.split(split), experiment.splits.weight(split), slice(example, example + 1)
    return GivenInput(
        x[one],
        experiment.data.describe(split, example),
        experiment.data.describe_target(split, example),
        y[one],
        None if weight is None else weight[one],
    )


def joined(experiment: Experiment, found: GivenInput, caption: str) -> Experiment:
    """The experiment with a probe that ends in an input; its own probe, on which the run is measured, is another."""
    probe = experiment.probe.with_one(found.x, found.y, printable(caption), found.target, found.weight)
    return replace(experiment, probe=probe)


def input_names(experiment: Experiment) -> tuple[str, ...]:
    """The names by which inputs can be given: `x1`, `x2`, ...; empty unless each example is a row of numbers."""
    x = experiment.probe.x
    if x.ndim != 2 or experiment.data.text is not None:
        return ()
    return tuple(f"x{number}" for number in range(1, x.shape[1] + 1))


def _input_from(experiment: Experiment, given: Any) -> Array:
    """A given input as (1, ...): for text data a text or a context, else numbers, also as text.

    `0.3, -1`, or each by its name: `x1=0.3 x2=-1`; of two inputs `x` and `y` will do.
    """
    shape = experiment.probe.x.shape[1:]
    if experiment.data.text is not None:
        if not isinstance(given, str | list | tuple | np.ndarray):
            raise EditError(f"the text to go on from must be text, not {given!r}")
        return as_input(experiment.network, experiment.data, shape, given)
    if isinstance(given, str):
        words = _by_name(experiment, given) if "=" in given else given
        parts = re.sub(r"[\[\](),;]", " ", words).split()
        whole = experiment.probe.x.dtype.kind == "i"
        try:
            read = np.array(list(map(int, parts)), np.int64) if whole else np.array(list(map(float, parts)))
            given = read.reshape(shape)
        except (ValueError, OverflowError):
            raise EditError(
                f"`predict` takes {'whole ' * whole}numbers {shape_text(shape)}, as `{experiment.data.name}` is no "
                f"text, or example=N, not {given!r}"
            ) from None
    return as_input(experiment.network, experiment.data, shape, given)


def _by_name(experiment: Experiment, given: str) -> str:
    """Inputs that were given by name, in their order: `y=-1 x=0.3` is `0.3 -1`."""
    names = input_names(experiment)
    short = ("x", "y") if len(names) == 2 else ()
    found: dict[str, str] = {}
    for part in re.sub(r"\s*=\s*", "=", given).replace(",", " ").split():
        name, _, value = part.partition("=")
        name = names[short.index(name)] if name in short else name
        if name not in names:
            known = ", ".join(short or names[:8]) + ("" if short or len(names) <= 8 else f" ... {names[-1]}")
            raise EditError(f"`{part}`: there is no input `{name}`, only {known or 'inputs without names'}")
        if name in found:
            raise EditError(f"`{part}`: `{name}` is given twice")
        found[name] = value
    missing = [name for name in names if name not in found]
    if missing:
        raise EditError(f"`{given}`: a value for each input is needed; {', '.join(missing[:8])} has none")
    return " ".join(found[name] for name in names)


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
