"""Finds the values of edits: from means, other examples, classes, other branches, bookmarks or saves.

The values are stored in the edit, so that it can be repeated exactly. Activations are read without the interventions on
the units themselves, but with all others; at another moment (a branch, a bookmark, a save) with all that are there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from tinynets.data import Dataset
from tinynets.errors import DataError, EditError, SelectorError, nearest
from tinynets.jobs import Job, Progress
from tinynets.nn.block import Block
from tinynets.nn.interventions import examples_from, released
from tinynets.nn.network import Network
from tinynets.nn.selectors import Selector, select
from tinynets.nn.workspace import CHUNK, Workspace
from tinynets.numerics import rng
from tinynets.numerics.arrays import Array, Shape, Values, as_array, converted, ignore_warnings, plain, shape_text
from tinynets.numerics.checks import check_whole
from tinynets.training.state import State, state_taps

PROBE = "probe"
MAX_POOL = 4096
Found = Job[Values]
Arguments = dict[str, Any]
Recorded = Job[Arguments]
"""The arguments of an edit to record, including `values`."""


class Bench(Protocol):
    """The sources of an edit's values: a run at its present moment, its other moments, and saves."""

    @property
    def network(self) -> Network: ...
    @property
    def state(self) -> State: ...
    @property
    def data(self) -> Dataset: ...
    @property
    def probe_batch(self) -> tuple[Array, Array]: ...
    def split(self, name: str) -> tuple[Array, Array]: ...
    def at(self, place: str, name: str) -> Job[tuple[Network, State]]:
        """Network and State at the end of a `branch`, without undone edits, or at a `bookmark`."""
        ...

    def opened(self, save: str) -> Bench:
        """The bench of a save, at its current moment."""
        ...


@dataclass(frozen=True)
class NetworkAt:
    """A network at some moment, and its run."""

    bench: Bench
    network: Network
    state: State


def activations(
    network: Network, state: State, selector: Selector, x: Array, *, bare: bool = True, place: int = 0
) -> Array:
    """The activations of units for a batch, (B, ...) as at the site; `bare`: without the interventions on them.

    `place`: the index of the first example among all those evaluated, for random terms.
    """
    standing, workspace = network.taps, Workspace()
    try:
        if bare:
            network.taps = state_taps(
                network, replace(state, interventions=released(network, state.interventions, selector))
            )
        with ignore_warnings(), examples_from(network, place):
            network.forward_checked(x, workspace)
    finally:
        network.taps = standing
    index = network.site(selector.site)
    layer, buffers = network.layers[index], workspace.buffers[index]
    values = layer.untapped(buffers) if bare and selector.time is not None else layer.site_values(buffers)
    if selector.time is not None:
        values = values[:, selector.time]
    axis = layer.site_axis + (layer.site_axis >= 0)
    taken: Array = values.take(selector.units, axis=axis)
    return taken


def _split(bench: Bench, op: str, over: object) -> tuple[Array, Array]:
    """x and y of a split, or of the probe."""
    if isinstance(over, str) and over == PROBE:
        return bench.probe_batch
    splits = bench.data.splits
    if not isinstance(over, str) or over not in splits:
        known = (PROBE, *splits)
        raise EditError(f"`{op}`: `over` is one of {', '.join(known)}, not {over!r}{nearest(str(over), known)}")
    return bench.split(over)


def mean_of(bench: Bench, selector: Selector, over: str) -> Found:
    """The mean of units over a split or the probe, its places and time steps: (units,), for heads (units, 1, d)."""
    x, _ = _split(bench, "mean", over)
    return Values((yield from _mean(bench, selector, x, over)))


def _mean(bench: Bench, selector: Selector, x: Array, over: str) -> Job[Array]:
    network, total, count = bench.network, None, 0
    axis = network.layers[network.site(selector.site)].site_axis
    for start in range(0, len(x), CHUNK):
        found = activations(network, bench.state, selector, x[start : start + CHUNK], place=start).astype(np.float64)
        away = (0, 2) if axis >= 0 else tuple(range(found.ndim - 1))
        part = found.sum(axis=away, keepdims=axis >= 0)
        total = part if total is None else total + part
        count += found.size // part.size
        yield Progress(min(start + CHUNK, len(x)), len(x), f"examples of {over}")
    if total is None:
        raise EditError(f"there are no examples in {over}")
    made: Array = (total[0] if axis >= 0 else total) / count
    with ignore_warnings():
        return made.astype(network.dtype)


def pool_of(bench: Bench, selector: Selector, over: str, examples: int, ordinal: int) -> Found:
    """The activations of units on randomly drawn examples of a split: (examples, ...) as at the site."""
    check_whole("examples", examples, 1, MAX_POOL)
    x, _ = _split(bench, "resample", over)
    seed = bench.state.hyper.seed
    chosen = rng.integers(seed, f"examples/{selector.site}/{ordinal}", 0, len(x), (int(examples),))
    yield Progress(0, len(chosen), f"examples of {over}")
    return Values(activations(bench.network, bench.state, selector, x[chosen]))


def direction_of(bench: Bench, selector: Selector, over: str, toward: Any, away: Any, scale: float) -> Found:
    """The mean of units on examples of one class, minus that on another (None: on all), scaled."""
    x, y = _split(bench, "steer", over)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise EditError("`steer`: classes need targets that are classes; give `values=` instead")
    one = yield from _mean(bench, selector, x[y == _class(bench, "toward", toward, y)], over)
    rest = x if away is None else x[y == _class(bench, "away", away, y)]
    other = yield from _mean(bench, selector, rest, over)
    with ignore_warnings():
        return Values((one - other) * bench.network.dtype.type(scale))


def _class(bench: Bench, name: str, given: Any, y: Array) -> int:
    labels = bench.data.labels
    if isinstance(given, str) and given in labels:
        number = labels.index(given)
    elif (isinstance(given, str) and given.isdecimal() and len(given) < 10) or (
        isinstance(given, int | np.integer) and not isinstance(given, bool)
    ):
        number = int(given)
    else:
        known = ", ".join(labels[:30]) or f"0 to {int(y.max())}"
        raise EditError(f"`steer`: `{name}` must be a class, {known}, not {given!r}")
    if not (y == number).any():
        raise EditError(f"`steer`: no example is of the class {given!r}")
    return number


def said(given: Arguments) -> Arguments:
    """The arguments that were given, with numbers as Python's own."""
    return {name: plain(value) for name, value in given.items() if value is not None}


# -- from another moment


def source_of(bench: Bench, op: str, given: dict[str, Any]) -> Job[NetworkAt]:
    """The network that `branch`, `bookmark` or `save` names; the run's own if none is given."""
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) > 1:
        raise EditError(f"`{op}` takes one of {', '.join(given)}, not {' and '.join(named)}")
    if not named:
        return NetworkAt(bench, bench.network, bench.state)
    ((name, value),) = named.items()
    if not isinstance(value, str):
        raise EditError(f"`{op}`: `{name}` must be text, not {value!r}")
    if name == "save":
        other = bench.opened(value)
        return NetworkAt(other, other.network, other.state)
    network, state = yield from bench.at(name, value)
    return NetworkAt(bench, network, state)


def patch_of(bench: Bench, selector: Selector, example: int | None, given: Any, sources: dict[str, Any]) -> Found:
    """The activations of units on one example or a given input, here or at another moment."""
    if example is not None and given is not None:
        raise EditError("`patch` takes `example` or `input`, not both")
    if example is None and given is None:
        raise EditError(
            "`patch` needs `example=` (of the probe) or `input=`, here or with one of "
            f"{', '.join(f'`{name}=`' for name in sources)}; or `values=`"
        )
    if example is not None:
        check_whole("example", example, 0, len(bench.probe_batch[0]) - 1)
    source = yield from source_of(bench, "patch", sources)
    if example is not None and source.bench.data.sha256 != bench.data.sha256:
        raise EditError(
            f"`patch`: `{sources.get('save')}` has other data, so example {example} is another there; give `input=`"
        )
    there = _same_units(source, selector, sources)
    x = bench.probe_batch[0]  # always evaluated together
    if example is None:
        x = as_input(source.bench.network, source.bench.data, source.bench.probe_batch[0].shape[1:], given)
    here = source.network is bench.network
    found = activations(source.network, source.state, there, x, bare=here)[example or 0]
    with ignore_warnings():
        return Values(found.astype(bench.network.dtype))


def _same_units(source: NetworkAt, selector: Selector, sources: dict[str, Any]) -> Selector:
    """The same units in another network, which must have them."""
    place = next((f"{name} `{value}`" for name, value in sources.items() if value is not None), "here")
    try:
        there = select(source.network, str(selector))
    except SelectorError as error:
        raise SelectorError(f"`patch`: in {place}: {error}") from None
    if there.units != selector.units:
        raise EditError(
            f"`patch`: `{selector}` has {len(selector.units)} units here, {len(there.units)} in {place}; name them"
        )
    return there


def as_input(network: Network, data: Dataset, shape: Shape, given: Any) -> Array:
    """One example in the form that the network takes, of that shape: from text for text data, else from numbers."""
    if isinstance(given, str):
        codec = data.text
        if codec is None:
            raise EditError(f"`input` must be numbers {shape_text(shape)}, as the data is no text, not {given!r}")
        codec.encode(given)
        return codec.window(given)[None]
    x = numbers_of(given, network.dtype)
    if x.dtype.kind not in "biuf":
        raise EditError(f"`input` must be numbers {shape_text(shape)}, not {given!r}")
    if x.shape == shape:
        x = x[None]
    if x.shape != (1, *shape):
        raise EditError(f"`input` must be one example {shape_text(shape)}, not {shape_text(x.shape)}")
    with ignore_warnings():
        checked = network.checked(x)
    if not np.isfinite(checked).all():
        raise EditError("`input` holds NaN or infinity")
    return checked


def numbers_of(given: Any, dtype: np.dtype[Any] | None = None) -> Array:
    """An input as an array, with floats as `dtype`; raises EditError if it cannot be read or does not fit."""
    try:
        x = as_array("input", given)
        return converted(x, dtype, "input") if dtype is not None and x.dtype.kind == "f" else x
    except DataError as error:
        raise EditError(str(error)) from None


def learned_of(bench: Bench, target: Selector, source: str | None, sources: dict[str, Any]) -> Found:
    """What units of another branch, bookmark or save have learned, in the form that `transplant` takes."""
    if all(value is None for value in sources.values()):
        raise EditError(f"`transplant` needs one of {', '.join(f'{name}=' for name in sources)}")
    found = yield from source_of(bench, "transplant", sources)
    there = select(found.network, source or str(target))
    ours, theirs = bench.network.block(target.block), found.network.block(there.block)
    if len(there.units) != len(target.units):
        raise EditError(f"`transplant`: `{target}` has {len(target.units)} units, `{there}` there {len(there.units)}")
    mine, other = (_outline(n, b.first, b.last) for n, b in ((bench.network, ours), (found.network, theirs)))
    if mine != other:
        raise EditError(
            f"`transplant`: a unit of `{target}` takes {_shapes(mine)}; one of `{there}` there has {_shapes(other)}"
        )
    if target.whole != there.whole and bench.network.shared_indices(ours).size:
        raise EditError(
            f"`transplant`: `{target}` and `{there}` there must both be all units of their block, or neither: "
            "some of what is learned belongs to no single one"
        )
    places, carried = places_of(found.network, theirs, there)
    return Values(np.concatenate([found.state.theta[places], found.state.buffers[carried]]))


def places_of(network: Network, block: Block, selector: Selector) -> tuple[Array, Array]:
    """The places of what units have learned, in theta and in the carried arrays."""
    return network.unit_indices(block, selector.units), network.carried_indices(block, selector.units)


Shapes = list[tuple[str, tuple[int, ...]]]


def _outline(network: Network, first: int, last: int) -> Shapes:
    """The shapes of a block's arrays, with the size of a single unit along the unit axis."""
    made = []
    for layer in network.layers[first : last + 1]:
        for entry in (*layer.parameters(), *(e for e in layer.carried() if not e.transient)):
            each = entry.groups * entry.each
            shape = tuple(each if axis == entry.unit_axis else n for axis, n in enumerate(entry.shape))
            made.append((entry.name, shape))
    return made


def _shapes(shapes: Shapes) -> str:
    return ", ".join(f"{name} {shape_text(shape)}" for name, shape in shapes) or "no parameters"
