"""How a Lab is opened: from a network, a recipe or a save."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tinynets.errors import RecipeError
from tinynets.storage import paths
from tinynets.storage.recovery import SUFFIX as JOURNAL

MAX_MEMORY = 2**50


def _is_save(source: str) -> bool:
    return source.endswith((paths.SUFFIX, JOURNAL)) or (
        bool(source) and not source.endswith(".toml") and os.path.exists(source)
    )


def _refuse(given: Mapping[str, Any], what: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise RecipeError(f"`{name}` cannot be given with {what}, which has its own")
