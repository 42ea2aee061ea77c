"""Measuring a network where it stands: mean loss and accuracy over a split, the probe, and text that it generates."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinynets import rng
from tinynets.arrays import Array, converted
from tinynets.data import Dataset
from tinynets.data.sample import probe_rows, probed_split
from tinynets.data.text import END
from tinynets.errors import DataError, EditError, ShapeError
from tinynets.interventions import examples_from
from tinynets.layers import Activation
from tinynets.layers.recurrent import RNN
from tinynets.losses import Loss
from tinynets.network import Block, Network, Workspace
from tinynets.playback import quiet
from tinynets.reports import Progress
from tinynets.rules import FIRST
from tinynets.state import Hyper

CHUNK = 4096  # examples evaluated at once; fixed, so that the same split gives the same bits
MAX_LENGTH = 40  # characters of a generated name, should it find no end
MAX_SAMPLES = 10_000


class Splits:
    """A data set's splits as a network and a loss take them, converted once."""

    def __init__(self, data: Dataset, network: Network, loss: Loss) -> None:
        self.data, self._network, self._loss = data, network, loss
        self._ready: dict[str, tuple[Array, Array]] = {}

    def __getitem__(self, split: str) -> tuple[Array, Array]:
        if not isinstance(split, str):
            raise DataError(f"a split is named by text like `train`, not {split!r}")
        if split not in self._ready:
            try:
                self._ready[split] = self._fitting(*self.data[split])
            except (DataError, ShapeError) as error:
                if split == "train":
                    raise
                raise type(error)(f"`{split}`: {error}") from None
        return self._ready[split]

    def _fitting(self, x: Array, y: Array) -> tuple[Array, Array]:
        x = self._network.checked(x)
        return x, self._loss.targets(y, self._network.output_shape(x.shape), self._network.dtype)

    def weight(self, split: str) -> Array | None:
        """(N,) what multiplies each example's loss; None where all weigh the same."""
        weight = self.data.weights.get(split)
        thing = f"{split} weight" if self._network.rules > FIRST else ""
        return None if weight is None else converted(weight, self._network.dtype, thing)


class Evaluator:
    """Evaluates splits, with a workspace of its own."""

    def __init__(self, splits: Splits, loss: Loss) -> None:
        self.splits, self.loss = splits, loss
        self._workspaces = {clean: Workspace(clean=clean) for clean in (False, True)}

    def work(
        self, network: Network, split: str, clean: bool, only: Array | None = None
    ) -> Generator[Progress, None, tuple[float, float | None]]:
        """Loss and accuracy over all examples of a split, or `only` those of these numbers, chunk by chunk.

        The loss is the sum of weight times loss over the number of examples. An example of negative weight counts as
        right where its target is missed, one of weight 0 is not judged.
        """
        x, y = self.splits[split]
        weight = self.splits.weight(split)
        if only is not None:
            x, y, weight = x[only], y[only], None if weight is None else weight[only]
        total, right, judged = 0.0, 0, 0
        for start in range(0, len(x), CHUNK):
            with quiet(), examples_from(network, start):
                out = network.forward_checked(x[start : start + CHUNK], self._workspaces[clean])
                part = y[start : start + CHUNK]
                losses, hits = self.loss.each(out, part), self.loss.right(out, part)
            if weight is not None:
                chunk = weight[start : start + CHUNK]
                losses = losses * chunk
                hits = _hits(hits, chunk, self.loss.rules)
            total += float(losses.sum())
            if hits is not None:
                right, judged = right + int(hits.sum()), judged + hits.size
            yield Progress(min(start + CHUNK, len(x)), len(x), f"examples of {split}")
        return total / len(x), right / judged if judged else None


@dataclass
class Probe:
    """The fixed examples whose activations the lab shows; always evaluated whole."""

    split: str
    x: Array
    y: Array
    examples: tuple[str, ...]
    targets: tuple[str, ...]
    weight: Array | None = None
    workspace: Workspace = field(default_factory=Workspace)

    @staticmethod
    def of(splits: Splits, count: int, hyper: Hyper) -> Probe:
        """So many examples of `dev`, where there is one, else of `train`, drawn for a run (data/sample.py)."""
        data, split = splits.data, probed_split(splits.data)
        x, y = splits[split]
        rows = probe_rows(data, count, hyper.seed, hyper.rules)
        described = tuple(data.describe(split, index) for index in rows.tolist())
        targets = tuple(data.describe_target(split, index) for index in rows.tolist())
        weight = splits.weight(split)
        return Probe(split, x[rows], y[rows], described, targets, None if weight is None else weight[rows])

    def forward(self, network: Network) -> Array:
        with quiet():
            return network.forward_checked(self.x, self.workspace)

    def input_of(self, network: Network, layer: int) -> Array:
        """What the last forward gave a layer as its input."""
        return self.workspace.behind(layer - 1) if layer else self.x

    def losses(self, network: Network, loss: Loss) -> Array:
        """The loss of each example times its weight, float64 (N,)."""
        self.forward(network)
        return self.losses_here(loss)

    def losses_here(self, loss: Loss) -> Array:
        """The same, of the last forward."""
        with quiet():
            losses = loss.each(self.workspace.out, self.y)
        return losses if self.weight is None else losses * self.weight

    def loss(self, network: Network, loss: Loss) -> float:
        return float(self.losses(network, loss).mean())

    def accuracy(self, network: Network, loss: Loss) -> float | None:
        """The share of hits; None where the loss knows none."""
        self.forward(network)
        return self.accuracy_here(loss)

    def accuracy_here(self, loss: Loss) -> float | None:
        """The same, of the last forward."""
        hits = loss.right(self.workspace.out, self.y)
        hits = hits if self.weight is None else _hits(hits, self.weight, loss.rules)
        return None if hits is None or not hits.size else float(hits.mean())

    # -- a block's units in the last forward

    def values(self, network: Network, block: Block, *, pre: bool = False) -> Array:
        """Output (or sum before the activation) of a block, (examples, positions, units)."""
        if pre and block.pre is not None:
            return self.workspace.behind(block.pre).reshape(len(self.x), -1, block.units)
        out = self.workspace.units_behind(network, block.last)
        return out.reshape(len(out), -1, block.units)

    def saturated(self, network: Network, block: Block) -> Array:
        """Where its units are saturated, a mask (examples, positions, units)."""
        found = flatness(network, self.workspace, block, self.x)
        return np.zeros(self.values(network, block).shape, np.bool_) if found is None else found.saturated

    def dead(self, network: Network, block: Block) -> Array:
        """Which of its units are dead, a mask (units,): the local gradient vanishes on every example."""
        found = flatness(network, self.workspace, block, self.x)
        return np.zeros(block.units, np.bool_) if found is None else np.asarray(found.blocked.all(axis=(0, 1)))


def activation_of(network: Network, block: Block) -> Activation | None:
    """What makes a block's output of a sum: the activation behind its layers, or the one inside an RNN."""
    layer = network.layers[block.first]
    inside = layer.activation if isinstance(layer, RNN) and block.last == block.first else None
    return block.activation or inside


@dataclass(frozen=True)
class Flatness:
    """Where a block's activation is saturated, and where no gradient passes it; masks (B, positions, units)."""

    saturated: Array
    blocked: Array


def flatness(network: Network, workspace: Workspace, block: Block, x: Array) -> Flatness | None:
    """Of the last forward, which took x, before what stands on the output; None where there is no one activation."""
    activation = activation_of(network, block)
    if activation is None:
        return None
    out = network.layers[block.last].untapped(workspace.buffers[block.last])
    before = None if block.activation is None else workspace.behind(block.last - 1) if block.last else x
    masks = activation.saturated(out, before), activation.blocked(out, before)
    return Flatness(*(mask.reshape(len(out), -1, block.units) for mask in masks))


def _hits(hits: Array | None, weight: Array, rules: int) -> Array | None:
    """Which targets count as hit: where the weight is negative, those that were missed; where it is 0, none is judged.

    Under the first rules those of weight 0 were judged too.
    """
    if hits is None:
        return None
    counted = (hits.T ^ (weight < 0)).T
    return counted[weight != 0] if rules > FIRST else counted


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Probabilities over the last axis, in float64; temperature 0 puts all on the largest."""
    z = logits.astype(np.float64)
    z -= z.max(axis=-1, keepdims=True)
    if temperature == 0:
        return np.asarray((z == 0) / (z == 0).sum(axis=-1, keepdims=True))
    e = np.exp(z / temperature)
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


@dataclass
class Writer:
    """Writes text with a network that predicts the next character; the same when asked again at the same moment."""

    data: Dataset
    workspace: Workspace = field(default_factory=Workspace)

    def _contexts(self, text: str, count: int, verb: str) -> tuple[Array, str]:
        codec = self.data.text
        if codec is None:
            raise EditError(f"`{verb}` goes on from a text, so it needs data that is text; `{self.data.name}` is not")
        if not isinstance(text, str):
            raise EditError(f"the text to go on from must be text, not {text!r}")
        codec.encode(text)  # every character must be known, those before the window too
        return np.tile(codec.window(text), (count, 1)), codec.characters

    def sample(self, network: Network, count: int, temperature: float, seed: int, prefix: str) -> tuple[str, ...]:
        """`count` texts that start with `prefix`, drawn from softmax(logits / temperature) until the end character."""
        check_number("temperature", temperature, 0, 1000)
        check_whole("n", count, 1, MAX_SAMPLES)
        check_whole("seed", seed, 0, rng.MAX_SEED)
        if isinstance(prefix, str) and END in prefix:
            raise EditError(f"`prefix` must not hold `{END}`, which ends a text, but it is {prefix!r}")
        contexts, characters = self._contexts(prefix, count, "sample")
        texts = [prefix] * count
        going = np.ones(count, np.bool_)
        for place in range(MAX_LENGTH):
            with quiet():
                shares = softmax(_last(network.forward_checked(contexts, self.workspace)), temperature)
            draws = rng.uniforms(seed, "sample", place, (count,))
            chosen = np.minimum((shares.cumsum(axis=1) < draws[:, None]).sum(axis=1), shares.shape[1] - 1)
            going &= chosen != 0
            if not going.any():
                break
            for index in np.flatnonzero(going):
                texts[index] += characters[int(chosen[index])]
            contexts = np.concatenate([contexts[:, 1:], chosen[:, None]], axis=1)
        return tuple(texts)


def _last(out: Array) -> Array:
    """What a network says after the last character: (B, C), also of one that says something after each."""
    return out if out.ndim == 2 else out[:, -1]


def check_number(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise EditError(f"`{name}` must be a number from {low} to {high}, not {value!r}")


def check_whole(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise EditError(f"`{name}` must be a whole number from {low} to {high}, not {value!r}")
