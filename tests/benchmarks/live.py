"""Times the lab in a pseudo-terminal of 160x48 on names-mlp and on 784-128-10: how it starts, trains and answers.

Run: `python tests/benchmarks/live.py [ROUNDS]` (2 unless told otherwise; each takes about 20 s for each network and
lens). `python tests/benchmarks/live.py memory [MINUTES]` lets names-mlp run (60 minutes unless told otherwise) and
prints what both processes hold.

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
import numpy as np
from terminal import REPOSITORY, Pty, processes, surroundings

import tinynets as tn

SIZE = (160, 48)
STARTS = 5
SECONDS = 8.0  # of a round of training
KEYS = 60
DETAILS = b"Weights"  # stands in the pane that is drawn last of a first frame
LENSES = ("auto", "value", "gradient", "change", "importance")  # in the order in which `v` goes round
STEP = re.compile(rb"step (?:\x1b\[[\d;]*m)*([\d,]+)")
COLOURS = re.compile(rb"\x1b\[[\d;]*m")
HOME = "\x1b[H"
TAIL = 1 << 17  # bytes in which a name is looked for: more than comes between two looks

HEADLESS = """
import sys, time
import tinynets as tn
lab = tn.Lab(sys.argv[1])
for line in sys.stdin:
    first, begun = lab.step_number, time.perf_counter()
    while (took := time.perf_counter() - begun) < float(line):
        lab.run(500)
    print((lab.step_number - first) / took, flush=True)
"""


class Screen(Pty):
    """The app in its terminal, read as bytes."""

    def __init__(self, folder: Path, source: str = "names-mlp") -> None:
        self.begun = perf_counter()
        super().__init__(source, cwd=folder, size=SIZE)

    def wait(self, found: Callable[[bytes], object], seconds: float = 30.0) -> float:
        """When the bytes that come in from now on hold something."""
        seen = b""
        end = perf_counter() + seconds
        while perf_counter() < end:
            seen += self.read(0.1)
            if found(seen):
                return perf_counter()
            seen = seen[-(1 << 20) :]
        last = COLOURS.sub(b"", seen)[-300:]
        raise SystemExit(f"not on the screen within {seconds:.0f} s; last bytes: {last!r}")

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
            # its letters may have colours of their own
            taken.append(self.wait(lambda seen, name=name: name in COLOURS.sub(b"", seen[-TAIL:]), 30.0) - begun)
        return taken

    def to_first_unit(self) -> None:
        """Select unit 0: a lab that was open before remembers another."""
        self.send(HOME)
        self.watch(1.0)


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


def headless(folder: Path, source: str) -> subprocess.Popen[str]:
    environment = surroundings(folder)
    return subprocess.Popen(
        [sys.executable, "-c", HEADLESS, source],
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


def big(folder: Path) -> str:
    """The path of a save of 784-128-10 on random pictures."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(2000, 784)).astype(np.float32), draw.integers(0, 10, 2000)
    layers = [tn.Linear(784, 128, name="hidden"), tn.ReLU(), tn.Linear(128, 10, name="output")]
    net = tn.Network(layers, seed=0)
    lab = tn.Lab(net, data=(x, y), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.01), batch=32, seed=0)
    path = folder / "784-128-10.msgpack"
    lab.save(path)
    return str(path)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        taken = starts(folder)
        row("command to first live frame", f"median {median(taken):.2f}  most {max(taken):.2f} s", "at most 0.8")
        for source in ("names-mlp", big(folder)):
            print(f"{Path(source).stem} at {SIZE[0]}x{SIZE[1]}, all panes drawn")
            measure(folder, source, rounds)


def measure(folder: Path, source: str, rounds: int) -> None:
    """Speeds and answers through each lens."""
    screen, alone = Screen(folder, source), headless(folder, source)
    first = 0
    try:
        screen.started()
        screen.to_first_unit()
        row(f"key to screen, paused, {KEYS // 3} keys", milliseconds(screen.latencies(0, KEYS // 3)), "")
        first += KEYS // 3
        ask(alone, 1.0)
        for lens in LENSES:
            ratios, frames, sizes = [], [], []
            for _ in range(rounds):
                bare = ask(alone, SECONDS)
                screen.run()
                speed, rate, size = screen.speed(SECONDS)
                screen.pause()
                ratios.append(speed / bare)
                frames.append(rate)
                sizes.append(size)
            shown = f"median {median(ratios):.2f}  {min(ratios):.2f} to {max(ratios):.2f}"
            row(f"{lens}: steps a second, live to headless", shown, "at least 0.90")
            row("  frames, bytes a second", f"{median(frames):.1f}  {median(sizes) / 1024:,.0f} KiB", "")
            screen.run()
            row(
                f"  key to screen, running, {KEYS // 3} keys",
                milliseconds(screen.latencies(first, KEYS // 3)),
                "p95 at most 50",
            )
            first += KEYS // 3
            screen.pause()
            screen.send("v")
            screen.watch(0.5)
    finally:
        screen.end()
        alone.kill()
        alone.wait()


def memory(minutes: float) -> None:
    """What the app and its engine hold while names-mlp runs."""
    with tempfile.TemporaryDirectory() as name:
        screen = Screen(Path(name))
        try:
            screen.started()
            screen.run()
            for part in range(11):
                held = [resident(pid) for pid in processes(screen.mark)]
                shown = "  ".join(f"{size / 2**20:,.0f}" for size in sorted(held))
                print(f"  after {part * minutes / 10:5.1f} minutes: {shown} MB", flush=True)
                end = perf_counter() + minutes * 6
                while part < 10 and perf_counter() < end:
                    screen.read(0.1)
        finally:
            screen.end()


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        memory(float(sys.argv[2]) if len(sys.argv) > 2 else 60)
    else:
        main()
