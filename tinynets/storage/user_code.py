"""What the parts of a save must be: its recipe and own layers, States, evaluations, checked against each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinynets.edits.edit import Edit
from tinynets.errors import CorruptSave, SelectorError, TinynetsError
from tinynets.nn.network import Network
from tinynets.nn.plugins import check_saved, is_own, kinds_in
from tinynets.nn.selectors import ParameterSelector, select_learned
from tinynets.numerics.arrays import Array
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.recipes.recipe import Recipe
from tinynets.recipes.schema import recipe_from
from tinynets.storage.fields import RecordFields
from tinynets.training.counts import keeps_counts
from tinynets.training.hyper import Hyper
from tinynets.training.state import ALIKE

UNUSABLE = (TinynetsError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What comes of building something from plain data that is not what it should be."""


class DeclaredPlugins:
    """The layers and losses of the user's own that a file has named with the digest of their source."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.named: set[tuple[str, str]] = set()

    def name(self, fields: RecordFields) -> None:
        """Take those that a record names; UnsupportedSave where they are not registered here, or others."""
        found = []
        for entry in fields.optional("own", list) or []:
            thing = RecordFields(self.file, entry, "a layer or loss of one's own")
            found.append((thing.get("family", str), thing.get("kind", str), thing.get("sha256", str)))
        check_saved(self.file, found)
        self.named |= {entry[:2] for entry in found}

    def recipe(self, fields: RecordFields) -> Recipe:
        try:
            recipe = recipe_from(fields.get("config", dict), self.file, rules=FIRST)
        except TinynetsError as error:
            raise CorruptSave(str(error)) from None
        self.all_named(recipe.layers)
        self._check("loss", recipe.training.loss.kind)
        return recipe

    def all_named(self, architecture: Any) -> None:
        """Layers that are not tinynets' own must have been named with their digests."""
        for kind in kinds_in(architecture):
            self._check("layer", kind)

    def _check(self, family: str, kind: str) -> None:
        if is_own(family, kind) and (family, kind) not in self.named:
            raise CorruptSave(f"`{self.file}` has the {family} `{kind}` without naming its source")


def selected(network: Network, edit: Edit) -> int:
    """About how many places there are to be looked at where an edit is checked."""
    try:
        found = select_learned(network, edit.target)
    except SelectorError:  # which its check says
        return 1
    if edit.args.get("others"):
        return network.theta.size + network.carried.size
    if isinstance(found, ParameterSelector):
        return found.count(network)
    block = network.block(found.block)
    each = 1 + network.block_parameters(block) // block.units
    return len(found.units) * each + (64 * block.units if edit.args.get("outgoing") else 0)


def _rules(fields: RecordFields) -> int:
    """The rules that a keyframe's settings name, the first where they name none."""
    return fields.whole("rules", FIRST, CURRENT) if "rules" in fields.record else FIRST


def _counts(fields: RecordFields, hyper: Hyper, step: int, size: int, frozen: Array) -> Array:
    """From which step the updates of each parameter count, and how many what is frozen has had."""
    if not keeps_counts(hyper) or ("counts" not in fields.record and not frozen.size):
        return ALIKE
    counts = fields.array("counts", np.int64, (size,))
    low, high = np.full(size, hyper.since), np.full(size, step)
    low[frozen], high[frozen] = 0, step - hyper.since
    if ((counts < low) | (counts > high)).any():
        of_frozen = f"of what is frozen 0 to {step - hyper.since}"
        fields.wrong(f"`counts` must be steps from {hyper.since} to {step}, {of_frozen}")
    if not frozen.size and (counts == hyper.since).all():
        fields.wrong("`counts` are there although all parameters count alike")
    return counts
