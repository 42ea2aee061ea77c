"""A unit that explains itself: how it comes to its value on an example, what came back, what it responds to, what for.

Activations are read with everything that stands on them. Of a sequence the last place is looked at, or the time step
that was asked for, of an image the one where the unit is largest. The gradient is that of the example's own loss, as
the lab reports it: times the example's weight.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from tinynets.errors import EditError
from tinynets.experiment.experiment import Experiment
from tinynets.history.moment import Moment
from tinynets.jobs import Progress
from tinynets.measure.block_view import BlockView
from tinynets.measure.explanation import Change, Contribution, Effect, Explanation, Gate, Response
from tinynets.measure.weight_matrix import incoming, is_passthrough, producers, row_names
from tinynets.nn.block import Block
from tinynets.nn.interventions import Intervention, examples_from
from tinynets.nn.layers import Linear
from tinynets.nn.layers.recurrent import Recurrent
from tinynets.nn.losses import LossBuffers
from tinynets.nn.network import Network
from tinynets.nn.saturation import activation_of, flatness
from tinynets.nn.selectors import Selector, select
from tinynets.nn.taps import Tap
from tinynets.nn.workspace import CHUNK, Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.checks import check_whole
from tinynets.training.frozen import frozen_units
from tinynets.training.state import State, network_of

TOP = 8
MAX_TOP = 1000
TARGETS = 3
"""So many of the targets are named of an input that a split holds several times."""

Work = Generator[Progress, None, Explanation]


def explain(experiment: Experiment, selector: object, example: int = 0, split: str = "train", top: int = TOP) -> Work:
    """The explanation of one unit, as work; nothing moves."""
    found = _asked(experiment, selector, example, split, top)
    network, block, unit = experiment.network, experiment.network.block(found.block), found.units[0]
    experiment.probe.forward(network)
    look = BlockView.of(experiment, block)
    position = look.position(example, unit) if found.time is None else found.time
    places = look.out.shape[1]
    terms = _terms(experiment, block, unit, example, position, places)
    gradient, gradient_pre = _gradients(experiment, block, unit, example, position, places)
    pre = float(look.pre[example, position, unit]) if look.pre is not None else terms.z if terms else None
    standing = _standing(experiment, block, unit)
    clean, activation = _clean(experiment, block, unit, example, position), activation_of(network, block)
    effects = _effects(experiment, block, unit, example, position, places, found.time is not None)
    changes, bias_change, ratio = yield from _last_update(experiment, block, unit, top)
    over = yield from _over(experiment, block, unit, found.time, split, top)
    return Explanation(
        name=f"{block.name}[{unit}]",
        step=experiment.moment.step,
        example=int(example),
        input=experiment.probe.examples[example],
        target=experiment.probe.targets[example],
        time=found.time,
        position=position,
        place=_place(experiment, block, position, places),
        contributions=terms.listed(top) if terms else (),
        rest=terms.rest(top) if terms else 0.0,
        bias=terms.bias if terms else None,
        z=terms.z if terms else None,
        gates=_gates(experiment, block, unit, example, position, places, top),
        normalized=_normalized(experiment, block, unit, example, position),
        pre=pre,
        activation=activation.kind if activation is not None else "",
        measure=network.layers[block.last].unit_measure,
        clean=clean,
        value=float(look.out[example, position, unit]),
        interventions=tuple(map(str, standing)),
        on_output=tuple(f"{entry.op}{_amount(entry)}" for entry in standing if _acts(entry, block, position)),
        frozen=bool(frozen_units(network, experiment.state.frozen, block)[unit]),
        gradient=gradient,
        gradient_pre=gradient_pre,
        changes=changes,
        bias_change=bias_change,
        change_ratio=ratio,
        split=split,
        examples=over.count,
        responses=over.responses,
        nearest=_is_distance(network, block),
        mean=over.mean,
        variance=over.variance,
        saturated_share=over.saturated,
        dead_share=over.blocked,
        effects=effects[:top],
        weight=None if experiment.probe.weight is None else float(experiment.probe.weight[example]),
    )


def _asked(experiment: Experiment, selector: object, example: int, split: str, top: int) -> Selector:
    """The unit that is asked about, once all that is asked is known to be there."""
    found = select(experiment.network, selector)
    if len(found.units) != 1 or found.pre:
        raise EditError(f"`explain` is about one unit, as `{found.block}[0]`, not `{found}`")
    check_whole("example", example, 0, len(experiment.probe.x) - 1)
    check_whole("top", top, 1, MAX_TOP)
    if not isinstance(split, str) or split not in experiment.data.splits:
        raise EditError(f"`explain`: `split` is one of {', '.join(experiment.data.splits)}, not {split!r}")
    return found


def _place(experiment: Experiment, block: Block, position: int, places: int) -> str:
    """A position in words: of an image row and column, of a recurrent layer the time step."""
    values = experiment.probe.workspace.units_behind(experiment.network, block.last)
    if values.ndim == 4:
        return "row {}, column {}".format(*divmod(position, values.shape[2]))
    if experiment.network.time_steps(block):
        return f"t={position}"
    return f"place {position}" if places > 1 else ""


# -- what stands on it


def _standing(experiment: Experiment, block: Block, unit: int) -> list[Intervention]:
    sites = block.name, f"{block.name}.pre"
    return [entry for entry in experiment.interventions if entry.site in sites and unit in entry.units]


def _clean(experiment: Experiment, block: Block, unit: int, example: int, position: int) -> float:
    """What the block gave before what stands on its output."""
    values = experiment.network.layers[block.last].unit_values_untapped(experiment.probe.workspace.buffers[block.last])
    return float(values.reshape(len(values), -1, block.units)[example, position, unit])


def _acts(entry: Intervention, block: Block, position: int) -> bool:
    """Whether an intervention acts on the block's output at a place."""
    return entry.site == block.name and entry.time in (None, position)


def _amount(entry: Intervention) -> str:
    return "" if entry.amount is None else f" {entry.amount:g}"


# -- its sum


@dataclass(frozen=True)
class _Terms:
    """What a unit sums at one place: x and w of each incoming weight, and the bias."""

    names: tuple[str, ...]
    x: Array
    w: Array
    bias: float | None

    def _order(self) -> Array:
        return np.argsort(-np.abs(self.x * self.w), kind="stable")

    def listed(self, top: int) -> tuple[Contribution, ...]:
        products = self.x * self.w
        return tuple(
            Contribution(self.names[i], float(self.x[i]), float(self.w[i]), float(products[i]))
            for i in self._order()[:top]
        )

    def rest(self, top: int) -> float:
        return float((self.x * self.w)[self._order()[top:]].sum())

    @property
    def z(self) -> float:
        return float((self.x * self.w).sum()) + (self.bias or 0.0)


def _terms(experiment: Experiment, block: Block, unit: int, example: int, position: int, places: int) -> _Terms | None:
    first = experiment.network.layers[block.first]
    matrix = incoming(first, block.units)
    if matrix is None or first.gate_sums:
        return None
    x = _summed(experiment, block, example, position, places)
    if x is None or len(x) != len(matrix):
        return None
    vectors = [entry.name for entry in first.parameters() if len(entry.shape) == 1]
    biases = [float(getattr(first, name)[unit]) for name in vectors]
    w = matrix[:, unit].astype(np.float64)
    return _Terms(tuple(row_names(experiment, block)), x.astype(np.float64), w, sum(biases) if biases else None)


def _summed(experiment: Experiment, block: Block, example: int, position: int, places: int) -> Array | None:
    """What a block's first layer weighs at a place, in the order of the rows of its weights.

    Places are counted from the end: what joins a layer of which only the last step is given out has no other.
    """
    network, probe = experiment.network, experiment.probe
    x, buffers = probe.input_of(network, block.first), probe.workspace.buffers[block.first]
    return network.layers[block.first].summands(x, buffers, example, position - places)


def _gates(
    experiment: Experiment, block: Block, unit: int, example: int, position: int, places: int, top: int
) -> tuple[Gate, ...]:
    """The sums of a gated layer. In that of a GRU's n, what comes from its own units is multiplied by r."""
    first = experiment.network.layers[block.first]
    if not isinstance(first, Recurrent):
        return ()
    summed = _summed(experiment, block, example, position, places)
    assert summed is not None
    x, names, made = summed.astype(np.float64), _names_without_gates(experiment, block, first.inputs), list[Gate]()
    for place, gate in enumerate(first.gate_sums):
        column = place * first.size + unit
        w = np.concatenate([first.w_ih[:, column], first.w_hh[:, column]]).astype(np.float64)
        share = made[0].value if gate.reset else 1.0
        own = x * np.repeat([1.0, share], [first.inputs, first.size])
        bias = float(first.b_ih[column]) + share * float(first.b_hh[column])
        terms = _Terms(names, own, w, bias)
        value = float(np.tanh(terms.z) if gate.squash == "tanh" else (1 + np.tanh(terms.z / 2)) / 2)
        made.append(Gate(gate.name, terms.listed(top), terms.rest(top), bias, terms.z, gate.squash, value))
    return tuple(made)


def _names_without_gates(experiment: Experiment, block: Block, inputs: int) -> tuple[str, ...]:
    """What each gate sums: what comes in, then the units themselves a step before."""
    came = [name.partition(" ")[2] for name in row_names(experiment, block)[:inputs]]
    return (*came, *(f"{block.name}[{index}]@t-1" for index in range(block.units)))


def _normalized(experiment: Experiment, block: Block, unit: int, example: int, position: int) -> float | None:
    """What a normalization in the block makes of the sum, before what stands there."""
    index = block.last if block.pre is None else block.pre
    if index == block.first or experiment.network.layers[index].is_activation:
        return None
    values = experiment.network.layers[index].untapped(experiment.probe.workspace.buffers[index])
    return float(values.reshape(len(values), -1, block.units)[example, position, unit])


def _is_distance(network: Network, block: Block) -> bool:
    """The value is a distance, which is small where the unit answers."""
    return network.layers[block.last].gives_distances


# -- what came back


def _gradients(
    experiment: Experiment, block: Block, unit: int, example: int, position: int, places: int
) -> tuple[float | None, float | None]:
    """d loss of the example / d output and / d sum before the activation; the live network's gradients stay."""
    live, state, probe = experiment.network, experiment.state, experiment.probe
    network = _of(experiment, state)
    workspace = Workspace()
    with ignore_warnings():
        out = network.forward_checked(probe.x, workspace)
        loss, buffers = experiment.loss, LossBuffers()
        buffers.step = loss.measured_at(state.step)
        own = np.ascontiguousarray(out[example : example + 1])
        buffers.weight = None if probe.weight is None else probe.weight[example : example + 1]
        loss.fit(buffers, own)
        loss.weighted_value(own, probe.y[example : example + 1], buffers)
        dout = np.zeros_like(out)
        dout[example] = loss.weighted_gradient(buffers)[0]
        network.backward(dout, workspace)

    def there(index: int) -> float | None:
        gradient = workspace.gradient_at(index)
        if gradient is None or live.layers[index].closed or gradient.shape[-1] != block.units:
            return None
        own = gradient[example].reshape(-1, block.units)
        if len(own) == places:
            return float(own[position, unit]) + 0.0  # not -0.0 of an example of weight 0
        return float(own[-1, unit]) + 0.0 if position == places - 1 else None  # only the last step is given out

    return there(block.last), None if block.pre is None else there(block.pre)


def _of(experiment: Experiment, state: State) -> Network:
    """A network of its own around a state."""
    return network_of(state.live(), experiment.network.input_shape)


Updates = tuple[tuple[Change, ...], float | None, float | None]


def _last_update(experiment: Experiment, block: Block, unit: int, top: int) -> Generator[Progress, None, Updates]:
    """What the step that led here did to the unit's weights and bias; nothing where its layers were others."""
    number, step, _ = experiment.moment
    if not step:
        return (), None, None
    edits = experiment.branch.edits_through(step - 1)
    matrices, biases = [], []
    for moment in (Moment(number, step - 1, edits), Moment(number, step, edits)):
        state = yield from experiment.state_at(moment)
        if state.architecture != experiment.state.architecture:
            return (), None, None
        layer = _of(experiment, state).layers[block.first]
        matrix = incoming(layer, block.units)
        if matrix is None:
            return (), None, None
        matrices.append(matrix[:, unit].astype(np.float64))
        biases.append(float(layer.b[unit]) if getattr(layer, "bias", False) and hasattr(layer, "b") else None)
    before, after = matrices
    change, length = after - before, float(np.linalg.norm(after))
    names = row_names(experiment, block)
    largest = np.argsort(-np.abs(change), kind="stable")[:top]
    listed = tuple(Change(names[i], float(after[i]), float(change[i])) for i in largest)
    of_bias = None if biases[0] is None or biases[1] is None else biases[1] - biases[0]
    return listed, of_bias, float(np.linalg.norm(change)) / length if length else None


# -- over a split


@dataclass(frozen=True)
class _Over:
    count: int
    responses: tuple[Response, ...]
    mean: float
    variance: float
    saturated: float | None
    blocked: float | None


def _over(
    experiment: Experiment, block: Block, unit: int, time: int | None, split: str, top: int
) -> Generator[Progress, None, _Over]:
    """What the unit does on all examples of a split, at all places or one time step, chunk by chunk."""
    x, network, workspace = experiment.split(split)[0], experiment.network, Workspace()
    places = slice(None) if time is None else slice(time, time + 1)
    parts: list[Array] = []
    flat: list[Array] = []
    for start in range(0, len(x), CHUNK):
        with ignore_warnings(), examples_from(network, start):
            network.forward_checked(x[start : start + CHUNK], workspace)
        values = workspace.units_behind(network, block.last)[..., unit]
        parts.append(values.reshape(len(values), -1).astype(np.float64)[:, places])
        found = flatness(network, workspace, block, x[start : start + CHUNK])
        if found is not None:
            flat.append(np.stack([found.saturated[:, places, unit], found.blocked[:, places, unit]]))
        yield Progress(min(start + CHUNK, len(x)), len(x), f"examples of {split}")
    values = np.concatenate(parts)
    distance = _is_distance(network, block)
    responses = _responses(experiment, split, values.min(axis=1) if distance else -values.max(axis=1), top, distance)
    shares = np.concatenate(flat, axis=1).mean(axis=(1, 2)).tolist() if flat else [None, None]
    return _Over(len(x), responses, float(values.mean()), float(values.var()), *shares)


def _responses(experiment: Experiment, split: str, ranks: Array, top: int, distance: bool) -> tuple[Response, ...]:
    """The examples of the lowest ranks (distances, or values times -1), each input once."""
    places: dict[int, list[int]] = {}
    for index, row in enumerate(experiment.data[split][0]):
        places.setdefault(hash(row.tobytes()), []).append(index)
    alike = {own[0]: own for own in places.values()}
    first = np.array(list(alike))
    best = np.array([ranks[own].min() for own in alike.values()])
    chosen = first[np.argsort(best, kind="stable")[:top]]
    return tuple(
        _response(experiment, split, alike[i], float(ranks[alike[i]].min()) * (1 if distance else -1)) for i in chosen
    )


def _response(experiment: Experiment, split: str, alike: list[int], value: float) -> Response:
    """An input that a split holds at these places; of its targets the most frequent ones."""
    index, data = alike[0], experiment.data
    targets = Counter(data.describe_target(split, place) for place in alike)
    shown = ", ".join(target for target, _ in targets.most_common(TARGETS))
    more = ", ..." if len(targets) > TARGETS else ""
    return Response(index, value, data.describe(split, index), shown + more, len(alike), data.picture(split, index))


# -- what for


def _effects(
    experiment: Experiment, block: Block, unit: int, example: int, place: int, places: int, alone: bool
) -> tuple[Effect, ...]:
    """What the unit adds to each output through a last Linear layer that takes it up directly, with all that stands
    on the way: what is added there is not its own, and where values are set nothing of it gets through.

    `alone`: from its place only, not from all that the layer takes at once.
    """
    network = experiment.network
    last = next(entry for entry in reversed(network.blocks) if not is_passthrough(entry))
    layer = network.layers[last.first]
    if last is block or not isinstance(layer, Linear) or block not in producers(network, last):
        return ()
    if layer.inputs % block.units or network.known_shapes[block.last][-1] != block.units:
        return ()
    taken = _own_way(experiment, block, last).output_of(last.first - 1)
    removed = np.zeros_like(taken[example]).reshape(-1, layer.inputs // block.units, block.units)
    removed[..., unit] = taken[example].reshape(removed.shape)[..., unit]
    row = place if len(removed) == places else len(removed) - 1
    if alone and len(removed) == places:
        removed[np.arange(places) != place] = 0
    elif alone:
        arrives = removed.shape[1]
        if arrives != places and place < places - 1:
            return ()
        removed[:, np.arange(arrives) != place - places + arrives] = 0
    factor = _factor_behind(network, last)
    if factor is None:
        added = _difference(experiment, last, example, removed.reshape(taken[example].shape))
        added = added[row if len(added) == len(removed) else -1]
    else:
        w = layer.w.reshape(removed.shape[1], block.units, -1)[:, unit].astype(np.float64)
        added = removed[row, :, unit].astype(np.float64) @ w * factor
    labels = experiment.data.labels
    names = [labels[i] if i < len(labels) else f"{last.name}[{i}]" for i in range(len(added))]
    return tuple(Effect(names[i], float(added[i]) + 0.0) for i in np.argsort(-np.abs(added), kind="stable"))


def _own_way(experiment: Experiment, block: Block, last: Block) -> Workspace:
    """What the probe gives in a network in which what stands between a block and the last layer adds nothing."""
    network, workspace = _of(experiment, experiment.state), Workspace()
    nearest_first = producers(network, network.block(last.name))
    for entry in nearest_first[: [found.name for found in nearest_first].index(block.name)]:
        tap = network.taps[entry.last]
        if tap is not None:
            network.taps[entry.last] = Tap(tap.multiply, np.zeros_like(tap.multiply))
    with ignore_warnings():
        network.forward_checked(experiment.probe.x, workspace)
    return workspace


def _factor_behind(network: Network, last: Block) -> Array | None:
    """By what the outputs of the last Linear layer are multiplied, (outputs,); None where more is done to them."""
    factor = np.ones(last.units)
    for index, layer in enumerate(network.layers[last.first :], last.first):
        if index > last.first and not layer.hands_on:
            return None
        tap = network.taps[index]
        if tap is not None and tap.multiply.ndim > 1:
            return None
        factor = factor if tap is None else factor * tap.multiply
    return factor


def _difference(experiment: Experiment, last: Block, example: int, removed: Array) -> Array:
    """What the network gives for an example, less what it gives once something is removed from what `last` takes.

    (places, outputs) in float64.
    """
    network, workspace = _of(experiment, experiment.state), Workspace()
    with ignore_warnings():
        out = network.forward_checked(experiment.probe.x, workspace)[example].astype(np.float64)
        x = workspace.output_of(last.first - 1).copy()
        x[example] -= removed
        for act in workspace.forward_acts[last.first :]:
            x = act(x)
    difference: Array = out - x[example]
    return difference.reshape(-1, difference.shape[-1])
