"""The neuron pane lists as many terms of a sum as it has room for, and what the others come to."""

from __future__ import annotations

import re

import pytest
from opening import WIDE, lab, real, screen_text, until
from panes import drawn, frame_of

import tinynets as tn
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, View
from tinynets.server.frame_builder import FrameBuilder
from tui.render.drawing import signed
from tui.widgets.neuron import NeuronPane


def frame_with(terms: int) -> Frame:
    return FrameBuilder.of(tn.Lab("names-mlp")).frame(View("hidden", 3, terms=terms), 1, Activity())


def test_a_frame_carries_as_many_terms_as_are_asked_for() -> None:
    for asked, listed in ((12, 12), (20, 20), (40, 30), (10**9, 30), (0, 1)):
        neuron = frame_with(asked).neuron
        assert neuron is not None
        assert len(neuron.contributions) == listed
        assert len(neuron.outgoing) == min(max(asked, 1), 27)
        whole = sum(term.product for term in neuron.contributions) + neuron.rest
        assert whole == pytest.approx(neuron.weighted, abs=1e-6)


def test_all_terms_are_shown_where_there_is_room() -> None:
    text = drawn(NeuronPane(), frame_with(40), 158, 38)
    assert sum(row.startswith("embed[") for row in text) == 30
    assert not any("the others" in row for row in text)


@pytest.mark.parametrize("height", [10, 14, 24])
def test_terms_for_which_there_is_no_room_are_summed(height: int) -> None:
    frame = frame_with(40)
    rows = [row for row in drawn(NeuronPane(), frame, 98, height) if row.startswith(("embed[", "the others"))]
    assert frame.neuron is not None
    products = [term.product for term in frame.neuron.contributions]
    assert "the others" in rows[-1]
    assert signed(sum(products[len(rows) - 1 :]), 3) in rows[-1]


@pytest.mark.parametrize("size", [(62, 12), (40, 14)])
def test_a_list_that_stands_alone_ends_with_what_the_others_come_to(size: tuple[int, int]) -> None:
    lines = drawn(NeuronPane(), frame_of("names-transformer", "block1b.down", 31), *size)
    assert lines[-1].startswith("the others")


@pytest.mark.parametrize("size", [(62, 14), (42, 13), (38, 16)])
def test_a_channel_lists_its_terms_beside_its_map(size: tuple[int, int]) -> None:
    rows = drawn(NeuronPane(), frame_of("digits-cnn", "conv1", 0), *size)
    assert sum(row.startswith("x[0]@") for row in rows) >= 3
    assert any("the channel" in row for row in rows)


def test_a_position_of_which_the_row_has_room_for_all_shows_all_its_shares() -> None:
    rows = drawn(NeuronPane(), frame_of("names-transformer", "block1a.attention", 0, 5), 62, 12)
    last = [int(share) for share in rows[-1].split()[1:]]
    assert len(last) == 8
    assert sum(last) == pytest.approx(100, abs=4)


def test_all_first_words_of_a_verdict_are_coloured() -> None:
    pane, frame = NeuronPane(), frame_of("perceptron", "output", 0)
    drawn(pane, frame, 62, 12)
    assert next(segment.text for segment in pane.draw(62, 12)[1]) == "the same"


@pytest.mark.proof
async def test_the_zoomed_neuron_shows_every_term() -> None:
    async with real("names-mlp", WIDE) as (pilot, _):
        await pilot.press("6", "x")
        await until(pilot, lambda: len(re.findall(r"^.▶?embed\[", screen_text(pilot), re.MULTILINE)) == 30)
        await pilot.press("x")
        await until(pilot, lambda: len(lab(pilot).frame.neuron.contributions) == 12)  # type: ignore[union-attr]


@pytest.mark.parametrize("width", [38, 40, 46, 54])
def test_a_kernel_never_cuts_the_numbers_beside_it(width: int) -> None:
    rows = drawn(NeuronPane(), frame_of("digits-cnn", "conv1", 0), width, 13)
    assert any("= 1.481" in row for row in rows)
    assert any("sat. " in row and "%" in row for row in rows)
