"""Makes the saves of this format version that every later version must open, and `facts.json`: what they hold.

Run: `python tests/saves/make.py`. It makes the missing saves in the version's folder, and leaves existing ones as they
are. For anything new in a version, add a function below and its name to `SAVES`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

import tinynets as tn
from tinynets.history import runs
from tinynets.history.timeline import Timeline
from tinynets.storage import data_record, timeline_records
from tinynets.storage.records import VERSION, encode_record, read_records

FOLDER = Path(__file__).parent / f"v{VERSION}"
MAX_BYTES = 100_000


def points(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """(count, 2) points and their classes, by a rule that test_old_saves.py repeats."""
    x = np.arange(2 * count).reshape(count, 2) * 7 % 11 / 11
    return x, (x[:, 0] > x[:, 1]).astype(np.int64)


def layers() -> list[tn.Layer]:
    return [tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 2, name="output")]


def small(parts: list[tn.Layer] | None = None, **options: Any) -> tn.Lab:
    """A lab with a keyframe at every eighth step."""
    splits = {"train": points(), "dev": points(10)}
    usual = {"data": splits, "loss": tn.CrossEntropy(), "optimizer": tn.SGD(0.1, momentum=0.9), "batch": 8}
    lab = tn.Lab(tn.Network(parts or layers(), dtype=options.pop("dtype", "float32")), **(usual | options))
    lab.player.timeline.keyframes.stride = 8
    return lab


def edits() -> tn.Lab:
    """A lab with every kind of edit, some undone, with an odd note."""
    lab = small(
        [tn.Linear(2, 6, name="hidden"), tn.BatchNorm(6, name="norm"), tn.Tanh(), tn.Linear(6, 2, name="output")]
    )
    for act in EDITS:
        act(lab)
        lab.run(4)
    return lab


EDITS: tuple[Callable[[tn.Lab], object], ...] = (
    lambda lab: lab.zero("hidden[1]"),
    lambda lab: lab.zero("hidden.pre[2:5]"),
    lambda lab: lab.release("hidden.pre[3]"),
    lambda lab: lab.freeze("hidden[0,5]"),
    lambda lab: lab.unfreeze("hidden[5]"),
    lambda lab: lab.reset("hidden[2]"),
    lambda lab: lab.set("lr", 0.05),
    lambda lab: lab.set("clip_norm", 1.5),
    lambda lab: lab.set("output.l2", 0.001),
    lambda lab: lab.set("hidden.rate", 0.5),
    lambda lab: lab.set("schedule", "cosine", steps=200),
    lambda lab: lab.set("optimizer", "adamw", weight_decay=0.1),
    lambda lab: lab.activation("hidden", "leaky-relu", slope=0.2),
)


def branches() -> tn.Lab:
    """A lab with three branches (one forked from another), bookmarks, evaluations and an undone edit, in the past."""
    lab = small()
    lab.run(20)
    lab.evaluate("dev")
    lab.bookmark("early", "before anything was done\n\u2192 here")
    lab.zero("hidden[1]")
    lab.evaluate("train", clean=True)
    lab.run(20)
    lab.seek(20, edits=0)
    lab.fork("what-if")
    lab.freeze("hidden[2]")
    lab.run(12)
    lab.evaluate("dev")
    lab.fork("naïve")
    lab.run(8)
    lab.bookmark("late")
    lab.undo()
    lab.switch("what-if")
    lab.back(2)
    return lab


def carried() -> tn.Lab:
    """A lab that carries hidden state from batch to batch, frozen in part."""
    x = np.arange(240).reshape(60, 4, 1) * 5 % 13 / 13
    parts: list[tn.Layer] = [tn.RNN(1, 5, carry=4, sequence=True, name="rnn"), tn.Linear(5, 1, name="output")]
    lab = small(parts, data=(x, x.sum(axis=2, keepdims=True)), loss=tn.MSE(), batch=4, sampling="stream")
    lab.run(15)
    lab.reset("rnn[0:2]")
    lab.run(10)
    return lab


def adam() -> tn.Lab:
    """A lab with Adam's slots in float64, batches by epochs, penalties and clipping."""
    lab = small(
        dtype="float64",
        optimizer=tn.Adam(0.01),
        sampling="epoch",
        clip_value=0.5,
        l1={"hidden": 0.001},
        rates={"output": 0.5},
    )
    lab.run(30)
    lab.evaluate("dev")
    return lab


def weighted() -> tn.Lab:
    """A lab with example weights, and with values as targets."""
    x, y = points()
    lab = small(data=(x, np.stack([y, 1 - y], axis=1), np.linspace(0.5, 1.5, len(x))), loss=tn.MSE())
    lab.run(10)
    return lab


def sample() -> tn.Lab:
    """A lab whose data are not in the save: only their digest, their path and a few examples."""
    data_record.EMBED_LIMIT = 10
    lab = small(data={"train": points(200), "dev": points(50)}, probe=20)
    lab.run(24)
    lab.zero("hidden[1]")
    lab.run(10)
    return lab


def journal() -> tn.Lab:
    """A journal of a lab never saved: branches renamed and dropped, a bookmark removed, a record cut."""
    lab = small(journal=SCRATCH)
    lab.run(10)
    lab.flush()
    lab.zero("hidden[1]")
    lab.run(10)
    lab.evaluate("dev")
    lab.bookmark("gone")
    lab.bookmark("kept", "a note")
    lab.flush()
    lab.unbookmark("gone")
    lab.seek(5)
    lab.fork("short")
    lab.run(3)
    lab.flush()
    lab.switch("main")
    lab.rename("main", "trunk")
    lab.seek(12)
    lab.fork("what-if")
    lab.run(3)
    lab.flush()
    return lab


def surgery() -> tn.Lab:
    """A lab with operations on activations, learning, parameters and structure, on branches whose layers differ."""
    lab = small([tn.Linear(2, 8, name="hidden"), tn.Tanh(), tn.Dropout(0.1), tn.Linear(8, 2, name="output")])
    for act in OPERATIONS_ON_UNITS:
        act(lab)
        lab.run(2)
    lab.bookmark("before")
    lab.fork("other")
    lab.grow("hidden", 2, split=1)
    lab.run(10)
    lab.switch("main")
    for act in OPERATIONS_ON_LAYERS:
        act(lab)
        lab.run(9)
    lab.evaluate("dev")
    return lab


def phases() -> tn.Lab:
    """A lab with edits in the middle of steps, one of them undone, and one on a branch that leaves from it."""
    lab = small()
    lab.run(10)
    for target, count in (("hidden[1]", 3), ("hidden.pre[2]", 5)):
        for _ in range(count):
            lab.phase()
        lab.zero(target)
        lab.run(4)
    lab.bookmark("zeroed")
    lab.phase()
    lab.clamp("hidden[4]", 0.5)
    lab.run(1)
    lab.seek(10, edits=0)
    lab.phase()
    lab.scale("hidden[0]", 2.0)
    lab.run(8)
    lab.phase()
    lab.noise("hidden[5]", 0.1)
    lab.undo()
    return lab


OPERATIONS_ON_UNITS: tuple[Callable[[tn.Lab], object], ...] = (
    lambda lab: lab.mean("hidden[1]"),
    lambda lab: lab.resample("hidden[2]", examples=5),
    lambda lab: lab.clamp("hidden.pre[3]", 0.5),
    lambda lab: lab.scale("hidden[0:3]", 1.5),
    lambda lab: lab.noise("hidden[4,6]", 0.1),
    lambda lab: lab.patch("hidden[5]", example=2),
    lambda lab: lab.steer("hidden", toward=1, away=0, scale=0.25),
    lambda lab: lab.freeze("hidden.w[1,3]"),
    lambda lab: lab.freeze("hidden[7]", outgoing=True),
    lambda lab: lab.rate("hidden[3]", 0.1),
    lambda lab: lab.set_weight("output.w[0,1]", 0.25),
    lambda lab: lab.nudge("hidden.b[2]", -0.125),
    lambda lab: lab.zero_weights("hidden[6]"),
    lambda lab: lab.reinit("hidden[6]"),
    lambda lab: lab.copy("hidden[0]", "hidden[1]"),
    lambda lab: lab.swap("hidden[2]", "hidden[3]", outgoing=True),
    lambda lab: lab.sign_flip("hidden[4]", outgoing=True),
    lambda lab: lab.round("output", 6),
    lambda lab: lab.sparsify("output", 0.25),
)
OPERATIONS_ON_LAYERS: tuple[Callable[[tn.Lab], object], ...] = (
    lambda lab: lab.prune("hidden[2]"),
    lambda lab: lab.transplant("hidden[0]", bookmark="before", source="hidden[1]"),
    lambda lab: lab.grow("hidden", 2),
    lambda lab: lab.insert("hidden", "linear", name="extra"),
    lambda lab: lab.insert("output", "identity", name="last"),
    lambda lab: lab.remove("last"),
    lambda lab: lab.patch("hidden[3]", bookmark="before", example=1),
)


SAVES: tuple[Callable[[], tn.Lab], ...] = (edits, branches, carried, adam, weighted, sample, journal, surgery, phases)
SCRATCH = ""


def main() -> None:
    global SCRATCH
    runs.KEYFRAME_COST = 1e-9  # keyframes so dense that small runs have some
    FOLDER.mkdir(exist_ok=True)
    listed = FOLDER / "facts.json"
    known: dict[str, Any] = json.loads(listed.read_text()) if listed.exists() else {}
    limit = data_record.EMBED_LIMIT
    for make in SAVES:
        name = make.__name__
        if name in known:
            continue
        with TemporaryDirectory() as SCRATCH:
            os.environ["TINYNETS_STATE"] = SCRATCH
            lab = make()
            written = FOLDER / f"{name}.msgpack"
            if name == "journal":
                written = FOLDER / f"{name}.journal"
                write_journal(lab, written)
            else:
                shutil.move(lab.save(Path(SCRATCH) / written.name).path, written)
            known[name] = facts(lab, written)
            lab.close(discard=True)
        data_record.EMBED_LIMIT = limit
        if written.stat().st_size >= MAX_BYTES:
            sys.exit(f"{written} has {written.stat().st_size:,} bytes; fewer than {MAX_BYTES:,} are wanted")
        listed.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{written}: {written.stat().st_size:,} bytes")


def write_journal(lab: tn.Lab, written: Path) -> None:
    """Write a lab's journal, with a record that drops a branch and one that is cut."""
    (file,) = Path(SCRATCH).glob("*.journal")
    content, short = file.read_bytes(), lab.player.timeline.named("short")
    lab.drop(short.name)
    position = timeline_records.position_record(lab.moment, lab.player.timeline.actions)
    more = encode_record(timeline_records.drop_record(short.number)) + encode_record(position)
    written.write_bytes(content + more + b"\x40\x01\x00\x00\xff\xff")


def facts(lab: tn.Lab, file: Path) -> dict[str, Any]:
    """What a lab holds, as far as it does not depend on the machine that reads it."""
    timeline = lab.player.timeline
    return {
        "recipe": lab.recipe.name,
        "moment": list(lab.moment),
        "current": lab.branch,
        "digest": lab.state.digest(),
        "parameters": lab.network.theta.size,
        "dtype": lab.network.dtype.name,
        "data": lab.data.sha256,
        "missing": data_record.EMBED_LIMIT < 100,
        "interventions": [str(entry) for entry in lab.interventions],
        "frozen": {block: list(units) for block, units in lab.frozen.items()},
        "actions": len(timeline.actions),
        "bookmarks": [[mark.name, mark.note, list(mark.moment)] for mark in lab.bookmarks],
        "branches": [
            {
                "name": branch.name,
                "parent": branch.parent,
                "fork": branch.fork,
                "losses": len(branch.losses),
                "losses_sha256": sha(branch.losses.values),
                "edits": [[placed.step, placed.edit.python(), placed.done] for placed in branch.edits],
                "phases": [placed.phase for placed in branch.edits],
                "evaluations": [str(entry) for entry in branch.evaluations],
            }
            for branch in timeline.branches.values()
        ],
        "keyframes": [] if file.suffix == ".journal" else keyframes(timeline, lab, file),
    }


def keyframes(timeline: Timeline, lab: tn.Lab, file: Path) -> list[dict[str, Any]]:
    """The states that the file keeps, as the lab had them."""
    found = []
    for record in read_records(file):
        if record["record"] == "keyframe":
            key = record["step"], record["edits"]
            state = timeline.branches[record["branches"][0]].keyframes.get(key, lab.state)
            found.append(
                {
                    "step": key[0],
                    "edits": key[1],
                    "branches": record["branches"],
                    "theta_sha256": sha(state.theta),
                    "buffers_sha256": sha(state.buffers),
                    "slots_sha256": {name: sha(slot) for name, slot in state.slots.items()},
                    "frozen": state.frozen.tolist(),
                }
            )
    return found


def sha(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


if __name__ == "__main__":
    main()
