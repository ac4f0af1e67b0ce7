"""Log files turn over by day and by size, and old days go."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from monitor.log_file import DailyFile
from monitor.logs import FILE_NAME, set_up_logs
from monitor.redaction import Redactor

FIFTH_S = 1_767_571_200  # 2026-01-05T00:00Z


def write(handler: DailyFile, text: str) -> None:
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, text, None, None))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_full_file_is_followed_by_another_and_no_line_is_lost(tmp_path: Path) -> None:
    handler = DailyFile(tmp_path / FILE_NAME, keep_days=3, max_bytes=25)
    for n in range(6):
        write(handler, f"line {n} .....")  # 13 bytes: one fits, two do not
    handler.close()
    assert len(names(tmp_path)) == 6
    lines = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted(lines) == [f"line {n} ....." for n in range(6)]
    assert all(path.stat().st_size <= 25 for path in tmp_path.iterdir())


def test_a_line_longer_than_a_file_gets_one_of_its_own(tmp_path: Path) -> None:
    handler = DailyFile(tmp_path / FILE_NAME, keep_days=3, max_bytes=10)
    write(handler, "a" * 50)
    write(handler, "b" * 50)
    handler.close()
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [51, 51]


def test_a_new_day_has_a_new_file_and_days_beyond_those_kept_go_with_all_their_files(tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        for end in ("", ".1"):
            (tmp_path / f"{FILE_NAME}.{day}{end}").write_text("old")
    (tmp_path / f"{FILE_NAME}.notes").write_text("not ours")
    handler = DailyFile(tmp_path / FILE_NAME, keep_days=2, max_bytes=1000)
    write(handler, "today")
    handler.rolloverAt = FIFTH_S  # it is long past that midnight
    write(handler, "tomorrow")
    handler.close()
    left = names(tmp_path)
    assert f"{FILE_NAME}.notes" in left and FILE_NAME in left
    assert not any("2026-01-01" in name or "2026-01-02" in name for name in left)
    assert sum("2026-01-03" in name for name in left) == 2
    assert (tmp_path / f"{FILE_NAME}.2026-01-04").read_text() == "today\n"
    assert (tmp_path / FILE_NAME).read_text() == "tomorrow\n"


@pytest.mark.fault("SE1")
def test_every_file_of_a_rotated_log_is_redacted(tmp_path: Path) -> None:
    logs = set_up_logs(tmp_path, "info", 3, Redactor(["CANARY-SECRET"]), max_bytes=200)
    for n in range(20):
        logging.getLogger("x").warning("request %s with CANARY-SECRET", n)
    logs.close()
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert len(names(tmp_path)) > 5
    assert written.count("***") == 20 and "CANARY" not in written
