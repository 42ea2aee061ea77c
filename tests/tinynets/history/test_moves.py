"""Moving in time: a moment has the same bytes whenever and however it is reached, in whole steps or in phases."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import tinynets as tn
from tinynets.history import runs
from tinynets.history.moment import Moment

Make = Callable[..., tn.Lab]
LONG = 10**6
ONE_STEP = 5e-6  # seconds: more than 0, less than a step takes


@pytest.fixture
def lab(make_tiny: Make) -> tn.Lab:
    return make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))


def phases(lab: tn.Lab, count: int) -> list[str]:
    return [lab.phase().phase for _ in range(count)]


# -- phases

ORDER = [
    "batch",
    "forward hidden",
    "forward tanh1",
    "forward output",
    "loss",
    "backward output",
    "backward tanh1",
    "backward hidden",
    "update",
]


def test_phases_come_in_the_order_of_a_step(lab: tn.Lab) -> None:
    assert phases(lab, 18) == ORDER * 2
    assert lab.step_number == 2


def test_a_step_phase_by_phase_gives_the_bytes_of_a_whole_one(make_tiny: Make) -> None:
    for options in ({}, {"dtype": "float64", "optimizer": tn.SGD(0.1, momentum=0.9, weight_decay=0.01)}):
        whole, piecewise = make_tiny(**options), make_tiny(**options)
        for lab in (whole, piecewise):
            lab.zero("hidden[1]")
            lab.freeze("hidden[2]")
        for _ in range(5):
            whole.step()
            phases(piecewise, len(ORDER))
            assert piecewise.state.digest() == whole.state.digest()
            assert piecewise.loss == whole.loss


def test_phases_of_names_mlp_give_the_bytes_of_whole_steps() -> None:
    whole, piecewise = tn.Lab("names-mlp"), tn.Lab("names-mlp")
    whole.run(3)
    while piecewise.step_number < 3:
        piecewise.phase()
    assert piecewise.state.digest() == whole.state.digest()


def test_nothing_is_written_before_the_last_phase(lab: tn.Lab) -> None:
    lab.run(3)
    before = lab.state.digest()
    for _ in ORDER[:-1]:
        report = lab.phase()
        assert lab.state.digest() == before
        assert report.step == 3
    assert lab.phase().step == 4
    assert lab.state.digest() != before


def test_a_phase_report_tells_what_comes_next(lab: tn.Lab) -> None:
    assert str(lab.phase()) == "batch done (1 of 9), next forward hidden"
    phases(lab, 7)
    assert str(lab.phase()) == "update done: step 1 is complete"


@pytest.mark.parametrize("done", range(1, len(ORDER)))
@pytest.mark.parametrize(
    "act",
    [
        lambda lab: lab.back(),
        lambda lab: lab.undo(),
        lambda lab: lab.seek(3),
        lambda lab: lab.fork("other"),
    ],
)
def test_in_mid_step_going_back_drops_the_half_done_step(
    lab: tn.Lab, done: int, act: Callable[[tn.Lab], object]
) -> None:
    lab.run(3)
    before = lab.state.digest()
    phases(lab, done)
    act(lab)
    assert lab.step_number == 3
    assert lab.state.digest() == before
    assert lab.phase().phase == "batch"


@pytest.mark.parametrize("done", range(1, len(ORDER)))
@pytest.mark.parametrize("act", ["freeze", "save", "step", "run"])
def test_in_mid_step_an_edit_a_save_and_a_step_finish_the_step_first(
    make_tiny: Make, tmp_path: Path, done: int, act: str
) -> None:
    half, whole = make_tiny(), make_tiny()
    for lab in (half, whole):
        lab.run(3)
    phases(half, done)
    if act == "freeze":
        whole.step()
        reports = [lab.freeze("hidden[1]") for lab in (half, whole)]
        assert [report.finished for report in reports] == [4, None]
    elif act == "save":
        whole.step()
        assert str(half.save(tmp_path / "half.msgpack")).startswith("step 4 was finished first; saved ")
        assert "finished" not in str(half.save())
        half = tn.Lab(tmp_path / "half.msgpack")
    else:
        assert half.step().step == whole.step().step == 4
        if act == "run":
            assert half.run(3).step == whole.run(3).step
    assert half.state.digest() == whole.state.digest()
    assert half.moment == whole.moment


@pytest.mark.parametrize("act", ["back", "undo"])
def test_dropping_a_half_done_step_in_the_past_drops_the_edits_replayed_before_it_too(lab: tn.Lab, act: str) -> None:
    lab.run(5)
    lab.zero("hidden[1]")
    lab.run(3)
    lab.seek(3)
    lab.run(2)  # up to the edit, not past it
    before = lab.moment, lab.state.digest()
    phases(lab, 4)
    assert lab.interventions
    getattr(lab, act)()
    assert (lab.moment, lab.state.digest()) == before
    lab.step()
    assert lab.interventions


def test_back_two_in_mid_step_goes_one_whole_step_back(lab: tn.Lab) -> None:
    lab.run(2)
    before = lab.state.digest()
    lab.step()
    phases(lab, 4)
    lab.back(2)
    assert lab.state.digest() == before


def test_a_refused_edit_in_mid_step_leaves_the_step_half_done(lab: tn.Lab) -> None:
    phases(lab, 4)
    with pytest.raises(tn.SelectorError):
        lab.zero("hidden[99]")
    assert lab.phase().phase == "loss"


def test_looking_in_mid_step_changes_nothing(make_tiny: Make) -> None:
    looked, plain = make_tiny(), make_tiny()
    for _ in ORDER:
        for lab in (looked, plain):
            lab.phase()
        looked.evaluate("train")
        looked.probe_loss()
        looked.network.predict([[0.0, 1.0]])
    assert looked.state.digest() == plain.state.digest()


# -- cancelled


def test_a_cancelled_run_leaves_a_whole_moment_which_undo_leads_back_from(make_tiny: Make) -> None:
    lab, other = make_tiny(), make_tiny()
    work = lab.work("run", (LONG,), {})
    for _ in range(3):
        next(work)
    work.close()
    assert 0 < lab.step_number < LONG
    other.run(lab.step_number)
    assert lab.state.digest() == other.state.digest()
    assert lab.end == lab.step_number
    lab.undo()
    assert lab.step_number == 0
    lab.redo()
    assert lab.state.digest() == other.state.digest()


@pytest.mark.parametrize("verb", ["seek", "back", "undo", "switch"])
def test_a_cancelled_move_stays_where_it_was(lab: tn.Lab, verb: str) -> None:
    lab.run(300)
    lab.fork("other")
    lab.run(21)  # there is no keyframe at an odd step
    lab.zero("hidden[1]")
    lab.run(300)
    for step in (*range(1, 300, 3), 621):  # so that the ring of recent states has none nearby
        lab.seek(step)
    before = lab.moment, lab.state.digest(), lab.branch
    arguments: dict[str, tuple[Any, ...]] = {"seek": (150,), "back": (250,), "undo": (), "switch": ("main",)}
    work = lab.work(verb, arguments[verb], {})
    next(work)
    work.close()
    assert (lab.moment, lab.state.digest(), lab.branch) == before
    lab.run(10)
    assert lab.step_number == before[0].step + 10


def test_a_cancelled_evaluation_is_not_recorded(names: tn.Lab) -> None:
    work = names.work("evaluate", ("train",), {})
    next(work)
    work.close()
    assert names.evaluations == ()


def test_progress_counts_up_to_its_total(lab: tn.Lab) -> None:
    seen = list(lab.work("run", (2000,), {}))
    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    assert seen[-1].done == seen[-1].total == 2000
    assert {progress.what for progress in seen} == {"steps"}


# -- replay

REPLAY = """
import json, sys
import tinynets as tn
lab = tn.Lab(sys.argv[1])
digests = {"here": lab.state.digest()}
for step in range(0, 501, 50):
    lab.seek(step)
    digests[str(step)] = lab.state.digest()
print(json.dumps(digests))
"""


def test_a_save_replays_in_a_new_process_with_the_same_digests_at_every_fiftieth_step(tmp_path: Path) -> None:
    lab = tn.Lab("names-mlp", seed=5)
    edits: dict[int, list[Callable[[], object]]] = {
        0: [lambda: lab.zero("hidden[3]")],
        30: [lambda: lab.freeze("hidden[0:8]"), lambda: lab.set("momentum", 0.9)],
        50: [lambda: lab.set("lr", 0.02)],
        99: [lambda: lab.release("hidden[3]"), lambda: lab.zero("hidden.pre[5,6]")],
        250: [lambda: lab.unfreeze("hidden[2:5]"), lambda: lab.freeze("embed[1]")],
        333: [lambda: lab.set("momentum", 0.0), lambda: lab.set("weight_decay", 0.001)],
        400: [lambda: lab.zero("output[5]"), lambda: lab.release("output[5]")],
    }
    digests = {}
    for step in range(501):
        if step:
            lab.step()
        for act in edits.get(step, []):
            act()
        if step % 50 == 0:
            digests[str(step)] = lab.state.digest()
    lab.seek(120)
    digests["here"] = lab.state.digest()
    lab.save(tmp_path / "run.msgpack")
    made = subprocess.run(
        [sys.executable, "-c", REPLAY, str(tmp_path / "run.msgpack")], capture_output=True, text=True, check=True
    )
    assert json.loads(made.stdout) == digests


class Moments(RuleBasedStateMachine):
    """Moves a lab at random; at every moment its digest is the one first seen there."""

    memory = 2**20
    folder: Path
    make: Make

    @initialize()
    def start(self) -> None:
        self.lab = self.make(tn.Tanh(), optimizer=tn.SGD(0.1), memory=self.memory)
        self.seen: dict[Moment, str] = {}
        self.names = 0

    def attempt(self, act: Callable[..., object], *arguments: Any) -> None:
        """Try an act; if it is refused, it has changed nothing, not even an unfinished step or the moment."""
        before = self.lab.moment, self.lab.state.digest(), self.lab.player.phases_done
        try:
            act(*arguments)
        except (tn.EditError, tn.TimelineError):
            assert (self.lab.moment, self.lab.state.digest()) == before[:2]

    @invariant()
    def a_moment_has_the_bytes_first_seen_there(self) -> None:
        if hasattr(self, "lab"):
            digest = self.lab.state.digest()
            assert self.seen.setdefault(self.lab.moment, digest) == digest
            assert self.lab.state.step == self.lab.step_number

    @rule()
    def step(self) -> None:
        self.lab.step()

    @rule(count=st.integers(1, 40))
    def run(self, count: int) -> None:
        self.lab.run(count)

    @rule(count=st.integers(1, 12))
    def phase(self, count: int) -> None:
        for _ in range(count):
            self.lab.phase()

    @rule(
        op=st.sampled_from(["zero", "release", "freeze", "unfreeze"]),
        units=st.sampled_from(["hidden[1]", "hidden[0:3]", "hidden", "output[0]"]),
    )
    def operate(self, op: str, units: str) -> None:
        self.attempt(getattr(self.lab, op), units)

    @rule(unit=st.integers(0, 5))
    def zero_before_the_activation(self, unit: int) -> None:
        self.lab.zero(f"hidden.pre[{unit}]")

    @rule(
        setting=st.sampled_from([("lr", 0.05), ("lr", 0.2), ("momentum", 0.9), ("momentum", 0), ("weight_decay", 0.1)])
    )
    def set(self, setting: tuple[str, float]) -> None:
        self.lab.set(*setting)

    @rule()
    def undo(self) -> None:
        self.attempt(self.lab.undo)

    @rule()
    def redo(self) -> None:
        self.attempt(self.lab.redo)

    @rule(share=st.floats(0, 1.1))
    def seek(self, share: float) -> None:
        self.lab.seek(int(share * self.lab.end))

    @rule(count=st.integers(1, 30))
    def back(self, count: int) -> None:
        self.attempt(self.lab.back, count)

    @rule()
    def fork(self) -> None:
        self.names += 1
        self.lab.fork(f"fork{self.names}")

    @rule(number=st.integers(0, 1000))
    def switch(self, number: int) -> None:
        self.lab.switch(self.lab.branches[number % len(self.lab.branches)])

    @rule(verb=st.sampled_from(["run", "seek", "undo"]), pieces=st.integers(1, 20))
    def cancel(self, verb: str, pieces: int) -> None:
        arguments = {"run": (LONG,), "seek": (self.lab.end // 2,), "undo": ()}
        work = self.lab.work(verb, arguments[verb], {})
        try:
            for _ in range(pieces):
                next(work)
        except (StopIteration, tn.TimelineError):
            pass
        work.close()

    @rule()
    def save_and_load(self) -> None:
        path = self.folder / "moments.msgpack"
        self.lab.save(path)
        branches, losses = self.lab.branches, self.lab.losses
        log = self.lab.log
        self.lab = tn.Lab(path)
        assert self.lab.branches == branches
        assert self.lab.losses.tobytes() == losses.tobytes()
        assert self.lab.log == log


def wander(make: Make, folder: Path, states: int, *, examples: int, steps: int) -> None:
    """Walk at random, with memory for so many states; work is done in pieces of a step, to be cancelled anywhere."""
    memory = states * make().state.nbytes()
    machine: Any = type("Machine", (Moments,), {"make": staticmethod(make), "folder": folder, "memory": memory})
    machine.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
    )
    machine.TestCase("runTest").runTest()


@pytest.mark.parametrize(
    ("cost", "states"), [(0.05, 10_000), (1e-9, 10_000), (1e-9, 12)], ids=["sparse", "dense", "tight"]
)
def test_a_moment_has_the_same_bytes_however_it_is_reached(
    make_tiny: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cost: float, states: int
) -> None:
    monkeypatch.setattr(runs, "KEYFRAME_COST", cost)  # how dense keyframes are
    monkeypatch.setattr(runs, "PIECE", ONE_STEP)
    wander(make_tiny, tmp_path, states, examples=12, steps=40)


@pytest.mark.slow
@pytest.mark.parametrize("states", [10_000, 12])
def test_a_moment_has_the_same_bytes_however_it_is_reached_at_length(
    make_tiny: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, states: int
) -> None:
    monkeypatch.setattr(runs, "KEYFRAME_COST", 1e-9)
    monkeypatch.setattr(runs, "PIECE", ONE_STEP)
    wander(make_tiny, tmp_path, states, examples=400, steps=80)
