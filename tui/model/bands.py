"""A list of examples as bands, a heading or some examples side by side, scrolled so that the selected one is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tui.model.example_list import Group


@dataclass(frozen=True)
class Band:
    """What stands in one row of the list: a class's heading, or one example or several."""

    height: int
    places: tuple[int, ...] = ()
    group: Group | None = None


class Bands:
    """All bands of a list, and how far it is scrolled."""

    def __init__(self) -> None:
        self.all: list[Band] = []
        self.wide, self.page, self.top = 1, 1, 0

    def arrange(self, found: list[Group], wide: int, height: int, headings: bool) -> None:
        """Put `wide` examples of `height` lines side by side; each class has a heading of one line if there are any."""
        self.wide = wide
        self.all = []
        for group in found:
            if headings and group.label >= 0:
                self.all.append(Band(1, group=group))
            places = group.places.tolist()
            self.all += [Band(height, tuple(places[at : at + wide])) for at in range(0, len(places), wide)]

    def scroll(self, place: int | None, height: int) -> None:
        """Scroll no more than needed to show the selected example, with the heading of its class if it is the first."""
        at = self.find(place)
        self.top = max(0, min(self.top, len(self.all) - 1))
        if at is not None:
            with_heading = at - 1 if at and self.all[at - 1].group is not None else at
            self.top = min(self.top, with_heading)
            while self.top < at and sum(band.height for band in self.all[self.top : at + 1]) > height:
                self.top += 1
        used, self.page = 0, 0
        for band in self.all[self.top :]:
            used += band.height
            if used > height:
                break
            self.page += 1
        while self.top and used + self.all[self.top - 1].height <= height:  # no empty lines below the last
            self.top -= 1
            used += self.all[self.top].height
        self.page = max(1, self.page)

    def in_sight(self, first: int, height: int) -> Iterator[tuple[int, Band]]:
        """The bands of which something is to be seen, with the first line of each, from line `first` on."""
        for band in self.all[self.top :]:
            if first >= height:
                return
            yield first, band
            first += band.height

    def find(self, place: int | None) -> int | None:
        """The band that an example stands in."""
        return next((i for i, band in enumerate(self.all) if place is not None and place in band.places), None)

    def beside(self, place: int | None, down: int) -> int | None:
        """The example above or below, in the same column if there is one."""
        rows = [band.places for band in self.all if band.places]
        at = next((i for i, places in enumerate(rows) if place in places), None)
        if at is None:
            return None
        below = rows[max(0, min(len(rows) - 1, at + down))]
        return below[min(rows[at].index(place), len(below) - 1)] if place is not None else None
