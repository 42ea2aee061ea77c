"""Predictions for texts, numbers and examples of the data; and the short names of losses and optimizers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.cli.entry import main
from tinynets.lab.command_line import parse
from tinynets.nn.losses import LOSSES
from tinynets.training.optimizers import NAMED

X = np.random.default_rng(0).normal(size=(30, 2))
CLASS = (X[:, 0] > 0).astype(np.int64)


def lab(loss: Any, y: Any, outputs: int = 2, **options: Any) -> tn.Lab:
    layers = [tn.Linear(2, 5, name="hidden"), tn.Tanh(), tn.Linear(5, outputs)]
    made = tn.Lab(tn.Network(layers, seed=0), data=(X, y), loss=loss, optimizer="adam", **options)
    made.run(20)
    return made


def soft(out: np.ndarray) -> np.ndarray:
    e = np.exp(out.astype(np.float64) - out.max())
    return np.asarray(e / e.sum())


@pytest.mark.parametrize("recipe", [info.name for info in tn.list_recipes()])
def test_an_example_of_every_recipe_can_be_predicted(recipe: str) -> None:
    made = tn.Lab(recipe)
    for split in made.data.splits:
        for index in (0, len(made.data[split][0]) - 1):
            found = made.predict(example=index, split=split)
            out = made.network.predict(made.data[split][0][index : index + 1])
            row = out.reshape(-1, out.shape[-1])[-1]
            assert found.values == tuple(row.astype(float))
            assert len(found.labels) == len(row)
            assert found.text == made.data.describe(split, index)
            assert found.target == made.data.describe_target(split, index)
            if made.recipe.training.loss.classes:
                np.testing.assert_allclose(found.probabilities, soft(row), rtol=1e-12)
            else:
                assert found.probabilities == ()
            assert str(found)


def test_numbers_are_predicted_however_they_are_given() -> None:
    made = lab("cross-entropy", CLASS)
    wanted = made.predict([0.5, -1.0]).probabilities
    for given in ("0.5,-1", "0.5 -1", "[0.5, -1]", (0.5, -1), np.array([0.5, -1]), np.array([[0.5, -1]])):
        assert made.predict(given).probabilities == wanted
    assert parse("predict [0.5,-1]").args == ([0.5, -1],)
    assert parse("predict example=3 split=train").kwargs == {"example": 3, "split": "train"}
    assert parse("predict emma").python() == 'lab.predict("emma")'


def test_a_picture_is_predicted_by_its_numbers_and_by_its_index() -> None:
    made = tn.Lab("digits-cnn")
    x = made.data["dev"][0][3]
    found = made.predict(example=3, split="dev")
    assert made.predict(x).probabilities == found.probabilities
    assert made.predict(" ".join(map(str, x.reshape(-1)))).probabilities == found.probabilities


def test_an_output_of_yes_and_no_has_its_probability_and_a_value_has_none() -> None:
    made = lab("binary-cross-entropy", CLASS, 1)
    (share,) = made.predict([0.5, 0.5]).probabilities
    (value,) = made.predict([0.5, 0.5]).values
    assert share == pytest.approx(1 / (1 + np.exp(-value)))
    assert lab("mse", X[:, :1], 1).predict([0.5, 0.5]).probabilities == ()


def test_a_prediction_stands_under_what_is_done_to_the_net() -> None:
    made = lab("cross-entropy", CLASS)
    before = made.predict(example=0)
    made.zero("hidden")
    assert made.predict(example=0).probabilities != before.probabilities
    made.undo()
    assert made.predict(example=0) == before


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ([], {}),
        ([[1, 2]], {"example": 3}),
        ([], {"example": 30}),
        ([], {"example": -1}),
        ([], {"example": 1.5}),
        ([], {"example": 1, "split": "trian"}),
        ([[1, 2]], {"split": "train"}),
        (["1"], {}),
        (["1,2,3"], {}),
        (["1,x"], {}),
        (["nan,1"], {}),
        (["1e300,1"], {}),
        ([""], {}),
        ([[1]], {}),
        ([np.ma.masked_all(2)], {}),
        ([object()], {}),
    ],
)
def test_what_is_no_example_is_refused(given: list[Any], options: dict[str, Any]) -> None:
    with pytest.raises(tn.EditError):
        lab("cross-entropy", CLASS).predict(*given, **options)


def test_the_command_predicts_examples_numbers_and_texts(capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> Any:
        with pytest.raises(SystemExit) as ended:
            main(["predict", "--json", *arguments])
        assert ended.value.code == 0
        return json.loads(capsys.readouterr().out)

    digits = tn.Lab("digits")
    found = digits.predict(example=7, split="train")
    told = run("digits", "--example", "7", "--split", "train")
    assert tuple(told["probabilities"].values()) == found.probabilities
    assert tuple(told["values"].values()) == found.values
    assert told["target"] == found.target
    assert run("xor", "[-1, 1]")["values"] == run("xor", "--", "-1,1")["values"]
    assert run("names-mlp", "emm")["text"] == "emm"
    assert run("perceptron", "1,2")["probabilities"] == {}


# -- names


def test_every_loss_and_optimizer_can_be_called_as_in_a_recipe() -> None:
    network = tn.Network([tn.Linear(2, 2)], seed=0)
    targets = np.stack([CLASS, 1 - CLASS], axis=1)
    for kind in LOSSES:
        if kind == "kohonen":
            continue
        y = CLASS if LOSSES[kind].classes else targets
        ours, theirs = (tn.Lab(network, data=(X, y), loss=loss, optimizer=tn.SGD()) for loss in (kind, LOSSES[kind]()))
        ours.run(5)
        theirs.run(5)
        assert ours.state.digest() == theirs.state.digest()
    for name in NAMED:
        for optimizer in (name, {"kind": name}, {"kind": name, "lr": 0.02}):
            made = tn.Lab(network, data=(X, targets), loss={"kind": "huber", "delta": 0.5}, optimizer=optimizer)
            made.run(5)
            assert made.recipe.training.loss == tn.Huber(delta=0.5)
    assert tn.grad_check("mse", X, X)


@pytest.mark.parametrize(
    ("loss", "optimizer", "hint"),
    [
        ("msee", "sgd", "did you mean `mse`"),
        ("cross_entropy", "sgd", "did you mean `cross-entropy`"),
        ("CrossEntropy", "sgd", "did you mean `cross-entropy`"),
        ("MSE", "sgd", "did you mean `mse`"),
        ("mse", "adm", "did you mean `adam`"),
        ("mse", "SGD", "did you mean `sgd`"),
        ("mse", {"kind": "sgd", "lrr": 1}, "did you mean `lr`"),
        ({"kind": "huber", "delte": 1}, "sgd", "delte"),
        ({}, "sgd", "not None"),
        ("mse", {}, "not None"),
        ("mse", "", "not ''"),
        ({"kind": []}, "sgd", "not []"),
        ("mse", {"kind": []}, "not []"),
        ({1: 2}, "sgd", ""),
        ("mse", {1: 2}, ""),
        ({"kind": "mse", 1: 2}, "sgd", ""),
        ("mse", {"kind": "sgd", 1: 2}, ""),
    ],
)
def test_a_loss_or_optimizer_that_is_none_says_what_was_meant(loss: Any, optimizer: Any, hint: str) -> None:
    with pytest.raises(tn.RecipeError) as caught:
        tn.Lab(tn.Network([tn.Linear(2, 2)]), data=(X, X), loss=loss, optimizer=optimizer)
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("CrossEntropi", "CrossEntropy"), ("cross_entropy", "CrossEntropy"), ("relu", "ReLU"), ("Relu", "ReLU")),
        *(("Labb", "Lab"), ("Nework", "Network"), ("mse", "MSE"), ("lstm", "LSTM"), ("Batchnorm", "BatchNorm")),
        *(
            ("adam", "Adam"),
            ("grad_chek", "grad_check"),
            ("MaxPool2D", "MaxPool2d"),
            ("TinyNetsError", "TinynetsError"),
        ),
    ],
)
def test_a_misspelt_name_says_what_was_meant(typed: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=f"did you mean `{meant}`"):
        getattr(tn, typed)
    assert hasattr(tn, meant)


def test_a_name_like_nothing_has_no_hint() -> None:
    with pytest.raises(AttributeError, match=r"^tinynets has no `zzzzzz`$"):
        _ = tn.zzzzzz
    assert not hasattr(tn, "__wrapped__")


@pytest.mark.parametrize("given", ["1 nan", "1 inf", "1 2.5", "1 1e99"])
def test_whole_numbers_are_not_made_of_others(given: str) -> None:
    network = tn.Network([tn.Embedding(4, 2), tn.Flatten(), tn.Linear(4, 2)])
    made = tn.Lab(network, data=(np.array([[0, 1], [2, 3]]), [0, 1]), loss=tn.CrossEntropy())
    assert made.predict("1 2").values
    with pytest.raises(tn.EditError, match="whole numbers"):
        made.predict(given)
