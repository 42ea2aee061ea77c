"""Lab: the one object that a user holds. A facade; what it does is done by the rooms it is made of."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, NoReturn, TypeVar

import numpy as np

from tinynets.data import Dataset
from tinynets.edits import registry
from tinynets.errors import EditError, RecipeError, SaveError, TinynetsError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.generation import TextGenerator
from tinynets.experiment.prediction import Prediction, predict
from tinynets.experiment.probe import Probe
from tinynets.foreign_text import printable
from tinynets.history import runs
from tinynets.history.evaluation import Evaluation
from tinynets.history.keyframes import BUDGET
from tinynets.history.moment import Bookmark, Moment
from tinynets.history.player import Player, whole
from tinynets.history.tree import BranchTree
from tinynets.history.verify import Origin, VerifyReport, verify
from tinynets.jobs import Job, Progress, Work, between_pieces
from tinynets.jobs import run_to_end as finish
from tinynets.lab.conditions import Condition
from tinynets.lab.editor import Editor, Numbers
from tinynets.lab.opening import MAX_MEMORY, _is_save, _refuse
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
from tinynets.lab.script import script_of, write_script
from tinynets.lab.time_machine import UNTIL_LIMIT, TimeMachine
from tinynets.lab.verbs import PROPERTIES
from tinynets.measure.compare import BranchRef, branch_of_save, compare_branches, resolve_branch
from tinynets.measure.comparison import Comparison
from tinynets.measure.explain import explain
from tinynets.measure.explanation import Explanation
from tinynets.nn.interventions import Intervention
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.checks import check_whole
from tinynets.numerics.determinism import requested_threads
from tinynets.numerics.rng import MAX_SEED
from tinynets.recipes.catalog import load_recipe
from tinynets.recipes.from_python import hyper_of, recipe_of
from tinynets.recipes.recipe import MAX_STEPS, Recipe
from tinynets.storage import paths, saves
from tinynets.storage.recovery import SUFFIX as JOURNAL
from tinynets.storage.session_files import SessionFiles
from tinynets.system.paths import expanded, unusable
from tinynets.training.frozen import frozen_units, why_nothing_learns
from tinynets.training.optimizers import SGD, Optimizer
from tinynets.training.sampler import SAMPLINGS
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
        self._threads = requested_threads(threads)
        if seed is not None:
            check_whole("seed", seed, 0, MAX_SEED)
        check_whole("memory", memory, 1, MAX_MEMORY)
        self.warnings: list[str] = []
        self._saved: object = None
        self._still = ""
        self._keeper = SessionFiles(journal, read_only, self.warnings.append)
        self._ended = weakref.finalize(self, self._keeper.close)
        shaping = {"clip_norm": clip_norm, "clip_value": clip_value, "rates": rates, "l1": l1, "l2": l2}
        drawing = {"batch": batch, "sampling": sampling, "probe": probe}
        own = {"loss": loss, "optimizer": optimizer, "schedule": schedule, **shaping, **drawing}
        source = expanded(source) if isinstance(source, str | Path) else source
        if isinstance(source, Network):
            drawn = {
                "batch": 32 if batch is None else batch,
                "sampling": sampling or SAMPLINGS[0],
                "seed": int(seed or 0),
            }
            optimizer = SGD() if optimizer is None else optimizer
            hyper = hyper_of({"optimizer": optimizer, "schedule": schedule, **drawn, **shaping})
            recipe, dataset = recipe_of(source, data, loss, hyper, 64 if probe is None else probe)
            self._start(recipe, dataset, source.theta.copy(), memory)
        elif isinstance(source, str) and _is_save(source):
            if why := unusable(source):
                raise SaveError(f"`{source!r}` cannot be read: {why}")
            _refuse({**own, "seed": seed}, "a save")
            (self._begin_again if fresh else self._open)(source, data, memory)
        elif isinstance(source, str):
            _refuse({"data": data, **own, "fresh": fresh or None}, "a recipe")
            recipe = load_recipe(source)
            if seed is not None:
                hyper = replace(recipe.training.hyper, seed=seed)
                recipe = replace(recipe, training=replace(recipe.training, hyper=hyper))
            self._start(recipe, recipe.load_data(), None, memory)
        else:
            raise RecipeError(f"a Lab is made of a recipe, a save or a Network, not {type(source).__name__}")

    def _start(self, recipe: Recipe, data: Dataset, theta: Any, memory: int) -> None:
        experiment = Experiment.start(recipe, data, theta, budget=memory, threads=self._threads)
        self.warnings += experiment.warnings
        self._settle(experiment)

    def _open(self, path: str, data: Any, memory: int) -> None:
        recovers = path.endswith(JOURNAL)
        (self._keeper.recover if recovers else self._keeper.open)(path)
        opened = saves.opened(path, data, budget=memory, threads=self._threads, recover=recovers)
        self.warnings += opened.warnings
        self._settle(opened.experiment)
        if recovers:
            self._saved = None  # nothing of it

    def _begin_again(self, path: str, data: Any, memory: int) -> None:
        opened = saves.opened_afresh(path, data, budget=memory, threads=self._threads)
        self.warnings += opened.warnings
        self._settle(opened.experiment)

    def _settle(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._editor = Editor(experiment, saves.open_experiment)
        self._time = TimeMachine(experiment)
        self._writer = TextGenerator(experiment.data)
        self._saved = experiment.extent()
        self._keeper.begin(experiment.recipe, experiment.data, experiment.player)
        self.warnings[:] = map(printable, self.warnings)

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
        return tuple(self.player.branch.evaluations)

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """The edits that led to this moment, in order."""
        return tuple(LogEntry.of(placed) for placed in self.player.branch.edits[: self.moment.edits])

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The operations on activations that stand at this moment."""
        return self.player.state.interventions

    @property
    def frozen(self) -> dict[str, tuple[int, ...]]:
        """Block -> its frozen units, for the blocks that have any."""
        found = {}
        for block in self.network.blocks:
            mask = frozen_units(self.network, self.player.state.frozen, block)
            if mask.any():
                found[block.name] = tuple(int(unit) for unit in np.flatnonzero(mask))
        return found

    @property
    def frozen_weights(self) -> dict[str, int]:
        """Parameter -> how many of its elements are frozen alone, their units not being frozen whole."""
        found = {}
        for block in self.network.blocks:
            units = self.frozen.get(block.name, ())
            whole = self.network.unit_indices(block, units) if block.units else np.empty(0, np.int64)
            alone = np.setdiff1d(self.player.state.frozen, whole)
            for index in range(block.first, block.last + 1):
                for entry in self.network.layers[index].parameters():
                    where = self.network.parameter_slice(index, entry.name)
                    count = int(((alone >= where.start) & (alone < where.stop)).sum())
                    if count:
                        found[f"{block.name}.{entry.name}"] = count
        return found

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
        return self._experiment.extent() != self._saved

    @property
    def path(self) -> str:
        """The file of the last save or load; may be empty."""
        return self._keeper.path

    @property
    def read_only(self) -> bool:
        """Whether that file is another lab's to write: it is open in another process, or was asked to be left alone."""
        return self._keeper.read_only

    @property
    def named_path(self) -> str:
        """Where what was recovered was to be saved to, where no save stands: not written unasked; may be empty."""
        return self._keeper.named

    # -- training

    def step(self, n: int = 1) -> StepReport:
        """Take a step, or n: one that is half done is finished. In the past, what is recorded is replayed.

        Raises NonFiniteError when something becomes NaN or infinite; the state before that step is kept.
        """
        return self._done(self._run(n))

    def run(self, steps: int) -> StepReport:
        """Take many steps, as one action.

        In the past they replay what is recorded, the edits of the step that they set out from included; where they end
        at a step with edits, the lab stands before those (and `seek` to that step behind them).
        """
        return self._done(self._run(steps))

    def _run(self, steps: int = 1) -> Job[StepReport]:
        check_whole("steps", steps, 1, MAX_STEPS)
        first, begun = self.step_number, perf_counter()
        yield from runs.run(self.player, steps)
        done = self.step_number - first
        still = why_nothing_learns(self.network, self.state_now, self.step_number - 1)
        if still and still != self._still:
            self._keeper.told(f"nothing learns: {still}")
        self._still = still
        return StepReport(self.step_number, self.loss or 0.0, perf_counter() - begun, done, still)

    @whole
    def phase(self) -> PhaseReport:
        """Do the next phase of a step: batch, forward layer by layer, loss, backward layer by layer, update."""
        phase = self.player.phase()
        if not self.player.phases_done:  # the last one: a step is recorded
            self._record()
        order = self.player.phase_order
        done = self.player.phases_done or len(order)
        return PhaseReport(self.step_number, str(phase), str(order[done % len(order)]), done, len(order))

    # -- until something holds

    def run_until(self, condition: str | Condition | Callable[[Lab], bool], *, limit: int = UNTIL_LIMIT) -> UntilReport:
        """Take steps to the next moment at which a condition holds, at most `limit`.

        A condition is a predicate of the lab, or text: `loss < 2.3`, `dead hidden[7]`, `alive hidden[7] and step > 100`
        (see lab/conditions.py). In the past, what is recorded is replayed, edits and all.
        """
        return self._done(self._run_until(condition, limit=limit))

    def _run_until(
        self, condition: str | Condition | Callable[[Lab], bool], *, limit: int = UNTIL_LIMIT
    ) -> Job[UntilReport]:
        return (yield from self._time.run_until(self._asked(condition), limit))

    def back_until(self, condition: str | Condition | Callable[[Lab], bool]) -> UntilReport:
        """Go back to the last moment before this one at which a condition held; stay here where there was none."""
        return self._done(self._back_until(condition))

    def _back_until(self, condition: str | Condition | Callable[[Lab], bool]) -> Job[UntilReport]:
        return (yield from self._time.back_until(self._asked(condition)))

    def _asked(self, condition: str | Condition | Callable[[Lab], bool]) -> object:
        """A condition as what moves in time takes it: a predicate of the lab becomes one of nothing."""
        if isinstance(condition, str | Condition) or not callable(condition):
            return condition

        def holds() -> bool:
            return bool(condition(self))

        holds.__name__ = str(getattr(condition, "__name__", condition))
        return holds

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
        return finish(self._explain(selector, example, split=split, top=top), self.player.lock)

    def _explain(self, selector: str, example: int = 0, *, split: str = "train", top: int = 8) -> Job[Explanation]:
        return (yield from explain(self._experiment, selector, example, split, top))

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
        return self._done(self._evaluate(split, clean=clean, examples=examples))

    def _evaluate(
        self, split: str | None = None, *, clean: bool = False, examples: int | None = None
    ) -> Job[Evaluation]:
        return self._experiment.evaluate(split, clean=clean, examples=examples)

    def map_errors(self, split: str = "train") -> dict[str, float]:
        """Quantization and topographic error of a self-organizing map, `Distances` alone; nothing of other networks.

        Nothing either of one whose data are not here.
        """
        return self._experiment.evaluator.map_errors(self.network, split)

    def evaluates_at(self, step: int) -> bool:
        """Whether a run makes an evaluation by itself when it comes to a step."""
        return self._experiment.evaluates_at(step)

    def sample(
        self, n: int = 10, *, temperature: float = 1.0, seed: int | None = None, prefix: str = ""
    ) -> tuple[str, ...]:
        """n generated texts that start with `prefix`; the same when asked again at the same moment.

        `temperature` divides the logits (0: always the likeliest); `seed` defaults to the run's.
        """
        seed = self.recipe.training.hyper.seed if seed is None else seed
        return self._writer.sample(self.network, n, temperature, seed, prefix)

    def predict(self, input: Any = None, *, example: int | None = None, split: str | None = None) -> Prediction:
        """What the network says of an input: after a text the next character, of numbers the class or the values.

        Or of an `example` of the data by its number, in `split` (default: `dev`, where there is one, else `train`).
        Numbers can stand in a text: `lab.predict("0.3, -1")`.
        """
        return predict(self._experiment, input, example, split)

    # -- keeping

    @whole
    def save(self, path: str | Path | None = None) -> SaveReport:
        """Write everything to a file (default: where it was last saved, else a new one in the saves folder).

        A step that is half done is finished first. What is written is read again before it takes its name. Raises
        SaveError, also where another process has the file open, or where by default something else than a save would be
        replaced; an earlier file then stands as it was.
        """
        known = self._keeper.known() if path is None else ""
        target = paths.target(path) if path is not None else known or str(paths.free_name(self.recipe.name))
        self._keeper.claim(target)
        self.player.complete_step()
        player = self.player
        size = saves.write(target, self.recipe, self.data, player.timeline, player.position, player.state)
        self._saved = self._experiment.extent()
        self._keeper.saved(target)
        return SaveReport(target, size, self.step_number)

    def claim(self, path: str | Path) -> str:
        """Keep other labs from a file that is to be saved to; the file. Raises SaveError where one has it open."""
        target = paths.writable(path)
        self._keeper.claim(target)
        return target

    def hear(self, told: Callable[[str], None]) -> None:
        """Have what a person should know from now on told, instead of added to `warnings`."""
        self._keeper.told = told

    @property
    def journal_file(self) -> Path | None:
        """The file of the journal, where one is written."""
        return self._keeper.journal.file if self._keeper.journal is not None else None

    @whole
    def flush(self) -> None:
        """Write to the journal, where there is one, what has been done and is not there yet."""
        if self._keeper.journal is not None:
            self._keeper.journal.flush()

    @whole
    def close(self, *, discard: bool = False) -> None:
        """Let go of the save's file and of the journal, which stays where something in it is not saved.

        `discard` throws what is not saved away. A lab that is forgotten, or at work when Python ends, is closed so.
        """
        self._ended.detach()
        self._keeper.close(discard=discard)

    # -- in time

    def _done(self, job: Job[Result]) -> Result:
        """Run a piece of work that may record something to its end; before long the journal, if any, holds it."""
        try:
            return finish(job, self.player.lock)
        finally:
            if self.player.recorded is not None:
                self._record()

    @whole
    def _record(self) -> None:
        """Have the journal, where there is one, hold all that was done before long."""
        if self.player.recorded is not None:
            self.player.recorded()

    # -- moments

    def seek(self, step: int | str, *, edits: int | None = None) -> MoveReport:
        """Go to after the last edit at `step` of this branch, or to a bookmark; beyond what is recorded, run there.

        `edits`: after so many of the edits done at that step, 0: before the first. Raises TimelineError where there
        are fewer, or no bookmark of that name.
        """
        return self._done(self._time.seek(step, edits=edits))

    def back(self, n: int = 1) -> MoveReport:
        """Go n steps back; a step that is half done is dropped, and counts as the first."""
        return self._done(self._time.back(n))

    def undo(self) -> MoveReport:
        """Go to the moment before the last action, an edit or a run of steps; a half-done step is dropped instead."""
        return self._done(self._time.undo())

    def redo(self) -> MoveReport:
        """Go to the moment after the action that was undone last."""
        return self._done(self._time.redo())

    def switch(self, name: str) -> MoveReport:
        """Go to the end of another branch; where edits there were undone, to before those."""
        return self._done(self._time.switch(name))

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
        return self.player.timeline.tree()

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
        return self.player.timeline.marks()

    def compare(self, a: str, b: str | None = None, *, step: int | None = None) -> Comparison:
        """Two branches, or saves, side by side: where they part, and how far apart they are. Nothing moves.

        Names of branches, paths of saves, or `FILE:BRANCH`; with one name, the current branch against it. At `step`:
        the last that both have recorded. An edit that was undone does not count, and where the lab stands at that step
        it is compared as it stands.
        """
        return finish(self._compare(a, b, step=step), self.player.lock)

    def _compare(self, a: str, b: str | None = None, *, step: int | None = None) -> Job[Comparison]:
        first, second = (self.branch, a) if b is None else (a, b)
        ours, theirs = (resolve_branch(self._experiment, self.path, name) for name in (first, second))
        return (yield from compare_branches(ours, theirs, step))

    def verify(self) -> VerifyReport:
        """Compute every branch again from its start and compare with what was kept: each keyframe, each loss."""
        return finish(self._verify(), self.player.lock)

    def _verify(self) -> Job[VerifyReport]:
        experiment, recipe = self._experiment, self._experiment.recipe
        given = recipe.data["set"] == "arrays"
        origin = Origin(recipe.name, recipe.training.hyper.seed, given, experiment.initial)
        return (yield from verify(experiment.player, origin))

    def script(self, path: str | Path | None = None, *, overwrite: bool = False) -> str:
        """A Python script that rebuilds the whole run and checks that it ends at the same bytes.

        With `path` it is written there, and what is returned says so. Raises TimelineError where no script can start
        (a lab built from Python must have been saved), SaveError where the file is there already or cannot be written.
        """
        return finish(self._script(path, overwrite=overwrite), self.player.lock)

    def _script(self, path: str | Path | None = None, *, overwrite: bool = False) -> Job[str]:
        text = yield from script_of(self._experiment, self.path)
        return text if path is None else write_script(text, path, overwrite)

    # -- on activations

    def zero(self, selector: str) -> EditReport:
        """Hold the activations of units at zero: `lab.zero("hidden[3]")`; of recurrent ones what they carry too."""
        return self._edit("zero", selector)

    def mean(self, selector: str, over: str = "probe", *, values: Numbers | None = None) -> EditReport:
        """Hold units at their mean over the probe or a split, as it is now; or at `values` (units,)."""
        return self._done(self._editor.mean(selector, over, values=values))

    def resample(
        self, selector: str, over: str = "train", *, examples: int = 64, values: Numbers | None = None
    ) -> EditReport:
        """Give units what they give on another example: one of so many `examples` that are drawn now from a split.

        Which one it is, is drawn for each row of a batch, addressed by the run's seed and the step.
        """
        return self._done(self._editor.resample(selector, over, examples=examples, values=values))

    def clamp(self, selector: str, value: float) -> EditReport:
        """Hold the activations of units at a value."""
        return self._edit("clamp", selector, value=value)

    def scale(self, selector: str, factor: float) -> EditReport:
        """Multiply the activations of units."""
        return self._edit("scale", selector, factor=factor)

    def noise(self, selector: str, sigma: float) -> EditReport:
        """Add normal noise of mean 0 and deviation `sigma` to units, addressed by the run's seed and the step."""
        return self._edit("noise", selector, sigma=sigma, ordinal=self.player.position.edits)

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
        return self._done(
            self._editor.patch(
                selector, example=example, input=input, branch=branch, bookmark=bookmark, save=save, values=values
            )
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
        return self._done(self._editor.steer(selector, toward=toward, away=away, over=over, scale=scale, values=values))

    def release(self, selector: str) -> EditReport:
        """Take the interventions off units."""
        return self._edit("release", selector)

    # -- on learning

    def freeze(self, selector: str, *, outgoing: bool = False, others: bool = False) -> EditReport:
        """Keep every byte of units while the rest trains: weights, bias, gain, shift, running statistics, slots.

        `outgoing`: the weights with which others take them up too. `others`: all but these. A selector of weights
        (`hidden.w[4,3]`) freezes those alone.
        """
        return self._edit("freeze", selector, **_flags(outgoing=outgoing, others=others))

    def unfreeze(self, selector: str, *, outgoing: bool = False, others: bool = False) -> EditReport:
        """Let what is frozen learn again, the optimizer's slots as they were."""
        return self._edit("unfreeze", selector, **_flags(outgoing=outgoing, others=others))

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
        return self._edit("reinit", selector, ordinal=self.player.position.edits)

    def copy(self, selector: str, to: str, *, outgoing: bool = False) -> EditReport:
        """Copy all that units have learned, slots too, to other units of their block.

        What stands on those, what is frozen of them and their rates stay theirs.
        """
        return self._edit("copy", selector, to=to, **_flags(outgoing=outgoing))

    def swap(self, selector: str, other: str, *, outgoing: bool = False) -> EditReport:
        """Swap units of a block; with `outgoing` the network computes what it did.

        All of a unit goes with it: what it learned and carries, its slots, what stands on it, what is frozen of it and
        zeros that are held, its learning rate and penalties. What dropout leaves out stays with the place.
        Raises EditError for `outgoing` where unit u also takes feature u of what comes in (a norm, positions).
        """
        return self._edit("swap", selector, other=other, **_flags(outgoing=outgoing))

    def sign_flip(self, selector: str, *, outgoing: bool = False) -> EditReport:
        """Turn the signs of units' weights and biases round, and so of their sums.

        `outgoing`: of the weights that take them up too, and of values that interventions hold them at, so that the
        network computes what it did; raises EditError where what comes in between is not odd (as a ReLU).
        """
        return self._edit("sign_flip", selector, **_flags(outgoing=outgoing))

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
        return self._done(
            self._editor.transplant(selector, save=save, branch=branch, bookmark=bookmark, source=source, values=values)
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
        more = {} if split is None else {"split": split}
        return self._edit("grow", block, count=count, **more, ordinal=self.player.position.edits)

    def insert(self, block: str, kind: str, *, name: str | None = None, rate: float | None = None) -> EditReport:
        """Insert a layer behind a block that gives what it takes: linear, conv1d, conv2d, dropout, identity.

        `rate` is that of a dropout.
        """
        more = {key: value for key, value in {"name": name, "rate": rate}.items() if value is not None}
        return self._edit("insert", block, kind=kind, **more)

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

    def _edit(self, op: str, target: str, **args: Any) -> EditReport:
        return self._editor.edit(op, target, **args)

    # -- as work that can be watched

    def work(self, verb: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Job[Any]:
        """A verb as a generator: yields Progress, returns the result; closing it cancels and leaves a whole moment."""
        long: dict[str, Callable[..., Job[Any]]] = {
            "step": self._run,
            "run": self._run,
            "seek": self._time.seek,
            "back": self._time.back,
            "undo": self._time.undo,
            "redo": self._time.redo,
            "switch": self._time.switch,
            "run_until": self._run_until,
            "back_until": self._back_until,
            "compare": self._compare,
            "script": self._script,
            "verify": self._verify,
            "evaluate": self._evaluate,
            "explain": self._explain,
            "mean": self._editor.mean,
            "resample": self._editor.resample,
            "patch": self._editor.patch,
            "steer": self._editor.steer,
            "transplant": self._editor.transplant,
        }
        try:
            if verb in long:
                return (yield from between_pieces(long[verb](*args, **kwargs), self.player.lock))
            if verb in PROPERTIES and not args and not kwargs:
                return getattr(self, verb)
            if verb in SHORT:
                return getattr(self, verb)(*args, **kwargs)
        except TypeError as error:
            if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                raise EditError(f"`{verb}`: {error}") from None
            raise
        known = (*long, *SHORT)
        raise EditError(f"`{verb}` is not something a lab does{nearest(verb, known)}")

    def free_run(self) -> Work:
        """Steps until closed."""
        return between_pieces(runs.run(self.player, None), self.player.lock)


SHORT = (
    *registry.OPERATIONS,
    "fork",
    "rename",
    "drop",
    "bookmark",
    "unbookmark",
    "seek_cost",
    "phase",
    "sample",
    "predict",
    "save",
)


def compare(a: str | Path | Lab, b: str | Path | Lab, *, step: int | None = None) -> Comparison:
    """Two saves, or labs, side by side at `step` (the last that both have recorded).

    `a` and `b` are paths of saves, or `FILE:BRANCH`; without a branch, the one on which it stands.
    Raises SaveError, or TimelineError for a branch or step that is not there.
    """
    return finish(compare_branches(_line(a), _line(b), step))


def _line(source: str | Path | Lab) -> BranchRef:
    if isinstance(source, str | Path):
        return branch_of_save(str(source))
    return BranchRef(source._experiment, source.player.branch, source.branch, source.path)


def experiment_of(lab: Lab) -> Experiment:
    """What a lab has open, for what looks at it."""
    return lab._experiment


def _flags(**given: bool) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not False}
