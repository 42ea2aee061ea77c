"""The time machine: bookmarks, branches renamed and dropped, moments among edits, runs until something holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinynets as tn
from tinynets.history import moves, runs
from tinynets.history.keyframes import RING
from tinynets.history.moment import Moment
from tinynets.jobs import run_to_end

Make = Callable[..., tn.Lab]
Says = Callable[..., Any]
ONE_STEP = 5e-6  # seconds: more than 0, less than a step takes


@pytest.fixture
def lab(make_tiny: Make) -> tn.Lab:
    return make_tiny(optimizer=tn.SGD(0.1, momentum=0.9))


def where(lab: tn.Lab) -> tuple[Any, ...]:
    """All that must be unchanged after a move that was refused, or that looked elsewhere and came back."""
    player = lab.player
    kept = tuple((b.number, b.name, len(b.losses), len(b.edits)) for b in player.timeline.branches.values())
    undo = tuple(player.timeline.actions), tuple(player.timeline.undone)
    return lab.moment, lab.branch, lab.state.digest(), player.phases_done, kept, undo, lab.bookmarks


def operated(lab: tn.Lab) -> dict[Moment, str]:
    """The digest of every moment of a run with edits at steps 0, 5 (three of them) and 8."""
    seen = {lab.moment: lab.state.digest()}

    def act(verb: Callable[..., object], *arguments: Any) -> None:
        verb(*arguments)
        seen[lab.moment] = lab.state.digest()

    act(lab.zero, "hidden[0]")
    for step in range(1, 11):
        act(lab.step)
        if step == 5:
            act(lab.freeze, "hidden[1]")
            act(lab.activation, "hidden", "relu")
            act(lab.set, "lr", 0.01)
        if step == 8:
            act(lab.release, "hidden[0]")
    return seen


# -- moments among the edits of a step


def test_every_moment_among_the_edits_of_a_step_is_reached_by_its_number(lab: tn.Lab) -> None:
    seen = operated(lab)
    first = {0: 0, 5: 1, 8: 4}
    for moment in sorted(seen, key=hash):
        lab.seek(moment.step, edits=moment.edits - first.get(moment.step, min(moment.edits, lab_edits(lab, moment))))
        assert (lab.moment, lab.state.digest()) == (moment, seen[moment])
        assert len(lab.log) == moment.edits


def lab_edits(lab: tn.Lab, moment: Moment) -> int:
    """How many edits were made before this step."""
    return lab.player.branch.edits_through(moment.step - 1)


def test_without_a_number_of_edits_a_seek_lands_after_the_last(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.seek(5)
    assert lab.moment == Moment(0, 5, 4)
    lab.seek(6)
    lab.back()
    assert lab.moment == Moment(0, 5, 4)
    assert lab.state.digest() == seen[lab.moment]


def test_a_run_in_the_past_stops_before_the_edits_of_its_last_step_and_the_next_does_them(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.seek(3)
    lab.run(2)
    assert lab.moment == Moment(0, 5, 1)
    lab.run(1)
    assert lab.moment == Moment(0, 6, 4)
    assert lab.state.digest() == seen[lab.moment]
    assert lab.branches == ("main",)


@pytest.mark.parametrize(
    ("step", "edits", "kind", "message"),
    [
        (5, 4, tn.EditError, "`edits (at step 5 there are 3)` must be a whole number from 0 to 3, not 4"),
        (5, -1, tn.EditError, "`edits (at step 5 there are 3)` must be a whole number from 0 to 3, not -1"),
        (6, 1, tn.EditError, "`edits (at step 6 there are 0)` must be a whole number from 0 to 0, not 1"),
        (11, 0, tn.TimelineError, "step 11 is not recorded yet, so no edits were done there"),
        (-1, 0, tn.EditError, "`step` must be a whole number from 0 to 1000000000000, not -1"),
        ("there", None, tn.TimelineError, "there is no bookmark `there`, only here; did you mean `here`?"),
        ("here", 0, tn.TimelineError, "the bookmark `here` is a moment already: `edits` cannot be given with it"),
    ],
)
def test_moments_that_are_not_there_are_refused_and_a_half_done_step_stays(
    lab: tn.Lab, says: Says, step: Any, edits: Any, kind: type[Exception], message: str
) -> None:
    operated(lab)
    lab.bookmark("here")
    lab.phase()
    before = where(lab)
    with says(kind, message):
        lab.seek(step, edits=edits)
    assert where(lab) == before


@pytest.mark.parametrize(
    "act",
    [
        lambda lab: lab.back(40),
        lambda lab: lab.fork("main"),
        lambda lab: lab.switch("nowhere"),
        lambda lab: lab.redo(),
        lambda lab: lab.drop("main"),
        lambda lab: lab.rename("main", "other"),
        lambda lab: lab.bookmark("\n"),
        lambda lab: lab.unbookmark("x"),
        lambda lab: lab.run_until(lambda lab: True, limit=0),
        lambda lab: lab.run_until(3),
        lambda lab: lab.back_until(None),
    ],
    ids=["back", "fork", "switch", "redo", "drop", "rename", "bookmark", "unbookmark", "limit", "number", "none"],
)
def test_a_move_that_is_refused_leaves_a_half_done_step_half_done(lab: tn.Lab, act: Callable[[tn.Lab], object]) -> None:
    lab.run(2)
    lab.fork("other")
    lab.switch("main")
    lab.run(1)
    for _ in range(4):
        lab.phase()
    before = where(lab)
    with pytest.raises((tn.TimelineError, tn.EditError)):
        act(lab)
    assert where(lab) == before


# -- undo, and who keeps a name


def test_a_line_keeps_its_name_when_an_edit_that_left_it_was_undone(lab: tn.Lab) -> None:
    lab.run(30)
    lab.seek(10)
    lab.zero("hidden[1]")
    lab.undo()
    lab.zero("hidden[2]")
    ends = {branch.name: branch.end for branch in lab.tree}
    assert ends["main"] == 30
    assert sorted(ends.values()) == [10, 10, 30]


def test_an_edit_that_nobody_undid_is_replayed_after_another_one_there_was_undone(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.seek(5, edits=0)
    lab.zero("hidden[3]")  # on a branch of its own
    lab.undo()
    assert lab.moment == Moment(0, 5, 1)
    lab.run(5)
    assert lab.moment == Moment(0, 10, 5)
    assert lab.state.digest() == seen[Moment(0, 10, 5)]
    assert len(lab.branches) == 2


@pytest.mark.parametrize("ending", ["phases", "step", "run", "edit"])
def test_undo_of_a_step_begun_in_the_past_leads_to_where_it_was_begun(lab: tn.Lab, ending: str) -> None:
    operated(lab)
    lab.seek(5, edits=1)
    before = lab.moment, lab.state.digest()
    lab.phase()
    if ending == "phases":
        while lab.player.phases_done:
            lab.phase()
    elif ending == "edit":
        lab.freeze("hidden[3]")
        lab.undo()
    else:
        getattr(lab, ending)(1)
    assert lab.step_number == 6
    lab.undo()
    assert (lab.moment, lab.state.digest()) == before


def test_a_redo_that_leads_back_in_time_or_to_another_branch_says_so(lab: tn.Lab) -> None:
    lab.step(9)
    lab.freeze("hidden[0]")
    lab.step(3)
    lab.undo()
    lab.undo()
    lab.seek(12)
    assert str(lab.redo()).startswith("redone: hidden[0] frozen, going back from step 12, at step 9, loss ")
    lab.seek(4)
    lab.zero("hidden[1]")
    assert lab.branch == "branch-2"
    lab.undo()
    assert str(lab.redo()).startswith("redone: hidden[1] zeroed, on branch branch-2, at step 4, loss ")


def test_an_undo_that_leads_forward_in_time_says_so(lab: tn.Lab) -> None:
    lab.step(9)
    lab.freeze("hidden[0]")
    assert str(lab.undo()).startswith("undone: hidden[0] frozen, at step 9, loss ")
    lab.redo()
    lab.back(4)
    assert str(lab.undo()).startswith("undone: hidden[0] frozen, going forward from step 5, at step 9, loss ")
    lab.redo()
    lab.zero("hidden[1]")
    lab.seek(9, edits=0)
    assert str(lab.undo()).startswith("undone: hidden[1] zeroed, going forward over 1 edit, at step 9, loss ")


# -- bookmarks


def test_a_bookmark_leads_back_to_its_moment_from_anywhere(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.seek(5, edits=2)
    made = lab.bookmark("  between  ", "two of three edits done")
    assert (made.name, made.note, made.moment) == ("between", "two of three edits done", lab.moment)
    assert str(made) == "between at step 5: two of three edits done"
    lab.fork("other")
    lab.run(20)
    report = lab.seek("between")
    assert str(report).startswith("at bookmark between, at step 5, loss ")
    assert (lab.branch, lab.moment, lab.state.digest()) == ("main", made.moment, seen[made.moment])


def test_a_name_marks_one_moment_and_bookmarks_stand_in_the_order_of_their_steps(lab: tn.Lab) -> None:
    for step, name in [(9, "late"), (3, "early"), (5, "moves"), (7, "moves")]:
        lab.seek(step)
        lab.bookmark(name)
    assert [(mark.name, mark.moment.step) for mark in lab.bookmarks] == [("early", 3), ("moves", 7), ("late", 9)]
    lab.unbookmark("moves")
    assert [mark.name for mark in lab.bookmarks] == ["early", "late"]


def test_a_bookmark_in_mid_step_marks_the_whole_moment_that_the_step_began_from(lab: tn.Lab) -> None:
    lab.run(3)
    before = lab.state.digest()
    for _ in range(4):
        lab.phase()
    lab.bookmark("here")
    lab.run(5)
    lab.seek("here")
    assert (lab.step_number, lab.state.digest()) == (3, before)


@pytest.mark.parametrize(
    ("name", "note", "message"),
    [
        ("", "", "a bookmark's name must be 1 to 60 printable characters, not ''"),
        (7, "", "a bookmark's name must be 1 to 60 printable characters, not 7"),
        ("a", 7, "a bookmark's note must be text of at most 2,000 characters, not 7"),
    ],
)
def test_a_bookmark_that_is_none_is_refused(lab: tn.Lab, says: Says, name: Any, note: Any, message: str) -> None:
    with says(tn.TimelineError, message):
        lab.bookmark(name, note)
    assert lab.bookmarks == ()


# -- branches


def test_a_renamed_branch_is_the_same_branch(lab: tn.Lab, says: Says) -> None:
    lab.run(3)
    lab.fork("other")
    lab.run(2)
    before = lab.moment, lab.state.digest()
    assert lab.rename("main", " trunk ") == "main is now trunk"
    assert lab.rename("other", "other") == "other is now other"
    assert lab.branches == ("trunk", "other")
    assert (lab.moment, lab.state.digest()) == before
    with says(tn.TimelineError, "there is a branch `trunk` already"):
        lab.rename("other", "trunk")
    with says(tn.TimelineError, "there is no branch `main`, only trunk, other"):
        lab.rename("main", "x")


def family(lab: tn.Lab) -> dict[str, dict[Moment, str]]:
    """main (0-40); a leaves it at 10, b leaves a at 20, c leaves a at 30, d leaves a at 5, e leaves b at 25."""
    lab.run(40)
    for name, parent, step in [("a", "main", 10), ("b", "a", 20), ("c", "a", 30), ("d", "a", 5), ("e", "b", 25)]:
        lab.switch(parent)
        lab.seek(step)
        lab.fork(name)
        lab.set("lr", 0.01 * (1 + len(lab.branches)))
        lab.run(40 - step)
    found: dict[str, dict[Moment, str]] = {}
    for branch in list(lab.branches):
        lab.switch(branch)
        found[branch] = {}
        for step in range(0, 41, 5):
            lab.seek(step)
            found[branch][lab.moment] = lab.state.digest()
    lab.switch("main")
    return found


def branch_places(lab: tn.Lab) -> dict[str, tuple[str, int]]:
    return {branch.name: (branch.parent, branch.fork) for branch in lab.tree}


@pytest.mark.parametrize(
    ("drops", "left"),
    [
        (["e"], {"main": ("", 0), "a": ("main", 10), "b": ("a", 20), "c": ("a", 30), "d": ("a", 5)}),
        (["a"], {"main": ("", 0), "b": ("c", 20), "c": ("main", 10), "d": ("main", 5), "e": ("b", 25)}),
        (["main"], {"a": ("", 0), "b": ("a", 20), "c": ("a", 30), "d": ("a", 5), "e": ("b", 25)}),
        (["b"], {"main": ("", 0), "a": ("main", 10), "c": ("a", 30), "d": ("a", 5), "e": ("a", 20)}),
        (["a", "c", "b"], {"main": ("", 0), "d": ("main", 5), "e": ("main", 10)}),
        (["main", "a", "c"], {"b": ("", 0), "d": ("b", 5), "e": ("b", 25)}),
        (["d", "c", "b", "a", "main"], {"e": ("", 0)}),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, list) else "",
)
def test_what_left_a_dropped_branch_hangs_on_to_what_both_have_of_the_past(
    lab: tn.Lab, drops: list[str], left: dict[str, tuple[str, int]]
) -> None:
    seen = family(lab)
    lab.switch("e" if "e" not in drops else "main")
    for name in drops:
        lab.drop(name)
    assert branch_places(lab) == left
    assert lab.branch == "e" if "e" not in drops else "main"
    timeline = lab.player.timeline
    for name in left:
        lab.switch(name)
        branch = lab.player.branch
        if branch.parent is not None:
            parent = timeline.branches[branch.parent]
            assert branch.edits[: branch.shared] == parent.edits[: branch.shared]
            assert branch.losses.values[: branch.fork].tobytes() == parent.losses.values[: branch.fork].tobytes()
        for moment, digest in seen[name].items():
            lab.seek(moment.step)
            assert (lab.moment, lab.state.digest()) == (moment, digest)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_bookmark_on_a_dropped_branch_goes_over_to_one_that_shares_its_moment_and_else_is_named(
    make_tiny: Make, data: st.DataObject
) -> None:
    lab = make_tiny()
    seen = family(lab)
    marked = {}
    for number, (branch, step) in enumerate(
        data.draw(st.lists(st.tuples(st.sampled_from(lab.branches), st.integers(0, 8)), max_size=8))
    ):
        lab.switch(branch)
        lab.seek(5 * step)
        lab.bookmark(f"mark{number}", branch)
        marked[f"mark{number}"] = lab.state.digest()
    for name in data.draw(st.permutations(lab.branches))[:4]:
        lab.switch(next(other for other in lab.branches if other != name))
        said = lab.drop(name)
        everywhere = {digest for branch in lab.branches for digest in seen[branch].values()}
        for mark, digest in list(marked.items()):
            if f"bookmark {mark}" in said:
                assert digest not in everywhere
                del marked[mark]
            else:
                lab.seek(mark)
                assert lab.state.digest() == digest
        assert {mark.name for mark in lab.bookmarks} == set(marked)


def test_the_current_branch_cannot_be_dropped_and_undo_goes_over_no_dropped_one(lab: tn.Lab, says: Says) -> None:
    lab.run(10)
    lab.seek(4)
    lab.zero("hidden[1]")
    lab.run(5)
    with says(tn.TimelineError, "`branch-2` is the current branch; switch to another before it is dropped"):
        lab.drop("branch-2")
    lab.bookmark("there")
    lab.switch("main")
    assert lab.drop("branch-2") == "branch branch-2 dropped: 5 steps of its own, with bookmark there"
    assert lab.branches == ("main",)
    assert str(lab.undo()) == "undone: 10 steps, at step 0"
    with says(tn.TimelineError, "there is nothing to undo"):
        lab.undo()
    lab.redo()
    assert lab.step_number == 10


def test_a_dropped_branch_takes_its_number_with_it(lab: tn.Lab) -> None:
    numbers = []
    for _ in range(3):
        lab.fork("other")
        numbers.append(lab.moment.branch)
        lab.switch("main")
        lab.drop("other")
    assert numbers == [1, 2, 3]


def test_dropping_a_branch_gives_back_the_memory_that_only_it_held(lab: tn.Lab) -> None:
    timeline = lab.player.timeline
    lab.run(20)
    kept = timeline.keyframes.bytes
    lab.fork("other")
    for _ in range(100):
        timeline.keyframes.stride = 8
        lab.step()
    assert timeline.keyframes.bytes > kept
    lab.switch("main")
    lab.drop("other")
    assert timeline.keyframes.bytes == kept
    assert timeline.keyframes.ring_bytes == sum(state.nbytes() for state in timeline.keyframes.ring.values())
    assert {moment.branch for moment in timeline.keyframes.ring} <= {0}


def test_the_tree_shows_each_branch_behind_the_one_that_it_left(lab: tn.Lab) -> None:
    lab.run(4)
    lab.fork("what-if")
    lab.zero("hidden[1]")
    lab.run(2)
    lab.fork("deeper")
    assert str(lab.tree).splitlines() == [
        "  main        ends at step 4",
        "    what-if   left main at step 4, ends at step 6, 1 edit",
        "*     deeper  left what-if at step 6, ends at step 6",
    ]
    assert [(branch.name, branch.depth, branch.current) for branch in lab.tree] == [
        ("main", 0, False),
        ("what-if", 1, False),
        ("deeper", 2, True),
    ]


def test_a_tree_of_thousands_of_branches_each_off_the_last_is_drawn(lab: tn.Lab) -> None:
    for number in range(2000):
        lab.player.fork(f"b{number}")
    assert [branch.depth for branch in lab.tree] == list(range(2001))
    assert lab.player.timeline.shares(lab.player.branch, Moment(0, 0, 0))


# -- until something holds


def test_run_until_stops_at_the_first_moment_at_which_the_condition_holds(make_tiny: Make) -> None:
    lab, plain = make_tiny(), make_tiny()
    plain.run(200)
    wanted = next(step for step, loss in enumerate(plain.losses, 1) if loss < 0.6)
    report = lab.run_until(lambda lab: lab.loss is not None and lab.loss < 0.6)
    assert (report.found, report.step, report.first) == (True, wanted, 0)
    plain.seek(wanted)
    assert lab.state.digest() == plain.state.digest()
    lab.undo()
    assert lab.step_number == 0


def test_run_until_looks_at_the_moments_between_recorded_edits_too(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.seek(0, edits=0)
    visited = []
    lab.run_until(lambda lab: bool(visited.append((lab.moment, lab.state.digest()))), limit=10)
    assert visited == [entry for entry in seen.items() if entry[0] > Moment(0, 0, 0)]
    assert lab.branches == ("main",)


def test_run_until_gives_up_after_its_limit_and_says_so(lab: tn.Lab) -> None:
    report = lab.run_until(lambda lab: False, limit=7)
    assert (report.found, report.step, lab.end) == (False, 7, 7)
    assert "not within 7 steps; now at step 7" in str(report)


def test_run_until_finishes_a_half_done_step_first(make_tiny: Make) -> None:
    lab, whole = make_tiny(), make_tiny()
    for _ in range(4):
        lab.phase()
    assert lab.run_until(lambda lab: True).step == 1
    whole.step()
    assert lab.state.digest() == whole.state.digest()
    for _ in range(4):
        lab.phase()
    assert lab.run_until(lambda lab: False, limit=3).step == 4
    whole.run(3)
    assert lab.state.digest() == whole.state.digest()


@pytest.mark.parametrize("verb", ["run_until", "back_until"])
def test_closed_early_at_any_point_a_whole_moment_is_left(
    make_tiny: Make, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(runs, "PIECE", ONE_STEP)
    lab = make_tiny()
    seen = operated(lab)
    pieces = 0
    while True:
        lab.seek(2 if verb == "run_until" else 9)
        before = where(lab)
        work = lab.work(verb, (lambda lab: lab.step_number == (8 if verb == "run_until" else 1),), {})
        try:
            for _ in range(pieces):
                next(work)
        except StopIteration:
            break
        work.close()
        assert lab.state.digest() == seen[lab.moment]
        if verb == "back_until":
            assert where(lab) == before
        pieces += 1
    assert pieces > 4
    assert lab.branches == ("main",)


def test_back_until_finds_the_last_moment_before_this_one(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.activation("hidden", "tanh")
    lab.run(2)
    last_with_relu = Moment(0, 10, 5)
    report = lab.back_until(lambda lab: lab.network.block("hidden").activation.kind == "relu")
    assert (report.found, report.step, report.edits) == (True, 10, 5)
    assert (lab.moment, lab.state.digest()) == (last_with_relu, seen[last_with_relu])
    report = lab.back_until(lambda lab: lab.network.block("hidden").activation.kind == "tanh")
    assert lab.moment == Moment(0, 5, 2)
    assert lab.state.digest() == seen[lab.moment]
    assert report.found
    lab.back_until(lambda lab: True)
    assert lab.moment == Moment(0, 5, 1)


def test_back_until_goes_over_every_moment_before_once(lab: tn.Lab) -> None:
    seen = operated(lab)
    visited = []
    report = lab.back_until(lambda lab: bool(visited.append((lab.moment, lab.state.digest()))))
    assert sorted(visited) == sorted(seen.items())[:-1]
    assert not report.found


@pytest.mark.parametrize("step", [0, 1, 5, 10])
def test_where_nothing_is_found_the_lab_is_exactly_where_it_was(lab: tn.Lab, step: int) -> None:
    operated(lab)
    lab.fork("other")
    lab.run(3)
    lab.undo()
    lab.seek(step)
    before = where(lab)
    for never in (lambda lab: False, "loss < -1", "dead hidden and step > 99"):
        assert not lab.back_until(never).found
        assert where(lab) == before


def test_a_condition_of_losses_alone_finds_what_looking_at_every_moment_finds(lab: tn.Lab) -> None:
    operated(lab)
    lab.run(60)
    level = float(sorted(lab.losses)[35])

    def slow(lab: tn.Lab) -> bool:
        return lab.loss is not None and lab.loss < level

    fast = f"loss < {level!r}"
    for start in [lab.end, 50, 33, 9, 8, 6, 5, 4, 1, 0]:
        for edits in range(lab.player.branch.edits_through(start) - lab.player.branch.edits_through(start - 1) + 1):
            lab.seek(start, edits=edits)
            lab.back_until(slow)
            found = lab.moment
            lab.seek(start, edits=edits)
            lab.back_until(fast)
            assert lab.moment == found


# -- what a seek costs, and looking elsewhere


def test_the_state_of_any_recorded_moment_is_given_and_everything_stays_as_it_was(lab: tn.Lab) -> None:
    seen = operated(lab)
    lab.seek(7)
    lab.fork("other")
    lab.run(3)
    for phases in (0, 4):
        for _ in range(phases):
            lab.phase()
        before = where(lab)
        for moment, digest in seen.items():
            work = moves.state_at(lab.player, moment)
            for _ in work:
                assert where(lab) == before
            assert run_to_end(moves.state_at(lab.player, moment)).digest() == digest
            assert where(lab) == before
    lab.step()
    assert lab.step_number == 11


def test_a_look_at_another_moment_that_is_broken_off_leaves_everything_as_it_was(
    make_tiny: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "PIECE", ONE_STEP)
    lab = make_tiny()
    lab.run(100)
    lab.fork("other")
    lab.run(50)
    before = where(lab)
    work = moves.state_at(lab.player, Moment(0, 90, 0))
    for _ in range(3):
        next(work)
        assert where(lab) == before
    work.close()
    assert where(lab) == before


def test_a_half_done_step_is_dropped_to_where_it_began_however_little_memory_there_is(make_tiny: Make) -> None:
    lab = make_tiny(memory=1)
    operated(lab)
    lab.seek(5, edits=1)
    before = lab.moment, lab.state.digest()
    lab.phase()
    run_to_end(moves.state_at(lab.player, Moment(0, 9, 5)))
    lab.undo()
    assert (lab.moment, lab.state.digest()) == before


def test_what_a_seek_costs_is_no_steps_here_and_never_more_than_from_the_start(lab: tn.Lab) -> None:
    lab.run(500)
    assert lab.seek_cost(500) == (0, 0.0)
    lab.seek(250)
    for step in (0, 1, 100, 249, 250, 251, 400):
        steps, seconds = lab.seek_cost(step)
        assert 0 <= steps <= step
        assert seconds == steps * lab.player.seconds_per_step
    assert lab.seek_cost(250)[0] == 0
    assert lab.seek_cost(249)[0] == 0  # from the states that the seek kept on its way
    with pytest.raises(tn.EditError, match="`step` must be a whole number from 0 to 500, not 501"):
        lab.seek_cost(501)


def test_a_lab_that_was_loaded_says_what_a_seek_costs(lab: tn.Lab, tmp_path: Any) -> None:
    lab.run(2000)
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(tmp_path / "x.msgpack")
    again.seek(777)
    steps, seconds = again.seek_cost(1500)
    assert steps > 0
    assert seconds > 0


# -- memory


@pytest.mark.parametrize("states", [1, 20, 200])
def test_states_kept_near_and_keyframes_stay_within_their_bounds_wherever_one_goes(
    make_tiny: Make, states: int
) -> None:
    one = make_tiny().state.nbytes()
    lab = make_tiny(memory=states * one)
    timeline = lab.player.timeline
    for step in [300, 10, 290, 150, 151, 40, 299, 600, 3]:
        timeline.keyframes.stride = max(8, timeline.keyframes.least_stride)
        lab.seek(step)
        if step == 151:
            lab.zero("hidden[1]")
            lab.run(300)
        ring = timeline.keyframes.ring.values()
        assert timeline.keyframes.ring_bytes == sum(state.nbytes() for state in ring)
        assert len(ring) <= max(2, min(RING, states // 8))
        kept = {id(s): s.nbytes() for b in timeline.branches.values() for s in b.keyframes.values()}
        assert timeline.keyframes.bytes == sum(kept.values()) <= max(states, 1) * one


# -- what is not saved


@pytest.mark.parametrize(
    "act",
    [
        lambda lab: lab.bookmark("here"),
        lambda lab: lab.bookmark("old", "another note"),
        lambda lab: lab.unbookmark("old"),
        lambda lab: lab.rename("other", "another"),
        lambda lab: lab.drop("other"),
    ],
    ids=["bookmark", "note", "unbookmark", "rename", "drop"],
)
def test_what_changes_no_step_and_no_weight_is_unsaved_too(
    lab: tn.Lab, tmp_path: Any, act: Callable[[tn.Lab], object]
) -> None:
    lab.run(3)
    lab.fork("other")
    lab.switch("main")
    lab.bookmark("old")
    lab.save(tmp_path / "x.msgpack")
    assert not lab.unsaved
    act(lab)
    assert lab.unsaved


def test_a_predicate_of_the_loss_does_not_hold_before_the_first_step(lab: tn.Lab) -> None:
    lab.run(5)
    assert not lab.back_until(lambda lab: lab.loss < 0).found
    assert lab.step_number == 5
    with pytest.raises(tn.TimelineError, match="failed at step"):
        lab.back_until(lambda lab: lab.nothing)  # type: ignore[attr-defined]


def test_names_that_are_no_text_are_refused(lab: tn.Lab) -> None:
    for act in (lambda: lab.switch(["main"]), lambda: lab.rename(3, "x"), lambda: lab.unbookmark(None)):  # type: ignore[arg-type]
        with pytest.raises(tn.TimelineError, match="there is no"):
            act()


# -- a step of another branch


def test_a_branch_is_entered_at_any_recorded_step_after_its_edits_there(lab: tn.Lab) -> None:
    lab.run(6)
    lab.fork("other")
    lab.run(4)
    lab.zero("hidden[0]")
    lab.zero("hidden[1]")
    lab.run(5)
    lab.seek(10)
    edited = lab.state.digest()
    lab.switch("main")
    assert lab.switch("other", step=10).step == 10
    assert lab.state.digest() == edited
    lab.switch("main")
    assert lab.switch("other", step=0).step == 0
    assert lab.branch == "other"
    assert lab.switch("main", step=6).step == lab.switch("main").step == 6
    for step in (16, -1, 2.5, "3"):
        here = lab.moment
        with pytest.raises(tn.TinynetsError):
            lab.switch("other", step=step)  # type: ignore[arg-type]
        assert lab.moment == here
    with pytest.raises(tn.TimelineError, match="step 16 is not recorded on `other`, which ends at step 15"):
        lab.switch("other", step=16)
