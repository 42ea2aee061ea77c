"""The layers, a file a family."""

from tinynets.layers.activations import Activation, Gaussian, Identity, Sigmoid, Softmax, Step, Tanh
from tinynets.layers.attention import CausalSelfAttention
from tinynets.layers.base import Buffers, Context, Features, Layer, Parameter
from tinynets.layers.convolution import Conv1d, Conv2d
from tinynets.layers.distances import Distances
from tinynets.layers.dropout import Dropout
from tinynets.layers.embedding import Embedding, PositionalEmbedding
from tinynets.layers.linear import Linear
from tinynets.layers.norms import BatchNorm, LayerNorm
from tinynets.layers.pooling import AvgPool2d, GlobalAvgPool, MaxPool2d
from tinynets.layers.rectifiers import ELU, GELU, LeakyReLU, ReLU, SiLU, Softplus
from tinynets.layers.recurrent import GRU, LSTM, RNN
from tinynets.layers.registry import LAYERS, describe, layer_from
from tinynets.layers.shape import Flatten, FlattenConsecutive, LastStep, Reshape
from tinynets.layers.structure import Parallel, Residual, named

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LAYERS",
    "LSTM",
    "RNN",
    "Activation",
    "AvgPool2d",
    "BatchNorm",
    "Buffers",
    "CausalSelfAttention",
    "Context",
    "Conv1d",
    "Conv2d",
    "Distances",
    "Dropout",
    "Embedding",
    "Features",
    "Flatten",
    "FlattenConsecutive",
    "Gaussian",
    "GlobalAvgPool",
    "Identity",
    "LastStep",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Parallel",
    "Parameter",
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
    "describe",
    "layer_from",
    "named",
]
