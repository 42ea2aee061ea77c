"""Reads files of the first format version, where a branch holds its whole past, even the part shared with its parent.

They differ from today's files as follows: a header holds less; losses and evaluations are in the record `branch`, which
names only the step of the fork from its parent; all edits come before the keyframes, perhaps in a single record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinynets.errors import CorruptSave
from tinynets.history.branch import Branch, LossHistory
from tinynets.history.moment import Moment, RecordedEdit
from tinynets.history.timeline import Timeline
from tinynets.storage.fields import MAX_STEP, RecordFields
from tinynets.storage.reader import Reader
from tinynets.storage.timeline_records import branch_of, read_branch, read_edit, read_edits, read_evaluations


class ReaderV1(Reader):
    """Reads these files record by record, and finds the shared parts of branches at the end."""

    version = 1
    opening_kinds = ("header", "recipe", "data")

    def __init__(self, file: str, data: object) -> None:
        super().__init__(file, data)
        self._waiting: list[RecordFields] = []
        self._left: dict[int, tuple[int | None, int]] = {}
        for kind in ("losses", "evaluations", "bookmark", "unbookmark", "rename", "drop"):
            del self._apply[kind]

    def finish(self, recover: bool) -> tuple[Timeline, Moment]:
        if not self.branches:
            raise CorruptSave(f"`{self.file}` has no branch")
        for branch in self.branches.values():
            if (0, 0) not in branch.keyframes:
                raise CorruptSave(f"`{self.file}`: branch `{branch.name}` has no keyframe at its start")
            if any(entry.edits > len(branch.edits) for entry in branch.evaluations):
                raise CorruptSave(f"`{self.file}`: branch `{branch.name}` has evaluations behind its last edit")
        for number, (parent, step) in self._left.items():
            self._hang(self.branches[number], parent, step)
        if len(list(Timeline.of(self.branches).tree())) < len(self.branches) or self._roots() != 1:
            raise CorruptSave(f"`{self.file}`: not all of its branches come from one")
        return super().finish(recover)

    def _roots(self) -> int:
        return sum(parent is None for parent, _ in self._left.values())

    def _branch(self, fields: RecordFields) -> None:
        number, name = read_branch(fields, self.branches, self.names)
        losses = LossHistory(self._dtype)
        losses.extend(fields.array("losses", self._dtype, (None,)))
        evaluations = read_evaluations(
            fields.inner("evaluations", "evaluations"), Moment(number, len(losses), MAX_STEP)
        )
        parent = fields.optional("parent", int)
        self._left[number] = parent, fields.whole("fork", 0, len(losses))
        self.branches[number] = Branch(number, name, losses, evaluations=evaluations)
        self.names.add(name)

    def _edits(self, fields: RecordFields) -> None:
        """Keep edits until the first keyframe, which brings the network to check them against."""
        branch_of(fields, self.branches)
        self._waiting.append(fields)

    def _begin(self, fields: RecordFields) -> None:
        super()._begin(fields)
        for waiting in self._waiting:
            branch = branch_of(waiting, self.branches)
            self._started().networks.append(branch, self._in_order(branch, read_edits(waiting)))
        self._waiting.clear()

    def _in_order(self, branch: Branch, entries: list[Any]) -> Iterator[RecordedEdit]:
        """The edits of a branch, read one by one; their steps must not decrease."""
        first = branch.edits[-1].step if branch.edits else 0
        for entry in entries:
            edit = read_edit(self.file, entry, first, len(branch.losses))
            first = edit.step
            yield edit

    def _hang(self, branch: Branch, number: int | None, step: int) -> None:
        """Find the part that a branch shares with its parent: the common edits up to the fork."""
        if number is None:
            return
        parent = self.branches.get(number)
        if parent is None or number == branch.number:
            raise CorruptSave(f"`{self.file}`: branch `{branch.name}` has a parent {number} that is not there")
        through = min(branch.edits_through(step), parent.edits_through(step))
        pairs = zip(branch.edits[:through], parent.edits[:through], strict=True)
        shared = next((index for index, (a, b) in enumerate(pairs) if _differ(a, b)), through)
        same = step <= len(parent.losses) and np.array_equal(branch.losses.part(0, step), parent.losses.part(0, step))
        if not same or shared < branch.edits_through(step - 1) or shared < parent.edits_through(step - 1):
            raise CorruptSave(f"`{self.file}`: branch `{branch.name}` is not what its parent was up to step {step}")
        branch.parent, branch.fork, branch.shared = number, step, shared


def _differ(a: RecordedEdit, b: RecordedEdit) -> bool:
    losses = (a.before, a.after), (b.before, b.after)
    return (a.step, a.edit, a.done) != (b.step, b.edit, b.done) or repr(losses[0]) != repr(losses[1])  # NaN equals NaN
