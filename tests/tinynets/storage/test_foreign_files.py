"""Files from somebody else: whatever is wrong is refused with a reason, and none can choose where to write.

`pytest -m proof` reads 1,000 saves and journals with right checksums and wrong fields and orders of records; with
TINYNETS_PROOF=100 in the environment a hundred times as many. A failure names the kind and the seed of the file:
`foreign(kind, seed)` in foreign_fields.py makes it again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pytest
from foreign_fields import fields_named, foreign, fresh_records, sample, set_digest, spoil_field
from mutations import copied, filed, packed
from samples import KINDS
from work import worked

import tinynets as tn
from tinynets.data.files import load_file
from tinynets.errors import LONGEST
from tinynets.recipes.catalog import load_recipe
from tinynets.storage.paths import free_name, safe_name
from tinynets.storage.saves import read_header

PROOF = 1_000 * int(os.environ.get("TINYNETS_PROOF", "1"))
SHORT = 15
SAVED = 20
CALLS = 60_000  # what opening may take whatever the file holds: twice what a whole file with few edits takes
CALLS_A_BYTE = 25  # in whole files the most expensive record, an edit of the layers, takes 20 for each of its bytes
BUGS = ("NameError", "UnboundLocalError", "AssertionError", "ImportError", "RuntimeError")
"""Errors of our own code that the gate would hide."""


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


# -- every field of every record, and their order


@dataclass
class Figures:
    """The results of reading files, and the largest share of the allowed calls that one took."""

    opened: int = 0
    refused: int = 0
    saved: int = 0
    unforeseen: Counter[str] = field(default_factory=Counter)
    """Reasons for which the gate, rather than a check, refused a file."""
    worst: float = 0.0
    calls: int = 0

    def __str__(self) -> str:
        return (
            f"{self.opened + self.refused:,} files, {self.opened:,} opened ({self.saved:,} of them saved and opened "
            f"again), {self.refused:,} refused ({self.unforeseen.total():,} by the gate alone: "
            f"{dict(self.unforeseen.most_common(12))}); at worst {self.worst:.2f} of the calls allowed, {self.calls:,}"
        )


def allowed(size: int) -> int:
    """The number of calls that a file of so many bytes may take."""
    return CALLS + CALLS_A_BYTE * size


def look(path: Path, figures: Figures) -> tn.Lab | None:
    """Open a file, counting the work: a lab, or None if it is refused in one line and not by a fault of ours."""
    calls, lab = worked(lambda: lab_or_refusal(path, figures))
    figures.calls = max(figures.calls, calls)
    figures.worst = max(figures.worst, calls / allowed(path.stat().st_size))
    assert calls <= allowed(path.stat().st_size), f"{calls:,} calls for {path.stat().st_size:,} bytes"
    return lab


def lab_or_refusal(path: Path, figures: Figures) -> tn.Lab | None:
    try:
        return tn.Lab(path, read_only=True)
    except tn.SaveError as error:
        text, cause = str(error), error.__cause__
        assert str(path) in text
        assert len(text) <= LONGEST
        assert not any(bug in text for bug in BUGS)
        if cause is not None and not isinstance(cause, tn.TinynetsError | OSError):
            figures.unforeseen[text.partition("cannot be used: ")[2][:90]] += 1
        return None


def check(kind: str, seed: int, folder: Path, figures: Figures) -> None:
    """Check that a file is refused with a reason or opens as a working lab; one in `SAVED` is saved and reopened."""
    path = folder / ("x.journal" if "journal" in kind else "x.msgpack")
    path.write_bytes(foreign(kind, seed))
    with suppress(tn.SaveError):
        read_header(path)
    lab = look(path, figures)
    if lab is None:
        figures.refused += 1
        return
    figures.opened += 1
    if seed % SAVED == 0:
        figures.saved += 1
        with suppress(tn.NonFiniteError, tn.DataError):
            lab.step()
        lab.save(folder / "again.msgpack")
        again = tn.Lab(folder / "again.msgpack", read_only=True)
        assert again.state.digest() == lab.state.digest()
        again.close()
    lab.close()


def attack(kind: str, seeds: range, folder: Path) -> Figures:
    figures = Figures()
    look(whole(kind, folder), Figures())  # created once per process
    for seed in seeds:
        try:
            check(kind, seed, folder, figures)
        except Exception as error:
            raise AssertionError(f"foreign({kind!r}, {seed}): {type(error).__name__}: {error}") from error
    return figures


def whole(kind: str, folder: Path) -> Path:
    path = folder / ("whole.journal" if "journal" in kind else "whole.msgpack")
    path.write_bytes(sample(kind).content)
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"kind": np.zeros(3)}, "`kind` must be `names` or `arrays`"),
        ({"kind": np.zeros(0)}, "`kind` must be `names` or `arrays`"),
        ({"splits": {"train": {"x": np.array(1.0), "y": np.zeros(3, np.int64)}}}, "`train x` must have a row"),
    ],
)
def test_data_whose_kind_or_rows_are_none_are_refused_by_name(
    change: dict[str, object], told: str, tmp_path: Path
) -> None:
    records = fresh_records("plain")
    records[2]["payload"] |= change
    set_digest(records[2])
    path = tmp_path / "x.msgpack"
    path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
    with pytest.raises(tn.CorruptSave, match="record `data`: " + told):
        tn.Lab(path)


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_take_far_less_work_than_is_allowed(kind: str, tmp_path: Path) -> None:
    figures = Figures()
    assert look(whole(kind, tmp_path), Figures()) is not None
    assert look(whole(kind, tmp_path), figures) is not None
    assert figures.worst < 0.5


@pytest.mark.proof
def test_every_field_that_the_page_names_is_given_wrong_values() -> None:
    met: dict[str, set[str]] = {}
    for seed in range(15_000):
        kind = KINDS[seed % len(KINDS)]
        random = Random(seed)
        touched = spoil_field(random, fresh_records(kind))
        if touched is not None:
            met.setdefault(touched[0], set()).add(touched[1])
    assert {kind: sorted(set(names) - met.get(kind, set())) for kind, names in fields_named().items()} == {
        kind: [] for kind in fields_named()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_fields_and_orders_of_records_are_refused_or_work(kind: str, tmp_path: Path) -> None:
    assert attack(kind, range(SHORT), tmp_path).refused


@pytest.mark.proof
@pytest.mark.parametrize("kind", KINDS)
def test_thousands_of_wrong_fields_and_orders_are_refused_or_work(kind: str, tmp_path: Path) -> None:
    figures = attack(kind, range(-(-PROOF // len(KINDS))), tmp_path)
    print(f"\n{kind}: {figures}")
    assert figures.opened
