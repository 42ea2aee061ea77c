"""Times seeks, and measures memory, over a million steps of names-mlp: is memory flat, and what does distance cost?

Run: `python tests/benchmarks/million.py [STEPS [MB]]`; with fewer steps it says the same of a shorter run, with another
budget for keyframes what a seek costs where they have to lie farther apart.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import random
import sys
from pathlib import Path
from time import perf_counter

from seek import BACK_LIMIT, SEEK_LIMIT, row, seconds

import tinynets as tn
from tinynets.history.keyframes import BUDGET

TRIES = 20
MB = 2**20
RESIDENT = Path("/proc/self/statm")
"""Its second number counts the pages of this process that are in memory; where there is none, nothing is said."""


def resident() -> float:
    """Megabytes of this process in memory."""
    if not RESIDENT.exists():
        return float("nan")
    return int(RESIDENT.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB


def memory(lab: tn.Lab, begun: float) -> None:
    timeline = lab.player.timeline
    kept = {id(state): state.nbytes() for branch in timeline.branches.values() for state in branch.keyframes.values()}
    size = sum(kept.values())
    verdict = "" if size <= timeline.keyframes.budget else f"   over {timeline.keyframes.budget / MB:.0f} MB"
    took = perf_counter() - begun
    losses = lab.player.branch.losses.values.nbytes
    print(
        f"  {lab.step_number:>11,}{took:>9.1f}{resident():>10.0f}{size / MB:>11.0f}{len(kept):>11,}"
        f"{timeline.keyframes.stride:>8,}{losses / MB:>9.1f}{verdict}",
        flush=True,
    )


def main() -> None:
    steps = int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else 1_000_000
    budget = int(sys.argv[2]) * MB if len(sys.argv) > 2 else BUDGET
    lab, begun = tn.Lab("names-mlp", memory=budget), perf_counter()
    print(f"  {'step':>11}{'s':>9}{'resident':>10}{'keyframes':>11}{'of them':>11}{'stride':>8}{'losses':>9}   (MB)")
    memory(lab, begun)
    for _ in range(10):
        lab.run(steps // 10)
        memory(lab, begun)

    chance, steps = random.Random(0), lab.end
    print(f"\n  {'ms':34}{'median':>9}{'p95':>9}{'most':>9}")
    for distance in [10**n for n in range(7) if 10**n <= steps]:
        taken = []
        for _ in range(TRIES):
            here = steps if distance == steps else chance.randrange(distance, steps)
            lab.seek(here)
            taken.append(seconds(lab, here - distance))
        row(f"seek {distance:,} back", taken, BACK_LIMIT if distance == 1 else SEEK_LIMIT)
    row("seek anywhere", [seconds(lab, chance.randrange(steps)) for _ in range(5 * TRIES)], SEEK_LIMIT)
    back = []
    for _ in range(TRIES):
        lab.seek(chance.randrange(200, steps))
        for _ in range(100):  # a walk, through what the seek has left near by and beyond it
            back.append(seconds(lab, lab.step_number - 1))
    row("one step back, walking", back, BACK_LIMIT)
    costs = [lab.seek_cost(chance.randrange(steps))[1] for _ in range(1000)]
    print(f"\n  a seek is said to cost at most {1000 * max(costs):.0f} ms")
    memory(lab, begun)


if __name__ == "__main__":
    main()
