"""Work in the Units pane: sorting, filtering, marking, and operations on all that is marked together."""

from __future__ import annotations

import pytest
from fake import FakeEngine
from opening import MIDDLE, SMALL, WIDE, app_of, lab, opened, real, screen_text, status, until
from textual.pilot import Pilot
from textual.widgets import Input

from tinynets.server.frame import PANES
from tui.model.unit_rows import Sorting
from tui.screens.filter import FilterScreen
from tui.screens.operate import OperateScreen
from tui.widgets.units import UnitsPane

pytestmark = pytest.mark.proof

Opened = tuple[Pilot[None], FakeEngine]


def pane_of(pilot: Pilot[None]) -> UnitsPane:
    pane = lab(pilot).panes["units"]
    assert isinstance(pane, UnitsPane)
    return pane


async def to_units(pilot: Pilot[None]) -> UnitsPane:
    await pilot.press("2")
    pane = pane_of(pilot)
    await until(pilot, lambda: pilot.app.focused is pane and pane.rows is not None)
    return pane


def selected(pilot: Pilot[None]) -> str:
    return lab(pilot).selection.selector


def edits(engine: FakeEngine) -> list[tuple[str, tuple[object, ...]]]:
    return [(verb, args) for verb, args, _ in engine.calls if verb != "join"]


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL])
async def test_left_and_right_choose_the_column_that_sorts_and_d_turns_it_round(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        pane = await to_units(pilot)
        await pilot.press("right")
        assert pane.sorting == Sorting("mean")
        await pilot.press("l", "d")
        assert pane.sorting == Sorting("std", True)
        await pilot.press("left", "left", "h")
        assert pane.sorting == Sorting()
        assert selected(pilot) == "hidden[0]"
        await pilot.press("d")
        await until(pilot, lambda: "hidden[199]" in pane.render_line(1).text)


async def test_up_and_down_go_along_the_rows_and_the_selection_follows() -> None:
    async with opened() as (pilot, engine):
        pane = await to_units(pilot)
        await pilot.press("down", "j", "k", "down")
        await until(pilot, lambda: selected(pilot) == "hidden[2]" == engine.views[-1].block + "[2]")
        await pilot.press("end")
        assert selected(pilot) == "hidden[199]"
        assert "hidden[199]" in pane._lines[-1].text
        await pilot.press("pageup")
        assert int(selected(pilot)[7:-1]) == 199 - (pane._lines_of_rows - 1)
        await pilot.press("home", "pagedown")
        assert int(selected(pilot)[7:-1]) == pane._lines_of_rows - 1


async def test_enter_goes_to_the_unit_in_the_neuron_pane() -> None:
    async with opened(SMALL) as (pilot, _):
        await to_units(pilot)
        await pilot.press("down", "enter")
        await until(pilot, lambda: pilot.app.focused is lab(pilot).panes["neuron"])
        assert selected(pilot) == "hidden[1]"
        assert not lab(pilot).desk.choice.zoom


async def test_home_end_and_pages_leap_in_other_panes_too() -> None:
    async with opened() as (pilot, _):
        await pilot.press("end")
        assert selected(pilot) == "hidden[199]"
        await pilot.press("pagedown")
        assert selected(pilot) == "output[26]"
        await pilot.press("home", "pageup", "pageup", "pageup")
        assert selected(pilot) == "embed[0]"
        await pilot.press("pagedown", "3")
        await until(pilot, lambda: lab(pilot).frame.view.block == "hidden" == lab(pilot).frame.weights.block)  # type: ignore[union-attr]
        await pilot.press("end", "pagedown")
        assert (selected(pilot), lab(pilot).selection.row > 1) == ("hidden[199]", True)
        row = lab(pilot).selection.row
        await pilot.press("pageup", "4", "pagedown", "home")
        assert (selected(pilot), lab(pilot).selection.row < row) == ("hidden[0]", True)
        await until(pilot, lambda: lab(pilot).selection.example > 1)
        await pilot.press("6", "end")
        assert selected(pilot) == "hidden[199]"


async def test_the_filter_is_asked_for_and_says_what_is_wrong_while_it_is_typed() -> None:
    async with opened() as (pilot, _):
        pane = await to_units(pilot)
        await pilot.press("backslash")
        await until(pilot, lambda: isinstance(pilot.app.screen, FilterScreen))
        await pilot.press(*"daed")
        await until(pilot, lambda: "did you mean `dead`?" in screen_text(pilot))
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, FilterScreen)  # nothing that was typed is lost
        pilot.app.screen.query_one(Input).value = "dead"
        await until(pilot, lambda: "3 of 200 units" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "3 of 200: dead" in screen_text(pilot))
        await pilot.press("down")
        assert selected(pilot) == "hidden[13]"
        await pilot.press("s")  # survives steps
        await until(pilot, lambda: lab(pilot).frame.status.step == 1)  # type: ignore[union-attr]
        assert pane.filter.text == "dead"
        await pilot.press("escape")
        await until(pilot, lambda: "of 200" not in pane.detail)


async def test_marked_units_are_operated_on_together_as_one_edit() -> None:
    async with opened() as (pilot, engine):
        pane = await to_units(pilot)
        await pilot.press("asterisk", "down", "asterisk")  # goes on to the next by itself
        await until(pilot, lambda: pane.marked() == {"hidden": (0, 2)})
        assert status(pilot).startswith("2 marked: z, f, a")
        assert "zero 2" in lab(pilot).keys.render_line(0).text
        await pilot.press("z")
        await until(pilot, lambda: status(pilot).startswith("zero, 2 marked units: hidden[0,2] zeroed"))
        assert edits(engine) == [("zero", ("hidden[0,2]",))]
        await until(pilot, lambda: "release 2" in lab(pilot).keys.render_line(0).text)
        await pilot.press("z", "f")
        await until(pilot, lambda: edits(engine)[1:] == [("release", ("hidden[0,2]",)), ("freeze", ("hidden[0,2]",))])
        await pilot.press("1", "f")  # elsewhere it is the cursor that is meant
        await until(pilot, lambda: edits(engine)[3:] == [("freeze", ("hidden[3]",))])
        await pilot.press("2", "escape")
        await until(pilot, lambda: not pane.marked())
        await pilot.press("f")
        await until(pilot, lambda: edits(engine)[4:] == [("unfreeze", ("hidden[3]",))])


async def test_an_operation_that_asks_is_completed_for_all_that_are_marked() -> None:
    async with opened() as (pilot, engine):
        await to_units(pilot)
        await pilot.press("asterisk", "asterisk", "c")
        await until(pilot, lambda: lab(pilot).command_line.value.startswith("clamp hidden[0,1] "))
        await pilot.press("enter")
        await until(pilot, lambda: edits(engine) == [("clamp", ("hidden[0,1]", 0.5))])
        await pilot.press("E")
        await until(pilot, lambda: status(pilot) == "`explain` does not fit hidden[0,1]: a lists what does")
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
        assert "What to do to hidden[0,1]" in screen_text(pilot)
        await pilot.press("D")
        await until(pilot, lambda: edits(engine)[1:] == [("prune", ("hidden[0,1]",))])


async def test_across_blocks_it_is_one_edit_for_each_and_that_is_said() -> None:
    async with opened() as (pilot, engine):
        pane = await to_units(pilot)
        await pilot.press("tilde")
        await until(pilot, lambda: "all blocks" in pane.detail and len(pane.rows or ()) == 237)
        await pilot.press("home", "asterisk", "end", "asterisk", "z")
        await until(pilot, lambda: edits(engine) == [("zero", ("embed[0]",)), ("zero", ("output[26]",))])
        await until(pilot, lambda: "2 marked units in 2 blocks" in status(pilot))
        await until(pilot, lambda: ("join", (2,), {}) in engine.calls)
        await pilot.press("c")
        await until(pilot, lambda: "clamp: 2 marked units in 2 blocks" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: edits(engine)[2:] == [("clamp", ("embed[0]", 0.5)), ("clamp", ("output[26]", 0.5))])
        await pilot.press("tilde")
        await until(pilot, lambda: len(pane.rows or ()) == 27)
        assert pane.marked() == {"embed": (0,), "output": (26,)}


async def test_all_that_a_filter_shows_is_marked_at_once() -> None:
    async with opened() as (pilot, _):
        pane = await to_units(pilot)
        app_of(pilot).units._filtered(None)
        await pilot.press("backslash", *"dead", "enter")
        await until(pilot, lambda: pane.filter.text == "dead")
        await pilot.press("vertical_line")
        await until(pilot, lambda: pane.marked() == {"hidden": (13, 77, 140)})
        await pilot.press("vertical_line")
        await until(pilot, lambda: status(pilot) == "no unit is marked")
        assert pane.marked() == {}


async def test_which_unit_matters_most_takes_two_keys() -> None:
    async with opened() as (pilot, engine):
        pane = await to_units(pilot)
        await pilot.press("A")
        await until(pilot, lambda: selected(pilot) == "hidden[33]")  # the largest of those made up
        assert edits(engine) == [("worth", ("hidden",))]
        assert lab(pilot).status.python == 'lab.worth("hidden")'
        await until(pilot, lambda: "hidden[33]" in pane.render_line(1).text and "+0.01" in pane.render_line(1).text)
        assert pane.sorting == Sorting("worth")
        assert pane.footnote == "worth on dev, 64 examples"
        await pilot.press("s")
        await until(pilot, lambda: pane.footnote == "worth measured at step 0")


async def test_a_click_selects_and_a_click_on_the_heading_sorts() -> None:
    async with opened() as (pilot, _):
        pane = pane_of(pilot)
        await until(pilot, lambda: pane.rows is not None)
        await pilot.click(pane, offset=(12, 1 + 1 + 3))
        await until(pilot, lambda: selected(pilot) == "hidden[3]")
        first, _end = pane._layout.starts()["flat"]
        await pilot.click(pane, offset=(1 + first + 2, 1))
        await until(pilot, lambda: pane.sorting == Sorting("flat"))
        await pilot.click(pane, offset=(1 + first + 2, 1))
        await until(pilot, lambda: pane.sorting == Sorting("flat", True))


@pytest.mark.parametrize("size", [WIDE, MIDDLE])
async def test_a_click_on_the_name_beside_a_panes_own_picks_that_pane(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await to_units(pilot)
        pane, other = lab(pilot).panes["units"], lab(pilot).panes["activations"]
        await until(pilot, lambda: "4 Activ" in pane.edge(0, pane.outer_size.width).text)
        await pilot.click(pane, offset=(pane.outer_size.width - 5, 0))
        await until(pilot, lambda: pilot.app.focused is other and other.display)
        await until(pilot, lambda: "2 Units" in other.edge(0, other.outer_size.width).text)
        await pilot.click(other, offset=(other.outer_size.width - 5, 0))
        await until(pilot, lambda: pilot.app.focused is pane)


@pytest.mark.parametrize("width", [60, 80, 92, 93, 100])
async def test_all_panes_have_a_tab_that_can_be_clicked(width: int) -> None:
    async with opened((width, 24)) as (pilot, _):
        await pilot.press("x")
        tabs = lab(pilot).tabs
        await until(pilot, lambda: tabs.display and tabs.active)
        text = tabs.render_line(0).text
        for number, pane in enumerate(PANES, 1):
            x = text.index(str(number))
            await pilot.click(tabs, offset=(x + 2, 0))
            await until(pilot, lambda pane=pane: pilot.app.focused is lab(pilot).panes[pane])


async def test_keys_of_the_pane_do_nothing_wrong_before_the_first_frame() -> None:
    class Silent(FakeEngine):
        def _serve(self) -> None:
            """Never sends a frame."""

    from tui.app import LabApp

    app = LabApp(Silent, "names-mlp")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press(
            "2", "right", "d", "asterisk", "vertical_line", "tilde", "A", "enter", "2", "z", "f", "r", "c", "home",
            "end", "pageup", "pagedown", "escape", "backslash", "down",
        )  # fmt: skip
        await pilot.pause()
        assert app.lab.frame is None
        assert not isinstance(app.screen, FilterScreen)


async def test_worth_of_the_real_engine_is_shown_and_marked_units_are_pruned() -> None:
    async with real("digits") as (pilot, _):
        pane = await to_units(pilot)
        await pilot.press("S", "2", "0", "enter", "A")
        await until(pilot, lambda: pane.footnote == "worth on dev, 180 examples")
        frame = lab(pilot).frame
        assert frame is not None
        assert frame.worth is not None
        assert selected(pilot) == f"hidden[{frame.worth['hidden'].argmax()}]"
        await pilot.press("end", "asterisk", "up", "asterisk")
        await until(pilot, lambda: len(pane.marked()["hidden"]) == 2)
        await pilot.press("D")
        await until(pilot, lambda: "pruned" in status(pilot))
        await until(pilot, lambda: not pane.marked() and len(pane.rows or ()) == 30)
        assert "measured at step" in pane.footnote
        await pilot.press("u")
        await until(pilot, lambda: len(pane.marked().get("hidden", ())) == 2)


async def test_a_measurement_is_cancelled_by_escape() -> None:
    async with real("names-transformer") as (pilot, _):
        pane = await to_units(pilot)
        await pilot.press("A")
        await until(pilot, lambda: commands_busy(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: status(pilot).startswith("cancelled `worth`"))
        assert pane.sorting == Sorting()


def commands_busy(pilot: Pilot[None]) -> bool:
    client = app_of(pilot).commands.client
    return client is not None and client.busy


async def test_one_u_takes_back_what_was_done_to_marked_units_of_several_blocks() -> None:
    async with real("spiral") as (pilot, _):
        pane = await to_units(pilot)
        await pilot.press("s", "tilde")
        await until(pilot, lambda: len(pane.rows or ()) == 34)
        await pilot.press("home", "asterisk", "end", "asterisk", "z")
        await until(pilot, lambda: status(pilot).endswith("u takes them back"))
        await pilot.press("u")
        await until(pilot, lambda: status(pilot).startswith("undone: 2 edits, hidden1[0] zeroed to output[1] zeroed"))
        assert not any(standing.op.any() for standing in lab(pilot).frame.standing.values())  # type: ignore[union-attr]
        await pilot.press("ctrl+r")
        await until(pilot, lambda: status(pilot).startswith("redone: 2 edits"))
