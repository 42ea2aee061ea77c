"""All verbs that can be typed: those of the operations, of the settings and of a lab's parts."""

from __future__ import annotations

from collections.abc import Iterator

from tinynets.edits.edit import OPERATIONS, Operation
from tinynets.edits.kinds import NAME, NUMBER, OPTIMIZER, SCHEDULE, SCRIPT, SOURCE, Argument
from tinynets.lab.breakpoints import Breakpoints
from tinynets.lab.editor import Editor
from tinynets.lab.inspector import Inspector
from tinynets.lab.runs import Runs
from tinynets.lab.saving import Saving
from tinynets.lab.time_machine import TimeMachine
from tinynets.lab.verb import Verb, verbs_of
from tinynets.training.optimizers import NAMED, SETTINGS
from tinynets.training.schedules import SCHEDULES
from tinynets.training.settings import CLIPPING

OF_THE_APP = ("start", "play", "recover", "snapshot", "record", "theme", "tour")
"""Verbs of an app without a line of Python."""


def verb_of(operation: Operation) -> Verb:
    """The verb that does an operation."""
    return Verb(
        operation.name,
        operation.family,
        operation.help,
        operation.typed,
        part=Editor,
        open_ended=operation.open_ended,
        lets_run=True,
    )


def _settings() -> Iterator[Verb]:
    """The short forms of settings, such as `lr 0.01` for `set lr 0.01`."""
    for name in (*SETTINGS, *CLIPPING):
        value = Argument("value", NUMBER, required=True, named=False)
        yield Verb(name, "setting", f"change {name} from here on", (value,), "set", fixed=(name,))
    for name, kind, choices in (("optimizer", OPTIMIZER, NAMED), ("schedule", SCHEDULE, SCHEDULES)):
        value = Argument("value", kind, required=True, named=False)
        help_ = f"from here on: {', '.join(choices)}"
        yield Verb(name, "setting", help_, (value,), "set", fixed=(name,), open_ended=True)


def _of_the_app() -> Iterator[Verb]:
    source = Argument("source", SOURCE, required=True, named=False)
    yield Verb("open", "files", "open a recipe or a save in this lab", (source,))
    yield Verb("recover", "files", "what a lab that ended unsaved left behind: take it up again")
    file = Argument("file", SCRIPT, named=False)
    pane = Argument("pane", NAME)
    yield Verb(
        "snapshot", "files", "write a pane or the screen: FILE.svg, .png, .txt; a pane's data: .csv", (file, pane)
    )
    yield Verb("record", "files", "record the terminal as an asciinema cast; again: end it", (file,))
    theme = Argument("name", NAME, named=False)
    yield Verb("theme", "looking", "other colours; without a name, all there are to choose from", (theme,))
    yield Verb("tour", "looking", "six hints at what there is")
    speed = Argument("speed", NUMBER.called("SPEED"), named=False)
    yield Verb("play", "time", "play what is recorded, so many steps a second; below 0 backward", (speed,))


def gather() -> dict[str, Verb]:
    """All verbs by what is typed, those of a group in the order in which they are listed.

    A verb that names the one it is listed behind comes after that one.
    """
    made: list[Verb] = []
    for entry in (
        *verbs_of(Runs),
        *verbs_of(Breakpoints),
        *verbs_of(TimeMachine),
        *map(verb_of, OPERATIONS.values()),
        *_settings(),
        *verbs_of(Inspector),
        *verbs_of(Saving),
        *_of_the_app(),
    ):
        names = [other.name for other in made]
        made.insert(names.index(entry.after) + 1 if entry.after else len(made), entry)
    return {entry.name: entry for entry in made}


VERBS: dict[str, Verb] = gather()


def verb_called(method: str) -> Verb | None:
    """The verb of a method of a lab; None where there is none."""
    found = VERBS.get(method)
    if found is not None and found.python == method:
        return found
    return next((entry for entry in VERBS.values() if entry.method == method and not entry.fixed), None)


def verb_typed(word: str) -> Verb | None:
    """The verb that a line begins with; the Python names of verbs are understood as well."""
    return VERBS.get(word) or verb_called(word)
