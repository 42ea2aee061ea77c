"""Opens a lab from a network, a recipe or a save."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from tinynets.data import Dataset
from tinynets.errors import RecipeError, SaveError
from tinynets.experiment.experiment import Experiment
from tinynets.foreign_text import printable
from tinynets.history.keyframes import BUDGET
from tinynets.nn.losses import Loss
from tinynets.nn.network import Network
from tinynets.numerics.arrays import Array
from tinynets.numerics.checks import check_whole
from tinynets.numerics.determinism import requested_threads
from tinynets.numerics.rng import MAX_SEED
from tinynets.recipes.catalog import load_recipe
from tinynets.recipes.from_python import hyper_of, recipe_of
from tinynets.recipes.recipe import Recipe
from tinynets.storage import paths, saves
from tinynets.storage.recovery import SUFFIX as JOURNAL
from tinynets.storage.saves import Opened
from tinynets.storage.session_files import SessionFiles
from tinynets.system.paths import expanded, unusable
from tinynets.training.optimizers import SGD, Optimizer
from tinynets.training.sampler import SAMPLINGS
from tinynets.training.schedules import Schedule

MAX_MEMORY = 2**50


@dataclass(frozen=True)
class TrainingOptions:
    """How to train a Network, from the arguments of `Lab`; a recipe or a save has its own."""

    loss: Loss | str | Mapping[str, Any] | Callable[[Any, Any], Any] | None = None
    optimizer: Optimizer | str | Mapping[str, Any] | None = None
    schedule: Schedule | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    rates: Mapping[str, float] | None = None
    l1: Mapping[str, float] | None = None
    l2: Mapping[str, float] | None = None
    batch: int | None = None
    sampling: str | None = None
    probe: int | None = None
    seed: int | None = None

    def given(self) -> dict[str, Any]:
        """The options that were given, by name."""
        found = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Options:
    """The options of `Lab`."""

    data: Any = None
    training: TrainingOptions = TrainingOptions()
    memory: int = BUDGET
    threads: int | None = None
    fresh: bool = False
    journal: bool | str | Path = False
    read_only: bool = False


@dataclass(frozen=True)
class Session:
    """What a lab has open: an experiment, its files, and what a person should know about both."""

    experiment: Experiment
    files: SessionFiles
    warnings: list[str]
    """Messages about the files are added here until `hear` passes them on."""
    recovered: bool = False
    """Whether it comes from a journal, so that all of it is unsaved."""


def open_source(source: str | Path | Network, options: Options) -> Session:
    """Open a network, a recipe or a save. Raises the errors of `Lab`; no file is held then."""
    options = replace(options, threads=requested_threads(options.threads))
    if options.training.seed is not None:
        check_whole("seed", options.training.seed, 0, MAX_SEED)
    check_whole("memory", options.memory, 1, MAX_MEMORY)
    source = expanded(source) if isinstance(source, str | Path) else source
    warnings: list[str] = []
    files = SessionFiles(options.journal, options.read_only, warnings.append)
    try:
        opened = _opened(source, options, files)
        warnings += opened.warnings
        files.begin(opened.experiment.recipe, opened.experiment.data, opened.experiment.player)
    except BaseException:
        files.close()
        raise
    warnings[:] = map(printable, warnings)
    return Session(opened.experiment, files, warnings, isinstance(source, str) and _recovers(source, options))


def _opened(source: str | Network, options: Options, files: SessionFiles) -> Opened:
    if isinstance(source, Network):
        return from_network(source, options)
    if not isinstance(source, str):
        raise RecipeError(f"a Lab is made of a recipe, a save or a Network, not {type(source).__name__}")
    if not _is_save(source):
        return from_recipe(source, options)
    if why := unusable(source):
        raise SaveError(f"`{source!r}` cannot be read: {why}")
    _refuse(options.training.given(), "a save")
    return afresh(source, options) if options.fresh else from_save(source, options, files)


def from_network(network: Network, options: Options) -> Opened:
    """A run of a copy of this network, with the given data and training options."""
    given = options.training.given()
    loss, probe = given.pop("loss", None), given.pop("probe", 64)
    sampling, seed = options.training.sampling or SAMPLINGS[0], int(options.training.seed or 0)
    hyper = hyper_of({"optimizer": SGD(), "batch": 32, **given, "sampling": sampling, "seed": seed})
    recipe, data = recipe_of(network, options.data, loss, hyper, probe)
    return _started(recipe, data, network.theta.copy(), options)


def from_recipe(source: str, options: Options) -> Opened:
    """A run of a recipe, by its name or its `.toml` file."""
    given = options.training.given()
    seed = given.pop("seed", None)
    _refuse({"data": options.data, **given, "fresh": options.fresh or None}, "a recipe")
    recipe = load_recipe(source)
    if seed is not None:
        recipe = replace(recipe, training=replace(recipe.training, hyper=replace(recipe.training.hyper, seed=seed)))
    return _started(recipe, recipe.load_data(), None, options)


def from_save(path: str, options: Options, files: SessionFiles) -> Opened:
    """The run in a save or a journal, at the moment where it was left; the session holds the file from now on."""
    recovers = _recovers(path, options)
    (files.recover if recovers else files.open)(path)
    return saves.opened(path, options.data, budget=options.memory, threads=options.threads, recover=recovers)


def afresh(path: str, options: Options) -> Opened:
    """A run with the recipe, the data and the start of a save, but without its steps."""
    return saves.opened_afresh(path, options.data, budget=options.memory, threads=options.threads)


def _started(recipe: Recipe, data: Dataset, theta: Array | None, options: Options) -> Opened:
    experiment = Experiment.start(recipe, data, theta, budget=options.memory, threads=options.threads)
    return Opened(experiment, experiment.warnings)


def _is_save(source: str) -> bool:
    return source.endswith((paths.SUFFIX, JOURNAL)) or (
        bool(source) and not source.endswith(".toml") and os.path.exists(source)
    )


def _recovers(path: str, options: Options) -> bool:
    return path.endswith(JOURNAL) and not options.fresh


def _refuse(given: Mapping[str, Any], what: str) -> None:
    for name, value in given.items():
        if value is not None:
            raise RecipeError(f"`{name}` cannot be given with {what}, which has its own")
