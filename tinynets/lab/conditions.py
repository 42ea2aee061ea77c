"""Conditions on a run, as text: `loss < 2.3`, `dead hidden[7]`, `average < 2 and not frozen hidden[3]`.

    loss, average       training loss of the last step; the mean of the last 100
    probe, accuracy     loss and accuracy of the probe, with the network as it is now
    dev, train, ...     the latest evaluation of a split
    step, lr            steps done; the learning rate of the next step
    mean hidden[7]      the units' output over the probe, on average
    dead, alive, saturated, frozen hidden[7]
                        whether all these units are; `saturated hidden[7] > 0.5`: the share of the probe

Numbers are compared by < <= > >= == !=; terms are joined by `and`, `or`, `not` and brackets. A comparison with a value
that is not known yet, such as the loss before the first step, or is not a number, is neither true nor false.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import isnan
from typing import Any, Protocol

import numpy as np

from tinynets.errors import CommandError, nearest
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.probe import Probe
from tinynets.nn.saturation import activation_of
from tinynets.nn.selectors import Selector, select
from tinynets.numerics.arrays import Array, ignore_warnings
from tinynets.training.frozen import frozen_units

AVERAGED = 100  # steps
MAX_TEXT = 1000
MAX_DEPTH = 50
EXAMPLE = "a condition is written like `loss < 2.3` or `dead hidden[7]`"
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
NUMBERS = ("loss", "average", "probe", "accuracy", "step", "lr")
UNIT_WORDS = ("dead", "alive", "saturated", "frozen", "mean")
JOINING = ("and", "or", "not")

_TOKEN = re.compile(
    r"\s*(?:(?P<comparison><=|>=|==|!=|<|>)|(?P<bracket>[()])"
    r"|(?P<number>[-+]?(?:\d[\d_]*(?:,\d{3})*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])"
    r"|(?P<word>[^\W\d][\w.\-]*(?:\[[^\]]*\])?(?:@t=\d+)?))"
)


@dataclass(frozen=True)
class Condition:
    """A condition that can be checked at any moment of a run; `str` is its text."""

    text: str
    root: Node

    def __str__(self) -> str:
        return self.text

    def __call__(self, experiment: Experiment) -> bool:
        losses = experiment.branch.losses.values[: experiment.moment.step]
        with ignore_warnings():
            return self.root.value(_Known(losses, experiment)) is True

    def holds_after(self, losses: Array) -> bool:
        """Whether it holds after the given losses, one per step from the first; needs `of_losses`."""
        return self.root.value(_Known(losses)) is True

    def check(self, experiment: Experiment) -> None:
        """Raise CommandError or SelectorError where it refers to something that this lab does not have."""
        self.root.check(experiment)

    @cached_property
    def of_losses(self) -> Callable[[Array], Array] | None:
        """(n,) losses from the first step on -> (n,) whether it holds after each; None if it needs more than those."""
        if self.root.of_losses(np.ones(1)) is None or self.root.at_start() is True:
            return None
        return lambda losses: np.asarray(self.root.of_losses(losses), np.bool_)


def parse_condition(text: str) -> Condition:
    """Parse a condition; raises CommandError that says what is wrong with it."""
    if not isinstance(text, str) or not text.strip():
        raise CommandError(f"{EXAMPLE}, not {text!r}")
    if len(text) > MAX_TEXT:
        raise CommandError(f"a condition has at most {MAX_TEXT:,} characters, not {len(text):,}")
    return _Parser(text.strip()).parse()


class _Known:
    """What is known at a moment: the losses up to it and, at the live moment, the whole experiment.

    The probe is evaluated once, when it is first needed.
    """

    def __init__(self, losses: Array, experiment: Experiment | None = None) -> None:
        self.losses = losses
        self._experiment = experiment

    @property
    def experiment(self) -> Experiment:
        assert self._experiment is not None, "only losses and steps are asked of a moment that is not the live one"
        return self._experiment

    @cached_property
    def probe(self) -> Probe:
        self.experiment.probe.forward(self.experiment.network)
        return self.experiment.probe

    def evaluated(self, split: str) -> float | None:
        """The loss of the latest evaluation of a split, up to this moment."""
        _, step, applied = self.experiment.moment
        for entry in reversed(self.experiment.branch.evaluations):
            if entry.split == split and not entry.clean and entry.step <= step and entry.edits <= applied:
                return entry.loss
        return None


class Node(Protocol):
    """A node of a parsed condition."""

    def check(self, experiment: Experiment) -> None:
        """Raise CommandError or SelectorError where it refers to something that this lab does not have."""
        ...

    def value(self, known: _Known) -> bool | None:
        """Whether it holds; None while a value that it needs is not known yet."""
        ...

    def of_losses(self, losses: Array) -> Array | None:
        """(n,) losses from the first step on -> (n,) whether it holds after each; None if it needs more than those."""
        ...

    def at_start(self) -> bool | None:
        """Its value before the first step, if it needs only losses and steps."""
        ...


@dataclass(frozen=True)
class OfNumber:
    """A comparison of a number: `loss < 2.3`."""

    name: str
    comparison: str
    bound: float

    def check(self, experiment: Experiment) -> None:
        if self.name in NUMBERS:
            if self.name == "accuracy" and experiment.probe.accuracy(experiment.network, experiment.loss) is None:
                raise CommandError(f"`accuracy`: the loss `{experiment.loss.kind}` has nothing to hit or miss")
            return
        splits = list(experiment.data.splits)
        if self.name not in splits:
            known = [*NUMBERS, *splits]
            raise CommandError(
                f"`{self.name}` is not a number that a condition can ask for; there are {', '.join(known)}"
                f"{nearest(self.name, [*known, *UNIT_WORDS])}"
            )
        comes = self.name == "dev" and experiment.recipe.training.evaluate_every
        if not comes and not any(entry.split == self.name for entry in experiment.branch.evaluations):
            raise CommandError(
                f"`{self.name}`: a condition asks for the latest evaluation of a split, and `{self.name}` has none on "
                f'this branch; `lab.evaluate("{self.name}")` makes one'
            )

    def value(self, known: _Known) -> bool | None:
        number = self._number(known)
        return _compared(number, self.comparison, self.bound)

    def _number(self, known: _Known) -> float | None:
        losses = known.losses
        match self.name:
            case "loss":
                return float(losses[-1]) if len(losses) else None
            case "average":
                return float(losses[-AVERAGED:].mean(dtype=np.float64)) if len(losses) else None
            case "step":
                return len(losses)
            case "lr":
                return float(known.experiment.state.hyper.lr(len(losses)))
            case "probe":
                return float(known.probe.losses_here(known.experiment.loss).mean())
            case "accuracy":
                return known.probe.accuracy_here(known.experiment.loss)
            case split:
                return known.evaluated(split)

    def of_losses(self, losses: Array) -> Array | None:
        match self.name:
            case "loss":
                numbers = losses
            case "average":
                numbers = _averages(losses)
            case "step":
                numbers = np.arange(1, len(losses) + 1)
            case _:
                return None
        return np.asarray(COMPARISONS[self.comparison](numbers, self.bound))

    def at_start(self) -> bool | None:
        return bool(COMPARISONS[self.comparison](0, self.bound)) if self.name == "step" else None


@dataclass(frozen=True)
class OfUnits:
    """A condition on units: `dead hidden[7]`, `mean hidden[7] > 0.5`."""

    word: str
    selector: str
    comparison: str = ""
    bound: float = 0.0

    def check(self, experiment: Experiment) -> None:
        selector = select(experiment.network, self.selector)
        if self.word == "mean":
            return
        block = experiment.network.block(selector.block)
        if selector.pre or selector.time is not None:
            raise CommandError(f"`{self.selector}`: what can be {self.word} is the unit, `{selector.block}[...]`")
        if self.word == "frozen":
            if not experiment.network.block_parameters(block):
                raise CommandError(f"`{self.selector}` has no parameters, so it is never frozen")
        elif activation_of(experiment.network, block) is None:
            raise CommandError(f"`{block.name}` has no activation, so its units are never dead or saturated")

    def value(self, known: _Known) -> bool | None:
        experiment = known.experiment
        selector = select(experiment.network, self.selector)
        units, block = list(selector.units), experiment.network.block(selector.block)
        if self.word == "frozen":
            return bool(frozen_units(experiment.network, experiment.state.frozen, block)[units].all())
        if self.word == "mean":
            return _compared(_mean(known, selector), self.comparison, self.bound)
        if self.word == "saturated":
            share = float(known.probe.saturated(experiment.network, block)[..., units].mean())
            return _compared(share, self.comparison, self.bound) if self.comparison else share == 1
        dead = known.probe.dead(experiment.network, block)[units]
        return bool((~dead).all() if self.word == "alive" else dead.all())

    def of_losses(self, losses: Array) -> Array | None:
        return None

    def at_start(self) -> bool | None:
        return None


@dataclass(frozen=True)
class Not:
    part: Node

    def check(self, experiment: Experiment) -> None:
        self.part.check(experiment)

    def value(self, known: _Known) -> bool | None:
        return _not(self.part.value(known))

    def of_losses(self, losses: Array) -> Array | None:
        mask = self.part.of_losses(losses)
        return None if mask is None else ~mask

    def at_start(self) -> bool | None:
        return _not(self.part.at_start())


@dataclass(frozen=True)
class Joined:
    """Terms joined by `and`, or by `or`."""

    word: str
    parts: tuple[Node, ...]

    def check(self, experiment: Experiment) -> None:
        for part in self.parts:
            part.check(experiment)

    def value(self, known: _Known) -> bool | None:
        return self._joined(lambda part: part.value(known))

    def _joined(self, ask: Callable[[Node], bool | None]) -> bool | None:
        decides, known = self.word == "or", True
        for part in self.parts:
            value = ask(part)
            if value is decides:
                return decides
            known = known and value is not None
        return not decides if known else None

    def of_losses(self, losses: Array) -> Array | None:
        masks = [mask for part in self.parts if (mask := part.of_losses(losses)) is not None]
        if len(masks) < len(self.parts):
            return None
        return np.asarray((np.any if self.word == "or" else np.all)(masks, axis=0))

    def at_start(self) -> bool | None:
        return self._joined(lambda part: part.at_start())


def _compared(number: float | None, comparison: str, bound: float) -> bool | None:
    """Whether a comparison holds; None for what is not known, or no number."""
    return None if number is None or isnan(number) else bool(COMPARISONS[comparison](number, bound))


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _mean(known: _Known, selector: Selector) -> float:
    """Mean output (or sum before the activation) of units over the probe and its positions."""
    network = known.experiment.network
    block = network.block(selector.block)
    values = known.probe.values(network, block, pre=selector.pre)[..., list(selector.units)]
    return float((values if selector.time is None else values[:, selector.time]).mean(dtype=np.float64))


def _averages(losses: Array) -> Array:
    """(n,) mean of the last `AVERAGED` losses after each step, or of all so far where there are fewer."""
    first = [losses[: n + 1].mean(dtype=np.float64) for n in range(min(AVERAGED - 1, len(losses)))]
    if len(losses) < AVERAGED:
        return np.array(first)
    windows = np.lib.stride_tricks.sliding_window_view(losses, AVERAGED)
    return np.concatenate([first, windows.mean(axis=1, dtype=np.float64)])


class _Parser:
    """Parses a condition word by word; `not` binds tightest, then `and`, then `or`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.place = 0
        self.depth = 0

    def _tokens(self) -> list[tuple[str, str]]:
        found, place = [], 0
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            if match is None or match.lastgroup is None:
                rest = self.text[place:].strip()
                hint = "; did you mean `==`?" if rest.startswith("=") else ""
                raise self.wrong(f"`{rest}` cannot be read{hint}")
            found.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        return found

    def wrong(self, message: str) -> CommandError:
        return CommandError(f"condition `{self.text}`: {message}")

    def parse(self) -> Condition:
        root = self._joined("or", lambda: self._joined("and", self._negated))
        if self.place < len(self.tokens):
            raise self.wrong(f"`{self.tokens[self.place][1]}` stands where `and` or `or` could{self._near()}")
        return Condition(self.text, root)

    def _near(self) -> str:
        kind, word = self.tokens[self.place]
        return nearest(word, JOINING) if kind == "word" else ""

    def _peek(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self.place += 1
        return token

    def _joined(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._peek() == ("word", word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _negated(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.wrong(f"brackets and `not` lie at most {MAX_DEPTH} deep")
        try:
            if self._peek() == ("word", "not"):
                self._take()
                return Not(self._negated())
            return self._term()
        finally:
            self.depth -= 1

    def _term(self) -> Node:
        kind, word = self._take()
        if (kind, word) == ("bracket", "("):
            inner = self._joined("or", lambda: self._joined("and", self._negated))
            if self._take() != ("bracket", ")"):
                raise self.wrong("a bracket is not closed")
            return inner
        if kind != "word" or word in JOINING:
            what = f"`{word}` stands where" if word else "it ends where"
            raise self.wrong(f"{what} a term should; {EXAMPLE}")
        if word in UNIT_WORDS:
            return self._of_units(word)
        if self._peek()[0] != "comparison":
            known = "" if word in NUMBERS else nearest(word, [*UNIT_WORDS, *NUMBERS])
            raise self.wrong(f"`{word}` must be compared with a number, as `{word} < 2.3`{known}")
        return OfNumber(word, self._take()[1], self._number())

    def _of_units(self, word: str) -> Node:
        kind, selector = self._take()
        if kind != "word" or selector in JOINING:
            raise self.wrong(f"`{word}` must be followed by units, as `{word} hidden[7]`")
        if self._peek()[0] == "comparison":
            if word not in ("mean", "saturated"):
                raise self.wrong(f"`{word} {selector}` is true or false, and not compared with a number")
            return OfUnits(word, selector, self._take()[1], self._number())
        if word == "mean":
            raise self.wrong(f"`mean {selector}` must be compared with a number, as `mean {selector} > 0.5`")
        return OfUnits(word, selector)

    def _number(self) -> float:
        kind, word = self._take()
        if kind != "number":
            raise self.wrong(f"{f'`{word}`' if word else 'nothing'} stands where a number should, as in `loss < 2.3`")
        return float(word.replace("_", "").replace(",", ""))
