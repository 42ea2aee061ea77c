"""Makes first_rules.json: results of runs under the first rules, from the last version that knew no others.

Every shipped recipe is trained, gets operations of every family, and changes optimizer, schedule and clipping. Digests
depend on the machine, so its fingerprint is stored with them.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tinynets as tn
from tinynets.numerics.determinism import fingerprint

VERBS: dict[str, tuple[Any, ...]] = {
    "zero": (), "scale": (0.5,), "clamp": (0.3,), "noise": (0.1,), "mean": (), "release": (), "freeze": (),
    "unfreeze": (), "rate": (0.3,), "nudge": (0.1,), "reinit": (), "round": (3,), "split": (), "grow": (2,),
    "prune": (), "sparsify": (0.3,),
}  # fmt: skip
OPTIMIZERS = ("momentum", "adam", "rmsprop", "adamw", "nesterov")


def names() -> list[str]:
    folder = resources.files("tinynets") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def come_to(recipe: str, *, first: bool) -> str:
    """One digest of a long run of a recipe; `first`: ask for the first rules, which only later versions need."""
    text = (resources.files("tinynets") / "recipes" / f"{recipe}.toml").read_text()
    sha = hashlib.sha256()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{recipe}.toml"
        path.write_text(re.sub(r"(?m)^\[training\]$", "[training]\nrules = 1", text) if first else text)
        lab = tn.Lab(path, seed=3)

        def go(steps: int) -> None:
            try:
                lab.run(steps)
            except tn.NonFiniteError:
                sha.update(b"not finite")
            sha.update(lab.state.digest().encode())

        go(20)
        for verb, arguments in VERBS.items():
            for block in lab.network.blocks[:3]:
                whole = verb in ("round", "grow", "sparsify") or block.units < 2
                try:
                    getattr(lab, verb)(block.name if whole else f"{block.name}[1]", *arguments)
                except tn.TinynetsError:
                    sha.update(f"{verb} {block.name} refused".encode())
                go(2)
        for optimizer in OPTIMIZERS:
            lab.set("optimizer", optimizer)
            go(3)
        lab.set("schedule", "cosine", steps=50, warmup=5)
        go(3)
        lab.set("clip_norm", 0.5)
        go(3)
    return sha.hexdigest()


if __name__ == "__main__":
    found = {"fingerprint": fingerprint()} | {recipe: come_to(recipe, first=False) for recipe in names()}
    Path(sys.argv[1]).write_text(json.dumps(found, indent=1) + "\n")
