"""The public API: public names with their signatures, and the public members of the main classes.

They are listed in `public_api.txt` beside this file. If it changes, users see a change: say so in CHANGELOG.md.
`python tests/tinynets/test_public_api.py` writes it anew.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import tinynets as tn

STORED = Path(__file__).with_name("public_api.txt")


def api() -> list[str]:
    """A line for each public name, and one for each public member of a Lab, a Network and a Dataset."""
    lines = []
    for name in sorted(tn.__all__):
        thing = getattr(tn, name)
        lines.append(name + shape(thing))
        if thing in (tn.Lab, tn.Network, tn.Dataset):
            lines += [f"{name}.{member}{shape(value)}" for member, value in sorted(members(thing).items())]
    return lines


def members(kind: type) -> dict[str, object]:
    """The public members of a class, including inherited ones."""
    return {name: inspect.getattr_static(kind, name) for name in dir(kind) if not name.startswith("_")}


def shape(thing: object) -> str:
    """A signature; `: property` for what is read without a call; "" if there is none."""
    if isinstance(thing, property):
        return ": property"
    try:
        return str(inspect.signature(getattr(thing, "__func__", thing)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""


def test_public_names_and_signatures_are_those_that_users_know() -> None:
    assert api() == STORED.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    STORED.write_text("\n".join(api()) + "\n", encoding="utf-8")
