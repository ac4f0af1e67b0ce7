from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Permission
from core.events import State
from core.facts import Kind, Row
from core.journal import FILE_NAME, SqliteJournal
from core.journal_reader import JournalReader
from core.projections import Books
from core.types import DAY_MS, HOUR_MS, BillKind
from tests.core.story import BTC, PRICES, START_MS, D, StillClock, Story, fold, started

# --- hedges -------------------------------------------------------------------------------------


def test_a_hedge_holds_what_its_fills_brought_net_of_the_fee_in_the_coin() -> None:
    story = started()
    story.hedge("opened", target="2")
    story.fill("spot", "buy", "2", "100", fee="-0.002", fee_ccy="BTC", ref_mid="99")
    story.fill("swap", "sell", "199", "101", fee="-0.1", ref_mid="101.5")
    story.funding("0.7")
    view = fold(story.rows).hedge_views({BTC: (D(110), D(112))})[BTC]
    assert (view.hedge_id, view.target_base, view.opened_ms) == ("FE1H1", D(2), START_MS)
    assert (view.spot_base, view.contracts, view.short_base) == (D("1.998"), D(199), D("1.99"))
    assert view.net_delta == D("0.008")
    assert (view.funding, view.settlements) == (D("0.7"), 1)
    assert view.fees == D("0.3")
    assert view.slippage == D("2.995")
    assert view.entry_notional == 200
    assert view.capital == 400
    held = D("1.998") * 110 - 200 + D("1.99") * (101 - 112)
    assert view.pnl == held + D("0.7") - D("0.1")


@pytest.mark.parametrize(
    "happens",
    [
        lambda story: story.fill("swap", "sell", "1", "101"),
        lambda story: story.funding("0.7"),
        lambda story: story.hedge("target", target="1"),
        lambda story: story.bill(BillKind.LIQUIDATION, "-1", pnl="-1"),
    ],
    ids=["a fill", "a bill", "another target", "a liquidation"],
)
def test_a_hedge_is_viewed_anew_when_something_is_booked_to_it(happens: Callable[[Story], Row]) -> None:
    story = started()
    story.hedge("opened", target="2")
    story.fill("spot", "buy", "2", "100")
    books = fold(story.rows)
    before = books.hedge_views(PRICES)[BTC]
    assert books.hedge_views(PRICES)[BTC] is before
    books.apply(happens(story))
    after = books.hedge_views(PRICES)[BTC]
    assert after != before
    assert after == fold(story.rows).hedge_views(PRICES)[BTC]


def test_a_hedge_is_viewed_anew_at_prices_that_are_written_otherwise() -> None:
    story = started()
    story.fill("spot", "buy", "2", "100")
    books = fold(story.rows)
    digits = [str(books.hedge_views({BTC: (D(px), D(px))})[BTC].basis) for px in ("101", "101.00")]
    assert digits == ["2", "2.00"]


def test_capital_follows_the_split_of_the_sleeve() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100")
    books = Books(margin_per_spot=D("0.5"))
    for row in story.rows:
        books.apply(row)
    assert books.hedge_views(PRICES)[BTC].capital == 150


def test_capital_stays_at_the_most_a_round_ever_tied_up() -> None:
    story = started()
    story.fill("spot", "buy", "2", "100")
    story.fill("spot", "sell", "1.5", "300")
    story.fill("spot", "buy", "1", "120")
    assert fold(story.rows).hedge_views(PRICES)[BTC].entry_notional == 200
    story.fill("spot", "buy", "1", "120")
    assert fold(story.rows).hedge_views(PRICES)[BTC].entry_notional == 290


def test_a_fill_told_twice_is_held_once() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", trade_id="7")
    story.fill("spot", "buy", "1", "100", trade_id="7")
    books = fold(story.rows)
    hedge = books.hedge(BTC)
    assert hedge is not None and hedge.spot_base == 1
    assert books.has_fill((BTC, "7"))
    assert not books.has_fill((f"{BTC}-SWAP", "7"))


def test_a_new_target_is_remembered() -> None:
    story = started()
    story.hedge("opened", target="2")
    story.hedge("target", target="1.5", purpose="shrink")
    hedge = fold(story.rows).hedge(BTC)
    assert hedge is not None
    assert (hedge.target_base, hedge.purpose) == (D("1.5"), "shrink")


def test_a_fill_nobody_ordered_belongs_to_no_hedge() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100", hedge_id="")
    books = fold(story.rows)
    assert books.hedge(BTC) is None
    assert books.ledger.cash["BTC"] == 1


def test_a_fill_of_an_order_of_ours_finds_its_hedge_by_the_intent() -> None:
    story = started()
    story.intent("FE1H7S1N1", "FE1H7")
    story.fill("spot", "buy", "1", "100", hedge_id="", cl_id="FE1H7S1N1")
    hedge = fold(story.rows).hedge(BTC)
    assert hedge is not None
    assert (hedge.hedge_id, hedge.spot_base) == ("FE1H7", D(1))


def test_a_forced_reduction_shrinks_the_hedge_it_is_booked_to() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100")
    story.fill("swap", "sell", "100", "100")
    story.fill("swap", "buy", "60", "80", trade_id="-1")
    hedge = fold(story.rows).hedge(BTC)
    assert hedge is not None
    assert (hedge.contracts, hedge.spot_base) == (D(40), D(1))


# --- closing ------------------------------------------------------------------------------------


def test_a_closed_round_keeps_its_terms() -> None:
    story = started()
    story.hedge("opened")
    story.fill("spot", "buy", "1", "100", fee="-0.1")
    story.fill("swap", "sell", "100", "100")
    story.funding("3")
    story.fill("swap", "buy", "100", "110")
    story.fill("spot", "sell", "1", "111", ref_mid="112")
    story.now_ms += 1000
    story.hedge("closed", target="0", purpose="exit")
    books = fold(story.rows)
    assert books.hedge(BTC) is None
    assert books.hedge_views(PRICES) == {}
    (closed,) = books.rounds
    terms = closed.closing_terms
    assert (terms.funding, terms.basis, terms.fees, terms.slippage) == (D(3), D(2), D("0.1"), D(1))
    assert terms.net == D("3.9")
    assert not closed.is_loss
    assert books.last_open_ms == {BTC: START_MS}
    assert books.last_close_ms == {BTC: START_MS + 1000}


def test_what_a_closed_hedge_leaves_is_dust_credited_at_the_last_price() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100")
    story.fill("spot", "sell", "0.995", "120")
    story.hedge("closed", target="0")
    books = fold(story.rows)
    assert books.dust == {"BTC": D("0.005")}
    assert books.rounds[0].closing_terms.net == D("0.995") * 120 - 100 + D("0.005") * 120


@pytest.mark.fault("QT5")
def test_the_next_hedge_of_the_coin_takes_the_dust_over() -> None:
    story = started()
    story.fill("spot", "buy", "1", "100")
    story.fill("spot", "sell", "0.995", "100")
    story.hedge("closed", target="0")
    story.hedge("opened", "FE1H2")
    books = fold(story.rows)
    hedge = books.hedge(BTC)
    assert hedge is not None and hedge.spot_base == D("0.005")
    assert books.dust == {}
    assert books.hedge_views(PRICES)[BTC].pnl == 0
    story.hedge("closed", "FE1H2", target="0")
    books = fold(story.rows)
    assert books.dust == {"BTC": D("0.005")}
    assert len(books.rounds) == 1  # the second one never traded: no round


def test_a_hedge_said_to_be_closed_that_still_holds_contracts_stays_in_the_books() -> None:
    story = started()
    story.fill("swap", "sell", "100", "100")
    story.hedge("closed", target="0")
    books = fold(story.rows)
    hedge = books.hedge(BTC)
    assert hedge is not None and hedge.contracts == 100
    assert books.rounds == []


def test_a_fill_after_the_closing_stands_in_the_books_again() -> None:
    story = started()
    story.round(sell="97")
    story.fill("swap", "sell", "5", "100", hedge_id="FE1H1")
    books = fold(story.rows)
    hedge = books.hedge(BTC)
    assert hedge is not None and hedge.contracts == 5
    assert books.rounds == []
    assert books.breaker(START_MS).day_pnl == 0
    story.fill("swap", "buy", "5", "101", hedge_id="FE1H1")
    story.hedge("closed", target="0", purpose="flatten")
    books = fold(story.rows)
    assert books.hedge(BTC) is None
    assert [h.closing_terms.net for h in books.rounds] == [D("-3.05")]
    assert books.breaker(START_MS).day_pnl == D("-3.05")


@pytest.mark.fault("FU4")
def test_a_late_funding_bill_goes_to_its_closed_round() -> None:
    story = started()
    story.round()
    story.funding("2", hedge_id="FE1H1")
    assert fold(story.rows).rounds[0].closing_terms.funding == 2


def test_a_settlement_is_known_to_be_booked_by_its_own_coin_and_time_in_whatever_order_bills_came() -> None:
    story = started()
    eight, sixteen = START_MS + 8 * HOUR_MS, START_MS + 16 * HOUR_MS
    story.funding("2", ts_ms=sixteen + 1_000)  # type: ignore[arg-type]
    story.funding("1", ts_ms=eight)  # type: ignore[arg-type]
    books = fold(story.rows)
    assert books.is_settled("BTC-USDT", eight) and books.is_settled("BTC-USDT", sixteen)
    assert not books.is_settled("ETH-USDT", eight)
    assert not books.is_settled("BTC-USDT", START_MS) and not books.is_settled("BTC-USDT", sixteen + HOUR_MS)


# --- orders and transfers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "open_"),
    [
        ("i", True),
        ("ia", True),
        ("iu", True),
        ("ir", False),
        ("if", False),
        ("iac", False),
        ("iun", False),
        ("ifa", False),
    ],
)
def test_an_order_is_unresolved_until_its_end_is_known(told: str, open_: bool) -> None:
    story = started()
    for letter in told:
        match letter:
            case "i":
                story.intent("FE1H1S1N1", ref_mid="99")
            case "a" | "u" | "r":
                story.ack("FE1H1S1N1", {"a": "accepted", "u": "unknown", "r": "rejected"}[letter])
            case _:
                story.order("FE1H1S1N1", {"f": "filled", "c": "canceled", "n": "absent"}[letter])
    books = fold(story.rows)
    assert books.unresolved_orders() == (("FE1H1S1N1",) if open_ else ())
    assert books.orders["FE1H1S1N1"].is_unresolved is open_
    assert books.knows_order("FE1H1S1N1")
    assert books.order_ref_mid("FE1H1S1N1") == 99
    assert not books.knows_order("somebody")


def test_a_transfer_is_pending_until_it_ends() -> None:
    story = started()
    story.add(Kind.TRANSFER, {"client_id": "FE1T1", "status": "pending"})
    assert fold(story.rows).pending_transfer
    story.add(Kind.TRANSFER, {"client_id": "FE1T2", "status": "failed"})
    story.add(Kind.TRANSFER, {"client_id": "FE1T1", "status": "success"})
    assert not fold(story.rows).pending_transfer


def test_watermarks_start_at_the_first_start_and_follow_the_youngest_fact() -> None:
    story = started()
    books = fold(story.rows)
    assert books.bill_watermark_ms == books.last_fill_ms == START_MS
    story.now_ms += 5000
    story.fill("spot", "buy", "1", "100")
    story.bill(BillKind.TRADE, "-100", bill_id="t1", ts_ms=START_MS + 4000)
    story.funding("1", bill_id="old", ts_ms=START_MS + 1000)  # type: ignore[arg-type]
    story.now_ms += 5000
    story.boot(epoch=2)
    books = fold(story.rows)
    assert (books.bill_watermark_ms, books.last_fill_ms) == (START_MS + 4000, START_MS + 5000)
    assert books.has_bill("t1") and books.has_bill("old") and not books.has_bill("new")


# --- the rest -----------------------------------------------------------------------------------


def test_the_state_is_the_last_decisions_and_since_when_it_changed() -> None:
    story = started()
    story.decision("scan", "IDLE", "OPENING")
    story.now_ms += 10
    story.decision("opened", "OPENING", "RUNNING")
    story.now_ms += 10
    story.decision("scan", "RUNNING", "RUNNING")
    books = fold(story.rows)
    assert (books.state, books.state_since_ms) == (State.RUNNING, START_MS + 10)


def test_the_permission_is_the_strictest_cause_that_holds() -> None:
    story = started()

    def say(cause: str, level: str) -> None:
        story.now_ms += 1
        story.add(Kind.PERMISSION, {"cause": cause, "level": level, "reason": f"{cause}!"})

    assert fold(story.rows).permission.level is Permission.FULL
    say("breaker", "NO_NEW_RISK")
    say("stale", "REDUCE_ONLY")
    view = fold(story.rows).permission
    assert (view.level, view.reason, view.since_ms) == (Permission.REDUCE_ONLY, "stale!", START_MS + 2)
    say("stale", "FULL")
    assert fold(story.rows).permission.reason == "breaker!"
    say("breaker", "FULL")
    assert fold(story.rows).permission.level is Permission.FULL


def test_starts_are_counted_and_a_process_that_vanished_is_noticed() -> None:
    story = started()
    story.stop(clean=True)
    assert fold(story.rows).stopped_clean
    for epoch in (2, 3):
        story.now_ms += 60_000
        story.boot(epoch=epoch)
    books = fold(story.rows)
    assert (books.epoch, books.stopped_clean) == (3, False)
    assert len(books.boots_ms) == 3


# --- live and replayed --------------------------------------------------------------------------

sizes = st.decimals("0.01", "5", places=2)
prices = st.decimals("50", "200", places=1)
steps = st.one_of(
    st.tuples(st.just("hedge"), st.sampled_from(["opened", "target", "closed"]), st.integers(1, 3)),
    st.tuples(
        st.just("fill"),
        st.sampled_from(["spot", "swap"]),
        st.sampled_from(["buy", "sell"]),
        sizes,
        prices,
        prices,
        st.integers(1, 3),
        st.sampled_from(["USDT", "BTC"]),
    ),
    st.tuples(st.just("bill"), st.sampled_from(list(BillKind)), sizes, st.integers(0, 3)),
    st.tuples(st.just("later"), st.integers(0, DAY_MS)),
    st.tuples(st.just("equity"), st.integers(1, 2000)),
)


def tell(step: tuple[Any, ...], story: Story) -> None:
    match step:
        case ("hedge", event, number):
            story.hedge(event, f"FE1H{number}")
        case ("fill", leg, side, size, px, mid, number, ccy):
            fee = -size / 1000
            story.fill(leg, side, size, px, fee=fee, fee_ccy=ccy, ref_mid=mid, hedge_id=f"FE1H{number}")
        case ("bill", kind, change, number):
            story.bill(kind, change, hedge_id=f"FE1H{number}" if number else "")
        case ("later", ms):
            story.now_ms += ms
        case ("equity", amount):
            story.equity(str(amount), BTC_USDT=("100", "101"))


def told(moves: list[tuple[Any, ...]]) -> Story:
    story = started()
    for step in moves:
        tell(step, story)
    return story


@given(st.lists(steps, max_size=40))
def test_a_second_hearing_of_fills_and_bills_leaves_the_books_as_they_are(
    moves: list[tuple[Any, ...]],
) -> None:
    once = told(moves).rows
    twice = [r for row in once for r in ([row, row] if row.kind in (Kind.FILL, Kind.BILL) else [row])]
    assert fold(once) == fold(twice)


@given(st.lists(steps, max_size=40))
def test_coins_and_contracts_are_never_forgotten(moves: list[tuple[Any, ...]]) -> None:
    """What all fills brought is in an open hedge or in the dust, and nothing is in both."""
    books = fold(told(moves).rows)
    hedge = books.hedge(BTC)
    held = (hedge.spot_base if hedge else D(0)) + books.dust.get("BTC", D(0))
    assert held == books.ledger.cash.get("BTC", D(0))
    position = books.ledger.positions.get(BTC)
    short = -hedge.tally.swap_base if hedge else D(0)
    assert short == -(position.base if position else D(0))


@given(st.lists(steps, max_size=40))
def test_hedges_and_dust_add_up_to_the_ledger(moves: list[tuple[Any, ...]]) -> None:
    """All money of fills is in exactly one hedge, at the last prices; what the coin gained while it was
    dust is the only difference. Hedges that traded are the rounds."""
    story = started()
    for step in moves:
        if step[0] != "bill":
            tell(step, story)
    books, seen, gained = Books(), {}, D(0)
    for row in story.rows:
        dust, px = books.dust.get("BTC", D(0)), last_prices(books)[0]
        books.apply(row)
        gained += dust * (last_prices(books)[0] - px)
        if (hedge := books.hedge(BTC)) is not None:
            seen[id(hedge)] = hedge
    last = last_prices(books)
    whole = books.ledger.terms({BTC: last}).net
    parts = sum((h.view(*last, D(1)).pnl for h in seen.values()), D(0))
    assert abs(whole - parts - gained) < Decimal("1e-8")
    traded = [h for h in seen.values() if h.closed_ms and h.tally.trades]
    assert sorted(map(id, traded)) == sorted(map(id, books.rounds))


def last_prices(books: Books) -> tuple[Decimal, Decimal]:
    return books.ledger.prices.get(BTC, (D(0), D(0)))


async def test_books_kept_live_equal_books_replayed_from_the_file(tmp_path: Path) -> None:
    moves = [
        ("hedge", "opened", 1),
        ("fill", "spot", "buy", D(2), D(100), D(99), 1, "BTC"),
        ("fill", "swap", "sell", D(199), D(101), D(101), 1, "USDT"),
        ("bill", BillKind.FUNDING, D("0.4"), 1),
        ("later", 3_600_000),
        ("equity", 1005),
        ("fill", "swap", "buy", D(199), D(99), D(99), 1, "USDT"),
        ("fill", "spot", "sell", D("1.99"), D(99), D(99), 1, "USDT"),
        ("hedge", "closed", 1),
        ("hedge", "opened", 2),
    ]
    live = Books()
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    journal.listeners.append(live.apply)
    for row in told(moves).rows:
        journal.append(row.kind, row.at_ms, row.body)
    replayed = Books()
    async for row in journal.rows():
        replayed.apply(row)
    await journal.close()
    assert live == replayed
    with JournalReader(tmp_path / FILE_NAME) as reader:
        assert fold(list(reader.rows())) == live
    assert live.rounds and live.dust == {}
