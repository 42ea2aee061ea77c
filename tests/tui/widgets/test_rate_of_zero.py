"""When nothing learns (a learning rate of 0, or another cause), the header and the status line say so."""

from dataclasses import replace
from typing import Any

import pytest
from opening import MIDDLE, SMALL, WIDE, app_of, lab, real, screen_text, status, type_line, until
from panes import PLAIN, drawn, frame_of
from textual.pilot import Pilot

from tinynets.lab.reports import EditReport, StepReport
from tui.model.answers import message_for
from tui.render import palette
from tui.render.palette import Terminal
from tui.widgets.header import Header

ENDED = "nothing learns: the schedule `cosine` has brought the learning rate to 0"

PLACES: dict[str, dict[str, Any]] = {
    "at the start": {},
    "paused": {"step": 123_456, "end": 123_456, "loss": 0.352},
    "in the past": {"step": 123_456, "end": 200_000, "loss": 0.352},
    "running": {"step": 123_456, "end": 123_456, "loss": 0.352, "mode": "running", "steps_per_second": 23_456.0},
    "rewinding": {"step": 123_456, "end": 200_000, "loss": 0.352, "mode": "rewinding"},
    "in mid-step behind a long name": {"phase": "backward attention.projection", "phases_done": 33, "phases_total": 34},
    "in mid-step": {
        "step": 1_234, "end": 1_234, "loss": 0.352, "phase": "forward hidden", "phases_done": 3, "phases_total": 12,
        "batch_loss": 0.348,
    },
}  # fmt: skip
NAMES = ("xor", "names-transformer", "a-recipe-with-a-long-name-of-its-own")


def header(width: int, look: Terminal = Terminal(), **changes: Any) -> str:  # noqa: B008
    frame = frame_of("xor")
    return drawn(Header(), replace(frame, status=replace(frame.status, unsaved=True, **changes)), width, 1, look)[0]


@pytest.mark.parametrize("width", [160, 100, 80])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_a_rate_of_0_stands_in_the_header_beside_all_that_matters(width: int, place: str, name: str) -> None:
    for look in (Terminal(), PLAIN):
        text = header(width, look, recipe=name, lr=0.0, still="`lr` is 0", **PLACES[place])
        assert "lr 0" in text
        assert f"step {PLACES[place].get('step', 0):,}" in text
        assert "loss 0.3" in text or "loss -" in text
        assert look.glyph("dot") in text
        assert name[:6] in text
        if width == 160:
            assert "nothing learns" in text
            assert "unsaved" in text


@pytest.mark.parametrize("width", [160, 100, 80])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_that_nothing_learns_at_a_rate_above_0_stands_in_the_header(width: int, place: str, name: str) -> None:
    text = header(width, recipe=name, lr=0.1, still="everything is frozen", **PLACES[place])
    assert "nothing learns" in text
    assert f"step {PLACES[place].get('step', 0):,}" in text
    assert Terminal().glyph("dot") in text


@pytest.mark.parametrize("width", [160, 100, 80])
def test_where_something_learns_the_header_does_not_say_otherwise(width: int) -> None:
    assert "nothing learns" not in header(width, lr=0.1)


@pytest.mark.parametrize("room", [157, 97, 77])
def test_the_answer_of_what_made_nothing_learn_says_so_in_full(room: int) -> None:
    why = "the schedule `cosine` has brought the learning rate to 0"
    for report in (
        StepReport(60_002, 0.3522, 3.0, 60_000, why),
        EditReport(50, "schedule cosine steps=50", 0.35, 0.35, "lab.set(...)", 0.75, 0.75, why),
    ):
        text = message_for("run", report, room)
        assert f"nothing learns: {why}" in text
        assert len(text) <= room
    assert "60,002" in message_for("run", StepReport(60_002, 0.3522, 3.0, 60_000, why), 157)


def said_in(pilot: Pilot[None]) -> tuple[str, str]:
    """The header and the status line as drawn."""
    app = lab(pilot)
    return app.header.render_line(0).text, app.status.render_line(0).text


@pytest.mark.proof
@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_set_lr_0_is_drawn_in_the_header_and_the_status_line(size: tuple[int, int]) -> None:
    async with real("xor", size) as (pilot, _):
        await pilot.press("s")
        await until(pilot, lambda: status(pilot).startswith("step 1:"))
        await type_line(pilot, "set lr 0")
        await until(pilot, lambda: "lr 0, nothing learns" in said_in(pilot)[0])
        await until(pilot, lambda: "nothing learns: `lr` is 0" in said_in(pilot)[1])
        assert "unsaved" in said_in(pilot)[0]
        assert "step 1" in said_in(pilot)[0]
        assert "lr 0, nothing learns" in screen_text(pilot).split("\n")[0]
        await type_line(pilot, "set lr 0.1")
        await until(pilot, lambda: "nothing learns" not in screen_text(pilot))


@pytest.mark.proof
@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_the_end_of_a_schedule_is_drawn_in_the_header_and_the_status_line(size: tuple[int, int]) -> None:
    async with real("xor", size) as (pilot, _):
        await type_line(pilot, "schedule cosine steps=5")
        await until(pilot, lambda: lab(pilot).frame.timeline.marks)  # type: ignore[union-attr]
        await type_line(pilot, "run 9")
        await until(pilot, lambda: "lr 0, nothing learns" in said_in(pilot)[0])
        await until(pilot, lambda: ENDED in said_in(pilot)[1])
        assert "step 9" in said_in(pilot)[0]
        assert "unsaved" in said_in(pilot)[0]
        await pilot.press("b", "b", "b", "b", "b", "b")
        await until(pilot, lambda: "step 3 of 9" in said_in(pilot)[0])
        assert "nothing learns" not in said_in(pilot)[0]


async def test_what_is_found_still_when_it_is_opened_is_said_in_the_colour_of_a_warning() -> None:
    async with real("xor") as (pilot, _):
        await type_line(pilot, "freeze hidden")
        await until(pilot, lambda: status(pilot).startswith("hidden"))
        await type_line(pilot, "freeze output")
        await until(pilot, lambda: "nothing learns: everything is frozen" in said_in(pilot)[1])
        app = lab(pilot)
        app.status.say("something else")
        app_of(pilot).engine.say_still("everything is frozen")
        strip = app.status.render_line(0)
        assert "nothing learns: everything is frozen" in strip.text
        assert any(segment.style == palette.WARN and "nothing" in segment.text for segment in strip)
