"""Makes what ships besides code: the saves in saves/, and the picture in README.md.

python docs/make.py saves
python docs/make.py picture
"""

from __future__ import annotations

import asyncio
import multiprocessing.resource_tracker
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SIZE = (132, 42)


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


def main() -> None:
    match sys.argv[1:]:
        case ["saves"]:
            names_surgery()
            spiral()
        case ["picture"]:
            asyncio.run(picture())
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
