"""The sampler chooses the examples of each step, addressed by (seed, step): no step needs the ones before it.

`replacement` draws every index anew, as makemore does. `epoch` uses a new permutation for each pass over the data; a
batch may reach from one pass into the next. `stream` reads on: each row of a batch has its own stretch of the data and
takes the next example of it at each step, so that what a recurrent layer carries in that row comes from the example
before. It draws nothing.

Indices drawn with replacement are addressed by blocks of `BLOCK` steps. Within a block, as many steps are drawn at once
as have `DRAWN` indices together, but at least one.
"""

from __future__ import annotations

import numpy as np

from tinynets.numerics import rng
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import CURRENT, FIRST

BLOCK = 1024  # steps whose indices have one address
DRAWN = 2**16  # indices drawn at once
SAMPLINGS = ("replacement", "epoch", "stream")


class Sampler:
    """Draws batch indices and remembers the block or the passes it drew last."""

    def __init__(self, count: int, batch: int, sampling: str, seed: int, rules: int = CURRENT) -> None:
        self.count, self.batch, self.sampling, self.seed = count, batch, sampling, seed
        self._starts = np.arange(batch) * (count // batch)
        if batch > count and rules > FIRST:
            self._starts = np.arange(batch) * count // batch  # the starts spread evenly over the examples
        self._at_once = min(BLOCK, max(1, DRAWN // batch))
        self._drawn = range(0)
        self._rows: Array = np.empty((0, 0), np.int64)
        self._passes: dict[int, Array] = {}

    def indices(self, step: int) -> Array:
        """(batch,) indices into the training examples for the step that leads from `step` to `step` + 1."""
        if self.sampling == "epoch":
            return self._from_passes(step)
        if self.sampling == "stream":
            following: Array = (self._starts + step) % self.count
            return following
        if step not in self._drawn:
            self._draw(step)
        indices: Array = self._rows[step - self._drawn.start]
        return indices

    def _draw(self, step: int) -> None:
        """Draw the indices of this step and of the steps in its block that are drawn together with it."""
        block, row = divmod(step, BLOCK)
        first = row - row % self._at_once
        count = min(self._at_once, BLOCK - first)
        shape = (count, self.batch)
        self._rows = rng.integers(self.seed, "batch", block, self.count, shape, first * self.batch)
        self._drawn = range(step - row + first, step - row + first + count)

    def _from_passes(self, step: int) -> Array:
        start = step * self.batch
        parts = []
        wanted = self.batch
        while wanted:
            epoch, offset = divmod(start, self.count)
            part = self._pass(epoch)[offset : offset + wanted]
            parts.append(part)
            start += len(part)
            wanted -= len(part)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _pass(self, epoch: int) -> Array:
        if epoch not in self._passes:
            self._passes = {key: order for key, order in self._passes.items() if abs(key - epoch) == 1}
            self._passes[epoch] = rng.permutation(self.seed, "batch/epoch", epoch, self.count)
        return self._passes[epoch]
