"""Looking at a lab: the Frame that a View asks for."""

from tinynets.observe.history import Doing
from tinynets.observe.observer import Observer

__all__ = ["Doing", "Observer"]
