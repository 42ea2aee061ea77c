"""Schedules: the factor on the learning rate is a function of the step alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.training.schedules import schedule_from


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


def test_a_line_falls_to_its_end_and_stays() -> None:
    schedule = tn.LinearSchedule(10, 0.2)
    assert [schedule.factor(step) for step in (0, 5, 10, 99)] == pytest.approx([1, 0.6, 0.2, 0.2])


def test_a_cosine_falls_to_its_end_and_stays() -> None:
    schedule = tn.CosineSchedule(8, 0.1)
    assert [schedule.factor(step) for step in (0, 2, 4, 8, 9)] == pytest.approx(
        [1, 0.1 + 0.9 * (1 + 0.5**0.5) / 2, 0.55, 0.1, 0.1]
    )


def test_an_exponential_is_multiplied_every_so_many_steps() -> None:
    schedule = tn.ExponentialSchedule(10, 0.5)
    assert [schedule.factor(step) for step in (0, 5, 10, 30)] == pytest.approx([1, 0.5**0.5, 0.5, 0.125])


EVERY = [
    tn.Schedule(),
    tn.StepSchedule((3, 9), 0.5),
    tn.LinearSchedule(10, 0.2),
    tn.CosineSchedule(8, 0.1),
    tn.ExponentialSchedule(10, 0.5),
]


@pytest.mark.parametrize("schedule", EVERY, ids=lambda schedule: schedule.kind)
def test_warm_up_climbs_evenly_to_the_schedule(schedule: tn.Schedule) -> None:
    warm = replace(schedule, warmup=4)
    shares = [warm.factor(step) / schedule.factor(step) for step in range(8)]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])
    for entry in (schedule, warm):
        assert schedule_from(entry.config()) == entry
    assert warm != schedule


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "linear"}, "`linear` schedule: `steps` is missing"),
        (
            {"kind": "linear", "steps": 5, "ende": 1},
            "`linear` schedule: there is no `ende`, only steps, end, warmup; did you mean `end`?",
        ),
        (
            {"kind": "cosine", "steps": 5, "end": -1},
            "`cosine` schedule: `end` must be a finite number above or at 0, not -1.0",
        ),
        (
            {"kind": "exponential", "steps": 5, "rate": 0},
            "`exponential` schedule: `rate` must be above 0 and at most 1, not 0.0",
        ),
        (
            {"kind": "constant", "warmup": 1.5},
            "`constant` schedule: `warmup` must be a whole number of at least 0, not 1.5",
        ),
    ],
)
def test_wrong_descriptions_are_refused(says: Callable[..., Any], config: dict[str, Any], message: str) -> None:
    with says(tn.ShapeError, message):
        schedule_from(config)


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
    with says(
        tn.ShapeError,
        "a schedule is one of constant, step, linear, cosine, exponential, not 'stepp'; did you mean `step`?",
    ):
        schedule_from({"kind": "stepp"})


def test_a_single_step_in_place_of_steps_is_refused(says: Callable[..., Any]) -> None:
    with says(tn.ShapeError, "`step` schedule: `at` must be rising step numbers above 0, as (1000, 2000), not 10"):
        tn.StepSchedule(10, 0.5)  # type: ignore[arg-type]
