"""The network pane says what it leaves out, and has more to show where it has more room."""

from __future__ import annotations

import re

import pytest
from opening import MIDDLE, lab, real, screen_text, until
from panes import PLAIN, RECIPES, drawn, frame_of
from textual.pilot import Pilot

from tui.render.drawing import signed
from tui.render.palette import Terminal
from tui.widgets.network import NetworkPane

BLOCKS = [block.name for block in frame_of("names-transformer").blocks if block.units]


def hidden_of(pane: NetworkPane) -> tuple[int, int]:
    """How many blocks the frame of the pane says there are above and below."""
    bottom = pane.footnote
    found = [re.search(rf"(\d+) more {where}", bottom) for where in ("above", "below")]
    above, below = (int(match[1]) if match else 0 for match in found)
    return above, below


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("size", [(93, 11), (36, 9)])
def test_blocks_that_have_no_room_are_counted_above_and_below(block: str, size: tuple[int, int]) -> None:
    pane = NetworkPane()
    lines = drawn(pane, frame_of("names-transformer", block), *size)
    seen = [name for name in BLOCKS if any(re.match(rf"[▶ ] {re.escape(name)}( |$)", text) for text in lines)]
    if size[0] > 50:
        assert hidden_of(pane) == (BLOCKS.index(seen[0]), len(BLOCKS) - 1 - BLOCKS.index(seen[-1]))
    assert sum(hidden_of(pane)) > 0


@pytest.mark.parametrize("look", [Terminal(), PLAIN])
def test_the_transformer_says_that_more_is_below(look: Terminal) -> None:
    pane = NetworkPane()
    drawn(pane, frame_of("names-transformer", "embed"), 93, 11, look)
    assert pane.footnote == f"{look.glyph('down')} {hidden_of(pane)[1]} more below"
    drawn(pane, frame_of("names-transformer", "output"), 93, 11, look)
    assert pane.footnote == f"{look.glyph('up')} {hidden_of(pane)[0]} more above"


def test_a_network_that_is_seen_whole_says_nothing_of_more() -> None:
    pane = NetworkPane()
    drawn(pane, frame_of("names-mlp", "hidden"), 93, 16)
    assert pane.footnote == ""


def lower_edge(pilot: Pilot[None]) -> str:
    region = lab(pilot).panes["network"].region
    return screen_text(pilot).split("\n")[region.bottom - 1][region.x : region.right]


def last_of(lines: list[str]) -> int:
    """The last line above the legend on which there is something."""
    return max(y for y, text in enumerate(lines[:-1]) if text.strip())


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_network_that_is_zoomed_takes_no_fewer_lines(recipe: str) -> None:
    frame = frame_of(recipe)
    among, alone = NetworkPane(), NetworkPane()
    alone.alone = True
    lines = drawn(among, frame, 93, 20)
    large = drawn(alone, frame, 158, 36)
    assert alone.wanted_height(frame, 93) == among.wanted_height(frame, 93)
    assert last_of(large) >= last_of(lines)


@pytest.mark.parametrize("block", BLOCKS)
def test_a_zoomed_network_that_does_not_fit_unfolds_what_it_has_room_for(block: str) -> None:
    frame, among, alone = frame_of("names-transformer", block), NetworkPane(), NetworkPane()
    alone.alone = True
    folded, unfolded = drawn(among, frame, 158, 40), drawn(alone, frame, 158, 40)
    assert last_of(unfolded) > last_of(folded)
    assert any(text.startswith(f"▶ {block}") for text in unfolded)
    assert sum("at 8 positions" in text for text in unfolded) > 1
    assert alone.footnote == ""


def test_zoomed_units_have_their_values_on_them() -> None:
    frame, pane = frame_of("names-mlp", "hidden"), NetworkPane()
    pane.alone = True
    text = "\n".join(drawn(pane, frame, 158, 40))
    assert frame.network is not None
    values = next(cells for cells in frame.network if cells.name == "hidden").values[-1]
    assert all(f" {signed(float(value), 3)} " in text for value in values)


@pytest.mark.proof
async def test_what_is_out_of_sight_stands_in_the_frame_of_the_pane() -> None:
    async with real("names-transformer", MIDDLE) as (pilot, _):
        lab(pilot).select(block="embed")
        await until(pilot, lambda: re.match(r"╰─ ▼ \d+ more below ─+╯", lower_edge(pilot)))
        lab(pilot).select(block="output")
        await until(pilot, lambda: re.match(r"╰─ ▲ \d+ more above ─+╯", lower_edge(pilot)))
