"""The framing of a save: a file of checksummed records, written whole or not at all, and read without trust.

    file    8 bytes `tinynets`, format version (2 bytes), records, a last record of kind `end`
    record  length of the payload (4 bytes), CRC-32 of the payload (4 bytes), payload
    payload a map (see storage/codec.py) whose `record` is the record's kind

Numbers are little-endian. `end` counts the records before it, so that a file cut between two records is found. A file
without its `end` is a journal: `HEADER` and `encode_record` are all that appending needs, `RecordFile` reads what is
whole, and `scan_small` only what tells of the rest.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any, BinaryIO

import numpy as np

from tinynets.errors import CorruptSave, SaveError, UnsupportedSave
from tinynets.storage.append_file import sync_folder
from tinynets.storage.codec import Packed, PackingError, pack_pieces, unpack

MAGIC = b"tinynets"
VERSION = 2
READABLE = (1, 2)
HEADER = MAGIC + struct.pack("<H", VERSION)
MAX_PAYLOAD = 2**32 - 1
END = "end"
ABANDONED = 3600  # seconds; an older unfinished file was abandoned
KIND_WITHIN = 64  # the kind is within these first bytes of a payload
CHUNK = 2**18  # bytes read and checked at once, so that they are still in the processor's cache

Record = dict[str, Any]
AnyPath = str | os.PathLike[str]

_FRAME = struct.Struct("<II")
_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "its file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "it would be larger than files may be here",
    errno.ENOTDIR: "a part of its path is not a folder",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links go round in a circle",
}


def encode_record(record: Record) -> bytes:
    """The bytes of one record: length, checksum, payload. Raises SaveError if it holds an unsupported value."""
    return b"".join(record_pieces(record))


def record_pieces(record: Record) -> list[Packed]:
    """The same in pieces, with large arrays as their own memory, not copied."""
    kind = record.get("record")
    if not isinstance(kind, str):
        raise SaveError(f"a record needs its kind as text under `record`, got {kind!r}")
    try:
        payload = pack_pieces(record)
    except PackingError as error:
        raise SaveError(f"the record `{kind}` cannot be saved: {error}") from None
    length, checksum = sum(map(len, payload)), 0
    if length > MAX_PAYLOAD:
        raise SaveError(f"the record `{kind}` has {length:,} bytes; at most {MAX_PAYLOAD:,} are allowed")
    for piece in payload:
        checksum = zlib.crc32(piece, checksum)
    return [_FRAME.pack(length, checksum), *payload]


def write_records(path: AnyPath, records: Iterable[Record], check: Callable[[Path], None] | None = None) -> None:
    """Write a file of `records` beside the target, sync it, then rename it, so that at any moment there is the whole
    old or new file. Raises SaveError that names the path and the reason, and leaves nothing behind.

    `check` inspects the new file before it is renamed, and raises to keep the old one.
    """
    target = _target(path)
    _clear(target.parent)
    temporary = target.with_name(f".tinynets-{secrets.token_hex(8)}.tmp")
    try:
        try:
            with open(temporary, "xb") as file:
                _write(file, records)
                file.flush()
                os.fsync(file.fileno())
            if check is not None:
                check(temporary)
            with suppress(OSError):  # a new file keeps its initial permissions
                shutil.copymode(target, temporary)
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise SaveError(f"`{path}` cannot be written: {_reason(error)}") from error
    sync_folder(target.parent)


def _clear(folder: Path) -> None:
    """Delete what killed writers left beside saves; files that are still being written are younger."""
    with suppress(OSError):
        for left in folder.glob(".tinynets-*.tmp"):
            if time() - left.stat().st_mtime > ABANDONED:
                left.unlink()


def read_records(path: AnyPath) -> Iterator[Record]:
    """The records of a file one after the other, each whole and checked; `end` is checked but not returned.

    Raises SaveError if the file cannot be read, UnsupportedSave for another format, and CorruptSave at the first
    damage: the records before it were whole, but the file is not.
    """
    return iter(RecordFile(path))


class RecordFile:
    """A file's records, to be iterated once. With `recover`, damage ends them instead of raising CorruptSave.

    `most` bounds the bytes of a record. `version` is the format's, known with the first record; `whole` counts the
    bytes up to the end of the last whole record, `size` those of the file; `damage` says why reading stopped, and is
    empty for a whole file with its `end`.
    """

    def __init__(self, path: AnyPath, *, recover: bool = False, most: int = MAX_PAYLOAD) -> None:
        self.path, self.recover, self.most = path, recover, most
        self.version = self.whole = self.size = 0
        self.damage = ""

    def __iter__(self) -> Iterator[Record]:
        try:
            with _opened(self.path) as file:
                self.size = os.fstat(file.fileno()).st_size
                self.version = _checked_version(self.path, file.read(len(HEADER)))
                try:
                    yield from self._records(file)
                except CorruptSave as error:
                    self.damage = str(error)
                    if not self.recover:
                        raise
        except OSError as error:
            raise SaveError(f"`{self.path}` cannot be read: {_reason(error)}") from error

    def _records(self, file: BinaryIO) -> Iterator[Record]:
        path, number, ended = self.path, 1, False
        at = self.whole = len(HEADER)
        while at < self.size:
            where = f"record {number} at byte {at:,}"
            if ended:
                raise CorruptSave(f"`{path}` goes on after its end, at byte {at:,}")
            payload = _payload(path, where, file, self.size - at, self.most)
            try:
                record = unpack(payload)
            except PackingError as error:
                raise CorruptSave(f"`{path}`: {where} cannot be understood: {error}") from None
            if not isinstance(record, dict) or not isinstance(record.get("record"), str):
                raise CorruptSave(f"`{path}`: {where} does not say what it is")
            number, at = number + 1, at + _FRAME.size + len(payload)
            del payload  # so that only one large record is in memory at a time
            if record["record"] != END:
                yield record
            elif record.get("count") == number - 2:
                ended = True
            else:
                raise CorruptSave(f"`{path}`: {where} ends {record.get('count')!r} records, but there are {number - 2}")
            del record
            self.whole = at
        if not ended:
            raise CorruptSave(f"`{path}` ends before record {number} at byte {at:,}: its last record is missing")


def scan_small(file: BinaryIO, kinds: Collection[str], most: int) -> Iterator[Any]:
    """The records of some kinds with at most `most` bytes, up to the first record that is not whole.

    The others are skipped: neither read nor checked. The kind of a record must be in its first bytes.
    """
    if file.read(len(HEADER)) != HEADER:
        return
    size = os.fstat(file.fileno()).st_size
    while len(head := file.read(_FRAME.size)) == _FRAME.size:
        length, checksum = _FRAME.unpack(head)
        start = file.read(min(length, KIND_WITHIN))
        behind = file.tell() - len(start) + length
        if behind > size:
            return
        if length <= most and any(kind.encode() in start for kind in kinds):
            payload = start + file.read(length - len(start))
            if zlib.crc32(payload) != checksum:
                return
            try:
                yield unpack(payload)
            except PackingError:
                return
        file.seek(behind)


def _target(path: AnyPath) -> Path:
    """The file at `path`, with links resolved; raises SaveError if something is there that must not be replaced."""
    if "\0" in os.fspath(path):
        raise SaveError(f"`{path!r}` cannot be written: its name has a null character")
    target = Path(os.path.realpath(path))
    try:
        mode = target.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        folder = Path(path).parent
        if not os.path.isdir(target.parent):
            what = "is not a folder" if os.path.lexists(target.parent) else "does not exist"
            raise SaveError(f"`{path}` cannot be written: `{folder}` {what}") from None
        return target
    except OSError as error:
        raise SaveError(f"`{path}` cannot be written: {_reason(error)}") from error
    _check_regular(path, mode)
    if not os.access(target, os.W_OK):
        raise SaveError(f"`{path}` cannot be written: it is read-only")
    return target


def _write(file: BinaryIO, records: Iterable[Record]) -> None:
    file.write(HEADER)
    count = 0
    for record in records:
        if record.get("record") == END:
            raise SaveError(f"a record of kind `{END}` is written by itself, as the last")
        for piece in record_pieces(record):
            file.write(piece)
        count += 1
    file.write(encode_record({"record": END, "count": count}))


def _opened(path: AnyPath) -> BinaryIO:
    try:
        _check_regular(path, os.stat(path).st_mode)
        return open(path, "rb")
    except FileNotFoundError:
        raise SaveError(f"`{path}` does not exist") from None
    except (OSError, ValueError) as error:  # ValueError: a null character
        raise SaveError(f"`{path}` cannot be read: {_reason(error)}") from error


def _check_regular(path: AnyPath, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise SaveError(f"`{path}` is a folder, not a save")
    if not stat.S_ISREG(mode):
        raise SaveError(f"`{path}` is not a regular file")


def _checked_version(path: AnyPath, head: bytes) -> int:
    """The format version in a file's first bytes."""
    if not head:
        raise CorruptSave(f"`{path}` is not a tinynets save: it is empty")
    if not HEADER.startswith(head[: len(MAGIC)]):
        raise CorruptSave(f"`{path}` is not a tinynets save: it does not start with the bytes of one")
    if len(head) < len(HEADER):
        raise CorruptSave(f"`{path}` ends in the middle of its header at byte {len(head)}")
    version: int = struct.unpack_from("<H", head, len(MAGIC))[0]
    if version not in READABLE:
        newer = "; a newer tinynets wrote it" if version > VERSION else ""
        known = " and ".join(map(str, READABLE))
        raise UnsupportedSave(f"`{path}` has format version {version}, this tinynets reads {known}{newer}")
    return version


def _payload(path: AnyPath, where: str, file: BinaryIO, left: int, most: int) -> memoryview:
    """The payload of the record that begins here, `left` bytes before the end of the file; read once, never copied."""
    head = file.read(_FRAME.size)
    if len(head) == _FRAME.size:
        length, checksum = _FRAME.unpack(head)
        if length > most:
            raise CorruptSave(f"`{path}`: {where} claims {length:,} bytes; at most {most:,} are allowed")
        if length <= left - _FRAME.size:
            payload = np.empty(length, np.uint8).data
            at, found = 0, 0
            while at < length and (got := file.readinto(payload[at : at + CHUNK])):  # type: ignore[attr-defined]
                found = zlib.crc32(payload[at : at + got], found)
                at += got
            if at == length:
                if found != checksum:
                    raise CorruptSave(f"`{path}`: {where} is damaged (its checksum does not fit)")
                return payload
    raise CorruptSave(f"`{path}` ends in the middle of {where}")


def _reason(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in _REASONS:
        return _REASONS[number]
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]
