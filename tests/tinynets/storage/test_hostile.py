"""Files made to do harm: each is refused in one line or is a working lab; quickly, and in little memory.

`pytest -m proof` reads 5,000 altered saves; with TINYNETS_PROOF=20 in the environment twenty times as many. A failure
names the kind and the seed of the file: `altered(sample(kind), kind, seed)` in mutations.py makes it again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import Pairs, Raw, altered, array_head, copied, extension, filed, packed
from samples import KINDS, Sample, sample
from work import worked

import tinynets as tn
from tinynets.errors import LONGEST
from tinynets.experiment.splits import PreparedSplits
from tinynets.history import moves
from tinynets.history.live import Examples
from tinynets.history.moment import Moment
from tinynets.history.player import Player
from tinynets.jobs import run_to_end
from tinynets.storage import saves
from tinynets.storage.recovery import SUFFIX, recoverable

PROOF = 5_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
MOST_BYTES = 64 * 2**20  # bytes allocated beyond the file's size
MOST_CALLS = 4_000_000  # calls of functions, in Python and in C: about a second's work
SHORT = 10


@dataclass
class Figures:
    """The most that reading any of the files has cost."""

    done: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    nbytes: int = 0

    def measured(self, act: Callable[[], Any]) -> Any:
        """The result of `act`, or None if it refuses; fails if that takes too much work."""
        calls, made = worked(lambda: refused_or(act))
        self.calls = max(self.calls, calls)
        assert calls <= MOST_CALLS, f"it took {calls:,} calls"
        return made

    def weighed(self, size: int, act: Callable[[], Any]) -> Any:
        """The same; fails if that allocates too much."""
        tracemalloc.start(1)
        try:
            made = refused_or(act)
            nbytes = tracemalloc.get_traced_memory()[1] - size
        finally:
            tracemalloc.stop()
        self.nbytes = max(self.nbytes, nbytes)
        assert nbytes <= MOST_BYTES, f"it took {nbytes:,} bytes more than the file has"
        return made

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {what}" for what, count in sorted(self.done.items()))
        return f"{counts}; at worst {self.calls:,} calls and {self.nbytes / 2**20:.1f} MB above a file's size"


def refused_or(act: Callable[[], Any]) -> Any:
    """The result of `act`; None if it says in one line why not."""
    try:
        return act()
    except tn.SaveError as error:
        text = str(error)
        assert len(text) <= LONGEST
        assert len(text.splitlines()) == 1
        return None


def check(path: Path, figures: Figures) -> bool:
    """Check that a file is refused, or opens as a lab that can go anywhere and be saved; returns whether it opens."""
    size = path.stat().st_size
    refused_or(lambda: saves.read_header(path))
    recovered = figures.weighed(size, lambda: saves.read(path, recover=True))
    lab = figures.measured(lambda: tn.Lab(path))
    if lab is not None:
        lab.close()
        lab = figures.weighed(size, lambda: tn.Lab(path))
    figures.done["refused" if lab is None else "opened"] += 1
    if lab is not None:
        roam(lab, path.with_name("again.msgpack"))
    elif recovered is not None:
        saved_again(recovered, path.with_name("recovered.msgpack"))
    assert recovered is not None or lab is None
    return lab is not None


def roam(lab: tn.Lab, path: Path) -> None:
    """Go to the start, the middle and the end of branches, and on; save, and open the save."""
    try:
        for branch in lab.branches[:20]:
            lab.switch(branch)
            for step in (0, lab.end // 2, lab.end):
                lab.seek(step)
        lab.evaluate("train")
        lab.step()
    except tn.NonFiniteError:  # an altered rate may be one that no training survives
        pass
    except tn.DataError:
        assert lab.data.missing is not None
    lab.save(path)
    again = tn.Lab(path)
    assert again.state.digest() == lab.state.digest()
    assert (again.moment, again.branches) == (lab.moment, lab.branches)
    assert repr(again.log) == repr(lab.log)  # as text, NaN equals NaN
    lab.close()
    again.close()


def saved_again(loaded: saves.LoadedSave, path: Path) -> None:
    """Check that what was recovered from a file is a whole save."""
    recipe, data, timeline, moment = loaded.recipe, loaded.data, loaded.timeline, loaded.position
    start = timeline.branch.keyframes[0, 0]
    network = recipe.build(data, theta=start.theta, carried=start.buffers)
    splits = PreparedSplits(data, network, recipe.training.loss)
    missing = data.missing.reason if data.missing is not None else ""
    examples = Examples(*splits["train"], splits.weight("train"), missing)
    player = Player(timeline, recipe.training.loss, examples)
    try:
        run_to_end(moves.go(player, moment))
    except tn.NonFiniteError:
        run_to_end(moves.go(player, Moment(moment.branch, 0, 0)))
    except tn.DataError:
        assert missing
        run_to_end(moves.go(player, timeline.keyframes.closest(moment)[0]))
    saves.write(path, recipe, data, player.timeline, player.position, player.state)
    tn.Lab(path).close()


def attack(kind: str, seeds: range, folder: Path) -> Figures:
    """Read the files of these seeds."""
    made, figures = sample(kind), Figures()
    path = folder / ("altered.journal" if "journal" in kind else "altered.msgpack")
    for seed in seeds:
        content, damaged = altered(made, kind, seed)
        path.write_bytes(content)
        try:
            opened = check(path, figures)
            assert not (opened and damaged and "journal" not in kind), "it is damaged, and opens"
        except Exception as error:
            raise AssertionError(f"kind {kind!r}, seed {seed}: {type(error).__name__}: {error}") from error
    return figures


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.proof
def test_an_altered_save_is_refused_or_works(kind: str, tmp_path: Path) -> None:
    assert attack(kind, range(SHORT), tmp_path).done.total() == SHORT


@pytest.mark.proof
def test_a_thousand_changes_of_layers_are_read_in_little_work(tmp_path: Path) -> None:
    attack("v2-surgery", range(2890, 2891), tmp_path)


@pytest.fixture(scope="module")
def whole() -> Sample:
    return sample("plain")


def test_altered_journals_do_not_hinder_what_is_left_over_from_being_listed(tmp_path: Path) -> None:
    made = sample("journal")
    for seed in range(5 * SHORT):
        (tmp_path / f"{seed}{SUFFIX}").write_bytes(altered(made, "journal", seed).content)
    (tmp_path / f"whole{SUFFIX}").write_bytes(made.content)
    assert "whole" in {left.file.stem for left in recoverable(tmp_path)}


def test_a_journal_of_steps_that_cannot_be_computed_again_opens_at_what_was_kept(whole: Sample, tmp_path: Path) -> None:
    records = [copied(record) for record in whole.records[:5]]
    records[0]["kind"] = "journal"
    edit = {"op": "set", "target": "lr", "args": {"value": 1e300}}
    records += [
        {"record": "edits", "branch": 0, "edits": [{"step": 0, "edit": edit, "done": "", "before": 0.0, "after": 0.0}]},
        {"record": "losses", "branch": 0, "first": 0, "values": np.zeros(3, np.float32)},
        {"record": "position", "branch": 0, "step": 3, "edits": 1, "actions": np.zeros((0, 6), np.int64)},
    ]
    path = tmp_path / "runs-away.journal"
    path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=False))
    lab = tn.Lab(path)
    assert (lab.step_number, lab.end) == (0, 3)
    assert lab.warnings[-1].startswith("step 3 cannot be computed again (step 1: the update became NaN or infinite")


TOO_MANY = "a list or map claims more items than there are bytes"
F4 = np.zeros(32, np.float32).tobytes()
IMPOSSIBLE: dict[str, tuple[Any, str]] = {
    "a list of four billion items": (
        Raw(b"\xdd\xff\xff\xff\xff"),
        "a list or map claims more items than there are bytes",
    ),
    "a map of four billion keys": (
        Raw(b"\xdf\xff\xff\xff\xff"),
        "a list or map claims more items than there are bytes",
    ),
    "a text of four gigabytes": (
        Raw(b"\xdb\xff\xff\xff\xff"),
        "a text in it takes 4,294,967,295 bytes; at most 1,048,576 are allowed",
    ),
    "bytes of four gigabytes": (Raw(b"\xc6\xff\xff\xff\xff"), "it ends in the middle of a value"),
    "an array of Python objects": (
        Raw(extension(array_head("|O8", (4,)) + F4)),
        "an array has the dtype '|O8', not one of <f4, <f8, <i4, <i8, |u1, |b1",
    ),
    "an array of -1 elements": (
        Raw(extension(array_head("<f4", (-1,)) + F4)),
        f"an array of shape ({2**64 - 1},) and dtype <f4 needs {2**66 - 4:,} bytes, but has 128",
    ),
    "an array of a petabyte": (
        Raw(extension(array_head("<f4", (2**48,)) + F4)),
        f"an array of shape ({2**48},) and dtype <f4 needs {2**50:,} bytes, but has 128",
    ),
    "an array that is large and empty": (
        Raw(extension(array_head("<f4", (0, 2**63)))),
        f"an array has the impossible shape (0, {2**63})",
    ),
    "an array of 255 axes": (
        Raw(extension(array_head("<f4", (1,) * 255))),
        "an array has 255 axes; at most 8 are allowed",
    ),
    "a key that stands twice": (Pairs([("a", 1), ("a", 2)]), "a map has the key `a` twice"),
    "a key that is a number": (Pairs([(1, 1)]), "a key of a map is not text"),
    "lists a million deep": (Raw(b"\x91" * 1_000_000 + b"\xc0"), "it is nested deeper than 16 levels"),
    "maps fifty thousand deep": (Raw(b"\x81\xa1a" * 50_000 + b"\xc0"), "it is nested deeper than 16 levels"),
    "a million items": (Raw(b"\xdd\x00\x10\x00\x00" + b"\xc0" * 2**20), "it holds more than 262,144 items"),
    "text that is no UTF-8": (Raw(b"\xa2\xff\xfe"), "a text in it is not UTF-8"),
    "a byte that begins no value": (Raw(b"\xc1"), "byte 0xc1 begins no value"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_no_lab_writes_is_refused_with_right_checksums_too(whole: Sample, tmp_path: Path, name: str) -> None:
    value, reason = IMPOSSIBLE[name]
    records = [copied(record) for record in whole.records]
    place = next(number for number, record in enumerate(records) if record["record"] == "keyframe")
    records[place]["theta"] = value
    path = tmp_path / "altered.msgpack"
    path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
    with pytest.raises(tn.CorruptSave) as caught:
        tn.Lab(path)
    assert re.fullmatch(rf"`{path}`: record {place + 1} at byte [\d,]+ cannot be understood: (.*)", str(caught.value))
    assert str(caught.value).endswith(f": {reason}")
    assert Figures().weighed(path.stat().st_size, lambda: tn.Lab(path)) is None


def test_bytes_behind_the_value_of_a_record_are_refused(whole: Sample, tmp_path: Path) -> None:
    path = tmp_path / "altered.msgpack"
    payloads = [packed(record) for record in whole.records]
    path.write_bytes(filed([*payloads[:-1], payloads[-1] + b"\0"], 2, count=None, whole=True))
    with pytest.raises(tn.CorruptSave, match=r"cannot be understood: it goes on after its value$"):
        tn.Lab(path)


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_altered_saves_are_refused_or_work(kind: str, tmp_path: Path) -> None:
    count = -(-PROOF // len(KINDS))
    figures = attack(kind, range(count), tmp_path)
    print(f"\n{kind}: {figures}")
    assert figures.done["refused"] < count


@pytest.mark.proof
def test_coverage_leads_to_no_file_that_does_harm(tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    script = Path(__file__).with_name("fuzz_saves.py")
    done = subprocess.run(
        [sys.executable, str(script), "-runs=2000"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
