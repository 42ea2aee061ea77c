"""Reading a save without trust: every length, shape, name and number is checked before it is used.

What a save holds stands in saves.py; the framing of records in records.py, that of values in packing.py. Reading never
runs code, and allocates nothing that the file's own size does not bear out.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from tinynets import data as datasets
from tinynets.arrays import Array
from tinynets.data import Dataset
from tinynets.edits import OPERATIONS, edit_from, resolve_saved
from tinynets.errors import CorruptSave, SaveError, TinynetsError, UnsupportedSave
from tinynets.layers import describe, layer_from
from tinynets.network import Network, network_from, parameter_count
from tinynets.optimizers import optimizer_from
from tinynets.plugins import check_saved, is_own, kinds_in
from tinynets.recipe import Recipe, recipe_from
from tinynets.records import Record, read_records
from tinynets.schedules import schedule_from
from tinynets.selectors import select
from tinynets.state import Hyper, Intervention, State, canonical
from tinynets.surgery import same_but_activations
from tinynets.threads import MAX_THREADS, fingerprint, settle_threads
from tinynets.timeline import Branch, Evaluation, Losses, Moment, Placed, Timeline


@dataclass(frozen=True)
class Header:
    """What a save says of itself."""

    recipe: str
    step: int
    branch: str
    parameters: int
    created: str
    version: str
    threads: int
    fingerprint: str

    def config(self) -> Record:
        return {"record": "header", **vars(self)}


@dataclass(frozen=True)
class Loaded:
    """What a save holds, checked and rebuilt."""

    header: Header
    recipe: Recipe
    data: Dataset
    timeline: Timeline
    position: Moment

    @property
    def same_machine(self) -> bool:
        """Whether replay gives the same bits here as where it was saved."""
        return self.header.fingerprint == fingerprint() and self.header.threads == settle_threads()


def read(path: str | os.PathLike[str], data: Dataset | None = None) -> Loaded:
    """A save, checked and rebuilt. `data` stands in for a data set that was too large to be embedded.

    Raises CorruptSave or UnsupportedSave that says what is wrong, SaveError when the file cannot be read.
    """
    return _Reader(str(path), data).read()


def read_header(path: str | os.PathLike[str]) -> Header:
    """What a save says of itself, without reading the rest."""
    for record in read_records(path):
        return _header(_Fields(str(path), record))
    raise CorruptSave(f"`{path}` holds nothing")


class _Fields:
    """The fields of a record, taken out with their types checked."""

    def __init__(self, file: str, record: Any, what: str = "") -> None:
        if not isinstance(record, dict):
            raise CorruptSave(f"`{file}`: {what or 'a record'} is {type(record).__name__}, not a map")
        self.file, self.record = file, record
        self.what = what or f"record `{record.get('record')}`"

    def wrong(self, message: str) -> NoReturn:
        raise CorruptSave(f"`{self.file}`: {self.what}: {message}")

    def get(self, key: str, kind: type) -> Any:
        if key not in self.record:
            self.wrong(f"`{key}` is missing")
        value = self.record[key]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self.wrong(f"`{key}` must be {kind.__name__}, not {type(value).__name__}")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        value: int = self.get(key, int)
        if not low <= value <= high:
            self.wrong(f"`{key}` must be from {low} to {high}, not {value}")
        return value

    def array(self, key: str, dtype: Any, shape: tuple[int | None, ...]) -> Array:
        value: Array = self.get(key, np.ndarray)
        fits = value.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, value.shape, strict=False))
        if value.dtype != np.dtype(dtype) or not fits:
            self.wrong(f"`{key}` must be {np.dtype(dtype)} {shape}, not {value.dtype} {value.shape}")
        if value.dtype.kind == "f" and key not in ("accuracy",) and not np.isfinite(value).all():
            self.wrong(f"`{key}` holds NaN or infinity")
        return value


def _header(fields: _Fields) -> Header:
    if fields.record.get("record") != "header":
        fields.wrong("a save begins with its header")
    values: dict[str, Any] = {
        key: fields.get(key, str) for key in ("recipe", "branch", "created", "version", "fingerprint")
    }
    values |= {key: fields.whole(key, 0, 2**62) for key in ("step", "parameters")}
    values["threads"] = fields.whole("threads", 1, MAX_THREADS)
    return Header(**values)


class _Reader:
    """Reads one save: record after record, each checked against what came before."""

    def __init__(self, file: str, data: Dataset | None) -> None:
        self.file, self.data = file, data

    def read(self) -> Loaded:
        records = read_records(self.file)
        self._kinds: dict[str, list[_Fields]] = {}
        for record in records:
            fields = _Fields(self.file, record)
            self._kinds.setdefault(str(record["record"]), []).append(fields)
        unknown = [kind for kind in self._kinds if kind not in _RECORDS]
        if unknown:
            raise UnsupportedSave(f"`{self.file}` has records of kind `{unknown[0]}`, which this version does not know")
        header = _header(self._only("header"))
        recipe = self._recipe()
        data = self._data()
        self._network = self._start_network(recipe, data)
        self._networks: dict[bytes, Network] = {}
        timeline = self._timeline(recipe)
        return Loaded(header, recipe, data, timeline, self._position(timeline))

    def _only(self, kind: str) -> _Fields:
        found = self._kinds.get(kind, [])
        if len(found) != 1:
            raise CorruptSave(f"`{self.file}` has {len(found)} records `{kind}`; it must have one")
        return found[0]

    def _recipe(self) -> Recipe:
        fields = self._only("recipe")
        own = fields.get("own", list) if "own" in fields.record else []
        self._own = [self._own_thing(entry) for entry in own]
        check_saved(self.file, self._own)
        try:
            recipe = recipe_from(fields.get("config", dict), self.file)
        except TinynetsError as error:
            raise CorruptSave(str(error)) from None
        self._all_named(recipe.layers)
        self._named("loss", recipe.training.loss.kind)
        return recipe

    def _own_thing(self, entry: Any) -> tuple[str, str, str]:
        fields = _Fields(self.file, entry, "a layer or loss of one's own")
        return fields.get("family", str), fields.get("kind", str), fields.get("sha256", str)

    def _all_named(self, architecture: Any) -> None:
        """Layers that are not tinynets' own must be named with their hashes, which have been compared."""
        for kind in kinds_in(architecture):
            self._named("layer", kind)

    def _named(self, family: str, kind: str) -> None:
        if is_own(family, kind) and (family, kind) not in [entry[:2] for entry in self._own]:
            raise CorruptSave(f"`{self.file}` has the {family} `{kind}` without naming its source")

    def _data(self) -> Dataset:
        fields = self._only("data")
        digest = fields.get("sha256", str)
        if fields.record.get("payload") is not None:
            payload = fields.get("payload", dict)
            if self.data is not None and self.data.sha256 != digest:
                raise UnsupportedSave(f"`{self.file}` holds data of its own, and the data given is other")
            self._same_data(fields, datasets.payload_digest(payload), digest)
            try:
                data = datasets.from_payload(payload)
            except TinynetsError as error:
                fields.wrong(str(error))
        elif self.data is None:
            name = fields.get("name", str)
            raise UnsupportedSave(
                f"`{self.file}` does not hold its data `{name}`, which is too large; pass it: data=(x, y)"
            )
        else:
            data = self.data
            self._same_data(fields, data.sha256, digest)
        return data

    def _same_data(self, fields: _Fields, found: str, wanted: str) -> None:
        if found != wanted:
            fields.wrong(f"its data has digest {found[:12]}..., not {wanted[:12]}...")

    def _start_network(self, recipe: Recipe, data: Dataset) -> Network:
        """A network of the recipe's shape, against which selectors and states are checked."""
        try:
            if "train" not in data.splits:
                raise CorruptSave(f"`{self.file}`: its data has no split `train`")
            count = parameter_count([layer_from(layer) for layer in recipe.layers])
            thetas = [fields.record.get("theta") for fields in self._kinds.get("keyframe", [])]
            if count not in {
                theta.size for theta in thetas if isinstance(theta, np.ndarray)
            }:  # known before anything is allocated for them
                raise CorruptSave(
                    f"`{self.file}`: its recipe has {count:,} parameters, which none of its keyframes has"
                )
            return recipe.build(data)
        except TinynetsError as error:
            raise CorruptSave(str(error)) from None

    # -- history

    def _timeline(self, recipe: Recipe) -> Timeline:
        branches: dict[int, Branch] = {}
        for fields in self._kinds.get("branch", []):
            branch = self._branch(fields, recipe)
            if branch.number in branches or branch.name in [entry.name for entry in branches.values()]:
                fields.wrong(f"`{branch.name}` ({branch.number}) is there twice")
            branches[branch.number] = branch
        for fields in self._kinds.get("edits", []):
            self._edits(fields, branches)
        for fields in self._kinds.get("keyframe", []):
            self._keyframe(fields, branches, recipe)
        if not branches:
            raise CorruptSave(f"`{self.file}` has no branch")
        for branch in branches.values():
            if (0, 0) not in branch.keyframes:
                raise CorruptSave(f"`{self.file}`: branch `{branch.name}` has no keyframe at its start")
            if branch.parent is not None and branch.parent not in branches:
                raise CorruptSave(
                    f"`{self.file}`: branch `{branch.name}` has a parent {branch.parent} that is not there"
                )
        return Timeline.of(branches)

    def _branch(self, fields: _Fields, recipe: Recipe) -> Branch:
        losses = Losses(recipe.training.dtype)
        losses.extend(fields.array("losses", recipe.training.dtype, (None,)))
        parent = fields.record.get("parent")
        return Branch(
            fields.whole("number", 0, 2**31),
            fields.get("name", str),
            losses,
            evaluations=self._evaluations(_Fields(self.file, fields.get("evaluations", dict), "evaluations")),
            parent=None if parent is None else fields.whole("parent", 0, 2**31),
            fork=fields.whole("fork", 0, len(losses)),
        )

    def _evaluations(self, fields: _Fields) -> list[Evaluation]:
        splits = fields.get("splits", list)
        if not all(isinstance(split, str) for split in splits):
            fields.wrong("`splits` must be names")
        which = fields.array("split", np.int64, (None,))
        numbers = [fields.array(key, np.int64, which.shape) for key in ("step", "edits", "examples")]
        if which.size and not (which.min() >= 0 and which.max() < len(splits)):
            fields.wrong("`split` points at a name that is not there")
        if any(column.size and column.min() < 0 for column in numbers):
            fields.wrong("steps, edits and examples must be 0 or more")
        accuracy = fields.array("accuracy", np.float64, which.shape)
        columns = zip(
            which.tolist(),
            *(column.tolist() for column in numbers),
            fields.array("loss", np.float64, which.shape).tolist(),
            accuracy.tolist(),
            fields.array("clean", np.bool_, which.shape).tolist(),
            strict=True,
        )
        found = [
            Evaluation(splits[split], step, loss, None if right != right else right, examples, clean, edits)
            for split, step, edits, examples, loss, right, clean in columns
        ]
        if [entry.step for entry in found] != sorted(entry.step for entry in found):
            fields.wrong("steps must not go back")
        return found

    def _owner(self, fields: _Fields, branches: dict[int, Branch], number: int) -> Branch:
        if number not in branches:
            fields.wrong(f"there is no branch {number}")
        return branches[number]

    def _edits(self, fields: _Fields, branches: dict[int, Branch]) -> None:
        branch = self._owner(fields, branches, fields.whole("branch", 0, 2**31))
        for entry in fields.get("edits", list):
            placed = _Fields(self.file, entry, "an edit")
            step = placed.whole("step", branch.edits[-1].step if branch.edits else 0, len(branch.losses))
            edit = _Fields(self.file, placed.get("edit", dict), "an edit")
            config = {"op": edit.get("op", str), "target": edit.get("target", str), "args": edit.get("args", dict)}
            if config["op"] not in OPERATIONS:
                raise UnsupportedSave(f"`{self.file}` has an edit `{config['op']}`, which this version does not know")
            try:
                resolve_saved(self._network, edit_from(config))
            except TinynetsError as error:
                placed.wrong(str(error))
            branch.place(
                Placed(
                    step,
                    edit_from(config),
                    placed.get("done", str),
                    placed.get("before", float),
                    placed.get("after", float),
                )
            )

    def _keyframe(self, fields: _Fields, branches: dict[int, Branch], recipe: Recipe) -> None:
        state = self._state(fields, recipe)
        for number in fields.get("branches", list):
            branch = self._owner(fields, branches, number if isinstance(number, int) else -1)
            step = fields.whole("step", 0, len(branch.losses))
            edits = fields.whole("edits", branch.edits_through(step - 1), branch.edits_through(step))
            if state.step != step:
                fields.wrong(f"its state is of step {state.step}, not {step}")
            branch.keep((step, edits), state)

    def _state(self, fields: _Fields, recipe: Recipe) -> State:
        config = _Fields(self.file, fields.get("state", dict), "a keyframe's state")
        dtype = np.dtype(recipe.training.dtype)
        slots = fields.get("slots", dict)
        slot_fields = _Fields(self.file, slots, "a keyframe's slots")
        try:
            architecture = _understood(config.get("architecture", list))
            if not same_but_activations(architecture, self._network.architecture):
                config.wrong("its layers are not those of the recipe")
            network = self._network_of(architecture or [], dtype)
            hyper = self._hyper(_Fields(self.file, config.get("hyper", dict), "a keyframe's settings"), recipe)
            hyper.check(network)
            interventions = tuple(self._intervention(network, entry) for entry in config.get("interventions", list))
        except (TinynetsError, KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, SaveError):
                raise
            config.wrong(f"it cannot be used: {error}")
        if set(slots) != set(hyper.optimizer.slot_names()):
            slot_fields.wrong(f"they must be {list(hyper.optimizer.slot_names())}, not {sorted(map(str, slots))}")
        size = network.theta.size
        state = State(
            network.architecture,
            fields.array("theta", dtype, (size,)),
            {name: slot_fields.array(name, dtype, (size,)) for name in slots},
            fields.array("buffers", dtype, (network.carried.size,)),
            self._places(fields, "frozen", size),
            self._places(fields, "frozen_buffers", network.carried.size),
            interventions,
            hyper,
            config.whole("step", 0, 2**62),
        )
        return state.copy()

    def _network_of(self, architecture: list[Any], dtype: np.dtype[Any]) -> Network:
        """A network of a keyframe's layers; they are few, so each is built once."""
        key = canonical(architecture)
        if key not in self._networks:
            self._all_named(architecture)
            self._networks[key] = network_from(architecture, dtype=dtype, input_shape=self._network.input_shape)
        return self._networks[key]

    def _places(self, fields: _Fields, key: str, size: int) -> Array:
        places = fields.array(key, np.int64, (None,))
        if places.size and (places[0] < 0 or places[-1] >= size or (np.diff(places) <= 0).any()):
            fields.wrong(f"`{key}` must be rising positions from 0 to {size - 1}")
        return places

    def _hyper(self, fields: _Fields, recipe: Recipe) -> Hyper:
        wanted = recipe.training.hyper
        found = fields.get("batch", int), fields.get("sampling", str), fields.get("seed", int)
        if found != (wanted.batch, wanted.sampling, wanted.seed):
            fields.wrong("its batches are not those of the recipe")
        settings = {key: fields.get(key, float) for key in ("clip_norm", "clip_value")}
        settings |= {key: fields.get(key, dict) for key in ("rates", "l1", "l2")}
        return replace(
            wanted,
            optimizer=optimizer_from(fields.get("optimizer", dict)),
            schedule=schedule_from(fields.get("schedule", dict)),
            since=fields.get("since", int),
            **settings,
        )

    def _intervention(self, network: Network, entry: Any) -> Intervention:
        fields = _Fields(self.file, entry, "an intervention")
        op, units, time = fields.get("op", str), fields.get("units", list), fields.record.get("time")
        if op not in OPERATIONS or OPERATIONS[op].family != "activation" or op == "release":
            raise UnsupportedSave(f"`{self.file}` has an intervention `{op}`, which this version does not know")
        at = "" if time is None else f"@t={fields.whole('time', 0, 2**31)}"
        selector = select(network, f"{fields.get('site', str)}[{','.join(map(str, units))}]{at}")
        return Intervention(op, selector.site, selector.units, selector.time)

    def _position(self, timeline: Timeline) -> Moment:
        fields = self._only("position")
        position = self._moment(fields, timeline, [fields.get(key, int) for key in ("branch", "step", "edits")])
        for row in fields.array("actions", np.int64, (None, 6)).tolist():
            timeline.actions.append((self._moment(fields, timeline, row[:3]), self._moment(fields, timeline, row[3:])))
        timeline.current = position.branch
        return position

    def _moment(self, fields: _Fields, timeline: Timeline, numbers: list[int]) -> Moment:
        moment = Moment(*numbers)
        branch = self._owner(fields, timeline.branches, moment.branch)
        lowest, highest = branch.edits_through(moment.step - 1), branch.edits_through(moment.step)
        if not 0 <= moment.step <= len(branch.losses) or not lowest <= moment.edits <= highest:
            fields.wrong(f"step {moment.step} with {moment.edits} edits is no moment of branch `{branch.name}`")
        return moment


_RECORDS = {"header", "recipe", "data", "branch", "edits", "keyframe", "position"}


def _understood(architecture: list[Any]) -> list[Any] | None:
    """Descriptions of layers as this version writes them; None where they are none."""
    try:
        return [describe(layer_from(entry)) for entry in architecture]
    except (TinynetsError, KeyError, TypeError, ValueError, AttributeError):
        return None
