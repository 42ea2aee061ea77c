"""docs/save-format.md suffices to read a save: a reader written from it alone sees what the lab says."""

from __future__ import annotations

import hashlib
import inspect
import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import pytest

import tinynets as tn
from tinynets.edits.edit import OPERATIONS
from tinynets.history import moves, runs
from tinynets.history.moment import Moment
from tinynets.storage import data_record, header, timeline_records, user_code
from tinynets.storage import keyframes as keyframes_module
from tinynets.storage.records import read_records

RECORDS = (
    header,
    user_code,
    data_record,
    timeline_records,
    keyframes_module,
)  # what writes and reads each kind
PAGE = (Path(__file__).parents[3] / "docs" / "save-format.md").read_text(encoding="utf-8")
OF_JOURNALS = {"unbookmark", "rename", "drop"}


# -- the reader: msgpack, numpy and zlib, nothing of tinynets


def array_of(code: int, content: bytes) -> np.ndarray:
    if code != 1:
        raise ValueError(f"ext type {code} is not known")
    axes = content[3]
    shape = struct.unpack_from(f"<{axes}Q", content, 4)
    return np.frombuffer(content, np.dtype(content[:3].decode()), offset=4 + 8 * axes).reshape(shape)


def records_of(content: bytes) -> Iterator[dict[str, Any]]:
    if content[:10] != b"tinynets" + struct.pack("<H", 2):
        raise ValueError("this is no save of version 2")
    at, count = 10, 0
    while True:
        length, checksum = struct.unpack_from("<II", content, at)
        payload, at = content[at + 8 : at + 8 + length], at + 8 + length
        if zlib.crc32(payload) != checksum:
            raise ValueError(f"record {count + 1} is damaged")
        record = msgpack.unpackb(payload, ext_hook=array_of)
        if record["record"] == "end":
            if (record["count"], at) != (count, len(content)):
                raise ValueError("its end is not where it should be")
            return
        count += 1
        yield record


def by_name(vector: np.ndarray, layout: list[Any]) -> dict[str, np.ndarray]:
    ends = np.cumsum([math.prod(shape) for _, shape in layout])
    parts = np.split(vector, ends[:-1]) if layout else []
    return {name: part.reshape(shape) for (name, shape), part in zip(layout, parts, strict=True)}


def read_save(content: bytes) -> dict[str, Any]:
    save: dict[str, Any] = {"branches": {}, "keyframes": {}, "bookmarks": {}}
    for record in records_of(content):
        kind, branch = record.pop("record"), save["branches"].get(record.get("branch"))
        if kind == "branch":
            parent = save["branches"].get(record["parent"], {"losses": [], "edits": []})
            record["losses"] = list(parent["losses"][: record["fork"]])
            record["edits"] = list(parent["edits"][: record["shared"]])
            save["branches"][record["number"]] = record
        elif kind == "losses":
            branch["losses"] += record["values"].tolist()
        elif kind == "edits":
            branch["edits"] += record["edits"]
        elif kind == "keyframe":
            arrays = by_name(record["theta"], record["parameters"]) | by_name(record["buffers"], record["carried"])
            for number in record["branches"]:
                save["keyframes"][number, record["step"], record["edits"]] = record | {"arrays": arrays}
        elif kind == "bookmark":
            save["bookmarks"][record["name"]] = record
        elif kind in ("header", "recipe", "data", "position"):
            save[kind] = record
        elif kind != "evaluations":
            raise ValueError(f"records of kind {kind} are not known")
    return save


READER = (array_of, records_of, by_name, read_save)


# -- digests, as in the docs


def state_digest(keyframe: dict[str, Any]) -> str:
    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(value[key]) for key in sorted(value)}
        return list(map(ordered, value)) if isinstance(value, list) else value

    names = ("theta", "buffers", "frozen", "frozen_buffers", "counts")
    arrays = [(name, keyframe[name]) for name in names if name in keyframe]
    sha = hashlib.sha256(msgpack.packb(ordered(keyframe["state"])))
    for name, array in arrays + sorted(keyframe["slots"].items()):
        sha.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode() + array.tobytes())
    return sha.hexdigest()


def laid_out(value: Any) -> bytes:
    if isinstance(value, dict):
        return b"m" + struct.pack("<Q", len(value)) + b"".join(laid_out(k) + laid_out(value[k]) for k in sorted(value))
    if isinstance(value, list):
        return b"l" + struct.pack("<Q", len(value)) + b"".join(map(laid_out, value))
    if isinstance(value, np.ndarray):
        return laid_out(f"{value.dtype.str} {value.shape}") + value.tobytes()
    raw = value if isinstance(value, bytes) else str(value).encode()
    return {str: b"s", bytes: b"b", int: b"i"}[type(value)] + struct.pack("<Q", len(raw)) + raw


# -- what the reader sees


@pytest.fixture(scope="module")
def lab() -> Iterator[tn.Lab]:
    """Three branches with edits, bookmarks and evaluations; running statistics; every keyframe saved."""
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    layers = [
        tn.Linear(2, 6, name="hidden"),
        tn.BatchNorm(6),
        tn.Tanh(),
        tn.Residual([tn.Linear(6, 6), tn.ReLU()], name="again"),
        tn.Linear(6, 2, name="output"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "KEYFRAME_COST", 1e-9)
        patch.setattr(keyframes_module, "SPACING", 1)
        lab = tn.Lab(
            tn.Network(layers),
            data=(x, (x[:, 0] > 0).astype(np.int64)),
            loss=tn.CrossEntropy(),
            optimizer=tn.Adam(0.01),
        )
        lab.player.timeline.keyframes.stride = 8
        lab.run(20)
        lab.zero("hidden[1]")
        lab.freeze("hidden[0:2]")
        lab.evaluate("train")
        lab.bookmark("two edits", "before the fork")
        lab.run(20)
        lab.seek(20, edits=1)
        lab.fork("what-if")
        lab.set("lr", 0.05)
        lab.run(15)
        lab.fork("third")
        lab.activation("hidden", "leaky-relu", slope=0.2)
        lab.run(9)
        lab.bookmark("end of the third")
        lab.back(3)
        yield lab


@pytest.fixture
def content(lab: tn.Lab, tmp_path: Path) -> bytes:
    return Path(lab.save(tmp_path / "run.msgpack").path).read_bytes()


def test_the_reader_is_short_and_has_nothing_of_tinynets() -> None:
    lines = [line for part in READER for line in inspect.getsource(part).splitlines() if line.strip()]
    assert len(lines) < 60
    assert not re.search(r"\b(tn|tinynets)\.|read_records", "\n".join(lines))


def test_a_reader_from_the_page_alone_sees_what_the_lab_says(lab: tn.Lab, content: bytes) -> None:
    save, timeline = read_save(content), lab.player.timeline
    header = save["header"]
    assert (header["recipe"], header["kind"], header["parameters"]) == ("network", "save", lab.network.theta.size)
    assert (header["step"], header["branch"], header["end"]) == (lab.step_number, lab.branch, lab.end)
    assert (header["branches"], header["edits"], header["bookmarks"]) == (3, 4, 2)
    assert header["loss"] == lab.loss
    assert [branch["name"] for branch in save["branches"].values()] == [branch.name for branch in lab.tree]
    for number, branch in save["branches"].items():
        kept = timeline.branches[number]
        assert (branch["parent"], branch["fork"], branch["shared"]) == (kept.parent, kept.fork, kept.shared)
        assert branch["losses"] == kept.losses.values.tolist()
        assert [(e["step"], e["edit"], e["done"], e["before"], e["after"]) for e in branch["edits"]] == [
            (placed.step, placed.edit.config(), placed.done, placed.before, placed.after) for placed in kept.edits
        ]
    position = save["position"]
    assert Moment(position["branch"], position["step"], position["edits"]) == lab.moment
    assert position["actions"].tolist() == [[*before, *after] for before, after in timeline.actions]
    marks = {mark.name: (mark.note, tuple(mark.moment)) for mark in lab.bookmarks}
    seen = {name: (b["note"], (b["branch"], b["step"], b["edits"])) for name, b in save["bookmarks"].items()}
    assert seen == marks


def test_its_keyframes_are_the_networks_arrays_by_name_with_the_digests_of_their_states(
    lab: tn.Lab, content: bytes
) -> None:
    keyframes = read_save(content)["keyframes"]
    assert {number for number, _, _ in keyframes} == set(lab.player.timeline.branches)
    assert len(keyframes) > 10
    here = lab.moment
    for (number, step, edits), keyframe in keyframes.items():
        for _ in moves.go(lab.player, Moment(number, step, edits)):
            pass
        assert state_digest(keyframe) == lab.state.digest()
        arrays = keyframe["arrays"]
        assert arrays["again.linear1.w"].shape == (6, 6)
        for name, array in arrays.items():
            layer, _, attribute = name.rpartition(".")
            np.testing.assert_array_equal(array, getattr(lab.network[layer], attribute))
    for _ in moves.go(lab.player, here):
        pass


def test_the_digest_of_its_data_is_that_of_the_page(lab: tn.Lab, content: bytes, names: tn.Lab, tmp_path: Path) -> None:
    for each in (content, Path(names.save(tmp_path / "names").path).read_bytes()):
        data = read_save(each)["data"]
        assert hashlib.sha256(laid_out(data["payload"])).hexdigest() == data["sha256"]


# -- what the docs say


def sections() -> dict[str, str]:
    """Kind of record -> its section in the docs."""
    found = {}
    for part in re.split(r"^### ", PAGE, flags=re.M)[1:]:
        title, _, text = part.partition("\n")
        found |= {kind.strip(): re.split(r"^## ", text, flags=re.M)[0] for kind in title.split(",")}
    return found


def written(lab: tn.Lab, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Every kind of record, with every field that exists."""
    yield from read_records(lab.save(path / "whole").path)
    with monkeypatch.context() as patch:
        patch.setattr(data_record, "EMBED_LIMIT", 1)
        yield from read_records(lab.save(path / "sample").path)
    branch = lab.player.branch
    yield timeline_records.rename_record(branch)
    yield timeline_records.drop_record(branch.number)
    yield timeline_records.unbookmark_record("two edits")


def test_the_page_names_every_record_and_field_that_is_written(
    lab: tn.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, met = sections(), set()
    for record in written(lab, tmp_path, monkeypatch):
        kind = record["record"]
        met.add(kind)
        missing = [key for key in inside(record) if f"`{key}`" not in page[kind]]
        assert missing == [], kind
    names = [name for module in RECORDS for name in vars(module)]
    functions = {name.removesuffix("_record") for name in names if re.fullmatch("(?!read_).*_record", name)}
    assert met == set(page) == functions


def inside(record: dict[str, Any]) -> Iterator[str]:
    """The keys of a record, and of those maps in it that tinynets makes."""
    yield from (key for key in record if key != "record")
    for deeper in ("state", "payload", "sample"):
        if isinstance(record.get(deeper), dict):
            yield from record[deeper]
    if "state" in record:
        yield from record["state"]["hyper"]
        for entry in record["state"]["interventions"]:
            yield from entry
    for entry in record.get("edits", []) if record["record"] == "edits" else []:
        yield from (*entry, *entry["edit"])


def test_the_page_names_every_operation_and_only_records_of_journals_are_not_in_saves(
    lab: tn.Lab, content: bytes
) -> None:
    for name in OPERATIONS:
        assert f"`{name}`" in sections()["edits"], name
    kinds = {record["record"] for record in records_of(content)}
    assert set(sections()) - kinds == OF_JOURNALS


def test_a_journal_is_read_by_the_same_page_up_to_its_end(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab = make_tiny(journal=tmp_path)
    lab.run(5)
    lab.zero("hidden[1]")
    lab.bookmark("here")
    lab.flush()
    (file,) = tmp_path.glob("*.journal")
    read: list[dict[str, Any]] = []
    with pytest.raises(struct.error):  # there is no end
        read.extend(records_of(file.read_bytes()))
    assert (read[0]["record"], read[0]["kind"]) == ("header", "journal")
    assert [record["record"] for record in read[5:]].count("edits") == 1
    lab.close(discard=True)


@pytest.mark.parametrize("limit", ["2^32 - 1 bytes", "64 kB", "16 levels", "2^18 values", "up to 16 MB"])
def test_the_page_tells_the_limits(limit: str) -> None:
    from tinynets.storage import codec, records

    assert limit in PAGE
    assert (records.MAX_PAYLOAD, header.MAX_HEADER, codec.MAX_DEPTH, codec.MAX_ITEMS) == (
        2**32 - 1,
        64 * 2**10,
        16,
        2**18,
    )
    assert data_record.EMBED_LIMIT == 16 * 2**20
