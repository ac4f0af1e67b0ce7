"""A recorded order book is served level by level; the whole recorded feed is compared with a plain replay."""

import csv
import gzip
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from statistics import median

import pytest

from exchange.sim.exchange import Exchange
from exchange.sim.markets.tape import TapeMarket
from exchange.sim.model import AccountState, Order
from exchange.sim.seam import OrderParams
from exchange.tape import Tape, read_tape
from tests.exchange.tapes import CANDLES, FUNDING, START_MS, settlements, write

D = Decimal
MINUTE_MS = 60_000
L2 = "ts,ts_local_us,symbol,ev,side,px,qty,id_first,id_last,id_prev"
DATA = Path(__file__).resolve().parents[5] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data (../shared/data) is not here")
MARKETS = {"spot": "BTC-USDT", "perp": "BTC-USDT-SWAP"}
SPOT, SWAP = MARKETS.values()
FROM_MS, TO_MS = 1_723_161_000_000, 1_723_161_900_000  # 2024-08-08 23:50 to 00:05


# --- the recorded five minutes ----------------------------------------------------------------------


@cache
def recorded() -> Tape:
    return read_tape(DATA, ["BTC"], FROM_MS, TO_MS)


def plain_books(market: str) -> Iterator[tuple[int, int, dict[str, dict[D, D]]]]:
    """(update id, rows written so far, book) after every update of the file, without any of our code."""
    book: dict[str, dict[D, D]] = {"b": {}, "a": {}}
    held = last = -1
    rows = 0
    with gzip.open(DATA / f"binance_{market}_l2_BTCUSDT_20240808.csv.gz", "rt", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["ev"] != "trade"]
    held = next(int(row["id_last"]) for row in table if row["ev"] == "snapshot")
    table = [row for row in table if row["ev"] == "snapshot"] + [
        row for row in table if row["ev"] == "depth" and int(row["id_last"]) > held
    ]
    for row in table:
        if int(row["id_last"]) != last and last >= 0:
            yield last, rows, book
        last, rows = int(row["id_last"]), rows + 1
        book[row["side"]][D(row["px"])] = D(row["qty"])
        if not D(row["qty"]):
            del book[row["side"]][D(row["px"])]
    yield last, rows, book


@needs_data
@pytest.mark.parametrize("market", ["spot", "perp"])
def test_every_update_of_the_recorded_feed_is_applied_and_every_sampled_book_is_the_files(
    market: str,
) -> None:
    venue = Exchange(TapeMarket(recorded()), seed=1)
    side, unit = venue.world.markets[MARKETS[market]], D(1) if market == "spot" else D("0.01")
    plain = plain_books(market)
    update_id, rows, book = next(plain)
    checked = 0
    times = recorded().coins[0].feeds[market].times
    for n, at_ms in enumerate(dict.fromkeys(times)):
        while venue.now_ms < at_ms:
            venue.advance(at_ms)
        bid, ask = side.book.best("buy"), side.book.best("sell")
        assert bid is not None and ask is not None and bid < ask, f"crossed at {at_ms}"
        if n % 200 and at_ms != times[-1]:
            continue
        while update_id < side.seq_id:
            update_id, rows, book = next(plain)
        assert update_id == side.seq_id
        assert side.book.rows_applied == rows  # type: ignore[attr-defined]
        for served, key in ((side.bids(400), "b"), (side.asks(400), "a")):
            best = sorted(book[key], reverse=key == "b")[:400]
            assert [(level.price, level.size * unit) for level in served] == [(p, book[key][p]) for p in best]
        checked += 1
    assert next(plain, None) is None and checked > 15


@needs_data
def test_prints_and_mid_of_the_recorded_feed_agree() -> None:
    venue = Exchange(TapeMarket(recorded()), seed=1)
    feeds = recorded().coins[0].feeds
    end_ms = min(feed.times[-1] for feed in feeds.values())
    for inst_id in (SPOT, SWAP):
        venue.watch(inst_id)
    apart: dict[str, list[Decimal]] = {SPOT: [], SWAP: []}
    while venue.now_ms < end_ms:
        venue.advance(end_ms)
        if venue.now_ms > feeds["perp"].times[500]:
            for inst_id, found in apart.items():
                side = venue.world.markets[inst_id]
                bid, ask = side.book.best("buy"), side.book.best("sell")
                assert bid is not None and ask is not None
                found.append(abs(2 * side.last / (bid + ask) - 1))
    for found in apart.values():  # trades between two updates of the book may lead it, in a fast market
        assert median(found) < D("0.00002") and max(found) < D("0.002")
    for market, inst_id in MARKETS.items():
        with gzip.open(DATA / f"binance_{market}_l2_BTCUSDT_20240808.csv.gz", "rt", newline="") as file:
            prints = [
                row for row in csv.DictReader(file) if row["ev"] == "trade" and int(row["ts"]) <= end_ms
            ]
        last = venue.markets[inst_id].trades[-1]
        assert (last.trade_id, last.price) == (int(prints[-1]["id_first"]), D(prints[-1]["px"]))


# --- a feed by hand ---------------------------------------------------------------------------------


def tape(folder: Path, *rows: str) -> Exchange:
    """A venue on an hour of candles around 100 and a spot feed that begins a minute after its start."""
    for kind in ("spot", "perp"):
        flat = [f"{START_MS + n * 300_000},BTCUSDT,100,100,100,100,1000" for n in range(24)]
        write(folder, f"binance_{kind}_5m_BTCUSDT.csv.gz", CANDLES, flat)
    write(folder, "binance_funding_BTCUSDT.csv.gz", FUNDING, settlements("BTCUSDT", 2))
    begin = START_MS + MINUTE_MS
    snapshot = [
        f"{begin},1,BTCUSDT,snapshot,{side},{px},{qty},,10,"
        for side, px, qty in (
            ("b", "99.98", "2"),
            ("b", "99.97", "3"),
            ("a", "100.01", "1"),
            ("a", "100.02", "4"),
        )
    ]
    timed = [f"{begin + (n + 1) * 1_000},1,BTCUSDT,{row}" for n, row in enumerate(rows)]
    write(folder, "binance_spot_l2_BTCUSDT.csv.gz", L2, [*snapshot, *timed])
    return Exchange(TapeMarket(read_tape(folder, ["BTC"])), seed=1)


def at(venue: Exchange, second: int) -> None:
    """Go to so many seconds after the feed's beginning."""
    until_ms = START_MS + MINUTE_MS + second * 1_000
    while venue.now_ms < until_ms:
        venue.advance(until_ms)


def place(
    venue: Exchange, side: str, size: str, price: str, kind: str = "limit"
) -> tuple[AccountState, Order]:
    me = venue.accounts["demo"]
    venue.world.deposit(me, "BTC", D(100))
    return me, venue.place(me, OrderParams(SPOT, "cash", side, kind, D(size), D(price)))


def asks(venue: Exchange) -> list[tuple[str, str]]:
    return [(str(level.price), f"{level.size.normalize():f}") for level in venue.markets[SPOT].asks(9)]


QUIET = "depth,b,1,1,11,11,10"


def test_before_and_after_the_feed_the_book_is_invented(tmp_path: Path) -> None:
    venue = tape(tmp_path, QUIET)
    assert len(venue.markets[SPOT].asks(500)) == 500
    at(venue, 0)
    assert asks(venue) == [("100.01", "1"), ("100.02", "4")]
    before = venue.markets[SPOT].seq_id
    at(venue, 2)
    assert len(venue.markets[SPOT].asks(500)) == 500 and venue.markets[SPOT].seq_id > before


def test_what_a_taker_eats_is_missing_until_the_feed_writes_the_level_anew(tmp_path: Path) -> None:
    venue = tape(
        tmp_path, QUIET, "depth,a,100.03,5,12,12,11", "depth,a,100.02,6,13,13,12", "depth,b,2,1,14,14,13"
    )
    at(venue, 0)
    _, order = place(venue, "buy", "3", "100.02", "ioc")
    assert order.filled == 3 and order.avg_px == (D("100.01") + 2 * D("100.02")) / 3
    assert asks(venue) == [("100.02", "2")]
    at(venue, 2)
    assert asks(venue) == [("100.02", "2"), ("100.03", "5")]
    at(venue, 3)
    assert asks(venue) == [("100.02", "6"), ("100.03", "5")]


def test_sequence_numbers_are_the_feeds_and_never_stand_when_something_changed(tmp_path: Path) -> None:
    venue = tape(tmp_path, QUIET, "trade,b,100.01,0.1,1,,", "depth,a,100.03,5,12,12,11")
    side = venue.markets[SPOT]
    at(venue, 0)
    assert side.seq_id == 1_000_002  # the invented book had counted further: it goes on from there
    seen = [side.seq_id]
    at(venue, 1)
    seen.append(side.seq_id)
    at(venue, 2)
    assert side.seq_id == seen[-1]
    at(venue, 3)
    assert side.seq_id == seen[-1] + 1 == seen[0] + 2


def test_an_order_queues_behind_what_is_shown_and_the_feeds_trades_use_up_the_queue(tmp_path: Path) -> None:
    trade = "trade,s,99.98,{},{},,"
    venue = tape(tmp_path, QUIET, trade.format("1.5", 7), trade.format("1", 8), trade.format("9", 9), QUIET_2)
    at(venue, 0)
    _, order = place(venue, "buy", "1", "99.98")
    at(venue, 2)
    assert order.filled == 0  # 0.5 of the 2 shown are still ahead
    at(venue, 3)
    assert (order.filled, order.state) == (D("0.5"), "partially_filled")
    at(venue, 4)
    assert order.state == "filled" and order.last_fill is not None and order.last_fill.maker
    sizes = [(trade.trade_id, trade.size) for trade in venue.markets[SPOT].trades][-5:]
    assert sum(size for _, size in sizes) == D("11.5")
    assert [number for number, _ in sizes] == sorted({number for number, _ in sizes})


QUIET_2 = "depth,b,2,1,12,12,11"


def test_a_queue_that_is_cancelled_brings_the_order_forward(tmp_path: Path) -> None:
    venue = tape(tmp_path, "depth,b,99.98,0.3,11,11,10", "trade,s,99.98,1,7,,", QUIET_2)
    at(venue, 0)
    _, order = place(venue, "buy", "1", "99.98")
    at(venue, 3)
    assert order.filled == D("0.7")


def test_a_trade_beyond_an_orders_price_fills_it_whatever_was_ahead(tmp_path: Path) -> None:
    venue = tape(tmp_path, QUIET, "trade,s,99.97,0.4,7,,", QUIET_2)
    at(venue, 0)
    _, order = place(venue, "buy", "1", "99.98")
    at(venue, 2)
    assert order.filled == D("0.4") and order.avg_px == D("99.98")


def test_an_order_better_than_the_feed_is_the_best_and_nothing_is_crossed(tmp_path: Path) -> None:
    venue = tape(tmp_path, QUIET, "depth,a,100.00,2,12,12,11", QUIET_2.replace("12,12,11", "13,13,12"))
    at(venue, 0)
    _, order = place(venue, "buy", "5", "100.00")
    assert venue.markets[SPOT].bids(1)[0].price == 100
    at(venue, 2)  # the feed offers 2 at our price: they are ours
    assert order.filled == 2
    side = venue.markets[SPOT]
    assert side.bids(1)[0].price < side.asks(1)[0].price


def test_one_trade_fills_two_orders_in_their_order_and_no_more_than_its_size(tmp_path: Path) -> None:
    venue = tape(tmp_path, "trade,s,99.98,2.6,7,,", QUIET)
    at(venue, 0)
    _, first = place(venue, "buy", "0.5", "99.98")
    _, second = place(venue, "buy", "0.5", "99.98")
    at(venue, 1)
    assert (first.filled, second.filled) == (D("0.5"), D("0.1"))


def test_a_look_changes_nothing(tmp_path: Path) -> None:
    rows = [
        "depth,a,100.01,3,11,11,10",
        "trade,b,100.01,0.25,7,,",
        "depth,b,99.99,1,12,12,11",
        "trade,s,99.99,1,8,,",
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    looked, unlooked = tape(tmp_path / "a", *rows), tape(tmp_path / "b", *rows)
    for second in range(4):
        at(looked, second)
        assert looked.markets[SPOT].seq_id and looked.markets[SPOT].trades
    at(looked, 4)
    at(unlooked, 4)
    one, other = looked.markets[SPOT], unlooked.markets[SPOT]
    assert (one.bids(9), one.asks(9), one.last) == (other.bids(9), other.asks(9), other.last)
    assert list(islice(reversed(one.trades), 2)) == list(islice(reversed(other.trades), 2))


def test_who_takes_the_queue_away_brings_the_orders_behind_it_forward(tmp_path: Path) -> None:
    venue = tape(tmp_path, QUIET, "trade,b,100.01,0.5,7,,", QUIET_2)
    at(venue, 0)
    _, order = place(venue, "sell", "1", "100.01")
    at(venue, 1)
    other = venue.create_account("other", "k", "s", "p", {"USDT": D(100_000)})
    venue.place(other, OrderParams(SPOT, "cash", "buy", "ioc", D("0.75"), D("100.01")))
    assert order.filled == 0  # a quarter of the level is still ahead
    at(venue, 2)
    assert order.filled == D("0.25")
