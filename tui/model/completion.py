"""What the command line offers: the verbs, then units, branches, bookmarks and files by what the verb takes."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from tinynets.errors import CommandError
from tinynets.server.frame import Frame
from tui.model import targets
from tui.model.targets import units


def completions(text: str, frame: Frame | None) -> list[str]:
    """Whole lines that the line so far could become."""
    from tinynets.lab.verbs import COMMANDS

    head, last = _split(text)
    typed = _words(head)
    words = map(_quoted, [*_arguments(typed, frame, last), *_options(typed)]) if typed else map(_verb, sorted(COMMANDS))
    found = dict.fromkeys(words)
    return [head + word for word in found if word != last and _begins(word, last)]


def _verb(name: str) -> str:
    """A verb, with the space behind it where something may follow."""
    from tinynets.lab.verbs import COMMANDS

    return f"{name} " if COMMANDS[name].kinds or COMMANDS[name].options else name


def _split(text: str) -> tuple[str, str]:
    """The line up to its last word, and that word: one that begins with a quote goes on over spaces."""
    quote, start = "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter == " ":
            start = at + 1
    return text[:start], text[start:]


def _words(text: str) -> list[str]:
    from tinynets.lab.command_line import split_words

    try:
        return split_words(text)
    except CommandError:
        return text.split()


def _quoted(word: str) -> str:
    return shlex.quote(word) if " " in word or "'" in word else word


def _begins(word: str, last: str) -> bool:
    return word.startswith(last) or word.startswith(f"'{last}")


def _arguments(typed: list[str], frame: Frame | None, last: str) -> list[str]:
    """What may come after the words that are typed."""
    verb, second = typed[0], len(typed) > 1
    if verb == "set" and typed[1:] in (["optimizer"], ["schedule"]):
        verb, second = typed[1], False
    if verb in ("optimizer", "schedule", "set"):
        return [] if second else _settings(verb)
    key, found, _ = last.partition("=")
    if found and frame is not None and (values := _values(verb, key, frame)):
        return [f"{key}={value}" for value in values]
    if verb in OFFERS:
        return OFFERS[verb](frame, typed[1:])
    if frame is None:
        return []
    plain = [word for word in typed[1:] if "=" not in word or "[" in word.partition("=")[0]]  # `rnn[5]@t=3`
    if not plain:
        return targets.first(verb, frame, last)
    return targets.second(verb, frame, plain[0], last) if len(plain) == 1 else []


def _values(verb: str, option: str, frame: Frame) -> list[str]:
    """What an option may be, where that can be listed."""
    from tinynets.lab.verbs import COMMANDS

    kind = COMMANDS[verb].options.get(option) if verb in COMMANDS else None
    if kind is None:
        return []
    if kind == "flag" or (verb, option) in FLAGS:
        return ["true"]
    listed: dict[str, Callable[[], list[str]]] = {
        "branch": lambda: _branch_names(frame),
        "bookmark": lambda: [pin.name for pin in frame.timeline.pins],
        "save": _saves_here,
        "toward": lambda: list(frame.labels),
        "away": lambda: list(frame.labels),
        "over": lambda: list(frame.splits),
        "split": lambda: list(frame.splits) if verb in ("explain", "predict") else [str(frame.view.unit)],
        "source": lambda: targets.first("reinit", frame, ""),
        "example": lambda: [str(frame.view.example)],
    }
    return listed[option]() if option in listed else []


def _options(typed: list[str]) -> list[str]:
    """The `name=` of the options that are not written yet."""
    from tinynets.lab.verbs import COMMANDS

    command = COMMANDS.get(typed[0])
    given = {word.partition("=")[0] for word in typed[1:]}
    return [f"{name}=" for name in command.options if name and name not in given] if command else []


FLAGS = {("evaluate", "clean"), ("script", "overwrite")}


# -- by verb: what is offered, of a frame and the words behind the verb


def _splits(frame: Frame | None, typed: list[str]) -> list[str]:
    return [] if typed or frame is None else list(frame.splits)


def _branches(frame: Frame | None, typed: list[str]) -> list[str]:
    return [] if typed else _branch_names(frame)


def _other_branches(frame: Frame | None, typed: list[str]) -> list[str]:
    """All but the current one, which can neither be switched to nor dropped."""
    return [] if typed or frame is None else [line.name for line in frame.timeline.branches if not line.current]


def _comparable(frame: Frame | None, typed: list[str]) -> list[str]:
    """Branches, those not named yet first, then saves."""
    names = sorted(_branch_names(frame), key=lambda name: frame is not None and name == frame.status.branch)
    return [name for name in [*names, *_saves_here()] if name not in typed] if len(typed) < 2 else []


def _bookmarks(frame: Frame | None, typed: list[str]) -> list[str]:
    return [] if typed or frame is None else [pin.name for pin in frame.timeline.pins]


def _files(frame: Frame | None, typed: list[str]) -> list[str]:
    return [] if typed else _found((".msgpack", ".toml"))


def _saves(frame: Frame | None, typed: list[str]) -> list[str]:
    return [] if typed else _saves_here()


def _scripts(frame: Frame | None, typed: list[str]) -> list[str]:
    return [f"{frame.status.recipe}.py"] if frame is not None and not typed else []


def _conditions(frame: Frame | None, typed: list[str]) -> list[str]:
    """The words of conditions; behind those that ask for units, the selected one and the blocks."""
    from tinynets.lab.conditions import COMPARISONS, JOINING, NUMBERS, UNIT_WORDS

    before = typed[-1] if typed else ""
    if before in UNIT_WORDS:
        return units(frame, "") if frame is not None else []
    if before in NUMBERS:
        return list(COMPARISONS)
    if before and before not in JOINING:
        return [word for word in JOINING if word != "not"]
    return [*NUMBERS, *UNIT_WORDS, "not"]


OFFERS: dict[str, Callable[[Frame | None, list[str]], list[str]]] = {
    "evaluate": _splits,
    "open": _files,
    "save": _saves,
    "script": _scripts,
    "switch": _other_branches,
    "drop": _other_branches,
    "rename": _branches,
    "compare": _comparable,
    "seek": _bookmarks,
    "bookmark": _bookmarks,
    "unbookmark": _bookmarks,
    "until": _conditions,
    "run_until": _conditions,
    "back_until": _conditions,
}


def _branch_names(frame: Frame | None) -> list[str]:
    return [line.name for line in frame.timeline.branches] if frame else []


def _settings(verb: str) -> list[str]:
    from tinynets.training.optimizers import NAMED
    from tinynets.training.schedules import SCHEDULES
    from tinynets.training.settings import setting_names

    if verb == "set":
        return list(setting_names())
    return list(NAMED) if verb == "optimizer" else list(SCHEDULES)


def _saves_here() -> list[str]:
    return _found((".msgpack",))


def _found(suffixes: tuple[str, ...]) -> list[str]:
    """The files of these kinds, here and in the folder of saves."""
    folders = [folder for folder in (Path("."), Path("saves")) if folder.is_dir()]
    files = (path for folder in folders for path in folder.iterdir())
    return sorted(str(path) for path in files if path.suffix in suffixes and path.name != "pyproject.toml")


def usage(text: str) -> str:
    """The usage and help of the verb at the start of a line; empty when it is none."""
    from tinynets.lab.verbs import COMMANDS, METHODS

    words = text.split()
    command = COMMANDS.get(METHODS.get(words[0], words[0])) if words else None
    return f"{command.usage}   {command.help}" if command else ""
