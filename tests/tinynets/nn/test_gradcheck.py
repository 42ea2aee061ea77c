"""grad_check: right gradients pass, and wrong ones are reported with place and numbers."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.layers import Buffers


class HalfWrong(tn.Linear):
    """A Linear whose bias gradient is twice what it should be."""

    kind = "half-wrong"

    def backward(self, dout: np.ndarray, buffers: Buffers) -> np.ndarray:
        dx = super().backward(dout, buffers)
        self.db *= 2
        return dx


class SlopeOff(tn.ELU):
    """An ELU whose slope has a relative error, as small as a few tolerances."""

    kind = "slope-off"
    by = 4e-6

    def backward(self, dout: np.ndarray, buffers: Buffers) -> np.ndarray:
        dx = super().backward(dout, buffers)
        dx *= 1 + self.by
        return dx


X = np.random.default_rng(0).normal(size=(5, 3))
XOR = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
PROOF = int(os.environ.get("TINYNETS_PROOF", "1"))

BENT: dict[str, Callable[[], tn.Layer]] = {
    "elu": tn.ELU,
    "steep elu": lambda: tn.ELU(20.0),
    "flat elu": lambda: tn.ELU(0.05),
    "relu": tn.ReLU,
    "leaky relu": tn.LeakyReLU,
    "softplus": tn.Softplus,
    "silu": tn.SiLU,
    "gelu": tn.GELU,
    "tanh": tn.Tanh,
}
"""Activations of sums that are 0 exactly: XOR inputs and biases that are 0."""


def test_a_network_with_interventions_and_a_loss_is_right_parameter_by_parameter() -> None:
    network = tn.Network([tn.Linear(3, 4, name="hidden"), tn.Tanh(), tn.Linear(4, 2, name="output")])
    network.intervene("hidden", multiply=[1, 0, 1, 2])
    before = network.theta.copy()
    report = tn.grad_check(network, X, [0, 1, 1, 0, 1], tn.CrossEntropy())
    assert report
    assert [entry.name for entry in report.entries] == ["input", "hidden.w", "hidden.b", "output.w", "output.b"]
    assert report.error < 1e-8
    assert str(report).endswith("all gradients are right")
    assert network.theta.tobytes() == before.tobytes()


def test_a_wrong_backward_of_a_single_layer_is_named_with_its_place() -> None:
    report = tn.grad_check(HalfWrong(3, 2), X)
    assert not report
    assert [entry.name for entry in report.entries if not entry.approximate] == ["half_wrong1.b"]
    wrong = report["half_wrong1.b"]
    assert wrong.analytic == pytest.approx(2 * wrong.numeric)
    assert wrong.error == pytest.approx(0.5)
    assert f"at [{wrong.worst[0]}] backward gives {wrong.analytic:.6g}, differences {wrong.numeric:.6g}" in str(report)
    assert str(report).endswith("1 of 3 gradients are wrong")


@pytest.mark.parametrize("loss", [tn.MSE(), tn.Huber(0.3), lambda out, y: (((out - y) ** 2).sum(), 2 * (out - y))])
def test_a_loss_or_a_function_is_checked_alone(loss: Any) -> None:
    assert tn.grad_check(loss, X, X + 1.5)


def test_a_gradient_that_is_zero_everywhere_is_exact() -> None:
    report = tn.grad_check(tn.Network([tn.Linear(3, 2, name="a"), tn.Step()]), X)
    assert all(entry.exact for entry in report.entries)
    assert "exact" in str(report["a.w"])


def test_of_a_large_array_a_thousand_places_are_tried() -> None:
    report = tn.grad_check(tn.Linear(3, 500), X)
    assert report
    assert report["linear1.w"].tried == 1000
    assert "1,000 of 1,500 tried" in str(report)


def test_whole_numbers_and_dropout_in_training_are_checked_too() -> None:
    network = tn.Network([tn.Embedding(5, 3), tn.Flatten(), tn.Linear(6, 4), tn.BatchNorm(4), tn.Dropout(0.3)])
    for training in (True, False):
        assert tn.grad_check(network, [[0, 4], [2, 2], [1, 3]], training=training)


def test_a_name_that_was_not_checked_is_refused(says: Any) -> None:
    with says(tn.ShapeError, "`w` was not checked; there are out"):
        tn.grad_check(tn.MSE(), X, X)["w"]


def test_entries_at_a_kink_are_left_out_and_counted() -> None:
    network = tn.Network([tn.Linear(3, 4, name="a_layer_with_quite_a_long_name"), tn.ReLU(), tn.Linear(4, 2)])
    x = X.copy()
    x[0] = 0  # with a bias of 0, its sums are exactly 0
    report = tn.grad_check(network, x)
    assert report
    assert report["a_layer_with_quite_a_long_name.b"].kinks == 4
    lines = str(report).splitlines()
    assert "at kinks" in lines[2]
    assert lines[2].endswith(", 4 entries at a kink, left out")
    assert len({line.index(" max relative") for line in lines[:-1]}) == 1


def test_a_wrong_gradient_is_wrong_beside_kinks() -> None:
    x = X.copy()
    x[0] = 0
    report = tn.grad_check(tn.Network([tn.Linear(3, 4), tn.ReLU(), HalfWrong(4, 2, name="out")]), x)
    assert not report["out.b"].approximate
    assert report["out.b"].kinks == 0


def test_a_step_of_zero_is_refused(says: Any) -> None:
    with says(tn.ShapeError, "grad_check: `h` must be a finite number above 0, not 0"):
        tn.grad_check(tn.Linear(3, 4), X, h=0)


def right_ones(kind: str, seed: int) -> list[tuple[tn.Network | tn.Loss, np.ndarray, Any]]:
    """Right gradients, of networks and losses whose slopes have kinks at and near the values they meet."""
    random = np.random.default_rng(seed)
    layer = BENT[kind]
    images, places = random.integers(0, 2, (2, 4, 4, 1)).astype(float), random.integers(-3, 4, (4, 3)).astype(float)
    near = places + random.normal(size=places.shape) * 10.0 ** -random.integers(3, 9)
    return [
        (tn.Network([tn.Linear(2, 8), layer(), tn.Linear(8, 2)], seed=seed), XOR, None),
        (tn.Network([tn.Conv2d(1, 2, 3), layer(), tn.Flatten(), tn.Linear(8, 2)], seed=seed), images, None),
        (tn.Network([layer()], input_shape=(3,)), near, None),
        (tn.Huber(1.0), places, np.zeros_like(places)),
        (tn.Huber(2.0), near, np.zeros_like(places)),
    ]


@pytest.mark.parametrize("kind", BENT)
@pytest.mark.parametrize("seed", range(4))
def test_right_gradients_pass_where_the_slope_has_a_kink(kind: str, seed: int) -> None:
    for thing, x, y in right_ones(kind, seed):
        report = tn.grad_check(thing, x, y)
        assert report, f"{thing}\n{report}"


@pytest.mark.parametrize("seed", range(10))
def test_wrong_gradients_are_caught_where_the_slope_has_a_kink(seed: int) -> None:
    network = tn.Network([tn.Linear(2, 8), SlopeOff(), tn.Linear(8, 2)], seed=seed)
    report = tn.grad_check(network, XOR)
    assert not report["linear1.w"].approximate
    assert not tn.grad_check(HalfWrong(2, 3), XOR)


@pytest.mark.proof
@pytest.mark.parametrize("kind", BENT)
def test_no_false_alarm_and_no_wrong_one_missed_over_many_seeds(kind: str) -> None:
    for seed in range(100 * PROOF):
        for thing, x, y in right_ones(kind, seed):
            assert tn.grad_check(thing, x, y), (thing, seed)
        wrong = tn.Network([tn.Linear(2, 8), SlopeOff(), BENT[kind](), tn.Linear(8, 2)], seed=seed)
        assert not tn.grad_check(wrong, XOR), seed
