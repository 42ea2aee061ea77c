"""Lab: the one object that a user holds. It is long because each method is documented; its parts do the work."""

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
from tinynets.jobs import Job, Progress, Work, between_pieces, run_to_end
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
from tinynets.measure.explanation import Explanation
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
    (x, y, weight), or x alone where the loss takes no targets, or a dict of splits: name -> such, or the path of an
    `.npz` file with arrays `x`, `y` and `weight`, or with `train_x`, `train_y`, `dev_x`, ...), `loss` (or its kind,
    "mse", or a function (out, y) -> (value, gradient)) and `optimizer` (or its name, "adam"; by default tn.SGD()); the
    lab works on a copy of it, `lab.network`. `rates`, `l1` and `l2` are dicts, block -> learning-rate factor or
    penalty: the gradient of a block's parameters, biases included, gets l2 * theta (of l2 / 2 * sum theta^2) and
    l1 * sign(theta) (of l1 * sum |theta|); the reported loss leaves both out.
    `sampling` is `replacement`, `epoch`, or `stream`, which recurrent layers with `carry` need: each row of a
    batch goes on where the last one ended. `seed` addresses batches, and for a recipe the initial values too (default:
    the recipe's). `memory` bounds the bytes of keyframes. `threads` of BLAS: by default a rule of the shapes; settled
    once for the process. `journal`: write what is done to a file as it is done, in the user's own folder (True) or
    another, to be recovered where the process ends before a save (`tn.Lab("x.journal")`). `read_only`: leave the save
    to other labs; a save that another process has open is opened so anyway.

    A save holds its data up to 16 MB, else its digest, its path and a few examples. Larger data are looked for at that
    path, or can be given as `data`. Where they are not there, or other now, `warnings` says so, and the lab opens on
    the examples: everything stored can be looked at, and what needs the data raises DataError (`step`, `evaluate`,
    `seek` to a step that is not stored).

    With `fresh`, of a save only recipe, data and start are taken: nothing is done yet, and the lab has no file.

    Raises RecipeError, SaveError, ShapeError, DataError or SelectorError that names thing, rule and value.
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
        self._runs = Runs(experiment, lambda message: files.told(message))
        self._editor = Editor(experiment, saves.open_experiment)
        self._time = TimeMachine(experiment)
        self._inspector = Inspector(experiment, files)
        self._parts = self._runs, self._time, self._editor, self._inspector, self._saving

    def __reduce__(self) -> NoReturn:
        raise TinynetsError("a Lab cannot be copied or pickled: save it and open the save, or `fork` a branch")

    def __repr__(self) -> str:
        return f"Lab({self.recipe.name!r}, step {self.step_number:,}, {self.network!r})"

    # -- where it stands

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
        """The fixed examples whose activations are shown."""
        return self._experiment.probe

    @property
    def player(self) -> Player:
        """The live state, moved along the timeline; changes go through the lab."""
        return self._experiment.player

    @property
    def same_machine(self) -> bool:
        """Whether processor, numpy and number of threads are those that the save was made with."""
        return self._experiment.same_machine

    @property
    def watched(self) -> Callable[[Progress], None]:
        """Is told how far an evaluation on the way has come."""
        return self._experiment.schedule.watched

    @watched.setter
    def watched(self, watched: Callable[[Progress], None]) -> None:
        self._experiment.schedule.watched = watched

    @property
    def network(self) -> Network:
        """The live network. What it learns and carries can be read, not written: changes go through the lab."""
        return self.player.network

    @property
    def state_now(self) -> State:
        """The live state itself, for reading within one step; `state` is a copy that keeps."""
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
        """Training loss of the step that led here; None before the first."""
        return self.player.last_loss

    @property
    def losses(self) -> Any:
        """(steps,) training loss of every recorded step of this branch, a copy."""
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
        """The operations on activations that stand at this moment."""
        return self._inspector.interventions()

    @property
    def frozen(self) -> dict[str, tuple[int, ...]]:
        """Block -> its frozen units, for the blocks that have any."""
        return self._inspector.frozen()

    @property
    def frozen_weights(self) -> dict[str, int]:
        """Parameter -> how many of its elements are frozen alone, their units not being frozen whole."""
        return self._inspector.frozen_weights()

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the branches, the first one first."""
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
        """The file of the last save or load; may be empty."""
        return self._saving.path

    @property
    def read_only(self) -> bool:
        """Whether that file is another lab's to write: it is open in another process, or was asked to be left alone."""
        return self._saving.read_only

    @property
    def named_path(self) -> str:
        """Where what was recovered was to be saved to, where no save stands: not written unasked; may be empty."""
        return self._saving.named_path

    # -- training

    def step(self, n: int = 1) -> StepReport:
        """Take a step, or n: one that is half done is finished. In the past, what is recorded is replayed.

        Raises NonFiniteError when something becomes NaN or infinite; the state before that step is kept.
        """
        return self._do(self._runs.step(n))

    def run(self, steps: int) -> StepReport:
        """Take many steps, as one action.

        In the past they replay what is recorded, the edits of the step that they set out from included; where they end
        at a step with edits, the lab stands before those (and `seek` to that step behind them).
        """
        return self._do(self._runs.run(steps))

    def phase(self) -> PhaseReport:
        """Do the next phase of a step: batch, forward layer by layer, loss, backward layer by layer, update."""
        return self._runs.phase()

    # -- until something holds

    def run_until(self, condition: str | Condition | Callable[[Lab], bool], *, limit: int = UNTIL_LIMIT) -> UntilReport:
        """Take steps to the next moment at which a condition holds, at most `limit`.

        A condition is a predicate of the lab, or text: `loss < 2.3`, `dead hidden[7]`, `alive hidden[7] and step > 100`
        (see lab/conditions.py). In the past, what is recorded is replayed, edits and all.
        """
        return self._do(self._time.run_until(self._bound(condition), limit=limit))

    def back_until(self, condition: str | Condition | Callable[[Lab], bool]) -> UntilReport:
        """Go back to the last moment before this one at which a condition held; stay here where there was none."""
        return self._do(self._time.back_until(self._bound(condition)))

    # -- looking

    def probe_measures(self) -> tuple[float, float | None]:
        """Mean loss and accuracy of the probe as the network stands."""
        return self._experiment.probe_measures()

    def explain(self, selector: str, example: int = 0, *, split: str = "train", top: int = 8) -> Explanation:
        """How one unit comes to its value on an example of the probe, what came back, what it responds to, what for.

        `rnn[5]@t=3` is a recurrent unit at that time step. `split`: what its statistics and the examples it responds to
        most are taken over; `top`: how many are listed.
        Raises SelectorError or EditError for what is no single unit, example or split.
        """
        return self._do(self._inspector.explain(selector, example, split=split, top=top))

    def split(self, name: str) -> tuple[Any, Any]:
        """x and y of a split, as the network and the loss take them."""
        return self._experiment.split(name)

    def probe_loss(self) -> float:
        """Mean loss of the probe as the network stands."""
        return self._experiment.probe_loss()

    def evaluate(self, split: str | None = None, *, clean: bool = False, examples: int | None = None) -> Evaluation:
        """Mean loss (and accuracy) over a whole split (`dev`, where there is one, else `train`), kept on the branch.

        `clean` leaves the interventions out. `examples`: over so many of a larger split, always the same ones, drawn by
        the run's seed; such a measure is not kept.
        """
        return self._do(self._inspector.evaluate(split, clean=clean, examples=examples))

    def map_errors(self, split: str = "train") -> dict[str, float]:
        """Quantization and topographic error of a self-organizing map, `Distances` alone; nothing of other networks.

        Nothing either of one whose data are not here.
        """
        return self._inspector.map_errors(split)

    def evaluates_at(self, step: int) -> bool:
        """Whether a run makes an evaluation by itself when it comes to a step."""
        return self._experiment.evaluates_at(step)

    def sample(
        self, n: int = 10, *, temperature: float = 1.0, seed: int | None = None, prefix: str = ""
    ) -> tuple[str, ...]:
        """n generated texts that start with `prefix`; the same when asked again at the same moment.

        `temperature` divides the logits (0: always the likeliest); `seed` defaults to the run's.
        """
        return self._inspector.sample(n, temperature=temperature, seed=seed, prefix=prefix)

    def predict(self, input: Any = None, *, example: int | None = None, split: str | None = None) -> Prediction:
        """What the network says of an input: after a text the next character, of numbers the class or the values.

        Or of an `example` of the data by its number, in `split` (default: `dev`, where there is one, else `train`).
        Numbers can stand in a text: `lab.predict("0.3, -1")`.
        """
        return self._inspector.predict(input, example=example, split=split)

    # -- keeping

    def save(self, path: str | Path | None = None) -> SaveReport:
        """Write everything to a file (default: where it was last saved, else a new one in the saves folder).

        A step that is half done is finished first. What is written is read again before it takes its name. Raises
        SaveError, also where another process has the file open, or where by default something else than a save would be
        replaced; an earlier file then stands as it was.
        """
        return self._saving.save(path)

    def claim(self, path: str | Path) -> str:
        """Keep other labs from a file that is to be saved to; the file. Raises SaveError where one has it open."""
        return self._saving.claim(path)

    def hear(self, told: Callable[[str], None]) -> None:
        """Have what a person should know from now on told, instead of added to `warnings`."""
        self._saving.hear(told)

    @property
    def journal_file(self) -> Path | None:
        """The file of the journal, where one is written."""
        return self._saving.journal_file

    def flush(self) -> None:
        """Write to the journal, where there is one, what has been done and is not there yet."""
        self._saving.flush()

    def close(self, *, discard: bool = False) -> None:
        """Let go of the save's file and of the journal, which stays where something in it is not saved.

        `discard` throws what is not saved away. A lab that is forgotten, or at work when Python ends, is closed so.
        """
        self._saving.close(discard=discard)

    # -- moments

    def seek(self, step: int | str, *, edits: int | None = None) -> MoveReport:
        """Go to after the last edit at `step` of this branch, or to a bookmark; beyond what is recorded, run there.

        `edits`: after so many of the edits done at that step, 0: before the first. Raises TimelineError where there
        are fewer, or no bookmark of that name.
        """
        return self._do(self._time.seek(step, edits=edits))

    def back(self, n: int = 1) -> MoveReport:
        """Go n steps back; a step that is half done is dropped, and counts as the first."""
        return self._do(self._time.back(n))

    def undo(self) -> MoveReport:
        """Go to the moment before the last action, an edit or a run of steps; a half-done step is dropped instead."""
        return self._do(self._time.undo())

    def redo(self) -> MoveReport:
        """Go to the moment after the action that was undone last."""
        return self._do(self._time.redo())

    def switch(self, name: str) -> MoveReport:
        """Go to the end of another branch; where edits there were undone, to before those."""
        return self._do(self._time.switch(name))

    def seek_cost(self, step: int) -> SeekCost:
        """What going to a recorded step of this branch costs: steps to compute again, and about how many seconds."""
        return self._time.seek_cost(step)

    # -- branches

    def fork(self, name: str) -> MoveReport:
        """Go on from here on a new branch of that name."""
        return self._time.fork(name)

    def rename(self, branch: str, name: str) -> str:
        """Give a branch another name."""
        return self._time.rename(branch, name)

    def drop(self, branch: str) -> str:
        """Forget a branch and what only it holds; not the current one. Branches that left it keep their whole past."""
        return self._time.drop(branch)

    @property
    def tree(self) -> BranchTree:
        """The branches, where each left its parent and where it ends; `print` draws them."""
        return self._time.tree()

    # -- bookmarks

    def bookmark(self, name: str, note: str = "") -> Bookmark:
        """Mark this moment with a name and a note, to come back with `seek(name)`; a name marks one moment."""
        return self._time.bookmark(name, note)

    def unbookmark(self, name: str) -> str:
        """Take a bookmark away."""
        return self._time.unbookmark(name)

    @property
    def bookmarks(self) -> tuple[Bookmark, ...]:
        """The bookmarks, in the order of their steps."""
        return self._time.bookmarks()

    def compare(self, a: str, b: str | None = None, *, step: int | None = None) -> Comparison:
        """Two branches, or saves, side by side: where they part, and how far apart they are. Nothing moves.

        Names of branches, paths of saves, or `FILE:BRANCH`; with one name, the current branch against it. At `step`:
        the last that both have recorded. An edit that was undone does not count, and where the lab stands at that step
        it is compared as it stands.
        """
        return self._do(self._inspector.compare(a, b, step=step))

    def verify(self) -> VerifyReport:
        """Compute every branch again from its start and compare with what was kept: each keyframe, each loss."""
        return self._do(self._inspector.verify())

    def script(self, path: str | Path | None = None, *, overwrite: bool = False) -> str:
        """A Python script that rebuilds the whole run and checks that it ends at the same bytes.

        With `path` it is written there, and what is returned says so. Raises TimelineError where no script can start
        (a lab built from Python must have been saved), SaveError where the file is there already or cannot be written.
        """
        return self._do(self._inspector.script(path, overwrite=overwrite))

    # -- on activations

    def zero(self, selector: str) -> EditReport:
        """Hold the activations of units at zero: `lab.zero("hidden[3]")`; of recurrent ones what they carry too."""
        return self._edit("zero", selector)

    def mean(self, selector: str, over: str = "probe", *, values: Numbers | None = None) -> EditReport:
        """Hold units at their mean over the probe or a split, as it is now; or at `values` (units,)."""
        return self._edit("mean", selector, over=over, values=values)

    def resample(
        self, selector: str, over: str = "train", *, examples: int = 64, values: Numbers | None = None
    ) -> EditReport:
        """Give units what they give on another example: one of so many `examples` that are drawn now from a split.

        Which one it is, is drawn for each row of a batch, addressed by the run's seed and the step.
        """
        return self._edit("resample", selector, over=over, examples=examples, values=values)

    def clamp(self, selector: str, value: float) -> EditReport:
        """Hold the activations of units at a value."""
        return self._edit("clamp", selector, value=value)

    def scale(self, selector: str, factor: float) -> EditReport:
        """Multiply the activations of units."""
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
        """Hold units at what they give for one example: of the probe by its number, or an `input` (a text, or numbers).

        There as they are at the end of another `branch`, less what was undone, at a `bookmark`, or in a `save`, with
        what stands on activations there. `values`: as an example at the site has them, (..., units).
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

        `toward` and `away` are classes by label or number; without `away` the mean of all examples is taken off.
        """
        return self._edit("steer", selector, toward=toward, away=away, over=over, scale=scale, values=values)

    def release(self, selector: str) -> EditReport:
        """Take the interventions off units."""
        return self._edit("release", selector)

    # -- on learning

    def freeze(self, selector: str, *, outgoing: bool = False, others: bool = False) -> EditReport:
        """Keep every byte of units while the rest trains: weights, bias, gain, shift, running statistics, slots.

        `outgoing`: the weights with which others take them up too. `others`: all but these. A selector of weights
        (`hidden.w[4,3]`) freezes those alone.
        """
        return self._edit("freeze", selector, outgoing=outgoing, others=others)

    def unfreeze(self, selector: str, *, outgoing: bool = False, others: bool = False) -> EditReport:
        """Let what is frozen learn again, the optimizer's slots as they were."""
        return self._edit("unfreeze", selector, outgoing=outgoing, others=others)

    def rate(self, selector: str, factor: float) -> EditReport:
        """Multiply the learning rate of units; what is set for units goes before what is set for their block."""
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
        """Draw all that units have learned anew, as at the start; their slots begin at zero."""
        return self._edit("reinit", selector)

    def copy(self, selector: str, to: str, *, outgoing: bool = False) -> EditReport:
        """Copy all that units have learned, slots too, to other units of their block.

        What stands on those, what is frozen of them and their rates stay theirs.
        """
        return self._edit("copy", selector, to=to, outgoing=outgoing)

    def swap(self, selector: str, other: str, *, outgoing: bool = False) -> EditReport:
        """Swap units of a block; with `outgoing` the network computes what it did.

        All of a unit goes with it: what it learned and carries, its slots, what stands on it, what is frozen of it and
        zeros that are held, its learning rate and penalties. What dropout leaves out stays with the place.
        Raises EditError for `outgoing` where unit u also takes feature u of what comes in (a norm, positions).
        """
        return self._edit("swap", selector, other=other, outgoing=outgoing)

    def sign_flip(self, selector: str, *, outgoing: bool = False) -> EditReport:
        """Turn the signs of units' weights and biases round, and so of their sums.

        `outgoing`: of the weights that take them up too, and of values that interventions hold them at, so that the
        network computes what it did; raises EditError where what comes in between is not odd (as a ReLU).
        """
        return self._edit("sign_flip", selector, outgoing=outgoing)

    def round(self, selector: str, bits: int) -> EditReport:
        """Round weights to so many bits, as symmetric quantization does: what does it cost?"""
        return self._edit("round", selector, bits=bits)

    def sparsify(self, selector: str, share: float) -> EditReport:
        """Set the smallest weights, a share of them from 0 to 1, to zero and hold them there."""
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
        """Take what units have learned over from a save, a bookmark, or the end of a branch, less what was undone.

        `source` selects them there, where they are not the same; in order, one for each. Shapes must fit.
        """
        return self._edit(
            "transplant", selector, save=save, branch=branch, bookmark=bookmark, source=source, values=values
        )

    def reset(self, selector: str) -> EditReport:
        """Set what units carry from step to step (hidden state; running statistics) to how it started."""
        return self._edit("reset", selector)

    # -- on structure

    def prune(self, selector: str) -> EditReport:
        """Remove units; the outputs are what they are with those units zeroed."""
        return self._edit("prune", selector)

    def grow(self, block: str, count: int = 1, *, split: int | None = None) -> EditReport:
        """Add units to a block without changing the outputs: with zero outgoing weights, or as parts of one (`split`).

        Parts of a unit share its outgoing weights unequally, so that they learn apart.
        """
        return self._edit("grow", block, count=count, split=split)

    def insert(self, block: str, kind: str, *, name: str | None = None, rate: float | None = None) -> EditReport:
        """Insert a layer behind a block that gives what it takes: linear, conv1d, conv2d, dropout, identity.

        `rate` is that of a dropout.
        """
        return self._edit("insert", block, kind=kind, name=name, rate=rate)

    def remove(self, layer: str) -> EditReport:
        """Remove a layer that gives the shape it takes, by its name."""
        return self._edit("remove", layer)

    def activation(self, block: str, to: str, **arguments: Any) -> EditReport:
        """Give a block another activation, by its kind and arguments; its weights stay.

        `lab.activation("hidden", "relu")`, `lab.activation("hidden", "gaussian", width=0.2)`.
        """
        return self._edit("activation", block, to=to, **arguments)

    # -- settings

    def set(self, name: str, value: Any, **arguments: Any) -> EditReport:
        """Change a setting from here on.

        `lr` (the base that the schedule multiplies), `momentum`, ...: what the optimizer has. `clip_norm`,
        `clip_value`: 0 for none. `optimizer`: sgd, momentum, nesterov, rmsprop, adam or adamw, with arguments
        (`set("optimizer", "adam", lr=0.001)`); lr is kept unless given, and what it carries starts at zero. `schedule`:
        constant, step, linear, cosine or exponential (`set("schedule", "cosine", steps=1000, warmup=100)`).
        `hidden.rate`, `hidden.l1`, `hidden.l2`: learning-rate factor of a block, and penalties as
        `Lab` takes them.
        """
        return self._edit("set", name, value=value, **arguments)

    # -- how it is done

    def _do(self, job: Job[Result]) -> Result:
        """Do work to its end; the journal, where there is one, holds before long what it recorded."""
        try:
            return run_to_end(job, self.player.lock)
        finally:
            self._saving.journal_soon()

    def _edit(self, op: str, target: str, **args: Any) -> EditReport:
        return self._do(self._editor.edit(op, target, args))

    def _bound(self, given: Any) -> Any:
        """A predicate of the lab as one of nothing, which is what its parts ask; all else stays as it was given."""
        if isinstance(given, Condition) or not callable(given):
            return given

        def holds() -> bool:
            return bool(given(self))

        holds.__name__ = str(getattr(given, "__name__", given))
        return holds

    # -- as work that can be watched

    def work(self, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Job[Any]:
        """A verb as a generator: yields Progress, returns the result; closing it cancels and leaves a whole moment."""
        args, kwargs = tuple(map(self._bound, args)), {name: self._bound(value) for name, value in kwargs.items()}
        made = self._begin(verb, args, kwargs)
        return (yield from between_pieces(made, self.player.lock)) if isinstance(made, Generator) else made

    def _begin(self, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A verb as a job, or as its answer where it is done at once."""
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

    def free_run(self) -> Work:
        """Steps until closed."""
        return between_pieces(self._runs.free_run(), self.player.lock)


def compare(a: str | Path | Lab, b: str | Path | Lab, *, step: int | None = None) -> Comparison:
    """Two saves, or labs, side by side at `step` (the last that both have recorded).

    `a` and `b` are paths of saves, or `FILE:BRANCH`; without a branch, the one on which it stands.
    Raises SaveError, or TimelineError for a branch or step that is not there.
    """
    return run_to_end(compare_branches(_line(a), _line(b), step))


def _line(source: str | Path | Lab) -> BranchRef:
    if isinstance(source, str | Path):
        return branch_of_save(str(source))
    return BranchRef(source._experiment, source.player.branch, source.branch, source.path)


def experiment_of(lab: Lab) -> Experiment:
    """What a lab has open, for what looks at it."""
    return lab._experiment
