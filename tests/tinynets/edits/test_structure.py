"""Operations on structure (prune, grow, insert, remove): what stays the same to the byte, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn import plugins
from tinynets.nn.layers import LAYERS, Activation
from tinynets.numerics.arrays import ignore_warnings

Make = Callable[..., tn.Lab]
RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(24, 3))
SERIES = RANDOM.normal(size=(24, 4, 3))
IMAGES = RANDOM.normal(size=(24, 4, 4, 2))
TOKENS = RANDOM.integers(0, 5, (24, 4))
ENDS = np.arange(24) % 2
EACH = RANDOM.integers(0, 2, (24, 4))


def out(inputs: int) -> tn.Layer:
    return tn.Linear(inputs, 2, name="output")


def linear(*behind: tn.Layer) -> list[tn.Layer]:
    return [tn.Linear(3, 5, name="hidden"), *behind, out(5)]


def residual(*inside: tn.Layer) -> list[tn.Layer]:
    return [tn.Linear(3, 4), tn.Tanh(), tn.Residual([*inside], name="block"), out(4)]


NETS: dict[str, tuple[list[tn.Layer], np.ndarray, str]] = {
    "linear": (linear(tn.Tanh()), FLAT, "hidden"),
    "linear-bare": (linear(), FLAT, "hidden"),
    "linear-sigmoid": (linear(tn.Sigmoid()), FLAT, "hidden"),
    "linear-batch-norm": (linear(tn.BatchNorm(5), tn.GELU()), FLAT, "hidden"),
    "linear-batch-norm-alone": (linear(tn.BatchNorm(5)), FLAT, "hidden"),
    "linear-dropout": (linear(tn.ReLU(), tn.Dropout(0.3)), FLAT, "hidden"),
    "linear-dropout-tanh": (linear(tn.Dropout(0.3), tn.Tanh()), FLAT, "hidden"),
    "linear-unbiased": ([tn.Linear(3, 5, bias=False, name="hidden"), tn.Tanh(), out(5)], FLAT, "hidden"),
    "linear-over-time": (
        [tn.Linear(3, 5, name="hidden"), tn.ReLU(), tn.Flatten(), tn.Dropout(0.2), out(20)],
        SERIES,
        "hidden",
    ),
    "embedding": (
        [
            tn.Embedding(5, 5, name="hidden"),
            tn.FlattenConsecutive(2),
            tn.Linear(10, 3),
            tn.Tanh(),
            tn.Flatten(),
            out(6),
        ],
        TOKENS,
        "hidden",
    ),
    "behind-flatten-consecutive": (
        [
            tn.Embedding(5, 3),
            tn.FlattenConsecutive(2),
            tn.Linear(6, 5, name="hidden"),
            tn.Tanh(),
            tn.Flatten(),
            out(10),
        ],
        TOKENS,
        "hidden",
    ),
    "conv1d": (
        [tn.Conv1d(3, 5, 2, name="hidden"), tn.ReLU(), tn.Conv1d(5, 4, 2), tn.ReLU(), tn.Flatten(), out(8)],
        SERIES,
        "hidden",
    ),
    "conv2d": (
        [tn.Conv2d(2, 5, 2, name="hidden"), tn.BatchNorm(5), tn.ReLU(), tn.Conv2d(5, 3, 2), tn.Flatten(), out(12)],
        IMAGES,
        "hidden",
    ),
    "conv2d-pools": (
        [
            tn.Conv2d(2, 5, 3, padding="same", name="hidden"),
            tn.Tanh(),
            tn.MaxPool2d(2),
            tn.AvgPool2d(2),
            tn.Flatten(),
            out(5),
        ],
        IMAGES,
        "hidden",
    ),
    "conv2d-flat": (
        [tn.Conv2d(2, 5, 3, name="hidden"), tn.ReLU(), tn.Flatten(), tn.Dropout(0.5), out(20)],
        IMAGES,
        "hidden",
    ),
    "conv2d-average": (
        [tn.Conv2d(2, 5, 3, name="hidden"), tn.ReLU(), tn.GlobalAvgPool(), out(5)],
        IMAGES,
        "hidden",
    ),
    "rnn": ([tn.RNN(3, 5, sequence=False, name="hidden"), out(5)], SERIES, "hidden"),
    "gru": ([tn.GRU(3, 5, sequence=False, name="hidden"), out(5)], SERIES, "hidden"),
    "lstm": ([tn.LSTM(3, 5, sequence=False, name="hidden"), out(5)], SERIES, "hidden"),
    "rnn-sequence": ([tn.RNN(3, 5, name="hidden"), tn.GRU(5, 4), tn.LastStep(), out(4)], SERIES, "hidden"),
    "gru-sequence": ([tn.GRU(3, 5, name="hidden"), tn.LastStep(), out(5)], SERIES, "hidden"),
    "lstm-sequence": (
        [tn.LSTM(3, 5, name="hidden"), tn.Dropout(0.2), tn.LSTM(5, 4, sequence=False), out(4)],
        SERIES,
        "hidden",
    ),
    "residual": (
        residual(tn.Linear(4, 5, name="hidden"), tn.ReLU(), tn.Linear(5, 4)),
        FLAT,
        "block.hidden",
    ),
    "before-parallel": (
        [
            tn.Linear(3, 5, name="hidden"),
            tn.Tanh(),
            tn.Parallel([[tn.Linear(5, 3)], [tn.Linear(5, 2), tn.ReLU()]]),
            out(5),
        ],
        FLAT,
        "hidden",
    ),
    "before-parallel-with-a-way-through": (
        [
            tn.Linear(3, 5, name="hidden"),
            tn.Tanh(),
            tn.Parallel([[tn.Linear(5, 3)], [tn.Dropout(0.2)], [tn.ReLU()]]),
            out(13),
        ],
        FLAT,
        "hidden",
    ),
    "in-parallel": (
        [
            tn.Parallel(
                [[tn.Linear(3, 2)], [tn.Linear(3, 5, name="hidden"), tn.Tanh()], [tn.Linear(3, 3)]], name="two"
            ),
            tn.Dropout(0.1),
            out(10),
        ],
        FLAT,
        "two.branch2.hidden",
    ),
    "in-summed-parallel": (
        [
            tn.Parallel([[tn.Linear(3, 4)], [tn.Linear(3, 5, name="hidden"), tn.Linear(5, 4)]], join="sum", name="two"),
            out(4),
        ],
        FLAT,
        "two.branch2.hidden",
    ),
}
NOT_RECURRENT = [net for net in NETS if net.split("-")[0] not in ("rnn", "gru", "lstm")]
by_net = pytest.mark.parametrize("net", NETS)


def lab_of(net: str, dtype: str = "float64", **options: Any) -> tn.Lab:
    layers, x, _ = NETS[net]
    network = tn.Network(layers, seed=1, dtype=dtype, input_shape=x.shape[1:])
    defaults = {"loss": tn.CrossEntropy(), "optimizer": tn.Adam(0.01), "batch": 6}
    return tn.Lab(network, data=(x, ENDS), **(defaults | options))


def trained(net: str, steps: int = 12, **options: Any) -> tn.Lab:
    lab = lab_of(net, **options)
    lab.run(steps)
    return lab


def outputs(lab: tn.Lab) -> np.ndarray:
    return lab.network.predict(lab.split("train")[0])


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    """Check that arrays agree to 1e-6 of their largest value."""
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()


def rows(lab: tn.Lab, block: str, units: tuple[int, ...]) -> list[bytes]:
    """The bytes of all parameters of units, including slots and carried state."""
    network, state = lab.network, lab.state
    found = network.block(block)
    taken = []
    for unit in units:
        places, carried = network.unit_indices(found, [unit]), network.resettable_indices(found, [unit])
        taken += [vector[places].tobytes() for vector in (state.theta, *state.slots.values())]
        taken.append(state.buffers[carried].tobytes())
    return taken


# -- prune


@by_net
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_net_with_units_pruned_gives_what_it_gives_with_them_zeroed(net: str, dtype: str) -> None:
    zeroed, pruned, block = trained(net, dtype=dtype), trained(net, dtype=dtype), NETS[net][2]
    report = zeroed.zero(f"{block}[1,3]")
    assert pruned.prune(f"{block}[1,3]").done == f"{block}[1,3] pruned: 5 -> 3 units"
    assert pruned.network.block(block).units == 3
    wanted = outputs(zeroed)
    assert_same(outputs(pruned), wanted)
    assert pruned.probe_loss() == pytest.approx(report.after, rel=1e-6)
    assert not np.allclose(wanted, outputs(trained(net, dtype=dtype)))
    with ignore_warnings():
        pruned.run(5)
    pruned.undo()
    pruned.undo()
    assert pruned.state.digest() == trained(net, dtype=dtype).state.digest()


@pytest.mark.parametrize("net", NOT_RECURRENT)
def test_pruning_leaves_every_byte_of_the_other_units(net: str) -> None:
    lab, block = trained(net), NETS[net][2]
    before = rows(lab, block, (0, 2, 4))
    lab.freeze(f"{block}[2]")
    lab.rate(f"{block}[4]", 0.5)
    frozen = rows(lab, block, (2,))
    lab.prune(f"{block}[1,3]")
    assert rows(lab, block, (0, 1, 2)) == before
    assert lab.frozen == {block: (1,)}
    assert lab.state.hyper.rates == {f"{block}[2]": 0.5}
    with ignore_warnings():
        lab.run(20)
    assert rows(lab, block, (1,)) == frozen


@pytest.mark.parametrize("net", ["rnn", "gru", "lstm"])
def test_pruning_leaves_the_weights_between_the_units_that_are_left(net: str) -> None:
    lab, left = trained(net), [0, 2, 4]
    before: Any = lab.network["hidden"]
    gates = before.w_hh.shape[1] // 5
    wanted = {
        "w_ih": before.w_ih.reshape(3, gates, 5)[..., left],
        "w_hh": before.w_hh.reshape(5, gates, 5)[left][..., left],
        "b_ih": before.b_ih.reshape(gates, 5)[:, left],
        "b_hh": before.b_hh.reshape(gates, 5)[:, left],
    }
    lab.prune("hidden[1,3]")
    for name, array in wanted.items():
        assert getattr(lab.network["hidden"], name).tobytes() == array.tobytes()


@settings(max_examples=25)
@given(
    st.sampled_from(["linear-batch-norm", "gru", "conv2d-flat", "embedding"]),
    st.sets(st.integers(0, 4), min_size=1, max_size=4),
)
def test_any_units_are_pruned(net: str, units: set[int]) -> None:
    zeroed, pruned = lab_of(net), lab_of(net)
    selector = f"hidden[{','.join(map(str, sorted(units)))}]"
    zeroed.zero(selector)
    pruned.prune(selector)
    assert_same(outputs(pruned), outputs(zeroed))


# -- grow


@by_net
@pytest.mark.parametrize("split", [None, 2])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_net_with_units_grown_gives_what_it_gave_and_they_learn(net: str, split: int | None, dtype: str) -> None:
    lab, block = trained(net, dtype=dtype), NETS[net][2]
    before, wanted, loss = lab.state, outputs(lab), lab.probe_loss()
    how = "" if split is None else f" split off {block}[{split}]"
    assert lab.grow(block, 2, split=split).done == f"{block}: 5 -> 7 units{how}"
    assert lab.network.block(block).units == 7
    assert_same(outputs(lab), wanted)
    assert lab.probe_loss() == pytest.approx(loss, rel=1e-5)
    grown = lab.state
    with ignore_warnings():
        lab.run(20)
    moved = lab.state.theta != grown.theta
    places = lab.network.unit_indices(lab.network.block(block), (5, 6))
    assert moved[places].mean() > 0.5
    assert len({*rows(lab, block, (2, 5, 6))[::4]}) == 3  # no two alike
    assert not np.allclose(outputs(lab), wanted)
    lab.undo()
    lab.undo()
    assert lab.state.digest() == before.digest()


@pytest.mark.parametrize("net", ["linear", "conv2d-flat", "residual"])
def test_parts_of_a_unit_drift_apart(net: str) -> None:
    lab, block = trained(net, optimizer=tn.SGD(0.1)), NETS[net][2]
    lab.grow(block, split=2)
    one, other = (lab.network.unit_indices(lab.network.block(block), [unit]) for unit in (2, 5))
    assert (lab.state.theta[one] == lab.state.theta[other]).all()
    lab.run(30)
    assert (lab.state.theta[one] != lab.state.theta[other]).mean() > 0.5


@pytest.mark.parametrize("split", [None, 1])
@pytest.mark.parametrize("net", NOT_RECURRENT)
def test_growing_leaves_every_byte_of_the_other_units(net: str, split: int | None) -> None:
    lab, block = trained(net), NETS[net][2]
    lab.freeze(f"{block}[3]")
    before, frozen = rows(lab, block, (0, 1, 2, 3, 4)), rows(lab, block, (3,))
    lab.grow(block, 2, split=split)
    assert rows(lab, block, (0, 1, 2, 3, 4)) == before
    assert lab.frozen == {block: (3,)}
    with ignore_warnings():
        lab.run(10)
    assert rows(lab, block, (3,)) == frozen


ACTS: dict[str, Callable[[tn.Lab, str], object]] = {
    "zero": lambda lab, at: lab.zero(at),
    "clamp": lambda lab, at: lab.clamp(at, 0.7),
    "scale": lambda lab, at: lab.scale(at, -1.5),
    "noise": lambda lab, at: lab.noise(at, 0.5),
    "mean": lambda lab, at: lab.mean(at, "train"),
    "patch": lambda lab, at: lab.patch(at, example=3),
    "steer": lambda lab, at: lab.steer(at, toward=0, away=1, scale=2),
    "resample": lambda lab, at: lab.resample(at, examples=5),
}


@pytest.mark.parametrize("split", [None, 2])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("net", ["linear", "linear-batch-norm", "conv2d-flat", "gru-sequence", "linear-over-time"])
def test_growing_under_an_intervention_leaves_the_outputs(net: str, act: str, split: int | None) -> None:
    lab, block = trained(net, 3), NETS[net][2]
    ACTS[act](lab, f"{block}[1,2]")
    wanted = outputs(lab)
    lab.grow(block, 2, split=split)
    assert_same(outputs(lab), wanted)
    assert lab.interventions[0].units == ((1, 2) if split is None else (1, 2, 5, 6))
    lab.prune(f"{block}[0]")
    with ignore_warnings():
        lab.run(3)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("net", ["linear", "conv2d-flat", "gru-sequence", "linear-over-time"])
def test_interventions_follow_their_units_when_others_are_pruned(net: str, act: str) -> None:
    lab, block = trained(net, 3), NETS[net][2]
    lab.zero(f"{block}[0,3]")
    ACTS[act](lab, f"{block}[1,2,4]")
    wanted = outputs(lab)
    lab.prune(f"{block}[0,3]")
    assert_same(outputs(lab), wanted)
    assert [entry.units for entry in lab.interventions] == [(0, 1, 2)]


def test_interventions_before_the_activation_follow_their_units() -> None:
    lab = trained("linear", 3)
    lab.clamp("hidden.pre[3]", 0.5)
    lab.zero("hidden[0]")
    wanted = outputs(lab)
    lab.prune("hidden[0]")
    assert_same(outputs(lab), wanted)
    lab.grow("hidden", 1, split=2)
    assert_same(outputs(lab), wanted)
    assert list(map(str, lab.interventions)) == ["clamp hidden.pre[2,4] 0.5"]


def test_an_intervention_at_a_time_step_follows_its_unit() -> None:
    lab = trained("gru-sequence", 3)
    lab.clamp("hidden[3]@t=1", 0.5)
    lab.zero("hidden[0]")
    wanted = outputs(lab)
    lab.prune("hidden[0]")
    assert_same(outputs(lab), wanted)
    assert [str(entry) for entry in lab.interventions] == ["clamp hidden[2]@t=1 0.5"]


# -- what is carried, dropped, counted


@pytest.mark.parametrize("kind", [tn.RNN, tn.GRU, tn.LSTM])
def test_hidden_state_that_is_carried_follows_its_units(kind: type[tn.Layer]) -> None:
    def make() -> tn.Lab:
        made: Any = kind
        layers = [made(3, 5, carry=4, name="hidden"), out(5)]
        network = tn.Network(layers, dtype="float64", input_shape=(4, 3))
        return tn.Lab(
            network, data=(SERIES, EACH), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4, sampling="stream"
        )

    lab = make()
    lab.run(6)
    before = lab.state.buffers.reshape(-1, 4, 5)
    lab.prune("hidden[1]")
    pruned = lab.state.buffers.reshape(-1, 4, 4)
    np.testing.assert_array_equal(pruned, before[..., [0, 2, 3, 4]])
    lab.grow("hidden", split=0)
    lab.grow("hidden")
    grown = lab.state.buffers.reshape(-1, 4, 6)
    np.testing.assert_array_equal(grown[..., :5], before[..., [0, 2, 3, 4, 0]])
    assert not grown[..., 5].any()
    lab.run(5)
    zeroed, cut = make(), make()
    for other in (zeroed, cut):
        other.zero("hidden[1]")
        other.run(3)
    cut.prune("hidden[1]")
    losses = [other.step().loss for other in (zeroed, cut)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)


def test_dropout_masks_follow_units() -> None:
    for net in ("linear-dropout", "linear-over-time", "before-parallel-with-a-way-through"):
        zeroed, pruned, block = lab_of(net), lab_of(net), NETS[net][2]
        zeroed.zero(f"{block}[0,3]")
        pruned.prune(f"{block}[0,3]")
        assert zeroed.step().loss == pytest.approx(pruned.step().loss, rel=1e-9)
        grown, plain = lab_of(net), lab_of(net)
        grown.grow(block, 3)
        assert grown.step().loss == pytest.approx(plain.step().loss, rel=1e-9)
        grown.prune(f"{block}[1,5]")
        grown.grow(block, 2)
        grown.run(2)


# -- what is frozen


@pytest.mark.parametrize("split", [None, 2])
@pytest.mark.parametrize("net", ["linear", "conv2d-flat", "rnn", "lstm-sequence", "before-parallel", "embedding"])
def test_what_is_frozen_takes_nothing_from_units_that_grow(net: str, split: int | None) -> None:
    lab, block = trained(net), NETS[net][2]
    lab.freeze(f"{block}[3]")
    lab.freeze("output[1]")
    lab.freeze("output.w[0,0]")
    wanted = outputs(lab)
    lab.grow(block, 2, split=split)
    assert lab.frozen == {block: (3,), "output": (1,)}
    assert_same(outputs(lab), wanted)
    kept = rows(lab, block, (3,)), rows(lab, "output", (1,))
    with ignore_warnings():
        lab.run(10)
    assert (rows(lab, block, (3,)), rows(lab, "output", (1,))) == kept
    lab.prune(f"{block}[0]")
    assert lab.frozen == {block: (2,), "output": (1,)}
    lab.unfreeze(f"{block}[2]")
    lab.unfreeze("output[1]")
    assert lab.frozen == {}


# -- history


def test_history_goes_across_structural_edits(tmp_path: Path) -> None:
    lab = trained("linear-batch-norm", 10)
    lab.bookmark("five units")
    acts: list[Callable[[], object]] = [
        lambda: lab.prune("hidden[1]"),
        lambda: lab.grow("hidden", 2, split=0),
        lambda: lab.insert("hidden", "linear", name="more"),
        lambda: lab.insert("more", "dropout", rate=0.2),
        lambda: lab.grow("more", 1),
        lambda: lab.remove("dropout1"),
        lambda: lab.activation("hidden", "relu"),
        lambda: lab.insert("output", "identity"),
    ]
    seen = {10: lab.state.digest()}
    for act in acts:
        act()
        lab.run(7)
        seen[lab.step_number] = lab.state.digest()
    lab.bookmark("end")
    for step in (10, 66, 31, 24, 52, 17, 45, 59, 38):
        lab.seek(step, edits=0)
        assert lab.state.digest() == seen[step]
    lab.seek("five units")
    assert (lab.network.block("hidden").units, lab.state.digest()) == (5, seen[10])
    lab.seek("end")
    assert lab.state.digest() == seen[66]
    lab.seek(5)
    lab.fork("before them")
    lab.grow("hidden", 3)
    lab.run(5)
    lab.switch("main")
    path = lab.save(tmp_path / "s").path
    opened = tn.Lab(path)
    assert opened.state.digest() == lab.state.digest()
    assert opened.branches == lab.branches
    for step in (10, 24, 38, 52, 66):
        opened.seek(step, edits=0)
        assert opened.state.digest() == seen[step]
    opened.switch("before them")
    assert opened.network.block("hidden").units == 8
    assert opened.verify().equal


def test_keyframes_laid_between_structural_edits_are_those_of_their_moment() -> None:
    lab = trained("gru", 3)
    digests = []
    for number in range(6):
        lab.grow("hidden") if number % 2 else lab.prune("hidden[0]")
        lab.run(2)
        digests.append(lab.state.digest())
    for number in (3, 0, 5, 2, 4, 1):
        lab.seek(5 + 2 * number, edits=0)
        assert lab.state.digest() == digests[number]


# -- insert and remove


@pytest.mark.parametrize("kind", ["linear", "dropout", "identity"])
@by_net
def test_an_inserted_layer_changes_no_output_and_is_removed_again(net: str, kind: str) -> None:
    lab, block = trained(net), NETS[net][2]
    before, wanted = lab.state.digest(), outputs(lab)
    names = [layer.name for layer in lab.network.layers]
    folder = block.rpartition(".")[0]
    name = f"{folder}.extra" if folder else "extra"
    assert lab.insert(block, kind, name="extra").done == f"{kind} `{name}` inserted behind {block}"
    folder = block.rpartition(".")[0]
    path = f"{folder}.extra" if folder else "extra"
    after = [layer.name for layer in lab.network.layers]
    assert [name for name in after if name not in names] == [path]
    assert_same(outputs(lab), wanted)
    here = lab.state
    with ignore_warnings():
        lab.run(5)
    if kind == "linear":
        places = lab.network.unit_indices(lab.network.block(path), range(5))
        assert (lab.state.theta != here.theta)[places].mean() > 0.5
    lab.undo()
    assert lab.remove(path).done == f"{path} removed"
    if not any(isinstance(part, tn.Residual | tn.Parallel) for part in lab.network.parts):
        assert lab.state.digest() == before  # layers in containers now have names
    assert_same(outputs(lab), wanted)
    lab.undo()
    lab.undo()
    assert lab.state.digest() == before


@pytest.mark.parametrize(
    ("net", "kind"), [("conv1d", "conv1d"), ("conv2d-pools", "conv2d"), ("lstm-sequence", "conv1d")]
)
def test_an_inserted_convolution_changes_no_output(net: str, kind: str) -> None:
    lab, block = trained(net), NETS[net][2]
    wanted = outputs(lab)
    lab.insert(block, kind)
    assert repr(lab.network[f"{kind}1"] if net != "conv1d" else lab.network["conv1d2"]).startswith("Conv")
    assert_same(outputs(lab), wanted)
    with ignore_warnings():
        lab.run(5)
    assert not np.allclose(outputs(lab), wanted)


def test_an_inserted_layer_takes_the_first_free_name() -> None:
    lab = trained("linear")
    lab.insert("hidden", "linear")
    lab.insert("hidden", "linear")
    assert [layer.name for layer in lab.network.layers] == ["hidden", "tanh1", "linear2", "linear1", "output"]
    lab.remove("linear1")
    lab.insert("linear2", "linear")
    assert [layer.name for layer in lab.network.layers] == ["hidden", "tanh1", "linear2", "linear1", "output"]
    lab.run(3)


def test_what_is_inserted_into_a_net_without_slots_or_parameters_works() -> None:
    network = tn.Network([tn.Tanh(name="only")], input_shape=(3,), dtype="float64")
    lab = tn.Lab(network, data=(FLAT, np.arange(24) % 3), loss=tn.CrossEntropy(), optimizer=tn.Adam(0.1), batch=4)
    wanted = outputs(lab)
    lab.insert("only", "linear")
    assert_same(outputs(lab), wanted)
    lab.run(3)
    lab.remove("only")
    lab.run(3)


def test_what_stands_on_a_block_whose_activation_is_removed_stands_on_its_sum() -> None:
    lab = trained("linear")
    lab.zero("hidden.pre[1]")
    lab.clamp("hidden[3]", 0.5)
    lab.scale("hidden.pre[2]", 2)
    lab.remove("tanh1")
    assert list(map(str, lab.interventions)) == ["zero hidden[1]", "scale hidden[2] 2", "clamp hidden[3] 0.5"]
    lab.run(3)


def test_what_stood_on_a_sum_stands_before_an_activation_that_comes_to_join_it() -> None:
    layers = [tn.Linear(3, 5, name="hidden"), tn.Linear(5, 5, name="gone"), tn.Tanh(), out(5)]
    network = tn.Network(layers, dtype="float64", input_shape=(3,))
    lab = tn.Lab(network, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    lab.clamp("hidden[1]", 2.0)
    lab.zero("gone[2]")
    lab.remove("gone")
    assert list(map(str, lab.interventions)) == ["clamp hidden.pre[1] 2", "zero hidden[2]"]
    lab.run(3)


def test_what_stands_where_no_site_would_be_keeps_a_layer_from_being_removed(says: Callable[..., Any]) -> None:
    layers = [tn.Linear(3, 5, name="hidden"), tn.Linear(5, 5, name="gone"), tn.BatchNorm(5), tn.Tanh(), out(5)]
    network = tn.Network(layers, dtype="float64", input_shape=(3,))
    lab = tn.Lab(network, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    lab.clamp("hidden[1]", 2.0)
    before = lab.state.digest()
    with says(
        tn.EditError,
        "`clamp hidden[1] 2` would stand in the middle of a block, where no site is; release it first",
    ):
        lab.remove("gone")
    assert (lab.state.digest(), len(lab.log)) == (before, 1)
    lab.release("hidden")
    lab.remove("gone")
    lab.run(3)


def test_an_inserted_identity_leaves_what_stands_where_it_stood() -> None:
    lab = trained("linear")
    lab.clamp("output[1]", 0.3)
    wanted = outputs(lab)
    lab.insert("output", "identity")
    assert_same(outputs(lab), wanted)
    lab.remove("identity1")
    assert [str(entry) for entry in lab.interventions] == ["clamp output[1] 0.3"]


# -- refusals


LAYERED: dict[str, tuple[list[tn.Layer], np.ndarray]] = {
    "plain": ([tn.Linear(3, 4, name="hidden"), tn.Tanh(), out(4)], FLAT),
    "one": ([tn.Linear(3, 1, name="hidden"), tn.Tanh(), out(1)], FLAT),
    "normal": ([tn.Linear(3, 4, name="hidden"), tn.LayerNorm(4), out(4)], FLAT),
    "batch": ([tn.Linear(3, 4, name="hidden"), tn.Tanh(), tn.BatchNorm(4, name="norm"), out(4)], FLAT),
    "before-normal": ([tn.Linear(3, 4, name="hidden"), tn.Tanh(), tn.LayerNorm(4, name="norm"), out(4)], FLAT),
    "softmax": ([tn.Linear(3, 4, name="hidden"), tn.Softmax(), out(4)], FLAT),
    "before-sigmoid": ([tn.Linear(3, 4, name="hidden"), tn.Dropout(0.1), tn.Sigmoid(name="bend"), out(4)], FLAT),
    "before-softmax": ([tn.Linear(3, 4, name="hidden"), tn.Dropout(0.1), tn.Softmax(name="bend"), out(4)], FLAT),
    "distances": ([tn.Linear(3, 4, name="hidden"), tn.Distances(4, 6, name="far"), out(6)], FLAT),
    "reshape": (
        [tn.Linear(3, 4, name="hidden"), tn.Reshape((2, 2), name="again"), tn.Flatten(), out(4)],
        FLAT,
    ),
    "attention": (
        [tn.Embedding(5, 4, name="embed"), tn.CausalSelfAttention(4, 2, name="heads"), tn.Flatten(), out(16)],
        TOKENS,
    ),
    "position": (
        [tn.Embedding(5, 4, name="embed"), tn.PositionalEmbedding(4, 4, name="place"), tn.Flatten(), out(16)],
        TOKENS,
    ),
    "residual": (
        [
            tn.Linear(3, 4, name="hidden"),
            tn.Tanh(),
            tn.Residual([tn.Linear(4, 5), tn.Tanh(), tn.Linear(5, 4)], name="block"),
            out(4),
        ],
        FLAT,
    ),
    "summed": (
        [tn.Parallel([[tn.Linear(3, 4)], [tn.Linear(3, 4)]], join="sum", name="two"), out(4)],
        FLAT,
    ),
    "lone": ([tn.Linear(3, 4, name="hidden"), tn.Dropout(0.1), tn.Tanh(name="bend"), out(4)], FLAT),
}


def layered(name: str) -> tn.Lab:
    layers, x = LAYERED[name]
    network = tn.Network(layers, dtype="float64", input_shape=x.shape[1:])
    lab = tn.Lab(network, data=(x, ENDS), loss=tn.CrossEntropy(), optimizer=tn.Adam(0.01), batch=4)
    lab.run(2)
    return lab


REFUSED: list[tuple[str, Callable[[tn.Lab], object], type[Exception], str]] = [
    ("plain", lambda lab: lab.prune("hidden[4]"), tn.SelectorError, "`hidden[4]`: `hidden` has 4 units, 0 to 3"),
    (
        "plain",
        lambda lab: lab.prune("hidden"),
        tn.EditError,
        "`hidden` is all of `hidden`; at least one unit must be left",
    ),
    (
        "one",
        lambda lab: lab.prune("hidden[0]"),
        tn.EditError,
        "`hidden` is all of `hidden`; at least one unit must be left",
    ),
    (
        "plain",
        lambda lab: lab.prune("hidden.pre[1]"),
        tn.EditError,
        "`prune` is about units, not `hidden.pre[1]`",
    ),
    (
        "plain",
        lambda lab: lab.prune("output[0]"),
        tn.EditError,
        "`output` cannot have other units: `output` gives the network's outputs, whose number its targets fix",
    ),
    (
        "plain",
        lambda lab: lab.grow("output"),
        tn.EditError,
        "`output` cannot have other units: `output` gives the network's outputs, whose number its targets fix",
    ),
    ("plain", lambda lab: lab.grow("hidden[1]"), tn.EditError, "`grow` is about a block, not `hidden[1]`"),
    (
        "plain",
        lambda lab: lab.grow("hidden", 0),
        tn.EditError,
        "`grow`: `count` must be a whole number from 1 to 65536, not 0",
    ),
    (
        "plain",
        lambda lab: lab.grow("hidden", True),
        tn.EditError,
        "`grow`: `count` must be a whole number from 1 to 65536, not True",
    ),
    (
        "plain",
        lambda lab: lab.grow("hidden", split=4),
        tn.EditError,
        "`grow`: `split` must be a whole number from 0 to 3, not 4",
    ),
    (
        "normal",
        lambda lab: lab.prune("hidden[1]"),
        tn.EditError,
        "`hidden` cannot have other units: `layer_norm1` LayerNorm(4) makes each unit of all of them",
    ),
    (
        "batch",
        lambda lab: lab.prune("hidden[1]"),
        tn.EditError,
        "`hidden` cannot have other units: `norm`: BatchNorm(4) makes something of what is zero",
    ),
    (
        "before-normal",
        lambda lab: lab.grow("hidden"),
        tn.EditError,
        "`hidden` cannot have other units: `norm`: LayerNorm(4) makes something of what is zero",
    ),
    (
        "softmax",
        lambda lab: lab.grow("hidden"),
        tn.EditError,
        "`hidden` cannot have other units: `softmax1` Softmax() makes each unit of all of them",
    ),
    (
        "before-sigmoid",
        lambda lab: lab.grow("hidden"),
        tn.EditError,
        "`hidden` cannot have other units: `bend`: Sigmoid() makes something of what is zero",
    ),
    (
        "before-softmax",
        lambda lab: lab.grow("hidden"),
        tn.EditError,
        "`hidden` cannot have other units: `bend`: Softmax() makes something of what is zero",
    ),
    (
        "distances",
        lambda lab: lab.prune("hidden[1]"),
        tn.EditError,
        "`hidden` cannot have other units: `far`: Distances(4, 6) must keep the width it has",
    ),
    (
        "reshape",
        lambda lab: lab.prune("hidden[1]"),
        tn.EditError,
        "`hidden` cannot have other units: `again`: Reshape(2, 2) must keep the width it has",
    ),
    (
        "attention",
        lambda lab: lab.prune("heads[1]"),
        tn.EditError,
        "`heads` cannot have other units: its heads share the layer's width among them",
    ),
    (
        "attention",
        lambda lab: lab.grow("embed"),
        tn.EditError,
        "`embed` cannot have other units: `heads` CausalSelfAttention(4, 2) must keep the width it has",
    ),
    (
        "position",
        lambda lab: lab.prune("embed[1]"),
        tn.EditError,
        "`embed` cannot have other units: `place`: PositionalEmbedding(4, 4) must keep the width it has",
    ),
    (
        "residual",
        lambda lab: lab.prune("hidden[1]"),
        tn.EditError,
        "`hidden` cannot have other units: `block` adds what comes to it, so the widths must match",
    ),
    (
        "residual",
        lambda lab: lab.grow("block.linear2"),
        tn.EditError,
        "`block.linear2` cannot have other units: `block` adds what comes to it, so the widths must match",
    ),
    (
        "residual",
        lambda lab: lab.prune("block[1]"),
        tn.EditError,
        "`block` cannot have other units: `block` Add must keep the width it has",
    ),
    (
        "summed",
        lambda lab: lab.prune("two.branch1.linear1[1]"),
        tn.EditError,
        "`two.branch1.linear1` cannot have other units: `two` adds what comes to it, so the widths must match",
    ),
    (
        "lone",
        lambda lab: lab.prune("bend[1]"),
        tn.EditError,
        "`bend` cannot have other units: it has those of what comes to it",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden", "liner"),
        tn.EditError,
        "`insert`: `kind` is one of linear, conv1d, conv2d, dropout, identity, which change no output, not 'liner'; "
        "did you mean `linear`?",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden", "conv2d"),
        tn.EditError,
        "`insert`: a conv2d takes 4 axes, not 2",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden", "linear", rate=0.1),
        tn.EditError,
        "`insert`: a `linear` takes no `rate`",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden", "dropout", rate=1),
        tn.EditError,
        "`insert`: Dropout: `rate` must be a number from 0 to below 1, not 1",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden", "linear", name="output"),
        tn.EditError,
        "`insert`: there is a layer `output` already",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden", "linear", name="a b"),
        tn.EditError,
        "`insert`: `name` must be a word of letters, digits and _, not 'a b'",
    ),
    (
        "plain",
        lambda lab: lab.insert("hidden[1]", "linear"),
        tn.EditError,
        "`insert` is about a block, not `hidden[1]`",
    ),
    (
        "plain",
        lambda lab: lab.remove("hidden"),
        tn.EditError,
        "`hidden` Linear(3, 4) gives another shape than it takes, so it cannot be removed",
    ),
    (
        "attention",
        lambda lab: lab.remove("embed"),
        tn.EditError,
        "`embed` Embedding(5, 4) gives another shape than it takes, so it cannot be removed",
    ),
    (
        "plain",
        lambda lab: lab.remove("hiden"),
        tn.SelectorError,
        "`hiden` is not a layer of this network, which has hidden, tanh1, output; did you mean `hidden`?",
    ),
    (
        "plain",
        lambda lab: lab.remove(5),
        tn.SelectorError,
        "`5` is not a layer of this network, which has hidden, tanh1, output",
    ),
    (
        "residual",
        lambda lab: lab.remove("block.split"),
        tn.EditError,
        "`block.split` is an end of a container, which cannot be removed",
    ),
    (
        "residual",
        lambda lab: lab.remove("block"),
        tn.EditError,
        "`block` is an end of a container, which cannot be removed",
    ),
]


@pytest.mark.parametrize(("net", "act", "kind", "message"), REFUSED)
def test_what_the_structure_forbids_is_refused_in_words_and_changes_nothing(
    says: Callable[..., Any], net: str, act: Callable[[tn.Lab], object], kind: type[Exception], message: str
) -> None:
    lab = layered(net)
    lab.phase()
    before = lab.state.digest(), lab.log, lab.moment, lab.player.phases_done
    with says(kind, message):
        act(lab)
    assert (lab.state.digest(), lab.log, lab.moment, lab.player.phases_done) == before
    lab.step()


def test_a_container_keeps_at_least_one_layer(says: Callable[..., Any]) -> None:
    layers = [tn.Residual([tn.Linear(3, 3, name="only")], name="block"), out(3)]
    network = tn.Network(layers, input_shape=(3,))
    lab = tn.Lab(network, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    with says(tn.EditError, "`block.only` is the only layer there"):
        lab.remove("block.only")
    lone = tn.Network([tn.Linear(3, 3, name="only")], input_shape=(3,))
    lab = tn.Lab(lone, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    with says(tn.EditError, "`only` is the only layer there"):
        lab.remove("only")


def test_whole_numbers_and_floats_of_numpy_are_plain_in_the_log(tmp_path: Path) -> None:
    lab = trained("linear")
    lab.grow("hidden", np.int64(2), split=np.int32(1))  # type: ignore[arg-type]
    lab.insert("hidden", "dropout", rate=np.float32(0.25))  # type: ignore[arg-type]
    assert [entry.python for entry in lab.log] == [
        'lab.grow("hidden", 2, split=1)',
        'lab.insert("hidden", "dropout", rate=0.25)',
    ]
    digest = lab.state.digest()
    lab.save(tmp_path / "s")
    assert tn.Lab(tmp_path / "s.msgpack").state.digest() == digest


# -- layers of one's own


def test_nothing_is_inserted_behind_the_distances_that_a_map_learns_by(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.Distances(3, 16, name="map")], input_shape=(3,))
    lab = tn.Lab(network, data=FLAT, loss=tn.Kohonen((4, 4)), optimizer=tn.SGD(0.5), batch=4)
    for kind in ("linear", "identity", "dropout"):
        with says(tn.EditError, "`insert`: `map` gives the distances that the loss goes by; nothing stands behind it"):
            lab.insert("map", kind)
    lab.run(2)


@contextmanager
def registered(*kinds: Any) -> Iterator[None]:
    before = dict(LAYERS), dict(plugins._OWN)
    try:
        for kind in kinds:
            tn.register(kind)
        yield
    finally:
        for now, then in zip((LAYERS, plugins._OWN), before, strict=True):
            now.clear()
            now.update(then)  # type: ignore[call-overload]


class Waves(Activation):
    """cos: an input of zero does not stay zero."""

    kind = "waves"

    def forward(self, x: np.ndarray, buffers: Any) -> np.ndarray:
        buffers.x = x
        return np.cos(x, buffers.out)  # type: ignore[no-any-return]

    def backward(self, dout: np.ndarray, buffers: Any) -> np.ndarray:
        np.sin(buffers.x, buffers.dx)
        return np.multiply(np.negative(dout), buffers.dx, buffers.dx)  # type: ignore[no-any-return]


class Sums(tn.Layer):
    """Running sums along the features: each output unit is made of several inputs."""

    kind = "sums"

    def forward(self, x: np.ndarray, buffers: Any) -> np.ndarray:
        buffers.out = np.cumsum(x, axis=-1)
        return buffers.out  # type: ignore[no-any-return]

    def backward(self, dout: np.ndarray, buffers: Any) -> np.ndarray:
        buffers.dx = np.cumsum(dout[..., ::-1], axis=-1)[..., ::-1]
        return buffers.dx  # type: ignore[no-any-return]


def test_what_an_own_layer_makes_of_another_width_is_not_guessed(says: Callable[..., Any]) -> None:
    with registered(Waves, Sums):
        for own in (Waves(name="own"), Sums(name="own")):
            layers = [tn.Linear(3, 5, name="hidden"), tn.Dropout(0.1), own, out(5)]
            network = tn.Network(layers, input_shape=(3,))
            lab = tn.Lab(network, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
            lab.run(2)
            rule = "makes something of what is zero" if own.kind == "waves" else "must keep the width it has"
            for act in (lambda lab: lab.prune("hidden[1]"), lambda lab: lab.grow("hidden")):
                with says(tn.EditError, f"`hidden` cannot have other units: `own`: {own!r} {rule}"):
                    act(lab)
            lab.insert("hidden", "linear")
            lab.prune("hidden[1]")
            lab.remove("own")
            lab.run(2)


def test_units_of_a_block_that_ends_in_an_activation_of_ones_own_are_pruned() -> None:
    with registered(Waves):
        labs = []
        for _ in range(2):
            layers = [tn.Linear(3, 5, name="hidden"), Waves(), out(5)]
            network = tn.Network(layers, input_shape=(3,), dtype="float64")
            labs.append(tn.Lab(network, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4))
        zeroed, pruned = labs
        zeroed.zero("hidden[1]")
        pruned.prune("hidden[1]")
        assert_same(outputs(pruned), outputs(zeroed))
