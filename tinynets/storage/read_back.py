"""Reads back a save that was just written, before its file gets its name."""

from __future__ import annotations

import os

from tinynets.data import Dataset
from tinynets.errors import CorruptSave
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.storage.data_record import read_written
from tinynets.storage.fields import RecordFields, gated
from tinynets.storage.reader import Reader
from tinynets.storage.records import RecordFile
from tinynets.training.state import State


def read_back(path: str | os.PathLike[str], data: Dataset, position: Moment, branches: int) -> None:
    """Read back a file as any save is read, except that its arrays are dropped after their checks.

    `data` is the data set it was written with; the save may hold only a part. Raises SaveError if the save could not be
    opened, or would differ.
    """
    with gated(path):
        reader = ReadBack(str(path), data)
        for record in RecordFile(path):
            reader.apply(record)
        timeline, found = reader.finish(recover=False)
        reader.opening()
        if found != position or len(timeline.branches) != branches:
            raise CorruptSave(f"`{path}` holds step {found.step} of {len(timeline.branches)} branches")


class ReadBack(Reader):
    """A Reader that has the data already, and keeps only the first of the States that it checks."""

    def __init__(self, file: str, data: Dataset) -> None:
        super().__init__(file, data)
        self._whole = data
        self._first: State | None = None

    def _data(self, fields: RecordFields) -> None:
        self.data = read_written(fields, self._whole)

    def _keep(self, branches: list[Branch], key: tuple[int, int], state: State) -> None:
        self._first = self._first or state
        super()._keep(branches, key, self._first)
