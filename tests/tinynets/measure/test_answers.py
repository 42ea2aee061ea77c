"""What a network says for many examples, and the confusion matrix, against direct counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinynets as tn
from tinynets.measure.answers import NONE, answers_of, confusion


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), max_size=60), st.integers(1, 5))
def test_a_confusion_matrix_is_a_count_of_pairs(pairs: list[tuple[int, int]], classes: int) -> None:
    truth, answer = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    found = confusion(truth, answer, classes)
    assert found.shape == (classes, classes)
    for row in range(classes):
        for column in range(classes):
            assert found[row, column] == pairs.count((row, column))


def test_of_classes_the_likeliest_is_the_answer() -> None:
    out, y = np.array([[0.0, 2.0], [3.0, 1.0], [0.0, 1.0]]), np.array([1, 1, 0])
    found = answers_of(tn.CrossEntropy(), out, y)
    assert (found.kind, found.answer.tolist(), found.truth.tolist()) == ("classes", [1, 0, 1], [1, 1, 0])
    assert found.wrong is not None
    assert found.wrong.tolist() == [False, True, True]
    assert found.share[0] == pytest.approx(1 / (1 + np.exp(-2)))
    assert np.exp(-found.loss) == pytest.approx(found.truth_share)


def test_a_single_output_says_which_of_two() -> None:
    out, y = np.array([[2.0], [-1.0], [0.5]]), np.array([[1.0], [1.0], [0.0]])
    found = answers_of(tn.BinaryCrossEntropy(), out, y)
    assert (found.kind, found.answer.tolist(), found.truth.tolist()) == ("sides", [1, 0, 1], [1, 1, 0])
    assert found.share == pytest.approx(1 / (1 + np.exp(-np.abs(out[:, 0]))))
    assert found.values.sum(axis=1) == pytest.approx(np.ones(3))
    margins = answers_of(tn.Hinge(), out, 2 * y - 1)
    assert (margins.answer.tolist(), margins.truth.tolist()) == ([1, 0, 1], [1, 1, 0])
    assert margins.wrong is not None
    assert margins.wrong.tolist() == [False, True, True]
    assert np.isnan(margins.share).all()


def test_plain_values_and_sequences_are_neither_right_nor_wrong() -> None:
    values = answers_of(tn.MSE(), np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]]))
    assert (values.kind, values.answer.tolist(), values.wrong) == ("values", [NONE], None)
    assert values.targets is not None
    assert values.targets.tolist() == [[1.0, 0.0]]
    series = answers_of(tn.MSE(), np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([[[0.0, 1.0], [5.0, 6.0]]]))
    assert series.targets is not None
    assert (series.values.tolist(), series.targets.tolist()) == ([[3.0, 4.0]], [[5.0, 6.0]])
    sequence = answers_of(tn.CrossEntropy(), np.array([[[9.0, 0.0], [0.0, 9.0]]]), np.array([[0, 1]]))
    assert (sequence.answer.tolist(), sequence.truth.tolist(), sequence.wrong) == ([1], [1], None)


def test_outputs_that_are_no_numbers_are_no_answer_and_wrong() -> None:
    found = answers_of(tn.CrossEntropy(), np.array([[np.nan, 1.0], [0.0, 1.0]]), np.array([0, 1]))
    assert found.answer.tolist() == [NONE, 1]
    assert found.wrong is not None
    assert found.wrong.tolist() == [True, False]
    assert np.isnan(found.share[0])


def test_a_target_to_be_avoided_is_right_when_missed() -> None:
    found = answers_of(tn.CrossEntropy(), np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([1, 1]), np.array([-1.0, 1.0]))
    assert found.wrong is not None
    assert found.wrong.tolist() == [True, False]
    assert found.loss[0] == pytest.approx(-found.loss[1])
