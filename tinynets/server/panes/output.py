"""The Output pane: probabilities or values, the decision plane of a network, or the map that it has learned."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.prediction import output_names
from tinynets.experiment.probe import Probe
from tinynets.experiment.scene import Scene
from tinynets.measure.answers import answers_of
from tinynets.measure.confusion import side_names
from tinynets.nn.layers import Distances
from tinynets.nn.losses import Kohonen
from tinynets.nn.som import u_matrix
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import MapGrid, Output, View
from tinynets.server.panes.plane import decision_plane


def output(experiment: Experiment, scene: Scene, view: View, texts: dict[str, Any], spare: Workspace) -> Output | None:
    """The output for the selected example, None in mid-step before its loss is known.

    `texts` are the samples, `spare` is a workspace for the plane.
    """
    watched, loss, losses = scene.watched, experiment.loss, scene.losses(experiment)
    if losses is None:
        return None
    example = view.batch_example if scene.of_batch else view.example
    at = slice(example, example + 1)
    known = scene.of_batch or view.own is None or not watched.y.size or bool(watched.targets[example])
    weight = None if watched.weight is None else watched.weight[at]
    one = answers_of(loss, watched.workspace.out[at], watched.y[at], weight)
    values, labels, target = one.values[0], output_names(experiment, len(one.values[0])), int(one.truth[0])
    in_two = one.kind == "sides" and len(values) == 2
    names = side_names(experiment) if one.kind == "sides" else ()
    as_classes = loss.classes or in_two
    return Output(
        kind="classes" if as_classes else "values",
        input=watched.examples[example],
        labels=names if in_two else labels,
        values=values,
        target=target if known else -1,
        targets=None if as_classes or one.targets is None or not known else one.targets[0],
        loss=float(losses[example]) if known else None,
        **texts,
        plane=decision_plane(experiment, view.plane, spare),
        grid=map_grid(experiment, watched, example),
        image=image_of(experiment, watched, example),
        answer=int(one.answer[0]),
        right=None if one.wrong is None or not known else not one.wrong[0],
        sides=names,
        shares=one.kind == "values" and bool(loss.probabilities(one.values).size),
    )


def map_grid(experiment: Experiment, watched: Probe, example: int) -> MapGrid | None:
    """The map of a network that is trained with the Kohonen loss on distances to prototypes."""
    loss, layer = experiment.loss, experiment.network.layers[-1]
    if not isinstance(loss, Kohonen) or not isinstance(layer, Distances):
        return None
    rows, columns = loss.grid
    best = int(watched.workspace.out[example].argmin())
    x = experiment.probe.x
    colors = None
    if len(experiment.network.layers) == 1 and layer.inputs == 3 and x.min() >= 0 and x.max() <= 1:
        colors = np.clip(layer.w.T.reshape(rows, columns, 3), 0, 1).astype(np.float32)
    with ignore_warnings():
        apart = u_matrix(layer.w, loss.grid).astype(np.float32)
    return MapGrid(apart, divmod(best, columns), colors)


def picture_size(experiment: Experiment) -> tuple[int, int] | None:
    """Rows and columns of the examples, if they are pictures with one channel."""
    x, size = experiment.probe.x, experiment.data.image
    if size is None and x.ndim == 4 and x.shape[-1] == 1:
        size = x.shape[1], x.shape[2]
    return None if size is None or x[0].size != size[0] * size[1] else (size[0], size[1])


def image_of(experiment: Experiment, watched: Probe, example: int) -> Array | None:
    """The example as a picture with one channel, from black to white over all examples."""
    x, size = watched.x, picture_size(experiment)
    if size is None:
        return None
    low, high = float(x.min()), float(x.max())
    picture: Array = x[example].reshape(size).astype(np.float32)
    return (picture - low) / ((high - low) or 1.0)
