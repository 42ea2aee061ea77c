"""Writes a run as a Python script that rebuilds it and checks that it ends at the same bytes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tinynets.errors import SaveError, TimelineError, TinynetsError
from tinynets.experiment.experiment import Experiment
from tinynets.foreign_text import printable
from tinynets.history.branch import Branch
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import Bookmark, Moment
from tinynets.jobs import Job
from tinynets.lab.verb import call_line
from tinynets.nn.plugins import own_things
from tinynets.numerics.canonical import canonical
from tinynets.numerics.determinism import fix_threads, threads_rule
from tinynets.recipes.catalog import load_recipe
from tinynets.recipes.recipe import Recipe
from tinynets.storage import saves
from tinynets.system.paths import expanded, names_folder, unusable
from tinynets.training.state import State

HEAD = '''"""{name}, rebuilt as it was recorded: every step, edit, branch and bookmark.

Each `assert` compares a sha256 over all bytes of the state. They hold on the machine that recorded them; with another
processor, numpy or number of threads the last bits may differ.
"""

import tinynets as tn
'''

Place = tuple[int, int]
"""Steps done and edits applied."""


def script_of(experiment: Experiment, path: str) -> Job[str]:
    """A script that rebuilds a run up to the present moment, as a job; `path` is that of its save and may be empty.

    Undone edits are left out. Raises TimelineError where there is no file for it to start from.
    """
    name = printable(experiment.recipe.name).replace("\\", "/").replace('"', "'")
    lines = [HEAD.format(name=name), *_own_kinds(experiment), f"lab = {_opening(experiment, path)}"]
    writer = _BranchWriter(experiment)
    branches = [experiment.timeline.branches[entry.number] for entry in experiment.timeline.tree()]
    for branch in branches:
        lines += ["", *writer.branch(branch, branches[0])]
        digest = (yield from experiment.state_at(branch.end)).digest()
        lines.append(_check(digest, f"{branch.name} ends at step {branch.end.step:,}"))
    lines += writer.other_bookmarks()
    digest = (yield from experiment.state_at(experiment.moment)).digest()
    where = f"where the run stood: step {experiment.moment.step:,} of {experiment.branch.name}"
    lines += ["", *writer.go(experiment.branch, experiment.moment), _check(digest, where)]
    return "\n".join(lines) + "\n"


def write_script(text: str, path: str | Path, overwrite: bool = False) -> str:
    """Write a script to a new file; returns the sentence that says so. Raises SaveError."""
    if not isinstance(path, str | Path) or not str(path).strip() or "\0" in str(path):
        raise SaveError(f"a script needs a path, not {path!r}")
    path = expanded(path)
    if why := unusable(path):
        raise SaveError(f"`{path}` cannot be written: {why}")
    if os.path.isdir(path) or names_folder(path):
        raise SaveError(f"`{path}` is a folder, not a script")
    try:
        with open(path, "w" if overwrite else "x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except FileExistsError:
        raise SaveError(f"`{path}` is there already; give another name, or overwrite=True") from None
    except OSError as error:
        raise SaveError(f"`{path}` cannot be written: {error.strerror}") from None
    return f"script of {text.count(chr(10)):,} lines written to {printable(path)}"


def _check(digest: str, what: str) -> str:
    return f'assert lab.state.digest() == "{digest}"  # {printable(what)}'


def _call(verb: str, *args: object, **kwargs: object) -> str:
    return call_line(verb, args, kwargs)


# -- the start


def _own_kinds(experiment: Experiment) -> list[str]:
    """Comments that name the user's own layers and losses, which must be registered first."""
    architectures = [
        experiment.recipe.layers,
        *(b.keyframes[0, 0].architecture for b in experiment.timeline.branches.values()),
    ]
    try:
        things = own_things(architectures, experiment.loss)
    except SaveError as error:
        raise TimelineError(f"no script can rebuild this run: {error}") from None
    return [f"# `{printable(own['kind'])}` is a {own['family']} of your own: register it here first" for own in things]


def _opening(experiment: Experiment, path: str) -> str:
    """The call that opens the lab as it was at its start."""
    start = experiment.timeline.branches[next(iter(experiment.timeline.tree())).number].keyframes[0, 0]
    for source in (experiment.recipe.name, experiment.recipe.file):
        recipe = _recipe_named(source)
        if recipe is not None and _starts_alike(recipe, experiment, start):
            seed = experiment.recipe.training.hyper.seed
            usual = threads_rule(experiment.recipe.training.hyper.batch * experiment.network.summary().largest)
            options: dict[str, object] = {} if seed == recipe.training.hyper.seed else {"seed": seed}
            if fix_threads() != usual:
                options["threads"] = fix_threads()
            return _python(source, options)
    if not path:
        raise TimelineError(
            f"`{experiment.recipe.name}` is not a recipe that ships or stands in a .toml file as it was: "
            "save the lab first, so that a script has a file to start from"
        )
    if _saved_start(path) != start.digest():
        raise TimelineError(f"`{path}` no longer holds the start of this run: save the lab first")
    return _python(path, {"fresh": True})


def _python(source: str, options: dict[str, object]) -> str:
    return _call("open", source, **options).removeprefix("lab = ")


def _recipe_named(source: str) -> Recipe | None:
    try:
        return load_recipe(source) if source and (source.endswith(".toml") or os.sep not in source) else None
    except TinynetsError:
        return None


def _starts_alike(recipe: Recipe, experiment: Experiment, start: State) -> bool:
    """Whether a recipe, with the lab's seed, gives exactly the start of its run, on the same data."""
    seeded = replace(recipe.training.hyper, seed=experiment.recipe.training.hyper.seed)
    recipe = replace(recipe, training=replace(recipe.training, hyper=seeded))
    if canonical(recipe.config()) != canonical(experiment.recipe.config()):
        return False
    try:
        data = recipe.load_data()
        same = State.start(recipe.build(data), recipe.training.hyper).digest() == start.digest()
    except TinynetsError:
        return False
    return same and data.sha256 == experiment.data.sha256


def _saved_start(path: str) -> str:
    try:
        timeline = saves.read(path).timeline
    except TinynetsError as error:
        raise TimelineError(f"a script would start from the save: {error}") from None
    return next(branch for branch in timeline.branches.values() if branch.parent is None).keyframes[0, 0].digest()


# -- the actions


class _BranchWriter:
    """Writes the lines of each branch, and tracks where the script is."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment, self.timeline = experiment, experiment.timeline
        self.number = -1
        self.place: Place = (0, 0)
        self.marked: set[str] = set()

    def branch(self, branch: Branch, root: Branch) -> Iterator[str]:
        """The lines that make a branch once its parent exists: fork, edits, steps, bookmarks, evaluations."""
        parent = self.timeline.branches[branch.parent] if branch.parent is not None else root
        inherited: list[Evaluation] = []
        begin: Place = (0, 0)
        if branch is root:
            if branch.name != "main":
                yield _call("rename", "main", branch.name)
        else:
            begin, inherited = (branch.fork, branch.shared), parent.evaluations
            yield from self.go(parent, Moment(parent.number, *begin))
            yield _call("fork", branch.name)
        self.number, self.place = branch.number, begin
        for place, _, line in sorted(self._events(branch, begin, inherited), key=lambda event: event[:2]):
            yield from self._run(place[0])
            yield line
        yield from self._run(branch.end.step)
        self.place = branch.end[1:]

    def _events(self, branch: Branch, begin: Place, inherited: list[Evaluation]) -> Iterator[tuple[Place, int, str]]:
        """The actions on a branch itself: where, in which order there, and the line."""
        for index, placed in enumerate(branch.edits[branch.shared :], branch.shared):
            when = f"  # in the step, after {printable(placed.phase)}" if placed.phase else ""
            yield (placed.step, index), 2, placed.edit.script() + when
        for mark in self.timeline.bookmarks.values():
            if mark.moment.branch == branch.number and mark.moment[1:] >= begin:
                self.marked.add(mark.name)
                yield mark.moment[1:], 0, _bookmark(mark)
        for entry in branch.evaluations:
            place = entry.step, entry.edits
            if place >= begin and entry not in inherited and not self._automatic(branch, entry):
                yield place, 1, _call("evaluate", entry.split, **({"clean": True} if entry.clean else {}))

    def _automatic(self, branch: Branch, entry: Evaluation) -> bool:
        """Whether the run makes this evaluation automatically."""
        arrived = branch.edits_through(entry.step - 1) == entry.edits
        return arrived and not entry.clean and entry.split == "dev" and self.experiment.evaluates_at(entry.step)

    def _run(self, step: int) -> Iterator[str]:
        if step > self.place[0]:
            yield _call("run", step - self.place[0])
        self.place = step, 0

    def go(self, branch: Branch, target: Moment) -> Iterator[str]:
        """The lines that go to a moment of an existing branch."""
        if branch.number != self.number:
            yield _call("switch", branch.name)
            self.number, self.place = branch.number, branch.end[1:]
        _, step, applied = target
        if self.place != (step, applied):
            first, last = branch.edits_through(step - 1), branch.edits_through(step)
            yield _call("seek", step, **({} if applied == last else {"edits": applied - first}))
            self.place = step, applied

    def other_bookmarks(self) -> Iterator[str]:
        """The lines for bookmarks on the part that a branch shares with its parent."""
        left = [mark for mark in self.timeline.bookmarks.values() if mark.name not in self.marked]
        for mark in left:
            yield from ("", *self.go(self.timeline.branches[mark.moment.branch], mark.moment), _bookmark(mark))


def _bookmark(mark: Bookmark) -> str:
    return _call("bookmark", mark.name, *([mark.note] if mark.note else []))
