"""The library works without the terminal app, and every public name exists."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tinynets as tn


@pytest.mark.parametrize(
    "module", ["lab.lab", "lab.command_line", "server.server", "server.frame_builder", "cli.entry"]
)
def test_the_engine_imports_neither_textual_nor_rich_nor_plotext(module: str) -> None:
    code = (
        f"import sys, tinynets.{module}\n"
        "print([name for name in ('textual', 'rich', 'plotext', 'tui') if name in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


def test_importing_the_package_alone_loads_none_of_its_rooms() -> None:
    code = "import sys, tinynets; print([name for name in sys.modules if name.startswith(('tinynets.', 'numpy'))])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


def test_what_starts_the_engine_or_reads_a_command_waits_for_no_numpy() -> None:
    code = "import sys, tinynets.server.process, tinynets.cli.entry; print('numpy' in sys.modules)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "False"


def test_every_public_name_is_there_and_listed() -> None:
    for name in tn.__all__:
        assert getattr(tn, name).__name__ == name
        assert name in dir(tn)
    assert len(set(tn.__all__)) == len(tn.__all__)


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"^tinynets has no `Lob`; did you mean `Lab`\?$"):
        tn.Lob  # noqa: B018
