"""`tinynets info`, `tinynets script` and `tinynets recipes`: describe and list recipes and saves."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tinynets.cli.options import add_source, open_lab, open_save, put_result

if TYPE_CHECKING:
    from tinynets.lab.lab import Lab  # loads numpy, which help and wrong arguments do not need


def info_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "RECIPE|SAVE", optional=True)
    parser.set_defaults(refuse=parser.error)
    parser.add_argument(
        "--all",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="list the saves of a folder (default: yours and those shipped)",
    )


def info(options: argparse.Namespace) -> int:
    if (options.source is None) == (options.all is None):
        options.refuse("give one recipe or save, or --all for the saves of a folder")
    if options.all is not None:
        return _list_saves(options)
    from tinynets.training.frozen import why_nothing_learns  # loads numpy

    lab = open_lab(options, read_only=True)
    data = _described(lab, why_nothing_learns(lab.network, lab.state_now))
    return put_result(options, data, _lines(lab, data))


def _described(lab: Lab, still: str) -> dict[str, Any]:
    network = lab.network
    return {
        "recipe": lab.recipe.name,
        "description": lab.recipe.description,
        "data": {name: len(x) for name, (x, _) in lab.data.splits.items()},
        "data_missing": None if lab.data.missing is None else lab.data.missing.reason,
        "layers": [repr(layer) for layer in network.parts],
        "blocks": {block.name: block.units for block in network.blocks if block.units},
        "parameters": network.theta.size,
        "dtype": network.dtype.name,
        "step": lab.step_number,
        "end": lab.end,
        "branch": lab.branch,
        "branches": list(lab.branches),
        "loss": lab.loss,
        "map_errors": lab.map_errors(),
        "evaluations": [asdict(entry) for entry in lab.evaluations],
        "interventions": [str(entry) for entry in lab.interventions],
        "frozen": {name: list(units) for name, units in lab.frozen.items()},
        "log": [str(entry) for entry in lab.log],
        "still": still,
        "digest": lab.state.digest(),
    }


def _lines(lab: Lab, data: dict[str, Any]) -> list[str]:
    splits = ", ".join(f"{name} {size:,}" for name, size in data["data"].items())
    splits = splits if lab.data.missing is None else f"not here, a few examples: {splits}"
    others = [name for name in lab.branches if name != lab.branch]
    also = f" (also {', '.join(others)})" if others else ""
    lines = [
        f"{lab.recipe.name}: {lab.recipe.description or 'built from Python'}",
        f"  data      {lab.data.name} ({splits})",
        "",
        *(f"  {line}" for line in str(lab.network.summary()).splitlines()),
        "",
        f"  stands at step {lab.step_number:,} of {lab.end:,} on branch {lab.branch}{also}",
        *([f"  learns    nothing: {data['still']}"] if data["still"] else []),
        f"  digest    {data['digest']}",
        *(f"  {name.replace('_', ' ')} {value:.4f} (train)" for name, value in data["map_errors"].items()),
        *(f"  {entry}" for entry in lab.evaluations[-4:]),
    ]
    return [*lines, "  log:", *(f"    {entry}" for entry in data["log"])] if data["log"] else lines


def _list_saves(options: argparse.Namespace) -> int:
    from tinynets.storage.catalog import list_headers, table  # loads numpy

    found = list_headers(options.all or None)
    lines = table(found) or ["there are no saves"]
    return put_result(options, {"saves": [entry.config() for entry in found]}, lines)


def script_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "SAVE")
    parser.add_argument("--save", metavar="FILE", help="write it to a file that is not there yet")


def script(options: argparse.Namespace) -> int:
    text = open_save(options).script()
    if options.save is None:
        return put_result(options, {"script": text, "save": None}, text.splitlines())
    from tinynets.lab.script import write_script  # loads numpy

    return put_result(options, {"script": text, "save": options.save}, [write_script(text, options.save)])


def recipes(options: argparse.Namespace) -> int:
    from tinynets.recipes.catalog import list_recipes  # loads numpy

    found = list_recipes()
    width = max(len(entry.name) for entry in found)
    return put_result(
        options,
        {"recipes": [asdict(entry) for entry in found]},
        [f"{entry.name:<{width}}  {entry.description}" for entry in found],
    )
