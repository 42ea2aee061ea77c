"""Explains one unit: how it gets its value on an example, its gradient, what it responds to, and what it affects.

Activations are read with their interventions. In a sequence the last place is shown, or the given time step; in an
image, the place where the unit is largest. The gradient is that of the example's own loss, as the lab reports it: times
the example's weight.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from tinynets.errors import EditError
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.prediction import GivenInput, given_input, joined
from tinynets.history.moment import Moment
from tinynets.jobs import Job, Progress
from tinynets.measure.block_view import BlockView, UnitView
from tinynets.measure.effects import effects_of
from tinynets.measure.explanation import Change, Contribution, Explanation, Gate, Response
from tinynets.measure.unit_terms import UnitTerms, gates_of
from tinynets.measure.verdict import verdict_of
from tinynets.measure.weight_matrix import incoming, row_names
from tinynets.nn.interventions import Intervention, examples_from
from tinynets.nn.losses import LossBuffers
from tinynets.nn.saturation import activation_of, flatness
from tinynets.nn.selectors import Selector, select
from tinynets.nn.workspace import CHUNK, Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.checks import check_whole
from tinynets.training.frozen import frozen_units
from tinynets.training.state import network_of

TOP = 8
MAX_TOP = 1000
CAPTION = 60
"""How many characters an input is shown by at most."""
TARGETS = 3
"""How many targets are named for an input that a split holds several times."""


@dataclass(frozen=True)
class On:
    """The example that a unit is explained on: of the probe, of another split (`of`), or an input that is given."""

    example: int = 0
    input: Any = None
    of: str | None = None


def explain(
    experiment: Experiment, selector: object, on: On | None = None, split: str = "train", top: int = TOP
) -> Job[Explanation]:
    """The explanation of one unit, as a job; nothing moves."""
    on = on or On()
    asked = _asked(experiment, selector, split, top)
    experiment, place, found = _on(experiment, on)
    network, probe = experiment.network, experiment.probe
    probe.forward(network)
    without_target = found is not None and found.y is None
    with ignore_warnings():
        view = BlockView.of(experiment, network.block(asked.block))
        at = UnitView.of(experiment, view, asked.units[0], place, asked.time)
        total, value, effects = _sum(at, top), _value(at), effects_of(at)
        gradient = _Gradient(gradient=None, gradient_pre=None) if without_target else _gradient(at)
        verdict = verdict_of(at, value["clean"]).text
    update = yield from _last_update(at, top)
    over = yield from _over_split(at, split, top)
    return Explanation(
        name=at.name,
        step=experiment.moment.step,
        example=0 if on.input is not None else int(on.example),
        input=probe.examples[place],
        target=probe.targets[place],
        time=at.time,
        position=at.position,
        place=_place(at),
        **total,
        **value,
        **gradient,
        **update,
        **over,
        effects=effects[:top],
        weight=None if probe.weight is None else float(probe.weight[place]),
        verdict=verdict,
        given="" if on.input is None or found is None else found.text,
        of=on.of or "",
    )


def _on(experiment: Experiment, on: On) -> tuple[Experiment, int, GivenInput | None]:
    """An experiment whose probe holds the example, its place there, and the example if it is none of the probe's own.

    An experiment with another probe measures nothing for the run itself.
    """
    if on.input is None and on.of is None:
        check_whole("example", on.example, 0, len(experiment.probe.x) - 1)
        return experiment, on.example, None
    if on.input is not None:
        found = given_input(experiment, on.input, None, on.of)
    else:
        found = given_input(experiment, None, on.example, on.of)
    shown = found.text if len(found.text) <= CAPTION else f"{found.text[: CAPTION - 3]}..."
    return joined(experiment, found, shown), len(experiment.probe.x), found


def _asked(experiment: Experiment, selector: object, split: str, top: int) -> Selector:
    """The selected unit, after checking that everything asked for exists."""
    found = select(experiment.network, selector)
    if len(found.units) != 1 or found.pre:
        raise EditError(f"`explain` is about one unit, as `{found.block}[0]`, not `{found}`")
    check_whole("top", top, 1, MAX_TOP)
    if not isinstance(split, str) or split not in experiment.data.splits:
        raise EditError(f"`explain`: `split` is one of {', '.join(experiment.data.splits)}, not {split!r}")
    return found


def _place(at: UnitView) -> str:
    """Its position in words: row and column in an image, the time step in a recurrent layer."""
    values = at.experiment.probe.workspace.units_behind(at.network, at.block.last)
    if values.ndim == 4:
        return "row {}, column {}".format(*divmod(at.position, values.shape[2]))
    if at.network.time_steps(at.block):
        return f"t={at.position}"
    return f"place {at.position}" if at.places > 1 else ""


# -- the parts of an Explanation, with the same field names


class _Sum(TypedDict):
    contributions: tuple[Contribution, ...]
    rest: float
    bias: float | None
    z: float | None
    gates: tuple[Gate, ...]
    normalized: float | None
    pre: float | None


def _sum(at: UnitView, top: int) -> _Sum:
    """The terms that the unit sums, and the input of its activation."""
    terms = UnitTerms.of(at)
    z = terms.z if terms else None
    return _Sum(
        contributions=terms.listed(top) if terms else (),
        rest=terms.rest(top) if terms else 0.0,
        bias=terms.bias if terms else None,
        z=z,
        gates=gates_of(at, top),
        normalized=_normalized(at),
        pre=z if at.pre is None else at.pre,
    )


def _normalized(at: UnitView) -> float | None:
    """The sum after a normalization in the block, before interventions."""
    block, layers = at.block, at.network.layers
    index = block.last if block.pre is None else block.pre
    if index == block.first or layers[index].is_activation:
        return None
    return at.of_block(layers[index].untapped(at.experiment.probe.workspace.buffers[index]))


class _Value(TypedDict):
    activation: str
    measure: str
    clean: float
    value: float
    interventions: tuple[str, ...]
    on_output: tuple[str, ...]
    frozen: bool


def _value(at: UnitView) -> _Value:
    """The unit's output, and the interventions on it."""
    block, network = at.block, at.network
    layer, activation = network.layers[block.last], activation_of(network, block)
    sites = block.name, f"{block.name}.pre"
    standing = [entry for entry in at.experiment.interventions if entry.site in sites and at.unit in entry.units]
    return _Value(
        activation=activation.kind if activation is not None else "",
        measure=layer.unit_measure,
        clean=at.of_block(layer.unit_values_untapped(at.experiment.probe.workspace.buffers[block.last])),
        value=at.value,
        interventions=tuple(map(str, standing)),
        on_output=tuple(f"{entry.op}{_amount(entry)}" for entry in standing if _acts(entry, at)),
        frozen=bool(frozen_units(network, at.experiment.state.frozen, block)[at.unit]),
    )


def _acts(entry: Intervention, at: UnitView) -> bool:
    """Whether an intervention acts on the block's output at the place."""
    return entry.site == at.block.name and entry.time in (None, at.position)


def _amount(entry: Intervention) -> str:
    return "" if entry.amount is None else f" {entry.amount:g}"


class _Gradient(TypedDict):
    gradient: float | None
    gradient_pre: float | None


def _gradient(at: UnitView) -> _Gradient:
    """The gradients from the example's own loss; those of the live network do not change."""
    workspace = _backward(at)

    def there(index: int) -> float | None:
        gradient = workspace.gradient_at(index)
        if gradient is None or at.network.layers[index].closed or gradient.shape[-1] != at.block.units:
            return None
        own = gradient[at.example].reshape(-1, at.block.units)
        if len(own) == at.places:
            return float(own[at.position, at.unit]) + 0.0  # not -0.0 for an example of weight 0
        return float(own[-1, at.unit]) + 0.0 if at.position == at.places - 1 else None  # only the last one is an output

    pre = at.block.pre
    return _Gradient(gradient=there(at.block.last), gradient_pre=None if pre is None else there(pre))


def _backward(at: UnitView) -> Workspace:
    """Forward and backward of the probe in a separate network, for the loss of the example alone."""
    probe, loss, state = at.experiment.probe, at.experiment.loss, at.experiment.state
    example = slice(at.example, at.example + 1)
    network, workspace = network_of(state.live(), at.network.input_shape), Workspace()
    with ignore_warnings():
        out = network.forward_checked(probe.x, workspace)
        buffers = LossBuffers()
        buffers.step = loss.measured_at(state.step)
        own = np.ascontiguousarray(out[example])
        buffers.weight = None if probe.weight is None else probe.weight[example]
        loss.fit(buffers, own)
        loss.weighted_value(own, probe.y[example], buffers)
        dout = np.zeros_like(out)
        dout[example] = loss.weighted_gradient(buffers)
        network.backward(dout, workspace)
    return workspace


class _LastUpdate(TypedDict):
    changes: tuple[Change, ...]
    bias_change: float | None
    change_ratio: float | None


def _last_update(at: UnitView, top: int) -> Job[_LastUpdate]:
    """What the last step did to the unit's weights and bias; empty if the layers have changed since."""
    experiment, nothing = at.experiment, _LastUpdate(changes=(), bias_change=None, change_ratio=None)
    number, step, _ = experiment.moment
    if not step:
        return nothing
    edits = experiment.branch.edits_through(step - 1)
    matrices, biases = [], []
    for moment in (Moment(number, step - 1, edits), Moment(number, step, edits)):
        state = yield from experiment.state_at(moment)
        if state.architecture != experiment.state.architecture:
            return nothing
        layer = network_of(state.live(), at.network.input_shape).layers[at.block.first]
        matrix = incoming(layer, at.block.units)
        if matrix is None:
            return nothing
        matrices.append(matrix[:, at.unit].astype(np.float64))
        biases.append(float(layer.b[at.unit]) if getattr(layer, "bias", False) and hasattr(layer, "b") else None)
    before, after = matrices
    change, length = after - before, float(np.linalg.norm(after))
    names = row_names(experiment, at.block)
    largest = np.argsort(-np.abs(change), kind="stable")[:top]
    return _LastUpdate(
        changes=tuple(Change(names[i], float(after[i]), float(change[i])) for i in largest),
        bias_change=None if biases[0] is None or biases[1] is None else biases[1] - biases[0],
        change_ratio=float(np.linalg.norm(change)) / length if length else None,
    )


class _OverSplit(TypedDict):
    split: str
    examples: int
    responses: tuple[Response, ...]
    nearest: bool
    mean: float
    variance: float
    saturated_share: float | None
    dead_share: float | None


def _over_split(at: UnitView, split: str, top: int) -> Job[_OverSplit]:
    """The unit on all examples of a split, at all places or the given time step, chunk by chunk."""
    experiment, network, block, workspace = at.experiment, at.network, at.block, Workspace()
    x, places = experiment.split(split)[0], slice(None) if at.time is None else slice(at.time, at.time + 1)
    parts: list[Array] = []
    flat: list[Array] = []
    for start in range(0, len(x), CHUNK):
        with ignore_warnings(), examples_from(network, start):
            network.forward_checked(x[start : start + CHUNK], workspace)
        values = workspace.units_behind(network, block.last)[..., at.unit]
        parts.append(values.reshape(len(values), -1).astype(np.float64)[:, places])
        found = flatness(network, workspace, block, x[start : start + CHUNK])
        if found is not None:
            flat.append(np.stack([found.saturated[:, places, at.unit], found.blocked[:, places, at.unit]]))
        yield Progress(min(start + CHUNK, len(x)), len(x), f"examples of {split}")
    values = np.concatenate(parts)
    nearest = network.layers[block.last].gives_distances  # small where the unit responds
    shares = np.concatenate(flat, axis=1).mean(axis=(1, 2)).tolist() if flat else [None, None]
    with ignore_warnings():
        mean, variance = float(values.mean()), float(values.var())
    return _OverSplit(
        split=split,
        examples=len(x),
        responses=_responses(experiment, split, values, top, nearest),
        nearest=nearest,
        mean=mean,
        variance=variance,
        saturated_share=shares[0],
        dead_share=shares[1],
    )


def _responses(experiment: Experiment, split: str, values: Array, top: int, nearest: bool) -> tuple[Response, ...]:
    """The inputs with the largest of these values (examples, places), or the smallest where `nearest`; each once."""
    ranks = values.min(axis=1) if nearest else -values.max(axis=1)
    places: dict[int, list[int]] = {}
    for index, row in enumerate(experiment.data[split][0]):
        places.setdefault(hash(row.tobytes()), []).append(index)
    alike = {own[0]: own for own in places.values()}
    first = np.array(list(alike))
    best = np.array([ranks[own].min() for own in alike.values()])
    best_first = first[np.argsort(best, kind="stable")[:top]]
    return tuple(
        _response(experiment, split, alike[i], float(ranks[alike[i]].min()) * (1 if nearest else -1))
        for i in best_first
    )


def _response(experiment: Experiment, split: str, alike: list[int], value: float) -> Response:
    """An input that is in a split at these places, with its most frequent targets."""
    index, data = alike[0], experiment.data
    targets = Counter(data.describe_target(split, place) for place in alike)
    shown = ", ".join(target for target, _ in targets.most_common(TARGETS))
    more = ", ..." if len(targets) > TARGETS else ""
    return Response(index, value, data.describe(split, index), shown + more, len(alike), data.picture(split, index))
