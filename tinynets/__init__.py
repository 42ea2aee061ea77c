"""tinynets: small neural networks that can be stepped, operated on and rewound, in numpy.

import tinynets as tn
lab = tn.Lab("names-mlp")
lab.run(1000); lab.zero("hidden[3]"); lab.back()
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def _homes() -> dict[str, str]:
    """The module that each public name lives in, as listed in `__init__.pyi`."""
    with open(f"{__file__.removesuffix('c')}i", encoding="utf-8") as stub:
        words = [line.split() for line in stub if line.startswith("from ")]
    return {name: module for _, module, _, _, _, name in words}


_HOME = _homes()
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"tinynets has no `{name}`{_nearest(name)}")
    return getattr(import_module(_HOME[name]), name)


def _nearest(name: str) -> str:
    """The name that a misspelt one most likely means, ignoring case and underscores."""
    if name.startswith("__"):
        return ""
    plain = {known.lower().replace("_", ""): known for known in __all__}
    meant = plain.get(name.lower().replace("_", ""))
    if meant:
        return f"; did you mean `{meant}`?"
    return str(import_module("tinynets.errors").nearest(name, plain.values()))


def __dir__() -> list[str]:
    return list(__all__)
