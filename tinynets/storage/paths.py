"""Where saves and journals lie, and what saves are called."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import resources
from pathlib import Path

import platformdirs

from tinynets.errors import SaveError
from tinynets.storage import locks
from tinynets.system.paths import expanded, expanded_path, names_folder, unusable

SUFFIX = ".msgpack"
UNSAFE = '/\\:*?"<>|'
MAX_NAME_BYTES = 100  # of a name from elsewhere in a file's name
RESERVED = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
RESERVED |= {f"{port}{number}" for port in ("COM", "LPT") for number in "0123456789\u00b9\u00b2\u00b3"}
"""Names that mean devices on Windows, whatever ending they have."""


def journal_folder() -> Path:
    """Where journals are."""
    return locks.state_folder() / "journals"


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
