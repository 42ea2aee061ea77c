"""Files made to do harm: each is refused in a line, or is a lab that works; at once, and in little memory.

`pytest -m proof` reads 5,000 altered saves; with TINYNETS_PROOF=20 in the environment twenty times as many. A failure
names the kind and the seed of the file: `altered(sample(kind), kind, seed)` in mutations.py makes it again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from mutations import altered
from samples import KINDS, sample

import tinynets as tn
from tinynets import saves
from tinynets.errors import LONGEST
from tinynets.evaluation import Splits
from tinynets.playback import Player
from tinynets.timeline import Moment
from tinynets.travel import finish

PROOF = 5_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
MOST_BYTES = 64 * 2**20  # allocated above the file's size
MOST_SECONDS = 1.0  # of the processor, so that what else runs here does not count
SHORT = 10


@dataclass
class Figures:
    """What reading so many files has cost at worst."""

    done: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    nbytes: int = 0

    def measured(self, act: Callable[[], Any]) -> Any:
        """What `act` gives, or None where it refuses; fails where that takes too long."""
        start = process_time()
        made = refused_or(act)
        seconds = process_time() - start
        self.seconds = max(self.seconds, seconds)
        assert seconds <= MOST_SECONDS, f"it took {seconds:.2f} seconds"
        return made

    def weighed(self, size: int, act: Callable[[], Any]) -> Any:
        """The same; fails where that allocates too much."""
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
        return f"{counts}; at worst {self.seconds:.3f} s and {self.nbytes / 2**20:.1f} MB above a file's size"


def refused_or(act: Callable[[], Any]) -> Any:
    """What `act` gives; None where it says in a line why not."""
    try:
        return act()
    except tn.SaveError as error:
        text = str(error)
        assert len(text) <= LONGEST
        assert len(text.splitlines()) == 1
        return None


def check(path: Path, journal: bool, figures: Figures) -> bool:
    """A file is refused, or opens into a lab that can go anywhere and be saved again; whether it opens."""
    size = path.stat().st_size
    recovered = figures.weighed(size, lambda: saves.read(path, recover=True))
    opened = figures.measured(lambda: saves.read(path, recover=True) if journal else tn.Lab(path))
    figures.done["refused" if opened is None else "opened"] += 1
    if isinstance(opened, tn.Lab):
        roam(opened, path.with_name("again.msgpack"))
    elif recovered is not None:
        saved_again(recovered, path.with_name("recovered.msgpack"))
    assert recovered is not None or opened is None
    return opened is not None


def roam(lab: tn.Lab, path: Path) -> None:
    """Go to the start, the middle and the end of branches, and on; save, and open that."""
    try:
        for branch in lab.branches[:20]:
            lab.switch(branch)
            for step in (0, lab.end // 2, lab.end):
                lab.seek(step)
        lab.evaluate("train")
        lab.step()
    except tn.NonFiniteError:  # a rate can be altered into one that no training survives
        pass
    lab.save(path)
    again = tn.Lab(path)
    assert again.state.digest() == lab.state.digest()
    assert (again.moment, again.branches, again.log) == (lab.moment, lab.branches, lab.log)
    lab.close()
    again.close()


def saved_again(loaded: saves.Loaded, path: Path) -> None:
    """What was recovered of a file is a whole save."""
    splits = Splits(loaded.data, loaded.recipe.build(loaded.data), loaded.recipe.training.loss)
    player = Player(loaded.timeline, loaded.recipe.training.loss, *splits["train"], splits.weight("train"))
    try:
        finish(player.go(loaded.position))
    except tn.NonFiniteError:
        finish(player.go(Moment(loaded.position.branch, 0, 0)))
    saves.write(path, loaded.recipe, loaded.data, player.timeline, player.position, player.state)
    tn.Lab(path).close()


def attack(kind: str, seeds: range, folder: Path) -> Figures:
    """Read the files of these seeds."""
    made, figures, path = sample(kind), Figures(), folder / "altered.msgpack"
    for seed in seeds:
        content, damaged = altered(made, kind, seed)
        path.write_bytes(content)
        try:
            opened = check(path, kind == "journal", figures)
            assert not (opened and damaged and kind != "journal"), "it is damaged, and opens"
        except Exception as error:
            raise AssertionError(f"kind {kind!r}, seed {seed}: {type(error).__name__}: {error}") from error
    return figures


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_save_is_refused_or_works(kind: str, tmp_path: Path) -> None:
    assert attack(kind, range(SHORT), tmp_path).done.total() == SHORT


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
    script = Path(__file__).parents[1] / "fuzz_saves.py"
    done = subprocess.run(
        [sys.executable, str(script), "-runs=2000"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
