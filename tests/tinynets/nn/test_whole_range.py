"""The relative error of every activation and loss in float32, over all of float32, against float64 formulas.

Each case states the largest relative error of a value and of a slope. If these are sums of terms that cancel (SiLU,
GELU), or computed from an output near its bound (Tanh), the error is relative to the largest term. What is less than
the smallest normal number may be rounded to 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import erfc, pi, sqrt

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.layers import LAYERS
from tinynets.nn.layers.base import Activation
from tinynets.nn.losses import LOSSES
from tinynets.nn.workspace import Workspace
from tinynets.numerics.rules import FIRST

TINY = float(np.finfo(np.float32).tiny)
LARGEST = float(np.finfo(np.float32).max)
Array = np.ndarray
Terms = Callable[[Array], list[Array]]


def everywhere(seed: int = 0) -> Array:
    """float32 numbers of every size and sign: dense where functions bend, each power of two, and any bits."""
    random = np.random.default_rng(seed)
    powers = 2.0 ** np.arange(-149, 128)
    dense = np.concatenate([np.linspace(-120, 120, 24_001), np.linspace(-3, 3, 6001)])
    bits = random.integers(0, 2**32, 20_000, dtype=np.uint64).astype(np.uint32).view(np.float32)
    found = np.concatenate([powers, -powers, dense, bits[np.isfinite(bits)], [0.0, LARGEST, -LARGEST]])
    return found.astype(np.float32)


def sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def bell(x: Array) -> Array:
    """The slope of the sigmoid."""
    e = np.exp(-np.abs(x))
    return np.asarray(e / (1 + e) ** 2)


def normal_share(x: Array) -> Array:
    return np.array([erfc(-value / sqrt(2)) / 2 for value in x])


def bent(x: Array) -> Array:
    """Twice the argument of the tanh in GELU's approximation."""
    return np.asarray(2 * sqrt(2 / pi) * (x + 0.044715 * x**3))


@dataclass
class Case:
    """Value and slope as sums of terms, in float64, and the error allowed for each, relative to its largest term."""

    activation: Activation
    value: Terms
    slope: Terms
    value_error: float = 1e-6
    slope_error: float = 1e-6
    least: float = -LARGEST


CASES = [
    Case(tn.Identity(), lambda x: [x], lambda x: [x * 0 + 1], 0, 0),
    Case(tn.Step(), lambda x: [(x > 0) * 1.0], lambda x: [x * 0], 0, 0),
    Case(tn.ReLU(), lambda x: [np.maximum(x, 0)], lambda x: [(x > 0) * 1.0], 0, 0),
    Case(tn.LeakyReLU(0.01), lambda x: [np.where(x > 0, x, 0.01 * x)], lambda x: [np.where(x > 0, 1, 0.01)]),
    Case(tn.Tanh(), lambda x: [np.tanh(x)], lambda x: [np.cosh(np.minimum(np.abs(x), 350)) ** -2.0]),
    Case(tn.Sigmoid(), lambda x: [sigmoid(x)], lambda x: [bell(x)]),
    Case(tn.ELU(), lambda x: [np.where(x > 0, x, np.expm1(np.minimum(x, 0)))], lambda x: [np.exp(np.minimum(x, 0))]),
    Case(
        tn.ELU(0.3),
        lambda x: [np.where(x > 0, x, 0.3 * np.expm1(np.minimum(x, 0)))],
        lambda x: [np.where(x > 0, 1, 0.3 * np.exp(np.minimum(x, 0)))],
    ),
    Case(tn.Softplus(), lambda x: [np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))], lambda x: [sigmoid(x)]),
    Case(tn.SiLU(), lambda x: [x * sigmoid(x)], lambda x: [sigmoid(x), x * bell(x)]),
    Case(
        tn.GELU(),
        lambda x: [x * normal_share(x)],
        lambda x: [normal_share(x), x * np.exp(-np.minimum(x * x, 1e6) / 2) / sqrt(2 * pi)],
        2e-5,
        2e-5,
    ),
    Case(
        tn.GELU(approximate="tanh"),
        lambda x: [x * sigmoid(bent(x))],
        lambda x: [sigmoid(bent(x)), x * 2 * sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x) * bell(bent(x))],
        4e-5,
        4e-5,
    ),
    Case(tn.Gaussian(2.0), lambda x: [np.exp(-x / 8)], lambda x: [-np.exp(-x / 8) / 8], 1e-5, 1e-5, least=0),
]


def apart(ours: Array, terms: list[Array], error: float) -> Array:
    """Our errors as shares of the allowed error."""
    largest = np.max(np.abs(terms), axis=0)
    return np.asarray(np.abs(ours - np.sum(terms, axis=0)) / (error * largest + TINY))


@pytest.mark.parametrize("case", CASES, ids=lambda case: repr(case.activation))
def test_an_activation_and_its_slope_have_their_digits_over_all_of_float32(case: Case) -> None:
    x = everywhere()
    x = x[x >= case.least]
    network, workspace = tn.Network([case.activation], input_shape=(1,)), Workspace(input_gradient=True)
    with np.errstate(all="ignore"):
        out = network.forward(x[:, None], workspace)[:, 0].astype(np.float64)
        slope = network.backward(np.ones((len(x), 1)), workspace)[:, 0].astype(np.float64)
        wide = x.astype(np.float64)
        of_value, of_slope = apart(out, case.value(wide), case.value_error), case.slope(wide)
        if case.activation.kind == "tanh":
            of_slope = np.abs(slope - of_slope[0]) / case.slope_error
        else:
            of_slope = apart(slope, of_slope, case.slope_error)
    assert not (of_value > 1).any(), (x[of_value.argmax()], out[of_value.argmax()], of_value.max())
    assert not (of_slope > 1).any(), (x[of_slope.argmax()], slope[of_slope.argmax()], of_slope.max())


def test_shares_of_a_softmax_have_their_digits_over_all_of_float32() -> None:
    x = everywhere()
    out = tn.Network([tn.Softmax()], input_shape=(2,)).predict(np.stack([x, np.zeros_like(x)], axis=1))
    wide = x.astype(np.float64)
    for ours, expected in zip(out.T, (sigmoid(wide), sigmoid(-wide)), strict=True):
        assert (apart(ours, [expected], 2e-5) <= 1).all()


def test_of_every_activation_the_range_is_told() -> None:
    told = {case.activation.kind for case in CASES} | {"softmax"}
    assert told == {kind for kind, layer in LAYERS.items() if issubclass(layer, Activation)}


def softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))


@dataclass
class Judged:
    """A loss of single outputs x with targets y, and its slope, in float64, as sums of terms."""

    loss: tn.Loss
    targets: tuple[float, ...]
    value: Callable[[Array, float], list[Array]]
    slope: Callable[[Array, float], list[Array]]
    error: float = 1e-6


def _signed(y: float) -> float:
    return y if y else -1.0


JUDGED = [
    Judged(tn.MSE(), (0.0, 1.0, -1e30), lambda x, y: [(x - y) ** 2], lambda x, y: [2 * (x - y)]),
    Judged(tn.MAE(), (0.0, 1.0), lambda x, y: [np.abs(x - y)], lambda x, y: [np.sign(x - y)]),
    Judged(
        tn.Huber(0.7),
        (0.0, 1.0),
        lambda x, y: [np.where(abs(x - y) <= 0.7, (x - y) ** 2 / 2, 0.7 * (abs(x - y) - 0.35))],
        lambda x, y: [np.clip(x - y, -0.7, 0.7)],
    ),
    Judged(
        tn.BinaryCrossEntropy(),
        (0.0, 1.0),
        lambda x, y: [softplus(-x if y else x)],
        lambda x, y: [-sigmoid(-x) if y else sigmoid(x)],
    ),
    Judged(
        tn.BinaryCrossEntropy(),
        (0.25,),
        lambda x, y: [y * softplus(-x), (1 - y) * softplus(x)],
        lambda x, y: [-y * sigmoid(-x), (1 - y) * sigmoid(x)],
    ),
    Judged(
        tn.Hinge(),
        (1.0, -1.0),
        lambda x, y: [np.maximum(0, 1 - y * x)],
        lambda x, y: [np.where(y * x < 1, -y, 0.0)],
    ),
    Judged(
        tn.Perceptron(),
        (1.0, -1.0),
        lambda x, y: [np.maximum(0, -y * x)],
        lambda x, y: [np.where(y * x <= 0, -y, 0.0)],
    ),
]


@pytest.mark.parametrize("case", JUDGED, ids=lambda case: f"{case.loss!r} {case.targets}")
def test_a_loss_and_its_slope_have_their_digits_over_all_of_float32(case: Judged) -> None:
    x = everywhere()[::7]
    for y in case.targets:
        with np.errstate(all="ignore"):
            target = np.full((1, 1), y, np.float32)
            pairs = [(value, float(slope[0, 0])) for value, slope in (case.loss(one[None, None], target) for one in x)]
            wide, y32 = x.astype(np.float64), float(np.float32(y))
            value, slope = np.array(pairs).T
            of_value, of_slope = case.value(wide, y32), case.slope(wide, y32)
            fits = np.abs(of_value[0]) < LARGEST  # the others are reported as too large
            off = np.maximum(apart(value, of_value, case.error) * fits, apart(slope, of_slope, case.error) * fits)
        assert not (off > 1).any(), (y, x[off.argmax()], value[off.argmax()], slope[off.argmax()], off.max())


@pytest.mark.parametrize("loss", [tn.MSE(), tn.MAE(), tn.Huber(), tn.Hinge(), tn.Perceptron(), tn.BinaryCrossEntropy()])
def test_a_mean_loss_that_fits_is_told_though_the_sum_overflows(loss: tn.Loss) -> None:
    size = 1e18 if loss == tn.MSE() else 1e38
    out = np.full((1000, 1), -size, np.float32)
    with np.errstate(all="ignore"):
        value, _ = loss(out, np.ones((1000, 1)))
    assert value == pytest.approx(size**2 if loss == tn.MSE() else size, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("rows", [1, 1000])
def test_a_mean_cross_entropy_that_fits_is_told_though_the_sum_overflows(smoothing: float, rows: int) -> None:
    out = np.tile(np.array([[3e38, 1.0, -3.0]], np.float32), (rows, 1))
    with np.errstate(all="ignore"):
        value, slope = tn.CrossEntropy(smoothing)(out, np.ones(rows, np.int64))
    assert value == pytest.approx(3e38 * (1 - smoothing / 3), rel=1e-5)
    assert np.isfinite(slope).all()


@pytest.mark.parametrize("gap", [*np.linspace(-100, 100, 401), 1e4, 1e30, -1e30, 3e38])
@pytest.mark.parametrize("largest", [0.0, 1000.0])
def test_a_cross_entropy_has_its_digits_however_sure_the_net_is(gap: float, largest: float) -> None:
    """Two logits, one of them larger by `gap`; if the loss is large, the slope's error is relative to 1."""
    out = np.array([[largest, largest - gap]], np.float32)
    apart_by = float(out[0, 0]) - float(out[0, 1])
    expected, share = float(softplus(np.array(-apart_by))), float(sigmoid(np.array(-apart_by)))
    value, slope = tn.CrossEntropy()(out, [0])
    assert value == pytest.approx(expected, rel=1e-6 if expected < 0.01 else 3e-5, abs=TINY)
    np.testing.assert_allclose(slope, [[-share, share]], rtol=2e-5, atol=TINY if expected < 0.01 else 1e-7)
    each = tn.CrossEntropy().each(out, np.array([0]))
    assert each[0] == pytest.approx(expected, rel=1e-6)


def test_of_every_loss_the_range_is_told() -> None:
    told = {case.loss.kind for case in JUDGED} | {"cross-entropy", "kohonen"}
    assert told == {kind for kind, loss in LOSSES.items()}


def test_what_follows_the_first_rules_computes_as_it_did() -> None:
    x = np.array([[-30.0], [-9.0]], np.float32)
    assert tn.Network([tn.Sigmoid()], input_shape=(1,), rules=FIRST).predict(x)[0] == 0
    assert tn.Network([tn.Sigmoid()], input_shape=(1,)).predict(x)[0] > 0
    with np.errstate(all="ignore"):
        assert tn.BinaryCrossEntropy().following(FIRST)(x, np.zeros((2, 1)))[1][0] == 0
