"""The app on a fake engine: what keys send, and what the screen says."""

import pytest
from fake import FakeEngine
from opening import MIDDLE, SMALL, WIDE, app_of, lab, opened, screen_text, status, until

from tinynets.server.frame import PANES
from tui.app import LabApp
from tui.panes import SLOTS
from tui.screens.ask import AskScreen
from tui.screens.lab import lines_of
from tui.screens.leave import LeaveScreen
from tui.widgets.loss import LossPane

PLACES = len({slot.place for slot in SLOTS.values()})
"""How many panes a large desk shows."""


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL, (60, 16), (200, 60)])
async def test_the_screen_says_what_each_pane_shows_and_what_to_press(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await pilot.pause()
        text = screen_text(pilot)
        for pane in lab(pilot).desk.visible_panes():
            assert f"{PANES.index(pane) + 1} {pane.capitalize()}" in text
        assert "? help" in text
        assert "space run" in text
        assert "hidden" in text


async def test_a_terminal_of_20x5_is_told_what_is_needed_and_works_when_it_grows() -> None:
    async with opened() as (pilot, engine):
        await pilot.resize_terminal(20, 5)
        await pilot.pause()
        words = " ".join(screen_text(pilot).split())
        assert words == "tinynets-lab needs at least 60x16; this terminal is 20x5"
        await pilot.press("s", "right", "tab", "z", "w")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "1 Network" in screen_text(pilot))
        assert engine.calls == []
        assert lab(pilot).selection.selector == "hidden[0]"
        await pilot.press("space")
        await until(pilot, lambda: "steps/s" in screen_text(pilot))


async def test_on_the_smallest_terminal_the_selected_unit_is_always_in_sight() -> None:
    async with opened((60, 16)) as (pilot, _):
        pane = lab(pilot).panes["network"]
        for unit in (0, 57, 130, 199, 3):
            lab(pilot).select(block="hidden", unit=unit)
            await pilot.pause()
            shown = [pane.render_line(y).text for y in range(pane.size.height)]
            assert any(line.startswith(f"{unit // 20 * 20:>3} ") for line in shown), shown


async def test_q_leaves_a_terminal_that_is_too_small() -> None:
    async with opened((20, 5)) as (pilot, _):
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)


@pytest.mark.parametrize("size", [WIDE, MIDDLE, SMALL, (60, 16)])
async def test_the_welcome_is_said_whole(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        assert "? is help" in screen_text(pilot)


async def test_edits_have_a_row_of_their_own_and_several_at_one_step_are_counted() -> None:
    async with opened() as (pilot, engine):
        engine.world.go(100)
        await pilot.press("e")
        await until(pilot, lambda: engine.world.evaluations)
        await pilot.press("z")
        await until(pilot, lambda: len(engine.world.marks) == 1)
        await pilot.press("f")
        await until(pilot, lambda: engine.calls[-1][0] == "freeze")
        engine.world.evaluations[50] = 2.0
        await pilot.press("u")
        await until(pilot, lambda: "•" in lab(pilot).timeline.render_line(1).text)
        edits = lab(pilot).timeline.render_line(0).text
        assert edits.startswith(" edits")
        assert edits.rstrip().endswith("2")


async def test_a_cursor_that_moves_while_a_frame_is_drawn_shows_all_of_that_frame() -> None:
    async with opened() as (pilot, engine):
        screen = lab(pilot)
        assert screen.frame is not None
        engine.world.go(100)
        frame = engine.frame()
        drawn: list[str] = []
        for widget in lines_of(screen):
            whole = widget.show
            widget.show = lambda *a, w=widget, s=whole, **k: (drawn.append(str(w.id)), s(*a, **k))  # type: ignore[method-assign]
        screen.take(frame)
        assert len(drawn) < len(lines_of(screen))
        screen.select(unit=5)
        assert {widget.id for widget in lines_of(screen)} == set(drawn)
        assert not any(widget._changed for widget in lines_of(screen))


async def test_keys_send_the_calls_of_the_library_and_show_them() -> None:
    async with opened() as (pilot, engine):
        for key, call in (("s", "lab.step()"), ("b", "lab.back()"), ("n", "lab.phase()"), ("u", "lab.undo()")):
            await pilot.press(key)
            await until(pilot, lambda call=call: lab(pilot).status.python == call)
        assert [verb for verb, _, _ in engine.calls] == ["step", "back", "phase", "undo"]


async def test_space_runs_and_pauses() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("space")
        await until(pilot, lambda: "running" in screen_text(pilot) and engine.world.step > 50)
        await pilot.press("space")
        await until(pilot, lambda: "paused" in screen_text(pilot))
        assert [verb for verb, _, _ in engine.calls] == ["start", "pause"]


async def test_z_zeroes_and_then_releases_and_says_what_changed() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("right", "right", "right", "z")
        await until(pilot, lambda: status(pilot) == "hidden[3] zeroed: probe loss 2.412 -> 2.431")
        assert lab(pilot).status.python == 'lab.zero("hidden[3]")'
        await until(pilot, lambda: "z release" in screen_text(pilot))
        await pilot.press("z")
        await until(pilot, lambda: engine.calls[-1] == ("release", ("hidden[3]",), {}))


async def test_f_freezes_and_then_unfreezes() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("f")
        await until(pilot, lambda: "f unfreeze" in screen_text(pilot))
        await pilot.press("f")
        await until(pilot, lambda: [verb for verb, _, _ in engine.calls] == ["freeze", "unfreeze"])


async def test_the_cursor_moves_at_once_and_the_engine_is_told() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("l", "right")
        assert lab(pilot).selection.selector == "hidden[2]"
        await until(pilot, lambda: engine.views[-1].unit == 2)
        await until(pilot, lambda: "hidden[2]" in lab(pilot).panes["neuron"].render_line(0).text)


async def test_up_and_down_walk_through_the_blocks() -> None:
    async with opened() as (pilot, _):
        await pilot.press("k")
        assert lab(pilot).selection.block == "embed"
        await pilot.press("down")
        assert lab(pilot).selection.block == "hidden"
        for _ in range(20):
            await pilot.press("j")
        assert lab(pilot).selection.block == "output"


async def test_comma_and_full_stop_change_the_example() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("full_stop", "full_stop", "comma")
        await until(pilot, lambda: engine.views[-1].example == 1)
        assert "..e" in str(lab(pilot).panes["network"].detail)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_numbers_go_to_panes_and_hidden_panes_are_not_asked_for(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, engine):
        for number, pane in enumerate(PANES, 1):
            await pilot.press(str(number))
            await until(pilot, lambda pane=pane: pilot.app.focused is lab(pilot).panes[pane])
            assert lab(pilot).panes[pane].display
            await until(pilot, lambda: engine.views[-1].panes == lab(pilot).desk.visible_panes())
        assert len(engine.views[-1].panes) == (PLACES if size == WIDE else 2)


async def test_tab_goes_through_all_panes_even_where_few_fit() -> None:
    async with opened(SMALL) as (pilot, _):
        seen = []
        for _ in PANES:
            await pilot.press("tab")
            await pilot.pause()
            seen.append(lab(pilot).desk.choice.active)
        assert seen == [*PANES[1:], PANES[0]]


async def test_x_shows_one_pane_alone_and_escape_brings_the_others_back() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("4", "x")
        await until(pilot, lambda: engine.views[-1].panes == ("activations",))
        await pilot.press("escape")
        await until(pilot, lambda: len(engine.views[-1].panes) == PLACES)


async def test_a_count_is_asked_for_and_what_is_no_count_is_refused() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("S")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        await pilot.press("2", "5", "0", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("step", (250,), {})])
        await pilot.press("B")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskScreen))
        await pilot.press("x", "enter")
        await until(pilot, lambda: "`x` is not a number of steps" in status(pilot))


async def test_an_error_is_one_line_and_the_app_goes_on() -> None:
    async with opened() as (pilot, engine):
        engine.answers["step"] = lambda *_: (_ for _ in ()).throw(LookupError("`hidden[200]`: `hidden` has 200 units"))
        await pilot.press("s")
        await until(pilot, lambda: status(pilot) == "`hidden[200]`: `hidden` has 200 units")
        await pilot.press("b")
        await until(pilot, lambda: status(pilot) == "at step 0")


async def test_what_the_engine_says_on_its_own_is_shown() -> None:
    async with opened() as (pilot, engine):
        engine.say("step 12: loss is NaN at `hidden`; the state before it is kept", "error")
        await until(pilot, lambda: status(pilot).startswith("step 12: loss is NaN"))


async def test_quitting_asks_when_something_is_unsaved() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("s")
        await until(pilot, lambda: "unsaved" in screen_text(pilot))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, LeaveScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveScreen))
        await pilot.press("s")
        await until(pilot, lambda: engine.calls[-1][0] == "save")
        await until(pilot, lambda: not pilot.app.is_running)


async def test_quitting_with_nothing_unsaved_ends_the_engine() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("q")
        await until(pilot, lambda: not pilot.app.is_running)
    assert not engine.process.is_alive()


async def test_a_dead_engine_leaves_the_picture_standing_and_can_be_started_again() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("w")
        await until(pilot, lambda: "saved" in status(pilot))
        await until(pilot, lambda: "unsaved" not in screen_text(pilot) and "names-mlp.msgpack" in screen_text(pilot))
        engine.die()
        await until(pilot, lambda: "engine process ended" in screen_text(pilot))
        text = screen_text(pilot)
        assert "R starts it again from saves/names-mlp.msgpack" in text
        assert "1 Network" in text
        await pilot.press("s")
        await until(pilot, lambda: "engine process ended: R starts it again" in status(pilot))
        await pilot.press("R")
        await until(pilot, lambda: "engine process ended" not in screen_text(pilot))
        await until(pilot, lambda: "? is help" in status(pilot))
        await pilot.press("s")
        await until(pilot, lambda: status(pilot).startswith("step 1:"))


async def test_an_engine_that_is_started_again_from_a_save_has_what_holds_for_all_and_not_the_seed() -> None:
    spawned: list[tuple[str | None, dict[str, object]]] = []

    def spawn(source: str | None, options: dict[str, object]) -> FakeEngine:
        spawned.append((source, options))
        return FakeEngine(source, options)

    app = LabApp(spawn, "names-mlp", {"seed": 3, "memory": 2**20})
    async with app.run_test(size=WIDE) as pilot:
        await until(pilot, lambda: app.lab.frame is not None)
        app.engine.reconnect("names-mlp")
        app.engine.reconnect("saves/names-mlp.msgpack")
    assert spawned == [
        ("names-mlp", {"seed": 3, "memory": 2**20}),
        ("names-mlp", {"seed": 3, "memory": 2**20}),
        ("saves/names-mlp.msgpack", {"memory": 2**20}),
    ]


async def test_a_click_selects_a_unit_and_a_cell() -> None:
    async with opened() as (pilot, _):
        network, activations = lab(pilot).panes["network"], lab(pilot).panes["activations"]
        await pilot.press("4")
        await until(pilot, lambda: activations.place is not None)  # type: ignore[attr-defined]
        await pilot.click(network, offset=(1 + 5 + 2 * 7, 1 + 4))
        await until(pilot, lambda: lab(pilot).selection.selector == "hidden[7]")
        place = activations.place  # type: ignore[attr-defined]
        await pilot.click(activations, offset=(1 + place.x_of(30), 1 + 1 + 3))
        await until(pilot, lambda: lab(pilot).selection.selector == "hidden[30]")
        assert lab(pilot).selection.example == 6


async def test_a_click_on_the_timeline_seeks_there() -> None:
    async with opened() as (pilot, engine):
        engine.world.go(1000)
        await pilot.press("e")
        await until(pilot, lambda: lab(pilot).frame and lab(pilot).frame.timeline.end == 1000)
        await pilot.click("#timeline", offset=(80, 1))
        await until(pilot, lambda: engine.calls[-1][0] == "seek")
        assert 400 < engine.calls[-1][1][0] < 600
        await until(pilot, lambda: "of 1,000" in screen_text(pilot))


async def test_a_key_switches_the_loss_to_log10() -> None:
    async with opened() as (pilot, _):
        await pilot.press("L")
        await until(pilot, lambda: status(pilot) == "loss as log10")
        pane = lab(pilot).panes["loss"]
        assert isinstance(pane, LossPane)
        assert pane.log10
        assert "log10" in pane.detail


async def test_no_color_marks_signs_by_glyphs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with opened() as (pilot, _):
        await pilot.pause()
        assert not app_of(pilot).look.colour
        assert "▀▀▀" not in screen_text(pilot)


async def test_ascii_terminals_get_no_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNETS_ASCII", "1")
    async with opened() as (pilot, _):
        await pilot.press("s", "z")
        await pilot.pause()
        for pane in lab(pilot).panes.values():
            for y in range(pane.size.height):
                text = pane.render_line(y).text
                assert not set(text) & set("▀█▇●▶▼✱∅†"), (pane.NAME, text)


@pytest.mark.parametrize("width", [60, 72, 80, 100, 139])
async def test_every_tab_has_room(width: int) -> None:
    async with opened((width, 24)) as (pilot, _):
        tabs = lab(pilot).tabs.render_line(0).text
        assert [f"{number} {pane.capitalize()[:3]}" in tabs for number, pane in enumerate(PANES, 1)] == [True] * 9
