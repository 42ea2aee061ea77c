"""Reads a save without trust: each record is checked against those before it, then applied to a timeline.

The fields of a record are checked in the module that also writes that record. Reading never runs code, and allocates
no more memory than the size of the file justifies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinynets.data import Dataset
from tinynets.errors import CorruptSave, TimelineError, UnsupportedSave
from tinynets.history.branch import Branch, LossHistory
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import Bookmark, Moment
from tinynets.history.timeline import Timeline
from tinynets.recipes.recipe import Recipe
from tinynets.storage.branch_networks import BranchNetworks
from tinynets.storage.data_record import read_data
from tinynets.storage.fields import RecordFields
from tinynets.storage.header import SaveHeader, read_header_record
from tinynets.storage.keyframes import KeyframeReader, read_place, start_network
from tinynets.storage.records import Record
from tinynets.storage.timeline_records import (
    branch_of,
    read_bookmark,
    read_branch,
    read_edit,
    read_edits,
    read_evaluations,
    read_fork,
    read_losses,
    read_position,
    read_rename,
)
from tinynets.storage.user_code import DeclaredPlugins
from tinynets.training.state import State

MAX_INHERITED = 32 * 2**20  # bytes of lists that branches inherit from others
MAX_EVALUATED = 1000  # evaluation records per branch in a save; a journal may have any number
MAX_REHUNG = 2**18  # branches and bookmarks that move when branches are dropped


class Start(NamedTuple):
    """What later keyframes and edits need from the first keyframe."""

    keyframes: KeyframeReader
    networks: BranchNetworks


class Reader:
    """Applies the records of a file in order to a growing timeline; a refused record changes nothing.

    Each kind of record has a method; ReaderV1 and ReadBack override some.
    """

    version = 2
    opening_kinds: tuple[str, ...] = ("header", "recipe", "data", "branch", "keyframe")
    """The records that come first, in this order."""

    def __init__(self, file: str, data: object) -> None:
        self.file, self.given = file, data
        self.header: SaveHeader | None = None
        self.recipe: Recipe | None = None
        self.data: Dataset | None = None
        self.warnings: list[str] = []
        self.branches: dict[int, Branch] = {}
        self.names: set[str] = set()
        self.timeline: Timeline | None = None
        self._own = DeclaredPlugins(file)
        self._start: Start | None = None
        self._children: dict[int, dict[int, Branch]] = {}
        self._marks: dict[int, dict[str, Bookmark]] = {}
        """The bookmarks on each branch."""
        self._waiting_evaluations: dict[int, list[Evaluation]] = {}
        self._evaluated: dict[int, int] = {}
        """The number of evaluation records of each branch."""
        self._position: RecordFields | None = None
        self._count = self._inherited = self._rehung = 0
        self._apply: dict[str, Callable[[RecordFields], None]] = {
            "header": self._header,
            "recipe": self._recipe,
            "data": self._data,
            "branch": self._branch,
            "losses": self._losses,
            "edits": self._edits,
            "evaluations": self._evaluations,
            "keyframe": self._keyframe,
            "bookmark": self._bookmark,
            "unbookmark": self._unbookmark,
            "rename": self._rename,
            "drop": self._drop,
            "position": self._positioned,
        }

    @property
    def begun(self) -> bool:
        """Whether there is a start state, so that something can be recovered."""
        return self._start is not None

    def apply(self, record: Record) -> None:
        kind = str(record["record"])
        if kind not in self._apply:
            raise UnsupportedSave(f"`{self.file}` has records of kind `{kind}`, which this version does not know")
        if self._count < len(self.opening_kinds):
            wanted = self.opening_kinds[self._count]
            if kind != wanted:
                raise CorruptSave(f"`{self.file}`: record {self._count + 1} must be `{wanted}`, not `{kind}`")
        elif kind in ("header", "recipe", "data"):
            raise CorruptSave(f"`{self.file}` has a second record `{kind}`; it must have one")
        self._apply[kind](RecordFields(self.file, record))
        self._count += 1

    def finish(self, recover: bool) -> tuple[Timeline, Moment]:
        """The timeline of everything applied, and the position of the lab on it."""
        if self._count < len(self.opening_kinds):
            raise CorruptSave(f"`{self.file}` has no record `{self.opening_kinds[self._count]}`")
        for branch in self.branches.values():
            self._settle_evaluations(branch)
        timeline = Timeline.of(dict(sorted(self.branches.items())))
        if self.timeline is not None:
            timeline.bookmarks = self.timeline.bookmarks
        try:
            if self._position is None:
                raise CorruptSave(f"`{self.file}` has no record `position`")
            position, timeline.actions, undone = read_position(self._position, self.branches)
            for end in undone:
                self.branches[end.branch].undone_to = end[1:]
            if not recover and position[1:] not in timeline.branches[position.branch].keyframes:
                self._position.wrong("there is no keyframe where the lab stood")
        except CorruptSave:
            if not recover:
                raise
            position = next(iter(timeline.branches.values())).end
        timeline.current = position.branch
        return timeline, position

    def opening(self) -> tuple[SaveHeader, Recipe, Dataset]:
        """The contents of the first records; available after `finish` has found them all."""
        if self.header is None or self.recipe is None or self.data is None:
            raise CorruptSave(f"`{self.file}` ends before its data")
        return self.header, self.recipe, self.data

    # -- what to write comes first

    def _header(self, fields: RecordFields) -> None:
        self.header = read_header_record(fields, self.version)

    def _recipe(self, fields: RecordFields) -> None:
        self.recipe = self._own.read_recipe(fields)

    def _data(self, fields: RecordFields) -> None:
        if self.recipe is None:
            raise CorruptSave(f"`{self.file}` has no recipe before its data")
        self.data = read_data(fields, self.given, self.recipe, self.warnings)

    # -- branches

    def _branch(self, fields: RecordFields) -> None:
        number, name = read_branch(fields, self.branches, self.names)
        left = read_fork(fields, self.branches)
        if left is None:
            if self.branches:
                fields.wrong(f"`{name}` ({number}) has no parent; only the first branch has none")
            made = Branch(number, name, LossHistory(self._dtype))
        else:
            made = self._fork(fields, left, number, name)
        self.branches[number] = made
        self.names.add(name)

    def _fork(self, fields: RecordFields, left: Moment, number: int, name: str) -> Branch:
        """Fork a branch from another at that moment, with the shared part."""
        parent = self.branches[left.branch]
        self._settle_evaluations(parent)
        self._inherited += 1000 + 24 * left.edits + 8 * parent.fork_cost(left)
        made = parent.fork_at(left, number, name)
        self._inherited += 142 * len(made.keyframes)
        if self._inherited > MAX_INHERITED:
            fields.wrong("there are more branches than a lab holds")
        self._started().networks.fork(number, left)
        self._children.setdefault(parent.number, {})[number] = made
        return made

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(self.recipe.training.dtype if self.recipe else "float32")

    def _losses(self, fields: RecordFields) -> None:
        branch, losses = read_losses(fields, self.branches, self._dtype)
        branch.losses.extend(losses)

    def _edits(self, fields: RecordFields) -> None:
        branch = branch_of(fields, self.branches)
        self._own.declare(fields)
        end, entries = len(branch.losses), read_edits(fields)
        if entries:
            self._started().networks.append(branch, (read_edit(self.file, entry, end, end) for entry in entries))

    def _evaluations(self, fields: RecordFields) -> None:
        branch = branch_of(fields, self.branches)
        self._evaluated[branch.number] = self._evaluated.get(branch.number, 0) + 1
        if self._evaluated[branch.number] > MAX_EVALUATED and self.header is not None and self.header.kind == "save":
            fields.wrong(f"there are more than {MAX_EVALUATED:,} of one branch, where a save needs two")
        self._waiting_evaluations.setdefault(branch.number, []).extend(read_evaluations(fields, branch.end))

    def _settle_evaluations(self, branch: Branch) -> None:
        """Sort the evaluations of a branch into their order, all those since the last time at once."""
        branch.merge(self._waiting_evaluations.pop(branch.number, []))

    def _rename(self, fields: RecordFields) -> None:
        branch, name = read_rename(fields, self.branches, self.names)
        self.names -= {branch.name}
        self.names.add(name)
        branch.name = name

    def _drop(self, fields: RecordFields) -> None:
        branch = branch_of(fields, self.branches)
        if len(self.branches) == 1 or self.timeline is None:
            fields.wrong(f"`{branch.name}` is the only branch")
        children = list(self._children.pop(branch.number, {}).values())
        marks = list(self._marks.pop(branch.number, {}).values())
        self._rehung += len(children) + len(marks)
        if self._rehung > MAX_REHUNG:
            fields.wrong("there are more branches dropped than can be read")
        self.timeline.forget(branch, children, marks)
        if branch.parent is not None:
            del self._children[branch.parent][branch.number]
        for child in children:
            if child.parent is not None:
                self._children.setdefault(child.parent, {})[child.number] = child
        for mark in marks:
            if moved := self.timeline.bookmarks.get(mark.name):
                self._marks.setdefault(moved.moment.branch, {})[mark.name] = moved
        self.names -= {branch.name}
        self._waiting_evaluations.pop(branch.number, None)
        self._started().networks.forget(branch.number)

    # -- keyframes

    def _keyframe(self, fields: RecordFields) -> None:
        self._own.declare(fields)
        if self._start is None:
            self._begin(fields)
        (step, edits), branches = read_place(fields, self.branches)
        keyframes, networks = self._started()
        layers = [networks.layers(branch.number, edits) for branch in branches] or [networks.start_layers]
        state = keyframes.state(fields, networks.network(layers[0]), layers[0])
        if len(set(layers)) > 1:
            fields.wrong("its branches have other layers there")
        if state.step != step:
            fields.wrong(f"its state is of step {state.step}, not {step}")
        self._keep(branches, (step, edits), state)
        if self.timeline is None and self.version > 1:
            if any((0, 0) not in branch.keyframes for branch in self.branches.values()):
                fields.wrong("the first keyframe must be that of the start")
            self.timeline = Timeline.of(self.branches)

    def _keep(self, branches: list[Branch], key: tuple[int, int], state: State) -> None:
        for branch in branches:
            branch.keep(key, state)

    def _begin(self, fields: RecordFields) -> None:
        """Build the network of the start around the first keyframe's own parameters."""
        _, recipe, data = self.opening()
        network = start_network(fields, recipe, data)
        check = self._own.check_layers
        keyframes = KeyframeReader(self.file, self.version, recipe, network, check)
        self._start = Start(keyframes, BranchNetworks(self.file, network, check))

    def _started(self) -> Start:
        if self._start is None:
            raise CorruptSave(f"`{self.file}` has no keyframe at its start")
        return self._start

    # -- places

    def _bookmark(self, fields: RecordFields) -> None:
        wanted = read_bookmark(fields, self.branches)
        assert self.timeline is not None
        try:
            before = self.timeline.bookmarks.get(wanted.name)
            made = self.timeline.bookmark(wanted.name, wanted.note, wanted.moment)
        except TimelineError as error:
            fields.wrong(str(error))
        if before is not None:
            del self._marks[before.moment.branch][made.name]
        self._marks.setdefault(made.moment.branch, {})[made.name] = made

    def _unbookmark(self, fields: RecordFields) -> None:
        assert self.timeline is not None
        try:
            mark = self.timeline.marked(fields.get("name", str))
        except TimelineError as error:
            fields.wrong(str(error))
        self.timeline.unbookmark(mark.name)
        del self._marks[mark.moment.branch][mark.name]

    def _positioned(self, fields: RecordFields) -> None:
        """Keep the record: only the last position counts, so only that one is read."""
        self._position = fields
