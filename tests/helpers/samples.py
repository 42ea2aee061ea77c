"""Small whole saves of many kinds, for mutations.py to alter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.data.names import from_text
from tinynets.storage import codec, snapshot
from tinynets.storage.journal import Written, increments
from tinynets.storage.records import END, HEADER, RecordFile, encode_record

OLD = Path(__file__).parents[1] / "saves"
ENDINGS = (".msgpack", ".journal")
Record = dict[str, Any]


@dataclass(frozen=True)
class Sample:
    """A whole file: its records but the last, and all its bytes."""

    records: list[Record]
    content: bytes
    version: int = 2


def _points() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    return x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)


def lab_of(layers: list[tn.Layer], data: Any, shape: tuple[int, ...], **options: Any) -> tn.Lab:
    defaults: dict[str, Any] = {"loss": tn.CrossEntropy(), "optimizer": tn.SGD(0.1), "batch": 8, "seed": 0}
    return tn.Lab(tn.Network(layers, input_shape=shape), data=data, **(defaults | options))


def plain() -> tn.Lab:
    """A lab with edits, branches, bookmarks, evaluations."""
    layers = [tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 2, name="output")]
    lab = lab_of(layers, {"train": _points(), "dev": _points()}, (2,), optimizer=tn.SGD(0.1, momentum=0.9))
    lab.run(4)
    lab.zero("hidden[1]")
    lab.freeze("hidden[2]")
    lab.evaluate("train")
    lab.bookmark("here", "where it was frozen")
    lab.run(4)
    lab.set("lr", 0.05)
    lab.undo()
    lab.set("hidden.rate", 0.5)
    lab.phase_to("loss")
    lab.clamp("hidden[5]", 0.5)
    lab.run(4)
    lab.evaluate("dev", clean=True)
    lab.seek(6)
    lab.fork("what-if")
    lab.zero("hidden.pre[0:2]")
    lab.run(3)
    lab.bookmark("there")
    return lab


def statistics() -> tn.Lab:
    """A lab with normalization, dropout, Adam, a schedule, penalties."""
    layers = [tn.Linear(2, 6, name="hidden"), tn.BatchNorm(6), tn.Tanh(), tn.Dropout(0.2), tn.Linear(6, 2)]
    options = {
        "optimizer": tn.Adam(0.01),
        "schedule": tn.CosineSchedule(20, warmup=4),
        "clip_norm": 1.0,
        "l2": {"hidden": 0.1},
    }
    lab = lab_of(layers, _points(), (2,), sampling="epoch", **options)
    lab.run(5)
    lab.zero("hidden[0]")
    lab.activation("hidden", "relu")
    lab.reset("hidden[1]")
    lab.set("optimizer", "momentum")
    lab.run(5)
    return lab


def carried() -> tn.Lab:
    """A lab whose recurrent layers go on where the last batch ended."""
    series = np.random.default_rng(0).normal(size=(121, 2))
    data = series[:-1].reshape(40, 3, 2), (series[1:, 0] > 0).astype(np.int64).reshape(40, 3)
    layers = [tn.GRU(2, 4, carry=4, name="hidden"), tn.Linear(4, 2, name="output")]
    lab = lab_of(layers, data, (3, 2), batch=4, sampling="stream")
    lab.run(6)
    lab.zero("hidden[1]@t=1")
    lab.run(4)
    return lab


def text() -> tn.Lab:
    """A lab of names, with an embedding and a transformer block."""
    words = b"\n".join(b"anna bella cora dora emma fay gina hana isa jana kara lena mona nora".split())
    data = from_text(words, context=4)
    size = len(data.labels)
    block = tn.Residual([tn.LayerNorm(4, name="norm"), tn.CausalSelfAttention(4, heads=2, name="attention")])
    layers = [
        tn.Embedding(size, 4, name="embed"),
        tn.PositionalEmbedding(4, 4),
        block,
        tn.LastStep(),
        tn.Linear(4, size),
    ]
    lab = lab_of(layers, data, (4,))
    lab.run(6)
    lab.freeze("embed[0]")
    lab.run(2)
    return lab


def images() -> tn.Lab:
    """A lab with convolution and pooling, in float64."""
    x = np.random.default_rng(0).normal(size=(16, 6, 6, 1))
    network = tn.Network(
        [tn.Conv2d(1, 2, 3, name="conv"), tn.ReLU(), tn.MaxPool2d(2), tn.Flatten(), tn.Linear(8, 2, name="output")],
        input_shape=(6, 6, 1),
        dtype="float64",
    )
    data = x, (x.mean((1, 2, 3)) > 0).astype(np.int64)
    lab = tn.Lab(network, data=data, loss=tn.CrossEntropy(), optimizer=tn.AdamW(0.01), batch=4, seed=0)
    lab.run(4)
    lab.zero("conv[1]")
    lab.run(2)
    return lab


def snapshot_of(lab: tn.Lab, kind: str = "save") -> Iterator[Record]:
    player = lab.player
    return snapshot.snapshot(lab.recipe, lab.data, player.timeline, player.position, player.state, kind=kind)


def _journal() -> list[Record]:
    """The records of a lab's journal: everything so far, and what came after."""
    lab = plain()
    records = list(snapshot_of(lab, "journal"))
    written = Written.all_of(lab.player)
    for act in (
        lambda: lab.run(3),
        lambda: lab.release("hidden"),
        lambda: lab.rename("main", "old"),
        lambda: lab.unbookmark("here"),
        lambda: lab.fork("new"),
    ):
        act()
        found = increments(lab.player, written)
        if found is not None:
            records += found[0]
            written = found[1]
    return records


LABS: dict[str, Callable[[], tn.Lab]] = {f.__name__: f for f in (plain, statistics, carried, text, images)}
FILES = {f"{path.parent.name}-{path.stem}": path for path in sorted(OLD.glob("v*/*.*")) if path.suffix in ENDINGS}
KINDS = (*LABS, "journal", *FILES)


def sample(kind: str) -> Sample:
    """The whole file of a kind, to be altered."""
    if kind in FILES:
        file = RecordFile(FILES[kind], recover=True)
        return Sample(list(file), FILES[kind].read_bytes(), file.version)
    records = _journal() if kind == "journal" else list(snapshot_of(LABS[kind]()))
    records = [codec.unpack(codec.pack(record)) for record in records]
    end = b"" if kind == "journal" else encode_record({"record": END, "count": len(records)})
    return Sample(records, HEADER + b"".join(map(encode_record, records)) + end)
