"""Operations on the selected unit: keys, menu, explanation; and on the real engine, their effects."""

from __future__ import annotations

import pytest
from opening import SMALL, WIDE, app_of, lab, opened, real, screen_text, status, step, type_line, until
from panes import RECIPES, frame_of
from textual.pilot import Pilot

import tinynets as tn
from tinynets.edits.edit import OPERATIONS, Edit
from tinynets.lab.command_line import parse
from tinynets.lab.verbs import VERBS
from tui.model import targets
from tui.model.answers import message_for
from tui.model.completion import completions
from tui.model.operations import FAMILIES, FITTING, CommandDraft, line_for, menu, sites
from tui.model.selection import Selection, UnitNow
from tui.render.operation_looks import LOOKS
from tui.screens.explain import ExplainScreen
from tui.screens.operate import OperateScreen


def unit_now(pilot: Pilot[None]) -> UnitNow:
    return app_of(pilot).unit.unit_now


def test_the_menu_knows_every_operation_and_each_has_a_key_of_its_own() -> None:
    assert set(OPERATIONS) - {"set"} == set(LOOKS) - {"explain", "worth"}
    assert len({look.key for look in LOOKS.values()}) == len(LOOKS)
    assert {VERBS[verb].group for verb in LOOKS} == set(FAMILIES)
    assert {VERBS[verb].placed[0].kind.name for verb in LOOKS} == set(FITTING) == set(targets.TARGETS)


@pytest.mark.parametrize("recipe", ["names-mlp", "digits-cnn", "names-gru", "names-transformer"])
@pytest.mark.proof
def test_what_the_menu_offers_the_engine_does(recipe: str) -> None:
    made = tn.Lab(recipe)
    made.fork("other")
    frame = frame_of(recipe)
    for block in (block for block in frame.blocks if block.units):
        entries = [entry for site in sites(block, 1) for entry in menu(frame, Selection(block.name, 0), site)]
        for entry in entries:
            if entry.verb in ("explain", "steer", "resample", "unfreeze", "release", "activation"):
                continue
            call = parse(entry.line.whole.replace("branch=", "branch=main"))
            getattr(made, call.verb)(*call.args, **call.kwargs)
            if entry.verb != "worth":  # which changes nothing
                made.undo()


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_completed_as_a_target_the_engine_takes(recipe: str) -> None:
    from tinynets.nn.selectors import select, select_learned

    made, frame = tn.Lab(recipe), frame_of(recipe)
    for verb in LOOKS:
        for block in frame.blocks:
            for typed in ("", f"{block.name}.", f"{block.name}["):
                for name in targets.TARGETS[VERBS[verb].placed[0].kind.name](frame, typed):
                    if verb in ("prune", "grow"):
                        edit = Edit(verb, name, {"count": 1, "ordinal": 0} if verb == "grow" else {})
                        OPERATIONS[verb].check(made.network, edit)
                    elif verb == "remove":
                        assert made.network[name] is not None
                    elif "WEIGHTS" in VERBS[verb].placed[0].kind.shown:
                        select_learned(made.network, name)
                    else:
                        select(made.network, name)


@pytest.mark.parametrize(
    "recipe", ["names-mlp", "digits-cnn", pytest.param("names-transformer", marks=pytest.mark.proof), "modular"]
)
def test_layers_that_are_offered_can_be_removed_and_inserted(recipe: str) -> None:
    made, frame = tn.Lab(recipe), frame_of(recipe)
    lines = [line for line in completions("remove ", frame) if line]
    for block in (block for block in frame.blocks if block.insertable):
        lines += [line for line in completions(f"insert {block.name} ", frame) if not line.endswith("=")]
    assert lines
    for text in lines:
        call = parse(text)
        getattr(made, call.verb)(*call.args, **call.kwargs)
        made.undo()


async def test_a_key_opens_the_menu_and_a_key_in_it_does_the_operation() -> None:
    async with opened(WIDE) as (pilot, engine):
        await pilot.press("l", "a")
        await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
        text = screen_text(pilot)
        assert "What to do to hidden[1]" in text
        assert all(word in text for word in ("activations", "learning", "parameters", "structure"))
        assert "release" not in text.split("What to do to")[1].split("learning")[0]
        await pilot.press("z")
        await until(pilot, lambda: engine.calls[-1:] == [("zero", ("hidden[1]",), {})])
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
        await until(pilot, lambda: "take interventions off" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, OperateScreen))


async def test_what_an_operation_needs_is_asked_for_on_the_command_line() -> None:
    async with opened(SMALL) as (pilot, engine):
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
        await pilot.press("tab", "c")
        await until(pilot, lambda: lab(pilot).command_line.value == "clamp hidden.pre[0] 0.5")
        assert status(pilot).startswith("clamp UNITS VALUE")
        await pilot.press("minus", "1", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("clamp", ("hidden.pre[0]", -1.0), {})])
        await pilot.press("c", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("clamp", ("hidden[0]", 0.618), {})])


@pytest.mark.proof
async def test_tab_in_the_menu_goes_on_to_a_time_step_that_is_chosen() -> None:
    async with real("names-rnn", SMALL) as (pilot, _):
        lab(pilot).select(block="rnn", unit=5)
        await until(pilot, lambda: lab(pilot).selection.selector == "rnn[5]")
        await pilot.press("a")
        await until(pilot, lambda: "tab: at one time step" in screen_text(pilot))
        await pilot.press("tab")
        await until(pilot, lambda: "What to do to rnn[5]@t=7" in screen_text(pilot))
        text = screen_text(pilot)
        assert "or 0-7: time   esc closes" in text
        assert "learning" not in text.split("What to do to")[1]  # only operations that take a time step
        await pilot.press("left", "left")
        await until(pilot, lambda: "rnn[5]@t=5" in screen_text(pilot))
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: "rnn[5]@t=7" in screen_text(pilot))
        await pilot.press("9", "3")
        await until(pilot, lambda: "rnn[5]@t=3" in screen_text(pilot))
        await pilot.press("z")
        await until(pilot, lambda: unit_now(pilot).times == (3,))
        await pilot.press("a")
        await until(pilot, lambda: "take interventions off" in screen_text(pilot))
        await pilot.press("shift+tab", "3", "r")
        await until(pilot, lambda: unit_now(pilot).times == ())
        await pilot.press("a", "tab", "tab")
        await until(pilot, lambda: "What to do to rnn[5] " in screen_text(pilot))


async def test_r_takes_off_what_stands_at_one_time_step() -> None:
    async with real("names-rnn", SMALL) as (pilot, _):
        lab(pilot).select(block="rnn", unit=5)
        await type_line(pilot, "zero rnn[5]@t=3")
        await until(pilot, lambda: unit_now(pilot).times == (3,))
        await pilot.press("r")
        await until(pilot, lambda: unit_now(pilot).times == ())


async def test_enter_in_the_menu_does_what_is_under_the_cursor() -> None:
    async with opened(SMALL) as (pilot, engine):
        await pilot.press("a")
        await until(pilot, lambda: isinstance(pilot.app.screen, OperateScreen))
        await pilot.press("k")  # the last one
        await pilot.press("k", "j", "j", "enter")
        await until(pilot, lambda: engine.calls[-1:] == [("zero", ("hidden[0]",), {})])


async def test_r_takes_off_all_that_stands_on_a_unit() -> None:
    async with real("xor") as (pilot, _):
        await type_line(pilot, "noise hidden.pre[0] 0.1")
        await type_line(pilot, "scale hidden[0] 2")
        await until(pilot, lambda: unit_now(pilot).before == "noise" and unit_now(pilot).output == "scale")
        await pilot.press("r")
        await until(pilot, lambda: not unit_now(pilot).before and not unit_now(pilot).output)
        await pilot.press("r")
        await until(pilot, lambda: "no intervention stands there" in status(pilot))


async def test_the_cursor_follows_its_unit_through_prune_undo_and_grow() -> None:
    async with real("names-mlp") as (pilot, _):
        lab(pilot).select(block="hidden", unit=7)
        await type_line(pilot, "zero hidden[7]")
        await until(pilot, lambda: unit_now(pilot).output == "zero")
        await type_line(pilot, "prune hidden[2,3]")
        await until(pilot, lambda: lab(pilot).selection.unit == 5 and unit_now(pilot).output == "zero")
        await until(pilot, lambda: "∅ zero" in screen_text(pilot) and "hidden[5]" in screen_text(pilot))
        await pilot.press("u")
        await until(pilot, lambda: lab(pilot).selection.unit == 7)
        await pilot.press("D")
        await until(pilot, lambda: "hidden[7] pruned: 200 -> 199 units" in status(pilot))
        await until(pilot, lambda: lab(pilot).selection.unit == 7 and not unit_now(pilot).output)
        await type_line(pilot, "grow hidden 2")
        await until(pilot, lambda: "Linear(30, 201)" in screen_text(pilot))
        assert lab(pilot).selection.selector == "hidden[7]"


@pytest.mark.proof
async def test_blocks_come_and_go_while_it_runs_and_the_panes_follow() -> None:
    async with real("names-mlp") as (pilot, _):
        await pilot.press("space")
        await until(pilot, lambda: step(pilot) > 20)
        await type_line(pilot, "insert hidden linear name=more")
        await until(pilot, lambda: "more" in [block.name for block in lab(pilot).frame.blocks])  # type: ignore[union-attr]
        lab(pilot).select(block="more", unit=150)
        await until(pilot, lambda: "more.w (200, 200)" in screen_text(pilot))
        await type_line(pilot, "remove more")
        await until(pilot, lambda: lab(pilot).selection.block == "hidden")
        await until(pilot, lambda: "hidden.w (30, 200)" in screen_text(pilot))
        await pilot.press("D", "D")
        await until(pilot, lambda: "Linear(30, 198)" in screen_text(pilot))
        before = step(pilot)
        await until(pilot, lambda: step(pilot) > before)
        await pilot.press("space")
        await until(pilot, lambda: "paused" in screen_text(pilot))
        edits = lab(pilot).timeline.render_line(0).text
        assert "▦" in edits or edits.split()[1].isdigit()
        await pilot.press("less_than_sign")
        await until(pilot, lambda: step(pilot) == 0 and "Linear(30, 200)" in screen_text(pilot))


@pytest.mark.proof
@pytest.mark.parametrize("size", [WIDE, SMALL])
async def test_a_unit_explains_itself_on_a_screen_of_its_own(size: tuple[int, int]) -> None:
    async with real("digits", size) as (pilot, _):
        await pilot.press("s", "E")
        await until(pilot, lambda: isinstance(pilot.app.screen, ExplainScreen))
        await until(pilot, lambda: "The sum: what comes in, times its weight" in screen_text(pilot))
        shown = screen_text(pilot)
        assert "gradient of this loss" in shown
        await pilot.press("l")
        await until(pilot, lambda: "hidden[1] at step 1" in screen_text(pilot))
        await pilot.press("full_stop")
        await until(pilot, lambda: pilot.app.screen._found.example == 1)  # type: ignore[attr-defined]
        await pilot.press("end")
        await until(pilot, lambda: "What it adds to the outputs" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, ExplainScreen))


@pytest.mark.proof
async def test_a_gated_unit_explains_itself_at_a_time_step_gate_by_gate() -> None:
    async with real("names-gru", SMALL) as (pilot, _):
        await type_line(pilot, "explain gru[5]@t=3 2 split=dev top=2")
        await until(pilot, lambda: "Gate r (reset)" in screen_text(pilot))
        assert "gru[5]@t=3 at step 0" in screen_text(pilot)
        assert "at t=3" in screen_text(pilot)
        assert "saturated" not in screen_text(pilot)
        await pilot.press("l")
        await until(pilot, lambda: "gru[6]@t=3 at step 0" in screen_text(pilot))


async def test_an_explanation_shows_what_stands_on_the_unit_apart() -> None:
    async with real("names-mlp", SMALL) as (pilot, _):
        await type_line(pilot, "clamp hidden[3] 0.25")
        await type_line(pilot, "explain hidden[3] 2 split=dev top=2")
        await until(pilot, lambda: "clamp 0.25: " in screen_text(pilot))
        assert "with what stands on it mean" in screen_text(pilot)
        assert "tanh itself saturated" in screen_text(pilot)


@pytest.mark.proof
async def test_an_edits_answer_is_whole_at_80_columns() -> None:
    async with real("names-mlp", SMALL) as (pilot, _):
        for text in ("clamp hidden[3] 0.5", "round hidden 3", "sparsify hidden[0:100] 0.5", "prune hidden[5,7,9,11]"):
            done = lab(pilot).status.message
            await type_line(pilot, text)
            await until(pilot, lambda done=done: status(pilot) not in (done, "") and "->" in status(pilot))
            shown = lab(pilot).status.render_line(0).text
            assert shown.count("->") + shown.count("→") >= 2
            assert "loss" in shown
            assert "acc" in shown
            assert shown.rstrip().endswith("%")


def test_an_edits_answer_gives_up_words_before_numbers() -> None:
    report = tn.Lab("names-mlp").round("hidden", 3)
    for room in (200, 77, 60, 50):
        text = message_for("round", report, room)
        assert len(text) <= max(room, 54)
        assert f"-> {report.after:.3f}" in text or f"-> {report.after:.4f}" in text
        assert f"{report.accuracy_after:.1%}" in text
        assert text.startswith("hidden rounded to 3 bits" if room > 70 else "hid")


def test_a_line_is_offered_only_where_it_fits() -> None:
    frame = frame_of("names-mlp")
    assert line_for("activation", frame, Selection("output", 0)) is None
    assert line_for("prune", frame, Selection("output", 0)) is None
    assert line_for("reset", frame, Selection("hidden", 0)) is None
    assert line_for("unfreeze", frame, Selection("hidden", 0)) is None
    assert line_for("nudge", frame, Selection("hidden", 4)).whole == "nudge hidden.b[4] 0.1"  # type: ignore[union-attr]


async def test_each_key_of_the_selected_unit_does_its_verb_to_it() -> None:
    async with opened(WIDE) as (pilot, engine):
        for key, verb in (
            ("M", "mean"),
            ("I", "reinit"),
            ("D", "prune"),
            ("r", "release"),
            ("z", "zero"),
            ("r", "release"),
        ):
            if verb in ("mean", "reinit"):
                engine.answers[verb] = lambda *_: "done"
            count = len(engine.calls)
            await pilot.press(key)
            await until(pilot, lambda count=count: len(engine.calls) > count)
            assert engine.calls[-1][:2] == (verb, ("hidden[0]",))
        await pilot.press("C")
        await until(pilot, lambda: lab(pilot).command_line.value == "scale hidden[0] 2")
        await pilot.press("escape")
        await until(pilot, lambda: not lab(pilot).command_line.display)


async def test_the_key_that_clamps_begins_with_the_present_value_as_a_typed_clamp_does() -> None:
    async with opened() as (pilot, _):
        neuron = lab(pilot).frame.neuron
        assert neuron is not None
        await pilot.press("c")
        await until(pilot, lambda: lab(pilot).command_line.display)
        by_key = lab(pilot).command_line.value
        assert by_key == f"clamp {neuron.block}[{neuron.unit}] {neuron.value:.3g}"
        await pilot.press("escape")
        await type_line(pilot, "clamp")
        await until(pilot, lambda: lab(pilot).command_line.value == by_key)


async def test_an_operation_on_a_layer_that_is_still_asked_is_completed_on_the_command_line() -> None:
    async with opened() as (pilot, engine):
        engine.calls.clear()
        app_of(pilot).unit.begin(CommandDraft("remove", asked="hidden"))
        await until(pilot, lambda: lab(pilot).command_line.display)
        assert lab(pilot).command_line.value == "remove hidden"
        assert not engine.calls
