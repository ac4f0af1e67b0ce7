"""What `tape check` finds: every kind of damage at its place, and what a backtest may use."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from exchange.tape_growth import PART
from scripts.tape.check import check
from tests.exchange.tapes import (
    CANDLES,
    FUNDING,
    HOUR_MS,
    MARKS,
    START_MS,
    bars,
    settlements,
    whole_tape,
    write,
)

SPOT, PERP, MARK = (f"binance_{kind}_1h_BTCUSDT.csv.gz" for kind in ("spot", "perp", "mark"))
RATES = "binance_funding_BTCUSDT.csv.gz"
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


def looked_at(folder: Path, name: str = SPOT) -> dict[str, Any]:
    [row] = [one for one in check(folder).data["files"] if one["file"] == name]
    found: dict[str, Any] = row
    return found


def damaged(folder: Path, line: int, row: str) -> dict[str, Any]:
    """The spot file with one line (the header is line 1) replaced."""
    rows = bars("BTCUSDT", range(48))
    rows[line - 2] = row
    write(whole_tape(folder), SPOT, CANDLES, rows)
    return looked_at(folder)


def bar(hour: int, numbers: str) -> str:
    return f"{START_MS + hour * HOUR_MS},BTCUSDT,{numbers}"


def test_a_whole_tape_is_well_and_says_what_a_backtest_takes(tmp_path: Path) -> None:
    answer = check(whole_tape(tmp_path))
    assert answer.code == 0 and answer.data["ok"]
    assert [one["rows"] for one in answer.data["files"]] == [7, 48, 48, 48]
    [use] = answer.data["backtests"]
    assert use == {
        "instruments": ["BTC-USDT"], "from_ms": START_MS, "to_ms": START_MS + 48 * HOUR_MS,
        "notes": ["BTC: binance spot and perp 1h, mark 1h"], "holes": [], "refusal": None, "also": [],
    }  # fmt: skip
    assert "BTC-USDT: 2024-01-01 00:00 to 2024-01-03 00:00, 2 d" in answer.text
    assert f"python main.py backtest --tape {tmp_path} --instruments BTC-USDT" in answer.text


@pytest.mark.parametrize(
    ("numbers", "what"),
    [
        ("100,99,101,100,5", "high 99 is below low 101"),
        ("100,102,101,101.5,5", "open 100 or close 101.5 is outside 101 to 102"),
        ("100,102,99,103,5", "open 100 or close 103 is outside 99 to 102"),
        ("0,102,0,101,5", "a price of 0 or less"),
        ("100,102,-1,101,5", "a price of 0 or less"),
        ("100,102,99,101,-5", "negative volume -5"),
        ("100,102,99,,5", "'' is no number"),
        ("100,102,99,nan,5", "'nan' is no number"),
        ("100,102,99,101", "6 cells"),
    ],
)
def test_a_bar_that_cannot_be_is_named_by_its_line(tmp_path: Path, numbers: str, what: str) -> None:
    found = damaged(tmp_path, 12, bar(10, numbers))
    assert found["impossible"] == [{"line": 12, "ts_ms": START_MS + 10 * HOUR_MS, "what": what}]
    assert found["refusal"] is not None
    answer = check(tmp_path)
    assert answer.code == 1
    assert "UNUSABLE line 12" in answer.text and "No backtest can be run" in answer.text


def test_repetitions_and_rows_out_of_order_are_told_apart(tmp_path: Path) -> None:
    rows = bars("BTCUSDT", range(48))
    rows[20:22] = [rows[21], rows[20]]
    write(whole_tape(tmp_path), SPOT, CANDLES, [*rows[:10], rows[9], *rows[10:]])
    found = looked_at(tmp_path)
    assert [one["line"] for one in found["duplicates"]] == [12]
    assert [one["line"] for one in found["disorder"]] == [24]
    assert found["gaps"] == [] and found["rows"] == 49


def test_a_gap_has_its_place_and_length_and_the_tape_is_still_of_use(tmp_path: Path) -> None:
    write(whole_tape(tmp_path), SPOT, CANDLES, bars("BTCUSDT", range(10)) + bars("BTCUSDT", range(13, 48)))
    answer = check(tmp_path)
    assert answer.code == 0
    assert looked_at(tmp_path)["gaps"] == [
        {"begin_ms": START_MS + 10 * HOUR_MS, "end_ms": START_MS + 13 * HOUR_MS}
    ]
    assert "1 gaps: 2024-01-01 10:00 (3 h)" in answer.text
    assert "1 holes, 3 hours in all: the venue is closed there" in answer.text


def test_a_jump_above_the_bound_is_told_and_no_damage(tmp_path: Path) -> None:
    found = damaged(tmp_path, 12, bar(10, "110,150,109,111,5"))
    assert found["refusal"] is None and found["impossible"] == []
    [jump] = found["jumps"]
    assert jump["line"] == 12 and jump["what"].startswith("+36.4% from the close before it")
    assert check(tmp_path, max_jump=0.5).data["files"][3]["jumps"] == []
    with pytest.raises(UsageError, match="--max-jump 0: a fraction"):
        check(tmp_path, max_jump=0)


def test_a_mark_far_from_its_contract_is_told(tmp_path: Path) -> None:
    rows = bars("BTCUSDT", range(48), 100.25, volume="")
    rows[10] = bar(10, "110,120,109,119")
    write(whole_tape(tmp_path), MARK, MARKS, rows)
    [place] = looked_at(tmp_path, MARK)["mark_off"]
    assert place["line"] == 12 and "mark 119, perp 111.5" in place["what"]


def test_a_settlement_left_out_is_an_irregular_interval(tmp_path: Path) -> None:
    rows = settlements("BTCUSDT", 7)
    write(whole_tape(tmp_path), RATES, FUNDING, rows[:3] + rows[4:])
    found = looked_at(tmp_path, RATES)
    assert found["irregular"] == [{"begin_ms": START_MS + 16 * HOUR_MS, "end_ms": START_MS + 32 * HOUR_MS}]
    assert found["refusal"] is None


def test_a_rate_that_cannot_be_is_named(tmp_path: Path) -> None:
    write(whole_tape(tmp_path), RATES, FUNDING, [*settlements("BTCUSDT", 6), bar(48, "0.5")])
    [place] = looked_at(tmp_path, RATES)["impossible"]
    assert place["line"] == 8 and "rate '0.5'" in place["what"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (SPOT, b"no gzip", "not readable"),
        (SPOT, gzip.compress(b"time,price\n1,2\n", mtime=0), "line 1: header is 'time,price'"),
        ("binance_spot_7m_BTCUSDT.csv.gz", b"", "time frame is '7m'"),
    ],
)
def test_a_file_of_another_kind_is_one_clear_line(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (whole_tape(tmp_path) / name).write_bytes(content)
    answer = check(tmp_path)
    assert answer.code == 1
    [line] = [line for line in answer.text.splitlines() if line.startswith(name)]
    assert "UNUSABLE" in line and said in line


def test_a_coin_that_lacks_a_market_is_named_and_the_others_are_of_use(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    whole_tape(tmp_path, coin="ETH")
    whole_tape(tmp_path, coin="LTC", hours=24)
    (tmp_path / "binance_spot_1h_ETHUSDT.csv.gz").unlink()
    answer = check(tmp_path)
    assert answer.code == 0
    uses = {tuple(use["instruments"]): use for use in answer.data["backtests"]}
    assert "has no spot and perp candles" in uses["ETH-USDT",]["refusal"]
    together = uses["BTC-USDT", "LTC-USDT"]
    assert together["to_ms"] == START_MS + 24 * HOUR_MS
    assert "together BTC-USDT, LTC-USDT: 2024-01-01 00:00 to 2024-01-02 00:00, 1 d" in answer.text


def test_time_frames_of_another_period_are_named_too(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    for kind in ("spot", "perp"):
        name = f"binance_{kind}_5m_BTCUSDT.csv.gz"
        write(tmp_path, name, CANDLES, bars("BTCUSDT", range(12 * 24), bar_ms=300_000))
    answer = check(tmp_path)
    [use] = answer.data["backtests"]
    assert use["notes"] == ["BTC: binance spot and perp 1h, mark 1h"]
    assert use["also"] == ["BTC: binance spot and perp 5m from 2024-01-01 to 2024-01-02"]
    assert "over another period: BTC: binance spot and perp 5m" in answer.text


def test_what_is_no_tape_is_named_and_what_is_unfinished_too(tmp_path: Path) -> None:
    (whole_tape(tmp_path) / "three_venues_8h.csv.gz").write_bytes(b"")
    (tmp_path / f"okx_spot_1h_BTC-USDT{PART}").write_text("")
    (tmp_path / "README.md").write_text("")
    text = check(tmp_path).text
    assert "not looked at: three_venues_8h.csv.gz" in text and "README" not in text
    assert f"`download` goes on with them: okx_spot_1h_BTC-USDT{PART}" in text


def test_no_folder_is_refused_and_an_empty_one_is_of_no_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="an existing folder is needed"):
        check(tmp_path / "nowhere")
    answer = check(tmp_path)
    assert answer.code == 1 and "no tape files" in answer.text


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")
def test_the_recorded_data_is_whole(tmp_path: Path) -> None:
    """A few of the recorded files, for the time it takes: with the ones whose symbols name a period."""
    names = [
        f"okx_{name}.csv.gz"
        for name in (
            "perp_5m_BTC-USDT-SWAP",
            "perp_5m_BTC-USDT-SWAP_2026",
            "funding_DOGE-USDT-SWAP",
            "mark_1h_ETH-USDT-SWAP",
        )
    ]
    for name in names:
        (tmp_path / name).symlink_to(DATA / name)
    rows = {one["file"]: one for one in check(tmp_path).data["files"]}
    assert [rows[name]["refusal"] for name in names] == [None] * 4
    assert len(rows[names[0]]["gaps"]) == 1 and rows[names[1]]["gaps"] == []
    assert len(rows[names[2]]["irregular"]) == 1 and len(rows[names[3]]["gaps"]) == 4
