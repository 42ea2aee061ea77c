"""A file of records is written completely or not at all, and any damage to it is found and reported."""

from __future__ import annotations

import os
import random
import re
import stat
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinynets.errors import CorruptSave, SaveError, UnsupportedSave
from tinynets.storage import records
from tinynets.storage.records import END, HEADER, MAX_PAYLOAD, RecordFile, encode_record, read_records, write_records

SMALL: list[dict[str, Any]] = [
    {"record": "header", "recipe": "xor"},
    {"record": "keyframe", "step": 3, "theta": np.arange(3, dtype=np.float32)},
    {"record": "edit"},
]
posix = pytest.mark.skipif(os.name != "posix", reason="permissions and special files as POSIX has them")


def says(message: str) -> str:
    return f"^{re.escape(message)}$"


def read(path: Path) -> list[dict[str, Any]]:
    return list(read_records(path))


def raw_frame(payload: bytes) -> bytes:
    return struct.pack("<II", len(payload), zlib.crc32(payload)) + payload


def end(count: object) -> bytes:
    return raw_frame(msgpack.packb({"record": END, "count": count}))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.msgpack"
    write_records(path, SMALL)
    return path


def starts(content: bytes) -> list[int]:
    """Where each record of a whole file begins, and where the file ends."""
    places = [len(HEADER)]
    while places[-1] < len(content):
        places.append(places[-1] + 8 + int.from_bytes(content[places[-1] : places[-1] + 4], "little"))
    return places


kinds = st.text(min_size=1).filter(lambda kind: kind != END)
bodies = st.dictionaries(
    st.text(), st.none() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text() | st.binary()
)


@given(st.lists(st.tuples(kinds, bodies), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_are_read_as_they_were_written(tmp_path: Path, given_records: list[tuple[str, Any]]) -> None:
    written = [{**body, "record": kind} for kind, body in given_records]
    write_records(tmp_path / "x.msgpack", written)
    assert read(tmp_path / "x.msgpack") == written


def test_arrays_are_read_as_they_were_written(small: Path) -> None:
    theta = read(small)[1]["theta"]
    assert theta.dtype == np.float32
    assert theta.tolist() == [0, 1, 2]


def test_the_same_records_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    write_records(tmp_path / "again.msgpack", iter(SMALL))
    assert (tmp_path / "again.msgpack").read_bytes() == small.read_bytes()


def test_the_format_is_what_the_page_says(small: Path) -> None:
    content = small.read_bytes()
    assert content.startswith(b"tinynets\x02\x00")
    *records, last = [content[a + 8 : b] for a, b in zip(starts(content), starts(content)[1:], strict=False)]
    assert len(records) == len(SMALL)
    assert msgpack.unpackb(last) == {"record": "end", "count": 3}


def test_the_header_and_frames_one_after_the_other_are_the_file(small: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.msgpack"
    with journal.open("wb") as file:
        file.write(HEADER)
        for record in [*SMALL, {"record": END, "count": len(SMALL)}]:
            file.write(encode_record(record))
    assert journal.read_bytes() == small.read_bytes()


# Damage


def test_a_file_cut_at_any_byte_is_refused_and_says_where(small: Path) -> None:
    content = small.read_bytes()
    places = starts(content)
    for size in range(len(content)):
        small.write_bytes(content[:size])
        with pytest.raises(CorruptSave) as refused:
            read(small)
        if size == 0:
            expected = f"`{small}` is not a tinynets save: it is empty"
        elif size < len(HEADER):
            expected = f"`{small}` ends in the middle of its header at byte {size}"
        else:
            number = sum(place <= size for place in places)
            at = places[number - 1]
            expected = (
                f"`{small}` ends before record {number} at byte {at:,}: its last record is missing"
                if at == size
                else f"`{small}` ends in the middle of record {number} at byte {at:,}"
            )
        assert str(refused.value) == expected


@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_a_file_with_any_byte_changed_is_refused(small: Path, change: int) -> None:
    content = small.read_bytes()
    for at in range(len(content)):
        small.write_bytes(content[:at] + bytes([content[at] ^ change]) + content[at + 1 :])
        with pytest.raises(UnsupportedSave if at in (8, 9) else CorruptSave, match=re.escape(f"`{small}`")):
            read(small)


def test_a_damaged_record_is_named(small: Path) -> None:
    content = bytearray(small.read_bytes())
    at = starts(bytes(content))[1]
    content[at + 20] ^= 4
    small.write_bytes(content)
    message = says(f"`{small}`: record 2 at byte {at} is damaged (its checksum does not fit)")
    with pytest.raises(CorruptSave, match=message):
        read(small)


def test_what_comes_before_the_damage_is_still_read(small: Path) -> None:
    small.write_bytes(small.read_bytes()[:-3])
    found = read_records(small)
    assert [next(found)["record"] for _ in SMALL] == ["header", "keyframe", "edit"]
    with pytest.raises(CorruptSave):
        next(found)


def test_random_bytes_are_no_save(tmp_path: Path) -> None:
    path = tmp_path / "x.msgpack"
    for seed in range(200):
        source = random.Random(seed)
        path.write_bytes(source.randbytes(source.randrange(1, 300)))
        message = says(f"`{path}` is not a tinynets save: it does not start with the bytes of one")
        with pytest.raises(CorruptSave, match=message):
            read(path)


def test_random_bytes_behind_the_header_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.msgpack"
    for seed in range(200):
        source = random.Random(seed)
        path.write_bytes(HEADER + source.randbytes(source.randrange(1, 300)))
        with pytest.raises(CorruptSave):
            read(path)


@pytest.mark.parametrize("lost", [0, 1, 9, 60])
def test_what_is_whole_is_read_of_a_damaged_file_and_what_is_lost_is_said(small: Path, lost: int) -> None:
    content = small.read_bytes()[:-lost] if lost else small.read_bytes()
    small.write_bytes(content)
    file = RecordFile(small, recover=True)
    found = [record["record"] for record in file]
    assert found == [record["record"] for record in SMALL][: len(found)]
    assert file.whole == max(place for place in starts(content) if place <= len(content))
    assert (file.size, file.version) == (len(content), 2)
    assert bool(file.damage) == bool(lost)


@given(st.binary(max_size=100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_payload_with_a_right_checksum_is_a_record_or_refused(tmp_path: Path, payload: bytes) -> None:
    path = tmp_path / "x.msgpack"
    path.write_bytes(HEADER + raw_frame(payload) + end(1))
    try:
        assert isinstance(read(path)[0]["record"], str)
    except CorruptSave as error:
        assert "record 1 at byte 10" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (raw_frame(b""), "`{}`: record 1 at byte 10 cannot be understood: it ends in the middle of a value"),
        (
            raw_frame(b"\x82\xa1a\x01\xa1a\x02"),
            "`{}`: record 1 at byte 10 cannot be understood: a map has the key `a` twice",
        ),
        (
            raw_frame(b"\x81\xa6record" + b"\x91" * 5000 + b"\xc0"),
            "`{}`: record 1 at byte 10 cannot be understood: it is nested deeper than 16 levels",
        ),
        (
            raw_frame(msgpack.packb({"record": "x", "a": msgpack.ExtType(1, b"|O8\x00" + bytes(8))})),
            "`{}`: record 1 at byte 10 cannot be understood: "
            "an array has the dtype '|O8', not one of <f4, <f8, <i4, <i8, |u1, |b1",
        ),
        (raw_frame(msgpack.packb([1])), "`{}`: record 1 at byte 10 does not say what it is"),
        (raw_frame(msgpack.packb({"kind": "x"})), "`{}`: record 1 at byte 10 does not say what it is"),
        (raw_frame(msgpack.packb({"record": 3})), "`{}`: record 1 at byte 10 does not say what it is"),
        (b"", "`{}` ends before record 1 at byte 10: its last record is missing"),
        (end(1), "`{}`: record 1 at byte 10 ends 1 records, but there are 0"),
        (end(None), "`{}`: record 1 at byte 10 ends None records, but there are 0"),
        (end(0) + b"\0", "`{}` goes on after its end, at byte 37"),
        (struct.pack("<II", 2**32 - 1, 0) + bytes(100), "`{}` ends in the middle of record 1 at byte 10"),
        (struct.pack("<II", 100_000_000, 0) + bytes(100), "`{}` ends in the middle of record 1 at byte 10"),
    ],
)
def test_a_file_that_is_wrong_says_what_and_where(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.msgpack"
    path.write_bytes(HEADER + content)
    with pytest.raises(CorruptSave, match=says(message.format(path))):
        read(path)


@pytest.mark.parametrize("length", [200, 100_000_000, MAX_PAYLOAD])
def test_a_length_that_lies_costs_no_memory(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.msgpack"
    path.write_bytes(HEADER + struct.pack("<II", length, 0) + bytes(100))
    tracemalloc.start()
    try:
        with pytest.raises(CorruptSave):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (3, "`{}` has format version 3, this tinynets reads 1 and 2; a newer tinynets wrote it"),
        (0, "`{}` has format version 0, this tinynets reads 1 and 2"),
    ],
)
def test_another_format_version_is_named(small: Path, version: int, message: str) -> None:
    small.write_bytes(b"tinynets" + struct.pack("<H", version) + small.read_bytes()[10:])
    with pytest.raises(UnsupportedSave, match=says(message.format(small))):
        read(small)


# What cannot be read


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match=says(f"`{tmp_path / 'none.msgpack'}` does not exist")):
        read(tmp_path / "none.msgpack")


def test_a_folder_is_no_save(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match=says(f"`{tmp_path}` is a folder, not a save")):
        read(tmp_path)
    with pytest.raises(SaveError, match=says(f"`{tmp_path}` is a folder, not a save")):
        write_records(tmp_path, SMALL)


@posix
def test_a_path_below_a_file_cannot_be_read(small: Path) -> None:
    message = says(f"`{small / 'x'}` cannot be read: a part of its path is not a folder")
    with pytest.raises(SaveError, match=message):
        read(small / "x")


@posix
def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for attempt in (read, lambda path: write_records(path, SMALL)):
        with pytest.raises(SaveError, match=says(f"`{tmp_path / 'pipe'}` is not a regular file")):
            attempt(tmp_path / "pipe")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(SaveError, match=says("`/dev/full` is not a regular file")):
        write_records("/dev/full", SMALL)


def test_a_null_character_in_a_name_is_refused() -> None:
    with pytest.raises(SaveError, match="cannot be read"):
        list(read_records("a\0b"))
    with pytest.raises(SaveError, match="its name has a null character"):
        write_records("a\0b", SMALL)


# What cannot be written, and leaves the old file as it was


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "x.msgpack"
    message = says(f"`{path}` cannot be written: `{tmp_path / 'nowhere'}` does not exist")
    with pytest.raises(SaveError, match=message):
        write_records(path, SMALL)


def test_a_folder_that_is_a_file_is_named(small: Path) -> None:
    message = says(f"`{small / 'x'}` cannot be written: `{small}` is not a folder")
    with pytest.raises(SaveError, match=message):
        write_records(small / "x", SMALL)


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    message = says(f"`{folder / 'x'}` cannot be written: permission denied")
    with pytest.raises(SaveError, match=message):
        write_records(folder / "x", SMALL)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="this system has no /proc")
def test_a_folder_where_nobody_may_write_is_named() -> None:
    with pytest.raises(SaveError, match=r"^`/proc/self/x` cannot be written: "):
        write_records("/proc/self/x", SMALL)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_save_marked_read_only_is_not_replaced(small: Path) -> None:
    small.chmod(0o444)
    with pytest.raises(SaveError, match=says(f"`{small}` cannot be written: it is read-only")):
        write_records(small, SMALL[:1])
    assert len(read(small)) == len(SMALL)


@posix
def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    with pytest.raises(SaveError, match=says(f"`{path}` cannot be written: its name is too long")):
        write_records(path, SMALL)


@posix
def test_a_full_disk_leaves_the_old_save_and_nothing_else(small: Path) -> None:
    before = small.read_bytes()
    script = """
import resource, sys
import numpy as np
from tinynets.errors import SaveError
from tinynets.storage.records import write_records
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_records(sys.argv[1], [{"record": "x", "a": np.zeros(1000)} for _ in range(100)])
except SaveError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(small)], capture_output=True, text=True, check=True)
    assert done.stdout == f"`{small}` cannot be written: it would be larger than files may be here\n"
    assert small.read_bytes() == before
    assert os.listdir(small.parent) == [small.name]


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt, Interrupted])
def test_a_write_that_is_broken_off_leaves_the_old_save_and_nothing_else(
    small: Path, reason: type[BaseException]
) -> None:
    def broken_off() -> Iterator[dict[str, Any]]:
        yield SMALL[0]
        raise reason

    before = small.read_bytes()
    with pytest.raises(reason):
        write_records(small, broken_off())
    assert small.read_bytes() == before
    assert os.listdir(small.parent) == [small.name]


def test_a_process_killed_in_the_middle_of_a_write_leaves_the_old_save(small: Path) -> None:
    before = small.read_bytes()
    script = """
import os, sys
from tinynets.storage.records import write_records
def records():
    yield {"record": "x", "a": b"x" * 1_000_000}
    os._exit(9)
write_records(sys.argv[1], records())
"""
    assert subprocess.run([sys.executable, "-c", script, str(small)], check=False).returncode == 9
    assert small.read_bytes() == before


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "x"}, "a record needs its kind as text under `record`, got None"),
        ({"record": 3}, "a record needs its kind as text under `record`, got 3"),
        ({"record": "end"}, "a record of kind `end` is written by itself, as the last"),
        ({"record": "x", "a": object()}, "the record `x` cannot be saved: a value of type object cannot be packed"),
        (
            {"record": "x", "a": np.array([None])},
            "the record `x` cannot be saved: an array of object cannot be packed, only of <f4, <f8, <i4, <i8, |u1, |b1",
        ),
        ({"record": "x", "a": {1: 2}}, "the record `x` cannot be saved: a key of a map is not text"),
    ],
    ids=["no kind", "kind not text", "end", "object", "object array", "number as key"],
)
def test_a_record_that_could_not_be_read_is_not_written(small: Path, record: dict[str, Any], message: str) -> None:
    before = small.read_bytes()
    with pytest.raises(SaveError, match=says(message)):
        write_records(small, [record])
    assert small.read_bytes() == before
    assert os.listdir(small.parent) == [small.name]


def test_a_record_larger_than_its_length_can_say_is_not_written(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_PAYLOAD", 1000)
    with pytest.raises(SaveError, match=says("the record `x` has 1,015 bytes; at most 1,000 are allowed")):
        write_records(small, [{"record": "x", "a": bytes(1000)}])


@posix
def test_a_save_keeps_its_permissions_and_the_link_that_leads_to_it(small: Path, tmp_path: Path) -> None:
    small.chmod(0o600)
    link = tmp_path / "link.msgpack"
    link.symlink_to(small)
    write_records(link, SMALL[:1])
    assert link.is_symlink()
    assert stat.S_IMODE(small.stat().st_mode) == 0o600
    assert len(read(small)) == 1


@posix
def test_a_new_save_has_the_permissions_that_new_files_have(small: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    assert small.stat().st_mode == plain.stat().st_mode


def test_what_a_killed_writer_left_behind_goes_with_the_next_save(small: Path) -> None:
    old, young = small.with_name(".tinynets-0a.tmp"), small.with_name(".tinynets-0b.tmp")
    for left in (old, young):
        left.write_bytes(b"cut short")
    os.utime(old, (0, 0))
    write_records(small, SMALL)
    assert sorted(os.listdir(small.parent)) == [young.name, small.name]
