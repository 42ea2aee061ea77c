"""Saves: a whole lab comes back byte for byte, and a file that is not a save is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.data.names import from_text
from tinynets.storage import saves


def test_a_loaded_lab_stands_where_it_was_saved_with_all_its_history(run: tn.Lab, tmp_path: Path) -> None:
    run.save(tmp_path / "run.msgpack")
    lab = tn.Lab(tmp_path / "run.msgpack")
    assert lab.state.digest() == run.state.digest()
    assert (lab.moment, lab.branch, lab.branches) == (run.moment, run.branch, run.branches)
    assert lab.losses.tobytes() == run.losses.tobytes()
    assert lab.log == run.log
    assert lab.evaluations == run.evaluations
    assert (lab.interventions, lab.frozen) == (run.interventions, run.frozen)
    assert lab.data.sha256 == run.data.sha256
    assert lab.warnings == []
    assert not lab.unsaved
    lab.undo()
    assert lab.step_number == 8


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_lab_goes_on_as_the_one_that_was_saved(
    make_tiny: Callable[..., tn.Lab], tmp_path: Path, dtype: str
) -> None:
    lab = make_tiny(tn.Sigmoid(), dtype=dtype, optimizer=tn.SGD(0.1, momentum=0.9), sampling="epoch")
    lab.run(7)
    lab.save(tmp_path / "run.msgpack")
    again = tn.Lab(tmp_path / "run.msgpack")
    for each in (lab, again):
        each.freeze("output[1]")
        each.run(7)
    assert again.state.digest() == lab.state.digest()


def test_a_save_of_a_recipe_holds_its_data(tmp_path: Path) -> None:
    lab = tn.Lab("names-mlp")
    lab.run(3)
    lab.save(tmp_path / "names.msgpack")
    again = tn.Lab(tmp_path / "names.msgpack")
    assert again.data.sha256 == lab.data.sha256
    assert again.sample(3) == lab.sample(3)
    assert again.recipe == lab.recipe


def test_saving_where_it_was_saved_last_needs_no_name(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab = make_tiny()
    report = lab.save(tmp_path / "run")
    assert report.path == str(tmp_path / "run.msgpack")
    assert report.nbytes == os.path.getsize(report.path)
    lab.run(2)
    assert lab.save().path == report.path
    assert tn.Lab(report.path).step_number == 2


def test_a_header_tells_of_a_save_without_the_rest(run: tn.Lab, tmp_path: Path) -> None:
    run.save(tmp_path / "run.msgpack")
    header = saves.read_header(tmp_path / "run.msgpack")
    assert (header.recipe, header.step, header.branch, header.parameters) == ("network", 12, "main", 32)


@pytest.mark.parametrize(
    "options", [{"clip_norm": 1}, {"clip_value": 1}, {"rates": {"hidden": 1}, "l2": {"hidden": 1}}]
)
def test_settings_given_as_whole_numbers_are_saved_and_come_back(
    make_tiny: Callable[..., tn.Lab], tmp_path: Path, options: dict[str, Any]
) -> None:
    lab = make_tiny(**options)
    lab.run(3)
    lab.save(tmp_path / "whole.msgpack")
    assert tn.Lab(tmp_path / "whole.msgpack").state.digest() == lab.state.digest()


def test_names_that_would_take_too_much_room_are_not_saved_but_found_again_when_given(tmp_path: Path) -> None:
    data = from_text(b"emma\n" * 100_000, context=64)
    network = tn.Network([tn.Embedding(4, 2), tn.Flatten(), tn.Linear(128, 4)], input_shape=(64,))
    lab = tn.Lab(network, data=data, loss=tn.CrossEntropy())
    lab.run(2)
    lab.save(tmp_path / "names.msgpack")
    assert saves.read(tmp_path / "names.msgpack").data.missing is not None
    assert tn.Lab(tmp_path / "names.msgpack", data=data).state.digest() == lab.state.digest()


def test_a_name_longer_than_files_may_have_is_refused_before_any_work(run: tn.Lab, tmp_path: Path) -> None:
    for act in (run.save, run.claim):
        with pytest.raises(tn.SaveError, match="too long"):
            act(tmp_path / ("x" * 300))


def test_what_is_no_save_is_refused(run: tn.Lab, tmp_path: Path, says: Callable[..., Any]) -> None:
    path = tmp_path / "x.msgpack"
    with says(tn.SaveError, f"`{path}` does not exist"):
        tn.Lab(path)
    path.mkdir()
    with says(tn.SaveError, f"`{path}` is a folder, not a save"):
        tn.Lab(path)
    path.rmdir()
    path.write_bytes(b"")
    with says(tn.CorruptSave, f"`{path}` is not a tinynets save: it is empty"):
        tn.Lab(path)
    path.write_bytes(np.random.default_rng(0).bytes(5000))
    with says(tn.CorruptSave, f"`{path}` is not a tinynets save: it does not start with the bytes of one"):
        tn.Lab(path)
    run.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(tn.CorruptSave, match=r"` ends in the middle of record \d+ at byte [\d,]+$"):
        tn.Lab(path)
    path.write_bytes(whole + b"x")
    with says(tn.CorruptSave, f"`{path}` goes on after its end, at byte {len(whole):,}"):
        tn.Lab(path)
