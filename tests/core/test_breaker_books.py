from __future__ import annotations

from core.facts import Kind
from core.types import DAY_MS, BillKind
from tests.core.story import START_MS, D, fold, started


def test_losing_rounds_count_in_a_row_and_a_winner_ends_the_row() -> None:
    story = started()
    for n, sell in enumerate(("90", "95"), start=1):
        story.round(sell=sell, hedge_id=f"FE1H{n}")
    assert fold(story.rows).breaker(START_MS).losing_rounds == 2
    story.round(sell="101", hedge_id="FE1H3")
    assert fold(story.rows).breaker(START_MS).losing_rounds == 0


def test_an_unwind_because_of_a_breach_is_a_loss_even_with_a_profit() -> None:
    story = started()
    story.decision("breach", "RUNNING", "REBALANCING")
    story.round(sell="101", purpose="flatten")
    assert fold(story.rows).breaker(START_MS).losing_rounds == 1
    story.decision("resume", "STOPPED", "IDLE")
    story.round(sell="101", hedge_id="FE1H2", purpose="flatten")
    assert fold(story.rows).breaker(START_MS).losing_rounds == 0


def test_an_unwind_is_a_breachs_until_it_has_ended() -> None:
    story = started()
    story.decision("breach", "RUNNING", "REBALANCING")
    assert fold(story.rows).unwinding
    story.decision("rebalanced", "REBALANCING", "STOPPED")
    assert not fold(story.rows).unwinding
    story.decision("resume", "STOPPED", "IDLE")
    story.decision("review", "RUNNING", "REBALANCING")
    assert not fold(story.rows).unwinding


def test_a_liquidated_round_is_a_loss_even_with_a_profit() -> None:
    story = started()
    story.round(sell="105")
    story.bill(BillKind.LIQUIDATION, "0")
    assert fold(story.rows).breaker(START_MS).losing_rounds == 1


def test_the_day_counts_income_and_fees_when_they_happen_and_prices_when_a_round_closes() -> None:
    story = started()
    story.hedge("opened")
    story.fill("spot", "buy", "1", "100", fee="-0.4", ref_mid="99")
    story.fill("swap", "sell", "100", "100")
    story.funding("2")
    story.bill(BillKind.INTEREST, "-0.5", instrument="", hedge_id="")
    story.bill(BillKind.TRANSFER, "500", instrument="", hedge_id="")
    day = fold(story.rows).breaker(START_MS)
    assert (day.day, day.day_pnl, day.rounds_today) == ("2026-01-01", D("1.1"), 1)
    story.fill("swap", "buy", "100", "103")
    story.fill("spot", "sell", "1", "90")
    story.hedge("closed", target="0")
    assert fold(story.rows).breaker(START_MS).day_pnl == D("1.1") - 13


def test_a_new_day_starts_at_nothing_and_a_late_bill_counts_for_its_own_day() -> None:
    story = started()
    story.funding("2")
    story.now_ms += DAY_MS
    story.round(sell="99", hedge_id="FE1H2")
    story.bill(BillKind.FUNDING, "5", ts_ms=START_MS + 1)
    books = fold(story.rows)
    today, tomorrow = books.breaker(START_MS + DAY_MS), books.breaker(START_MS + 2 * DAY_MS)
    assert (today.day, today.day_pnl, today.rounds_today) == ("2026-01-02", D(-1), 1)
    assert (tomorrow.day_pnl, tomorrow.rounds_today, tomorrow.losing_rounds) == (D(0), 0, 1)
    assert tomorrow.last_round_ms == START_MS + DAY_MS
    assert books.breaker(START_MS).day_pnl == 7


def test_a_trip_lasts_until_the_reset_which_forgives_the_row_and_the_drawdown() -> None:
    story = started()
    story.round(sell="90")
    story.equity("990")
    story.add(Kind.BREAKER, {"event": "tripped", "reason": "3 losing rounds"})
    view = fold(story.rows).breaker(START_MS)
    assert (view.tripped, view.tripped_ms, view.peak_equity) == ("3 losing rounds", START_MS, D(1000))
    story.now_ms += 1
    story.add(Kind.BREAKER, {"event": "reset", "reason": "operator"})
    view = fold(story.rows).breaker(START_MS)
    assert (view.tripped, view.losing_rounds, view.peak_equity) == ("", 0, D(990))
    assert view.day_pnl == -10  # a fact is not forgiven


def test_taking_money_out_is_not_a_drawdown() -> None:
    story = started()
    story.equity("1200")
    story.bill(BillKind.TRANSFER, "-500", instrument="", hedge_id="")
    assert fold(story.rows).breaker(START_MS).peak_equity == 700
    story.equity("650")
    assert fold(story.rows).breaker(START_MS).peak_equity == 700
    story.equity("720")
    assert fold(story.rows).breaker(START_MS).peak_equity == 720


def test_a_reset_after_money_was_taken_out_does_not_raise_the_peak_by_it() -> None:
    """The last equity row is from before the transfer: the two must not be mixed."""
    story = started()
    story.equity("1200")
    story.bill(BillKind.TRANSFER, "-500", instrument="", hedge_id="")
    story.add(Kind.BREAKER, {"event": "reset", "reason": "operator"})
    assert fold(story.rows).breaker(START_MS).peak_equity == 700
    story.equity("705")
    assert fold(story.rows).breaker(START_MS).peak_equity == 705
