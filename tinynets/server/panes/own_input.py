"""An input of the user's own, evaluated together with the probe, as one more example of it."""

from __future__ import annotations

from dataclasses import dataclass

from tinynets.errors import TinynetsError
from tinynets.experiment.experiment import Experiment
from tinynets.experiment.prediction import given_input, input_names, joined
from tinynets.server.frame import Inputs, OwnInput
from tinynets.server.panes.output import picture_size


@dataclass
class OwnInputs:
    """Joins an input of the user's own to the probe, and keeps what it has made until another one is given."""

    _kept: tuple[Experiment, OwnInput, Experiment] | None = None

    def joined(self, experiment: Experiment, own: OwnInput | None) -> tuple[Experiment, str]:
        """The experiment with a probe that ends in the input, evaluated; or itself, and why that cannot be.

        Its own probe is another: what the run measures on its probe does not change.
        """
        if own is None:
            self._kept = None
            return experiment, ""
        try:
            if self._kept is None or self._kept[0] is not experiment or self._kept[1] != own:
                self._kept = experiment, own, _with(experiment, own)
            shown = self._kept[2]
            shown.probe.forward(shown.network)
        except TinynetsError as error:
            self._kept = None
            return experiment, str(error)
        return shown, ""


def _with(experiment: Experiment, own: OwnInput) -> Experiment:
    if own.split:
        found = given_input(experiment, None, own.example, own.split)
        caption = f"{own.split} {own.example}: {found.text}"
    else:
        found = given_input(experiment, own.given, None, None)
        caption = f"yours: {own.words or own.given}"
    return joined(experiment, found, caption)


def inputs_of(experiment: Experiment) -> Inputs:
    """What a person can give the network."""
    x, text, size = experiment.probe.x, experiment.data.text, picture_size(experiment)
    characters = "" if text is None else text.characters
    if size is None:
        return Inputs(x.shape[1:], input_names(experiment), characters)
    return Inputs(x.shape[1:], input_names(experiment), characters, size, float(x.min()), float(x.max()))
