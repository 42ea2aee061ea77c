"""What the parts of a save must be: its recipe and own layers, States, evaluations, checked against each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from tinynets.arrays import Array
from tinynets.canonical import canonical
from tinynets.counts import are_kept
from tinynets.data import Dataset
from tinynets.edits import OPERATIONS
from tinynets.errors import CorruptSave, SaveError, SelectorError, TinynetsError, UnsupportedSave
from tinynets.interventions import Intervention
from tinynets.layers import describe, layer_from
from tinynets.layout import carried_count, parameter_count
from tinynets.network import Network, network_from
from tinynets.operations.activations import intervention_from
from tinynets.operations.base import Edit
from tinynets.optimizers import optimizer_from
from tinynets.plugins import check_saved, is_own, kinds_in
from tinynets.recipe import Recipe, recipe_from
from tinynets.rules import CURRENT, FIRST
from tinynets.save_fields import MAX_NUMBER, MAX_STEP, Fields
from tinynets.save_writer import layouts
from tinynets.schedules import schedule_from
from tinynets.selectors import ParameterSelector, select, select_learned
from tinynets.state import ALIKE, Hyper, State
from tinynets.timeline import Evaluation, Moment

OTHER_LAYERS = "its layers are not those that the recipe and its edits make"
UNUSABLE = (TinynetsError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What comes of building something from plain data that is not what it should be."""


class Own:
    """The layers and losses of the user's own that a file has named with the digest of their source."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.named: set[tuple[str, str]] = set()

    def name(self, fields: Fields) -> None:
        """Take those that a record names; UnsupportedSave where they are not registered here, or others."""
        found = []
        for entry in fields.optional("own", list) or []:
            thing = Fields(self.file, entry, "a layer or loss of one's own")
            found.append((thing.get("family", str), thing.get("kind", str), thing.get("sha256", str)))
        check_saved(self.file, found)
        self.named |= {entry[:2] for entry in found}

    def recipe(self, fields: Fields) -> Recipe:
        try:
            recipe = recipe_from(fields.get("config", dict), self.file, rules=FIRST)
        except TinynetsError as error:
            raise CorruptSave(str(error)) from None
        self.all_named(recipe.layers)
        self._check("loss", recipe.training.loss.kind)
        return recipe

    def all_named(self, architecture: Any) -> None:
        """Layers that are not tinynets' own must have been named with their digests."""
        for kind in kinds_in(architecture):
            self._check("layer", kind)

    def _check(self, family: str, kind: str) -> None:
        if is_own(family, kind) and (family, kind) not in self.named:
            raise CorruptSave(f"`{self.file}` has the {family} `{kind}` without naming its source")


def start_network(fields: Fields, recipe: Recipe, data: Dataset) -> Network:
    """A network of the recipe's shape around a keyframe's own arrays, so that nothing is allocated for them."""
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


class Checker:
    """Builds the States of keyframes, checked against the recipe and the network of the start."""

    def __init__(
        self, file: str, version: int, recipe: Recipe, network: Network, all_named: Callable[[Any], None]
    ) -> None:
        self.file, self.version, self.recipe, self.network = file, version, recipe, network
        self._all_named = all_named
        self._networks: dict[bytes, Network] = {}
        self._checked: dict[tuple[bytes, int] | None, tuple[Network, Hyper]] = {}

    def state(self, fields: Fields, wanted: Network) -> State:
        """The State of a keyframe of that network; its arrays cannot be written, and may lie in what was read."""
        config = fields.inner("state", "a keyframe's state")
        dtype = np.dtype(self.recipe.training.dtype)
        size, carried = wanted.theta.size, wanted.carried.size
        theta = fields.array("theta", dtype, (size,))
        buffers = fields.array("buffers", dtype, (carried,))
        step = config.whole("step", 0, MAX_STEP)
        try:
            network, hyper = self._of(config, wanted, theta, buffers, step)
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

    def _of(self, config: Fields, wanted: Network, theta: Array, buffers: Array, step: int) -> tuple[Network, Hyper]:
        """Network and settings of a keyframe; there are thousands of the same, so each is checked once."""
        described = config.get("architecture", list), config.get("hyper", dict)
        known = _key(described)
        key = None if known is None else (known, id(wanted))
        if key is None or key not in self._checked:
            architecture = _understood(described[0])
            if canonical(architecture) != canonical(wanted.architecture):
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
        """A network of a keyframe's layers; they are few, so each is built once."""
        key = canonical(architecture)
        if key not in self._networks:
            self._all_named(architecture)
            self._networks[key] = network_from(
                architecture,
                dtype=theta.dtype,
                theta=theta,
                carried=buffers,
                input_shape=self.network.input_shape,
                rules=self.network.rules,
            )
        return self._networks[key]

    def _check_layout(self, fields: Fields, network: Network) -> None:
        """What other readers go by must be what the layers say."""
        for key, found in zip(("parameters", "carried"), layouts(network.layers), strict=True):
            try:
                same = canonical(fields.get(key, list)) == canonical(found)
            except UNUSABLE:
                same = False
            if not same:
                fields.wrong(f"`{key}` must name the arrays of its layers, in their order")

    def _hyper(self, fields: Fields) -> Hyper:
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
        fields = Fields(self.file, entry, "an intervention")
        op, units, time = fields.get("op", str), fields.get("units", list), fields.record.get("time")
        if op not in OPERATIONS or OPERATIONS[op].family != "activation" or op == "release":
            raise UnsupportedSave(f"`{self.file}` has an intervention `{op}`, which this version does not know")
        if len(set(units)) < len(units):
            fields.wrong("a unit is there twice")
        at = "" if time is None else f"@t={fields.whole('time', 0, MAX_NUMBER)}"
        selector = select(network, f"{fields.get('site', str)}[{','.join(map(str, units))}]{at}")
        if tuple(units) != selector.units:
            fields.wrong("`units` must rise")
        return intervention_from(network, op, selector, fields.record)


def selected(network: Network, edit: Edit) -> int:
    """About how many places there are to be looked at where an edit is checked."""
    try:
        found = select_learned(network, edit.target)
    except SelectorError:  # which its check says
        return 1
    if edit.args.get("others"):
        return network.theta.size + network.carried.size
    if isinstance(found, ParameterSelector):
        return found.count(network)
    block = network.block(found.block)
    each = 1 + network.block_parameters(block) // block.units
    return len(found.units) * each + (64 * block.units if edit.args.get("outgoing") else 0)


def _rules(fields: Fields) -> int:
    """The rules that a keyframe's settings name, the first where they name none."""
    return fields.whole("rules", FIRST, CURRENT) if "rules" in fields.record else FIRST


def _counts(fields: Fields, hyper: Hyper, step: int, size: int, frozen: Array) -> Array:
    """From which step the updates of each parameter count, and how many what is frozen has had."""
    if not are_kept(hyper) or ("counts" not in fields.record and not frozen.size):
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


def _places(fields: Fields, key: str, size: int) -> Array:
    places = fields.array(key, np.int64, (None,))
    if places.size and (places[0] < 0 or places[-1] >= size or (np.diff(places) <= 0).any()):
        fields.wrong(f"`{key}` must be rising positions from 0 to {size - 1}")
    return places


def _key(described: Any) -> bytes | None:
    """What is the same for the same plain data; None for what holds something else, an array for one."""
    try:
        return canonical(described)
    except (TypeError, ValueError):
        return None


def _understood(architecture: list[Any]) -> list[Any] | None:
    """Descriptions of layers as this version writes them; None where they are none."""
    try:
        return [describe(layer_from(entry)) for entry in architecture]
    except UNUSABLE:
        return None


def read_evaluations(fields: Fields, end: Moment | None) -> list[Evaluation]:
    """Evaluations from their columns, in the order of their steps; none behind `end`, where it is given."""
    splits = fields.get("splits", list)
    if not all(isinstance(split, str) for split in splits):
        fields.wrong("`splits` must be names")
    which = fields.array("split", np.int64, (None,))
    shape = which.shape
    split = which.tolist()
    step, edits, examples = (fields.array(key, np.int64, shape).tolist() for key in ("step", "edits", "examples"))
    loss = fields.array("loss", np.float64, shape).tolist()
    accuracy = fields.array("accuracy", np.float64, shape, finite=False).tolist()
    clean = fields.array("clean", np.bool_, shape).tolist()
    if not split:
        return []
    if not (min(split) >= 0 and max(split) < len(splits)):
        fields.wrong("`split` points at a name that is not there")
    if min(map(min, (step, edits, examples))) < 0:
        fields.wrong("steps, edits and examples must be 0 or more")
    if end is not None and (max(step) > end.step or max(edits) > end.edits):
        fields.wrong(f"there are evaluations behind the end of the branch, step {end.step} with {end.edits} edits")
    if any(later < earlier for earlier, later in pairwise(step)):
        fields.wrong("steps must not go back")
    columns = split, step, loss, accuracy, examples, clean, edits
    return [
        Evaluation(splits[number], at, value, None if right != right else right, count, bare, done)
        for number, at, value, right, count, bare, done in zip(*columns, strict=True)
    ]
