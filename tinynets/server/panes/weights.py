"""The Weights pane: the weight matrix of a block, and which weights are frozen one by one."""

from __future__ import annotations

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.measure.block_view import limit_of
from tinynets.measure.lens import Lens
from tinynets.measure.weight_matrix import bias_names, incoming_flags, matrix_parts, weight_matrix
from tinynets.nn.block import Block
from tinynets.server.frame import Mask, Weights
from tinynets.training.frozen import frozen_mask


def weights(lens: Lens, block: Block, unit: int) -> Weights | None:
    """The matrix of a block's first layer through the lens; None if it has no parameters.

    The weights and the bias of one unit are told as they are too, since they can be edited through any lens.
    """
    experiment = lens.experiment
    found = weight_matrix(experiment, block)
    if found is None:
        return None
    field = lens.weights(block)
    values = np.full(found.values.shape, np.nan, np.float32) if field.values is None else field.values
    values = values.astype(np.float32)
    title = f"{' + '.join(f'{block.name}.{name}' for name in found.names)} ({values.shape[0]}, {values.shape[1]})"
    return Weights(
        block.name,
        title,
        values,
        limit_of(values),
        np.sum(field.biases, axis=0, dtype=np.float32) if field.biases else None,
        found.rows,
        _held(experiment, block),
        field.missing,
        matrix_parts(experiment.network.layers[block.first]),
        bias_names(experiment.network.layers[block.first], block.units) if found.biases else (),
        found.values[:, unit].astype(np.float64),
        float(sum(bias[unit] for bias in found.biases)),
    )


def _held(experiment: Experiment, block: Block) -> Mask | None:
    """(rows, units) the frozen weights of units that are not frozen whole."""
    network, frozen = experiment.network, experiment.state.frozen
    if not frozen.size:
        return None
    held = incoming_flags(network, block, frozen_mask(network.theta.size, frozen))
    held = held & ~held.all(axis=0)
    return held if held.any() else None
