"""What each kind of layer says about itself is true, and a new kind needs only its class, listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.layers import LAYERS, Layer, Parameter, layer_from
from tinynets.nn.layers.claims import FREE, Claims
from tinynets.nn.layers.registry import gather
from tinynets.nn.workspace import Workspace
from tinynets.numerics.arrays import Array
from tinynets.server.activity import Activity
from tinynets.server.frame import View
from tinynets.server.frame_builder import FrameBuilder

MADE: dict[str, tuple[Callable[[], Layer], tuple[int, ...]]] = {
    "linear": (lambda: tn.Linear(4, 3), (4,)),
    "distances": (lambda: tn.Distances(4, 3), (4,)),
    "conv1d": (lambda: tn.Conv1d(4, 3, 2), (6, 4)),
    "conv2d": (lambda: tn.Conv2d(2, 3, 2), (4, 4, 2)),
    "rnn": (lambda: tn.RNN(4, 3), (5, 4)),
    "gru": (lambda: tn.GRU(4, 3), (5, 4)),
    "lstm": (lambda: tn.LSTM(4, 3), (5, 4)),
    "causal-self-attention": (lambda: tn.CausalSelfAttention(4, 2), (5, 4)),
    "batch-norm": (lambda: tn.BatchNorm(4), (4,)),
    "layer-norm": (lambda: tn.LayerNorm(4), (4,)),
    "positional-embedding": (lambda: tn.PositionalEmbedding(5, 4), (5, 4)),
    "max-pool2d": (lambda: tn.MaxPool2d(2), (4, 4, 2)),
    "avg-pool2d": (lambda: tn.AvgPool2d(2), (4, 4, 2)),
    "global-avg-pool": (lambda: tn.GlobalAvgPool(), (4, 4, 2)),
    "flatten": (lambda: tn.Flatten(), (5, 4)),
    "flatten-consecutive": (lambda: tn.FlattenConsecutive(2), (4, 4)),
    "reshape": (lambda: tn.Reshape([2, 2]), (4,)),
    "last-step": (lambda: tn.LastStep(), (5, 4)),
    "residual": (lambda: tn.Residual([tn.Linear(4, 4)]), (4,)),
    "parallel": (lambda: tn.Parallel([[tn.Linear(4, 2)], [tn.Linear(4, 2)]]), (4,)),
}
"""An example of each kind that needs settings, or whose inputs (B, ...) have another shape than (4,)."""
WHOLE = {"embedding"}
"""Kinds whose inputs are whole numbers."""


@pytest.fixture(params=[kind for kind in LAYERS if kind not in WHOLE])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def made(kind: str) -> tuple[tn.Network, Array]:
    """A network of one layer of a kind, and inputs for it, some of them large (for a Gaussian, squared distances)."""
    make, shape = MADE.get(kind, (LAYERS[kind], (4,)))
    x = np.random.default_rng(1).normal(size=(50, *shape)) * np.geomspace(0.1, 30, 50).reshape(-1, *[1] * len(shape))
    return tn.Network([make()], dtype="float64", input_shape=shape), np.square(x) if kind == "gaussian" else x


def test_outputs_lie_in_the_range_that_their_kind_says(kind: str) -> None:
    network, x = made(kind)
    low, high = network.layers[-1].output_range
    out = network.predict(x)
    assert low <= out.min()
    assert out.max() <= high
    assert not network.layers[-1].keeps_range or (x.min() <= out.min() and out.max() <= x.max())


def test_an_odd_layer_gives_minus_what_it_gave(kind: str) -> None:
    network, x = made(kind)
    if network.layers[-1].is_odd:
        np.testing.assert_allclose(network.predict(-x), -network.predict(x))


def test_what_hands_on_gives_what_it_takes(kind: str) -> None:
    network, x = made(kind)
    assert network.layers[-1].hands_on == (kind in ("identity", "dropout"))
    if network.layers[-1].hands_on:
        assert np.array_equal(network.predict(x), x)


def test_what_can_be_inserted_gives_what_it_takes(kind: str) -> None:
    made_of = LAYERS[kind]
    if not made_of.insertable:
        return
    x = np.random.default_rng(1).normal(size=(2, *(5,) * ((made_of.input_axes or 2) - 2), 4))
    network = tn.Network([made_of.passing(4)], dtype="float64", input_shape=x.shape[1:])
    for entry in network.layers[0].parameters():
        setattr(network.layers[0], entry.name, network.layers[0].passing_values(entry))
    assert np.array_equal(network.predict(x), x)


def test_what_a_unit_weighs_and_its_vectors_make_its_sum(kind: str) -> None:
    network, x = made(kind)
    layer, workspace = network.layers[0], Workspace()
    out = network.forward(x, workspace)
    summands = layer.summands(x, workspace.buffers[0], 3, -1)
    if summands is None or layer.gate_sums:
        return
    matrices = [getattr(layer, entry.name) for entry in layer.parameters() if len(entry.shape) > 1]
    w = np.concatenate([matrix.reshape(-1, out.shape[-1]) for matrix in matrices])
    biases = sum(getattr(layer, entry.name) for entry in layer.parameters() if len(entry.shape) == 1)
    z = summands @ w + biases
    np.testing.assert_allclose(np.tanh(z) if kind == "rnn" else z, out[3].reshape(-1, out.shape[-1])[-1])


def test_groups_of_columns_are_named_where_there_are_several(kind: str) -> None:
    for layer in made(kind)[0].layers:
        groups = max((entry.groups for entry in layer.parameters()), default=1)
        assert len(layer.group_names) == (groups if groups > 1 else 0)
        assert len(layer.gate_sums) in (0, groups)


def test_every_kind_is_public() -> None:
    assert {layer.__name__ for layer in LAYERS.values()} <= set(tn.__all__)


def test_a_kind_of_ones_own_inherits_no_claim() -> None:
    class Doubled(tn.Tanh):
        kind = "doubled"

    class Renamed(tn.Tanh):
        pass

    assert tn.Tanh.output_range == Renamed.output_range == (-1, 1)
    assert Doubled.output_range == FREE
    assert all(getattr(Doubled, name) == getattr(Claims, name) for name in Claims.__annotations__)


class Halved(Layer):
    """y = x @ w / 2 + shift: a throw-away kind that is in no table."""

    kind = "halved"
    unit_measure = "half a sum"
    output_range = (-1000.0, 1000.0)
    turns_with_weights = True
    unit_setting = "outputs"
    input_setting = "inputs"
    w: Array
    dw: Array
    shift: Array
    dshift: Array

    def __init__(self, inputs: int, outputs: int, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.inputs, self.outputs = inputs, outputs

    def config(self) -> dict[str, Any]:
        return {"inputs": self.inputs, "outputs": self.outputs}

    def parameters(self) -> tuple[Any, ...]:
        w = Parameter("w", (self.inputs, self.outputs), tn.Normal(), 1, fan_in=self.inputs, input_axis=0)
        return w, Parameter("shift", (self.outputs,), tn.Constant(value=0.25), 0)

    def input_shape(self) -> tuple[int | None, ...]:
        return None, self.inputs

    def output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (*shape[:-1], self.outputs)

    def forward(self, x: Array, buffers: Any) -> Array:
        buffers.x, buffers.out = x, x @ (self.w / 2) + self.shift
        return np.asarray(buffers.out)

    def backward(self, dout: Array, buffers: Any) -> Array:
        self.dw[...] = buffers.x.T @ dout / 2
        self.dshift[...] = dout.sum(axis=0)
        buffers.dx = dout @ self.w.T / 2
        return np.asarray(buffers.dx)

    def summands(self, x: Array, buffers: Any, example: int, place: int) -> Array:
        return np.asarray(x[example]) / 2


class Clip(tn.Activation):
    """out = x, limited to -1 to 1: a throw-away activation."""

    kind = "clip"
    output_range = (-1.0, 1.0)
    is_odd = True
    keeps_zero = True

    def forward(self, x: Array, buffers: Any) -> Array:
        buffers.x = x
        return np.asarray(np.clip(x, -1, 1, out=buffers.out))

    def backward(self, dout: Array, buffers: Any) -> Array:
        return np.asarray(np.multiply(dout, np.abs(buffers.x) < 1, buffers.dx))


@pytest.fixture
def new_kinds() -> Iterator[None]:
    """List the new kinds, as one line each in nn/layers/__init__.py would."""
    gather({"Halved": Halved, "Clip": Clip})
    yield
    del LAYERS["halved"], LAYERS["clip"]


@pytest.mark.usefixtures("new_kinds")
def test_a_new_kind_is_shown_explained_changed_and_saved(tmp_path: Any) -> None:
    layers = [Halved(3, 4, name="h"), Clip(), tn.Linear(4, 2, name="out")]
    x, y = np.random.default_rng(0).normal(size=(8, 3)), np.arange(8) % 2
    lab = tn.Lab(tn.Network(layers, dtype="float64"), data=(x, y), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1))
    lab.run(3)
    frame = FrameBuilder.of(lab).frame(View(block="h", unit=1, example=2), 1, Activity())
    assert frame.weights is not None
    assert frame.network is not None
    assert frame.weights.title == "h.w (3, 4)"
    assert frame.network[0].limit == 1
    assert frame.neuron is not None
    assert {entry.label for entry in frame.neuron.contributions} == {"x[0]", "x[1]", "x[2]"}
    assert frame.neuron.value == pytest.approx(np.clip(frame.neuron.pre, -1, 1))
    found = lab.explain("h[1]", 2)
    assert {entry.label for entry in found.contributions} == {"x[0]", "x[1]", "x[2]"}
    assert found.z == pytest.approx(sum(entry.product for entry in found.contributions) + (found.bias or 0))
    assert found.pre == pytest.approx(found.z)
    before = lab.network.predict(x)
    lab.sign_flip("h[1]", outgoing=True)
    np.testing.assert_allclose(lab.network.predict(x), before)
    lab.prune("h[0]")
    lab.grow("h", 2)
    lab.run(2)
    lab.save(tmp_path / "new.msgpack")
    again = tn.Lab(tmp_path / "new.msgpack")
    assert again.network.theta.tobytes() == lab.network.theta.tobytes()


@pytest.mark.usefixtures("new_kinds")
def test_a_new_kind_is_named_where_kinds_are(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, f"`kind` is one of {', '.join(LAYERS)}, not 'cliip'; did you mean `clip`?"):
        layer_from({"kind": "cliip"})
    x, y = np.ones((4, 3)), np.array([[7.0, 0], [8, 1], [9, 0], [7, 1]])
    lab = tn.Lab(tn.Network([tn.Linear(3, 2), Clip()]), data=(x, y), loss=tn.MSE())
    assert any("gives values from -1 to 1" in warning for warning in lab.warnings)
    lab.activation("linear1", "tanh")
    lab.activation("linear1", "clip")
