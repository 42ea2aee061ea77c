"""The user's own settings: what is wrong is named and skipped, the rest is in effect, and --config writes it all."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake import FakeEngine
from hypothesis import given
from hypothesis import strategies as st
from opening import screen_text, status, until

from tinynets.storage.paths import default_folder
from tui import actions
from tui.__main__ import main
from tui.app import LabApp
from tui.config import ENTRIES, Config, as_toml, checked, load, parse

THEMES = ("tinynets", "tinynets-light", "nord")
HERE = Path("lab.toml")


def read(text: str) -> Config:
    return checked(parse(text.encode(), HERE), THEMES)


def test_without_a_file_all_is_as_usual_and_nothing_is_wrong(tmp_path: Path) -> None:
    found = load(tmp_path / "none.toml")
    assert found == Config(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('theme = "nrod"', "`theme`: there is no theme `nrod`"),
        ("theme = 3", "`theme` must be the name of a theme, as `T` lists them in the lab, or `auto`, not 3"),
        ("frame_rate = 100", "`frame_rate` must be a whole number from 1 to 30, not 100"),
        ("frame_rate = true", "`frame_rate` must be a whole number from 1 to 30, not true"),
        ("[layout]\nleft = nan", "`layout.left` must be a number from 0.3 to 0.7, not nan"),
        ('[layout]\npanes = ["lss"]', "`layout.panes`: there is no pane `lss`"),
        ("layout = 1", "`layout` must be a table, not 1"),
        ("[samples]\ncuont = 1", "`samples.cuont`: there is no such entry, only theme"),
        ('[keys]\nzeor = "Z"', "`keys.zeor`: there is no such action"),
        ('[keys]\nzero = "foo"', "`keys.zero` must be a key, as `Z`, `f5`, `ctrl+g`, not `foo`"),
        ("[keys]\nzero = 1", "`keys.zero` must be a key"),
        ('[keys]\nzero = "q"', "`keys.zero`: `q` is the key of `quit` already"),
        ('[keys]\nzero = "Y"\nfreeze = "Y"', "is the key of"),
        ("theme = ", "`lab.toml` is not TOML"),
    ],
)
def test_a_wrong_entry_is_named_with_its_rule_and_its_value(text: str, said: str) -> None:
    found = read(text)
    assert any(said in problem for problem in found.problems), found.problems
    assert len(found.problems) == 1


def test_what_is_right_is_in_effect_beside_what_is_wrong() -> None:
    found = read(
        'theme = "nord"\nframe_rate = 0\n[samples]\ncount = 3\n[keys]\nzero = "Z"\nfreeze = "q"\nhelp = "f2,?"'
    )
    assert (found.theme, found.samples, found.frame_rate) == ("nord", 3, 10)
    assert dict(found.keys) == {"zero": "Z", "help": "f2,question_mark"}


def test_two_actions_can_change_keys_with_each_other() -> None:
    assert dict(read('[keys]\nzero = "f"\nfreeze = "z"').keys) == {"zero": "f", "freeze": "z"}


plain = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=8).filter(str.isprintable),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    [entry.name for entry in ENTRIES] + ["keys.zero", "keys.step", "keys.nothing", "layout", "more"]
)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


@given(st.dictionaries(names, plain, max_size=6))
def test_no_file_ever_raises_and_all_that_is_skipped_is_named(entries: dict[str, object]) -> None:
    found = read("\n".join(f"{name} = {_literal(value)}" for name, value in entries.items()))
    again = {entry.setting: getattr(found, entry.setting) for entry in ENTRIES}
    for name, value in entries.items():
        entry = next((entry for entry in ENTRIES if entry.name == name), None)
        took = entry is not None and (again[entry.setting] == (tuple(value) if isinstance(value, list) else value))
        kept = name.startswith("keys.") and name.removeprefix("keys.") in found.keys
        if not took and not kept and "is not TOML" not in str(found.problems):
            assert any(name in problem for problem in found.problems), (name, value, found.problems)


@given(st.binary(max_size=200))
def test_no_bytes_ever_raise(content: bytes) -> None:
    checked(parse(content, HERE), THEMES)


@given(st.sampled_from(THEMES), st.floats(0.3, 0.7), st.text(max_size=5).filter(str.isprintable))
def test_what_config_prints_reads_back_as_the_same(theme: str, left: float, saves: str) -> None:
    config = checked(Config(HERE, theme=theme, left=left, saves=saves, keys={"zero": "Z"}), THEMES)
    again = read("\n".join(as_toml(config)))
    assert (again.theme, again.left, again.saves, dict(again.keys)) == (theme, left, saves, {"zero": "Z"})
    assert again.problems == ()


def test_the_command_prints_the_path_the_values_and_what_is_skipped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lab.toml"
    monkeypatch.setenv("TINYNETS_CONFIG", str(file))
    assert main(["--config"]) == 0
    first = capsys.readouterr().out
    assert f"# tinynets-lab: {file} (there is no such file)" in first
    assert '# zero = "z"  # Zero the unit' in first
    file.write_text(first)
    assert load(file).problems == ()
    file.write_text('theme = "nord"\nframe_rate = 99')
    assert main(["--config"]) == 1
    shown = capsys.readouterr().out
    assert 'theme = "nord"' in shown
    assert "# skipped: `frame_rate` must be" in shown


def test_the_folder_of_saves_can_be_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYNETS_SAVES", str(tmp_path))
    assert default_folder() == tmp_path


# -- in the lab


async def test_a_key_of_ones_own_does_it_is_shown_and_the_old_one_does_not() -> None:
    engines: list[FakeEngine] = []
    app = LabApp(
        lambda *given: engines.append(FakeEngine(*given)) or engines[-1], "x", config=read('[keys]\nzero = "Z"')
    )  # type: ignore[func-returns-value]
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: app.lab.frame is not None)
        assert "Z zero" in screen_text(pilot)
        await pilot.press("z")
        await pilot.pause()
        assert engines[-1].calls == []
        await pilot.press("Z")
        await until(pilot, lambda: [verb for verb, _, _ in engines[-1].calls] == ["zero"])
    LabApp(FakeEngine, "x")  # type: ignore[arg-type]
    assert actions.BY_ID["zero"].shown_key == "z"


async def test_layout_samples_and_frame_rate_reach_the_screen_and_the_engine() -> None:
    engines: list[FakeEngine] = []
    config = read(
        'frame_rate = 5\n[layout]\nleft = 0.5\npanes = ["loss", "weights"]\n[samples]\ncount = 3\ntemperature = 0'
    )
    app = LabApp(lambda *given: engines.append(FakeEngine(*given)) or engines[-1], "x", config=config)  # type: ignore[func-returns-value]
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: app.lab.frame is not None)
        view = engines[-1].views[-1]
        assert (view.samples, view.temperature, view.frame_rate) == (3, 0, 5)
        assert app.lab.desk.choice.active == "loss"
        assert app.lab.panes["network"].outer_size.width == 80


async def test_what_is_wrong_is_said_once_at_the_start() -> None:
    app = LabApp(FakeEngine, "x", config=read('frame_rate = 99\n[keys]\nzero = "q"'))  # type: ignore[arg-type]
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await until(pilot, lambda: app.lab.frame is not None)
        await until(pilot, lambda: status(pilot).startswith("2 entries of your settings are skipped"))
        told = "\n".join(note.message for note in app._notifications)
        assert "`keys.zero`: `q` is the key of `quit` already" in told
