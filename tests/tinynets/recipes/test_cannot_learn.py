"""A network that cannot learn as it is built or as its data are split gets a warning; others get none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.cli.entry import main

X = np.random.default_rng(0).normal(size=(40, 2))
CLASS = (X[:, 0] > X[:, 1]).astype(np.int64)
VALUES = X[:, :1] * 0.1


def warnings(last: list[tn.Layer], y: Any, loss: tn.Loss, **options: Any) -> list[str]:
    network = tn.Network([tn.Linear(2, 4, name="hidden"), tn.Tanh(), tn.Linear(4, 2), *last], seed=0)
    return tn.Lab(network, data=(X, y), loss=loss, optimizer=tn.SGD(0.1), **options).warnings


BOTH = np.stack([CLASS, 1 - CLASS], axis=1).astype(float)


def two_ways(*ends: tn.Layer) -> list[tn.Layer]:
    return [tn.Parallel([[tn.Linear(2, 1), end] for end in ends], name="ways")]


CANNOT: list[tuple[list[tn.Layer], Any, tn.Loss, list[str]]] = [
    ([tn.Softmax()], CLASS, tn.CrossEntropy(), ["softmax1", "cross-entropy", "leave `softmax1` out"]),
    (
        [tn.Sigmoid(name="squash")],
        BOTH,
        tn.BinaryCrossEntropy(),
        ["squash", "binary-cross-entropy", "leave `squash` out"],
    ),
    ([tn.Sigmoid()], CLASS, tn.CrossEntropy(), ["sigmoid1", "cross-entropy"]),
    ([tn.Softmax()], BOTH, tn.BinaryCrossEntropy(), ["softmax1", "binary-cross-entropy"]),
    ([tn.Softmax(), tn.Identity()], CLASS, tn.CrossEntropy(), ["softmax1"]),
    ([tn.Tanh()], BOTH * 100, tn.MSE(), ["tanh2", "mse", "100", "Linear"]),
    ([tn.Sigmoid()], BOTH * 100, tn.MAE(), ["sigmoid1", "mae"]),
    ([tn.Sigmoid()], BOTH - 0.5, tn.Huber(), ["sigmoid1", "huber", "-0.5"]),
    ([tn.ReLU()], BOTH - 0.5, tn.MSE(), ["relu1", "mse", "above 0"]),
    ([tn.Softplus()], -BOTH, tn.MSE(), ["softplus1"]),
    ([tn.ELU()], BOTH - 30, tn.MSE(), ["elu1", "above -1"]),
    ([tn.Softmax()], BOTH * 7, tn.MSE(), ["softmax1"]),
    ([tn.Sigmoid()], BOTH, tn.Hinge(), ["sigmoid1", "hinge"]),
    ([tn.ReLU()], BOTH, tn.Perceptron(), ["relu1", "perceptron"]),
    ([tn.ReLU()], BOTH, tn.BinaryCrossEntropy(), ["relu1", "binary-cross-entropy", "below 0", "Linear"]),
    ([tn.Softplus()], BOTH, tn.BinaryCrossEntropy(), ["softplus1", "binary-cross-entropy"]),
    ([tn.LeakyReLU(0.0)], BOTH - 0.5, tn.MSE(), ["leaky_relu1", "above 0"]),
    ([tn.ReLU()], BOTH * [1000, 0] - [0, 1], tn.MSE(), ["relu1", "-1"]),
    (two_ways(tn.Sigmoid(), tn.Sigmoid()), CLASS, tn.CrossEntropy(), ["branch1.sigmoid1` and `ways.branch2.sigmoid1"]),
    (two_ways(tn.Sigmoid(name="a"), tn.Sigmoid(name="b")), BOTH, tn.BinaryCrossEntropy(), ["ways.branch1.a"]),
    (two_ways(tn.Tanh(name="a"), tn.Sigmoid(name="b")), BOTH * 100, tn.MSE(), ["branch1.a", "from -1 to 1"]),
    ([tn.Linear(2, 1)], CLASS * 0, tn.CrossEntropy(), ["linear3", "cross-entropy", "single output"]),
    ([tn.Linear(2, 1), tn.Softmax()], BOTH[:, :1], tn.MSE(), ["softmax1", "single unit", "Sigmoid"]),
    ([tn.Parallel([[tn.Step()], [tn.Step()]]), tn.Linear(4, 2)], CLASS, tn.CrossEntropy(), ["step1", "linear2"]),
    ([*two_ways(tn.Tanh(), tn.Tanh()), tn.Step(name="s"), tn.Linear(2, 2)], CLASS, tn.CrossEntropy(), ["`s`", "ways"]),
    ([tn.Step(), tn.Linear(2, 2)], CLASS, tn.CrossEntropy(), ["step1", "linear2", "Tanh"]),
    ([tn.Step()], BOTH, tn.MSE(), ["step1", "linear2"]),
]


@pytest.mark.parametrize(("last", "y", "loss", "words"), CANNOT)
def test_a_net_that_cannot_learn_is_warned_of(last: list[tn.Layer], y: Any, loss: tn.Loss, words: list[str]) -> None:
    (warning,) = warnings(last, y, loss)
    assert all(word in warning for word in words)


CAN: list[tuple[list[tn.Layer], Any, tn.Loss]] = [
    ([], CLASS, tn.CrossEntropy()),
    ([], BOTH * 100, tn.MSE()),
    ([], -BOTH, tn.Huber()),
    ([tn.Tanh()], 2 * BOTH - 1, tn.MSE()),
    ([tn.Tanh()], 2.08 * BOTH - 1.04, tn.MSE()),
    ([tn.Sigmoid()], BOTH, tn.MSE()),
    ([tn.Softmax()], BOTH, tn.MSE()),
    ([tn.ReLU()], BOTH * 100, tn.MAE()),
    ([tn.Tanh()], BOTH, tn.Hinge()),
    ([tn.LeakyReLU()], -BOTH, tn.MSE()),
    ([tn.Softmax(), tn.Linear(2, 2)], CLASS, tn.CrossEntropy()),
    ([tn.ReLU(), tn.Linear(2, 2)], -BOTH, tn.MSE()),
    (two_ways(tn.Sigmoid(), tn.Identity()), BOTH * [1, 100], tn.MSE()),
    (two_ways(tn.Sigmoid(), tn.Identity()), CLASS, tn.CrossEntropy()),
    ([tn.Tanh()], BOTH, tn.BinaryCrossEntropy()),
    ([tn.Residual([tn.Linear(2, 2), tn.Softmax()])], CLASS, tn.CrossEntropy()),
    ([tn.Parallel([[tn.Step()], [tn.Identity()]]), tn.Linear(4, 2)], CLASS, tn.CrossEntropy()),
    ([tn.Residual([tn.Step()]), tn.Linear(2, 2)], CLASS, tn.CrossEntropy()),
]


@pytest.mark.parametrize(("last", "y", "loss"), CAN)
def test_a_net_that_can_learn_is_not_warned_of(last: list[tn.Layer], y: Any, loss: tn.Loss) -> None:
    assert warnings(last, y, loss) == []


def test_a_step_behind_what_is_not_to_learn_is_no_mistake() -> None:
    layers = [tn.Linear(2, 8, name="drawn"), tn.Step(), tn.Linear(8, 2)]
    lab = tn.Lab(
        tn.Network(layers), data=(X, CLASS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), rates={"drawn": 0.0}
    )
    assert lab.warnings == []


def test_no_recipe_that_ships_is_warned_of() -> None:
    assert {info.name: tn.Lab(info.name).warnings for info in tn.list_recipes()} == {
        info.name: [] for info in tn.list_recipes()
    }


# -- splits


def of_splits(data: dict[str, Any], loss: tn.Loss | None = None, outputs: int = 3) -> list[str]:
    network = tn.Network([tn.Linear(2, outputs)], seed=0)
    return tn.Lab(network, data=data, loss=loss or tn.CrossEntropy(), optimizer=tn.SGD(0.1)).warnings


SORTED = np.repeat([0, 1, 2], 20)
POINTS = np.random.default_rng(1).normal(size=(60, 2))


def cut(y: Any, at: int) -> dict[str, Any]:
    return {"train": (POINTS[:at], y[:at]), "dev": (POINTS[at:], y[at:])}


@pytest.mark.parametrize("at", [20, 30, 40, 48, 54])
def test_a_file_sorted_by_class_and_split_in_order_is_warned_of(at: int) -> None:
    two = (SORTED > 0).astype(float)[:, None]
    one_hot = np.eye(3)[SORTED]
    for found in (of_splits(cut(SORTED, at)), of_splits(cut(one_hot, at), tn.MSE())):
        assert len(found) == 1
        assert "`dev`" in found[0]
        assert "shuffle" in found[0]
    assert len(of_splits(cut(two, at), tn.BinaryCrossEntropy(), 1)) == 1
    assert len(of_splits(cut(2 * two - 1, at), tn.Hinge(), 1)) == 1


def test_shuffled_data_and_values_are_not_warned_of() -> None:
    mixed = np.random.default_rng(2).permutation(SORTED)
    assert of_splits(cut(mixed, 48)) == []
    assert of_splits(cut(np.sort(POINTS[:, :1], axis=0), 48), tn.MSE(), 1) == []
    assert of_splits({"train": (POINTS, SORTED), "dev": (POINTS, SORTED)}) == []


def test_the_command_line_tells_the_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "soft.toml"
    recipe.write_text(
        'name = "soft"\n[data]\nset = "xor"\n[[layers]]\nkind = "linear"\ninputs = 2\noutputs = 2\n'
        '[[layers]]\nkind = "softmax"\n[training]\nloss = "cross-entropy"\noptimizer = { kind = "sgd", lr = 0.1 }\n'
    )
    for arguments in (["train", str(recipe), "--steps", "2"], ["info", str(recipe)]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        said = capsys.readouterr().err
        assert "softmax1" in said
        assert "cross-entropy" in said
