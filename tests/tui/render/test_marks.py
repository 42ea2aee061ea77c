"""Each state of a unit has one glyph and one colour everywhere, in the richest set that the terminal has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from frames import World, frame
from panes import PLAIN, drawn

import tinynets as tn
from tinynets.nn.interventions import KINDS
from tinynets.server.activity import Activity
from tinynets.server.frame import Frame, Standing, StandingIntervention, View
from tinynets.server.frame_builder import FrameBuilder
from tui.model.selection import Selection, followed, unit_now
from tui.render.marks import SIGNS, Marks
from tui.render.palette import Terminal
from tui.widgets.activations import ActivationsPane
from tui.widgets.network import NetworkPane
from tui.widgets.neuron import NeuronPane
from tui.widgets.weights import WeightsPane


@pytest.fixture(scope="module")
def operated() -> Frame:
    """A frame with a unit for each kind of intervention, some of them frozen or partly frozen; the last is selected."""
    lab = tn.Lab("names-mlp")
    lab.zero("hidden[1]")
    lab.mean("hidden[2]")
    lab.resample("hidden[3]")
    lab.clamp("hidden[4]", 0.5)
    lab.scale("hidden[5]", 2)
    lab.noise("hidden[6]", 0.1)
    lab.patch("hidden[7]", example=3)
    lab.steer("hidden[8]", toward="a")
    lab.clamp("hidden.pre[9]", 1)
    lab.scale("hidden[9]", 2)
    lab.freeze("hidden[10]")
    lab.freeze("hidden.w[0,11]")
    lab.rate("hidden[12]", 0.5)
    return FrameBuilder.of(lab).frame(View("hidden", 9), 1, Activity())


@pytest.mark.parametrize("look", [Terminal(), Terminal(colour=False), PLAIN])
def test_every_pane_shows_what_stands_with_the_same_glyphs(operated: Frame, look: Terminal) -> None:
    names = [*KINDS, "frozen", "partly", "rate"]
    for pane in (NetworkPane(), WeightsPane(), ActivationsPane()):
        text = "\n".join(drawn(pane, operated, 93, 16, look))
        assert [name for name in names if SIGNS[name].glyph(look) not in text] == [], pane.NAME


def test_the_network_counts_what_stands_and_its_legend_says_it_in_words(operated: Frame) -> None:
    text = "\n".join(drawn(NetworkPane(), operated, 260, 16))
    assert "∅ 1 zeroed" in text
    assert "& 1 several of these" in text
    assert "½ 1 frozen in part" in text
    narrow = next(row for row in drawn(NetworkPane(), operated, 50, 16) if "▶ hidden" in row)
    assert "& 9" in narrow  # all interventions
    assert "✱ 1" in narrow


def test_the_neuron_lists_what_stands_on_it_in_order_with_its_amount(operated: Frame) -> None:
    lines = drawn(NeuronPane(), operated, 62, 16)
    assert lines[1].startswith("clamped to 1 and scaled by 2 by you")  # the sentence, before the list
    at = next(at for at, row in enumerate(lines) if row.startswith("w·x + b")) - 1
    assert lines[at].split("  →  ")[0].strip() == "≡ clamp 1 before the activation"
    assert lines[at].split("  →  ")[1].strip() == "× scale 2"
    assert operated.neuron is not None
    assert f"without: {operated.neuron.clean:.3f}" in "\n".join(lines)
    narrow = drawn(NeuronPane(), operated, 34, 16)
    at = next(at for at, row in enumerate(narrow) if row.startswith("w·x + b")) - 2
    assert "clamp 1 before" in narrow[at]
    assert "scale 2" in narrow[at + 1]


def test_glyphs_are_different_and_one_cell_wide() -> None:
    for look in (Terminal(), PLAIN):
        glyphs = [sign.glyph(look) for sign in SIGNS.values()]
        assert len(set(glyphs)) == len(glyphs)
        assert {len(glyph) for glyph in glyphs} == {1}


def test_the_colours_of_marks_are_not_those_of_values() -> None:
    from tui.render.palette import NEGATIVE, POSITIVE

    for sign in SIGNS.values():
        assert sign.style.color is not None
        assert tuple(sign.style.color.triplet or ()) not in (NEGATIVE, POSITIVE)


def test_two_things_on_a_unit_have_two_glyphs_where_there_is_room() -> None:
    standing = replace(
        Standing.none(2),
        output=np.array([2, 0], np.int8),
        frozen=np.array([2, 2], np.int8),
        kinds=("", "several", "zero"),
    )
    mark = Marks(standing, np.zeros(2, np.bool_)).of(0)
    assert mark is not None
    assert (mark.text(1, Terminal()), mark.text(2, Terminal())) == ("∅", "∅✱")


def test_a_single_frozen_weight_is_told_where_the_cursor_is(operated: Frame) -> None:
    frame = replace(operated, view=replace(operated.view, unit=11))
    pane = WeightsPane()
    assert "✱ frozen" in drawn(pane, frame, 93, 16)[-1]
    assert pane.detail == "hidden.w (30, 200), 1 frozen alone"
    assert "✱ frozen" not in drawn(WeightsPane(), operated, 93, 16)[-1]


def test_amounts_and_places_are_said_as_they_are_typed() -> None:
    assert str(StandingIntervention("noise", 0.1, before=True)) == "noise 0.1 before the activation"
    assert str(StandingIntervention("zero", time=3)) == "zero at t=3"


@pytest.fixture(scope="module")
def timed() -> Frame:
    """A frame of a sequence: a unit zeroed at one time step, one changed at two, and one scaled at every step."""
    lab = tn.Lab("names-rnn")
    lab.step(2)
    lab.zero("rnn[5]@t=3")
    lab.zero("rnn[7]@t=1")
    lab.clamp("rnn[7]@t=6", 0.5)
    lab.scale("rnn[9]", 2)
    lab.zero("rnn[9]@t=2")
    empty = lab.probe.examples.index("." * 8)
    return FrameBuilder.of(lab).frame(View("rnn", 5, empty), 1, Activity())


def test_what_stands_at_one_time_step_marks_that_row_alone_and_the_rows_are_numbered(timed: Frame) -> None:
    rows = {row.split()[0]: row for row in drawn(NetworkPane(), timed, 160, 16) if row.startswith(" t=")}
    assert list(rows) == [f"t={time}" for time in range(8)]
    assert {time for time, row in rows.items() if "∅" in row} == {"t=1", "t=3"}
    assert "≡" in rows["t=6"]
    assert all(("×" in rows[f"t={time}"]) == (time != 2) for time in range(8))
    assert "&" in rows["t=2"]


def test_time_steps_are_numbered_where_the_pane_is_narrow(timed: Frame) -> None:
    rows = drawn(NetworkPane(), timed, 38, 40)
    assert [row[:2] for row in rows if row[:1] == "t"] == [f"t{time}" for time in range(8)]


def test_where_one_glyph_stands_for_a_unit_it_is_of_all_its_time_steps(timed: Frame) -> None:
    found = timed.standing["rnn"]
    names = [found.kinds[code] for code in found.anywhere().op[[5, 7, 9, 0]]]
    assert names == ["zero", "several", "several", ""]
    assert [found.kinds[code] for code in found.at(3).op[[5, 7, 9]]] == ["zero", "", "scale"]
    assert "∅" in drawn(ActivationsPane(), replace(timed, view=replace(timed.view, unit=0)), 93, 16)[0]


def test_the_neuron_speaks_of_what_stands_at_the_time_step_it_shows(timed: Frame) -> None:
    assert timed.neuron is not None
    text = "\n".join(drawn(NeuronPane(), timed, 62, 16))
    assert "∅ zero at t=3" in text
    assert f"at t=7 (.)  without what stands at t=3: {timed.neuron.clean:.3f}" in text.replace("−", "-")
    assert "→ zero" not in text
    assert "0 .   1 .   2 ." in text


def test_a_unit_zeroed_at_one_time_step_can_be_zeroed_and_released(timed: Frame) -> None:
    now = unit_now(timed, Selection("rnn", 5))
    assert (now.output, now.times) == ("", (3,))
    assert unit_now(timed, Selection("rnn", 9)).output == "scale"


def renumbered(numbers: list[int]) -> Frame:
    """A frame whose hidden units are the given ones of the first 200."""
    made = frame(World(), View("hidden"))
    standing = {**made.standing, "hidden": replace(Standing.none(len(numbers)), numbers=np.array(numbers))}
    blocks = tuple(replace(b, units=len(numbers)) if b.name == "hidden" else b for b in made.blocks)
    return replace(made, standing=standing, blocks=blocks)


@pytest.mark.parametrize(
    ("unit", "left", "expected"),
    [(5, [0, 1, 3, 4, 5, 6], 4), (2, [0, 1, 3, 4, 5, 6], 2), (6, [0, 1, 2, 3], 3), (3, [0, 1, 2, 3, 1000], 3)],
)
def test_the_cursor_stays_on_its_unit_and_where_that_is_gone_on_the_next(
    unit: int, left: list[int], expected: int
) -> None:
    before = renumbered([0, 1, 2, 3, 4, 5, 6])
    assert followed(Selection("hidden", unit, 7), before, renumbered(left)) == Selection("hidden", expected, 7)


def test_where_the_block_is_gone_the_cursor_goes_to_the_one_before() -> None:
    before = renumbered([0, 1, 2])
    after = replace(
        before,
        standing={name: entry for name, entry in before.standing.items() if name != "hidden"},
        blocks=tuple(block for block in before.blocks if block.name != "hidden"),
    )
    assert followed(Selection("hidden", 2, 7), before, after) == Selection("embed", 0, 7)


def test_of_a_unit_that_is_not_there_nothing_is_known() -> None:
    assert unit_now(None, Selection("hidden", 1)) == unit_now(renumbered([0]), Selection("hidden", 5))
