"""Names, saves and arguments of a lab: branches keep their names, saves overwrite nothing, errors are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tinynets as tn
from tinynets.storage.paths import shipped_folder

Make = Callable[..., tn.Lab]


def test_a_line_keeps_its_name_when_something_was_undone_elsewhere(make_tiny: Make) -> None:
    lab = make_tiny()
    lab.run(100)
    lab.seek(20)
    lab.zero("hidden[1]")
    lab.undo()
    lab.seek(50)
    lab.zero("hidden[2]")
    ends = {}
    for name in lab.branches:
        lab.switch(name)
        ends[name] = lab.end
    assert ends["main"] == 100
    assert sorted(ends.values()) == [20, 50, 100]


def test_a_new_lab_saves_beside_what_was_saved_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "saves").mkdir()
    monkeypatch.chdir(tmp_path)
    first, second = tn.Lab("xor"), tn.Lab("xor")
    assert first.save().path.endswith("xor.msgpack")
    assert second.save().path.endswith("xor-2.msgpack")
    first.run(3)
    assert first.save().path.endswith("xor.msgpack")
    assert len(list((tmp_path / "saves").iterdir())) == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", "a save needs a path, not ''"),
        (3, "a save needs a path, not 3"),
        ("a\0b", "a save needs a path, not 'a\\x00b'"),
        (".", "`.` is a folder, not a save"),
    ],
)
def test_what_is_no_path_is_refused_and_writes_nothing(path: Any, message: str) -> None:
    with pytest.raises(tn.SaveError) as caught:
        tn.Lab("xor").save(path)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["batch", "probe", "sampling"])
def test_what_a_recipe_says_itself_cannot_be_given(name: str) -> None:
    options: dict[str, Any] = {name: "epoch" if name == "sampling" else 4}
    with pytest.raises(tn.RecipeError) as caught:
        tn.Lab("xor", **options)
    assert str(caught.value) == f"`{name}` cannot be given with a recipe, which has its own"


@pytest.mark.parametrize("wrong", [None, 0, -1, 1.5, True, "3"])
def test_a_run_needs_a_number_of_steps(make_tiny: Make, wrong: Any) -> None:
    lab = make_tiny()
    for verb in (lab.run, lab.step):
        with pytest.raises(tn.EditError, match="`steps` must be a whole number from 1 to"):
            verb(wrong)
    assert lab.end == 0


@pytest.mark.parametrize("wrong", ["x", 0, -5])
def test_a_memory_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(tn.EditError, match="`memory` must be a whole number from 1 to"):
        tn.Lab("xor", memory=wrong)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x1b[31m", "x" * 61, None])
def test_a_branch_name_is_a_few_printable_characters(make_tiny: Make, name: Any) -> None:
    with pytest.raises(tn.TimelineError, match="a branch's name must be 1 to 60 printable characters"):
        make_tiny().fork(name)


def test_the_saves_that_ship_open_and_go_on() -> None:
    shipped = sorted(shipped_folder().glob("*.msgpack"))
    assert {path.stem for path in shipped} >= {"names-surgery", "spiral"}
    for path in shipped:
        lab = tn.Lab(path)
        assert lab.end > 0
        lab.seek(lab.end)
        assert lab.run(2).step == lab.end
