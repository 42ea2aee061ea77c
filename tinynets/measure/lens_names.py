"""The names of the lenses, and what each shows."""

from __future__ import annotations

AUTO = "auto"
"""The lens that follows the phases of a step."""
LENSES = {
    "value": ("output", "w"),
    "gradient": ("d loss / d output", "d loss / d w"),
    "change": ("change of output", "change of w"),
    "importance": ("-output x d loss / d output", "-w x d loss / d w"),
}
"""Each lens, and what it shows of units and of weights."""
