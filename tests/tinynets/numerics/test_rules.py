"""A run keeps the rules of arithmetic it began with; new runs follow the current rules."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from mutations import copied, filed, packed

import tinynets as tn
from tinynets.numerics.rules import CURRENT, FIRST
from tinynets.storage.records import read_records

V2 = Path(__file__).parents[2] / "saves" / "v2"


def test_a_new_run_follows_the_rules_of_today_and_so_does_its_save(tmp_path: Path) -> None:
    lab = tn.Lab("xor")
    lab.run(3)
    lab.save(tmp_path / "x.msgpack")
    again = tn.Lab(tmp_path / "x.msgpack")
    assert again.state.hyper.rules == again.network.rules == CURRENT
    assert all(layer.rules == CURRENT for layer in again.network.layers)
    assert again.state.digest() == lab.state.digest()


def test_a_run_of_a_save_that_names_no_rules_keeps_the_first_ones(tmp_path: Path) -> None:
    lab = tn.Lab(V2 / "adam.msgpack")
    lab.run(2)
    assert lab.state.hyper.rules == lab.network.rules == lab.recipe.training.loss.rules == FIRST
    lab.save(tmp_path / "x.msgpack")
    assert tn.Lab(tmp_path / "x.msgpack").state.digest() == lab.state.digest()
    assert tn.Lab(tmp_path / "x.msgpack").state.hyper.rules == FIRST


def test_a_recipe_can_ask_for_the_first_rules(tmp_path: Path) -> None:
    text = Path(tn.__file__).with_name("recipes").joinpath("xor.toml").read_text()
    path = tmp_path / "old.toml"
    path.write_text(re.sub(r"(?m)^\[training\]$", "[training]\nrules = 1", text))
    assert tn.Lab(path).state.hyper.rules == FIRST
    path.write_text(re.sub(r"(?m)^\[training\]$", "[training]\nrules = 99", text))
    with pytest.raises(tn.RecipeError, match=r"`training.rules` must be a whole number from 1 to"):
        tn.Lab(path)


def test_keyframes_of_other_rules_than_the_recipe_are_refused(tmp_path: Path) -> None:
    lab = tn.Lab("xor")
    lab.run(3)
    lab.save(tmp_path / "x.msgpack")
    records: list[dict[str, Any]] = [copied(record) for record in read_records(tmp_path / "x.msgpack")]
    for record in records:
        if record["record"] == "keyframe":
            del record["state"]["hyper"]["rules"]
    path = tmp_path / "mixed.msgpack"
    path.write_bytes(filed([packed(record) for record in records], 2, count=None, whole=True))
    with pytest.raises(tn.CorruptSave, match="`rules` are not those of the recipe"):
        tn.Lab(path)
