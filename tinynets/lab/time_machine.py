"""TimeMachine: moves a run in time and between branches, and keeps its bookmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Annotated

from tinynets.edits.kinds import BOOKMARK, BRANCH, CONDITION, MOMENT, NAME, OTHER_BRANCH, REST, WHOLE
from tinynets.errors import TimelineError, TinynetsError, unwritable
from tinynets.experiment.experiment import Experiment
from tinynets.history import moves, runs
from tinynets.history.moment import MAX_NAME, MAX_NOTE, Bookmark, Moment, is_name
from tinynets.history.player import Player, whole
from tinynets.history.tree import BranchTree
from tinynets.jobs import Job
from tinynets.lab.breakpoints import Breakpoints, both
from tinynets.lab.conditions import Condition, parse_condition
from tinynets.lab.reports import MoveReport, SeekCost, UntilReport
from tinynets.lab.verb import verb
from tinynets.numerics.checks import check_whole, whole_number
from tinynets.recipes.recipe import MAX_STEPS

Asked = str | Condition | Callable[[], bool]
"""A condition, its text, or a function without arguments."""

UNTIL_LIMIT = 100_000
"""Steps after which `run_until` gives up by default."""


class TimeMachine:
    """Moves a run in time and between branches, and keeps its bookmarks."""

    def __init__(self, experiment: Experiment, breakpoints: Breakpoints) -> None:
        self._experiment = experiment
        self._breakpoints = breakpoints

    @property
    def player(self) -> Player:
        """The player of the run that is moved."""
        return self._experiment.player

    # -- moments

    @verb("time", "go a step back, or N", takes_steps=True)
    def back(self, n: Annotated[int, WHOLE] = 1) -> Job[MoveReport]:
        """Go n steps back; a half-done step is dropped and counts as one."""
        begun = perf_counter()
        check_whole("n", n, 1, MAX_STEPS)
        half = self.player.phases_done > 0
        if n - half > self.player.position.step:
            raise TimelineError(f"cannot go {n} back from step {self.player.position.step}")
        self.player.cancel_step()
        n -= half
        if n:
            yield from moves.seek(self.player, self.player.position.step - n)
        return self._moved(begun=begun)

    @verb(
        "time",
        "go to after the last (or the Nth) edit at a step; beyond the end, run there",
        takes_steps=True,
    )
    def seek(
        self, step: Annotated[int | str, MOMENT], *, edits: Annotated[int | None, WHOLE] = None
    ) -> Job[MoveReport]:
        """Go to `step` of this branch, after its edits, or to a bookmark; beyond the recorded steps, train up to it."""
        begun, player = perf_counter(), self.player
        if isinstance(step, str):
            if edits is not None:
                raise TimelineError(f"the bookmark `{step}` is a moment already: `edits` cannot be given with it")
            mark = player.timeline.marked(step)
            yield from moves.go(player, mark.moment)
            return self._moved(f"at bookmark {mark.name},", begun)
        check_whole("step", step, 0, MAX_STEPS)
        if edits is None:
            yield from moves.seek(player, int(step))
            return self._moved(begun=begun)
        first, last = player.branch.edits_through(step - 1), player.branch.edits_through(step)
        if step > len(player.branch.losses):
            raise TimelineError(f"step {step:,} is not recorded yet, so no edits were done there")
        check_whole(f"edits (at step {step:,} there are {last - first})", edits, 0, last - first)
        yield from moves.go(player, Moment(player.position.branch, int(step), first + int(edits)))
        return self._moved(begun=begun)

    @verb(
        "time",
        "step until it holds, N steps at most: loss < 2.3, dead hidden[7]",
        name="until",
        takes_steps=True,
    )
    def run_until(
        self, condition: Annotated[Asked, CONDITION], *, limit: Annotated[int, WHOLE] = UNTIL_LIMIT
    ) -> Job[UntilReport]:
        """Take steps to the next moment at which a condition holds: text, or a function without arguments."""
        check_whole("limit", limit, 1, MAX_STEPS)
        holds, text, by_losses = self._condition(condition)
        player, first = self.player, self.player.position.step
        ends, watch = by_losses.holds_after if by_losses else None, self._breakpoints.watch()
        if watch is None:
            found = yield from runs.run_until(player, holds, limit, ends)
            return self._until(text, found, first)
        found, asked = False, holds

        def here() -> bool:
            nonlocal found
            found = asked()
            return watch.holds() or found

        yield from runs.run_until(player, here, limit, both(ends, watch.ends), watch)
        return replace(self._until(text, found, first), stopped=watch.reached)

    @verb(
        "time",
        "back to the last moment at which it held: alive hidden[7], loss < 2.3",
        takes_steps=True,
    )
    def back_until(self, condition: Annotated[Asked, CONDITION]) -> Job[UntilReport]:
        """Go back to the last earlier moment at which a condition held; stay here if there is none."""
        holds, text, by_losses = self._condition(condition)
        first = self.player.position.step
        found = yield from moves.back_until(self.player, holds, by_losses.of_losses if by_losses else None)
        return self._until(text, found, first)

    @verb("time", "what going to a recorded step costs", shows=True)
    def seek_cost(self, step: Annotated[int, WHOLE.called("STEP")]) -> SeekCost:
        """The cost of going to a recorded step of this branch: steps to recompute, and roughly how many seconds."""
        check_whole("step", step, 0, len(self.player.branch.losses))
        return SeekCost(*moves.cost(self.player, self.player.branch.moment_at(step)))

    @verb("time", "undo the last edit or run of steps", takes_steps=True)
    def undo(self) -> Job[MoveReport]:
        """Go to the moment before the last action, an edit or a run of steps; a half-done step is dropped instead.

        An edit made in the half-done step is taken off first, and the step stands at the same phase without it. Where
        the moment is ahead of here, since the run was taken back in time meanwhile, the report says so.
        """
        player = self.player
        dropped = player.half is not None and not moves.edited_in_step(player)
        what, here = "the half-done step" if dropped else _action(player.timeline.actions, player), player.position
        yield from moves.undo(player)
        return self._moved(f"undone: {what},{_forward(here, player.position)}{self._within()}" if what else "")

    @verb("time", "redo what was undone", takes_steps=True)
    def redo(self) -> Job[MoveReport]:
        """Go to the moment after the action that was last undone."""
        player = self.player
        what, here, branch = _action(player.timeline.undone, player), player.position, player.branch.name
        yield from moves.redo(player)
        other = f" on branch {player.branch.name}," if player.position.branch != here.branch else ""
        back = f" going back from step {here.step:,}{'' if not other else f' of {branch}'},"
        back = back if player.position.step < here.step else ""
        return self._moved(f"redone: {what},{back}{other}{self._within()}" if what else "")

    @verb("time", "the last N edits count as one: undo takes them back together", lets_run=True)
    def join(self, n: Annotated[int, WHOLE.called("N")]) -> str:
        """Make the last n edits, made one right after another, one action for undo and redo."""
        check_whole("n", n, 2, MAX_STEPS)
        self.player.timeline.join_actions(n)
        return f"undo takes back {_action(self.player.timeline.actions, self.player)}"

    def _within(self) -> str:
        """Where in the half-done step it still is; empty between steps."""
        player = self.player
        return f" still in mid-step ({player.phase_order[player.phases_done - 1]})," if player.phases_done else ""

    def _until(self, text: str, found: bool, first: int) -> UntilReport:
        player, (_, step, edits) = self.player, self.player.position
        return UntilReport(step, edits, player.branch.name, player.last_loss, text, found, first)

    def _condition(self, condition: Asked) -> tuple[Callable[[], bool], str, Condition | None]:
        """The check for each moment, the condition in words, and the condition itself if losses alone decide it."""
        experiment = self._experiment
        if isinstance(condition, str | Condition):
            asked = parse_condition(condition) if isinstance(condition, str) else condition
            asked.check(experiment)
            return lambda: asked(experiment), str(asked), asked if asked.of_losses else None
        if not callable(condition):
            raise TimelineError(f"a condition is text like `loss < 2.3`, or a predicate of the lab, not {condition!r}")
        text = getattr(condition, "__name__", str(condition))

        def holds() -> bool:
            try:
                return bool(condition())
            except TinynetsError:
                raise
            except Exception as error:
                if self.player.last_loss is None and isinstance(error, TypeError):
                    return False  # before the first step there is no loss to compare
                raise TimelineError(
                    f"the condition `{text}` failed at step {self.player.position.step:,}: {error!r}"
                ) from error

        return holds, text, None

    # -- branches

    @verb("time", "go on from here on a new branch")
    @whole
    def fork(self, name: Annotated[str, NAME]) -> MoveReport:
        """Start a new branch of that name here, and go on there."""
        self.player.fork(_name("a branch's name", name))
        return self._moved(f"on branch {self.player.branch.name},")

    @verb("time", "go to the end of another branch, or to a step of it", takes_steps=True)
    def switch(
        self, name: Annotated[str, OTHER_BRANCH], *, step: Annotated[int | None, WHOLE] = None
    ) -> Job[MoveReport]:
        """Go to the end of another branch, or to before the edits there that were undone; or to a recorded step."""
        begun = perf_counter()
        if step is not None:
            step = whole_number("`step`", step, 0, MAX_STEPS)
        yield from moves.switch(self.player, name, step)
        undone = self.player.branch.undone_edits if step is None else ""
        return self._moved(f"on branch {self.player.branch.name},{f' {undone},' if undone else ''}", begun)

    @verb("time", "give a branch another name")
    @whole
    def rename(self, branch: Annotated[str, BRANCH.called("BRANCH")], name: Annotated[str, NAME]) -> str:
        """Rename a branch."""
        self.player.timeline.rename(branch, _name("a branch's name", name))
        self.player.tick(True)
        return f"{branch} is now {name.strip()}"

    @verb("time", "forget a branch and what only it holds")
    @whole
    def drop(self, branch: Annotated[str, OTHER_BRANCH]) -> str:
        """Delete a branch and what only it holds; not the current one. Branches forked from it keep their past."""
        dropped = self.player.timeline.drop(branch)
        self.player.tick(True)
        return dropped

    @verb("time", "the branches: where each left its parent, where it ends", read=True)
    def tree(self) -> BranchTree:
        """The branches: where each was forked from its parent and where it ends."""
        return self.player.timeline.tree()

    # -- bookmarks

    @verb("time", "mark this moment, to come back with seek NAME")
    @whole
    def bookmark(
        self, name: Annotated[str, BOOKMARK.called("NAME")], note: Annotated[str, REST.called("NOTE")] = ""
    ) -> Bookmark:
        """Mark this moment with a unique name and a note; `seek(name)` comes back to it."""
        if not isinstance(note, str) or len(note) > MAX_NOTE:
            raise TimelineError(f"a bookmark's note must be text of at most {MAX_NOTE:,} characters, not {note!r}")
        if why := unwritable(note):
            raise TimelineError(f"a bookmark's note must be text that can be written: {why}")
        mark = self.player.timeline.bookmark(_name("a bookmark's name", name), note, self.player.position)
        self.player.tick(True)
        return mark

    @verb("time", "take a bookmark away")
    @whole
    def unbookmark(self, name: Annotated[str, BOOKMARK.called("NAME")]) -> str:
        """Delete a bookmark."""
        self.player.timeline.unbookmark(name)
        self.player.tick(True)
        return f"bookmark {name} taken away"

    @verb("time", "the moments that are marked", read=True)
    def bookmarks(self) -> tuple[Bookmark, ...]:
        """The bookmarks, in the order of their steps."""
        return self.player.timeline.marks()

    def _moved(self, what: str = "", begun: float | None = None) -> MoveReport:
        seconds = 0.0 if begun is None else perf_counter() - begun
        return MoveReport(
            self.player.position.step,
            self.player.position.edits,
            self.player.branch.name,
            self.player.last_loss,
            what,
            seconds,
        )


def _name(what: str, name: object) -> str:
    """A name without the blanks around it; raises TimelineError if it is not a valid name."""
    if not isinstance(name, str) or not is_name(name):
        raise TimelineError(f"{what} must be 1 to {MAX_NAME} printable characters, not {name!r}")
    return name.strip()


def _forward(here: Moment, there: Moment) -> str:
    """That a way leads forward in time, where it does."""
    if there.step > here.step:
        return f" going forward from step {here.step:,},"
    edits = there.edits - here.edits
    if there[:2] == here[:2] and edits > 0:
        return f" going forward over {edits} edit{'s' if edits > 1 else ''},"
    return ""


def _action(actions: list[tuple[Moment, Moment]], player: Player) -> str:
    """The last action of a list in words; empty if there is none."""
    if not actions:
        return ""
    before, after = actions[-1]
    if after.edits > before.edits and after.step == before.step:
        done = [placed.done for placed in player.timeline.branches[after.branch].edits[before.edits : after.edits]]
        return done[0] if len(done) == 1 else f"{len(done)} edits, {done[0]} to {done[-1]}"
    count = after.step - before.step
    return f"{count:,} step{'s' if count != 1 else ''}"
