from __future__ import annotations

from pathlib import Path

import pytest

from scripts.confluence import main


def test_the_self_test_shows_every_score_and_that_all_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert "score  0.860" in shown and "score  0.936" in shown and "printed in the reference: 0.92" in shown
    assert "18 of 18 scores are what they must be" in shown


def test_a_feed_file_is_scored_and_its_bad_line_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text(
        '{"type": 112, "id": "f", "symbol": "ETH", "timestamp": 1767571200000}\n'
        "nonsense\n"
        '{"type": 110, "id": "a", "symbol": "ETHUSDT", "timestamp": 1767571440000}\n',
        encoding="utf-8",
    )
    assert main([str(feed)]) == 1
    told = capsys.readouterr()
    assert told.out == "ETH-USDT  112 f with a  gap 240 s  score 0.680\n"
    assert "feed.jsonl line 2: the message is 'nonsense', allowed: one JSON object" in told.err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.jsonl")]) == 2
    assert "none.jsonl" in capsys.readouterr().err
