"""Random moves of a lab, compared with a plain record of all that was done: nothing is lost, no moment changes.

`pytest -m proof` does at least 10,000 actions; with TINYNETS_PROOF=10 in the environment ten times as many.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

import tinynets as tn
from tinynets.history import moves, runs
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.jobs import run_to_end
from tinynets.training.state import State

PROOF = 10_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
ONE_STEP = 5e-6  # seconds: more than 0, less than a step takes
LONG = 10**6
REFUSED = (tn.EditError, tn.TimelineError, tn.SelectorError, tn.NonFiniteError)


# -- the networks


def _points(layers: list[tn.Layer], optimizer: tn.Optimizer, memory: int, **options: Any) -> tn.Lab:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    y = (x[:, 1] > x[:, 0] ** 2).astype(np.int64)
    network = tn.Network([*layers, tn.Linear(6, 2, name="output")], input_shape=(2,))
    defaults: dict[str, Any] = {"loss": tn.CrossEntropy(), "batch": 8, "seed": 0, "memory": memory}
    return tn.Lab(network, data=(x, y), optimizer=optimizer, **(defaults | options))


def plain(memory: int) -> tn.Lab:
    return _points([tn.Linear(2, 6, name="hidden"), tn.Tanh()], tn.SGD(0.1), memory)


def momentum(memory: int) -> tn.Lab:
    layers = [tn.Linear(2, 6, name="hidden"), tn.Tanh()]
    return _points(layers, tn.SGD(0.1, momentum=0.9), memory, sampling="epoch", clip_norm=1.0)


def dropout(memory: int) -> tn.Lab:
    return _points([tn.Linear(2, 6, name="hidden"), tn.ReLU(), tn.Dropout(0.3)], tn.Adam(0.01), memory)


def statistics(memory: int) -> tn.Lab:
    return _points([tn.Linear(2, 6, name="hidden"), tn.BatchNorm(6), tn.Tanh()], tn.SGD(0.1), memory)


def carried(memory: int) -> tn.Lab:
    series = np.random.default_rng(0).normal(size=(121, 2))
    x, y = series[:-1].reshape(40, 3, 2), (series[1:, 0] > 0).astype(np.int64).reshape(40, 3)
    layers = [tn.RNN(2, 6, carry=4, name="hidden"), tn.Linear(6, 2, name="output")]
    network = tn.Network(layers, input_shape=(3, 2))
    optimizer, loss = tn.SGD(0.1, momentum=0.9), tn.CrossEntropy()
    return tn.Lab(
        network, data=(x, y), loss=loss, optimizer=optimizer, batch=4, sampling="stream", seed=0, memory=memory
    )


KINDS = (plain, momentum, dropout, statistics, carried)
UNITS = ("hidden[1]", "hidden[0:3]", "hidden", "output[0]")
PARAMETERS: tuple[tuple[str, str, tuple[Any, ...]], ...] = (
    ("set_weight", "output.w[1,0]", (0.5,)),
    ("nudge", "hidden[1]", (0.1,)),
    ("zero_weights", "hidden[0]", ()),
    ("reinit", "hidden[1]", ()),
    ("reinit", "hidden", ()),
    ("copy", "hidden[0]", ("hidden[2]",)),
    ("swap", "hidden[0]", ("hidden[1]",)),
    ("sign_flip", "hidden[1]", ()),
    ("round", "output", (4,)),
    ("sparsify", "hidden", (0.3,)),
    ("rate", "hidden[1]", (0.5,)),
    ("noise", "hidden[2]", (0.1,)),
    ("mean", "hidden[0,1]", ()),
    ("resample", "hidden[1]", ("train",)),
    ("scale", "hidden.pre[1]", (0.5,)),
)
MOST_UNITS = 10
SETTINGS = (
    ("lr", 0.05),
    ("lr", 0.2),
    ("momentum", 0.9),
    ("momentum", 0.0),
    ("weight_decay", 0.1),
    ("optimizer", "adam"),
    ("optimizer", "sgd"),
    ("hidden.rate", 0.5),
    ("clip_norm", 0.1),
)


# -- a record of what was done, kept beside the lab


@dataclass
class Line:
    """A branch as first seen: where it forked, and everything recorded on it since."""

    identity: int
    parent: int | None
    fork: int = 0
    shared: int = 0
    losses: bytes = b""
    edits: list[tuple[int, str]] = field(default_factory=list)


class History:
    """Every branch that ever existed, every moment seen and every bookmark; a moment shared by branches is one."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.numbers: dict[int, int] = {}
        self.digests: dict[tuple[int, int, int], str] = {}
        self.marks: dict[str, tuple[str, tuple[int, int, int]]] = {}

    def identity(self, moment: Moment) -> tuple[int, int, int]:
        """A key that is the same for the same moment on any branch, even after a branch is dropped."""
        line = self.lines[self.numbers[moment.branch]]
        while line.parent is not None and moment.step <= line.fork and moment.edits <= line.shared:
            line = self.lines[line.parent]
        return line.identity, moment.step, moment.edits

    def follow(self, lab: tn.Lab) -> None:
        """Check that nothing is lost or changed, and write down what is new."""
        branches = lab.player.timeline.branches
        assert set(self.numbers) <= set(branches)
        assert len({branch.name for branch in branches.values()}) == len(branches)
        for branch in branches.values():
            self._of_its_parent(branch, branches)
            if branch.number not in self.numbers:
                parent = None if branch.parent is None else self.numbers[branch.parent]
                self.lines.append(Line(len(self.lines), parent, branch.fork, branch.shared))
                self.numbers[branch.number] = len(self.lines) - 1
            line = self.lines[self.numbers[branch.number]]
            losses = branch.losses.values.tobytes()
            edits = [(placed.step, placed.edit.python()) for placed in branch.edits]
            assert losses.startswith(line.losses)
            assert edits[: len(line.edits)] == line.edits
            assert [step for step, _ in edits] == sorted(step for step, _ in edits)
            line.losses, line.edits = losses, edits

    def _of_its_parent(self, branch: Branch, branches: dict[int, Branch]) -> None:
        """Check that a branch and its parent agree on what they share."""
        if branch.parent is not None:
            parent = branches[branch.parent]
            assert branch.fork <= len(parent.losses)
            assert branch.losses.values[: branch.fork].tobytes() == parent.losses.values[: branch.fork].tobytes()
            assert branch.edits[: branch.shared] == parent.edits[: branch.shared]

    def see(self, moment: Moment, state: State) -> None:
        """Check that the digest of a moment is the one first seen there."""
        digest = state.digest()
        assert self.digests.setdefault(self.identity(moment), digest) == digest
        assert state.step == moment.step

    def reachable(self, identity: tuple[int, int, int], branches: dict[int, Branch]) -> bool:
        """Whether some existing branch still has a moment."""
        _, step, edits = identity
        return any(
            step <= len(branch.losses)
            and branch.edits_through(step - 1) <= edits <= branch.edits_through(step)
            and self.identity(Moment(branch.number, step, edits)) == identity
            for branch in branches.values()
        )


def moments(branch: Branch) -> Iterator[Moment]:
    """Every recorded moment of a branch, in order."""
    for step in range(len(branch.losses) + 1):
        for edits in range(branch.edits_through(step - 1), branch.edits_through(step) + 1):
            yield Moment(branch.number, step, edits)


def straight(make: Callable[[int], tn.Lab], branch: Branch, moment: Moment) -> tn.Lab:
    """A new lab that went straight to a moment."""
    lab = make(2**30)
    for placed in branch.edits[: moment.edits]:
        if placed.step > lab.step_number:
            lab.run(placed.step - lab.step_number)
        eval(placed.edit.script(), {"lab": lab})
    if moment.step > lab.step_number:
        lab.run(moment.step - lab.step_number)
    return lab


def where(lab: tn.Lab) -> tuple[Any, ...]:
    """All that a refused move must leave unchanged."""
    timeline = lab.player.timeline
    undo = tuple(timeline.actions), tuple(timeline.undone)
    return lab.moment, lab.state.digest(), lab.player.phases_done, timeline.extent(), undo


class RandomMoves(RuleBasedStateMachine):
    """A lab under random actions, with a history kept beside it."""

    folder: Path
    done: Counter[str]

    @initialize(
        kind=st.sampled_from(KINDS), states=st.sampled_from([1, 12, 10_000]), cost=st.sampled_from([0.05, 1e-9])
    )
    def start(self, kind: Callable[[int], tn.Lab], states: int, cost: float) -> None:
        runs.KEYFRAME_COST = cost
        self.make, self.memory = kind, states * kind(1).state.nbytes()
        self.lab, self.history, self.names = kind(self.memory), History(), 0
        self.check("start")

    def teardown(self) -> None:
        if hasattr(self, "lab"):
            lab = straight(self.make, self.lab.player.branch, self.lab.moment)
            assert lab.state.digest() == self.lab.state.digest()

    def check(self, action: str) -> None:
        """Check after an action everything that must hold."""
        lab, history = self.lab, self.history
        self.done[action] += 1
        history.follow(lab)
        history.see(lab.moment, lab.state)
        branch, (number, step, edits) = lab.player.branch, lab.moment
        assert lab.player.timeline.current == number == branch.number
        assert branch.edits_through(step - 1) <= edits <= branch.edits_through(step)
        assert [entry.python for entry in lab.log] == [placed.edit.python() for placed in branch.edits[:edits]]
        assert lab.loss == (float(branch.losses.values[step - 1]) if step else None)
        found = {mark.name: (mark.note, history.identity(mark.moment)) for mark in lab.bookmarks}
        assert found == history.marks

    def attempt(self, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Try an act; if it is refused, check that nothing has changed, and return None."""
        before = where(self.lab)
        try:
            return act(*arguments, **named)
        except tn.NonFiniteError:
            return None
        except REFUSED:
            assert where(self.lab) == before
            return None

    def picked(self, number: int) -> str:
        return self.lab.branches[number % len(self.lab.branches)]

    # -- training and operating

    @rule()
    def step(self) -> None:
        self.attempt(self.lab.step)
        self.check("step")

    @rule(count=st.integers(1, 40))
    def run(self, count: int) -> None:
        self.attempt(self.lab.run, count)
        self.check("run")

    @rule(count=st.integers(1, 12))
    def phase(self, count: int) -> None:
        for _ in range(count):
            self.attempt(self.lab.phase)
        self.check("phase")

    @rule(count=st.integers(1, 4))
    def phase_back(self, count: int) -> None:
        for _ in range(count):
            before, half = self.lab.moment, self.lab.player.phases_done
            report = self.attempt(self.lab.phase_back)
            if report:
                total = len(self.lab.player.phase_order)
                assert self.lab.player.phases_done == (half - 1 if half else total - 1) == report.done
                assert self.lab.step_number == before.step - (not half)
            self.check("phase_back")

    @rule(share=st.floats(0, 1))
    def phase_to(self, share: float) -> None:
        order = self.lab.player.phase_order
        self.attempt(self.lab.phase_to, str(order[round(share * (len(order) - 1))]))
        self.check("phase_to")

    @rule()
    def step_out(self) -> None:
        self.attempt(self.lab.step_out)
        self.check("step_out")

    @rule(count=st.integers(1, 12), acts=st.lists(st.sampled_from(["zero", "release", "undo", "redo", "phase"])))
    def operate_in_mid_step(self, count: int, acts: list[str]) -> None:
        self.phase(count)
        for act in acts:
            half = self.lab.player.phases_done
            done = self.attempt(getattr(self.lab, act), *(["hidden[2]"] if act in ("zero", "release") else []))
            if half and done and act in ("zero", "release"):
                assert self.lab.player.phases_done == half
                assert self.lab.player.branch.edits[-1].phase
            self.check(act)

    @rule(op=st.sampled_from(["zero", "release", "freeze", "unfreeze", "reset"]), units=st.sampled_from(UNITS))
    def operate(self, op: str, units: str) -> None:
        self.attempt(getattr(self.lab, op), units)
        self.check(op)

    @rule(units=st.lists(st.integers(0, 5), min_size=2, max_size=4))
    def operate_several_times_at_one_step(self, units: list[int]) -> None:
        for unit in units:
            self.attempt(self.lab.zero, f"hidden[{unit}]")
            self.check("zero")
            self.attempt(self.lab.freeze, f"hidden[{unit}]")
            self.check("freeze")

    @rule(act=st.sampled_from(PARAMETERS))
    def change_parameters(self, act: tuple[str, str, tuple[Any, ...]]) -> None:
        op, target, arguments = act
        self.attempt(getattr(self.lab, op), target, *arguments)
        self.check(op)

    @rule(units=st.sampled_from(["hidden[0]", "hidden[2]", "hidden[1,3]", "output[0]"]))
    def prune(self, units: str) -> None:
        self.attempt(self.lab.prune, units)
        self.check("prune")

    @rule(count=st.integers(1, 2), split=st.sampled_from([None, 0, 1]))
    def grow(self, count: int, split: int | None) -> None:
        if self.lab.network.block("hidden").units < MOST_UNITS:
            self.attempt(self.lab.grow, "hidden", count, split=split)
        self.check("grow")

    @rule(kind=st.sampled_from(["linear", "dropout", "identity"]))
    def insert(self, kind: str) -> None:
        self.attempt(self.lab.insert, "hidden", kind, name="extra")
        self.check("insert")

    @rule(layer=st.sampled_from(["extra", "extra", "tanh1", "relu1"]))
    def remove(self, layer: str) -> None:
        self.attempt(self.lab.remove, layer)
        self.check("remove")

    @rule(number=st.integers(0, 1000), units=st.sampled_from(UNITS), example=st.integers(0, 5))
    def patch_from_a_branch(self, number: int, units: str, example: int) -> None:
        self.attempt(self.lab.patch, units, example=example, branch=self.picked(number))
        self.check("patch")

    @rule(number=st.integers(0, 1000), units=st.sampled_from(UNITS))
    def transplant(self, number: int, units: str) -> None:
        self.attempt(self.lab.transplant, units, branch=self.picked(number))
        self.check("transplant")

    @rule(to=st.sampled_from(["relu", "tanh", "sigmoid"]))
    def activation(self, to: str) -> None:
        self.attempt(self.lab.activation, "hidden", to)
        self.check("activation")

    @rule(setting=st.sampled_from(SETTINGS))
    def set(self, setting: tuple[str, Any]) -> None:
        self.attempt(self.lab.set, *setting)
        self.check("set")

    @rule(clean=st.booleans())
    def evaluate(self, clean: bool) -> None:
        before = where(self.lab)[:3]
        self.lab.evaluate("train", clean=clean)
        assert where(self.lab)[:3] == before
        self.check("evaluate")

    # -- moving

    @rule(verb=st.sampled_from(["undo", "redo"]), times=st.integers(1, 3))
    def undo_or_redo(self, verb: str, times: int) -> None:
        for _ in range(times):
            timeline, half = self.lab.player.timeline, self.lab.player.phases_done
            actions = timeline.actions if verb == "undo" else timeline.undone
            before, after = actions[-1] if actions else (self.lab.moment, self.lab.moment)
            if self.attempt(getattr(self.lab, verb)) and not half:
                assert self.lab.moment == (before if verb == "undo" else after)
            self.check(verb)

    @rule(share=st.floats(0, 1.1))
    def seek(self, share: float) -> None:
        step = int(share * self.lab.end)
        if self.attempt(self.lab.seek, step):
            assert self.lab.step_number == step
        self.check("seek")

    @rule(share=st.floats(0, 1), edits=st.integers(0, 3))
    def seek_among_edits(self, share: float, edits: int) -> None:
        branch = self.lab.player.branch
        edited = [placed.step for placed in branch.edits] or [0]
        step = edited[int(share * (len(edited) - 1))]
        before = branch.edits_through(step - 1)
        if self.attempt(self.lab.seek, step, edits=edits):
            assert self.lab.moment == Moment(branch.number, step, before + edits)
        self.check("seek edits=")

    @rule(count=st.integers(1, 30))
    def back(self, count: int) -> None:
        begun, half = self.lab.step_number, self.lab.player.phases_done > 0
        if self.attempt(self.lab.back, count):
            assert self.lab.step_number == begun - count + half
        self.check("back")

    @rule(share=st.floats(0, 1), number=st.integers(0, 1000))
    def look_elsewhere(self, share: float, number: int) -> None:
        before = where(self.lab)
        branch = self.lab.player.timeline.named(self.picked(number))
        moment = self.lab.player.branch.moment_at(int(share * len(branch.losses)))
        moment = Moment(branch.number, moment.step, branch.edits_through(moment.step))
        self.history.see(moment, run_to_end(moves.state_at(self.lab.player, moment)))
        assert where(self.lab) == before
        self.check("look elsewhere")

    @rule(every=st.integers(2, 30), rest=st.integers(0, 29), limit=st.integers(1, 40))
    def run_until(self, every: int, rest: int, limit: int) -> None:
        def holds(moment: Moment) -> bool:
            return (moment.step + 3 * moment.edits) % every == rest

        begun = self.lab.moment
        report = self.attempt(self.lab.run_until, lambda lab: holds(lab.moment), limit=limit)
        if report:
            _, step, edits = here = self.lab.moment
            assert report.found == holds(here)
            passed = [m for m in moments(self.lab.player.branch) if begun[1:] < m[1:] < (step, edits)]
            assert not any(map(holds, passed))
            assert report.found or step == begun.step + limit
        self.check("run_until")

    @rule(every=st.integers(2, 60), rest=st.integers(0, 59))
    def back_until(self, every: int, rest: int) -> None:
        def holds(moment: Moment) -> bool:
            return (moment.step + 3 * moment.edits) % every == rest

        self.lab.player.cancel_step()
        home, before = self.lab.moment, where(self.lab)
        report = self.lab.back_until(lambda lab: holds(lab.moment))
        wanted = [moment for moment in moments(self.lab.player.branch) if moment < home and holds(moment)]
        assert report.found == bool(wanted)
        assert self.lab.moment == (wanted[-1] if wanted else home)
        if not wanted:
            assert where(self.lab) == before
        self.check("back_until")

    @rule(verb=st.sampled_from(["run", "seek", "undo", "switch", "run_until", "back_until"]), pieces=st.integers(1, 20))
    def cancel(self, verb: str, pieces: int) -> None:
        asked = lambda lab: False  # noqa: E731
        arguments = {"run": (LONG,), "seek": (self.lab.end // 2,), "switch": (self.picked(pieces),)}
        arguments |= {"undo": (), "run_until": (asked,), "back_until": (asked,)}
        work = self.lab.work(verb, arguments[verb], {})
        try:
            for _ in range(pieces):
                next(work)
        except (StopIteration, *REFUSED):
            pass
        work.close()
        self.check("cancel")

    # -- branches and bookmarks

    @rule()
    def fork(self) -> None:
        self.names += 1
        self.lab.fork(f"fork{self.names}")
        self.check("fork")

    @rule(number=st.integers(0, 1000))
    def switch(self, number: int) -> None:
        branch = self.lab.player.timeline.named(self.picked(number))
        undone = [placed.edit.python() for placed in branch.edits[branch.seen_end.edits :]]
        self.lab.switch(branch.name)
        assert self.lab.moment == branch.seen_end
        assert bool(undone) == self.lab.player.in_past
        self.check("switch")

    @rule(number=st.integers(0, 1000), new=st.sampled_from(["main", "x", "y", "branch-2", "z"]))
    def rename(self, number: int, new: str) -> None:
        self.attempt(self.lab.rename, self.picked(number), new)
        self.check("rename")

    @rule(number=st.integers(0, 1000))
    def drop(self, number: int) -> None:
        name, timeline, history = self.picked(number), self.lab.player.timeline, self.history
        gone = timeline.named(name).number
        if self.attempt(self.lab.drop, name):
            del history.numbers[gone]
            left = {mark.name for mark in self.lab.bookmarks}
            for mark, (_, identity) in list(history.marks.items()):
                assert (mark in left) == history.reachable(identity, timeline.branches)
                if mark not in left:
                    del history.marks[mark]
        self.check("drop")

    @rule(name=st.sampled_from("abcdefgh"), note=st.sampled_from(["", "why"]))
    def bookmark(self, name: str, note: str) -> None:
        self.lab.bookmark(name, note)
        self.history.marks[name] = note, self.history.identity(self.lab.moment)
        self.check("bookmark")

    @rule(name=st.sampled_from("abcdefgh"))
    def seek_bookmark(self, name: str) -> None:
        if self.attempt(self.lab.seek, name):
            assert self.history.identity(self.lab.moment) == self.history.marks[name][1]
        self.check("seek bookmark")

    @rule(name=st.sampled_from("abcdefgh"))
    def unbookmark(self, name: str) -> None:
        if self.attempt(self.lab.unbookmark, name):
            del self.history.marks[name]
        self.check("unbookmark")

    # -- saving

    @rule()
    def save_and_load(self) -> None:
        path = self.folder / "moments.msgpack"
        self.attempt(self.lab.save, path)
        self.check("save")
        saved = self.lab
        assert not saved.unsaved
        self.lab = tn.Lab(path, memory=self.memory)
        assert self.lab.moment == saved.moment
        assert self.lab.branches == saved.branches
        assert self.lab.tree == saved.tree
        assert self.lab.log == saved.log
        assert self.lab.evaluations == saved.evaluations
        assert self.lab.player.timeline.actions == saved.player.timeline.actions
        self.check("load")


def wander(folder: Path, examples: int, steps: int, done: Counter[str]) -> None:
    """Walk at random, so many actions each; work is done in pieces of a step, to be cancelled anywhere."""
    machine: Any = type("Machine", (RandomMoves,), {"folder": folder, "done": done})
    machine.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine.TestCase("runTest").runTest()


@pytest.fixture
def pieces_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEYFRAME_COST", 0.05)  # the machine sets others
    monkeypatch.setattr(runs, "PIECE", ONE_STEP)


@pytest.mark.usefixtures("pieces_of_a_step")
def test_a_moment_has_the_same_bytes_however_it_is_reached_and_nothing_recorded_is_lost(tmp_path: Path) -> None:
    done: Counter[str] = Counter()
    wander(tmp_path, 20, 40, done)
    assert done.total() > 200


@pytest.mark.proof
@pytest.mark.usefixtures("pieces_of_a_step")
def test_thousands_of_actions_lose_nothing(tmp_path: Path) -> None:
    done: Counter[str] = Counter()
    while done.total() < PROOF:
        wander(tmp_path, 100, 60, done)
    print(f"\n{done.total():,} actions: " + ", ".join(f"{count:,} {verb}" for verb, count in done.most_common()))
    assert done.total() >= PROOF
    assert len(done) >= 30
