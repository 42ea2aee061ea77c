"""Finds recipes by name, if they ship with tinynets, or in a `.toml` file."""

from __future__ import annotations

import codecs
import os
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tinynets.errors import RecipeError, gate, nearest
from tinynets.recipes.recipe import Recipe
from tinynets.recipes.schema import recipe_from
from tinynets.system.paths import expanded, unusable

OUTPUTS = ("outputs", "size", "prototypes")
"""The arguments by which layers say how many units they have."""


@dataclass(frozen=True)
class RecipeInfo:
    """A recipe that ships with tinynets, for lists."""

    name: str
    description: str
    data: str = ""
    """The name of its data set."""
    widths: tuple[int, ...] = ()
    """How many units each layer has that changes their number, the inputs first."""


def list_recipes() -> tuple[RecipeInfo, ...]:
    """The recipes that ship with tinynets, names-mlp first, then by name."""
    found = [load_recipe(name) for name in _shipped()]
    return tuple(RecipeInfo(each.name, each.description, str(each.data["set"]), _widths(each)) for each in found)


def _widths(recipe: Recipe) -> tuple[int, ...]:
    inputs = [layer["inputs"] for layer in recipe.layers[:1] if "inputs" in layer]
    outputs = [layer[name] for layer in recipe.layers for name in OUTPUTS if name in layer]
    return tuple(width for width in [*inputs, *outputs] if isinstance(width, int))


def load_recipe(source: str | Path) -> Recipe:
    """Load the recipe of that name, or from that `.toml` file.

    Raises RecipeError with file, key, rule and value, and for a misspelling the nearest right name.
    """
    text = expanded(source)
    if not text.endswith(".toml"):
        shipped = _shipped()
        if text not in shipped:
            raise RecipeError(f"`{text}` is not a recipe; there are {', '.join(shipped)}{nearest(text, shipped)}")
        return _parse(resources.files("tinynets").joinpath("recipes", f"{text}.toml").read_bytes(), f"{text}.toml")
    path = Path(text)
    if why := unusable(text):
        raise RecipeError(f"`{text!r}` cannot be read: {why}")
    if os.path.isdir(path):
        raise RecipeError(f"`{text}` is a folder, not a recipe")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RecipeError(f"`{text}`: there is no such file") from None
    except OSError as error:
        raise RecipeError(f"`{text}` cannot be read: {error.strerror}") from None
    return _parse(content, text)


def _shipped() -> list[str]:
    folder = resources.files("tinynets").joinpath("recipes")
    names = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return sorted(names, key=lambda name: name != "names-mlp")


def _parse(content: bytes, file: str) -> Recipe:
    try:
        config = tomllib.loads(_decoded(content))
    except UnicodeDecodeError:
        raise RecipeError(f"`{file}` is not a recipe: it is not UTF-8 text") from None
    except RecursionError:
        raise RecipeError(f"`{file}` is not a recipe: its tables or lists lie too deep") from None
    except ValueError as error:  # a TOMLDecodeError, or a number of thousands of digits
        raise RecipeError(f"`{file}` is not TOML: {error}") from None
    with gate(lambda cause: RecipeError(f"`{file}` cannot be used: {cause}")):
        return recipe_from(config, file)


def _decoded(content: bytes) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark; the mark, which editors on Windows write, is removed."""
    marks = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return content.decode("utf-16" if content.startswith(marks) else "utf-8-sig")
