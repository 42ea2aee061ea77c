"""The system's clipboard, by whichever of its tools is installed; a terminal's own way is OSC 52."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from threading import Thread

SECONDS = 5.0
"""How long a tool may take before it is given up."""


def tool_for(environment: Mapping[str, str], platform: str) -> list[str]:
    """The command that takes text for the clipboard on its standard input; empty if there is none."""
    wanted: list[list[str]] = []
    if platform == "darwin":
        wanted = [["pbcopy"]]
    elif platform == "win32":
        wanted = [["clip"]]
    else:
        if environment.get("WAYLAND_DISPLAY"):
            wanted.append(["wl-copy"])
        if environment.get("DISPLAY"):
            wanted += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
        if environment.get("WSL_DISTRO_NAME"):
            wanted.append(["clip.exe"])
    return next((command for command in wanted if shutil.which(command[0], path=environment.get("PATH"))), [])


def copy_outside(text: str) -> str:
    """Hand text to the system's clipboard without waiting for it; the name of the tool, empty if there is none."""
    command = tool_for(os.environ, sys.platform)
    if not command:
        return ""
    Thread(target=_hand, args=(command, text), daemon=True).start()
    return command[0]


def _hand(command: list[str], text: str) -> None:
    quiet, text_bytes = subprocess.DEVNULL, text.encode()
    with suppress(OSError, subprocess.SubprocessError):  # the terminal was asked as well
        subprocess.run(command, input=text_bytes, stdout=quiet, stderr=quiet, timeout=SECONDS, start_new_session=True)
