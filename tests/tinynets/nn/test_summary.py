"""Network.summary(): layers, shapes, parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinynets as tn


def test_a_summary_counts_parameters_and_multiply_adds_of_one_example() -> None:
    summary = tn.Lab("names-mlp").network.summary()
    rows = {entry.name: (entry.shape, entry.parameters, entry.multiply_adds) for entry in summary.layers}
    assert rows["embed"] == ((3, 10), 270, 0)
    assert rows["hidden"] == ((200,), 6200, 6000)
    assert rows["output"] == ((27,), 5427, 5400)
    assert (summary.parameters, summary.multiply_adds) == (11_897, 11_400)


def test_its_text_is_a_table_with_totals() -> None:
    network = tn.Network([tn.Linear(2, 16, name="hidden"), tn.Tanh(), tn.Linear(16, 2)])
    lines = str(network.summary()).splitlines()
    assert lines[0].split() == ["layer", "output", "parameters", "multiply-adds"]
    assert lines[2].split() == ["hidden", "Linear(2,", "16)", "(16,)", "48", "32"]
    assert lines[-1].split() == ["total", "float32,", "328", "bytes", "82", "64"]


def test_a_convolution_counts_its_matrix_at_every_place() -> None:
    network = tn.Network([tn.Conv2d(1, 4, 3, name="conv"), tn.Flatten(), tn.Linear(144, 2)])
    assert network.summary().multiply_adds is None
    summary = network.summary((8, 8, 1))
    assert summary.layers[0].shape == (6, 6, 4)
    assert summary.layers[0].multiply_adds == 6 * 6 * 9 * 4


def test_a_recurrent_layer_counts_its_matrices_at_every_time_step() -> None:
    summary = tn.Network([tn.RNN(5, 7)], input_shape=(4, 5)).summary()
    assert summary.multiply_adds == 4 * (5 * 7 + 7 * 7)


def test_an_input_that_does_not_fit_is_refused_with_the_layer_named(says: Callable[..., Any]) -> None:
    network = tn.Network([tn.Linear(2, 3, name="a")])
    with says(tn.ShapeError, "`a` Linear(2, 3) takes (..., 2), not (?, 4), which the input has"):
        network.summary((4,))
    with says(tn.ShapeError, "`input_shape` must be the sizes of an example's axes, as (28, 28, 1), not 8"):
        network.summary(8)  # type: ignore[arg-type]
