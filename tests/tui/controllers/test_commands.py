"""Commands are ready before the first key: what they take is imported behind the first frame."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SHOWS = """
import asyncio, sys
from time import monotonic
from fake import FakeEngine
from patience import PATIENCE
from tui.app import LabApp

async def shown():
    async with LabApp(FakeEngine, "names-mlp").run_test(size=(80, 24)) as pilot:
        end = monotonic() + PATIENCE
        while "tinynets.lab.command_line" not in sys.modules and monotonic() < end:
            await pilot.pause(0.05)
        print("tinynets.lab.command_line" in sys.modules)

asyncio.run(shown())
"""


@pytest.mark.proof
def test_what_verbs_take_is_imported_before_a_key_asks_for_it() -> None:
    helpers = Path(__file__).parents[2] / "helpers"
    code = f"import sys\nsys.path.insert(0, {str(helpers)!r})\n{SHOWS}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]
