"""`tinynets ...`, the command line."""

from tinynets.cli.entry import main

__all__ = ["main"]
