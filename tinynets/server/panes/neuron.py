"""The selected unit on the selected example: how it comes to its value and where that goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.measure.block_view import BlockView
from tinynets.measure.explanation import Contribution
from tinynets.measure.weight_matrix import is_passthrough, matrix, producers
from tinynets.nn.block import Block
from tinynets.nn.interventions import recurs
from tinynets.nn.layers import Linear
from tinynets.nn.saturation import activation_of
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import Neuron, View
from tinynets.server.panes.standing import StandingCache, rates, standing_on

TOP = 12  # contributions and outgoing weights listed


def neuron(
    experiment: Experiment, block: Block, view: View, look: BlockView, spare: Workspace, stood: StandingCache
) -> Neuron:
    """All there is to say about a unit; `spare` is a workspace for looking at what would be without interventions."""
    unit, example = view.unit, view.example
    position = look.position(example, unit)
    out = look.out[:, :, unit]
    terms = _terms(experiment, block, unit, example, position, look.out.shape[1])
    pre = None if terms is None else terms.pre
    if look.pre is not None:
        pre = float(look.pre[example, position, unit])
    normed = block.last - block.first > (block.activation is not None)
    return Neuron(
        block=block.name,
        unit=unit,
        name=f"{block.name}[{unit}]",
        activation=block.activation.kind if block.activation is not None else "",
        bias=terms.bias if terms else None,
        weighted=None if terms is None or normed else terms.weighted,
        pre=pre,
        value=float(out[example, position]),
        clean=float(_clean(experiment, block, look, spare)[example, position, unit]),
        contributions=terms.listed if terms else (),
        rest=terms.rest if terms else 0.0,
        outgoing=_outgoing(experiment, block, unit),
        frozen=float(stood.frozen_shares(experiment, block)[unit]),
        interventions=standing_on(experiment, block, unit),
        dead=bool(look.dead[unit]),
        saturated=bool(look.saturated[example, position, unit]),
        saturated_share=float(look.saturated[:, :, unit].mean()) if activation_of(experiment.network, block) else None,
        mean=float(out.mean(dtype=np.float64)),
        std=float(out.std(dtype=np.float64)),
        gradient=_gradient(experiment, block, unit),
        rate=float(rates(experiment, block)[unit]),
        batch_mean=_batch_mean(experiment, block, unit),
        position=position,
        pattern=_pattern(experiment, block, unit, example),
        places=_places(experiment, block, out[example]),
    )


@dataclass(frozen=True)
class _Terms:
    """The sum that a unit is, at one position; of a recurrent one it is not shown."""

    listed: tuple[Contribution, ...]
    rest: float
    weighted: float
    bias: float | None

    @property
    def pre(self) -> float:
        return self.weighted + (self.bias or 0.0)


def _terms(experiment: Experiment, block: Block, unit: int, example: int, position: int, places: int) -> _Terms | None:
    first, found = experiment.network.layers[block.first], matrix(experiment, block)
    x = None if recurs(first) else _summed(experiment, block, example, position - places)
    if x is None or found is None:
        return None
    w, x = found.values[:, unit].astype(np.float64), x.astype(np.float64)
    products = x * w
    order = np.argsort(-np.abs(products), kind="stable")
    listed = tuple(Contribution(found.rows[i], float(x[i]), float(w[i]), float(products[i])) for i in order[:TOP])
    biases = [getattr(first, entry.name)[unit] for entry in first.parameters() if len(entry.shape) == 1]
    return _Terms(listed, float(products[order[TOP:]].sum()), float(products.sum()), float(sum(biases)))


def _summed(experiment: Experiment, block: Block, example: int, place: int) -> Array | None:
    """What the first layer of a block weighs and sums at a place, which counts from the end."""
    network, probe = experiment.network, experiment.probe
    x, buffers = probe.input_of(network, block.first), probe.workspace.buffers[block.first]
    return network.layers[block.first].summands(x, buffers, example, place)


def _places(experiment: Experiment, block: Block, values: Array) -> Array | None:
    """The unit at all positions of the example, an image in rows."""
    if len(values) == 1:
        return None
    shape = experiment.network.known_shapes[block.last]
    shown = values.astype(np.float32)
    return shown.reshape(-1, shape[2] or 1) if len(shape) == 4 else shown


def _clean(experiment: Experiment, block: Block, look: BlockView, spare: Workspace) -> Array:
    """The block's output (examples, positions, units) as it would be without the interventions on it."""
    network = experiment.network
    places = (block.last, block.pre, block.first)  # the first: a zeroed recurrent unit is held there too
    own = {index: network.taps[index] for index in places if index is not None}
    if not any(own.values()):
        return look.out
    if list(filter(None, own.values())) == [own[block.last]] and not network.layers[block.last].taps_itself:
        return experiment.probe.workspace.buffers[block.last].out.reshape(look.out.shape)
    for index in own:
        network.taps[index] = None
    try:
        with ignore_warnings():
            network.forward_checked(experiment.probe.x, spare)
        return spare.units_behind(network, block.last).reshape(look.out.shape)
    finally:
        for index, tap in own.items():
            network.taps[index] = tap


def _outgoing(experiment: Experiment, block: Block, unit: int) -> tuple[tuple[str, float], ...]:
    """The weights with which the next block takes up this unit, largest first."""
    network = experiment.network
    taking = [entry for entry in network.blocks if entry.units and not is_passthrough(entry)]
    consumers = [entry for entry in taking if block in producers(network, entry)]
    layer = network.layers[consumers[0].first] if consumers else None
    if not isinstance(layer, Linear) or network.known_shapes[block.last][-1] != block.units:
        return ()
    rows = [index for index in range(layer.inputs) if index % block.units == unit]
    w = np.array(layer.w[rows], np.float64)
    order = np.argsort(-np.abs(w), axis=None, kind="stable")[:TOP]
    is_last = consumers[0] is taking[-1]
    named = []
    for flat in order:
        row, column = divmod(int(flat), w.shape[1])
        name = f"{consumers[0].name}[{column}]"
        if is_last and column < len(experiment.data.labels):
            name += f" {experiment.data.labels[column]}"
        named.append((name + (f"@{row}" if len(rows) > 1 else ""), float(w[row, column])))
    return tuple(named)


def _gradient(experiment: Experiment, block: Block, unit: int) -> float | None:
    """Mean gradient at this unit's output over the batch of a half-done step, once backward has come past it."""
    layer = experiment.network.layers[block.last]
    if layer.closed or not _past(experiment, f"backward {layer.name}"):
        return None
    gradient = experiment.player.trainer.workspace.gradient_at(block.last)
    return None if gradient is None else float(gradient.reshape(-1, block.units)[:, unit].mean(dtype=np.float64))


def _batch_mean(experiment: Experiment, block: Block, unit: int) -> float | None:
    """Mean output of this unit over the batch of a half-done step, once forward has come past it."""
    if not _past(experiment, f"forward {experiment.network.layers[block.last].name}"):
        return None
    out = experiment.player.trainer.workspace.units_behind(experiment.network, block.last)
    return float(out.reshape(-1, block.units)[:, unit].mean(dtype=np.float64))


def _past(experiment: Experiment, phase: str) -> bool:
    """Whether the half-done step has that phase behind it."""
    return phase in map(str, experiment.player.phase_order[: experiment.player.phases_done])


def _pattern(experiment: Experiment, block: Block, head: int, example: int) -> Array | None:
    layer, buffers = experiment.network.layers[block.first], experiment.probe.workspace.buffers[block.first]
    pattern = layer.attention_pattern(buffers)
    return None if pattern is None else np.array(pattern[example, head], np.float32)
