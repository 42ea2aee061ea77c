"""Times how long it takes to go back in a long run of names-mlp, and measures the memory that takes.

Run: `python tests/benchmarks/seek.py [STEPS]` (100,000 unless told otherwise).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random
import sys
from statistics import median
from time import perf_counter

import tinynets as tn

TRIES = 40
SEEK_LIMIT, BACK_LIMIT = 0.1, 0.05


def seconds(lab: tn.Lab, target: int) -> float:
    begun = perf_counter()
    lab.seek(target)
    return perf_counter() - begun


def row(what: str, taken: list[float], limit: float) -> None:
    ordered = sorted(taken)
    late = ordered[int(0.95 * len(ordered))]
    verdict = "" if ordered[-1] <= limit else f"   over {limit * 1000:.0f} ms"
    print(f"  {what:34}{1000 * median(ordered):9.1f}{1000 * late:9.1f}{1000 * ordered[-1]:9.1f}{verdict}")


def main() -> None:
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    lab = tn.Lab("names-mlp")
    begun = perf_counter()
    lab.run(steps)
    took = perf_counter() - begun
    timeline = lab.player.timeline
    kept = {id(state): state.nbytes() for state in timeline.branch.keyframes.values()}
    print(f"{steps:,} steps in {took:.1f} s, {1e6 * took / steps:.0f} us a step, evaluations and keyframes included")
    print(f"{len(kept):,} keyframes, one in {timeline.keyframes.stride} steps, {sum(kept.values()) / 2**20:.0f} MB\n")

    chance = random.Random(0)
    print(f"  {'ms':34}{'median':>9}{'p95':>9}{'most':>9}")
    for distance in [n for n in (10, 100, 1_000, 10_000) if 2 * n < steps] + [steps]:
        taken = []
        for _ in range(TRIES):
            here = 0 if distance == steps else chance.randrange(distance, steps - distance)
            lab.seek(here)
            taken.append(seconds(lab, here + chance.choice((-1, 1)) * distance if here else steps))
        row(f"seek {distance:,} steps away", taken, SEEK_LIMIT)
    row("seek anywhere", [seconds(lab, chance.randrange(steps)) for _ in range(TRIES)], SEEK_LIMIT)
    back, on = [], []
    for _ in range(TRIES // 4):
        lab.seek(chance.randrange(100, steps))
        for _ in range(10):  # a walk back, the first step of it from a place just reached
            begun = perf_counter()
            lab.back()
            back.append(perf_counter() - begun)
        begun = perf_counter()
        lab.step()
        on.append(perf_counter() - begun)
    row("one step back", back, BACK_LIMIT)
    row("one step on, recorded", on, BACK_LIMIT)
    lab.seek(steps)
    lab.run(200)
    begun = perf_counter()
    lab.back()
    row("one step back after a run", [perf_counter() - begun] * 2, BACK_LIMIT)


if __name__ == "__main__":
    main()
