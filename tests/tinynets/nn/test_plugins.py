"""The user's own layers and losses: registered, loaded from files, used in recipes, named in saves, or refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn import plugins
from tinynets.nn.layers import LAYERS
from tinynets.nn.losses import LOSSES

PLUGIN = """
import numpy as np
import tinynets as tn
from tinynets.nn.layers import Activation


class Cube(Activation):
    kind = "cube"

    def forward(self, x, buffers):
        buffers.x = x
        return np.power(x, 3, buffers.out)

    def backward(self, dout, buffers):
        np.multiply(buffers.x, buffers.x, buffers.dx)
        np.multiply(buffers.dx, 3, buffers.dx)
        return np.multiply(dout, buffers.dx, buffers.dx)


@tn.register
def quartic(out, y):
    d = out - y
    return (d**4).mean(), 4 * d**3 / d.size
"""
RECIPE = """
name = "own"
[data]
set = "xor"
[[layers]]
kind = "linear"
name = "hidden"
inputs = 2
outputs = 4
[[layers]]
kind = "cube"
[[layers]]
kind = "linear"
name = "output"
inputs = 4
outputs = 2
[training]
loss = "cross-entropy"
batch = 8
[training.optimizer]
kind = "sgd"
"""


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Remove after each test what it has registered."""
    before = dict(LAYERS), dict(LOSSES), dict(plugins._OWN), set(sys.modules)
    yield
    for now, then in zip((LAYERS, LOSSES, plugins._OWN), before[:3], strict=True):
        now.clear()
        now.update(then)  # type: ignore[arg-type]
    for name in set(sys.modules) - before[3]:
        if name.startswith("tinynets_plugin_"):
            del sys.modules[name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(PLUGIN)
    return path


def test_a_file_gives_its_layers_and_losses_to_recipes_and_saves(tmp_path: Path, file: Path) -> None:
    assert tn.load_plugin(file) == ("quartic", "cube")
    assert tn.load_plugin(file) == ("quartic", "cube")
    recipe = tmp_path / "own.toml"
    recipe.write_text(RECIPE)
    lab = tn.Lab(recipe)
    assert tn.grad_check(lab.network, np.ones((3, 2)))
    lab.run(20)
    lab.save(str(tmp_path / "x.msgpack"))
    assert tn.Lab(str(tmp_path / "x.msgpack")).state.digest() == lab.state.digest()


def test_a_function_of_a_file_is_a_loss_by_its_name(tmp_path: Path, file: Path) -> None:
    tn.load_plugin(file)
    x, path = np.eye(4, 2), str(tmp_path / "x.msgpack")
    network = tn.Network([tn.Linear(2, 1)])
    lab = tn.Lab(network, data=(x, [0.0, 1, 0, 1]), loss=LOSSES["quartic"](), optimizer=tn.SGD(0.01), batch=2)
    lab.run(5)
    lab.save(path)
    again = tn.Lab(path)
    assert repr(again.recipe.training.loss) == "FunctionLoss(quartic)"
    assert again.state.digest() == lab.state.digest()


BROKEN = """
import numpy as np
from tinynets import Layer, Loss


class Broken(Layer):
    kind = "broken"

    def forward(self, x, buffers):
        return x @ np.ones((3, 3))

    def backward(self, dout, buffers):
        return dout
"""


def broken(tmp_path: Path) -> tuple[Path, Path]:
    """A plugin whose layer raises, and a recipe that uses it."""
    plugin, recipe = tmp_path / "broken.py", tmp_path / "own.toml"
    plugin.write_text(BROKEN)
    recipe.write_text(RECIPE.replace('"cube"', '"broken"'))
    return plugin, recipe


def test_what_a_layer_of_ones_own_raises_names_it_in_one_line(tmp_path: Path) -> None:
    plugin, recipe = broken(tmp_path)
    tn.load_plugin(plugin)
    with pytest.raises(tn.PluginError, match=r"^the layer `broken1` failed in `forward`: ValueError: matmul: [^\n]*$"):
        tn.Lab(recipe).step()
    command = [
        sys.executable,
        "-m",
        "tinynets.cli",
        "train",
        str(recipe),
        "--steps",
        "3",
        "--plugin",
        str(plugin),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("tinynets: the layer `broken1` failed in `forward`: ValueError")


def test_a_class_without_what_its_base_leaves_to_it_is_refused(says: Any) -> None:
    class NoForward(tn.Layer):
        kind = "no-forward"

    class NoGradient(tn.Loss):
        kind = "no-gradient"
        targets = tn.MSE.targets
        allocate = tn.MSE.allocate
        value = tn.MSE.value
        each = tn.MSE.each

    with says(tn.PluginError, "`NoForward` needs a method `forward` of its own"):
        tn.register(NoForward)
    with says(tn.PluginError, "`NoGradient` needs a method `gradient` of its own"):
        tn.register(NoGradient)


def test_the_gradient_of_a_function_is_tried_for_recipes_and_saves(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        """
import tinynets as tn

@tn.register
def wrongg(out, y):
    return (out**2).mean(), out

@tn.register
def bare(out, y):
    return (out**2).mean()
"""
    )
    tn.load_plugin(tmp_path / "wrong.py")
    recipe, save = tmp_path / "own.toml", tmp_path / "x.msgpack"
    recipe.write_text(RECIPE.replace("cross-entropy", "wrongg").replace('"cube"', '"tanh"'))
    lab = tn.Lab(recipe)
    lab.save(save)
    for opened in (lab, tn.Lab(save)):
        assert "the loss `wrongg` gives" in opened.warnings[0]
    recipe.write_text(RECIPE.replace("cross-entropy", "bare").replace('"cube"', '"tanh"'))
    with pytest.raises(tn.ShapeError, match="the loss `bare` gives only a value"):
        tn.Lab(recipe)


def test_a_save_is_refused_where_a_layer_is_not_registered_or_has_another_source(
    tmp_path: Path, file: Path, says: Any
) -> None:
    tn.load_plugin(file)
    recipe, path = tmp_path / "own.toml", str(tmp_path / "x.msgpack")
    recipe.write_text(RECIPE)
    lab = tn.Lab(recipe)
    lab.save(path)
    own = plugins._OWN.pop(("layer", "cube"))
    cube = LAYERS.pop("cube")
    words = f"`{path}` needs the layer `cube`, which is not registered: tn.register it first, or --plugin FILE"
    with says(tn.UnsupportedSave, words):
        tn.Lab(path)
    changed = tmp_path / "other.py"
    changed.write_text(PLUGIN.replace("x, 3, buffers.out", "x, 3.0, buffers.out").replace("@tn.register", ""))
    tn.load_plugin(changed)
    with pytest.raises(tn.UnsupportedSave, match=f"needs the layer `cube` with source {own.sha256[:12]}"):
        tn.Lab(path)
    assert cube is not LAYERS["cube"]


def test_a_network_with_an_unregistered_layer_is_refused_by_the_lab(says: Any) -> None:
    class Mine(tn.Tanh):
        kind = "mine"

    network = tn.Network([tn.Linear(2, 2), Mine()])
    words = "the layer `Mine` (kind `mine`) is not registered; before the Lab: tn.register(Mine)"
    with says(tn.PluginError, words):
        tn.Lab(network, data=(np.ones((4, 2)), [0, 1, 0, 1]), loss=tn.CrossEntropy())
    tn.register(Mine)
    assert tn.Lab(network, data=(np.ones((4, 2)), [0, 1, 0, 1]), loss=tn.CrossEntropy()).run(3).step == 3


def test_what_cannot_be_registered_is_said(says: Any) -> None:
    class NoKind(tn.Tanh):
        pass

    class Taken(tn.Tanh):
        kind = "relu"

    with says(tn.PluginError, '`NoKind` needs a `kind` of its own: a word such as kind = "nokind"'):
        tn.register(NoKind)
    with says(tn.PluginError, "the layer kind `relu` is taken by tinynets; give yours another `kind`"):
        tn.register(Taken)
    with says(tn.PluginError, "what can be registered is a Layer, a Loss or a function as loss, not `3`"):
        tn.register(3)  # type: ignore[type-var]
    with pytest.raises(tn.PluginError, match="a function needs a name to be registered by"):
        tn.register(lambda out, y: (0.0, out))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no such file"),
        ("def f(:", ", line 1: invalid syntax"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero"),
        ("import tinynets", "it defines no layer and no loss (a class with a `kind`)"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (PLUGIN.replace('"cube"', '"tanh"'), "the layer kind `tanh` is taken by tinynets; give yours another `kind`"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_leaves_nothing(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "bad.py"
    if text is not None:
        path.write_text(text)
    known = {**LAYERS}, {**LOSSES}
    with pytest.raises(tn.PluginError) as caught:
        tn.load_plugin(path)
    assert str(caught.value) == f"plugin `{path}`{words if words.startswith(',') else ': ' + words}"
    assert known == ({**LAYERS}, {**LOSSES})


def test_the_command_line_takes_a_plugin_and_ends_with_one_line_without(tmp_path: Path, file: Path) -> None:
    recipe = tmp_path / "own.toml"
    recipe.write_text(RECIPE)
    command = [sys.executable, "-m", "tinynets.cli", "train", str(recipe), "--steps", "3", "--json"]
    done = subprocess.run([*command, "--plugin", str(file), "--threads", "1"], capture_output=True, text=True)
    assert json.loads(done.stdout)["step"] == 3
    without = subprocess.run(command, capture_output=True, text=True)
    assert without.returncode == 1
    assert without.stderr.count("\n") == 1
    assert "`layers[1].kind` must be one of" in without.stderr


def test_the_page_on_layers_of_ones_own_runs_and_its_gradients_agree(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "own-layers.md").read_text()
    path = tmp_path / "page.py"
    path.write_text(page.split("```python\n")[1].split("```")[0])
    assert tn.load_plugin(path) == ("scale", "quartic")
    made: Any = LAYERS["scale"]
    assert tn.grad_check(tn.Network([tn.Linear(2, 3), made(3)]), np.ones((4, 2)))
