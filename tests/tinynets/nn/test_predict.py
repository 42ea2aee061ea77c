"""`predict` reuses its buffers between calls, returns independent arrays, and is safe to call from several threads."""

from __future__ import annotations

import copy
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

import tinynets as tn
from tinynets.nn.workspace import KEPT_BYTES, Workspace

LAYERS: dict[str, list[tn.Layer]] = {
    "mlp": [tn.Linear(4, 16, name="h"), tn.BatchNorm(16), tn.GELU(), tn.Dropout(0.5), tn.Linear(16, 4)],
    "identity": [tn.Identity()],
    "residual": [tn.Residual([tn.Linear(4, 4), tn.Tanh()]), tn.Softmax()],
}


@pytest.mark.parametrize("kind", LAYERS)
def test_results_are_those_of_a_fresh_workspace_and_stay_what_they_were(kind: str) -> None:
    network = tn.Network(LAYERS[kind], input_shape=(4,))
    random = np.random.default_rng(0)
    batches = [random.normal(size=(n, 4)).astype(np.float32) for n in (1, 3, 1, 7, 2, 5, 6, 3, 1)]
    outs = [network.predict(x) for x in batches]
    for x, out in zip(batches, outs, strict=True):
        assert np.array_equal(out, network.forward(x, Workspace()))
        assert not np.shares_memory(out, x)
    assert not any(np.shares_memory(a, b) for a, b in pairwise(outs))


def test_what_changes_in_the_network_shows_in_the_next_prediction() -> None:
    network = tn.Network(LAYERS["mlp"])
    x = np.ones((2, 4), np.float32)
    for change in (
        lambda: network.theta.fill(0.5),
        lambda: network.intervene("h", multiply=0.0, add=2.0),
        lambda: network.intervene("h"),
    ):
        network.predict(x)
        change()
        assert np.array_equal(network.predict(x), network.forward(x, Workspace()))


def test_a_prediction_leaves_a_forward_with_its_backward_alone() -> None:
    network = tn.Network(LAYERS["mlp"])
    out = network.forward(np.ones((3, 4)))
    before = out.copy()
    network.predict(np.zeros((3, 4)))
    assert np.array_equal(out, before)
    network.backward(np.ones((3, 4)))


def test_after_the_first_prediction_no_buffers_are_made() -> None:
    network = tn.Network([tn.Linear(4, 2000), tn.Tanh(), tn.Linear(2000, 2)])
    x = np.ones((50, 4), np.float32)
    network.predict(x)
    tracemalloc.start()
    try:
        network.predict(x)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 50 * 2000 * 4 / 4


def test_buffers_of_a_large_batch_are_not_kept() -> None:
    network = tn.Network([tn.Linear(4, 1000), tn.Tanh(), tn.Linear(1000, 2)])
    x = np.ones((KEPT_BYTES // 4000, 4), np.float32)
    tracemalloc.start()
    try:
        network.predict(x)
        kept = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert kept < KEPT_BYTES / 4


def test_threads_that_predict_at_once_do_not_meet() -> None:
    network = tn.Network([tn.Linear(4, 300), tn.Tanh(), tn.Linear(300, 300), tn.Tanh(), tn.Linear(300, 3)])
    random = np.random.default_rng(0)
    batches = [random.normal(size=(64, 4)).astype(np.float32) for _ in range(200)]
    alone = [network.forward(x, Workspace()).copy() for x in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(network.predict, batches))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_a_prediction_that_is_refused_or_interrupted_spoils_none_after_it() -> None:
    network = tn.Network(LAYERS["mlp"])
    x = np.ones((2, 4))
    before = network.predict(x)
    with pytest.raises(tn.ShapeError):
        network.predict(np.ones((2, 5)))
    assert np.array_equal(network.predict(x), before)


def test_a_copy_of_what_is_spare_begins_empty() -> None:
    network = tn.Network(LAYERS["mlp"])
    network.predict(np.ones((2, 4)))
    assert copy.deepcopy(network._spare)._kept == []
