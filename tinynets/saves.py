"""Saves: where they are, which there are, one read by the reader of its format version, and one written at once.

What they hold stands in save_writer.py and in docs/save-format.md, reading in save_reader.py, the framing of records in
records.py, that of values in packing.py.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import platformdirs

from tinynets.data import Dataset
from tinynets.errors import CorruptSave, DataError, NonFiniteError, SaveError, TinynetsError, UnsupportedSave
from tinynets.experiment import Experiment
from tinynets.jobs import run_to_end
from tinynets.leftovers import SUFFIX as JOURNAL
from tinynets.paths import expanded, expanded_path, names_folder, unusable
from tinynets.playback import Player
from tinynets.recipe import Recipe, load_recipe
from tinynets.records import RecordFile, write_records
from tinynets.save_reader import Loaded, Reader, gated, read_back, read_header
from tinynets.save_v1 import FirstReader
from tinynets.save_writer import (
    Header,
    bookmark_record,
    branch_record,
    data_record,
    drop_record,
    edits_record,
    evaluations_record,
    header_record,
    keyframe_record,
    losses_record,
    position_record,
    rename_record,
    snapshot,
    unbookmark_record,
)
from tinynets.state import State
from tinynets.threads import asked_threads, settle_threads
from tinynets.timeline import BUDGET, Moment, Timeline

SUFFIX = ".msgpack"
UNSAFE = '/\\:*?"<>|'
MAX_NAME_BYTES = 100  # of a name from elsewhere in a file's name
RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
RESERVED |= {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"}
"""Names that mean devices on Windows, whatever ending they have."""

__all__ = [
    "SUFFIX",
    "Header",
    "Loaded",
    "Opened",
    "bookmark_record",
    "branch_record",
    "data_record",
    "default_folder",
    "drop_record",
    "edits_record",
    "evaluations_record",
    "free_name",
    "gated",
    "header_record",
    "keyframe_record",
    "list_saves",
    "losses_record",
    "open_experiment",
    "opened",
    "opened_afresh",
    "position_record",
    "read",
    "read_header",
    "rename_record",
    "safe_name",
    "shipped_folder",
    "snapshot",
    "stand_at",
    "target",
    "unbookmark_record",
    "writable",
    "write",
]


# -- where saves are


def default_folder() -> Path:
    """Where the lab saves by default: `saves` here when there is such a folder, else the user's own data folder."""
    here = Path("saves")
    return here if here.is_dir() else Path(platformdirs.user_data_path("tinynets", appauthor=False)) / "saves"


def free_name(name: str) -> Path:
    """A file in the default folder, called after `name`, that is not there yet: what was saved before stays."""
    folder, name = default_folder(), safe_name(name)
    names = (f"{name}{SUFFIX}", *(f"{name}-{number}{SUFFIX}" for number in range(2, 10_000)))
    return next((folder / entry for entry in names if not (folder / entry).exists()), folder / names[0])


def safe_name(name: str) -> str:
    """A name from anywhere as part of a file's name: of one folder, on every system, short enough for an ending."""
    kept = "".join(letter if letter.isprintable() and letter not in UNSAFE else "-" for letter in name)
    kept = kept.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore").strip(". ")
    if kept.split(".")[0].strip().upper() in RESERVED:
        kept = f"_{kept}"
    return kept or "run"


def target(path: object) -> str:
    """The file that a save of that path is, its ending added; raises SaveError where it cannot be one."""
    if not isinstance(path, str | Path) or not str(path).strip() or "\0" in str(path):
        raise SaveError(f"a save needs a path, not {path!r}")
    path = expanded(path)
    if why := unusable(path):
        raise SaveError(f"`{path}` cannot be written: {why}")
    if os.path.isdir(path) or names_folder(path):
        raise SaveError(f"`{path}` is a folder, not a save")
    return path if path.endswith(SUFFIX) else f"{path}{SUFFIX}"


def writable(path: object) -> str:
    """`target`, when a save can be written there as far as can be told without writing; else SaveError."""
    file = target(path)
    try:
        os.lstat(file)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise SaveError(f"`{file}` cannot be written: {(error.strerror or str(error)).lower()}") from None
    folder = next((entry for entry in Path(file).absolute().parents if os.path.exists(entry)), Path())
    if not folder.is_dir():
        raise SaveError(f"`{file}` cannot be written: `{folder}` is not a folder")
    if not os.access(folder, os.W_OK):
        raise SaveError(f"`{file}` cannot be written: there is no permission to write in `{folder}`")
    return file


def shipped_folder() -> Path:
    """The saves that ship with the package."""
    installed = Path(str(resources.files("tinynets"))) / "saves_shipped"
    return installed if installed.is_dir() else Path(str(resources.files("tinynets"))).parent / "saves"


def list_saves(folder: str | Path | None = None) -> list[Path]:
    """The saves in a folder, newest first; by default in the default folder, and behind them those that ship.

    Raises SaveError where a folder that was asked for cannot be looked into.
    """
    if folder is not None:
        return _saves_in(expanded_path(folder))
    found: list[Path] = []
    for each in (default_folder(), shipped_folder()):
        with suppress(SaveError):
            found += _saves_in(each)
    return list(dict.fromkeys(found))


def _saves_in(folder: Path) -> list[Path]:
    if why := unusable(folder):
        raise SaveError(f"`{folder}`: no saves can be looked for there: {why}")
    try:
        with os.scandir(folder) as entries:
            files = [entry for entry in entries if entry.name.endswith(SUFFIX) and entry.is_file()]
            times = {Path(entry.path).resolve(): entry.stat().st_mtime for entry in files}
    except OSError as error:
        raise SaveError(
            f"`{folder}`: no saves can be looked for there: {(error.strerror or str(error)).lower()}"
        ) from None
    return sorted(times, key=lambda path: -times[path])


# -- reading

READERS = {Reader.version: Reader, FirstReader.version: FirstReader}
"""For each format version that can be read, what reads it."""


def read(path: str | os.PathLike[str], data: object = None, *, recover: bool = False) -> Loaded:
    """A save, checked and rebuilt. `data`, as a Lab takes it, stands in for a data set too large to be embedded.

    With `recover`, of a journal or a damaged save the longest part from its beginning that is whole; `Loaded.damage`
    says what ended it, `whole` and `size` how much was cut.

    Raises CorruptSave or UnsupportedSave that says what is wrong, SaveError when the file cannot be read, DataError or
    ShapeError when `data` cannot be used.
    """
    with gated(path):
        return _read(path, data, recover)


def _read(path: str | os.PathLike[str], data: object, recover: bool) -> Loaded:
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
    return Loaded(
        header, recipe, found, timeline, position, damage, whole or file.whole, file.size, list(reader.warnings)
    )


# -- opening


@dataclass(frozen=True)
class Opened:
    """What was opened, and what a person should know about that."""

    experiment: Experiment
    warnings: tuple[str, ...] = ()


def open_experiment(path: str) -> Experiment:
    """What a save, a journal or a `.toml` recipe holds, to look at: nothing is locked or written."""
    path = expanded(path)
    if why := unusable(path):
        raise SaveError(f"`{path!r}` cannot be read: {why}")
    asked = asked_threads(None)
    if path.endswith(".toml"):
        recipe = load_recipe(path)
        return Experiment.start(recipe, recipe.load_data(), threads=asked)
    return opened(path, threads=asked, recover=path.endswith(JOURNAL)).experiment


def opened(
    path: str, data: object = None, *, budget: int = BUDGET, threads: int | None = None, recover: bool = False
) -> Opened:
    """A save as it stood; `recover`: a journal, as far as it is whole."""
    settle_threads(threads, read_header(path).threads)
    loaded = read(path, data, recover=recover)
    loaded.timeline.budget = budget
    with gated(path):
        experiment = Experiment.of(loaded.recipe, loaded.data, loaded.timeline)
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
    """Recipe, data and start of a save; nothing is done yet."""
    settle_threads(threads, read_header(path).threads)
    loaded = read(path, data)
    first = next(branch for branch in loaded.timeline.branches.values() if branch.parent is None)
    with gated(path):
        timeline = Timeline(first.keyframes[0, 0], budget=budget)
        experiment = Experiment.of(loaded.recipe, loaded.data, timeline)
    return Opened(experiment, (*loaded.warnings, *experiment.warnings))


def stand_at(player: Player, moment: Moment) -> list[str]:
    """Go to a moment of what was read; where it cannot be computed, to the closest kept state, and say so."""
    try:
        run_to_end(player.go(moment), player.lock)
    except (DataError, NonFiniteError) as error:
        near, _ = player.timeline.closest(moment)
        run_to_end(player.go(near), player.lock)
        why = "without the data" if isinstance(error, DataError) else f"again ({error})"
        return [f"step {moment.step:,} cannot be computed {why}: this is step {near.step:,}"]
    return []


# -- writing


def write(
    path: str | os.PathLike[str], recipe: Recipe, data: Dataset, timeline: Timeline, position: Moment, live: State
) -> int:
    """Write a save; returns its bytes. Raises SaveError, and then an earlier file of that name stands as it was.

    What was written is read as any save before it gets its name, so that there is none that cannot be opened.
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
