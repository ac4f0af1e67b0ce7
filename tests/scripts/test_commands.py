"""A command to the daemon is a file that is whole or not there, taken once, in order."""

from __future__ import annotations

from pathlib import Path

from scripts.commands import FOLDER, Command, Verb, send, take


def test_commands_wait_for_a_daemon_that_is_not_running_and_come_in_order(tmp_path: Path) -> None:
    assert send(tmp_path, Command(Verb.PAUSE, "lunch")) is None
    assert send(tmp_path, Command(Verb.FLATTEN, "holiday")) is None
    assert list(take(tmp_path)) == [Command(Verb.PAUSE, "lunch"), Command(Verb.FLATTEN, "holiday")]


def test_a_command_is_taken_once(tmp_path: Path) -> None:
    send(tmp_path, Command(Verb.RESUME, "back"))
    assert len(list(take(tmp_path))) == 1
    assert list(take(tmp_path)) == []


def test_a_file_nobody_can_read_is_set_aside_and_hides_no_other(tmp_path: Path) -> None:
    box = tmp_path / FOLDER
    box.mkdir()
    (box / "000001.json").write_text('{"verb": "sell everything"}')
    (box / "000002.json").write_text("not json")
    (box / "000003.new").write_text('{"verb": "halt", "reason": "half writ')
    send(tmp_path, Command(Verb.HALT, "storm"))
    assert list(take(tmp_path)) == [Command(Verb.HALT, "storm")]
    assert sorted(p.name for p in box.glob("*.unreadable")) == ["000001.unreadable", "000002.unreadable"]
