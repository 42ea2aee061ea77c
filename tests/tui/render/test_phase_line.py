"""The phases of a step in one line, for any network and any width."""

from __future__ import annotations

from dataclasses import replace

import frames
import pytest
from rich.cells import cell_len

from tinynets.server.frame import BreakpointMark, PhaseMark, Status, View
from tui.render.palette import Terminal
from tui.render.phase_line import Piece, phase_line

SMALL = ("embed", "hidden", "tanh1", "output")
LARGE = tuple(f"block{b}{part}" for b in range(6) for part in (".split", ".norm", ".attention", ""))


def status(layers: tuple[str, ...], done: int, *, mode: str = "paused", stops: tuple[str, ...] = ()) -> Status:
    made = [PhaseMark("batch", "", ""), *(PhaseMark("forward", name, name) for name in layers)]
    made += [PhaseMark("loss", "", ""), *(PhaseMark("backward", name, name) for name in reversed(layers))]
    made.append(PhaseMark("update", "", ""))
    return replace(
        frames.frame(frames.World(), View()).status,
        phases=tuple(made),
        phases_done=done,
        phases_total=len(made),
        phase=made[done - 1].name if done else "",
        mode=mode,
        breakpoints=tuple(BreakpointMark(n, text, True, True, "") for n, text in enumerate(stops, 1)),
    )


def text(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def test_where_there_is_room_every_phase_has_its_name_and_its_state_a_glyph() -> None:
    shown = text(phase_line(status(SMALL, 4), 160, Terminal()))
    assert " ".join(shown.split()) == (
        "● batch ● embed ● hidden ◉ tanh1 ○ output ○ loss ◁ output ◁ tanh1 ◁ hidden ◁ embed ○ update 4 / 11"
    )
    shown = text(phase_line(status(SMALL, 8), 160, Terminal(unicode=False)))
    assert " ".join(shown.split()) == (
        "* batch * embed * hidden * tanh1 * output * loss * output @ tanh1 < hidden < embed o update 8 / 11"
    )


def test_between_steps_it_says_which_key_begins_one_and_while_it_runs_nothing() -> None:
    assert text(phase_line(status(SMALL, 0), 160, Terminal())).endswith(" n begins a step ")
    assert text(phase_line(status(SMALL, 0, mode="running"), 160, Terminal())).rstrip().endswith("○ update")


@pytest.mark.parametrize("layers", [SMALL, LARGE, ("a" * 80, "文" * 30), ("one",)])
@pytest.mark.parametrize("width", [60, 80, 100, 160, 240])
def test_it_fills_any_width_exactly_and_names_the_present_phase(layers: tuple[str, ...], width: int) -> None:
    for done in range(2 * len(layers) + 3):
        now = status(layers, done)
        pieces = phase_line(now, width, Terminal())
        assert sum(cell_len(piece.text) for piece in pieces) == width
        if done:
            glyphs = [piece for piece in pieces if piece.text.startswith("◉")]
            assert [piece.phase for piece in glyphs] == [done - 1]
            name = now.phases[done - 1].layer or now.phases[done - 1].kind
            assert glyphs[0].text[2:12] == name[:10]
        numbers = [piece.phase for piece in pieces if piece.phase >= 0]
        assert numbers == sorted(numbers)


def test_phases_out_of_sight_are_counted_at_both_ends() -> None:
    now = status(LARGE, 20)
    pieces = phase_line(now, 80, Terminal())
    shown = {piece.phase for piece in pieces if piece.phase >= 0}
    first, last = min(shown), max(shown)
    assert shown == set(range(first, last + 1))
    assert text(pieces).startswith(f" {first} ‹ ")
    assert f" › {len(now.phases) - last - 1} " in text(pieces)


@pytest.mark.parametrize("width", [80, 160])
def test_a_breakpoint_at_a_phase_is_marked_with_or_without_its_name(width: int) -> None:
    now = status(LARGE, 3, stops=("backward block0.norm", "forward block0.norm"))
    marks = [piece for piece in phase_line(now, width, Terminal()) if "!" in piece.text]
    assert [piece.phase for piece in marks][:1] == [2]
    if width == 160:
        assert now.phases[marks[-1].phase].name == "backward block0.norm"
    off = replace(now, breakpoints=tuple(mark._replace(on=False) for mark in now.breakpoints))
    assert "!" not in text(phase_line(off, width, Terminal()))
