"""State: it is copied, compared and digested as bytes, and any difference changes the digest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.nn.interventions import Intervention
from tinynets.nn.selectors import format_units, select
from tinynets.numerics.canonical import canonical


@pytest.fixture(scope="module")
def state(make_tiny: Callable[..., tn.Lab]) -> tn.State:
    lab = make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))
    lab.run(3)
    lab.zero("hidden[1]")
    lab.freeze("hidden[2]")
    return lab.state


def test_a_copy_is_equal_and_stands_alone(state: tn.State) -> None:
    copied = state.copy()
    assert copied == state
    assert copied.digest() == state.digest()
    assert not np.shares_memory(copied.theta, state.theta)
    assert not np.shares_memory(copied.slots["velocity"], state.slots["velocity"])


def nudged(array: np.ndarray) -> np.ndarray:
    other = array.copy()
    other[0] = np.nextafter(other[0], 1) if other.dtype.kind == "f" else other[0] + 1
    return other


@pytest.mark.parametrize(
    "changed",
    [
        lambda state: {"theta": nudged(state.theta)},
        lambda state: {"theta": state.theta.astype(np.float64)},
        lambda state: {"slots": {"velocity": nudged(state.slots["velocity"])}},
        lambda state: {"slots": {"other": state.slots["velocity"]}},
        lambda state: {"slots": {}},
        lambda state: {"frozen": nudged(state.frozen)},
        lambda state: {"frozen": state.frozen[:-1]},
        lambda state: {"interventions": ()},
        lambda state: {"interventions": (Intervention("zero", "hidden.pre", (1,)),)},
        lambda state: {"step": state.step + 1},
        lambda state: {"hyper": replace(state.hyper, seed=1)},
        lambda state: {"hyper": replace(state.hyper, optimizer=tn.SGD(0.2, momentum=0.9))},
        lambda state: {"hyper": replace(state.hyper, schedule=tn.StepSchedule((5,), 0.1))},
        lambda state: {"architecture": state.architecture[:-1]},
    ],
)
def test_whatever_differs_shows_in_the_digest(
    state: tn.State, changed: Callable[[tn.State], dict[str, object]]
) -> None:
    assert replace(state, **changed(state)).digest() != state.digest()


def test_its_bytes_are_those_of_its_arrays(state: tn.State) -> None:
    assert state.nbytes() == 32 * 4 * 2 + 3 * 8


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_keys_does_not_show(order: list[str]) -> None:
    inner = {key: {"x": 1, "y": [key]} for key in order}
    assert canonical(inner) == canonical({key: inner[key] for key in sorted(inner)})


@given(st.sets(st.integers(0, 30), min_size=1))
def test_the_short_form_of_units_selects_these_units(units: set[int]) -> None:
    network = tn.Network([tn.Linear(1, 31, name="hidden")])
    chosen = tuple(sorted(units))
    assert select(network, "hidden" + format_units(chosen)).units == chosen
