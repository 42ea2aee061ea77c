"""An edit is done completely or not at all, whatever is raised in it or in the measurement after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import tinynets as tn
from tinynets.edits import edit, registry
from tinynets.errors import PluginError
from tinynets.nn import plugins
from tinynets.nn.layers import LAYERS

X = np.random.default_rng(0).normal(size=(24, 3))
Y = np.arange(24) % 2
BROKEN = 1e6


class Fragile(tn.Layer):
    """Passes its input on for so many calls, then raises."""

    kind = "fragile"
    bears: ClassVar[dict[str, int]] = {"forward": 10**9, "passed_on": 10**9}
    raises: ClassVar[type[BaseException]] = IndexError

    def _bear(self, what: str) -> None:
        self.bears[what] -= 1
        if self.bears[what] < 0:
            raise self.raises("broken")

    def passed_on(self, change: Any, shape: Any) -> Any:
        self._bear("passed_on")
        return change

    def forward(self, x: np.ndarray, buffers: Any) -> np.ndarray:
        self._bear("forward")
        if np.abs(x).max() > BROKEN:
            raise IndexError("broken")
        buffers.out = x
        return x

    def backward(self, dout: np.ndarray, buffers: Any) -> np.ndarray:
        buffers.dx = dout
        return dout


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    before = dict(LAYERS), dict(plugins._OWN)
    tn.register(Fragile)
    yield
    Fragile.bears.update(forward=10**9, passed_on=10**9)
    for now, then in zip((LAYERS, plugins._OWN), before, strict=True):
        now.clear()
        now.update(then)  # type: ignore[call-overload]


def make() -> tn.Lab:
    layers = [
        tn.Linear(3, 5, name="hidden"),
        tn.Tanh(),
        Fragile(name="fragile"),
        tn.Linear(5, 4, name="second"),
        Fragile(name="also"),
        tn.Linear(4, 2, name="output"),
    ]
    network = tn.Network(layers, dtype="float64", input_shape=(3,), seed=1)
    lab = tn.Lab(network, data=(X, Y), loss=tn.CrossEntropy(), optimizer=tn.Adam(0.01), batch=4)
    lab.run(5)
    lab.scale("hidden[4]", 0.5)
    return lab


ACTS: dict[str, Callable[[tn.Lab], object]] = {
    "clamp": lambda lab: lab.clamp("hidden[1]", 1e9),
    "steer": lambda lab: lab.steer("hidden", values=[1e9] * 5),
    "set_weight": lambda lab: lab.set_weight("second.b[1]", 1e9),
    "nudge": lambda lab: lab.nudge("second[0]", 1e9),
    "transplant": lambda lab: lab.transplant("second[2]", values=[0.0, 0, 0, 0, 0, 1e9]),
    "activation": lambda lab: lab.activation("hidden", "elu", alpha=1e9),
    "prune": lambda lab: lab.prune("hidden[0]"),
    "grow": lambda lab: lab.grow("second", 2),
    "insert": lambda lab: lab.insert("hidden", "linear"),
    "remove": lambda lab: lab.remove("fragile"),
    "swap": lambda lab: lab.swap("hidden[0]", "hidden[4]"),
    "rate": lambda lab: lab.rate("hidden[2]", 0.5),
}


def everything(lab: tn.Lab) -> tuple[object, ...]:
    player = lab.player
    return lab.state.digest(), lab.log, lab.moment, lab.branches, lab.network.architecture, player.timeline.actions[:]


@pytest.mark.parametrize("raised", [IndexError, MemoryError, KeyboardInterrupt])
@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("act", ACTS)
def test_what_is_raised_while_an_edit_is_measured_leaves_nothing_of_it(
    act: str, past: bool, raised: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = make()
    lab.run(3)
    if past:
        lab.seek(6)
    lab.bookmark("here")
    weight = lab.network["second"].b  # type: ignore[attr-defined]
    before, wanted = everything(lab), lab.probe_loss()
    monkeypatch.setattr(Fragile, "raises", raised)
    lab.probe_measures()
    Fragile.bears["forward"] = 2  # for the measurement before the edit
    with pytest.raises((raised, PluginError)):
        ACTS[act](lab)
    Fragile.bears["forward"] = 10**9
    assert everything(lab) == before
    assert lab.probe_loss() == wanted
    if act not in ("prune", "grow", "insert", "remove", "activation"):
        assert lab.network["second"].b is weight  # type: ignore[attr-defined]
    lab.save(tmp_path / "s")
    assert tn.Lab(tmp_path / "s.msgpack").state.digest() == before[0]
    lab.clamp("hidden[1]", 0.5)
    lab.run(2)
    assert lab.verify().equal


def test_values_that_a_layer_does_not_bear_leave_nothing_of_the_edit() -> None:
    lab = make()
    before = everything(lab)
    for act in ("clamp", "steer", "set_weight", "nudge", "transplant"):
        with pytest.raises(PluginError, match="broken"):
            ACTS[act](lab)
        assert everything(lab) == before
    lab.run(3)


def test_an_edit_that_is_refused_in_its_middle_has_written_nothing_to_a_state(says: Callable[..., Any]) -> None:
    lab = make()
    state = lab.state.live()
    state.theta[:] = 1e308
    before, standing = state.digest(), lab.network.taps[:]
    with says(tn.EditError, "`hidden` would become NaN or infinite"):
        registry.apply(lab.network, state, edit.Edit("nudge", "hidden", {"by": 1.7e308}))
    assert (state.digest(), lab.network.taps) == (before, standing)


def test_a_recorded_edit_that_fails_while_it_is_done_again_leaves_the_moment_whole() -> None:
    lab = make()
    lab.grow("hidden", 1)
    lab.run(2)
    lab.seek(2)
    before = lab.state.digest()
    Fragile.bears["passed_on"] = 0
    with pytest.raises(PluginError, match="broken"):
        lab.run(10)
    Fragile.bears["passed_on"] = 10**9
    assert lab.step_number == 5
    lab.seek(2)
    assert lab.state.digest() == before
    lab.run(5)
    assert lab.verify().equal
