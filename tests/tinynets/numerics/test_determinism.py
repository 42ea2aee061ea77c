"""BLAS threads: chosen by a rule from the shapes, fixed once per process, overridden by argument or environment."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

import tinynets as tn
from tinynets.numerics import determinism


def test_small_products_take_one_thread_and_large_ones_two() -> None:
    assert determinism.threads_rule(32 * 784 * 128) == 1
    assert determinism.threads_rule(determinism.TWO_FROM) == 2


def said(code: str, **environment: str) -> str:
    """What a new process prints, or the last line of its error."""
    run = subprocess.run(
        [sys.executable, "-c", f"import tinynets as tn\n{code}"],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    return (run.stdout or run.stderr).strip().splitlines()[-1]


COUNT = "from threadpoolctl import threadpool_info\nprint({e['num_threads'] for e in threadpool_info()})"


@pytest.mark.parametrize(
    ("argument", "environment", "count"),
    [("", {}, "{1}"), ("", {"TINYNETS_THREADS": "2"}, "{2}"), (", threads=2", {}, "{2}")],
)
def test_argument_and_environment_go_before_the_rule(argument: str, environment: dict[str, str], count: str) -> None:
    assert said(f"lab = tn.Lab('xor'{argument})\n{COUNT}", **environment) == count


def test_a_save_brings_its_number_into_a_new_process(tmp_path: Any) -> None:
    path = str(tmp_path / "x.msgpack")
    assert said(f"print(tn.Lab('xor', threads=2).save({path!r}))").startswith("saved")
    assert said(f"lab = tn.Lab({path!r})\n{COUNT}") == "{2}"
    assert "thread count" in said(f"lab = tn.Lab({path!r}, threads=1)\nprint(lab.warnings)")


def test_another_number_in_the_same_process_is_refused(says: Any) -> None:
    settled = determinism.fix_threads()
    words = (
        f"`threads`: {settled + 1} asked for, but this process has computed with {settled} since its first Lab; "
        "another number would change the last bits"
    )
    with says(tn.EditError, words):
        tn.Lab("xor", threads=settled + 1)


def test_what_is_no_number_of_threads_is_refused(says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with says(tn.EditError, "`threads` must be a whole number from 1 to 256, not 0"):
        tn.Lab("xor", threads=0)
    monkeypatch.setenv("TINYNETS_THREADS", "many")
    with says(tn.EditError, "`TINYNETS_THREADS` must be a whole number from 1 to 256, not 'many'"):
        tn.Lab("xor")
