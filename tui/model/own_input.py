"""What a person types as an input of their own, and what can be typed."""

from __future__ import annotations

from collections.abc import Sequence

from tinynets.server.frame import Inputs, OwnInput

DRAW = "draw"


def own_of(text: str, splits: Sequence[str]) -> OwnInput:
    """What was typed: `dev 12` is an example of a split; all else is an input, which the engine reads."""
    words = text.split()
    if len(words) == 2 and words[0] in splits:
        number = words[1].replace(",", "").replace("_", "")
        if number.isdecimal() and len(number) < 16:
            return OwnInput(split=words[0], example=int(number))
    return OwnInput(given=text)


def call_of(own: OwnInput) -> tuple[tuple[str, ...], dict[str, int | str]]:
    """The arguments of `lab.predict` for it."""
    return ((), {"example": own.example, "split": own.split}) if own.split else ((own.given,), {})


def hints(inputs: Inputs, splits: Sequence[str]) -> list[str]:
    """What can be typed, one kind a line."""
    count = 1
    for size in inputs.shape:
        count *= size
    more = "" if count <= 3 else " ..."
    found = []
    if inputs.image is not None:
        found.append(f"{DRAW}: a picture of {inputs.image[0]} x {inputs.image[1]} pixels, with mouse or keys")
    if inputs.characters:
        found.append(f"a text to go on from: emma   (its last {count} letters count)")
    elif count <= 12:
        some = " ".join(("0.3", "-1.2", "0.5")[:count])
        found.append(f"{count} number{'' if count == 1 else 's'}: {some}{more}")
    else:
        found.append(f"{count} numbers")
    if inputs.names and count <= 12:
        names = ("x", "y") if count == 2 else inputs.names
        found.append(f"values by name: {' '.join(f'{name}=0.3' for name in names[:3])}{more}")
    if splits:
        found.append(f"an example of the data: {'dev' if 'dev' in splits else splits[0]} 12   ({', '.join(splits)})")
    return found


def drawn(values: Sequence[float], inputs: Inputs) -> str:
    """A picture of values from 0 (black) to 1 (white), as the numbers that the network takes."""
    span = inputs.high - inputs.low
    return " ".join(f"{inputs.low + value * span:.3g}" for value in values)
