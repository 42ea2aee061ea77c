"""What a pane shows as rows of plain values, for a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from typing import Any

import numpy as np

from tinynets.server.frame import Frame

Row = list[Any]


def csv_of(frame: Frame, pane: str) -> str | None:
    """A pane's data as CSV, its first line the names of the columns; None where the pane holds no data."""
    made = ROWS[pane]
    if getattr(frame, FIELDS.get(pane, pane)) is None:
        return None
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows([_plain(value) for value in row] for row in made(frame))
    return out.getvalue()


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python: the shortest digits that are read back as the same number."""
    return value.item() if isinstance(value, np.generic) else value


def _network(frame: Frame) -> Iterator[Row]:
    yield ["block", "position", "unit", "value", "dead"]
    for cells in frame.network or ():
        for position, row in enumerate(cells.values):
            for unit, value in enumerate(row):
                yield [cells.name, position, unit, value, int(cells.dead[unit])]


def _units(frame: Frame) -> Iterator[Row]:
    units = frame.units
    assert units is not None
    yield [
        *("unit", "mean", "deviation", "share off" if all(units.off) else "share saturated", "dead", "gradient"),
        *("change", "worth", "worth measured now"),
    ]
    columns = (units.mean, units.std, units.flat, units.dead, units.gradient, units.change, units.worth)
    for row, (block, unit) in enumerate(zip(units.block, units.unit, strict=True)):
        values = [_known(column[row]) for column in columns]
        yield [f"{units.blocks[block]}[{unit}]", *values, int(units.worth_holds[row])]


def _known(value: Any) -> Any:
    """Nothing in place of NaN, a truth as 0 or 1."""
    return "" if value != value else int(value) if isinstance(value, np.bool_) else value


def _weights(frame: Frame) -> Iterator[Row]:
    weights = frame.weights
    assert weights is not None
    units = weights.values.shape[1]
    yield ["input", *(f"{weights.block}[{unit}]" for unit in range(units))]
    for name, row in zip(weights.rows, weights.values, strict=True):
        yield [name, *row]
    if weights.bias is not None:
        yield ["bias", *weights.bias]


def _activations(frame: Frame) -> Iterator[Row]:
    shown = frame.activations
    assert shown is not None
    yield ["example", *(f"{shown.block}[{unit}]" for unit in range(len(shown.values)))]
    for index, column in enumerate(shown.values.T):
        yield [shown.examples[index], *column]


def _loss(frame: Frame) -> Iterator[Row]:
    curve = frame.loss
    assert curve is not None
    if curve.kind == "updates":
        yield ["block", "step", "log10 of update over data"]
        for block, (steps, ratios) in curve.updates.items():
            yield from ([block, step, ratio] for step, ratio in zip(steps, ratios, strict=True))
        return
    if curve.kind == "rate":
        yield ["step", "learning rate"]
        yield from ([step, rate] for step, rate in zip(curve.steps, curve.mean, strict=True))
        return
    yield ["split", "step", "loss", "lowest", "highest"]
    for step, mean, low, high in zip(curve.steps, curve.mean, curve.low, curve.high, strict=True):
        yield ["train", step, mean, low, high]
    for split, (steps, losses) in curve.evaluations.items():
        for step, loss in zip(steps, losses, strict=True):
            yield [f"{split} (evaluated)", step, loss, loss, loss]


def _neuron(frame: Frame) -> Iterator[Row]:
    neuron = frame.neuron
    assert neuron is not None
    yield ["what", "name", "weight", "input", "value"]
    for term in neuron.contributions:
        yield ["term", term.label, term.w, term.x, term.product]
    yield ["the others", "", "", "", neuron.rest]
    yield ["bias", "", "", "", "" if neuron.bias is None else neuron.bias]
    yield ["sum", "", "", "", "" if neuron.pre is None else neuron.pre]
    yield ["output", neuron.name, "", "", neuron.value]
    for name, weight in neuron.outgoing:
        yield ["weight out", name, weight, neuron.value, weight * neuron.value]


def _output(frame: Frame) -> Iterator[Row]:
    output = frame.output
    assert output is not None
    yield ["output", "probability" if output.kind == "classes" else "value", "right"]
    for index, value in enumerate(output.values):
        label = output.labels[index] if index < len(output.labels) else str(index)
        right: Any = int(index == output.target) if output.kind == "classes" else ""
        if output.targets is not None and index < len(output.targets):
            right = output.targets[index]
        yield [label, value, right]


def _examples(frame: Frame) -> Iterator[Row]:
    """What the network says for each listed example, in the order of their numbers."""
    found = frame.answers
    assert found is not None
    count = found.values.shape[1]
    truths = _numbered("right output", 0 if found.targets is None else found.targets.shape[1])
    yield ["number", "example", "truth", "answer", "share", "loss", "wrong", *_numbered("output", count), *truths]
    for row, number in enumerate(found.rows):
        caption = found.captions[row] if row < len(found.captions) else ""
        classes = [_class(found.labels, found.truth[row]), _class(found.labels, found.answer[row])]
        wrong = "" if found.wrong is None else int(found.wrong[row])
        values = [*found.values[row], *(() if found.targets is None else found.targets[row])]
        yield [number, caption, *classes, _known(found.share[row]), found.loss[row], wrong, *values]


def _numbered(word: str, count: int) -> list[str]:
    return [f"{word} {index}" for index in range(count)]


def _class(labels: Sequence[str], index: int) -> Any:
    """The name of a class, or its number where it has none; nothing for no class."""
    return "" if index < 0 else labels[index] if index < len(labels) else int(index)


def _log(frame: Frame) -> Iterator[Row]:
    log = frame.log
    assert log is not None
    yield ["number", "step", "python", "loss before", "loss after", "to come"]
    for number, row in enumerate(log.rows, log.first):
        losses = ["" if loss is None else loss for loss in (row.before, row.after)]
        yield [number, row.step, row.python, *losses, int(number >= log.done)]


FIELDS = {"examples": "answers"}
"""The field of a frame that holds a pane's data, where it is not called like the pane."""
ROWS: dict[str, Callable[[Frame], Iterator[Row]]] = {
    "network": _network,
    "units": _units,
    "weights": _weights,
    "activations": _activations,
    "loss": _loss,
    "neuron": _neuron,
    "output": _output,
    "examples": _examples,
    "log": _log,
}
