"""The layers, a file a family."""

from tinynets.nn.layers.activations import Activation, Gaussian, Identity, Sigmoid, Softmax, Step, Tanh
from tinynets.nn.layers.attention import CausalSelfAttention
from tinynets.nn.layers.base import Layer
from tinynets.nn.layers.buffers import Buffers, Context
from tinynets.nn.layers.convolution import Conv1d, Conv2d
from tinynets.nn.layers.distances import Distances
from tinynets.nn.layers.dropout import Dropout
from tinynets.nn.layers.embedding import Embedding, PositionalEmbedding
from tinynets.nn.layers.feature_map import FeatureMap
from tinynets.nn.layers.gated import GRU, LSTM
from tinynets.nn.layers.linear import Linear
from tinynets.nn.layers.norms import BatchNorm, LayerNorm
from tinynets.nn.layers.parameter import Parameter
from tinynets.nn.layers.pooling import AvgPool2d, GlobalAvgPool, MaxPool2d
from tinynets.nn.layers.rectifiers import ELU, GELU, LeakyReLU, ReLU, SiLU, Softplus
from tinynets.nn.layers.recurrent import RNN
from tinynets.nn.layers.registry import LAYERS, describe, layer_from
from tinynets.nn.layers.shape import Flatten, FlattenConsecutive, LastStep, Reshape
from tinynets.nn.layers.structure import Parallel, Residual, named

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
    "FeatureMap",
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
