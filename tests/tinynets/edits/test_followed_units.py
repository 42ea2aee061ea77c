"""What belongs to a unit moves with it: through recurrences, layers that pass it on, swaps, flips and renames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from throwaway import registered

import tinynets as tn
from tinynets.edits import registry
from tinynets.edits.edit import Edit
from tinynets.numerics.arrays import ignore_warnings
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.training.hyper import Hyper
from tinynets.training.state import State

RANDOM = np.random.default_rng(0)
FLAT = RANDOM.normal(size=(24, 3))
SERIES = RANDOM.normal(size=(24, 4, 3))
IMAGES = RANDOM.normal(size=(24, 4, 4, 2))
ENDS = np.arange(24) % 2
RECURRENT: list[Any] = [tn.RNN, tn.GRU, tn.LSTM]
by_kind = pytest.mark.parametrize("kind", RECURRENT)


def out(inputs: int) -> tn.Layer:
    return tn.Linear(inputs, 2, name="output")


def lab_of(layers: list[tn.Layer], x: np.ndarray = FLAT, steps: int = 6, **options: Any) -> tn.Lab:
    network = tn.Network(layers, seed=1, dtype="float64", input_shape=x.shape[1:])
    given = {"loss": tn.CrossEntropy(), "optimizer": tn.Adam(0.01), "batch": 4}
    lab = tn.Lab(network, data=(x, ENDS), **(given | options))
    with ignore_warnings():
        lab.run(steps)
    return lab


def outputs(lab: tn.Lab) -> np.ndarray:
    return lab.network.predict(lab.split("train")[0])


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(found - wanted).max() <= 1e-9 * max(1, np.abs(wanted).max())


def standing(lab: tn.Lab) -> list[str]:
    return [str(entry) for entry in lab.interventions]


# -- recurrent units, with layers that joined theirs

JOINED: dict[str, Callable[[], list[tn.Layer]]] = {
    "alone": list,
    "batch-norm-tanh": lambda: [tn.BatchNorm(5), tn.Tanh()],
    "batch-norm": lambda: [tn.BatchNorm(5)],
    "relu": lambda: [tn.ReLU()],
    "sigmoid": lambda: [tn.Sigmoid()],
    "identity": lambda: [tn.Identity()],
}


@pytest.mark.parametrize("sequence", [True, False])
@pytest.mark.parametrize("joined", JOINED)
@by_kind
def test_a_pruned_recurrent_unit_gives_what_it_gives_zeroed_behind_all_that_joins_it(
    kind: Any, joined: str, sequence: bool
) -> None:
    def make() -> tn.Lab:
        ends = [tn.Flatten(), out(20)] if sequence else [out(5)]
        layers = [kind(3, 5, sequence=sequence, carry=4, name="h"), *JOINED[joined](), *ends]
        return lab_of(layers, SERIES)

    zeroed, pruned = make(), make()
    zeroed.zero("h[1,3]")
    pruned.prune("h[1,3]")
    assert_same(outputs(pruned), outputs(zeroed))
    assert pruned.step().loss == pytest.approx(zeroed.step().loss, rel=1e-9)
    zeroed.release("h[1,3]")
    assert zeroed.network.taps == [None] * len(zeroed.network.layers)


@by_kind
def test_where_what_joined_mixes_units_one_is_zeroed_at_its_site_alone_and_not_pruned(
    kind: Any, says: Callable[..., Any]
) -> None:
    lab = lab_of([kind(3, 5, name="h"), tn.LayerNorm(5), tn.Tanh(), tn.LastStep(), out(5)], SERIES)
    lab.zero("h[1]")
    assert [tap is not None for tap in lab.network.taps] == [False, False, True, False, False]
    with says(tn.EditError, "`h` cannot have other units: `layer_norm1` LayerNorm(5) makes each unit of all of them"):
        lab.prune("h[1]")


@pytest.mark.parametrize("joined", ["alone", "relu", "batch-norm-tanh"])
@by_kind
def test_a_unit_that_is_zeroed_carries_nothing_into_the_next_batch(kind: Any, joined: str) -> None:
    def make() -> tn.Lab:
        layers = [kind(3, 5, carry=4, name="h"), *JOINED[joined](), tn.Flatten(), out(20)]
        return lab_of(layers, SERIES)

    one, other = make(), make()
    one.reset("h[1]")
    for lab in (one, other):
        lab.zero("h[1]")
    assert one.step().loss == pytest.approx(other.step().loss, rel=1e-12)
    plain = make()
    assert plain.step().loss != one.probe_loss()


@by_kind
def test_a_clamped_unit_carries_what_it_is_held_at_and_a_scaled_one_what_it_gave(kind: Any) -> None:
    def make() -> tn.Lab:
        return lab_of([kind(3, 5, carry=4, name="h"), tn.Flatten(), out(20)], SERIES)

    lab, places = make(), slice(0, 5)
    before = lab.state.buffers.reshape(-1, 4, 5)[0].copy()
    lab.clamp("h[1]", 0.25)
    lab.scale("h[2]", 0.5)
    lab.clamp("h[3]@t=1", 0.25)
    lab.noise("h[4]", 0.1)
    taken = lab.player.trainer
    lab.phase()  # the batch
    lab.phase()  # forward of the recurrent layer
    first = taken.workspace.buffers[0].h[0]
    before[:, 1] = 0.25
    np.testing.assert_array_equal(first[:, places], before)


# -- layers that pass units through

PASSED: dict[str, tuple[Callable[[], list[tn.Layer]], np.ndarray, str, dict[int, list[int]]]] = {
    "identity": (
        lambda: [tn.Linear(3, 5, name="h"), tn.Tanh(), tn.Identity(name="on"), out(5)],
        FLAT,
        "on",
        {3: [3], 4: [4]},
    ),
    "behind dropout": (
        lambda: [tn.Linear(3, 5, name="h"), tn.Tanh(), tn.Dropout(0.2), tn.ReLU(name="on"), out(5)],
        FLAT,
        "on",
        {3: [3], 4: [4]},
    ),
    "behind a pool": (
        lambda: [
            *(tn.Conv2d(2, 5, 3, padding="same", name="h"), tn.Tanh(), tn.AvgPool2d(2), tn.Tanh(name="on")),
            *(tn.Flatten(), out(20)),
        ],
        IMAGES,
        "on",
        {3: [3], 4: [4]},
    ),
    "flat": (
        lambda: [tn.Linear(3, 5, name="h"), tn.Tanh(), tn.Flatten(), tn.Tanh(name="on"), out(20)],
        SERIES,
        "on",
        {3: [3, 8, 13, 18], 4: [4, 9, 14, 19]},
    ),
    "joined": (
        lambda: [
            tn.Parallel([[tn.Linear(3, 2)], [tn.Linear(3, 5, name="h"), tn.Tanh()], [tn.Linear(3, 2)]], name="on"),
            out(9),
        ],
        FLAT,
        "on",
        {3: [5], 4: [6]},
    ),
}
by_way = pytest.mark.parametrize("way", PASSED)


def passing(way: str) -> tuple[tn.Lab, str, str, dict[int, list[int]]]:
    make, x, on, units = PASSED[way]
    lab = lab_of(make(), x)
    block = "on.branch2.h" if way == "joined" else "h"
    return lab, block, on, units


def at(site: str, units: list[int]) -> str:
    return f"{site}[{','.join(map(str, units))}]"


@pytest.mark.parametrize("act", ["clamp", "noise", "scale", "zero", "mean", "steer"])
@by_way
def test_what_stands_on_a_layer_that_passes_units_on_follows_them(way: str, act: str, tmp_path: Path) -> None:
    lab, block, on, units = passing(way)
    acts: dict[str, Callable[[str], object]] = {
        "clamp": lambda where: lab.clamp(where, 0.7),
        "noise": lambda where: lab.noise(where, 0.3),
        "scale": lambda where: lab.scale(where, -2),
        "zero": lab.zero,
        "mean": lab.mean,
        "steer": lambda where: lab.steer(where, values=np.arange(1.0, 1 + len(units[4]))),
    }
    acts[act](at(on, units[4]))
    lab.zero(f"{block}[1]")
    wanted = outputs(lab)
    lab.prune(f"{block}[1]")
    assert_same(outputs(lab), wanted)
    lab.grow(block, 2, split=3)  # unit 4 was
    assert_same(outputs(lab), wanted)
    lab.swap(f"{block}[0]", f"{block}[3]", outgoing=True)
    assert_same(outputs(lab), wanted)
    lab.run(2)
    lab.save(tmp_path / "s")
    assert tn.Lab(tmp_path / "s.msgpack").state.digest() == lab.state.digest()


@by_way
def test_a_unit_is_not_pruned_under_what_makes_something_of_zero(way: str, says: Callable[..., Any]) -> None:
    lab, block, on, units = passing(way)
    lab.clamp(at(on, units[3]), 0.5)
    before = lab.state.digest()
    message = f"`clamp {at(on, units[3])} 0.5` makes something of zero, so what it stands on cannot be pruned"
    with says(tn.EditError, f"{message}; release it first"):
        lab.prune(f"{block}[3]")
    assert lab.state.digest() == before
    lab.release(on)
    lab.scale(at(on, units[3]), 3)
    lab.prune(f"{block}[3]")
    assert standing(lab) == []


def test_a_unit_is_pruned_under_a_new_kind_of_interventions_that_multiplies() -> None:
    with registered():
        lab, block, on, units = passing("identity")
        lab.fade(at(on, units[3]), 0.5)  # type: ignore[attr-defined]
        lab.prune(f"{block}[3]")
        assert standing(lab) == []


def test_what_stands_on_a_layer_that_is_removed_is_released_first(says: Callable[..., Any]) -> None:
    lab, _, on, units = passing("identity")
    lab.clamp(at(on, units[3]), 0.5)
    with says(tn.EditError, "`clamp on[3] 0.5` stands on what would be gone; release it first"):
        lab.remove("on")
    lab.release("on")
    lab.remove("on")


# -- other names


def test_what_is_drawn_for_a_unit_stays_when_its_site_gets_another_name(tmp_path: Path) -> None:
    lab = lab_of([tn.Linear(3, 5, name="h"), tn.Dropout(0.1), out(5)])
    lab.noise("h[1]", 0.5)
    lab.resample("h[2]", examples=5)
    wanted = outputs(lab)
    lab.insert("h", "identity", name="more")
    assert standing(lab) == ["noise h.pre[1] 0.5", "resample h.pre[2]"]
    assert_same(outputs(lab), wanted)
    lab.save(tmp_path / "s")
    opened = tn.Lab(tmp_path / "s.msgpack")
    assert opened.state.digest() == lab.state.digest()
    assert_same(outputs(opened), wanted)
    lab.remove("more")
    assert_same(outputs(lab), wanted)
    assert [entry.origin for entry in lab.interventions] == [None, None]


def test_what_stands_on_a_time_step_keeps_an_activation_from_joining(says: Callable[..., Any]) -> None:
    lab = lab_of([tn.RNN(3, 5, name="h"), tn.LastStep(), out(5)], SERIES)
    lab.clamp("h[1]@t=2", 0.5)
    message = "`clamp h.pre[1]@t=2 0.5` would stand on a time step where the site has none; release it first"
    with says(tn.EditError, message):
        lab.insert("h", "identity")


def test_what_stands_behind_a_recurrence_is_not_moved_into_it(says: Callable[..., Any]) -> None:
    lab = lab_of([tn.RNN(3, 5, name="h"), tn.Tanh(name="bend"), tn.LastStep(), out(5)], SERIES)
    lab.clamp("h[1]", 0.5)
    with says(tn.EditError, "`clamp h[1] 0.5` acts at `bend`, and would act at `h`; release it first"):
        lab.remove("bend")
    lab.release("h")
    lab.zero("h[1]")
    lab.remove("bend")
    assert standing(lab) == ["zero h[1]"]


@pytest.mark.parametrize("joins", [tn.BatchNorm, tn.LayerNorm, tn.ReLU, tn.Tanh])
def test_what_stands_in_front_of_a_layer_is_not_moved_behind_it(joins: Any, says: Callable[..., Any]) -> None:
    """Without the layer between them, the next layer joins the block, whose site is then after it."""
    follows = joins(6, name="next") if joins in (tn.BatchNorm, tn.LayerNorm) else joins(name="next")
    lab = lab_of([tn.Linear(3, 6, name="h"), tn.Identity(name="between"), follows, out(6)])
    lab.clamp("h[1]", 0.5)
    before, wanted = lab.state.digest(), lab.network.predict(FLAT)
    if joins in (tn.BatchNorm, tn.LayerNorm):
        with says(tn.EditError, "`clamp h[1] 0.5` acts at `between`, and would act at `next`; release it first"):
            lab.remove("between")
        assert lab.state.digest() == before
    else:
        lab.remove("between")
        assert [str(entry) for entry in lab.interventions] == ["clamp h.pre[1] 0.5"]
    assert np.array_equal(lab.network.predict(FLAT), wanted)


def test_a_layer_does_not_come_to_learn_by_another_rate_unsaid(says: Callable[..., Any]) -> None:
    layers = [tn.Linear(3, 5, name="h"), tn.Tanh(), tn.BatchNorm(5, name="norm"), out(5)]
    lab = lab_of(layers)
    lab.rate("norm", 0.5)
    with says(tn.EditError, "`norm` would go from block `norm` to `linear1` and learn by another `rate`"):
        lab.insert("h", "linear")
    lab.rate("norm", 1)
    lab.insert("h", "linear")
    lab.run(1)


# -- swapped units


def swapping() -> tn.Lab:
    lab = lab_of([tn.Linear(3, 5, name="h"), tn.Tanh(), out(5)])
    lab.clamp("h[0]", 0.5)
    lab.scale("h.pre[0,2]", 2)
    lab.patch("h[2,3]", example=1)
    lab.freeze("h[1]")
    lab.rate("h[0,4]", 0.25)
    lab.sparsify("h[0]", 0.7)
    lab.sparsify("output", 0.3)
    return lab


@pytest.mark.parametrize("outgoing", [False, True])
def test_all_that_belongs_to_a_unit_is_swapped_with_it(outgoing: bool) -> None:
    lab = swapping()
    wanted, values = outputs(lab), [entry.values for entry in lab.interventions]
    held = np.isin(np.arange(lab.network.theta.size), lab.state.frozen)
    zeros = lab.network["h"].w[:, 0] == 0  # type: ignore[attr-defined]
    assert zeros.sum() == 2
    lab.swap("h[0,1]", "h[2,3]", outgoing=outgoing)
    assert standing(lab) == ["clamp h[2] 0.5", "scale h.pre[0,2] 2", "patch h[0,1]"]
    lab.swap("h[0]", "h[4]", outgoing=outgoing)
    lab.swap("h[0]", "h[4]", outgoing=outgoing)
    lab.swap("h[0]", "h[1]", outgoing=outgoing)
    assert standing(lab) == ["clamp h[2] 0.5", "scale h.pre[1,2] 2", "patch h[0,1]"]
    before, after = values[-1], lab.interventions[-1].values
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(after.array, before.array[..., ::-1])
    assert lab.frozen == {"h": (3,)}
    assert lab.state.hyper.rates == {"h[2,4]": 0.25}
    moved = np.isin(np.arange(lab.network.theta.size), lab.state.frozen)
    order = [3, 2, 0, 1, 4]
    for index in range(3 if outgoing else 2):
        block = "h" if index < 2 else "output"
        entry = ("w", "b", "w")[index]
        place = lab.network.parameter_slice(lab.network.block(block).first, entry)
        of_units = held[place].reshape(getattr(lab.network[block], entry).shape)
        found = moved[place].reshape(of_units.shape)
        np.testing.assert_array_equal(found, of_units[order] if index else of_units[:, order])
    if outgoing:
        assert_same(outputs(lab), wanted)
    lab.run(5)
    assert ((lab.network["h"].w[:, 2] == 0) == zeros).all()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("layers", "x", "block", "shown"),
    [
        ([tn.PositionalEmbedding(4, 3, name="n"), tn.Flatten(), out(12)], SERIES, "n", "PositionalEmbedding(4, 3)"),
        ([tn.LayerNorm(3, name="n"), out(3)], FLAT, "n", "LayerNorm(3)"),
        ([tn.BatchNorm(3, name="n"), tn.Tanh(), out(3)], FLAT, "n", "BatchNorm(3)"),
        ([tn.Linear(3, 4), tn.Tanh(), tn.BatchNorm(4, name="n"), out(4)], FLAT, "n", "BatchNorm(4)"),
    ],
)
def test_units_that_take_a_feature_each_are_not_swapped_with_what_they_give_on(
    says: Callable[..., Any], layers: list[tn.Layer], x: np.ndarray, block: str, shown: str
) -> None:
    lab = lab_of(layers, x)
    before = lab.state.digest()
    message = f"`swap`: a unit of `{block}` {shown} takes the feature of its own number too, which would not go with it"
    with says(tn.EditError, message):
        lab.swap(f"{block}[0]", f"{block}[2]", outgoing=True)
    assert lab.state.digest() == before
    lab.swap(f"{block}[0]", f"{block}[2]")


# -- flipped signs

FLIPPED: dict[str, tuple[list[tn.Layer], np.ndarray]] = {
    "batch-norm first": ([tn.BatchNorm(3, name="h"), tn.Tanh(), out(3)], FLAT),
    "layer-norm first": ([tn.LayerNorm(3, name="h"), out(3)], FLAT),
    "layer-norm behind": ([tn.Linear(3, 5, name="h"), tn.LayerNorm(5), tn.Tanh(), out(5)], FLAT),
    "both norms": ([tn.Linear(3, 5, name="h"), tn.LayerNorm(5), tn.BatchNorm(5), out(5)], FLAT),
    "gru": ([tn.GRU(3, 5, carry=4, name="h"), tn.Flatten(), out(20)], SERIES),
    "lstm": ([tn.LSTM(3, 5, carry=4, name="h"), tn.BatchNorm(5), tn.Flatten(), out(20)], SERIES),
    "rnn": ([tn.RNN(3, 5, carry=4, name="h"), tn.LayerNorm(5), tn.Flatten(), out(20)], SERIES),
    "heads": ([tn.CausalSelfAttention(3, 3, name="h"), tn.Flatten(), out(12)], SERIES),
    "passed on": ([tn.Linear(3, 5, name="h"), tn.Tanh(), tn.Tanh(name="on"), out(5)], FLAT),
}


@pytest.mark.parametrize("units", ["h[1]", "h[0,2]", "h"])
@pytest.mark.parametrize("net", FLIPPED)
def test_flipped_on_both_sides_a_net_computes_what_it_did_and_learns_on(net: str, units: str) -> None:
    flipped, plain = (lab_of(FLIPPED[net][0], FLIPPED[net][1]) for _ in range(2))
    for lab in (flipped, plain):
        lab.clamp("h[2]", 0.4)
        lab.noise("h[1]", 0.2)
        if net == "passed on":
            lab.steer("on[0:3]", values=[0.1, 0.2, 0.3])
    flipped.sign_flip(units, outgoing=True)
    assert_same(outputs(flipped), outputs(plain))
    losses = [[lab.step().loss for _ in range(4)] for lab in (flipped, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)


@pytest.mark.parametrize(
    ("layers", "x", "what"),
    [
        (
            [tn.Linear(3, 5, name="h"), tn.ReLU(), out(5)],
            FLAT,
            "`relu1` ReLU() makes other things of a sum and of its opposite, so the outputs would change",
        ),
        (
            [tn.RNN(3, 5, nonlinearity="relu", sequence=False, name="h"), out(5)],
            SERIES,
            "`h` RNN(3, 5, last step, relu) makes other things of a sum and of its opposite, "
            "so the outputs would change",
        ),
        (
            [tn.Linear(3, 5, name="h"), tn.Tanh(), tn.GELU(name="on"), out(5)],
            FLAT,
            "`on` GELU() makes other things of a sum and of its opposite, so the outputs would change",
        ),
        (
            [tn.PositionalEmbedding(4, 3, name="h"), tn.Flatten(), out(12)],
            SERIES,
            "the weights of `h` PositionalEmbedding(4, 3) do not bear the sign of what it gives",
        ),
        (
            [tn.Distances(3, 5, name="h"), out(5)],
            FLAT,
            "the weights of `h` Distances(3, 5) do not bear the sign of what it gives",
        ),
    ],
)
def test_a_sign_that_would_show_is_not_flipped(
    says: Callable[..., Any], layers: list[tn.Layer], x: np.ndarray, what: str
) -> None:
    lab = lab_of(layers, x)
    before = lab.state.digest()
    with says(tn.EditError, f"`sign_flip`: {what}"):
        lab.sign_flip("h[1]", outgoing=True)
    assert lab.state.digest() == before


# -- runs that began under the first rules


def of_rules(layers: list[tn.Layer], x: np.ndarray, rules: int) -> tuple[tn.Network, State]:
    network = tn.Network(layers, seed=1, dtype="float64", input_shape=x.shape[1:], rules=rules)
    state = State.start(network, Hyper(tn.SGD(0.1), rules=rules))
    return network, state


OF_OLD: list[tuple[list[tn.Layer], np.ndarray, Edit]] = [
    (
        [tn.GRU(3, 5, name="h"), tn.BatchNorm(5), tn.Tanh(), tn.LastStep(), out(5)],
        SERIES,
        Edit("prune", "h[1]"),
    ),
    ([tn.LayerNorm(3, name="h"), out(3)], FLAT, Edit("swap", "h[0]", {"other": "h[1]", "outgoing": True})),
    ([tn.Linear(3, 5, name="h"), tn.ReLU(), out(5)], FLAT, Edit("sign_flip", "h[1]", {"outgoing": True})),
    ([tn.Distances(3, 5, name="h"), out(5)], FLAT, Edit("sign_flip", "h[1]", {})),
]


@pytest.mark.parametrize(("layers", "x", "edit"), OF_OLD)
def test_what_is_refused_now_is_done_again_where_it_was_recorded_and_asked_for_no_more(
    layers: list[tn.Layer], x: np.ndarray, edit: Edit
) -> None:
    network, state = of_rules(layers, x, FIRST)
    registry.check(network, edit)
    with pytest.raises(tn.EditError):
        registry.resolve(network, state, edit.op, edit.target, dict(edit.args))
    registry.apply(network, state, edit)
    if edit.op != "prune":
        network, _ = of_rules(layers, x, CURRENT)
        with pytest.raises(tn.EditError):
            registry.check(network, edit)


def test_by_the_first_rules_what_stands_is_swapped_with_nothing_and_a_zeroed_unit_stays_in_its_recurrence() -> None:
    for rules in (FIRST, CURRENT):
        network, state = of_rules([tn.RNN(3, 5, name="h"), tn.Tanh(), tn.LastStep(), out(5)], SERIES, rules)
        registry.apply(network, state, Edit("zero", "h[1]"))
        registry.apply(network, state, Edit("rate", "h[1]", {"factor": 0.5}))
        assert (network.taps[0] is not None) == (rules > FIRST)
        registry.apply(network, state, Edit("swap", "h[1]", {"other": "h[3]"}))
        unit = 1 if rules == FIRST else 3
        assert [str(entry) for entry in state.interventions] == [f"zero h[{unit}]"]
        assert state.hyper.rates == {f"h[{unit}]": 0.5}
