"""The Lab: made from a recipe or from Python, inspected and asked; what does not fit is refused with a reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.training.sampler import SAMPLINGS

Make = Callable[..., tn.Lab]


def net(dtype: str = "float32") -> tn.Network:
    return tn.Network([tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 2, name="output")], dtype=dtype)


RECIPES = [recipe.name for recipe in tn.list_recipes()]
KNOWN = ", ".join(RECIPES)
NOT_DATA = "`data` must be (x, y), (x, y, weight) or x alone, or a dict of splits: name -> such, or an .npz file, not "
NO_BLOCK = "`hiden` is not a block of this network, which has hidden, output; did you mean `hidden`?"
X = np.linspace(-1, 1, 24).reshape(12, 2)
Y = np.arange(12) % 2


def made(**options: Any) -> tn.Lab:
    network = options.pop("network", None) or net()
    return tn.Lab(network, **({"data": (X, Y), "loss": tn.CrossEntropy(), "batch": 4} | options))


def test_the_recipes_that_ship_are_the_files_of_their_folder_that_of_the_lesson_first() -> None:
    files = (entry.name for entry in resources.files("tinynets").joinpath("recipes").iterdir())
    names = sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml"))
    assert ["names-mlp", *(name for name in names if name != "names-mlp")] == RECIPES
    assert {"names-mlp", "spiral", "xor"} < set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_that_ships_opens_and_trains(name: str) -> None:
    lab = tn.Lab(name)
    assert lab.run(3).step == 3
    assert lab.recipe.name == name


def test_the_seed_addresses_initial_values_and_batches() -> None:
    first, again, other = (tn.Lab("xor", seed=seed) for seed in (7, 7, 8))
    assert first.state.digest() == again.state.digest()
    assert not np.array_equal(first.network.theta, other.network.theta)
    for lab in (first, again):
        lab.run(5)
    assert first.state.digest() == again.state.digest()


def test_a_lab_of_a_network_works_on_a_copy() -> None:
    network = net()
    before = network.theta.copy()
    lab = made(network=network)
    lab.run(5)
    assert np.array_equal(network.theta, before)
    assert not np.array_equal(lab.network.theta, before)


def test_a_report_tells_step_and_loss() -> None:
    lab = made()
    report = lab.step()
    assert (report.step, report.steps) == (1, 1)
    assert report.loss == lab.loss == lab.losses[0]
    assert str(report) == f"step 1: loss {report.loss:.4f}"
    assert lab.run(10).step == 11
    assert str(lab.run(10)).startswith(f"step 21: loss {lab.loss:.4f}, ")


@pytest.mark.parametrize("edit", ["freeze", "reinit"])
def test_an_edit_of_learning_or_parameters_in_mid_step_says_that_the_step_was_finished_first(edit: str) -> None:
    lab = made()
    lab.step(11)
    lab.phase()
    report = getattr(lab, edit)("hidden[3]")
    assert (report.finished, report.step) == (12, 12)
    assert str(report).startswith("step 12 was finished first; hidden[3] ")
    report = getattr(lab, edit)("hidden[2]")
    assert report.finished is None
    assert str(report).startswith("hidden[2] ")


def test_evaluations_are_recorded_on_the_way_where_the_recipe_wants_them() -> None:
    lab = tn.Lab("xor")
    lab.run(250)
    assert [(entry.split, entry.step) for entry in lab.evaluations if entry.step >= 100] == [("dev", 100), ("dev", 200)]
    recorded = lab.evaluations
    lab.seek(0)
    lab.run(250)
    assert lab.evaluations == recorded
    lab.seek(100)
    assert lab.evaluate("dev") in recorded
    assert lab.evaluations == recorded


def test_an_evaluation_is_a_number_and_a_line() -> None:
    lab = made()
    evaluation = lab.evaluate("train")
    assert float(evaluation) == evaluation.loss
    out = lab.network.predict(X)
    assert evaluation.accuracy == (out.argmax(axis=1) == Y).mean()
    assert evaluation.loss == pytest.approx(tn.CrossEntropy()(out, Y)[0], rel=1e-6)
    assert str(evaluation) == (
        f"train loss {evaluation.loss:.4f}, accuracy {evaluation.accuracy:.1%} (12 examples, step 0)"
    )


def test_a_loss_without_classes_has_no_accuracy() -> None:
    network = tn.Network([tn.Linear(2, 1)])
    lab = tn.Lab(network, data=(X, X[:, 0]), loss=tn.MSE(), batch=4)
    assert lab.evaluate("train").accuracy is None
    lab.run(200)
    assert lab.evaluate("train").loss < 0.01


def test_splits_may_be_named() -> None:
    lab = made(data={"train": (X[:8], Y[:8]), "mine": (X[8:], Y[8:])})
    assert lab.evaluate("mine").examples == 4


def test_unsaved_tells_whether_anything_was_recorded_since_the_last_save(tmp_path: Path) -> None:
    lab = made()
    assert not lab.unsaved
    lab.step()
    assert lab.unsaved
    lab.save(tmp_path / "a.msgpack")
    assert not lab.unsaved
    lab.seek(0)
    assert not lab.unsaved
    lab.zero("hidden[1]")
    assert lab.unsaved


# -- generated text


def test_samples_are_the_same_when_asked_again_at_the_same_moment(names: tn.Lab) -> None:
    first = names.sample(5, prefix="bro")
    names.predict("emma")
    assert names.sample(5, prefix="bro") == first
    assert all(text.startswith("bro") for text in first)
    assert names.sample(5, prefix="bro", seed=99) != first
    assert names.sample(3, prefix="bro") == names.sample(3, prefix="bro")


def test_at_temperature_zero_every_sample_is_the_likeliest(names: tn.Lab) -> None:
    texts = names.sample(4, temperature=0, prefix="an")
    assert len(set(texts)) == 1
    text, out = "an", "an"
    while len(out) < len(texts[0]):
        prediction = names.predict(text)
        out += prediction.labels[int(np.argmax(prediction.probabilities))]
        text = out
    assert out == texts[0]


def test_a_prediction_is_a_distribution_over_what_comes_next(names: tn.Lab) -> None:
    prediction = names.predict("emma")
    assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-12)
    assert prediction.labels == tuple(".abcdefghijklmnopqrstuvwxyz")
    assert str(prediction).startswith("'emma' -> ")


# -- refusals


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"data": None}, tn.RecipeError, "a Lab of a Network needs `data`"),
        ({"loss": None}, tn.RecipeError, "a Lab of a Network needs `loss`"),
        (
            {"loss": "msee"},
            tn.RecipeError,
            "a loss is one of cross-entropy, binary-cross-entropy, mse, mae, huber, hinge, perceptron, kohonen, "
            "not 'msee'; did you mean `mse`?",
        ),
        (
            {"loss": tn.MSE},
            tn.RecipeError,
            f"`loss` must be a loss such as tn.CrossEntropy() or 'mse', or a function, not {tn.MSE!r}",
        ),
        ({"optimizer": 0.1}, tn.RecipeError, "`optimizer` must be an optimizer such as tn.SGD(0.1) or 'sgd', not 0.1"),
        (
            {"schedule": 0.1},
            tn.RecipeError,
            "`schedule` must be a schedule such as tn.StepSchedule((100,), 0.1), not 0.1",
        ),
        ({"batch": 0}, tn.EditError, "`batch` must be a whole number from 1 to 1048576, not 0"),
        ({"batch": 2.0}, tn.EditError, "`batch` must be a whole number from 1 to 1048576, not 2.0"),
        ({"probe": 0}, tn.EditError, "`probe` must be a whole number from 1 to 4096, not 0"),
        ({"seed": -1}, tn.EditError, f"`seed` must be a whole number from 0 to {2**63 - 1}, not -1"),
        ({"seed": "1"}, tn.EditError, f"`seed` must be a whole number from 0 to {2**63 - 1}, not '1'"),
        (
            {"sampling": "epochs"},
            tn.RecipeError,
            f"`sampling` must be one of {', '.join(SAMPLINGS)}, not 'epochs'; did you mean `epoch`?",
        ),
        ({"data": 5}, tn.ShapeError, NOT_DATA + "int"),
        ({"data": {"train": "text"}}, tn.ShapeError, NOT_DATA + "str"),
        ({"data": (X,)}, tn.ShapeError, NOT_DATA + "tuple"),
        ({"data": X}, tn.ShapeError, "cross-entropy needs targets, and the data has none"),
        ({"data": {"train": X}}, tn.ShapeError, "cross-entropy needs targets, and the data has none"),
        ({"data": {"dev": (X, Y)}}, tn.ShapeError, "the data needs a split `train`; it has dev"),
        ({"data": (X, Y[:5])}, tn.ShapeError, "`train`: x has 12 rows, y has 5; they must be equal"),
        (
            {"data": (X[:, :1], Y)},
            tn.ShapeError,
            "`hidden` Linear(2, 6) takes (..., 2), not (?, 1), which the input has",
        ),
        (
            {"data": (X, Y + 1)},
            tn.DataError,
            "cross-entropy: the outputs have classes 0 to 1; a target is 2",
        ),
        (
            {"data": {"train": (X, Y), "dev": (X, Y + 1)}},
            tn.DataError,
            "`dev`: cross-entropy: the outputs have classes 0 to 1; a target is 2",
        ),
        ({"rates": {"hiden": 2}}, tn.SelectorError, NO_BLOCK),
        ({"data": (X, Y - 1)}, tn.DataError, "`train`: y has class -1 in row 0; classes are 0 to 0"),
        ({"data": (X, Y / 2)}, tn.ShapeError, "cross-entropy takes whole numbers as targets, not float64"),
        ({"data": (X.astype(str), Y)}, tn.DataError, "`train x` must hold whole numbers or floats, got dtype <U32"),
        ({"data": (X * np.nan, Y)}, tn.DataError, "`train x` has nan in row 0, column 0; every value must be finite"),
        ({"data": (X[:0], Y[:0])}, tn.DataError, "`train x` is empty: its shape is (0, 2)"),
        (
            {"loss": tn.MSE()},
            tn.ShapeError,
            "mse: targets are (12, 1), outputs (12, 2): they must be alike",
        ),
        (
            {"loss": tn.MSE(), "data": (X, ["a"] * 12)},
            tn.DataError,
            "`train y` must hold whole numbers or floats, got dtype <U1",
        ),
    ],
)
def test_what_a_lab_cannot_be_made_of_is_refused(
    says: Callable[..., Any], options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with says(kind, message):
        made(**options)


def test_ragged_targets_are_refused_as_data(says: Callable[..., Any]) -> None:
    with says(tn.DataError, "`train y` is not one array: its rows differ in shape"):
        made(loss=tn.MSE(), data=(X, [[1.0], [2.0, 3.0]]))


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        (5, tn.RecipeError, "a Lab is made of a recipe, a save or a Network, not int"),
        (None, tn.RecipeError, "a Lab is made of a recipe, a save or a Network, not NoneType"),
        ("xro", tn.RecipeError, f"`xro` is not a recipe; there are {KNOWN}; did you mean `xor`?"),
        ("nowhere/x.toml", tn.RecipeError, "`nowhere/x.toml`: there is no such file"),
        ("nowhere/x.msgpack", tn.SaveError, "`nowhere/x.msgpack` does not exist"),
        ("a" * 1500, tn.RecipeError, f"`{'a' * 1500}` is not a recipe; there are {KNOWN}"),
        ("a\0b", tn.RecipeError, f"`a\\x00b` is not a recipe; there are {KNOWN}"),
        ("a\0b.toml", tn.RecipeError, "`'a\\x00b.toml'` cannot be read: its name has a null character"),
        ("", tn.RecipeError, f"`` is not a recipe; there are {KNOWN}"),
    ],
)
def test_a_source_that_is_none_is_refused(
    says: Callable[..., Any], source: Any, kind: type[Exception], message: str
) -> None:
    with says(kind, message):
        tn.Lab(source)


@pytest.mark.parametrize("name", ["data", "loss", "optimizer", "schedule"])
def test_a_recipe_has_its_own_data_loss_optimizer_and_schedule(says: Callable[..., Any], name: str) -> None:
    values = {"data": (X, Y), "loss": tn.MSE(), "optimizer": tn.SGD(0.1), "schedule": tn.Schedule()}
    with says(tn.RecipeError, f"`{name}` cannot be given with a recipe, which has its own"):
        tn.Lab("xor", **{name: values[name]})


def test_asking_for_what_there_is_not_is_refused(says: Callable[..., Any]) -> None:
    lab = made()
    with says(tn.EditError, "there is no split `dve`, only train"):
        lab.evaluate("dve")
    with says(tn.EditError, "there is no split `5`, only train"):
        lab.evaluate(5)  # type: ignore[arg-type]
    with says(tn.EditError, "`sample` goes on from a text, so it needs data that is text; `data` is not"):
        lab.sample()
    with says(tn.EditError, "`predict` takes numbers (2,), as `data` is no text, or example=N, not 'emma'"):
        lab.predict("emma")
    with says(tn.EditError, "there is no split `dve`, only train, dev; did you mean `dev`?"):
        tn.Lab("xor").evaluate("dve")


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"temperature": -1}, tn.EditError, "`temperature` must be a number from 0 to 1000, not -1"),
        ({"temperature": float("nan")}, tn.EditError, "`temperature` must be a number from 0 to 1000, not nan"),
        ({"temperature": "hot"}, tn.EditError, "`temperature` must be a number from 0 to 1000, not 'hot'"),
        ({"n": 0}, tn.EditError, "`n` must be a whole number from 1 to 10000, not 0"),
        ({"n": 10**9}, tn.EditError, "`n` must be a whole number from 1 to 10000, not 1000000000"),
        ({"seed": -1}, tn.EditError, f"`seed` must be a whole number from 0 to {2**63 - 1}, not -1"),
        (
            {"prefix": "É"},
            tn.DataError,
            "`É` is not a known character; known are `.abcdefghijklmnopqrstuvwxyz`",
        ),
        ({"prefix": 5}, tn.EditError, "the text to go on from must be text, not 5"),
    ],
)
def test_bad_sampling_is_refused(
    names: tn.Lab, says: Callable[..., Any], options: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with says(kind, message):
        names.sample(**options)


def test_predict_takes_text(names: tn.Lab, says: Callable[..., Any]) -> None:
    with says(tn.EditError, "the text to go on from must be text, not 5"):
        names.predict(5)


def test_work_takes_only_what_a_lab_does(says: Callable[..., Any]) -> None:
    lab = made()
    with says(tn.EditError, "`sttep` is not something a lab does; did you mean `step`?"):
        list(lab.work("sttep", (), {}))
    with says(tn.EditError, "`__init__` is not something a lab does"):
        list(lab.work("__init__", (), {}))
    with pytest.raises(tn.EditError, match=r"^`zero`: .*missing 1 required positional argument: 'selector'$"):
        list(lab.work("zero", (), {}))
    with pytest.raises(tn.EditError, match=r"^`seek`: .*unexpected keyword argument 'stop'$"):
        list(lab.work("seek", (), {"stop": 5}))


@pytest.mark.skipif(os.name != "posix", reason="a path through a regular file, as POSIX refuses it")
def test_a_save_that_cannot_be_written_is_refused_and_the_lab_goes_on(tmp_path: Path, says: Callable[..., Any]) -> None:
    lab = made()
    (tmp_path / "file").write_text("")
    target = tmp_path / "file" / "saves" / "x.msgpack"
    with says(tn.SaveError, f"`{target}` cannot be written: its folder cannot be made: Not a directory"):
        lab.save(target)
    folder = tmp_path / "folder.msgpack"
    folder.mkdir()
    with says(tn.SaveError, f"`{folder}` is a folder, not a save"):
        lab.save(folder)
    assert lab.path == ""
    assert lab.run(3).step == 3
    assert lab.unsaved


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_saves_folder_without_permission_is_refused_in_words(tmp_path: Path, says: Callable[..., Any]) -> None:
    folder = tmp_path / "saves"
    folder.mkdir(mode=0o555)
    with says(tn.SaveError, f"`{folder / 'x.msgpack'}` cannot be written: permission denied"):
        made().save(folder / "x.msgpack")


@pytest.mark.parametrize("step", ["nan", 1j, np.arange(3), -1, None])
def test_whether_a_run_evaluates_is_asked_of_a_step(step: Any, names: tn.Lab) -> None:
    with pytest.raises(tn.EditError, match="`step` must be a whole number from 0 to"):
        names.evaluates_at(step)
