from __future__ import annotations

from decimal import Decimal

from core.tally import Trade
from core.types import ZERO, Fill, Leg, SettledFunding, Side
from scripts.course import capture_of

D = Decimal
HOUR_MS = 3_600_000


def trade(leg: Leg, side: Side, ts_ms: int, fee: str = "1") -> Trade:
    fill = Fill("x", str(ts_ms), "1", "c", side, D(1000), D(1), D(0), "USDT", ts_ms, False, "b")
    return Trade(fill, "BTC-USDT", "h1", leg, D(1), D(fee), ZERO, ZERO)


def settled(*rates: str) -> list[SettledFunding]:
    return [SettledFunding(n * HOUR_MS, D(rate)) for n, rate in enumerate(rates, 1)]


def hedge(opened_ms: int, closed_ms: int | None = None) -> list[Trade]:
    trades = [trade(Leg.SPOT, Side.BUY, opened_ms), trade(Leg.SWAP, Side.SELL, opened_ms)]
    if closed_ms is not None:
        trades += [trade(Leg.SPOT, Side.SELL, closed_ms), trade(Leg.SWAP, Side.BUY, closed_ms)]
    return trades


def test_a_hedge_through_all_that_paid_keeps_everything_perfect_foresight_would() -> None:
    found = capture_of(hedge(1), settled("0.01", "0.01", "0.01"))
    assert (found.held, found.settlements, found.ratio) == (3, 3, 1)
    assert found.kept == D("0.03") - 2 * D("0.002"), "a switch costs what the trades did: 2 USDT of 1000"


def test_what_was_missed_and_what_was_paid_count_against_it() -> None:
    late = capture_of(hedge(HOUR_MS + 1), settled("0.01", "0.01", "-0.004"))
    assert late.possible == D("0.02") - 2 * D("0.002")
    assert late.kept == D("0.01") - D("0.004") - 2 * D("0.002")
    assert late.ratio is not None and 0 < late.ratio < 1


def test_where_nothing_could_be_earned_nothing_is_said() -> None:
    assert capture_of([], settled("0.0001", "-0.001")).ratio is None
    assert capture_of(hedge(1), []).ratio is None
