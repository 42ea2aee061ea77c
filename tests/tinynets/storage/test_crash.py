"""A process that trains, operates and saves is killed at random: its saves open whole, its journal recovers.

The process logs what it begins and what it has done, moment by moment, with digests; what is found on the disk
afterwards is compared with that log. `pytest -m proof` kills it 300 times; with TINYNETS_PROOF=5 in the environment
five times as often. Run as a script, this file is the process, or rather a server that forks one for each kill.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from patience import until

import tinynets as tn
from tinynets.history import moves
from tinynets.history.branch import Branch
from tinynets.history.moment import Moment
from tinynets.jobs import run_to_end
from tinynets.numerics.determinism import fingerprint
from tinynets.storage import journal, locks
from tinynets.storage.recovery import RecoverableJournal, discard, recoverable

if sys.platform == "win32":
    pytest.skip("kills and forks as other systems do", allow_module_level=True)

KILLS = 300 * int(os.environ.get("TINYNETS_PROOF", "1"))
SHORT = 8
SESSIONS = 5
"""Kills in one folder; each process goes on with what the last one left."""
SAVES = ("one", "two")
OFTEN, USUAL = 0.01, journal.FLUSH
"""Seconds between flushes of the journal, in most sessions and in some."""

Shape = dict[str, Any]


def shape(lab: tn.Lab) -> Shape:
    """What a lab holds, as plain data: losses by their digest, so that a line of the log stays short."""
    timeline = lab.player.timeline
    return {
        "branches": {
            str(branch.number): {
                "name": branch.name,
                "left": [branch.parent, branch.fork, branch.shared],
                "steps": len(branch.losses),
                "losses": digest(branch, len(branch.losses)),
                "edits": [[placed.step, placed.edit.python()] for placed in branch.edits],
                "evaluations": [[entry.step, entry.edits, entry.loss] for entry in branch.evaluations],
            }
            for branch in timeline.branches.values()
        },
        "bookmarks": {mark.name: [mark.note, *mark.moment] for mark in timeline.bookmarks.values()},
        "at": list(lab.moment),
        "digest": lab.state.digest(),
    }


def digest(branch: Branch, steps: int) -> str:
    return hashlib.sha256(branch.losses.part(0, steps).tobytes()).hexdigest()[:16]


# -- the process that is killed


def fresh() -> tn.Lab:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    layers = [tn.Linear(2, 6, name="hidden"), tn.Tanh(), tn.Linear(6, 2, name="output")]
    return tn.Lab(
        tn.Network(layers, seed=0),
        data=(x, (x[:, 1] > x[:, 0] ** 2).astype(np.int64)),
        loss=tn.CrossEntropy(),
        optimizer=tn.Adam(0.01),
        batch=8,
        seed=0,
        journal=True,
    )


class Work:
    """A lab at random work, and the log of it."""

    def __init__(self, seed: int, folder: Path, source: str, log: int) -> None:
        self.chance, self.folder, self.log = random.Random(seed), folder, log
        self.lab = tn.Lab(source, journal=True) if source else fresh()
        self.count = 0

    def write(self, what: str, content: Any) -> None:
        os.write(self.log, json.dumps([what, content]).encode() + b"\n")

    def go_on(self) -> None:
        self.write("start", shape(self.lab))
        verbs = {
            self.run: 6, self.edit: 5, self.move: 3, self.undo: 2, self.fork: 2, self.mark: 1, self.rename: 1,
            self.drop: 2, self.save: 2, self.evaluate: 1,
        }  # fmt: skip
        while True:
            (verb,) = self.chance.choices(list(verbs), list(verbs.values()))
            self.count += 1
            with suppress(tn.EditError, tn.TimelineError):
                verb()

    def do(self, verb: str, *arguments: Any) -> None:
        self.write("begin", [verb, *map(str, arguments)])
        try:
            for _ in self.lab.work(verb, arguments, {}):
                if verb == "run":
                    self.write("mark", [monotonic(), *self.lab.moment])
        finally:
            self.write("done", shape(self.lab))

    def run(self) -> None:
        count = self.chance.choice([1, 10, 200, 2000])
        if self.chance.random() < 0.3:  # like a program that calls the library
            self.write("begin", ["run", str(count)])
            self.lab.run(count)
            self.write("done", shape(self.lab))
        else:
            self.do("run", count)

    def edit(self) -> None:
        verb = self.chance.choice(["zero", "freeze", "release", "unfreeze", "set"])
        self.do(
            verb, *(("lr", self.chance.random() / 10) if verb == "set" else (f"hidden[{self.chance.randrange(6)}]",))
        )

    def move(self) -> None:
        self.do("seek", self.chance.randrange(self.lab.end + 1))

    def undo(self) -> None:
        self.do(self.chance.choice(["undo", "undo", "redo"]))

    def fork(self) -> None:
        self.do("fork", f"fork {self.count}-{self.chance.randrange(10**6)}")

    def mark(self) -> None:
        self.do("bookmark", self.chance.choice("abc"), f"note {self.count}")

    def rename(self) -> None:
        self.do("rename", self.chance.choice(self.lab.branches), f"name {self.count}-{self.chance.randrange(10**6)}")

    def drop(self) -> None:
        if len(self.lab.branches) > 3:
            self.do("drop", self.chance.choice(self.lab.branches))

    def save(self) -> None:
        self.do("save", str(self.folder / f"{self.chance.choice(SAVES)}.msgpack"))

    def evaluate(self) -> None:
        self.do("evaluate", "train")


def serve() -> None:
    """Fork a process for each line of input; print its number, wait until it is killed, print how it ended."""
    fresh().close(discard=True)  # so that everything is imported before the first fork
    fingerprint()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            journal.FLUSH, journal.BOUND, journal.GROWTH = order["flush"], order["bound"], 1
            log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            Work(order["seed"], Path(order["folder"]), order["source"], log).go_on()
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


# -- what is found afterwards


class Log:
    """The log of a killed process."""

    def __init__(self, path: Path) -> None:
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []  # the last line may be cut
        self.entries = [json.loads(line) for line in lines]
        self.begun = [content for what, content in self.entries if what == "begin"]
        self.shapes: list[Shape] = [content for what, content in self.entries if what in ("start", "done")]
        self.at_work = self.begun[-1] if len(self.begun) >= len(self.shapes) and self.begun else None
        self.digests = {tuple(entry["at"]): entry["digest"] for entry in self.shapes}

    @property
    def last(self) -> Shape:
        return self.shapes[-1]

    def saves(self) -> Iterator[tuple[str, Shape, bool]]:
        """Each save: its file, its contents, and whether it was completed."""
        shape_: Shape = {}
        begun = ""
        for what, content in self.entries:
            if what == "begin" and content[0] == "save":
                begun = content[1]
            elif what in ("start", "done"):
                shape_ = content
                if begun:
                    yield begun, shape_, True
                begun = ""
        if begun:
            yield begun, shape_, False

    def flushed(self, seconds: float) -> tuple[int, int] | None:
        """The branch and step that the present run must have on disk: logged `seconds` before its last piece."""
        marks: list[list[Any]] = []
        for what, content in self.entries:
            marks = [*marks, content] if what == "mark" else [] if what == "begin" else marks
        early = [mark for mark in marks[:-2] if mark[0] <= marks[-2][0] - seconds]
        return (early[-1][1], early[-1][2]) if early else None


CHANGES_NAMES = ("rename", "run", "zero", "freeze", "release", "unfreeze", "set")
"""Verbs after which a branch may have another name: what follows an undo takes over the name of what it leaves."""


def missing(found: Shape, log: Log) -> list[str]:
    """Branches, edits, names and bookmarks reported done but missing, unless the last action changes them."""
    verb = log.at_work[0] if log.at_work else ""
    told = []
    for number, branch in log.last["branches"].items():
        now = found["branches"].get(number)
        if now is None:
            told += [f"branch {number}"] * (verb != "drop")
        elif now["edits"][: len(branch["edits"])] != branch["edits"]:
            told.append(f"edits of branch {number}")
        elif now["name"] != branch["name"] and verb not in CHANGES_NAMES:
            told.append(f"name of branch {number}")
    gone = [name for name, mark in log.last["bookmarks"].items() if found["bookmarks"].get(name) != mark]
    return told + gone * (verb not in ("bookmark", "drop"))


class Killing:
    """Kills one process after another in a folder, and checks what each has left."""

    def __init__(self, server: subprocess.Popen[str], folder: Path, chance: random.Random, told: Counter[str]) -> None:
        self.server, self.folder, self.chance, self.told = server, folder, chance, told
        self.saved: dict[str, Shape] = {}
        """File -> what it was last saved with."""
        self.source = ""
        self.number = 0
        folder.mkdir(parents=True)

    def session(self) -> None:
        usual = self.chance.random() < 0.08
        flush = USUAL if usual else OFTEN
        bound = self.chance.choice([2**26, 2**26, 20_000])
        log = self.kill(flush, bound, self.chance.uniform(0.5, 1.2) if usual else self.chance.expovariate(1 / 0.06))
        self.told["kills"] += 1
        if not log.shapes:
            self.told["before it had begun"] += 1
            return
        self.told[f"at work on {log.at_work[0]}" if log.at_work else "between two actions"] += 1
        self.check_saves(log)
        self.check_work(log, flush)
        self.choose()

    def kill(self, flush: float, bound: int, seconds: float) -> Log:
        self.number += 1
        path = self.folder / f"log-{self.number}"
        order = {
            "seed": self.chance.randrange(2**32), "folder": str(self.folder), "source": self.source, "log": str(path),
            "flush": flush, "bound": bound,
        }  # fmt: skip
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.server.stdin.write(json.dumps(order) + "\n")
        self.server.stdin.flush()
        child = int(self.server.stdout.readline())
        if self.chance.random() < 0.95:  # otherwise it is killed while it opens what the last one left
            until(lambda: path.exists() and path.stat().st_size)
        sleep(seconds)
        os.kill(child, signal.SIGKILL)
        assert int(self.server.stdout.readline()) == -signal.SIGKILL
        return Log(path)

    # -- saves

    def check_saves(self, log: Log) -> None:
        """Check that each save opens whole, and holds what was last saved or was being saved."""
        under_way: dict[str, Shape] = {}
        for file, content, ended in log.saves():
            (self.saved if ended else under_way)[file] = content
        for file in (self.folder / f"{name}.msgpack" for name in SAVES):
            known = [content[str(file)] for content in (self.saved, under_way) if str(file) in content]
            if not file.exists():
                assert str(file) not in self.saved
                continue
            held = locks.acquire(file)
            assert held is not None  # the lock ended with the process
            held.release()
            lab = tn.Lab(file)
            found = shape(lab)
            lab.close()
            assert lab.read_only is False
            assert found in known
            self.saved[str(file)] = found
            self.told["saves opened"] += 1

    # -- the journal

    def check_work(self, log: Log, flush: float) -> None:
        """Check that what is recovered is a beginning of what was done, and that no edit is missing."""
        found = recoverable()
        self.told["journals recovered"] += bool(found)
        sources: list[Path | str] = [entry.file for entry in found] or self.last_saves(log)
        shapes = [self.check_part(source, log) for source in sources]
        best = min(shapes, key=lambda entry: len(missing(entry, log)))
        assert missing(best, log) == []
        due = log.flushed(flush)
        if due is not None and log.at_work and log.at_work[0] == "run":
            self.told["runs whose last steps were held against the clock"] += 1
            assert best["branches"][str(due[0])]["steps"] >= due[1]
        self.left = found

    def last_saves(self, log: Log) -> list[Path | str]:
        """The files of which one holds everything if there is no journal; a save in progress may be incomplete."""
        files = [file for file, content, _ in log.saves() if self.saved.get(file) == content]
        return list(files[-2:]) or [self.source]

    def check_part(self, source: Path | str, log: Log) -> Shape:
        lab = tn.Lab(source) if source else fresh()
        found = shape(lab)
        branches = lab.player.timeline.branches
        for number, branch in branches.items():
            self.check_branch(branch, [entry["branches"].get(str(number)) for entry in log.shapes], log)
        for moment, seen in self.chance.sample(sorted(log.digests.items()), min(6, len(log.digests))):
            if held(branches, Moment(*moment)):
                self.told["moments compared"] += 1
                assert run_to_end(moves.state_at(lab.player, Moment(*moment))).digest() == seen
        assert log.digests.get(tuple(found["at"]), found["digest"]) == found["digest"]
        if self.chance.random() < 0.1:
            self.told["verified from the start"] += 1
            assert not lab.verify().divergences
        lab.close()
        return found

    def check_branch(self, branch: Branch, seen: list[dict[str, Any] | None], log: Log) -> None:
        """Check that a branch is one that was seen, cut somewhere; only the last action may have gone beyond that."""
        known = [entry for entry in seen if entry is not None]
        edits = [[placed.step, placed.edit.python()] for placed in branch.edits]
        if not known:
            assert log.at_work is not None
            assert log.at_work[0] in ("fork", "zero", "freeze", "release", "unfreeze", "set", "run", "undo")
            return
        widest = max(known, key=lambda entry: (len(entry["edits"]), entry["steps"]))
        shared = min(len(edits), len(widest["edits"]))
        assert edits[:shared] == widest["edits"][:shared]
        assert len(edits) - shared <= 1
        if len(edits) > shared:
            assert log.at_work is not None
            assert f"lab.{log.at_work[0]}(" in edits[-1][1]
        evaluations = [[entry.step, entry.edits, entry.loss] for entry in branch.evaluations]
        new = [entry for entry in evaluations if not any(entry in before["evaluations"] for before in known)]
        assert not new or (log.at_work is not None and log.at_work[0] == "evaluate" and len(new) == 1)
        for entry in known:
            if entry["steps"] <= len(branch.losses):
                assert digest(branch, entry["steps"]) == entry["losses"]
        if len(branch.losses) > widest["steps"]:
            assert log.at_work is not None
            assert log.at_work[0] in ("run", "save")

    def choose(self) -> None:
        """Choose what the next process starts from: the journal left behind, a save, or nothing."""
        saves = [file for file in self.saved if Path(file).exists()]
        kinds = ["journal"] * 6 * bool(self.left) + ["save"] * 3 * bool(saves) + ["fresh"]
        kind = self.chance.choice(kinds)
        kept: RecoverableJournal | None = self.left[0] if kind == "journal" else None
        for entry in self.left:
            if entry is not kept:
                discard(entry)
        self.source = str(kept.file) if kept else self.chance.choice(saves) if kind == "save" else ""
        self.told[f"went on from {kind}"] += 1


def held(branches: dict[int, Branch], moment: Moment) -> bool:
    branch = branches.get(moment.branch)
    return (
        branch is not None
        and moment.step <= len(branch.losses)
        and branch.edits_through(moment.step - 1) <= moment.edits <= branch.edits_through(moment.step)
    )


@contextmanager
def server() -> Iterator[subprocess.Popen[str]]:
    paths = [Path(tn.__file__).parents[1], Path(__file__).parents[2] / "helpers"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    with subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()


def killed(folder: Path, kills: int, seed: int) -> Counter[str]:
    chance, told = random.Random(seed), Counter[str]()
    with server() as process:
        while told["kills"] < kills:
            killing = Killing(process, folder / str(told["kills"]), chance, told)
            for _ in range(SESSIONS):
                killing.session()
            for entry in recoverable():
                discard(entry)
    return told


def test_killed_at_work_it_leaves_whole_saves_and_a_journal_of_what_it_did(tmp_path: Path) -> None:
    assert killed(tmp_path, SHORT, 0)["kills"] >= SHORT


@pytest.mark.proof
def test_killed_hundreds_of_times_it_leaves_whole_saves_and_a_journal_of_what_it_did(tmp_path: Path) -> None:
    told = killed(tmp_path, KILLS, 1)
    print("\n" + "\n".join(f"{count:6,} {what}" for what, count in sorted(told.items())))
    assert told["kills"] >= KILLS
    assert told["journals recovered"] > KILLS / 4
    assert told["saves opened"] > KILLS / 4


if __name__ == "__main__":
    serve()
