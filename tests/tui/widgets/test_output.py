"""The output pane: what the network says, and in mid-step, until it says something, the batch it was given."""

from __future__ import annotations

from dataclasses import replace

import pytest
from panes import drawn, frame_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.widgets.output import OutputPane


def in_mid_step(recipe: str) -> Frame:
    lab = tn.Lab(recipe)
    lab.phase()
    return FrameBuilder.of(lab).frame(View(batch_example=3), 1, Activity())


@pytest.mark.parametrize("size", [(62, 12), (38, 10)])
@pytest.mark.parametrize("recipe", ["names-mlp", "xor", "digits-cnn"])
def test_until_the_loss_is_known_the_examples_of_the_batch_are_listed(recipe: str, size: tuple[int, int]) -> None:
    frame, pane = in_mid_step(recipe), OutputPane()
    rows = drawn(pane, frame, *size)
    assert pane.detail == "not yet; the batch of step 1"
    assert any(f"▶ {frame.examples[3]}"[: size[0] - 4] in row for row in rows)
    assert sum("▶" in row for row in rows) == 1


def test_a_probability_of_all_stands_apart_from_its_bar() -> None:
    frame = frame_of("digits")
    assert frame.output is not None
    sure = replace(frame.output, values=frame.output.values * 0 + (frame.output.values.max() == frame.output.values))
    rows = drawn(OutputPane(), replace(frame, output=sure), 62, 10)
    assert any(" 100.0%" in row for row in rows)


def test_an_output_between_two_sides_is_neither() -> None:
    verdict = drawn(OutputPane(), frame_of("perceptron"), 62, 10)[0]
    assert verdict.startswith("answer neither")
    assert "wrong" in verdict
