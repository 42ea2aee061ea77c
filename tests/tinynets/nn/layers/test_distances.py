"""Distances: squared distances to prototypes, their gradients, and networks of radial basis functions made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.layers.distances import DIRECT
from tinynets.nn.workspace import Workspace
from tinynets.numerics.rules import FIRST

inputs = st.sampled_from([1, 2, DIRECT, DIRECT + 1])


@settings(max_examples=20)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=2), inputs, st.integers(1, 4), st.integers(0, 9))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], leading: list[int], size: int, prototypes: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    network = tn.Network(
        [tn.Linear(2, size), tn.Distances(size, prototypes, name="map"), tn.Gaussian(2.0)], dtype="float64", seed=seed
    )
    network.intervene("map", multiply=random.normal(size=prototypes), add=0.3)
    gradients_agree(network, random.normal(size=(*leading, 2)))
    gradients_agree(tn.Network([tn.Distances(size, prototypes)], dtype="float64"), random.normal(size=(*leading, size)))


@settings(max_examples=20)
@given(st.sampled_from(["float32", "float64"]), inputs, st.integers(1, 6))
def test_the_output_is_the_squared_distance(dtype: str, size: int, prototypes: int) -> None:
    network = tn.Network([tn.Distances(size, prototypes, name="map")], dtype=dtype)
    x = np.random.default_rng(0).normal(size=(5, size)).astype(dtype)
    layer: Any = network["map"]
    expected = ((x[:, :, None].astype(np.float64) - layer.w) ** 2).sum(1)
    out = network.predict(x)
    assert out.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out, expected, rtol=1e-4 if dtype == "float32" else 1e-10)


@pytest.mark.parametrize("size", [2, 20])
def test_a_prototype_upon_the_input_is_at_distance_zero_and_never_below(size: int) -> None:
    network = tn.Network([tn.Distances(size, 3, name="map")])
    layer: Any = network["map"]
    out = network.predict(100 + layer.w.T.copy())
    layer.w += 100
    near = network.predict(layer.w.T.copy())
    assert (near >= 0).all()
    np.testing.assert_allclose(np.diag(near), 0, atol=1e-6 * 100**2 * size)
    assert (out > 1000).all()


def test_of_few_inputs_even_far_from_the_origin_no_digit_is_lost() -> None:
    network = tn.Network([tn.Distances(2, 1, name="map")])
    layer: Any = network["map"]
    layer.w[:] = 1000
    assert network.predict([[1000.5, 1000.0]]).tolist() == [[0.25]]


def test_radial_basis_functions_are_one_block_over_their_distances() -> None:
    network = tn.Network([tn.Distances(2, 4, name="rbf"), tn.Gaussian(0.5), tn.Linear(4, 2)], dtype="float64")
    assert [block.name for block in network.blocks] == ["rbf", "linear1"]
    x = np.random.default_rng(0).normal(size=(3, 2))
    network.forward(x)
    np.testing.assert_allclose(network.activation("rbf"), np.exp(-2 * network.activation("rbf.pre")))


def test_spiral_rbf_tells_the_spirals_apart() -> None:
    lab = tn.Lab("spiral-rbf")
    lab.run(lab.recipe.training.steps)
    assert (lab.evaluate("dev").accuracy or 0) > 0.95


def test_what_does_not_fit_is_refused(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "Distances: `prototypes` must be a whole number of at least 1, not 0"):
        tn.Distances(2, 0)
    with says(tn.ShapeError, "`map` Distances(4, 2) takes (..., 4), not (?, 3), which `a` Linear(2, 3) gives"):
        tn.Network([tn.Linear(2, 3, name="a"), tn.Distances(4, 2, name="map")])


def placed(layout: str, size: int, offset: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """x (40, size) and w (size, 12), float32: around one place, around two distant ones, or prototypes on inputs."""
    x, w = random.normal(size=(40, size)) + offset, random.normal(size=(size, 12)) + offset
    if layout == "two places":
        x[::2] -= 2 * offset
        w[:, ::2] -= 2 * offset
    if layout == "upon each other":
        w[:, :6] = x[:6].T
    return x.astype(np.float32), w.astype(np.float32)


@pytest.mark.parametrize("layout", ["one place", "two places", "upon each other"])
@pytest.mark.parametrize("offset", [0.0, 1000.0, 1e5, 1e6])
@pytest.mark.parametrize("size", [1, DIRECT, DIRECT + 1, 64, 300])
def test_distances_and_their_gradients_are_those_of_the_differences_in_float64(
    size: int, offset: float, layout: str
) -> None:
    random = np.random.default_rng(0)
    x, w = placed(layout, size, offset, random)
    network, workspace = tn.Network([tn.Distances(size, 12, name="map")]), Workspace(input_gradient=True)
    layer: Any = network["map"]
    layer.w[:] = w
    differences = x.astype(np.float64)[:, :, None] - w
    expected = (differences**2).sum(axis=1)
    out = network.forward(x, workspace)
    np.testing.assert_allclose(out, expected, rtol=1e-5)
    assert np.array_equal(out.argmin(axis=1), expected.argmin(axis=1))
    dout = random.normal(size=out.shape).astype(np.float32)
    dx = network.backward(dout, workspace)
    terms = 2 * dout[:, None, :].astype(np.float64) * differences
    for ours, of_each, axis in ((dx, terms, 2), (layer.dw, -terms, 0)):
        scale = np.abs(of_each).sum(axis=axis)
        assert (np.abs(ours - of_each.sum(axis=axis)) <= 1e-6 * scale + 1e-30).all()


def test_by_the_first_rules_distances_are_computed_as_they_were() -> None:
    x = np.full((1, 9), 1000.0, np.float32)
    x[0, 0] += 0.5
    network = tn.Network([tn.Distances(9, 1, name="map", w_init=tn.Constant(1000.0))], rules=FIRST)
    assert network.predict(x)[0, 0] != 0.25
    assert tn.Network([tn.Distances(9, 1, w_init=tn.Constant(1000.0))]).predict(x)[0, 0] == 0.25
