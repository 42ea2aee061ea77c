"""A journal that a lab left behind is told of at the next start, and O lists it: to recover, keep, or throw away."""

from __future__ import annotations

import pytest
from opening import MIDDLE, SMALL, WIDE, left_behind, opened, screen_text, status, until

from tinynets.storage.recovery import recoverable
from tui.screens.recover import RecoverScreen


@pytest.mark.parametrize("size", [SMALL, MIDDLE, WIDE])
async def test_a_journal_is_offered_with_what_it_holds_and_enter_recovers_it(size: tuple[int, int]) -> None:
    file = left_behind("one", 1234, save="saves/x.msgpack")
    async with opened(size) as (pilot, engine):
        await until(pilot, lambda: "O shows it" in status(pilot))
        await pilot.press("O")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoverScreen))
        shown = screen_text(pilot)
        for words in ("names-mlp  step 1,234, 2 edits", "today at ", "of saves/x.msgpack", "enter recover", "O asks"):
            assert words in shown
        await pilot.press("enter")
        await until(pilot, lambda: ("open", (str(file),), {}) in engine.calls)


async def test_later_keeps_it_and_capital_o_asks_again() -> None:
    file = left_behind("one")
    async with opened() as (pilot, engine):
        await pilot.press("O")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoverScreen))
        assert "never saved" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, RecoverScreen))
        await pilot.press("O")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoverScreen))
        await pilot.press("escape")
        assert not [call for call in engine.calls if call[0] == "open"]
    assert file.exists()


async def test_throwing_away_takes_the_key_twice_and_leaves_the_others() -> None:
    left_behind("one", 1)
    left_behind("two", 2)
    async with opened(SMALL) as (pilot, _):
        await pilot.press("O")
        await until(pilot, lambda: isinstance(pilot.app.screen, RecoverScreen))
        await pilot.press("d")
        await until(pilot, lambda: "d again" in screen_text(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "d again" not in screen_text(pilot))
        assert len(recoverable()) == 2
        chosen = recoverable()[1].name
        await pilot.press("d", "d")
        await until(pilot, lambda: len(recoverable()) == 1)
        assert recoverable()[0].name != chosen
        await pilot.press("d", "d")
        await until(pilot, lambda: not isinstance(pilot.app.screen, RecoverScreen))
    assert recoverable() == []


async def test_whoever_opened_something_else_keeps_the_keys_and_is_told_in_the_status_line() -> None:
    left_behind("one")
    async with opened() as (pilot, engine):
        await until(
            pilot, lambda: status(pilot).startswith("an earlier lab ended before the work was saved: O shows it")
        )
        assert len(pilot.app.screen_stack) == 1
        await pilot.press("s")
        await until(pilot, lambda: [verb for verb, _, _ in engine.calls] == ["step"])


async def test_with_nothing_left_behind_nothing_is_asked() -> None:
    async with opened() as (pilot, _):
        await pilot.press("O")
        await until(pilot, lambda: status(pilot) == "there is nothing to recover")
        await pilot.press(":", *"recover", "enter")
        await until(pilot, lambda: status(pilot) == "there is nothing to recover")
