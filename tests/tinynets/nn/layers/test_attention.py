"""Causal self-attention: gradients, the attention pattern, heads as units, and sites inside blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.selectors import select
from tinynets.nn.workspace import Workspace

few = st.integers(1, 3)


def network_of(heads: int = 2, each: int = 3, **options: Any) -> tn.Network:
    layer = tn.CausalSelfAttention(heads * each, heads, b_init=tn.Normal(), name="attention")
    return tn.Network([layer], dtype="float64", **options)


@settings(max_examples=20)
@given(few, st.integers(1, 4), few, few, st.booleans(), st.integers(0, 9))
def test_gradients_are_those_of_central_differences(
    gradients_agree: Callable[..., None], batch: int, steps: int, heads: int, each: int, intervened: bool, seed: int
) -> None:
    network = network_of(heads, each, seed=seed)
    random = np.random.default_rng(seed)
    if intervened:
        network.intervene("attention", multiply=random.normal(size=heads), add=random.normal(size=heads))
    gradients_agree(network, random.normal(size=(batch, steps, heads * each)))


def test_interventions_act_on_a_heads_output_before_it_is_projected() -> None:
    network = network_of(3, 2)
    layer: Any = network["attention"]
    x = np.random.default_rng(0).normal(size=(2, 4, 6))
    before, workspace = network.predict(x), Workspace()
    network.forward(x, workspace)
    head = workspace.buffers[0].by_head[:, 1].copy()
    network.intervene("attention", multiply=[1, 0, 1])
    after = network.forward(x, workspace)
    np.testing.assert_allclose(before - after, head @ layer.w_out[2:4], rtol=1e-9, atol=1e-12)
    values = layer.unit_values(workspace.buffers[0])
    assert values.shape == (2, 4, 3)
    assert not values[..., 1].any()
    assert values[..., 0].all()


def test_the_pattern_looks_back_only_and_sums_to_one() -> None:
    network, workspace = network_of(), Workspace()
    x = np.random.default_rng(0).normal(size=(2, 5, 6)) * 300
    network.forward(x, workspace)
    layer: Any = network["attention"]
    pattern = layer.attention_pattern(workspace.buffers[0])
    assert pattern.shape == (2, 2, 5, 5)
    assert not np.triu(pattern, 1).any()
    np.testing.assert_allclose(pattern.sum(axis=3), 1, rtol=1e-12)


def test_what_comes_later_changes_nothing_before() -> None:
    network = network_of()
    x = np.random.default_rng(0).normal(size=(2, 5, 6))
    before = network.predict(x)
    x[:, 3:] += 1
    np.testing.assert_array_equal(network.predict(x)[:, :3], before[:, :3])


def test_a_head_owns_its_columns_of_the_projections_in_and_its_rows_of_the_one_out() -> None:
    network = network_of(2, 3)
    mask = np.zeros(network.theta.size, bool)
    mask[network.unit_indices(network.block("attention"), [1])] = True
    sizes = {"w_qkv": (6, 18), "b_qkv": (18,), "w_out": (6, 6), "b_out": (6,)}
    parts = np.split(mask, np.cumsum([int(np.prod(size)) for size in sizes.values()])[:-1])
    owned = {name: part.reshape(size) for (name, size), part in zip(sizes.items(), parts, strict=True)}
    second = np.tile([False, False, False, True, True, True], 3)
    assert (owned["w_qkv"] == second).all()
    assert (owned["b_qkv"] == second).all()
    assert owned["w_out"].all(axis=1).tolist() == second[:6].tolist()
    assert owned["w_out"].sum() == 18
    assert not owned["b_out"].any()


def test_sites_reach_into_blocks_by_name_and_norms_behind_attention_stay_apart() -> None:
    inside: list[tn.Layer] = [
        tn.LayerNorm(6),
        tn.CausalSelfAttention(6, 3, name="attention"),
        tn.LayerNorm(6),
        tn.Tanh(),
    ]
    network = tn.Network([tn.Residual(inside, name="block1")], dtype="float64", input_shape=(4, 6))
    selector = select(network, "block1.attention[2]")
    assert (selector.block, selector.units) == ("block1.attention", (2,))
    block = network.block("block1.attention")
    assert (block.units, block.first) == (3, block.last)
    x = np.random.default_rng(0).normal(size=(2, 4, 6))
    before = network.predict(x)
    network.intervene("block1.attention", multiply=[1, 1, 0])
    assert np.abs(network.predict(x) - before).max() > 1e-3


def test_heads_must_divide_the_size(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "CausalSelfAttention: `heads` must divide `size` 6, not 4"):
        tn.CausalSelfAttention(6, 4)
    with says(
        tn.ShapeError,
        "`attention` CausalSelfAttention(6, 2) takes (B, T, 6), not (?, 6), which the input has",
    ):
        network_of(input_shape=(6,))
