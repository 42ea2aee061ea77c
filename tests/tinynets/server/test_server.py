"""The engine in its own process: commands, frames, cancelling, and no orphan however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE, until

import tinynets as tn
from tinynets.server.frame import View
from tinynets.server.panes.units import UnitTable
from tinynets.server.process import ServerProcess, spawn
from tinynets.server.server import Server
from tinynets.storage.paths import journal_folder
from tinynets.storage.recovery import recoverable


class App:
    """Our end of an engine's pipe; keeps what has arrived."""

    def __init__(self, engine: ServerProcess) -> None:
        self.engine = engine
        self.identity = 0
        self.frames: list[Any] = []
        self.other: list[tuple[Any, ...]] = []

    def send(self, *message: Any) -> None:
        self.engine.connection.send(message)

    def call(self, verb: str, *args: Any, **kwargs: Any) -> int:
        self.identity += 1
        self.send("call", self.identity, verb, args, kwargs)
        return self.identity

    def receive(self, wanted: Callable[[tuple[Any, ...]], bool], *, ack: bool = True) -> tuple[Any, ...]:
        """The next message that is wanted; frames before it are acknowledged."""
        while self.engine.connection.poll(PATIENCE):
            message = self.engine.connection.recv()
            if message[0] == "frame":
                self.frames.append(message[1])
                if ack:
                    self.send("ack", message[1].number)
            else:
                self.other.append(message)
            if wanted(message):
                return message
        raise TimeoutError

    def answer(self, identity: int) -> tuple[Any, ...]:
        return self.receive(lambda message: message[0] in ("result", "error") and message[1] == identity)

    def do(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        message = self.answer(self.call(verb, *args, **kwargs))
        assert message[0] == "result", message
        return message[2]

    def frame(self, wanted: Callable[[Any], bool] = lambda frame: True) -> Any:
        return self.receive(lambda message: message[0] == "frame" and wanted(message[1]))[1]

    def ended(self) -> bool:
        self.engine.process.join(PATIENCE)
        return self.engine.process.exitcode is not None


@pytest.fixture
def start() -> Iterator[Callable[..., App]]:
    apps: list[App] = []

    def begin(source: str, **options: Any) -> App:
        apps.append(App(spawn(source, options)))
        return apps[-1]

    yield begin
    for app in apps:
        app.engine.connection.close()
        app.engine.process.join(PATIENCE)
        assert app.engine.process.exitcode is not None


def test_a_frame_arrives_by_itself_and_commands_have_results(start: Callable[..., App]) -> None:
    app, lab = start("xor", seed=3), tn.Lab("xor", seed=3)
    assert app.frame().status.step == 0
    report = app.do("run", 50)
    assert report.step == lab.run(50).step
    assert report.loss == lab.loss
    edit = app.do("zero", "hidden[1]")
    assert edit.after == lab.zero("hidden[1]").after
    frame = app.frame(lambda frame: frame.timeline.marks != ())
    assert (frame.status.step, frame.status.probe_loss) == (50, pytest.approx(lab.probe_loss()))
    assert app.do("evaluate", "dev") == lab.evaluate("dev")


def test_errors_come_back_in_the_words_of_the_lab_and_the_engine_goes_on(start: Callable[..., App]) -> None:
    app = start("xor")
    errors = {
        ("zero", "hidden[4]"): ("SelectorError", "`hidden[4]`: `hidden` has 4 units, 0 to 3"),
        ("set", "lr", float("nan")): (
            "EditError",
            "`sgd`: `lr` must be a finite number above or at 0, not nan",
        ),
        ("undo",): ("TimelineError", "there is nothing to undo"),
        ("jump", 3): ("EditError", "`jump` is not something a lab does"),
        ("open", "nowhere.msgpack"): ("SaveError", "`nowhere.msgpack` does not exist"),
        ("play", "fast"): ("EditError", "`speed` must be a number of steps a second, not 'fast'"),
        ("play", float("nan")): ("EditError", "`speed` must be a number of steps a second, not nan"),
    }
    for (verb, *args), (kind, message) in errors.items():
        identity = app.call(verb, *args)
        assert app.answer(identity) == ("error", identity, kind, message)
    assert app.do("step").step == 1


def test_a_source_that_cannot_be_opened_is_told_and_the_process_ends(start: Callable[..., App]) -> None:
    app = start("xro")
    known = ", ".join(entry.name for entry in tn.list_recipes())
    message = app.receive(lambda message: message[0] == "error")
    assert message == (
        "error",
        0,
        "RecipeError",
        f"`xro` is not a recipe; there are {known}; did you mean `xor`?",
    )
    assert app.ended()


PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

BROKEN = """
from tinynets import Layer

class Broken(Layer):
    kind = "broken"

    def forward(self, x, buffers):
        {}

    def backward(self, dout, buffers):
        return dout
"""


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        ("return x @ x[:1, :1] / 'three'", "the layer `broken1` failed in `forward`: "),
        ("return x[:, :1]", "internal error: IndexError"),
    ],
)
def test_what_ends_the_engine_is_told_first(start: Callable[..., App], tmp_path: Path, body: str, cause: str) -> None:
    (tmp_path / "broken.py").write_text(BROKEN.format(body))
    (tmp_path / "own.toml").write_text(
        'name = "own"\n[data]\nset = "xor"\n[[layers]]\nkind = "linear"\ninputs = 2\noutputs = 2\n'
        '[[layers]]\nkind = "broken"\n[training]\nloss = "cross-entropy"\n[training.optimizer]\nkind = "sgd"\n'
    )
    app = start(str(tmp_path / "own.toml"), plugins=[str(tmp_path / "broken.py")])
    message = app.receive(lambda message: True)
    assert message[:2] == ("error", 0)
    assert message[3].startswith(cause)
    assert app.ended()


def test_one_frame_comes_for_each_acknowledgement(start: Callable[..., App]) -> None:
    app = start("xor")
    first = app.receive(lambda message: message[0] == "frame", ack=False)[1]
    app.do("start")
    until(lambda: app.do("set", "lr", 0.1).step > 20)  # each would be seen at once
    assert app.frames == [first]  # it was not acknowledged
    app.send("ack", first.number)
    second = app.receive(lambda message: message[0] == "frame", ack=False)[1]
    assert second.number == first.number + 1
    assert second.status.mode == "running"
    assert second.status.step > 0


def test_a_view_asks_for_what_is_looked_at(start: Callable[..., App]) -> None:
    app = start("xor")
    app.frame()
    app.send("view", View(block="output", unit=1, panes=("neuron",)))
    frame = app.frame(lambda frame: frame.neuron is not None and frame.network is None)
    assert (frame.neuron.name, frame.view.block) == ("output[1]", "output")


def test_a_long_run_is_cancelled_between_two_steps(start: Callable[..., App], tmp_path: Path) -> None:
    app = start("xor", seed=1)
    identity = app.call("run", 10**9)
    app.receive(lambda message: message[0] == "progress" and message[1] == identity)
    app.send("cancel")
    kind, _, name, message = app.answer(identity)
    frame = app.frame(lambda frame: frame.status.mode == "paused" and frame.status.step > 0)
    assert (kind, name) == ("error", "Cancelled")
    assert message == f"cancelled `run` at step {frame.status.step:,}"
    app.do("save", str(tmp_path / "cancelled.msgpack"))
    lab, other = tn.Lab(tmp_path / "cancelled.msgpack"), tn.Lab("xor", seed=1)
    other.run(lab.step_number)
    assert lab.state.digest() == other.state.digest()
    assert app.do("undo").step == 0


def test_edits_while_it_runs_are_done_between_two_steps_and_it_runs_on(
    start: Callable[..., App], tmp_path: Path
) -> None:
    app = start("xor", seed=2)
    app.do("start")
    app.frame(lambda frame: frame.status.step > 20)
    first = app.do("zero", "hidden[1]")
    app.frame(lambda frame: frame.status.step > first.step + 20 and frame.status.mode == "running")
    second = app.do("set", "lr", 0.02)
    app.frame(lambda frame: frame.status.step > second.step + 20)
    app.do("pause")
    app.do("save", str(tmp_path / "run.msgpack"))
    lab = tn.Lab(tmp_path / "run.msgpack")
    assert 0 < first.step < second.step < lab.step_number
    assert [(entry.step, entry.python) for entry in lab.log] == [
        (first.step, 'lab.zero("hidden[1]")'),
        (second.step, 'lab.set("lr", 0.02)'),
    ]
    again = tn.Lab("xor", seed=2)
    again.run(first.step)
    assert again.zero("hidden[1]").after == first.after
    again.run(second.step - first.step)
    again.set("lr", 0.02)
    again.run(lab.step_number - second.step)
    assert again.state.digest() == lab.state.digest()


def test_units_pruned_and_grown_while_it_runs_are_so_between_two_steps(
    start: Callable[..., App], tmp_path: Path
) -> None:
    app = start("xor", seed=2)
    app.send("view", View(block="hidden", unit=3))
    app.do("start")
    app.frame(lambda frame: frame.status.step > 20)
    acts: list[tuple[str, tuple[Any, ...]]] = [
        ("prune", ("hidden[3]",)),
        ("grow", ("hidden", 2)),
        ("insert", ("hidden", "linear")),
        ("remove", ("linear1",)),
    ]
    done: list[tuple[int, str]] = []
    for verb, args in acts:
        report = app.do(verb, *args)
        done.append((report.step, report.python))
        app.frame(lambda frame, at=report.step: frame.status.step > at + 20 and frame.status.mode == "running")
    refused = app.answer(app.call("prune", "output[0]"))
    assert refused[2:] == (
        "EditError",
        "`output` cannot have other units: `output` gives the network's outputs, whose number its targets fix",
    )
    app.do("pause")
    app.do("save", str(tmp_path / "run.msgpack"))
    lab = tn.Lab(tmp_path / "run.msgpack")
    assert [(entry.step, entry.python) for entry in lab.log] == done
    again = tn.Lab("xor", seed=2)
    for step, python in done:
        again.run(step - again.step_number)
        exec(python, {"lab": again})
    again.run(lab.step_number - again.step_number)
    assert again.state.digest() == lab.state.digest()


def test_a_run_that_meets_a_nan_stops_and_says_so(start: Callable[..., App], tmp_path: Path) -> None:
    recipe = tmp_path / "relu.toml"
    text = (Path(tn.__file__).parent / "recipes" / "xor.toml").read_text("utf-8")
    recipe.write_text(text.replace('kind = "tanh"', 'kind = "relu"').replace("lr = 0.1", "lr = 1e20"), "utf-8")
    app = start(str(recipe))
    app.do("start")
    _, message, severity = app.receive(lambda message: message[0] == "said")
    assert severity == "error"
    assert "the state before that step is kept" in message
    frame = app.frame(lambda frame: frame.status.mode == "paused" and frame.status.note)
    assert frame.status.note == message
    assert message.startswith(f"step {frame.status.step + 1}: ")
    app.do("seek", 0)
    app.do("set", "lr", 0.05)
    assert app.do("run", 10).step == 10


def test_a_history_plays_forward_to_its_end_and_backward_to_its_start(start: Callable[..., App]) -> None:
    app = start("xor")
    app.do("run", 60)
    app.do("seek", 0)
    app.do("play", 400)
    assert app.frame(lambda frame: frame.status.step == 60).status.end == 60
    app.do("play", -400)
    app.frame(lambda frame: frame.status.step == 0)
    assert app.answer(app.call("play", -5))[3] == "there is nothing recorded before step 0"


@pytest.mark.parametrize(("speed", "first"), [(100.0, 0), (-100.0, 200), (8.0, 40), (-8.0, 40), (1e6, 100)])
def test_a_history_plays_so_many_steps_a_second(speed: float, first: int) -> None:
    near, far = Pipe()
    now = [1000.0]
    server = Server(near, "xor", {"journal": False}, clock=lambda: now[0])
    server.lab.run(200)
    server.lab.seek(first)
    far.send(("call", 1, "play", (speed,), {}))
    server.turn()
    for seconds in (0.0, 0.25, 0.25, 1.0, 0.125, 2.0, 30.0):
        now[0] += seconds
        far.send(("ack", 0))  # something to hear: at rest it waits for that
        server.turn()
        assert server.lab.step_number == min(max(first + round(speed * (now[0] - 1000.0)), 0), 200), now
    server.lab.close()
    assert server.lab.step_number == (200 if speed > 0 else 0)


def test_a_bug_in_what_is_looked_at_is_told_once_and_the_rest_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = Pipe()
    server = Server(near, "xor", {"journal": False})

    def broken(*_: object, **__: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(UnitTable, "of", broken)
    for turn in range(3):
        far.send(("call", turn, "step", (), {}))
        far.send(("ack", 99))
        server.turn()
    server.lab.close()
    heard = []
    while far.poll():
        heard.append(far.recv())
    told = [message for message in heard if message[0] == "said"]
    assert told == [("said", "internal error in what is shown: ValueError('broken')", "error")]
    frames = [message[1] for message in heard if message[0] == "frame"]
    assert (frames[-1].status.step, frames[-1].units) == (3, None)


def test_another_lab_can_be_opened_in_the_same_engine(start: Callable[..., App], tmp_path: Path) -> None:
    app = start("xor")
    app.do("run", 5)
    app.do("save", str(tmp_path / "five.msgpack"))
    app.do("open", "spiral")
    assert app.frame(lambda frame: frame.status.recipe == "spiral").status.step == 0
    app.do("open", str(tmp_path / "five.msgpack"))
    assert app.frame(lambda frame: frame.status.recipe == "xor").status.step == 5


@pytest.mark.parametrize("running", [False, True])
def test_told_to_quit_it_ends(start: Callable[..., App], running: bool) -> None:
    app = start("xor")
    app.do("start" if running else "step")
    app.send("quit")
    assert app.ended()
    assert app.engine.process.exitcode == 0


@pytest.mark.parametrize("verb", ["step", "start", "run"])
@pytest.mark.proof
def test_it_ends_when_its_pipe_closes(start: Callable[..., App], verb: str) -> None:
    app = start("xor")
    app.frame()
    if verb == "run":
        identity = app.call("run", 10**9)
        app.receive(lambda message: message[:2] == ("progress", identity))
    else:
        app.do(verb)
    app.engine.connection.close()
    assert app.ended()


PARENT = """
import sys
from tinynets.server.process import spawn
if __name__ == "__main__":
    engine = spawn("xor")
    engine.connection.recv()
    engine.connection.send(("call", 1, sys.argv[1], (10**9,) if sys.argv[1] == "run" else (), {}))
    print(engine.process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
@pytest.mark.parametrize("verb", ["step", "start", "run"])
@pytest.mark.proof
def test_a_killed_app_leaves_no_orphan(tmp_path: Path, verb: str) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script), verb], **PIPES)
    assert parent.stdout is not None
    engine = int(parent.stdout.readline())
    os.kill(engine, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    try:
        until(lambda: has_ended(engine))
    finally:
        with suppress(ProcessLookupError):
            os.kill(engine, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()  # ended, and nobody has asked for its status yet
    except ProcessLookupError:
        return True
    except OSError:
        return not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists()


# -- what it leaves behind


def left(end: Callable[[], object]) -> list[Any]:
    """What can be recovered once the engine has ended."""
    end()
    until(recoverable)
    return recoverable()


def written() -> int:
    """The last step that is in the journal of the one engine that lives."""
    return max((tn.Lab(file, read_only=True).end for file in journal_folder().glob("*.journal")), default=0)


def worked(app: App) -> int:
    """Steps, an edit, a fork and a bookmark, and a run that goes on; the step that is surely done."""
    app.do("run", 50)
    app.do("zero", "hidden[1]")
    app.do("fork", "b")
    app.do("bookmark", "here")
    app.do("start")
    return int(app.frame(lambda frame: frame.status.step > 200).status.step)


def check_recovered(found: list[Any], steps: int) -> None:
    (entry,) = found
    lab = tn.Lab(entry.file)
    assert [entry.python for entry in lab.log] == ['lab.zero("hidden[1]")']
    assert (lab.branches, [mark.name for mark in lab.bookmarks]) == (("main", "b"), ["here"])
    assert lab.branch == "b"
    assert lab.end >= steps
    straight = tn.Lab("xor", seed=3)
    straight.run(50)
    straight.zero("hidden[1]")
    straight.run(lab.end - 50)
    lab.seek(lab.end)
    assert lab.state.digest() == straight.state.digest()
    assert np.array_equal(lab.losses, straight.losses)


needs_kill = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")


@pytest.mark.proof
@needs_kill
def test_an_engine_that_is_killed_leaves_what_its_journal_holds_to_be_recovered(start: Callable[..., App]) -> None:
    app = start("xor", seed=3)
    steps = worked(app)
    until(lambda: written() >= steps)
    assert recoverable() == []  # it lives
    pid = app.engine.process.pid
    assert pid is not None
    check_recovered(left(lambda: os.kill(pid, signal.SIGKILL)), steps)


def test_an_app_that_is_gone_leaves_all_that_was_done_to_be_recovered(start: Callable[..., App]) -> None:
    app = start("xor", seed=3)
    steps = worked(app)
    found = left(app.engine.connection.close)
    assert app.ended()
    check_recovered(found, steps)


@needs_kill
def test_a_terminal_that_is_closed_leaves_all_that_was_done_to_be_recovered(start: Callable[..., App]) -> None:
    app = start("xor", seed=3)
    worked(app)
    pid = app.engine.process.pid
    assert pid is not None
    os.kill(pid, signal.SIGHUP)  # it outlives that, until the app, which the same signal ends, is gone
    app.do("pause")
    steps = app.frame(lambda frame: frame.status.mode == "paused").status.step
    check_recovered(left(app.engine.connection.close), steps)


@needs_kill
@pytest.mark.parametrize("state", ["running", "at rest", "starting"])
@pytest.mark.proof
def test_an_engine_that_is_told_to_end_keeps_all_that_was_done(start: Callable[..., App], state: str) -> None:
    app = start("xor", seed=3)
    steps = worked(app) if state != "starting" else 0
    if state == "at rest":
        app.do("pause")
        steps = app.frame(lambda frame: frame.status.mode == "paused").status.step
    app.engine.process.terminate()
    assert app.ended()
    assert app.engine.process.exitcode == 0
    if steps:
        check_recovered(recoverable(), steps)


@needs_kill
def test_an_engine_is_not_ended_by_ctrl_c_from_its_first_moment_on(start: Callable[..., App]) -> None:
    app = start("xor", seed=3)
    pid = app.engine.process.pid
    assert pid is not None
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(pid, number)
    assert app.do("run", 5).step == 5


@needs_kill
def test_an_app_that_is_killed_leaves_its_run_to_be_recovered(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script), "run"], **PIPES)
    assert parent.stdout is not None
    parent.stdout.readline()
    until(written)
    (entry,) = left(parent.kill)
    parent.wait()
    lab, straight = tn.Lab(entry.file), tn.Lab("xor")
    assert lab.end > 0
    straight.run(lab.end)
    assert lab.state.digest() == straight.state.digest()


@pytest.mark.parametrize(("how", "stays"), [("quit", False), ("leave", True)])
def test_told_to_quit_it_leaves_nothing_and_told_to_leave_it_leaves_its_journal(
    start: Callable[..., App], how: str, stays: bool
) -> None:
    app = start("xor", seed=3)
    app.do("step")
    app.send(how)
    assert app.ended()
    assert len(recoverable()) == stays


def test_a_journal_is_recovered_in_an_engine_that_runs_and_saved_is_gone(
    start: Callable[..., App], tmp_path: Path
) -> None:
    app = start("xor", seed=3)
    app.do("run", 50)
    app.do("zero", "hidden[1]")
    (entry,) = left(app.engine.connection.close)
    app.ended()
    app = start("xor")
    app.do("step")
    app.do("open", str(entry.file))
    frame = app.frame(lambda frame: frame.status.step == 50)
    assert frame.status.unsaved
    app.do("run", 10)
    assert recoverable() == []
    app.do("save", str(tmp_path / "x.msgpack"))
    app.send("leave")
    assert app.ended()
    assert recoverable() == []
    assert not entry.file.exists()
    assert tn.Lab(tmp_path / "x.msgpack").step_number == 60


def test_a_free_run_stops_at_a_breakpoint_and_says_so_and_a_new_one_stops_the_run_under_way(
    start: Callable[..., App],
) -> None:
    app = start("xor")
    app.do("breakpoint", "step == 40")
    app.do("start")
    said = app.receive(lambda message: message[0] == "said")
    assert said[1] == "stopped at breakpoint 1: step == 40; at step 40"
    status = app.frame(lambda frame: frame.status.mode == "paused").status
    assert (status.step, [mark.text for mark in status.breakpoints]) == (40, ["step == 40"])
    app.do("unbreakpoint", 1)
    app.do("start")
    app.do("phase_back")
    assert app.frame(lambda frame: frame.status.phase).status.mode == "paused"
    app.do("start")
    app.do("breakpoint", "backward tanh1")
    said = app.receive(lambda message: message[0] == "said")
    assert said[1].startswith("stopped at breakpoint 2: backward tanh1; at step ")
    status = app.frame(lambda frame: frame.status.mode == "paused").status
    assert status.phase == "backward tanh1"
    assert [mark.name for mark in status.phases][status.phases_done - 1] == "backward tanh1"
