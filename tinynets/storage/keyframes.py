"""Writes and reads the records of keyframes, the States that a save keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgpack
import numpy as np

from tinynets.data import Dataset
from tinynets.edits.activations import intervention_from
from tinynets.edits.edit import OPERATIONS
from tinynets.errors import CorruptSave, SaveError, UnsupportedSave
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.history.timeline import Timeline
from tinynets.nn.interventions import Intervention
from tinynets.nn.layers import Layer, describe, layer_from
from tinynets.nn.layout import carried_count, parameter_count
from tinynets.nn.network import Network, network_from
from tinynets.nn.selectors import select
from tinynets.numerics.arrays import Array
from tinynets.numerics.canonical import canonical
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.recipes.recipe import Recipe
from tinynets.storage.fields import MAX_NUMBER, MAX_STEP, UNUSABLE, RecordFields
from tinynets.storage.records import Record
from tinynets.storage.timeline_records import Branches, numbered
from tinynets.storage.user_code import named_layers
from tinynets.training.counts import keeps_counts
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import optimizer_from
from tinynets.training.schedules import schedule_from
from tinynets.training.state import ALIKE, State

KEYFRAME_BYTES = 8 * 2**20  # bytes of keyframes in a save
SPACING = 2  # one in this many is saved: the rest is recomputed in about a tenth of a second
MAX_OWNERS = 100_000  # branches that all keyframes of a save name together

OTHER_LAYERS = "its layers are not those that the recipe and its edits make"

Layout = list[list[Any]]
"""Names and shapes of the arrays in a vector, in order."""


def keyframe_record(key: tuple[int, int], branches: Sequence[int], state: State) -> Record:
    """The record of a State at (step, edits) of some branches, given by number; its arrays are not copied."""
    parameters, carried = _layouts_of(canonical(list(state.architecture)))
    return {
        "record": "keyframe",
        "step": key[0],
        "edits": key[1],
        "branches": list(branches),
        "state": state.config(),
        "theta": state.theta,
        "buffers": state.buffers,
        "frozen": state.frozen,
        "frozen_buffers": state.frozen_buffers,
        "slots": dict(state.slots),
        **({"counts": state.counts} if state.counts.size else {}),
        "parameters": parameters,
        "carried": carried,
        **named_layers(state.architecture),
    }


@lru_cache(maxsize=16)
def _layouts_of(architecture: bytes) -> tuple[Layout, Layout]:
    return layouts([part for entry in msgpack.unpackb(architecture) for part in layer_from(entry).expand()])


def layouts(layers: Sequence[Layer]) -> tuple[Layout, Layout]:
    """The order of theta and of the buffers: names like `hidden.w`, and shapes."""
    parameters = [[f"{layer.name}.{entry.name}", list(entry.shape)] for layer in layers for entry in layer.parameters()]
    carried = [[f"{layer.name}.{entry.name}", list(entry.shape)] for layer in layers for entry in layer.carried()]
    return parameters, carried


def spaced_keyframes(timeline: Timeline, position: Moment, live: State, *, all_of_them: bool) -> Iterator[Record]:
    """Evenly spaced keyframes within the allowed bytes, and the present state; not the start.

    All of them, if the steps between cannot be recomputed.
    """
    owners: dict[int, list[int]] = {}
    kept: dict[int, tuple[tuple[int, int], State]] = {}
    for branch in timeline.branches.values():
        for key, state in branch.keyframes.items():
            if key != (0, 0):
                owners.setdefault(id(state), []).append(branch.number)
                kept[id(state)] = (key, state)
    size = sum(state.nbytes() for _, state in kept.values())
    every = (
        1 if all_of_them else max(SPACING, -(-size // KEYFRAME_BYTES), -(-sum(map(len, owners.values())) // MAX_OWNERS))
    )
    here = position.step, position.edits
    has_here = here == (0, 0)
    for identity, (key, state) in sorted(kept.items(), key=lambda item: item[1][0])[every - 1 :: every]:
        has_here |= key == here and position.branch in owners[identity]
        yield keyframe_record(key, owners[identity], state)
    if not has_here:
        yield keyframe_record(here, [position.branch], live)


# -- reading


def read_place(fields: RecordFields, branches: Branches) -> tuple[tuple[int, int], list[Branch]]:
    """Step and edits of a keyframe, and its branches."""
    numbers = fields.get("branches", list)
    owners = [numbered(fields, branches, number if isinstance(number, int) else -1) for number in numbers]
    if len({branch.number for branch in owners}) < len(owners):
        fields.wrong("a branch is there twice")
    step = fields.whole("step", 0, min([len(branch.losses) for branch in owners], default=0))
    lowest = max([branch.edits_through(step - 1) for branch in owners], default=0)
    highest = min([branch.edits_through(step) for branch in owners], default=0)
    return (step, fields.whole("edits", lowest, highest)), owners


def start_network(fields: RecordFields, recipe: Recipe, data: Dataset) -> Network:
    """A network of the recipe's shape around a keyframe's arrays, so that nothing is allocated for them."""
    dtype = np.dtype(recipe.training.dtype)
    theta, buffers = fields.array("theta", dtype, (None,)), fields.array("buffers", dtype, (None,))
    try:
        if "train" not in data.splits:
            raise CorruptSave(f"`{fields.file}`: its data has no split `train`")
        layers = [layer_from(layer) for layer in recipe.layers]
        for what, count, array in (
            ("parameters", parameter_count(layers), theta),
            ("carried values", carried_count(layers), buffers),
        ):
            if count != array.size:
                raise CorruptSave(
                    f"`{fields.file}`: its recipe has {count:,} {what}, its first keyframe {array.size:,}"
                )
        return recipe.build(data, theta=theta, carried=buffers)
    except SaveError:
        raise
    except UNUSABLE as error:
        raise CorruptSave(str(error)) from None


class KeyframeReader:
    """Builds the States of keyframes and checks them against the recipe and the network of the start."""

    def __init__(
        self, file: str, version: int, recipe: Recipe, network: Network, check_layers: Callable[[Any], None]
    ) -> None:
        """`check_layers` raises SaveError if the user's own layers were not named."""
        self.file, self.version, self.recipe, self.network = file, version, recipe, network
        self._check_layers = check_layers
        self._networks: dict[bytes, Network] = {}
        self._checked: dict[tuple[bytes, bytes] | None, tuple[Network, Hyper]] = {}

    def state(self, fields: RecordFields, wanted: Network, layers: bytes) -> State:
        """The State of a keyframe of the network `wanted`, whose canonical architecture is `layers`.

        Its arrays are read-only, and may be views into the bytes read.
        """
        config = fields.inner("state", "a keyframe's state")
        dtype = np.dtype(self.recipe.training.dtype)
        size, carried = wanted.theta.size, wanted.carried.size
        theta = fields.array("theta", dtype, (size,))
        buffers = fields.array("buffers", dtype, (carried,))
        step = config.whole("step", 0, MAX_STEP)
        try:
            network, hyper = self._network_and_hyper(config, layers, theta, buffers, step)
            interventions = tuple(self._intervention(network, entry) for entry in config.get("interventions", list))
        except SaveError:
            raise
        except UNUSABLE as error:
            config.wrong(f"it cannot be used: {error}")
        if self.version > 1:
            self._check_layout(fields, network)
        slots = fields.inner("slots", "a keyframe's slots")
        names = hyper.optimizer.slot_names()
        if set(slots.record) != set(names):
            slots.wrong(f"they must be {list(names)}, not {sorted(map(str, slots.record))}")
        frozen = _places(fields, "frozen", size)
        return State(
            network.architecture,
            theta,
            {name: slots.array(name, dtype, (size,)) for name in names},
            buffers,
            frozen,
            _places(fields, "frozen_buffers", carried),
            interventions,
            hyper,
            step,
            _counts(fields, hyper, step, size, frozen),
        )

    def _network_and_hyper(
        self, config: RecordFields, layers: bytes, theta: Array, buffers: Array, step: int
    ) -> tuple[Network, Hyper]:
        """Network and settings of a keyframe; thousands may be equal, so each is checked once."""
        described = config.get("architecture", list), config.get("hyper", dict)
        known = _key(described)
        key = None if known is None else (known, layers)  # everything that the checks below look at
        if key is None or key not in self._checked:
            architecture = _understood(described[0])
            if canonical(architecture) != layers:
                config.wrong(OTHER_LAYERS)
            network = self._network_of(architecture or [], theta, buffers)
            hyper = self._hyper(config.inner("hyper", "a keyframe's settings"))
            hyper.check(network)
            self._checked[key] = network, hyper
        network, hyper = self._checked[key]
        config.inner("hyper", "a keyframe's settings").whole("since", 0, step)
        if hyper.scheduled > step:
            config.wrong(f"its schedule counts from step {hyper.scheduled}, which is not there yet")
        return network, hyper

    def _network_of(self, architecture: list[Any], theta: Array, buffers: Array) -> Network:
        """A network of a keyframe's layers; there are few different ones, so each is built once."""
        key = canonical(architecture)
        if key not in self._networks:
            self._check_layers(architecture)
            self._networks[key] = network_from(
                architecture,
                dtype=theta.dtype,
                theta=theta,
                carried=buffers,
                input_shape=self.network.input_shape,
                rules=self.network.rules,
            )
        return self._networks[key]

    def _check_layout(self, fields: RecordFields, network: Network) -> None:
        """Check that the layout, which other readers use, matches the layers."""
        for key, found in zip(("parameters", "carried"), layouts(network.layers), strict=True):
            try:
                same = canonical(fields.get(key, list)) == canonical(found)
            except UNUSABLE:
                same = False
            if not same:
                fields.wrong(f"`{key}` must name the arrays of its layers, in their order")

    def _hyper(self, fields: RecordFields) -> Hyper:
        wanted = self.recipe.training.hyper
        found = fields.get("batch", int), fields.get("sampling", str), fields.get("seed", int)
        if found != (wanted.batch, wanted.sampling, wanted.seed):
            fields.wrong("its batches are not those of the recipe")
        if _rules(fields) != wanted.rules:
            fields.wrong("its `rules` are not those of the recipe")
        settings = {key: fields.get(key, float) for key in ("clip_norm", "clip_value")}
        settings |= {key: fields.get(key, dict) for key in ("rates", "l1", "l2")}
        return replace(
            wanted,
            optimizer=optimizer_from(fields.get("optimizer", dict)),
            schedule=schedule_from(fields.get("schedule", dict)),
            since=fields.whole("since", 0, MAX_STEP),
            scheduled=fields.whole("scheduled", 0, MAX_STEP) if wanted.rules > FIRST else 0,
            rules=_rules(fields),
            **settings,
        )

    def _intervention(self, network: Network, entry: Any) -> Intervention:
        fields = RecordFields(self.file, entry, "an intervention")
        op, units, time = fields.get("op", str), fields.get("units", list), fields.record.get("time")
        if op not in OPERATIONS or OPERATIONS[op].intervention is None:
            raise UnsupportedSave(f"`{self.file}` has an intervention `{op}`, which this version does not know")
        if len(set(units)) < len(units):
            fields.wrong("a unit is there twice")
        at = "" if time is None else f"@t={fields.whole('time', 0, MAX_NUMBER)}"
        selector = select(network, f"{fields.get('site', str)}[{','.join(map(str, units))}]{at}")
        if tuple(units) != selector.units:
            fields.wrong("`units` must rise")
        return intervention_from(network, op, selector, fields.record)


def _places(fields: RecordFields, key: str, size: int) -> Array:
    places = fields.array(key, np.int64, (None,))
    if places.size and (places[0] < 0 or places[-1] >= size or (np.diff(places) <= 0).any()):
        fields.wrong(f"`{key}` must be rising positions from 0 to {size - 1}")
    return places


def _key(described: Any) -> bytes | None:
    """A key that is equal for equal plain data; None for other data, such as arrays."""
    try:
        return canonical(described)
    except (TypeError, ValueError):
        return None


def _understood(architecture: list[Any]) -> list[Any] | None:
    """Descriptions of layers as this version writes them; None if they are not descriptions."""
    try:
        return [describe(layer_from(entry)) for entry in architecture]
    except UNUSABLE:
        return None


def _rules(fields: RecordFields) -> int:
    """The rules that a keyframe's settings name, or the first ones if they name none."""
    return fields.whole("rules", FIRST, CURRENT) if "rules" in fields.record else FIRST


def _counts(fields: RecordFields, hyper: Hyper, step: int, size: int, frozen: Array) -> Array:
    """The step from which updates count for each parameter, or the number of updates for frozen ones."""
    if not keeps_counts(hyper) or ("counts" not in fields.record and not frozen.size):
        return ALIKE
    counts = fields.array("counts", np.int64, (size,))
    low, high = np.full(size, hyper.since), np.full(size, step)
    low[frozen], high[frozen] = 0, step - hyper.since
    if ((counts < low) | (counts > high)).any():
        of_frozen = f"of what is frozen 0 to {step - hyper.since}"
        fields.wrong(f"`counts` must be steps from {hyper.since} to {step}, {of_frozen}")
    if not frozen.size and (counts == hyper.since).all():
        fields.wrong("`counts` are there although all parameters count alike")
    return counts
