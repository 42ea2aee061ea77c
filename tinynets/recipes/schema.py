"""The schema of recipes: plain data, as from TOML, are checked key by key and become a Recipe.

The allowed keys of a table come from the signature of what it describes: those of `[[layers]]` with `kind = "linear"`
are the arguments of `Linear`.

`[training.rates]`, `[training.l1]` and `[training.l2]` are set by block: `hidden = 0.01`. The gradient of the block's
parameters, biases included, gets l2 * theta (of l2 / 2 * sum theta^2) and l1 * sign(theta) (of l1 * sum |theta|); the
reported loss leaves both out.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from tinynets.data import DATASETS
from tinynets.errors import DataError, RecipeError, ShapeError, nearest, shown
from tinynets.nn.initializers import INITIALIZERS, Initializer
from tinynets.nn.layers import LAYERS, Layer, layer_from
from tinynets.nn.losses import LOSSES, Loss, loss_from
from tinynets.numerics.arrays import DTYPES
from tinynets.numerics.rng import MAX_SEED
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.recipes.recipe import MAX_BATCH, MAX_LAYERS, MAX_PROBE, MAX_STEPS, Recipe, Training
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import NAMED, OPTIMIZERS, check_setting, optimizer_from
from tinynets.training.sampler import SAMPLINGS
from tinynets.training.schedules import SCHEDULES, schedule_from
from tinynets.training.settings import CLIPPING, PER_BLOCK

MAX_NAME = 200
MAX_DEPTH = 8  # of containers within containers


def recipe_from(config: Mapping[str, Any], file: str, *, rules: int = CURRENT) -> Recipe:
    """Make a recipe from plain data, with everything checked; `file` is its name in messages.

    `rules` are those that it follows if it names none (numerics/rules.py).
    """
    checker = _Checker(file)
    checker.keys(
        "", config, {"name", "description", "data", "layers", "training"}, {"name", "data", "layers", "training"}
    )
    name = checker.typed("name", config["name"], str)
    if len(name) > MAX_NAME:
        checker.wrong("name", f"must be at most {MAX_NAME} characters", name)
    description = checker.typed("description", config.get("description", ""), str)
    data = _data(checker, checker.table("data", config["data"]))
    layers = checker.typed("layers", config["layers"], list)
    if not 0 < len(layers) <= MAX_LAYERS:
        checker.wrong("layers", f"must be 1 to {MAX_LAYERS} tables", len(layers))
    described = tuple(_layer(checker, f"layers[{i}]", checker.table(f"layers[{i}]", e)) for i, e in enumerate(layers))
    training = _training(checker, checker.table("training", config["training"]), rules)
    return Recipe(name, data, described, training, description, file)


class _Checker:
    """Checks a recipe, with errors that name file, key, rule and value."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.layers = 0

    def wrong(self, key: str, rule: str, value: object, hint: str = "") -> typing.NoReturn:
        raise RecipeError(f"`{self.file}`: `{key}` {rule}, not {shown(value)}{hint}")

    def keys(self, where: str, table: Mapping[str, Any], allowed: set[str], required: set[str]) -> None:
        for key in table:
            if key not in allowed:
                path = f"{where}.{key}" if where else key
                known = ", ".join(sorted(allowed))
                raise RecipeError(f"`{self.file}`: unknown key `{path}`{nearest(key, allowed) or f'; known: {known}'}")
        for key in sorted(required - table.keys()):
            raise RecipeError(f"`{self.file}`: `{f'{where}.{key}' if where else key}` is missing")

    def table(self, key: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.wrong(key, "must be a table", value)
        return value

    def typed(self, key: str, value: object, kind: type) -> Any:
        words = {str: "text", int: "a whole number", float: "a number", bool: "true or false", list: "a list"}
        right = isinstance(value, int | float if kind is float else kind)
        if not right or (isinstance(value, bool) and kind is not bool):
            self.wrong(key, f"must be {words[kind]}", value)
        if isinstance(value, int) and abs(value) >= 2**63:
            self.wrong(key, "must fit in 64 bits", value)
        return value

    def whole(self, key: str, value: object, low: int, high: int) -> int:
        self.typed(key, value, int)
        if not isinstance(value, int) or not low <= value <= high:
            self.wrong(key, f"must be a whole number from {low} to {high}", value)
        return value

    def choice(self, key: str, value: object, choices: typing.Iterable[str]) -> str:
        names = list(choices)
        if not isinstance(value, str) or value not in names:
            hint = nearest(value, names) if isinstance(value, str) else ""
            self.wrong(key, f"must be one of {', '.join(names)}", value, hint)
        return value

    def arguments(self, where: str, make: Callable[..., Any], table: dict[str, Any], *, skip: set[str]) -> None:
        """Check a table against the signature of what it describes."""
        parameters, hints = _signature(make)
        allowed = {*parameters, *skip}
        required = {name for name, entry in parameters.items() if entry.default is inspect.Parameter.empty}
        self.keys(where, table, allowed, required)
        for key, value in table.items():
            if key not in skip:
                self._argument(f"{where}.{key}", value, hints.get(key, object))

    def _argument(self, key: str, value: object, hint: Any) -> None:
        kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        plain = [kind for kind in (bool, int, float, str) if kind in kinds]
        lists = [kind for kind in kinds if typing.get_origin(kind) in (list, tuple, Sequence)]
        if Initializer in kinds:
            _initializer(self, key, self.table(key, value))
        elif Layer in kinds:
            _layer(self, key, self.table(key, value))
        elif str in plain and isinstance(value, str):
            return
        elif lists and (isinstance(value, list) or not plain):
            for place, part in enumerate(self.typed(key, value, list)):
                self._argument(f"{key}[{place}]", part, typing.get_args(lists[0])[0])
        elif plain:
            self.typed(key, value, plain[0])

    def made(self, where: str, make: Callable[[], Any]) -> Any:
        """The result of `make`; errors in its arguments are reported for `where`."""
        try:
            return make()
        except (ShapeError, DataError) as error:
            raise RecipeError(f"`{self.file}`: `{where}`: {error}") from None


@lru_cache(256)
def _signature(make: Callable[..., Any]) -> tuple[Mapping[str, inspect.Parameter], dict[str, Any]]:
    """Parameters and their types; looked up once, since a recipe may describe a thousand layers."""
    try:
        hints = typing.get_type_hints(make.__init__ if inspect.isclass(make) else make)
    except NameError:  # a user's class whose annotations cannot be looked up: its constructor checks
        hints = {}
    return inspect.signature(make).parameters, hints


def _data(checker: _Checker, table: dict[str, Any]) -> dict[str, Any]:
    checker.keys("data", table, {*table}, {"set"})
    chosen = checker.choice("data.set", table["set"], [*DATASETS, "arrays"])
    if chosen == "arrays":  # a Lab built from Python; its save holds them
        checker.keys("data", table, {"set"}, {"set"})
    else:
        checker.arguments("data", DATASETS[chosen], table, skip={"set"})
    return dict(table)


def _layer(checker: _Checker, where: str, table: dict[str, Any]) -> dict[str, Any]:
    checker.keys(where, table, {*table}, {"kind"})
    kind = checker.choice(f"{where}.kind", table["kind"], LAYERS)
    checker.layers += 1
    if checker.layers > MAX_LAYERS:
        raise RecipeError(f"`{checker.file}`: `{where}`: at most {MAX_LAYERS} layers can be described")
    if where.count(".") > MAX_DEPTH:
        raise RecipeError(f"`{checker.file}`: `{where}`: layers can lie in containers {MAX_DEPTH} deep, no deeper")
    checker.arguments(where, LAYERS[kind], table, skip={"kind"})
    if not table.get("name"):
        table = {key: value for key, value in table.items() if key != "name"}
    checker.made(where, lambda: layer_from(table))
    return dict(table)


def _initializer(checker: _Checker, where: str, table: dict[str, Any]) -> None:
    checker.keys(where, table, {*table}, {"kind"})
    kind = checker.choice(f"{where}.kind", table["kind"], INITIALIZERS)
    checker.arguments(where, INITIALIZERS[kind], table, skip={"kind"})
    arguments = {key: value for key, value in table.items() if key != "kind"}
    checker.made(where, lambda: INITIALIZERS[kind](**arguments))


def _training(checker: _Checker, table: dict[str, Any], rules: int) -> Training:
    known = {"loss", "batch", "sampling", "seed", "steps", "dtype", "probe", "evaluate_every", "optimizer", "schedule"}
    checker.keys("training", table, known | {"rules", *CLIPPING, *PER_BLOCK.values()}, {"loss", "optimizer"})
    loss = _loss(checker, table["loss"])
    optimizer = checker.table("training.optimizer", table["optimizer"])
    checker.keys("training.optimizer", optimizer, {*optimizer}, {"kind"})
    kind = checker.choice("training.optimizer.kind", optimizer["kind"], NAMED)
    checker.arguments("training.optimizer", OPTIMIZERS[NAMED[kind]["kind"]], optimizer, skip={"kind"})
    shaping: dict[str, Any] = {name: _setting(checker, name, table.get(name, 0.0)) for name in CLIPPING}
    for name in PER_BLOCK.values():
        blocks = checker.table(f"training.{name}", table.get(name, {}))
        shaping[name] = {block: _setting(checker, name, value, f"{name}.{block}") for block, value in blocks.items()}
    hyper = Hyper(
        checker.made("training.optimizer", lambda: optimizer_from(optimizer)),
        _schedule(checker, checker.table("training.schedule", table.get("schedule", {"kind": "constant"}))),
        checker.whole("training.batch", table.get("batch", 32), 1, MAX_BATCH),
        checker.choice("training.sampling", table.get("sampling", "replacement"), SAMPLINGS),
        checker.whole("training.seed", table.get("seed", 0), 0, MAX_SEED),
        rules=checker.whole("training.rules", table.get("rules", rules), FIRST, CURRENT),
        **shaping,
    )
    return Training(
        loss.following(hyper.rules),
        hyper,
        checker.whole("training.steps", table.get("steps", 1000), 1, MAX_STEPS),
        checker.choice("training.dtype", table.get("dtype", "float32"), DTYPES),
        checker.whole("training.probe", table.get("probe", 64), 1, MAX_PROBE),
        checker.whole("training.evaluate_every", table.get("evaluate_every", 0), 0, MAX_STEPS),
    )


def _loss(checker: _Checker, value: object) -> Loss:
    """A loss given by its kind alone, or by a table of its kind and arguments."""
    table = value if isinstance(value, dict) else {"kind": checker.choice("training.loss", value, LOSSES)}
    checker.keys("training.loss", table, {*table}, {"kind"})
    kind = checker.choice("training.loss.kind", table["kind"], LOSSES)
    checker.arguments("training.loss", LOSSES[kind], table, skip={"kind"})
    loss: Loss = checker.made("training.loss", lambda: loss_from(table))
    return loss


def _setting(checker: _Checker, name: str, value: object, key: str = "") -> float:
    checker.typed(f"training.{key or name}", value, float)
    checked: float = checker.made(f"training.{key or name}", lambda: check_setting("training", name, value))
    return checked


def _schedule(checker: _Checker, table: dict[str, Any]) -> Any:
    where = "training.schedule"
    checker.keys(where, table, {*table}, {"kind"})
    kind = checker.choice(f"{where}.kind", table["kind"], SCHEDULES)
    checker.arguments(where, SCHEDULES[kind], table, skip={"kind"})
    return checker.made(where, lambda: schedule_from(table))
