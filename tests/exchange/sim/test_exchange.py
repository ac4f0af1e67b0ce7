import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.sim.edits import Edits
from exchange.sim.events import InstrumentChanged, StatusChanged
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.markets.source import Delisting, Gap
from exchange.sim.model import Reject
from exchange.sim.seam import OrderParams, Venue
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, SPOT, START_MS, SWAP, D, Desk, StillMarket

ROOT = Path(__file__).resolve().parents[3]
DAY_MS = 24 * HOUR_MS

STORY = """
from decimal import Decimal
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.seam import OrderParams
venue = Exchange(GeneratedMarket(3), 3)
account = venue.accounts["demo"]
place = lambda *order: venue.place(account, OrderParams(*order))
end = venue.now_ms + 86_400_000
place("ETH-USDT", "cash", "buy", "market", Decimal("20000"))
place("ETH-USDT-SWAP", "cross", "sell", "market", Decimal("60"))
while venue.now_ms < end:
    venue.advance(end)
market = venue.markets["ETH-USDT"]
print(venue.snapshot_hash(), market.bids(3), market.bars(60_000, None, 5))
"""


def test_the_exchange_is_a_venue() -> None:
    venue: Venue = Exchange(StillMarket(), 1)
    demo = venue.account_by_key("demo-key")
    assert demo is not None and demo.trading == {"USDT": D("100000")}
    assert (demo.name, demo.secret, demo.passphrase) == ("demo", "demo-secret", "demo-pass")
    assert venue.account_by_key("other") is None


def test_the_same_seed_and_commands_make_the_same_world_whatever_the_hash_seed() -> None:
    worlds = [
        subprocess.run(
            [sys.executable, "-c", STORY], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    ]  # fmt: skip
    assert worlds[0] == worlds[1] and len(worlds[0]) > 64


def test_other_commands_do_not_move_the_market() -> None:
    quiet, busy = (Exchange(GeneratedMarket(5, ("BTC",)), 5) for _ in range(2))
    end = quiet.now_ms + 6 * HOUR_MS
    while quiet.now_ms < end:
        quiet.advance(end)
    params = OrderParams(SPOT, "cash", "buy", "market", D("50"))
    while busy.now_ms < end:
        busy.advance(min(end, busy.now_ms + 17_003))
        busy.place(busy.accounts["demo"], params)
    busy.advance(end + 10_000)
    quiet.advance(end + 10_000)
    for inst_id in (SPOT, SWAP):
        assert quiet.markets[inst_id].mark_px == busy.markets[inst_id].mark_px
        assert quiet.markets[inst_id].bids(5) == busy.markets[inst_id].bids(5)
        assert quiet.markets[inst_id].bars(60_000, None, 50) == busy.markets[inst_id].bars(60_000, None, 50)


def test_time_stops_at_what_comes_next_and_never_goes_back() -> None:
    desk = Desk()
    assert desk.venue.advance(START_MS + 10 * MINUTE_MS) == START_MS + MINUTE_MS
    assert desk.venue.advance(START_MS + MINUTE_MS + 5) == START_MS + MINUTE_MS + 5
    assert desk.venue.advance(START_MS) == START_MS + MINUTE_MS + 5


def test_the_market_is_shown_as_of_any_instant_asked_for() -> None:
    desk = Desk()
    desk.market.spot["BTC"] = 61_000.0
    desk.venue.advance(START_MS + 7)
    market = desk.venue.markets[SPOT]
    assert (market.last, market.index_px, market.ts_ms) == (61_000, 61_000, START_MS + 7)


def test_the_end_of_the_data_is_told_by_having_nothing_next() -> None:
    market = StillMarket()
    market.end_ms = START_MS + 5 * MINUTE_MS
    desk = Desk(market)
    desk.wait(5 * MINUTE_MS)
    assert desk.venue.next_ms() is None and desk.venue.markets[SPOT].last == 60_000
    desk.market.spot["BTC"] = 1.0
    assert desk.venue.advance(START_MS + DAY_MS) == START_MS + DAY_MS
    assert desk.venue.markets[SPOT].last == 60_000


def test_the_dead_mans_switch_cancels_everything_unless_it_is_renewed() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "59000", kind="limit")
    assert desk.venue.cancel_all_after(desk.me, 10) == START_MS + 10_000
    desk.wait(9_000)
    desk.venue.cancel_all_after(desk.me, 10)
    desk.wait(9_000)
    assert order.state == "live"
    desk.wait(1_000)
    assert (order.state, order.cancel_source) == ("canceled", "20")
    assert not desk.me.dead_man
    assert desk.venue.cancel_all_after(desk.me, 0) == 0
    with pytest.raises(Reject, match="timeOut"):
        desk.venue.cancel_all_after(desk.me, 9)


def gapped(begin_hours: int, end_hours: int) -> Desk:
    gap = Gap(START_MS + begin_hours * HOUR_MS, START_MS + end_hours * HOUR_MS, "No market data for BTC")
    return Desk(StillMarket(gaps=(gap,)))


def test_a_gap_is_announced_two_hours_ahead_closes_the_venue_and_ends() -> None:
    desk = gapped(5, 8)
    seen = []
    while desk.venue.now_ms < START_MS + 9 * HOUR_MS:
        desk.venue.outbox.clear()
        desk.venue.advance(START_MS + 9 * HOUR_MS)
        if StatusChanged() in desk.venue.outbox:
            seen.append(((desk.venue.now_ms - START_MS) // HOUR_MS, desk.venue.maintenance[0]["state"]))
    assert seen == [(3, "scheduled"), (5, "ongoing"), (8, "completed")]


def test_nobody_trades_inside_a_gap() -> None:
    desk = gapped(1, 3)
    resting = desk.order(SPOT, "buy", "0.1", "59000", kind="limit")
    desk.wait(HOUR_MS)
    desk.market.spot["BTC"] = 50_000.0
    desk.wait(MINUTE_MS)
    assert desk.venue.markets[SPOT].last == 60_000 and resting.state == "live"
    with pytest.raises(Reject, match="50001"):
        desk.order(SPOT, "buy", "0.1", "60000")
    with pytest.raises(Reject, match="50001"):
        desk.venue.cancel(desk.me, resting)
    desk.wait(2 * HOUR_MS)
    assert desk.venue.markets[SPOT].last == 50_000 and resting.state == "filled"


def test_funding_that_falls_due_while_the_venue_is_closed_is_charged_once_when_it_opens() -> None:
    desk = gapped(7, 9)
    desk.market.rate = D("0.0005")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-3))
    desk.wait(8 * HOUR_MS + 30 * MINUTE_MS)
    assert desk.venue.now_ms == START_MS + 8 * HOUR_MS + 30 * MINUTE_MS  # time goes on
    assert funding_bills(desk) == []
    desk.wait(HOUR_MS)
    assert funding_bills(desk) == [START_MS + 9 * HOUR_MS]
    desk.wait(8 * HOUR_MS)
    assert funding_bills(desk) == [START_MS + 9 * HOUR_MS, START_MS + 16 * HOUR_MS]


def funding_bills(desk: Desk) -> list[int]:
    """When funding was charged."""
    return [bill.ts_ms for bill in desk.me.bills if bill.kind == "8"]


def test_who_holds_a_position_into_a_gap_is_named() -> None:
    flat, held = gapped(1, 3), gapped(1, 3)
    Edits(held.venue).set_position(held.me, SWAP, D(-3))
    for desk in (flat, held):
        desk.wait(2 * HOUR_MS)
    assert flat.venue.calendar.unflat == []
    assert held.venue.calendar.unflat == [f"me: -3 {SWAP} at {START_MS + HOUR_MS}"]


def test_a_delisted_swap_settles_its_positions_and_is_gone() -> None:
    desk = Desk()
    Edits(desk.venue).set_position(desk.me, SWAP, D(-10))
    order = desk.order(SWAP, "sell", "1", "60500", kind="limit")
    Edits(desk.venue).set_expiry(SWAP, START_MS + HOUR_MS)
    assert InstrumentChanged(SWAP) in desk.venue.outbox
    desk.wait(HOUR_MS)
    assert desk.contracts() == 0 and order.state == "canceled"
    assert desk.me.bills[-1].kind == "3"
    with pytest.raises(Reject, match="51027"):
        desk.order(SWAP, "sell", "1", "60500")


def test_a_delisting_is_announced_ahead_and_happens() -> None:
    market = StillMarket()
    market.delistings = (Delisting("BTC", START_MS + HOUR_MS, START_MS + 3 * HOUR_MS),)
    desk = Desk(market)
    desk.wait(HOUR_MS - MINUTE_MS)
    assert desk.venue.instruments[SWAP].expires_ms is None
    desk.venue.outbox.clear()
    desk.wait(MINUTE_MS)
    for inst_id in (SPOT, SWAP):
        assert desk.venue.instruments[inst_id].expires_ms == START_MS + 3 * HOUR_MS
        assert InstrumentChanged(inst_id) in desk.venue.outbox
    desk.wait(2 * HOUR_MS)
    assert [desk.venue.instruments[inst_id].state for inst_id in (SPOT, SWAP, "ETH-USDT")] == [
        "expired", "expired", "live",
    ]  # fmt: skip


def test_when_the_dollar_is_dear_the_cash_is_worth_less_of_it() -> None:
    market = StillMarket()
    desk = Desk(market, usdt="1000")
    assert desk.venue.figures(desk.me).total_equity == 1_000
    market.dollar = 0.95
    desk.wait(MINUTE_MS)
    assert desk.venue.usdt_usd == D("0.95")
    assert desk.venue.figures(desk.me).total_equity == 950


@pytest.mark.parametrize(
    "mistake",
    [
        lambda edits, me: edits.set_cash(me, "USDT", D(-1)),
        lambda edits, me: edits.set_position(me, SPOT, D(1)),
        lambda edits, me: edits.set_position(me, SWAP, D("0.001")),
        lambda edits, me: edits.set_state(SWAP, "asleep"),
        lambda edits, me: edits.set_state("X-USDT", "live"),
        lambda edits, me: edits.set_expiry(SWAP, 5),
        lambda edits, me: edits.force_adl(me, SWAP, D(2)),
    ],
)
def test_an_edit_that_makes_no_sense_says_what_is_allowed(mistake: object) -> None:
    desk = Desk()
    with pytest.raises(ValueError, match=r"allowed|needs"):
        mistake(Edits(desk.venue), desk.me)  # type: ignore[operator]


def test_an_account_needs_a_name_and_a_key_of_its_own() -> None:
    desk = Desk()
    with pytest.raises(ValueError, match="exists already"):
        desk.open("me")
    with pytest.raises(ValueError, match="level is 9"):
        desk.open("you", level="9")


def test_the_digest_tells_worlds_apart() -> None:
    one, two = Desk(), Desk()
    assert one.venue.snapshot_hash() == two.venue.snapshot_hash()
    one.order(SPOT, "buy", "0.1", "59000", kind="limit")
    assert one.venue.snapshot_hash() != two.venue.snapshot_hash()


def test_public_figures_of_a_market_follow_its_day() -> None:
    venue = Exchange(GeneratedMarket(7, ("BTC",)), 7)
    market = venue.markets[SPOT]
    day = market.bars(300_000, None, 289)
    assert market.high_24h == max(bar.high for bar in day[1:])
    assert market.low_24h == min(bar.low for bar in day[1:])
    assert market.low_24h <= market.open_24h <= market.high_24h
    assert market.volume_24h == pytest.approx(sum(bar.volume for bar in day[1:]), rel=D("0.01"))
    assert market.sell_limit < market.last < market.buy_limit
    assert venue.markets[SWAP].open_interest > 0 == market.open_interest
