"""Opening another source, and sources that cannot be opened."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest
from fake import FakeEngine
from opening import SMALL, WIDE, commands, lab, opened, screen_text, status, until
from patience import PATIENCE
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from tinynets.lab.reports import LogEntry
from tui.app import LabApp
from tui.model.sources import Openable, everything
from tui.screens.entries import EntriesScreen
from tui.screens.leave import LeaveScreen
from tui.screens.open import OpenScreen


@pytest.mark.parametrize("line", ["open xor", 'lab = tn.Lab("xor")'])
async def test_opening_asks_when_something_is_unsaved(line: str) -> None:
    async with opened() as (pilot, engine):
        await pilot.press("s")
        await until(pilot, lambda: "unsaved" in screen_text(pilot))
        commands(pilot).run_line(line)
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveScreen))
        assert "open without saving" in screen_text(pilot)
        await pilot.press("q")  # a key of the other question
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, LeaveScreen))
        assert engine.calls[-1][0] == "step"
        commands(pilot).run_line(line)
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveScreen))
        await pilot.press("s")
        await until(pilot, lambda: [verb for verb, _, _ in engine.calls] == ["step", "save", "open"])
        await until(pilot, lambda: lab(pilot).status.python == 'lab = tn.Lab("xor")')


async def test_opening_by_its_key_asks_and_opens_without_saving() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("s")
        await until(pilot, lambda: "unsaved" in screen_text(pilot))
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        pilot.app.screen.dismiss("xor")
        await until(pilot, lambda: isinstance(pilot.app.screen, LeaveScreen))
        await pilot.press("o")
        await until(pilot, lambda: [verb for verb, _, _ in engine.calls] == ["step", "open"])


@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_the_open_screen_lists_saves_and_recipes_with_a_picture_each_and_keeps_its_field(
    size: tuple[int, int],
) -> None:
    async with opened(size) as (pilot, _):
        await pilot.press("o")
        await _listed(pilot)
        text = screen_text(pilot)
        assert "type to filter" in text
        assert text.index("Saves: go on") < text.index("names-mlp at step 1,000 (main)")
        rows = [row for row in text.splitlines() if "Spirals" in row or "names-mlp at" in row]
        assert all(set(row) & set("▁▂▃▄▅▆▇█▀") for row in rows)


async def _listed(pilot: Pilot[None]) -> OptionList:
    await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
    found = pilot.app.screen.query_one(OptionList)
    await until(pilot, lambda: found.option_count > 3)
    return found


async def test_typing_filters_and_enter_opens_what_is_left() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("o")
        found = await _listed(pilot)
        await pilot.press(*"wavenet")
        await until(pilot, lambda: found.option_count == 2)
        await pilot.press("enter")
        await until(pilot, lambda: ("open", ("names-wavenet",), {}) in engine.calls)


@pytest.mark.parametrize(("typed", "wanted"), [("wavenet", "names-wavenet"), ("", None)])
async def test_enter_before_the_list_is_read_opens_what_it_will_highlight(
    typed: str, wanted: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_read = Event()

    def read(last: str) -> list[Openable]:
        assert may_read.wait(PATIENCE)
        return everything(last)

    monkeypatch.setattr("tui.screens.open.everything", read)
    async with opened() as (pilot, engine):
        pilot.app.push_screen(OpenScreen(), lambda source: engine.calls.append(("chosen", (source,), {})))
        await until(pilot, lambda: isinstance(pilot.app.focused, Input))
        await pilot.press(*typed, "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, OpenScreen)
        may_read.set()
        await until(pilot, lambda: engine.calls)
        (source,) = engine.calls[0][1]
        assert source == wanted if wanted else source in {entry.source for entry in everything()}


async def test_arrows_pick_while_the_field_has_the_focus() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("o")
        found = await _listed(pilot)
        first = found.highlighted
        await pilot.press("down", "down", "up")
        assert found.highlighted is not None
        assert found.highlighted > (first or 0)
        wanted = found.get_option_at_index(found.highlighted).id
        await pilot.press("enter")
        await until(pilot, lambda: ("open", (wanted,), {}) in engine.calls)


async def test_a_typed_path_is_opened_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "xor.toml"
    file.write_text("")
    async with opened() as (pilot, engine):
        for path in (str(file), str(tmp_path / "nowhere.msgpack")):
            await pilot.press("o")
            await _listed(pilot)
            pilot.app.screen.query_one(Input).value = path
            await pilot.pause()
            await pilot.press("enter")
            await until(pilot, lambda path=path: ("open", (path,), {}) in engine.calls)


async def test_the_log_is_listed() -> None:
    async with opened() as (pilot, engine):
        entries = (LogEntry(3, 'lab.zero("hidden[3]")', "hidden[3] zeroed", 2.4, 2.5),)
        engine.answers |= {"log": lambda: entries, "interventions": tuple}
        commands(pilot).run_line("interventions")
        await until(pilot, lambda: status(pilot) == "interventions: nothing yet")
        commands(pilot).run_line("log")
        await until(pilot, lambda: isinstance(pilot.app.screen, EntriesScreen))
        assert str(entries[0]) in screen_text(pilot)
        assert lab(pilot).status.python == "lab.log"


async def test_a_refused_source_leaves_nothing_open_and_no_restart() -> None:
    async with opened() as (pilot, engine):
        lab(pilot).frame = None
        for widget in (lab(pilot).header, *lab(pilot).panes.values()):
            widget.frame = None
        engine._far.send(("error", 0, "SaveError", "`bad.msgpack` is not a save"))
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        engine.die()
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OpenScreen))
        text = screen_text(pilot)
        assert "nothing is open: o opens, q quits" in text.splitlines()[0]
        assert text.count("nothing is open") > 3
        await until(pilot, lambda: not commands(pilot).client.alive)  # type: ignore[union-attr]
        await pilot.press("R")
        await until(pilot, lambda: status(pilot) == "nothing is open: o opens, q quits")
        assert "restart" not in screen_text(pilot)


async def test_only_what_the_status_line_cuts_is_noted_and_not_over_it() -> None:
    app = LabApp(FakeEngine, "names-mlp")
    async with app.run_test(size=WIDE, notifications=True) as pilot:
        await until(pilot, lambda: app.lab.frame is not None)
        app.commands.fail("short")
        await pilot.pause()
        assert len(app._notifications) == 0
        app.commands.fail("long " * 60)
        await until(pilot, lambda: list(app.screen.query("Toast")))
        assert all(0 < toast.region.bottom < 20 for toast in app.screen.query("Toast"))
