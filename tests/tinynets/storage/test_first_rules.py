"""Runs under the first rules give the same bytes as when there were no other rules."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tinynets.numerics.determinism import fingerprint

pytestmark = pytest.mark.proof  # CI runs them after the other tests

REFERENCES = Path(__file__).parents[2] / "references"
FACTS: dict[str, str] = json.loads((REFERENCES / "first_rules.json").read_text())


def maker() -> Any:
    spec = importlib.util.spec_from_file_location("make_first_rules", REFERENCES / "make_first_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(FACTS["fingerprint"] != fingerprint(), reason="made on a machine whose last bits may differ")
@pytest.mark.parametrize("recipe", [name for name in FACTS if name != "fingerprint"])
def test_a_run_of_the_first_rules_comes_to_the_bytes_it_came_to(recipe: str) -> None:
    assert maker().come_to(recipe, first=True) == FACTS[recipe]
