"""Conditions as text: what they mean, what is refused, and going to where they hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import tinynets as tn
from tinynets.lab.command_line import parse
from tinynets.lab.conditions import AVERAGED, parse_condition
from tinynets.lab.lab import experiment_of
from tinynets.server.activity import Activity
from tinynets.server.frame import View
from tinynets.server.frame_builder import FrameBuilder

Make = Callable[..., tn.Lab]


def everything(lab: tn.Lab) -> tuple[Any, ...]:
    return lab.moment, lab.state.digest(), lab.end, lab.branches, lab.losses.tobytes(), len(lab.log)


@pytest.fixture
def lab(make_tiny: Make) -> tn.Lab:
    return make_tiny(tn.ReLU())


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("step == 30", True),
        ("step >= 31", False),
        ("loss > 0 and loss < 100", True),
        ("loss<100", True),
        ("not loss < 0", True),
        ("not (loss < 0 or step != 30)", True),
        ("step < 1,000", True),
        ("step < 1 or step > 2 and step > 100", False),
        ("(step < 1 or step > 2) and step > 100", False),
        ("lr == 0.1", True),
        ("lr < 1e-1", False),
        ("accuracy > 0.1", True),
        ("probe < -1", False),
        ("frozen hidden[3]", True),
        ("frozen hidden[2,3]", False),
        ("frozen hidden", False),
        ("mean hidden[1] == 0", True),
        ("mean hidden.pre[1] == 0", False),
        ("dead hidden[1]", False),
    ],
)
def test_a_condition_says_whether_it_holds(lab: tn.Lab, text: str, holds: bool) -> None:
    lab.freeze("hidden[3]")
    lab.zero("hidden[1]")
    lab.run(30)
    condition = parse_condition(text)
    condition.check(lab._experiment)
    assert condition(lab._experiment) is holds
    assert str(condition) == text


def test_the_numbers_are_those_of_the_lab(lab: tn.Lab) -> None:
    lab.run(150)
    assert lab.loss is not None
    numbers = {
        "loss": lab.loss,
        "average": float(lab.losses[-AVERAGED:].mean(dtype=np.float64)),
        "probe": lab.probe_loss(),
        "train": lab.evaluate("train").loss,
    }
    for name, number in numbers.items():
        assert parse_condition(f"{name} == {number!r}")(lab._experiment), name


def test_dead_and_saturated_are_what_the_panes_show(make_tiny: Make) -> None:
    for layer in (tn.ReLU(), tn.Tanh(), tn.Sigmoid()):
        lab = make_tiny(layer, optimizer=tn.SGD(30.0))
        for _ in range(4):
            lab.run(5)
            frame = FrameBuilder.of(lab).frame(
                View(block="hidden"), 1, Activity("paused", 0.0, ""), renew_samples=False
            )
            shown = frame.activations
            assert shown is not None
            for unit in range(6):
                assert parse_condition(f"dead hidden[{unit}]")(lab._experiment) == shown.dead[unit]
                assert parse_condition(f"alive hidden[{unit}]")(lab._experiment) != shown.dead[unit]
                assert parse_condition(f"saturated hidden[{unit}]")(lab._experiment) == shown.saturated[unit].all()
                share = float(shown.saturated[unit].mean())
                assert parse_condition(f"saturated hidden[{unit}] >= {share!r}")(lab._experiment)
                assert not parse_condition(f"saturated hidden[{unit}] > {share!r}")(lab._experiment)
            assert parse_condition("dead hidden")(lab._experiment) == shown.dead.all()
            assert parse_condition("alive hidden")(lab._experiment) == (~shown.dead).all()


def test_what_is_not_known_yet_is_neither_true_nor_false(lab: tn.Lab) -> None:
    for text in ("loss < 2", "not loss < 2", "not (loss < 2 and step == 0)", "average > 0", "not average > 0"):
        assert not parse_condition(text)(lab._experiment)
    assert parse_condition("loss < 2 or step == 0")(lab._experiment)


@given(
    npst.arrays(np.float32, st.integers(0, 300), elements=st.floats(0, 5, width=32)),
    st.sampled_from(
        ["loss < 2.5", "average < 2.5", "not average >= 2.5", "loss > 1 and step > 7", "average > 2 or loss < 1"]
    ),
)
def test_over_all_losses_it_is_what_it_is_at_each_step(values: np.ndarray, text: str) -> None:
    condition = parse_condition(text)
    assert condition.of_losses is not None
    mask = condition.of_losses(values)
    lab = tn.Lab("xor")
    for value in values:
        lab.player.branch.losses.append(value)
    for step in range(1, len(values) + 1, 7):
        lab.player.position = lab.moment._replace(step=step)
        assert condition(lab._experiment) == mask[step - 1]


@pytest.mark.parametrize("text", ["probe < 2", "dead hidden[1]", "loss < 2 and alive hidden[1]", "step < 5", "lr > 0"])
def test_what_losses_alone_do_not_decide_is_not_asked_of_them(text: str) -> None:
    assert parse_condition(text).of_losses is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a condition is written like `loss < 2.3` or `dead hidden[7]`, not ''"),
        ("loss", "condition `loss`: `loss` must be compared with a number, as `loss < 2.3`"),
        ("loss <", "condition `loss <`: nothing stands where a number should, as in `loss < 2.3`"),
        ("loss < low", "condition `loss < low`: `low` stands where a number should, as in `loss < 2.3`"),
        ("loss = 2", "condition `loss = 2`: `= 2` cannot be read; did you mean `==`?"),
        ("deed hidden[1]", "condition `deed hidden[1]`: `deed` must be compared with a number, as `deed < 2.3`"),
        ("dead", "condition `dead`: `dead` must be followed by units, as `dead hidden[7]`"),
        ("mean hidden[1]", "condition `mean hidden[1]`: `mean hidden[1]` must be compared with a number"),
        ("dead hidden[1] > 2", "condition `dead hidden[1] > 2`: `dead hidden[1]` is true or false"),
        ("loss < 2 adn step > 1", "condition `loss < 2 adn step > 1`: `adn` stands where `and` or `or` could"),
        ("loss < 2 and", "condition `loss < 2 and`: it ends where a term should"),
        ("(loss < 2", "condition `(loss < 2`: a bracket is not closed"),
        ("los < 2", "`los` is not a number that a condition can ask for; there are loss, average"),
        ("train < 2", "`train`: a condition asks for the latest evaluation of a split, and `train` has none"),
        ("dead hiden[1]", "`hiden` is not a block of this network, which has hidden, output; did you mean `hidden`?"),
        ("dead hidden[6]", "`hidden[6]`: `hidden` has 6 units, 0 to 5"),
        ("dead output[0]", "`output` has no activation, so its units are never dead or saturated"),
        ("dead hidden.pre[0]", "`hidden.pre[0]`: what can be dead is the unit, `hidden[...]`"),
        ("not " * 60 + "loss < 2", "condition `not "),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_moves(lab: tn.Lab, text: str, message: str) -> None:
    lab.run(10)
    before = everything(lab)
    for go in (lab.run_until, lab.back_until):
        with pytest.raises((tn.CommandError, tn.SelectorError)) as caught:
            go(text)
        assert str(caught.value).startswith(message)
        assert everything(lab) == before


@given(st.text("lossdeadhidden[3] andornot()<>=!.,0123456789e-", max_size=40))
def test_any_text_is_a_condition_or_a_command_error(text: str) -> None:
    with suppress(tn.CommandError):
        assert str(parse_condition(text)) == text.strip()


def test_a_run_stops_at_the_first_moment_at_which_it_holds(make_tiny: Make) -> None:
    lab, other = make_tiny(), make_tiny()
    other.run(400)
    averages = [other.losses[max(n - 100, 0) : n].mean(dtype=np.float64) for n in range(1, 401)]
    bound = float(np.quantile(averages, 0.3))
    report = lab.run_until(f"average < {bound}")
    assert report.found
    assert lab.step_number == next(n for n, value in enumerate(averages, 1) if value < bound)
    assert lab.back_until(f"average >= {bound}").found
    assert lab.step_number == max(n for n, value in enumerate(averages[: report.step - 1], 1) if value >= bound)


def test_the_last_moment_at_which_a_unit_was_alive_is_found_among_the_edits_of_a_step(make_tiny: Make) -> None:
    lab = make_tiny(tn.ReLU())
    lab.run(30)
    lab.freeze("hidden[1]")
    lab.zero("hidden.pre[3]")
    lab.run(40)
    assert parse_condition("dead hidden[3]")(lab._experiment)
    report = lab.back_until("alive hidden[3]")
    assert (report.found, report.step, report.edits) == (True, 30, 1)
    assert lab.run_until("dead hidden[3]").step == 30
    assert lab.moment.edits == 2


def test_an_evaluation_on_the_way_is_met() -> None:
    lab = tn.Lab("spiral")
    assert lab.run_until("dev < 100").found
    assert lab.evaluations[-1].step == lab.step_number


def test_a_predicate_that_fails_is_told_and_leaves_a_whole_moment(lab: tn.Lab, make_tiny: Make) -> None:
    def wrong(here: tn.Lab) -> bool:
        return bool(here.nothing_of_the_kind) if here.step_number == 7 else False  # type: ignore[attr-defined]

    with pytest.raises(tn.TimelineError, match="the condition `wrong` failed at step 7: AttributeError"):
        lab.run_until(wrong)
    same = make_tiny(tn.ReLU())
    same.run(7)
    assert lab.state.digest() == same.state.digest()
    assert (lab.step_number, lab.end) == (7, 7)
    lab.run(20)
    before = everything(lab)
    with pytest.raises(tn.TimelineError, match="`wrong` failed at step 7"):
        lab.back_until(wrong)
    assert everything(lab) == before


def test_the_command_line_takes_conditions() -> None:
    assert parse("until loss < 2.3").python() == 'lab.run_until("loss < 2.3")'
    assert parse("back_until alive hidden[1, 7]").args == ("alive hidden[1, 7]",)
    assert parse('lab.run_until("loss < 2.3", limit=50)').kwargs == {"limit": 50}


def test_what_is_not_a_number_is_neither_more_nor_less_nor_other_and_warns_of_nothing() -> None:
    layers = [tn.Linear(2, 2, name="hidden"), tn.Linear(2, 2, name="output")]
    lab = tn.Lab(tn.Network(layers, seed=0), data=(np.eye(2), [0, 1]), loss=tn.CrossEntropy())
    for number in (3e38, 3e38):
        lab.scale("hidden", number)
    experiment = experiment_of(lab)
    assert not np.isfinite(lab.probe_loss())
    for text in ("mean output[0]", "probe"):
        for comparison in ("<", "<=", ">", ">=", "==", "!="):
            for condition in (f"{text} {comparison} 1", f"not {text} {comparison} 1"):
                assert not parse_condition(condition)(experiment)
