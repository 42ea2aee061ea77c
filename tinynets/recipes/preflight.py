"""Preflight checks: warn before a run about what cannot be learned, and try a loss function once."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import numpy as np

from tinynets.data import Dataset
from tinynets.nn.layers import Layer
from tinynets.nn.layers.claims import FREE, Range
from tinynets.nn.layers.structure import Add, Join, Next, Split
from tinynets.nn.losses import BinaryCrossEntropy, CrossEntropy, FunctionLoss, Hinge, Loss, Perceptron
from tinynets.nn.losses.base import Elementwise
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.hyper import Hyper

TRIED = 4  # examples
OUTSIDE = 0.05  # share of the targets' spread that may lie beyond the range of an output
UNSEEN = 0.1  # share of a split's examples with classes that training never sees
FEWEST = 8  # fewest examples that can be recognized as sorted


def warnings_of(network: Network, data: Dataset, loss: Loss, hyper: Hyper) -> list[str]:
    """Warnings for a person before training; raises ShapeError if a loss function cannot train at all."""
    found = [
        _carries(network, hyper.sampling),
        _logits(network, loss),
        _reach(network, data, loss),
        _alone(network),
        *_flat(network, hyper),
        *_sorted(data, loss),
    ]
    if isinstance(loss, FunctionLoss):
        found.append(_tried(network, data, loss))
    return [warning for warning in found if warning]


def _tried(network: Network, data: Dataset, loss: FunctionLoss) -> str:
    """Try a loss function on the first examples; a warning if its gradient seems wrong."""
    x, y = data["train"]
    few = min(len(x), TRIED)
    with ignore_warnings():
        out = network.predict(x[:few])
        return loss.tried(out, loss.targets(None if y is None else y[:few], out.shape, network.dtype))


def _carries(network: Network, sampling: str) -> str:
    """A warning if hidden state is carried to a next batch that does not continue the one before."""
    carrying = [layer.name for layer in network.layers if any(entry.transient for entry in layer.carried())]
    if not carrying or sampling == "stream":
        return ""
    return (
        f"`{carrying[0]}` carries its hidden state from batch to batch (`carry`), but `sampling` is {sampling!r}: "
        'only with "stream" does a row of a batch go on where that of the batch before ended'
    )


# -- the range of the outputs


def _outputs(network: Network) -> list[Layer]:
    """The layers that bound the outputs: one, or one of each branch if branches are joined."""
    return _producers(network, len(network.layers) - 1)


def _producers(network: Network, index: int) -> list[Layer]:
    while index >= 0 and network.layers[index].keeps_range:
        index -= 1
    if index < 0:
        return []
    layer = network.layers[index]
    if not isinstance(layer, Join) or layer.join == "sum":
        return [layer]
    link = layer.link
    found: list[Layer] = []
    for place in range(index, -1, -1):
        inside = network.layers[place]
        if getattr(inside, "link", None) is not link:
            continue
        if isinstance(inside, Split):
            break
        found = [*_producers(network, place - 1), *found]
    return found


def _logits(network: Network, loss: Loss) -> str:
    """A warning if a loss that takes logits is given outputs that are squashed already."""
    if not isinstance(loss, CrossEntropy | BinaryCrossEntropy):
        return ""
    last = _outputs(network)
    own = "softmax" if isinstance(loss, CrossEntropy) else "sigmoid"
    if last and all(layer.kind in ("softmax", "sigmoid") for layer in last):
        names = " and ".join(f"`{layer.name}`" for layer in last)
        return (
            f"{names} stand{'s' if len(last) == 1 else ''} in front of the loss `{loss.kind}`, which takes logits and "
            f"does a {own} itself: with both, the net can hardly learn; leave {names} out"
        )
    if isinstance(loss, CrossEntropy) and network.known_shapes[-1][-1] == 1:
        return (
            f"`{last[0].name if last else 'the net'}` gives a single output, of which the loss `{loss.kind}` makes one "
            "class that is always right, so nothing is learned: give an output for each class, or take "
            "`binary-cross-entropy`"
        )
    return ""


def _alone(network: Network) -> str:
    """A warning if a softmax has a single unit, which always gives 1."""
    for layer, shape in zip(network.layers, network.known_shapes, strict=True):
        if layer.kind == "softmax" and shape[-1] == 1:
            return f"`{layer.name}` is of a single unit, of which it always makes 1: put a Sigmoid in its place"
    return ""


def _reach(network: Network, data: Dataset, loss: Loss) -> str:
    """A warning if targets lie far outside the range of the last layer."""
    y = data["train"][1]
    if not isinstance(loss, Elementwise) or not y.size or _logits(network, loss):
        return ""
    last = _outputs(network)
    low, high = _ranges(last)
    least, most = _wanted(y.reshape(-1, y.shape[-1] if y.ndim > 1 else 1), loss)
    beyond = np.maximum(low - least, most - high) > np.maximum(OUTSIDE * (most - least), 1e-6)
    return _beyond(last[0], loss, low, high, float(least.min()), float(most.max())) if beyond.any() else ""


def _wanted(y: Array, loss: Loss) -> tuple[Array, Array]:
    """The range that these targets (n, units) require of each output."""
    least, most = y.min(axis=0), y.max(axis=0)
    if isinstance(loss, Hinge | Perceptron):
        return -np.ones(1), np.ones(1)
    if isinstance(loss, BinaryCrossEntropy):  # logits of both signs
        return np.where(least < 0.5, -1.0, 0.0), np.where(most > 0.5, 1.0, 0.0)
    return least, most


def _ranges(layers: list[Layer]) -> Range:
    """The range of the outputs of all these layers together."""
    ranges = [layer.output_range for layer in layers] or [FREE]
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _beyond(last: Layer, loss: Loss, low: float, high: float, least: float, most: float) -> str:
    between = f"from {low:g} to {high:g}" if high < inf else f"above {low:g}"
    if isinstance(loss, BinaryCrossEntropy):
        return (
            f"`{last.name}`, the last layer, gives values {between}, but the loss `{loss.kind}` takes logits, below 0 "
            f"where the answer is no: those cannot be learned; leave `{last.name}` out or put a Linear behind it"
        )
    return (
        f"`{last.name}`, the last layer, gives values {between}, but the targets of the loss `{loss.kind}` go from "
        f"{least:g} to {most:g}: those beyond cannot be learned; put a Linear behind `{last.name}`, leave it out, "
        "or scale the targets"
    )


def _flat(network: Network, hyper: Hyper) -> Iterator[str]:
    """A warning for each Step that blocks the gradient of parameters before it that should learn."""
    told: set[int] = set()
    for place, step in reversed(list(enumerate(_stopped_at(network)))):
        layer = network.layers[place]
        if step is None or id(step) in told or not layer.parameters():
            continue
        block = next((block.name for block in network.blocks if block.first <= place <= block.last), layer.name)
        if hyper.rates.get(block, 1.0):
            told.add(id(step))
            yield (
                f"`{step.name}` behind `{block}` is flat, so no gradient passes it and `{block}` does not learn: "
                f"put a Sigmoid or Tanh in the place of `{step.name}`, or freeze `{block}` if that is meant"
            )


def _stopped_at(network: Network) -> list[Layer | None]:
    """For each layer, the Step that stops every gradient on the way to it; None if a gradient arrives."""
    found: list[Layer | None] = []
    behind: Layer | None = None
    opened: dict[object, list[Layer | None]] = {}  # for each container: what stops behind it, then within its branches
    for layer in reversed(network.layers):
        if isinstance(layer, Add | Join):
            opened[layer.link] = [behind, *([behind] if isinstance(layer, Add) else [])]
        elif isinstance(layer, Next):
            opened[layer.link].append(behind)
            behind = opened[layer.link][0]
        elif isinstance(layer, Split):
            ways = [*opened.pop(layer.link)[1:], behind]
            behind = None if None in ways else ways[-1]
        elif layer.kind == "step":
            behind = layer
        found.append(behind)
    return found[::-1]


# -- the splits of the data


def _sorted(data: Dataset, loss: Loss) -> Iterator[str]:
    """A warning for each split with classes that training hardly sees, as when a sorted file is split in order."""
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
    """The class of each example, whole numbers from 0; None if the targets are not classes."""
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
