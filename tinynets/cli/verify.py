"""`tinynets replay`, `tinynets verify` and `tinynets diff`: recompute saves, or compare them with each other."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from tinynets.cli.options import add_source, count, open_save, put_result, whole
from tinynets.cli.progress_bar import Bar


def replay_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "SAVE")
    parser.add_argument("--every", type=count, metavar="N", help="print the digest at every Nth step")


def replay(options: argparse.Namespace) -> int:
    from tinynets.history.verify import replay as computed_again  # loads numpy

    lab = open_save(options)
    bar = Bar(sys.stderr, lab)
    report = computed_again(lab.player, options.every, bar.show)
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
    put_result(options, data, [*lines, str(report)])
    return 1 if not report.equal and report.same_machine else 0


def verify_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "SAVE")


def verify(options: argparse.Namespace) -> int:
    lab = open_save(options)
    bar = Bar(sys.stderr, lab)
    work = lab.work("verify", (), {})
    try:
        while True:
            bar.show(next(work))
    except StopIteration as stop:
        report = stop.value
    bar.end()
    put_result(options, asdict(report) | {"equal": report.equal, "largest": report.largest}, report.lines())
    return 1 if report.divergences and report.same_machine else 0


def diff_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="SAVE[:BRANCH]")
    parser.add_argument("b", metavar="SAVE[:BRANCH]")
    parser.add_argument("--step", type=whole, metavar="N", help="at this step (default: the last that both have)")


def diff(options: argparse.Namespace) -> int:
    from tinynets.lab.lab import compare  # loads numpy

    found = compare(options.a, options.b, step=options.step)
    return put_result(options, found.config(), found.lines())
