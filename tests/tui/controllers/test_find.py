"""Going to a place by its name: letters, a number, or a label over it."""

from __future__ import annotations

from dataclasses import replace

import frames
import pytest
from fake import FakeEngine
from opening import MIDDLE, SMALL, WIDE, lab, opened, screen_text, status, until
from textual.pilot import Pilot

from tinynets.server.frame import PANES, BookmarkMark, BranchLine, EditMark, Frame, View
from tui.model.find import Found, find
from tui.model.selection import Selection
from tui.screens.find import FindScreen
from tui.screens.jump import JumpScreen

HERE = Selection("hidden", 3)


@pytest.fixture
def frame() -> Frame:
    world = frames.World(step=300, end=2366)
    world.marks = [EditMark(step, "zero", f'lab.zero("hidden[{step}]")', True) for step in (10, 117)]
    world.pins = [BookmarkMark("lowest", "before it burst", "main", 90, True)]
    world.others = [BranchLine("what-if", 100, 250, False, "main")]
    return frames.frame(world, View("hidden"))


def first(text: str, frame: Frame) -> Found:
    return find(text, frame, HERE)[0]


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("117", "unit", ("hidden", 117)),
        ("3", "unit", ("hidden", 3)),
        ("hidden[117]", "unit", ("hidden", 117)),
        ("out[4", "unit", ("output", 4)),
        ("2366", "step", (2366, None)),
        ("hid", "block", ("hidden", 0)),
        ("emma", "example", (3,)),
        ("zero", "edit", (117, 1)),
        ("burst", "bookmark", ("lowest",)),
        ("what", "branch", ("what-if",)),
        ("dev", "split", ("dev",)),
        ("neur", "pane", ("neuron",)),
        ("momentum", "setting", ("momentum",)),
    ],
)
def test_the_best_is_first(text: str, kind: str, target: tuple[object, ...], frame: Frame) -> None:
    assert (first(text, frame).kind, first(text, frame).target) == (kind, target)


def test_a_number_is_the_unit_of_the_selected_block_before_others_examples_and_steps(frame: Frame) -> None:
    found = find("5", frame, Selection("output", 0))
    assert [entry.target for entry in found[:5]] == [("output", 5), ("embed", 5), ("hidden", 5), (5,), (5, None)]


def test_what_is_nowhere_is_found_nowhere_and_little_is_listed(frame: Frame) -> None:
    assert find("xyzzy", frame, HERE) == []
    assert 0 < len(find("e", frame, HERE)) <= 60
    assert {found.kind for found in find("[1", replace(frame, blocks=()), HERE)} == {"edit"}


async def finding(pilot: Pilot[None], *keys: str) -> None:
    await pilot.press("slash")
    await until(pilot, lambda: isinstance(pilot.app.screen, FindScreen))
    await pilot.press(*keys)


async def test_neuron_117_is_five_keys_away() -> None:
    async with opened() as (pilot, _):
        await pilot.press("slash", "1", "1", "7", "enter")
        await until(pilot, lambda: lab(pilot).selection.selector == "hidden[117]")
        await until(pilot, lambda: status(pilot).startswith("unit hidden[117]"))


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_results_are_listed_while_one_types_and_the_arrows_choose(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await finding(pilot, "h", "i", "d")
        await until(pilot, lambda: "Linear(30, 200), Tanh" in screen_text(pilot))
        await pilot.press("backspace", "backspace", "backspace", "5", "down", "enter")
        await until(pilot, lambda: lab(pilot).selection.selector == "embed[5]")


async def test_nothing_found_is_said_and_escape_changes_nothing() -> None:
    async with opened() as (pilot, engine):
        await finding(pilot, *"xyzzy")
        await until(pilot, lambda: "nothing is called `xyzzy`" in screen_text(pilot))
        await pilot.press("enter", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, FindScreen))
        assert (engine.calls, lab(pilot).selection.selector) == ([], "hidden[0]")


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("zero", ("seek", (40,), {"edits": 1})),
        ("pin", ("seek", ("pinned",), {})),
        ("other", ("switch", ("other",), {})),
        ("dev", ("evaluate", ("dev",), {})),
    ],
)
async def test_enter_goes_where_it_was_done(text: str, call: tuple[object, ...]) -> None:
    async with opened() as (pilot, engine):
        engine.world.go(60)
        engine.world.marks.append(EditMark(40, "zero", 'lab.zero("hidden[3]")', True))
        engine.world.pins.append(BookmarkMark("pinned", "", "main", 20, True))
        engine.world.others.append(BranchLine("other", 30, 50, False, "main"))
        await pilot.press("e")
        await until(pilot, lambda: lab(pilot).frame.timeline.end == 60)  # type: ignore[union-attr]
        await finding(pilot, *text, "enter")
        await until(pilot, lambda: engine.calls[-1:] == [call])


async def test_a_setting_opens_the_command_line_with_it() -> None:
    async with opened() as (pilot, _):
        await finding(pilot, *"moment", "enter")
        await until(pilot, lambda: lab(pilot).command_line.value.startswith("set momentum "))


@pytest.mark.parametrize(
    ("pane", "asked", "reached"),
    [
        ("1", "unit of hidden, 0 to 199", lambda pilot, _: lab(pilot).selection.unit == 17),
        ("8", "example, 0 to 63", lambda pilot, _: lab(pilot).selection.example == 17),
        ("5", "step, 0 to 60", lambda _, engine: engine.calls[-1:] == [("seek", (17,), {})]),
    ],
)
async def test_g_goes_to_the_number_that_the_pane_is_about(pane: str, asked: str, reached: object) -> None:
    async with opened() as (pilot, engine):
        engine.world.go(60)
        await pilot.press("e", pane)
        await until(pilot, lambda: lab(pilot).frame.timeline.end == 60)  # type: ignore[union-attr]
        await pilot.press("g")
        await until(pilot, lambda: f"Go to {asked}" in screen_text(pilot))
        await pilot.press("1", "7", "enter")
        await until(pilot, lambda: reached(pilot, engine))  # type: ignore[operator]


async def test_g_with_a_number_that_is_not_there_says_which_are() -> None:
    async with opened() as (pilot, _):
        await pilot.press("g", "2", "0", "0", "enter")
        await until(pilot, lambda: status(pilot) == "`200` is no unit of hidden: 0 to 199")


# -- labels


async def labelled(pilot: Pilot[None]) -> JumpScreen:
    await pilot.press("semicolon")
    await until(pilot, lambda: isinstance(pilot.app.screen, JumpScreen))
    screen = pilot.app.screen
    assert isinstance(screen, JumpScreen)
    return screen


@pytest.mark.proof
@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_every_pane_has_a_letter_that_goes_to_it(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        for pane in PANES:
            screen = await labelled(pilot)
            (letter,) = [key for key, spot in screen.spots.items() if spot.target == (pane,)]
            spot = screen.spots[letter]
            assert screen_text(pilot).split("\n")[spot.y][spot.x : spot.x + 3] == f" {letter} "
            await pilot.press(letter)
            await until(pilot, lambda: not isinstance(pilot.app.screen, JumpScreen))
            await until(pilot, lambda pane=pane: lab(pilot).desk.choice.active == pane)  # type: ignore[misc]


async def in_history(pilot: Pilot[None], engine: FakeEngine) -> JumpScreen:
    engine.world.go(60)
    engine.world.marks.append(EditMark(40, "zero", 'lab.zero("hidden[3]")', True))
    await pilot.press("e")
    await until(pilot, lambda: lab(pilot).frame.timeline.end == 60)  # type: ignore[union-attr]
    return await labelled(pilot)


async def test_moments_of_the_timeline_have_letters_too() -> None:
    async with opened() as (pilot, engine):
        screen = await in_history(pilot, engine)
        (letter,) = [key for key, spot in screen.spots.items() if spot.target == (40, 1)]
        await pilot.press(letter)
        await until(pilot, lambda: engine.calls[-1:] == [("seek", (40,), {"edits": 1})])


async def test_another_key_closes_the_letters_and_does_nothing_else() -> None:
    async with opened() as (pilot, engine):
        screen = await labelled(pilot)
        (letter,) = [key for key, spot in screen.spots.items() if spot.kind == "line"]
        await pilot.press("Z")
        await until(pilot, lambda: not isinstance(pilot.app.screen, JumpScreen))
        assert engine.calls == []
        await labelled(pilot)
        await pilot.press(letter)
        await until(pilot, lambda: lab(pilot).command_line.display)
