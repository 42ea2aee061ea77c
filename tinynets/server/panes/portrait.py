"""The picture of one unit: what it responds to, or its kernel; and a table of vectors as points."""

from __future__ import annotations

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.measure.block_view import UnitView, limit_of
from tinynets.nn.block import Block
from tinynets.nn.layers import Conv2d, Embedding
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import Scatter, UnitPicture
from tinynets.server.panes.net import fields
from tinynets.server.panes.plane import is_planar, points_of, reach_of

LARGEST_TABLE = 256
"""A table of more rows than this is not drawn as points."""


def unit_picture(at: UnitView, side: int, spare: Workspace) -> UnitPicture | None:
    """The picture of a unit; None if it has none. `spare` is a workspace for the points of the plane."""
    experiment, block = at.experiment, at.block
    if is_planar(experiment) and len(at.network.known_shapes[block.last]) == 2:
        with ignore_warnings():
            at.network.forward_checked(points_of(experiment, side, side), spare)
        values = spare.units_behind(at.network, block.last).reshape(-1, block.units)[:, at.unit]
        reach = reach_of(experiment)
        right, up = (float(value) for value in at.watched.x[at.example])
        place = (reach - up) / (2 * reach), (right + reach) / (2 * reach)
        shown = values.reshape(side, side).astype(np.float32)
        return UnitPicture("response", shown, at.block_view.limit, "over the inputs", place)
    seen = fields(experiment, block)
    if seen is not None:
        return UnitPicture("field", seen[at.unit], limit_of(seen[at.unit]), "weights of the pixels")
    layer = at.network.layers[block.first]
    if isinstance(layer, Conv2d):
        kernel = np.ascontiguousarray(layer.w[..., at.unit].transpose(2, 0, 1), np.float32)
        words = "its kernel" if len(kernel) == 1 else f"its kernel, {len(kernel)} channels"
        return UnitPicture("kernel", kernel, limit_of(kernel), words)
    return None


def scatter(experiment: Experiment, block: Block, unit: int) -> Scatter | None:
    """The rows of an embedding along their first two principal components, each pointing to its largest entry."""
    layer = experiment.network.layers[block.first]
    if not isinstance(layer, Embedding) or not 3 <= len(layer.w) <= LARGEST_TABLE or layer.w.shape[1] < 2:
        return None
    rows = layer.w.astype(np.float64)
    if not np.isfinite(rows).all():
        return None
    points, shares = principal(rows)
    text = experiment.data.text
    named = text is not None and len(text.characters) == len(rows)
    labels = tuple(text.characters) if text is not None and named else tuple(map(str, range(len(rows))))
    return Scatter(points.astype(np.float32), labels, layer.w[:, unit].astype(np.float32), shares)


def principal(rows: Array) -> tuple[Array, tuple[float, float]]:
    """(rows, 2) along the first two principal components, and the share of the variance that each holds.

    A component may point either way: the sign is the one that makes its largest loading positive, so that a picture
    does not flip from step to step.
    """
    centred = rows - rows.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(2), np.abs(axes[:2]).argmax(axis=1)])[:, None]
    total = float((sizes**2).sum()) or 1.0
    return centred @ axes.T, (float(sizes[0] ** 2) / total, float(sizes[1] ** 2) / total)
