"""Reading a save without trust: record after record, each checked against those before it, then applied.

What a save holds stands in snapshot.py and in docs/save-format.md; the framing of records in records.py, that of values
in codec.py, and files of the first format version in reader_v1.py. Reading never runs code, and allocates nothing that
the file's own size does not bear out.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import msgpack
import numpy as np

from tinynets.data import Dataset
from tinynets.edits import registry
from tinynets.edits.edit import Edit, edit_from
from tinynets.edits.registry import OPERATIONS
from tinynets.edits.surgery.plan import shape_network
from tinynets.errors import CorruptSave, SaveError, TimelineError, UnsupportedSave, gate
from tinynets.history.branch import Branch, LossHistory
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import MAX_NOTE, Bookmark, Moment, RecordedEdit
from tinynets.history.timeline import Timeline
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Values
from tinynets.numerics.canonical import canonical
from tinynets.recipes.recipe import Recipe
from tinynets.storage.data_record import built_data, read_data
from tinynets.storage.fields import MAX_NUMBER, RecordFields
from tinynets.storage.header import SaveHeader, read_header_record
from tinynets.storage.keyframes import KeyframeReader, start_network
from tinynets.storage.records import Record, RecordFile
from tinynets.storage.timeline_records import MAX_ACTIONS, read_evaluations
from tinynets.storage.user_code import UNUSABLE, DeclaredPlugins, selected
from tinynets.training.state import State

MAX_UNITS = 2**23  # of all networks that edits lead through, each of which is looked at
RECENT = 16  # networks kept to look at
MAX_INHERITED = 32 * 2**20  # bytes of lists that branches have of what they share with others
MAX_EVALUATED = 1000  # records of evaluations that a save has of one branch; a journal may have any number
MAX_REHUNG = 2**18  # branches and bookmarks that go elsewhere as branches are dropped
MAX_REBUILT = 2**16  # layers of networks that were looked at before and are again
MAX_RELAID = 2**17  # layers of all networks that edits lead through
MAX_SELECTED = 2**25  # places that different edits name, beside SELECTED_A_BYTE for each byte of the file
SELECTED_A_BYTE = 16
REMEMBERED = 4096  # edits that were checked, of the network that was looked at last


def gated(path: str | os.PathLike[str]) -> AbstractContextManager[None]:
    """The gate around all that is made of a save: what goes wrong in there unforeseen is a CorruptSave."""
    return gate(lambda cause: CorruptSave(f"`{path}` cannot be used: {cause}"))


def read_back(path: str | os.PathLike[str], data: Dataset, position: Moment, branches: int) -> None:
    """Read what was written a moment ago as any save is read, but for its arrays, which are checked and let go.

    `data` is what it was written with, of which a save may hold a part. Raises SaveError where it could not be opened,
    or other than it was.
    """
    with gated(path):
        reader = ReadBack(str(path), data)
        for record in RecordFile(path):
            reader.apply(record)
        timeline, found = reader.finish(recover=False)
        reader.opening()
        if found != position or len(timeline.branches) != branches:
            raise CorruptSave(f"`{path}` holds step {found.step} of {len(timeline.branches)} branches")


class Reader:
    """Applies the records of one file in their order to a growing timeline; one that is refused changes nothing."""

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
        self.checker: KeyframeReader | None = None
        self.timeline: Timeline | None = None
        self._layers: dict[int, list[tuple[int, bytes]]] = {}
        """Of each branch its networks, and from how many edits on each of them is the one."""
        self._networks: dict[bytes, Network] = {}
        self._children: dict[int, dict[int, Branch]] = {}
        self._marks: dict[int, dict[str, Bookmark]] = {}
        """Of each branch the bookmarks on it."""
        self._waiting_evaluations: dict[int, list[Evaluation]] = {}
        self._evaluated: dict[int, int] = {}
        """Of each branch how many records there are of its evaluations."""
        self._checked: tuple[Network | None, set[bytes]] = None, set()
        """Edits that were checked against the network that was looked at last."""
        self._position: RecordFields | None = None
        self._count = self._inherited = self._units = self._rehung = self._rebuilt = self._selected = self._relaid = 0
        self._may_select = MAX_SELECTED + SELECTED_A_BYTE * _size_of(file)
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
        """Whether there is a start state, from which something can be recovered."""
        return self.checker is not None

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
        """The timeline of all that was applied, and where the lab stands on it."""
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
            position, timeline.actions = self._read_position(self._position)
            if not recover and (position.step, position.edits) not in timeline.branches[position.branch].keyframes:
                self._position.wrong("there is no keyframe where the lab stood")
        except CorruptSave:
            if not recover:
                raise
            position = next(iter(timeline.branches.values())).end
        timeline.current = position.branch
        return timeline, position

    def opening(self) -> tuple[SaveHeader, Recipe, Dataset]:
        """What the first records say; there once `finish` has found them all."""
        if self.header is None or self.recipe is None or self.data is None:
            raise CorruptSave(f"`{self.file}` ends before its data")
        return self.header, self.recipe, self.data

    # -- what comes first

    def _header(self, fields: RecordFields) -> None:
        self.header = read_header_record(fields, self.version)

    def _recipe(self, fields: RecordFields) -> None:
        self.own = DeclaredPlugins(self.file)
        self.own.name(fields)
        self.recipe = self.own.recipe(fields)

    def _data(self, fields: RecordFields) -> None:
        if self.recipe is None:
            raise CorruptSave(f"`{self.file}` has no recipe before its data")
        self.data = read_data(fields, self.given, self.recipe, self.warnings)

    # -- branches

    def _branch(self, fields: RecordFields) -> None:
        number, name = self._new(fields)
        if fields.record.get("parent") is None:
            if self.branches:
                fields.wrong(f"`{name}` ({number}) has no parent; only the first branch has none")
            made = Branch(number, name, LossHistory(self._dtype))
        else:
            parent = self._owner(fields, fields.whole("parent", 0, MAX_NUMBER))
            step = fields.whole("fork", 0, len(parent.losses))
            shared = fields.whole("shared", parent.edits_through(step - 1), parent.edits_through(step))
            self._settle_evaluations(parent)
            moment = Moment(parent.number, step, shared)
            self._inherited += 1000 + 24 * shared + 8 * parent.fork_cost(moment)
            made = parent.fork_at(moment, number, name)
            self._inherited += 142 * len(made.keyframes)
            if self._inherited > MAX_INHERITED:
                fields.wrong("there are more branches than a lab holds")
            layers = self._of(parent.number)
            self._layers[number] = layers[: bisect_right(layers, shared, key=_first)]
            self._children.setdefault(parent.number, {})[number] = made
        self.branches[number] = made
        self.names.add(name)

    def _new(self, fields: RecordFields) -> tuple[int, str]:
        """Number and name of a branch that is not there yet."""
        number, name = fields.whole("number", 0, MAX_NUMBER), fields.name("name")
        if number in self.branches or name in self.names:
            fields.wrong(f"`{name}` ({number}) is there twice")
        return number, name

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(self.recipe.training.dtype if self.recipe else "float32")

    def _owner(self, fields: RecordFields, number: int) -> Branch:
        if number not in self.branches:
            fields.wrong(f"there is no branch {number}")
        return self.branches[number]

    def _named_owner(self, fields: RecordFields) -> Branch:
        return self._owner(fields, fields.whole("branch", 0, MAX_NUMBER))

    def _losses(self, fields: RecordFields) -> None:
        branch = self._named_owner(fields)
        fields.whole("first", len(branch.losses), len(branch.losses))
        branch.losses.extend(fields.array("values", self._dtype, (None,)))

    def _edits(self, fields: RecordFields) -> None:
        branch = self._named_owner(fields)
        self.own.name(fields)
        entries = fields.get("edits", list)
        if not entries:
            return
        end, count = len(branch.losses), len(branch.edits)
        known = self._of(branch.number)
        layers: list[tuple[int, bytes]] = []
        placed, network = [], self._network(known[-1][1])
        for number, entry in enumerate(entries, count + 1):
            made, after = self._placed(RecordFields(self.file, entry, "an edit"), end, end, network)
            placed.append(made)
            layers += [(number, self._kept(after))] if after is not network else []
            network = after
        for made in placed:
            branch.append_edit(made)
        known += layers

    def _placed(self, fields: RecordFields, first: int, last: int, network: Network) -> tuple[RecordedEdit, Network]:
        """An edit, and the network behind it."""
        step, edit = fields.whole("step", first, last), fields.inner("edit", "an edit")
        config = {"op": edit.get("op", str), "target": edit.get("target", str), "args": edit.get("args", dict)}
        if config["op"] not in OPERATIONS:
            raise UnsupportedSave(f"`{self.file}` has an edit `{config['op']}`, which this version does not know")
        made = edit_from(config)
        try:
            after = self._network_after(fields, network, made)
            if after is not None:
                self.own.all_named(after.architecture)
                network = after
                self._units += sum(block.units for block in network.blocks)
                if self._units > MAX_UNITS:
                    fields.wrong("the networks that its changes of layers lead through are too large together")
                self._relaid += len(network.layers)
                if self._relaid > MAX_RELAID:
                    fields.wrong("the networks that its changes of layers lead through have too many layers together")
        except SaveError:
            raise
        except UNUSABLE as error:
            fields.wrong(str(error))
        placed = RecordedEdit(
            step, made, fields.get("done", str), fields.get("before", float), fields.get("after", float)
        )
        return placed, network

    def _network_after(self, fields: RecordFields, network: Network, made: Edit) -> Network | None:
        """The network behind an edit that changes it, once it is checked; one like it was checked before is done with.

        What edits name is counted: a selector of a few bytes may stand for all units.
        """
        if OPERATIONS[made.op].after is not None:
            return registry.network_after(network, made)
        key = None if any(isinstance(value, Values) for value in made.args.values()) else canonical(made.config())
        if self._checked[0] is not network or len(self._checked[1]) > REMEMBERED:
            self._checked = network, set()
        if key is None or key not in self._checked[1]:
            if made.op != "set":
                self._selected += selected(network, made)
            if self._selected > self._may_select:
                fields.wrong("its edits name more places, all together, than can be looked at")
            registry.check(network, made)
            self._checked[1].update(() if key is None else (key,))
        return None

    def _of(self, number: int) -> list[tuple[int, bytes]]:
        """The layers of a branch, from which edit on; those of the start come first, selectors are checked by them."""
        if self.checker is None:
            raise CorruptSave(f"`{self.file}` has no keyframe at its start")
        if number not in self._layers:
            self._layers[number] = [(0, self._kept(self.checker.network))]
        return self._layers[number]

    def _kept(self, network: Network) -> bytes:
        """Its layers in few bytes: a network takes a hundred times as many, so only the last ones are kept."""
        layers = canonical(network.architecture)
        self._networks[layers] = network
        if len(self._networks) > RECENT:
            del self._networks[next(iter(self._networks))]
        return layers

    def _network(self, layers: bytes) -> Network:
        """A network of these layers to look at."""
        assert self.checker is not None
        if layers not in self._networks:
            found = shape_network(self.checker.network, msgpack.unpackb(layers))
            self._rebuilt += len(found.layers)
            if self._rebuilt > MAX_REBUILT:
                raise CorruptSave(f"`{self.file}`: it goes back and forth between too many networks")
            self._kept(found)
        return self._networks[layers]

    def _evaluations(self, fields: RecordFields) -> None:
        branch = self._named_owner(fields)
        self._evaluated[branch.number] = self._evaluated.get(branch.number, 0) + 1
        if self._evaluated[branch.number] > MAX_EVALUATED and self.header is not None and self.header.kind == "save":
            fields.wrong(f"there are more than {MAX_EVALUATED:,} of one branch, where a save needs two")
        self._waiting_evaluations.setdefault(branch.number, []).extend(read_evaluations(fields, branch.end))

    def _settle_evaluations(self, branch: Branch) -> None:
        """Put the evaluations of a branch in their order, all those at once that came since the last time."""
        branch.merge(self._waiting_evaluations.pop(branch.number, []))

    def _rename(self, fields: RecordFields) -> None:
        branch, name = self._named_owner(fields), fields.name("name")
        if name in self.names:
            fields.wrong(f"there is a branch `{name}` already")
        self.names -= {branch.name}
        self.names.add(name)
        branch.name = name

    def _drop(self, fields: RecordFields) -> None:
        branch = self._named_owner(fields)
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
        self._layers.pop(branch.number, None)

    # -- keyframes

    def _keyframe(self, fields: RecordFields) -> None:
        self.own.name(fields)
        if self.checker is None:
            self._begin(fields)
        branches = [
            self._owner(fields, number if isinstance(number, int) else -1) for number in fields.get("branches", list)
        ]
        if len({branch.number for branch in branches}) < len(branches):
            fields.wrong("a branch is there twice")
        step = fields.whole("step", 0, min([len(branch.losses) for branch in branches], default=0))
        lowest = max([branch.edits_through(step - 1) for branch in branches], default=0)
        highest = min([branch.edits_through(step) for branch in branches], default=0)
        applied = fields.whole("edits", lowest, highest)
        assert self.checker is not None
        known = [self._of(branch.number) for branch in branches]
        layers = [found[bisect_right(found, applied, key=_first) - 1][1] for found in known]
        state = self.checker.state(fields, self._network(layers[0]) if layers else self.checker.network)
        if len(set(layers)) > 1:
            fields.wrong("its branches have other layers there")
        if state.step != step:
            fields.wrong(f"its state is of step {state.step}, not {step}")
        self._keep(branches, (step, applied), state)
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
        self.checker = KeyframeReader(self.file, self.version, recipe, network, self.own.all_named)

    # -- places

    def _bookmark(self, fields: RecordFields) -> None:
        numbers = [fields.get(key, int) for key in ("branch", "step", "edits")]
        name, note = fields.name("name"), fields.get("note", str)
        if len(note) > MAX_NOTE:
            fields.wrong(f"`note` must be at most {MAX_NOTE:,} characters, not {len(note):,}")
        moment = self._moment(fields, numbers)
        assert self.timeline is not None
        try:
            before = self.timeline.bookmarks.get(name)
            made = self.timeline.bookmark(name, note, moment)
        except TimelineError as error:
            fields.wrong(str(error))
        if before is not None:
            del self._marks[before.moment.branch][name]
        self._marks.setdefault(moment.branch, {})[name] = made

    def _unbookmark(self, fields: RecordFields) -> None:
        assert self.timeline is not None
        try:
            mark = self.timeline.marked(fields.get("name", str))
        except TimelineError as error:
            fields.wrong(str(error))
        self.timeline.unbookmark(mark.name)
        del self._marks[mark.moment.branch][mark.name]

    def _positioned(self, fields: RecordFields) -> None:
        """The last one counts, so only that is looked into."""
        self._position = fields

    def _read_position(self, fields: RecordFields) -> tuple[Moment, list[tuple[Moment, Moment]]]:
        position = self._moment(fields, [fields.get(key, int) for key in ("branch", "step", "edits")])
        rows = fields.array("actions", np.int64, (None, 6))[-MAX_ACTIONS:].tolist()
        undone = fields.array("undone", np.int64, (None, 3)).tolist() if "undone" in fields.record else []
        ends = [self._moment(fields, row) for row in undone]
        if any(end.edits >= len(self.branches[end.branch].edits) for end in ends):
            fields.wrong("`undone` must be moments before edits")
        for end in ends:
            self.branches[end.branch].undone_to = end[1:]
        return position, [(self._moment(fields, row[:3]), self._moment(fields, row[3:])) for row in rows]

    def _moment(self, fields: RecordFields, numbers: list[int]) -> Moment:
        moment = Moment(*numbers)
        branch = self._owner(fields, moment.branch)
        lowest, highest = branch.edits_through(moment.step - 1), branch.edits_through(moment.step)
        if not 0 <= moment.step <= len(branch.losses) or not lowest <= moment.edits <= highest:
            fields.wrong(f"step {moment.step} with {moment.edits} edits is no moment of branch `{branch.name}`")
        return moment


def _first(entry: tuple[int, bytes]) -> int:
    return entry[0]


def _size_of(file: str) -> int:
    try:
        return os.stat(file).st_size
    except OSError:
        return 0


class ReadBack(Reader):
    """Reads what was just written: the data are at hand, and of all states that were checked the first is kept."""

    def __init__(self, file: str, data: Dataset) -> None:
        super().__init__(file, data)
        self._whole = data
        self._first: State | None = None

    def _data(self, fields: RecordFields) -> None:
        payload, sample = fields.optional("payload", dict), fields.optional("sample", dict)
        if payload is None and sample is None:
            fields.wrong("there is neither a payload nor a sample")
        built = built_data(fields, sample if payload is None else payload)
        if payload is not None and built.sha256 != fields.get("sha256", str):
            fields.wrong("its digest is another")
        self.data = self._whole if payload is None else built

    def _keep(self, branches: list[Branch], key: tuple[int, int], state: State) -> None:
        self._first = self._first or state
        super()._keep(branches, key, self._first)
