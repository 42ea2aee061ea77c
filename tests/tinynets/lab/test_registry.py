"""The registry: an operation is an entry and a method of Lab, a verb a decorated job and a method; the rest follows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from throwaway import registered

import tinynets as tn
from tinynets.edits.edit import OPERATIONS
from tinynets.lab.command_line import parse
from tinynets.lab.verbs import VERBS, verb_called


@pytest.fixture
def _more() -> Iterator[None]:
    with registered():
        yield


def done(lab: tn.Lab, line: str) -> Any:
    """The result of a line of the command line."""
    call = parse(line)
    work = lab.work(call.verb, call.args, call.kwargs)
    try:
        while True:
            next(work)
    except StopIteration as stop:
        return stop.value


def test_the_arguments_of_every_operation_are_those_of_its_method() -> None:
    for name, operation in OPERATIONS.items():
        parameters = list(inspect.signature(getattr(tn.Lab, name)).parameters.values())[1:]
        rest = [p for p in parameters if p.kind is p.VAR_KEYWORD]
        known = [p for p in parameters if p.kind is not p.VAR_KEYWORD]
        assert operation.open_ended == bool(rest), name
        assert {p.name for p in known} == {argument.name for argument in operation.typed}, name
        placed = [argument.name for argument in operation.typed if not argument.named]
        assert [p.name for p in known if p.kind is p.POSITIONAL_OR_KEYWORD] == placed, name
        defaults = {p.name: p.default for p in known}
        for argument in operation.typed:
            if argument.required and not argument.named:
                assert defaults[argument.name] is inspect.Parameter.empty, (name, argument.name)
            elif argument.default is not None:
                assert defaults[argument.name] == argument.default, (name, argument.name)
            else:
                assert defaults[argument.name] in (None, False), (name, argument.name)


def test_a_job_knows_its_call_as_a_method_does(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny()
    for verb, args, kwargs in [
        ("clamp", (), {}),
        ("clamp", ("hidden", 1.0, 2.0), {}),
        ("clamp", ("hidden",), {"selector": "hidden"}),
        ("freeze", ("hidden",), {"inward": True}),
        ("rename", (), {}),
        ("fork", ("a", "b"), {}),
    ]:
        with pytest.raises(TypeError) as python:
            getattr(lab, verb)(*args, **kwargs)
        with pytest.raises(tn.EditError) as job:
            list(lab.work(verb, args, kwargs))
        assert str(job.value) == f"`{verb}`: {python.value}"


@pytest.mark.usefixtures("_more")
def test_a_new_operation_is_done_typed_logged_and_kept(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab, typed = make_tiny(), make_tiny()
    lab.run(3)
    typed.run(3)
    lab.save(tmp_path / "start")
    before = lab.network.theta.copy()
    report = lab.dampen("hidden[1]", 0.5)  # type: ignore[attr-defined]
    assert report.done == "hidden[1] dampened by 0.5"
    assert report.python == 'lab.dampen("hidden[1]", 0.5)' == lab.log[-1].python
    assert (lab.network.theta != before).any()
    lab.lift("hidden[2]", 2)  # type: ignore[attr-defined]
    assert lab.log[-1].python == 'lab.lift("hidden[2]", 2.0)'
    lab.run(2)

    assert OPERATIONS["dampen"].usage == "dampen UNITS FACTOR [twice=true]"
    assert parse("dampen hidden[1] 0.5").python() == 'lab.dampen("hidden[1]", 0.5)'
    assert parse("dampen hidden[1] 2 twice=true").python() == 'lab.dampen("hidden[1]", 2.0, twice=True)'
    assert verb_called("dampen").lets_run  # type: ignore[union-attr]
    assert done(typed, "dampen hidden[1] 0.5").done == report.done
    assert done(typed, "lab.lift('hidden[2]', by=2)").done == "hidden[2] lifted by 2"
    done(typed, "run 2")
    assert typed.state.digest() == lab.state.digest()

    again = tn.Lab(lab.save(tmp_path / "kept").path)
    assert again.state.digest() == lab.state.digest()
    assert again.log == lab.log
    assert again.interventions == lab.interventions
    assert again.verify().equal
    lab.undo()
    lab.undo()
    lab.undo()
    assert (lab.network.theta == before).all()


def test_a_save_with_an_operation_that_is_not_known_is_refused(
    make_tiny: Callable[..., tn.Lab], tmp_path: Path, says: Callable[..., Any]
) -> None:
    with registered():
        lab = make_tiny()
        lab.dampen("hidden[1]", 0.5)  # type: ignore[attr-defined]
        path = lab.save(tmp_path / "kept").path
        lab.close()
    with says(tn.UnsupportedSave, f"`{path}` has an edit `dampen`, which this version does not know"):
        tn.Lab(path)


def test_an_edit_with_an_argument_that_its_operation_does_not_take_is_refused(
    make_tiny: Callable[..., tn.Lab], says: Callable[..., Any]
) -> None:
    with registered():
        lab = make_tiny()
        with says(tn.EditError, "`dampen` takes factor, twice, not `half`"):
            lab._edit("dampen", "hidden[1]", factor=0.5, half=True)


@pytest.mark.usefixtures("_more")
def test_a_new_verb_is_called_and_typed(make_tiny: Callable[..., tn.Lab]) -> None:
    lab = make_tiny()
    said = lab.tally()  # type: ignore[attr-defined]
    assert said.endswith(" examples")
    verb = VERBS["tally"]
    assert verb.usage == "tally [SPLIT] [every=N]"
    assert (verb.lets_run, verb.shows, verb.takes_steps) == (True, True, False)
    assert parse("tally train every=2").python() == 'lab.tally("train", every=2)'
    assert done(lab, "tally") == said
    assert done(lab, "lab.tally(every=1)") == said
