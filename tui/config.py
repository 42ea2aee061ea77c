"""The user's own settings of the lab, from a TOML file: keys, theme, layout, saves, samples, frame rate.

A wrong entry is named (the entry, the rule, the value) and skipped; no file can keep the lab from opening.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from tinynets.foreign_text import printable
from tinynets.system.paths import expanded, no_name

PLACE = "TINYNETS_CONFIG"
"""The environment variable for another file."""
AUTO = "auto"
"""The theme that follows the terminal's background."""
MOST_LETTERS = 40
"""Letters of a wrong value that are repeated."""


@dataclass(frozen=True)
class Config:
    """The settings in effect, and what was wrong in the file."""

    path: Path
    theme: str = AUTO
    saves: str = ""
    frame_rate: int = 10
    left: float = 0.6
    panes: tuple[str, ...] = ()
    samples: int = 10
    temperature: float = 1.0
    keys: Mapping[str, str] = field(default_factory=dict)
    """Action -> its keys, by Textual's names, separated by commas."""
    problems: tuple[str, ...] = ()

    @property
    def looking(self) -> dict[str, Any]:
        """What the settings say about every view of the lab."""
        return {"samples": self.samples, "temperature": self.temperature, "frame_rate": self.frame_rate}

    @property
    def saves_folder(self) -> str:
        """Where `w` writes; empty for the usual place."""
        return expanded(self.saves)


@dataclass(frozen=True)
class Entry:
    """One entry of the file. `fits` says whether a value may stand there; `rule` says it in words."""

    name: str
    setting: str
    rule: str
    comment: str
    fits: Callable[[Any], bool]


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and low <= value <= high


ENTRIES = (
    Entry(
        "theme",
        "theme",
        "the name of a theme, as `T` lists them in the lab, or `auto`",
        "auto follows the terminal's background; T in the lab shows all themes",
        lambda value: isinstance(value, str) and value.isprintable() and bool(value),
    ),
    Entry(
        "saves",
        "saves",
        "the path of a folder",
        "the folder that w saves to and o lists; empty: `saves` in the current folder, or your data folder",
        lambda value: isinstance(value, str) and not no_name(value) and not os.path.isfile(expanded(value)),
    ),
    Entry("frame_rate", "frame_rate", "a whole number from 1 to 30", "pictures a second while it runs", _whole(1, 30)),
    Entry(
        "layout.left",
        "left",
        "a number from 0.3 to 0.7",
        "the share of the width that the left side has",
        _between(0.3, 0.7),
    ),
    Entry(
        "layout.panes",
        "panes",
        'a list of names of panes, as `["network", "loss"]`',
        "the panes that are in front at the start; the first has the focus",
        lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    ),
    Entry("samples.count", "samples", "a whole number from 1 to 200", "how many texts are generated", _whole(1, 200)),
    Entry(
        "samples.temperature",
        "temperature",
        "a number from 0 to 1000",
        "0 takes the most likely, 1 as it has learned, more is wilder",
        _between(0, 1000),
    ),
)
TABLES = ("layout", "samples", "keys")


# -- reading


def place() -> Path:
    """The path of the file, whether or not there is one."""
    given = os.environ.get(PLACE)
    return Path(expanded(given)) if given else platformdirs.user_config_path("tinynets", appauthor=False) / "lab.toml"


def load(path: Path | None = None) -> Config:
    """The settings of the file, where there is one; never raises."""
    path = path or place()
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Config(path)
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        why = getattr(error, "strerror", None) or str(error)
        return Config(path, problems=(f"`{path}` cannot be read: {why.lower()}",))
    return parse(content, path)


def parse(content: bytes, path: Path) -> Config:
    """The settings in the text of a file; never raises."""
    import tomllib  # the app starts sooner without it

    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Config(path, problems=(f"`{path}` is not UTF-8 text; all of it is skipped",))
    except RecursionError:
        return Config(path, problems=(f"`{path}` is nested too deep; all of it is skipped",))
    except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
        return Config(path, problems=(f"`{path}` is not TOML: {error}; all of it is skipped",))
    known = {entry.name: entry for entry in ENTRIES}
    settings: dict[str, Any] = {}
    problems: list[str] = []
    keys: dict[str, Any] = {}
    for name, value in _flat(table):
        entry = known.get(name)
        if name.startswith("keys."):
            keys[name.removeprefix("keys.")] = value
        elif name in TABLES:
            problems.append(f"`{name}` must be a table, not {_told(value)}; it is skipped")
        elif entry is None:
            from tinynets.errors import nearest  # the app starts sooner without it

            problems.append(f"`{name}`: there is no such entry, only {', '.join(known)}{nearest(name, known)}")
        elif not entry.fits(value):
            problems.append(f"`{name}` must be {entry.rule}, not {_told(value)}; it is skipped")
        else:
            settings[entry.setting] = tuple(value) if isinstance(value, list) else value
    made = Config(path, **settings, problems=tuple(problems))
    return replace(made, keys=keys) if keys else made


def _flat(table: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The entries of the file, those of its tables by both names: `layout.left`."""
    for name, value in table.items():
        if name in TABLES and isinstance(value, dict):
            yield from ((f"{name}.{inner}", found) for inner, found in value.items())
        else:
            yield name, value


def _told(value: Any) -> str:
    try:
        text = printable(f"`{value}`" if isinstance(value, str) else repr(value).lower())
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        return "this"
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


# -- keys and themes, which need what takes long to import


def checked(config: Config, themes: tuple[str, ...]) -> Config:
    """The settings with only those keys and that theme which there are."""
    from tinynets.errors import nearest  # the app starts sooner without these
    from tinynets.server.frame import PANES

    keys, problems = _keys(config.keys)
    theme, panes = config.theme, tuple(name for name in config.panes if name in PANES)
    for name in config.panes:
        if name not in PANES:
            listed = ", ".join(PANES)
            problems.append(
                f"`layout.panes`: there is no pane `{printable(name)}`, only {listed}{nearest(name, PANES)}"
            )
    if theme not in (AUTO, *themes):
        problems.append(f"`theme`: there is no theme `{printable(theme)}`{nearest(theme, themes)}; T lists all")
        theme = AUTO
    return replace(config, theme=theme, panes=panes, keys=keys, problems=(*config.problems, *problems))


def _keys(wanted: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """The keys that can be given to actions, and what is wrong with the others."""
    from tinynets.errors import nearest  # the app starts sooner without them
    from tui.actions import BY_ID

    kept: dict[str, str] = {}
    problems: list[str] = []
    for name, value in wanted.items():
        if name not in BY_ID:
            problems.append(f"`keys.{printable(name)}`: there is no such action{nearest(name, BY_ID)}; it is skipped")
        elif not isinstance(value, str) or not (keys := _named(value)):
            problems.append(f"`keys.{name}` must be a key, as `Z`, `f5`, `ctrl+g`, not {_told(value)}; it is skipped")
        else:
            kept[name] = keys
    while clash := _clash(kept):
        name, other, key = clash
        problems.append(f"`keys.{name}`: `{key}` is the key of `{other}` already; it is skipped")
        del kept[name]
    return kept, problems


def _named(value: str) -> str:
    """Keys by Textual's names, separated by commas; empty if one is no key."""
    parts = [","] if value == "," else [part.strip() for part in value.split(",")]
    names = [_name_of(part) for part in parts]
    return ",".join(names) if all(names) else ""


def _name_of(key: str) -> str:
    from textual.keys import Keys  # the app starts sooner without them

    from tui.actions import KEY_NAMES

    *modifiers, last = key.split("+") if key not in ("+", "") else [key]
    if not set(modifiers) <= {"ctrl", "shift", "alt"}:
        return ""
    if len(last) == 1:
        printed = {shown: name for name, shown in KEY_NAMES.items() if len(shown) == 1}
        name = last if last.isalnum() else unicodedata.name(last, "").lower().replace("-", "_").replace(" ", "_")
        last = printed.get(last, name)
    elif last not in {known.value for known in Keys} | set(KEY_NAMES):
        return ""
    return "+".join([*modifiers, last]) if last else ""


def _clash(kept: Mapping[str, str]) -> tuple[str, str, str] | None:
    """An action of the file, another that has its key already, and the key."""
    from tui.actions import ACTIONS, shown_key  # the app starts sooner without them

    holders: dict[tuple[str, str], str] = {}
    ordered = sorted(ACTIONS, key=lambda action: action.id in kept)  # those of the file come last, and give way
    for action in ordered:
        for key in kept.get(action.id, action.keys).split(","):
            for pane in action.pane or ("",):
                other = holders.setdefault((pane, key), action.id)
                if other != action.id and action.id in kept:
                    return action.id, other, shown_key(key)
    return None


# -- writing


def as_toml(config: Config) -> Iterator[str]:
    """The settings in effect as lines of a file that can be used as it stands, with what each entry is for."""
    from tui.actions import ACTIONS  # the app starts sooner without it

    yield f"# tinynets-lab: {printable(str(config.path))}{'' if config.path.exists() else ' (there is no such file)'}"
    for problem in config.problems:
        yield f"# skipped: {printable(problem)}"
    table = ""
    for entry in ENTRIES:
        head, _, name = entry.name.rpartition(".")
        if head != table:
            table = head
            yield ""
            yield f"[{head}]"
        yield f"{name} = {_literal(getattr(config, entry.setting))}  # {entry.comment}"
    yield ""
    yield "[keys]  # an action's key or keys, separated by commas"
    for action in ACTIONS:
        line = f"{action.id} = {_literal(config.keys.get(action.id, action.keys))}"
        yield f"{line if action.id in config.keys else '# ' + line}  # {action.help}"


def _literal(value: Any) -> str:
    """A value as it is written in TOML."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if not isinstance(value, str):
        return repr(value)
    escaped = (letter if letter.isprintable() and letter not in '"\\' else f"\\U{ord(letter):08x}" for letter in value)
    return f'"{"".join(escaped)}"'
