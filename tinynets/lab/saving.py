"""Saving: writes a run to its file, and releases its files at the end."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from tinynets.edits.kinds import SAVE
from tinynets.experiment.experiment import Experiment
from tinynets.history.player import Player, whole
from tinynets.lab.reports import SaveReport
from tinynets.lab.verb import verb
from tinynets.storage import paths, saves
from tinynets.storage.session_files import SessionFiles


class Saving:
    """Writes a run to its file, and releases its files at the end: at the latest when it is garbage collected.

    With `recovered`, the whole run is unsaved.
    """

    def __init__(self, experiment: Experiment, files: SessionFiles, recovered: bool = False) -> None:
        self._experiment = experiment
        self._files = files
        self._ended = weakref.finalize(self, files.close)
        self._saved = None if recovered else experiment.extent()

    @property
    def player(self) -> Player:
        """The player of the run that is saved."""
        return self._experiment.player

    @property
    def unsaved(self) -> bool:
        """Whether anything was recorded since the last save."""
        return self._experiment.extent() != self._saved

    @property
    def path(self) -> str:
        """The file last saved to or loaded from; may be empty."""
        return self._files.path

    @property
    def read_only(self) -> bool:
        """Whether this lab may not write that file."""
        return self._files.read_only

    @property
    def named_path(self) -> str:
        """Where a recovered run was meant to be saved, if no save is there yet; may be empty."""
        return self._files.named

    @property
    def journal_file(self) -> Path | None:
        """The file of the journal; None if none is written."""
        return self._files.journal.file if self._files.journal is not None else None

    @verb("files", "write everything to a file", lets_run=True)
    @whole
    def save(self, path: Annotated[str | Path | None, SAVE] = None) -> SaveReport:
        """Write everything to a file (default: where it was last saved, else a new one in the saves folder)."""
        experiment, files, player = self._experiment, self._files, self.player
        known = files.known() if path is None else ""
        target = paths.target(path) if path is not None else known or str(paths.free_name(experiment.recipe.name))
        files.claim(target)
        finished = player.complete_step()
        size = saves.write(target, experiment.recipe, experiment.data, player.timeline, player.position, player.state)
        self._saved = experiment.extent()
        files.saved(target)
        return SaveReport(target, size, player.position.step, player.position.step if finished else None)

    def claim(self, path: str | Path) -> str:
        """Reserve a file for this lab's save and return its path. Raises SaveError where another lab has it open."""
        target = paths.writable(path)
        self._files.claim(target)
        return target

    def hear(self, told: Callable[[str], None]) -> None:
        """From now on pass what a person should know about the files to `told`."""
        self._files.told = told

    @whole
    def flush(self) -> None:
        """Write to the journal, if there is one, everything done since the last write."""
        if self._files.journal is not None:
            self._files.journal.flush()

    @whole
    def journal_soon(self) -> None:
        """Have everything done so far written to the journal soon, if there is one."""
        if self.player.recorded is not None:
            self.player.recorded()

    @whole
    def close(self, *, discard: bool = False) -> None:
        """Release the save's file and the journal; the journal is kept if it holds anything unsaved."""
        self._ended.detach()
        self._files.close(discard=discard)
