"""The log's rows: one for each action on the way along a branch, and where the present is among them."""

from __future__ import annotations

import pytest

import tinynets as tn
from tinynets.lab.lab import experiment_of
from tinynets.server.frame import Log
from tinynets.server.panes import log as log_pane
from tinynets.server.panes.log import ActionList


def log_of(lab: tn.Lab, at: int = -1, count: int = 100) -> Log:
    return ActionList().log(experiment_of(lab), at, count)


def texts(log: Log) -> list[str]:
    return [row.text for row in log.rows]


@pytest.fixture
def lab() -> tn.Lab:
    made = tn.Lab("xor")
    for _ in range(3):
        made.step()
    made.run(20)
    made.zero("hidden[0]")
    made.freeze("hidden[1]")
    made.run(7)
    return made


def test_each_action_is_its_line_of_python_and_single_steps_are_one_row(lab: tn.Lab) -> None:
    assert texts(log_of(lab)) == [
        'lab = tn.Lab("xor")',
        "lab.step() x 3",
        "lab.run(20)",
        'lab.zero("hidden[0]")',
        'lab.freeze("hidden[1]")',
        "lab.run(7)",
    ]
    assert log_of(lab).rows[1].python == "lab.run(3)"


def test_rows_have_the_loss_before_and_after(lab: tn.Lab) -> None:
    _, steps, run, zero, *_ = log_of(lab).rows
    assert (steps.before, steps.after) == (lab.losses[0], lab.losses[2])
    assert (run.before, run.after) == (lab.losses[2], lab.losses[22])
    assert (zero.before, zero.after) == (lab.log[0].before, lab.log[0].after)


def test_every_row_leads_to_its_moment_by_seek(lab: tn.Lab) -> None:
    for place, row in enumerate(log_of(lab).rows, 1):
        lab.seek(row.step, **({} if row.edits is None else {"edits": row.edits}))
        log = log_of(lab)
        assert (log.done, log.within) == (place, None)


def test_in_the_past_the_rest_is_still_to_come_and_a_run_knows_how_far_it_got(lab: tn.Lab) -> None:
    lab.seek(10)
    log = log_of(lab)
    assert (log.done, log.total, log.within) == (2, 6, 10)
    lab.run(3)  # goes over what is recorded, and cuts no row
    assert texts(log_of(lab)) == texts(log)


def test_an_edit_in_the_past_shows_the_fork_and_the_branch_from_there(lab: tn.Lab) -> None:
    lab.seek(10)
    lab.scale("hidden[2]", 2.0)
    lab.step()
    assert texts(log_of(lab)) == [
        'lab = tn.Lab("xor")',
        "lab.step() x 3",
        "lab.run(7)",
        'lab.fork("branch-2")',
        'lab.scale("hidden[2]", 2.0)',
        "lab.step()",
    ]


def test_a_fork_behind_the_place_where_the_next_one_left_is_no_row(lab: tn.Lab) -> None:
    lab.seek(10)
    lab.fork("late")
    lab.seek(2)
    lab.fork("early")
    assert texts(log_of(lab)) == ['lab = tn.Lab("xor")', "lab.step() x 2", 'lab.fork("early")']
    lab.seek(0)
    lab.fork("first")
    assert texts(log_of(lab)) == ['lab = tn.Lab("xor")', 'lab.fork("first")']


def test_bookmarks_and_evaluations_asked_for_are_rows(lab: tn.Lab) -> None:
    lab.bookmark("here")
    found = lab.evaluate("train")
    bookmark, evaluation = log_of(lab).rows[-2:]
    assert bookmark.text == 'lab.bookmark("here")'
    assert (evaluation.text, evaluation.after) == ('lab.evaluate("train")', found.loss)


def test_a_save_whose_actions_are_forgotten_has_steps_from_edit_to_edit(lab: tn.Lab) -> None:
    experiment_of(lab).timeline.actions.clear()
    assert texts(log_of(lab))[1:] == ["lab.run(23)", 'lab.zero("hidden[0]")', 'lab.freeze("hidden[1]")', "lab.run(7)"]


def test_of_10_000_edits_a_window_is_sent_and_they_are_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = tn.Lab("xor")
    lab.rate("hidden[0]", 0.5)
    experiment = experiment_of(lab)
    for _ in range(9_999):
        experiment.branch.append_edit(experiment.branch.edits[0])
    rows = ActionList()
    assert rows.log(experiment, -1, 40).total == 10_001
    monkeypatch.delattr(log_pane, "_entries")
    log = rows.log(experiment, 5_000, 40)
    assert (len(log.rows), log.first) == (40, 4_980)
