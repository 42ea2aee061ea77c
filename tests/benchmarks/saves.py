"""Measures saves: bytes by kind of record, memory and time to save and load 100 MB, and a list of 200 saves.

Run: `python tests/benchmarks/saves.py`; it writes some 150 MB to the folder for temporary files.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import shutil
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np

import tinynets as tn
from tinynets.storage import saves
from tinynets.storage.catalog import list_headers
from tinynets.storage.records import read_records, record_pieces

MB = 10**6
STEPS, EDITS = 10_000, 20
ROUNDS = 15
RATIO_LIMIT = 2.0
WIDE = 1000, 3120  # 6.2 million parameters: with velocity and two keyframes 100 MB
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
"""Where a process on Linux reads its largest memory so far, and has it forgotten; elsewhere nothing is said."""


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="tinynets-"))
    try:
        small(folder)
        large(folder)
        many(folder)
    finally:
        shutil.rmtree(folder)


def small(folder: Path) -> None:
    lab = tn.Lab("names-mlp")
    for number in range(EDITS):
        lab.run(STEPS // EDITS)
        lab.zero(f"hidden[{number}]") if number % 2 else lab.freeze(f"hidden[{number}]")
    report = lab.save(folder / "small")
    print(f"names-mlp, {lab.step_number:,} steps, {len(lab.log)} edits: {report.nbytes / MB:.2f} MB")
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for record in read_records(report.path):
        sizes[record["record"]] += sum(map(len, record_pieces(record)))
        counts[record["record"]] += 1
    for kind, size in sizes.most_common():
        print(f"  {kind:12}{counts[kind]:>6}{size / 1000:>12,.1f} kB")


def large(folder: Path) -> None:
    x = np.random.default_rng(0).normal(size=(64, WIDE[0]))
    layers = [tn.Linear(*WIDE, name="hidden"), tn.Tanh(), tn.Linear(WIDE[1], WIDE[0], name="output")]
    optimizer = tn.SGD(0.001, momentum=0.9)
    lab = tn.Lab(tn.Network(layers), data=(x, x[:, ::-1].copy()), loss=tn.MSE(), optimizer=optimizer, batch=4)
    lab.run(2)
    path = folder / "large.msgpack"
    size = lab.save(path).nbytes
    print(f"\na save of {size / MB:.0f} MB, of which its States are {2 * lab.state_now.nbytes() / MB:.0f} MB")
    print(f"  {'most memory beyond what was held, MB':44}{'traced':>8}{'resident':>10}")
    memory("saving", lambda: lab.save(path))
    kept: list[object] = []
    memory("reading (what it gives is the file once)", lambda: kept.append(saves.read(path)))
    kept.clear()
    memory("tn.Lab(path) (and a live State, gradient, ...)", lambda: kept.append(tn.Lab(path, read_only=True)))
    kept.clear()

    contestants: dict[str, Callable[[], object]] = {
        "read_bytes": path.read_bytes,
        "saves.read": lambda: saves.read(path),
        "tn.Lab": lambda: tn.Lab(path, read_only=True),
    }
    print(f"  {f'medians of {ROUNDS}, page cache warm':44}{'ms':>8}{'ratio':>10}{'CPU ms':>10}{'ratio':>10}")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, work in contestants.items():
            times[name].append(both(work))
    base = medians(times["read_bytes"])
    for name, taken in times.items():
        found = medians(taken)
        ratios = [one / other for one, other in zip(found, base, strict=True)]
        verdict = f"   over {RATIO_LIMIT:g}" if name == "saves.read" and ratios[0] > RATIO_LIMIT else ""
        cells = [
            f"{1000 * value:>{width}.1f}{ratio:>10.2f}"
            for value, ratio, width in zip(found, ratios, (8, 10), strict=True)
        ]
        print(f"  {name:44}{''.join(cells)}{verdict}")


def many(folder: Path) -> None:
    (folder / "large.msgpack").unlink()
    for number in range(199):
        shutil.copy(folder / "small.msgpack", folder / f"copy{number}.msgpack")
    taken = median(seconds(lambda: list_headers(folder)) for _ in range(ROUNDS))
    print(f"\na list of {len(list_headers(folder))} saves: {1000 * taken:.1f} ms")


def memory(what: str, work: Callable[[], object]) -> None:
    """How much more memory than before something takes at its most, as Python counts it and as the system does."""
    before = resident(forget=True)
    work()
    after = resident()
    tracemalloc.start()
    work()
    traced = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"  {what:44}{traced / MB:>8.1f}{(after - before) / MB:>10.1f}")


def resident(*, forget: bool = False) -> float:
    """The most bytes in memory so far; or those now, from which on the most is counted."""
    if not RESET.exists():
        return float("nan")
    if forget:
        RESET.write_text("5")
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return 1024.0 * int(line.split()[1])


def both(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processor, which others at work beside it do not lengthen."""
    begun, busy = perf_counter(), process_time()
    work()
    return perf_counter() - begun, process_time() - busy


def medians(taken: list[tuple[float, float]]) -> tuple[float, float]:
    return median(wall for wall, _ in taken), median(busy for _, busy in taken)


def seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


if __name__ == "__main__":
    main()
