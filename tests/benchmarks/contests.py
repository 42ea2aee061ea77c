"""The basis of every contest: contestants take turns, each a generator that takes one step and yields its loss.

They start with the same parameters and use the same batches, and must agree on the losses before anything is timed:
different losses mean different work, which cannot be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np

from tinynets.training.sampler import BLOCK, Sampler

BATCH = 32
LR = 0.1
AGREE = 100  # steps whose losses are compared
ROUNDS = 31
PIECE = 0.02  # seconds that a contestant takes in a round, about

Steps = Iterator[float]


class Start(NamedTuple):
    """What a contestant begins with: parameters in the order of the layers, the data, the batches of `BLOCK` steps."""

    theta: np.ndarray
    shapes: list[tuple[int, ...]]
    x: np.ndarray
    y: np.ndarray
    batches: np.ndarray

    def parameters(self) -> list[np.ndarray]:
        """Copies of the parameters, one array each."""
        return [part.copy() for part in views(self.theta, self.shapes)]


def views(vector: np.ndarray, shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """The arrays of these shapes that lie behind each other in a vector."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(vector, ends[:-1]), shapes, strict=True)]


def first_batches(examples: int, seed: int = 0) -> np.ndarray:
    """(steps, batch): the indices of a block of steps, as a lab of that seed draws them."""
    sampler = Sampler(examples, BATCH, "replacement", seed)
    return np.array([sampler.indices(step) for step in range(BLOCK)])


def check(who: str, losses: list[float], ours: list[float], tolerance: float) -> None:
    apart = float(np.max(np.abs(np.subtract(losses, ours))))
    if not apart <= tolerance:
        raise SystemExit(f"{who}: the losses of the first {len(ours)} steps differ by up to {apart:.2g}")


def first_losses(steps: Steps) -> list[float]:
    return list(islice(steps, AGREE))


def race(contestants: dict[str, Callable[[int], object]]) -> dict[str, list[float]]:
    """Microseconds a step of each, round by round; who begins changes from round to round.

    A contestant takes as many steps as it is told.
    """
    names = list(contestants)
    times: dict[str, list[float]] = {name: [] for name in names}
    counts = {}
    for name, go in contestants.items():
        go(20)
        begun = perf_counter()
        go(20)
        counts[name] = max(20, int(PIECE / (perf_counter() - begun) * 20))
    for number in range(ROUNDS):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            begun = perf_counter()
            contestants[name](counts[name])
            times[name].append((perf_counter() - begun) / counts[name] * 1e6)
    return times


def ratio(times: dict[str, list[float]], name: str, base: str) -> float:
    """How many times as long one takes as another, the median over rounds."""
    return median(a / b for a, b in zip(times[name], times[base], strict=True))
