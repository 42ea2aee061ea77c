"""`tinynets train`: train a recipe, or continue a save."""

from __future__ import annotations

import argparse

from tinynets.cli.options import add_source, count, examples, megabytes, open_lab, put_result, whole
from tinynets.errors import CommandError


def train_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "RECIPE|SAVE")
    parser.add_argument("--steps", type=count, help="how far to run (default: as the recipe says)")
    parser.add_argument("--seed", type=whole, help="of the initial values and the batches (recipes only)")
    parser.add_argument("--save", metavar="FILE", help="write a save at the end, or when it is stopped")
    parser.add_argument(
        "--evaluate",
        type=examples,
        default=-1,
        metavar="N|none|all",
        help="measure N examples of each split, or none, on the way neither (default: all)",
    )
    parser.add_argument(
        "--memory",
        type=megabytes,
        metavar="MB",
        help="most that the moments kept for going back may take, and with them the save (default: 256)",
    )


def train(options: argparse.Namespace) -> int:
    from tinynets.cli.headless import HeadlessRun  # loads numpy

    given = {name: getattr(options, name) for name in ("seed", "memory") if getattr(options, name) is not None}
    lab = open_lab(options, needs_data=True, journal=True, **given)
    left = lab.recipe.training.steps - lab.step_number
    if options.steps is None and left < 1:
        raise CommandError(
            f"`{options.source}` has done the {lab.recipe.training.steps:,} steps of its recipe; --steps N goes on"
        )
    run = HeadlessRun(lab, options.steps or left, options.save, options.evaluate)
    return run.do(lambda data, lines: put_result(options, data, lines))
