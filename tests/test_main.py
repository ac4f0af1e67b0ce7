"""The command line as somebody meets it who has mistyped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from main import main


def test_a_halt_for_a_folder_that_is_not_there_tells_nobody_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mistyped"
    assert main(["halt", "--data", str(folder)]) == 2
    assert f"--data {folder}: no such folder" in capsys.readouterr().err
    assert not folder.exists()


def test_a_command_before_the_start_waits_in_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["halt", "--data", str(tmp_path)]) == 0
    assert "told at its start" in capsys.readouterr().out


@pytest.mark.parametrize("said", ["ETH-USDT", "eth-usdt", "eth"])
def test_a_pair_may_be_named_as_the_chat_lets_it(tmp_path: Path, said: str) -> None:
    assert main(["close", said, "--data", str(tmp_path)]) == 0
    [left] = (tmp_path / "commands").glob("*.json")
    assert json.loads(left.read_text())["instrument"] == "ETH-USDT"


def test_a_pair_nobody_can_mean_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["close", "ETH USDT!", "--data", str(tmp_path)]) == 2
    assert "'ETH USDT!': a name like BTC-USDT is allowed" in capsys.readouterr().err


def test_a_word_that_is_no_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rnu"]) == 2
    assert capsys.readouterr().err == "'rnu' is no command; `python main.py --help` lists them\n"
