"""Computes what a unit adds to each output of the network through the last Linear layer."""

from __future__ import annotations

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.measure.block_view import UnitView
from tinynets.measure.explanation import Effect
from tinynets.measure.producers import is_passthrough, producers
from tinynets.nn.block import Block
from tinynets.nn.layers import Linear
from tinynets.nn.network import Network
from tinynets.nn.taps import Tap
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.state import network_of


def effects_of(at: UnitView) -> tuple[Effect, ...]:
    """What the unit adds to each output, the largest |value| first; empty if it does not reach them directly.

    Interventions on the way count: what they add is not the unit's own, and nothing of it gets through values that they
    set. For a time step, it is what that step adds, not everything that the layer takes at once.
    """
    network = at.network
    last = next(entry for entry in reversed(network.blocks) if not is_passthrough(entry))
    layer = network.layers[last.first]
    if not isinstance(layer, Linear) or not _is_taken_by(network, at.block, last, layer):
        return ()
    taken = _taken(at, last)[at.example]
    own = _own_part(at, taken.reshape(-1, layer.inputs // at.block.units, at.block.units))
    if own is None:
        return ()
    row = at.position if len(own) == at.places else len(own) - 1
    factor = _factor_behind(network, last)
    if factor is None:
        added = _lost_without(at, last, own.reshape(taken.shape))
        added = added[row if len(added) == len(own) else -1]
    else:
        w = layer.w.reshape(own.shape[1], at.block.units, -1)[:, at.unit].astype(np.float64)
        added = own[row, :, at.unit].astype(np.float64) @ w * factor
    labels = at.experiment.data.labels
    names = [labels[i] if i < len(labels) else f"{last.name}[{i}]" for i in range(len(added))]
    return tuple(Effect(names[i], float(added[i]) + 0.0) for i in np.argsort(-np.abs(added), kind="stable"))


def _is_taken_by(network: Network, block: Block, last: Block, layer: Linear) -> bool:
    """Whether the last layer takes a block's units unchanged."""
    if last is block or block not in producers(network, last):
        return False
    return not layer.inputs % block.units and network.known_shapes[block.last][-1] == block.units


def _own_part(at: UnitView, taken: Array) -> Array | None:
    """The unit's share of the last layer's input, the rest 0: (rows, places each, units); None if it does not arrive.

    For a time step, of that step alone.
    """
    own = np.zeros_like(taken)
    own[..., at.unit] = taken[..., at.unit]
    if at.time is not None and len(own) == at.places:
        own[np.arange(at.places) != at.position] = 0
    elif at.time is not None:
        arrives = own.shape[1]
        if arrives != at.places and at.position < at.places - 1:
            return None
        own[:, np.arange(arrives) != at.position - at.places + arrives] = 0
    return own


def _taken(at: UnitView, last: Block) -> Array:
    """The last layer's input on the probe, if interventions between the unit's block and it added nothing."""
    network, workspace = _copy(at.experiment), Workspace()
    for entry in producers(network, network.block(last.name)):  # the one nearest to the last layer first
        if entry.name == at.block.name:
            break
        tap = network.taps[entry.last]
        if tap is not None:
            network.taps[entry.last] = Tap(tap.multiply, np.zeros_like(tap.multiply))
    with ignore_warnings():
        network.forward_checked(at.experiment.probe.x, workspace)
    return workspace.output_of(last.first - 1)


def _factor_behind(network: Network, last: Block) -> Array | None:
    """The factors on the outputs of the last Linear layer, (outputs,); None if more is done to them."""
    factor = np.ones(last.units)
    for index, layer in enumerate(network.layers[last.first :], last.first):
        if index > last.first and not layer.hands_on:
            return None
        tap = network.taps[index]
        if tap is not None and tap.multiply.ndim > 1:
            return None
        factor = factor if tap is None else factor * tap.multiply
    return factor


def _lost_without(at: UnitView, last: Block, removed: Array) -> Array:
    """The network's output for the example minus the output after something is removed from the input of `last`.

    (places, outputs) in float64.
    """
    network, workspace = _copy(at.experiment), Workspace()
    with ignore_warnings():
        out = network.forward_checked(at.experiment.probe.x, workspace)[at.example].astype(np.float64)
        x = workspace.output_of(last.first - 1).copy()
        x[at.example] -= removed
        for act in workspace.forward_acts[last.first :]:
            x = act(x)
    difference: Array = out - x[at.example]
    return difference.reshape(-1, difference.shape[-1])


def _copy(experiment: Experiment) -> Network:
    """A separate network around the live state."""
    return network_of(experiment.state.live(), experiment.network.input_shape)
