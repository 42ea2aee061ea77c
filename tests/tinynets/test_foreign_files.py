"""Files of somebody else's: whatever is wrong in one comes out in words, and none says where to write."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pytest
from mutations import copied, filed, packed
from samples import KINDS, sample

import tinynets as tn
from tinynets.data.files import load_file
from tinynets.recipe import load_recipe
from tinynets.saves import free_name, safe_name

PROOF = 1_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
BUGS = ("NameError", "UnboundLocalError", "AssertionError", "ImportError", "RuntimeError")
"""What the gate would hide of our own."""


def spoiled(content: bytes, seed: int) -> bytes:
    random = Random(seed)
    made = bytearray(content)
    for _ in range(random.choice([1, 1, 2, 5])):
        made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def test_a_damaged_npz_is_data_or_a_data_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    for save in (np.savez, np.savez_compressed):
        save(path, x=np.zeros((9, 2)), y=np.arange(9))
        content = path.read_bytes()
        for seed in range(500):
            path.write_bytes(spoiled(content, seed))
            try:
                load_file(path)
            except tn.DataError as error:
                assert str(path) in str(error)  # noqa: PT017


def test_a_single_number_is_no_data(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=3.0)
    with pytest.raises(tn.DataError, match="it must be a list of examples, not a single number"):
        load_file(tmp_path / "x.npz")


def test_a_save_opens_where_the_file_of_its_data_is_damaged(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60_000, 40))
    np.savez(tmp_path / "big.npz", x=x, y=(x[:, 0] > 0).astype(int))
    net = tn.Network([tn.Linear(40, 2)], seed=0)
    lab = tn.Lab(net, data=str(tmp_path / "big.npz"), loss=tn.CrossEntropy(), optimizer=tn.SGD(0.1))
    lab.save(tmp_path / "good.msgpack")
    content = (tmp_path / "big.npz").read_bytes()
    at = content.index(b"'shape'")
    (tmp_path / "big.npz").write_bytes(content[:at] + content[at:].replace(b")", b"(", 1))
    again = tn.Lab(tmp_path / "good.msgpack", read_only=True)
    assert "only a few examples of it are here" in again.warnings[0]


def test_a_spoiled_recipe_is_a_recipe_or_a_recipe_error(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    shipped = Path(tn.__file__).parent / "recipes" / "names-mlp.toml"
    for seed in range(150):
        path.write_bytes(spoiled(shipped.read_bytes(), seed))
        try:
            load_recipe(path)
        except tn.RecipeError as error:
            assert str(path) in str(error)  # noqa: PT017


NAMES = (
    "../../x",
    "/abs/x",
    "..",
    "",
    ".hidden",
    "a\0b",
    "\x1b[31m",
    "é" * 200,
    "CON",
    "nul.txt",
    "a\\b",
    "x. ",
    "\ud800",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_from_a_file_never_leaves_its_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "saves").mkdir()
    made, safe = free_name(name), safe_name(name)
    assert made.resolve().parent == tmp_path / "saves"
    assert safe == safe.strip(". ")
    assert not {"/", "\\", "\0"} & set(safe)
    assert len(safe.encode()) <= 100
    assert safe.split(".")[0].upper() not in ("CON", "NUL")
    made.write_bytes(b"")


def journal(path: Path, named: str) -> Path:
    records = [copied(record) for record in sample("journal").records]
    records[0]["path"] = named
    path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=False))
    return path


@pytest.mark.parametrize("content", [b"precious\n", b"tinynets\x02\x00precious", None])
def test_what_a_journal_names_is_not_written_unasked(content: bytes | None, tmp_path: Path) -> None:
    victim = tmp_path / "bashrc"
    if content is not None:
        victim.write_bytes(content)
        os.utime(victim, (1e9, 1e9))
    lab = tn.Lab(journal(tmp_path / "evil.journal", str(victim)))
    assert (lab.path, lab.named_path) == ("", str(victim))
    with pytest.raises(tn.SaveError, match="is no save of tinynets: give a path to save to"):
        lab.save()
    assert (victim.read_bytes() if victim.exists() else None) == content
    lab.save(tmp_path / "asked.msgpack")
    assert (lab.path, lab.named_path) == (str(tmp_path / "asked.msgpack"), "")


def test_something_else_that_took_a_saves_place_is_not_replaced_unasked(
    make_tiny: Callable[..., tn.Lab], tmp_path: Path
) -> None:
    lab = make_tiny()
    lab.save(tmp_path / "x.msgpack")
    (tmp_path / "x.msgpack").write_bytes(b"precious")
    with pytest.raises(tn.SaveError, match="is no longer a save of tinynets"):
        lab.save()
    assert (tmp_path / "x.msgpack").read_bytes() == b"precious"


def test_what_could_not_be_opened_again_is_not_saved(make_tiny: Callable[..., tn.Lab], tmp_path: Path) -> None:
    lab = make_tiny()
    lab.save(tmp_path / "x.msgpack")
    before = (tmp_path / "x.msgpack").read_bytes()
    lab.run(3)
    lab.player.state.frozen = np.array([10**6])
    with pytest.raises(tn.SaveError, match="is not saved, as it could not be opened again"):
        lab.save()
    assert (tmp_path / "x.msgpack").read_bytes() == before
    assert os.listdir(tmp_path) == ["x.msgpack"]


# -- every field of every record


def wrong_values(random: Random) -> object:
    return random.choice(
        [
            None, True, -1, 0, 2**62, -(2**63), 1.5, float("nan"), "", "x", "hidden[0:9]", b"x", [], {}, [1], [[]],
            {"kind": "x"}, ["x"], np.zeros(0), np.zeros(3), np.zeros((2, 2), np.float32), np.zeros((0, 6), np.int64),
            np.arange(5), np.array(1), np.zeros(3, np.bool_), np.zeros(3, np.uint8), [None] * 300, "é" * 300,
        ]
    )  # fmt: skip


def altered_field(kind: str, seed: int) -> bytes:
    """A file of a kind with right checksums, in which a field of a record, however deep, is another value."""
    random, made = Random(seed), sample(kind)
    records = [copied(record) for record in made.records]
    record = random.choice(records)
    owner: object = record
    while True:
        keys = [k for k in owner if k != "record"] if isinstance(owner, dict) else range(len(owner))  # type: ignore[arg-type]
        if not keys:
            break
        key = random.choice(list(keys))
        inner = owner[key]  # type: ignore[index]
        if isinstance(inner, dict | list) and inner and random.random() < 0.7:
            owner = inner
            continue
        owner[key] = wrong_values(random)  # type: ignore[index]
        break
    return filed([packed(record) for record in records], made.version, count=None, whole="journal" not in kind)


def check(kind: str, seed: int, folder: Path) -> bool:
    """It is refused with a SaveError that is no fault of ours, or opens to a lab that works."""
    path = folder / ("x.journal" if "journal" in kind else "x.msgpack")
    path.write_bytes(altered_field(kind, seed))
    try:
        lab = tn.Lab(path, read_only=True)
    except tn.SaveError as error:
        assert not any(bug in str(error) for bug in BUGS), error  # noqa: PT017
        return False
    with suppress(tn.NonFiniteError, tn.DataError):
        lab.step()
    lab.save(folder / "again.msgpack")
    again = tn.Lab(folder / "again.msgpack", read_only=True)
    assert again.state.digest() == lab.state.digest()
    lab.close()
    again.close()
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_value_in_any_field_is_refused_or_works(kind: str, tmp_path: Path) -> None:
    for seed in range(8):
        check(kind, seed, tmp_path)


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_wrong_values_are_refused_or_work(kind: str, tmp_path: Path) -> None:
    count = -(-PROOF // len(KINDS))
    opened = sum(check(kind, seed, tmp_path) for seed in range(count))
    print(f"\n{kind}: {opened:,} of {count:,} opened")
