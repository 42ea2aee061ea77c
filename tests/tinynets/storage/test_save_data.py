"""Data too large for a save: found in place, given again, or missing; without them, the rest can be inspected."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.data import arrays
from tinynets.history import runs
from tinynets.history.moment import Moment
from tinynets.history.verify import replay
from tinynets.measure.lens_names import AUTO, LENSES
from tinynets.server.activity import Activity
from tinynets.server.frame import OwnInput, View
from tinynets.server.frame_builder import FrameBuilder
from tinynets.server.process import spawn
from tinynets.storage import data_record, keyframes
from tinynets.storage.records import read_records, write_records
from tinynets.storage.saves import stand_at

Make = Callable[..., tn.Lab]


@pytest.fixture(autouse=True)
def nothing_is_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves too small for any data, and keyframes every few steps."""
    monkeypatch.setattr(data_record, "EMBED_LIMIT", 10)
    monkeypatch.setattr(keyframes, "SPACING", 1)
    monkeypatch.setattr(runs, "KEYFRAME_COST", 1e-9)


def points(count: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform(-1, 1, (count, 2))
    return x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)


def write_points(path: Path, seed: int = 0) -> Path:
    x, y = points(seed=seed)
    np.savez(path, train_x=x[:160], train_y=y[:160], dev_x=x[160:], dev_y=y[160:])
    return path


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    return write_points(tmp_path / "points.npz")


@pytest.fixture
def run(make_tiny: Make, npz: Path, tmp_path: Path) -> tn.Lab:
    """A lab of data from a file, saved: two branches, edits, a bookmark, keyframes at every eighth step."""
    lab = make_tiny(data=npz)
    lab.player.timeline.keyframes.stride = 8
    lab.run(32)
    lab.evaluate("dev")
    lab.bookmark("middle")
    lab.zero("hidden[1]")
    lab.run(20)
    lab.fork("what-if")
    lab.freeze("hidden[2]")
    lab.run(12)
    lab.save(tmp_path / "run.msgpack")
    return lab


def stored(lab: tn.Lab) -> list[int]:
    return sorted({step for step, _ in lab.player.branch.keyframes})


def unstored(lab: tn.Lab) -> int:
    return next(step for step in range(1, lab.end) if step not in stored(lab))


# -- data from a file


def test_a_lab_takes_its_data_from_a_file(make_tiny: Make, npz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(npz.parent)
    x, y = points()
    splits = {"train": (x[:160], y[:160]), "dev": (x[160:], y[160:])}
    from_file, from_arrays = make_tiny(data="points.npz"), make_tiny(data=splits)
    assert from_file.data.sha256 == from_arrays.data.sha256
    assert from_file.data.path == str(npz)
    for lab in (from_file, from_arrays):
        lab.run(3)
    assert from_file.state.digest() == from_arrays.state.digest()


def test_bare_names_in_a_file_are_of_the_split_train(make_tiny: Make, tmp_path: Path) -> None:
    x, y = points(20)
    weight = np.linspace(0.5, 1.5, 20)
    np.savez_compressed(tmp_path / "bare.npz", x=np.asfortranarray(x), y=y, weight=weight)
    found, wanted = make_tiny(data=tmp_path / "bare.npz"), make_tiny(data=(x, y, weight))
    assert found.data.sha256 == wanted.data.sha256


def test_targets_in_a_file_become_floats_where_the_loss_takes_no_classes(make_tiny: Make, tmp_path: Path) -> None:
    x, y = points(20)
    both = np.stack([y, 1 - y], axis=1)
    np.savez(tmp_path / "values.npz", x=x, y=both)
    lab = make_tiny(data=tmp_path / "values.npz", loss=tn.MSE())
    assert lab.data["train"][1].dtype == np.float64
    lab.run(3)
    lab.save(tmp_path / "values")
    (tmp_path / "values.npz").rename(tmp_path / "elsewhere.npz")
    assert tn.Lab(tmp_path / "values.msgpack", data=(x, both)).warnings == []
    assert tn.Lab(tmp_path / "values.msgpack", data=tmp_path / "elsewhere.npz").warnings == []


X, Y = points(6)
WRONG_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "no array": ({}, " holds no arrays: it needs x, and y where there are targets"),
    "another name": (
        {"x": X, "labels": Y},
        " holds `labels`: it must be called x, y or weight, or train_x, dev_y, ... of a split",
    ),
    "no x": ({"x": X, "y": Y, "dev_y": Y}, " has no `dev_x`, but other arrays of `dev`"),
    "an array twice": ({"x": X, "train_x": X, "y": Y}, " has two arrays for `x` of `train`"),
    "objects": ({"x": X, "y": np.array([{}] * 6)}, " holds `y`: it must be numbers, not object"),
    "text": ({"x": X, "y": np.array(["a"] * 6)}, " holds `y`: it must be numbers, not <U1"),
    "other lengths": ({"x": X, "y": Y[:4]}, ": `train`: x has 6 rows, y has 4; they must be equal"),
    "a NaN": ({"x": X * np.nan, "y": Y}, ": `train x` has nan in row 0, column 0; every value must be finite"),
    "no split train": ({"dev_x": X, "dev_y": Y}, None),  # type: ignore[dict-item]
}


@pytest.mark.parametrize("name", WRONG_FILES)
def test_a_file_that_does_not_hold_data_is_refused_in_words(
    make_tiny: Make, tmp_path: Path, name: str, says: Callable[..., Any]
) -> None:
    arrays_, message = WRONG_FILES[name]
    path = tmp_path / "wrong.npz"
    np.savez(path, **arrays_)
    if message is None:
        with says(tn.ShapeError, "the data needs a split `train`; it has dev"):
            make_tiny(data=path)
        return
    with says(tn.DataError, f"`{path}`{message}"):
        make_tiny(data=path)


def test_what_is_no_file_of_data_is_refused_in_words(make_tiny: Make, tmp_path: Path, says: Callable[..., Any]) -> None:
    path = tmp_path / "data.npz"
    with says(tn.DataError, f"`{path}`: there is no such file"):
        make_tiny(data=path)
    with says(tn.DataError, "`points.csv`: a file of data must be an .npz file, as numpy.savez writes it"):
        make_tiny(data="points.csv")
    path.mkdir()
    with says(tn.DataError, f"`{path}` is not a regular file"):
        make_tiny(data=path)
    path.rmdir()
    path.write_bytes(b"")
    with says(tn.DataError, f"`{path}` cannot be read: File is not a zip file"):
        make_tiny(data=path)
    write_points(path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        content = bytearray(whole)
        content[place] ^= 0x5A
        path.write_bytes(content)
        with suppress(tn.DataError):  # or it was a byte that nothing depends on
            make_tiny(data=path)


def test_a_file_that_claims_more_than_it_holds_allocates_nothing(make_tiny: Make, tmp_path: Path) -> None:
    path = tmp_path / "claims.npz"
    np.savez(path, x=X, y=Y)
    content = path.read_bytes().replace(b"(6, 2), }" + b" " * 12, b"(6000000000000, 2), }", 1)
    assert content != path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(tn.DataError, match=r"its shape \(6000000000000, 2\) is not that of its bytes|CRC"):
        make_tiny(data=path)


def test_arrays_beyond_the_bound_are_refused(
    make_tiny: Make, npz: Path, monkeypatch: pytest.MonkeyPatch, says: Callable[..., Any]
) -> None:
    monkeypatch.setattr("tinynets.data.files.MAX_BYTES", 3000)
    with says(tn.DataError, f"`{npz}` holds more than the 3,000 bytes that are allowed"):
        make_tiny(data=npz)


# -- opening a save that does not hold its data


def test_data_that_is_where_it_was_is_used(run: tn.Lab, npz: Path) -> None:
    lab = tn.Lab(run.path)
    assert (lab.warnings, lab.data.missing) == ([], None)
    assert (lab.data.sha256, lab.data.path) == (run.data.sha256, str(npz))
    for each in (lab, run):
        each.run(10)
    assert lab.state.digest() == run.state.digest()
    assert lab.verify().equal


def test_a_recipes_own_data_are_made_again(tmp_path: Path) -> None:
    lab = tn.Lab("spiral")
    lab.run(3)
    lab.save(tmp_path / "spiral")
    again = tn.Lab(tmp_path / "spiral.msgpack")
    assert (again.warnings, again.data.sha256) == ([], lab.data.sha256)
    assert again.run(5).loss == lab.run(5).loss


def test_a_recipe_whose_data_are_made_otherwise_now_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = tn.Lab("spiral")
    lab.save(tmp_path / "spiral")
    other = arrays(*points(), name="spiral")
    monkeypatch.setattr("tinynets.recipes.recipe.load_data", lambda *_, **__: other)
    again = tn.Lab(lab.path)
    assert f"the data set `spiral` is made otherwise now ({short(other.sha256)});" in again.warnings[0]


def test_data_given_anew_stand_in_for_those_that_moved(run: tn.Lab, npz: Path, tmp_path: Path) -> None:
    moved = npz.rename(tmp_path / "moved.npz")
    lab = tn.Lab(run.path, data=moved)
    assert (lab.warnings, lab.data.path) == ([], str(moved))
    lab.seek(unstored(lab))
    lab.save()
    assert tn.Lab(run.path).warnings == []


def short(digest: str) -> str:
    return f"sha256 {digest[:12]}..."


def lacking(run: tn.Lab, where: str) -> str:
    return (
        f"`{run.path}` does not hold its data `data` ({short(run.data.sha256)}), which is too large for a save; "
        f"{where}; only a few examples of it are here, to look at: "
        'give it as data=(x, y) or data="points.npz", or in a shell as --data points.npz'
    )


def test_data_that_moved_changed_or_cannot_be_read_are_told_with_what_is_wrong(run: tn.Lab, npz: Path) -> None:
    npz.unlink()
    assert tn.Lab(run.path).warnings == [lacking(run, f"it was in `{npz}`, which is no longer there")]
    write_points(npz, seed=1)
    other = tn.Lab(run.path, data=npz).warnings
    changed = f"`{npz}` holds other data now ({short(digest_of(npz))})"
    assert tn.Lab(run.path).warnings == [lacking(run, changed)]
    assert other == [
        f"the data given is not used: it is other ({short(digest_of(npz))}, not {short(run.data.sha256)})",
        lacking(run, changed),
    ]
    npz.write_bytes(b"no zip")
    unusable = f"what it came from cannot be used: `{npz}` cannot be read: File is not a zip file"
    assert tn.Lab(run.path).warnings == [lacking(run, unusable)]


def digest_of(path: Path) -> str:
    with np.load(path) as file:
        splits = {name: (file[f"{name}_x"], file[f"{name}_y"]) for name in ("train", "dev")}
    return arrays(splits).sha256


def test_data_that_came_from_no_file_are_said_to(make_tiny: Make, tmp_path: Path) -> None:
    lab = make_tiny(data=points())
    lab.run(3)
    lab.save(tmp_path / "run")
    assert tn.Lab(lab.path).warnings == [lacking(lab, "it came from no file")]
    assert tn.Lab(lab.path, data=points()).warnings == []


def test_an_older_save_without_data_or_examples_needs_them(run: tn.Lab, npz: Path) -> None:
    records = list(read_records(run.path))
    next(record for record in records if record["record"] == "data")["sample"] = None
    write_records(run.path, records)
    assert tn.Lab(run.path).warnings == []
    npz.unlink()
    with pytest.raises(tn.UnsupportedSave, match=r"it was in `.*`, which is no longer there; give it as data="):
        tn.Lab(run.path)


# -- with the stored examples alone


@pytest.fixture
def alone(run: tn.Lab, npz: Path) -> tn.Lab:
    """The lab of the save without its data."""
    npz.unlink()
    return tn.Lab(run.path)


def test_what_is_stored_can_be_looked_at_without_the_data(run: tn.Lab, alone: tn.Lab) -> None:
    assert alone.state.digest() == run.state.digest()
    assert (alone.moment, alone.branches, alone.log) == (run.moment, run.branches, run.log)
    assert (alone.losses.tobytes(), alone.evaluations) == (run.losses.tobytes(), run.evaluations)
    assert alone.probe_loss() == run.probe_loss()
    assert alone.probe.examples == run.probe.examples
    for step in stored(alone):
        assert alone.seek(step).step == run.seek(step).step
        assert alone.state.digest() == run.state.digest()
    frame = FrameBuilder.of(alone).frame(View(block="hidden", unit=1), 1, Activity())
    assert frame.neuron is not None
    assert str(alone.compare("main", step=32)) == str(run.compare("main", step=32))
    alone.seek("middle")
    assert alone.step_number == 32


def test_what_needs_the_data_is_refused_and_leaves_the_lab_where_it_was(alone: tn.Lab) -> None:
    reason, between = alone.warnings[0], unstored(alone)
    alone.seek(stored(alone)[1])
    refused: dict[str, Callable[[], object]] = {
        "step": alone.step,
        "run": lambda: alone.run(10),
        "phase": alone.phase,
        "seek between": lambda: alone.seek(between),
        "seek behind the end": lambda: alone.seek(alone.end + 1),
        "back": lambda: alone.back(3),
        "run_until": lambda: alone.run_until("loss < 0"),
        "back_until": lambda: alone.back_until("alive hidden[0]"),
        "evaluate": lambda: alone.evaluate("dev"),
        "compare": lambda: alone.compare("main", step=between),
        "verify": alone.verify,
        "replay": lambda: replay(alone.player),
        "free run": lambda: next(alone.free_run()),
    }
    here = alone.moment, alone.state.digest(), alone.branches, len(alone.player.timeline.actions), alone.unsaved
    for name, ask in refused.items():
        with pytest.raises(tn.DataError) as caught:
            ask()
        assert str(caught.value) == reason, name
        assert here == (
            alone.moment,
            alone.state.digest(),
            alone.branches,
            len(alone.player.timeline.actions),
            alone.unsaved,
        )


def test_undo_to_a_moment_that_is_not_stored_is_refused_and_can_be_done_once_the_data_are_there(
    run: tn.Lab, alone: tn.Lab, npz: Path
) -> None:
    actions = list(alone.player.timeline.actions)
    here = alone.moment, alone.state.digest()
    with pytest.raises(tn.DataError, match="does not hold its data"):
        alone.undo()
    assert here == (alone.moment, alone.state.digest())
    assert (alone.player.timeline.actions, alone.player.timeline.undone) == (actions, [])
    again = tn.Lab(run.path, data=write_points(npz))
    assert again.player.timeline.actions == actions
    assert again.undo().step == 52


def test_edits_are_done_and_kept_without_the_data(alone: tn.Lab, run: tn.Lab, npz: Path) -> None:
    alone.release("hidden[1]")
    alone.save()
    again = tn.Lab(run.path)
    assert again.log == alone.log
    assert again.state.digest() == alone.state.digest()
    run.release("hidden[1]")
    whole = tn.Lab(run.path, data=write_points(npz))
    assert whole.run(5).loss == run.run(5).loss


def test_saving_without_the_data_keeps_all_that_was_kept_of_them(
    alone: tn.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "SPACING", 4)
    kinds = ("data", "keyframe", "branch", "edits", "losses", "evaluations", "bookmark", "position")
    alone.save(tmp_path / "again")
    first, second = (
        [record for record in read_records(path) if record["record"] in kinds]
        for path in (tmp_path / "run.msgpack", tmp_path / "again.msgpack")
    )
    assert [record["record"] for record in first] == [record["record"] for record in second]
    for a, b in zip(first, second, strict=True):
        np.testing.assert_equal(b, a)


def test_text_is_written_without_the_data(tmp_path: Path) -> None:
    lab = tn.Lab("names-mlp")
    lab.run(3)
    lab.save(tmp_path / "names")
    again = tn.Lab(lab.path)
    assert again.data.missing is not None
    assert again.sample(3, prefix="a") == lab.sample(3, prefix="a")
    assert again.predict("emm") == lab.predict("emm")


def test_without_the_data_every_lens_shows_what_is_known_and_refuses_the_rest_in_words(run: tn.Lab, npz: Path) -> None:
    npz.unlink()
    lab = tn.Lab(run.path)
    assert lab.data.missing is not None
    begun, builder = (lab.moment, lab.state.digest()), FrameBuilder.of(lab)
    for lens in (AUTO, *LENSES):
        for against in ("", 0, 3, "middle", "main"):
            for own in (
                None,
                OwnInput("0.5 -1"),
                OwnInput(split="dev", example=1),
                OwnInput(split="train", example=150),
            ):
                view = View(lens=lens, against=against, own=own, split="dev", every_unit=True, answer=5)
                frame = builder.frame(view, 1, Activity())
                assert (frame.network is not None, frame.units is not None) == (True, True)
    for refused in (lab.phase, lab.phase_back, lambda: lab.phase_to("loss"), lambda: lab.worth("hidden")):
        with pytest.raises(tn.DataError):
            refused()
    lab.breakpoint("loss < 0.1")
    with pytest.raises(tn.DataError):
        lab.run(5)
    assert (lab.moment, lab.state.digest(), lab.player.phases_done) == (*begun, 0)


def test_a_moment_that_cannot_be_computed_is_opened_at_the_stored_state_before_it(run: tn.Lab, npz: Path) -> None:
    between = unstored(run)
    moment = Moment(run.moment.branch, between, run.player.branch.edits_through(between))
    npz.unlink()
    lab = tn.Lab(run.path)
    lab.warnings += stand_at(lab.player, moment)
    assert lab.step_number == max(step for step in stored(run) if step < between)
    assert lab.warnings[1:] == [f"step {between} cannot be computed without the data: this is step {lab.step_number}"]
    assert lab.end == run.end


def test_data_that_are_only_examples_train_no_other_network(alone: tn.Lab, make_tiny: Make) -> None:
    with pytest.raises(tn.DataError, match="does not hold its data"):
        make_tiny(data=alone.data)
    with pytest.raises(tn.DataError, match="does not hold its data"):
        tn.Lab(alone.path, data=alone.data).step()


def test_an_embedded_data_set_is_used_whatever_is_given(
    make_tiny: Make, npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_record, "EMBED_LIMIT", 2**20)
    lab = make_tiny(data=npz)
    lab.save(tmp_path / "whole")
    npz.unlink()
    again = tn.Lab(lab.path, data=points(seed=1))
    found = arrays(*points(seed=1)).sha256
    assert again.warnings == [
        f"`{lab.path}` holds data of its own; the data given is other "
        f"({short(found)}, not {short(lab.data.sha256)}) and is not used"
    ]
    assert (again.data.sha256, again.data.path) == (lab.data.sha256, str(npz))
    again.run(3)


def test_the_app_is_refused_in_words_and_its_engine_goes_on(alone: tn.Lab) -> None:
    alone.close()
    engine = spawn(alone.path)
    answers: dict[int, Any] = {}
    for number, (verb, args) in enumerate(
        [("play", (-5.0,)), ("run", (5,)), ("start", ()), ("seek", (0,)), ("log", ())]
    ):
        engine.connection.send(("call", number, verb, args, {}))
    while len(answers) < 5 and engine.connection.poll(PATIENCE):
        message = engine.connection.recv()
        if message[0] in ("result", "error"):
            answers[message[1]] = message
    engine.connection.close()
    engine.process.join(PATIENCE)
    for number in (0, 1):
        assert answers[number][:3] == ("error", number, "DataError")
        assert "does not hold its data" in answers[number][3]
    assert answers[3][2].step == 0
    assert answers[4][0] == "result"


# -- from the command line


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_info_tells_of_a_save_without_its_data(run: tn.Lab, npz: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("info", run.path) == 0
    assert capsys.readouterr().err == ""
    npz.unlink()
    assert command("info", run.path) == 0
    shown = capsys.readouterr()
    assert shown.err == f"tinynets: {lacking(run, f'it was in `{npz}`, which is no longer there')}\n"
    assert "  data      data (not here, a few examples: " in shown.out
    assert run.state.digest() in shown.out
    assert command("info", run.path, "--json") == 0
    assert json.loads(capsys.readouterr().out)["data_missing"].startswith(f"`{run.path}` does not hold its data")


@pytest.mark.parametrize("verb", ["replay", "verify", "train"])
def test_commands_that_compute_are_refused_in_one_line_without_the_data(
    run: tn.Lab, npz: Path, tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    moved, before = npz.rename(tmp_path / "moved.npz"), Path(run.path).read_bytes()
    run.close()
    more = ["--steps", "5"] if verb == "train" else []
    assert command(verb, run.path, *more) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == f"tinynets: {lacking(run, f'it was in `{npz}`, which is no longer there')}\n"
    assert command(verb, run.path, *more, "--data", os.fspath(moved)) == 0
    assert capsys.readouterr().err == ""
    assert Path(run.path).read_bytes() == before
