"""Network: one flat vector, named blocks, sites, and shapes checked where layers meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.interventions import Intervention
from tinynets.nn.layout import MAX_PARAMETERS
from tinynets.nn.network import network_from
from tinynets.nn.workspace import Workspace
from tinynets.training.hyper import Hyper
from tinynets.training.state import State, state_taps

MLP = [
    tn.Linear(3, 4, name="hidden", b_init=tn.Normal()),
    tn.Tanh(),
    tn.Linear(4, 3, name="second", bias=False),
    tn.Sigmoid(),
    tn.Linear(3, 2, name="output"),
]
LOOKUP = [
    tn.Embedding(7, 3, name="embed"),
    tn.Flatten(),
    tn.Linear(6, 5, name="hidden", b_init=tn.Normal()),
    tn.ReLU(),
    tn.Linear(5, 3, name="output"),
]
SITES = [("hidden", 4), ("hidden.pre", 4), ("second", 3), ("output", 2)]
interventions = st.lists(
    st.sampled_from(SITES).flatmap(
        lambda site: st.builds(
            lambda units: Intervention("zero", site[0], tuple(sorted(units))),
            st.sets(st.integers(0, site[1] - 1), min_size=1),
        )
    ),
    max_size=3,
)


def standing_on(network: tn.Network, entries: list[Intervention]) -> State:
    """The state of a network with these interventions."""
    return replace(State.start(network, Hyper(tn.SGD())), interventions=tuple(entries))


@settings(max_examples=25)
@given(interventions, st.integers(0, 99), st.sampled_from([tn.CrossEntropy(), tn.MSE()]))
def test_gradients_through_a_whole_network_are_those_of_central_differences_with_units_zeroed(
    gradients_agree: Callable[..., None], standing: list[Intervention], seed: int, loss: Any
) -> None:
    network = tn.Network(MLP, dtype="float64", seed=seed)
    network.taps = state_taps(network, standing_on(network, standing))
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 6) if loss.classes else random.normal(size=(6, 2))
    gradients_agree(network, random.normal(size=(6, 3)), lambda out: loss(out, y))


@settings(max_examples=15)
@given(st.integers(0, 99), st.sets(st.integers(0, 4)))
def test_gradients_through_an_embedding_are_those_of_central_differences_with_units_zeroed(
    gradients_agree: Callable[..., None], seed: int, zeroed: set[int]
) -> None:
    network = tn.Network(LOOKUP, dtype="float64", seed=seed, input_shape=(2,))
    zeros = [Intervention("zero", "hidden", tuple(zeroed))] if zeroed else []
    network.taps = state_taps(network, standing_on(network, zeros))
    random = np.random.default_rng(seed)
    y, x = random.integers(0, 3, 5), random.integers(0, 7, (5, 2))
    network.forward(x)
    assume(np.abs(network.activation("hidden.pre")).min() > 1e-4)  # no kink is within reach of the differences
    gradients_agree(network, x, lambda out: tn.CrossEntropy()(out, y))


def test_parameters_are_views_into_theta_and_gradients_into_grad() -> None:
    network = tn.Network(MLP)
    hidden: Any = network["hidden"]
    network.theta[:] = np.arange(network.theta.size)
    assert hidden.w[1, 2] == 6
    assert np.shares_memory(hidden.w, network.theta)
    assert np.shares_memory(hidden.dw, network.grad)
    assert network.theta.size == network.grad.size == 3 * 4 + 4 + 4 * 3 + 3 * 2 + 2


def test_the_layers_that_were_given_are_not_touched() -> None:
    layer = tn.Linear(2, 2)
    tn.Network([layer])
    tn.Network([layer, tn.Tanh()])
    assert not layer.name
    assert not hasattr(layer, "w")


def test_unnamed_layers_are_called_by_kind_and_number() -> None:
    network = tn.Network([tn.Linear(2, 2), tn.Tanh(), tn.Linear(2, 2, name="mine"), tn.Linear(2, 1)])
    assert [layer.name for layer in network.layers] == ["linear1", "tanh1", "mine", "linear3"]


def test_a_block_is_a_layer_with_parameters_and_the_activation_behind_it() -> None:
    network = tn.Network(LOOKUP, input_shape=(2,))
    assert [(block.name, block.units) for block in network.blocks] == [
        ("embed", 3),
        ("flatten1", 0),
        ("hidden", 5),
        ("output", 3),
    ]
    assert [block.pre for block in network.blocks] == [None, None, 2, None]


def test_every_parameter_of_a_block_with_units_belongs_to_exactly_one_unit() -> None:
    network = tn.Network(LOOKUP, input_shape=(2,))
    owned = [network.unit_indices(block, [unit]) for block in network.blocks for unit in range(block.units)]
    assert sorted(np.concatenate(owned).tolist()) == list(range(network.theta.size))
    hidden: Any = network["hidden"]
    network.theta[:] = 0
    network.theta[network.unit_indices(network.block("hidden"), [2])] = 1
    assert hidden.w[:, 2].all()
    assert hidden.b[2] == 1
    assert network.theta.sum() == 7


def test_its_architecture_makes_the_same_network_around_the_same_theta() -> None:
    network = tn.Network(LOOKUP, seed=3, input_shape=(2,))
    again = network_from(network.architecture, theta=network.theta.copy(), input_shape=(2,))
    x = np.array([[1, 2], [3, 6]])
    assert again.architecture == network.architecture
    assert again.predict(x).tobytes() == network.predict(x).tobytes()


@settings(max_examples=20)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=8))
def test_batches_of_changing_sizes_give_what_fresh_buffers_give(sizes: list[int]) -> None:
    network = tn.Network(MLP, dtype="float64")
    random = np.random.default_rng(0)
    kept = Workspace(input_gradient=True)
    for size in sizes:
        x, dout = random.normal(size=(size, 3)), random.normal(size=(size, 2))
        fresh = Workspace(input_gradient=True)
        assert network.forward(x, kept).tobytes() == network.forward(x, fresh).tobytes()
        network.backward(dout, kept)
        grad, dx = network.grad.copy(), kept.dx.copy()
        network.backward(dout, fresh)
        assert grad.tobytes() == network.grad.tobytes()
        assert dx.tobytes() == fresh.dx.tobytes()


def test_what_predict_gives_is_not_overwritten_by_the_next() -> None:
    network = tn.Network(MLP)
    first = network.predict(np.ones((2, 3)))
    kept = first.copy()
    network.predict(np.zeros((2, 3)))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_computed_has_the_dtype_of_the_network(dtype: str) -> None:
    network = tn.Network(MLP, dtype=dtype)
    out = network.forward(np.ones((2, 3), np.float64))
    dx = network.backward(np.ones((2, 2), np.float64))
    assert {array.dtype for array in (network.theta, network.grad, out, dx)} == {np.dtype(dtype)}


def two(*layers: tn.Layer, **options: Any) -> Callable[[], object]:
    return lambda: tn.Network(layers, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            two(tn.Linear(2, 5, name="hidden"), tn.Tanh(), tn.Linear(4, 2, name="output")),
            "`output` Linear(4, 2) takes (..., 4), not (?, 5), which `tanh1` Tanh() gives",
        ),
        (
            two(tn.Linear(2, 5, name="hidden"), tn.Linear(4, 2, name="output")),
            "`output` Linear(4, 2) takes (..., 4), not (?, 5), which `hidden` Linear(2, 5) gives",
        ),
        (
            two(tn.Linear(3, 5, name="hidden"), input_shape=(2,)),
            "`hidden` Linear(3, 5) takes (..., 3), not (?, 2), which the input has",
        ),
        (
            two(tn.Embedding(5, 4, name="e"), tn.Flatten(), tn.Linear(4, 1, name="o"), input_shape=(3,)),
            "`o` Linear(4, 1) takes (..., 4), not (?, 12), which `flatten1` Flatten() gives",
        ),
        (
            two(tn.Linear(2, 2, name="a"), tn.Tanh(name="a")),
            "`a` is the name of 2 layers; a name must stand for one",
        ),
        (
            two(tn.Residual([tn.Linear(2, 2, name="split")], name="a")),
            "`a.split` is the name of 2 layers; a name must stand for one",
        ),
        (
            two(tn.ReLU(name="r"), tn.Linear(3, 4, name="a"), tn.LSTM(4, 2, name="b"), tn.Linear(5, 2, name="o")),
            "`o` Linear(5, 2) takes (..., 5), not (?, ?, 2), which `b` LSTM(4, 2) gives",
        ),
        (
            two(tn.Linear(2, 3, name="a"), tn.Embedding(3, 2, name="e")),
            "`e` Embedding(3, 2) takes whole numbers, not what `a` Linear(2, 3) gives",
        ),
        (
            two(tn.Dropout(0.1, name="d"), tn.Embedding(3, 2, name="e")),
            "`e` Embedding(3, 2) takes whole numbers, not what `d` Dropout(0.1) gives",
        ),
        (
            two(tn.Parallel([[tn.Linear(2, 2, name="a")], [tn.Embedding(3, 2, name="e")]], name="p")),
            "`p.branch2.e` Embedding(3, 2) takes the input as whole numbers, `p.branch1.a` Linear(2, 2) does not; "
            "one input cannot be both",
        ),
        (
            two(tn.Linear(2, 2), input_shape=2),
            "`input_shape` must be the sizes of an example's axes, as (28, 28, 1), not 2",
        ),
        (lambda: tn.Network(tn.Linear(2, 2)), "a network takes a list of layers, not Linear(2, 2)"),  # type: ignore[arg-type]
        (two(), "a network needs at least one layer"),
        (two(tn.Linear(2, 2), "tanh"), "a network is made of layers, not str: 'tanh'"),  # type: ignore[arg-type]
        (two(tn.Linear(2, 2), dtype="float16"), "`dtype` must be float32 or float64, not 'float16'"),
        (two(tn.Linear(2, 2), dtype="banana"), "`dtype` must be float32 or float64, not 'banana'"),
        (
            two(tn.Linear(2, 2), theta=np.zeros(5, np.float32)),
            "`theta` is (5,) float32; the layers take (6,) float32",
        ),
        (
            two(tn.Linear(2**40, 2**40)),
            f"the layers have {2**80 + 2**40:,} parameters; at most {MAX_PARAMETERS:,} are allowed",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    says: Callable[..., Any], make: Callable[[], object], message: str
) -> None:
    with says(tn.ShapeError, message):
        make()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((4, 2)), "`hidden` Linear(3, 4) takes (..., 3), not (4, 2), which the input has"),
        (np.zeros(3), "`hidden` Linear(3, 4) takes (..., 3), not (3,), which the input has"),
        (np.zeros((0, 3)), "a batch needs at least one example; `x` is (0, 3)"),
        (np.array(1.0), "a batch needs at least one example; `x` is ()"),
        ([[1.0, 2.0, 3.0], [1.0]], "`x` is not one array: its rows differ in shape"),
        (np.array([["a", "b", "c"]]), "`x` must hold numbers, not <U1"),
        (np.array([[1j, 0, 0]]), "`x` must hold numbers, not complex128"),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(says: Callable[..., Any], x: Any, message: str) -> None:
    network = tn.Network(MLP)
    with says(tn.ShapeError, message):
        network.forward(x)


def test_backward_asks_for_a_forward_and_for_the_shape_of_its_output(says: Callable[..., Any]) -> None:
    network = tn.Network(MLP)
    with says(tn.ShapeError, "`backward` needs a `forward` before it"):
        network.backward(np.zeros((2, 2)))
    network.forward(np.zeros((2, 3)))
    with says(tn.ShapeError, "`dout` is (3, 2); the last forward gave (2, 2)"):
        network.backward(np.zeros((3, 2)))


def test_a_layer_or_block_that_is_not_there_is_named_with_those_that_are(says: Callable[..., Any]) -> None:
    network = tn.Network(MLP)
    with says(
        tn.SelectorError,
        "`hiden` is not a layer of this network, which has hidden, tanh1, second, sigmoid1, output; "
        "did you mean `hidden`?",
    ):
        network["hiden"]
    with says(
        tn.SelectorError,
        "`outptu` is not a block of this network, which has hidden, second, output; did you mean `output`?",
    ):
        network.block("outptu")


def test_its_repr_tells_what_it_is() -> None:
    network = tn.Network(MLP)
    assert repr(network) == (
        "Network(Linear(3, 4), Tanh(), Linear(4, 3, no bias), Sigmoid(), Linear(3, 2); 36 parameters, float32)"
    )


@pytest.mark.parametrize(
    ("layers", "x"),
    [
        ([tn.Linear(3, 4), tn.LSTM(4, 2)], np.ones((2, 5, 3))),
        ([tn.Residual([tn.LayerNorm(4), tn.CausalSelfAttention(4, 2)])], np.ones((2, 5, 4))),
        ([tn.BatchNorm(1), tn.Conv2d(1, 2, 3)], np.ones((2, 5, 5, 1))),
        ([tn.Dropout(0.1), tn.LSTM(4, 2)], np.ones((2, 5, 4))),
        ([tn.ReLU(), tn.MaxPool2d(2)], np.ones((2, 4, 4, 1))),
    ],
)
def test_without_an_input_shape_the_input_has_as_many_axes_as_the_layers_need(layers: list[tn.Layer], x: Any) -> None:
    network = tn.Network(layers)
    assert len(network.known_input) == x.ndim
    assert network.predict(x).ndim == len(network.known_shapes[-1])


def test_an_index_beyond_the_smallest_of_several_tables_is_refused(says: Callable[..., Any]) -> None:
    tables = [[tn.Embedding(9, 2), tn.Flatten()], [tn.Embedding(3, 2, name="small"), tn.Flatten()]]
    network = tn.Network([tn.Parallel(tables, name="p")])
    with says(tn.DataError, "`p.branch2.small` Embedding(3, 2) takes indices 0 to 2, not 8"):
        network.forward([[8]])


def test_an_intervention_on_a_site_without_units_is_refused(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.RNN(2, 3), tn.LastStep(), tn.Linear(3, 1)])
    with says(tn.SelectorError, "`last_step1` LastStep() has no units to intervene on"):
        network.intervene("last_step1", multiply=0)
