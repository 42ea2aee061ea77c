"""Recipes with nested layers: an error inside a container is named with its path."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.recipes.catalog import load_recipe
from tinynets.recipes.recipe import MAX_LAYERS
from tinynets.recipes.schema import MAX_DEPTH, recipe_from

Says = Callable[[type[Exception], str], AbstractContextManager[None]]


def described(*layers: dict[str, Any], loss: Any = "cross-entropy") -> dict[str, Any]:
    training = {"loss": loss, "optimizer": {"kind": "sgd", "lr": 0.1}}
    return {"name": "own", "data": {"set": "xor"}, "layers": list(layers), "training": training}


def linear(inputs: int = 2, outputs: int = 2, **more: Any) -> dict[str, Any]:
    return {"kind": "linear", "inputs": inputs, "outputs": outputs} | more


def residual(*layers: Any) -> dict[str, Any]:
    return {"kind": "residual", "layers": list(layers)}


def test_a_recipe_of_containers_builds_and_is_the_same_when_read_again() -> None:
    branches = {"kind": "parallel", "branches": [[linear()], [residual(linear()), {"kind": "tanh"}]], "join": "sum"}
    recipe = recipe_from(described(residual(linear(), {"kind": "tanh"}), branches, linear(name="output")), "own.toml")
    assert recipe_from(recipe.config(), "own.toml") == recipe
    network = recipe.build(recipe.load_data())
    assert [block.name for block in network.blocks if block.units][:2] == ["residual1.linear1", "residual1"]
    assert network.predict(np.ones((1, 2))).shape == (1, 2)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (residual(linear(units=3)), "unknown key `layers[0].layers[0].units`; known: b_init, bias, inputs, kind, name"),
        (residual({"kind": "linear", "inputs": 2}), "`layers[0].layers[0].outputs` is missing"),
        (residual({"kind": "linaer"}), "`layers[0].layers[0].kind` must be one of "),
        (residual({"name": "a"}), "`layers[0].layers[0].kind` is missing"),
        (residual(3), "`layers[0].layers[0]` must be a table, not 3"),
        (residual(linear(bias=1)), "`layers[0].layers[0].bias` must be true or false, not 1"),
        (residual(linear(outputs=0)), "`layers[0].layers[0]`: Linear: `outputs` must be a whole number of at least 1"),
        (residual(), "`layers[0]`: Residual: takes a list of layers, not []"),
        ({"kind": "residual", "layers": linear()}, "`layers[0].layers` must be a list, not {"),
        (
            {"kind": "parallel", "branches": [[linear()], [residual(linear(w_init={"kind": "norml"}))]]},
            "`layers[0].branches[1][0].layers[0].w_init.kind` must be one of ",
        ),
        ({"kind": "parallel", "branches": [linear()]}, "`layers[0].branches[0]` must be a list, not {"),
        ({"kind": "conv2d", "inputs": 1, "outputs": 1, "kernel": [3, "3"]}, "`layers[0].kernel[1]` must be a whole"),
        ({"kind": "conv2d", "inputs": 1, "outputs": 1, "kernel": "3"}, "`layers[0].kernel` must be a whole number"),
        ({"kind": "reshape", "shape": 4}, "`layers[0].shape` must be a list, not 4"),
        ({"kind": "reshape", "shape": [2.5]}, "`layers[0].shape[0]` must be a whole number, not 2.5"),
    ],
)
def test_what_is_wrong_with_a_layer_is_said_with_its_path(layer: dict[str, Any], message: str) -> None:
    with pytest.raises(tn.RecipeError) as caught:
        recipe_from(described(layer), "own.toml")
    assert str(caught.value).startswith(f"`own.toml`: {message}")


def test_lists_of_sizes_are_taken_as_they_are_meant() -> None:
    for kernel in (3, [3, 2]):
        recipe_from(described({"kind": "conv2d", "inputs": 1, "outputs": 1, "kernel": kernel}), "own.toml")
    for padding in (1, [1, 0], "same"):
        layer = {"kind": "conv2d", "inputs": 1, "outputs": 1, "kernel": 3, "padding": padding}
        recipe_from(described(layer), "own.toml")


def test_a_grid_that_is_none_is_refused(says: Says) -> None:
    with says(tn.RecipeError, "`own.toml`: `training.loss.grid[1]` must be a whole number, not 'b'"):
        recipe_from(described(linear(), loss={"kind": "kohonen", "grid": [1, "b"]}), "own.toml")
    with says(tn.RecipeError, "`own.toml`: `training.loss.grid` must be a list, not 4"):
        recipe_from(described(linear(), loss={"kind": "kohonen", "grid": 4}), "own.toml")


def test_containers_are_not_nested_without_end() -> None:
    layer = linear()
    for _ in range(MAX_DEPTH):
        layer = residual(layer)
    recipe_from(described(layer), "own.toml")
    with pytest.raises(tn.RecipeError, match="in containers 8 deep"):
        recipe_from(described(residual(layer)), "own.toml")
    with pytest.raises(tn.RecipeError, match=r"at most 1000 layers"):
        recipe_from(described(residual(*[linear()] * MAX_LAYERS)), "own.toml")


def test_every_recipe_that_ships_is_the_same_when_read_again() -> None:
    for entry in tn.list_recipes():
        recipe = load_recipe(entry.name)
        assert recipe_from(recipe.config(), recipe.file) == recipe
