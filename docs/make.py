"""Makes what ships besides code: the saves in saves/, the picture in README.md, and a short recording of the lab.

python docs/make.py saves
python docs/make.py picture
python docs/make.py cast      (docs/lab.cast, which asciinema plays)
"""

from __future__ import annotations

import asyncio
import multiprocessing.resource_tracker
import os
import sys
import tempfile
from pathlib import Path
from time import sleep

ROOT = Path(__file__).resolve().parent.parent
SIZE = (132, 42)
SCENES: list[tuple[str, tuple[str, ...], float]] = [
    ("s", ("step 1 ",), 1.5),
    *[("n", ("mid-step",), 0.7)] * 6,
    ("s", ("step 2 ",), 1.0),
    (" ", ("running",), 4.0),
    (" ", ("paused",), 1.0),
    *[("l", (), 0.25)] * 5,
    ("z", ("zeroed",), 2.0),
    ("E", ("explain",), 2.5),
    ("\x1b", (), 0.8),
    ("u", ("undo",), 1.5),
    ("b", ("back",), 1.2),
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


async def picture() -> None:
    """The lab on the names network, after some training and surgery, as docs/lab.svg."""
    multiprocessing.resource_tracker.ensure_running()
    os.environ["TINYNETS_STATE"] = tempfile.mkdtemp()  # what others left behind is not in the picture
    from tinynets.server.process import spawn
    from tui.app import LabApp

    source = str(ROOT / "saves" / "names-surgery.msgpack")
    app = LabApp(spawn, source, {}, spawn(source))
    async with app.run_test(size=SIZE) as pilot:
        while app.lab.frame is None:
            await pilot.pause(0.05)
        await pilot.press("colon", *"seek", "space", *"2000", "enter")
        while app.lab.frame.status.step != 2000:
            await pilot.pause(0.05)
        await pilot.press("l", "l", "l", "l", "z")
        while not app.lab.frame.status.unsaved:
            await pilot.pause(0.05)
        await pilot.pause(0.5)
        app.save_screenshot("lab.svg", str(ROOT / "docs"))


def cast() -> None:
    """A minute in the lab, typed by a script in a pseudo-terminal and recorded by the lab itself."""
    sys.path.insert(0, str(ROOT / "tests" / "helpers"))
    from terminal import Terminal

    folder = Path(tempfile.mkdtemp())
    target = ROOT / "docs" / "lab.cast"
    target.unlink(missing_ok=True)
    terminal = Terminal("names-mlp", cwd=folder, size=SIZE, TINYNETS_STATE=str(folder))
    terminal.until("names-mlp", "step 0", "? help")
    terminal.press(f":record {target}\r", "recording to")
    for keys, shown, seconds in SCENES:
        terminal.press(keys, *shown)
        sleep(seconds)
    terminal.press(":record\r", "recorded")
    terminal.end()
    print(target)


def main() -> None:
    match sys.argv[1:]:
        case ["saves"]:
            names_surgery()
            spiral()
        case ["picture"]:
            asyncio.run(picture())
        case ["cast"]:
            cast()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
