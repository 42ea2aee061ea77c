"""BatchNorm and LayerNorm: gradients, statistics, and that they belong to the block before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.workspace import Workspace

leading = st.lists(st.integers(1, 3), min_size=1, max_size=3).filter(lambda sizes: np.prod(sizes) > 1)
NORMS: list[type[tn.BatchNorm] | type[tn.LayerNorm]] = [tn.BatchNorm, tn.LayerNorm]


def block_of(norm: type[tn.Layer], units: int, inputs: int = 2, dtype: str = "float64", seed: int = 0) -> tn.Network:
    made: Any = norm
    layers = [
        tn.Linear(inputs, units, name="hidden"),
        made(units, eps=0.1, gain_init=tn.Normal(), shift_init=tn.Normal()),  # eps: two equal values bend too sharply
        tn.Tanh(),
    ]
    return tn.Network(layers, dtype=dtype, seed=seed)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("training", [True, False])
@settings(max_examples=15)
@given(leading, st.integers(1, 4), st.integers(0, 99))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None],
    norm: type[tn.Layer],
    training: bool,
    sizes: list[int],
    units: int,
    seed: int,
) -> None:
    network = block_of(norm, units, seed=seed)
    random = np.random.default_rng(seed)
    network.carried[:] = random.uniform(0.5, 2, network.carried.size)
    network.intervene("hidden", multiply=random.normal(size=units), add=0.5)
    network.intervene("hidden.pre", multiply=random.normal(size=units), add=0.5)
    gradients_agree(network, random.normal(size=(*sizes, 2)), training=training)
    alone = tn.Network([network.parts[1]], dtype="float64", seed=seed)
    gradients_agree(alone, random.normal(size=(*sizes, units)), training=training)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=15)
@given(leading, st.integers(1, 4))
def test_batch_statistics_are_over_all_axes_but_the_last(dtype: str, sizes: list[int], units: int) -> None:
    network = tn.Network([tn.BatchNorm(units)], dtype=dtype)
    x = np.random.default_rng(0).normal(3, 2, (*sizes, units)).astype(dtype)
    axes = tuple(range(len(sizes)))
    expected = (x - x.mean(axes)) / np.sqrt(x.var(axes) + 1e-5)
    out = network.forward(x, training=True)
    assert out.dtype == np.dtype(dtype)
    np.testing.assert_allclose(out, expected, rtol=1e-3 if dtype == "float32" else 1e-9, atol=1e-3)


def test_layer_statistics_are_those_of_each_example() -> None:
    x = np.random.default_rng(0).normal(3, 2, (4, 5, 6))
    out = tn.Network([tn.LayerNorm(6)], dtype="float64").predict(x)
    np.testing.assert_allclose(out.mean(-1), 0, atol=1e-12)
    np.testing.assert_allclose(out.var(-1), 1, rtol=1e-4)
    assert np.array_equal(tn.Network([tn.LayerNorm(6)], dtype="float64").predict(x[:1]), out[:1])


def test_a_large_mean_costs_no_precision() -> None:
    x = 1e4 + np.random.default_rng(0).normal(size=(64, 3))
    out = tn.Network([tn.BatchNorm(3)]).forward(x, training=True)
    np.testing.assert_allclose(out.std(0), 1, rtol=1e-2)


@pytest.mark.parametrize("norm", NORMS)
def test_sum_normalization_and_activation_are_one_block(norm: type[tn.Layer]) -> None:
    network = block_of(norm, 3)
    assert [block.name for block in network.blocks] == ["hidden"]
    x = np.random.default_rng(0).normal(size=(8, 2))
    out = network.forward(x, training=True)
    assert np.array_equal(np.tanh(network.activation("hidden.pre")), out)
    block = network.block("hidden")
    of_unit = network.unit_indices(block, [1])
    layer: Any = network.layers[1]
    places = [network.parameter_slice(1, name).start + 1 for name in ("gain", "shift")]
    assert set(places) <= set(of_unit.tolist())
    assert len(of_unit) == 2 + 1 + 2
    assert layer.gain.shape == layer.shift.shape == (3,)


def test_running_statistics_change_with_a_training_step_and_with_nothing_else(make_tiny: Callable[..., Any]) -> None:
    lab = lab_with_norm()
    start = lab.state.buffers
    assert start.tolist() == [0.0] * 6 + [1.0] * 6
    lab.evaluate("train")
    lab.probe_loss()
    lab.network.forward(lab.data["train"][0][:4], training=True)
    assert np.array_equal(lab.state.buffers, start)
    lab.phase()
    lab.phase()
    assert np.array_equal(lab.state.buffers, start)
    lab.step()
    assert (lab.state.buffers != start).all()


def lab_with_norm() -> tn.Lab:
    layers = [tn.Linear(2, 6, name="hidden"), tn.BatchNorm(6), tn.Tanh(), tn.Linear(6, 2, name="output")]
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 2))
    data = (x, (x[:, 0] > 0).astype(np.int64))
    return tn.Lab(tn.Network(layers, seed=1), data=data, loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=8)


def test_freezing_a_unit_keeps_gain_shift_and_running_statistics() -> None:
    lab = lab_with_norm()
    lab.run(5)
    lab.freeze("hidden[2]")
    before = lab.state
    lab.run(20)
    after = lab.state
    block = lab.network.block("hidden")
    places = lab.network.unit_indices(block, [2])
    carried = lab.network.carried_indices(block, [2])
    assert len(places) == 2 + 1 + 2
    assert carried.tolist() == [2, 8]
    assert before.theta[places].tobytes() == after.theta[places].tobytes()
    assert before.buffers[carried].tobytes() == after.buffers[carried].tobytes()
    assert (np.delete(before.buffers, carried) != np.delete(after.buffers, carried)).all()


def test_a_training_batch_with_one_value_of_each_unit_is_refused(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.BatchNorm(3, name="norm")])
    message = "`norm` BatchNorm(3) averages over at least 2 values of each unit in training; this batch has 1"
    with says(tn.ShapeError, message):
        network.forward(np.zeros((1, 3)), training=True)
    network.forward(np.zeros((1, 3)))
    with says(tn.ShapeError, message):
        network.forward(np.zeros((1, 3)), training=True)
    network.forward(np.zeros((1, 2, 3)), training=True)


def test_a_lab_that_would_train_on_such_batches_is_not_built(says: Callable[..., Any]) -> None:
    layers = [tn.Linear(2, 3), tn.BatchNorm(3, name="norm"), tn.Linear(3, 2)]
    data = (np.zeros((4, 2)), np.zeros(4, np.int64))
    message = "`norm` BatchNorm(3) averages over at least 2 values of each unit in training; this batch has 1"
    with says(tn.ShapeError, message):
        tn.Lab(tn.Network(layers), data=data, loss=tn.CrossEntropy(), batch=1)
    tn.Lab(tn.Network(layers), data=data, loss=tn.CrossEntropy(), batch=2).step()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tn.BatchNorm(0), "BatchNorm: `size` must be a whole number of at least 1, not 0"),
        (lambda: tn.BatchNorm(2, momentum=2), "BatchNorm: `momentum` must be a number from 0 to 1, not 2"),
        (lambda: tn.LayerNorm(2, eps=0), "LayerNorm: `eps` must be a number above 0, not 0"),
        (
            lambda: tn.Network([tn.Linear(2, 3, name="a"), tn.BatchNorm(4, name="b")]),
            "`b` BatchNorm(4) takes (..., 4), not (?, 3), which `a` Linear(2, 3) gives",
        ),
    ],
)
def test_what_does_not_fit_is_refused(says: Callable[..., Any], make: Callable[[], object], message: str) -> None:
    with says(tn.ShapeError, message):
        make()


OFFSETS = [0.0, 1000.0, -1e5, 1e6]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize(("norm", "rows", "units"), [("layer", 16, 64), ("layer", 4, 2000), ("batch", 64, 3)])
def test_a_norm_is_as_right_far_from_zero_as_near_it(norm: str, rows: int, units: int, offset: float) -> None:
    x = (np.random.default_rng(0).normal(size=(rows, units)) + offset).astype(np.float32)
    axis = 0 if norm == "batch" else 1
    layer = tn.BatchNorm(units) if norm == "batch" else tn.LayerNorm(units)
    out = tn.Network([layer]).forward(x, training=True)
    np.testing.assert_allclose(out, normal(x, axis), rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("rows", [128, 129, 30_000, 300_000])
def test_batch_statistics_of_many_rows_are_those_of_float64(rows: int, offset: float) -> None:
    x = (np.random.default_rng(0).normal(size=(rows, 2)) + offset).astype(np.float32)
    network = tn.Network([tn.BatchNorm(2, momentum=1.0)])
    workspace = Workspace(training=True)
    out = network.forward(x, workspace)
    np.testing.assert_allclose(out, normal(x, 0), rtol=1e-5, atol=2e-5)
    wide = x.astype(np.float64)
    running = workspace.carried.reshape(2, 2)
    np.testing.assert_allclose(running, [wide.mean(0), wide.var(0, ddof=1)], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_gradients_of_many_rows_are_those_of_float64(norm: type[tn.Layer]) -> None:
    """Every row's gradient is 0.1: a batch norm's shift gets a tenth of the number of rows, its input nothing."""
    rows = 300_000
    x = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    network, workspace = tn.Network([norm(3)]), Workspace(input_gradient=True, training=True)  # type: ignore[call-arg]
    network.forward(x, workspace)
    dx = network.backward(np.full((rows, 3), 0.1), workspace)
    layer: Any = network.layers[0]
    np.testing.assert_allclose(layer.dshift, rows * 0.1, rtol=2e-6)
    assert np.abs(dx).max() < 1e-5


def normal(x: np.ndarray, axis: int) -> np.ndarray:
    wide = x.astype(np.float64)
    mean, var = wide.mean(axis, keepdims=True), wide.var(axis, keepdims=True)
    return np.asarray((wide - mean) / np.sqrt(var + 1e-5))
