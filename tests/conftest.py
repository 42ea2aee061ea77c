"""Set-up for all tests: separate locks and journals, signals as in a terminal, no deadlines, shared helpers."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

for _folder in ("helpers", "references"):
    sys.path.insert(0, str(Path(__file__).parent / _folder))
settings.register_profile("tinynets", deadline=None)
settings.load_profile("tinynets")
_numbers = count()

# If the tests were started in the background, they and their children may be ignoring ctrl+c or hang-ups.
for _number in (getattr(signal, name) for name in ("SIGINT", "SIGHUP", "SIGTERM") if hasattr(signal, name)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("states")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINYNETS_STATE", str(folder / "shared"))
        yield folder


@pytest.fixture(autouse=True)
def _own_state(_states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYNETS_STATE", str(_states / str(next(_numbers))))
