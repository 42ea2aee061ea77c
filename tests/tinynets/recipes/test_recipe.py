"""Recipes: files are checked, and an error names the file, key, rule, value and nearest right name."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.data import DATASETS
from tinynets.nn.initializers import GAINS, INITIALIZERS
from tinynets.nn.layers import LAYERS
from tinynets.nn.losses import LOSSES
from tinynets.recipes.schema import recipe_from
from tinynets.training.optimizers import NAMED, named_optimizer

GOOD = """
name = "mine"

[data]
set = "xor"
n = 40

[[layers]]
kind = "linear"
name = "hidden"
inputs = 2
outputs = 4
w_init = { kind = "kaiming", gain = "tanh" }

[[layers]]
kind = "tanh"

[[layers]]
kind = "linear"
name = "output"
inputs = 4
outputs = 2

[training]
loss = "cross-entropy"
batch = 8

[training.optimizer]
kind = "sgd"
lr = 0.1

[training.schedule]
kind = "step"
at = [5]
factor = 0.1
"""


def one_of(*names: str) -> str:
    return f"one of {', '.join(names)}"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes a recipe and returns its name: `written()`, or with parts of its text replaced."""
    monkeypatch.chdir(tmp_path)

    def write(*exchanges: tuple[str, str]) -> str:
        text = GOOD
        for old, new in exchanges:
            assert old in text
            text = text.replace(old, new, 1)
        Path("mine.toml").write_text(text, "utf-8")
        return "mine.toml"

    return write


def test_a_file_trains_as_it_says(written: Callable[..., str]) -> None:
    lab = tn.Lab(written())
    lab.run(10)
    assert lab.recipe.name == "mine"
    assert (lab.state.hyper.batch, lab.state.hyper.lr(4), lab.state.hyper.lr(5)) == (8, 0.1, pytest.approx(0.01))
    assert str(lab.network.layers) == "(Linear(2, 4), Tanh(), Linear(4, 2))"


@pytest.mark.parametrize("name", NAMED)
def test_a_recipe_calls_optimizers_what_set_calls_them(written: Callable[..., str], name: str) -> None:
    recipe = tn.load_recipe(written(('kind = "sgd"', f'kind = "{name}"')))
    assert recipe.training.hyper.optimizer == named_optimizer(name, {"lr": 0.1})
    assert recipe_from(recipe.config(), "again") == recipe


def test_plain_data_of_a_recipe_makes_the_same_recipe(written: Callable[..., str]) -> None:
    for source in (written(), *(recipe.name for recipe in tn.list_recipes())):
        recipe = tn.load_recipe(source)
        assert recipe_from(recipe.config(), "again") == recipe


def test_the_recipe_of_the_lesson_has_its_numbers() -> None:
    with files("tinynets").joinpath("recipes", "names-mlp.toml").open("rb") as file:
        config = tomllib.load(file)
    recipe = tn.load_recipe("names-mlp")
    assert config["training"]["steps"] == recipe.training.steps == 200_000
    assert [recipe.training.hyper.lr(step) for step in (0, 99_999, 100_000)] == [0.1, 0.1, pytest.approx(0.01)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("inputs = 2\n", "input = 2\n", "unknown key `layers[0].input`; did you mean `inputs`?"),
        ("batch = 8", "bach = 8", "unknown key `training.bach`; did you mean `batch`?"),
        (
            'name = "mine"\n',
            'name = "mine"\nflavour = 1\n',
            "unknown key `flavour`; known: data, description, layers, name, training",
        ),
        ("n = 40", "nosie = 0.1", "unknown key `data.nosie`; did you mean `noise`?"),
        ("lr = 0.1", "lr = 0.1\nmomentun = 0.9", "unknown key `training.optimizer.momentun`; did you mean `momentum`?"),
        ('gain = "tanh"', 'gian = "tanh"', "unknown key `layers[0].w_init.gian`; did you mean `gain`?"),
        ("factor = 0.1", "factr = 0.1", "unknown key `training.schedule.factr`; did you mean `factor`?"),
        ('name = "mine"\n', "", "`name` is missing"),
        ("outputs = 4\n", "", "`layers[0].outputs` is missing"),
        ('loss = "cross-entropy"\n', "", "`training.loss` is missing"),
        ('kind = "sgd"\n', "", "`training.optimizer.kind` is missing"),
        ("factor = 0.1\n", "", "`training.schedule.factor` is missing"),
        ('set = "xor"\n', "", "`data.set` is missing"),
        ('name = "mine"\n', "name = 3\n", "`name` must be text, not 3"),
        ("outputs = 4\n", 'outputs = "4"\n', "`layers[0].outputs` must be a whole number, not '4'"),
        ("outputs = 4\n", "outputs = 4.0\n", "`layers[0].outputs` must be a whole number, not 4.0"),
        ("outputs = 4\n", "outputs = true\n", "`layers[0].outputs` must be a whole number, not True"),
        ("batch = 8", "batch = 8.5", "`training.batch` must be a whole number, not 8.5"),
        ("lr = 0.1", 'lr = "fast"', "`training.optimizer.lr` must be a number, not 'fast'"),
        ("lr = 0.1", f"lr = {10**400}", f"`training.optimizer.lr` must fit in 64 bits, not {10**17}...{'0' * 19}"),
        ("at = [5]", "at = 5", "`training.schedule.at` must be a list, not 5"),
        ("at = [5]", 'at = ["5"]', "`training.schedule.at[0]` must be a whole number, not '5'"),
        (
            '{ kind = "kaiming", gain = "tanh" }',
            '"kaiming"',
            "`layers[0].w_init` must be a table, not 'kaiming'",
        ),
        ('[data]\nset = "xor"\nn = 40', "data = 3", "`data` must be a table, not 3"),
        (
            "outputs = 4\n",
            "outputs = 0\n",
            "`layers[0]`: Linear: `outputs` must be a whole number of at least 1, not 0",
        ),
        ("batch = 8", "batch = 0", "`training.batch` must be a whole number from 1 to 1048576, not 0"),
        ("batch = 8", "probe = 5000", "`training.probe` must be a whole number from 1 to 4096, not 5000"),
        ("batch = 8", "seed = -1", f"`training.seed` must be a whole number from 0 to {2**63 - 1}, not -1"),
        ("n = 40", "n = 2", "`data`: `n` must be 4 to 1000000, got 2"),
        ("lr = 0.1", "lr = -1", "`training.optimizer`: `sgd`: `lr` must be a finite number above or at 0, not -1"),
        ("lr = 0.1", "lr = nan", "`training.optimizer`: `sgd`: `lr` must be a finite number above or at 0, not nan"),
        (
            "at = [5]",
            "at = [5, 3]",
            "`training.schedule`: `step` schedule: `at` must be rising step numbers above 0, not [5, 3]",
        ),
        (
            'name = "hidden"',
            'name = "my layer"',
            "`layers[0]`: a layer's `name` must be a word of letters, digits and _, not 'my layer'",
        ),
        ('"xor"', '"xr"', f"`data.set` must be {one_of(*DATASETS, 'arrays')}, not 'xr'; did you mean `xor`?"),
        (
            'kind = "tanh"',
            'kind = "than"',
            f"`layers[1].kind` must be {one_of(*LAYERS)}, not 'than'; did you mean `tanh`?",
        ),
        (
            '"cross-entropy"',
            '"entropy"',
            f"`training.loss` must be {one_of(*LOSSES)}, not 'entropy'; did you mean `cross-entropy`?",
        ),
        (
            '"sgd"',
            '"sdg"',
            f"`training.optimizer.kind` must be {one_of(*NAMED)}, not 'sdg'; did you mean `sgd`?",
        ),
        (
            "batch = 8",
            'dtype = "float16"',
            "`training.dtype` must be one of float32, float64, not 'float16'; did you mean `float64`?",
        ),
        (
            '"kaiming", gain = "tanh"',
            '"kaimin", gain = "tanh"',
            f"`layers[0].w_init.kind` must be {one_of(*INITIALIZERS)}, not 'kaimin'; did you mean `kaiming`?",
        ),
        (
            'gain = "tanh"',
            'gain = "tan"',
            f"`layers[0].w_init`: `kaiming` initializer: `gain` is a number or {one_of(*GAINS)}, "
            "not 'tan'; did you mean `tanh`?",
        ),
        (
            "inputs = 4",
            "inputs = 5",
            "`output` Linear(5, 2) takes (..., 5), not (?, 4), which `tanh1` Tanh() gives",
        ),
        ("inputs = 2", "inputs = 3", "`hidden` Linear(3, 4) takes (..., 3), not (?, 2), which the input has"),
        ("outputs = 2", "outputs = 1", "cross-entropy: the outputs have classes 0 to 0; a target is 1"),
        (
            "outputs = 4",
            f"outputs = {2**40}",
            f"the layers have {5 * 2**40 - 2**41 + 10:,} parameters; at most 268,435,456 are allowed",
        ),
        ('name = "output"', 'name = "hidden"', "`hidden` is the name of 2 layers; a name must stand for one"),
    ],
    ids=lambda value: value[:20].strip(),
)
def test_what_a_recipe_must_not_say_is_refused(
    written: Callable[..., str], says: Callable[..., Any], old: str, new: str, message: str
) -> None:
    name = written((old, new))
    with says(tn.RecipeError, f"`mine.toml`: {message}"):
        tn.Lab(name)


def test_a_recipe_without_layers_is_refused(says: Callable[..., Any]) -> None:
    config = tn.load_recipe("xor").config()
    with says(tn.RecipeError, "`x`: `layers` must be 1 to 1000 tables, not 0"):
        recipe_from(config | {"layers": []}, "x")
    with says(tn.RecipeError, "`x`: `layers[0]` must be a table, not 5"):
        recipe_from(config | {"layers": [5]}, "x")


def test_files_that_are_no_recipes_are_refused(tmp_path: Path, says: Callable[..., Any]) -> None:
    path = tmp_path / "x.toml"
    with says(tn.RecipeError, f"`{path}`: there is no such file"):
        tn.Lab(path)
    path.write_bytes(b'name = "\xff\xfe"')
    with says(tn.RecipeError, f"`{path}` is not a recipe: it is not UTF-8 text"):
        tn.Lab(path)
    path.write_text("name = ")
    with pytest.raises(tn.RecipeError) as caught:
        tn.Lab(path)
    assert str(caught.value).startswith(f"`{path}` is not TOML: ")  # the rest of the message is tomllib's
    path.write_text("a = " + "[" * 100_000)
    with pytest.raises(tn.RecipeError):
        tn.Lab(path)
    path.write_text("a = " + "1" * 5000)
    with pytest.raises(tn.RecipeError):
        tn.Lab(path)
    path.unlink()
    path.mkdir()
    with says(tn.RecipeError, f"`{path}` is a folder, not a recipe"):
        tn.Lab(path)


def test_an_unknown_recipe_is_refused_with_the_nearest(says: Callable[..., Any]) -> None:
    known = f"there are {', '.join(recipe.name for recipe in tn.list_recipes())}"
    with says(tn.RecipeError, f"`names-mpl` is not a recipe; {known}; did you mean `names-mlp`?"):
        tn.load_recipe("names-mpl")


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**70) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["kind", "lr", "at"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(max_examples=300)
@given(st.data())
def test_whatever_stands_in_a_recipe_no_other_error_comes_of_it(data: st.DataObject) -> None:
    config: Any = tn.load_recipe("xor").config()
    where, key = config, data.draw(st.sampled_from(sorted(config)))
    while isinstance(where[key], dict | list) and where[key] and data.draw(st.booleans()):
        where = where[key]
        key = data.draw(st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where))))
    where[key] = data.draw(values)
    try:
        recipe = recipe_from(config, "x")
        recipe.build(recipe.load_data())
    except tn.RecipeError:
        pass
