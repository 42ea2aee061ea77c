"""The Activations pane: every unit of a block on every example, through the lens."""

from __future__ import annotations

import numpy as np

from tinynets.measure.block_view import BlockView, limit_of
from tinynets.measure.lens import Lens
from tinynets.nn.block import Block
from tinynets.numerics.arrays import Array
from tinynets.server.frame import Activations, Mask


def activations(lens: Lens, view: BlockView | None, block: Block, dead: Mask) -> Activations:
    """A block's units on every example; `view` is None as long as forward has not reached the block."""
    field, scene = lens.units(view, block), lens.scene
    examples = scene.watched.examples
    losses = scene.losses(lens.experiment) if scene.kind == "loss" else None
    nothing = np.zeros((block.units, len(examples)), np.bool_)
    if field.values is None:
        values: Array = np.full(nothing.shape, np.nan, np.float32)
        limit = field.limit
    elif lens.name == "value":
        values, limit = field.values.mean(axis=1).T.astype(np.float32), field.limit
    else:
        over_positions = field.values.sum(axis=1) if field.together is not None else field.values.mean(axis=1)
        values, limit = over_positions.T.astype(np.float32), limit_of(over_positions)
    saturated = nothing if view is None or lens.name != "value" else np.asarray(view.saturated.all(axis=1)).T
    return Activations(block.name, values, limit, saturated, dead, examples, field.missing, losses)
