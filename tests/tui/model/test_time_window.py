"""The range of time: zooming and moving never leave it empty or beyond what there is."""

from __future__ import annotations

from dataclasses import replace

import frames
from hypothesis import given
from hypothesis import strategies as st

from tinynets.server.frame import BranchLine, Frame, View
from tui.model.time_window import LEAST, TimeWindow, containing, moved, span_of, words, zoomed


def frame_at(step: int, end: int, longest: int = 0) -> Frame:
    world = frames.World(step=step, end=end)
    if longest:
        world.others = [BranchLine("long", 0, longest, False, "main", 1)]
    return frames.frame(world, View(panes=()))


FRAMES = {(end, longest): frame_at(end, end, longest) for end in (0, 1, 7, 1000) for longest in (0, 5000)}
ACTS = st.lists(st.sampled_from(["in", "out", "earlier", "later", "cursor"]), max_size=30)


@given(ACTS, st.sampled_from(sorted(FRAMES)), st.integers(0, 1000))
def test_whatever_is_pressed_there_is_a_range_of_steps_within_what_there_is(
    acts: list[str], which: tuple[int, int], cursor: int
) -> None:
    frame, (end, longest) = FRAMES[which], which
    window = TimeWindow()
    for act in acts:
        if act == "in":
            window = zoomed(window, 2, frame, None)
        elif act == "out":
            window = zoomed(window, 0.5, frame, None)
        elif act == "cursor":
            window = containing(zoomed(window, 2, frame, min(cursor, end)), min(cursor, end), frame)
        else:
            window = moved(window, 1 if act == "later" else -1, frame)
        first, last = span_of(window, end)
        assert 0 <= first < last <= max(end, longest, LEAST)
        assert not window.steps or window.steps >= min(LEAST, max(end, 1))
        assert words(window, end)


def test_zooming_in_follows_the_newest_step_or_stays_around_the_cursor_or_a_past_step() -> None:
    newest, past = frame_at(1000, 1000), frame_at(300, 1000)
    assert zoomed(TimeWindow(), 2, newest, None) == TimeWindow(500)
    assert span_of(zoomed(TimeWindow(), 4, newest, 500), 1000) == (375, 625)
    assert span_of(zoomed(TimeWindow(), 4, past, None), 1000) == (175, 425)
    assert zoomed(TimeWindow(500, 600), 0.5, newest, None) == TimeWindow()


def test_beyond_all_of_a_short_branch_a_longer_one_is_seen() -> None:
    short = frame_at(200, 200, 1000)
    once = zoomed(TimeWindow(), 0.5, short, None)
    assert span_of(once, 200) == (0, 400)
    assert span_of(zoomed(zoomed(once, 0.5, short, None), 0.5, short, None), 200) == (0, 1000)
    assert zoomed(once, 2, short, None).steps == 200
    assert replace(once, curve="rate").curve == "rate"
