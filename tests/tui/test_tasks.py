"""What people come for, and how many keys it takes at most: each task is played on the real engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from opening import app_of, lab, real, screen_text, status, step, until
from textual.pilot import Pilot

import tinynets as tn
from tui.screens.compare import CompareScreen
from tui.screens.tree import TreeScreen

pytestmark = pytest.mark.proof


class Keys:
    """Presses keys one after another, and counts them."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot, self.pressed = pilot, 0

    async def __call__(self, *keys: str, then: Callable[[], object] = lambda: True) -> None:
        for key in keys:
            await self.pilot.press(key)
            self.pressed += 1
        await until(self.pilot, then)


async def test_which_neuron_matters_most_takes_6_keys_at_most() -> None:
    async with real() as (pilot, _):
        await app_of(pilot).commands.done("step", 20)
        keys = Keys(pilot)
        await keys("2", "A", then=lambda: (frame := lab(pilot).frame) and frame.worth)
        worth = lab(pilot).frame.worth["hidden"]  # type: ignore[union-attr, index]
        best = f"hidden[{int(worth.argmax())}]"
        await until(pilot, lambda: best in _rows(pilot)[0])
        assert keys.pressed <= 6


def _rows(pilot: Pilot[None]) -> list[str]:
    """The rows of the Units pane, from the top."""
    return [row for row in screen_text(pilot).splitlines() if "hidden[" in row[:30]]


async def test_neuron_117_takes_6_keys_at_most() -> None:
    async with real() as (pilot, _):
        keys = Keys(pilot)
        await keys("slash", "1", "1", "7", "enter", then=lambda: lab(pilot).selection.unit == 117)
        await until(pilot, lambda: "6 Neuron hidden[117]" in screen_text(pilot))
        assert keys.pressed <= 6


async def test_why_it_is_dead_takes_4_keys_at_most(tmp_path: Path) -> None:
    made = tn.Lab("digits")
    made.run(5)
    made.set_weight("hidden.b[3]", -50.0)
    made.save(tmp_path / "dead.msgpack")
    async with real(str(tmp_path / "dead.msgpack")) as (pilot, _):
        keys = Keys(pilot)
        await keys("g", "3", "enter", then=lambda: lab(pilot).selection.unit == 3)
        await until(pilot, lambda: "dead: on no example" in screen_text(pilot) and "bias" in screen_text(pilot))
        assert keys.pressed <= 4


async def test_frozen_at_step_200_and_compared_takes_25_keys_at_most() -> None:
    async with real() as (pilot, _):
        await app_of(pilot).commands.done("step", 400)
        keys = Keys(pilot)
        await keys("5", "g", "2", "0", "0", "enter", then=lambda: step(pilot) == 200)
        await keys("f", then=lambda: len(lab(pilot).frame.timeline.branches) == 2)  # type: ignore[union-attr]
        await keys("S", "2", "0", "0", "enter", then=lambda: step(pilot) == 400)
        await keys("t", then=lambda: isinstance(pilot.app.screen, TreeScreen))
        await keys("up", "c", then=lambda: isinstance(pilot.app.screen, CompareScreen))
        assert "branch-2" in screen_text(pilot)
        assert "main" in screen_text(pilot)
        assert keys.pressed <= 25


async def test_one_weight_is_edited_with_8_keys_at_most() -> None:
    async with real() as (pilot, _):
        keys = Keys(pilot)
        await keys("3", "down", "enter", then=lambda: lab(pilot).command_line.display)
        await keys("0", ".", "5", "enter", then=lambda: 'lab.set_weight("hidden.w[1,0]", 0.5)' in screen_text(pilot))
        assert keys.pressed <= 8


async def test_the_gradient_in_a_layer_in_one_step_takes_4_keys_at_most() -> None:
    async with real() as (pilot, _):
        keys = Keys(pilot)
        await keys("s", "v", "v", then=lambda: lab(pilot).frame.lens.name == "gradient")  # type: ignore[union-attr]
        assert "gradient" in screen_text(pilot)
        assert keys.pressed <= 4


async def test_the_next_misread_digit_takes_2_keys() -> None:
    async with real("digits") as (pilot, _):
        await app_of(pilot).commands.done("step", 300)
        keys = Keys(pilot)
        await keys("8", "n", then=lambda: "wrong" in screen_text(pilot) and lab(pilot).selection.example != 0)
        await until(pilot, lambda: "truth is" in status(pilot))
        found = re.search(r"answers (\d) .*truth is (\d)", status(pilot))
        assert found
        assert found[1] != found[2]
        assert keys.pressed <= 2


async def test_the_python_of_the_last_action_is_copied_with_1_key() -> None:
    async with real() as (pilot, _):
        await pilot.press("right", "z")
        await until(pilot, lambda: "hidden[1] zeroed" in status(pilot))
        keys = Keys(pilot)
        await keys("y", then=lambda: pilot.app.clipboard == 'lab.zero("hidden[1]")')
        assert keys.pressed == 1


async def test_a_light_theme_takes_5_keys_at_most() -> None:
    async with real() as (pilot, _):
        keys = Keys(pilot)
        await keys("T", "down", "enter", then=lambda: not pilot.app.current_theme.dark)
        assert keys.pressed <= 5
