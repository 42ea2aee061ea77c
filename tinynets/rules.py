"""The rules of arithmetic that a run follows, so that a run recorded by an earlier version replays to the same bits.

A run keeps the rules that it began with: they stand in its settings (`Hyper.rules`), its save and its digests. A save
that names none follows the first ones. Code that computes otherwise than it once did asks `rules > FIRST`.
"""

from __future__ import annotations

FIRST = 1
CURRENT = 2
