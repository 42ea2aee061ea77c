"""Parameters that begin to learn late under Adam count their updates from then on, as in PyTorch.

They are compared with an Adam written here, with gradients of a small network by hand. It keeps the weight, mean,
square and count of each parameter, and moves them with numpy's own `delete` and `append`. `pytest -m proof` takes 300
random walks; with TINYNETS_PROOF=10 in the environment ten times as many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.numerics.rules import FIRST
from tinynets.training.counts import counts_of
from tinynets.training.state import ALIKE

PROOF = 300 * int(os.environ.get("TINYNETS_PROOF", "1"))
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(16, 3))
Y = np.tanh(X @ RANDOM.normal(size=(3, 2)))
ADAMS: dict[str, tn.Optimizer] = {
    "adam": tn.Adam(0.01, weight_decay=0.01),
    "adamw": tn.AdamW(0.01),
    "quick": tn.Adam(0.02, beta1=0.5, beta2=0.9),
}


def lab_of(optimizer: tn.Optimizer, dtype: str = "float64", **options: Any) -> tn.Lab:
    layers = [tn.Linear(3, 5, name="hidden"), tn.Tanh(), tn.Linear(5, 2, name="output")]
    net = tn.Network(layers, seed=0, dtype=dtype)
    given: dict[str, Any] = {"loss": tn.MSE(), "batch": len(X), "sampling": "stream"}
    return tn.Lab(net, data=(X, Y), optimizer=optimizer, **(given | options))


# -- Adam, written again


class Slow:
    """For each parameter by name: weight w, mean m, square s, count n, and whether it is frozen."""

    def __init__(self, lab: tn.Lab) -> None:
        self.lab = lab
        self.own: dict[str, dict[str, np.ndarray]] = {}
        self.optimizer: Any = lab.state.hyper.optimizer
        self.take_weights()

    def take_weights(self) -> None:
        """Take over the weights that an edit has made, which are not tested here; new ones have had no update."""
        for layer in self.lab.network.layers:
            for name in [entry.name for entry in layer.parameters()]:
                w = getattr(layer, name).copy()
                fresh = {"m": np.zeros_like(w), "s": np.zeros_like(w), "n": np.zeros_like(w), "held": w != w}
                self.own.setdefault(f"{layer.name}.{name}", fresh)["w"] = w

    def gradients(self) -> dict[str, np.ndarray]:
        """The gradients of mean((out - Y)^2), layer by layer."""
        values, h = [], X
        for layer in self.lab.network.layers:
            values.append(h)
            here = self.own
            h = np.tanh(h) if layer.kind == "tanh" else h @ here[f"{layer.name}.w"]["w"] + here[f"{layer.name}.b"]["w"]
        d, found = 2 * (h - Y) / h.size, {}
        for layer, x in zip(reversed(self.lab.network.layers), reversed(values), strict=True):
            if layer.kind == "tanh":
                d = d * (1 - np.tanh(x) ** 2)
            else:
                found[f"{layer.name}.w"], found[f"{layer.name}.b"] = x.T @ d, d.sum(0)
                d = d @ self.own[f"{layer.name}.w"]["w"].T
        return found

    def step(self) -> None:
        o = self.optimizer
        for name, g in self.gradients().items():
            p = self.own[name]
            free = ~p["held"]
            decay = o.weight_decay * p["w"]
            g = g if isinstance(o, tn.AdamW) else g + decay
            p["n"] = p["n"] + free
            p["m"] = np.where(free, o.beta1 * p["m"] + (1 - o.beta1) * g, p["m"])
            p["s"] = np.where(free, o.beta2 * p["s"] + (1 - o.beta2) * g**2, p["s"])
            n = np.maximum(p["n"], 1)
            move = o.lr * p["m"] / (1 - o.beta1**n) / (np.sqrt(p["s"] / (1 - o.beta2**n)) + o.epsilon)
            if isinstance(o, tn.AdamW):
                move = move + o.lr * decay
            p["w"] = np.where(free, p["w"] - move, p["w"])

    def each(self, block: str, unit: int) -> list[tuple[np.ndarray, Any]]:
        """The arrays that a unit has parameters in, each with its place: a column of w, an element of b."""
        w, b = self.own[f"{block}.w"], self.own[f"{block}.b"]
        return [(w, np.s_[:, unit]), (b, np.s_[unit])]  # type: ignore[list-item]

    def set(self, block: str, unit: int, **values: Any) -> None:
        for arrays, place in self.each(block, unit):
            for key, value in values.items():
                arrays[key][place] = value  # type: ignore[call-overload]

    def hold(self, block: str, units: list[int], held: bool) -> None:
        for unit in units:
            self.set(block, unit, held=held)

    def anew(self, block: str, unit: int) -> None:
        self.set(block, unit, m=0, s=0, n=0)

    def copy(self, block: str, source: int, target: int) -> None:
        for arrays, _ in self.each(block, source)[:1]:
            for key in "msn":
                arrays[key][:, target] = arrays[key][:, source]  # type: ignore[call-overload]
        b = self.own[f"{block}.b"]
        for key in "msn":
            b[key][target] = b[key][source]

    def prune(self, unit: int, behind: str) -> None:
        for name, axis in (("hidden.w", 1), ("hidden.b", 0), (f"{behind}.w", 0)):
            self.own[name] = {key: np.delete(array, unit, axis) for key, array in self.own[name].items()}

    def grow(self, behind: str) -> None:
        for name, axis in (("hidden.w", 1), ("hidden.b", 0), (f"{behind}.w", 0)):
            for key, array in self.own[name].items():
                one = np.zeros_like(array.take([0], axis))
                self.own[name][key] = np.append(array, one, axis)


def act(lab: tn.Lab, slow: Slow, op: str, unit: int, other: int) -> None:
    """Apply an operation to both, if it can be applied."""
    names = [layer.name for layer in lab.network.layers if layer.parameters()]
    units, behind = lab.network["hidden"].w.shape[1], names[1]
    unit, other = unit % units, other % units
    one, two = f"hidden[{unit}]", f"hidden[{other}]"
    held = slow.own["hidden.b"]["held"]
    if op == "freeze":
        lab.freeze(one)
        slow.hold("hidden", [unit], True)
    elif op == "freeze all":
        lab.freeze("hidden")
        slow.hold("hidden", list(range(units)), True)
    elif op == "freeze output":
        lab.freeze("output")
        slow.hold("output", [0, 1], True)
    elif op == "unfreeze output" and slow.own["output.b"]["held"].any():
        lab.unfreeze("output")
        slow.hold("output", [0, 1], False)
    elif op == "unfreeze" and held.any():
        lab.unfreeze("hidden")
        slow.hold("hidden", list(range(units)), False)
    elif op == "reinit":
        lab.reinit(one)
        slow.anew("hidden", unit)
    elif op == "transplant":
        lab.transplant(one, branch="main")
        slow.anew("hidden", unit)
    elif op == "copy" and unit != other:
        lab.copy(one, two)
        slow.copy("hidden", unit, other)
    elif op == "prune" and units > 2:
        lab.prune(one)
        slow.prune(unit, behind)
    elif op == "grow" and not slow.own[f"{behind}.b"]["held"].any():
        lab.grow("hidden", 1)
        slow.grow(behind)
    elif op == "split" and not held.any() and not slow.own[f"{behind}.b"]["held"].any():
        lab.grow("hidden", 1, split=unit)
        slow.grow(behind)
    elif op == "insert" and len(names) == 2:
        lab.insert("hidden", "linear", name="more")
    elif op == "remove" and len(names) == 3 and len(set(lab.network["more"].w.shape)) == 1:
        lab.remove("more")
        del slow.own["more.w"], slow.own["more.b"]
    elif op == "set_weight":
        lab.set_weight(f"hidden.b[{unit}]", 0.3)
    elif op == "lr":
        lab.set("lr", 0.003)
        slow.optimizer = lab.state.hyper.optimizer
    elif op in ADAMS:
        lab.set("optimizer", "adamw" if op == "adamw" else "adam", lr=0.01)
        slow.optimizer = lab.state.hyper.optimizer
        for arrays in slow.own.values():
            for key in "msn":
                arrays[key][...] = 0
    slow.take_weights()


OPS = [
    *("freeze", "freeze all", "freeze output", "unfreeze output", "unfreeze", "reinit", "transplant", "copy"),
    *("prune", "grow", "split", "insert", "remove", "set_weight", "lr", "adam", "adamw"),
]


def vector(lab: tn.Lab, slow: Slow, key: str) -> np.ndarray:
    """One value (`key`) of each parameter in the slow Adam, in the order of theta."""
    names = [f"{layer.name}.{entry.name}" for layer in lab.network.layers for entry in layer.parameters()]
    return np.concatenate([slow.own[name][key].ravel() for name in names])


def check(lab: tn.Lab, slow: Slow) -> None:
    state = lab.state
    np.testing.assert_array_equal(counts_of(state), vector(lab, slow, "n"))
    for ours, key in ((state.theta, "w"), (state.slots["mean"], "m"), (state.slots["square"], "s")):
        np.testing.assert_allclose(ours, vector(lab, slow, key), rtol=1e-8, atol=1e-11)


def walk(optimizer: str, acts: list[tuple[str, int, int, int]]) -> tn.Lab:
    lab = lab_of(ADAMS[optimizer])
    slow = Slow(lab)
    for op, unit, other, steps in acts:
        act(lab, slow, op, unit, other)
        for _ in range(steps):
            lab.step()
            slow.step()
            check(lab, slow)
    return lab


ACTS = st.lists(st.tuples(st.sampled_from(OPS), st.integers(0, 9), st.integers(0, 9), st.integers(0, 4)), max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(ADAMS)), ACTS)
def test_every_parameter_moves_as_an_adam_that_counts_its_own_updates(
    optimizer: str, acts: list[tuple[str, int, int, int]]
) -> None:
    walk(optimizer, acts)


@pytest.mark.proof
@settings(max_examples=PROOF, deadline=None)
@given(st.sampled_from(list(ADAMS)), ACTS)
def test_so_it_does_over_hundreds_of_random_walks_that_verify(
    optimizer: str, acts: list[tuple[str, int, int, int]]
) -> None:
    lab = walk(optimizer, acts)
    assert lab.verify().equal


# -- the first move


def late(lab: tn.Lab, how: str) -> None:
    """Let a part of `hidden` begin to learn after 1,000 updates of the rest."""
    if how == "unfreeze":
        lab.freeze("hidden[1]")
    lab.run(1000)
    acts: dict[str, Callable[[], object]] = {
        "unfreeze": lambda: lab.unfreeze("hidden[1]"),
        "reinit": lambda: lab.reinit("hidden[1]"),
        "transplant": lambda: lab.transplant("hidden[1]", bookmark="start"),
        "grow": lambda: lab.grow("hidden", 2),
        "split": lambda: lab.grow("hidden", 1, split=1),
        "insert": lambda: lab.insert("hidden", "linear", name="more"),
        "optimizer": lambda: lab.set("optimizer", "adam", lr=0.01),
    }
    acts[how]()


@pytest.mark.parametrize("how", ["unfreeze", "reinit", "transplant", "grow", "split", "insert", "optimizer"])
@pytest.mark.parametrize("kind", [tn.Adam, tn.AdamW])
def test_what_begins_late_moves_by_the_rate_at_first(kind: Any, how: str) -> None:
    lab = lab_of(kind(0.01, weight_decay=0.0))
    lab.bookmark("start")
    late(lab, how)
    fresh = counts_of(lab.state) == 0
    assert fresh.any()
    sizes = []
    for _ in range(4):
        before = lab.state.theta
        lab.step()
        sizes.append(float(np.abs(lab.state.theta - before)[fresh].max() / 0.01))
    assert max(sizes) < 1.05
    if how not in ("split", "insert", "grow"):  # its gradient may be near zero at first
        assert sizes[0] == pytest.approx(1, rel=1e-3)


def test_a_run_of_the_first_rules_counts_for_all_together(tmp_path: Path) -> None:
    text = Path(tn.__file__).with_name("recipes").joinpath("xor.toml").read_text()
    text = re.sub(r'(?ms)^kind = "sgd".*?^momentum = 0.9$', 'kind = "adam"\nlr = 0.01', text)
    path = tmp_path / "old.toml"
    path.write_text(re.sub(r"(?m)^\[training\]$", "[training]\nrules = 1", text))
    lab = tn.Lab(path)
    assert lab.state.hyper.rules == FIRST
    assert lab.state.hyper.optimizer.kind == "adam"
    lab.freeze("hidden[1]")
    lab.run(100)
    lab.unfreeze("hidden[1]")
    assert lab.state.counts is ALIKE
    assert (counts_of(lab.state) == 100).all()


# -- as data


def test_counts_come_back_from_a_save_a_move_and_a_replay(tmp_path: Path) -> None:
    acts = [("freeze", 1, 0, 3), ("reinit", 2, 0, 4), ("unfreeze", 0, 0, 2), ("grow", 0, 0, 3), ("freeze", 0, 0, 2)]
    lab = walk("adam", acts)
    digest, counts = lab.state.digest(), counts_of(lab.state)
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(tmp_path / "x.msgpack")
    assert again.state.digest() == digest
    np.testing.assert_array_equal(counts_of(again.state), counts)
    assert again.verify().equal
    again.seek(4)
    again.seek(lab.step_number)
    assert again.state.digest() == digest
    lab.undo()
    lab.redo()
    assert lab.state.digest() == digest
    other = tn.Lab(tmp_path / "x.msgpack")
    for run in (lab, other):
        run.unfreeze("hidden[0]")
        run.run(5)
    assert other.state.digest() == lab.state.digest()


def test_what_is_undone_at_the_same_step_leaves_the_state_as_it_was() -> None:
    lab = lab_of(ADAMS["adam"])
    lab.run(5)
    before = lab.state.digest()
    lab.freeze("hidden")
    assert lab.state.digest() != before
    lab.unfreeze("hidden")
    assert lab.state.digest() == before


def test_a_refused_edit_leaves_counts_and_slots_alone() -> None:
    lab = lab_of(ADAMS["adam"], "float32")
    lab.freeze("hidden[1]")
    lab.run(3)
    lab.nudge("hidden[2]", 3e38)
    before = lab.state.digest()
    with pytest.raises(tn.EditError, match="would become NaN or infinite"):
        lab.nudge("hidden[2]", 3e38)
    assert lab.state.digest() == before


def test_only_unlike_counts_cost_a_step_anything() -> None:
    lab = lab_of(ADAMS["adam"])
    lab.run(3)
    assert lab.player.trainer.scratch.late is None
    lab.freeze("hidden[1]")
    lab.run(3)
    assert lab.player.trainer.scratch.late is None
    lab.unfreeze("hidden[1]")
    lab.run(3)
    assert lab.player.trainer.scratch.late is not None
    lab.set("optimizer", "adam")
    lab.run(3)
    assert lab.player.trainer.scratch.late is None
    assert lab.state.counts is ALIKE


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop"])
def test_an_optimizer_that_corrects_nothing_keeps_no_counts_until_another_does(name: str) -> None:
    lab = lab_of(ADAMS["adam"])
    lab.freeze("hidden[1]")
    lab.run(2)
    lab.set("optimizer", name, lr=0.01)
    lab.run(2)
    assert lab.state.counts is ALIKE
    lab.set("optimizer", "adam", lr=0.01)
    lab.run(2)
    lab.unfreeze("hidden[1]")
    before = lab.state.theta
    lab.step()
    moved = np.abs(lab.state.theta - before)[lab.network.unit_indices(lab.network.block("hidden"), [1])]
    np.testing.assert_allclose(moved, 0.01, rtol=1e-4)
