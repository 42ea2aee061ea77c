"""Where a second BLAS thread pays: the three matrix products of a Linear layer with one thread and with two.

Run on an idle machine: python tests/benchmarks/threads.py. The rule that follows stands in
tinynets/numerics/determinism.py.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

SHAPES = (
    (32, 30, 200),
    (32, 784, 128),
    (128, 256, 256),
    (256, 256, 256),
    (256, 512, 512),
    (512, 512, 512),
    (1024, 512, 512),
)
REPEATS = 7


def seconds(batch: int, inputs: int, outputs: int, threads: int) -> float:
    """Median time of forward and backward."""
    random = np.random.default_rng(0)
    x = random.normal(size=(batch, inputs)).astype(np.float32)
    w = random.normal(size=(inputs, outputs)).astype(np.float32)
    out, dw, dx = np.empty((batch, outputs), np.float32), np.empty_like(w), np.empty_like(x)
    rounds = max(1, int(5e7 / (batch * inputs * outputs)))
    times = []
    with threadpool_limits(threads, user_api="blas"):
        for _ in range(REPEATS):
            begun = perf_counter()
            for _ in range(rounds):
                np.matmul(x, w, out)
                np.matmul(x.T, out, dw)
                np.matmul(out, w.T, dx)
            times.append((perf_counter() - begun) / rounds)
    return median(times)


def main() -> None:
    print(f"{'batch, inputs, outputs':<24}{'multiply-adds':>14}{'1 thread':>12}{'2 threads':>12}{'gain':>7}")
    for shape in SHAPES:
        one, two = seconds(*shape, 1), seconds(*shape, 2)
        count = shape[0] * shape[1] * shape[2]
        print(f"{shape!s:<24}{count:>14,}{one * 1e6:>9.0f} us{two * 1e6:>9.0f} us{one / two:>7.2f}")


if __name__ == "__main__":
    main()
