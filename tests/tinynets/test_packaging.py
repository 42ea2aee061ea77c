"""Data files are part of the package: they are found in it, and the build includes them."""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tinynets.data.shipped import SHA256

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", SHA256)
def test_a_data_file_is_found_in_the_package_with_its_source(name: str) -> None:
    data = files("tinynets.data")
    assert hashlib.sha256(data.joinpath(name).read_bytes()).hexdigest() == SHA256[name]
    assert f"{SHA256[name]}  {name}" in data.joinpath("SOURCES.md").read_text("utf-8")


def test_the_package_says_that_it_is_typed() -> None:
    assert files("tinynets").joinpath("py.typed").is_file()


def test_what_the_build_is_told_to_take_is_there() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    for path in [*wheel["packages"], *wheel["force-include"], project["project"]["readme"], "LICENSE"]:
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", ["test", "lab"])
def test_the_readme_has_its_two_commands_each_on_one_line(name: str) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    block = readme.split(f"<!-- {name} -->\n```sh\n")[1].split("\n```")[0]
    assert "\n" not in block
    assert block.startswith("python3 -m venv .venv && ")
