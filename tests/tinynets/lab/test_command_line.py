"""The command line: the API's verbs, and the line of Python that each stands for."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.edits.edit import OPERATIONS
from tinynets.errors import CommandError
from tinynets.lab.command_line import parse
from tinynets.lab.verbs import OF_THE_APP, VERBS


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("step", "lab.step()"),
        ("step 10", "lab.step(10)"),
        (":run 200_000", "lab.run(200000)"),
        ("run 200,000", "lab.run(200000)"),
        ("zero hidden[3]", 'lab.zero("hidden[3]")'),
        ("zero hidden[1, 5, 9]", 'lab.zero("hidden[1,5,9]")'),
        ("clamp hidden[1, 5] 0.3", 'lab.clamp("hidden[1,5]", 0.3)'),
        ("set_weight hidden.w[4, 3] 0.5", 'lab.set_weight("hidden.w[4,3]", 0.5)'),
        ("freeze hidden[1, 5] outgoing=true", 'lab.freeze("hidden[1,5]", outgoing=True)'),
        ("mean rnn[5]@t=3", 'lab.mean("rnn[5]@t=3")'),
        ("mean rnn[5]@t=3 dev", 'lab.mean("rnn[5]@t=3", "dev")'),
        ("mean hidden[3] over=dev", 'lab.mean("hidden[3]", "dev")'),
        ("clamp value=0.5 hidden[3]", 'lab.clamp("hidden[3]", 0.5)'),
        ("clamp selector=hidden[3] value=0.5", 'lab.clamp("hidden[3]", 0.5)'),
        ("lr value=0.01", 'lab.set("lr", 0.01)'),
        ("set name=lr value=0.01", 'lab.set("lr", 0.01)'),
        ("optimizer value=adam lr=0.001", 'lab.set("optimizer", "adam", lr=0.001)'),
        ("activation hidden to=gaussian width=0.2", 'lab.activation("hidden", "gaussian", width=0.2)'),
        ("until condition='loss < 2.3' limit=5", 'lab.run_until("loss < 2.3", limit=5)'),
        ("until dead hidden[1, 5]", 'lab.run_until("dead hidden[1, 5]")'),
        ("bookmark here n = 3 and note=more", 'lab.bookmark("here", "n = 3 and note=more")'),
        ("bookmark note='it holds' here", 'lab.bookmark("here", "it holds")'),
        ("save a=b.msgpack", 'lab.save("a=b.msgpack")'),
        ("open source=xor", 'lab = tn.Lab("xor")'),
        ("mean heads values=0.1,0.2", 'lab.mean("heads", values=[0.1, 0.2])'),
        ("mean heads values=[0.1, 0.2]", 'lab.mean("heads", values=[0.1, 0.2])'),
        (
            "mean heads values=[[0.1, -0.2], [3, 4e-3]]",
            'lab.mean("heads", values=[[0.1, -0.2], [3, 0.004]])',
        ),
        ("freeze hidden", 'lab.freeze("hidden")'),
        ("set lr 0.01", 'lab.set("lr", 0.01)'),
        ("lr 0.01", 'lab.set("lr", 0.01)'),
        ("momentum 0.9", 'lab.set("momentum", 0.9)'),
        ("weight_decay 1e-4", 'lab.set("weight_decay", 0.0001)'),
        ("seek 200", "lab.seek(200)"),
        ("back", "lab.back()"),
        ("sample 5 temperature=0.8 prefix=bro seed=3", 'lab.sample(5, temperature=0.8, prefix="bro", seed=3)'),
        ("sample prefix='mary ann'", 'lab.sample(prefix="mary ann")'),
        ("predict emma", 'lab.predict("emma")'),
        ("save 'my file.msgpack'", 'lab.save("my file.msgpack")'),
        ("save", "lab.save()"),
        ("fork what-if", 'lab.fork("what-if")'),
        ("evaluate train", 'lab.evaluate("train")'),
        ("evaluate clean=true", "lab.evaluate(clean=True)"),
        ("until loss < 2.3", 'lab.run_until("loss < 2.3")'),
        ("until step>=500 limit=1000", 'lab.run_until("step>=500", limit=1000)'),
        ("run_until loss < 2.3", 'lab.run_until("loss < 2.3")'),
        ("script run.py overwrite=true", 'lab.script("run.py", overwrite=True)'),
        ("seek_cost 700", "lab.seek_cost(700)"),
        ("predict 'a\"b\\c'", 'lab.predict("a\\"b\\\\c")'),
        ("open xor", 'lab = tn.Lab("xor")'),
        ("play -10", ""),
        ("log", "lab.log"),
        ("interventions", "lab.interventions"),
    ],
)
def test_a_line_stands_for_a_line_of_python(line: str, python: str) -> None:
    assert parse(line).python() == python


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "a command begins with a verb, such as step, run, phase, back, seek"),
        (":", "a command begins with a verb, such as step, run, phase, back, seek"),
        ("sttep", "`sttep` is not a command; `?` lists them; did you mean `step`?"),
        ("frobnicate 3", "`frobnicate` is not a command; `?` lists them"),
        ("run", "`run` is written `run N`; it was given 0 arguments"),
        ("run 3 4", "`run` is written `run N`; it was given 2 arguments"),
        ("run x", "`run`: argument 1 must be a whole number, not 'x'; it is written `run N`"),
        ("run 1.5", "`run`: argument 1 must be a whole number, not '1.5'; it is written `run N`"),
        ("seek", "`seek` is written `seek STEP|BOOKMARK [edits=N]`; it was given 0 arguments"),
        ("zero", "`zero` is written `zero UNITS`; it was given 0 arguments"),
        ("undo 3", "`undo` is written `undo`; it was given 1 argument"),
        ("lr fast", "`lr`: argument 1 must be a number, not 'fast'; it is written `lr VALUE`"),
        ("lr", "`lr` is written `lr VALUE`; it was given 0 arguments"),
        ("set lr", "`set` is written `set NAME VALUE [name=value ...]`; it was given 1 argument"),
        (
            "sample temprature=1",
            "`sample` has no option `temprature`, only n, temperature, seed, prefix; did you mean `temperature`?",
        ),
        (
            "sample seed=x",
            "`sample`: seed must be a whole number, not 'x'; "
            "it is written `sample [N] [temperature=T] [seed=S] [prefix=TEXT]`",
        ),
        ("predict 'emma", "`predict 'emma`: no closing quotation"),
        ("clamp value=0.5", "`clamp` is written `clamp UNITS VALUE`; it was given 1 argument"),
        ("clamp hidden 0.5 value=1", "`clamp` is written `clamp UNITS VALUE`; it was given 3 arguments"),
        ("clamp hidden value=1 value=2", "`clamp`: value is given twice"),
        (
            "mean heads values=[[0.1,a]]",
            "`mean`: values must be numbers: 0.5,-1,2 or [[0.5,-1],[2,3]], not '[[0.1,a]]'; "
            "it is written `mean UNITS [SPLIT]`",
        ),
    ],
)
def test_a_line_that_cannot_be_understood_is_refused(says: Callable[..., Any], line: str, message: str) -> None:
    with says(tn.CommandError, message):
        parse(line)


@pytest.mark.parametrize(
    "line",
    [
        'lab.zero("hidden[3]")',
        "lab.run(100)",
        "lab.step()",
        'lab.set("optimizer", "adam", lr=0.001)',
        "lab.log",
        "lab.interventions",
        'lab = tn.Lab("saves/a b.msgpack")',
    ],
)
def test_a_line_of_python_that_the_app_shows_can_be_pasted(line: str) -> None:
    assert parse(line).python() == line
    assert parse(f": {line}") == parse(line)


@pytest.mark.parametrize(
    "line",
    [
        "lab.run(1 + open('x'))",
        "lab.run(*[1])",
        "lab.set(**{'name': 'lr'})",
        "lab.run(100",
        "lab.run(1); lab.run(2)",
        "lab.player.run(3)",
        "lab.run",
        "lab.log()",
        "lab = tn.Lab(3)",
        "lab = 3",
    ],
)
def test_a_line_of_python_is_one_call_of_plain_values(says: Callable[..., Any], line: str) -> None:
    rule = "a line of Python here is one call on `lab` with plain values, such as `lab.run(100)`"
    with says(tn.CommandError, f"`{line}`: {rule}"):
        parse(line)


def test_a_line_of_python_calls_what_a_lab_does(says: Callable[..., Any]) -> None:
    message = "`lab.zerro` is not something a lab does; `?` lists the verbs; did you mean `zero`?"
    with says(tn.CommandError, message):
        parse('lab.zerro("hidden[3]")')


def test_every_operation_has_its_verb_and_every_verb_its_help() -> None:
    assert set(OPERATIONS) <= set(VERBS)
    assert all(verb.help and verb.usage.startswith(name) for name, verb in VERBS.items())


def test_every_argument_of_a_lab_s_verb_can_be_given_by_its_name() -> None:
    for name, verb in VERBS.items():
        if name in OF_THE_APP:
            continue
        method = tn.Lab.__init__ if name == "open" else getattr(tn.Lab, verb.python)
        if not verb.read:
            known = list(inspect.signature(method).parameters.values())[1 + len(verb.fixed) :]
            places = [entry.name for entry in known if entry.kind is entry.POSITIONAL_OR_KEYWORD]
            assert places == [argument.name for argument in verb.placed], name


def test_the_values_of_a_head_can_be_written() -> None:
    lab = tn.Lab("names-transformer")
    call = parse("mean block1a.attention[0] values=[[[0.1, 0.2, 1, 2, 3, 4, 5, 6]]]")
    lab.mean(*call.args, **call.kwargs)
    values = lab.interventions[0].values
    assert values is not None
    assert values.array.reshape(-1).tolist() == pytest.approx([0.1, 0.2, 1, 2, 3, 4, 5, 6])


def test_a_bracket_that_stays_open_takes_nothing_of_what_comes_behind_it() -> None:
    assert parse("clamp hidden[1 0.3").args == ("hidden[1", 0.3)


def test_every_verb_of_the_lab_is_a_method_of_the_lab() -> None:
    for name, verb in VERBS.items():
        assert name in ("open", *OF_THE_APP) or hasattr(tn.Lab, verb.python)
        assert isinstance(getattr(tn.Lab, name, None), property) == verb.read


def test_what_a_line_says_the_lab_does(make_tiny: Callable[..., tn.Lab]) -> None:
    lab, typed = make_tiny(), make_tiny()
    for line in ("run 5", "zero hidden[1, 3]", "lr 0.05", "step", "back", "freeze output[0]", "run 3"):
        call = parse(line)
        eval(call.python(), {"lab": lab})
        for _ in typed.work(call.verb, call.args, call.kwargs):
            pass
        assert typed.state.digest() == lab.state.digest()
    assert lab.step_number == 8
    assert lab.interventions


@settings(max_examples=200)
@given(st.text(alphabet="steprunlz hidn[]0123456789.=-'\"\\:,\n\t", max_size=25))
def test_no_line_raises_anything_but_a_command_error(line: str) -> None:
    try:
        call = parse(line)
    except tn.CommandError:
        return
    assert call.python().startswith("lab.")


def test_a_verb_that_is_only_begun_is_told_before_one_that_looks_alike() -> None:
    with pytest.raises(CommandError, match="did you mean `freeze`"):
        parse("fre")
