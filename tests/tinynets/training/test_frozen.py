"""Frozen shares of units: counted for all units at once, they are the same as unit by unit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.training.frozen import frozen_mask, frozen_share, frozen_units

LAYERS = [tn.Linear(3, 5, name="one"), tn.LayerNorm(5, name="norm"), tn.Tanh(), tn.Linear(5, 2, name="two"), tn.ReLU()]


@settings(max_examples=40)
@given(st.data())
def test_the_share_of_each_unit_is_that_of_its_own_places(data: st.DataObject) -> None:
    network = tn.Network(LAYERS, seed=1)
    places = data.draw(st.sets(st.integers(0, network.theta.size - 1)))
    frozen = np.array(sorted(places), np.int64)
    mask = frozen_mask(network.theta.size, frozen)
    for block in network.blocks:
        own = [network.unit_indices(block, [unit]) for unit in range(block.units)]
        expected = np.array([mask[places].mean() if places.size else 0.0 for places in own])
        assert np.array_equal(frozen_share(network, frozen, block), expected)
        assert np.array_equal(frozen_units(network, frozen, block), expected == 1)
