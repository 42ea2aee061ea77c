"""Random keys, mouse and sizes do no harm: nothing is raised, nothing is lost, and the run replays bit for bit.

`pytest -m proof` makes 2,000 events in all; with TINYNETS_PROOF=10 in the environment ten times as many, and
TINYNETS_SEED makes others. With `-s` it tells how many there were.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from opening import app_of, commands, lab, real, until
from patience import PATIENCE
from textual import events
from textual.pilot import Pilot

import tinynets as tn
from tui import actions
from tui.screens.lab import LabScreen
from tui.screens.leave import LeaveScreen
from tui.screens.open import OpenScreen

RECIPES = ("names-mlp", "spiral", "digits-cnn", "names-gru", "names-transformer", "colors-som")
EVENTS = 334 * int(os.environ.get("TINYNETS_PROOF", "1"))
SEED = int(os.environ.get("TINYNETS_SEED", "0"))
SIZES = ((160, 48), (100, 30), (80, 24), (60, 16), (40, 10), (200, 60), (61, 17), (20, 5))
LEAVES = {"quit", "record"}
"""Actions that end the lab, or need a terminal."""
TYPED = [*"0123456789.-hiddenw[]=<>/ ", "enter", "enter", "escape", "escape", "tab", "backspace", "up", "down"]
CONTROL = [*(f"ctrl+{letter}" for letter in "abcdefghijklmnoprstuvwxyz"), "ctrl+left", "ctrl+home", "shift+up", "f2"]
PASTED = ("hidden[3]", "a\nb\n", "", "zero hidden[1]", "\x1b[31m", "é漢字\u202e", "1e400", "x" * 5000, ":lr 0.02\n")
MODIFIED = (False, False, False, True)


def keys() -> list[str]:
    """The keys of all actions, and what is typed into fields."""
    bound = {key for action in actions.ACTIONS if action.id not in LEAVES for key in action.keys.split(",")}
    return [*sorted(bound), *TYPED]


class Monkey:
    """Does random things to the app, through the queue that the terminal's driver writes to."""

    def __init__(self, pilot: Pilot[None], seed: str) -> None:
        self.pilot, self.chance = pilot, random.Random(seed)
        self.done: list[str] = []
        self.events = 0
        self._keys = keys()
        self._acts: list[tuple[float, Callable[[], Awaitable[str]]]] = [
            (20, self._key), (4, self._burst), (1, self._control), (4, self._click), (2, self._move), (2, self._drag),
            (3, self._wheel), (1, self._paste), (1, self._resize), (0.3, self._open), (0.3, self._ask_to_quit),
        ]  # fmt: skip

    async def act(self) -> None:
        weights, acts = zip(*self._acts, strict=True)
        (act,) = self.chance.choices(acts, weights)
        self.done.append(f"{act.__name__} (not to its end)")
        async with asyncio.timeout(PATIENCE):
            self.done[-1] = await act()
        print(f"{self.events}: {self.done[-1]}", flush=True)

    # -- keys

    async def _press(self, *pressed: str) -> None:
        self.events += len(pressed)
        await self.pilot.press(*pressed)

    async def _key(self) -> str:
        key = self.chance.choice(self._keys)
        await self._press(key)
        return key

    async def _control(self) -> str:
        key = self.chance.choice(CONTROL)
        await self._press(key)
        return key

    async def _burst(self) -> str:
        """Keys faster than anything answers them."""
        burst = self.chance.choices(self._keys, k=self.chance.randrange(2, 20))
        for key in burst:
            self.events += 1
            self.pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await self.pilot.pause()
        return f"at once {burst}"

    async def _paste(self) -> str:
        text = self.chance.choice(PASTED)
        self.events += 1
        self.pilot.app.post_message(events.Paste(text))
        await self.pilot.pause()
        return f"paste {text[:20]!r}"

    # -- the mouse

    def _place(self) -> tuple[int, int]:
        size = self.pilot.app.size
        return self.chance.randrange(size.width), self.chance.randrange(size.height)

    def _mouse(self, kind: type[events.MouseEvent], place: tuple[int, int], button: int = 0) -> None:
        shift, meta, control = (self.chance.choice(MODIFIED) for _ in range(3))
        self.events += 1
        self.pilot.app.post_message(kind(None, *place, 0, 0, button, shift, meta, control, *place))

    async def _click(self) -> str:
        place, button, times = self._place(), self.chance.choice((1, 1, 1, 2, 3)), self.chance.choice((1, 1, 1, 2, 3))
        for _ in range(times):
            self._mouse(events.MouseDown, place, button)
            self._mouse(events.MouseUp, place, button)
        await self.pilot.pause()
        return f"click {button} at {place}, {times} times"

    async def _move(self) -> str:
        place = self._place()
        self._mouse(events.MouseMove, place)
        await self.pilot.pause()
        return f"hover {place}"

    async def _drag(self) -> str:
        """The button goes down, the mouse moves, and the button comes up; sometimes the terminal shrinks meanwhile."""
        path = [self._place() for _ in range(self.chance.randrange(2, 6))]
        self._mouse(events.MouseDown, path[0], 1)
        for place in path[1:]:
            self._mouse(events.MouseMove, place, 1)
        await self.pilot.pause()
        if self.chance.random() < 0.1:
            await self._resize()
        if self.chance.random() < 0.9:
            self._mouse(events.MouseUp, path[-1], 1)
        await self.pilot.pause()
        return f"drag {path}"

    async def _wheel(self) -> str:
        place = self._place()
        kind = self.chance.choice((events.MouseScrollUp, events.MouseScrollDown, events.MouseScrollLeft))
        self._mouse(kind, place)
        await self.pilot.pause()
        return f"{kind.__name__} at {place}"

    async def _resize(self) -> str:
        size = self.chance.choice(SIZES)
        self.events += 1
        await self.pilot.resize_terminal(*size)
        return f"resize {size}"

    # -- other runs

    async def _open(self) -> str:
        """Open another recipe, and press on while it opens; what is unsaved is saved, left or stayed with."""
        if not isinstance(self.pilot.app.screen, LabScreen):
            return "open: not now"
        recipe = self.chance.choice(RECIPES)
        await self._press("escape", "o")
        if not isinstance(self.pilot.app.screen, OpenScreen):
            return "open: no screen"
        await self._press(*recipe, "enter")
        answer = self.chance.choice(("s", "o", "escape"))
        if isinstance(self.pilot.app.screen, LeaveScreen):
            await self._press(answer)
        return f"open {recipe}, {answer}, and {await self._burst()}"

    async def _ask_to_quit(self) -> str:
        """Ask to quit, where something is unsaved and so the lab asks back, and stay."""
        frame = lab(self.pilot).frame
        if frame is None or not frame.status.unsaved or not isinstance(self.pilot.app.screen, LabScreen):
            return "quit: not now"
        app_of(self.pilot).files.leave()
        self.events += 1
        await self.pilot.pause()
        if isinstance(self.pilot.app.screen, LeaveScreen):
            await self._press(self.chance.choice(("escape", "n")))
        return "quit, and stay"

    async def rest(self) -> None:
        """Close what is open and stop what runs, as a person would."""
        await self.pilot.resize_terminal(160, 48)
        app = app_of(self.pilot)
        for _ in range(40):
            await self.pilot.press("escape")
            if isinstance(app.screen, LabScreen) and not app.lab.command_line.display:
                break
        await until(self.pilot, lambda: lab(self.pilot).frame is not None)
        async with asyncio.timeout(PATIENCE):
            await commands(self.pilot).done("pause")


@pytest.mark.proof
@pytest.mark.parametrize("recipe", RECIPES)
async def test_random_keys_mouse_and_sizes_do_no_harm(
    recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind in ("DATA", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    path = tmp_path / "at-the-end.msgpack"
    async with real(recipe) as (pilot, engine):
        monkey = Monkey(pilot, f"{recipe} {SEED}")
        try:
            while monkey.events < EVENTS:
                await monkey.act()
                assert engine.process.is_alive()
            await monkey.rest()
            frame = lab(pilot).frame
            assert frame is not None
            assert await commands(pilot).done("save", str(path)), lab(pilot).status.message
            await until(pilot, lambda: (now := lab(pilot).frame) and now.status.path == str(path))
        except BaseException as error:
            error.add_note(f"{recipe}, seed {SEED}, after {monkey.events} events: {monkey.done[-40:]}")
            raise
        opened = tn.Lab(path)
        assert opened.step_number == lab(pilot).frame.status.step  # type: ignore[union-attr]
        shown = lab(pilot).frame.timeline  # type: ignore[union-attr]
        assert sorted(opened.branches) == sorted(branch.name for branch in shown.branches)
        assert [mark.name for mark in opened.bookmarks] == [pin.name for pin in shown.pins]
        verified = opened.verify()
    assert verified.equal, str(verified)
    print(f"{recipe}, seed {SEED}: {monkey.events} events, step {opened.step_number}")
