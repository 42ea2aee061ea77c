"""Reads, opens and writes whole saves.

See snapshot.py for the records and their order, reader.py for making a timeline of them, records.py for the framing of
records and codec.py for that of values; docs/save-format.md describes all of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tinynets.data import Dataset
from tinynets.errors import (
    CorruptSave,
    DataError,
    NonFiniteError,
    SaveError,
    ShapeError,
    TinynetsError,
    UnsupportedSave,
)
from tinynets.experiment.experiment import Experiment
from tinynets.history.keyframes import BUDGET
from tinynets.history.moment import Moment
from tinynets.history.moves import go
from tinynets.history.player import Player
from tinynets.history.timeline import Timeline
from tinynets.jobs import run_to_end
from tinynets.numerics.determinism import fingerprint, fix_threads, requested_threads
from tinynets.recipes.catalog import load_recipe
from tinynets.recipes.recipe import Recipe
from tinynets.storage.fields import RecordFields, gated
from tinynets.storage.header import MAX_HEADER, SaveHeader, read_header_record
from tinynets.storage.read_back import read_back
from tinynets.storage.reader import Reader
from tinynets.storage.reader_v1 import ReaderV1
from tinynets.storage.records import RecordFile, write_records
from tinynets.storage.recovery import SUFFIX as JOURNAL
from tinynets.storage.snapshot import snapshot
from tinynets.system.paths import expanded, unusable
from tinynets.training.state import State

# -- reading

READERS = {Reader.version: Reader, ReaderV1.version: ReaderV1}
"""The reader of each supported format version."""


@dataclass(frozen=True)
class LoadedSave:
    """The contents of a save, checked and rebuilt."""

    header: SaveHeader
    recipe: Recipe
    data: Dataset
    timeline: Timeline
    position: Moment
    damage: str = ""
    """For a recovered file: why reading stopped."""
    whole: int = 0
    """Bytes that were read and understood."""
    size: int = 0
    """Bytes of the file."""
    warnings: list[str] = field(default_factory=list)

    @property
    def same_machine(self) -> bool:
        """Whether a replay gives the same bits here as where it was saved."""
        here = self.header.fingerprint == fingerprint() and self.header.threads == fix_threads()
        return here and not self.header.elsewhere


def read(path: str | os.PathLike[str], data: object = None, *, recover: bool = False) -> LoadedSave:
    """Read a save, check and rebuild it. `data`, as a Lab takes it, replaces a data set too large to be embedded.

    With `recover`, read the longest whole part from the beginning of a journal or a damaged save: `damage` then says
    why it ended, `whole` and `size` how much was cut off.

    Raises CorruptSave or UnsupportedSave that says what is wrong, SaveError if the file cannot be read, DataError or
    ShapeError if `data` cannot be used.
    """
    with gated(path):
        return _read(path, data, recover)


def _read(path: str | os.PathLike[str], data: object, recover: bool) -> LoadedSave:
    file = RecordFile(path, recover=recover)
    reader: Reader | None = None
    damage, whole = "", 0
    for record in file:
        reader = reader or READERS[file.version](str(path), data)
        try:
            with gated(path):
                reader.apply(record)
        except SaveError as error:
            if not recover or not reader.begun:
                raise
            damage, whole = str(error), file.whole
            break
    if reader is None:
        raise CorruptSave(f"`{path}` holds nothing that is whole")
    if not recover and reader.header is not None and reader.header.kind == "journal":
        raise UnsupportedSave(f"`{path}` is a journal, not a save: recover it first")
    timeline, position = reader.finish(recover)
    header, recipe, found = reader.opening()
    if not damage and file.damage and not (header.kind == "journal" and file.whole == file.size):
        damage = file.damage
    return LoadedSave(
        header, recipe, found, timeline, position, damage, whole or file.whole, file.size, list(reader.warnings)
    )


def read_header(path: str | os.PathLike[str]) -> SaveHeader:
    """The header of a save, without reading the rest."""
    file = RecordFile(path, most=MAX_HEADER)
    with gated(path):
        for record in file:
            return read_header_record(RecordFields(str(path), record), file.version)
    raise CorruptSave(f"`{path}` holds nothing")


# -- opening


@dataclass(frozen=True)
class Opened:
    """An opened experiment, and what a person should know about it."""

    experiment: Experiment
    warnings: tuple[str, ...] = ()


def open_experiment(path: str) -> Experiment:
    """The experiment in a save, a journal or a `.toml` recipe, to be read only: nothing is locked or written."""
    path = expanded(path)
    if why := unusable(path):
        raise SaveError(f"`{path!r}` cannot be read: {why}")
    asked = requested_threads(None)
    if path.endswith(".toml"):
        recipe = load_recipe(path)
        return Experiment.start(recipe, recipe.load_data(), threads=asked)
    return opened(path, threads=asked, recover=path.endswith(JOURNAL)).experiment


def opened(
    path: str, data: object = None, *, budget: int = BUDGET, threads: int | None = None, recover: bool = False
) -> Opened:
    """Open a save at its position; `recover`: a journal, as far as it is whole."""
    fix_threads(threads, read_header(path).threads)
    loaded = read(path, data, recover=recover)
    loaded.timeline.keyframes.budget = budget
    with gated(path):
        experiment = _experiment(path, loaded, loaded.timeline, data)
        warnings = [*loaded.warnings, *experiment.warnings, *stand_at(experiment.player, loaded.position)]
    experiment.same_machine = loaded.same_machine
    loaded.timeline.elsewhere = not loaded.same_machine
    if loaded.damage:
        lost = loaded.size - loaded.whole
        warnings.append(f"{loaded.damage}; what came before is here, {lost:,} bytes behind it are lost")
    if not loaded.same_machine:
        warnings.append(
            f"`{path}` was saved with another processor, numpy or thread count: replay may differ in the last bits"
        )
    return Opened(experiment, tuple(warnings))


def opened_afresh(path: str, data: object = None, *, budget: int = BUDGET, threads: int | None = None) -> Opened:
    """Open only the recipe, data and start of a save, without its steps."""
    fix_threads(threads, read_header(path).threads)
    loaded = read(path, data)
    first = next(branch for branch in loaded.timeline.branches.values() if branch.parent is None)
    with gated(path):
        timeline = Timeline(first.keyframes[0, 0], budget=budget)
        experiment = _experiment(path, loaded, timeline, data)
    return Opened(experiment, (*loaded.warnings, *experiment.warnings))


def _experiment(path: str, loaded: LoadedSave, timeline: Timeline, given: object) -> Experiment:
    """The experiment of a save. Raises DataError or ShapeError for `given` data, CorruptSave for its own."""
    try:
        return Experiment.of(loaded.recipe, loaded.data, timeline)
    except (DataError, ShapeError) as error:
        if given is not None:
            raise
        raise CorruptSave(f"`{path}`: its data do not fit its network: {error}") from None


def stand_at(player: Player, moment: Moment) -> list[str]:
    """Go to a moment, or to the closest kept state if it cannot be computed; returns warnings that say so."""
    try:
        run_to_end(go(player, moment), player.lock)
    except (DataError, NonFiniteError) as error:
        near, _ = player.timeline.keyframes.closest(moment)
        run_to_end(go(player, near), player.lock)
        why = "without the data" if isinstance(error, DataError) else f"again ({error})"
        return [f"step {moment.step:,} cannot be computed {why}: this is step {near.step:,}"]
    return []


# -- writing


def write(
    path: str | os.PathLike[str], recipe: Recipe, data: Dataset, timeline: Timeline, position: Moment, live: State
) -> int:
    """Write a save; returns its size in bytes. If it raises SaveError, an earlier file of that name does not change.

    The new file is read back like any save before it gets its name, so that every save can be opened.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SaveError(f"`{target}` cannot be written: its folder cannot be made: {error.strerror}") from None

    def check(written: Path) -> None:
        try:
            read_back(written, data, position, len(timeline.branches))
        except TinynetsError as error:
            cause = str(error).replace(str(written), str(path))
            raise SaveError(f"`{path}` is not saved, as it could not be opened again: {cause}") from error

    write_records(target, snapshot(recipe, data, timeline, position, live), check)
    return target.stat().st_size
