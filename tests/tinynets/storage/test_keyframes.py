"""A keyframe belongs to exactly the layers that its branch has at that step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import tinynets as tn
from tinynets.nn.network import Network
from tinynets.numerics.canonical import canonical
from tinynets.storage.fields import RecordFields
from tinynets.storage.keyframes import OTHER_LAYERS, KeyframeReader, keyframe_record


@pytest.fixture
def lab(make_tiny: Callable[..., tn.Lab]) -> tn.Lab:
    return make_tiny()


@pytest.fixture
def reader(lab: tn.Lab) -> KeyframeReader:
    return KeyframeReader("run.msgpack", 2, lab.recipe, lab.network, lambda layers: None)


def keyframe(lab: tn.Lab) -> RecordFields:
    return RecordFields("run.msgpack", keyframe_record((0, 0), [0], lab.state))


def network(activation: tn.Layer) -> tuple[Network, bytes]:
    made = Network([tn.Linear(2, 6, name="hidden"), activation, tn.Linear(6, 2, name="output")])
    return made, canonical(made.architecture)


def test_keyframes_that_are_alike_are_checked_once(lab: tn.Lab, reader: KeyframeReader) -> None:
    first, second = (reader.state(keyframe(lab), *network(tn.Tanh())) for _ in range(2))
    assert first.digest() == second.digest() == lab.state.digest()
    assert first.hyper is second.hyper


def test_layers_that_fitted_a_network_that_is_gone_are_refused_for_the_one_at_its_address(
    lab: tn.Lab, reader: KeyframeReader
) -> None:
    for _ in range(20):
        reader.state(keyframe(lab), *network(tn.Tanh()))
        with pytest.raises(tn.CorruptSave, match=f"{OTHER_LAYERS}$"):
            reader.state(keyframe(lab), *network(tn.ReLU()))
