"""tinynets: small neural networks that can be stepped, operated on and rewound, in numpy.

import tinynets as tn
lab = tn.Lab("names-mlp")
lab.run(1000); lab.zero("hidden[3]"); lab.back()
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinynets.data import Dataset
    from tinynets.edits import Edit
    from tinynets.errors import (
        CommandError,
        CorruptSave,
        DataError,
        EditError,
        NonFiniteError,
        RecipeError,
        SaveError,
        SelectorError,
        ShapeError,
        TimelineError,
        TinynetsError,
        UnsupportedSave,
    )
    from tinynets.initializers import Kaiming, Normal, Uniform, Zeros
    from tinynets.lab import Lab
    from tinynets.layers import Embedding, Flatten, Layer, Linear, Parallel, ReLU, Residual, Sigmoid, Tanh
    from tinynets.losses import MSE, CrossEntropy
    from tinynets.network import Network
    from tinynets.optimizers import SGD
    from tinynets.recipe import Recipe, list_recipes, load_recipe
    from tinynets.reports import EditReport, Evaluation, StepReport
    from tinynets.schedules import Schedule, StepSchedule
    from tinynets.state import State

__version__ = "0.1.0"

_HOMES = {
    "data": ("Dataset",),
    "edits": ("Edit",),
    "errors": (
        "CommandError",
        "CorruptSave",
        "DataError",
        "EditError",
        "NonFiniteError",
        "RecipeError",
        "SaveError",
        "SelectorError",
        "ShapeError",
        "TimelineError",
        "TinynetsError",
        "UnsupportedSave",
    ),
    "initializers": ("Kaiming", "Normal", "Uniform", "Zeros"),
    "lab": ("Lab",),
    "layers": ("Embedding", "Flatten", "Layer", "Linear", "Parallel", "ReLU", "Residual", "Sigmoid", "Tanh"),
    "losses": ("MSE", "CrossEntropy"),
    "network": ("Network",),
    "optimizers": ("SGD",),
    "recipe": ("Recipe", "list_recipes", "load_recipe"),
    "reports": ("EditReport", "Evaluation", "StepReport"),
    "schedules": ("Schedule", "StepSchedule"),
    "state": ("State",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "MSE",
    "SGD",
    "CommandError",
    "CorruptSave",
    "CrossEntropy",
    "DataError",
    "Dataset",
    "Edit",
    "EditError",
    "EditReport",
    "Embedding",
    "Evaluation",
    "Flatten",
    "Kaiming",
    "Lab",
    "Layer",
    "Linear",
    "Network",
    "NonFiniteError",
    "Normal",
    "Parallel",
    "ReLU",
    "Recipe",
    "RecipeError",
    "Residual",
    "SaveError",
    "Schedule",
    "SelectorError",
    "ShapeError",
    "Sigmoid",
    "State",
    "StepReport",
    "StepSchedule",
    "Tanh",
    "TimelineError",
    "TinynetsError",
    "Uniform",
    "UnsupportedSave",
    "Zeros",
    "list_recipes",
    "load_recipe",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"tinynets has no `{name}`")
    return getattr(import_module(f"tinynets.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
