"""The Output pane: probabilities or values, the decision plane of a network, or the map that it has learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.prediction import output_names
from tinynets.measure.answers import answers_of
from tinynets.nn.layers import Distances
from tinynets.nn.losses import Kohonen
from tinynets.nn.som import u_matrix
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.numerics.special import softmax
from tinynets.server.frame import MapGrid, Output, Plane, View

PLANE = 33  # points on each side of the decision plane


def output(experiment: Experiment, view: View, texts: dict[str, Any], spare: Workspace) -> Output:
    """The output for the selected example; `texts` are the samples, `spare` is a workspace for the plane."""
    probe, loss, at = experiment.probe, experiment.loss, slice(view.example, view.example + 1)
    known = view.own is None or not probe.y.size or bool(probe.targets[view.example])
    one = answers_of(loss, probe.workspace.out[at], probe.y[at], None if probe.weight is None else probe.weight[at])
    values, labels, target = one.values[0], output_names(experiment, len(one.values[0])), int(one.truth[0])
    in_two = one.kind == "sides" and len(values) == 2
    names = side_names(experiment) if one.kind == "sides" else ()
    as_classes = loss.classes or in_two
    return Output(
        kind="classes" if as_classes else "values",
        input=probe.examples[view.example],
        labels=names if in_two else labels,
        values=values,
        target=target if known else -1,
        targets=None if as_classes or one.targets is None or not known else one.targets[0],
        loss=float(one.loss[0]) if known else None,
        **texts,
        plane=_plane(experiment, spare),
        grid=_grid(experiment, view.example),
        image=_image(experiment, view.example),
        answer=int(one.answer[0]),
        right=None if one.wrong is None or not known else not one.wrong[0],
        sides=names,
        shares=one.kind == "values" and bool(loss.probabilities(one.values).size),
    )


def side_names(experiment: Experiment) -> tuple[str, ...]:
    """The names of the two classes that a single output tells apart."""
    if len(experiment.data.labels) == 2:
        return experiment.data.labels
    return ("0", "1") if experiment.loss.probabilities(np.zeros(1)).size else ("-1", "+1")


def _plane(experiment: Experiment, spare: Workspace) -> Plane | None:
    """The predictions over the plane, for networks with two inputs and two or more classes or one value."""
    x, loss = experiment.probe.x, experiment.loss
    if x.ndim != 2 or x.shape[1] != 2 or x.dtype.kind != "f" or isinstance(loss, Kohonen):
        return None
    reach = float(np.abs(x).max()) * 1.1 or 1.0
    line = np.linspace(-reach, reach, PLANE)
    points = np.stack(np.meshgrid(line, line[::-1]), axis=-1).reshape(-1, 2).astype(x.dtype)
    with ignore_warnings():
        out = experiment.network.forward_checked(points, spare)
        if loss.classes:
            shares = softmax(out)
            values = 2 * shares[:, 1] - 1 if shares.shape[1] == 2 else 2 * shares[:, 0] - 1
        else:
            values = np.tanh(out[:, 0].astype(np.float64))
    targets = experiment.probe.y.reshape(len(x), -1)
    labels = experiment.probe.y if loss.classes else targets[:, 0] > 0 if targets.size else np.zeros(len(x), np.bool_)
    return Plane(
        values.reshape(PLANE, PLANE).astype(np.float32), (-reach, reach, -reach, reach), x, labels.astype(np.int64)
    )


def _grid(experiment: Experiment, example: int) -> MapGrid | None:
    """The map of a network that is trained with the Kohonen loss on distances to prototypes."""
    loss, layer = experiment.loss, experiment.network.layers[-1]
    if not isinstance(loss, Kohonen) or not isinstance(layer, Distances):
        return None
    rows, columns = loss.grid
    best = int(experiment.probe.workspace.out[example].argmin())
    x = experiment.probe.x
    colors = None
    if len(experiment.network.layers) == 1 and layer.inputs == 3 and x.min() >= 0 and x.max() <= 1:
        colors = np.clip(layer.w.T.reshape(rows, columns, 3), 0, 1).astype(np.float32)
    return MapGrid(u_matrix(layer.w, loss.grid).astype(np.float32), divmod(best, columns), colors)


def picture_size(experiment: Experiment) -> tuple[int, int] | None:
    """The height and width of the examples, if they are pictures of one channel."""
    x, size = experiment.probe.x, experiment.data.image
    if size is None and x.ndim == 4 and x.shape[-1] == 1:
        size = x.shape[1], x.shape[2]
    return None if size is None or x[0].size != size[0] * size[1] else size


def _image(experiment: Experiment, example: int) -> Array | None:
    """The example as a picture, from black to white over the whole probe."""
    x, size = experiment.probe.x, picture_size(experiment)
    if size is None:
        return None
    low, high = float(x.min()), float(x.max())
    picture: Array = x[example].reshape(size).astype(np.float32)
    return (picture - low) / ((high - low) or 1.0)
