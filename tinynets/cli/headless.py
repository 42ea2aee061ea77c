"""HeadlessRun: a run without a screen that can be stopped by a signal, is evaluated and saved, and loses nothing.

It keeps a journal in case it is killed. When stopped by ctrl+c, SIGTERM or SIGHUP, it ends between two steps, saves at
once if asked to, and is not evaluated, since whoever stops a process may not wait for long. A run that ends in any
other way and is not saved stays in the journal for `tinynets recover`.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from tinynets.cli.progress_bar import Bar
from tinynets.errors import CommandError, SaveError, TinynetsError
from tinynets.history.evaluation import Evaluation
from tinynets.history.player import Stops
from tinynets.lab.lab import Lab
from tinynets.storage.recovery import SUFFIX
from tinynets.system import stopping, streams

ALL = -1
"""Value of `evaluate` for every example."""


@dataclass
class HeadlessRun:
    """A run of a number of steps, and its results; `evaluate` at most this many examples of each split, 0: none."""

    lab: Lab
    steps: int
    save: str | None = None
    evaluate: int = ALL
    evaluations: list[Evaluation] = field(default_factory=list)
    first: int = 0
    seconds: float = 0.0
    saved: Any = None
    failed: TinynetsError | None = None
    """Why it did not end as intended."""

    def __post_init__(self) -> None:
        self.first = self.lab.step_number
        self._bar = Bar(sys.stderr, self.lab)
        self._kept = ""
        self.lab.watched = self._bar.show
        self.lab.hear(streams.say)
        if not self.evaluate:
            self.lab.player.stops = Stops()

    def do(self, put: Callable[[dict[str, Any], list[str]], object]) -> int:
        """Run, evaluate and save; `put` prints the report. Returns the status; raises what went wrong."""
        target = None if self.save is None else self.lab.claim(self.save)  # checked before the work, not after it
        whole = False
        with stopping.noted(self._at_once) as noted:
            try:
                self._work(noted)
                self._evaluate(noted)
                self._write(target)
                whole = self.failed is None and noted.number is None
            finally:
                self._let_go(whole or self.saved is not None)
        try:
            put(self._config(noted.number), self._lines())
        except (CommandError, BrokenPipeError):
            if whole:
                raise
        if self.failed is not None:
            self.failed.args = (f"{self.failed}{self._kept}",)
            raise self.failed
        if noted.number is None:
            return 0
        streams.say(f"{stopping.stopped(noted.number)} at step {self.lab.step_number:,}{self._kept}")
        return stopping.status_of(noted.number)

    def _work(self, noted: stopping.Noted) -> None:
        begun, work = perf_counter(), self.lab.work("run", (self.steps,), {})
        try:
            for progress in work:
                self._bar.show(progress)
                if noted.number is not None:
                    break
        except KeyboardInterrupt:
            noted.note(signal.SIGINT)
        except TinynetsError as error:  # the work before it ends at a whole moment, to be saved
            self.failed = error
        finally:
            work.close()
            self._bar.end()
        self.seconds = perf_counter() - begun

    def _evaluate(self, noted: stopping.Noted) -> None:
        if self.failed is not None or not self.evaluate:
            return
        most = {} if self.evaluate == ALL else {"examples": self.evaluate}
        for split in self.lab.data.splits:
            work = self.lab.work("evaluate", (split,), most)
            try:
                while noted.number is None:
                    self._bar.show(next(work))
            except StopIteration as stop:
                self.evaluations.append(stop.value)
            except KeyboardInterrupt:
                noted.note(signal.SIGINT)
            except TinynetsError as error:
                self.failed = error
                return
            finally:
                work.close()
                self._bar.end()

    def _write(self, target: str | None) -> None:
        if target is None:
            return
        try:
            self.saved = self.lab.save(target)
        except SaveError as error:
            self.failed = error

    def _let_go(self, discard: bool) -> None:
        if not discard and self.lab.step_number > self.first:
            self.lab.flush()
            file = self.lab.journal_file
            if file is not None:
                self._kept = f"; `tinynets recover {file.name.removesuffix(SUFFIX)}` saves it"
        self.lab.close(discard=discard or self.lab.step_number == self.first)

    def _at_once(self, number: int) -> None:
        self._bar.end()
        stopping.leave(number, f"tinynets: {stopping.stopped(number)} at once; `tinynets recover` lists what is kept")

    def _config(self, number: int | None) -> dict[str, Any]:
        lab, done = self.lab, self.lab.step_number - self.first
        return {
            "recipe": lab.recipe.name,
            "step": lab.step_number,
            "seconds": self.seconds,
            "steps_per_second": done / self.seconds if self.seconds else 0.0,
            "evaluations": {
                entry.split: {"loss": entry.loss, "accuracy": entry.accuracy, "examples": entry.examples}
                | ({"of": entry.of} if entry.of else {})
                | entry.map_errors
                for entry in self.evaluations
            },
            "digest": lab.state.digest(),
            "save": None if self.saved is None else self.saved.path,
            "stopped": None if number is None else signal.Signals(number).name,
        }

    def _lines(self) -> list[str]:
        lab = self.lab
        lines = [f"{lab.recipe.name}: step {lab.step_number:,} after {self.seconds:.1f} s"]
        lines += [f"  {entry}" for entry in self.evaluations]
        return lines if self.saved is None else [*lines, str(self.saved)]
