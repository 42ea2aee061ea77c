"""Saving: writes a run to its file, and lets go of its files in the end."""

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
    """Writes a run to its file, and lets go of its files in the end: at the latest when it is forgotten itself.

    With `recovered`, nothing of the run is saved yet.
    """

    def __init__(self, experiment: Experiment, files: SessionFiles, recovered: bool = False) -> None:
        self._experiment = experiment
        self._files = files
        self._ended = weakref.finalize(self, files.close)
        self._saved = None if recovered else experiment.extent()

    @property
    def player(self) -> Player:
        """The live state that is saved."""
        return self._experiment.player

    @property
    def unsaved(self) -> bool:
        """Whether anything was recorded since the last save."""
        return self._experiment.extent() != self._saved

    @property
    def path(self) -> str:
        """The file of the last save or load; may be empty."""
        return self._files.path

    @property
    def read_only(self) -> bool:
        """Whether that file is another lab's to write."""
        return self._files.read_only

    @property
    def named_path(self) -> str:
        """Where what was recovered was to be saved to, where no save stands; may be empty."""
        return self._files.named

    @property
    def journal_file(self) -> Path | None:
        """The file of the journal, where one is written."""
        return self._files.journal.file if self._files.journal is not None else None

    @verb("files", "write everything to a file", lets_run=True)
    @whole
    def save(self, path: Annotated[str | Path | None, SAVE] = None) -> SaveReport:
        """Write everything to a file (default: where it was last saved, else a new one in the saves folder)."""
        experiment, files, player = self._experiment, self._files, self.player
        known = files.known() if path is None else ""
        target = paths.target(path) if path is not None else known or str(paths.free_name(experiment.recipe.name))
        files.claim(target)
        player.complete_step()
        size = saves.write(target, experiment.recipe, experiment.data, player.timeline, player.position, player.state)
        self._saved = experiment.extent()
        files.saved(target)
        return SaveReport(target, size, player.position.step)

    def claim(self, path: str | Path) -> str:
        """Keep other labs from a file that is to be saved to; the file. Raises SaveError where one has it open."""
        target = paths.writable(path)
        self._files.claim(target)
        return target

    def hear(self, told: Callable[[str], None]) -> None:
        """Have what a person should know about the files from now on told to this."""
        self._files.told = told

    @whole
    def flush(self) -> None:
        """Write to the journal, where there is one, what has been done and is not there yet."""
        if self._files.journal is not None:
            self._files.journal.flush()

    @whole
    def journal_soon(self) -> None:
        """Have the journal, where there is one, hold all that was done before long."""
        if self.player.recorded is not None:
            self.player.recorded()

    @whole
    def close(self, *, discard: bool = False) -> None:
        """Let go of the save's file and of the journal, which stays where something in it is not saved."""
        self._ended.detach()
        self._files.close(discard=discard)
