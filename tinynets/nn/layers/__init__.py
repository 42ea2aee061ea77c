"""The layers, a file a family. A new one is its file, a line here and a line in tinynets/__init__.pyi.

The order is that in which their kinds are listed to a user.
"""

# ruff: isort: skip_file

from tinynets.nn.layers.buffers import Buffers as Buffers
from tinynets.nn.layers.buffers import Context as Context
from tinynets.nn.layers.feature_map import FeatureMap as FeatureMap
from tinynets.nn.layers.parameter import Parameter as Parameter
from tinynets.nn.layers.base import Layer as Layer
from tinynets.nn.layers.base import Activation as Activation

from tinynets.nn.layers.linear import Linear as Linear
from tinynets.nn.layers.embedding import Embedding as Embedding
from tinynets.nn.layers.embedding import PositionalEmbedding as PositionalEmbedding
from tinynets.nn.layers.distances import Distances as Distances
from tinynets.nn.layers.activations import Tanh as Tanh
from tinynets.nn.layers.activations import Sigmoid as Sigmoid
from tinynets.nn.layers.rectifiers import ReLU as ReLU
from tinynets.nn.layers.rectifiers import LeakyReLU as LeakyReLU
from tinynets.nn.layers.rectifiers import ELU as ELU
from tinynets.nn.layers.rectifiers import GELU as GELU
from tinynets.nn.layers.rectifiers import SiLU as SiLU
from tinynets.nn.layers.rectifiers import Softplus as Softplus
from tinynets.nn.layers.activations import Gaussian as Gaussian
from tinynets.nn.layers.activations import Softmax as Softmax
from tinynets.nn.layers.activations import Step as Step
from tinynets.nn.layers.activations import Identity as Identity
from tinynets.nn.layers.convolution import Conv1d as Conv1d
from tinynets.nn.layers.convolution import Conv2d as Conv2d
from tinynets.nn.layers.pooling import MaxPool2d as MaxPool2d
from tinynets.nn.layers.pooling import AvgPool2d as AvgPool2d
from tinynets.nn.layers.pooling import GlobalAvgPool as GlobalAvgPool
from tinynets.nn.layers.recurrent import RNN as RNN
from tinynets.nn.layers.gated import GRU as GRU
from tinynets.nn.layers.gated import LSTM as LSTM
from tinynets.nn.layers.attention import CausalSelfAttention as CausalSelfAttention
from tinynets.nn.layers.norms import BatchNorm as BatchNorm
from tinynets.nn.layers.norms import LayerNorm as LayerNorm
from tinynets.nn.layers.dropout import Dropout as Dropout
from tinynets.nn.layers.shape import Flatten as Flatten
from tinynets.nn.layers.shape import FlattenConsecutive as FlattenConsecutive
from tinynets.nn.layers.shape import Reshape as Reshape
from tinynets.nn.layers.shape import LastStep as LastStep
from tinynets.nn.layers.structure import Residual as Residual
from tinynets.nn.layers.structure import Parallel as Parallel

from tinynets.nn.layers.structure import named as named
from tinynets.nn.layers.registry import LAYERS as LAYERS
from tinynets.nn.layers.registry import describe as describe
from tinynets.nn.layers.registry import gather
from tinynets.nn.layers.registry import layer_from as layer_from

gather(globals())
