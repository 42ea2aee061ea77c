"""Makes what ships besides code: the saves in saves/, the pictures in README.md, and a recording of the tour.

python docs/make.py saves
python docs/make.py pictures
python docs/make.py cast      (docs/lab.cast, which asciinema plays)
"""

from __future__ import annotations

import asyncio
import multiprocessing.resource_tracker
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tui.app import LabApp

ROOT = Path(__file__).resolve().parent.parent
SIZE = (160, 50)
SCENES: list[tuple[str, tuple[str, ...], float]] = [
    ("\x1bOP", ("1 of 6",), 3.0),
    ("s", ("2 of 6", "step 1 "), 2.5),
    (" ", ("running",), 2.5),
    (" ", ("3 of 6",), 2.5),
    *[("l", (), 0.3)] * 5,
    ("z", ("zeroed", "5 of 6"), 3.0),
    ("u", ("6 of 6",), 3.0),
    ("\r", ("that was the tour",), 1.5),
    *[("n", ("mid-step",), 0.8)] * 12,
    (".", ("paused",), 1.5),
    ("v", (), 1.0),
    ("v", ("gradient",), 2.0),
    ("2", (), 0.5),
    ("A", ("worth",), 3.0),
]
"""Keys, what is to be seen after them, and how long it is looked at."""


def names_surgery() -> None:
    """The names network through 2,000 steps, with a few operations on the way."""
    import tinynets as tn

    lab = tn.Lab("names-mlp", seed=1)
    lab.run(500)
    lab.evaluate("dev")
    lab.zero("hidden[3]")
    lab.run(250)
    lab.release("hidden[3]")
    lab.freeze("hidden[0:8]")
    lab.bookmark("frozen", "the first eight units learn no more")
    lab.run(250)
    lab.set("lr", 0.05)
    lab.mean("hidden[12]")
    lab.clamp("hidden[17]", 0.5)
    lab.run(1000)
    lab.evaluate("dev")
    lab.back(1000)
    print(lab.save(ROOT / "saves" / "names-surgery.msgpack"))


def spiral() -> None:
    """The spiral, learned; the lab stands at its start, ready to be played."""
    import tinynets as tn

    lab = tn.Lab("spiral", seed=1)
    lab.run(3000)
    lab.evaluate("dev")
    lab.seek(0)
    print(lab.save(ROOT / "saves" / "spiral.msgpack"))


@asynccontextmanager
async def lab(source: str) -> AsyncIterator[tuple[Pilot[None], LabApp]]:
    """The lab on a source, with its first frame drawn."""
    multiprocessing.resource_tracker.ensure_running()
    os.environ["TINYNETS_STATE"] = tempfile.mkdtemp()  # what others left behind is not in the picture
    os.environ |= {"TEXTUAL_COLOR_SYSTEM": "truecolor", "COLORFGBG": "15;0"}
    from tinynets.server.process import spawn
    from tui.app import LabApp

    app = LabApp(spawn, source, {}, spawn(source))
    async with app.run_test(size=SIZE) as pilot:
        while app.lab.frame is None:
            await pilot.pause(0.05)
        yield pilot, app
        await pilot.pause(1.0)


async def at_step(pilot: Pilot[None], app: LabApp, step: int) -> None:
    while app.lab.frame is None or app.lab.frame.status.step != step:
        await pilot.pause(0.05)


async def pictures() -> None:
    """The names network after some training and surgery as docs/lab.svg, the spiral as docs/spiral.svg."""
    async with lab(str(ROOT / "saves" / "names-surgery.msgpack")) as (pilot, app):
        await pilot.press("colon", *"seek", "space", *"2000", "enter")
        await at_step(pilot, app, 2000)
        await pilot.press("l", "l", "l", "l", "z")
        while not app.lab.frame or not app.lab.frame.status.unsaved:
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        app.save_screenshot("lab.svg", str(ROOT / "docs"))
    async with lab("spiral") as (pilot, app):
        await pilot.press("colon", *"step", "space", *"900", "enter")
        await at_step(pilot, app, 900)
        await pilot.press("right", "right", "down", "down")
        await pilot.pause(1.0)
        app.save_screenshot("spiral.svg", str(ROOT / "docs"))


def cast() -> None:
    """The tour and a step in pieces, typed by a script in a pseudo-terminal and recorded by the lab itself."""
    sys.path.insert(0, str(ROOT / "tests" / "helpers"))
    from terminal import Terminal

    folder = Path(tempfile.mkdtemp())
    target = ROOT / "docs" / "lab.cast"
    terminal = Terminal("names-mlp", cwd=folder, size=(120, 36), TINYNETS_STATE=str(folder))
    terminal.until("names-mlp", "step 0", "? help")
    terminal.press(":record lab.cast\r", "recording to")
    for keys, shown, seconds in SCENES:
        terminal.press(keys, *shown)
        sleep(seconds)
    terminal.press(":record\r", "recorded")
    terminal.end()
    target.write_bytes((folder / "lab.cast").read_bytes())
    print(target)


def main() -> None:
    match sys.argv[1:]:
        case ["saves"]:
            names_surgery()
            spiral()
        case ["pictures"]:
            asyncio.run(pictures())
        case ["cast"]:
            cast()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
