import gzip
from pathlib import Path

import pytest

from core.errors import UsageError
from exchange.tape import read_tape
from exchange.tape_files import FRAMES_MS, tape_file
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

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")
SPOT, PERP, MARK = (f"binance_{kind}_1h_BTCUSDT.csv.gz" for kind in ("spot", "perp", "mark"))
RATES = "binance_funding_BTCUSDT.csv.gz"
T0, T1 = START_MS, START_MS + HOUR_MS
GOOD = f"{T0},BTCUSDT,100,102,99,101,5"


def test_a_whole_tape_is_read_with_its_period_and_its_choices(tmp_path: Path) -> None:
    tape = read_tape(whole_tape(tmp_path), ["BTC"])
    (coin,) = tape.coins
    assert (tape.start_ms, tape.end_ms) == (START_MS, START_MS + 48 * HOUR_MS)
    assert tape.holes == () and tape.segments == ((tape.start_ms, tape.end_ms),)
    assert (
        coin.spot.close[0] == 101 and min(coin.perp.hour_open.values()) == "100.5" and coin.mark is not None
    )
    assert tape.notes == ("BTC: binance spot and perp 1h, mark 1h",)


def test_okx_names_and_binance_names_are_the_same_coin(tmp_path: Path) -> None:
    write(tmp_path, "okx_spot_1h_BTC-USDT.csv.gz", CANDLES, bars("BTC-USDT", range(48)))
    write(tmp_path, "okx_perp_1h_BTC-USDT-SWAP.csv.gz", CANDLES, bars("BTC-USDT-SWAP", range(48)))
    write(tmp_path, "binance_funding_BTCUSDT.csv.gz", FUNDING, settlements("BTCUSDT", 7))
    (coin,) = read_tape(tmp_path, ["BTC"]).coins
    assert coin.venue == "okx" and coin.mark is None and len(coin.funding.ts) == 7


def test_periods_of_one_series_are_joined_and_a_hole_between_them_stays(tmp_path: Path) -> None:
    whole_tape(tmp_path, hours=24)
    for kind in ("spot", "perp"):
        name = f"binance_{kind}_1h_BTCUSDT_2026.csv.gz"
        write(tmp_path, name, CANDLES, bars("BTCUSDT", range(30, 60)))
    write(tmp_path, RATES, FUNDING, settlements("BTCUSDT", 9))
    tape = read_tape(tmp_path, ["BTC"])
    (hole,) = tape.holes
    assert (hole.begin_ms, hole.end_ms) == (START_MS + 24 * HOUR_MS, START_MS + 30 * HOUR_MS)
    assert hole.coins == ("BTC",) and len(tape.segments) == 2
    assert "1 holes, 6 hours in all" in tape.notes[-1]


def test_a_single_missing_bar_of_one_market_is_a_hole(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    write(tmp_path, SPOT, CANDLES, bars("BTCUSDT", range(5)) + bars("BTCUSDT", range(6, 48)))
    (hole,) = read_tape(tmp_path, ["BTC"]).holes
    assert (hole.begin_ms, hole.end_ms) == (START_MS + 5 * HOUR_MS, START_MS + 6 * HOUR_MS)


def test_holes_of_two_coins_that_touch_become_one(tmp_path: Path) -> None:
    for coin, missing in (("BTC", 5), ("ETH", 6)):
        whole_tape(tmp_path, coin=coin)
        symbol = f"{coin}USDT"
        rows = [row for n, row in enumerate(bars(symbol, range(48))) if n != missing]
        write(tmp_path, f"binance_spot_1h_{symbol}.csv.gz", CANDLES, rows)
    (hole,) = read_tape(tmp_path, ["BTC", "ETH"]).holes
    assert (hole.end_ms - hole.begin_ms, hole.coins) == (2 * HOUR_MS, ("BTC", "ETH"))


def test_the_finest_frame_that_covers_the_period_is_taken(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    for kind in ("spot", "perp"):
        name = f"binance_{kind}_5m_BTCUSDT.csv.gz"
        write(tmp_path, name, CANDLES, bars("BTCUSDT", range(12 * 24), bar_ms=300_000))
    noon = START_MS + 12 * HOUR_MS
    assert read_tape(tmp_path, ["BTC"], START_MS, noon).coins[0].spot.bar_ms == FRAMES_MS["5m"]
    assert read_tape(tmp_path, ["BTC"], START_MS, START_MS + 40 * HOUR_MS).coins[0].spot.bar_ms == HOUR_MS
    assert read_tape(tmp_path, ["BTC"]).coins[0].spot.bar_ms == HOUR_MS


def test_a_frame_only_one_of_the_markets_has_does_not_count(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    for kind, hours in (("spot", 48), ("perp", 20)):
        rows = bars("BTCUSDT", range(12 * hours), bar_ms=300_000)
        write(tmp_path, f"binance_{kind}_5m_BTCUSDT.csv.gz", CANDLES, rows)
    assert read_tape(tmp_path, ["BTC"]).coins[0].spot.bar_ms == HOUR_MS


def test_a_tape_ends_where_its_funding_does(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    write(tmp_path, RATES, FUNDING, settlements("BTCUSDT", 3))
    assert read_tape(tmp_path, ["BTC"]).end_ms == START_MS + 24 * HOUR_MS


def test_settlements_some_milliseconds_off_are_put_on_their_second(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    write(tmp_path, RATES, FUNDING, settlements("BTCUSDT", 7, jitter_ms=3))
    assert read_tape(tmp_path, ["BTC"]).coins[0].funding.ts[0] == START_MS


BROKEN = [
    (SPOT, CANDLES, [GOOD.replace("101,5", "101")], "line 2: row is"),
    (SPOT, CANDLES, [GOOD, f"{T1},BTCUSDT,100,102,99,101,5,6"], "line 3: row is"),
    (SPOT, CANDLES, [GOOD.replace(str(T0), "yesterday")], "line 2: ts is 'yesterday'"),
    (SPOT, CANDLES, [GOOD.replace(str(T0), str(T0 // 1000))], "line 2: ts is '1704067200'"),
    (SPOT, CANDLES, [GOOD.replace(str(T0), str(T0 * 1000))], "line 2: ts is"),
    (SPOT, CANDLES, [GOOD, GOOD.replace(str(T0), str(T1 + 7))], "line 3: ts is"),
    (SPOT, CANDLES, [GOOD.replace(str(T0), str(T1)), GOOD], r"line 3: ts is .*out of order"),
    (SPOT, CANDLES, [GOOD, GOOD], r"line 3: ts is .*repetition"),
    (SPOT, CANDLES, [GOOD.replace("BTCUSDT", "ETHUSDT")], "line 2: symbol is 'ETHUSDT', allowed: BTCUSDT"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,,102,99,101,5"], "line 2: open is ''"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,102,99,abc,5"], "line 2: close is 'abc'"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,nan,99,101,5"], "line 2: high is 'nan'"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,inf,99,101,5"], "line 2: high is 'inf'"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,0,102,0,101,5"], "line 2: open is '0', allowed: a price above 0"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,102,-99,101,5"], "line 2: low is '-99'"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,100.5,99,101,5"], "line 2: high is '100.5', allowed: at least"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,102,100.5,101,5"], "line 2: low is '100.5', allowed: at most"),
    (SPOT, CANDLES, [f"{T0},BTCUSDT,100,102,99,101,-5"], "line 2: volume is '-5'"),
    (SPOT, "ts,open,high,low,close", [GOOD], "line 1: header is 'ts,open,high,low,close'"),
    (SPOT, CANDLES, [], "line 2: no rows"),
    (RATES, FUNDING, [f"{T0},BTCUSDT,"], "line 2: rate is ''"),
    (RATES, FUNDING, [f"{T0},BTCUSDT,NaN"], "line 2: rate is 'NaN'"),
    (RATES, FUNDING, [f"{T0},BTCUSDT,1.5"], "line 2: rate is '1.5', allowed: a fraction"),
    (RATES, FUNDING, [f"{T0},BTCUSDT,0.0001", f"{T0 + 2},BTCUSDT,0.0001"], "line 3: ts is .*repetition"),
    (RATES, f"{FUNDING},mark_px", [f"{T0},BTCUSDT,0.0001,-3"], "line 2: mark_px is '-3'"),
    (MARK, MARKS, [f"{T0},BTCUSDT,100,102,99"], "line 2: row is"),
]


@pytest.mark.parametrize(("name", "header", "rows", "message"), BROKEN)
def test_a_broken_file_is_refused_by_file_line_and_value(
    tmp_path: Path, name: str, header: str, rows: list[str], message: str
) -> None:
    whole_tape(tmp_path)
    write(tmp_path, name, header, rows)
    with pytest.raises(UsageError, match=f"{name}, {message}") as refusal:
        read_tape(tmp_path, ["BTC"])
    assert "allowed:" in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ts,symbol,open", "not readable"),
        (gzip.compress(b"x" * 5_000, mtime=0)[:-9], "not readable"),
        (gzip.compress("ts,symböl".encode("latin-1"), mtime=0), "UTF-8"),
        (gzip.compress(b"", mtime=0), "line 1: header is ''"),
    ],
    ids=("plain text", "cut short", "latin-1", "empty"),
)
def test_a_file_that_is_no_gzip_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (whole_tape(tmp_path) / SPOT).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_tape(tmp_path, ["BTC"])


def test_a_strange_time_frame_in_a_name_is_refused(tmp_path: Path) -> None:
    write(whole_tape(tmp_path), "binance_spot_7m_BTCUSDT.csv.gz", CANDLES, [GOOD])
    with pytest.raises(
        UsageError, match=r"binance_spot_7m_BTCUSDT\.csv\.gz: time frame is '7m', allowed: 1m"
    ):
        read_tape(tmp_path, ["BTC"])


def test_overlapping_periods_of_one_series_are_refused(tmp_path: Path) -> None:
    write(whole_tape(tmp_path), "binance_spot_1h_BTCUSDT_b.csv.gz", CANDLES, bars("BTCUSDT", range(40, 60)))
    with pytest.raises(UsageError, match=r"BTCUSDT_b\.csv\.gz: overlaps"):
        read_tape(tmp_path, ["BTC"])


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        (RATES, "no funding file for BTC"),
        (PERP, "BTC has no spot and perp candles"),
        (SPOT, "BTC has no spot and perp candles"),
    ],
)
def test_a_missing_file_is_named(tmp_path: Path, missing: str, message: str) -> None:
    (whole_tape(tmp_path) / missing).unlink()
    with pytest.raises(UsageError, match=message):
        read_tape(tmp_path, ["BTC"])


def test_a_period_without_bars_tells_which_there_are(tmp_path: Path) -> None:
    later = START_MS + 400 * HOUR_MS
    with pytest.raises(UsageError, match=f"1h {START_MS} to"):
        read_tape(whole_tape(tmp_path), ["BTC"], later, later + HOUR_MS)
    with pytest.raises(UsageError, match="a start before its end"):
        read_tape(tmp_path, ["BTC"], later, START_MS)


def test_no_folder_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="allowed: a folder"):
        read_tape(tmp_path / "nowhere", ["BTC"])
    with pytest.raises(UsageError, match="no tape files"):
        read_tape(tmp_path, ["BTC"])


def test_other_files_in_the_folder_do_no_harm(tmp_path: Path) -> None:
    (whole_tape(tmp_path) / "README.md").write_text("hello")
    (tmp_path / "binance_spot_l2_BTCUSDT_20240808.csv.gz").write_bytes(b"not even gzip")
    assert len(read_tape(tmp_path, ["BTC"]).coins) == 1


@needs_data
def test_the_recorded_segments_are_found_again() -> None:
    june, november = 1_717_200_000_000, 1_730_419_200_000
    tape = read_tape(DATA, ["BTC"], june, november)
    assert tape.coins[0].spot.bar_ms == HOUR_MS  # 5m ends in September: the hour covers more
    may = read_tape(DATA, ["BTC", "ETH"], 1_747_699_200_000, 1_750_377_600_000)
    assert [coin.spot.bar_ms for coin in may.coins] == [FRAMES_MS["1m"]] * 2 and not may.holes


@needs_data
def test_the_recorded_years_have_the_documented_breaks() -> None:
    tape = read_tape(DATA, ["ETH"])
    long_breaks = [hole for hole in tape.holes if hole.end_ms - hole.begin_ms > 5 * 24 * HOUR_MS]
    days = [(hole.end_ms - hole.begin_ms) // (24 * HOUR_MS) for hole in long_breaks]
    assert days == [10, 92, 31, 8, 120]


def test_a_symbol_may_carry_the_period_its_file_is_named_for(tmp_path: Path) -> None:
    whole_tape(tmp_path, hours=24)
    for kind in ("spot", "perp"):
        name = f"binance_{kind}_1h_BTCUSDT_2026.csv.gz"
        write(tmp_path, name, CANDLES, bars("BTCUSDT_2026", range(24, 48)))
    write(tmp_path, RATES, FUNDING, settlements("BTCUSDT", 7))
    tape = read_tape(tmp_path, ["BTC"])
    assert not tape.holes and tape.end_ms == START_MS + 48 * HOUR_MS
    write(tmp_path, "binance_spot_1h_BTCUSDT_2026.csv.gz", CANDLES, bars("BTCUSDT_2025", range(24, 48)))
    with pytest.raises(UsageError, match="symbol is 'BTCUSDT_2025'"):
        read_tape(tmp_path, ["BTC"])


def test_open_interest_beside_the_candles_is_read_and_does_not_change_the_tape(tmp_path: Path) -> None:
    header = "ts,symbol,oi_contracts,oi_ccy"
    name = "okx_open_interest_1h_BTC-USDT-SWAP.csv.gz"
    file = tape_file(write(tmp_path, name, header, [f"{T0},BTC-USDT-SWAP,5000.5,50.005"]))
    assert file is not None and file.interest() == {T0: ("5000.5", "50.005")}
    assert len(read_tape(whole_tape(tmp_path), ["BTC"]).coins) == 1
    write(tmp_path, name, header, [f"{T0},BTC-USDT-SWAP,-1,50"])
    with pytest.raises(UsageError, match="line 2: oi_contracts is '-1', allowed: 0 or more"):
        file = tape_file(tmp_path / name)
        assert file is not None
        file.interest()


@needs_data
def test_recorded_files_of_another_period_are_the_same_instrument() -> None:
    for coin in ("BTC", "ETH", "DOGE"):
        file = tape_file(DATA / f"okx_perp_5m_{coin}-USDT-SWAP_2026.csv.gz")
        assert file is not None and len(file.candles().ts) == 17_299
