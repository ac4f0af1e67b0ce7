"""Filling a file: what is known is not asked for again, and nothing is lost when a download is killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.okx.history import Series
from exchange.okx.parse_history import HistoryRow
from exchange.tape_gaps import Gap
from exchange.tape_growth import PART, Growth
from exchange.tape_store import GZIP, read_lines
from scripts.tape.filling import Filled, fill, series_of, stem_of

HOUR_MS = 3_600_000
T0 = 1_767_571_200_000
SPOT = series_of("spot", "BTC-USDT", "1h")
FUNDING = series_of("funding", "BTC-USDT", "")
END_MS = T0 + 100 * HOUR_MS


class Killed(BaseException):
    """The process is gone in the middle of an answer."""


class Past:
    """A venue's history of some instants, ten steps a window."""

    def __init__(self, times: list[int], kill_after: int | None = None) -> None:
        self.times = times
        self.windows: list[tuple[int, int]] = []
        self.bisections = 0
        self._kill_after = kill_after

    def window_ms(self, series: Series) -> int:
        return 10 * series.step_ms

    async def window(self, series: Series, from_ms: int, to_ms: int) -> list[HistoryRow]:
        if self._kill_after is not None and len(self.windows) >= self._kill_after:
            raise Killed
        self.windows.append((from_ms, to_ms))
        cells = ("0.0001",) if series.kind == "funding" else ("1", "2", "0.5", "1.5", "7")
        return [HistoryRow(at, cells) for at in self.times if from_ms <= at < to_ms]

    async def begin_ms(self, series: Series, from_ms: int, to_ms: int) -> int | None:
        self.bisections += 1
        return next((at for at in self.times if from_ms <= at < to_ms), None)


def hours(*numbers: int) -> list[int]:
    return [T0 + n * HOUR_MS for n in numbers]


async def filled(
    folder: Path, past: Past, series: Series = SPOT, from_ms: int = T0, to_ms: int = END_MS
) -> Filled:
    growth = Growth(folder, stem_of(series), GZIP)
    return await fill(past, growth, series, from_ms, to_ms, lambda at_ms, rows: None)


def lines(folder: Path, series: Series = SPOT) -> list[str]:
    return read_lines(folder / f"{stem_of(series)}{GZIP}")


async def test_a_whole_period_takes_each_window_once(tmp_path: Path) -> None:
    past = Past(hours(*range(100)))
    done = await filled(tmp_path, past)
    assert (done.rows, done.added, done.from_ms, done.to_ms, done.holes) == (100, 100, T0, END_MS, ())
    assert len(past.windows) == 10 and past.bisections == 0


async def test_asking_again_asks_nothing(tmp_path: Path) -> None:
    await filled(tmp_path, Past(hours(*range(100))))
    past = Past(hours(*range(100)))
    assert (await filled(tmp_path, past)).added == 0
    assert past.windows == []


async def test_a_longer_period_asks_for_its_two_ends_alone(tmp_path: Path) -> None:
    await filled(tmp_path, Past(hours(*range(100))), from_ms=T0 + 40 * HOUR_MS, to_ms=T0 + 60 * HOUR_MS)
    past = Past(hours(*range(100)))
    done = await filled(tmp_path, past)
    assert done.rows == 100 and done.added == 80
    assert all(not (T0 + 40 * HOUR_MS <= a < T0 + 60 * HOUR_MS) for a, _ in past.windows)


@pytest.mark.parametrize("after", range(10))
async def test_killed_between_two_pages_it_goes_on_where_the_pages_end(tmp_path: Path, after: int) -> None:
    with pytest.raises(Killed):
        await filled(tmp_path, Past(hours(*range(100)), kill_after=after))
    kept = tmp_path / f"{stem_of(SPOT)}{PART}"
    assert (kept.read_bytes().count(b"\n") if after else 0) == 10 * after
    past = Past(hours(*range(100)))
    done = await filled(tmp_path, past)
    assert done.rows == 100 and done.added == 100 - 10 * after
    assert past.windows[0][0] == T0 + 10 * after * HOUR_MS
    whole = tmp_path / "whole"
    whole.mkdir()
    await filled(whole, Past(hours(*range(100))))
    assert lines(tmp_path) == lines(whole)
    assert not kept.exists()


async def test_a_hole_is_asked_for_twice_and_told(tmp_path: Path) -> None:
    past = Past(hours(*range(20), *range(23, 100)))
    done = await filled(tmp_path, past)
    assert done.holes == (Gap(T0 + 20 * HOUR_MS, T0 + 23 * HOUR_MS),)
    assert past.windows.count((T0 + 20 * HOUR_MS, T0 + 23 * HOUR_MS)) == 1  # the second time
    assert len(past.windows) == 11


async def test_what_comes_late_fills_the_hole(tmp_path: Path) -> None:
    class Late(Past):
        async def window(self, series: Series, from_ms: int, to_ms: int) -> list[HistoryRow]:
            rows = await super().window(series, from_ms, to_ms)
            return rows if len(self.windows) > 10 else [row for row in rows if row.ts_ms != T0 + 33 * HOUR_MS]

    done = await filled(tmp_path, Late(hours(*range(100))))
    assert done.rows == 100 and done.holes == ()


async def test_before_a_market_began_nothing_is_asked_window_by_window(tmp_path: Path) -> None:
    past = Past(hours(*range(9_000, 9_020)))
    done = await filled(tmp_path, past, to_ms=T0 + 9_020 * HOUR_MS)
    assert done.rows == 20 and done.from_ms == T0 + 9_000 * HOUR_MS and done.holes == ()
    assert past.bisections == 1 and len(past.windows) < 5


async def test_a_period_of_which_the_venue_has_nothing_leaves_no_file(tmp_path: Path) -> None:
    done = await filled(tmp_path, Past([]))
    assert (done.rows, done.from_ms, done.holes) == (0, None, ())
    assert not Growth(tmp_path, stem_of(SPOT), GZIP).times


async def test_settlements_need_no_grid(tmp_path: Path) -> None:
    times = hours(0, 8, 16, 20, 24, 28, 29, 30, 31, 39, 47)
    done = await filled(tmp_path, Past(times), FUNDING)
    assert done.rows == len(times) and done.holes == ()
    missing = [at for at in times if at != T0 + 24 * HOUR_MS]
    other = tmp_path / "other"
    other.mkdir()
    done = await filled(other, Past(missing), FUNDING)
    assert done.holes == (Gap(T0 + 20 * HOUR_MS + 1, T0 + 28 * HOUR_MS),)


def test_files_are_named_as_the_reader_expects_them() -> None:
    named = [stem_of(series_of(kind, "BTC-USDT", "5m")) for kind in ("spot", "perp", "mark", "open_interest")]
    assert named == [
        "okx_spot_5m_BTC-USDT", "okx_perp_5m_BTC-USDT-SWAP", "okx_mark_5m_BTC-USDT-SWAP",
        "okx_open_interest_5m_BTC-USDT-SWAP",
    ]  # fmt: skip
    assert stem_of(FUNDING) == "okx_funding_BTC-USDT-SWAP"
