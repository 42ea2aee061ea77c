"""An experiment: a recipe at work, with all that can be read of it. It knows neither files nor a Lab."""

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
from tinynets.numerics.determinism import fix_threads, threads_rule
from tinynets.recipes.preflight import warnings_of
from tinynets.recipes.recipe import Recipe
from tinynets.training.state import State


@dataclass(eq=False)
class Experiment:
    """A recipe at work: data, the network in training with its history, and the probe it is watched by."""

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
    """Whether processor, numpy and number of threads are those it was recorded with."""

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
        """One that begins: with the recipe's initial values, or with `theta`. `threads`: as many as must compute it."""
        network = recipe.build(data)
        fix_threads(threads, threads_rule(recipe.training.hyper.batch * network.summary().largest))
        if theta is not None:
            network.theta[:] = theta
        return cls.of(recipe, data, Timeline(State.start(network, recipe.training.hyper).copy(), budget=budget))

    @classmethod
    def of(cls, recipe: Recipe, data: Dataset, timeline: Timeline, position: Moment | None = None) -> Experiment:
        """One with a history, at the start of its current branch or at `position`."""
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
        """The network and the State that recipe and seed give, made anew."""
        network = self.recipe.build(self.data)
        return network, State.start(network, self.recipe.training.hyper)

    # -- where it stands

    @property
    def network(self) -> Network:
        """The live network; for reading."""
        return self.player.network

    @property
    def state(self) -> State:
        """The live state itself, for reading within one step."""
        return self.player.state

    @property
    def loss(self) -> Loss:
        """What is trained for."""
        return self.recipe.training.loss

    @property
    def moment(self) -> Moment:
        """Branch number, steps done and edits applied."""
        return self.player.position

    @property
    def timeline(self) -> Timeline:
        """All that is recorded."""
        return self.player.timeline

    @property
    def branch(self) -> Branch:
        """The current branch."""
        return self.player.branch

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """The operations on activations that stand at this moment."""
        return self.player.state.interventions

    def extent(self) -> object:
        """How much there is: differs as soon as something is recorded, named or dropped."""
        return self.player.timeline.extent()

    # -- measuring it

    def split(self, name: str) -> tuple[Array, Array]:
        """x and y of a split, as the network and the loss take them."""
        return self.splits[name]

    def state_at(self, moment: Moment) -> Job[State]:
        """The State of a recorded moment; the live one stays where it is."""
        return moves.state_at(self.player, moment)

    def probe_loss(self) -> float:
        """Mean loss of the probe as the network stands."""
        return self.probe.loss(self.network, self.loss)

    def probe_measures(self) -> tuple[float, float | None]:
        """Mean loss and accuracy of the probe as the network stands."""
        loss = self.probe_loss()
        return loss, self.probe.accuracy_here(self.loss)

    def evaluate(
        self, split: str | None = None, *, clean: bool = False, examples: int | None = None
    ) -> Job[Evaluation]:
        """Mean loss and accuracy over a split, as `Evaluator.evaluate` says, as work."""
        return self.evaluator.evaluate(self.player, split, clean=clean, examples=examples)

    def evaluates_at(self, step: int) -> bool:
        """Whether a run makes an evaluation by itself when it comes to a step."""
        return self.schedule.is_due(step)
