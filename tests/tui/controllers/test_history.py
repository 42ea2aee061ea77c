"""Time travel in the lab, on a fake engine: the tree, dropping, until, bookmarks, playback, read-only saves."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake import FakeEngine
from opening import SMALL, WIDE, commands, dialog_text, lab, opened, screen_text, status, type_line, until
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

import tinynets as tn
from tinynets.server.frame import BookmarkMark, BranchLine, EditMark
from tui.render.branch_tree import NAME
from tui.screens.ask import AskScreen
from tui.screens.bookmark import BookmarkScreen
from tui.screens.drop import DropScreen, UnbookmarkScreen
from tui.screens.overwrite import OverwriteScreen
from tui.screens.tree import TreeScreen
from tui.screens.until import UntilScreen

LONG = "a very long name of a branch that somebody typed in"


@asynccontextmanager
async def in_the_past(size: tuple[int, int] = WIDE) -> AsyncIterator[tuple[Pilot[None], FakeEngine]]:
    """The app at step 1,200 of 1,800 of `main`, with three branches, an edit and two bookmarks."""
    async with opened(size) as (pilot, engine):
        world = engine.world
        world.go(1800)
        world.step = 1200
        world.unsaved = False
        world.marks.append(EditMark(1000, "zero", 'lab.zero("hidden[3]")', True))
        world.others = [
            BranchLine("what-if", 1000, 2200, False, "main", 1, 1, 2.56),
            BranchLine(LONG, 1500, 1800, False, "what-if", 2, 1, 2.5),
        ]
        world.pins = [
            BookmarkMark("start", "before any edit", "main", 600, True),
            BookmarkMark("odd", "eight units are gone, and it hardly hurts at all", "what-if", 2200, False),
        ]
        await pilot.press("e")  # any command brings a frame
        await until(pilot, lambda: "1,200 of 1,800" in screen_text(pilot))
        engine.calls.clear()
        yield pilot, engine


async def in_the_tree(pilot: Pilot[None], *keys: str) -> str:
    """Open the tree and press keys there; returns what the screen then says."""
    await pilot.press("t")
    await until(pilot, lambda: isinstance(pilot.app.screen, TreeScreen))
    await pilot.press(*keys)
    await pilot.pause()
    return screen_text(pilot)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_tree_shows_branches_bookmarks_and_what_enter_does(size: tuple[int, int]) -> None:
    async with in_the_past(size) as (pilot, _):
        text = await in_the_tree(pilot)
        assert "◆ main" in text
        assert "╰─ what-if" in text
        assert "⚑ start  step 600: before any edit" in text
        assert "main is the current branch; enter goes to its end, step 1,800" in text
        for keys in ("enter go", "F fork here", "r rename", "d drop", "c compare", "esc close"):
            assert keys in text
        await pilot.press("down", "down", "down")
        whole = "enter goes to bookmark odd, step 2,200 of what-if: eight units are gone, and it hardly hurts at all"
        await until(pilot, lambda: whole in dialog_text(pilot))
        await pilot.press("down")
        await until(pilot, lambda: f"enter goes to the end of {LONG}, step 1,800" in dialog_text(pilot))


@pytest.mark.parametrize("count", [0, 1, 2])
@pytest.mark.proof
async def test_c_on_the_current_branch_compares_it_or_leads_to_one_to_compare_it_with(count: int) -> None:
    async with in_the_past() as (pilot, engine):
        engine.world.others = engine.world.others[:count]
        engine.answers["compare"] = lambda *_: {}["asked for"]  # that it is asked for is enough
        await pilot.press("e")
        await until(pilot, lambda: len(lab(pilot).frame.timeline.branches) == count + 1)  # type: ignore[union-attr]
        await in_the_tree(pilot, "c")
        said = {0: "there is no other branch to compare with", 2: "c compares what-if with the current branch"}
        if count in said:
            await until(pilot, lambda: said[count] in dialog_text(pilot))
            assert not pilot.app.screen.query_one("#said").has_class("error")
            await pilot.press("c")
        if count:
            await until(pilot, lambda: engine.calls[-1] == ("compare", ("what-if",), {}))


@pytest.mark.proof
@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_in_a_tree_of_thirty_nested_branches_every_name_is_whole_and_every_row_one_line(
    size: tuple[int, int],
) -> None:
    async with in_the_past(size) as (pilot, engine):
        names = [f"the-branch-{at:04}" for at in range(1, 31)]
        assert all(len(name) == NAME - 1 for name in names)
        parents = ["main", *names]
        engine.world.others = [
            BranchLine(name, 40 * at, 40 * at + 40, False, parents[at], at + 1, 1, 2.5) for at, name in enumerate(names)
        ]
        engine.world.pins = [BookmarkMark("deep", "", names[-1], 1240, False)]
        await pilot.press("e")
        await until(pilot, lambda: len(lab(pilot).frame.timeline.branches) == 31)  # type: ignore[union-attr]
        await in_the_tree(pilot)
        assert pilot.app.screen.query_one(OptionList).virtual_size.height == 32
        for at, name in enumerate(names, 1):
            await pilot.press("down")
            row = next((row for row in screen_text(pilot).splitlines() if f"{name} " in row), "")
            assert f"{40 * at:,}" in row, f"{name} at depth {at}: {row}"
            assert "2.5" in row
            await until(pilot, lambda: f"it left {parents[at - 1]} at step" in dialog_text(pilot))  # noqa: B023
        await pilot.press("down")
        assert "⚑ deep  step 1,240" in screen_text(pilot)


@pytest.mark.proof
async def test_what_the_tree_says_of_a_branch_keeps_up_with_a_run_and_answers_stay() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("space")
        await until(pilot, lambda: engine.world.step > 50)
        await in_the_tree(pilot)
        opened_at = engine.world.step

        def told() -> int:
            found = re.search(r"this is its end, step ([\d,]+)", dialog_text(pilot))
            return int(found[1].replace(",", "")) if found else 0

        await until(pilot, lambda: told() > opened_at + 50)
        await pilot.press("d")
        await until(pilot, lambda: "before it is dropped" in dialog_text(pilot))
        now = engine.world.step
        await until(pilot, lambda: engine.world.step > now + 50)
        assert "before it is dropped" in dialog_text(pilot)


async def test_enter_in_the_tree_switches_to_a_branch_or_seeks_a_bookmark() -> None:
    async with in_the_past() as (pilot, engine):
        await in_the_tree(pilot, "down", "down", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("switch", ("what-if",), {})])
        await in_the_tree(pilot, "down", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("seek", ("start",), {})])


async def test_the_tree_takes_another_picture_of_the_same_timeline() -> None:
    async with in_the_past() as (pilot, _):
        shown = await in_the_tree(pilot, "down")
        screen, frame = pilot.app.screen, lab(pilot).frame
        assert isinstance(screen, TreeScreen)
        assert frame is not None
        screen.hear(deepcopy(frame))
        await pilot.pause()
        assert screen_text(pilot) == shown


@pytest.mark.proof
async def test_the_tree_stays_open_while_it_renames_and_takes_bookmarks_away() -> None:
    async with in_the_past() as (pilot, engine):
        await in_the_tree(pilot, "down", "d")
        await until(pilot, lambda: isinstance(pilot.app.screen, UnbookmarkScreen))
        assert "It marks step 600 of `main`: before any edit" in dialog_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, TreeScreen))
        assert len(engine.world.pins) == 2
        await pilot.press("d", "d")
        await until(pilot, lambda: "bookmark start taken away" in screen_text(pilot))
        await until(pilot, lambda: "⚑ start" not in screen_text(pilot))
        await until(pilot, lambda: pilot.app.screen.query_one(OptionList).option_count == 4)
        pilot.app.screen.query_one(OptionList).highlighted = 1
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        pilot.app.screen.query_one(Input).value = "other"
        await pilot.press("enter")
        await until(pilot, lambda: ("rename", ("what-if", "other"), {}) in engine.calls)
        await until(pilot, lambda: "╰─ other" in screen_text(pilot))
        assert isinstance(pilot.app.screen, TreeScreen)


async def test_dropping_says_what_goes_and_enter_keeps_it() -> None:
    async with in_the_past(SMALL) as (pilot, engine):
        await type_line(pilot, "drop what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, DropScreen))
        text = dialog_text(pilot)
        assert "It left `main` at step 1,000 and ends at step 2,200." in text
        assert "Lost: 700 steps that only it holds, with what was edited there; bookmark `odd`." in text
        assert f"Kept whole: branch `{LONG}`." in text
        assert "This cannot be undone." in text
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, DropScreen))
        assert not engine.calls
        await type_line(pilot, "drop what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, DropScreen))
        await pilot.press("d")
        await until(pilot, lambda: engine.calls == [("drop", ("what-if",), {})])


async def test_the_current_branch_is_not_dropped() -> None:
    async with in_the_past() as (pilot, engine):
        assert "main is the current branch: go to another" in await in_the_tree(pilot, "d")
        await pilot.press("escape")
        await type_line(pilot, "drop main")
        await until(pilot, lambda: "`main` is the current branch" in status(pilot))
        assert len(engine.world.others) == 2


async def test_until_runs_forward_or_back_and_remembers_the_condition() -> None:
    async with in_the_past(SMALL) as (pilot, engine):
        await pilot.press("U")
        await until(pilot, lambda: isinstance(pilot.app.screen, UntilScreen))
        assert "forward: take steps until it holds" in screen_text(pilot)
        pilot.app.screen.query_one(Input).value = "loss < 2.3 limit=50"
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1:] == [("run_until", ("loss < 2.3",), {"limit": 50})])
        await pilot.press("ctrl+u")
        await until(pilot, lambda: isinstance(pilot.app.screen, UntilScreen))
        assert "backward: to the last moment before this one" in screen_text(pilot)
        pilot.app.screen.query_one(Input).value = "loss > 3"
        await pilot.press("tab", "tab", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("back_until", ("loss > 3",), {})])


async def test_on_a_dead_unit_back_until_asks_for_when_it_was_alive() -> None:
    async with in_the_past() as (pilot, engine):
        frame = lab(pilot).frame
        assert frame is not None
        assert frame.network is not None
        dead = next(cells for cells in frame.network if cells.name == "hidden").dead
        lab(pilot).select(block="hidden", unit=int(dead.argmax()))
        await until(pilot, lambda: "^u: back to when it was not" in screen_text(pilot))
        await pilot.press("ctrl+u", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("back_until", (f"alive hidden[{dead.argmax()}]",), {})])


async def test_m_bookmarks_with_a_name_and_a_note_and_capital_f_forks() -> None:
    async with in_the_past(SMALL) as (pilot, engine):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, BookmarkScreen))
        name = pilot.app.screen.query_one("#name", Input)
        name.value = "start"
        await until(pilot, lambda: "start marks step 600 now, and will mark this moment" in dialog_text(pilot))
        name.value = "start2"
        await pilot.press("tab", "l", "o", "w", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("bookmark", ("start2", "low"), {})])
        await pilot.press("F")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        assert "Fork at step 1,200" in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1:] == [("fork", ("what-if-2",), {})])


@pytest.mark.parametrize("keys", [("m",), ("t", "F")])
@pytest.mark.proof
async def test_what_is_bookmarked_or_forked_while_running_stands_still(keys: tuple[str, ...]) -> None:
    async with opened() as (pilot, engine):
        await pilot.press("space")
        await until(pilot, lambda: engine.world.step > 50)
        await pilot.press(*keys)
        await until(pilot, lambda: f"paused at step {engine.world.step}" in status(pilot))
        assert engine.calls[-1] == ("pause", (), {})
        at = engine.world.step
        await until(pilot, lambda: f"{'Fork at' if keys[-1] == 'F' else 'Bookmark'} step {at:,}" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1][0] in ("bookmark", "fork"))
        assert engine.world.step == at


async def test_a_run_that_begins_behind_the_question_of_a_bookmark_is_paused() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, BookmarkScreen))
        commands(pilot).do("start")
        await until(pilot, lambda: engine.calls[-1:] == [("pause", (), {})])


async def test_brackets_walk_the_edits_bookmarks_and_forks() -> None:
    async with in_the_past() as (pilot, engine):
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: engine.calls[-1:] == [("seek", (1000,), {"edits": 1})])
        await until(pilot, lambda: 'step 1,000, after zero("hidden[3]"), what-if parts from here' in status(pilot))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: engine.calls[-1:] == [("seek", (600,), {})])
        await until(pilot, lambda: status(pilot) == "step 600, bookmark start")


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_in_the_past_and_while_playing_the_key_bar_says_what_to_press(size: tuple[int, int]) -> None:
    async with in_the_past(size) as (pilot, engine):
        assert "> end" in screen_text(pilot)
        await pilot.press("P")
        await until(pilot, lambda: "rewinding" in screen_text(pilot) and "p play" in screen_text(pilot))
        text = screen_text(pilot)
        assert all(words in text for words in ("10 steps/s", "space pause", "- slower", "+ faster"))
        await pilot.press("plus")
        await until(pilot, lambda: engine.calls[-1] == ("play", (-20.0,), {}))
        await until(pilot, lambda: "20 steps/s" in screen_text(pilot))
        await pilot.press("p")
        await until(pilot, lambda: "P rewind" in screen_text(pilot))
        await pilot.press("minus")
        await until(pilot, lambda: engine.calls[-1] == ("play", (5.0,), {}))
        await pilot.press("p")
        await until(pilot, lambda: "paused" in screen_text(pilot))


async def test_saving_a_read_only_save_asks_for_another_name() -> None:
    async with in_the_past(SMALL) as (pilot, engine):
        engine.read_only, engine.world.path, engine.world.unsaved = True, "saves/x.msgpack", True
        await pilot.press("s")
        await until(pilot, lambda: "unsaved, read-only" in screen_text(pilot))
        await pilot.press("w")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        assert "Save as (x.msgpack is read-only here)" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, AskScreen))
        assert engine.calls[-1][0] == "step"
        await pilot.press("q", "s")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        pilot.app.screen.query_one(Input).value = "y.msgpack"
        await pilot.press("enter")
        await until(pilot, lambda: not pilot.app.is_running)
        assert engine.calls[-1] == ("save", ("y.msgpack",), {})


async def test_saving_over_a_file_that_is_not_this_labs_asks_and_says_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = tn.Lab("xor")
    other.run(1234)
    other.fork("what-if")
    other.save("theirs.msgpack")
    (tmp_path / "junk.msgpack").write_bytes(b"no save")
    async with in_the_past(SMALL) as (pilot, engine):
        for name in ("theirs", "theirs.msgpack"):
            await type_line(pilot, f"save {name}")
            await until(pilot, lambda: isinstance(pilot.app.screen, OverwriteScreen))
            assert "It holds xor at step 1,234 (what-if), 2 branches." in dialog_text(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: status(pilot) == "not saved: `theirs.msgpack` stays as it was")
        await type_line(pilot, "save junk.msgpack")
        await until(pilot, lambda: isinstance(pilot.app.screen, OverwriteScreen))
        assert "something that cannot be read as a save" in dialog_text(pilot)
        await pilot.press("escape", "W")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        pilot.app.screen.query_one(Input).value = "theirs.msgpack"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, OverwriteScreen))
        assert not engine.calls
        await pilot.press("o")
        await until(pilot, lambda: engine.calls == [("save", ("theirs.msgpack",), {})])
        await pilot.press("e")  # a frame, which says that the file is now this lab's own
        await until(pilot, lambda: lab(pilot).frame.status.path == "theirs.msgpack")  # type: ignore[union-attr]
        for name in (str(tmp_path / "theirs"), "new.msgpack"):
            await type_line(pilot, f"save {name}")
            await until(pilot, lambda: engine.calls[-1] == ("save", (name,), {}))  # noqa: B023


async def test_what_the_engine_notes_at_the_start_is_told_whole() -> None:
    note = "`three.msgpack` is open in another process: it is read-only here, save under another name"
    async with in_the_past(SMALL) as (pilot, engine):
        engine.note = note
        await pilot.press("s")
        await until(pilot, lambda: [toast.message for toast in pilot.app._notifications] == [note])


async def test_on_the_smallest_terminal_the_dialogs_of_time_travel_are_whole() -> None:
    async with in_the_past((60, 16)) as (pilot, _):
        text = await in_the_tree(pilot)
        assert all(words in text for words in ("1,800", "2,200", "2.56", "c compare  esc"))
        await pilot.press("escape")
        await type_line(pilot, "drop what-if")
        await until(pilot, lambda: isinstance(pilot.app.screen, DropScreen))
        assert "d drop it for good" in dialog_text(pilot)
        await pilot.press("escape", "U")
        await until(pilot, lambda: isinstance(pilot.app.screen, UntilScreen))
        assert "dead hidden[0]" in dialog_text(pilot)


@pytest.mark.parametrize("size", [WIDE, SMALL, (60, 16)])
async def test_a_pill_says_past_while_later_steps_are_recorded(size: tuple[int, int]) -> None:
    async with in_the_past(size) as (pilot, _):
        header = lab(pilot).header
        assert " past " in header.render_line(0).text
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: "1,800" in header.render_line(0).text and " past " not in header.render_line(0).text)


async def test_the_tree_takes_frames_that_differ_in_their_losses_alone() -> None:
    async with opened() as (pilot, _):
        await in_the_tree(pilot)
        tree, frame = pilot.app.screen, lab(pilot).frame
        assert isinstance(tree, TreeScreen)
        assert frame is not None
        for _ in range(2):
            tree.take(replace(frame, timeline=replace(frame.timeline, losses=np.arange(3.0))))
