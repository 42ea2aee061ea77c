"""The net: the inputs, blocks and weights of a small network, and a picture of each unit, to be drawn as a net."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tinynets.experiment.experiment import Experiment
from tinynets.experiment.prediction import output_names
from tinynets.experiment.probe import Probe
from tinynets.measure.block_view import BlockView, limit_of
from tinynets.measure.lens import Lens
from tinynets.measure.weight_matrix import incoming
from tinynets.nn.block import Block
from tinynets.nn.interventions import recurs
from tinynets.nn.layers.structure import Join, Next, Split
from tinynets.nn.network import Network
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.server.frame import NetGraph, NetLink, Plane, UnitPictures, View
from tinynets.server.panes.output import image_of, map_grid, picture_size
from tinynets.server.panes.plane import is_planar, plane_from, points_of, reach_of

WIDEST = 64
"""The most units of a block in a net that has a picture for each; without pictures, the most is `BARE`."""
BARE = 16


def net(lens: Lens, view: View, spare: Workspace) -> NetGraph | None:
    """The network as a net, its weights through the lens; None if too wide, or not made of units that weigh units.

    `spare` is a workspace for the plane of the inputs.
    """
    scene, experiment = lens.scene, lens.experiment
    watched, example = scene.watched, view.batch_example if scene.of_batch else view.example
    grid = map_grid(experiment, experiment.probe if scene.of_batch else watched, view.example)
    if grid is not None:
        return NetGraph((), np.zeros(0), (), 1.0, grid=grid)
    network = experiment.network
    widest = max((block.units for block in network.blocks), default=0)
    if not 0 < widest <= WIDEST:
        return None
    inputs, values = _inputs(experiment, watched, example)
    links = _links(lens, len(inputs), watched, example)
    if not links or not inputs:
        return None
    views = {block.name: BlockView.of(experiment, block) for block in network.blocks if block.units}
    pictures, answer = _pictures(experiment, views, view, spare)
    image = image_of(experiment, watched, example)
    if image is not None:
        pictures[""] = UnitPictures("image", image[None], 1.0)
    if widest > (WIDEST if pictures and not _timed(network) else BARE):
        return None
    weights = np.concatenate([np.abs(link.weights).ravel() for link in links])
    names = output_names(experiment, network.block(links[-1].block).units)
    return NetGraph(inputs, values, links, limit_of(weights), pictures, answer, names=names)


def _timed(network: Network) -> bool:
    return any(network.time_steps(block) for block in network.blocks)


def _inputs(experiment: Experiment, watched: Probe, example: int) -> tuple[tuple[str, ...], Array]:
    """The input nodes with their names and values on an example: an image is one, and so is what is looked up."""
    x = watched.x
    if picture_size(experiment) is not None:
        return ("image",), np.zeros(1)
    if x.dtype.kind != "f":
        return (watched.examples[example][-1:] or "input",), np.zeros(1)
    row = x[example].reshape(-1, x.shape[-1])[-1] if x.ndim in (2, 3) else np.zeros(0)
    if len(row) > BARE:
        return (), row
    return tuple(f"x[{index}]" for index in range(len(row))), np.asarray(row, np.float64)


def _links(lens: Lens, inputs: int, watched: Probe, example: int) -> tuple[NetLink, ...] | None:
    """What comes into each block; None if that cannot be said unit by unit."""
    network = lens.experiment.network
    found = _sources(network)
    if found is None:
        return None
    links = []
    for name, sources in found.items():
        block = network.block(name)
        if len(network.known_shapes[block.last]) != (3 if network.time_steps(block) else 2) and not _looked_up(
            network, block
        ):
            return None
        count = sum(network.block(source).units if source else inputs for source in sources)
        weights = _weights(lens, block, sources, count, watched.x[example])
        if weights is None:
            return None
        links.append(NetLink(name, sources, weights.astype(np.float32)))
    return tuple(links)


def _looked_up(network: Network, block: Block) -> bool:
    return network.layers[block.first].takes_integers


def _sources(network: Network) -> dict[str, tuple[str, ...]] | None:
    """Block -> the blocks that come into it, in order, "" for the inputs; None if something is added up on the way."""
    blocks = {block.first: block for block in network.blocks}
    current: tuple[str, ...] = ("",)
    found: dict[str, tuple[str, ...]] = {}
    opened: list[tuple[tuple[str, ...], list[str]]] = []
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Split):
            opened.append((current, []))
        elif isinstance(layer, Next):
            opened[-1][1].extend(current)
            current = opened[-1][0]
        elif isinstance(layer, Join) and layer.join == "concatenate":
            current = (*opened.pop()[1], *current)
        elif layer.is_end:
            return None
        block = blocks.get(index)
        if block is not None and block.units:
            found[block.name] = current
            current = (block.name,)
    return found


def _weights(lens: Lens, block: Block, sources: tuple[str, ...], count: int, x: Array) -> Array | None:
    """(units of the sources, units) the incoming weights; ones where a unit is handed on; None if there are others."""
    experiment = lens.experiment
    layer = experiment.network.layers[block.first]
    matrix = _through(lens, block)
    if layer.takes_integers:
        at = int(x.reshape(-1)[-1])
        return None if matrix is None or at >= len(matrix) else np.array(matrix[at : at + 1])
    if picture_size(experiment) is not None and sources == ("",):
        return np.full((1, block.units), np.nan)
    if layer.gate_sums:
        return None
    if matrix is not None and any(len(entry.shape) > 1 for entry in layer.parameters()):
        known = len(matrix) == count or (recurs(layer) and len(matrix) == count + block.units)
        return np.array(matrix[:count]) if known else None
    return np.eye(block.units) if count == block.units else None


def _through(lens: Lens, block: Block) -> Array | None:
    """A block's weights through the lens: 0 where there is nothing to show yet, or nothing to compare with."""
    matrix = incoming(lens.experiment.network.layers[block.first], block.units)
    if matrix is None or lens.name == "value":
        return matrix
    values = lens.weights(block).values
    return np.zeros_like(matrix) if values is None else np.nan_to_num(values)


def _pictures(
    experiment: Experiment, views: Mapping[str, BlockView], view: View, spare: Workspace
) -> tuple[dict[str, UnitPictures], Plane | None]:
    """The picture of each unit, and what the network says over the plane of its inputs."""
    if is_planar(experiment):
        return responses(experiment, views, view.pixels, view.answer, spare)
    made = {}
    for name, own in views.items():
        values = fields(experiment, own.block)
        if values is not None:
            made[name] = UnitPictures("field", values, limit_of(values))
        elif experiment.network.time_steps(own.block):
            course = own.out[view.example].T[:, None].astype(np.float32)
            made[name] = UnitPictures("course", course, own.limit)
    return made, None


def responses(
    experiment: Experiment, views: Mapping[str, BlockView], size: tuple[int, int], answer: int, spare: Workspace
) -> tuple[dict[str, UnitPictures], Plane | None]:
    """Every unit over the plane of two inputs, and the network's answer there: one forward for both."""
    network, count = experiment.network, size[0] * size[1]
    small = points_of(experiment, *size)
    points = np.concatenate([small, points_of(experiment, answer, answer)]) if answer else small
    with ignore_warnings():
        out = network.forward_checked(points, spare)
    made = {"": UnitPictures("response", small.T.reshape(2, *size).astype(np.float32), reach_of(experiment))}
    for name, own in views.items():
        values = spare.units_behind(network, own.block.last)[:count].reshape(count, own.block.units)
        made[name] = UnitPictures("response", values.T.reshape(-1, *size).astype(np.float32), own.limit)
    plane = plane_from(experiment, out[count:].reshape(answer * answer, -1), answer) if answer else None
    return made, plane


def fields(experiment: Experiment, block: Block) -> Array | None:
    """(units, rows, columns) the weights with which each unit sees an image; None if it does not see it directly."""
    size, layer = picture_size(experiment), experiment.network.layers[block.first]
    matrix = incoming(layer, block.units) if size is not None and block.first == _first_of(experiment.network) else None
    if size is None or matrix is None or len(matrix) != size[0] * size[1]:
        return None
    shaped: Array = matrix.T.reshape(block.units, *size).astype(np.float32)
    return shaped


def _first_of(network: Network) -> int:
    """The first layer of the first block with units."""
    return next((block.first for block in network.blocks if block.units), 0)
