"""Reads the data files that ship with tinynets and checks their digests (sources: SOURCES.md)."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from tinynets.errors import DataError

SHA256 = {
    "names.txt": "bd02dfd33179e23ec2dd093cbd4de619834f75d660ef1ae04d3127e7a0110053",
    "digits.npz": "b2dab7b501728c22e9119ad76740b2e17c77a231e42d1e592380d90886f1a05e",
    "xkcd_colors.csv": "cdbb4b4105934a0c92293f9772eef7acd1fc5857f559715f621b2df880d94cf8",
}


@cache
def shipped(name: str) -> bytes:
    """The content of a file; raises DataError if it is not the one that ships."""
    raw = files("tinynets.data").joinpath(name).read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != SHA256[name]:
        raise DataError(f"`{name}` is not the file that ships: its sha256 is {found}, not {SHA256[name]}")
    return raw
