"""A fake engine without a network, for tests of the app alone: it sends the same messages, but made-up frames.

`python tests/helpers/fake.py` opens the app on it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from time import monotonic
from typing import Any

import frames
import numpy as np

from tinynets.measure.worth import Worth
from tinynets.server.frame import BookmarkMark, BreakpointMark, EditMark, Frame, PhaseMark, View

PHASES = ("batch", "forward embed", "forward hidden", "forward output", "loss", "backward output", "update")

FAMILIES = {"zero": "activation", "release": "activation", "freeze": "learning", "unfreeze": "learning"}
DONE = {"zero": "zeroed", "release": "released", "freeze": "frozen", "unfreeze": "unfrozen"}


@dataclass
class FakeProcess:
    """A thread in place of a process."""

    thread: threading.Thread
    exitcode: int | None = None

    def join(self, timeout: float | None = None) -> None:
        self.thread.join(timeout)

    def is_alive(self) -> bool:
        return self.thread.is_alive()

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class FakeEngine:
    """Answers commands about a made-up network."""

    def __init__(self, source: str | None = None, options: dict[str, object] | None = None) -> None:
        self.connection, self._far = Pipe()
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.views: list[View] = []
        self.world = frames.World(recipe=source or "names-mlp")
        self.view = View()
        self.answers: dict[str, Callable[..., Any]] = {}
        self.compared: Callable[..., Any] = lambda *names, step: None
        self.speed, self._moved = 0.0, 0.0
        self.read_only, self.note = False, ""
        self._number, self._acknowledged, self._mode, self._phase = 0, 0, "paused", 0
        self._due = True
        self.breakpoints: list[BreakpointMark] = []
        thread = threading.Thread(target=self._serve, daemon=True)
        self.process = FakeProcess(thread)
        thread.start()

    def die(self) -> None:
        """Close the pipe without a word, as if the process had been killed."""
        self.process.exitcode = -9
        self._far.close()

    def say(self, message: str, severity: str) -> None:
        self._far.send(("said", message, severity))

    def _serve(self) -> None:
        far: Connection = self._far
        try:
            while True:
                if far.poll(0.01) and not self._hear(far.recv()):
                    far.close()
                    return
                self._advance()
                if self._due and self._acknowledged == self._number:
                    self._due = False
                    self._number += 1
                    far.send(("frame", self.frame()))
        except (OSError, EOFError):
            return

    def _advance(self) -> None:
        world = self.world
        if self._mode == "paused" or monotonic() - self._moved < 0.15:  # the app is idle in between
            return
        self._moved = monotonic()
        if self._mode == "running":
            world.go(world.step + 17)
            self._due = True
        else:
            world.step = max(0, min(world.end, world.step + (1 if self._mode == "playing" else -1)))
            self._due = True
            if world.step in (0, world.end):
                self._mode = "paused"

    def _hear(self, message: tuple[Any, ...]) -> bool:
        match message:
            case ("quit" | "leave",):
                return False
            case ("view", view):
                self.view, self._due = view, True
                self.views.append(view)
            case ("ack", number):
                self._acknowledged = number
            case ("call", number, verb, args, kwargs):
                self.calls.append((verb, args, kwargs))
                self._call(number, verb, args, kwargs)
                self._due = True
        return True

    def _call(self, number: int, verb: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            value = self.answers[verb](*args) if verb in self.answers else getattr(self, f"do_{verb}")(*args, **kwargs)
        except LookupError as error:
            self._far.send(("error", number, "SelectorError", str(error.args[0])))
        else:
            self._far.send(("result", number, value))

    def do_step(self, n: int = 1) -> str:
        self._phase = 0
        self.world.go(self.world.step + n)
        return f"step {self.world.step}: loss {self.world.loss():.4f}"

    do_run = do_step

    def do_back(self, n: int = 1) -> str:
        return self.do_seek(max(0, self.world.step - n))

    def do_seek(self, step: int | str, edits: int | None = None) -> str:
        self._mode = "paused"
        if isinstance(step, str):
            step = next(pin.step for pin in self.world.pins if pin.name == step)
        self.world.step = min(step, self.world.end)
        return f"at step {self.world.step}"

    def do_switch(self, name: str, *, step: int | None = None) -> str:
        return f"on branch {name}"

    def do_compare(self, *names: str, step: int | None = None) -> Any:
        return self.compared(*names, step=step)

    def do_rename(self, branch: str, name: str) -> str:
        self.world.others = [replace(line, name=name) if line.name == branch else line for line in self.world.others]
        return f"{branch} is now {name}"

    def do_drop(self, name: str) -> str:
        if name == "main":
            raise LookupError("`main` is the current branch")
        self.world.others = [line for line in self.world.others if line.name != name]
        return f"{name} dropped"

    def do_unbookmark(self, name: str) -> str:
        self.world.pins = [pin for pin in self.world.pins if pin.name != name]
        return f"bookmark {name} taken away"

    def do_run_until(self, condition: str, *, limit: int = 100) -> str:
        return self.do_step(10)

    def do_back_until(self, condition: str) -> str:
        return self.do_back(10)

    def do_fork(self, name: str) -> str:
        return f"on branch {name}"

    def do_bookmark(self, name: str, note: str = "") -> str:
        self.world.pins.append(BookmarkMark(name, note, "main", self.world.step, True))
        return f"{name}: step {self.world.step}"

    def do_phase(self) -> str:
        self._phase += 1
        if self._phase == len(PHASES):
            return self.do_step()
        return f"{PHASES[self._phase - 1]} done; next: {PHASES[self._phase]}"

    def do_phase_back(self) -> str:
        self._mode = "paused"
        self._phase = (self._phase or len(PHASES)) - 1
        return f"back to {PHASES[self._phase - 1]}"

    def do_phase_to(self, phase: str) -> str:
        self._phase = PHASES.index(phase) + 1
        return f"{phase} done"

    def do_step_out(self) -> str:
        return self.do_step()

    def do_breakpoint(self, at: str) -> str:
        if at == "nonsense":
            raise LookupError("condition `nonsense`: it ends where a term should")
        number = len(self.breakpoints) + 1
        self.breakpoints.append(BreakpointMark(number, at, at in PHASES, True, ""))
        return f"{number}  when {at}"

    def do_breakpoint_on(self, number: int, on: bool = True) -> str:
        self.breakpoints = [mark._replace(on=on) if mark.number == number else mark for mark in self.breakpoints]
        return f"{number} {'on' if on else 'off'}"

    def do_breakpoint_off(self, number: int) -> str:
        return self.do_breakpoint_on(number, False)

    def do_unbreakpoint(self, number: int) -> str:
        self.breakpoints = [mark for mark in self.breakpoints if mark.number != number]
        return f"breakpoint {number} taken away"

    def do_start(self) -> str:
        self._mode = "running"
        return "running"

    def do_pause(self) -> str:
        self._mode = "paused"
        return f"paused at step {self.world.step}"

    def do_play(self, speed: float = 10.0, backward: bool = False) -> str:
        self.speed = -speed if backward else speed
        self._mode = "playing" if self.speed > 0 else "rewinding" if self.speed < 0 else "paused"
        return self._mode

    def do_zero(self, selector: str) -> str:
        return self._edit("zero", selector, self.world.zeroed, True)

    def do_release(self, selector: str) -> str:
        return self._edit("release", selector, self.world.zeroed, False)

    def do_freeze(self, selector: str) -> str:
        return self._edit("freeze", selector, self.world.frozen, True)

    def do_unfreeze(self, selector: str) -> str:
        return self._edit("unfreeze", selector, self.world.frozen, False)

    def _edit(self, op: str, selector: str, masks: dict[str, np.ndarray], value: bool) -> str:
        block, unit = selector.rstrip("]").split("[")
        if block not in masks:
            raise LookupError(f"`{selector}`: there is no block `{block}`; there are embed, hidden, output")
        masks[block][[int(number) for number in unit.split(",")]] = value
        self.world.marks.append(EditMark(self.world.step, op, f'lab.{op}("{selector}")', True, 1, FAMILIES[op]))
        self.world.unsaved = True
        return f"{selector} {DONE[op]}: probe loss 2.412 -> 2.431"

    def do_worth(self, block: str) -> Worth:
        step, rises = self.world.step, np.sin(np.arange(frames.SIZES[block])) / 100
        self.world.worths[block] = step, rises
        return Worth(block, "main", step, (0, step, 0), "dev", 64, 64, 2.5, 2.5 + rises)

    def do_clamp(self, selector: str, value: float) -> str:
        return f"{selector} clamped to {value:g}"

    def do_prune(self, selector: str) -> str:
        return f"{selector} pruned"

    def do_evaluate(self, split: str = "dev") -> str:
        self.world.evaluations[self.world.step] = self.world.loss() + 0.05
        return f"{split}: loss {self.world.loss() + 0.05:.4f}"

    def do_set(self, name: str, value: float) -> str:
        self.world.lr = value
        return f"{name} 0.1 -> {value}"

    def do_undo(self) -> str:
        return "undone"

    def do_join(self, n: int) -> str:
        return f"undo takes back {n} edits"

    def do_redo(self) -> str:
        return "done again"

    def do_save(self, path: str | None = None) -> str:
        self.world.unsaved, self.world.path = False, path or "saves/names-mlp.msgpack"
        return f"saved {self.world.path}"

    def do_open(self, source: str) -> str:
        self.world = frames.World(recipe=source)
        return f"{source} opened"

    def frame(self) -> Frame:
        made = frames.frame(self.world, self.view, self._number)
        names = PHASES if self._phase else ("", *PHASES)
        status = replace(
            made.status,
            mode=self._mode,
            steps_per_second=abs(self.speed),
            read_only=self.read_only,
            note=self.note,
            phase=PHASES[self._phase - 1] if self._phase else "",
            next_phase=names[self._phase],
            phases_done=self._phase,
            phases_total=len(PHASES),
            phases=tuple(PhaseMark(kind, layer, layer) for kind, _, layer in (name.partition(" ") for name in PHASES)),
            breakpoints=tuple(self.breakpoints),
        )
        return replace(made, status=status)


def spawn(source: str | None, options: dict[str, object]) -> FakeEngine:
    return FakeEngine(source, options)


def main() -> None:
    from tui.app import LabApp

    LabApp(spawn, "names-mlp").run()


if __name__ == "__main__":
    main()
