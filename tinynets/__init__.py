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
    from tinynets.errors import (
        CommandError,
        CorruptSave,
        DataError,
        EditError,
        NonFiniteError,
        PluginError,
        RecipeError,
        SaveError,
        SelectorError,
        ShapeError,
        TimelineError,
        TinynetsError,
        UnsupportedSave,
    )
    from tinynets.gradcheck import GradReport, grad_check
    from tinynets.initializers import Constant, Kaiming, Normal, Orthogonal, Uniform, Xavier, Zeros
    from tinynets.lab import Lab, compare
    from tinynets.layers import (
        ELU,
        GELU,
        GRU,
        LSTM,
        RNN,
        Activation,
        AvgPool2d,
        BatchNorm,
        Buffers,
        CausalSelfAttention,
        Conv1d,
        Conv2d,
        Distances,
        Dropout,
        Embedding,
        Flatten,
        FlattenConsecutive,
        Gaussian,
        GlobalAvgPool,
        Identity,
        LastStep,
        Layer,
        LayerNorm,
        LeakyReLU,
        Linear,
        MaxPool2d,
        Parallel,
        Parameter,
        PositionalEmbedding,
        ReLU,
        Reshape,
        Residual,
        Sigmoid,
        SiLU,
        Softmax,
        Softplus,
        Step,
        Tanh,
    )
    from tinynets.losses import (
        MAE,
        MSE,
        BinaryCrossEntropy,
        CrossEntropy,
        Hinge,
        Huber,
        Kohonen,
        Loss,
        Perceptron,
    )
    from tinynets.measure.comparison import Comparison
    from tinynets.measure.som import quantization_error, topographic_error, u_matrix
    from tinynets.network import Network
    from tinynets.operations.base import Edit
    from tinynets.optimizers import SGD, Adam, AdamW, RMSprop
    from tinynets.plugins import load_plugin, register
    from tinynets.recipe import Recipe, list_recipes, load_recipe
    from tinynets.reports import EditReport, StepReport
    from tinynets.schedules import CosineSchedule, ExponentialSchedule, LinearSchedule, Schedule, StepSchedule
    from tinynets.state import State
    from tinynets.timeline import Evaluation

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
        "PluginError",
        "RecipeError",
        "SaveError",
        "SelectorError",
        "ShapeError",
        "TimelineError",
        "TinynetsError",
        "UnsupportedSave",
    ),
    "initializers": ("Constant", "Kaiming", "Normal", "Orthogonal", "Uniform", "Xavier", "Zeros"),
    "lab": ("Lab", "compare"),
    "layers": (
        "Activation",
        "Buffers",
        "Parameter",
        "AvgPool2d",
        "CausalSelfAttention",
        "Conv1d",
        "Conv2d",
        "GRU",
        "GlobalAvgPool",
        "LSTM",
        "MaxPool2d",
        "RNN",
        "BatchNorm",
        "Distances",
        "Dropout",
        "ELU",
        "Embedding",
        "Flatten",
        "FlattenConsecutive",
        "GELU",
        "Gaussian",
        "Identity",
        "LastStep",
        "Layer",
        "LayerNorm",
        "LeakyReLU",
        "Linear",
        "Parallel",
        "PositionalEmbedding",
        "ReLU",
        "Reshape",
        "Residual",
        "SiLU",
        "Sigmoid",
        "Softmax",
        "Softplus",
        "Step",
        "Tanh",
    ),
    "gradcheck": ("GradReport", "grad_check"),
    "losses": ("MAE", "MSE", "BinaryCrossEntropy", "CrossEntropy", "Hinge", "Huber", "Kohonen", "Loss", "Perceptron"),
    "measure.comparison": ("Comparison",),
    "measure.som": ("quantization_error", "topographic_error", "u_matrix"),
    "network": ("Network",),
    "optimizers": ("SGD", "Adam", "AdamW", "RMSprop"),
    "plugins": ("load_plugin", "register"),
    "recipe": ("Recipe", "list_recipes", "load_recipe"),
    "reports": ("EditReport", "Evaluation", "StepReport"),
    "schedules": ("CosineSchedule", "ExponentialSchedule", "LinearSchedule", "Schedule", "StepSchedule"),
    "state": ("State",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LSTM",
    "MAE",
    "MSE",
    "RNN",
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "AvgPool2d",
    "BatchNorm",
    "BinaryCrossEntropy",
    "Buffers",
    "CausalSelfAttention",
    "CommandError",
    "Comparison",
    "Constant",
    "Conv1d",
    "Conv2d",
    "CorruptSave",
    "CosineSchedule",
    "CrossEntropy",
    "DataError",
    "Dataset",
    "Distances",
    "Dropout",
    "Edit",
    "EditError",
    "EditReport",
    "Embedding",
    "Evaluation",
    "ExponentialSchedule",
    "Flatten",
    "FlattenConsecutive",
    "Gaussian",
    "GlobalAvgPool",
    "GradReport",
    "Hinge",
    "Huber",
    "Identity",
    "Kaiming",
    "Kohonen",
    "Lab",
    "LastStep",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LinearSchedule",
    "Loss",
    "MaxPool2d",
    "Network",
    "NonFiniteError",
    "Normal",
    "Orthogonal",
    "Parallel",
    "Parameter",
    "Perceptron",
    "PluginError",
    "PositionalEmbedding",
    "RMSprop",
    "ReLU",
    "Recipe",
    "RecipeError",
    "Reshape",
    "Residual",
    "SaveError",
    "Schedule",
    "SelectorError",
    "ShapeError",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "State",
    "Step",
    "StepReport",
    "StepSchedule",
    "Tanh",
    "TimelineError",
    "TinynetsError",
    "Uniform",
    "UnsupportedSave",
    "Xavier",
    "Zeros",
    "compare",
    "grad_check",
    "list_recipes",
    "load_plugin",
    "load_recipe",
    "quantization_error",
    "register",
    "topographic_error",
    "u_matrix",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"tinynets has no `{name}`{_nearest(name)}")
    return getattr(import_module(f"tinynets.{_HOME[name]}"), name)


def _nearest(name: str) -> str:
    """What is meant by a misspelt name, as far as that can be told: whatever its case, and without lines in it."""
    nearest = import_module("tinynets.errors").nearest
    if name.startswith("__"):
        return ""
    plain = {known.lower().replace("_", ""): known for known in __all__}
    meant = plain.get(name.lower().replace("_", ""))
    return f"; did you mean `{meant}`?" if meant else str(nearest(name, plain.values()))


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
