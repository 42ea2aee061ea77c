"""The screen that compares two runs."""

from __future__ import annotations

import numpy as np
import pytest
from opening import MIDDLE, SMALL, WIDE, app_of, dialog_text, opened, screen_text, type_line, until
from textual.pilot import Pilot

import tinynets as tn
from tinynets.measure.comparison import Comparison
from tui.screens.compare import CompareScreen
from tui.screens.tree import TreeScreen
from tui.widgets.compared import Compared


@pytest.fixture(scope="module")
def found() -> Comparison:
    """A comparison of xor with a branch that has a frozen unit from step 40 on, and is longer."""
    lab = tn.Lab("xor")
    lab.run(200)
    lab.seek(40)
    lab.fork("what-if")
    lab.freeze("hidden[1]")
    lab.zero("hidden[3]")
    lab.run(210)
    return lab.compare("main", "what-if")


async def shown(pilot: Pilot[None], found: Comparison) -> list[str]:
    """All lines of the screen, including those below its edge."""
    pilot.app.push_screen(CompareScreen(found, 'lab.compare("main", "what-if")'))
    await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
    compared = pilot.app.screen.query_one(Compared)
    await until(pilot, lambda: compared.size.height > 10)
    return [compared.render_line(y).text for y in range(compared.size.height)]


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_it_says_where_two_runs_part_and_how_far_apart_they_are(size: tuple[int, int], found: Comparison) -> None:
    async with opened(size) as (pilot, _):
        lines = await shown(pilot, found)
        text = " ".join(" ".join(lines).split())
        assert 'edit at step 40 on what-if: lab.freeze("hidden[1]")' in text
        assert "batches the same at every step" in text
        assert "what-if: zero hidden[3]" in text
        assert f"• main {found.a.average(200):.3f}" in text
        assert f"× what-if {found.b.average(200):.3f}" in text
        assert f"loss {found.a.probe_loss:.3f} → {found.b.probe_loss:.3f}" in text
        assert "4 units, in order" in text
        assert "hidden" in text
        assert all(len(line) <= size[0] for line in lines)
        assert "main and what-if at step 200" in screen_text(pilot)
        assert 'lab.compare("main", "what-if")' in screen_text(pilot)


async def test_what_has_no_room_is_scrolled_to(found: Comparison) -> None:
    async with opened(SMALL) as (pilot, _):
        await shown(pilot, found)
        assert "4 units, in order" not in dialog_text(pilot)
        await pilot.press("end")
        await until(pilot, lambda: "4 units, in order" in dialog_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, CompareScreen))


async def test_orange_and_blue_say_whose_loss_is_lower(found: Comparison) -> None:
    async with opened() as (pilot, _):
        lines = await shown(pilot, found)
        at = next(y for y, text in enumerate(lines) if text.startswith("diff"))
        assert "what-if − main on the same steps" in lines[at + 1]
        row = pilot.app.screen.query_one(Compared).render_line(at)
        colours = {segment.style.bgcolor.get_truecolor() for segment in row if segment.style and segment.style.bgcolor}
        later = np.mean(found.b.losses[100:200] - found.a.losses[100:200])
        bluest = max(colours, key=lambda c: c.blue - c.red)
        orangest = max(colours, key=lambda c: c.red - c.blue)
        assert later > 0
        assert bluest.blue - bluest.red > 50
        assert orangest.red - orangest.blue < bluest.blue - bluest.red


async def test_the_same_run_twice_is_the_same_bytes(found: Comparison) -> None:
    lab = tn.Lab("xor")
    lab.run(20)
    lab.fork("twin")
    async with opened() as (pilot, _):
        text = " ".join(await shown(pilot, lab.compare("main")))
        assert "the same bytes" in text
        assert not any(line.startswith("diff") for line in text.split("\n"))


async def test_ascii_terminals_and_no_colour_tell_the_two_apart(
    found: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYNETS_ASCII", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as (pilot, _):
        lines = await shown(pilot, found)
        text = " ".join(lines)
        assert not set(text) & set("▁▂▃▄▅▆▇█•×→−")
        assert "* main" in text
        assert "o what-if" in text


async def test_it_opens_from_the_command_line_and_over_the_tree(found: Comparison) -> None:
    async with opened() as (pilot, engine):
        engine.answers["compare"] = lambda *_: found
        await type_line(pilot, "compare main what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        await pilot.press("escape", "t")
        await until(pilot, lambda: isinstance(pilot.app.screen, TreeScreen))
        app_of(pilot).history.compare("what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, TreeScreen))
