"""Makes the recipe and the data set of a Lab that is built from a Network, arrays and settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinynets.data import Dataset, arrays, checks
from tinynets.data.files import load_file
from tinynets.errors import DataError, RecipeError, ShapeError, nearest
from tinynets.nn.losses import FunctionLoss, Loss, as_loss
from tinynets.nn.network import Network
from tinynets.nn.plugins import check_layers
from tinynets.numerics.arrays import as_array, foreign
from tinynets.numerics.checks import check_whole
from tinynets.recipes.recipe import MAX_BATCH, MAX_PROBE, Recipe, Training
from tinynets.system.paths import expanded
from tinynets.training.hyper import Hyper
from tinynets.training.optimizers import as_optimizer
from tinynets.training.sampler import SAMPLINGS
from tinynets.training.schedules import Schedule

SPLIT = "(x, y), (x, y, weight) or x alone"
DATA = f"{SPLIT}, or a dict of splits: name -> such, or an .npz file"


def hyper_of(settings: Mapping[str, Any]) -> Hyper:
    """Hyper from the arguments of a Lab; arguments that are None are left out."""
    given = {name: value for name, value in settings.items() if value is not None}
    try:
        given["optimizer"] = as_optimizer(given["optimizer"])
    except ShapeError as error:
        raise RecipeError(str(error)) from None
    if not isinstance(given.get("schedule", Schedule()), Schedule):
        shown = repr(given["schedule"])
        raise RecipeError(f"`schedule` must be a schedule such as tn.StepSchedule((100,), 0.1), not {shown}")
    check_whole("batch", given["batch"], 1, MAX_BATCH)
    sampling = given["sampling"]
    if sampling not in SAMPLINGS:
        raise RecipeError(
            f"`sampling` must be one of {', '.join(SAMPLINGS)}, not {sampling!r}{nearest(str(sampling), SAMPLINGS)}"
        )
    for name in ("rates", "l1", "l2"):
        if not isinstance(given.get(name, {}), Mapping):
            raise RecipeError(f"`{name}` must be a dict, block -> number, not {given[name]!r}")
    mappings = {name: dict(value) for name, value in given.items() if isinstance(value, Mapping)}
    return Hyper(**{**given, **mappings, "batch": int(given["batch"])})


def recipe_of(network: Network, data: Any, loss: Any, hyper: Hyper, probe: int) -> tuple[Recipe, Dataset]:
    """Recipe and data set of a Lab of this network."""
    if data is None or loss is None:
        raise RecipeError(f"a Lab of a Network needs `{'data' if data is None else 'loss'}`")
    check_whole("probe", probe, 1, MAX_PROBE)
    check_layers(network)
    try:
        loss = as_loss(loss)
    except ShapeError as error:
        raise RecipeError(str(error)) from None
    dataset = dataset_of(data, loss)
    if dataset.missing is not None:
        raise DataError(dataset.missing.reason)
    if "train" not in dataset.splits:
        raise ShapeError(f"the data needs a split `train`; it has {', '.join(dataset.splits)}")
    training = Training(loss, hyper, dtype=network.dtype.name, probe=int(probe))
    return Recipe("network", {"set": "arrays"}, network.architecture, training), dataset


def dataset_of(data: Any, loss: Loss | None = None) -> Dataset:
    """Splits from (x, y), (x, y, weight), x alone, a dict of such, or an `.npz` file (see data/files.py).

    Whole numbers stay classes for losses that take them and for the user's own functions; else they become floats.
    """
    with foreign("data"):
        return _dataset_of(data, loss)


def _dataset_of(data: Any, loss: Loss | None) -> Dataset:
    if isinstance(data, Dataset):
        checks.texts("data", [data.name, *data.splits, *data.labels])
        for split, captions in data.captions.items():
            checks.texts(f"{split} captions", captions)
        return data
    if isinstance(data, str | Path):
        loaded = load_file(data)
        try:
            return replace(dataset_of(loaded, loss), path=os.path.abspath(expanded(data)))
        except (DataError, ShapeError) as error:
            raise DataError(f"`{data}`: {error}") from None
    splits = checks.splits("data", data) if isinstance(data, Mapping) else {"train": data}
    keeps = loss is None or loss.classes or isinstance(loss, FunctionLoss)
    return arrays({name: _split(name, value, keeps) for name, value in splits.items()})


def _split(name: str, value: Any, keeps: bool) -> tuple[Any, ...]:
    with foreign(name):
        if hasattr(value, "__array__"):
            return value, None
        value = tuple(value) if isinstance(value, tuple | list) else value
    checks.no_pairs(name if name != "train" else "data", value)
    if not isinstance(value, tuple | list) or len(value) not in (2, 3):
        raise ShapeError(f"`data` must be {DATA}, not {type(value).__name__}")
    x, y, *weight = value
    return x, y if keeps or y is None else _values(name, y), *weight


def _values(name: str, y: Any) -> Any:
    """Whole numbers as floats; anything else unchanged, for `arrays` to check."""
    try:
        given = as_array(f"{name} y", y)
    except ShapeError:
        return y
    return given.astype(np.float64) if given.dtype.kind in "biu" else given
