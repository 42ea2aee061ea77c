"""The examples of a frame in an order: by class, the wrong ones first, by loss or by number; and the next wrong one.

Plain functions of `Examples`; an example is named by its place among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinynets.server.frame import Examples, Frame, OwnInput
from tui.model.selection import Selection

ORDERS = {"class": "by class, the wrong first", "loss": "by loss, the largest first", "number": "by number"}
UNGROUPED = {**ORDERS, "class": ORDERS["loss"]}

Cell = tuple[int, int]
"""A class and the class that it was taken for."""


@dataclass(frozen=True)
class Group:
    """Examples that stand together."""

    places: NDArray[np.int64]
    label: int = -1
    """Their class; -1 for all together."""
    right: int = 0


def groups(examples: Examples, order: str, only: Cell | None = None) -> list[Group]:
    """The examples in an order, by class or all together; `only` those of one cell of the confusion matrix."""
    places = np.arange(len(examples.rows))
    if only is not None:
        places = places[(examples.truth == only[0]) & (examples.answer == only[1])]
    if order == "number":
        return [Group(places)]
    places = places[np.argsort(-_size(examples.loss[places]), kind="stable")]
    if order == "loss" or not examples.labels:
        return [Group(places)]
    hard = hard_ones(examples)[places]
    places = np.concatenate([places[hard], places[~hard]])
    found = []
    for label in sorted(set(examples.truth[places].tolist())):
        own = places[examples.truth[places] == label]
        right = 0 if examples.wrong is None else int((~examples.wrong[own]).sum())
        found.append(Group(own, label, right))
    return found


def _size(loss: NDArray[np.floating]) -> NDArray[np.floating]:
    """Losses, those that are no number as the largest."""
    return np.where(np.isfinite(loss), loss, np.inf)


def hard_ones(examples: Examples) -> NDArray[np.bool_]:
    """Those that are answered wrong; where nothing is right or wrong, those whose loss is above the mean."""
    if examples.wrong is not None:
        return examples.wrong
    loss = _size(examples.loss)
    finite = loss[np.isfinite(loss)]
    return np.asarray(loss > (finite.mean() if finite.size else 0.0))


def hard_word(examples: Examples) -> str:
    """What `hard_ones` are."""
    return "wrong" if examples.wrong is not None else "of a loss above the mean"


def sequence(found: list[Group]) -> NDArray[np.int64]:
    """All places in their order."""
    return np.concatenate([group.places for group in found]) if found else np.empty(0, np.int64)


def next_hard(examples: Examples, ordered: NDArray[np.int64], place: int | None, by: int) -> int | None:
    """The next place (`by` 1) or the one before (-1) that is hard, round and round; None if none is."""
    hard = hard_ones(examples)[ordered]
    if not hard.any():
        return None
    at = np.flatnonzero(ordered == place) if place is not None else np.empty(0, np.int64)
    start = int(at[0]) if at.size else (-1 if by > 0 else len(ordered))
    wanted = np.flatnonzero(hard)
    if by > 0:
        after = wanted[wanted > start]
        return int(ordered[after[0] if after.size else wanted[0]])
    before = wanted[wanted < start]
    return int(ordered[before[-1] if before.size else wanted[-1]])


def place_of(examples: Examples, selection: Selection) -> int | None:
    """The place of the selected example; None if it is not among these."""
    own = selection.own
    if examples.split:
        found = np.flatnonzero(examples.rows == own.example) if own and own.split == examples.split else np.empty(0)
        return int(found[0]) if found.size else None
    return selection.example if own is None and selection.example < len(examples.rows) else None


def chosen(examples: Examples, place: int) -> int | OwnInput:
    """What to select for a place: an example of the probe, or one of a split as an input of its own."""
    row = int(examples.rows[place])
    return OwnInput(split=examples.split, example=row) if examples.split else row


def caption(examples: Examples, place: int, frame: Frame) -> str:
    """What an example is called."""
    if place < len(examples.captions):
        return examples.captions[place]
    if examples.split or place >= len(frame.examples):
        return f"{examples.split} {examples.rows[place]}"
    return frame.examples[place].rpartition(" → ")[0] or frame.examples[place]


def verdict_words(examples: Examples, place: int) -> str:
    """What the network says for an example, and what would be right: `answers 3 61 %, truth is 7`."""
    answer, truth = int(examples.answer[place]), int(examples.truth[place])
    if examples.kind == "map":
        return f"unit {answer} is nearest" if answer >= 0 else "no unit is nearest: the outputs are NaN"
    if examples.kind == "values":
        values = ", ".join(f"{value:.3g}" for value in examples.values[place].tolist())
        if examples.targets is None:
            return f"answers {values}"
        wanted = ", ".join(f"{value:.3g}" for value in examples.targets[place].tolist())
        return f"answers {values}, truth is {wanted}"
    said = examples.labels[answer] if answer >= 0 else "NaN"
    share = float(examples.share[place])
    chance = f" {share:.0%}" if share == share else ""
    known = examples.labels[truth] if 0 <= truth < len(examples.labels) else "unknown"
    return f"answers {said}{chance}, truth is {known}"
