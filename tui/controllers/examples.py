"""Walks the examples, lists them, and takes inputs of the user's own, which every pane follows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tinynets.server.frame import Examples, Frame, OwnInput
from tui.controllers.base import Controller
from tui.model.example_list import (
    ORDERS,
    UNGROUPED,
    caption,
    chosen,
    hard_ones,
    hard_word,
    next_hard,
    place_of,
    verdict_words,
)
from tui.model.own_input import DRAW, call_of, drawn, own_of
from tui.render.drawing import number

NOT_YET = "there are no examples yet: the engine is still starting"
NO_LOSS = "not yet: the loss of the batch comes first"


class ExamplesController(Controller):
    """The actions of the Examples and Output panes, and an input of one's own."""

    # -- walking them

    def wrong(self, by: int) -> None:
        """Select the next example that is answered wrong, or the one before."""
        found = self._listed()
        if found is None:
            return
        frame, examples = found
        ordered = self.ui.examples.ordered(examples)
        place = next_hard(examples, ordered, place_of(examples, self.ui.selection), by)
        if place is None:
            self.ui.status.say(f"none of these {len(ordered):,} examples is {hard_word(examples)}")
            return
        self._choose(examples, place)
        count = int(hard_ones(examples)[ordered].sum())
        said = f"{verdict_words(examples, place)}, loss {number(float(examples.loss[place]))}"
        what = f"{caption(examples, place, frame)}: {said}"
        self.ui.status.say(f"{what}   ({count:,} of {len(ordered):,} {hard_word(examples)})")

    def jump(self, where: str) -> None:
        """Select the first example, the last one, or one a page away."""
        found = self._listed()
        if found is not None and not self.ui.examples.jump_cell(where):
            place = self.ui.examples.jumped(found[1], where)
            if place is not None:
                self._choose(found[1], place)

    def _choose(self, examples: Examples, place: int) -> None:
        what = chosen(examples, place)
        self.ui.select(**({"own": what} if isinstance(what, OwnInput) else {"example": what}))

    def _listed(self) -> tuple[Frame, Examples] | None:
        frame = self.ui.frame
        if frame is None or frame.answers is None:
            self.ui.status.say(NOT_YET if frame is None else NO_LOSS)
            return None
        return frame, frame.answers

    # -- how they are listed

    def order(self) -> None:
        found = self._listed()
        if found is not None:
            pane = self.ui.examples
            pane.set_order(next_of(list(ORDERS if found[1].labels else list(ORDERS)[1:]), pane.order))
            words = ORDERS if found[1].labels else UNGROUPED
            self.ui.status.say(f"the examples stand {words[pane.order]}")

    def split(self) -> None:
        """List the examples of the next split, or the probe's again."""
        found = self._listed()
        if found is None:
            return
        splits = ["", *sorted(found[0].splits, key=lambda name: name != "dev")]
        split = next_of(splits, self.ui.examples.split)
        self.ui.examples.set_split(split)
        self.ui.send_view()
        self.ui.status.say(f"listing the examples of {split}" if split else "listing the examples of the probe")

    def matrix(self) -> None:
        """Show the confusion matrix, or the examples again."""
        found = self._listed()
        if found is None:
            return
        if not found[1].labels:
            self.ui.status.say("there is no confusion matrix: this network does not choose among classes")
            return
        if self.ui.desk.choice.active != "examples":
            self.ui.examples.open_matrix(found[1], found[0], self.ui.selection)
            self.ui.pick_pane("examples")
        elif not self.ui.examples.close_matrix():
            self.ui.examples.open_matrix(found[1], found[0], self.ui.selection)

    def enter(self) -> None:
        """List the examples of the cell under the cursor; without a matrix, the pane alone, or all panes again."""
        if not self.ui.examples.list_cell():
            self.ui.toggle_zoom()

    # -- an input of the user's own

    def own(self) -> None:
        """Ask for an input."""
        frame = self.ui.frame
        if frame is None or frame.inputs is None:
            self.ui.status.say("there is no network yet: the engine is still starting")
            return
        from tui.screens.own import OwnScreen  # the app starts sooner without it

        now = self.ui.selection.own
        said = f"{now.split} {now.example}" if now and now.split else now.given if now and not now.words else ""
        self.ask(OwnScreen(frame.inputs, frame.splits, said, self._taken), lambda draw: self.draw() if draw else None)

    async def _taken(self, text: str) -> str:
        """Look at what was typed; returns what is wrong with it, if anything."""
        frame = self.ui.frame
        if text.strip() == DRAW:
            return "" if frame and frame.inputs and frame.inputs.image else f"`{DRAW}`: these inputs are no pictures"
        return await self._look_at(own_of(text, frame.splits if frame else ()))

    async def _look_at(self, own: OwnInput) -> str:
        """Have every pane follow an input; returns what is wrong with it, if anything."""
        args, options = call_of(own)
        value, error = await self.commands.tried("predict", *args, **options)
        if not error:
            self.ui.select(own=own)
            value = replace(value, text=own.words or value.text)
            self.commands.told(value, "predict", *args, **options)
        return error

    def draw(self) -> None:
        """Open the screen on which a picture is drawn."""
        frame = self.ui.frame
        if frame is None or frame.inputs is None or frame.inputs.image is None:
            return
        from tui.screens.draw import DrawScreen  # the app starts sooner without it

        inputs, output = frame.inputs, frame.output
        now = self.ui.selection.own
        start = output.image if output is not None and now is not None and now.words and frame.own else None

        async def answer(values: list[float]) -> tuple[Any, str]:
            return await self.commands.tried("predict", drawn(values, inputs))

        def taken(values: list[float] | None) -> None:
            if values is not None:
                self.commands.start(self._take_drawing(OwnInput(given=drawn(values, inputs), words="drawn")))

        self.ask(DrawScreen(inputs.image or (1, 1), start, answer), taken)

    async def _take_drawing(self, own: OwnInput) -> None:
        error = await self._look_at(own)
        if error:
            self.commands.fail(error)


def next_of(choices: list[str], now: str) -> str:
    """The choice after the present one, round and round."""
    return choices[(choices.index(now) + 1) % len(choices)] if now in choices else choices[0]
