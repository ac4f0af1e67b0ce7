"""A tape's file while it grows: nothing that was kept is lost, whatever kills the one who writes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from exchange.tape_files import tape_file
from exchange.tape_gaps import Gap
from exchange.tape_growth import PART, Growth, alone_in
from exchange.tape_store import GZIP, PARQUET, read_lines
from tests.exchange.tapes import CANDLES, HOUR_MS, START_MS, bars, write
from tests.exchange.test_tape_store import needs_parquet

STEM = "okx_spot_1h_BTC-USDT"
SYMBOL = "BTC-USDT"


def rows(*numbers: int) -> list[tuple[int, list[str]]]:
    cells = [line.split(",") for line in bars(SYMBOL, range(100))]
    return [(int(cells[n][0]), cells[n][2:]) for n in numbers]


def opened(folder: Path, suffix: str = GZIP) -> Growth:
    return Growth(folder, STEM, suffix)


def test_pages_in_any_order_become_one_file_in_order(tmp_path: Path) -> None:
    growth = opened(tmp_path)
    assert [growth.append(page) for page in (rows(5, 6), rows(0, 1), rows(1, 2))] == [2, 2, 1]
    growth.finish()
    file = tape_file(tmp_path / f"{STEM}{GZIP}")
    assert file is not None and list(file.candles().ts) == [START_MS + n * HOUR_MS for n in (0, 1, 2, 5, 6)]
    assert [path.name for path in tmp_path.iterdir()] == [file.path.name]


def test_a_later_download_adds_to_what_is_there(tmp_path: Path) -> None:
    for numbers in ((3, 4), (0, 5)):
        growth = opened(tmp_path)
        growth.append(rows(*numbers))
        growth.finish()
    assert [line.partition(",")[0] for line in read_lines(tmp_path / f"{STEM}{GZIP}")[1:]] == [
        str(START_MS + n * HOUR_MS) for n in (0, 3, 4, 5)
    ]


def test_nothing_new_leaves_the_file_untouched(tmp_path: Path) -> None:
    path = write(tmp_path, f"{STEM}{GZIP}", CANDLES, bars(SYMBOL, range(3)))
    before = path.read_bytes()
    growth = opened(tmp_path)
    assert growth.append(rows(1, 2)) == 0
    growth.finish()
    assert path.read_bytes() == before


@given(cut=st.integers(0, 400))
def test_of_a_part_cut_anywhere_every_whole_row_is_kept(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    opened(folder).append(rows(*range(5)))
    part = folder / f"{STEM}{PART}"
    whole = part.read_bytes()
    part.write_bytes(whole[:cut])
    again = opened(folder)
    assert len(again.times) == whole[:cut].count(b"\n")
    again.append(rows(*range(5)))
    again.finish()
    assert len(read_lines(folder / f"{STEM}{GZIP}")) == 6


def test_what_a_power_cut_left_behind_is_cut_off(tmp_path: Path) -> None:
    opened(tmp_path).append(rows(0, 1))
    part = tmp_path / f"{STEM}{PART}"
    part.write_bytes(part.read_bytes() + b"\0" * 70 + b"\n")
    again = opened(tmp_path)
    assert len(again.times) == 2
    again.append(rows(2))
    assert b"\0" not in part.read_bytes() and len(opened(tmp_path).times) == 3


def test_what_is_missing_is_told_by_what_is_known(tmp_path: Path) -> None:
    growth = opened(tmp_path)
    growth.append(rows(0, 1, 4))
    end_ms = START_MS + 5 * HOUR_MS
    assert growth.missing(START_MS, end_ms) == [Gap(START_MS + 2 * HOUR_MS, START_MS + 4 * HOUR_MS)]


@needs_parquet
def test_another_format_takes_over_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, f"{STEM}{GZIP}", CANDLES, bars(SYMBOL, range(3)))
    growth = opened(tmp_path, PARQUET)
    growth.append(rows(3))
    growth.finish()
    assert [path.name for path in tmp_path.iterdir()] == [f"{STEM}{PARQUET}"]
    assert len(read_lines(tmp_path / f"{STEM}{PARQUET}")) == 5


def test_a_file_of_other_columns_is_refused(tmp_path: Path) -> None:
    write(tmp_path, f"{STEM}{GZIP}", "time,open,close", ["1,2,3"])
    with pytest.raises(UsageError, match=r"BTC-USDT\.csv\.gz, line 1: header is 'time,open,close', allowed"):
        opened(tmp_path)


def test_funding_with_another_column_is_refused_rather_than_mixed(tmp_path: Path) -> None:
    name = "okx_funding_BTC-USDT-SWAP"
    write(tmp_path, f"{name}{GZIP}", "ts,symbol,rate,mark_px", [f"{START_MS},BTC-USDT-SWAP,0.0001,42000"])
    with pytest.raises(UsageError, match="header is 'ts,symbol,rate,mark_px', allowed: ts,symbol,rate"):
        Growth(tmp_path, name, GZIP)


def test_another_period_of_the_series_in_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, f"{STEM}_2026{GZIP}", CANDLES, bars(SYMBOL, range(3)))
    with pytest.raises(UsageError, match=r"_2026\.csv\.gz: another period"):
        opened(tmp_path)


def test_a_broken_file_is_refused_and_stays(tmp_path: Path) -> None:
    path = tmp_path / f"{STEM}{GZIP}"
    path.write_bytes(gzip.compress(b"x" * 500)[:-9])
    with pytest.raises(UsageError, match="not readable"):
        opened(tmp_path)
    assert path.exists()


def test_two_downloads_do_not_work_in_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with (
        alone_in(folder),
        pytest.raises(UsageError, match="another download works in it"),
        alone_in(folder),
    ):
        pass
    with alone_in(folder):
        assert list(folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match="file/tape: Not a directory, allowed"),
        alone_in(tmp_path / "file" / "tape"),
    ):
        pass
