"""What the Examples and Output panes show, on frames of the real recipes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from panes import PLAIN, RECIPES, drawn, frame_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, OwnInput, View
from tinynets.server.frame_builder import FrameBuilder
from tui.render.palette import Terminal
from tui.widgets.examples import ExamplesPane
from tui.widgets.output import OutputPane

SIZES = [(62, 12), (93, 30), (38, 15), (28, 4), (20, 2), (150, 40)]


def matrix_of(frame: Frame) -> ExamplesPane:
    pane = ExamplesPane()
    assert frame.answers is not None
    pane._cell = (int(frame.answers.truth[0]), int(frame.answers.answer[0]))
    return pane


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("size", SIZES)
def test_examples_are_drawn_for_every_recipe_in_any_room_with_and_without_colours(
    recipe: str, size: tuple[int, int]
) -> None:
    frame = frame_of(recipe)
    for look in (Terminal(), PLAIN):
        for pane in (ExamplesPane(), matrix_of(frame), OutputPane()):
            text = "\n".join(drawn(pane, frame, *size, look))
            assert look.unicode or not set("▀▐▌■█◆●▶◀│✓✗") & set(text)


def test_a_row_tells_example_truth_answer_loss_and_verdict() -> None:
    frame = frame_of("names-mlp")
    assert frame.answers is not None
    pane = ExamplesPane()
    rows = drawn(pane, frame, 62, 60)
    answers, at = frame.answers, 0
    row = next(text for text in rows if text.startswith("▶"))
    assert row.split()[1:4] == [
        answers.captions[at],
        answers.labels[answers.truth[at]],
        answers.labels[answers.answer[at]],
    ]
    assert row.rstrip().endswith("✗ wrong")
    assert pane.detail.startswith("probe: 4 of 64 right")


def test_every_class_has_a_heading_with_its_share() -> None:
    frame = frame_of("xor")
    assert frame.answers is not None
    text = drawn(ExamplesPane(), frame, 62, 90)
    for label in (0, 1):
        own = frame.answers.truth == label
        right = int((frame.answers.answer[own] == label).sum())
        assert any(row.startswith(f"{label} ") and f"{right} of {own.sum()} right" in row for row in text)


def test_digits_are_pictures_with_truth_and_answer_below() -> None:
    frame = frame_of("digits")
    assert frame.answers is not None
    rows = drawn(ExamplesPane(), frame, 62, 12)
    truth, answer = frame.answers.truth[0], frame.answers.answer[0]
    assert any(f"▶{truth}→{answer}" in row for row in rows)
    assert sum("▀" in row for row in rows) >= 4


def test_arrows_walk_pictures_across_and_down_and_rows_only_down() -> None:
    pane = ExamplesPane()
    frame = frame_of("digits")
    drawn(pane, frame, 62, 12)
    assert frame.answers is not None
    ordered = pane.ordered(frame.answers).tolist()
    right, at = pane.moved(1, 0), ordered.index(0)
    assert right is not None
    assert right.example == ordered[min(at + 1, 63)]
    assert pane.moved(0, 1) is not None
    rows = ExamplesPane()
    drawn(rows, frame_of("xor"), 62, 12)
    assert rows.moved(1, 0) is None
    down = rows.moved(0, 1)
    assert down is not None
    assert down.example is not None


def test_the_matrix_holds_the_counts_and_lists_a_cell() -> None:
    frame = frame_of("digits")
    answers = frame.answers
    assert answers is not None
    assert answers.confusion is not None
    pane = matrix_of(frame)
    rows = drawn(pane, frame, 62, 14)
    for label in range(10):
        shown = rows[1 + label].replace("✓", " ").replace("[", " ").replace("]", " ").replace("·", "0").split()
        assert [int(count) for count in shown[1:11]] == answers.confusion[label].tolist()
    truth, answer = int(answers.truth[0]), int(answers.answer[0])
    count = answers.confusion[truth, answer]
    assert f"{truth} taken for {answer}: {count} of {answers.confusion[truth].sum()}" in rows[-1]
    assert pane.list_cell()
    drawn(pane, frame, 62, 14)
    assert len(pane.ordered(answers)) == count
    assert f"{count} of {truth} answered {answer}" in pane.detail


def test_the_matrix_of_27_letters_scrolls_to_its_cursor() -> None:
    pane = matrix_of(frame_of("names-mlp"))
    drawn(pane, frame_of("names-mlp"), 62, 12)
    pane._cell = (26, 26)
    rows = drawn(pane, frame_of("names-mlp"), 62, 12)
    assert rows[-2].startswith("z")
    assert rows[0].rstrip().removesuffix("right").rstrip().endswith("z")
    assert "of 27" in pane.footnote
    assert pane.reading(rows[0].index("z"), 9).startswith("y taken for z: 0 of ")  # under the mouse
    assert pane.reading(rows[0].index("z"), 0) == ""


@pytest.mark.parametrize("recipe", ["digits", "xor", "names-mlp"])
def test_answer_truth_and_verdict_are_told_apart_in_words(recipe: str) -> None:
    frame = frame_of(recipe)
    output = frame.output
    assert output is not None
    rows = drawn(OutputPane(), frame, 62, 12)
    said, wanted = output.labels[output.answer], output.labels[output.target]
    assert rows[0].startswith("answers" if output.samples else "answer")
    assert f" {said} " in rows[0]
    assert f"truth {wanted} " in rows[0]
    assert ("✓ right" if output.right else "✗ wrong") in rows[0]
    answers = [row for row in rows[1:] if "answer" in row or "both" in row]
    assert [row.split()[0] for row in answers] == [said]
    if said != wanted:
        assert [row.split()[0] for row in rows[1:] if "◀ truth" in row] == [wanted]


def test_a_single_output_is_told_as_a_class() -> None:
    x = np.linspace(-1, 1, 40).reshape(-1, 1)
    y = (x > 0).astype(float)
    layers = [tn.Linear(1, 1, name="output")]
    lab = tn.Lab(tn.Network(layers), data=(x, y), loss=tn.BinaryCrossEntropy(), optimizer=tn.SGD(0.1))
    frame = FrameBuilder.of(lab).frame(View(), 1, Activity())
    rows = drawn(OutputPane(), frame, 62, 12)
    assert rows[0].startswith("answer ")
    assert "truth 0" in rows[0]
    assert {row.split()[0] for row in rows[1:3]} == {"0", "1"}
    margin = drawn(OutputPane(), frame_of("perceptron"), 62, 12)
    assert "truth -1" in margin[0] or "truth +1" in margin[0]


def test_plain_values_tell_answer_truth_and_error() -> None:
    x = np.linspace(-1, 1, 40).reshape(-1, 1)
    layers = [tn.Linear(1, 1, name="output")]
    lab = tn.Lab(tn.Network(layers), data=(x, 2 * x), loss=tn.MSE(), optimizer=tn.SGD(0.1))
    frame = FrameBuilder.of(lab).frame(View(example=3), 1, Activity())
    output = frame.output
    assert output is not None
    assert output.targets is not None
    row = drawn(OutputPane(), frame, 62, 12)[0].split()
    assert row[::2] == ["answer", "truth", "error"]
    assert float(row[5]) == pytest.approx(abs(output.values[0] - output.targets[0]), abs=0.01)
    pane = ExamplesPane()
    drawn(pane, frame, 62, 12)
    assert "n: next of a loss above the mean" in pane.footnote


def test_an_input_of_ones_own_has_an_answer_and_no_verdict() -> None:
    lab = tn.Lab("names-mlp")
    frame = FrameBuilder.of(lab).frame(View(own=OwnInput("emma")), 1, Activity())
    pane = OutputPane()
    rows = drawn(pane, frame, 62, 12)
    assert "yours: emma" in pane.detail
    assert "truth unknown" in rows[0]
    assert "right" not in rows[0]
    assert "wrong" not in rows[0]


def test_outputs_that_are_nan_are_drawn_and_called_so() -> None:
    frame = frame_of("digits")
    assert frame.output is not None
    assert frame.answers is not None
    nan = replace(
        frame,
        output=replace(frame.output, values=np.full(10, np.nan), answer=-1, right=False, loss=float("nan")),
        answers=replace(
            frame.answers, answer=np.full(64, -1), share=np.full(64, np.nan), loss=np.full(64, np.nan, np.float32)
        ),
    )
    assert drawn(OutputPane(), nan, 62, 12)[0].startswith("answer NaN")
    assert any("→NaN" in row for row in drawn(ExamplesPane(), nan, 62, 12))
