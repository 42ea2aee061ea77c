"""Times the lab in a pseudo-terminal of 160x48 on names-mlp: how fast it starts, trains and answers.

Run: `python tests/benchmarks/live.py [ROUNDS]` (4 unless told otherwise; about 25 s each).

The stand-in for the terminal only reads bytes and looks for a few of them, so that it takes little of the two cores
that the app and its engine share. Speed: headless and live take turns, a round each; the headless lab runs in a process
of its own with the same evaluations on the way, and the app is paused meanwhile.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from terminal import REPOSITORY, Pty, surroundings

SIZE = (160, 48)
STARTS = 5
SECONDS = 8.0  # of a round of training
KEYS = 60
DETAILS = b"embed[0]@0"  # stands in the weights pane, the last that is drawn of a first frame
STEP = re.compile(rb"step (?:\x1b\[[\d;]*m)*([\d,]+)")

HEADLESS = """
import sys, time
import tinynets as tn
lab = tn.Lab("names-mlp")
for line in sys.stdin:
    first, begun = lab.step_number, time.perf_counter()
    while (took := time.perf_counter() - begun) < float(line):
        lab.run(500)
    print((lab.step_number - first) / took, flush=True)
"""


class Screen(Pty):
    """The app in its terminal, read as bytes."""

    def __init__(self, folder: Path) -> None:
        self.begun = perf_counter()
        super().__init__("names-mlp", cwd=folder, size=SIZE)

    def wait(self, found: Callable[[bytes], object], seconds: float = 30.0) -> float:
        """When the bytes that come in from now on hold something."""
        seen = b""
        end = perf_counter() + seconds
        while perf_counter() < end:
            seen += self.read(0.1)
            if found(seen):
                return perf_counter()
            seen = seen[-(1 << 20) :]
        raise SystemExit(f"not on the screen within {seconds:.0f} s; last bytes: {seen[-300:]!r}")

    def watch(self, seconds: float) -> bytes:
        """Everything that comes in meanwhile."""
        parts, end = [], perf_counter() + seconds
        while (left := end - perf_counter()) > 0:
            parts.append(self.read(left))
        return b"".join(parts)

    def started(self) -> float:
        """Seconds from the command to the first frame of the engine on the screen."""
        return self.wait(lambda seen: b"paused" in seen and DETAILS in seen) - self.begun

    def run(self) -> None:
        self.send(" ")
        self.wait(lambda seen: b"running" in seen)
        self.watch(1.0)

    def pause(self) -> None:
        self.send(" ")
        self.wait(lambda seen: b"paused" in seen)
        self.watch(0.3)

    def speed(self, seconds: float) -> tuple[float, float, float]:
        """Steps, frames and bytes a second, by what the header shows."""
        times, steps, size = [], [], 0
        end, tail = perf_counter() + seconds, b""
        while perf_counter() < end:
            got = self.read(0.1)
            size += len(got)
            tail = (tail + got)[-8192:]
            shown = STEP.findall(tail)
            if shown and (not steps or int(shown[-1].replace(b",", b"")) > steps[-1]):
                steps.append(int(shown[-1].replace(b",", b"")))
                times.append(perf_counter())
        if len(steps) < 2:
            raise SystemExit("the header shows no steps while it runs")
        took = times[-1] - times[0]
        return (steps[-1] - steps[0]) / took, (len(steps) - 1) / took, size / seconds

    def latencies(self, first: int, count: int) -> list[float]:
        """Seconds from each `l` to the name of the next unit on the screen, from unit `first` on."""
        chance, taken = random.Random(first), []
        for unit in range(first + 1, first + 1 + count):
            self.watch(chance.uniform(0.05, 0.25))  # at any point between two frames
            name = f"hidden[{unit}]".encode()
            begun = perf_counter()
            self.send("l")
            taken.append(self.wait(lambda seen, name=name: name in seen, 5.0) - begun)
        return taken


def starts(folder: Path) -> list[float]:
    """Seconds to the first frame, imports warm."""
    taken = []
    for _ in range(STARTS + 1):
        screen = Screen(folder)
        try:
            taken.append(screen.started())
        finally:
            screen.end()
    return taken[1:]


def headless(folder: Path) -> subprocess.Popen[str]:
    environment = surroundings(folder)
    return subprocess.Popen(
        [sys.executable, "-c", HEADLESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env=environment,
        text=True,
    )


def ask(process: subprocess.Popen[str], seconds: float) -> float:
    """Steps a second over so many seconds."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{seconds}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def row(what: str, value: str, target: str) -> None:
    print(f"  {what:44}{value:>34}   {target}", flush=True)


def milliseconds(taken: list[float]) -> str:
    ordered = sorted(taken)
    late = ordered[int(0.95 * len(ordered))]
    return f"p50 {1000 * median(ordered):.0f}  p95 {1000 * late:.0f}  most {1000 * ordered[-1]:.0f} ms"


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    print(f"names-mlp at {SIZE[0]}x{SIZE[1]}, all panes drawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = starts(folder)
        row("command to first live frame", f"median {median(taken):.2f}  most {max(taken):.2f} s", "at most 0.8")

        screen, alone = Screen(folder), headless(folder)
        try:
            screen.started()
            screen.watch(1.0)
            row(f"key to screen, paused, {KEYS // 3} keys", milliseconds(screen.latencies(0, KEYS // 3)), "")
            ask(alone, 1.0)
            bare, live, frames, sizes = [], [], [], []
            for _ in range(rounds):
                bare.append(ask(alone, SECONDS))
                screen.run()
                speed, rate, size = screen.speed(SECONDS)
                screen.pause()
                live.append(speed)
                frames.append(rate)
                sizes.append(size)
            row("steps a second, headless", f"{median(bare):,.0f}", "")
            row("steps a second, live", f"{median(live):,.0f}", "")
            ratios = [a / b for a, b in zip(live, bare, strict=True)]
            row(
                "  ratio",
                f"median {median(ratios):.2f}  {min(ratios):.2f} to {max(ratios):.2f}",
                "at least 0.80 (0.85)",
            )
            row("  frames a second", f"{median(frames):.1f}", "")
            row("  bytes a second", f"{median(sizes) / 1024:,.0f} KiB", "")
            screen.run()
            running = screen.latencies(KEYS // 3, KEYS)
            row(f"key to screen, running, {KEYS} keys", milliseconds(running), "p95 at most 50")
        finally:
            screen.end()
            alone.kill()
            alone.wait()


if __name__ == "__main__":
    main()
