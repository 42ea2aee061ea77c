"""Measures of self-organizing maps, checked by hand on a small map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.som import quantization_error, topographic_error, u_matrix

LINE = np.array([[0.0, 1.0, 2.0, 10.0]])


def test_the_quantization_error_is_the_mean_distance_to_the_nearest() -> None:
    assert quantization_error(LINE, [[0.5], [2.0], [9.0]]) == pytest.approx((0.5 + 0 + 1) / 3)


def test_a_map_in_order_has_no_topographic_error_and_a_torn_one_has() -> None:
    x = np.linspace(0, 10, 50)[:, None]
    assert topographic_error(LINE, x, (1, 4)) == 0
    torn = LINE[:, [0, 2, 3, 1]]
    two = np.argsort(np.abs(torn - x), axis=1)[:, :2]
    assert topographic_error(torn, x, (1, 4)) == pytest.approx((np.abs(np.diff(two)) > 1).mean())


def test_diagonals_are_neighbours() -> None:
    assert topographic_error([[0.0, 5.0, 6.0, 1.0]], [[0.4]], (2, 2)) == 0


def test_the_u_matrix_is_high_where_clusters_part() -> None:
    np.testing.assert_allclose(u_matrix(LINE, (1, 4)), [[1, 1, 4.5, 8]])


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
def test_the_u_matrix_by_loops(rows: int, columns: int, seed: int) -> None:
    w = np.random.default_rng(seed).normal(size=(3, rows * columns))
    map_ = w.T.reshape(rows, columns, 3)
    for row in range(rows):
        for column in range(columns):
            beside = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
            near = [map_[r, c] for r, c in beside if 0 <= r < rows and 0 <= c < columns]
            mean = np.mean([np.linalg.norm(map_[row, column] - other) for other in near]) if near else 0
            assert u_matrix(w, (rows, columns))[row, column] == pytest.approx(mean)


def test_shapes_that_do_not_fit_are_refused(says: Any) -> None:
    with says(tn.ShapeError, "a grid of 2 x 3 takes 6 units; w is (1, 4)"):
        u_matrix(LINE, (2, 3))
    with says(tn.ShapeError, "prototypes (1, 4) must be (inputs, units), examples (1, 2) (N, inputs)"):
        quantization_error(LINE, [[1.0, 2.0]])


def test_training_orders_a_map() -> None:
    x = np.random.default_rng(0).uniform(size=(400, 2))
    network = tn.Network([tn.Distances(2, 36, name="map")])
    lab = tn.Lab(network, data=x, loss=tn.Kohonen((6, 6), steps=2000), optimizer=tn.SGD(0.2), batch=1)
    before = quantization_error(lab.network["map"].w, x)
    lab.run(3000)
    w = lab.network["map"].w
    assert topographic_error(w, x, (6, 6)) < 0.1
    assert quantization_error(w, x) < before / 2
