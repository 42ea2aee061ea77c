"""Determinism: what the last bits depend on besides the State, BLAS threads and the kernels of this machine's numpy.

The number of threads follows from the shapes alone, so that the same network gives the same bits: one, or two if a
single matrix product is so large that dividing it pays (tests/benchmarks/threads.py measures that). The first Lab sets
it once for the process; an argument, `TINYNETS_THREADS` or a save's own number override the rule.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache

import numpy as np
from threadpoolctl import threadpool_limits

from tinynets.errors import EditError
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array

VARIABLE = "TINYNETS_THREADS"
MAX_THREADS = 256
TWO_FROM = 2**30  # multiply-adds of one matrix product; up to 2**28, two lost on busy cores (idle: not measured)

_settled: list[int] = []


def threads_rule(largest_product: int) -> int:
    """The number of threads for a network whose largest matrix product has this many multiply-adds."""
    return 2 if largest_product >= TWO_FROM else 1


def checked_threads(value: object, name: str = "threads") -> int:
    """A number of threads; raises EditError that names it otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_THREADS:
        raise EditError(f"`{name}` must be a whole number from 1 to {MAX_THREADS}, not {value!r}")
    return value


def requested_threads(argument: int | None) -> int | None:
    """The number of threads from the argument or the environment, or None. Raises EditError if it is not a number."""
    if argument is not None:
        return checked_threads(argument)
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    return checked_threads(int(text) if text.isdecimal() else text, VARIABLE)


def fix_threads(asked: int | None = None, usual: int = 1) -> int:
    """Set the number of BLAS threads, once for the process; returns it.

    `asked` is required, `usual` the default. Raises EditError if another number has been set already.
    """
    if not _settled:
        threadpool_limits(asked or usual, user_api="blas")
        _settled.append(asked or usual)
    if asked is not None and asked != _settled[0]:
        raise EditError(
            f"`threads`: {asked} asked for, but this process has computed with {_settled[0]} since its first Lab; "
            "another number would change the last bits"
        )
    return _settled[0]


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """sha256 of the results of a few fixed computations: equal if a replay gives the same bits."""
    fix_threads()
    sha = hashlib.sha256()
    for dtype in (np.float32, np.float64):
        a: Array = rng.uniforms(0, "fingerprint", 0, (32, 30)).astype(dtype)
        b: Array = rng.uniforms(0, "fingerprint", 1, (30, 200)).astype(dtype)
        large: Array = rng.uniforms(0, "fingerprint", 2, (192, 192)).astype(dtype)
        product = a @ b
        for result in (
            product,
            product.T @ a,
            large @ large,  # large enough that several threads divide it
            np.tanh(product),
            np.exp(a),
            np.log1p(a),
            product.sum(axis=0),
            product.sum(),
        ):
            sha.update(np.ascontiguousarray(result).tobytes())
    return sha.hexdigest()
