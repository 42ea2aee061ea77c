"""Walking the examples, the confusion matrix, typing an input and drawing one, in the app."""

from __future__ import annotations

import numpy as np
import pytest
from opening import MIDDLE, SMALL, WIDE, app_of, dialog_text, lab, opened, real, screen_text, status, until
from textual.pilot import Pilot
from textual.widgets import Input

from tinynets.server.frame import Frame, OwnInput
from tui.model.example_list import hard_ones
from tui.screens.draw import Canvas, DrawScreen
from tui.screens.explain import ExplainScreen
from tui.screens.own import OwnScreen


def frame_of(pilot: Pilot[None]) -> Frame:
    frame = lab(pilot).frame
    assert frame is not None
    return frame


def own_shown(pilot: Pilot[None]) -> str:
    """The caption of the user's own input, once the engine has shown it."""
    frame = frame_of(pilot)
    return frame.examples[-1] if frame.own else ""


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_two_keys_select_a_wrong_example(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await pilot.press("8", "n")
        answers = frame_of(pilot).answers
        assert answers is not None
        first = lab(pilot).selection.example
        assert hard_ones(answers)[first]
        assert "truth is" in status(pilot)
        await pilot.press("n")
        assert lab(pilot).selection.example != first
        await pilot.press("N")
        assert lab(pilot).selection.example == first


async def test_n_is_a_phase_outside_the_panes_of_examples() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("n")
        await until(pilot, lambda: [call[0] for call in engine.calls] == ["phase"])
        await pilot.press("7", "n")
        await pilot.pause()
        assert [call[0] for call in engine.calls] == ["phase"]


async def test_arrows_home_end_pages_and_the_wheel_walk_the_list() -> None:
    async with opened() as (pilot, _):
        await pilot.press("8", "end")
        answers, pane = frame_of(pilot).answers, lab(pilot).examples
        assert answers is not None
        ordered = pane.ordered(answers).tolist()
        assert lab(pilot).selection.example == ordered[-1]
        await pilot.press("home", "down", "down", "up")
        assert lab(pilot).selection.example == ordered[1]
        await pilot.press("pagedown")
        assert lab(pilot).selection.example in ordered[3:]
        await pilot.press("pageup", "d")
        assert "by loss" in status(pilot)
        await pilot.press("home")
        assert lab(pilot).selection.example == int(np.argmax(answers.loss))


async def test_the_matrix_opens_lists_a_cell_and_closes_again() -> None:
    async with opened() as (pilot, _):
        await pilot.press("7", "backslash")
        await until(pilot, lambda: lab(pilot).desk.choice.active == "examples")
        assert lab(pilot).examples._cell is not None
        await pilot.press("down", "right", "enter")
        assert lab(pilot).examples._cell is None
        assert "answered" in lab(pilot).examples.detail
        await pilot.press("escape")
        assert "answered" not in lab(pilot).examples.detail
        await pilot.press("enter")
        assert lab(pilot).desk.choice.zoom


async def test_escape_leaves_ones_own_input_before_anything_else_is_stopped() -> None:
    async with opened() as (pilot, engine):
        lab(pilot).select(example=5)
        lab(pilot).select(own=OwnInput("emma"))
        await until(pilot, lambda: engine.view.own == OwnInput("emma"))
        await pilot.press("escape")
        await until(pilot, lambda: engine.view.own is None and engine.view.example == 5)


async def test_keys_before_the_first_frame_say_so() -> None:
    async with opened() as (pilot, _):
        screen, acts = lab(pilot), app_of(pilot).examples
        frame, screen.frame = screen.frame, None
        for act in (lambda: acts.wrong(1), acts.order, acts.split, acts.matrix, lambda: acts.jump("home"), acts.own):
            screen.status.say("")
            act()
            assert "still starting" in status(pilot)
        acts.draw()
        screen.frame = frame


@pytest.mark.proof
async def test_a_typed_prefix_is_followed_by_every_pane_and_escape_returns() -> None:
    async with real() as (pilot, _):
        await pilot.press("full_stop", "i")
        await until(pilot, lambda: isinstance(pilot.app.screen, OwnScreen))
        await pilot.press(*"Emma", "enter")
        await until(pilot, lambda: "`E` is not a known character" in dialog_text(pilot))
        assert pilot.app.screen.query_one(Input).value == "Emma"
        await pilot.press("home", "delete", "e", "enter")
        await until(pilot, lambda: own_shown(pilot) == "yours: emma")
        assert lab(pilot).status.python == 'lab.predict("emma")'
        await until(pilot, lambda: screen_text(pilot).count("yours: emma") >= 3)
        await pilot.press("4")
        await until(pilot, lambda: "probe examples and yours" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not frame_of(pilot).own and frame_of(pilot).view.example == 1)


@pytest.mark.proof
async def test_an_example_of_dev_is_chosen_in_the_list_and_followed() -> None:
    async with real("digits") as (pilot, _):
        await pilot.press("8", "asterisk")
        await until(pilot, lambda: frame_of(pilot).answers.split == "dev")  # type: ignore[union-attr]
        await pilot.press("n")
        own = lab(pilot).selection.own
        assert own is not None
        assert own.split == "dev"
        await until(pilot, lambda: own_shown(pilot).startswith(f"dev {own.example}: digit"))
        await pilot.press("7")
        await until(pilot, lambda: "✗ wrong" in screen_text(pilot))
        await pilot.press("comma")
        await until(pilot, lambda: not frame_of(pilot).own)


@pytest.mark.proof
@pytest.mark.parametrize("recipe", ["digits", "digits-cnn"])
async def test_a_digit_is_drawn_with_keys_and_mouse_answered_live_and_followed(recipe: str) -> None:
    async with real(recipe) as (pilot, _):
        await pilot.press("i", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, DrawScreen))
        canvas = pilot.app.screen.query_one(Canvas)
        assert canvas.at == (4, 4)
        await pilot.press("space", "up", "2", "up", "1", "up", "3", "backspace")
        await until(pilot, lambda: "it answers" in screen_text(pilot))
        assert [round(float(canvas.values[row, 4]), 2) for row in (1, 2, 3, 4)] == [0, 0.33, 0.67, 1]
        size = canvas.scale
        await pilot.mouse_down(Canvas, offset=(0, 0))
        await pilot.hover(Canvas, offset=(2 * size * 2 + 1, 0))
        await pilot.mouse_up(Canvas, offset=(2 * size * 2 + 1, 0))
        assert canvas.values[0, 0] == canvas.values[0, 2] == 1
        await pilot.press("enter")
        await until(pilot, lambda: own_shown(pilot) == "yours: drawn")
        await pilot.press("7")
        await until(pilot, lambda: frame_of(pilot).output is not None)
        image = frame_of(pilot).output.image  # type: ignore[union-attr]
        assert image is not None
        assert image == pytest.approx(canvas.values, abs=0.01)


async def test_drawing_is_refused_where_inputs_are_no_pictures() -> None:
    async with opened() as (pilot, _):
        await pilot.press("i", *"draw", "enter")
        await until(pilot, lambda: "these inputs are no pictures" in dialog_text(pilot))


@pytest.mark.proof
async def test_the_unit_explains_itself_on_ones_own_input() -> None:
    async with real("spiral") as (pilot, _):
        for own, said in ((OwnInput("0.3 -1"), "on 0.3 -1"), (OwnInput(split="dev", example=12), "step 0 on (")):
            lab(pilot).select(own=own)
            await until(pilot, lambda own=own: frame_of(pilot).own and frame_of(pilot).view.own == own)
            await pilot.press("E")
            await until(pilot, lambda: isinstance(pilot.app.screen, ExplainScreen))
            await until(pilot, lambda said=said: said in screen_text(pilot))
            await pilot.press("l")
            await until(pilot, lambda: "[1] at step 0" in screen_text(pilot))
            found = pilot.app.screen._found  # type: ignore[attr-defined]
            assert (found.given, found.of, found.example) == (own.given, own.split, own.example)
            await pilot.press("full_stop")
            await until(pilot, lambda own=own: pilot.app.screen._found.example == (13 if own.split else 0))  # type: ignore[attr-defined]
            assert pilot.app.screen._found.given == ""  # type: ignore[attr-defined]
            await pilot.press("escape")
