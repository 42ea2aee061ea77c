"""Paths: the folders of saves and journals, and the names of saves."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import resources
from pathlib import Path

import platformdirs

from tinynets.errors import SaveError
from tinynets.storage import locks
from tinynets.system.paths import SAVES, expanded, expanded_path, names_folder, unusable

SUFFIX = ".msgpack"
UNSAFE = '/\\:*?"<>|'
MAX_NAME_BYTES = 100  # bytes of a foreign name in a file name
RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
RESERVED |= {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"}
"""Names that mean devices on Windows, with any ending."""


def journal_folder() -> Path:
    """The folder of journals."""
    return locks.state_folder() / "journals"


def default_folder() -> Path:
    """The default folder of saves: the one that the environment names, else `saves` in the current folder if it exists,
    else the user's own data folder.
    """
    if given := os.environ.get(SAVES):
        return expanded_path(given)
    here = Path("saves")
    return here if here.is_dir() else Path(platformdirs.user_data_path("tinynets", appauthor=False)) / "saves"


def free_name(name: str) -> Path:
    """A new file in the default folder, named after `name`, so that earlier saves are kept."""
    folder, name = default_folder(), safe_name(name)
    names = (f"{name}{SUFFIX}", *(f"{name}-{number}{SUFFIX}" for number in range(2, 10_000)))
    return next((folder / entry for entry in names if not (folder / entry).exists()), folder / names[0])


def safe_name(name: str) -> str:
    """A foreign name as part of a file name: valid on every system, without folders, and short enough."""
    kept = "".join(letter if letter.isprintable() and letter not in UNSAFE else "-" for letter in name)
    kept = kept.encode(errors="replace")[:MAX_NAME_BYTES].decode(errors="ignore").strip(". ")
    if kept.split(".")[0].strip().upper() in RESERVED:
        kept = f"_{kept}"
    return kept or "run"


def target(path: object) -> str:
    """The file of a save at that path, with its ending added; raises SaveError if the path is invalid."""
    if not isinstance(path, str | Path) or not str(path).strip() or "\0" in str(path):
        raise SaveError(f"a save needs a path, not {path!r}")
    path = expanded(path)
    if why := unusable(path):
        raise SaveError(f"`{path}` cannot be written: {why}")
    if os.path.isdir(path) or names_folder(path):
        raise SaveError(f"`{path}` is a folder, not a save")
    return path if path.endswith(SUFFIX) else f"{path}{SUFFIX}"


def writable(path: object) -> str:
    """`target`, if a save can be written there as far as can be told without writing; raises SaveError otherwise."""
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
    """The folder of the saves that ship with tinynets."""
    installed = Path(str(resources.files("tinynets"))) / "saves_shipped"
    return installed if installed.is_dir() else Path(str(resources.files("tinynets"))).parent / "saves"


def list_saves(folder: str | Path | None = None) -> list[Path]:
    """The saves in a folder, newest first; by default those of the default folder, then those that ship with tinynets.

    Raises SaveError if a given folder cannot be read.
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
