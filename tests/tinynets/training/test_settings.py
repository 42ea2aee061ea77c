"""What shapes a training step, computed by hand; and settings changed in mid-run, undone and replayed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.history.verify import replay
from tinynets.lab.command_line import parse
from tinynets.training.settings import BY_KIND, CLIPPING, PER_BLOCK

Make = Callable[..., tn.Lab]
OF_SGD = [key for key in tn.SGD().config() if key != "kind"]
SETTABLE = ", ".join((*OF_SGD, *BY_KIND, *CLIPPING, *(f"BLOCK.{name}" for name in PER_BLOCK)))


def gradient(lab: tn.Lab, step: int = 0) -> np.ndarray:
    """The plain gradient of a step's batch, computed by an independent network."""
    player = lab.player
    network = tn.Network(lab.network.parts, dtype="float64", theta=lab.state.theta.astype(np.float64))
    indices = player.trainer.sampler.indices(step)
    out = network.forward(player.examples.x[indices])
    network.backward(tn.CrossEntropy()(out, player.examples.y[indices])[1])
    return network.grad.copy()


def places(lab: tn.Lab, block: str, units: Any = None) -> np.ndarray:
    entry = lab.network.block(block)
    return lab.network.unit_indices(entry, range(entry.units) if units is None else units)


def test_rates_multiply_the_step_of_their_block(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64", rates={"hidden": 0.25}, optimizer=tn.SGD(0.1, weight_decay=0.5))
    before, grad = lab.state.theta, gradient(lab)
    expected = 0.1 * (grad + 0.5 * before)
    expected[places(lab, "hidden")] *= 0.25
    lab.step()
    np.testing.assert_allclose(before - lab.state.theta, expected, rtol=1e-12, atol=1e-15)


def test_penalties_add_to_the_gradient_of_their_block_alone(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64", l1={"output": 0.3}, l2={"hidden": 0.2, "output": 0.1})
    before, grad = lab.state.theta, gradient(lab)
    hidden, output = places(lab, "hidden"), places(lab, "output")
    grad[hidden] += 0.2 * before[hidden]
    grad[output] += 0.1 * before[output] + 0.3 * np.sign(before[output])
    lab.step()
    np.testing.assert_allclose(before - lab.state.theta, 0.1 * grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_by_norm_shortens_the_gradient_with_frozen_units_counted_as_zero(make_tiny: Make, dtype: str) -> None:
    lab = make_tiny(dtype=dtype, clip_norm=0.01)
    lab.freeze("hidden[1,2]")
    before, grad = lab.state.theta, gradient(lab)
    grad[places(lab, "hidden", [1, 2])] = 0
    lab.step()
    expected = 0.1 * grad * 0.01 / np.linalg.norm(grad)
    np.testing.assert_allclose(
        before - lab.state.theta, expected, rtol=1e-9 if dtype == "float64" else 1e-3, atol=1e-7 * (dtype == "float32")
    )


def test_clipping_by_norm_leaves_a_short_gradient_alone(make_tiny: Make) -> None:
    clipped, plain = make_tiny(clip_norm=1e6), make_tiny()
    clipped.run(5)
    plain.run(5)
    assert clipped.state.theta.tobytes() == plain.state.theta.tobytes()


def test_clipping_by_value_holds_each_gradient_before_the_norm_is_taken(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64", clip_value=0.02, clip_norm=0.05)
    before = lab.state.theta
    grad = np.clip(gradient(lab), -0.02, 0.02)
    assert np.linalg.norm(grad) > 0.05
    lab.step()
    np.testing.assert_allclose(
        before - lab.state.theta, 0.1 * grad * 0.05 / np.linalg.norm(grad), rtol=1e-9, atol=1e-15
    )


# -- while training


SETS: list[tuple[str, Any, dict[str, Any]]] = [
    ("optimizer", "adam", {"lr": 0.01}),
    ("beta1", 0.8, {}),
    ("schedule", "cosine", {"steps": 100, "warmup": 5}),
    ("clip_norm", 0.5, {}),
    ("hidden.rate", 0.1, {}),
    ("optimizer", "nesterov", {}),
    ("schedule", "step", {"at": [3, 60], "factor": 0.5}),
    ("hidden.l2", 0.01, {}),
    ("output.l1", 0.01, {}),
    ("clip_value", 0.2, {}),
    ("nesterov", False, {}),
    ("optimizer", "rmsprop", {"lr": 0.01, "momentum": 0.5}),
    ("optimizer", "adamw", {"weight_decay": 0.1}),
    ("optimizer", "momentum", {"lr": 0.05}),
    ("hidden.rate", 1.0, {}),
    ("optimizer", "sgd", {}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_setting_changes_on_the_way_and_is_undone_saved_and_replayed_exactly(
    make_tiny: Make, tmp_path: Path, dtype: str
) -> None:
    lab = make_tiny(dtype=dtype)
    for name, value, arguments in SETS:
        lab.run(4)
        before = lab.state.digest()
        lab.set(name, value, **arguments)
        after = lab.state.digest()
        assert after != before
        lab.undo()
        assert lab.state.digest() == before
        lab.redo()
        assert lab.state.digest() == after
    lab.run(4)
    path = str(tmp_path / "x.msgpack")
    lab.save(path)
    again = tn.Lab(path)
    assert again.state.digest() == lab.state.digest()
    assert [entry.python for entry in again.log] == [entry.python for entry in lab.log]
    assert replay(again.player).equal


def test_a_new_optimizer_keeps_the_rate_and_starts_from_zero(make_tiny: Make) -> None:
    lab = make_tiny(optimizer=tn.SGD(0.07, momentum=0.9))
    lab.run(3)
    assert lab.set("optimizer", "adam").python == 'lab.set("optimizer", "adam", lr=0.07)'
    state = lab.state
    assert state.hyper.optimizer == tn.Adam(0.07)
    assert state.hyper.since == 3
    assert sorted(state.slots) == ["mean", "square"]
    assert not any(slot.any() for slot in state.slots.values())


def test_adam_set_on_the_way_steps_as_one_that_starts_there(make_tiny: Make) -> None:
    lab = make_tiny(dtype="float64")
    lab.run(7)
    lab.set("optimizer", "adam", lr=0.01)
    before, grad = lab.state.theta, gradient(lab, 7)
    lab.step()
    np.testing.assert_allclose(before - lab.state.theta, 0.01 * grad / (np.abs(grad) + 1e-8), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize("optimizer", [tn.Adam(0.01, weight_decay=0.1), tn.AdamW(0.01), tn.RMSprop(0.01, momentum=0.5)])
def test_frozen_units_keep_their_bytes_and_slots_under_every_optimizer(make_tiny: Make, optimizer: Any) -> None:
    lab = make_tiny(optimizer=optimizer, l2={"hidden": 0.1}, clip_norm=0.5)
    lab.run(5)
    lab.freeze("hidden[1,4]")
    before, frozen = lab.state, places(lab, "hidden", [1, 4])
    lab.run(200)
    after = lab.state
    assert before.theta[frozen].tobytes() == after.theta[frozen].tobytes()
    for name, slot in after.slots.items():
        assert before.slots[name][frozen].tobytes() == slot[frozen].tobytes()
    assert (before.theta != after.theta).sum() == before.theta.size - len(frozen)


def test_a_square_that_overflows_stops_the_step_before_anything_is_written(make_tiny: Make) -> None:
    lab = make_tiny(tn.ReLU(), optimizer=tn.Adam(0.01), data=([[1e25, 1e25]] * 8, [0, 1] * 4))
    before = lab.state.digest()
    with pytest.raises(tn.NonFiniteError):
        lab.step()
    assert lab.state.digest() == before


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("set optimizer adam lr=0.001", 'lab.set("optimizer", "adam", lr=0.001)'),
        ("optimizer adamw", 'lab.set("optimizer", "adamw")'),
        ("schedule step at=100,200 factor=0.1", 'lab.set("schedule", "step", at=[100, 200], factor=0.1)'),
        ("clip_norm 1", 'lab.set("clip_norm", 1.0)'),
        ("set hidden.rate 0.1", 'lab.set("hidden.rate", 0.1)'),
        ("set nesterov true", 'lab.set("nesterov", True)'),
        ("lr 0.1", 'lab.set("lr", 0.1)'),
    ],
)
def test_each_has_its_command(line: str, python: str) -> None:
    assert parse(line).python() == python


@pytest.mark.parametrize(
    ("name", "value", "arguments", "kind", "message"),
    [
        (
            "optimizer",
            "adm",
            {},
            tn.EditError,
            "an optimizer is one of sgd, momentum, nesterov, rmsprop, adam, adamw, not 'adm'; did you mean `adam`?",
        ),
        (
            "optimizer",
            "sgd",
            {"beta1": 1},
            tn.EditError,
            "`sgd` has no setting `beta1`, only lr, momentum, weight_decay, nesterov",
        ),
        ("schedule", "cosine", {}, tn.EditError, "`cosine` schedule: `steps` is missing"),
        (
            "schedule",
            "linear",
            {"steps": 0},
            tn.EditError,
            "`linear` schedule: `steps` must be a whole number of at least 1, not 0",
        ),
        (
            "hidden.rat",
            1,
            {},
            tn.EditError,
            "`hidden.rat`: of a block rate, l1, l2 can be set, not `rat`; did you mean `rate`?",
        ),
        (
            "hiden.rate",
            1,
            {},
            tn.SelectorError,
            "`hiden` is not a block of this network, which has hidden, output; did you mean `hidden`?",
        ),
        ("lr", -1, {}, tn.EditError, "`sgd`: `lr` must be a finite number above or at 0, not -1"),
        ("hidden.rate", -1, {}, tn.EditError, "`hidden.rate`: `rates` must be a finite number above or at 0, not -1"),
        ("lr", 1, {"value2": 1, "x": 2}, tn.EditError, "`set`: `lr` takes a value and nothing else, not 'value2', 'x'"),
        (1.5, 1, {}, tn.EditError, f"`1.5` is not a setting; there are {SETTABLE}"),
        ("rates", 1, {}, tn.EditError, f"`rates` is not a setting; there are {SETTABLE}"),
        ("beta1", 0.5, {}, tn.EditError, f"`beta1` is not a setting; there are {SETTABLE}"),
        ("clip_norm", "a", {}, tn.EditError, "`set`: `clip_norm` must be a finite number above or at 0, not 'a'"),
        ("lr", 1, {"x": 1}, tn.EditError, "`set`: `lr` takes a value and nothing else, not 'x'"),
        ("nesterov", 1, {}, tn.EditError, "`sgd`: `nesterov` must be true or false, not 1"),
    ],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(
    make_tiny: Make, says: Any, name: str, value: Any, arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    lab = make_tiny()
    before = lab.state.digest()
    with says(kind, message):
        lab.set(name, value, **arguments)
    assert lab.state.digest() == before
    assert not lab.log


# -- in recipes

TOML = """
name = "shaped"
[data]
set = "xor"
[[layers]]
kind = "linear"
name = "hidden"
inputs = 2
outputs = 4
[[layers]]
kind = "tanh"
[[layers]]
kind = "linear"
name = "output"
inputs = 4
outputs = 2
[training]
loss = { kind = "cross-entropy", label_smoothing = 0.1 }
clip_norm = 1.5
clip_value = 0.5
[training.optimizer]
kind = "adam"
beta1 = 0.8
[training.schedule]
kind = "cosine"
steps = 100
warmup = 10
[training.rates]
hidden = 0.5
[training.l1]
output = 0.01
[training.l2]
hidden = 0.02
"""


def test_a_recipe_says_all_of_it_and_a_save_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "shaped.toml"
    path.write_text(TOML)
    lab = tn.Lab(path)
    hyper = lab.state.hyper
    assert lab.recipe.training.loss == tn.CrossEntropy(label_smoothing=0.1)
    assert hyper.optimizer == tn.Adam(beta1=0.8)
    assert hyper.schedule == tn.CosineSchedule(100, warmup=10)
    assert (hyper.clip_norm, hyper.clip_value) == (1.5, 0.5)
    assert (hyper.rates, hyper.l1, hyper.l2) == ({"hidden": 0.5}, {"output": 0.01}, {"hidden": 0.02})
    lab.run(20)
    lab.save(str(tmp_path / "x.msgpack"))
    again = tn.Lab(str(tmp_path / "x.msgpack"))
    assert again.recipe.config() == lab.recipe.config()
    assert again.state.digest() == lab.state.digest()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "hidden = 0.5",
            "hiden = 0.5",
            "`hiden` is not a block of this network, which has hidden, output; did you mean `hidden`?",
        ),
        (
            "hidden = 0.5",
            "hidden = -1",
            "`training.rates.hidden`: `training`: `rates` must be a finite number above or at 0, not -1",
        ),
        ("clip_norm = 1.5", 'clip_norm = "a"', "`training.clip_norm` must be a number, not 'a'"),
        ("steps = 100", "", "`training.schedule.steps` is missing"),
        (
            "warmup = 10",
            "warmup = -1",
            "`training.schedule`: `cosine` schedule: `warmup` must be a whole number of at least 0, not -1",
        ),
        ("beta1 = 0.8", "beta3 = 0.8", "unknown key `training.optimizer.beta3`; did you mean `beta2`?"),
        (
            "label_smoothing = 0.1",
            "label_smoothing = 1",
            "`training.loss`: `cross-entropy`: `label_smoothing` must be a number from 0 up to, but not, 1, not 1",
        ),
    ],
)
def test_what_a_recipe_says_wrongly_is_named(tmp_path: Path, says: Any, old: str, new: str, message: str) -> None:
    assert old in TOML
    path = tmp_path / "shaped.toml"
    path.write_text(TOML.replace(old, new))
    with says(tn.RecipeError, f"`{path}`: {message}"):
        tn.Lab(path)
