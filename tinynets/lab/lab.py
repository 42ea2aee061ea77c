"""Lab: the one object that a user holds; long because each method is documented, while its parts do the work."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tinynets.data import Dataset
from tinynets.edits.kinds import bind
from tinynets.errors import EditError, TinynetsError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.prediction import Prediction
from tinynets.experiment.probe import Probe
from tinynets.history.evaluation import Evaluation
from tinynets.history.keyframes import BUDGET
from tinynets.history.moment import Bookmark, Moment
from tinynets.history.player import Player
from tinynets.history.tree import BranchTree
from tinynets.history.verify import VerifyReport
from tinynets.jobs import Job, Progress, between_pieces, run_to_end
from tinynets.lab.breakpoints import Breakpoint, Breakpoints
from tinynets.lab.conditions import Condition
from tinynets.lab.editor import Editor, Numbers
from tinynets.lab.inspector import Inspector
from tinynets.lab.opening import Options, TrainingOptions, open_source
from tinynets.lab.reports import (
    EditReport,
    LogEntry,
    MoveReport,
    PhaseReport,
    SaveReport,
    SeekCost,
    StepReport,
    UntilReport,
)
from tinynets.lab.runs import Runs
from tinynets.lab.saving import Saving
from tinynets.lab.time_machine import UNTIL_LIMIT, TimeMachine
from tinynets.lab.verbs import VERBS, verb_called
from tinynets.measure.compare import BranchRef, branch_of_save, compare_branches
from tinynets.measure.comparison import Comparison
from tinynets.measure.confusion import Confusion
from tinynets.measure.explanation import Explanation
from tinynets.measure.worth import EXAMPLES, Worth
from tinynets.nn.interventions import Intervention
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.recipes.recipe import Recipe
from tinynets.storage import saves
from tinynets.training.optimizers import Optimizer
from tinynets.training.schedules import Schedule
from tinynets.training.state import State

Result = TypeVar("Result")


class Lab:
    """A network in training, with its whole history: step, operate, go back, save.

    `source` is a recipe's name, a `.toml` path, a save's path, or a Network. A Network needs `data` ((x, y), or
    (x, y, weight), or x alone where the loss takes no targets, or a dict of such by split, or the path of an
    `.npz` file with arrays `x`, `y` and `weight`, or with `train_x`, `train_y`, `dev_x`, ...), `loss` (or its kind,
    "mse", or a function (out, y) -> (value, gradient)) and `optimizer` (or its name, "adam"; by default tn.SGD()); the
    lab works on a copy of it, `lab.network`. `rates`, `l1` and `l2` are dicts, block -> learning-rate factor or
    penalty: the gradient of a block's parameters, biases included, gets l2 * theta (of l2 / 2 * sum theta^2) and
    l1 * sign(theta) (of l1 * sum |theta|); the reported loss leaves both out.
    `sampling` is `replacement`, `epoch`, or `stream`, which recurrent layers with `carry` need: each row of a
    batch goes on where the last one ended. `seed` addresses batches, and for a recipe the initial values too (default:
    the recipe's). `memory` bounds the bytes of keyframes. `threads` of BLAS: chosen from the shapes by default, and set
    once per process. `journal`: write what is done to a file as it happens, in the user's own folder (True) or another
    one, so that it can be recovered if the process ends before a save (`tn.Lab("x.journal")`). `read_only`: never write
    the save; a save that another process has open is always opened this way.

    A save holds its data up to 16 MB, else its digest, its path and a few examples. Larger data are read from that
    path, or can be given as `data`. If they are missing or have changed, `warnings` says so, and the lab opens on the
    examples: everything stored can be inspected, and what needs the data raises DataError (`step`, `evaluate`, `seek`
    to a step that is not stored).

    With `fresh`, only the recipe, data and start of a save are used: the run has no steps yet, and the lab has no file.

    Raises RecipeError, SaveError, ShapeError, DataError or SelectorError; the message names thing, rule and value.
    """

    def __init__(
        self,
        source: str | Path | Network,
        *,
        data: Any = None,
        loss: Loss | str | Mapping[str, Any] | Callable[[Any, Any], Any] | None = None,
        optimizer: Optimizer | str | Mapping[str, Any] | None = None,
        schedule: Schedule | None = None,
        batch: int | None = None,
        sampling: str | None = None,
        seed: int | None = None,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        rates: Mapping[str, float] | None = None,
        l1: Mapping[str, float] | None = None,
        l2: Mapping[str, float] | None = None,
        probe: int | None = None,
        memory: int = BUDGET,
        threads: int | None = None,
        fresh: bool = False,
        journal: bool | str | Path = False,
        read_only: bool = False,
    ) -> None:
        training = TrainingOptions(
            loss, optimizer, schedule, clip_norm, clip_value, rates, l1, l2, batch, sampling, probe, seed
        )
        session = open_source(source, Options(data, training, memory, threads, fresh, journal, read_only))
        self.warnings = session.warnings
        self._experiment = experiment = session.experiment
        self._files = files = session.files
        self._saving = Saving(experiment, files, session.recovered)
        self._breakpoints = Breakpoints(experiment)
        self._runs = Runs(experiment, self._breakpoints, lambda message: files.told(message))
        self._editor = Editor(experiment, saves.open_experiment)
        self._time = TimeMachine(experiment, self._breakpoints)
        self._inspector = Inspector(experiment, files)
        self._parts = self._runs, self._breakpoints, self._time, self._editor, self._inspector, self._saving

    def __reduce__(self) -> NoReturn:
        raise TinynetsError("a Lab cannot be copied or pickled: save it and open the save, or `fork` a branch")

    def __repr__(self) -> str:
        return f"Lab({self.recipe.name!r}, step {self.step_number:,}, {self.network!r})"

    # -- this moment

    @property
    def recipe(self) -> Recipe:
        """What the run is made of: layers, data, training."""
        return self._experiment.recipe

    @property
    def data(self) -> Dataset:
        """The data set, its splits by name."""
        return self._experiment.data

    @property
    def probe(self) -> Probe:
        """The fixed examples on which activations are shown."""
        return self._experiment.probe

    @property
    def player(self) -> Player:
        """The player, which holds the live state and moves it along the timeline; make changes through the lab."""
        return self._experiment.player

    @property
    def same_machine(self) -> bool:
        """Whether processor, numpy and number of threads are the same as when the save was made."""
        return self._experiment.same_machine

    @property
    def watched(self) -> Callable[[Progress], None]:
        """A callback that receives the progress of evaluations made during a run."""
        return self._experiment.schedule.watched

    @watched.setter
    def watched(self, watched: Callable[[Progress], None]) -> None:
        self._experiment.schedule.watched = watched

    @property
    def network(self) -> Network:
        """The live network. Its parameters and carried state are read-only: make changes through the lab."""
        return self.player.network

    @property
    def state_now(self) -> State:
        """The live state itself, to be read before the next step; `state` is a copy that can be kept."""
        return self.player.state

    @property
    def state(self) -> State:
        """A copy of the state at this moment: `lab.state.digest()`."""
        return self.player.state.copy()

    @property
    def moment(self) -> Moment:
        """Branch number, steps done and edits applied."""
        return self.player.position

    @property
    def step_number(self) -> int:
        """Steps done at this moment."""
        return self.player.position.step

    @property
    def end(self) -> int:
        """The last recorded step of this branch."""
        return len(self.player.branch.losses)

    @property
    def loss(self) -> float | None:
        """Training loss of the last step; None before the first."""
        return self.player.last_loss

    @property
    def losses(self) -> Any:
        """(steps,) training loss of every recorded step of this branch, as a copy."""
        return self.player.branch.losses.values.copy()

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """The evaluations of this branch, in the order of their steps."""
        return self._inspector.evaluations()

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """The edits that led to this moment, in order."""
        return self._inspector.log()

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The interventions that are in force at this moment."""
        return self._inspector.interventions()

    @property
    def frozen(self) -> dict[str, tuple[int, ...]]:
        """The frozen units of each block that has any, by block."""
        return self._inspector.frozen()

    @property
    def frozen_weights(self) -> dict[str, int]:
        """The number of elements frozen one by one in each parameter, not counting units that are frozen whole."""
        return self._inspector.frozen_weights()

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the branches, in the order in which they were made."""
        return tuple(branch.name for branch in self.player.timeline.branches.values())

    @property
    def branch(self) -> str:
        """Name of the current branch."""
        return self.player.branch.name

    @property
    def unsaved(self) -> bool:
        """Whether anything was recorded since the last save."""
        return self._saving.unsaved

    @property
    def path(self) -> str:
        """The file last saved to or loaded from; may be empty."""
        return self._saving.path

    @property
    def read_only(self) -> bool:
        """Whether this lab may not write that file: another process has it open, or `read_only` was given."""
        return self._saving.read_only

    @property
    def named_path(self) -> str:
        """Where a recovered run was meant to be saved, if no save is there; written only when asked; may be empty."""
        return self._saving.named_path

    # -- training

    def step(self, n: int = 1) -> StepReport:
        """Take n steps; a half-done step is finished first and counts. In the past, recorded steps are replayed.

        Raises NonFiniteError when something becomes NaN or infinite; the state before that step is kept.
        """
        return self._do(self._runs.step(n))

    def run(self, steps: int) -> StepReport:
        """Take many steps, as one action.

        In the past they replay what is recorded, including the edits at the step where they start. Where they end at a
        step with edits, the lab stands before those edits; `seek` to that step would stand after them.
        """
        return self._do(self._runs.run(steps))

    def phase(self) -> PhaseReport:
        """Do the next phase of a step: batch, forward layer by layer, loss, backward layer by layer, update."""
        return self._runs.phase()

    def phase_back(self) -> PhaseReport:
        """Go a phase back, exactly; from the first one, to the moment at which the step began.

        Between steps it goes into the step just done, to its last phase but `update`. Raises TimelineError at step 0.
        """
        return self._do(self._runs.phase_back())

    def phase_to(self, phase: str) -> PhaseReport:
        """Go to where a phase of this step is just done (`backward hidden`), forward or back; or begin a step for it.

        Raises CommandError for a phase that this network does not have.
        """
        return self._runs.phase_to(phase)

    def step_out(self) -> PhaseReport:
        """Finish the step that is half done; raises TimelineError where none is."""
        return self._runs.step_out()

    def breakpoint(self, at: str | int) -> Breakpoint:
        """Have `step`, `run` and `run_until` stop at a phase (`backward hidden`), at a step, or at a condition.

        A phase leaves the step half done there. A condition (`loss < 2.3`, `dead hidden[7]`, as `run_until` takes
        them) stops a run where it begins to hold. Breakpoints belong to this lab while it is open, not to its save.
        """
        return self._breakpoints.breakpoint(at)

    @property
    def breakpoints(self) -> tuple[Breakpoint, ...]:
        """The breakpoints, in the order of their numbers."""
        return self._breakpoints.breakpoints()

    def breakpoint_on(self, number: int) -> Breakpoint:
        """Switch a breakpoint on."""
        return self._breakpoints.breakpoint_on(number)

    def breakpoint_off(self, number: int) -> Breakpoint:
        """Switch a breakpoint off; it is kept."""
        return self._breakpoints.breakpoint_off(number)

    def unbreakpoint(self, number: int) -> str:
        """Delete a breakpoint."""
        return self._breakpoints.unbreakpoint(number)

    # -- until something holds

    def run_until(self, condition: str | Condition | Callable[[Lab], bool], *, limit: int = UNTIL_LIMIT) -> UntilReport:
        """Take steps to the next moment at which a condition holds, at most `limit`.

        A condition is a function of the lab, or text: `loss < 2.3`, `dead hidden[7]`, `alive hidden[7] and step > 100`
        (see lab/conditions.py). In the past, what is recorded is replayed, edits and all.
        """
        return self._do(self._time.run_until(self._bound(condition), limit=limit))

    def back_until(self, condition: str | Condition | Callable[[Lab], bool]) -> UntilReport:
        """Go back to the last earlier moment at which a condition held; stay here if there is none."""
        return self._do(self._time.back_until(self._bound(condition)))

    # -- looking

    def probe_measures(self) -> tuple[float, float | None]:
        """Mean loss and accuracy of the probe at this moment."""
        return self._experiment.probe_measures()

    def explain(
        self,
        selector: str,
        example: int = 0,
        *,
        split: str = "train",
        top: int = 8,
        input: Any = None,
        of: str | None = None,
    ) -> Explanation:
        """How a unit gets its value and gradient on an example of the probe, what it responds to and what it affects.

        `rnn[5]@t=3` is a recurrent unit at that time step. Its statistics, and the examples it responds to most, are
        taken over `split`; `top` is how many are listed. `of`: the example is one of that split, not of the probe.
        `input`: in place of an example, an input as `predict` takes it; without a target it has no gradient.
        Raises SelectorError or EditError for anything but a single unit, or for an example or split that is not there.
        """
        return self._do(self._inspector.explain(selector, example, split=split, top=top, input=input, of=of))

    def worth(self, block: str, *, split: str | None = None, examples: int | None = EXAMPLES) -> Worth:
        """By how much the loss rises without each unit of a block: each is zeroed in turn, and released again.

        Measured over `split` (default: `dev`, or `train` without one), over this many `examples` of a larger one,
        always the same (None: all of them). Nothing is recorded. `worth.values[3]` is what `evaluate` would give
        after `zero("hidden[3]")`, less what it gives now.
        Raises SelectorError for anything but a block with units, or EditError for a split that is not there.
        """
        return self._do(self._inspector.worth(block, split=split, examples=examples))

    def split(self, name: str) -> tuple[Any, Any]:
        """x and y of a split, in the form that the network and the loss take."""
        return self._experiment.split(name)

    def probe_loss(self) -> float:
        """Mean loss of the probe at this moment."""
        return self._experiment.probe_loss()

    def evaluate(self, split: str | None = None, *, clean: bool = False, examples: int | None = None) -> Evaluation:
        """Mean loss (and accuracy) over a whole split (default: `dev`, or `train` without one), kept on the branch.

        `clean` leaves the interventions out. `examples`: over this many examples of a larger split, always the same,
        drawn by the run's seed; such an evaluation is not kept.
        """
        return self._do(self._inspector.evaluate(split, clean=clean, examples=examples))

    def confusion(self, split: str | None = None) -> Confusion:
        """How often each class of a split (default: `dev`, or `train` without one) was taken for each.

        `confusion.counts` is (classes, classes), the right class down and the answer across; nothing is recorded.
        Raises EditError where the network does not choose among classes, or for a split that is not there.
        """
        return self._do(self._inspector.confusion(split))

    def map_errors(self, split: str = "train") -> dict[str, float]:
        """Quantization and topographic error of a self-organizing map, a network of `Distances` alone.

        Empty for other networks, and where the data are not there.
        """
        return self._inspector.map_errors(split)

    def evaluates_at(self, step: int) -> bool:
        """Whether a run evaluates automatically when it reaches a step."""
        return self._experiment.evaluates_at(step)

    def sample(
        self, n: int = 10, *, temperature: float = 1.0, seed: int | None = None, prefix: str = ""
    ) -> tuple[str, ...]:
        """n generated texts that start with `prefix`; the same when asked again at the same moment.

        `temperature` divides the logits (0: always the most likely character); `seed` defaults to the run's.
        """
        return self._inspector.sample(n, temperature=temperature, seed=seed, prefix=prefix)

    def predict(self, input: Any = None, *, example: int | None = None, split: str | None = None) -> Prediction:
        """The network's prediction for an input: the next character after a text; the class or the values for numbers.

        Or for an `example` of the data by its number, in `split` (default: `dev` if there is one, else `train`).
        Numbers can be given as text: `lab.predict("0.3, -1")`.
        """
        return self._inspector.predict(input, example=example, split=split)

    # -- keeping

    def save(self, path: str | Path | None = None) -> SaveReport:
        """Write everything to a file (default: where it was last saved, else a new one in the saves folder).

        A half-done step is finished first. The new file is read back before it replaces an earlier one. Raises
        SaveError, also where another process has the file open, or where the default path holds something that is not a
        save; an earlier file is then left as it was.
        """
        return self._saving.save(path)

    def claim(self, path: str | Path) -> str:
        """Reserve a file for this lab's save and return its path. Raises SaveError where another lab has it open."""
        return self._saving.claim(path)

    def hear(self, told: Callable[[str], None]) -> None:
        """From now on pass what a person should know to `told`, instead of adding it to `warnings`."""
        self._saving.hear(told)

    @property
    def journal_file(self) -> Path | None:
        """The file of the journal; None if none is written."""
        return self._saving.journal_file

    def flush(self) -> None:
        """Write to the journal, if there is one, everything done since the last write."""
        self._saving.flush()

    def close(self, *, discard: bool = False) -> None:
        """Release the save's file and the journal; the journal is kept if it holds anything unsaved.

        `discard` throws unsaved work away. A lab that is garbage collected, or still open when Python ends, is closed
        without it.
        """
        self._saving.close(discard=discard)

    # -- moments

    def seek(self, step: int | str, *, edits: int | None = None) -> MoveReport:
        """Go to `step` of this branch, after its edits, or to a bookmark; beyond the recorded steps, train up to it.

        `edits`: stop after this many of the edits at that step (0: before the first). Raises TimelineError where there
        are fewer, or where no bookmark has that name.
        """
        return self._do(self._time.seek(step, edits=edits))

    def back(self, n: int = 1) -> MoveReport:
        """Go n steps back; a half-done step is dropped and counts as one."""
        return self._do(self._time.back(n))

    def undo(self) -> MoveReport:
        """Go to the moment before the last action, an edit or a run of steps; a half-done step is dropped instead."""
        return self._do(self._time.undo())

    def redo(self) -> MoveReport:
        """Go to the moment after the action that was last undone."""
        return self._do(self._time.redo())

    def join(self, n: int) -> str:
        """Make the last n edits one action, which `undo` takes back together; each stays an edit of its own.

        Raises TimelineError unless they were made one right after another, with no step between.
        """
        return self._time.join(n)

    def switch(self, name: str, *, step: int | None = None) -> MoveReport:
        """Go to the end of another branch, or to before the edits there that were undone.

        With `step`, go to that recorded step of it, after its edits.
        """
        return self._do(self._time.switch(name, step=step))

    def seek_cost(self, step: int) -> SeekCost:
        """The cost of going to a recorded step of this branch: steps to recompute, and roughly how many seconds."""
        return self._time.seek_cost(step)

    # -- branches

    def fork(self, name: str) -> MoveReport:
        """Start a new branch of that name here, and go on there."""
        return self._time.fork(name)

    def rename(self, branch: str, name: str) -> str:
        """Rename a branch."""
        return self._time.rename(branch, name)

    def drop(self, branch: str) -> str:
        """Delete a branch and what only it holds; not the current one. Branches forked from it keep their past."""
        return self._time.drop(branch)

    @property
    def tree(self) -> BranchTree:
        """The branches: where each was forked from its parent and where it ends; `print` draws them."""
        return self._time.tree()

    # -- bookmarks

    def bookmark(self, name: str, note: str = "") -> Bookmark:
        """Mark this moment with a unique name and a note; `seek(name)` comes back to it."""
        return self._time.bookmark(name, note)

    def unbookmark(self, name: str) -> str:
        """Delete a bookmark."""
        return self._time.unbookmark(name)

    @property
    def bookmarks(self) -> tuple[Bookmark, ...]:
        """The bookmarks, in the order of their steps."""
        return self._time.bookmarks()

    def compare(self, a: str, b: str | None = None, *, step: int | None = None) -> Comparison:
        """Compare two branches or saves: where they part, and how far apart they are. The lab does not move.

        `a` and `b` are names of branches, paths of saves, or `FILE:BRANCH`; with one name, the current branch is
        compared with it. `step` defaults to the last one that both have recorded. Undone edits do not count; if the lab
        is at that step, its present state is compared.
        """
        return self._do(self._inspector.compare(a, b, step=step))

    def verify(self) -> VerifyReport:
        """Recompute every branch from its start and compare each keyframe and each loss with the recorded one."""
        return self._do(self._inspector.verify())

    def script(self, path: str | Path | None = None, *, overwrite: bool = False) -> str:
        """A Python script that rebuilds the whole run and checks that it ends at the same bytes.

        With `path` it is written there, and the answer says so. Raises TimelineError where there is nothing to start
        from (a lab built from Python must have been saved), SaveError where the file exists or cannot be written.
        """
        return self._do(self._inspector.script(path, overwrite=overwrite))

    # -- on activations

    def zero(self, selector: str) -> EditReport:
        """Hold the activations of units at zero: `lab.zero("hidden[3]")`; for recurrent units the hidden state too."""
        return self._edit("zero", selector)

    def mean(self, selector: str, over: str = "probe", *, values: Numbers | None = None) -> EditReport:
        """Hold units at their present mean over the probe or a split, or at `values` (units,)."""
        return self._edit("mean", selector, over=over, values=values)

    def resample(
        self, selector: str, over: str = "train", *, examples: int = 64, values: Numbers | None = None
    ) -> EditReport:
        """Replace units' activations by those on other examples: a number of `examples` are drawn now from a split.

        Each row of a batch takes one of them, drawn anew at each step, addressed by the run's seed and the step.
        """
        return self._edit("resample", selector, over=over, examples=examples, values=values)

    def clamp(self, selector: str, value: float) -> EditReport:
        """Hold the activations of units at a value."""
        return self._edit("clamp", selector, value=value)

    def scale(self, selector: str, factor: float) -> EditReport:
        """Multiply the activations of units by a factor."""
        return self._edit("scale", selector, factor=factor)

    def noise(self, selector: str, sigma: float) -> EditReport:
        """Add normal noise of mean 0 and deviation `sigma` to units, addressed by the run's seed and the step."""
        return self._edit("noise", selector, sigma=sigma)

    def patch(
        self,
        selector: str,
        *,
        example: int | None = None,
        input: Any = None,
        branch: str | None = None,
        bookmark: str | None = None,
        save: str | None = None,
        values: Numbers | None = None,
    ) -> EditReport:
        """Hold units at their activations on one example: of the probe by its number, or an `input` (text or numbers).

        They are taken at this moment, or at the end of another `branch` (without undone edits), at a `bookmark`, or in
        a `save`, with the interventions in force there. Or give `values`, shaped like an example at the site:
        (..., units).
        """
        return self._edit(
            "patch",
            selector,
            example=example,
            input=input,
            branch=branch,
            bookmark=bookmark,
            save=save,
            values=values,
        )

    def steer(
        self,
        selector: str,
        *,
        toward: Any = None,
        away: Any = None,
        over: str = "train",
        scale: float = 1.0,
        values: Numbers | None = None,
    ) -> EditReport:
        """Add a vector to units: `values` (units,), or the difference of two classes' mean activations, scaled.

        `toward` and `away` are classes by label or number; without `away` the mean of all examples is subtracted.
        """
        return self._edit("steer", selector, toward=toward, away=away, over=over, scale=scale, values=values)

    def release(self, selector: str) -> EditReport:
        """Remove the interventions on units."""
        return self._edit("release", selector)

    # -- on learning

    def freeze(self, selector: str, *, outgoing: bool = False, others: bool = False) -> EditReport:
        """Keep every byte of units while the rest trains: weights, bias, gain, shift, running statistics, slots.

        `outgoing`: their outgoing weights too. `others`: all units but these. A selector of weights (`hidden.w[4,3]`)
        freezes only those weights.
        """
        return self._edit("freeze", selector, outgoing=outgoing, others=others)

    def unfreeze(self, selector: str, *, outgoing: bool = False, others: bool = False) -> EditReport:
        """Let frozen units or weights learn again, with the optimizer's slots as they were."""
        return self._edit("unfreeze", selector, outgoing=outgoing, others=others)

    def rate(self, selector: str, factor: float) -> EditReport:
        """Multiply the learning rate of units by a factor; a factor set for units overrides that of their block."""
        return self._edit("rate", selector, factor=factor)

    # -- on parameters

    def set_weight(self, selector: str, value: float) -> EditReport:
        """Set elements of a parameter: `lab.set_weight("hidden.w[4,3]", 0.5)`."""
        return self._edit("set_weight", selector, value=value)

    def nudge(self, selector: str, by: float) -> EditReport:
        """Add to weights: elements of a parameter, or the incoming weights of units."""
        return self._edit("nudge", selector, by=by)

    def zero_weights(self, selector: str) -> EditReport:
        """Set weights to 0: elements of a parameter, or the incoming weights of units, not their biases."""
        return self._edit("zero_weights", selector)

    def reinit(self, selector: str) -> EditReport:
        """Draw everything that units have learned anew, as at the start, and set their slots to zero."""
        return self._edit("reinit", selector)

    def copy(self, selector: str, to: str, *, outgoing: bool = False) -> EditReport:
        """Copy everything that units have learned, slots included, to other units of their block.

        The other units keep their interventions, frozen weights and learning rates.
        """
        return self._edit("copy", selector, to=to, outgoing=outgoing)

    def swap(self, selector: str, other: str, *, outgoing: bool = False) -> EditReport:
        """Swap units of a block; with `outgoing` the network's output does not change.

        Everything of a unit moves with it: what it learned and carries, its slots, interventions, frozen weights and
        held zeros, its learning rate and penalties. Dropout masks stay with the place.
        Raises EditError for `outgoing` where unit u is also tied to feature u of its input (a norm, positions).
        """
        return self._edit("swap", selector, other=other, outgoing=outgoing)

    def sign_flip(self, selector: str, *, outgoing: bool = False) -> EditReport:
        """Flip the signs of units' weights and biases, and so of their sums.

        `outgoing`: also flip their outgoing weights and the values that interventions hold them at, so that the
        network's output does not change; raises EditError where a function in between is not odd (such as a ReLU).
        """
        return self._edit("sign_flip", selector, outgoing=outgoing)

    def round(self, selector: str, bits: int) -> EditReport:
        """Round weights to a number of bits, as symmetric quantization does, to see what it costs."""
        return self._edit("round", selector, bits=bits)

    def sparsify(self, selector: str, share: float) -> EditReport:
        """Set the smallest weights to zero and hold them there; `share` is the fraction of them, from 0 to 1."""
        return self._edit("sparsify", selector, share=share)

    def transplant(
        self,
        selector: str,
        *,
        save: str | None = None,
        branch: str | None = None,
        bookmark: str | None = None,
        source: str | None = None,
        values: Numbers | None = None,
    ) -> EditReport:
        """Copy what units have learned from a save, a bookmark, or the end of a branch (without undone edits).

        `source` selects the units there if they differ from these, one for each, in order. Shapes must fit.
        """
        return self._edit(
            "transplant", selector, save=save, branch=branch, bookmark=bookmark, source=source, values=values
        )

    def reset(self, selector: str) -> EditReport:
        """Reset what units carry from step to step (hidden state, running statistics) to its starting values."""
        return self._edit("reset", selector)

    # -- on structure

    def prune(self, selector: str) -> EditReport:
        """Remove units; the outputs are those of the network with these units zeroed."""
        return self._edit("prune", selector)

    def grow(self, block: str, count: int = 1, *, split: int | None = None) -> EditReport:
        """Add units to a block without changing the outputs: with zero outgoing weights, or by splitting one (`split`).

        The parts of a split unit share its outgoing weights unequally, so that they learn differently.
        """
        return self._edit("grow", block, count=count, split=split)

    def insert(self, block: str, kind: str, *, name: str | None = None, rate: float | None = None) -> EditReport:
        """Insert a layer behind a block, made to pass its input on: linear, conv1d, conv2d, dropout or identity.

        `rate` is the rate of a dropout.
        """
        return self._edit("insert", block, kind=kind, name=name, rate=rate)

    def remove(self, layer: str) -> EditReport:
        """Remove a layer by its name; its output must have the shape of its input."""
        return self._edit("remove", layer)

    def activation(self, block: str, to: str, **arguments: Any) -> EditReport:
        """Give a block another activation, by its kind and arguments; its weights stay.

        `lab.activation("hidden", "relu")`, `lab.activation("hidden", "gaussian", width=0.2)`.
        """
        return self._edit("activation", block, to=to, **arguments)

    # -- settings

    def set(self, name: str, value: Any, **arguments: Any) -> EditReport:
        """Change a setting from here on.

        `lr` (the base rate that the schedule multiplies), `momentum`, ...: arguments of the optimizer. `clip_norm`,
        `clip_value`: 0 for none. `optimizer`: sgd, momentum, nesterov, rmsprop, adam or adamw, with arguments
        (`set("optimizer", "adam", lr=0.001)`); lr is kept unless given, and its slots start at zero. `schedule`:
        constant, step, linear, cosine or exponential (`set("schedule", "cosine", steps=1000, warmup=100)`).
        `hidden.rate`, `hidden.l1`, `hidden.l2`: learning-rate factor of a block, and penalties as
        `Lab` takes them.
        """
        return self._edit("set", name, value=value, **arguments)

    # -- how a verb is done

    def _do(self, job: Job[Result]) -> Result:
        """Do a job to its end; what it recorded goes to the journal soon, if there is one."""
        try:
            return run_to_end(job, self.player.lock)
        finally:
            self._saving.journal_soon()

    def _edit(self, op: str, target: str, **args: Any) -> EditReport:
        return self._do(self._editor.edit(op, target, args))

    def _bound(self, given: Any) -> Any:
        """Turn a function of the lab into one without arguments, as its parts take it; keep anything else as it is."""
        if isinstance(given, Condition) or not callable(given):
            return given

        def holds() -> bool:
            return bool(given(self))

        holds.__name__ = str(getattr(given, "__name__", given))
        return holds

    # -- verbs as jobs that can be watched

    def work(self, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Job[Any]:
        """A verb as a generator: it yields Progress and returns the result; closing it cancels it at a whole moment."""
        args, kwargs = tuple(map(self._bound, args)), {name: self._bound(value) for name, value in kwargs.items()}
        made = self._begin(verb, args, kwargs)
        return (yield from between_pieces(made, self.player.lock)) if isinstance(made, Generator) else made

    def _begin(self, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Start a verb: a job, or its result if it is done at once."""
        known = verb_called(verb)
        part = next((part for part in self._parts if known is not None and type(part) is known.part), None)
        if known is None or part is None:
            methods = [entry.python for entry in VERBS.values() if entry.part is not None]
            raise EditError(f"`{verb}` is not something a lab does{nearest(verb, methods)}")
        try:
            given = bind(f"Lab.{verb}", known.arguments, args, kwargs, known.open_ended)
        except TypeError as error:
            raise EditError(f"`{verb}`: {error}") from None
        if part is self._editor:
            return self._editor.edit(verb, given.pop(known.arguments[0].name), given)
        return getattr(part, verb)(**given)

    def free_run(self) -> Job[str]:
        """Take steps until closed, or up to a breakpoint; returns which, in words."""
        return between_pieces(self._runs.free_run(), self.player.lock)


def compare(a: str | Path | Lab, b: str | Path | Lab, *, step: int | None = None) -> Comparison:
    """Compare two saves or labs at `step` (default: the last one that both have recorded).

    `a` and `b` are paths of saves, or `FILE:BRANCH`; without a branch, the current one of the save.
    Raises SaveError, or TimelineError for a branch or step that is not there.
    """
    return run_to_end(compare_branches(_line(a), _line(b), step))


def _line(source: str | Path | Lab) -> BranchRef:
    if isinstance(source, str | Path):
        return branch_of_save(str(source))
    return BranchRef(source._experiment, source.player.branch, source.branch, source.path)


def experiment_of(lab: Lab) -> Experiment:
    """The experiment that a lab has open."""
    return lab._experiment
