"""The command line: candidates, the selected unit, today's values, and a line that stays where it fails."""

from __future__ import annotations

import threading
from dataclasses import replace

import frames
import pytest
from fake import FakeEngine
from opening import SMALL, WIDE, lab, opened, status, until
from patience import PATIENCE
from textual.pilot import Pilot

from tinynets.server.frame import Frame, View
from tui.model.operations import CommandDraft
from tui.model.prefill import completed, value_now
from tui.model.selection import Selection

HERE = Selection("hidden", 3)


@pytest.fixture
def frame() -> Frame:
    made = frames.frame(frames.World(), View("hidden", 3))
    return replace(made, status=replace(made.status, settings={"lr": "0.1", "optimizer": "sgd"}))


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("zero", CommandDraft("zero hidden[3]")),
        ("  freeze ", CommandDraft("freeze hidden[3]")),
        ("clamp 0.25", CommandDraft("clamp hidden[3] 0.25")),
        ("clamp", CommandDraft("clamp hidden[3]", "0.5")),
        ("zero embed", None),
        ("seek 200", None),
        ("step", None),
        ("nonsense", None),
    ],
)
def test_a_verb_without_units_takes_the_selected_one(typed: str, line: CommandDraft | None, frame: Frame) -> None:
    assert completed(typed, frame, HERE) == line


@pytest.mark.parametrize(
    ("typed", "value"),
    [("lr ", "0.1"), ("set lr ", "0.1"), ("optimizer ", "sgd"), ("lr", ""), ("seek ", ""), ("clamp hidden[4] ", "")],
)
def test_a_value_that_is_asked_for_is_the_present_one(typed: str, value: str, frame: Frame) -> None:
    assert value_now(typed, frame, HERE) == value


def test_a_unit_is_clamped_at_the_value_that_it_has(frame: Frame) -> None:
    assert frame.neuron is not None
    assert value_now("clamp hidden[3] ", frame, HERE) == f"{frame.neuron.value:.3g}"


def said(pilot: Pilot[None]) -> str:
    return lab(pilot).status.render_line(0).text


async def test_enter_behind_a_verb_alone_does_it_to_the_selected_unit_which_was_said_before() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("right", "colon", *"zero")
        await until(pilot, lambda: "enter takes the selected unit: zero hidden[1]" in said(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1:] == [("zero", ("hidden[1]",), {})])
        await until(pilot, lambda: status(pilot).startswith("hidden[1] zeroed"))


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_candidates_are_shown_while_one_types(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await pilot.press("colon", *"clamp", "space")
        await until(
            pilot, lambda: all(f"  {name}" in said(pilot) for name in ("hidden[0]", "hidden", "embed", "output"))
        )
        assert said(pilot).startswith(" clamp UNITS VALUE")
        await pilot.press("tab", "tab")
        assert lab(pilot).command_line.value == "clamp hidden"


class Refusing(FakeEngine):
    def do_zero(self, selector: str) -> str:
        raise LookupError(f"`{selector}`: `hidden` has 200 units, 0 to 199")


@pytest.mark.parametrize(
    ("line", "why"), [("frobnicate hidden", "is not a command"), ("zero hidden[999]", "has 200 units, 0 to 199")]
)
async def test_a_line_that_fails_stays_with_its_text_and_the_reason_over_it(line: str, why: str) -> None:
    async with opened(engine=Refusing) as (pilot, _):
        await pilot.press("colon")
        lab(pilot).command_line.value = line
        await pilot.press("enter")
        await until(pilot, lambda: why in status(pilot) and lab(pilot).command_line.display)
        assert lab(pilot).command_line.value == line
        await pilot.press("backspace")
        await until(pilot, lambda: why not in status(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not lab(pilot).command_line.display)


class RefusingLate(Refusing):
    gate = threading.Event()

    def do_zero(self, selector: str) -> str:
        self.gate.wait(PATIENCE)
        return super().do_zero(selector)


async def test_a_key_pressed_before_the_refusal_comes_is_not_taken_by_the_line() -> None:
    async with opened(engine=RefusingLate) as (pilot, engine):
        await pilot.press("colon")
        lab(pilot).command_line.value = "zero hidden[999]"
        await pilot.press("enter", "s")
        RefusingLate.gate.set()
        await until(pilot, lambda: [call[0] for call in engine.calls] == ["zero", "step"])
        await until(pilot, lambda: status(pilot).startswith("step 1"))
        assert not lab(pilot).command_line.display


class Setting(FakeEngine):
    def frame(self) -> Frame:
        made = super().frame()
        return replace(made, status=replace(made.status, settings={"lr": "0.1"}))


async def test_the_value_filled_in_is_replaced_by_typing_and_not_forced_on_who_deletes() -> None:
    async with opened(engine=Setting) as (pilot, engine):
        line = lab(pilot).command_line
        await pilot.press("colon", *"lr", "space")
        await until(pilot, lambda: line.value == "lr 0.1")
        await pilot.press(*"0.02")
        assert line.value == "lr 0.02"
        await pilot.press(*["backspace"] * 4)
        await pilot.pause()
        assert line.value == "lr "
        await pilot.press(*"0.3", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("set", ("lr", 0.3), {})])


async def test_earlier_lines_come_back_with_the_arrows_also_those_that_failed() -> None:
    async with opened() as (pilot, _):
        for text in ("evaluate dev", "nonsense"):
            await pilot.press("colon")
            lab(pilot).command_line.value = text
            await pilot.press("enter")
        await until(pilot, lambda: "is not a command" in status(pilot))
        await pilot.press("escape", "colon", "up")
        assert lab(pilot).command_line.value == "nonsense"
        await pilot.press("up")
        assert lab(pilot).command_line.value == "evaluate dev"
