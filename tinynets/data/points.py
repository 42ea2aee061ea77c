"""Points in the plane, drawn at (seed, purpose) addresses: halves (separable by a line), xor and spiral."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinynets.data.checks import number, whole
from tinynets.data.dataset import Dataset, arrays
from tinynets.numerics import rng

MAX_POINTS = 1_000_000
CORNERS = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])

ACROSS = np.array([0.6, 0.8])  # the direction from one side of `halves` to the other

Points = tuple[NDArray[np.float64], NDArray[np.int64]]


def halves(n: int = 200, gap: float = 0.2, seed: int = 0) -> Dataset:
    """Points on two sides of a slanted line, targets +1 and -1, which a perceptron can learn without a mistake.

    n: points in `train`, and as many in `dev`; 2 or more. x (n, 2), y (n, 1).
    gap: width of the empty strip between the sides, 0 to 10.
    """
    n, gap, seed = whole("n", n, 2, MAX_POINTS), number("gap", gap, 0.0, 10.0), whole("seed", seed, 0, rng.MAX_SEED)

    def draw(purpose: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x = 2.0 * rng.uniforms(seed, purpose, 0, (n, 2)) - 1.0
        side = np.where(x @ ACROSS < 0.1, -1.0, 1.0)[:, None]
        return x + side * gap / 2.0 * ACROSS, side

    return arrays({split: draw(f"data/halves/{split}") for split in ("train", "dev")}, name="halves")


def xor(n: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Four clusters at the corners (±1, ±1): class 1 where the signs differ, 0 where they agree.

    n: points in `train`, and as many in `dev`; 4 or more. Point i is in cluster i % 4, so classes are balanced.
    noise: standard deviation of each coordinate around its corner, 0 to 10.
    """
    n, noise, seed = _checked(n, 4, noise, seed)

    def draw(purpose: str) -> Points:
        corner = np.arange(n) % 4
        return CORNERS[corner] + noise * rng.normals(seed, purpose, 0, (n, 2)), corner % 2

    return _both("xor", draw, 2)


def spiral(n: int = 300, classes: int = 2, noise: float = 0.1, turns: float = 1.0, seed: int = 0) -> Dataset:
    """Arms that wind around the origin out to radius 1.2, one for each class, at equal angles to each other.

    n: points in `train`, and as many in `dev`; at least one for each class. Point i is of class i % classes.
    classes: the number of arms, 2 to 8.
    noise: standard deviation of each coordinate around its arm, 0 to 10.
    turns: how often an arm winds around the origin, 0.1 to 10.
    """
    classes = whole("classes", classes, 2, 8)
    n, noise, seed = _checked(n, classes, noise, seed)
    turns = number("turns", turns, 0.1, 10.0)

    def draw(purpose: str) -> Points:
        arm = np.arange(n) % classes
        along = rng.uniforms(seed, purpose + "/along", 0, (n,))
        angle = 2.0 * np.pi * (turns * along + arm / classes)
        centre = 1.2 * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        return centre + noise * rng.normals(seed, purpose, 0, (n, 2)), arm

    return _both("spiral", draw, classes)


def _checked(n: object, least: int, noise: object, seed: object) -> tuple[int, float, int]:
    return (
        whole("n", n, least, MAX_POINTS),
        number("noise", noise, 0.0, 10.0),
        whole("seed", seed, 0, rng.MAX_SEED),
    )


def _both(name: str, draw: Callable[[str], Points], classes: int) -> Dataset:
    """Two splits drawn by the same process, each at its own address."""
    splits = {split: draw(f"data/{name}/{split}") for split in ("train", "dev")}
    return arrays(splits, name=name, labels=[str(c) for c in range(classes)])
