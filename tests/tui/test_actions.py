"""Key bindings, palette, key bar and help all come from one registry."""

import inspect
from collections import Counter
from dataclasses import replace
from pathlib import Path

import frames
import pytest
from fake import FakeEngine
from opening import SMALL, WIDE, app_of, commands, dialog_text, lab, opened, screen_text, type_line, until
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input
from throwaway import registered

import tinynets as tn
from tinynets.lab.verbs import VERBS
from tinynets.server.frame import PANES, BookmarkMark, BranchLine, TimelineStrip, View
from tui import actions
from tui.app import LabApp
from tui.model.completion import completions
from tui.model.operations import menu
from tui.model.selection import Selection
from tui.panes import ROWS
from tui.render.marks import SIGNS
from tui.render.palette import Terminal
from tui.screens.help import VERB_GROUPS, HelpScreen
from tui.screens.operate import OperateScreen
from tui.screens.palette import KEYS, TYPED, WEIGHTS, Entry, Palette, fit
from tui.widgets.command_line import COMMAND_HINT, hint


def test_every_binding_comes_from_the_registry_with_its_id() -> None:
    bindings = {binding.id: binding for binding in LabApp.BINDINGS}
    everywhere = [action for action in actions.ACTIONS if not action.pane]
    assert list(bindings) == [action.id for action in everywhere]
    for action in everywhere:
        assert (bindings[action.id].key, bindings[action.id].action) == (action.keys, action.command)
    for row in ROWS:
        own = {binding.id: binding for binding in row.widget.BINDINGS}
        assert list(own) == [action.id for action in actions.ACTIONS if row.name in action.pane]


def test_no_key_means_two_things() -> None:
    for pane in ("", *PANES):
        own = [action for action in actions.ACTIONS if (pane in action.pane if pane else not action.pane)]
        keys = Counter(key for action in own for key in action.keys.split(","))
        assert not [key for key, count in keys.items() if count > 1], pane


def test_every_action_is_done_by_a_method_that_takes_its_arguments() -> None:
    app = LabApp(FakeEngine, "names-mlp")
    for action in actions.ACTIONS:
        if action.command.startswith("perform"):
            inspect.signature(app.handler(action)).bind(*action.args)
        else:
            assert hasattr(app, f"action_{action.command}"), action.id


async def test_the_palette_offers_the_actions_the_operations_and_the_verbs() -> None:
    async with opened() as (pilot, _):
        offered = list(app_of(pilot).offering.entries())
        keys = [action.shown_key for action in actions.ACTIONS if action.palette and not action.pane]
        assert [entry.key for entry in offered if entry.rank != TYPED and entry.key in keys] == keys
        assert [entry.words for entry in offered if entry.rank == TYPED] == [
            f"{verb.usage}   {verb.help}" for verb in VERBS.values()
        ]
        assert all(entry.words.strip() for entry in offered)


async def test_the_palette_begins_with_what_fits_the_selection_and_the_focused_pane() -> None:
    async with opened() as (pilot, engine):
        await pilot.press("9", "ctrl+p")
        await until(pilot, lambda: "Copy the line of Python under the cursor" in screen_text(pilot))
        rows = [row.strip() for row in screen_text(pilot).split("\n")]
        first = next(at for at, row in enumerate(rows) if row.startswith("z  "))
        assert "Zero hidden[0]'s output" in rows[first]
        assert not any(row.startswith((": ", "space ")) for row in rows[:first])
        await pilot.press(*"zero")
        await until(pilot, lambda: "hold units' activations at zero" in screen_text(pilot))
        rows = [row.strip() for row in screen_text(pilot).split("\n")]
        assert next(row for row in rows if row.startswith(("z ", ": "))).startswith("z ")
        await pilot.press("enter")
        await until(pilot, lambda: engine.calls[-1:] == [("zero", ("hidden[0]",), {})])


def test_a_verb_stands_behind_what_has_a_key() -> None:
    key = Entry("Zero the unit's output", "z", "The selected unit", lambda: None, KEYS)
    verb = Entry("zero UNITS   hold at zero", ":", "On the command line", lambda: None, TYPED)
    assert fit("ze", key) * WEIGHTS[KEYS] > fit("ze", verb) * WEIGHTS[TYPED] > 0
    assert fit("z", key) == 1.0
    assert fit("unit save", key) == 0.0


DONE_BY = {
    "run": "run", "step": "step", "step_count": "step", "phase": "phase", "phase_back": "phase_back",
    "breakpoints": "breakpoints", "evaluate": "evaluate", "back": "back", "back_count": "back", "start": "seek",
    "end": "seek", "previous_stop": "seek", "next_stop": "seek", "bookmark": "bookmark", "tree": "tree", "fork": "fork",
    "until": "until", "back_until": "back_until", "play": "play", "rewind": "play", "undo": "undo", "redo": "redo",
    "zero": "zero", "freeze": "freeze", "explain": "explain", "release": "release", "mean": "mean", "clamp": "clamp",
    "scale": "scale", "reinit": "reinit", "prune": "prune", "edit_weight": "set_weight", "log_go": "seek",
    "loss_go": "seek", "next_example": "step_out", "save": "save", "save_as": "save", "open": "open",
    "recover": "recover", "theme": "theme", "tour": "tour", "units_worth": "worth", "own": "predict",
    "matrix": "confusion",
}  # fmt: skip
"""Action -> the verb that does the same on the command line."""
NO_VERB = {
    "view": "what is looked at",
    "find": "where the cursor and the focus are",
    "record": "the cursor in the log, and copies",
    "units": "which units are listed, in which order, and which are marked",
    "examples": "which example is looked at, and in which order they are listed",
    "curve": "the range of time that is seen, or the pace of playback",
    "taking_out": "pictures and recordings of the app",
    "offering": "the palette itself",
    "running.cancel": "what is at work takes no line meanwhile",
    "unit.operate": "the menu, whose entries are verbs",
    "engine.restart": "there is no engine to take a line",
    "files.leave": "the end of the app",
}
"""A controller, or one handler -> why its actions need no verb."""


@pytest.mark.parametrize("action", actions.ACTIONS, ids=lambda action: action.id)
def test_every_action_has_a_key_or_a_palette_entry_help_and_a_verb(action: actions.Action) -> None:
    assert action.keys or action.palette
    assert action.palette or action.keys.split(",")[0] in KEYED_ALONE, "neither in the palette nor a plain movement"
    assert len(action.help) > 8
    assert action.label
    if action.id in DONE_BY:
        assert DONE_BY[action.id] in VERBS
    else:
        controller = action.handler.partition(".")[0]
        assert action.handler in NO_VERB or controller in NO_VERB, "no verb, and no reason why"


KEYED_ALONE = {
    "enter",
    "left",
    "right",
    "up",
    "down",
    "pageup",
    "pagedown",
    "home",
    "end",
    "tab",
    "shift+tab",
    "ctrl+p",
}
"""Keys that need no entry in the palette: they move, or open it."""


async def test_a_verb_from_the_palette_is_done_or_asked_to_be_completed() -> None:
    async with opened() as (pilot, engine):
        screen, done = lab(pilot), []
        commands(pilot).run_line = done.append  # type: ignore[method-assign]
        for verb in VERBS.values():
            commands(pilot).begin_line(verb)
            if verb.asks:
                assert screen.command_line.value == f"{verb.name} "
                assert screen.status.message.startswith(verb.usage)
                screen.close_command_line()
            else:
                assert done.pop() == verb.name
        assert not engine.calls


def test_the_verbs_of_every_day_have_keys() -> None:
    daily = {
        "step", "run", "phase", "evaluate", "back", "undo", "redo", "until", "back_until", "fork", "tree", "bookmark",
        "play", "phase_back", "breakpoints", "zero", "freeze", "release", "mean", "clamp", "scale", "prune", "reinit",
        "explain",
        "save", "open", "recover",
    }  # fmt: skip
    assert daily <= set(VERBS)
    assert daily <= set(actions.BY_ID)


FOR_PROGRAMS = {
    "network": "an object; its units, weights and activations are in the panes",
    "player": "an object",
    "probe": "its examples are in the Activations pane",
    "recipe": "in the header",
    "data": "what it is made of is in the panes",
    "same_machine": "told when a save is opened",
    "watched": "how the engine hears of evaluations on the way",
    "state": "an object; `verify` and `script` compare its digest",
    "state_now": "an object",
    "moment": "in the header and on the timeline",
    "step_number": "in the header",
    "end": "in the header",
    "loss": "in the header",
    "losses": "in the Loss pane",
    "probe_loss": "in the header",
    "probe_measures": "every edit answers with them",
    "split": "the examples themselves",
    "map_errors": "part of what `evaluate` gives",
    "named_path": "in the dialogs that save",
    "journal_file": "a path; `recover` lists what is left behind",
    "evaluates_at": "dots on the timeline",
    "branches": "on the timeline, and in the tree",
    "branch": "in the header",
    "unsaved": "in the header",
    "path": "in the dialogs that save",
    "read_only": "in the header",
    "claim": "`save` does it",
    "hear": "how the engine passes on what it has to tell",
    "flush": "the engine does it behind every command",
    "close": "leaving the lab does it",
    "work": "how the engine does a verb",
    "free_run": "what the space key starts",
}
"""Public names of Lab without a verb -> where the app has them, or why it does not need them."""


def test_all_that_a_lab_does_has_a_verb() -> None:
    public = {name for name in dir(tn.Lab) if not name.startswith("_")}
    verbs = {verb.python for verb in VERBS.values()}
    assert public - verbs == set(FOR_PROGRAMS)


def test_every_argument_of_a_method_can_be_given_on_the_command_line() -> None:
    for name, verb in VERBS.items():
        method = getattr(tn.Lab, verb.python, None)
        if not callable(method) or verb.fixed:  # `lr` is short for what `set` does
            continue
        known = list(inspect.signature(method).parameters.values())[1:]
        named = [p.name for p in known if p.kind is p.KEYWORD_ONLY]
        rest = any(p.kind is p.VAR_KEYWORD for p in known)
        places = [p for p in known if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert [p.name for p in places] == [argument.name for argument in verb.placed], name
        assert verb.open_ended == rest, name
        assert set(named) == {argument.name for argument in verb.named}, name
        assert [p.default is p.empty for p in places] == [argument.required for argument in verb.placed], name


TIMELINE = TimelineStrip(
    200, 300, (), (), 1,
    (BranchLine("main", 0, 300, True), BranchLine("a b", 100, 250, False, "main", 1)),
    (BookmarkMark("low", "", "main", 90, True), BookmarkMark("it's odd", "", "a b", 150, False)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("ver", ["verify"]),
        ("zer", ["zero ", "zero_weights "]),
        ("zero", ["zero ", "zero_weights "]),
        ("clam", ["clamp "]),
        ("mean hidden[0]@t=3 d", ["dev"]),
        ("switch ", ["'a b'", "step="]),
        ("drop a", ["'a b'"]),
        ("drop 'a", ["'a b'"]),
        ("drop main ", []),
        ("rename ", ["main", "'a b'"]),
        ("compare ", ["'a b'", "main", "x.msgpack", "step="]),
        ("compare 'a b' ", ["main", "x.msgpack", "step="]),
        ("compare 'a b' main st", ["step="]),
        ("seek ", ["low", "'it'\"'\"'s odd'", "edits="]),
        ("unbookmark l", ["low"]),
        ("fork ", []),
        ("seek_cost ", []),
        ("evaluate d", ["dev"]),
        ("evaluate dev cl", ["clean="]),
        ("sample 5 temperature=1 ", ["seed=", "prefix="]),
        ("script ", ["names-mlp.py", "overwrite="]),
        ("until lo", ["loss"]),
        ("until loss ", ["<", "<=", ">", ">=", "==", "!=", "limit="]),
        ("until dead hid", ["hidden[0]", "hidden"]),
        ("back_until alive hidden[0] a", ["and"]),
        ("save ", ["x.msgpack"]),
        ("zero hid", ["hidden[0]", "hidden"]),
        ("zero hidden.", ["hidden.pre[0]", "hidden.pre"]),
        ("clamp hidden.p", ["hidden.pre[0]", "hidden.pre"]),
        ("freeze hidden.", ["hidden.w[0,0]", "hidden.w[:,0]", "hidden.w", "hidden.b[0]", "hidden.b"]),
        ("freeze hidden.pre", []),
        ("prune hidden[19", [f"hidden[{unit}]" for unit in (19, *range(190, 200))]),
        ("prune ", ["hidden[0]", "hidden[13,77,140]"]),  # the dead ones
        ("mean hidden[0] ", ["probe", "train", "dev", "test", "values="]),
        ("patch hidden[0] ", ["example=", "input=", "branch=", "bookmark=", "save=", "values="]),
        ("patch hidden[0] branch=", ["branch=main", "'branch=a b'"]),
        ("transplant hidden bookmark=l", ["bookmark=low"]),
        ("transplant hidden save=", ["save=x.msgpack"]),
        ("steer hidden[0] toward=a", []),
        ("steer hidden[0] toward=b away=", [f"away={letter}" for letter in frames.LETTERS]),
        ("freeze hidden others=", ["others=true"]),
        ("evaluate dev clean=", ["clean=true"]),
        ("explain hid", ["hidden[0]"]),
        ("explain hidden[0] 3 split=", ["split=train", "split=dev", "split=test"]),
        ("copy hidden[0] hidden[1", [f"hidden[{unit}]" for unit in (1, *range(10, 20))]),
        ("activation hid", ["hidden"]),
        ("grow ", ["hidden", "split="]),
    ],
)
def test_tab_offers_what_a_verb_takes(
    typed: str, offered: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.msgpack").touch()
    frame = replace(frames.frame(frames.World(), View("hidden"), 1), timeline=TIMELINE)
    head = typed[: typed.rindex(" ") + 1] if " " in typed else ""
    found = [line[len(head) :] for line in completions(typed, frame)]
    assert found == offered


@pytest.mark.parametrize("room", [57, 77])
def test_a_hint_is_cut_between_words(room: int) -> None:
    for name, verb in VERBS.items():
        text = hint(f"{name} ", room)
        whole = f"{verb.usage}   {verb.help}".split()
        assert len(text) <= room
        assert text.startswith(verb.usage) or len(verb.usage) > room - 2
        words = text.removesuffix(" …").split()
        assert [word.rstrip(",;:") for word in whole[: len(words)]] == [word.rstrip(",;:") for word in words]
    assert hint("", 77) == COMMAND_HINT


async def test_tab_behind_a_completed_verb_goes_on_to_its_arguments() -> None:
    async with opened((80, 24)) as (pilot, engine):
        await pilot.press("colon", *"clam", "tab")
        assert lab(pilot).command_line.value == "clamp "
        await pilot.press("tab", "space", "1", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("clamp", ("hidden[0]", 1.0), {})])
        await pilot.press("colon", *"zer", "tab")
        assert lab(pilot).command_line.value == "zero "
        await pilot.press("tab")
        assert lab(pilot).command_line.value == "zero_weights "


async def test_the_help_lists_every_action_and_every_verb_each_on_its_page() -> None:
    async with opened((160, 240)) as (pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        text = dialog_text(pilot)
        for action in actions.ACTIONS:
            assert action.help.split(";")[0].split(":")[0][:24] in text, action.id
        await pilot.press("right", "right")
        await until(pilot, lambda: "What is typed behind :" in screen_text(pilot))
        text = dialog_text(pilot)
        assert [name for name, verb in VERBS.items() if verb.help[:60] not in text] == []
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_help_explains_every_mark(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await pilot.press("question_mark", "2")
        await until(pilot, lambda: "each unit a cell" in dialog_text(pilot))
        await pilot.press("end")
        await until(pilot, lambda: "released or unfrozen" in dialog_text(pilot))
        text = dialog_text(pilot)
        assert [name for name, sign in SIGNS.items() if f"{sign.glyph(Terminal())} {sign.words}" not in text] == []


def test_the_help_knows_the_family_of_every_verb() -> None:
    assert {verb.group for verb in VERBS.values()} == set(VERB_GROUPS)


async def test_a_new_operation_and_a_new_verb_are_offered_like_the_others() -> None:
    class Knowing(FakeEngine):
        def do_dampen(self, selector: str, factor: float) -> str:
            return f"{selector} dampened by {factor:g}"

        def do_tally(self, split: str) -> str:
            return f"the examples of {split}"

    with registered():
        async with opened((160, 170), engine=Knowing) as (pilot, engine):
            app = lab(pilot)
            offered = [entry.words for entry in app_of(pilot).offering.entries()]
            assert any(words.endswith("   multiply what units have learned") for words in offered)
            assert any(words.endswith("   count the examples of a split") for words in offered)
            assert completions("damp", app.frame) == ["dampen "]
            assert completions("dampen hid", app.frame) == ["dampen hidden[0]", "dampen hidden"]
            assert completions("dampen hidden 2 ", app.frame) == ["dampen hidden 2 twice="]
            assert completions("dampen hidden 2 twice=", app.frame) == ["dampen hidden 2 twice=true"]
            assert completions("lift hidden.p", app.frame) == ["lift hidden.pre[0]", "lift hidden.pre"]
            assert completions("tally d", app.frame) == ["tally dev"]
            assert hint("dampen ", 100).startswith("dampen UNITS FACTOR [twice=true]   multiply what")
            assert app.frame is not None
            entries = {entry.verb: entry for entry in menu(app.frame, Selection("hidden", 0))}
            assert (entries["dampen"].family, entries["dampen"].line.whole) == ("parameters", "dampen hidden[0] 0.5")
            assert (entries["lift"].family, entries["lift"].line.whole) == ("activations", "lift hidden[0] 1")
            keys = [entry.key for entry in entries.values()]
            assert len(set(keys)) == len(keys)
            await pilot.press("a")
            await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
            await pilot.press(entries["dampen"].key)
            await until(pilot, lambda: app.command_line.value == "dampen hidden[0] 0.5")
            await pilot.press("enter")
            await until(pilot, lambda: engine.calls[-1:] == [("dampen", ("hidden[0]", 0.5), {})])
            await type_line(pilot, "tally dev")
            await until(pilot, lambda: engine.calls[-1:] == [("tally", ("dev",), {})])
            await until(pilot, lambda: "the examples of dev" in app.status.message)
            await pilot.press("question_mark", "3")
            await until(pilot, lambda: "dampen UNITS FACTOR" in dialog_text(pilot))
            assert "count the examples of a split" in dialog_text(pilot)


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_help_begins_with_the_focused_pane_and_its_keys(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await pilot.press("9", "question_mark")
        await until(pilot, lambda: "9 Log, where you are" in dialog_text(pilot))
        text = dialog_text(pilot)
        assert text.index("Go to the moment after the action") < text.index("Train one step")


async def test_the_palette_closes_once_whatever_still_comes() -> None:
    async with opened() as (pilot, _):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(pilot.app.screen, Palette))
        shown = pilot.app.screen
        shown.dismiss()
        shown.dismiss()  # a click behind it that was on its way
        await until(pilot, lambda: pilot.app.screen is lab(pilot))


@pytest.mark.proof
@pytest.mark.parametrize("keys", [("slash", *"bookmark"), tuple("bookmark")])
async def test_the_help_is_searched_by_letters(keys: tuple[str, ...]) -> None:
    async with opened() as (pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: "Train one step" in dialog_text(pilot))
        await pilot.press(*keys)
        await until(pilot, lambda: "Train one step" not in dialog_text(pilot))
        text = dialog_text(pilot)
        assert "Bookmark this moment" in text
        assert ": unbookmark NAME" in " ".join(text.split())
        await pilot.press("escape")
        await until(pilot, lambda: "Train one step" in dialog_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


async def test_letters_that_are_typed_fast_all_belong_to_the_search_of_the_help() -> None:
    async with opened(SMALL) as (pilot, _):
        await pilot.press("question_mark")
        await until(pilot, lambda: "Train one step" in dialog_text(pilot))
        for letter in "froz":  # all at once, as a terminal pastes them
            pilot.app.post_message(events.Key(letter, letter))
        await until(pilot, lambda: pilot.app.screen.query_one("#search", Input).value == "froz")
        await until(pilot, lambda: "let what is frozen" in dialog_text(pilot))


def keys_shown(pilot: Pilot[None]) -> str:
    return lab(pilot).keys.render_line(0).text


@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_the_key_bar_shows_the_panes_own_keys_behind_the_help(size: tuple[int, int]) -> None:
    async with opened(size) as (pilot, _):
        await pilot.press("9")
        await until(pilot, lambda: keys_shown(pilot).startswith(" ? help  enter go there  y copy line"))
        assert "space run" in keys_shown(pilot)


async def test_the_key_bar_shows_what_is_possible_now() -> None:
    async with opened(SMALL) as (pilot, engine):
        assert "u undo" not in keys_shown(pilot)
        engine.world.go(20)
        await pilot.press("b")
        await until(pilot, lambda: keys_shown(pilot).startswith(" ? help  > end  p play"))
        await pilot.press("n")
        await until(pilot, lambda: keys_shown(pilot).startswith(" ? help  n phase: ") and " N " in keys_shown(pilot))
        engine.die()
        await until(pilot, lambda: keys_shown(pilot).startswith(" R restart"))


def test_while_a_verb_is_typed_the_candidates_have_the_room_of_the_general_hint() -> None:
    assert hint("", 80) == COMMAND_HINT
    assert hint("fre", 80) == "tab completes"
    assert hint("freeze ", 200).startswith("freeze UNITS")
