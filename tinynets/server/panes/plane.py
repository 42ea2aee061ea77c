"""The plane of a network with two inputs: its points, and what the network says at each of them."""

from __future__ import annotations

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.nn.losses import Kohonen
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.special import softmax
from tinynets.server.frame import Plane


def is_planar(experiment: Experiment) -> bool:
    """Whether the examples are points of a plane, and the network learns to say something of each."""
    x = experiment.probe.x
    return x.ndim == 2 and x.shape[1] == 2 and x.dtype.kind == "f" and not isinstance(experiment.loss, Kohonen)


def reach_of(experiment: Experiment) -> float:
    """How far the plane goes to each side of the middle: a little beyond the probe."""
    return float(np.abs(experiment.probe.x).max()) * 1.1 or 1.0


def points_of(experiment: Experiment, rows: int, columns: int) -> Array:
    """The points of the plane, (rows * columns, 2), row by row from the top."""
    reach = reach_of(experiment)
    across, down = (np.linspace(-reach, reach, count) if count > 1 else np.zeros(1) for count in (columns, rows))
    points: Array = np.stack(np.meshgrid(across, down[::-1]), axis=-1).reshape(-1, 2)
    return points.astype(experiment.probe.x.dtype)


def decision_plane(experiment: Experiment, side: int, spare: Workspace) -> Plane | None:
    """The predictions over the plane, for networks with two inputs and two or more classes or one value."""
    if not is_planar(experiment):
        return None
    with ignore_warnings():
        return plane_from(
            experiment, experiment.network.forward_checked(points_of(experiment, side, side), spare), side
        )


def plane_from(experiment: Experiment, out: Array, side: int) -> Plane:
    """The plane of the network's outputs at its points, (side * side, outputs)."""
    x, loss = experiment.probe.x, experiment.loss
    with ignore_warnings():
        if loss.classes:
            shares = softmax(out)
            values = 2 * shares[:, 1] - 1 if shares.shape[1] == 2 else 2 * shares[:, 0] - 1
        else:
            values = np.tanh(out[:, 0].astype(np.float64))
    targets = experiment.probe.y.reshape(len(x), -1)
    labels = experiment.probe.y if loss.classes else targets[:, 0] > 0 if targets.size else np.zeros(len(x), np.bool_)
    reach = reach_of(experiment)
    return Plane(
        values.reshape(side, side).astype(np.float32), (-reach, reach, -reach, reach), x, labels.astype(np.int64)
    )
