"""Reports, the lab's answers: plain data whose `str` is one line for a person."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

from tinynets.foreign_text import printable
from tinynets.history.evaluation import loss_text
from tinynets.history.moment import RecordedEdit

SLOW_MOVE = 0.05  # seconds; slower moves report their cost


def finished_text(step: int | None) -> str:
    """What a line says first where a half-done step was finished."""
    return "" if step is None else f"step {step:,} was finished first; "


def stopped_text(where: str) -> str:
    """What a line says first where a breakpoint stopped a run."""
    return f"stopped at {where}; " if where else ""


def still_text(why: str) -> str:
    """How a report says why nothing learns."""
    return f"; nothing learns: {why}" if why else ""


@dataclass(frozen=True)
class StepReport:
    """Where a step or a run of steps ended: step, its training loss, and the seconds it took."""

    step: int
    loss: float
    seconds: float
    steps: int = 1
    """How many were done."""
    still: str = ""
    """Why the last of them changed no parameter; empty if it did."""
    stopped: str = ""
    """The breakpoint that stopped them, in words; empty if none did."""

    def __str__(self) -> str:
        rate = f", {self.steps / self.seconds:,.0f} steps/s" if self.steps > 1 and self.seconds > 0 else ""
        loss = f": loss {loss_text(self.loss)}{rate}" if self.step else ""
        return f"{stopped_text(self.stopped)}step {self.step:,}{loss}{still_text(self.still)}"


@dataclass(frozen=True)
class PauseReport:
    """A run that was paused: where, and after how many steps."""

    step: int
    steps: int

    @property
    def python(self) -> str:
        """The line of Python that does the same."""
        return f"lab.run({self.steps})" if self.steps else ""

    def __str__(self) -> str:
        return f"paused at step {self.step:,}" + (f" after {self.steps:,} steps" if self.steps else "")


@dataclass(frozen=True)
class PhaseReport:
    """The phase of a step that was done, and the next one."""

    step: int
    """Steps done so far."""
    phase: str
    """The last phase done; empty where the step has not begun."""
    next_phase: str
    done: int
    total: int
    back: bool = False
    """Whether the way led back."""
    edits: int = 0
    """How many recorded edits lie between this phase and the moment that it was gone back from."""

    def __str__(self) -> str:
        if not self.done:
            return f"back to before the step: at step {self.step:,}, next {self.next_phase}"
        if self.done == self.total:
            return f"{self.phase} done: step {self.step:,} is complete"
        edits = f"{self.edits} edit{'s' if self.edits > 1 else ''}"
        over = f", over {edits} at step {self.step + 1:,}" if self.edits else ""
        way = f"back to {self.phase}{over}" if self.back else f"{self.phase} done"
        return f"{way} ({self.done} of {self.total}), next {self.next_phase}"


@dataclass(frozen=True)
class EditReport:
    """What an edit did: the probe's loss and accuracy before and after; None where there are no classes."""

    step: int
    done: str
    before: float
    after: float
    python: str
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    still: str = ""
    """Why nothing learns any more after this edit; empty otherwise."""
    finished: int | None = None
    """The step that was half done and was finished before the edit; None where there was none."""
    phase: str = ""
    """The phase of the half-done step that it was made at and acts on; empty otherwise."""
    batch_before: float | None = None
    """The loss of that step's batch before the edit; None where the phase `loss` was not done yet."""
    batch_after: float | None = None
    forked: str = ""
    """The branch that this edit, made in the past, began, or keeps what was undone: in words; empty if none."""

    @property
    def finished_first(self) -> str:
        """What a line says first where a half-done step was finished."""
        return finished_text(self.finished)

    @property
    def in_step(self) -> str:
        """What is said of the half-done step that it acts on: that, and the loss of its batch once it has one."""
        if not self.phase:
            return ""
        if self.batch_before is None or self.batch_after is None:
            return " in this step"
        return f" in this step: its batch's loss {loss_text(self.batch_before)} -> {loss_text(self.batch_after)}"

    def __str__(self) -> str:
        accuracy = ""
        if self.accuracy_before is not None and self.accuracy_after is not None:
            accuracy = f", accuracy {self.accuracy_before:.1%} -> {self.accuracy_after:.1%}"
        losses = f"probe loss {loss_text(self.before)} -> {loss_text(self.after)}"
        done = f"{printable(self.done)}{self.in_step}{', ' if self.batch_after is not None else ': '}"
        forked = f"; {printable(self.forked)}" if self.forked else ""
        return f"{self.finished_first}{done}{losses}{accuracy}{forked}{still_text(self.still)}"


@dataclass(frozen=True)
class LogEntry:
    """An edit as the log lists it."""

    step: int
    python: str
    done: str
    before: float
    after: float
    phase: str = ""
    """The phase of the half-done step that it was made at; empty between steps."""

    @staticmethod
    def of(placed: RecordedEdit) -> LogEntry:
        return LogEntry(placed.step, placed.edit.python(), placed.done, placed.before, placed.after, placed.phase)

    def __str__(self) -> str:
        notes = [f"in the step, after {self.phase}"] if self.phase else []
        notes += [] if isnan(self.before) else [f"probe loss {loss_text(self.before)} -> {loss_text(self.after)}"]
        effect = f"  # {', '.join(notes)}" if notes else ""
        return f"step {self.step:>7,}  {printable(self.python + effect)}"


@dataclass(frozen=True)
class MoveReport:
    """Where a seek, back, undo or redo ended."""

    step: int
    edits: int
    branch: str
    loss: float | None
    what: str = ""
    seconds: float = 0.0
    """The time that it took."""

    def __str__(self) -> str:
        loss = "" if self.loss is None else f", loss {loss_text(self.loss)}"
        cost = f" ({self.seconds * 1000:,.0f} ms)" if self.seconds >= SLOW_MOVE else ""
        return f"{printable(self.what) or 'now'} at step {self.step:,}{loss}{cost}"


class SeekCost(NamedTuple):
    """The cost of going to a recorded step: steps to recompute, and roughly how many seconds."""

    steps: int
    seconds: float

    def __str__(self) -> str:
        if not self.steps:
            return "nothing to compute again: that state is kept"
        about = f", about {self.seconds * 1000:,.0f} ms" if self.seconds else ""
        return f"{self.steps:,} step{'s' if self.steps > 1 else ''} to compute again{about}"


@dataclass(frozen=True)
class UntilReport:
    """Where `run_until` or `back_until` ended, and whether the condition holds there."""

    step: int
    edits: int
    branch: str
    loss: float | None
    condition: str
    found: bool
    first: int
    """The step at which it started."""
    stopped: str = ""
    """The breakpoint that stopped it before, in words; empty if none did."""

    def __str__(self) -> str:
        loss = "" if self.loss is None else f", loss {loss_text(self.loss)}"
        if self.stopped and not self.found:
            return f"{stopped_text(self.stopped)}{self.condition} not yet; at step {self.step:,}{loss}"
        if self.found:
            return f"{self.condition}: at step {self.step:,}{loss}"
        if self.step > self.first:
            return f"{self.condition}: not within {self.step - self.first:,} steps; now at step {self.step:,}{loss}"
        return f"{self.condition}: at no moment before; still at step {self.step:,}{loss}"


@dataclass(frozen=True)
class SaveReport:
    """A save that was written."""

    path: str
    nbytes: int
    step: int
    finished: int | None = None
    """The step that was half done and was finished first; None where there was none."""

    def __str__(self) -> str:
        saved = f"saved {self.path} ({self.nbytes / 1e6:.1f} MB, step {self.step:,})"
        return finished_text(self.finished) + printable(saved)
