"""Which class is taken for which, over a whole split: against the lab's own accuracy and a direct count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinynets as tn
from tinynets.lab.command_line import parse


@pytest.mark.parametrize("recipe", ["names-mlp", "digits", "spiral", "perceptron", "names-transformer"])
def test_its_diagonal_is_the_accuracy_and_its_rows_are_the_data(recipe: str) -> None:
    lab = tn.Lab(recipe)
    lab.run(30)
    digest = lab.state.digest()
    found, evaluation = lab.confusion(), lab.evaluate()
    assert lab.state.digest() == digest
    assert (found.split, found.step, found.total) == (evaluation.split, 30, evaluation.examples)
    if recipe != "names-transformer":  # its accuracy is over all letters of a text, this over the last
        assert found.right / found.total == pytest.approx(evaluation.accuracy)
    y = np.asarray(lab.split(found.split)[1])
    assert found.counts.sum(axis=1).sum() == len(y)


def test_it_counts_each_pair_of_a_class_and_its_answer() -> None:
    lab = tn.Lab("digits")
    lab.run(60)
    x, y = lab.split("dev")
    answers = lab.network.predict(x).argmax(axis=1)
    pairs = Counter(zip(np.asarray(y).tolist(), answers.tolist(), strict=True))
    found = lab.confusion("dev")
    assert {(a, b): count for (a, b), count in np.ndenumerate(found.counts) if count} == dict(pairs)
    wrong = max(count for (a, b), count in pairs.items() if a != b)
    truth, answer, count = found.mistakes()[0]
    assert count == wrong
    assert f"{found.right} of {len(y)} of dev right" in str(found)
    assert f"taken most: '{truth}' for '{answer}' {count}x" in str(found)
    assert found.config()["counts"] == found.counts.tolist()


def test_it_counts_with_what_stands_on_the_units() -> None:
    lab = tn.Lab("digits")
    lab.run(60)
    before = lab.confusion()
    lab.zero("hidden")
    after = lab.confusion()
    assert np.count_nonzero(after.counts.sum(axis=0)) == 1
    assert before.right > after.right


def test_it_can_be_typed() -> None:
    assert parse("confusion dev").python() == 'lab.confusion("dev")'


def test_what_has_no_classes_has_no_confusion(says: Callable[..., Any]) -> None:
    with says(tn.EditError, "`confusion` is of classes, and this network does not choose among classes"):
        tn.Lab("colors-som").confusion()
    with says(tn.EditError, "there is no split `tset`, only train, dev"):
        tn.Lab("xor").confusion("tset")
