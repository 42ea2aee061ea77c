"""Fuzzes the reading of saves, guided by coverage; needs atheris.

`python tests/tinynets/storage/fuzz_saves.py -max_total_time=300` (takes any option of libFuzzer, and a folder for the
corpus).

Every input is given right checksums, so that mutations get past them; one input in three is altered record by record.
What is not refused with a SaveError must be a lab that works.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import warnings
import zlib
from pathlib import Path
from random import Random

import atheris

# ruff: noqa: E402 - what is imported behind this is instrumented
sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[2] / "helpers")]
with atheris.instrument_imports(include=["tinynets"]):
    import tinynets as tn
    from tinynets.storage import saves

from mutations import altered
from samples import KINDS, sample
from test_hostile import refused_or, roam, saved_again

HEAD = 10  # bytes before the first record
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-saves-"))
SAMPLES = {kind: sample(kind) for kind in KINDS}


def mended(content: bytes) -> bytes:
    """The same bytes, with the checksum of every record corrected."""
    made, at = [content[:HEAD]], HEAD
    while at + 8 <= len(content):
        length = min(struct.unpack_from("<I", content, at)[0], len(content) - at - 8)
        payload = content[at + 8 : at + 8 + length]
        made.append(struct.pack("<II", length, zlib.crc32(payload)) + payload)
        at += 8 + length
    return b"".join([*made, content[at:]])


def mutate(content: bytes, most: int, seed: int) -> bytes:
    """Another input: records altered, or bytes changed as libFuzzer does."""
    random = Random(seed)
    if random.random() < 0.33:
        kind = random.choice(KINDS)
        made = altered(SAMPLES[kind], kind, seed).content
        if len(made) <= most:
            return made
    changed: bytes = atheris.Mutate(content, most)
    return changed


def read(content: bytes) -> None:
    path = FOLDER / "fuzzed.msgpack"
    path.write_bytes(mended(content))
    recovered = refused_or(lambda: saves.read(path, recover=True))
    lab = refused_or(lambda: tn.Lab(path))
    if lab is not None:
        roam(lab, FOLDER / "again.msgpack")
    elif recovered is not None:
        saved_again(recovered, FOLDER / "recovered.msgpack")
        path = path.rename(path.with_suffix(".journal"))
        journal = refused_or(lambda: tn.Lab(path))
        if journal is not None:
            roam(journal, FOLDER / "again.msgpack")


def main() -> None:
    os.environ["TINYNETS_STATE"] = str(FOLDER / "state")
    warnings.simplefilter("error", RuntimeWarning)
    seeds = FOLDER / "corpus"
    seeds.mkdir()
    for kind, made in SAMPLES.items():
        (seeds / kind).write_bytes(made.content)
    folders = [] if any(not option.startswith("-") for option in sys.argv[1:]) else [str(seeds)]
    options = ["-max_len=40000", "-rss_limit_mb=2048", "-timeout=20"]
    atheris.Setup([sys.argv[0], *options, *sys.argv[1:], *folders], read, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
