"""Tape files on the disk: text in gzip or in Parquet, whole or not at all."""

from __future__ import annotations

import importlib.util
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import UsageError
from exchange.tape import read_tape
from exchange.tape_store import GZIP, PARQUET, read_lines, require_parquet, write_lines
from tests.exchange.tapes import whole_tape

HAS_ARROW = importlib.util.find_spec("pyarrow") is not None
needs_parquet = pytest.mark.skipif(not HAS_ARROW, reason="pyarrow is not installed: make parquet")
EITHER = [GZIP, pytest.param(PARQUET, marks=needs_parquet)]
ROWS = [
    "ts,symbol,rate,mark_px",
    "1704067200000,BTC-USDT-SWAP,-2.59e-05,42000.1",
    "1704096000000,BTC-USDT-SWAP,0.0001,",
]


@pytest.mark.parametrize("suffix", EITHER)
def test_what_was_written_is_read_again(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"okx_funding_BTC-USDT-SWAP{suffix}"
    write_lines(path, ROWS)
    assert read_lines(path) == ROWS
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", EITHER)
def test_where_nothing_can_be_written_is_told_by_path(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(UsageError, match=r"x\..*: No such file or directory, allowed: a folder to write"):
        write_lines(tmp_path / "nowhere" / f"x{suffix}", ROWS)


@needs_parquet
@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=0, places=10), min_size=1))
def test_no_digit_is_lost_in_parquet(tmp_path_factory: pytest.TempPathFactory, values: list[Decimal]) -> None:
    path = tmp_path_factory.mktemp("digits") / "x.parquet"
    write_lines(path, ["ts,rate", *(f"{n},{value:f}" for n, value in enumerate(values))])
    assert [Decimal(line.partition(",")[2]) for line in read_lines(path)[1:]] == values


@needs_parquet
def test_columns_are_numbers_for_other_programs(tmp_path: Path) -> None:
    write_lines(tmp_path / "x.parquet", ROWS)
    table = require_parquet().parquet.read_table(tmp_path / "x.parquet")
    assert [str(kind).partition("<")[0] for kind in table.schema.types] == [
        "int64", "dictionary", "double", "double",
    ]  # fmt: skip


@needs_parquet
def test_a_tape_in_parquet_is_the_tape_it_was_made_from(tmp_path: Path) -> None:
    texts, tables = tmp_path / "texts", tmp_path / "tables"
    texts.mkdir()
    tables.mkdir()
    for path in whole_tape(texts).iterdir():
        write_lines(tables / path.name.replace(GZIP, PARQUET), read_lines(path))
    before, after = read_tape(texts, ["BTC"]), read_tape(tables, ["BTC"])
    assert after.coins[0].funding == before.coins[0].funding
    for name in ("ts", "open", "high", "low", "close", "volume"):
        assert getattr(after.coins[0].perp, name) == getattr(before.coins[0].perp, name)
    hours = [{at: Decimal(px) for at, px in tape.coins[0].spot.hour_open.items()} for tape in (before, after)]
    assert hours[0] == hours[1]
    assert (after.start_ms, after.end_ms, after.notes) == (before.start_ms, before.end_ms, before.notes)


@needs_parquet
def test_a_broken_table_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"no table")
    with pytest.raises(UsageError, match=r"x\.parquet: not readable .*allowed: a Parquet file"):
        read_lines(path)


@pytest.mark.skipif(HAS_ARROW, reason="pyarrow is installed here")
def test_without_pyarrow_a_table_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make parquet"):
        write_lines(tmp_path / "x.parquet", ROWS)
