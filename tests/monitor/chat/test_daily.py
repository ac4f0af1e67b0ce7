"""The daily report: at its hour, once, through restarts, and in both languages without a raw figure."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS
from monitor.chat.daily import FILE_NAME, DailyReport, due_ms
from monitor.chat.passbook import HOUR_MS
from monitor.words import Language
from tests.monitor.chat.desks import NOW_MS, FakeDesk, status_of

HOUR = 9  # the desk's day is at 08:05


class Days:
    """An engine's days, and what was reported."""

    def __init__(self, folder: Path, language: Language = "en") -> None:
        self.folder, self.language = folder, language
        self.desk = FakeDesk(folder, status_of())
        self.posted: list[tuple[str, str]] = []
        self.report = self.process()

    def process(self) -> DailyReport:
        return DailyReport(
            self.desk, HOUR, self.language, self.folder, lambda level, text: self.posted.append((level, text))
        )

    def at(self, now_ms: int) -> int:
        """Look at this time; return how many reports there are."""
        assert self.desk.shown is not None
        self.desk.shown = replace(self.desk.shown, now_ms=now_ms)
        self.report.look()
        return len(self.posted)


NINE_MS = NOW_MS - NOW_MS % DAY_MS + HOUR * HOUR_MS


@given(st.integers(0, 10**13), st.integers(0, 23))
def test_a_report_is_due_once_a_day_at_its_hour(now_ms: int, hour: int) -> None:
    due = due_ms(now_ms, hour)
    assert now_ms - DAY_MS < due <= now_ms
    assert due % DAY_MS == hour * HOUR_MS


def test_it_comes_once_at_its_hour(tmp_path: Path) -> None:
    days = Days(tmp_path)
    assert [days.at(NINE_MS - 1), days.at(NINE_MS), days.at(NINE_MS + 1)] == [0, 1, 1]
    assert [days.at(NINE_MS + DAY_MS - 1), days.at(NINE_MS + DAY_MS)] == [1, 2]


def test_a_restart_repeats_nothing_and_makes_up_for_what_was_missed(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.at(NINE_MS - 1)
    days.at(NINE_MS)
    days.report = days.process()
    assert days.at(NINE_MS + HOUR_MS) == 1
    days.report = days.process()
    assert days.at(NINE_MS + 3 * DAY_MS + HOUR_MS) == 2  # one for three days away
    assert days.at(NINE_MS + 3 * DAY_MS + 2 * HOUR_MS) == 2


def test_the_first_start_owes_no_report(tmp_path: Path) -> None:
    assert Days(tmp_path).at(NINE_MS + HOUR_MS) == 0


def test_a_clock_that_begins_anew_and_a_file_nobody_can_read_are_as_a_first_start(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.at(NINE_MS)
    assert days.at(NINE_MS - 100 * DAY_MS) == 0
    (tmp_path / FILE_NAME).write_text("yesterday")
    days.report = days.process()
    assert [days.at(NINE_MS), days.at(NINE_MS + DAY_MS)] == [0, 1]


def test_books_that_cannot_be_read_put_it_off(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.at(NINE_MS - 1)
    journal = tmp_path / "journal.db"
    journal.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert days.at(NINE_MS) == 0
    journal.unlink()
    assert days.at(NINE_MS + 1) == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_says_what_a_day_brought_and_what_comes(tmp_path: Path, language: Language) -> None:
    days = Days(tmp_path, language)
    days.at(NINE_MS - 1)
    days.at(NINE_MS)
    [(level, text)] = days.posted
    assert level == "info"
    for part in ("100,212.44", "26,000.00", "BTC", "0.0125 %", "the venue answers in 900 ms"):
        assert part in text
    assert ("Daily report" in text) is (language == "en") and "Decimal" not in text


async def test_before_the_first_decision_it_waits_and_ends_when_asked(tmp_path: Path) -> None:
    days = Days(tmp_path)
    days.desk.shown = None
    over = asyncio.Event()
    task = asyncio.create_task(days.report.run(over))
    over.set()
    async with asyncio.timeout(5):
        await task
    assert days.posted == []
