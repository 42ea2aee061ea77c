"""Operating: the half of a Lab that does edits to the running net."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from tinynets import edits, sources
from tinynets.arrays import Array, Values, plain
from tinynets.data import Dataset
from tinynets.errors import EditError, SaveError
from tinynets.experiment import Experiment
from tinynets.network import Network
from tinynets.operations.base import number
from tinynets.paths import expanded
from tinynets.playback import quiet, whole
from tinynets.reports import EditReport, Progress
from tinynets.saves import open_experiment
from tinynets.selectors import Selector, select
from tinynets.state import State, network_of
from tinynets.still import why_still
from tinynets.timeline import Placed

if TYPE_CHECKING:
    from tinynets.playback import Player

Result = TypeVar("Result")
Job = Generator[Progress, None, EditReport]
Numbers = Sequence[Any] | Array | Values


@dataclass(frozen=True)
class LabBench:
    """A run whose other moments, and saves, an edit's values can be taken from; see `sources.Bench`."""

    experiment: Experiment
    open_save: Callable[[str], Experiment]

    @property
    def network(self) -> Network:
        return self.experiment.network

    @property
    def state(self) -> State:
        return self.experiment.state

    @property
    def data(self) -> Dataset:
        return self.experiment.data

    @property
    def probe_batch(self) -> tuple[Array, Array]:
        return self.experiment.probe.x, self.experiment.probe.y

    def split(self, name: str) -> tuple[Array, Array]:
        return self.experiment.split(name)

    def at(self, place: str, name: str) -> Generator[Progress, None, tuple[Network, State]]:
        timeline = self.experiment.timeline
        moment = timeline.named(name).seen_end if place == "branch" else timeline.marked(name).moment
        state = yield from self.experiment.state_at(moment)
        return network_of(state, self.network.input_shape), state

    def opened(self, save: str) -> LabBench:
        path = expanded(save)
        if not os.path.exists(path):
            raise SaveError(f"`{path}` does not exist")
        return LabBench(self.open_save(path), self.open_save)


class Operating:
    """Every method is one operation of `edits.OPERATIONS`: recorded, undoable, answered with what it did.

    A selector is text like `hidden[3]`, `hidden[0:8]`, `hidden` or `hidden.pre[3]`, `rnn[5]@t=3` for activations, and
    `hidden.w[4,3]` for weights. All raise EditError or SelectorError that names thing, rule and value, and then nothing
    has changed.
    """

    if TYPE_CHECKING:
        _experiment: Experiment

        @property
        def player(self) -> Player: ...
        def _done(self, job: Generator[Progress, None, Result]) -> Result: ...

    # -- on activations

    def zero(self, selector: str) -> EditReport:
        """Hold the activations of units at zero: `lab.zero("hidden[3]")`; of recurrent ones what they carry too."""
        return self._edit("zero", selector)

    def mean(self, selector: str, over: str = "probe", *, values: Numbers | None = None) -> EditReport:
        """Hold units at their mean over the probe or a split, as it is now; or at `values` (units,)."""
        return self._done(self._mean(selector, over, values=values))

    def _mean(self, selector: str, over: str = "probe", *, values: Numbers | None = None) -> Job:
        if values is not None:
            return self._edit("mean", selector, values=values)
        return (
            yield from self._sourced(
                "mean", selector, lambda target: sources.mean_of(self._bench, target, over), over=over
            )
        )

    def resample(
        self, selector: str, over: str = "train", *, examples: int = 64, values: Numbers | None = None
    ) -> EditReport:
        """Give units what they give on another example: one of so many `examples` that are drawn now from a split.

        Which one it is, is drawn for each row of a batch, addressed by the run's seed and the step.
        """
        return self._done(self._resample(selector, over, examples=examples, values=values))

    def _resample(
        self, selector: str, over: str = "train", *, examples: int = 64, values: Numbers | None = None
    ) -> Job:
        ordinal = self.player.position.edits
        if values is not None:
            return self._edit("resample", selector, values=values, ordinal=ordinal)

        def find(target: Selector) -> sources.Found:
            return sources.pool_of(self._bench, target, over, examples, ordinal)

        return (
            yield from self._sourced("resample", selector, find, over=over, examples=plain(examples), ordinal=ordinal)
        )

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
            self._patch(
                selector, example=example, input=input, branch=branch, bookmark=bookmark, save=save, values=values
            )
        )

    def _patch(
        self,
        selector: str,
        *,
        example: int | None = None,
        input: Any = None,
        branch: str | None = None,
        bookmark: str | None = None,
        save: str | None = None,
        values: Numbers | None = None,
    ) -> Job:
        places = {"branch": branch, "bookmark": bookmark, "save": save}
        if values is not None:
            if any(value is not None for value in (example, input, *places.values())):
                raise EditError("`patch` takes `values` alone, or where they come from")
            return self._edit("patch", selector, values=values)
        written = input if input is None or isinstance(input, str) else sources.numbers_of(input).tolist()
        said = {"example": example, "input": written, **places}

        def find(target: Selector) -> sources.Found:
            return sources.patch_of(self._bench, target, example, input, places)

        return (yield from self._sourced("patch", selector, find, **_given(said)))

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
        return self._done(self._steer(selector, toward=toward, away=away, over=over, scale=scale, values=values))

    def _steer(
        self,
        selector: str,
        *,
        toward: Any = None,
        away: Any = None,
        over: str = "train",
        scale: float = 1.0,
        values: Numbers | None = None,
    ) -> Job:
        factor = number("steer", {"scale": scale}, "scale")
        if values is not None:
            if toward is not None or away is not None:
                raise EditError("`steer` takes `values` alone, or classes")
            edit = edits.resolve(self.player.network, self.player.state, "steer", selector, {"values": values})
            with quiet():
                scaled = edit.args["values"].array * self.player.network.dtype.type(factor)
            return self._edit("steer", selector, values=scaled)
        if toward is None:
            raise EditError("`steer` needs `toward=` (a class), or `values=`")

        def find(target: Selector) -> sources.Found:
            return sources.direction_of(self._bench, target, over, toward, away, factor)

        said = {"toward": toward, "away": away, "over": over, "scale": factor}
        return (yield from self._sourced("steer", selector, find, **_given(said)))

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
            self._transplant(selector, save=save, branch=branch, bookmark=bookmark, source=source, values=values)
        )

    def _transplant(
        self,
        selector: str,
        *,
        save: str | None = None,
        branch: str | None = None,
        bookmark: str | None = None,
        source: str | None = None,
        values: Numbers | None = None,
    ) -> Job:
        if values is not None:
            return self._edit("transplant", selector, values=values)
        places = {"branch": branch, "bookmark": bookmark, "save": save}

        def find(target: Selector) -> sources.Found:
            return sources.learned_of(self._bench, target, source, places)

        return (yield from self._sourced("transplant", selector, find, **_given({**places, "source": source})))

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

    @property
    def _bench(self) -> LabBench:
        return LabBench(self._experiment, open_experiment)

    def _sourced(self, op: str, selector: str, find: Callable[[Selector], sources.Found], **said: Any) -> Job:
        """An edit whose values are to be found; a half-done step is finished once it is known that they can be."""
        player = self.player
        target = select(player.network, selector)
        if player.phases_done:
            found = yield from find(target)
            edits.resolve(player.network, player.state, op, selector, {**said, "values": found})
            player.finish_half()
        found = yield from find(target)
        branch = said.get("branch")
        undone = player.timeline.named(branch).undone_edits if branch is not None else ""
        report = self._edit(op, selector, **said, values=found)
        return replace(report, done=f"{report.done}, as on {branch} {undone}") if undone else report

    @whole
    def _edit(self, op: str, target: str, **args: Any) -> EditReport:
        player = self.player
        edit = edits.resolve(player.network, player.state, op, target, args)
        player.finish_half()
        was_still = why_still(player.network, player.state)
        before, accuracy_before = self._experiment.probe_measures()
        accuracies = [accuracy_before]

        def report(done: str) -> Placed:
            after, accuracy = self._experiment.probe_measures()
            accuracies.append(accuracy)
            return Placed(player.position.step, edit, done, before, after)

        placed = player.edit(edit, report)
        still = why_still(player.network, player.state)
        since = still if still != was_still else ""
        before, after, (first, *_, last) = placed.before, placed.after, accuracies
        return EditReport(placed.step, placed.done, before, after, edit.python(), first, last, since)


def _flags(**given: bool) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not False}


def _given(said: dict[str, Any]) -> dict[str, Any]:
    """Those arguments that were given, their numbers Python's own."""
    return {name: plain(value) for name, value in said.items() if value is not None}
