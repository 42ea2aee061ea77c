"""The layers, a file a family."""

from tinynets.layers.activations import Activation, ReLU, Sigmoid, Tanh
from tinynets.layers.base import Buffers, Context, Layer, Parameter, Tap
from tinynets.layers.embedding import Embedding
from tinynets.layers.linear import Linear
from tinynets.layers.registry import LAYERS, describe, layer_from
from tinynets.layers.shape import Flatten
from tinynets.layers.structure import Parallel, Residual, named

__all__ = [
    "LAYERS",
    "Activation",
    "Buffers",
    "Context",
    "Embedding",
    "Flatten",
    "Layer",
    "Linear",
    "Parallel",
    "Parameter",
    "ReLU",
    "Residual",
    "Sigmoid",
    "Tanh",
    "Tap",
    "describe",
    "layer_from",
    "named",
]
