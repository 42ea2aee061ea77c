"""The script of a run rebuilds every branch of it, and ends with the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.cli.entry import main

Make = Callable[..., tn.Lab]


def rebuilt(script: str) -> tn.Lab:
    """The lab that a script makes when run in this process."""
    names: dict[str, Any] = {}
    exec(compile(script, "script.py", "exec"), names)
    made: tn.Lab = names["lab"]
    return made


def shape(lab: tn.Lab) -> dict[str, Any]:
    """What a script restores: branches and their ends, edits, bookmarks, and the lab's position."""
    branches = {branch.name: branch for branch in lab.player.timeline.branches.values()}
    names = {branch.number: branch.name for branch in branches.values()}
    return {
        "ends": {
            name: (branch.end[1:], branch.losses.values.tobytes(), [(e.step, e.edit) for e in branch.edits])
            for name, branch in branches.items()
        },
        "forks": {branch.name: (branch.parent, branch.fork) for branch in lab.tree},
        "bookmarks": {mark.name: (mark.note, names[mark.moment.branch], mark.moment[1:]) for mark in lab.bookmarks},
        "at": (lab.branch, *lab.moment[1:], lab.state.digest()),
    }


def busy() -> tn.Lab:
    """A run of three branches with several edits at one step, forks by undo and by name, one dropped, one renamed."""
    lab = tn.Lab("xor", seed=3)
    lab.run(20)
    lab.zero("hidden[1]")
    lab.freeze("hidden[2]")
    lab.set("optimizer", "adam", lr=0.02)
    lab.bookmark("three edits", 'a "note"\nof two lines \\ more')
    lab.run(15)
    lab.undo()
    lab.undo()
    lab.set("lr", 0.5)
    lab.run(10)
    lab.seek(20, edits=1)
    lab.fork("gone")
    lab.run(5)
    lab.seek(12)
    lab.fork("what-if")
    lab.activation("hidden", "elu", alpha=0.5)
    lab.set("schedule", "cosine", steps=1000, warmup=10)
    lab.evaluate("train")
    lab.run(8)
    lab.release("hidden") if lab.interventions else lab.zero("hidden.pre[0]")
    lab.drop("gone")
    lab.rename("main", "first 'try'")
    lab.bookmark("end")
    lab.switch("first 'try'")
    lab.seek(20, edits=1)
    return lab


def test_a_script_in_a_process_of_its_own_ends_at_the_same_digest(tmp_path: Path) -> None:
    lab = busy()
    (tmp_path / "run.py").write_text(lab.script() + "\nprint(lab.state.digest(), *lab.branches, sep='|')\n")
    done = subprocess.run([sys.executable, tmp_path / "run.py"], capture_output=True, text=True, check=True)
    assert done.stdout.strip().split("|")[0] == lab.state.digest()
    assert set(done.stdout.strip().split("|")[1:]) == set(lab.branches)


def test_a_script_run_alone_rebuilds_the_run_from_its_recipe_and_an_altered_one_fails_its_own_check(
    tmp_path: Path,
) -> None:
    lab = tn.Lab("names-mlp", seed=4)
    lab.run(200)
    lab.zero("hidden[3]")
    lab.run(50)
    lab.undo()
    lab.set("lr", 0.05)
    lab.run(100)
    lab.script(tmp_path / "run.py")
    script = (tmp_path / "run.py").read_text()
    assert 'lab = tn.Lab("names-mlp", seed=4)' in script
    assert script.count(lab.state.digest()) == 2  # at the end of its branch, and at the run's position
    alone = [sys.executable, str(tmp_path / "run.py")]
    assert subprocess.run(alone, capture_output=True, cwd=tmp_path).returncode == 0
    (tmp_path / "run.py").write_text(script.replace('lab.set("lr", 0.05)', 'lab.set("lr", 0.0500001)'))
    done = subprocess.run(alone, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr


@pytest.mark.parametrize("recipe", [entry.name for entry in tn.list_recipes()])
def test_every_recipe_that_ships_can_be_written_as_a_script(recipe: str) -> None:
    lab = tn.Lab(recipe, seed=1)
    lab.run(6)
    lab.freeze(f"{next(block.name for block in lab.network.blocks if block.units)}[0]")
    lab.run(4)
    lab.seek(3)
    lab.set("lr", 0.01)
    lab.run(3)
    assert shape(rebuilt(lab.script())) == shape(lab)


def test_a_script_brings_back_branches_edits_bookmarks_and_the_place() -> None:
    lab = busy()
    again = rebuilt(lab.script())
    assert shape(again) == shape(lab)
    assert rebuilt(again.script()).state.digest() == lab.state.digest()


def test_writing_a_script_moves_nothing() -> None:
    lab = busy()
    lab.phase()
    before = shape(lab), lab.player.phases_done
    job = lab.work("script", (), {})
    next(job, None)
    job.close()
    assert lab.script() == lab.script()
    assert (shape(lab), lab.player.phases_done) == before


ACTIONS = st.one_of(
    st.tuples(st.just("run"), st.integers(1, 6)),
    st.tuples(st.sampled_from(["zero", "freeze", "release", "unfreeze"]), st.integers(0, 3)),
    st.tuples(st.just("lr"), st.sampled_from([0.1, 0.02])),
    st.tuples(st.sampled_from(["momentum", "adam"]), st.just(0)),
    st.tuples(st.sampled_from(["undo", "redo", "evaluate"]), st.just(0)),
    st.tuples(st.sampled_from(["seek", "back", "fork", "switch", "rename", "drop", "bookmark"]), st.integers(0, 30)),
)


def act(lab: tn.Lab, count: int, verb: str, value: Any) -> None:
    name = lab.branches[int(value) % len(lab.branches)]
    match verb:
        case "lr":
            lab.set("lr", value)
        case "momentum" | "adam":
            lab.set("optimizer", verb)
        case "zero" | "freeze" | "release" | "unfreeze":
            getattr(lab, verb)(f"hidden[{value}]")
        case "fork":
            lab.fork(f"fork {count}")
        case "bookmark":
            lab.bookmark(f"mark {value}", f"the {count}th")
        case "rename":
            lab.rename(name, f"name {count}")
        case "switch" | "drop":
            getattr(lab, verb)(name)
        case "seek":
            edits = [entry.step for entry in lab.player.branch.edits]
            step = int(value) % (lab.end + 1)
            lab.seek(step, edits=int(value) % (edits.count(step) + 1))
        case "back":
            lab.back(1 + int(value) % 5)
        case "evaluate":
            lab.evaluate()
        case "run":
            lab.run(value)
        case _:
            getattr(lab, verb)()


@given(st.lists(ACTIONS, max_size=25), st.integers(0, 2))
@settings(max_examples=25)
def test_the_script_of_any_history_rebuilds_it(actions: list[tuple[str, Any]], seed: int) -> None:
    lab = tn.Lab("xor", seed=seed)
    for count, (verb, value) in enumerate(actions):
        with suppress(tn.TinynetsError):
            act(lab, count, verb, value)
    assert shape(rebuilt(lab.script())) == shape(lab)


def test_evaluations_of_the_run_and_those_asked_for_come_back() -> None:
    lab = tn.Lab("spiral")
    lab.run(lab.recipe.training.evaluate_every + 3)
    lab.zero("hidden1[0]" if "hidden1" in str(lab.network) else f"{lab.network.blocks[0].name}[0]")
    lab.evaluate("train", clean=True)
    assert len(lab.evaluations) > 2
    assert rebuilt(lab.script()).evaluations == lab.evaluations


def test_a_lab_of_a_toml_file_starts_from_that_file(tmp_path: Path) -> None:
    from importlib import resources

    text = resources.files("tinynets").joinpath("recipes", "xor.toml").read_text()
    path = tmp_path / "mine.toml"
    path.write_text(text.replace('name = "xor"', 'name = "mine"'))
    lab = tn.Lab(path, seed=9)
    lab.run(5)
    assert f'tn.Lab("{path}", seed=9)' in lab.script()
    rebuilt(lab.script())
    path.write_text(text)
    with pytest.raises(tn.TimelineError, match="`mine` is not a recipe that ships"):
        lab.script()


def test_a_recipe_that_only_bears_a_shipped_name_is_not_taken_for_it(tmp_path: Path) -> None:
    from importlib import resources

    text = resources.files("tinynets").joinpath("recipes", "xor.toml").read_text()
    path = tmp_path / "xor.toml"
    path.write_text(text.replace("batch = ", "batch = 1"))
    lab = tn.Lab(path)
    lab.run(5)
    assert f'tn.Lab("{path}")' in lab.script()


def test_a_lab_built_from_python_starts_from_its_save(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny()
    lab.run(10)
    with pytest.raises(tn.TimelineError, match="save the lab first, so that a script has a file to start from"):
        lab.script()
    path = tmp_path / "x.msgpack"
    lab.save(path)
    lab.zero("hidden[2]")
    lab.run(10)
    script = lab.script()
    assert f'tn.Lab("{path}", fresh=True)' in script
    assert shape(rebuilt(script)) == shape(lab)
    make_tiny(net_seed=5).save(path)
    with pytest.raises(tn.TimelineError, match="no longer holds the start of this run"):
        lab.script()


def test_a_fresh_lab_of_a_save_has_its_start_and_nothing_else(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny(data={"train": (np.eye(2).repeat(9, 0), np.arange(18) % 2)})
    start = lab.state.digest()
    lab.run(30)
    lab.fork("b")
    lab.zero("hidden[1]")
    lab.save(tmp_path / "x.msgpack")
    fresh = tn.Lab(tmp_path / "x.msgpack", fresh=True)
    assert (fresh.state.digest(), fresh.end, fresh.branches, fresh.log, fresh.path) == (start, 0, ("main",), (), "")
    fresh.run(30)
    assert np.array_equal(fresh.losses, lab.losses)
    with pytest.raises(tn.RecipeError, match="`fresh` cannot be given with a recipe, which"):
        tn.Lab("xor", fresh=True)


def test_a_script_never_overwrites_unasked(tmp_path: Path, says: Callable[..., Any]) -> None:
    lab = tn.Lab("xor")
    lab.run(3)
    path = tmp_path / "run.py"
    lines = lab.script().count("\n")
    assert lab.script(path) == f"script of {lines} lines written to {path}"
    assert path.read_text() == lab.script()
    path.write_text("mine")
    with says(tn.SaveError, f"`{path}` is there already; give another name, or overwrite=True"):
        lab.script(path)
    assert path.read_text() == "mine"
    lab.script(path, overwrite=True)
    assert path.read_text() == lab.script()
    with says(tn.SaveError, f"`{tmp_path / 'no' / 'x.py'}` cannot be written: No such file or directory"):
        lab.script(tmp_path / "no" / "x.py")


def test_the_command_prints_and_writes_the_script_of_a_save(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = busy()
    lab.save(tmp_path / "x.msgpack")
    arguments = ["script", str(tmp_path / "x.msgpack")]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--json"])
    assert ended.value.code == 0
    script = json.loads(capsys.readouterr().out)["script"]
    assert script == tn.Lab(tmp_path / "x.msgpack").script()
    with pytest.raises(SystemExit):
        main([*arguments, "--save", str(tmp_path / "run.py")])
    assert (tmp_path / "run.py").read_text() == script
