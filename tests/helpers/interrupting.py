"""Interrupts a process at its Nth import, so that every moment of a start can be tested on any machine."""

from __future__ import annotations

import os
from pathlib import Path

AT = "TINYNETS_TEST_CTRL_C_AT"

CUSTOM = f"""
import os, sys

class CtrlC:
    left, begun = int(os.environ.get("{AT}", "0")), False

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        cls.begun = cls.begun or name == "argparse"  # the first that either command imports
        if cls.begun and cls.left:
            cls.left -= 1
            if not cls.left:
                import _signal
                os.kill(os.getpid(), _signal.SIGINT)

if CtrlC.left:
    sys.meta_path.insert(0, CtrlC)
"""


def interrupted_at(count: int, folder: Path, paths: str) -> dict[str, str]:
    """Environment variables that make a Python process interrupt itself at one of its imports."""
    (folder / "sitecustomize.py").write_text(CUSTOM, encoding="utf-8")
    return {AT: str(count), "PYTHONPATH": os.pathsep.join([str(folder), paths])}
