"""From proposals to trades: entries after the signal, the sleeve's limits, and money that adds up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import DAY_MS, HOUR_MS, Base, Side
from scripts.modules.book import Desk, Limits, Played, Way, play, turned
from scripts.modules.tape import Coin
from scripts.modules.trade import Costs, Trade
from strategy.auxiliary.bars import FRAME_MS
from strategy.auxiliary.exit_plan import Measures
from strategy.auxiliary.language import Signal
from strategy.auxiliary.modules.proposal import exact
from strategy.auxiliary.presets import PRESETS
from tests.scripts.modules.scenes import tape, tapes

D = Decimal
PLANS = [replace(PRESETS[name].plan, rules=()) for name in ("dtrs", "ats", "vs", "vs_trailing")]


def signals_on(coin: Coin, plan_number: int, seed: int, every: int = 7) -> list[Signal]:
    """A proposal at every so many closes of an hour, on sides and with strengths that the seed decides."""
    series = coin.series["1H"]
    found = []
    for at in range(20, len(series.ts_ms), every):
        coin_toss = (seed >> (at % 31)) & 1
        found.append(
            Signal(
                "made",
                coin.instrument,
                Side.BUY if coin_toss else Side.SELL,
                D(50 + (seed + at) % 50),
                exact(series.close[at]),
                int(series.closed_ms[at]),
                int(series.closed_ms[at]) + HOUR_MS,
                (("seed", seed),),
                PLANS[plan_number],
                Measures(atr=D(1)),
                wished_leverage=D(10),
            )
        )
    return found


def own(signal: Signal) -> Way:
    return Way(signal.plan, signal.measures, signal.wished_leverage)


def played(coins: list[Coin], signals: list[Signal], limits: Limits | None = None) -> Played:
    return play(signals, own, {"made": Desk(coins, "15m", Costs(), limits or Limits())})


worlds = st.tuples(tapes, st.integers(0, len(PLANS) - 1), st.integers(0, 2**32 - 1))


@settings(max_examples=40)
@given(worlds, st.floats(0.1, 1))
def test_cutting_the_tape_at_an_instant_changes_no_trade_before_it(
    world: tuple[Coin, int, int], part: float
) -> None:
    coin, number, seed = world
    series = coin.series["15m"]
    now_ms = int(series.closed_ms[int(part * (len(series.ts_ms) - 1))])
    cut = coin.until(now_ms)
    if "1H" not in cut.series:
        return
    whole = played([coin], signals_on(coin, number, seed)).trades
    early = played([cut], signals_on(cut, number, seed)).trades

    def before(trades: tuple[Trade, ...]) -> list[object]:
        """What had happened by then. A bar that ends then may have been the last for the cut tape alone."""
        seen_ms = now_ms - FRAME_MS["15m"]
        fills = [[f for f in each.fills if f.at_ms < seen_ms] for each in trades if each.opened_ms < seen_ms]
        paid = [[c for c in each.charges if c.at_ms < seen_ms] for each in trades if each.opened_ms < seen_ms]
        return [fills, paid]

    assert before(early) == before(whole)


@settings(max_examples=40)
@given(worlds)
def test_an_entry_is_at_the_open_after_the_close_that_was_known_and_dearer(
    world: tuple[Coin, int, int],
) -> None:
    coin, number, seed = world
    series = coin.series["15m"]
    for trade in played([coin], signals_on(coin, number, seed)).trades:
        at = series.at(trade.signal_ms)
        assert at is not None and trade.opened_ms == trade.signal_ms
        shown = D(repr(float(series.open[at])))
        assert trade.fills[0].px == shown * (1 + trade.side.sign * D("0.0003"))
        assert trade.closed_ms >= trade.opened_ms


@settings(max_examples=40)
@given(worlds)
def test_every_limit_of_the_sleeve_holds_of_every_trade(world: tuple[Coin, int, int]) -> None:
    coin, number, seed = world
    trades = played([coin], signals_on(coin, number, seed, every=1)).trades
    opened = [each.opened_ms for each in trades]
    assert all(later - sooner >= HOUR_MS for sooner, later in pairwise(opened))
    assert all(sum(at - DAY_MS < other <= at for other in opened) <= 4 for at in opened)
    for trade in trades:
        assert trade.risk <= D(10_000) * D("0.02") and trade.notional <= D(1_000)
        assert 1 <= trade.leverage <= 3
    for sooner, later in pairwise(trades):
        assert later.opened_ms > sooner.closed_ms


@settings(max_examples=40)
@given(worlds)
def test_the_books_add_up_to_what_cash_would_have_come_to(world: tuple[Coin, int, int]) -> None:
    """Cash in and out at what was paid, fees and funding: reckoned without any of the trade's own sums."""
    coin, number, seed = world
    rates = {each.ts_ms: each.rate for each in coin.settled}
    for trade in played([coin], signals_on(coin, number, seed)).trades:
        cash, held = D(0), D(0)
        for fill in trade.fills:
            cash -= fill.side.sign * fill.base * fill.px + fill.base * fill.px * D("0.0005")
            held += fill.side.sign * fill.base
        assert held == 0
        for charge in trade.charges:
            before = sum(f.side.sign * f.base for f in trade.fills if f.at_ms < charge.at_ms)
            at = coin.series["15m"].at(charge.at_ms)
            assert at is not None
            cash -= before * rates[charge.at_ms] * D(repr(float(coin.series["15m"].open[at])))
        assert abs(cash - trade.net) < D("1e-18")
        inside = [at for at in rates if trade.opened_ms < at <= trade.closed_ms]
        there = [at for at in inside if coin.series["15m"].at(at) is not None]
        held_then = [at for at in there if sum(f.side.sign * f.base for f in trade.fills if f.at_ms < at)]
        assert [charge.at_ms for charge in trade.charges] == held_then


@settings(max_examples=20)
@given(worlds)
def test_a_proposal_turned_twice_is_the_same_again(world: tuple[Coin, int, int]) -> None:
    coin, number, seed = world
    for signal in signals_on(coin, number, seed)[:5]:
        other, way = turned(signal, own(signal))
        assert turned(other, way) == (signal, own(signal)) and other.side is signal.side.opposite


def test_of_two_proposals_at_one_instant_the_stronger_is_heard() -> None:
    coins = [tape(1, 300, name="BTC-USDT"), tape(2, 300, name="ETH-USDT")]
    one, two = (
        replace(signals_on(coin, 1, 5)[0], strength=D(n)) for coin, n in zip(coins, (60, 80), strict=True)
    )
    found = played(coins, [one, two])
    assert [each.instrument for each in found.trades] == ["ETH-USDT"]
    assert found.refused == {"an entry a moment ago": 1}


def test_a_price_that_has_run_away_is_not_followed() -> None:
    coin = tape(1, 300)
    signal = signals_on(coin, 1, 5)[0]
    far = replace(signal, px=signal.px * D("1.2"))
    assert played([coin], [far]).refused == {"the price had run away": 1}


def test_no_more_is_taken_than_the_module_asks_for() -> None:
    coin = tape(1, 300)
    signal = replace(signals_on(coin, 1, 5)[0], most_base=Base(D("0.5")))
    [trade] = played([coin], [signal]).trades
    assert trade.fills[0].base == D("0.5")


@pytest.mark.parametrize("value", ["-0.1", "1", "NaN"])
def test_costs_that_are_no_fraction_are_refused_with_what_is_allowed(value: str) -> None:
    with pytest.raises(ValueError, match="allowed: 0 to below 1"):
        Costs(taker=D(value))
