"""The changes over the configuration are part of a backup: verified like the journal, and brought back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.overlay import FILE_NAME as OVERLAY
from config.overlay import Overlay, read_overlay, write_overlay
from core.errors import JournalBroken, JournalFailed
from core.journal import FILE_NAME
from main import main
from scripts.backup import EXPORT, MANIFEST, make_backup, read_backup, restore
from tests.scripts.test_backup import names, write

THEN = Overlay(3, {"strategy.exit.cooldown_hours": "12"})
NOW = Overlay(4, {"strategy.exit.cooldown_hours": "24", "strategy.exit.mode": "sign"})


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    await write(tmp_path / "data")
    return tmp_path / "data"


def test_a_backup_holds_the_overlay_and_its_manifest_says_which(data: Path, tmp_path: Path) -> None:
    write_overlay(data, THEN)
    made = make_backup(data, tmp_path / "to", 0)
    assert names(made.folder) == {FILE_NAME, EXPORT, MANIFEST, OVERLAY}
    assert read_overlay(made.folder) == THEN
    assert read_backup(made.folder).overlay_version == 3


@pytest.mark.parametrize("there", [None, THEN, NOW])
def test_a_restored_backup_brings_its_overlay_back_and_keeps_the_one_that_was_there(
    data: Path, tmp_path: Path, there: Overlay | None
) -> None:
    write_overlay(data, THEN)
    made = make_backup(data, tmp_path / "to", 0)
    (data / OVERLAY).unlink()
    if there is not None:
        write_overlay(data, there)
    done = restore(made.folder, data, 0)
    assert read_overlay(data) == THEN
    assert (data / OVERLAY).read_bytes() == (made.folder / OVERLAY).read_bytes()
    assert read_overlay(data / done.set_aside) == (there or Overlay())
    assert not list(data.glob("*.restoring"))


def test_a_backup_without_changes_takes_those_made_since_away_and_keeps_them(
    data: Path, tmp_path: Path
) -> None:
    made = make_backup(data, tmp_path / "to", 0)
    assert made.manifest.overlay_version == 0
    write_overlay(data, NOW)
    done = restore(made.folder, data, 0)
    assert read_overlay(data) == Overlay()
    assert read_overlay(data / done.set_aside) == NOW


def test_an_overlay_comes_back_where_there_is_no_journal_any_more(data: Path, tmp_path: Path) -> None:
    write_overlay(data, THEN)
    made = make_backup(data, tmp_path / "to", 0)
    (data / FILE_NAME).unlink()
    write_overlay(data, NOW)
    done = restore(made.folder, data, 0)
    assert (done.rows_before, done.replaced) == (None, (OVERLAY,))
    assert read_overlay(data) == THEN and read_overlay(data / done.set_aside) == NOW


def test_a_backup_from_before_overlays_were_kept_leaves_what_is_there(data: Path, tmp_path: Path) -> None:
    made = make_backup(data, tmp_path / "to", 0)
    told = json.loads((made.folder / MANIFEST).read_text())
    del told["overlay_version"], told["overlay_sha256"]
    (made.folder / MANIFEST).write_text(json.dumps(told))
    write_overlay(data, NOW)
    restore(made.folder, data, 0)
    assert read_overlay(data) == NOW


@pytest.mark.parametrize("harm", ["changed", "lost", "added", "renumbered"])
def test_an_overlay_that_is_not_the_one_of_the_backup_restores_nothing(
    data: Path, tmp_path: Path, harm: str
) -> None:
    if harm != "added":
        write_overlay(data, THEN)
    made = make_backup(data, tmp_path / "to", 0)
    kept = made.folder / OVERLAY
    if harm == "changed":
        kept.write_text(kept.read_text().replace("12", "13"))
    elif harm == "lost":
        kept.unlink()
    elif harm == "added":
        write_overlay(made.folder, NOW)
    else:
        path = made.folder / MANIFEST
        path.write_text(path.read_text().replace('"overlay_version": 3', '"overlay_version": 2'))
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    with pytest.raises(JournalBroken, match=OVERLAY.replace(".", r"\.")):
        restore(made.folder, data, 0)
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def test_an_overlay_that_cannot_be_read_is_not_called_a_backup(data: Path, tmp_path: Path) -> None:
    (data / OVERLAY).write_text("{}")
    with pytest.raises(JournalFailed, match=r"overlay\.json: it holds no changes .* mend or remove it"):
        make_backup(data, tmp_path / "to", 0)
    assert names(tmp_path / "to") == set()


def test_the_commands_say_what_became_of_the_changes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        assert main([*arguments, "--data", str(data)]) == 0
        return capsys.readouterr().out

    write_overlay(data, THEN)
    folder = json.loads(run("backup", "--json"))["folder"]
    assert "version 3 of the changes" in run("backup")
    write_overlay(data, NOW)
    said = run("restore", folder)
    assert "version 3 of the changes lies over the configuration again; those that were there" in said
