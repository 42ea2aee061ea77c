"""Training: the steps of the lesson, written a second time; frozen units; and numbers that run away."""

from __future__ import annotations

from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets import data
from tinynets.nn.layers import layer_from
from tinynets.numerics.arrays import ignore_warnings
from tinynets.training.trainer import leaves_finite

Make = Callable[..., tn.Lab]


@pytest.fixture(scope="module")
def text() -> tn.Dataset:
    return data.load("names", context=3)


def lesson(text: tn.Dataset, optimizer: tn.SGD, **options: Any) -> tn.Lab:
    """A lab of names-mlp in float64."""
    layers = [layer_from(layer) for layer in tn.load_recipe("names-mlp").layers]
    network = tn.Network(layers, seed=3, dtype="float64", input_shape=(3,))
    return tn.Lab(network, data=text, loss=tn.CrossEntropy(), optimizer=optimizer, batch=32, seed=1, **options)


def split(theta: np.ndarray) -> list[np.ndarray]:
    shapes = [(27, 10), (30, 200), (200,), (200, 27), (27,)]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    assert ends[-1] == theta.size
    return [part.reshape(shape).copy() for part, shape in zip(np.split(theta, ends[:-1]), shapes, strict=True)]


def gradients(parameters: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """The MLP of makemore part 3, forward and backward by hand."""
    c, w1, b1, w2, b2 = parameters
    flat = c[x].reshape(len(x), -1)
    h = np.tanh(flat @ w1 + b1)
    logits = h @ w2 + b2
    e = np.exp(logits)
    shares = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(shares[np.arange(len(y)), y]).mean()
    dlogits = shares.copy()
    dlogits[np.arange(len(y)), y] -= 1
    dlogits /= len(y)
    dh = dlogits @ w2.T
    dsum = dh * (1 - h**2)
    dflat = dsum @ w1.T
    dc = np.zeros_like(c)
    np.add.at(dc, x, dflat.reshape(*x.shape, -1))
    return float(loss), [dc, flat.T @ dsum, dsum.sum(axis=0), h.T @ dlogits, dlogits.sum(axis=0)]


@pytest.mark.parametrize(
    "optimizer",
    [
        tn.SGD(0.1),
        tn.SGD(0.1, momentum=0.9),
        tn.SGD(0.1, weight_decay=0.01),
        tn.SGD(0.05, momentum=0.8, weight_decay=0.001),
    ],
    ids=repr,
)
def test_names_mlp_trains_as_the_same_mathematics_written_by_hand(text: tn.Dataset, optimizer: tn.SGD) -> None:
    lab = lesson(text, optimizer, schedule=tn.StepSchedule((30,), 0.1))
    x, y = text["train"]
    parameters = split(lab.state.theta)
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    for step in range(50):
        indices = lab.player.trainer.sampler.indices(step).copy()
        loss, grads = gradients(parameters, x[indices], y[indices])
        lr = optimizer.lr * (1.0 if step < 30 else 0.1)
        for parameter, velocity, grad in zip(parameters, velocities, grads, strict=True):
            velocity[:] = optimizer.momentum * velocity + grad + optimizer.weight_decay * parameter
            parameter -= lr * velocity
        report = lab.step()
        assert report.loss == pytest.approx(loss, rel=1e-9)
        for ours, theirs in zip(split(lab.network.theta), parameters, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def test_the_first_loss_of_names_mlp_is_that_of_a_uniform_guess() -> None:
    for seed in (0, 1):
        lab = tn.Lab("names-mlp", seed=seed)
        assert lab.evaluate("dev").loss == pytest.approx(log(27), abs=0.02)
        assert lab.step().loss == pytest.approx(log(27), abs=0.15)  # over 32 examples


def test_training_learns() -> None:
    lab = tn.Lab("xor")
    lab.run(500)
    assert lab.evaluate("train").loss < 0.1
    assert lab.evaluate("dev").accuracy == pytest.approx(1.0, abs=0.03)


# -- frozen units


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_frozen_units_keep_their_bytes_through_a_thousand_steps_of_sgd_with_momentum_and_decay(
    make_tiny: Make, dtype: str
) -> None:
    lab = make_tiny(dtype=dtype, optimizer=tn.SGD(0.05, momentum=0.9, weight_decay=0.1))
    lab.run(5)  # so that the velocities are not zero
    lab.freeze("hidden[1,4]")
    lab.freeze("output[0]")
    before = lab.state
    lab.run(1000)
    after = lab.state
    network = lab.network
    frozen = {("hidden", 1), ("hidden", 4), ("output", 0)}
    for block in network.blocks:
        for unit in range(block.units):
            places = network.unit_indices(block, [unit])
            same = [
                (a[places] == b[places])
                for a, b in ((before.theta, after.theta), (before.slots["velocity"], after.slots["velocity"]))
            ]
            if (block.name, unit) in frozen:
                assert before.theta[places].tobytes() == after.theta[places].tobytes()
                assert before.slots["velocity"][places].tobytes() == after.slots["velocity"][places].tobytes()
            else:
                assert not same[0].any()
                assert not same[1].any()


def test_frozen_units_of_an_embedding_keep_their_bytes_and_the_others_move(text: tn.Dataset) -> None:
    lab = lesson(text, tn.SGD(0.1, momentum=0.9, weight_decay=0.1))
    lab.freeze("embed[2,7]")
    before: np.ndarray = split(lab.state.theta)[0]
    lab.run(20)
    after = split(lab.state.theta)[0]
    assert before[:, [2, 7]].tobytes() == after[:, [2, 7]].tobytes()
    assert (np.delete(before, [2, 7], axis=1) != np.delete(after, [2, 7], axis=1)).all()


def test_frozen_units_move_again_once_unfrozen(make_tiny: Make) -> None:
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9, weight_decay=0.1))
    lab.freeze("hidden")
    lab.run(20)
    lab.unfreeze("hidden[2]")
    before = lab.state.theta
    lab.run(20)
    moved = lab.state.theta != before
    hidden = lab.network.block("hidden")
    assert moved[lab.network.unit_indices(hidden, [2])].all()
    assert not moved[lab.network.unit_indices(hidden, [0, 1, 3, 4, 5])].any()
    assert lab.frozen == {"hidden": (0, 1, 3, 4, 5)}


def test_the_gradient_of_a_frozen_unit_is_computed_all_the_same(make_tiny: Make) -> None:
    free, frozen = make_tiny(dtype="float64"), make_tiny(dtype="float64")
    frozen.freeze("hidden")
    free.step()
    frozen.step()
    assert free.network.grad.tobytes() == frozen.network.grad.tobytes()
    assert frozen.network.grad.all()


# -- numbers that run away


def first_wrong(lab: tn.Lab) -> tuple[str, float]:
    """The first layer that is not finite on the batch of the next step, and the loss."""
    x, y = lab.player.examples.x, lab.player.examples.y
    indices = lab.player.trainer.sampler.indices(lab.step_number)
    hidden: Any = lab.network["hidden"]
    output: Any = lab.network["output"]
    with ignore_warnings():
        total = x[indices] @ hidden.w + hidden.b
        on = np.maximum(total, 0)
        out = on @ output.w + output.b
        loss = tn.CrossEntropy()(out, y[indices])[0]
    for name, values in (("hidden", total), ("relu1", on), ("output", out)):
        if not np.isfinite(values).all():
            return name, loss
    return "loss", loss


@pytest.mark.parametrize(("dtype", "lr"), [("float32", 1e15), ("float64", 1e120)])
def test_a_relu_net_with_a_huge_rate_stops_with_step_and_block_and_goes_on_from_the_state_before(
    make_tiny: Make, dtype: str, lr: float
) -> None:
    lab = make_tiny(tn.ReLU(), dtype=dtype, optimizer=tn.SGD(lr))
    digests = [lab.state.digest()]
    with pytest.raises(tn.NonFiniteError) as caught:  # noqa: PT012
        for _ in range(100):
            lab.step()
            digests.append(lab.state.digest())
    error = caught.value
    where, loss = first_wrong(lab)
    assert not np.isfinite(loss)
    assert (error.step, error.where) == (lab.step_number + 1, where)
    kept = "the state before that step is kept"
    assert str(error) == f"step {error.step}: the loss became {loss}, first in `{where}`; {kept}"
    assert lab.state.digest() == digests[-1]

    lab.seek(0)
    lab.set("lr", 0.05)
    assert np.isfinite(lab.run(50).loss)
    assert lab.step_number == 50


def test_a_run_that_meets_a_nan_keeps_the_steps_before_it(make_tiny: Make) -> None:
    lab, by_steps = (make_tiny(tn.ReLU(), optimizer=tn.SGD(1e15)) for _ in range(2))
    with pytest.raises(tn.NonFiniteError) as caught:
        lab.run(100)
    assert lab.step_number == caught.value.step - 1 > 0
    by_steps.run(lab.step_number)
    assert lab.state.digest() == by_steps.state.digest()
    lab.undo()
    assert lab.step_number == 0


def test_an_update_that_overflows_is_refused_before_anything_is_written(make_tiny: Make, says: Any) -> None:
    lab = make_tiny(
        tn.ReLU(), dtype="float64", optimizer=tn.SGD(1.7e308, momentum=0.9), data=([[1e4, 1e4]] * 8, [0, 1] * 4)
    )
    before = lab.state.digest()
    message = "step 1: the update became NaN or infinite, first in `update`; the state before that step is kept"
    with says(tn.NonFiniteError, message):
        lab.step()
    assert lab.state.digest() == before


def test_phase_by_phase_a_nan_is_met_in_the_same_words_and_drops_the_step(make_tiny: Make) -> None:
    whole, phases = (make_tiny(tn.ReLU(), optimizer=tn.SGD(1e15)) for _ in range(2))
    with pytest.raises(tn.NonFiniteError) as expected:
        whole.run(100)
    with pytest.raises(tn.NonFiniteError) as met:  # noqa: PT012
        for _ in range(1000):
            phases.phase()
    assert str(met.value) == str(expected.value)
    assert phases.state.digest() == whole.state.digest()
    assert phases.phase().phase == "batch"


def test_a_step_that_would_carry_on_infinity_is_stopped_and_what_was_there_can_be_saved(tmp_path: Path) -> None:
    x = np.full((8, 2), 1e25)
    x[::2] *= -1
    layers = [tn.Linear(2, 3, name="hidden"), tn.BatchNorm(3, name="norm"), tn.Tanh(), tn.Linear(3, 2)]
    lab = tn.Lab(tn.Network(layers), data=(x, np.arange(8) % 2), loss=tn.CrossEntropy(), batch=8)
    before = lab.state.digest()
    with pytest.raises(tn.NonFiniteError, match="first in `norm`; the state before that step is kept"):
        lab.step()
    assert lab.state.digest() == before
    lab.save(tmp_path / "run.msgpack")
    assert tn.Lab(tmp_path / "run.msgpack").state.digest() == before


def test_an_update_whose_numbers_are_finite_does_not_take_parameters_beyond_their_range() -> None:
    theta, delta = np.array([3e38], np.float32), np.array([-3e38], np.float32)
    with ignore_warnings():
        assert not leaves_finite(theta, delta)
        assert leaves_finite(theta, -delta)
        assert leaves_finite(theta, np.array([1e19], np.float32))


def test_data_whose_sums_are_beyond_the_range_of_float32_stop_the_first_step() -> None:
    network = tn.Network([tn.Linear(2, 2, name="hidden", w_init=tn.Uniform(low=2.0, high=3.0))])
    lab = tn.Lab(network, data=(np.full((8, 2), 3e38), np.arange(8) % 2), loss=tn.CrossEntropy(), batch=8)
    with pytest.raises(tn.NonFiniteError, match="step 1: the loss became nan, first in `hidden`"):
        lab.step()


def test_a_loss_beyond_the_range_of_float32_is_stopped_and_not_recorded_as_infinite(tmp_path: Path) -> None:
    x, y = np.ones((8, 2)), np.full((8, 1), 1e25)
    lab = tn.Lab(tn.Network([tn.Linear(2, 1, name="hidden")]), data=(x, y), loss=tn.MSE(), batch=8)
    with pytest.raises(tn.NonFiniteError, match="step 1: the loss became "):
        lab.step()
    weighted = (x, np.full((8, 1), 1e10), np.full(8, 1e30))
    other = tn.Lab(tn.Network([tn.Linear(2, 1, name="hidden")]), data=weighted, loss=tn.MSE(), batch=8)
    with pytest.raises(tn.NonFiniteError, match="step 1: the loss became "):
        other.step()
    assert np.isfinite(other.losses).all()
    other.save(tmp_path / "run.msgpack")
    assert tn.Lab(tmp_path / "run.msgpack").step_number == 0
