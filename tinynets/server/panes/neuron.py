"""The Neuron pane: how the selected unit gets its value, and where that goes."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.scene import Scene
from tinynets.measure.aside import workspace_for
from tinynets.measure.block_view import UnitView
from tinynets.measure.producers import is_passthrough, producers
from tinynets.measure.unit_terms import UnitTerms
from tinynets.measure.verdict import verdict_of
from tinynets.measure.weight_matrix import bias_names, matrix_parts
from tinynets.nn.block import Block
from tinynets.nn.interventions import recurs
from tinynets.nn.layers import Linear
from tinynets.nn.saturation import activation_of
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import Neuron, View
from tinynets.server.panes.portrait import scatter, unit_picture
from tinynets.server.panes.standing import StandingCache, rates, standing_on


def neuron(
    at: UnitView, scene: Scene, view: View, standing: StandingCache, spare: Workspace, plane: Workspace
) -> Neuron:
    """All there is to say about a unit, its largest terms and weights out among it.

    `spare` is a workspace for looking at what would be without
    interventions, `plane` one for the points of the plane.
    """
    experiment, block, unit, own, top = at.experiment, at.block, at.unit, at.block_view, view.terms
    out, gradient = own.out[:, :, unit], _gradient(at, scene)
    on_probe = experiment.probe.values(at.network, block)[:, :, unit]
    terms = _terms(at)
    clean = at.of_block(_clean(at, workspace_for(scene, experiment) if scene.of_batch else spare))
    verdict = verdict_of(at, clean)
    normed = block.last - block.first > (block.activation is not None)
    return Neuron(
        block=block.name,
        unit=unit,
        name=at.name,
        activation=block.activation.kind if block.activation is not None else "",
        bias=None if terms is None else terms.bias or 0.0,
        weighted=None if terms is None or normed else terms.weighted,
        pre=terms.z if at.pre is None and terms is not None else at.pre,
        value=at.value,
        clean=clean,
        contributions=terms.listed(top) if terms else (),
        rest=terms.rest(top) if terms else 0.0,
        outgoing=_outgoing(experiment, block, unit, top),
        frozen=float(standing.frozen_shares(experiment, block)[unit]),
        interventions=standing_on(experiment, block, unit),
        dead=bool(own.dead[unit]),
        saturated=bool(own.saturated[at.example, at.position, unit]),
        saturated_share=float(own.saturated[:, :, unit].mean()) if activation_of(at.network, block) else None,
        **_spread(on_probe),
        gradient=None if gradient is None else float(gradient[:, :, unit].mean(dtype=np.float64)),
        gradient_here=None if gradient is None else at.of_block(gradient),
        rate=float(rates(experiment, block)[unit]),
        batch_mean=float(out.mean(dtype=np.float64)) if scene.of_batch else None,
        position=at.position,
        pattern=_pattern(at),
        places=_places(experiment, block, out[at.example]),
        state=verdict.state,
        verdict=verdict.text,
        picture=unit_picture(at, view.portrait, plane),
        **_editable(at, terms),
        scatter=scatter(experiment, block, unit),
    )


def _spread(values: Array) -> dict[str, Any]:
    """The mean and the deviation of a unit's values, which may not be finite."""
    with ignore_warnings():
        return {"mean": float(values.mean(dtype=np.float64)), "std": float(values.std(dtype=np.float64))}


def _editable(at: UnitView, terms: UnitTerms | None) -> dict[str, Any]:
    """Which parameters hold the weights and the bias of a unit whose terms are listed."""
    if terms is None:
        return {}
    first = at.network.layers[at.block.first]
    return {"parts": matrix_parts(first), "biases": bias_names(first, at.block.units)}


def _terms(at: UnitView) -> UnitTerms | None:
    """The terms of a unit's sum; the pane omits recurrent ones, with their long past."""
    return None if recurs(at.network.layers[at.block.first]) else UnitTerms.of(at)


def _places(experiment: Experiment, block: Block, values: Array) -> Array | None:
    """The unit at all positions of the example; for an image, in rows."""
    if len(values) == 1:
        return None
    shape = experiment.network.known_shapes[block.last]
    shown = values.astype(np.float32)
    return shown.reshape(-1, shape[2] or 1) if len(shape) == 4 else shown


def _clean(at: UnitView, spare: Workspace) -> Array:
    """The block's output (examples, positions, units) as it would be without the interventions on it."""
    network, probe, block, out = at.network, at.watched, at.block, at.block_view.out
    places = (block.last, block.pre, block.first)  # `first`: a zeroed recurrent unit is held there too
    own = {index: network.taps[index] for index in places if index is not None}
    if not any(own.values()):
        return out
    if list(filter(None, own.values())) == [own[block.last]] and not network.layers[block.last].taps_itself:
        return probe.workspace.buffers[block.last].out.reshape(out.shape)
    for index in own:
        network.taps[index] = None
    try:
        with ignore_warnings():
            network.forward_checked(probe.x, spare)
        return spare.units_behind(network, block.last).reshape(out.shape)
    finally:
        for index, tap in own.items():
            network.taps[index] = tap


def _outgoing(experiment: Experiment, block: Block, unit: int, top: int) -> tuple[tuple[str, float], ...]:
    """The outgoing weights of this unit to the next block, largest first."""
    network = experiment.network
    taking = [entry for entry in network.blocks if entry.units and not is_passthrough(entry)]
    consumers = [entry for entry in taking if block in producers(network, entry)]
    layer = network.layers[consumers[0].first] if consumers else None
    if not isinstance(layer, Linear) or network.known_shapes[block.last][-1] != block.units:
        return ()
    rows = [index for index in range(layer.inputs) if index % block.units == unit]
    w = np.array(layer.w[rows], np.float64)
    order = np.argsort(-np.abs(w), axis=None, kind="stable")[:top]
    is_last = consumers[0] is taking[-1]
    named = []
    for flat in order:
        row, column = divmod(int(flat), w.shape[1])
        name = f"{consumers[0].name}[{column}]"
        if is_last and column < len(experiment.data.labels):
            name += f" {experiment.data.labels[column]}"
        named.append((name + (f"@{row}" if len(rows) > 1 else ""), float(w[row, column])))
    return tuple(named)


def _gradient(at: UnitView, scene: Scene) -> Array | None:
    """The gradients at the block's output on the batch of a half-done step, once backward has passed it."""
    if not scene.of_batch or not scene.has_gradient(at.block):
        return None
    gradient = at.watched.workspace.unit_gradients(at.network, at.block.last)
    return None if gradient is None else gradient.reshape(len(gradient), -1, at.block.units)


def _pattern(at: UnitView) -> Array | None:
    layer, buffers = at.network.layers[at.block.first], at.watched.workspace.buffers[at.block.first]
    pattern = layer.attention_pattern(buffers)
    return None if pattern is None else np.array(pattern[at.example, at.unit], np.float32)
