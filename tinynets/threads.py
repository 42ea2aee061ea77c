"""What the last bits depend on besides the State: BLAS threads, and the kernels of this machine's numpy.

One thread for every network that fits here: more do not pay at these sizes, and would change the bits.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from threadpoolctl import threadpool_limits

from tinynets import rng
from tinynets.arrays import Array

THREADS = 1


@lru_cache(maxsize=1)
def settle_threads() -> int:
    """Set the number of BLAS threads, once for the process; returns it."""
    threadpool_limits(THREADS, user_api="blas")
    return THREADS


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """sha256 of the results of a few fixed computations: equal where replay gives the same bits."""
    settle_threads()
    sha = hashlib.sha256()
    for dtype in (np.float32, np.float64):
        a: Array = rng.uniforms(0, "fingerprint", 0, (32, 30)).astype(dtype)
        b: Array = rng.uniforms(0, "fingerprint", 1, (30, 200)).astype(dtype)
        product = a @ b
        for result in (
            product,
            product.T @ a,
            np.tanh(product),
            np.exp(a),
            np.log1p(a),
            product.sum(axis=0),
            product.sum(),
        ):
            sha.update(np.ascontiguousarray(result).tobytes())
    return sha.hexdigest()
