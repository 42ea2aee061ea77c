"""Layers by kind, and to and from plain descriptions."""

from __future__ import annotations

from typing import Any

from tinynets.errors import ShapeError, nearest
from tinynets.nn.initializers import initializer
from tinynets.nn.layers.activations import Gaussian, Identity, Sigmoid, Softmax, Step, Tanh
from tinynets.nn.layers.attention import CausalSelfAttention
from tinynets.nn.layers.base import Layer
from tinynets.nn.layers.convolution import Conv1d, Conv2d
from tinynets.nn.layers.distances import Distances
from tinynets.nn.layers.dropout import Dropout
from tinynets.nn.layers.embedding import Embedding, PositionalEmbedding
from tinynets.nn.layers.gated import GRU, LSTM
from tinynets.nn.layers.linear import Linear
from tinynets.nn.layers.norms import BatchNorm, LayerNorm
from tinynets.nn.layers.pooling import AvgPool2d, GlobalAvgPool, MaxPool2d
from tinynets.nn.layers.rectifiers import ELU, GELU, LeakyReLU, ReLU, SiLU, Softplus
from tinynets.nn.layers.recurrent import RNN
from tinynets.nn.layers.shape import Flatten, FlattenConsecutive, LastStep, Reshape
from tinynets.nn.layers.structure import Parallel, Residual
from tinynets.numerics.arrays import is_flat

LAYERS: dict[str, type[Layer]] = {
    cls.kind: cls
    for cls in (
        *(Linear, Embedding, PositionalEmbedding, Distances),
        *(Tanh, Sigmoid, ReLU, LeakyReLU, ELU, GELU, SiLU, Softplus, Gaussian, Softmax, Step, Identity),
        *(Conv1d, Conv2d, MaxPool2d, AvgPool2d, GlobalAvgPool),
        *(RNN, GRU, LSTM, CausalSelfAttention),
        *(BatchNorm, LayerNorm, Dropout),
        *(Flatten, FlattenConsecutive, Reshape, LastStep),
        *(Residual, Parallel),
    )
}


def describe(layer: Layer) -> dict[str, Any]:
    """A plain description: kind, name and arguments, of the layers inside a container too."""

    def plain(value: Any) -> Any:
        if isinstance(value, Layer):
            return describe(value)
        if not isinstance(value, list | tuple):
            return value
        return list(value) if is_flat(value) else [plain(part) for part in value]

    name = {"name": layer.name} if layer.name else {}
    return {"kind": layer.kind} | name | {key: plain(value) for key, value in layer.config().items()}


def layer_from(description: dict[str, Any]) -> Layer:
    """The layer that a description makes: its `kind`, `name` and that kind's arguments.

    Raises ShapeError for an unknown kind, a wrong argument or an impossible size.
    """
    arguments = dict(description)
    kind = arguments.pop("kind", None)
    if kind not in LAYERS:
        raise ShapeError(f"`kind` is one of {', '.join(LAYERS)}, not {kind!r}{nearest(str(kind), LAYERS)}")

    def made(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return initializer(value) if key.endswith("_init") else layer_from(value)
        nested = isinstance(value, list) and not is_flat(value)
        return [made(key, part) for part in value] if nested else value

    return LAYERS[kind](**{key: made(key, value) for key, value in arguments.items()})
