"""Completions of the command line: the verbs, then possible values of their arguments."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinynets.errors import CommandError
from tinynets.server.frame import Frame
from tui.model.targets import TARGETS, block_of, other_units, units


def completions(text: str, frame: Frame | None) -> list[str]:
    """Complete lines that the typed text could become."""
    from tinynets.lab.verbs import VERBS  # the app starts sooner without it

    head, last = _split(text)
    typed = _words(head)
    words = map(_quoted, [*_arguments(typed, frame, last), *_options(typed)]) if typed else map(_verb, sorted(VERBS))
    found = dict.fromkeys(words)
    return [head + word for word in found if word != last and _begins(word, last)]


def _verb(name: str) -> str:
    """A verb, with a space after it if arguments may follow."""
    from tinynets.lab.verbs import VERBS  # the app starts sooner without it

    return f"{name} " if VERBS[name].asks else name


def _split(text: str) -> tuple[str, str]:
    """The line up to its last word, and that word; a word that begins with a quote may contain spaces."""
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
    from tinynets.lab.command_line import split_words  # the app starts sooner without it

    try:
        return split_words(text)
    except CommandError:
        return text.split()


def _quoted(word: str) -> str:
    return shlex.quote(word) if " " in word or "'" in word else word


def _begins(word: str, last: str) -> bool:
    return word.startswith(last) or word.startswith(f"'{last}")


def _arguments(typed: list[str], frame: Frame | None, last: str) -> list[str]:
    """What may come after the words typed so far."""
    from tinynets.lab.verbs import verb_typed  # the app starts sooner without it

    verb = verb_typed(typed[0])
    if verb is None:
        return []
    line = Line(frame, typed[1:], last)
    name, found, _ = last.partition("=")
    named = {argument.name: argument for argument in verb.named}
    if found and name in named and (values := line.offers(named[name].kind.name)):
        return [f"{name}={value}" for value in values]
    placed, at = verb.placed, len(line.plain)
    if placed and placed[-1].kind.rest:
        at = min(at, len(placed) - 1)
    return line.offers(placed[at].kind.name) if at < len(placed) else []


def _options(typed: list[str]) -> list[str]:
    """The `name=` of each option not written yet."""
    from tinynets.lab.verbs import verb_typed  # the app starts sooner without it

    verb = verb_typed(typed[0])
    given = {word.partition("=")[0] for word in typed[1:]}
    return [f"{argument.name}=" for argument in verb.named if argument.name not in given] if verb else []


@dataclass(frozen=True)
class Line:
    """A line being typed: the words after its verb, and the last word, which is unfinished."""

    frame: Frame | None
    words: list[str]
    last: str

    @property
    def plain(self) -> list[str]:
        """The words that are not `name=value`; `rnn[5]@t=3` counts as plain."""
        return [word for word in self.words if "=" not in word or "[" in word.partition("=")[0]]

    def offers(self, kind: str) -> list[str]:
        """Possible values for a kind of argument."""
        if kind in OFFERED:
            return OFFERED[kind](self)
        if self.frame is None:
            return []
        if kind in TARGETS:
            return TARGETS[kind](self.frame, self.last)
        return SEEN[kind](self.frame, self) if kind in SEEN else []


# -- by kind of argument


def _branches(frame: Frame, line: Line) -> list[str]:
    return [entry.name for entry in frame.timeline.branches]


def _other_branches(frame: Frame, line: Line) -> list[str]:
    """All branches but the current one, which can be neither switched to nor dropped."""
    return [entry.name for entry in frame.timeline.branches if not entry.current]


def _bookmarks(frame: Frame, line: Line) -> list[str]:
    return [pin.name for pin in frame.timeline.pins]


def _layer_kinds(frame: Frame, line: Line) -> list[str]:
    block = block_of(frame, line.plain[0])
    return list(block.insertable) if block else []


def _phases(frame: Frame, line: Line) -> list[str]:
    """The kinds of phases; after one that passes the layers, the layers."""
    before = line.words[-1] if line.words else ""
    if before in ("forward", "backward"):
        return [mark.layer for mark in frame.status.phases if mark.kind == before]
    return [] if before else list(dict.fromkeys(mark.kind for mark in frame.status.phases))


def _breaks_at(frame: Frame, line: Line) -> list[str]:
    return [*_phases(frame, line), *([] if line.words[-1:] in (["forward"], ["backward"]) else _conditions(line))]


SEEN: dict[str, Callable[[Frame, Line], list[str]]] = {
    "split": lambda frame, line: list(frame.splits),
    "probe or split": lambda frame, line: ["probe", *frame.splits],
    "example": lambda frame, line: [str(frame.view.example)],
    "class": lambda frame, line: list(frame.labels),
    "branch": _branches,
    "other branch": _other_branches,
    "bookmark": _bookmarks,
    "moment": _bookmarks,
    "script": lambda frame, line: [f"{frame.status.recipe}.py"],
    "other units": lambda frame, line: other_units(frame, line.plain[0]),
    "units elsewhere": lambda frame, line: TARGETS["learned"](frame, ""),
    "phase": _phases,
    "breaks at": _breaks_at,
    "breakpoint": lambda frame, line: [str(mark.number) for mark in frame.status.breakpoints],
    "unit number": lambda frame, line: [str(frame.view.unit)],
    "layer kind": _layer_kinds,
}
"""Kind of argument -> its possible values, given the frame."""


def _comparable(line: Line) -> list[str]:
    """The branches (the current one last) and saves that the line does not name yet."""
    frame = line.frame
    branches = sorted(_branches(frame, line), key=lambda name: name == frame.status.branch) if frame else []
    return [name for name in [*branches, *_saves(line)] if name not in line.words]


def _conditions(line: Line) -> list[str]:
    """The words of conditions; after those that take units, the selected unit and the blocks."""
    from tinynets.lab.conditions import COMPARISONS, JOINING, NUMBERS, UNIT_WORDS  # the app starts sooner without it

    before = line.words[-1] if line.words else ""
    if before in UNIT_WORDS:
        return units(line.frame, "") if line.frame is not None else []
    if before in NUMBERS:
        return list(COMPARISONS)
    if before and before not in JOINING:
        return [word for word in JOINING if word != "not"]
    return [*NUMBERS, *UNIT_WORDS, "not"]


def _activations(line: Line) -> list[str]:
    from tinynets.edits.structure import activation_kinds  # the app starts sooner without it

    return sorted(activation_kinds())


def _settings(line: Line) -> list[str]:
    from tinynets.training.settings import setting_names  # the app starts sooner without it

    return list(setting_names())


def _setting_values(line: Line) -> list[str]:
    """Possible values of the named setting, if they can be listed."""
    return OFFERED[line.words[0]](line) if line.words[0] in ("optimizer", "schedule") else []


def _optimizers(line: Line) -> list[str]:
    from tinynets.training.optimizers import NAMED  # the app starts sooner without it

    return list(NAMED)


def _schedules(line: Line) -> list[str]:
    from tinynets.training.schedules import SCHEDULES  # the app starts sooner without it

    return list(SCHEDULES)


def _saves(line: Line) -> list[str]:
    return _found((".msgpack",))


def _sources(line: Line) -> list[str]:
    return _found((".msgpack", ".toml"))


OFFERED: dict[str, Callable[[Line], list[str]]] = {
    "flag": lambda line: ["true"],
    "save": _saves,
    "source": _sources,
    "compared": _comparable,
    "condition": _conditions,
    "activation": _activations,
    "setting": _settings,
    "setting value": _setting_values,
    "optimizer": _optimizers,
    "schedule": _schedules,
}
"""Kind of argument -> its possible values; these can be offered without a frame."""


def _found(suffixes: tuple[str, ...]) -> list[str]:
    """Files with these suffixes, in the working folder and in the folder of saves."""
    folders = [folder for folder in (Path("."), Path("saves")) if folder.is_dir()]
    files = (path for folder in folders for path in folder.iterdir())
    return sorted(str(path) for path in files if path.suffix in suffixes and path.name != "pyproject.toml")


def usage(text: str) -> str:
    """Usage and help of the verb that begins a line; empty if it begins with no verb."""
    from tinynets.lab.verbs import verb_typed  # the app starts sooner without it

    words = text.split()
    verb = verb_typed(words[0]) if words else None
    return f"{verb.usage}   {verb.help}" if verb else ""
