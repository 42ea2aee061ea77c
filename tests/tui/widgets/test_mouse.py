"""The mouse: the wheel scrolls what it is over, hovering reads out, the right button opens the menu."""

from __future__ import annotations

import pytest
from opening import SMALL, WIDE, lab, opened, screen_text, until
from textual import events
from textual.pilot import Pilot

from tui.screens.operate import OperateScreen
from tui.widgets.examples import ExamplesPane

pytestmark = pytest.mark.proof


async def turn(pilot: Pilot[None], pane: str, down: bool = True) -> None:
    """Turn the wheel by a notch over a pane."""
    region = lab(pilot).panes[pane].region
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    x, y = region.x + 5, region.y + 3
    pilot.app.post_message(kind(None, x, y, 0, 1 if down else -1, 0, False, False, False, x, y))
    await pilot.pause()


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_wheel_moves_in_the_pane_that_it_is_over(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        before = lab(pilot).selection
        await turn(pilot, "network")
        await until(pilot, lambda: lab(pilot).selection.unit != before.unit)
        await turn(pilot, "network", down=False)
        await until(pilot, lambda: lab(pilot).selection == before)
        await turn(pilot, "neuron")
        await until(pilot, lambda: lab(pilot).selection != before)


async def test_the_wheel_over_weights_goes_through_inputs_wherever_the_focus_is() -> None:
    async with opened() as (pilot, _):
        await turn(pilot, "weights")
        await until(pilot, lambda: lab(pilot).selection.row == 1)
        assert lab(pilot).desk.choice.active == "network"


async def test_the_wheel_scrolls_units_and_leaves_the_cursor_and_goes_example_by_example() -> None:
    async with opened() as (pilot, _):
        units = lab(pilot).panes["units"]
        before = lab(pilot).selection
        first = units.render_line(1).text
        await turn(pilot, "units")
        await until(pilot, lambda: units.render_line(1).text != first)
        assert lab(pilot).selection == before
        await pilot.press("8", "home")
        shown = lab(pilot).panes["examples"]
        assert isinstance(shown, ExamplesPane)
        answers = lab(pilot).frame.answers  # type: ignore[union-attr]
        assert answers is not None
        second = int(answers.rows[shown.ordered(answers)[1]])
        await turn(pilot, "examples")
        await until(pilot, lambda: lab(pilot).selection.example == second)


async def test_hovering_reads_units_columns_and_examples() -> None:
    async with opened() as (pilot, _):
        await pilot.press("8")
        said = lab(pilot).status
        await pilot.hover("#units", offset=(30, 2))
        await until(pilot, lambda: "hidden[0]: mean " in said.render_line(0).text)
        heading = lab(pilot).panes["units"].render_line(0).text
        await pilot.hover("#units", offset=(heading.index("change") + 3, 1))
        await until(pilot, lambda: "change of all that it has learned" in said.render_line(0).text)
        await pilot.hover("#examples", offset=(5, 4))
        await until(pilot, lambda: "truth is" in said.render_line(0).text)


async def test_hovering_reads_the_unit_and_the_weight_under_the_mouse() -> None:
    async with opened() as (pilot, _):
        status = lab(pilot).status
        network, weights = lab(pilot).panes["network"], lab(pilot).panes["weights"]
        y = next(y for y in range(network.size.height) if network.render_line(y).text.startswith("   0 "))
        await pilot.hover("#network", offset=(6, y + 1))
        await until(
            pilot, lambda: "hidden[0] = " in status.render_line(0).text or "embed[0] = " in status.render_line(0).text
        )
        await pilot.hover("#weights", offset=(30, 4))
        await until(pilot, lambda: "→ hidden[" in status.render_line(0).text)
        assert weights.render_line(0).text
        await pilot.hover("#header")
        await until(pilot, lambda: "→ hidden[" not in status.render_line(0).text)


async def test_the_right_button_opens_the_menu_of_the_unit_under_it() -> None:
    async with opened() as (pilot, engine):
        weights = lab(pilot).panes["weights"]
        await pilot.click("#weights", offset=(40, 4), button=3)
        await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
        chosen = lab(pilot).selection
        assert chosen.unit > 0
        assert weights.display
        await until(pilot, lambda: f"What to do to {chosen.selector}" in screen_text(pilot))
        assert engine.calls == []
