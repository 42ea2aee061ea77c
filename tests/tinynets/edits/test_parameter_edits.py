"""Operations on parameters: what each does to the weights, that undo is exact, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.edits import edit as edit_module
from tinynets.edits import registry
from tinynets.numerics.arrays import ignore_warnings

Make = Callable[..., tn.Lab]
RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(24, 3))
SERIES = RANDOM.normal(size=(24, 4, 3))
TOKENS = RANDOM.integers(0, 5, (24, 4))
ENDS = np.arange(24) % 2


def out(inputs: int) -> tn.Layer:
    return tn.Linear(inputs, 2, name="output")


NETS: dict[str, tuple[list[tn.Layer], np.ndarray]] = {
    "tanh": ([tn.Linear(3, 5, name="hidden"), tn.Tanh(), out(5)], FLAT),
    "batch-norm": ([tn.Linear(3, 5, name="hidden"), tn.BatchNorm(5), tn.Tanh(), out(5)], FLAT),
    "conv1d": ([tn.Conv1d(3, 5, 2, name="hidden"), tn.Tanh(), tn.Flatten(), out(15)], SERIES),
    "embedding": ([tn.Embedding(5, 5, name="hidden"), tn.Flatten(), out(20)], TOKENS),
    "rnn": ([tn.RNN(3, 5, sequence=False, name="hidden"), out(5)], SERIES),
    "gru": ([tn.GRU(3, 5, sequence=False, name="hidden"), out(5)], SERIES),
    "lstm": ([tn.LSTM(3, 5, name="hidden"), tn.LastStep(), out(5)], SERIES),
    "attention": (
        [tn.Embedding(5, 4, name="embed"), tn.CausalSelfAttention(4, 4, name="hidden"), tn.Flatten(), out(16)],
        TOKENS,
    ),
}
by_net = pytest.mark.parametrize("net", NETS)


def lab_of(net: str = "tanh", dtype: str = "float64", steps: int = 8, **options: Any) -> tn.Lab:
    layers, x = NETS[net]
    network = tn.Network(layers, seed=1, dtype=dtype, input_shape=x.shape[1:])
    given = {"loss": tn.CrossEntropy(), "optimizer": tn.Adam(0.01), "batch": 6}
    lab = tn.Lab(network, data=(x, ENDS), **(given | options))
    if steps:
        lab.run(steps)
    return lab


def outputs(lab: tn.Lab) -> np.ndarray:
    return lab.network.predict(lab.split("train")[0])


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()


def weights(lab: tn.Lab, layer: str = "hidden", name: str = "w") -> np.ndarray:
    return np.array(getattr(lab.network[layer], name))


def of_units(lab: tn.Lab, units: tuple[int, ...], vector: np.ndarray | None = None) -> np.ndarray:
    theta = lab.state.theta if vector is None else vector
    return theta[lab.network.unit_indices(lab.network.block("hidden"), units)]


ACTS: dict[str, Callable[[tn.Lab], object]] = {
    "set_weight": lambda lab: lab.set_weight("output.w[1,0]", 0.5),
    "nudge": lambda lab: lab.nudge("hidden[1]", 0.25),
    "nudge weights": lambda lab: lab.nudge("output.w", -0.25),
    "zero_weights": lambda lab: lab.zero_weights("hidden[0:2]"),
    "reinit": lambda lab: lab.reinit("hidden[1,3]"),
    "reinit all": lambda lab: lab.reinit("hidden"),
    "copy": lambda lab: lab.copy("hidden[0]", "hidden[3]"),
    "swap": lambda lab: lab.swap("hidden[0,1]", "hidden[2,3]"),
    "sign_flip": lambda lab: lab.sign_flip("hidden[2]"),
    "round": lambda lab: lab.round("hidden", 3),
    "sparsify": lambda lab: lab.sparsify("hidden", 0.4),
    "transplant": lambda lab: lab.transplant("hidden[1]", bookmark="early"),
}


@pytest.mark.parametrize("act", ACTS)
@by_net
def test_each_is_deterministic_undone_to_the_byte_and_redone(net: str, act: str) -> None:
    labs = [lab_of(net, "float32", 3) for _ in range(2)]
    for lab in labs:
        lab.bookmark("early")
        lab.run(3)
    before = labs[0].state.digest()
    for lab in labs:
        ACTS[act](lab)
    after = labs[0].state.digest()
    assert after == labs[1].state.digest() != before
    with ignore_warnings():
        for lab in labs:
            lab.run(3)
    end = labs[0].state.digest()
    assert end == labs[1].state.digest()
    lab = labs[0]
    lab.undo()
    lab.undo()
    assert lab.state.digest() == before
    lab.redo()
    assert lab.state.digest() == after
    lab.seek(2)
    lab.seek(9)
    assert lab.state.digest() == end


# -- set, nudge, zero


def test_a_weight_is_set_and_no_other() -> None:
    lab = lab_of()
    before = weights(lab)
    report = lab.set_weight("hidden.w[2,4]", 0.5)
    assert report.done == f"hidden.w[2,4] set to 0.5 (was {before[2, 4]:.6g})"
    assert report.python == 'lab.set_weight("hidden.w[2,4]", 0.5)'
    assert weights(lab)[2, 4] == 0.5
    before[2, 4] = 0.5
    np.testing.assert_array_equal(weights(lab), before)
    assert lab.set_weight("hidden.w[:,1]", -1).done == "hidden.w[:,1] set to -1 (3 elements)"
    assert (weights(lab)[:, 1] == -1).all()


def test_a_nudge_adds_to_incoming_weights_alone() -> None:
    lab = lab_of()
    w, b = weights(lab), weights(lab, name="b")
    lab.nudge("hidden[1,3]", 0.25)
    added = np.zeros_like(w)
    added[:, [1, 3]] = 0.25
    np.testing.assert_array_equal(weights(lab), w + added)
    np.testing.assert_array_equal(weights(lab, name="b"), b)


def test_zeroed_weights_are_those_that_come_in() -> None:
    lab = lab_of("batch-norm")
    theta = lab.state.theta
    lab.zero_weights("hidden[1]")
    assert np.flatnonzero(lab.state.theta != theta).tolist() == [1, 6, 11]
    assert not lab.state.theta[[1, 6, 11]].any()
    lab.zero_weights("output.b")
    assert not weights(lab, "output", "b").any()


# -- draw anew


@by_net
def test_what_is_drawn_anew_is_like_the_start_and_other_each_time(net: str) -> None:
    lab, start = lab_of(net), lab_of(net, steps=0)
    before = lab.state
    block = lab.network.block("hidden")
    lab.reinit("hidden[1]")
    first = lab.state
    places = lab.network.unit_indices(block, [1])
    others = np.setdiff1d(np.arange(first.theta.size), places)
    assert first.theta[others].tobytes() == before.theta[others].tobytes()
    for name, slot in first.slots.items():
        assert not slot[places].any()
        assert slot[others].tobytes() == before.slots[name][others].tobytes()
    drawn = start.state.theta[places]
    np.testing.assert_array_equal(first.theta[places] == 0, drawn == 0)  # biases at zero, as at the start
    assert np.abs(first.theta[places]).max() <= 4 * np.abs(drawn).max()
    carried = lab.network.carried_indices(block, [1])
    np.testing.assert_array_equal(first.buffers[carried], lab.network.carried_start()[carried])
    lab.reinit("hidden[1]")
    assert (lab.state.theta[places] != first.theta[places]).any()


# -- copy, swap, flip


@by_net
def test_units_that_are_copied_are_alike_slots_and_all(net: str) -> None:
    lab = lab_of(net)
    assert lab.copy("hidden[0,1]", "hidden[2,3]").done == "hidden[0,1] copied to hidden[2,3]"
    state = lab.state
    for vector in (state.theta, *state.slots.values()):
        assert of_units(lab, (0, 1), vector).tobytes() == of_units(lab, (2, 3), vector).tobytes()


@by_net
def test_units_that_are_swapped_twice_are_as_they_were(net: str) -> None:
    lab = lab_of(net)
    before = lab.state
    lab.swap("hidden[0,2]", "hidden[1,3]")
    np.testing.assert_array_equal(of_units(lab, (0,)), of_units(lab, (1,), before.theta))
    np.testing.assert_array_equal(of_units(lab, (3,)), of_units(lab, (2,), before.theta))
    lab.swap("hidden[1,3]", "hidden[0,2]")
    assert lab.state.digest() == before.digest()


@pytest.mark.parametrize("net", [net for net in NETS if net != "attention"])
def test_units_swapped_on_both_sides_change_no_output(net: str) -> None:
    lab = lab_of(net)
    wanted = outputs(lab)
    lab.swap("hidden[0,3]", "hidden[2,1]", outgoing=True)
    assert_same(outputs(lab), wanted)
    plain = lab_of(net)
    plain.swap("hidden[0,3]", "hidden[2,1]")
    assert not np.allclose(outputs(plain), wanted)


@pytest.mark.parametrize("net", ["tanh", "batch-norm", "conv1d", "embedding", "rnn"])
@settings(max_examples=4)
@given(units=st.sets(st.integers(0, 4), min_size=1))
def test_signs_flipped_on_both_sides_change_no_output_of_an_odd_net(net: str, units: set[int]) -> None:
    lab = lab_of(net)
    wanted = outputs(lab)
    selector = f"hidden[{','.join(map(str, sorted(units)))}]"
    lab.sign_flip(selector, outgoing=True)
    assert_same(outputs(lab), wanted)


def test_signs_flipped_change_the_sign_of_a_unit_exactly() -> None:
    for net in ("tanh", "batch-norm"):
        lab = lab_of(net)
        index = lab.network.block("hidden").last
        lab.probe.forward(lab.network)
        before = lab.probe.workspace.output_of(index).copy()
        lab.sign_flip("hidden[2]")
        lab.probe.forward(lab.network)
        before[:, 2] = -before[:, 2]
        np.testing.assert_array_equal(lab.probe.workspace.output_of(index), before)
        lab.sign_flip("hidden[2]")
        assert lab.state.digest() == lab_of(net).state.digest()


def test_what_a_flipped_unit_carries_changes_its_sign_too() -> None:
    def make() -> tn.Lab:
        network = tn.Network([tn.RNN(3, 5, carry=4, name="hidden"), out(5)], dtype="float64", input_shape=(4, 3))
        y = np.arange(96).reshape(24, 4) % 2
        options: Any = {"loss": tn.CrossEntropy(), "optimizer": tn.SGD(0.1), "batch": 4, "sampling": "stream"}
        lab = tn.Lab(network, data=(SERIES, y), **options)
        lab.run(5)
        return lab

    flipped, plain = make(), make()
    flipped.sign_flip("hidden[1,2]", outgoing=True)
    assert [flipped.step().loss for _ in range(3)] == pytest.approx([plain.step().loss for _ in range(3)], rel=1e-9)


# -- round, sparsify


@settings(max_examples=20)
@given(st.integers(1, 16))
def test_rounded_weights_have_few_values_each_near_what_it_was(bits: int) -> None:
    lab = lab_of(steps=2)
    before = weights(lab)
    report = lab.round("hidden.w", bits)
    after = weights(lab)
    off = np.sqrt(np.square(after - before).mean())
    assert report.done == f"hidden.w rounded to {bits} bit{'s' if bits > 1 else ''}, off by {off:.3g} (rms)"
    assert len(np.unique(after)) <= max(2**bits - 1, 2)
    if bits > 1:
        step = np.abs(before).max() / (2 ** (bits - 1) - 1)
        assert np.abs(after - before).max() <= step / 2 * (1 + 1e-9)
        np.testing.assert_allclose(after / step, np.rint(after / step), atol=1e-9)
    lab.round("hidden.w", bits)
    np.testing.assert_allclose(weights(lab), after, rtol=1e-12)


def test_one_bit_leaves_two_values_of_weights_that_are_zero_too() -> None:
    lab = lab_of()
    lab.set_weight("hidden.w[0,0]", 0)
    lab.round("hidden", 1)
    values = np.unique(weights(lab))
    assert len(values) == 2
    assert values[0] == -values[1]
    lab.zero_weights("hidden")
    lab.round("hidden", 1)
    lab.round("hidden", 8)
    assert not weights(lab).any()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("optimizer", [tn.SGD(0.1, momentum=0.9), tn.AdamW(0.01, weight_decay=0.1)])
def test_the_smallest_weights_are_held_at_zero_while_it_trains(share: float, optimizer: tn.Optimizer) -> None:
    lab = lab_of(optimizer=optimizer)
    before = weights(lab)
    count = round(share * 15)
    assert lab.sparsify("hidden", share).done == f"{count} of 15 weights of hidden held at 0"
    zero = weights(lab) == 0
    assert zero.sum() == count
    if 0 < count < 15:
        assert np.abs(before[zero]).max() < np.abs(before[~zero]).min()
    np.testing.assert_array_equal(weights(lab)[~zero], before[~zero])
    lab.run(30)
    assert (weights(lab)[zero] == 0).all()
    assert (weights(lab)[~zero] != before[~zero]).all()
    if count:
        lab.unfreeze("hidden")
        lab.run(3)
        assert (weights(lab) != 0).all()


# -- transplant


def test_units_are_taken_over_from_a_branch_a_bookmark_and_a_save(tmp_path: Path) -> None:
    lab = lab_of("batch-norm")
    lab.bookmark("here")
    early = lab.state
    path = str(lab.save(tmp_path / "early").path)
    lab.fork("other")
    lab.run(10)
    other = lab.state
    lab.switch("main")
    lab.run(5)
    now = lab.state
    network, block = lab.network, lab.network.block("hidden")
    carried = network.carried_indices(block, [1, 2])
    for number, (name, value, there) in enumerate(
        [("branch", "other", other), ("bookmark", "here", early), ("save", path, early)]
    ):
        given: dict[str, Any] = {name: value}
        report = lab.transplant("hidden[1,2]", **given)
        assert report.done == f"hidden[1,2] transplanted from {name} {value}"
        assert report.python == f'lab.transplant("hidden[1,2]", {name}="{value}")'
        assert of_units(lab, (1, 2)).tobytes() == of_units(lab, (1, 2), there.theta).tobytes()
        assert lab.state.buffers[carried].tobytes() == there.buffers[carried].tobytes()
        assert of_units(lab, (0, 3, 4)).tobytes() == of_units(lab, (0, 3, 4), now.theta).tobytes()
        assert not any(of_units(lab, (1, 2), slot).any() for slot in lab.state.slots.values())
        assert len(lab.log) == number + 1
    digest = lab.state.digest()
    Path(path).unlink()
    lab.seek(3)
    lab.seek(13)
    assert lab.state.digest() == digest


def test_units_are_taken_over_from_others_by_their_selector(tmp_path: Path) -> None:
    wide = tn.Network([tn.Linear(3, 8, name="wide"), tn.Tanh(), out(8)], seed=5)
    source = tn.Lab(wide, data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1), batch=4)
    source.run(2)
    source.save(tmp_path / "wide")
    lab = lab_of()
    lab.transplant("hidden[0,4]", save=str(tmp_path / "wide.msgpack"), source="wide[6,7]")
    np.testing.assert_array_equal(weights(lab)[:, [0, 4]], weights(source, "wide")[:, [6, 7]].astype(np.float64))
    lab.transplant("hidden", save=str(tmp_path / "wide.msgpack"), source="wide[0:5]")
    np.testing.assert_array_equal(weights(lab), weights(source, "wide")[:, :5].astype(np.float64))
    source.transplant("wide[0:5]", values=np.concatenate([weights(lab).ravel(), weights(lab, name="b")]))
    np.testing.assert_array_equal(weights(source, "wide")[:, :5], weights(lab).astype(np.float32))


def test_a_whole_layer_is_taken_over_with_what_belongs_to_none_of_its_heads() -> None:
    lab = lab_of("attention", steps=0)
    lab.bookmark("start")
    lab.run(10)
    start = lab_of("attention", steps=0).state.theta
    lab.transplant("hidden", bookmark="start")
    block = lab.network.block("hidden")
    places = lab.network.unit_indices(block, range(4))
    assert lab.state.theta[places].tobytes() == start[places].tobytes()
    assert np.isin(lab.network.shared_indices(block), places).all()


# -- refusals

HUGE = 3.3e38


@pytest.mark.parametrize(
    ("net", "act", "kind", "message"),
    [
        (
            "tanh",
            lambda lab: lab.set_weight("hidden[1]", 1),
            tn.SelectorError,
            "`set_weight` is about elements of a parameter, as `hidden.w`, not units: `hidden[1]`",
        ),
        (
            "tanh",
            lambda lab: lab.set_weight("hidden.w[3,0]", 1),
            tn.SelectorError,
            "`hidden.w[3,0]`: `3` does not lie within 0 to 2",
        ),
        (
            "tanh",
            lambda lab: lab.set_weight("hidden.w[0,0]", float("nan")),
            tn.EditError,
            "`set_weight`: `value` must be a finite number, not nan",
        ),
        (
            "tanh",
            lambda lab: lab.set_weight("hidden.w[0,0]", 1e39),
            tn.EditError,
            "`set_weight`: `value` must be a finite number from -3.40282e+38 to 3.40282e+38, not 1e+39",
        ),
        (
            "tanh",
            lambda lab: lab.nudge("hidden.w[0,0]", HUGE),
            tn.EditError,
            "`hidden.w[0,0]` would become NaN or infinite",
        ),
        (
            "tanh",
            lambda lab: lab.nudge("hidden[9]", 1),
            tn.SelectorError,
            "`hidden[9]`: `hidden` has 5 units, 0 to 4",
        ),
        (
            "tanh",
            lambda lab: lab.nudge("hidden.pre[1]", 1),
            tn.EditError,
            "`nudge` is about all that a unit has learned: `hidden[...]`, not `hidden.pre[1]`",
        ),
        (
            "tanh",
            lambda lab: lab.copy("hidden[0]", "output[0]"),
            tn.EditError,
            "`copy`: `hidden[0]` and `output[0]` are units of two blocks; of one block they must be",
        ),
        (
            "tanh",
            lambda lab: lab.copy("hidden[0]", "hidden[1,2]"),
            tn.EditError,
            "`copy`: `hidden[0]` has 1 units, `hidden[1,2]` 2",
        ),
        (
            "tanh",
            lambda lab: lab.swap("hidden[0,1]", "hidden[1,2]"),
            tn.EditError,
            "`swap`: `hidden[0,1]` and `hidden[1,2]` have units in common",
        ),
        (
            "tanh",
            lambda lab: lab.swap("output[0]", "output[1]", outgoing=True),
            tn.EditError,
            "`output` gives the network's outputs, so it has no outgoing weights",
        ),
        (
            "tanh",
            lambda lab: lab.round("hidden", 0),
            tn.EditError,
            "`round`: `bits` must be a whole number from 1 to 16, not 0",
        ),
        (
            "tanh",
            lambda lab: lab.round("hidden", 2.5),
            tn.EditError,
            "`round`: `bits` must be a whole number from 1 to 16, not 2.5",
        ),
        (
            "tanh",
            lambda lab: lab.sparsify("hidden", 30),
            tn.EditError,
            "`sparsify`: `share` must be a finite number from 0 to 1, not 30",
        ),
        (
            "tanh",
            lambda lab: lab.reinit("hidden.w"),
            tn.SelectorError,
            "`hidden.w` selects parameters; units are selected as `hidden[3]`",
        ),
        (
            "tanh",
            lambda lab: lab.transplant("hidden"),
            tn.EditError,
            "`transplant` needs one of branch=, bookmark=, save=",
        ),
        (
            "tanh",
            lambda lab: lab.transplant("hidden", branch="main", bookmark="x"),
            tn.EditError,
            "`transplant` takes one of branch, bookmark, save, not branch and bookmark",
        ),
        (
            "tanh",
            lambda lab: lab.transplant("hidden[1]", branch="main", source="hidden[0:2]"),
            tn.EditError,
            "`transplant`: `hidden[1]` has 1 units, `hidden[0,1]` there 2",
        ),
        (
            "tanh",
            lambda lab: lab.transplant("hidden[1]", branch="main", source="output[0]"),
            tn.EditError,
            "`transplant`: a unit of `hidden[1]` takes w (3, 1), b (1,); one of `output[0]` there has w (5, 1), b (1,)",
        ),
        (
            "tanh",
            lambda lab: lab.transplant("hidden[1]", values=[1.0, 2.0]),
            tn.EditError,
            "`transplant` hidden[1]: `values` must be (4,), not (2,)",
        ),
        (
            "tanh",
            lambda lab: lab.transplant("hidden[1]", values=[1.0, 2.0, 3.0, float("inf")]),
            tn.EditError,
            "`transplant`: `values` holds NaN or infinity",
        ),
        (
            "attention",
            lambda lab: lab.transplant("hidden", branch="main", source="hidden[0:2]"),
            tn.EditError,
            "`transplant`: `hidden` has 4 units, `hidden[0,1]` there 2",
        ),
    ],
)
def test_what_cannot_be_done_to_parameters_is_refused_and_changes_nothing(
    says: Callable[..., Any], net: str, act: Callable[[tn.Lab], object], kind: type[Exception], message: str
) -> None:
    lab = lab_of(net, "float32", 3)
    if "NaN or infinite" in message:
        lab.set_weight("hidden.w[0,0]", HUGE)
    before = lab.state.digest(), lab.log, lab.moment
    with says(kind, message):
        act(lab)
    assert (lab.state.digest(), lab.log, lab.moment) == before


def test_what_is_drawn_beyond_the_numbers_there_are_is_refused() -> None:
    init = tn.Normal(1.2e38)
    layers = [tn.Linear(3, 5, w_init=init, name="hidden"), tn.Tanh(), out(5)]
    lab = tn.Lab(tn.Network(layers, seed=1), data=(FLAT, ENDS), loss=tn.CrossEntropy(), optimizer=tn.SGD(), batch=4)
    before, refused = lab.state.digest(), set()
    for ordinal in range(60):
        edit = edit_module.Edit("reinit", "hidden", {"ordinal": ordinal})
        state = lab.state
        state.theta = state.theta.copy()
        try:
            registry.apply(lab.network, state, edit)
        except tn.EditError as error:
            refused.add((str(error), state.digest()))
    assert refused == {(f"`reinit` hidden: {init!r} draws values beyond float32", before)}


def test_a_half_done_step_is_finished_by_an_edit_and_kept_by_one_that_is_refused() -> None:
    lab = lab_of()
    lab.phase()
    with pytest.raises(tn.SelectorError):
        lab.set_weight("hidden.w[9,9]", 1)
    assert (lab.step_number, lab.player.phases_done) == (8, 1)
    lab.set_weight("hidden.w[0,0]", 1)
    assert (lab.step_number, lab.player.phases_done) == (9, 0)
    wanted = lab_of(steps=9)
    wanted.set_weight("hidden.w[0,0]", 1)
    assert lab.state.digest() == wanted.state.digest()


def test_heads_swapped_compute_what_they_did(says: Any) -> None:
    lab = tn.Lab("names-transformer")
    before = lab.probe.forward(lab.network).copy()
    lab.swap("block1a.attention[0]", "block1a.attention[2]", outgoing=True)
    np.testing.assert_allclose(lab.probe.forward(lab.network), before, rtol=1e-5, atol=1e-5)
    message = "`block1a.attention` cannot have other units: its heads share the layer's width among them"
    with says(tn.EditError, message):
        lab.prune("block1a.attention[1]")
