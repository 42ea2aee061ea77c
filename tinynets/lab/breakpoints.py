"""Breakpoints: where runs stop on their way: at a phase of a step, or where a condition begins to hold.

They belong to a lab while it is open, and are not saved. A condition stops a run at the moment at which it begins to
hold, so that a run from there goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from tinynets.edits.kinds import BREAKPOINT, BREAKS_AT
from tinynets.errors import CommandError, TinynetsError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.foreign_text import printable
from tinynets.history.player import Player
from tinynets.history.runs import Ends
from tinynets.lab.conditions import Condition, parse_condition
from tinynets.lab.verb import verb
from tinynets.nn.block import Phase
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.training.trainer import UPDATE

MOST = 100
KINDS = ("forward ", "backward ")


@dataclass(frozen=True)
class Breakpoint:
    """Where runs stop: `backward hidden`, `loss < 2.3`."""

    number: int
    text: str
    at_phase: bool
    """Whether it stops at a phase, in mid-step; else where a condition begins to hold."""
    on: bool = True
    rests: str = ""
    """Why the network as it is now never gets there; empty if it may."""

    def __str__(self) -> str:
        how = "at phase " if self.at_phase else "when "
        rests = f"  (rests: {self.rests})" if self.rests else ""
        return printable(f"{self.number}  {how}{self.text}{'' if self.on else '  (off)'}{rests}")


class Breakpoints:
    """The breakpoints of a lab, by their numbers."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._set: dict[int, Breakpoint] = {}
        self._conditions: dict[int, Condition] = {}
        self._last = 0
        self._checked_on: Network | None = None

    @verb(
        "training",
        "stop runs at a phase, a step, or where it begins to hold: backward hidden, loss < 2.3",
        lets_run=True,
    )
    def breakpoint(self, at: Annotated[str | int, BREAKS_AT]) -> Breakpoint:
        """Have runs stop at a phase of a step, at a step by its number, or where a condition begins to hold."""
        if len(self._set) >= MOST:
            raise CommandError(f"there are {MOST} breakpoints already, and no more are allowed")
        text, condition = self._read(at)
        known = next((entry for entry in self._set.values() if entry.text == text), None)
        if known is not None:
            return self._switch(known.number, True)
        self._last += 1
        if condition is not None:
            self._conditions[self._last] = condition
        made = self._set[self._last] = Breakpoint(self._last, text, condition is None)
        return made

    @verb("training", "the breakpoints: where runs stop", lets_run=True, read=True)
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """The breakpoints, in the order of their numbers."""
        if self._checked_on is not self._experiment.network:
            self._checked_on = self._experiment.network
            self._set = {number: replace(entry, rests=self._rests(entry)) for number, entry in self._set.items()}
        return tuple(self._set.values())

    @verb("training", "let a breakpoint stop runs again", lets_run=True)
    def breakpoint_on(self, number: Annotated[int, BREAKPOINT]) -> Breakpoint:
        """Switch a breakpoint on."""
        return self._switch(number, True)

    @verb("training", "keep a breakpoint, and do not stop at it", lets_run=True)
    def breakpoint_off(self, number: Annotated[int, BREAKPOINT]) -> Breakpoint:
        """Switch a breakpoint off."""
        return self._switch(number, False)

    @verb("training", "take a breakpoint away", lets_run=True)
    def unbreakpoint(self, number: Annotated[int, BREAKPOINT]) -> str:
        """Delete a breakpoint."""
        gone = self._known(number)
        del self._set[gone.number]
        self._conditions.pop(gone.number, None)
        return printable(f"breakpoint {gone.number} taken away: {gone.text}")

    def watch(self) -> Watch | None:
        """What stops a run that begins now; None if no breakpoint is on."""
        there = [entry for entry in self._set.values() if entry.on]
        return Watch(self._experiment, there, self._conditions) if there else None

    def _switch(self, number: int, on: bool) -> Breakpoint:
        made = self._set[number] = replace(self._known(number), on=on)
        return made

    def _known(self, number: object) -> Breakpoint:
        if not isinstance(number, int) or isinstance(number, bool) or number not in self._set:
            known = f"only {', '.join(map(str, self._set))}" if self._set else "nor any other"
            raise CommandError(f"there is no breakpoint {number}, {known}")
        return self._set[number]

    def _read(self, at: object) -> tuple[str, Condition | None]:
        """The text of a breakpoint and its condition, None for a phase."""
        text = str(at).strip() if isinstance(at, str | int) and not isinstance(at, bool) else ""
        if not text:
            raise CommandError(f"a breakpoint is a phase, a step or a condition, as `loss < 2.3`, not {at!r}")
        words = " ".join(text.split())
        order = self._experiment.player.phase_order
        if words.startswith(KINDS) or words in map(str, order):
            if order[phase_number(order, words)] == UPDATE:
                raise CommandError("`update` ends every step: `step` stops there without a breakpoint")
            return words, None
        step = words.removeprefix("step ").replace(",", "").replace("_", "")
        condition = parse_condition(f"step == {step}" if step.isdecimal() else text)
        condition.check(self._experiment)
        return str(condition), condition

    def _rests(self, entry: Breakpoint) -> str:
        try:
            if entry.at_phase:
                phase_number(self._experiment.player.phase_order, entry.text)
            else:
                self._conditions[entry.number].check(self._experiment)
        except TinynetsError as error:
            return str(error)
        return ""


class Watch:
    """Tells a run where to stop, and afterwards at which breakpoint it did.

    `ends` tells it from the losses so far, if all conditions need only those; None otherwise.
    """

    def __init__(self, experiment: Experiment, there: Sequence[Breakpoint], conditions: dict[int, Condition]) -> None:
        self._experiment = experiment
        self._phases = {entry.text: entry for entry in there if entry.at_phase}
        self._asked = [(entry, conditions[entry.number]) for entry in there if not entry.at_phase]
        self._step = experiment.moment.step
        self._was = {entry.number: self._value(asked) for entry, asked in self._asked if asked.of_losses is None}
        self._reached: Breakpoint | None = None
        alone = all(asked.of_losses is not None for _, asked in self._asked)
        self.ends: Ends | None = self._begins if alone else None

    @property
    def reached(self) -> str:
        """The breakpoint that stopped the run, in words; empty if none did."""
        player, found = self._experiment.player, self._reached
        if found is None and player.phases_done:
            found = self._phases.get(str(player.phase_order[player.phases_done - 1]))
        return printable(f"breakpoint {found.number}: {found.text}") if found is not None else ""

    def phase_stops(self, player: Player) -> list[int]:
        """After how many phases of a step to stop."""
        if not self._phases:
            return []
        return [count for count, phase in enumerate(player.phase_order, 1) if str(phase) in self._phases]

    def holds(self) -> bool:
        """Whether a condition began to hold since this was last asked."""
        step, here = self._experiment.moment.step, self._reached
        losses = self._experiment.branch.losses.values[:step]
        for entry, asked in self._asked:
            if asked.of_losses is not None:
                begins = step > self._step and _begins(asked, losses)
            else:
                now = self._value(asked)
                begins, self._was[entry.number] = now and not self._was[entry.number], now
            if begins and here is None:
                here = entry
        self._step, self._reached = step, here
        return here is not None

    def _begins(self, losses: Array) -> bool:
        return any(_begins(asked, losses) for _, asked in self._asked)

    def _value(self, asked: Condition) -> bool:
        """Whether it holds now; never where the network lost what it asks for."""
        try:
            return asked(self._experiment)
        except TinynetsError:
            return False


def _begins(asked: Condition, losses: Array) -> bool:
    return asked.holds_after(losses) and not asked.holds_after(losses[:-1])


def both(one: Ends | None, other: Ends | None) -> Ends | None:
    """Whether either of two ends; None where one of them needs more than the losses."""
    if one is None or other is None:
        return None
    return lambda losses: one(losses) or other(losses)


def phase_number(order: Sequence[Phase], name: object) -> int:
    """The place of a phase in a step, by its name; raises CommandError that says which there are."""
    names = [str(phase) for phase in order]
    words = " ".join(name.split()) if isinstance(name, str) else ""
    if words not in names:
        shown = f"`{words}`" if words else repr(name)
        near = nearest(words, names)
        known = near or f", such as {', '.join(f'`{entry}`' for entry in names[1:3])}"
        raise CommandError(f"{shown} is not a phase of a step of this network: there are {len(names)}{known}")
    return names.index(words)
