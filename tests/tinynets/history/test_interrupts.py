"""A lab interrupted between any two instructions is at a whole moment: state, step and records agree.

`pytest -m proof` interrupts 1,000 runs by a timer; with TINYNETS_PROOF=10 in the environment ten times as many.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import tinynets as tn
from tinynets import interrupts
from tinynets.history.moment import Moment
from tinynets.interrupts import held

PROOF = 1_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
INSIDE = str(Path(tn.__file__).parent)


@contextmanager
def interrupted_at(line: int) -> Iterator[list[int]]:
    """Raise SIGINT after so many executed lines of tinynets; the list holds the number executed."""
    seen = [0]

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(INSIDE):
            return None
        if event == "line":
            seen[0] += 1
            if seen[0] == line:
                signal.raise_signal(signal.SIGINT)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield seen
    finally:
        sys.settrace(before)


def lines_of(call: Callable[[], object]) -> int:
    with interrupted_at(0) as seen:
        call()
    return seen[0]


class Checked:
    """A small run, and the right state at each of its moments."""

    def __init__(self) -> None:
        self.lab = tn.Lab("xor", seed=1)
        self.digests: dict[Moment, str] = {}

    def check(self) -> None:
        """Check that the state is that of its moment, recomputed from the start, and that records reach as far."""
        lab = self.lab
        assert lab.player.phases_done == 0
        assert lab.state.step == lab.moment.step <= lab.end
        assert lab.moment.edits <= len(lab.player.branch.edits)
        moment = lab.moment
        if moment not in self.digests:
            again = tn.Lab("xor", seed=1)
            branch = lab.player.branch
            for placed in branch.edits[: moment.edits]:
                again.run(placed.step - again.step_number) if placed.step > again.step_number else None
                again.player.edit(placed.edit, lambda done, placed=placed: placed)
            again.run(moment.step - again.step_number) if moment.step > again.step_number else None
            self.digests[moment] = again.state.digest()
        assert lab.state.digest() == self.digests[moment]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def run() -> Iterator[Checked]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield Checked()
    signal.signal(signal.SIGINT, before)


CALLS: dict[str, Callable[[tn.Lab], object]] = {
    "step": lambda lab: lab.step(),
    "edit": lambda lab: lab.zero("hidden[0]"),
    "undo": lambda lab: lab.undo(),
    "back": lambda lab: lab.back(),
    "seek": lambda lab: lab.seek(0),
    "until": lambda lab: lab.run_until(lambda lab: True),
    "evaluate": lambda lab: lab.evaluate(),
    "bookmark": lambda lab: lab.bookmark("here"),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.proof
def test_interrupted_at_any_line_it_stands_at_a_whole_moment(run: Checked, name: str) -> None:
    call = CALLS[name]

    def prepare() -> tn.Lab:
        if run.lab.end > 20 or len(run.lab.player.branch.edits) > 20:
            run.lab = tn.Lab("xor", seed=1)
            if name == "edit":  # which edits are recorded depends on where they were interrupted
                run.digests.clear()
        run.lab.seek(run.lab.end)
        run.lab.step()
        return run.lab

    lab = prepare()
    count = lines_of(lambda: call(lab))
    assert count > 5
    interrupted = 0
    for line in range(1, count + 1, 1 if name in ("step", "bookmark") else 7):
        lab = prepare()
        try:
            with interrupted_at(line):
                call(lab)
        except KeyboardInterrupt:
            interrupted += 1
        run.check()
    assert interrupted > count // 20  # a later call may take fewer lines than the first


def test_an_interrupt_between_pieces_ends_a_run_and_the_run_is_an_action_to_undo(run: Checked) -> None:
    lab = run.lab
    lab.run(3)
    with interrupted_at(3000), pytest.raises(KeyboardInterrupt):
        lab.run(10**8)
    assert lab.step_number > 3
    run.check()
    lab.undo()
    assert lab.step_number == 3


def test_a_save_that_is_interrupted_is_written_whole(run: Checked, tmp_path: Path) -> None:
    run.lab.run(20)
    path = tmp_path / "x.msgpack"
    count = lines_of(lambda: run.lab.save(path))
    for line in range(1, count, count // 40):
        with suppress(KeyboardInterrupt), interrupted_at(line):  # a later save may take fewer lines
            run.lab.save(path)
        assert tn.Lab(path, read_only=True).state.digest() == run.lab.state.digest()


def test_a_handler_of_ones_own_runs_and_the_work_goes_on(run: Checked) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with interrupted_at(300):
            run.lab.run(5)
        assert run.lab.step_number == 5
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
    run.check()


def test_what_comes_within_is_taken_at_the_end_and_handlers_are_put_back(run: Checked) -> None:
    done: list[str] = []

    def work() -> None:
        with held():
            signal.raise_signal(signal.SIGINT)
            with held():
                signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with held():
        pass


def test_in_another_thread_nothing_is_held(run: Checked) -> None:
    found: list[object] = []

    def look() -> None:
        with held():
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]


def test_handlers_left_behind_by_an_interrupt_of_the_putting_back_still_work(run: Checked) -> None:
    for line in range(1, 60):
        with suppress(KeyboardInterrupt), interrupted_at(line), held():
            pass
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert interrupts._depth == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no interval timer")
@pytest.mark.parametrize("count", [10, pytest.param(PROOF, marks=pytest.mark.proof)])
def test_interrupted_by_a_timer_again_and_again_every_save_verifies(tmp_path: Path, count: int) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupted

    def run_on() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.002 + chance.random() * 0.03)
        lab.run(10**8)

    before = signal.signal(signal.SIGALRM, interrupt)
    chance, path = random.Random(3), tmp_path / "x.msgpack"
    try:
        for number in range(count):
            lab = tn.Lab(("names-mlp", "spiral", "xor")[number % 3], seed=1)
            lab.run(3)
            with pytest.raises(Interrupted):
                run_on()
            lab.save(path)
            lab.close()
            again = tn.Lab(path, read_only=True)
            assert again.state.digest() == lab.state.digest()
            assert not again.verify().divergences
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
