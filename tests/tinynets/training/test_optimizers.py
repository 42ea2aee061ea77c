"""Optimizers: SGD as in PyTorch, and settings refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.history.verify import replay
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import NAMED, OPTIMIZERS, Scratch, named_optimizer, optimizer_from

rates = st.floats(0, 1)


@settings(max_examples=30)
@given(rates, st.floats(0, 0.99), rates, st.integers(0, 99))
def test_sgd_is_the_recurrence_of_sutskever(lr: float, momentum: float, decay: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    optimizer = tn.SGD(lr, momentum=momentum, weight_decay=decay)
    theta = random.normal(size=5)
    expected, v = theta.copy(), np.zeros(5)
    slots = {name: np.zeros(5) for name in optimizer.slot_names()}
    scratch = Scratch(5, theta.dtype)
    for _ in range(4):
        grad = random.normal(size=5)
        proposed = optimizer.propose(theta, grad, slots, lr, 1, scratch)
        slots = {name: slot.copy() for name, slot in proposed.items()}
        theta -= scratch.delta
        v = momentum * v + grad + decay * expected
        expected = expected - lr * v
    np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-15)


def test_a_proposal_writes_neither_theta_nor_gradient_nor_slots() -> None:
    optimizer = tn.SGD(0.1, momentum=0.9, weight_decay=0.1)
    arrays = [np.arange(3.0), np.ones(3), np.full(3, 2.0)]
    before = [array.copy() for array in arrays]
    optimizer.propose(arrays[0], arrays[1], {"velocity": arrays[2]}, 0.1, 1, Scratch(3, arrays[0].dtype))
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))


@pytest.mark.parametrize("name", NAMED)
def test_every_optimizer_proposes_without_writing_and_comes_back_from_its_description(name: str) -> None:
    optimizer = named_optimizer(name, {"weight_decay": 0.1})
    theta, grad = np.arange(4.0), np.ones(4)
    slots = {slot: np.full(4, 0.5) for slot in optimizer.slot_names()}
    before = [array.copy() for array in (theta, grad, *slots.values())]
    optimizer.propose(theta, grad, slots, 0.1, 3, Scratch(4, theta.dtype))
    assert all(np.array_equal(a, b) for a, b in zip((theta, grad, *slots.values()), before, strict=True))
    assert optimizer_from(optimizer.config()) == optimizer
    assert optimizer.kind in OPTIMIZERS


def test_only_momentum_needs_a_slot() -> None:
    assert tn.SGD(0.1, weight_decay=0.1).slot_names() == ()
    assert tn.SGD(0.1, momentum=0.5).slot_names() == ("velocity",)


@given(rates, st.floats(0, 0.99), rates)
@settings(max_examples=10)
def test_a_description_makes_the_same_optimizer_again(lr: float, momentum: float, decay: float) -> None:
    optimizer = tn.SGD(lr, momentum=momentum, weight_decay=decay)
    assert optimizer_from(optimizer.config()) == optimizer


LR = "`sgd`: `lr` must be a finite number above or at 0, not "
MOMENTUM = "`sgd`: `momentum` must be a number from 0 up to, but not, 1, not "


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"lr": -0.1}, LR + "-0.1"),
        ({"lr": float("nan")}, LR + "nan"),
        ({"lr": float("inf")}, LR + "inf"),
        ({"lr": True}, LR + "True"),
        ({"lr": "0.1"}, LR + "'0.1'"),
        ({"lr": None}, LR + "None"),
        ({"lr": 10**400}, LR + str(10**400)),
        ({"momentum": 1.0}, MOMENTUM + "1.0"),
        ({"momentum": -0.5}, MOMENTUM + "-0.5"),
        ({"weight_decay": -1}, "`sgd`: `weight_decay` must be a finite number above or at 0, not -1"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_impossible_settings_are_refused(says: Callable[..., Any], settings_: dict[str, Any], message: str) -> None:
    with says(tn.ShapeError, message):
        tn.SGD(**settings_)


def test_an_unknown_optimizer_is_refused(says: Callable[..., Any]) -> None:
    known = "sgd, momentum, nesterov, rmsprop, adam, adamw"
    with says(tn.ShapeError, f"an optimizer is one of {known}, not 'sgdd'; did you mean `sgd`?"):
        optimizer_from({"kind": "sgdd"})


def test_numbers_of_numpy_train_and_replay_as_plain_ones(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    digests = set()
    for number in (float, np.float64, np.float32):
        lr, share = number(0.125), number(0.5)
        lab = make_tiny(
            loss=tn.CrossEntropy(label_smoothing=share),
            optimizer=tn.SGD(lr, momentum=share, weight_decay=lr),
            schedule=tn.LinearSchedule(np.int64(20), share),
            clip_norm=share,
            rates={"hidden": share},
            l2={"hidden": lr},
        )
        lab.run(10)
        lab.save(tmp_path / "numbers.msgpack")
        opened = tn.Lab(tmp_path / "numbers.msgpack")
        assert replay(opened.player).equal
        digests |= {lab.state.digest(), opened.state.digest()}
    assert len(digests) == 1


@pytest.mark.parametrize(
    "made",
    [
        tn.AdamW(np.float32(0.5), beta1=np.float64(0.5)),
        tn.RMSprop(1),
        tn.SGD(0.1, momentum=0.9, nesterov=np.bool_(True)),
        tn.StepSchedule((np.int64(5), 9), np.float32(0.5), warmup=np.int32(2)),
        tn.ExponentialSchedule(np.int64(5), np.float64(0.5)),
        tn.Kohonen((np.int64(2), 2), np.float32(2), np.float64(0.5), np.int64(5)),
        tn.Huber(np.float32(0.5)),
        tn.CrossEntropy(np.float64(0.5)),
        tn.Uniform(low=np.float64(-1), high=np.float32(1), scale=np.int64(2)),
        tn.Kaiming(gain=np.float32(2)),
        Hyper(tn.SGD(1), clip_value=1, rates={"hidden": np.float32(1)}, l1={"hidden": 1}, seed=np.int64(3)),
    ],
    ids=lambda made: type(made).__name__,
)
def test_settings_of_every_kind_keep_their_numbers_as_pythons_own(made: Any) -> None:
    def numbers(value: Any) -> list[Any]:
        if isinstance(value, dict | list | tuple):
            return [part for entry in (value.values() if isinstance(value, dict) else value) for part in numbers(entry)]
        return [value]

    kinds = {type(value) for value in numbers([getattr(made, field.name) for field in fields(made)])}
    assert not [kind for kind in kinds if issubclass(kind, np.generic)]
    floats = [field.name for field in fields(made) if isinstance(field.default, float)]
    assert {type(getattr(made, name)) for name in floats} <= {float}
