"""What the app's tests share: an app on a made-up engine, and waiting for a condition instead of for time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from fake import FakeEngine
from textual.pilot import Pilot

from tui.app import LabApp

WIDE, MIDDLE, SMALL = (160, 48), (100, 30), (80, 24)


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something holds."""
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, f"did not come about in {seconds} s; the status line says: {status(pilot)}"
        await pilot.pause(0.01)
    await pilot.pause()


def lab(pilot: Pilot[None]) -> LabApp:
    app = pilot.app
    assert isinstance(app, LabApp)
    return app


def status(pilot: Pilot[None]) -> str:
    return lab(pilot).status.message


def screen_text(pilot: Pilot[None]) -> str:
    """What stands on the screen, line by line."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


@asynccontextmanager
async def opened(
    size: tuple[int, int] = WIDE, source: str = "names-mlp"
) -> AsyncIterator[tuple[Pilot[None], FakeEngine]]:
    """The app on a made-up engine, with its first frame drawn."""
    engines: list[FakeEngine] = []

    def spawn(source: str | None, options: dict[str, object]) -> FakeEngine:
        engines.append(FakeEngine(source, options))
        return engines[-1]

    app = LabApp(spawn, source)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.lab_frame is not None)
        yield pilot, engines[-1]
