"""The server's process starts while the app still imports its own: so starting it loads next to nothing."""

from __future__ import annotations

import subprocess
import sys


def test_starting_a_server_needs_no_numpy() -> None:
    code = "import sys, tinynets.server.process; print([name for name in ('numpy', 'msgpack') if name in sys.modules])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
