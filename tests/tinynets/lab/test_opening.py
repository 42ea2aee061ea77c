"""Opening a lab: a refused source leaves no file locked, and no part of a lab keeps the lab alive."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tinynets as tn
from tinynets.lab.opening import Options, TrainingOptions, open_source
from tinynets.storage import locks

Make = Callable[..., tn.Lab]


def free(path: Path) -> bool:
    """Whether nobody holds a file, not even this process."""
    held = locks.acquire(path)
    assert held is not None
    try:
        return held.alone
    finally:
        held.release()


def test_a_save_that_cannot_be_opened_is_let_go_of_at_once(make_tiny: Make, tmp_path: Path) -> None:
    path = tmp_path / "tiny.msgpack"
    make_tiny().save(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(tn.SaveError) as kept:  # the error's traceback keeps the unfinished lab alive
        tn.Lab(path)
    assert kept.value.__traceback__ is not None
    assert free(path)


def test_a_save_is_held_as_long_as_its_lab_is_there_and_no_part_of_it_holds_the_lab(
    make_tiny: Make, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.msgpack"
    make_tiny().save(path)
    lab = tn.Lab(path)
    assert not free(path)
    player, gone = lab.player, weakref.ref(lab)
    del lab
    assert gone() is None
    assert free(path)
    assert player.position.step == 0


def test_what_a_session_has_open_needs_no_lab(make_tiny: Make, tmp_path: Path) -> None:
    path = tmp_path / "tiny.msgpack"
    lab = make_tiny()
    lab.run(3)
    lab.save(path)
    session = open_source(str(path), Options())
    assert session.experiment.state.digest() == lab.state.digest()
    assert session.files.path == str(path)
    assert not session.recovered
    session.files.close()


def test_all_that_a_save_says_itself_is_refused_by_name(make_tiny: Make, tmp_path: Path) -> None:
    path = tmp_path / "tiny.msgpack"
    make_tiny().save(path)
    given: dict[str, Any] = {
        "loss": "mse",
        "optimizer": "adam",
        "clip_norm": 1.0,
        "l2": {"hidden": 0.1},
        "probe": 4,
        "seed": 0,
    }
    for name, value in given.items():
        with pytest.raises(tn.RecipeError) as caught:
            open_source(str(path), Options(training=TrainingOptions(**{name: value})))
        assert str(caught.value) == f"`{name}` cannot be given with a save, which has its own"
    assert free(path)
