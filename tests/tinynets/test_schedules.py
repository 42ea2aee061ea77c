"""Schedules: the factor on the learning rate is a function of the step alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.schedules import schedule_from


@given(st.sets(st.integers(1, 60), max_size=4), st.integers(0, 70))
def test_a_step_schedule_multiplies_once_for_each_step_it_has_passed(at: set[int], step: int) -> None:
    schedule = tn.StepSchedule(tuple(sorted(at)), 0.5)
    assert schedule.factor(step) == 0.5 ** sum(place <= step for place in at)
    assert schedule_from(schedule.config()) == schedule


def test_the_update_that_leads_away_from_a_step_of_the_schedule_is_the_first_with_the_new_rate() -> None:
    schedule = tn.StepSchedule((100_000,), 0.1)
    assert (schedule.factor(99_999), schedule.factor(100_000)) == (1.0, 0.1)


def test_a_constant_schedule_is_one() -> None:
    assert tn.Schedule().factor(10**9) == 1.0
    assert schedule_from(tn.Schedule().config()) == tn.Schedule()


AT = "`step` schedule: `at` must be rising step numbers above 0, not "
FACTOR = "`step` schedule: `factor` must be a finite number above or at 0, not "


@pytest.mark.parametrize(
    ("at", "factor", "message"),
    [
        ((5, 3), 0.1, AT + "[5, 3]"),
        ((3, 3), 0.1, AT + "[3, 3]"),
        ((0,), 0.1, AT + "[0]"),
        ((1.5,), 0.1, AT + "[1.5]"),
        ((1,), -0.1, FACTOR + "-0.1"),
        ((1,), float("nan"), FACTOR + "nan"),
        ((1,), True, FACTOR + "True"),
        ((1, 2), 1e200, "`step` schedule: `factor` 1e+200 becomes infinite after 2 steps of it"),
    ],
)
def test_impossible_schedules_are_refused(says: Callable[..., Any], at: Any, factor: Any, message: str) -> None:
    with says(tn.ShapeError, message):
        tn.StepSchedule(at, factor)


def test_an_unknown_schedule_is_refused(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "a schedule is one of constant, step, not 'stepp'; did you mean `step`?"):
        schedule_from({"kind": "stepp"})
