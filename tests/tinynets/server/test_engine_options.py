"""The engine starts light, loads plugins before it makes its Lab, and keeps to its memory budget."""

from __future__ import annotations

import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path

from patience import PATIENCE

from tinynets.server.process import spawn
from tinynets.server.server import Server

PLUGIN = """
from tinynets.nn.layers import Tanh


class Mine(Tanh):
    kind = "mine"
"""
RECIPE = """
name = "own"
data = { set = "xor" }
layers = [{ kind = "linear", name = "hidden", inputs = 2, outputs = 2 }, { kind = "mine" }]
training = { loss = "cross-entropy", optimizer = { kind = "sgd" } }
"""


def first_message(source: str, plugin: Path) -> tuple[object, ...]:
    engine = spawn(source, {"plugins": (str(plugin),), "threads": 1})
    try:
        assert engine.connection.poll(PATIENCE)
        message: tuple[object, ...] = engine.connection.recv()
        return message
    finally:
        engine.connection.close()
        engine.process.join(PATIENCE)


def test_an_engine_with_a_plugin_shows_its_layer_and_without_the_file_says_so(tmp_path: Path) -> None:
    plugin, recipe = tmp_path / "mine.py", tmp_path / "own.toml"
    plugin.write_text(PLUGIN)
    recipe.write_text(RECIPE)
    assert first_message(str(recipe), plugin)[0] == "frame"
    missing = tmp_path / "none.py"
    assert first_message(str(recipe), missing)[2:] == ("PluginError", f"plugin `{missing}`: there is no such file")


def test_the_memory_of_an_engine_holds_for_what_is_opened_later() -> None:
    near, _far = Pipe()
    server = Server(near, "xor", {"memory": 3 * 2**20, "journal": False})
    assert server.lab.player.timeline.keyframes.budget == 3 * 2**20
    server._open("names-mlp")
    assert server.lab.player.timeline.keyframes.budget == 3 * 2**20
    server.lab.close(discard=True)


def test_starting_a_server_needs_no_numpy() -> None:
    code = "import sys, tinynets.server.process; print([name for name in ('numpy', 'msgpack') if name in sys.modules])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
