"""Random keys, mouse and sizes do no harm: nothing is raised, nothing is lost, and the run replays bit for bit.

`pytest -m proof` makes 2,000 events in all; with TINYNETS_PROOF=10 in the environment ten times as many.
"""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from opening import app_of, commands, lab, real, until
from textual import events
from textual.pilot import Pilot

import tinynets as tn
from tui import actions
from tui.screens.lab import LabScreen

RECIPES = ("names-mlp", "spiral", "digits-cnn", "names-gru", "names-transformer", "colors-som")
EVENTS = 334 * int(os.environ.get("TINYNETS_PROOF", "1"))
SIZES = ((160, 48), (100, 30), (80, 24), (60, 16), (40, 10), (200, 60))
LEAVES = {"quit", "record"}
"""Actions that end the lab, or need a terminal."""
TYPED = [*"0123456789.-hiddenw[]=<>/ ", "enter", "enter", "escape", "escape", "tab", "backspace", "up", "down"]


def keys() -> list[str]:
    """The keys of all actions, and what is typed into fields."""
    bound = {key for action in actions.ACTIONS if action.id not in LEAVES for key in action.keys.split(",")}
    return [*sorted(bound), *TYPED]


class Monkey:
    """Does random things to the app."""

    def __init__(self, pilot: Pilot[None], seed: int) -> None:
        self.pilot, self.chance = pilot, random.Random(seed)
        self.done: list[str] = []
        self._keys = keys()
        self._acts: list[tuple[int, Callable[[], Awaitable[str]]]] = [
            (20, self._key), (4, self._click), (2, self._move), (3, self._wheel), (1, self._resize),
        ]  # fmt: skip

    async def act(self) -> None:
        weights, acts = zip(*self._acts, strict=True)
        (act,) = self.chance.choices(acts, weights)
        self.done.append(await act())

    async def _key(self) -> str:
        key = self.chance.choice(self._keys)
        await self.pilot.press(key)
        return key

    def _place(self) -> tuple[int, int]:
        size = self.pilot.app.size
        return self.chance.randrange(size.width), self.chance.randrange(size.height)

    async def _click(self) -> str:
        place = self._place()
        button = self.chance.choice((1, 1, 1, 3))
        await self.pilot.click(offset=place, button=button)
        return f"click {button} at {place}"

    async def _move(self) -> str:
        place = self._place()
        await self.pilot.hover(offset=place)
        return f"hover {place}"

    async def _wheel(self) -> str:
        x, y = self._place()
        kind = self.chance.choice((events.MouseScrollUp, events.MouseScrollDown))
        screen = self.pilot.app.screen
        screen._forward_event(kind(screen, x, y, 0, 0, 0, False, False, False, x, y))
        await self.pilot.pause()
        return f"{kind.__name__} at {(x, y)}"

    async def _resize(self) -> str:
        size = self.chance.choice(SIZES)
        await self.pilot.resize_terminal(*size)
        return f"resize {size}"

    async def rest(self) -> None:
        """Close what is open and stop what runs, as a person would."""
        await self.pilot.resize_terminal(160, 48)
        app = app_of(self.pilot)
        for _ in range(40):
            await self.pilot.press("escape")
            if isinstance(app.screen, LabScreen) and not app.lab.command_line.display:
                break
        await until(self.pilot, lambda: lab(self.pilot).frame is not None)
        await commands(self.pilot).done("pause")


@pytest.mark.proof
@pytest.mark.parametrize("recipe", RECIPES)
async def test_random_keys_mouse_and_sizes_do_no_harm(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "at-the-end.msgpack"
    async with real(recipe) as (pilot, engine):
        monkey = Monkey(pilot, seed=RECIPES.index(recipe))
        try:
            for _ in range(EVENTS):
                await monkey.act()
                assert engine.process.is_alive()
            await monkey.rest()
            frame = lab(pilot).frame
            assert frame is not None
            assert await commands(pilot).done("save", str(path)), lab(pilot).status.message
        except BaseException as error:
            error.add_note(f"{recipe}, after {monkey.done[-40:]}")
            raise
        opened = tn.Lab(path)
        assert opened.step_number == lab(pilot).frame.status.step  # type: ignore[union-attr]
        shown = lab(pilot).frame.timeline  # type: ignore[union-attr]
        assert sorted(opened.branches) == sorted(branch.name for branch in shown.branches)
        assert [mark.name for mark in opened.bookmarks] == [pin.name for pin in shown.pins]
        verified = opened.verify()
    assert verified.equal, str(verified)
