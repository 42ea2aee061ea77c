"""`tinynets sample` and `tinynets predict`: let a network write text, or predict for one input."""

from __future__ import annotations

import argparse
import sys

from tinynets.cli.options import add_source, count, open_lab, put_result, whole
from tinynets.system import streams

BAR = 40  # characters for a share of 1


def sample_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "SAVE|RECIPE")
    parser.add_argument("-n", type=count, default=20, help="how many (20)")
    parser.add_argument("--prefix", default="", help="what they begin with")
    parser.add_argument("--temperature", type=float, default=1.0, help="1 as learned, below 1 safer, 0 the likeliest")
    parser.add_argument("--seed", type=whole, help="another seed, other samples")


def sample(options: argparse.Namespace) -> int:
    lab = open_lab(options, read_only=True)
    texts = lab.sample(options.n, temperature=options.temperature, seed=options.seed, prefix=options.prefix)
    return put_result(options, {"step": lab.step_number, "samples": texts}, texts)


def predict_arguments(parser: argparse.ArgumentParser) -> None:
    add_source(parser, "SAVE|RECIPE")
    parser.add_argument(
        "input", nargs="?", metavar="TEXT|NUMBERS", help="a text, or numbers: 0.3,1 or, with one below 0, [-0.3,1]"
    )
    parser.add_argument("--example", type=whole, metavar="N", help="instead: the example of this number, from 0")
    parser.add_argument("--split", help="that it is from (default: dev, where there is one, else train)")


def predict(options: argparse.Namespace) -> int:
    lab = open_lab(options, read_only=True)
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
    return put_result(options, told, lines)
