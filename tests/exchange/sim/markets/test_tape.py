import csv
import gzip
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

import pytest

from exchange.sim.edits import Edits
from exchange.sim.exchange import Exchange
from exchange.sim.markets.tape import TapeMarket
from exchange.sim.model import Reject
from exchange.tape import read_tape
from tests.exchange.tapes import CANDLES, FUNDING, HOUR_MS, START_MS, bars, settlements, whole_tape, write

D = Decimal
QUARTER_MS = HOUR_MS // 4
SWAP = "BTC-USDT-SWAP"
DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")


def replay(folder: Path, from_ms: int | None = None, to_ms: int | None = None) -> Exchange:
    return Exchange(TapeMarket(read_tape(folder, ["BTC"], from_ms, to_ms)), seed=1)


def run(venue: Exchange, until_ms: int) -> None:
    while venue.now_ms < until_ms:
        venue.advance(until_ms)


def test_a_bar_is_walked_from_open_over_its_extremes_to_its_close(tmp_path: Path) -> None:
    market = TapeMarket(read_tape(whole_tape(tmp_path), ["BTC"]))
    seen = [market.quote("BTC", START_MS + n * QUARTER_MS)[:3] for n in range(5)]
    assert [spot for spot, _, _ in seen] == [100, 99, 102, 101, 101]
    assert [swap - spot for spot, swap, _ in seen] == [0.5] * 5
    assert [mark - spot for spot, _, mark in seen] == [0.25] * 5


def test_both_markets_meet_their_lows_together(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    falling = [f"{START_MS},BTCUSDT,100.5,102.5,99.5,100,1"]  # the perp closes down while spot closes up
    write(tmp_path, "binance_perp_1h_BTCUSDT.csv.gz", CANDLES, falling + bars("BTCUSDT", range(1, 48), 100.5))
    quote = TapeMarket(read_tape(tmp_path, ["BTC"])).quote("BTC", START_MS + QUARTER_MS)
    assert (quote.spot, quote.swap) == (99, 99.5)


def test_without_mark_candles_the_swaps_price_stands_in(tmp_path: Path) -> None:
    (whole_tape(tmp_path) / "binance_mark_1h_BTCUSDT.csv.gz").unlink()
    quote = TapeMarket(read_tape(tmp_path, ["BTC"])).quote("BTC", START_MS + 1)
    assert quote.mark == quote.swap


def test_where_the_mark_file_has_no_bar_the_swaps_price_stands_in(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    header = "ts,symbol,open,high,low,close"
    write(tmp_path, "binance_mark_1h_BTCUSDT.csv.gz", header, bars("BTCUSDT", range(1), 100.25, volume=""))
    market = TapeMarket(read_tape(tmp_path, ["BTC"]))
    inside, beyond = market.quote("BTC", START_MS), market.quote("BTC", START_MS + 9 * HOUR_MS)
    assert inside.mark == 100.25 and beyond.mark == beyond.swap


def test_prices_are_shown_in_the_instruments_ticks(tmp_path: Path) -> None:
    venue = replay(whole_tape(tmp_path))
    run(venue, START_MS + 33 * 60_000 + 7)
    for market in venue.world.markets.values():
        assert not market.last % market.instrument.tick and not market.mark_px % market.instrument.tick


@pytest.mark.parametrize(
    ("header", "extra", "mark"),
    [
        (FUNDING, "", "108.25"),
        (f"{FUNDING},mark_px", ",107.125", "107.125"),
        (f"{FUNDING},mark_px", ",", "108.25"),
    ],
)
def test_a_settlement_uses_the_files_rate_and_the_mark_of_its_instant(
    tmp_path: Path, header: str, extra: str, mark: str
) -> None:
    whole_tape(tmp_path)
    rows = [row + extra for row in settlements("BTCUSDT", 7, "0.00012345")]
    write(tmp_path, "binance_funding_BTCUSDT.csv.gz", header, rows)
    venue = replay(tmp_path)
    demo = venue.accounts["demo"]
    Edits(venue).set_position(demo, SWAP, D(-100))
    funding = venue.markets[SWAP].funding
    assert funding is not None and funding.rate == D("0.00012345")
    run(venue, START_MS + 8 * HOUR_MS)
    assert demo.bills[-1].price == D(mark)
    assert demo.bills[-1].change == 100 * D("0.01") * D(mark) * D("0.00012345")


def forecasts(folder: Path, *minutes: int) -> list[Decimal]:
    """What is announced so many minutes before the settlement at 16:00, whose file says 0.0009."""
    market = TapeMarket(read_tape(folder, ["BTC"]))
    settle_ms = START_MS + 16 * HOUR_MS
    eight_hours = 8 * HOUR_MS
    return [
        market.forecast("BTC", settle_ms - n * 60_000, settle_ms, eight_hours).rate or D(0) for n in minutes
    ]


def tape_paying(folder: Path, last: str, perp: float) -> Path:
    whole_tape(folder)
    paid = [("0.0003", 0), ("0.0003", 8), (last, 16), ("0.0001", 24)]
    rows = [f"{START_MS + hour * HOUR_MS},BTCUSDT,{rate}" for rate, hour in paid]
    write(folder, "binance_funding_BTCUSDT.csv.gz", FUNDING, rows)
    write(folder, "binance_perp_1h_BTCUSDT.csv.gz", CANDLES, bars("BTCUSDT", range(48), perp))
    return folder


def test_the_forecast_moves_from_the_last_rate_to_that_of_the_premium_so_far(tmp_path: Path) -> None:
    begin, middle, late = forecasts(tape_paying(tmp_path, "0.0009", 100.1), 480, 240, 2)
    assert begin == D("0.0003")
    premium = sum(0.1 / (101 + n) for n in range(8, 12)) / 4
    assert middle == pytest.approx(D(0.5 * 0.0003 + 0.5 * (premium - 0.0005)), abs=D("1e-8"))
    assert late > middle > begin


def test_the_files_rate_is_not_known_before_the_last_minute(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    calm = forecasts(tape_paying(tmp_path / "a", "0.0009", 100.01), 479, 60, 2, 1, 0)
    wild = forecasts(tape_paying(tmp_path / "b", "-0.003", 100.01), 479, 60, 2, 1, 0)
    assert calm[:3] == wild[:3]
    assert calm[3:] == [D("0.0009")] * 2 and wild[3:] == [D("-0.003")] * 2


def test_without_any_mark_a_settlement_uses_the_perps_open(tmp_path: Path) -> None:
    (whole_tape(tmp_path) / "binance_mark_1h_BTCUSDT.csv.gz").unlink()
    venue = replay(tmp_path)
    Edits(venue).set_position(venue.accounts["demo"], SWAP, D(-100))
    run(venue, START_MS + 8 * HOUR_MS)
    assert venue.accounts["demo"].bills[-1].price == D("108.5")


def test_earlier_settlements_and_bars_are_history(tmp_path: Path) -> None:
    venue = replay(whole_tape(tmp_path), from_ms=START_MS + 30 * HOUR_MS)
    assert [one.ts_ms for one in venue.markets[SWAP].settled] == [
        START_MS + n * 8 * HOUR_MS for n in range(4)
    ]
    past = venue.markets["BTC-USDT"].bars(HOUR_MS, None, 100)
    assert len(past) == 31 and past[-1].ts_ms == START_MS and not past[0].closed


def test_the_interval_is_the_files(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    rows = [f"{START_MS + n * 4 * HOUR_MS},BTCUSDT,0.0001" for n in range(13)]
    write(tmp_path, "binance_funding_BTCUSDT.csv.gz", FUNDING, rows)
    funding = replay(tmp_path).markets[SWAP].funding
    assert funding is not None and funding.funding_ms == START_MS + 4 * HOUR_MS
    assert funding.next_funding_ms - funding.funding_ms == 4 * HOUR_MS


def holed(folder: Path) -> Path:
    """Two days with bars 20 to 29 missing."""
    whole_tape(folder)
    for kind, first in (("spot", 100.0), ("perp", 100.5)):
        rows = [row for n, row in enumerate(bars("BTCUSDT", range(48), first)) if not 20 <= n < 30]
        write(folder, f"binance_{kind}_1h_BTCUSDT.csv.gz", CANDLES, rows)
    return folder


def test_a_hole_is_announced_jumped_over_and_nothing_settles_in_it(tmp_path: Path) -> None:
    venue = replay(holed(tmp_path))
    begin, end = START_MS + 20 * HOUR_MS, START_MS + 30 * HOUR_MS
    run(venue, begin - 2 * HOUR_MS - 1)
    assert venue.maintenance == []
    run(venue, begin - 2 * HOUR_MS)
    (window,) = venue.maintenance
    assert (window["state"], window["begin"], window["end"]) == ("scheduled", str(begin), str(end))
    Edits(venue).set_position(venue.accounts["demo"], SWAP, D(-1))
    run(venue, begin)
    last = venue.markets[SWAP].last
    assert venue.next_ms() == end
    venue.advance(begin + HOUR_MS)
    assert venue.markets[SWAP].last == last and window["state"] == "ongoing"
    settled = [bill.ts_ms for bill in venue.accounts["demo"].bills]
    run(venue, START_MS + 40 * HOUR_MS)
    assert [bill.ts_ms for bill in venue.accounts["demo"].bills] == [
        *settled,
        START_MS + 32 * HOUR_MS,
        venue.now_ms,
    ]
    assert window["state"] == "completed" and len(venue.calendar.unflat) == 1


def test_an_interval_is_not_stretched_by_a_hole(tmp_path: Path) -> None:
    venue = replay(holed(tmp_path))
    for hours, upcoming in ((9, 16), (16, 32)):  # the settlement at 24 falls into the hole
        run(venue, START_MS + hours * HOUR_MS)
        funding = venue.markets[SWAP].funding
        assert funding is not None and funding.funding_ms == START_MS + upcoming * HOUR_MS
        assert funding.next_funding_ms - funding.funding_ms == 8 * HOUR_MS


def test_nor_by_a_break_of_the_funding_file(tmp_path: Path) -> None:
    rows = [row for n, row in enumerate(settlements("BTCUSDT", 7)) if n not in (2, 3, 4)]
    write(whole_tape(tmp_path), "binance_funding_BTCUSDT.csv.gz", FUNDING, rows)
    funding = replay(tmp_path).markets[SWAP].funding
    assert funding is not None and funding.funding_ms == START_MS + 8 * HOUR_MS
    assert funding.next_funding_ms == START_MS + 16 * HOUR_MS


def test_a_tape_ends_and_charges_nothing_beyond(tmp_path: Path) -> None:
    venue = replay(whole_tape(tmp_path))
    demo = venue.accounts["demo"]
    run(venue, START_MS + 47 * HOUR_MS)
    Edits(venue).set_position(demo, SWAP, D(-1))
    run(venue, START_MS + 48 * HOUR_MS)
    assert venue.next_ms() is None
    venue.advance(START_MS + 200 * HOUR_MS)
    assert not demo.bills  # the end has no bar, so a settlement there has no price


def test_the_end_may_lie_before_the_end_of_the_files(tmp_path: Path) -> None:
    venue = replay(whole_tape(tmp_path), to_ms=START_MS + 10 * HOUR_MS)
    run(venue, START_MS + 10 * HOUR_MS)
    assert venue.next_ms() is None and venue.markets["BTC-USDT"].last == 110


def test_a_wild_bar_thins_the_books_of_the_next_one(tmp_path: Path) -> None:
    whole_tape(tmp_path)
    rows = bars("BTCUSDT", range(48), 100.5)
    rows[3] = f"{START_MS + 3 * HOUR_MS},BTCUSDT,103.5,140,60,104.5,9"
    write(tmp_path, "binance_perp_1h_BTCUSDT.csv.gz", CANDLES, rows)
    market = TapeMarket(read_tape(tmp_path, ["BTC"]))
    during, after = (market.quote("BTC", START_MS + n * HOUR_MS + 1) for n in (3, 4))
    assert after.spread > 2 * during.spread and after.depth < during.depth


@needs_data
def test_a_month_of_recorded_funding_can_be_recomputed_from_the_files() -> None:
    """Short 10 contracts of BTC over January 2024: rates and marks read here by hand."""
    start, end = 1_704_067_200_000, 1_706_745_600_000
    venue = replay(DATA, start, end)
    demo = venue.accounts["demo"]
    Edits(venue).set_position(demo, SWAP, D(-10))
    run(venue, end)

    def column(name: str, cell: str) -> dict[int, Decimal]:
        with gzip.open(DATA / f"binance_{name}_BTCUSDT.csv.gz", "rt", newline="") as file:
            return {round(int(row["ts"]) / 1000) * 1000: D(row[cell]) for row in csv.DictReader(file)}

    rates, marks = column("funding", "rate"), column("mark_1h", "open")
    exact = [(ts, D("0.1") * marks[ts] * rate) for ts, rate in rates.items() if start < ts <= end]
    expected = [(ts, paid.quantize(D("1e-16"), ROUND_FLOOR)) for ts, paid in exact]
    booked = [(bill.ts_ms, bill.change) for bill in demo.bills if bill.kind == "8"]
    assert len(booked) == 93 and booked == expected


@needs_data
def test_the_crash_of_may_2021_is_replayed_and_a_careless_short_survives_it_flat() -> None:
    start = 1_621_296_000_000  # 2021-05-18
    venue = replay(DATA, start, start + 3 * 24 * HOUR_MS)
    lows = []
    while venue.next_ms() is not None:
        venue.advance(10**15)
        lows.append(venue.markets[SWAP].last)
    assert min(lows) == D("28688.0")
    with pytest.raises(Reject, match="51001"):
        venue.world.market("ETH-USDT")
