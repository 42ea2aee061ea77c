"""What is tried once when a lab is made: what cannot be learned as it is built or split, and a function as loss."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np

from tinynets.arrays import Array, quiet
from tinynets.data import Dataset
from tinynets.layers import ELU, RNN, Layer
from tinynets.losses import BinaryCrossEntropy, CrossEntropy, FunctionLoss, Hinge, Loss, Perceptron
from tinynets.losses.base import Elementwise
from tinynets.network import Network
from tinynets.state import Hyper

TRIED = 4  # examples
OUTSIDE = 0.05  # of the targets' spread, how far they may lie beyond what an output can be
UNSEEN = 0.1  # of a split's examples, of classes that training never sees
FEWEST = 8  # examples of which it can be told that they are sorted

Range = tuple[float, float]
FREE: Range = (-inf, inf)
RANGES: dict[str, Range] = {
    **dict.fromkeys(("sigmoid", "softmax", "gaussian", "step"), (0.0, 1.0)),
    **dict.fromkeys(("tanh", "gru", "lstm"), (-1.0, 1.0)),
    **dict.fromkeys(("relu", "softplus", "distances"), (0.0, inf)),
    "gelu": (-0.17, inf),
    "silu": (-0.279, inf),
}
"""What kinds of layers can give at all; the others anything."""
PASSING = frozenset(
    (
        *("identity", "flatten", "flatten-consecutive", "reshape", "last-step", "dropout"),
        *("avg-pool2d", "max-pool2d", "global-avg-pool"),
    )
)
"""Layers whose outputs lie where their inputs do."""
STRUCTURE = frozenset(("split", "next", "add", "join"))
"""Where ways part and meet, inside containers."""


def warnings_of(network: Network, data: Dataset, loss: Loss, hyper: Hyper) -> list[str]:
    """What a person should know before training; raises ShapeError where a function as loss cannot train at all."""
    found = [
        _carries(network, hyper.sampling),
        _logits(network, loss),
        _reach(network, data, loss),
        *_flat(network, hyper),
        *_sorted(data, loss),
    ]
    if isinstance(loss, FunctionLoss):
        found.append(_tried(network, data, loss))
    return [warning for warning in found if warning]


def _tried(network: Network, data: Dataset, loss: FunctionLoss) -> str:
    """Try a function as loss on the first examples; a warning where its gradient seems wrong."""
    x, y = data["train"]
    few = min(len(x), TRIED)
    with quiet():
        out = network.predict(x[:few])
        return loss.tried(out, loss.targets(None if y is None else y[:few], out.shape, network.dtype))


def _carries(network: Network, sampling: str) -> str:
    """A warning where hidden state is carried from one batch to the next, which is no continuation of it."""
    carrying = [layer.name for layer in network.layers if any(entry.transient for entry in layer.carried())]
    if not carrying or sampling == "stream":
        return ""
    return (
        f"`{carrying[0]}` carries its hidden state from batch to batch (`carry`), but `sampling` is {sampling!r}: "
        'only with "stream" does a row of a batch go on where that of the batch before ended'
    )


# -- what the output can be


def _output(network: Network) -> Layer | None:
    """The layer that says where the outputs can lie."""
    return next((layer for layer in reversed(network.layers) if layer.kind not in PASSING), None)


def _logits(network: Network, loss: Loss) -> str:
    """A warning where a loss that squashes its inputs itself is given some that are squashed already."""
    last = _output(network)
    squashed = last is not None and last.kind in ("softmax", "sigmoid")
    if last is None or not squashed or not isinstance(loss, CrossEntropy | BinaryCrossEntropy):
        return ""
    own = "softmax" if isinstance(loss, CrossEntropy) else "sigmoid"
    return (
        f"`{last.name}` stands in front of the loss `{loss.kind}`, which takes logits and does a {own} itself: with "
        f"both, the net can hardly learn; leave `{last.name}` out"
    )


def _reach(network: Network, data: Dataset, loss: Loss) -> str:
    """A warning where targets lie far beyond what the last layer can give."""
    last, y = _output(network), data["train"][1]
    if last is None or not isinstance(loss, Elementwise) or isinstance(loss, BinaryCrossEntropy) or not y.size:
        return ""
    low, high = _range(last)
    least, most = float(y.min()), float(y.max())
    if isinstance(loss, Hinge | Perceptron):
        least, most = -1.0, 1.0
    beyond = max(low - least, most - high)
    if beyond <= max(OUTSIDE * (most - least), 1e-6):
        return ""
    between = f"from {low:g} to {high:g}" if high < inf else f"above {low:g}"
    return (
        f"`{last.name}`, the last layer, gives values {between}, but the targets of the loss `{loss.kind}` go from "
        f"{least:g} to {most:g}: those beyond cannot be learned; put a Linear behind `{last.name}`, leave it out, "
        "or scale the targets"
    )


def _range(layer: Layer) -> Range:
    if isinstance(layer, RNN):
        return RANGES[layer.activation.kind]
    if isinstance(layer, ELU):
        return -layer.alpha, inf
    return RANGES.get(layer.kind, FREE)


def _flat(network: Network, hyper: Hyper) -> Iterator[str]:
    """A warning for each Step with parameters before it that no gradient reaches, and that are to learn."""
    for index, step in enumerate(network.layers):
        if step.kind != "step":
            continue
        for place in range(index - 1, -1, -1):
            layer = network.layers[place]
            if layer.kind in STRUCTURE:
                break
            block = next((block.name for block in network.blocks if block.first <= place <= block.last), layer.name)
            if layer.parameters() and hyper.rates.get(block, 1.0):
                yield (
                    f"`{step.name}` behind `{block}` is flat, so no gradient passes it and `{block}` does not learn: "
                    f"put a Sigmoid or Tanh in the place of `{step.name}`, or freeze `{block}` if that is meant"
                )
                break


# -- how the data are split


def _sorted(data: Dataset, loss: Loss) -> Iterator[str]:
    """A warning for each split of classes that training hardly sees, as when a sorted file is split in order."""
    if data.missing is not None:
        return
    found = {split: _classes(y, loss) for split, (_, y) in data.splits.items()}
    train = found.pop("train", None)
    if train is None:
        return
    for split, classes in found.items():
        if classes is None:
            continue
        count = int(max(train.max(), classes.max())) + 1
        seen, here = (np.bincount(part, minlength=count) > 0 for part in (train, classes))
        unseen = int((~seen[classes]).sum())
        grouped = len(train) + len(classes) >= FEWEST and _runs(np.concatenate([train, classes])) == (seen | here).sum()
        if unseen >= UNSEEN * len(classes):
            names = [data.labels[i] if data.labels else str(i) for i in np.flatnonzero(here & ~seen)]
            listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            what = f"{unseen:,} of the {len(classes):,} examples of `{split}` are of classes that `train` has none of"
            yield f"{what} ({listed}): {SHUFFLE}"
        elif grouped and (seen != here).any():
            yield f"the examples of `train` and `{split}` are sorted by class, so their classes differ: {SHUFFLE}"


SHUFFLE = "it looks as if data sorted by class were split in order; shuffle them before they are split"


def _runs(classes: Array) -> int:
    return 1 + int(np.count_nonzero(classes[1:] != classes[:-1]))


def _classes(y: Array, loss: Loss) -> Array | None:
    """The class of each example, whole numbers from 0; None where the targets are none."""
    if not len(y) or not y.size:
        return None
    if y.dtype.kind == "i":
        return y if loss.classes and y.ndim == 1 and y.min() >= 0 else None
    if y.ndim != 2:
        return None
    if y.shape[1] == 1:
        two = isinstance(loss, BinaryCrossEntropy | Hinge | Perceptron)
        middle = 0.0 if y.min() < 0 else 0.5
        return np.asarray(y[:, 0] > middle, np.int64) if two else None
    one_hot = ((y == y.max()).sum(axis=1) == 1) & ((y == y.min()).sum(axis=1) == y.shape[1] - 1)
    return np.asarray(y.argmax(axis=1)) if y.max() > y.min() and one_hot.all() else None
