"""A file that grows: it holds only whole pieces, whatever the disk does, and never loses what it had."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import until

from tinynets.storage.append_file import AppendOnlyFile


@pytest.fixture
def appended(tmp_path: Path) -> Iterator[AppendOnlyFile]:
    made = AppendOnlyFile(tmp_path / "folder" / "x")
    yield made
    made.close()


def test_what_was_appended_can_be_read_at_once_and_is_on_the_disk_soon(appended: AppendOnlyFile) -> None:
    appended.begin([b"one", b"two"])
    for piece in (b"three", b"", b"four"):
        appended.append(piece)
    assert appended.path.read_bytes() == b"onetwothreefour"
    assert appended.size == 15
    until(lambda: appended.on_disk)


def test_begun_anew_the_old_file_stands_and_grows_until_the_new_one_is_on_the_disk(appended: AppendOnlyFile) -> None:
    appended.begin([b"old"])
    appended.begin([b"new"])
    appended.append(b"+")
    assert appended.path.read_bytes() in (b"old+", b"new+")
    until(lambda: (appended.settle(), appended.on_disk)[1])
    appended.append(b"!")
    assert appended.path.read_bytes() == b"new+!"
    assert [entry.name for entry in appended.path.parent.iterdir()] == ["x"]


def test_a_beginning_that_fails_leaves_what_was_there(appended: AppendOnlyFile) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OSError, match="full"):
        appended.begin(broken())
    assert list(appended.path.parent.iterdir()) == []
    appended.begin([b"old"])
    with pytest.raises(OSError, match="full"):
        appended.begin(broken())
    appended.append(b"+")
    assert appended.path.read_bytes() == b"old+"
    assert [entry.name for entry in appended.path.parent.iterdir()] == ["x"]


def test_closed_it_stays_and_deleted_it_goes(appended: AppendOnlyFile) -> None:
    appended.begin([b"one"])
    appended.begin([b"two"])
    appended.close()
    assert [entry.read_bytes() for entry in appended.path.parent.iterdir()] in ([b"one"], [b"two"])
    other = AppendOnlyFile(appended.path)
    other.begin([b"three"])
    other.delete()
    assert list(appended.path.parent.iterdir()) == []


FULL = """
import errno, resource, sys
from pathlib import Path
from tinynets.storage.append_file import AppendOnlyFile
file = AppendOnlyFile(Path(sys.argv[1]))
file.begin([b"a" * 1000])
resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))
file.append(b"b" * 1000)
for _ in range(2):
    try:
        file.append(b"c" * 1000)
    except OSError as error:
        assert error.errno == errno.EFBIG, error
    else:
        raise SystemExit("it was not refused")
file.append(b"d" * 500)
try:
    file.begin([b"e" * 3000])
except OSError as error:
    assert error.errno == errno.EFBIG, error
file.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on a file's size")
def test_a_piece_that_does_not_fit_is_cut_off_and_smaller_ones_still_go_in(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "x")], check=True)
    assert (tmp_path / "x").read_bytes() == b"a" * 1000 + b"b" * 1000 + b"d" * 500
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
