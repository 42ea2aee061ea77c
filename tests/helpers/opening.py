"""Opens the app in a test, on the fake engine or the real one, to type into it, read its screen and wait."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from fake import FakeEngine
from patience import PATIENCE
from textual.pilot import Pilot

from tinynets.server.process import ServerProcess, spawn
from tinynets.storage.paths import journal_folder
from tinynets.storage.records import HEADER, encode_record
from tui.app import LabApp
from tui.controllers.commands import Commands
from tui.screens.lab import LabScreen

WIDE, MIDDLE, SMALL = (160, 48), (100, 30), (80, 24)


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, f"did not come about in {PATIENCE:g} s; the status line says: {status(pilot)}"
        await pilot.pause(0.01)
    await pilot.pause()


def app_of(pilot: Pilot[None]) -> LabApp:
    app = pilot.app
    assert isinstance(app, LabApp)
    return app


def lab(pilot: Pilot[None]) -> LabScreen:
    return app_of(pilot).lab


def commands(pilot: Pilot[None]) -> Commands:
    return app_of(pilot).commands


def status(pilot: Pilot[None]) -> str:
    return lab(pilot).status.message


def screen_text(pilot: Pilot[None]) -> str:
    """The text on the screen, line by line."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def dialog_text(pilot: Pilot[None]) -> str:
    """The words in the top dialog, however they are wrapped."""
    region = pilot.app.screen.query_one(".box").content_region
    rows = screen_text(pilot).split("\n")[region.y : region.bottom]
    return " ".join(" ".join(row[region.x : region.right] for row in rows).split())


async def type_line(pilot: Pilot[None], text: str) -> None:
    """Type a line on the command line, whatever its letters do as keys elsewhere."""
    screen = lab(pilot)
    screen.open_command_line(text)
    screen.command_line.post_message(screen.command_line.Entered(text))
    await pilot.pause()


@asynccontextmanager
async def opened(
    size: tuple[int, int] = WIDE, source: str = "names-mlp", engine: type[FakeEngine] = FakeEngine
) -> AsyncIterator[tuple[Pilot[None], FakeEngine]]:
    """The app on the fake engine, with its first frame drawn."""
    engines: list[FakeEngine] = []

    def spawn(source: str | None, options: dict[str, object]) -> FakeEngine:
        engines.append(engine(source, options))
        return engines[-1]

    app = LabApp(spawn, source)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.lab.frame is not None)
        yield pilot, engines[-1]


@asynccontextmanager
async def real(
    source: str = "names-mlp", size: tuple[int, int] = (160, 48)
) -> AsyncIterator[tuple[Pilot[None], ServerProcess]]:
    """The app on the real engine, in a process of its own, which is ended afterwards."""
    engines: list[ServerProcess] = []

    def spawned(source: str, options: dict[str, object]) -> ServerProcess:
        engines.append(spawn(source, options))
        return engines[-1]

    app = LabApp(spawned, source)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.lab.frame is not None or status(pilot))
        yield pilot, engines[0]
    assert not any(engine.process.is_alive() for engine in engines)


def step(pilot: Pilot[None]) -> int:
    """The lab's present step."""
    frame = lab(pilot).frame
    assert frame is not None
    return frame.status.step


def left_behind(name: str, step: int = 7, save: str = "", recipe: str = "names-mlp") -> Path:
    """A journal that nobody holds, with as much in it as a list of journals reads."""
    records: list[dict[str, Any]] = [
        {"record": "header", "kind": "journal", "recipe": recipe, "path": save},
        {"record": "branch"},
        {"record": "edits", "edits": [{}, {}]},
        {"record": "position", "step": step},
    ]
    journal_folder().mkdir(parents=True, exist_ok=True)
    file = journal_folder() / f"{name}.journal"
    file.write_bytes(HEADER + b"".join(map(encode_record, records)))
    return file
