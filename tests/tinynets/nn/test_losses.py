"""Losses: values as in the textbook, gradients by central differences, and targets refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import tinynets as tn
from tinynets.history.verify import replay
from tinynets.nn.losses import LOSSES, LossBuffers, loss_from

classes_and_shape = st.tuples(st.integers(1, 5), arrays.array_shapes(min_dims=1, max_dims=2, max_side=4))


@settings(max_examples=30)
@given(classes_and_shape, st.integers(0, 99))
def test_cross_entropy_and_its_gradient_are_those_of_the_textbook(
    central_differences: Callable[..., np.ndarray],
    close: Callable[..., None],
    sizes: tuple[int, tuple[int, ...]],
    seed: int,
) -> None:
    classes, shape = sizes
    random = np.random.default_rng(seed)
    out, y = random.normal(size=(*shape, classes)), random.integers(0, classes, shape)
    value, gradient = tn.CrossEntropy()(out, y)
    shares = np.exp(out) / np.exp(out).sum(axis=-1, keepdims=True)
    assert value == pytest.approx(-np.log(np.take_along_axis(shares, y[..., None], -1)).mean(), rel=1e-12, abs=1e-12)
    close(gradient.copy(), central_differences(lambda: tn.CrossEntropy()(out, y)[0], out))


@settings(max_examples=30)
@given(arrays.array_shapes(min_dims=2, max_dims=3, max_side=4), st.integers(0, 99))
def test_mse_and_its_gradient_are_those_of_the_textbook(
    central_differences: Callable[..., np.ndarray], close: Callable[..., None], shape: tuple[int, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    out, y = random.normal(size=shape), random.normal(size=shape)
    value, gradient = tn.MSE()(out, y)
    assert value == pytest.approx(((out - y) ** 2).mean(), rel=1e-12)
    close(gradient.copy(), central_differences(lambda: tn.MSE()(out, y)[0], out))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e3, 1e30])
def test_huge_logits_give_finite_cross_entropy_and_gradient(dtype: str, size: float) -> None:
    out = np.array([[size, 0, -size], [-size, size, 0]], dtype)
    value, gradient = tn.CrossEntropy()(out, [0, 0])
    assert value == pytest.approx(size, rel=1e-6)  # the first is certain and right, the second certain and wrong
    np.testing.assert_allclose(gradient, [[0, 0, 0], [-0.5, 0.5, 0]], atol=1e-12)


@settings(max_examples=20)
@given(st.integers(2, 6), st.integers(-40, 40))
def test_cross_entropy_does_not_change_when_all_logits_shift(classes: int, shift: int) -> None:
    random = np.random.default_rng(0)
    out, y = random.normal(size=(5, classes)), random.integers(0, classes, 5)
    assert tn.CrossEntropy()(out, y)[0] == pytest.approx(tn.CrossEntropy()(out + shift, y)[0], rel=1e-9)


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes() -> None:
    assert tn.CrossEntropy()(np.zeros((4, 27)), [0, 5, 26, 1])[0] == pytest.approx(log(27), rel=1e-12)


@pytest.mark.parametrize("loss", [tn.CrossEntropy(), tn.MSE()], ids=repr)
def test_the_mean_over_examples_of_each_is_the_value(loss: Any) -> None:
    random = np.random.default_rng(0)
    out = random.normal(size=(6, 3))
    y = random.integers(0, 3, 6) if loss.classes else random.normal(size=(6, 3))
    assert loss.each(out, y).mean() == pytest.approx(loss(out, y)[0], rel=1e-12)
    assert len(loss.each(out, y)) == 6


def test_a_loss_comes_back_from_its_description() -> None:
    for kind in LOSSES.values():
        assert loss_from(kind().config()) == kind()
    assert tn.MSE() != tn.CrossEntropy()


@pytest.mark.parametrize(
    ("loss", "y", "kind", "message"),
    [
        (tn.CrossEntropy(), [0.5, 1.0], tn.ShapeError, "cross-entropy takes whole numbers as targets, not float64"),
        (
            tn.CrossEntropy(),
            [0, 1, 2],
            tn.ShapeError,
            "cross-entropy: targets are (3,), outputs (2, 3): the targets must be (2,)",
        ),
        (tn.CrossEntropy(), [0, 3], tn.DataError, "cross-entropy: the outputs have classes 0 to 2; a target is 3"),
        (tn.CrossEntropy(), [-1, 1], tn.DataError, "cross-entropy: the outputs have classes 0 to 2; a target is -1"),
        (tn.MSE(), None, tn.ShapeError, "mse needs targets, and the data has none"),
        (
            tn.BinaryCrossEntropy(),
            [[0, 1, 2], [0, 0, 0]],
            tn.DataError,
            "binary-cross-entropy: targets are from 0 to 1; one is 2",
        ),
        (
            tn.Hinge(),
            [[-1, 0, 1], [1, 1, 1]],
            tn.DataError,
            "hinge: targets are -1 and +1 (or classes 0 and 1); one is 0",
        ),
        (tn.Kohonen((2, 2)), None, tn.ShapeError, "kohonen: a grid of 2 x 2 takes outputs (B, 4), not (2, 3)"),
        (tn.MSE(), [[1.0], [2.0, 3.0]], tn.ShapeError, "`mse targets` is not one array: its rows differ in shape"),
        (tn.MSE(), ["a", "b"], tn.ShapeError, "mse takes numbers as targets, not <U1"),
        (tn.MSE(), [1.0, 2.0], tn.ShapeError, "mse: targets are (2,), outputs (2, 3): they must be alike"),
    ],
)
def test_targets_that_do_not_fit_are_refused(
    says: Callable[..., Any], loss: Any, y: Any, kind: type[Exception], message: str
) -> None:
    with says(kind, message):
        loss(np.zeros((2, 3)), y)


def test_an_unknown_loss_is_refused_with_the_nearest(says: Callable[..., Any]) -> None:
    with says(
        tn.ShapeError,
        "a loss is one of cross-entropy, binary-cross-entropy, mse, mae, huber, hinge, perceptron, kohonen, "
        "not 'crossentropy'; did you mean `cross-entropy`?",
    ):
        loss_from({"kind": "crossentropy"})


# -- every loss

JUDGES: list[Any] = [
    tn.CrossEntropy(label_smoothing=0.2),
    tn.BinaryCrossEntropy(),
    tn.MSE(),
    tn.MAE(),
    tn.Huber(0.7),
    tn.Hinge(),
    tn.Perceptron(),
]


def case(loss: Any, shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Outputs away from kinks, and targets."""
    random = np.random.default_rng(seed)
    out = random.normal(size=shape)
    if loss.classes:
        return out, random.integers(0, shape[-1], shape[:-1])
    if isinstance(loss, tn.BinaryCrossEntropy):
        return out, random.uniform(size=shape)
    if isinstance(loss, tn.Hinge | tn.Perceptron):
        y = random.choice([-1.0, 1.0], shape)
        for kink in (0, 1):
            out[np.abs(out * y - kink) < 1e-3] += 0.01
        return out, y
    return out, out + random.choice([-1, 1], shape) * random.choice([0.3, 0.5, 1.1], shape)


shapes = arrays.array_shapes(min_dims=2, max_dims=3, max_side=4)


@pytest.mark.parametrize("loss", JUDGES, ids=repr)
@settings(max_examples=20)
@given(shape=shapes, seed=st.integers(0, 99), weighted=st.booleans())
def test_the_gradient_of_every_loss_is_that_of_its_value_with_weights_of_either_sign(
    central_differences: Callable[..., np.ndarray],
    close: Callable[..., None],
    loss: Any,
    shape: tuple[int, ...],
    seed: int,
    weighted: bool,
) -> None:
    out, y = case(loss, shape, seed)
    weight = np.random.default_rng(seed).normal(size=shape[0]) if weighted else None
    value, gradient = loss(out, y, weight)
    close(gradient.copy(), central_differences(lambda: loss(out, y, weight)[0], out))
    each = loss.each(out, loss.targets(y, out.shape, out.dtype))
    assert value == pytest.approx((each if weight is None else each * weight).mean(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("loss", JUDGES, ids=repr)
@pytest.mark.parametrize("size", [1e3, 1e15])
def test_huge_outputs_give_finite_values_and_gradients_in_float32(loss: Any, size: float) -> None:
    out = np.array([[size, -size, 0], [-size, size, 1]], np.float32)
    y = [0, 0] if loss.classes else [[1, 1, 1], [1, 1, 1]]
    value, gradient = loss(out, y)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


def test_classes_zero_and_one_stand_for_minus_and_plus_one() -> None:
    out = np.array([[0.3], [-2.0], [0.5]])
    for loss in (tn.Hinge(), tn.Perceptron()):
        assert loss(out, [0, 1, 1])[0] == loss(out, [-1, 1, 1])[0]


# -- the rules of Rosenblatt and Kohonen


@pytest.mark.parametrize("lr", [1.0, 0.1])
def test_sgd_on_linear_and_perceptron_is_the_rule_of_rosenblatt(lr: float) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3))
    y = np.where(x @ [1.0, -2.0, 0.5] + 0.3 > 0, 1.0, -1.0)
    zeros = tn.Zeros()
    network = tn.Network([tn.Linear(3, 1, w_init=zeros, b_init=zeros)], dtype="float64")
    lab = tn.Lab(network, data=(x, y), loss=tn.Perceptron(), optimizer=tn.SGD(lr), batch=1, sampling="epoch")
    w, b, mistakes = np.zeros(3), 0.0, 0
    for step in range(600):
        place = int(lab.player.trainer.sampler.indices(step)[0])
        if y[place] * (x[place] @ w + b) <= 0:
            w, b, mistakes = w + lr * y[place] * x[place], b + lr * y[place], mistakes + 1
        lab.step()
        np.testing.assert_allclose(lab.network.theta, [*w, b], rtol=1e-12, atol=1e-12)
    assert mistakes > 3
    assert lab.evaluate("train").accuracy == 1.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sgd_on_distances_and_kohonen_is_the_rule_of_the_self_organizing_map(dtype: str) -> None:
    x = np.random.default_rng(0).uniform(size=(50, 3))
    loss = tn.Kohonen((3, 4), radius=2.0, final_radius=0.5, steps=80)
    network = tn.Network([tn.Distances(3, 12, name="map")], dtype=dtype)
    lab = tn.Lab(network, data=x, loss=loss, optimizer=tn.SGD(0.2), batch=1)
    w = lab.state.theta.astype(np.float64).reshape(3, 12).T.copy()
    for step in range(120):
        example = x[lab.player.trainer.sampler.indices(step)[0]]
        best = int(((example - w) ** 2).sum(axis=1).argmin())
        radius = 2.0 * (0.5 / 2.0) ** min(step / 80, 1)
        for unit in range(12):
            distance = (unit // 4 - best // 4) ** 2 + (unit % 4 - best % 4) ** 2
            w[unit] += 0.2 * np.exp(-distance / (2 * radius**2)) * (example - w[unit])
        lab.step()
        np.testing.assert_allclose(
            lab.network.theta.reshape(3, 12).T, w, rtol=0, atol=1e-12 if dtype == "float64" else 1e-4
        )


def test_kohonen_measures_with_its_final_radius_at_every_step() -> None:
    out = np.random.default_rng(0).uniform(size=(5, 6))
    loss = tn.Kohonen((2, 3), radius=3.0, final_radius=1.0, steps=10)
    buffers = LossBuffers()
    loss.fit(buffers, out)
    values = []
    for step in (0, 10, 99):
        buffers.step = step
        values.append(loss.value(out, np.empty((5, 0)), buffers))
    assert values[0] > values[1] == values[2] == pytest.approx(loss.each(out, np.empty((5, 0))).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid": (0, 2)}, "`kohonen`: `grid` must be (rows, columns), whole numbers above 0, not (0, 2)"),
        ({"grid": 5}, "`kohonen`: `grid` must be (rows, columns), whole numbers above 0, not 5"),
        ({"radius": -1.0}, "`kohonen`: `radius` must be a finite number of at least 1e-06, not -1.0"),
        ({"radius": 1e-300}, "`kohonen`: `radius` must be a finite number of at least 1e-06, not 1e-300"),
        ({"final_radius": 0.0}, "`kohonen`: `final_radius` must be a finite number of at least 1e-06, not 0.0"),
        ({"final_radius": "a"}, "`kohonen`: `final_radius` must be a finite number of at least 1e-06, not 'a'"),
        ({"steps": 0}, "`kohonen`: `steps` must be a whole number of at least 1, not 0"),
    ],
)
def test_impossible_maps_are_refused(says: Callable[..., Any], arguments: dict[str, Any], message: str) -> None:
    with says(tn.ShapeError, message):
        tn.Kohonen(**arguments)


# -- weights, targets without and along a sequence, functions


def test_an_example_of_negative_weight_is_pushed_away_and_counts_as_right_when_missed(tmp_path: Path) -> None:
    x, y, weight = np.eye(2), [0, 0], [1.0, -1.0]
    network = tn.Network([tn.Linear(2, 2, name="out", bias=False)], dtype="float64")
    lab = tn.Lab(network, data=(x, y, weight), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.5), batch=2)
    lab.run(50)
    shares = lab.network.predict(x).argmax(axis=1)
    assert shares.tolist() == [0, 1]
    report = lab.evaluate("train")
    assert report.accuracy == 1.0
    assert report.loss == pytest.approx((tn.CrossEntropy().each(lab.network.predict(x), np.array(y)) * weight).mean())
    assert report.loss == pytest.approx(lab.probe_loss())
    lab.save(str(tmp_path / "x.msgpack"))
    again = tn.Lab(str(tmp_path / "x.msgpack"))
    assert replay(again.player).equal
    assert again.evaluate("train").loss == report.loss


def test_classes_along_a_sequence_train_and_are_evaluated() -> None:
    x = np.random.default_rng(0).integers(0, 4, (30, 5))
    network = tn.Network([tn.Embedding(4, 6, name="embed"), tn.Linear(6, 4)])
    lab = tn.Lab(network, data=(x, (x + 1) % 4), loss=tn.CrossEntropy(), optimizer=tn.Adam(0.05))
    lab.run(150)
    assert lab.evaluate("train").accuracy == 1.0
    assert lab.probe_loss() < 0.2


def squares(out: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((out - y) ** 2).mean()), 2 * (out - y) / out.size


def test_a_function_trains_like_the_loss_that_it_writes_out(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(20, 2))
    labs = [
        tn.Lab(tn.Network([tn.Linear(2, 1)], dtype="float64"), data=(x, x[:, 0]), loss=loss, batch=4)
        for loss in (squares, tn.MSE())
    ]
    for lab in labs:
        lab.run(30)
    np.testing.assert_allclose(labs[0].network.theta, labs[1].network.theta, rtol=1e-9)
    assert labs[0].evaluate("train").loss == pytest.approx(labs[1].evaluate("train").loss)
    with pytest.raises(tn.SaveError, match="the loss `squares` is a plain function and not registered"):
        labs[0].save(str(tmp_path / "x.msgpack"))
    assert not list(tmp_path.iterdir())


def test_a_function_that_writes_into_its_arguments_is_told_to_copy() -> None:
    def in_place(out: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
        out -= y
        return float((out**2).mean()), 2 * out / out.size

    with pytest.raises(tn.ShapeError, match=r"`in_place` writes into `out` or `y`, .* it must work on a copy"):
        tn.Lab(tn.Network([tn.Linear(2, 1)]), data=(np.ones((3, 2)), [0.0, 1.0, 2.0]), loss=in_place)


def test_a_function_without_a_right_gradient_is_told_what_is_missing() -> None:
    x = np.ones((3, 2))

    def lab(loss: Any) -> tn.Lab:
        return tn.Lab(tn.Network([tn.Linear(2, 1)]), data=(x, [0.0, 1.0, 2.0]), loss=loss)

    with pytest.raises(
        tn.ShapeError, match=r"gives only a value; its gradient .* is missing: return \(value, gradient\)"
    ):
        lab(lambda out, y: squares(out, y)[0])
    assert "central differences give" in lab(lambda out, y: (squares(out, y)[0], out * 0 + 5)).warnings[0]
    with pytest.raises(tn.ShapeError, match=r"gives a gradient \(1,\) for outputs \(3, 1\)"):
        lab(lambda out, y: (squares(out, y)[0], np.ones(1)))
    with pytest.raises(tn.ShapeError, match="failed: ZeroDivisionError: division by zero"):
        lab(lambda out, y: 1 / 0)


@pytest.mark.parametrize("loss", [tn.MSE(), tn.CrossEntropy()])
def test_a_loss_of_no_outputs_is_refused(says: Callable[..., Any], loss: Any) -> None:
    with says(tn.ShapeError, "a loss needs at least one output; `out` is (0, 3)"):
        loss(np.zeros((0, 3)), np.zeros((0, 3)))
