"""The record of the recipe, and the user's own layers and losses, which records name with their digests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinynets.errors import CorruptSave, TinynetsError
from tinynets.nn.plugins import check_saved, is_own, kinds_in, own_layers, own_things
from tinynets.numerics.rules import FIRST
from tinynets.recipes.recipe import Recipe
from tinynets.recipes.schema import recipe_from
from tinynets.storage.fields import RecordFields
from tinynets.storage.records import Record


def recipe_record(recipe: Recipe) -> Record:
    return {"record": "recipe", "config": recipe.config(), "own": own_things([recipe.layers], recipe.training.loss)}


def named_layers(architecture: Sequence[Any]) -> Record:
    """The part of a record that names the user's own layers among these; empty if there are none."""
    own = own_layers([architecture])
    return {"own": own} if own else {}


class DeclaredPlugins:
    """The user's own layers and losses that a file has named with the digest of their source."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.named: set[tuple[str, str]] = set()

    def declare(self, fields: RecordFields) -> None:
        """Accept those that a record names; raises UnsupportedSave if they are not registered here, or differ."""
        found = []
        for entry in fields.optional("own", list) or []:
            thing = RecordFields(self.file, entry, "a layer or loss of one's own")
            found.append((thing.get("family", str), thing.get("kind", str), thing.get("sha256", str)))
        check_saved(self.file, found)
        self.named |= {entry[:2] for entry in found}

    def read_recipe(self, fields: RecordFields) -> Recipe:
        """The recipe in its record; all its own layers and losses must be named."""
        self.declare(fields)
        try:
            recipe = recipe_from(fields.get("config", dict), self.file, rules=FIRST)
        except TinynetsError as error:
            raise CorruptSave(str(error)) from None
        self.check_layers(recipe.layers)
        self._check("loss", recipe.training.loss.kind)
        return recipe

    def check_layers(self, architecture: Any) -> None:
        """Check that layers that are not tinynets' own were named with their digests."""
        for kind in kinds_in(architecture):
            self._check("layer", kind)

    def _check(self, family: str, kind: str) -> None:
        if is_own(family, kind) and (family, kind) not in self.named:
            raise CorruptSave(f"`{self.file}` has the {family} `{kind}` without naming its source")
