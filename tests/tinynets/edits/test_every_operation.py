"""A run with every operation on three branches: its save and its script both give the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tinynets as tn
from tinynets.edits.edit import OPERATIONS

RANDOM = np.random.default_rng(0)


def first(folder: Path) -> tn.Lab:
    """A saved lab, which a script needs."""
    layers = [
        tn.RNN(3, 5, name="memory"),
        tn.LastStep(),
        tn.Linear(5, 6, name="hidden"),
        tn.BatchNorm(6),
        tn.Tanh(),
        tn.Residual([tn.Linear(6, 4, name="inside"), tn.ReLU(), tn.Linear(4, 6)], name="block"),
        tn.Linear(6, 2, name="output"),
    ]
    network = tn.Network(layers, seed=3, input_shape=(4, 3))
    data = RANDOM.normal(size=(32, 4, 3)), np.arange(32) % 2
    lab = tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.Adam(0.01), batch=8, seed=4)
    lab.run(3)
    lab.save(folder / "start")
    return lab


ACTS: list[Callable[[tn.Lab], object]] = [
    lambda lab: lab.zero("hidden[1]"),
    lambda lab: lab.mean("hidden[2]", "train"),
    lambda lab: lab.resample("hidden.pre[3]", examples=6),
    lambda lab: lab.clamp("memory[1]@t=2", 0.25),
    lambda lab: lab.scale("block[0:2]", 0.5),
    lambda lab: lab.noise("memory[2]", 0.1),
    lambda lab: lab.patch("hidden[4]", example=2),
    lambda lab: lab.patch("hidden[5]", example=1, bookmark="three"),
    lambda lab: lab.steer("block.inside", toward=0, away=1, scale=0.5),
    lambda lab: lab.release("hidden[2]"),
    lambda lab: lab.freeze("hidden[0]"),
    lambda lab: lab.freeze("memory[3]", outgoing=True),
    lambda lab: lab.freeze("output.w[1,0]"),
    lambda lab: lab.unfreeze("memory[3]"),
    lambda lab: lab.rate("hidden[3]", 0.1),
    lambda lab: lab.set_weight("hidden.w[4,3]", 0.5),
    lambda lab: lab.nudge("hidden[2]", 0.1),
    lambda lab: lab.zero_weights("block.inside[1]"),
    lambda lab: lab.reinit("memory[4]"),
    lambda lab: lab.copy("hidden[2]", "hidden[5]"),
    lambda lab: lab.swap("memory[0]", "memory[1]", outgoing=True),
    lambda lab: lab.sign_flip("memory[2]", outgoing=True),
    lambda lab: lab.round("output", 6),
    lambda lab: lab.sparsify("hidden", 0.2),
    lambda lab: lab.transplant("hidden[1,2]", bookmark="three"),
    lambda lab: lab.activation("block.inside", "elu", alpha=0.7),
    lambda lab: lab.prune("block.inside[2]"),
    lambda lab: lab.grow("block.inside", 2, split=0),
    lambda lab: lab.grow("memory", 1),
    lambda lab: lab.insert("hidden", "linear", name="more"),
    lambda lab: lab.insert("block.inside", "dropout", rate=0.1),
    lambda lab: lab.remove("block.dropout1"),
    lambda lab: lab.reset("hidden"),
    lambda lab: lab.set("optimizer", "momentum", lr=0.02),
    lambda lab: lab.set("hidden.rate", 0.5),
]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> tn.Lab:
    """Three branches: all operations on one, some again on others that fork before and after surgery."""
    lab = first(tmp_path_factory.mktemp("every"))
    lab.bookmark("three")
    for number, act in enumerate(ACTS):
        act(lab)
        lab.run(1 + number % 3)
    end = lab.step_number
    lab.seek(end // 2)
    lab.fork("second")
    for act in (ACTS[27], ACTS[28], ACTS[18], ACTS[1]):
        act(lab)
        lab.run(2)
    lab.bookmark("of the second")
    lab.switch("main")
    lab.seek(end - 5)
    lab.fork("third")
    lab.prune("block.inside[0]")
    lab.run(3)
    lab.transplant("memory[0:3]", branch="second")
    lab.patch("memory", example=0, branch="main")
    lab.run(3)
    lab.insert("block", "linear")
    lab.run(2)
    return lab


def test_every_operation_is_in_the_run(busy: tn.Lab) -> None:
    done = {placed.edit.op for branch in busy.player.timeline.branches.values() for placed in branch.edits}
    assert done == set(OPERATIONS)
    assert len(busy.branches) == 3


def digests(lab: tn.Lab) -> dict[tuple[str, int], str]:
    """The digests along each branch, after the edits of every third step."""
    found = {}
    for branch in lab.branches:
        lab.switch(branch)
        for step in (*range(0, lab.end, 3), lab.end):
            lab.seek(step)
            found[branch, step] = lab.state.digest()
    return found


@pytest.mark.proof
def test_a_save_of_it_replays_to_equal_digests(busy: tn.Lab, tmp_path: Path) -> None:
    wanted = digests(busy)
    path = busy.save(tmp_path / "every").path
    again = tn.Lab(path)
    assert digests(again) == wanted
    assert digests(tn.Lab(path, memory=1)) == wanted  # computed from a distant keyframe
    report = again.verify()
    assert report.equal
    branches = again.player.timeline.branches.values()
    assert (report.branches, report.edits) == (3, sum(len(branch.edits) - branch.shared for branch in branches))


@pytest.mark.proof
def test_the_script_of_it_reproduces_it(busy: tn.Lab, tmp_path: Path) -> None:
    busy.switch("third")
    (tmp_path / "run.py").write_text(
        busy.script() + "\nfor branch in lab.branches:\n    lab.switch(branch)\n    print(branch, lab.state.digest())\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(tn.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py"], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    wanted = {}
    for branch in busy.branches:
        busy.switch(branch)
        wanted[branch] = busy.state.digest()
    assert dict(line.split() for line in done.stdout.splitlines()[-3:]) == wanted


def test_each_is_undone_and_redone_to_the_byte(tmp_path: Path) -> None:
    lab = first(tmp_path)
    lab.bookmark("three")
    for act in ACTS:
        before = lab.state.digest()
        act(lab)
        after = lab.state.digest()
        lab.undo()
        assert lab.state.digest() == before
        lab.redo()
        assert lab.state.digest() == after
        lab.run(1)
