"""Copying reaches the system's clipboard where a tool for it is installed, and waits for none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from patience import until

from tui.controllers.clipboard import copy_outside, tool_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes a tool as a shell script")


def tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_the_tool_of_the_display_that_is_there_is_taken(tmp_path: Path) -> None:
    for name in ("wl-copy", "xsel", "pbcopy"):
        tool(tmp_path, name, "cat")
    path = str(tmp_path)
    assert tool_for({"PATH": path, "WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux") == ["wl-copy"]
    assert tool_for({"PATH": path, "DISPLAY": ":0"}, "linux") == ["xsel", "--clipboard", "--input"]
    assert tool_for({"PATH": path}, "linux") == []
    assert tool_for({"PATH": path}, "darwin") == ["pbcopy"]


def test_the_text_is_handed_over_and_a_tool_that_fails_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tmp_path, "xclip", f"/bin/cat > {tmp_path}/taken.part; /bin/mv {tmp_path}/taken.part {tmp_path}/taken")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert copy_outside('lab.zero("hidden[3]")') == "xclip"
    until((tmp_path / "taken").exists)
    assert (tmp_path / "taken").read_text() == 'lab.zero("hidden[3]")'
    tool(tmp_path, "xclip", "exit 1")
    assert copy_outside("lab.step()") == "xclip"
