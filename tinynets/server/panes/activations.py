"""The Activations pane: every unit of a block on every example of the probe."""

from __future__ import annotations

import numpy as np

from tinynets.measure.block_view import BlockView
from tinynets.server.frame import Activations


def activations(view: BlockView, examples: tuple[str, ...]) -> Activations:
    """A block's units on every example of the probe; `examples` has a short text for each."""
    return Activations(
        view.block.name,
        view.out.mean(axis=1).T.astype(np.float32),
        view.limit,
        np.asarray(view.saturated.all(axis=1)).T,
        view.dead,
        examples,
    )
