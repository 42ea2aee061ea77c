"""The layers, a file a family."""

from tinynets.layers.activations import Activation, ReLU, Sigmoid, Tanh
from tinynets.layers.base import Buffers, Layer, Parameter
from tinynets.layers.embedding import Embedding
from tinynets.layers.linear import Linear
from tinynets.layers.registry import LAYERS, describe, layer_from
from tinynets.layers.shape import Flatten

__all__ = [
    "LAYERS",
    "Activation",
    "Buffers",
    "Embedding",
    "Flatten",
    "Layer",
    "Linear",
    "Parameter",
    "ReLU",
    "Sigmoid",
    "Tanh",
    "describe",
    "layer_from",
]
