"""`tinynets ...`: train, look at, replay and sample from the command line; numbers as text, or as `--json`.

Errors end with one line and status 1, wrong arguments with status 2.
"""

from __future__ import annotations

import sys

try:
    import argparse
    import json
    import os
    from collections.abc import Callable, Sequence
    from dataclasses import asdict
    from typing import TYPE_CHECKING, Any, NoReturn

    import tinynets
    from tinynets.errors import CommandError, SaveError, TinynetsError
    from tinynets.foreign_text import printable
    from tinynets.system import stopping, streams
    from tinynets.system.paths import expanded
except KeyboardInterrupt:  # ctrl+c before `main` can say what that does
    sys.exit(130)

if TYPE_CHECKING:
    from tinynets.cli.progress_bar import Bar
    from tinynets.lab.lab import Lab

BAR = 40  # characters of a whole share
MEGABYTE = 2**20
MOST_MEMORY = 2**30  # MB, what a lab takes at most
DELETE = chr(0x7F)  # the one control character that JSON leaves as it is


def main(arguments: Sequence[str] | None = None) -> None:
    """The command's entry; ends the process with its status. Without `arguments` it is the process's own command."""
    if arguments is not None:
        sys.exit(_status(arguments))
    stopping.end_at_once("tinynets")
    streams.prepare()
    status = streams.finish(_status(None))
    stopping.decided()
    sys.exit(status)


def _status(arguments: Sequence[str] | None) -> int:
    """Do a command; its status."""
    try:
        options = _parser().parse_args(arguments)
        _load_plugins(options.plugin)
        status: int = options.do(options)
    except SystemExit as ended:  # of the parser: help, or arguments that cannot be used
        status = int(ended.code or 0)
    except TinynetsError as error:
        streams.say(str(error))
        status = 1
    except KeyboardInterrupt:
        streams.say("stopped")
        status = 130
    except BrokenPipeError:  # whoever read our output has seen enough
        status = 1
    except OSError as error:
        streams.say(str(error))
        status = 1
    return status


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with names of files that a shell has filled in, whatever they are."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tinynets", description="Small neural networks that can be stepped, operated on and rewound.")
    parser.add_argument("--version", action="version", version=f"tinynets {tinynets.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, help_: str, do: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(
            name, help=help_, description=help_[0].upper() + help_[1:] + "."
        )
        made.set_defaults(do=do)
        made.add_argument("--json", action="store_true", help="print the result as one line of JSON")
        made.add_argument(
            "--plugin",
            action="append",
            default=[],
            metavar="FILE",
            help="a Python file with your own layers or losses",
        )
        made.add_argument("--threads", type=_count, metavar="N", help="BLAS threads (default: a rule of the shapes)")
        return made

    def of_source(
        name: str, help_: str, do: Callable[[argparse.Namespace], int], kind: str, count: str | None = None
    ) -> argparse.ArgumentParser:
        made = command(name, help_, do)
        made.add_argument("source", metavar=kind, nargs=count)
        made.add_argument("--data", metavar="FILE", help="the .npz file with the data of a save that does not hold it")
        return made

    train = of_source("train", "train a recipe, or go on with a save", _train, "RECIPE|SAVE")
    train.add_argument("--steps", type=_count, help="how far to run (default: as the recipe says)")
    train.add_argument("--seed", type=_whole, help="of the initial values and the batches (recipes only)")
    train.add_argument("--save", metavar="FILE", help="write a save at the end, or when it is stopped")
    train.add_argument(
        "--evaluate",
        type=_examples,
        default=-1,
        metavar="N|none|all",
        help="measure N examples of each split, or none, on the way neither (default: all)",
    )
    train.add_argument(
        "--memory",
        type=_megabytes,
        metavar="MB",
        help="most that the moments kept for going back may take, and with them the save (default: 256)",
    )

    info = of_source("info", "tell what a recipe or a save is, or which saves there are", _info, "RECIPE|SAVE", "?")
    info.set_defaults(refuse=info.error)
    info.add_argument(
        "--all",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="list the saves of a folder (default: yours and those shipped)",
    )

    replay = of_source("replay", "compute a save again from its start and compare", _replay, "SAVE")
    replay.add_argument("--every", type=_count, metavar="N", help="print the digest at every Nth step")

    diff = command("diff", "compare two saves: where they part, and how far apart they are", _diff)
    diff.add_argument("a", metavar="SAVE[:BRANCH]")
    diff.add_argument("b", metavar="SAVE[:BRANCH]")
    diff.add_argument("--step", type=_whole, metavar="N", help="at this step (default: the last that both have)")

    of_source("verify", "compute every branch of a save again and compare each keyframe", _verify, "SAVE")

    script = of_source("script", "print a save as a Python script that rebuilds it", _script, "SAVE")
    script.add_argument("--save", metavar="FILE", help="write it to a file that is not there yet")

    recover = command("recover", "list what labs left behind that ended unsaved, or save it", _recover)
    recover.add_argument("name", nargs="?", metavar="NAME", help="of the list, or `latest`")
    recover.add_argument("--save", metavar="FILE", help="the file to save it to (default: a new one among the saves)")

    sample = of_source("sample", "write texts with a recipe's or a save's network", _sample, "SAVE|RECIPE")
    sample.add_argument("-n", type=_count, default=20, help="how many (20)")
    sample.add_argument("--prefix", default="", help="what they begin with")
    sample.add_argument("--temperature", type=float, default=1.0, help="1 as learned, below 1 safer, 0 the likeliest")
    sample.add_argument("--seed", type=_whole, help="another seed, other samples")

    predict = of_source(
        "predict", "tell what comes after a text, or out for numbers or an example", _predict, "SAVE|RECIPE"
    )
    predict.add_argument(
        "input", nargs="?", metavar="TEXT|NUMBERS", help="a text, or numbers: 0.3,1 or, with one below 0, [-0.3,1]"
    )
    predict.add_argument("--example", type=_whole, metavar="N", help="instead: the example of this number, from 0")
    predict.add_argument("--split", help="that it is from (default: dev, where there is one, else train)")

    command("recipes", "list the recipes that ship", _recipes)
    return parser


def _whole(text: str) -> int:
    value = int(text.replace("_", ""))
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 0, not {text}")
    return value


def _count(text: str) -> int:
    value = int(text.replace("_", ""))
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text}")
    return value


def _examples(text: str) -> int:
    """How many examples at most; 0 for none, -1 for all."""
    return {"none": 0, "all": -1}[text] if text in ("none", "all") else _count(text)


def _megabytes(text: str) -> int:
    """The bytes of so many MB."""
    value = int(text.replace("_", ""))
    if not 1 <= value <= MOST_MEMORY:
        raise argparse.ArgumentTypeError(f"must be a whole number of MB from 1 to {MOST_MEMORY}, not {text}")
    return value * MEGABYTE


_megabytes.__name__ = "whole number of MB"
_examples.__name__ = "number of examples, none or all"
_whole.__name__ = _count.__name__ = "whole number"  # as argparse says it


def _load_plugins(paths: Sequence[str]) -> None:
    if paths:
        from tinynets.nn.plugins import load_plugin

        for path in paths:
            load_plugin(path)


def _lab(source: str, *, needs_data: bool = False, **options: Any) -> Lab:
    """A lab, its warnings told; DataError where it needs data that are not here."""
    from tinynets.lab.lab import Lab

    lab = Lab(source, **options)
    missing = lab.data.missing
    for warning in lab.warnings:
        if not (needs_data and missing and warning == missing.reason):
            streams.say(warning)
    if needs_data:
        lab.player.need_data()
    return lab


def _bar(lab: Lab) -> Bar:
    from tinynets.cli.progress_bar import Bar

    return Bar(sys.stderr, lab)


def _save_only(options: argparse.Namespace) -> Lab:
    if not os.path.exists(expanded(options.source)):
        raise SaveError(f"`{options.source}`: there is no such save")
    return _lab(options.source, needs_data=True, data=options.data, threads=options.threads, read_only=True)


def _out(options: argparse.Namespace, data: dict[str, Any], lines: Sequence[str]) -> int:
    """The result, one entry of `lines` a line: what is foreign in them cannot act on the terminal."""
    shown = json.dumps(data).replace(DELETE, r"\u007f") if options.json else "\n".join(map(printable, lines))
    streams.put(shown)
    return 0


# -- the commands


def _train(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in ("seed", "memory") if getattr(options, name) is not None}
    lab = _lab(options.source, data=options.data, threads=options.threads, needs_data=True, journal=True, **given)
    left = lab.recipe.training.steps - lab.step_number
    if options.steps is None and left < 1:
        raise CommandError(
            f"`{options.source}` has done the {lab.recipe.training.steps:,} steps of its recipe; --steps N goes on"
        )
    from tinynets.cli.headless import Run

    run = Run(lab, options.steps or left, options.save, options.evaluate)
    return run.do(lambda data, lines: _out(options, data, lines))


def _info(options: argparse.Namespace) -> int:
    from tinynets.training.frozen import why_nothing_learns

    if (options.source is None) == (options.all is None):
        options.refuse("give one recipe or save, or --all for the saves of a folder")
    if options.all is not None:
        return _list(options)
    lab = _lab(options.source, data=options.data, threads=options.threads, read_only=True)
    network, still = lab.network, why_nothing_learns(lab.network, lab.state_now)
    log = [str(entry) for entry in lab.log]
    data = {
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
        "log": log,
        "still": still,
        "digest": lab.state.digest(),
    }
    splits = ", ".join(f"{name} {len(x):,}" for name, (x, _) in lab.data.splits.items())
    splits = f"not here, a few examples: {splits}" if lab.data.missing is not None else splits
    lines = [
        f"{lab.recipe.name}: {lab.recipe.description or 'built from Python'}",
        f"  data      {lab.data.name} ({splits})",
        "",
        *(f"  {line}" for line in str(network.summary()).splitlines()),
        "",
        f"  stands at step {lab.step_number:,} of {lab.end:,} on branch {lab.branch}"
        + (
            f" (also {', '.join(name for name in lab.branches if name != lab.branch)})" if len(lab.branches) > 1 else ""
        ),
        *([f"  learns    nothing: {still}"] if still else []),
        f"  digest    {data['digest']}",
    ]
    lines += [f"  {name.replace('_', ' ')} {value:.4f} (train)" for name, value in lab.map_errors().items()]
    lines += [f"  {entry}" for entry in lab.evaluations[-4:]]
    lines += ["  log:", *(f"    {entry}" for entry in log)] if log else []
    return _out(options, data, lines)


def _list(options: argparse.Namespace) -> int:
    from tinynets.storage.catalog import list_headers, table

    found = list_headers(options.all or None)
    lines = table(found) or ["there are no saves"]
    return _out(options, {"saves": [entry.config() for entry in found]}, lines)


def _replay(options: argparse.Namespace) -> int:
    from tinynets.history.verify import replay

    lab = _save_only(options)
    bar = _bar(lab)
    report = replay(lab.player, options.every, bar.show)
    bar.end()
    data = {
        "steps": report.steps,
        "edits": report.edits,
        "compared": report.compared,
        "equal": report.equal,
        "first_difference": report.first_difference,
        "largest_difference": report.largest_difference,
        "same_machine": report.same_machine,
        "digests": {str(step): digest for step, digest in report.digests.items()},
    }
    lines = [f"{step:>9,}  {digest}" for step, digest in report.digests.items()]
    _out(options, data, [*lines, str(report)])
    return 1 if not report.equal and report.same_machine else 0


def _diff(options: argparse.Namespace) -> int:
    from tinynets.lab.lab import compare

    found = compare(options.a, options.b, step=options.step)
    return _out(options, found.config(), found.lines())


def _verify(options: argparse.Namespace) -> int:
    lab = _save_only(options)
    bar = _bar(lab)
    work = lab.work("verify", (), {})
    try:
        while True:
            bar.show(next(work))
    except StopIteration as stop:
        report = stop.value
    bar.end()
    _out(options, asdict(report) | {"equal": report.equal, "largest": report.largest}, report.lines())
    return 1 if report.divergences and report.same_machine else 0


def _script(options: argparse.Namespace) -> int:
    lab = _save_only(options)
    text = lab.script()
    if options.save is not None:
        from tinynets.lab.script import write_script

        return _out(options, {"script": text, "save": options.save}, [write_script(text, options.save)])
    return _out(options, {"script": text, "save": None}, text.splitlines())


def _recover(options: argparse.Namespace) -> int:
    from tinynets.storage import paths as paths_module
    from tinynets.storage import recovery

    if options.name is None:
        if options.save is not None:
            raise CommandError("--save needs the name of what is to be saved, or `latest`")
        found = recovery.recoverable()
        lines = [f"{entry.name}  {entry}" for entry in found] or ["there is nothing to recover"]
        return _out(options, {"leftovers": [entry.config() for entry in found]}, lines)
    entry = recovery.find(options.name)
    lab = _lab(str(entry.file), threads=options.threads)
    saved = lab.save(options.save or paths_module.free_name(lab.recipe.name))
    data = {"name": entry.name, "save": saved.path, "step": saved.step, "digest": lab.state.digest()}
    return _out(options, data, [f"{entry}", str(saved)])


def _sample(options: argparse.Namespace) -> int:
    lab = _lab(options.source, data=options.data, threads=options.threads, read_only=True)
    texts = lab.sample(options.n, temperature=options.temperature, seed=options.seed, prefix=options.prefix)
    return _out(options, {"step": lab.step_number, "samples": texts}, texts)


def _predict(options: argparse.Namespace) -> int:
    lab = _lab(options.source, data=options.data, threads=options.threads, read_only=True)
    prediction = lab.predict(options.input, example=options.example, split=options.split)
    shares = dict(zip(prediction.labels, prediction.probabilities, strict=bool(prediction.probabilities)))
    best = sorted(shares.items(), key=lambda item: -item[1])
    block = "█" if streams.speaks(sys.stdout, "█") else "#"
    lines = [f"{label}  {share:6.1%}  {block * round(BAR * share)}" for label, share in best if share >= 0.001]
    values = dict(zip(prediction.labels, prediction.values, strict=True))
    lines = lines if shares else [f"{label}  {value:.6g}" for label, value in values.items()]
    if prediction.target:
        lines.append(f"target {prediction.target}")
    told = {"text": prediction.text, "probabilities": shares, "values": values, "target": prediction.target or None}
    return _out(options, told, lines)


def _recipes(options: argparse.Namespace) -> int:
    from tinynets.recipes.catalog import list_recipes

    found = list_recipes()
    width = max(len(entry.name) for entry in found)
    return _out(
        options,
        {"recipes": [asdict(entry) for entry in found]},
        [f"{entry.name:<{width}}  {entry.description}" for entry in found],
    )
