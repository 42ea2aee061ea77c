"""The disk fills up during a save: the old file survives, and the lab goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tinynets as tn

posix = pytest.mark.skipif(os.name != "posix", reason="file-size limits and tmpfs are POSIX things")

SAVING = """
import resource, sys
import tinynets as tn
path, elsewhere = sys.argv[1:]
lab = tn.Lab(path)
lab.run(200)
allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, allowed[1]))
try:
    lab.save()
except tn.SaveError as error:
    print(error)
lab.run(10)
lab.freeze("hidden[1]")
try:
    lab.save(elsewhere)
except tn.SaveError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
lab.save(elsewhere)
print(lab.state.digest(), lab.unsaved)
"""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A save made before the disk fills up, in a folder of its own."""
    path = tmp_path / "saves" / "xor.msgpack"
    lab = tn.Lab("xor")
    lab.run(20)
    lab.save(path)
    lab.close()
    return path


@posix
def test_a_save_that_finds_no_room_leaves_the_earlier_one_and_can_be_made_elsewhere(
    saved: Path, tmp_path: Path
) -> None:
    before, elsewhere = saved.read_bytes(), tmp_path / "elsewhere" / "xor.msgpack"
    done = subprocess.run(
        [sys.executable, "-c", SAVING, str(saved), str(elsewhere)], capture_output=True, text=True, check=True
    )
    *errors, last = done.stdout.splitlines()
    assert errors == [
        f"`{path}` cannot be written: it would be larger than files may be here" for path in (saved, elsewhere)
    ]
    assert saved.read_bytes() == before
    assert os.listdir(saved.parent) == [saved.name]
    assert os.listdir(elsewhere.parent) == [elsewhere.name]
    assert tn.Lab(saved).step_number == 20
    again = tn.Lab(elsewhere)
    assert (again.step_number, again.frozen) == (230, {"hidden": (1,)})
    assert last == f"{again.state.digest()} False"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        made = False
    if not made:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@posix
def test_a_full_disk_keeps_every_save_on_it_whole(small_disk: Path, tmp_path: Path) -> None:
    lab = tn.Lab("xor")
    kept: dict[str, str] = {}
    for number in range(100):
        lab.run(20)
        path = small_disk / f"{number}.msgpack"
        try:
            lab.save(path)
        except tn.SaveError as error:
            refusal = str(error)
            break
        kept[path.name] = lab.state.digest()
    assert refusal == f"`{path}` cannot be written: the disk is full"
    assert 1 < len(kept) < 100
    with pytest.raises(tn.SaveError, match=r"the disk is full$"):
        lab.save(small_disk / "0.msgpack")
    assert sorted(os.listdir(small_disk)) == sorted(kept)
    assert {name: tn.Lab(small_disk / name, read_only=True).state.digest() for name in kept} == kept
    lab.run(20)
    lab.save(tmp_path / "elsewhere.msgpack")
    assert tn.Lab(tmp_path / "elsewhere.msgpack").state.digest() == lab.state.digest()
