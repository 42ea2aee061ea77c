"""Key bindings, palette, row of keys and help are one registry."""

from collections import Counter

from opening import opened, screen_text, until

from tinynets.commands import COMMANDS
from tui import actions
from tui.app import LabApp
from tui.screens.help import HelpScreen


def test_every_binding_comes_from_the_registry_with_its_id() -> None:
    bindings = {binding.id: binding for binding in LabApp.BINDINGS}
    assert list(bindings) == [action.id for action in actions.ACTIONS]
    for action in actions.ACTIONS:
        assert (bindings[action.id].key, bindings[action.id].action) == (action.keys, action.command)


def test_no_key_means_two_things() -> None:
    keys = Counter(key for action in actions.ACTIONS for key in action.keys.split(","))
    assert not [key for key, count in keys.items() if count > 1]


def test_every_action_exists_in_the_app() -> None:
    for action in actions.ACTIONS:
        assert hasattr(LabApp, f"action_{action.command.split('(')[0]}"), action.id


async def test_the_palette_offers_the_registry_and_nothing_else() -> None:
    async with opened() as (pilot, _):
        offered = list(pilot.app.get_system_commands(pilot.app.screen))
        expected = [action for action in actions.ACTIONS if action.palette]
        assert [command.title for command in offered] == [f"{a.help}  ({a.shown_key})" for a in expected]


async def test_the_help_lists_every_action() -> None:
    async with opened((160, 110)) as (pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        text = " ".join(screen_text(pilot).split())
        for action in actions.ACTIONS:
            assert action.help.split(";")[0].split(":")[0][:30] in text, action.id
        assert all(command.help in text for command in COMMANDS.values())
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))
