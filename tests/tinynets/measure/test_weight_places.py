"""Every number of a weight matrix has a selector that names exactly it, whatever the layer."""

from __future__ import annotations

import numpy as np
import pytest

import tinynets as tn
from tinynets.lab.lab import experiment_of
from tinynets.measure.weight_matrix import incoming, matrix_parts
from tinynets.measure.weight_places import MatrixPart, weight_selector
from tinynets.nn.selectors import select_learned


@pytest.mark.parametrize(
    "recipe", ["digits-cnn", "modular", "names-gru", "names-lstm", "names-mlp", "names-rnn", "names-transformer"]
)
def test_a_place_in_the_matrix_is_the_element_that_its_selector_names(recipe: str) -> None:
    network = experiment_of(tn.Lab(recipe)).network
    for block in network.blocks:
        layer = network.layers[block.first]
        matrix = incoming(layer, block.units)
        if matrix is None:
            continue
        for row in sorted({0, 1, len(matrix) // 2, len(matrix) - 1} & set(range(len(matrix)))):
            for unit in {0, block.units - 1}:
                selector = weight_selector(block.name, matrix_parts(layer), row, unit)
                places = select_learned(network, selector).places(network)  # type: ignore[union-attr]
                assert np.array_equal(network.theta[places], matrix[row, unit : unit + 1]), selector


def test_rows_beyond_the_matrix_have_no_selector() -> None:
    parts = (MatrixPart("w", (3, 4)),)
    assert weight_selector("hidden", parts, 2, 1) == "hidden.w[2,1]"
    assert weight_selector("hidden", parts, 3, 1) == ""
    assert weight_selector("hidden", parts, -1, 1) == ""
