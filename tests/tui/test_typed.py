"""What a user types in the app is taken as typed: paths with `~`, spaces and quotes, and lists of numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from opening import real, screen_text, status, type_line, until
from textual.widgets import Input

from tui.screens.open import OpenScreen

SOFT = (
    'name = "soft"\n[data]\nset = "xor"\n[[layers]]\nkind = "linear"\ninputs = 2\noutputs = 2\n'
    '[[layers]]\nkind = "softmax"\n[training]\nloss = "cross-entropy"\noptimizer = { kind = "sgd", lr = 0.1 }\n'
)


@pytest.mark.proof
async def test_paths_and_lists_are_taken_as_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    (home / "soft.toml").write_text(SOFT)
    async with real("xor", (140, 40)) as (pilot, _):
        await type_line(pilot, "patch hidden[0] input=[1, -1]")
        await until(pilot, lambda: status(pilot).startswith("hidden[0] patched"))
        await type_line(pilot, "predict example=3")
        await until(pilot, lambda: "->" in screen_text(pilot) or "%" in status(pilot))
        await pilot.press("escape")
        await type_line(pilot, "save ~/one")
        await until(pilot, (home / "one.msgpack").is_file)
        await type_line(pilot, "save '~/it is'")
        await until(pilot, (home / "it is.msgpack").is_file)
        await type_line(pilot, "save C:\\runs\\x.msgpack")
        await until(pilot, (tmp_path / "C:\\runs\\x.msgpack").is_file)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(pilot.app.screen, OpenScreen))
        pilot.app.screen.query_one(Input).focus()
        pilot.app.screen.query_one(Input).value = "~/soft.toml"
        await pilot.press("enter")
        await until(pilot, lambda: "softmax1" in screen_text(pilot))
    assert not (tmp_path / "~").exists()
