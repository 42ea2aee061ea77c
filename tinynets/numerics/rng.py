"""Random numbers at an address (seed, purpose, index), so that a step's can be drawn without those of earlier steps.

Only the raw words of Philox 4x64 are taken from numpy, whose bit streams are fixed; integers, uniforms, normals and
permutations are derived here, because numpy does not promise its own derivations across versions.

Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

MAX_SEED = 2**63 - 1
CHUNK = 8192  # numbers made at once, so that intermediate arrays stay in the processor's cache
LANES = 4  # words that Philox gives for each count of its counter


@lru_cache(maxsize=1024)
def _key(seed: int, purpose: str) -> tuple[int, int]:
    digest = hashlib.sha256(f"tinynets\0{seed}\0{purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")


def words(seed: int, purpose: str, index: int, count: int, first: int = 0) -> NDArray[np.uint64]:
    """`count` raw 64-bit words at the address (seed, purpose, index), from word `first` on."""
    low, high = _key(seed, purpose)
    counter = np.array([first // LANES, 0, index, 0], dtype=np.uint64)
    philox = np.random.Philox(key=np.array([low, high], dtype=np.uint64), counter=counter)
    skipped = first % LANES
    return philox.random_raw(skipped + count)[skipped:]


def uniforms(seed: int, purpose: str, index: int, shape: tuple[int, ...], first: int = 0) -> NDArray[np.float64]:
    """Uniform numbers in [0, 1), 53 random bits each; from number `first` at that address on."""
    count = int(np.prod(shape, dtype=np.int64))
    found = np.empty(count)
    for start in range(0, count, CHUNK):
        part = words(seed, purpose, index, min(CHUNK, count - start), first + start)
        np.right_shift(part, np.uint64(11), part)
        np.multiply(part, np.float64(2.0**-53), found[start : start + CHUNK])
    return found.reshape(shape)


def integers(
    seed: int, purpose: str, index: int, high: int, shape: tuple[int, ...], first: int = 0
) -> NDArray[np.int64]:
    """Whole numbers in [0, high); from number `first` at that address on."""
    drawn = uniforms(seed, purpose, index, shape, first)
    np.multiply(drawn, high, drawn)
    return drawn.astype(np.int64)


def normals(seed: int, purpose: str, index: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Standard normal numbers (Box-Muller): of n numbers, pair k makes k by its cosine and n / 2 + k by its sine."""
    count = int(np.prod(shape, dtype=np.int64))
    half = (count + 1) // 2
    found = np.empty(2 * half)
    for start in range(0, half, CHUNK):
        size = min(CHUNK, half - start)
        radius = uniforms(seed, purpose, index, (size,), start)
        angle = uniforms(seed, purpose, index, (size,), half + start)
        np.negative(radius, radius)
        np.log1p(radius, radius)
        np.multiply(radius, -2.0, radius)
        np.sqrt(radius, radius)
        np.multiply(angle, 2.0 * np.pi, angle)
        for where, wave in ((start, np.cos), (half + start, np.sin)):
            values = found[where : where + size]
            wave(angle, values)
            np.multiply(radius, values, values)
    return found[:count].reshape(shape)


def normal_rows(seed: int, purpose: str, index: int, rows: int, count: int) -> NDArray[np.float64]:
    """Standard normal numbers (rows, count); a row does not depend on how many rows follow it."""
    half = (count + 1) // 2
    pairs = uniforms(seed, purpose, index, (rows, 2, half))
    radius = np.sqrt(-2.0 * np.log1p(-pairs[:, 0]))
    angle = 2.0 * np.pi * pairs[:, 1]
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :count]


def permutation(seed: int, purpose: str, index: int, count: int) -> NDArray[np.int64]:
    """The numbers 0 to count - 1 in random order."""
    return np.argsort(words(seed, purpose, index, count), kind="stable")
