"""Journal: writes what a lab does to the disk as it happens, in case the lab ends before it is saved.

A journal is a save without an end: it begins as a full save and grows by what is recorded later, found by comparing
the timeline with what has been written. Any part of it from the beginning is a valid past, so a crash costs at most the
record being written. An edit is written at once; the losses of a run are written twice a second and within half a
second of its end; a keyframe is written when recomputing from the last one would take longer than
`JOURNAL_KEYFRAME_SECONDS`.

Nothing is written before something is done; the journal is deleted when everything in it has been saved.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter

from tinynets.data import Dataset
from tinynets.errors import SaveError
from tinynets.history.branch import Branch
from tinynets.history.evaluation import Evaluation
from tinynets.history.moment import Bookmark, Moment
from tinynets.history.player import Player
from tinynets.history.timeline import Timeline
from tinynets.recipes.recipe import Recipe
from tinynets.storage import locks
from tinynets.storage.append_file import AppendOnlyFile
from tinynets.storage.codec import Packed
from tinynets.storage.keyframes import keyframe_record
from tinynets.storage.paths import journal_folder
from tinynets.storage.records import HEADER, Record, encode_record, record_pieces
from tinynets.storage.recovery import SUFFIX
from tinynets.storage.snapshot import snapshot
from tinynets.storage.timeline_records import (
    bookmark_record,
    branch_record,
    evaluations_record,
    history_records,
    position_record,
    rename_record,
    unbookmark_record,
)

FLUSH = 0.5  # seconds of a run between two writes
RETRY = 10.0  # seconds to the next try when the disk was full
JOURNAL_KEYFRAME_SECONDS = 1.0  # seconds of recomputing from the last keyframe
KEYFRAME_SHARE = 50  # writing keyframes takes at most 1 / KEYFRAME_SHARE of a run's time
BOUND = 64 * 2**20  # bytes; a larger journal is begun anew
GROWTH = 4  # or this many times the bytes that it began with
ACTIONS = 100  # actions for undo, in each position record


@dataclass
class _Known:
    """What the journal already holds of a branch."""

    name: str
    left: tuple[int | None, int, int]
    """Parent, and the step and edits of the fork from it."""
    losses: int
    edits: int
    evaluations: set[Evaluation]
    keyframes: set[tuple[int, int]] = field(default_factory=set)

    @staticmethod
    def of(branch: Branch) -> _Known:
        return _Known(branch.name, _left(branch), len(branch.losses), len(branch.edits), set(branch.evaluations))

    def fork(self, branch: Branch) -> _Known:
        """What it already holds of a branch forked from this one, before that branch has its own record."""
        return _Known(
            branch.name,
            _left(branch),
            branch.fork,
            branch.shared,
            set(filter(branch.inherits, self.evaluations)),
            {key for key in self.keyframes if key <= (branch.fork, branch.shared) and key[1] <= branch.shared},
        )


@dataclass
class Written:
    """What the journal already holds of a timeline."""

    branches: dict[int, _Known]
    bookmarks: dict[str, Bookmark]
    position: tuple[Moment, int] | None

    @staticmethod
    def all_of(player: Player) -> Written:
        timeline = player.timeline
        branches = {number: _Known.of(branch) for number, branch in timeline.branches.items()}
        return Written(branches, dict(timeline.bookmarks), (player.position, _acts(timeline)))


class Journal:
    """Writes what a player's timeline records to a file in the folder (default: the user's own); see the module.

    `told` is called with a message when nothing can be written, and when it can be again.
    """

    def __init__(
        self, recipe: Recipe, data: Dataset, player: Player, path: str, folder: Path | None, *, fresh: bool
    ) -> None:
        self.recipe, self.data, self.player = recipe, data, player
        self.path = path
        """The save that the journal belongs to; may be empty."""
        self.folder = folder or journal_folder()
        self.told: Callable[[str], None] = lambda message: None
        self.when_on_disk: Callable[[], None] | None = None
        """Called once, when everything done before the journal began would survive a power cut."""
        self._base = player.timeline.extent() if fresh else None
        self._file: AppendOnlyFile | None = None
        self._lock: locks.HeldLock | None = None
        self._written = Written({}, {}, None)
        self._due = self._again = 0.0
        self._bound = BOUND
        self._failed = self._ended = False
        self._keyframe_seconds = 0.0
        self._late: threading.Timer | None = None

    @property
    def file(self) -> Path | None:
        """The file; None before there is one."""
        return self._file.path if self._file else None

    # -- when to write

    def tick(self, at_once: bool) -> None:
        """Write what was done since the last write, if it is time."""
        if at_once or perf_counter() >= self._due:
            self.flush()

    def soon(self) -> None:
        """Write what was done since the last write within `FLUSH` seconds, whatever happens meanwhile."""
        if perf_counter() >= self._due:
            self.flush()
        elif self._late is None and not self._ended:
            self._late = threading.Timer(FLUSH, self._flush_late)
            self._late.daemon = True
            self._late.start()

    def _flush_late(self) -> None:
        """The timer's work, in its own thread, between two pieces of other work."""
        with self.player.lock:
            self._late = None
            if not self._ended:
                self.flush()

    def flush(self) -> None:
        """Write what was done since the last write, so that it outlives the process."""
        now = perf_counter()
        if self._ended or now < self._again:
            return
        self._due = now + FLUSH
        try:
            self._write()
        except (OSError, SaveError) as error:
            self._again = now + RETRY
            if not self._failed:
                self._failed = True
                why = str(error) if isinstance(error, SaveError) else (error.strerror or str(error)).lower()
                self.told(f"the journal cannot be written ({why}): what is done from here on is safe only once saved")
        else:
            if self._failed:
                self._failed = False
                self.told("the journal is written again")

    def begin_anew(self) -> None:
        """Start another file for what comes next, since everything so far has been saved."""
        self._base = self.player.timeline.extent()
        self._forget()

    def end(self, *, discard: bool = False) -> None:
        """Write the rest and close the file, which is kept if anything in it is unsaved; or discard it.

        It may be called twice.
        """
        if self._ended:
            return
        late, self._late = self._late, None
        if late is not None:
            late.cancel()
        if not discard:
            self._again = 0.0
            self.flush()
        if discard or self._base == self.player.timeline.extent():
            self._forget()
        elif self._file is not None:
            self._file.close()
            self._tell_when_on_disk()
            self._file = None
        self._let_go()
        self._ended = True

    def _forget(self) -> None:
        if self._file is not None:
            self._file.delete()
            self._file = None
        self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            self._lock.release(forget=True)
            self._lock = None

    # -- what to write

    def _write(self) -> None:
        file = self._file
        self._tell_when_on_disk()
        if file is None and self.player.timeline.extent() == self._base:
            return
        more = increments(self.player, self._written) if file is not None and file.begun else None
        if file is None or more is None:
            self._begin(at_once=True)
        else:
            self._append(file, *more)
            if file.size > self._bound and not file.settling:
                self._bound *= 2  # no room for both: the old one may grow this far
                with suppress(OSError):
                    self._begin()
        self._tell_when_on_disk()

    def _tell_when_on_disk(self) -> None:
        if self.when_on_disk is not None and self._file is not None and self._file.start_on_disk:
            done, self.when_on_disk = self.when_on_disk, None
            done()

    def _begin(self, *, at_once: bool = False) -> None:
        """Begin a file with everything, in place of an earlier one, which also holds it all unless `at_once`."""
        player = self.player
        file = self._file or AppendOnlyFile(self._free_name())
        if self._lock is None:
            self._lock = locks.acquire(file.path)
        written = Written.all_of(player)
        path = os.path.abspath(self.path) if self.path else ""

        def pieces() -> Iterator[Packed]:
            yield HEADER
            for record in snapshot(
                self.recipe, self.data, player.timeline, player.position, player.state, kind="journal", path=path
            ):
                if record["record"] == "keyframe":
                    for number in record["branches"]:
                        written.branches[number].keyframes.add((record["step"], record["edits"]))
                yield from record_pieces(record)

        try:
            file.begin(pieces(), at_once=at_once)
        except BaseException:
            if self._file is None:
                file.delete()
                self._let_go()
            raise
        self._file, self._written = file, written
        self._bound = max(BOUND, GROWTH * file.size)

    def _free_name(self) -> Path:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
        name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in self.recipe.name)[:40]
        return self.folder / f"{name}-{stamp}-{secrets.token_hex(2)}{SUFFIX}"

    def _append(self, file: AppendOnlyFile, records: list[Record], written: Written) -> None:
        if records:
            file.append(b"".join(map(encode_record, records)))
            self._written = written
        if self._wants_keyframe():
            self._append_keyframe(file)

    def _wants_keyframe(self) -> bool:
        position = self.player.position
        keys = self._written.branches[position.branch].keyframes
        here = position[1:]
        last = max((key[0] for key in keys if key <= here and key[1] <= here[1]), default=0)
        cost = (position.step - last) * self.player.seconds_per_step
        return cost > max(JOURNAL_KEYFRAME_SECONDS, KEYFRAME_SHARE * self._keyframe_seconds)

    def _append_keyframe(self, file: AppendOnlyFile) -> None:
        begun = perf_counter()
        branch, step, edits = self.player.position
        file.append(encode_record(keyframe_record((step, edits), [branch], self.player.state)))
        self._written.branches[branch].keyframes.add((step, edits))
        self._keyframe_seconds = perf_counter() - begun


def increments(player: Player, written: Written) -> tuple[list[Record], Written] | None:
    """The records that bring what is written up to date, and what is then written; None to begin anew."""
    timeline = player.timeline
    branches = dict(written.branches)
    if any(
        number not in timeline.branches or _left(timeline.branches[number]) != known.left
        for number, known in branches.items()
    ):  # a branch was dropped
        return None
    records = _renamed(timeline, branches)
    if records is None:
        return None
    for branch in timeline.branches.values():
        known = branches.get(branch.number)
        if known is None:
            parent = branch.parent
            if parent is None or parent not in branches:  # it had another parent before
                return None
            known = branches[parent].fork(branch)
            if not known.evaluations <= set(branch.evaluations):  # the parent was evaluated since, in the shared part
                return None
            records.append(branch_record(branch))
        branches[branch.number] = _grown(branch, known, records)
    marks = timeline.bookmarks
    records += [unbookmark_record(name) for name in written.bookmarks if name not in marks]
    records += [bookmark_record(mark) for mark in marks.values() if written.bookmarks.get(mark.name) != mark]
    position = player.position, _acts(timeline)
    if records or position != written.position:
        records.append(position_record(player.position, timeline.actions[-ACTIONS:], timeline.undone_ends()))
    return records, Written(branches, dict(marks), position)


def _renamed(timeline: Timeline, branches: dict[int, _Known]) -> list[Record] | None:
    """Records of new names, each free when it is given; None if names were exchanged in a circle."""
    records: list[Record] = []
    left = {number for number, known in branches.items() if known.name != timeline.branches[number].name}
    while left:
        taken = {known.name for known in branches.values()}
        number = next((number for number in left if timeline.branches[number].name not in taken), None)
        if number is None:
            return None
        branch = timeline.branches[number]
        branches[number] = replace(branches[number], name=branch.name)
        records.append(rename_record(branch))
        left.remove(number)
    return records


def _grown(branch: Branch, known: _Known, records: list[Record]) -> _Known:
    """Add records of what a branch has beyond what is written."""
    records += history_records(branch, known.losses, known.edits)
    evaluations = known.evaluations
    if len(branch.evaluations) != len(evaluations):
        new = [entry for entry in branch.evaluations if entry not in evaluations]
        if new:
            records.append(evaluations_record(branch.number, new))
            evaluations = evaluations | set(new)
    return replace(known, losses=len(branch.losses), edits=len(branch.edits), evaluations=evaluations)


def _left(branch: Branch) -> tuple[int | None, int, int]:
    return branch.parent, branch.fork, branch.shared


def _acts(timeline: Timeline) -> int:
    """A number that changes when the actions change."""
    return hash(tuple(timeline.actions[-ACTIONS:]))
