"""Runs recorded with another processor or numpy: the stored keyframes decide, and the lab says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.history import runs
from tinynets.history.verify import replay
from tinynets.storage import keyframes
from tinynets.storage.records import read_records, write_records
from tinynets.storage.saves import read_header

ELSEWHERE = (
    "recorded with another processor, numpy or number of threads: the last bits may differ; "
    "computed on from each stored keyframe"
)


@pytest.fixture(autouse=True)
def close_keyframes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEYFRAME_COST", 1e-9)
    monkeypatch.setattr(keyframes, "SPACING", 1)


@pytest.fixture
def here(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> Path:
    """A save with keyframes at every eighth of its 48 steps."""
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))
    lab.player.timeline.keyframes.stride = 8
    lab.run(20)
    lab.zero("hidden[1]")
    lab.run(28)
    lab.save(tmp_path / "here.msgpack")
    return tmp_path / "here.msgpack"


def carried_over(path: Path, **header: Any) -> Path:
    """The same save as if written on another machine, whose keyframe at step 24 differs by one ulp."""
    records = list(read_records(path))
    records[0] |= header
    keyframe = next(record for record in records if record["record"] == "keyframe" and record["step"] == 24)
    keyframe["theta"] = np.nextafter(keyframe["theta"], np.float32(9))
    written = path.with_name("elsewhere.msgpack")
    write_records(written, records)
    return written


@pytest.fixture
def elsewhere(here: Path) -> Path:
    return carried_over(here, fingerprint="0" * 64)


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_a_save_from_another_machine_says_so_once(elsewhere: Path) -> None:
    lab = tn.Lab(elsewhere)
    lab.seek(3)
    lab.run(5)
    lab.undo()
    assert lab.warnings == [
        f"`{elsewhere}` was saved with another processor, numpy or thread count: replay may differ in the last bits"
    ]
    assert not lab.same_machine


def test_moving_goes_on_from_the_stored_keyframes(elsewhere: Path, here: Path) -> None:
    lab, other = tn.Lab(elsewhere), tn.Lab(here)
    kept = lab.player.branch.keyframes[24, 1]
    lab.seek(24)
    assert lab.state.digest() == kept.digest()
    lab.seek(26)
    other.seek(26)
    assert lab.state.digest() != other.state.digest()  # computed from the stored keyframes, not from the start
    lab.seek(34)
    other.seek(34)
    assert lab.state.digest() == other.state.digest()


def test_replay_and_verify_go_on_from_each_stored_keyframe_and_say_so(elsewhere: Path) -> None:
    lab = tn.Lab(elsewhere)
    report = replay(lab.player)
    assert (report.equal, report.same_machine, report.compared) == (False, False, 7)
    assert 0 < report.largest_difference < 1e-5
    assert str(report).endswith(f"; {ELSEWHERE}")
    verified = lab.verify()
    assert (verified.equal, verified.same_machine) == (False, False)
    assert verified.lines()[-1] == f"  {ELSEWHERE}, the largest difference met is {verified.largest:.3g}"


def test_on_this_machine_replay_computes_everything_from_the_start(here: Path) -> None:
    altered = carried_over(here)
    report = replay(tn.Lab(altered).player)
    assert (report.equal, report.same_machine, report.first_difference) == (False, True, 24)
    assert ELSEWHERE not in str(report)
    assert replay(tn.Lab(here).player).equal


def test_differences_are_no_failure_of_a_command_where_another_machine_explains_them(
    elsewhere: Path, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("replay", "verify"):
        assert command(verb, str(elsewhere)) == 0
        shown = capsys.readouterr()
        assert ELSEWHERE in shown.out
        assert "replay may differ in the last bits" in shown.err
        assert command(verb, str(elsewhere), "--json") == 0
        assert json.loads(capsys.readouterr().out)["same_machine"] is False
        assert command(verb, str(carried_over(here))) == 1
        carried_over(here, fingerprint="0" * 64)


def test_what_was_recorded_elsewhere_stays_so_when_it_is_saved_here(elsewhere: Path, tmp_path: Path) -> None:
    lab = tn.Lab(elsewhere)
    lab.run(8)
    lab.save(tmp_path / "both")
    header = read_header(lab.path)
    assert header.elsewhere
    assert header.fingerprint == read_header(tmp_path / "here.msgpack").fingerprint
    again = tn.Lab(lab.path)
    assert not again.same_machine
    assert len(again.warnings) == 1
    assert ELSEWHERE in str(again.verify())
    fresh = tn.Lab(lab.path, fresh=True)
    assert (fresh.same_machine, fresh.warnings) == (True, [])
