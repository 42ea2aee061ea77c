"""How operations look: the mark of each, the word for a unit under it, and its key in the menu.

All of it is optional: an operation without a row gets the next free letter, and no mark of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_letters


@dataclass(frozen=True)
class OperationLook:
    """The look of one operation."""

    key: str
    """The key in the menu; an operation with a key of its own in the lab has the same key here."""
    glyphs: tuple[str, str] | None = None
    """The mark of an intervention, in Unicode and in ASCII."""
    words: str = ""
    """The word for a unit under this intervention."""
    on_timeline: str = ""
    """The glyph of its edits on the timeline, if that is neither its own mark nor its family\'s."""


LOOKS = {
    "zero": OperationLook("z", ("∅", "0"), "zeroed"),
    "mean": OperationLook("M", ("μ", "m"), "at its mean"),
    "resample": OperationLook("R", ("⇄", "r"), "resampled"),
    "clamp": OperationLook("c", ("≡", "c"), "clamped"),
    "scale": OperationLook("C", ("×", "s"), "scaled"),
    "noise": OperationLook("n", ("~", "~"), "noisy"),
    "patch": OperationLook("p", ("⊞", "p"), "patched"),
    "steer": OperationLook("S", ("↗", "/"), "steered"),
    "release": OperationLook("r", on_timeline="undone"),
    "freeze": OperationLook("f"),
    "unfreeze": OperationLook("u", on_timeline="undone"),
    "rate": OperationLook("l"),
    "set_weight": OperationLook("w"),
    "nudge": OperationLook("plus"),
    "zero_weights": OperationLook("0"),
    "reinit": OperationLook("I"),
    "copy": OperationLook("y"),
    "swap": OperationLook("x"),
    "sign_flip": OperationLook("minus"),
    "round": OperationLook("b"),
    "sparsify": OperationLook("s"),
    "transplant": OperationLook("t"),
    "reset": OperationLook("e"),
    "activation": OperationLook("a"),
    "prune": OperationLook("D"),
    "grow": OperationLook("G"),
    "insert": OperationLook("i"),
    "remove": OperationLook("d"),
    "explain": OperationLook("E"),
    "worth": OperationLook("A"),
}

RESERVED = "jkqhl"
"""Letters that move the highlight in a menu."""


def menu_keys(verbs: Iterable[str]) -> dict[str, str]:
    """Verb -> its key in the menu; a verb without one gets the next free letter, if any is left."""
    wanted = list(verbs)
    taken = {look.key for look in LOOKS.values()}
    free = (letter for letter in ascii_letters if letter not in taken and letter not in RESERVED)
    return {verb: LOOKS[verb].key if verb in LOOKS else next(free, "") for verb in wanted}
