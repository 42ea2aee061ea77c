"""The list of saves: what each says about itself, and that no bad save can spoil the list."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.storage.catalog import list_headers, table
from tinynets.storage.paths import shipped_folder
from tinynets.storage.records import read_records, write_records

V1 = Path(__file__).parents[2] / "saves" / "v1"


@pytest.fixture
def folder(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> Path:
    """A save with two branches and an edit, a save of the first version, and files that are no saves."""
    found = tmp_path / "saves"
    found.mkdir()
    lab = make_tiny()
    lab.run(1200)
    lab.zero("hidden[1]")
    lab.run(10)
    lab.fork("what-if")
    lab.save(found / "ours")
    (found / "old.msgpack").write_bytes((V1 / "xor.msgpack").read_bytes())
    (found / "empty.msgpack").write_bytes(b"")
    (found / "cut.msgpack").write_bytes((found / "ours.msgpack").read_bytes()[:60])
    (found / "folder.msgpack").mkdir()
    (found / "gone.msgpack").symlink_to(found / "nowhere")
    (found / "notes.txt").write_text("no save")
    records = list(read_records(found / "ours.msgpack"))
    records[0]["recipe"] = "bad\x1b[2Jname"
    write_records(found / "escapes.msgpack", records)
    for age, name in enumerate(["ours", "old", "empty", "cut", "escapes"]):
        os.utime(found / f"{name}.msgpack", (1_900_000_000 - 60 * age,) * 2)
    return found


def status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_saves_of_both_versions_are_listed_newest_first_and_unreadable_ones_as_such(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = tn.Lab(folder / "ours.msgpack", read_only=True)
    when = [entry.when for entry in list_headers(folder)]
    assert status("info", "--all", str(folder)) == 0
    size, other = (f"{(folder / f'{name}.msgpack').stat().st_size / 1e3:.0f} kB" for name in ("ours", "escapes"))
    told = f"2 branches  1 edit  loss {lab.loss:.4f}"
    assert capsys.readouterr().out.splitlines() == [
        f"ours     network at step 1,210 (what-if)      {told}  {when[0]}  {size}",
        f"old      xor at step 120 (what-if)            {'':{len(told)}}  {when[1]}  17 kB",
        f"empty    cannot be read: `{folder / 'empty.msgpack'}` is not a tinynets save: it is empty",
        f"cut      cannot be read: `{folder / 'cut.msgpack'}` ends in the middle of record 1 at byte 10",
        f"escapes  bad?[2Jname at step 1,210 (what-if)  {told}  {when[4]}  {other}",
    ]


def test_a_list_can_be_had_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("info", "--all", str(folder), "--json") == 0
    ours, old, empty, *_ = json.loads(capsys.readouterr().out)["saves"]
    told: dict[str, Any] = {key: ours[key] for key in ("name", "recipe", "step", "end", "branch", "branches", "edits")}
    assert told == {
        "name": "ours",
        "recipe": "network",
        "step": 1210,
        "end": 1210,
        "branch": "what-if",
        "branches": 2,
        "edits": 1,
    }
    assert ours["loss"] == tn.Lab(folder / "ours.msgpack", read_only=True).loss
    assert (old["recipe"], old["branches"], old["loss"], old["damage"]) == ("xor", None, None, None)
    assert (empty["recipe"], empty["size"]) == (None, 0)
    assert empty["damage"].endswith("is not a tinynets save: it is empty")


def test_without_a_folder_the_own_saves_are_listed_and_those_that_ship(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    names = [entry.name for entry in list_headers()]
    assert names[:5] == ["ours", "old", "empty", "cut", "escapes"]
    assert set(names[5:]) == {path.stem for path in shipped_folder().glob("*.msgpack")}


def test_only_headers_are_read(folder: Path) -> None:
    path = folder / "ours.msgpack"
    path.write_bytes(path.read_bytes()[:-100])
    (ours,) = [entry for entry in list_headers(folder) if entry.name == "ours"]
    assert (ours.header is not None, ours.damage) == (True, "")


def test_a_folder_that_is_not_there_or_empty_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status("info", "--all", str(tmp_path)) == 0
    assert capsys.readouterr().out == "there are no saves\n"
    assert status("info", "--all", str(tmp_path / "no")) == 1
    expected = f"tinynets: `{tmp_path / 'no'}`: no saves can be looked for there: no such file or directory\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("arguments", [["info"], ["info", "xor", "--all", "."]])
def test_info_is_of_one_thing_or_of_all(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert status(*arguments) == 2
    assert "give one recipe or save, or --all for the saves of a folder" in capsys.readouterr().err


def test_an_empty_table_has_no_lines() -> None:
    assert table([]) == []
