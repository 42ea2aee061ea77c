"""Edits made in the past say what became of the branches."""

from __future__ import annotations

import tinynets as tn


def test_the_first_edit_in_the_past_says_which_branch_it_began() -> None:
    lab = tn.Lab("xor")
    lab.run(50)
    lab.seek(20)
    first, second = lab.zero("hidden[0]"), lab.zero("hidden[1]")
    assert (first.forked, second.forked) == ("new branch `branch-2` from step 20", "")
    assert "; new branch `branch-2` from step 20" in str(first)


def test_an_edit_after_an_undo_says_where_what_was_undone_is_kept() -> None:
    lab = tn.Lab("xor")
    lab.run(5)
    lab.zero("hidden[0]")
    lab.undo()
    assert lab.zero("hidden[1]").forked == "what was undone is branch `branch-2` now"
    assert lab.branch == "main"
