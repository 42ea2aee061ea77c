"""A block's input is named after the block that produces it."""

from __future__ import annotations

import tinynets as tn
from tinynets.measure.producers import input_names, is_passthrough, producer, producers


def test_inputs_are_named_after_the_units_that_give_them() -> None:
    layers = [tn.Embedding(5, 2, name="embed"), tn.Flatten(), tn.Linear(6, 4, name="hidden"), tn.Tanh()]
    network = tn.Network([*layers, tn.Linear(4, 2, name="output")], input_shape=(3,))
    hidden, output = network.block("hidden"), network.block("output")
    assert input_names(network, hidden, 6) == [f"embed[{unit}]@{place}" for place in range(3) for unit in range(2)]
    assert input_names(network, output, 4) == [f"hidden[{unit}]" for unit in range(4)]


def test_the_first_block_takes_the_input_itself() -> None:
    network = tn.Network([tn.Linear(3, 4, name="hidden")])
    assert producer(network, network.block("hidden")) is None
    assert input_names(network, network.block("hidden"), 3) == ["x[0]", "x[1]", "x[2]"]


def test_what_only_passes_on_stands_between_and_names_nothing() -> None:
    layers = [tn.Linear(3, 4, name="hidden"), tn.Tanh(), tn.Identity(name="on"), tn.Linear(4, 2, name="output")]
    network = tn.Network(layers)
    output = network.block("output")
    assert [block.name for block in producers(network, output)] == ["on", "hidden"]
    assert is_passthrough(network.block("on"))
    found = producer(network, output)
    assert found is not None
    assert found.name == "hidden"


def test_a_branch_of_a_residual_takes_what_came_before_the_branches() -> None:
    inner = tn.Residual([tn.Linear(4, 4, name="inner")])
    network = tn.Network([tn.Linear(3, 4, name="hidden"), tn.Tanh(), inner, tn.Linear(4, 2, name="output")])
    found = producer(network, network.block("residual1.inner"))
    assert found is not None
    assert found.name == "hidden"
