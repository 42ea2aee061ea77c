"""The screen that compares two runs."""

from __future__ import annotations

import numpy as np
import pytest
from opening import MIDDLE, SMALL, WIDE, app_of, dialog_text, lab, opened, screen_text, type_line, until
from textual.pilot import Pilot

import tinynets as tn
from tinynets.measure.comparison import Comparison
from tinynets.server.frame import BranchLine
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


@pytest.mark.proof
async def test_brackets_move_the_step_and_all_that_is_shown_of_it_follows() -> None:
    lab_ = tn.Lab("xor")
    lab_.run(200)
    lab_.seek(40)
    lab_.fork("what-if")
    lab_.freeze("hidden[1]")
    lab_.run(210)
    async with opened() as (pilot, engine):
        engine.compared = lab_.compare
        await type_line(pilot, "compare main what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        box = pilot.app.screen.query_one(".box")
        assert "at step 200" in str(box.border_title)
        compared = pilot.app.screen.query_one(Compared)
        await until(pilot, lambda: compared.size.height > 10)
        await pilot.press("left_square_bracket", "left_square_bracket", "left_curly_bracket")
        await until(pilot, lambda: "at step 200" not in str(box.border_title))
        await until(pilot, lambda: compared._found.step == compared._step < 200)
        step = compared._step
        assert f"step={step}" in str(box.border_subtitle)
        text = " ".join(" ".join(row.text for row in compared.draw(*compared._inner())).split())
        exact = lab_.compare("main", "what-if", step=step)
        assert f"{exact.distance:.3f}"[:5] in text
        assert f"loss {exact.a.probe_loss:.3f} → {exact.b.probe_loss:.3f}" in text
        await pilot.press(*["right_curly_bracket"] * 40)
        await until(pilot, lambda: compared._found.step == 200)  # as far as both go
        await pilot.press(*["left_curly_bracket"] * 40)
        await until(pilot, lambda: compared._found.step == 0)
        assert "the same bytes" in " ".join(row.text for row in compared.draw(*compared._inner()))


async def test_arrows_show_a_unit_in_both_runs_side_by_side(found: Comparison) -> None:
    async with opened() as (pilot, _):
        await shown(pilot, found)
        compared = pilot.app.screen.query_one(Compared)
        await pilot.press("right", "right", "right", "right", "right", "left")
        rows = [row.text for row in compared.draw(*compared._inner())]
        at = next(y for y, row in enumerate(rows) if row.startswith("hidden[2]"))
        entry = found.blocks[0]
        assert entry.values is not None
        assert entry.weights is not None
        assert "main" in rows[at]
        assert "what-if" in rows[at]
        for pair, y in (
            ((entry.values[0][2], entry.values[1][2]), at + 1),
            *(((entry.weights[0][row, 2], entry.weights[1][row, 2]), None) for row in range(2)),
        ):
            words = [f"{value:+.2f}"[:5] for value in pair]
            lines = rows[at:] if y is None else [rows[y]]
            assert any(all(word in line for word in words) for line in lines), (words, rows[at:])
        await pilot.press("down")
        rows = [row.text for row in compared.draw(*compared._inner())]
        assert any(row.startswith("output[1]") for row in rows)
        await pilot.press("down", "down", "up")
        assert any(row.text.startswith("hidden[1]") for row in compared.draw(*compared._inner()))


async def test_v_shows_the_difference_through_the_lens_where_it_is_one_of_the_current_branch() -> None:
    lab_ = tn.Lab("xor")
    lab_.run(20)
    lab_.fork("what-if")
    lab_.zero("hidden[3]")
    lab_.run(5)
    lab_.switch("main")
    async with opened() as (pilot, engine):
        engine.world.go(20)
        engine.world.others = [BranchLine("what-if", 20, 25, False, "main", 1, 1, 2.5)]
        engine.compared = lab_.compare
        await pilot.press("u")
        await until(pilot, lambda: len(lab(pilot).frame.timeline.branches) == 2)  # type: ignore[union-attr]
        app_of(pilot).history.compare("what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, CompareScreen))
        await pilot.press("v")
        await until(pilot, lambda: (engine.views[-1].lens, engine.views[-1].against) == ("change", "what-if"))
        assert not isinstance(pilot.app.screen, CompareScreen)


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
