"""Experiment: a recipe at work, and what can be read from it. It knows neither files nor a Lab."""

from __future__ import annotations

from dataclasses import dataclass

from tinynets.data import Dataset
from tinynets.experiment.evaluation_schedule import EvaluationSchedule
from tinynets.experiment.evaluator import Evaluator
from tinynets.experiment.probe import Probe
from tinynets.experiment.splits import PreparedSplits
from tinynets.history import moves
from tinynets.history.branch import Branch
from tinynets.history.evaluation import Evaluation
from tinynets.history.keyframes import BUDGET
from tinynets.history.live import Examples
from tinynets.history.moment import Moment
from tinynets.history.player import Player
from tinynets.history.timeline import Timeline
from tinynets.jobs import Job, run_to_end
from tinynets.nn.interventions import Intervention
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.numerics.checks import check_whole
from tinynets.numerics.determinism import fix_threads, threads_rule
from tinynets.recipes.preflight import warnings_of
from tinynets.recipes.recipe import MAX_STEPS, Recipe
from tinynets.training.state import State


@dataclass(eq=False)
class Experiment:
    """A recipe at work: its data, the network in training with its history, and the probe."""

    recipe: Recipe
    data: Dataset
    player: Player
    splits: PreparedSplits
    probe: Probe
    evaluator: Evaluator
    schedule: EvaluationSchedule
    warnings: tuple[str, ...] = ()
    """What a person should know before training."""
    same_machine: bool = True
    """Whether processor, numpy and number of threads are the same as in the recording."""

    @classmethod
    def start(
        cls,
        recipe: Recipe,
        data: Dataset,
        theta: Array | None = None,
        *,
        budget: int = BUDGET,
        threads: int | None = None,
    ) -> Experiment:
        """Start a new experiment, from the recipe's initial values or from `theta`, with this number of `threads`."""
        network = recipe.build(data)
        fix_threads(threads, threads_rule(recipe.training.hyper.batch * network.summary().largest))
        if theta is not None:
            network.theta[:] = theta
        return cls.of(recipe, data, Timeline(State.start(network, recipe.training.hyper).copy(), budget=budget))

    @classmethod
    def of(cls, recipe: Recipe, data: Dataset, timeline: Timeline, position: Moment | None = None) -> Experiment:
        """An experiment with a history, at the start of its current branch or at `position`."""
        training, start = recipe.training, timeline.branch.keyframes[0, 0]
        loss, hyper = training.loss, training.hyper
        network = recipe.build(data, theta=start.theta, carried=start.buffers)
        splits = PreparedSplits(data, network, loss)
        missing = data.missing.reason if data.missing is not None else ""
        examples = Examples(*splits["train"], splits.weight("train"), missing)
        player = Player(timeline, loss, examples)
        evaluator = Evaluator(splits, loss, hyper.seed)
        player.stops = schedule = EvaluationSchedule(evaluator, training.evaluate_every)
        warnings = tuple(warnings_of(player.network, data, loss, hyper))
        probe = Probe.of(splits, training.probe, hyper)
        made = cls(recipe, data, player, splits, probe, evaluator, schedule, warnings)
        if position is not None:
            run_to_end(moves.go(player, position), player.lock)
        return made

    def initial(self) -> tuple[Network, State]:
        """The network and the State at the start, made anew from recipe and seed."""
        network = self.recipe.build(self.data)
        return network, State.start(network, self.recipe.training.hyper)

    # -- this moment

    @property
    def network(self) -> Network:
        """The live network, to be read only."""
        return self.player.network

    @property
    def state(self) -> State:
        """The live state itself, to be read before the next step."""
        return self.player.state

    @property
    def loss(self) -> Loss:
        """The loss that is trained."""
        return self.recipe.training.loss

    @property
    def moment(self) -> Moment:
        """Branch number, steps done and edits applied."""
        return self.player.position

    @property
    def timeline(self) -> Timeline:
        """Everything that is recorded."""
        return self.player.timeline

    @property
    def branch(self) -> Branch:
        """The current branch."""
        return self.player.branch

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The interventions that are in force at this moment."""
        return self.player.state.interventions

    def extent(self) -> object:
        """A measure of what is recorded: it changes as soon as anything is recorded, renamed or dropped."""
        return self.player.timeline.extent()

    # -- measuring it

    def split(self, name: str) -> tuple[Array, Array]:
        """x and y of a split, in the form that the network and the loss take."""
        return self.splits[name]

    def state_at(self, moment: Moment) -> Job[State]:
        """The State of a recorded moment; the live one does not move."""
        return moves.state_at(self.player, moment)

    def probe_loss(self) -> float:
        """Mean loss of the probe at this moment."""
        return self.probe.loss(self.network, self.loss)

    def probe_measures(self) -> tuple[float, float | None]:
        """Mean loss and accuracy of the probe at this moment."""
        loss = self.probe_loss()
        return loss, self.probe.accuracy_here(self.loss)

    def evaluate(
        self, split: str | None = None, *, clean: bool = False, examples: int | None = None
    ) -> Job[Evaluation]:
        """Mean loss and accuracy over a split, as a job; see `Evaluator.evaluate`."""
        return self.evaluator.evaluate(self.player, split, clean=clean, examples=examples)

    def evaluates_at(self, step: int) -> bool:
        """Whether a run evaluates automatically when it reaches a step."""
        check_whole("step", step, 0, MAX_STEPS)
        return self.schedule.is_due(int(step))
