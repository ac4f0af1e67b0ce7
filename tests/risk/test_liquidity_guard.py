from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.context import MarketView
from core.types import Candle
from risk.liquidity_guard import LiquidityGuard, wick_ratio
from tests.risk.scenes import NOW, SETTINGS, D, book, figure, market, opening, scene

GUARD = LiquidityGuard(SETTINGS.risk.liquidity, SETTINGS.strategy.opening)


def check(view: MarketView, base: str = "0.2") -> Any:
    return GUARD.check(scene(plan=opening(base), markets={"BTC-USDT": view}))


def test_a_deep_book_carries_our_size() -> None:
    verdict = check(market())
    assert verdict.ok
    assert figure(verdict, "spot_spread_bps") == 1
    assert D("0.4") < figure(verdict, "swap_slippage_bps") < D("0.6")


@pytest.mark.parametrize("leg", ["spot", "swap"])
def test_either_thin_book_refuses(leg: str) -> None:
    thin = book("x", D(100_000), D("0.005") if leg == "spot" else D("0.5"))  # 500 USDT a level
    verdict = check(replace(market(), **{leg: thin}))
    assert not verdict.ok
    assert verdict.reason == f"{leg} book is too thin"


@pytest.mark.parametrize("leg", ["spot", "swap"])
def test_our_size_may_only_be_a_share_of_the_depth(leg: str) -> None:
    # 5000 USDT a level, ten levels within ten bps: 20000 is two fifths of it.
    book_of_leg = book("x", D(100_000), D("0.05") if leg == "spot" else D(5))
    verdict = check(replace(market(), **{leg: book_of_leg}))
    assert verdict.reason == f"our size is too much of the {leg} book"
    assert check(replace(market(), **{leg: book_of_leg}), "0.09").ok


@pytest.mark.parametrize("leg", ["spot", "swap"])
def test_a_wide_spread_refuses(leg: str) -> None:
    wide = book("x", D(100_000), D(20) if leg == "spot" else D(2000), half_bps="6")
    assert check(replace(market(), **{leg: wide})).reason == f"{leg} spread is too wide"


def test_slippage_of_a_walk_through_a_gap_refuses() -> None:
    liquidity = SETTINGS.risk.liquidity.model_copy(update={"max_depth_share": D(1), "depth_band_bps": D(500)})
    loose = LiquidityGuard(liquidity, SETTINGS.strategy.opening)
    gap = replace(book("x", D(100_000), D(1)), asks=((D(100_005), D("0.15")), (D(101_000), D(9))))
    ctx = scene(plan=opening("0.2"), markets={"BTC-USDT": replace(market(), spot=gap)})
    slipping = loose.check(ctx)
    assert slipping.reason == "spot slippage would be too high"
    assert figure(slipping, "spot_slippage_bps") > 15


def test_the_sides_we_take_are_the_ones_measured() -> None:
    view = market()
    assert view.spot is not None and view.swap is not None
    no_spot_bids = replace(view.spot, bids=((view.spot.bids[0][0], D("0.001")),))
    no_swap_asks = replace(view.swap, asks=((view.swap.asks[0][0], D("0.1")),))
    assert check(replace(view, spot=no_spot_bids, swap=no_swap_asks)).ok


def test_a_long_wick_in_a_recent_bar_refuses() -> None:
    spike = Candle(NOW - 180_000, D(100_000), D(104_000), D(99_900), D(100_000), D(1))
    view = replace(market(), candles={"3m": (*market().candles["3m"], spike)})
    assert check(view).reason == "the last bars have a long wick"


def test_a_long_body_is_no_wick_and_an_open_bar_is_not_judged() -> None:
    body = Candle(NOW - 180_000, D(100_000), D(104_000), D(100_000), D(104_000), D(1))
    growing = Candle(NOW - 60_000, D(100_000), D(109_000), D(100_000), D(100_000), D(1), closed=False)
    assert wick_ratio(replace(market(), candles={"3m": (body, growing)})) == 0


def test_an_old_wick_is_history() -> None:
    spike = Candle(NOW - 720_000, D(100_000), D(104_000), D(99_900), D(100_000), D(1))
    view = replace(market(), candles={"3m": (spike, *market().candles["3m"][-3:])})
    assert check(view).ok


def test_without_candles_the_wick_is_not_known_and_the_books_decide() -> None:
    verdict = check(replace(market(), candles={}))
    assert verdict.ok
    assert figure(verdict, "wick_ratio") == "not known"


@pytest.mark.parametrize("basis", ["150", "-150"])
def test_a_basis_out_of_bounds_refuses_either_way(basis: str) -> None:
    assert check(market(basis_bps=basis)).reason == "swap and spot are too far apart"


def test_a_one_sided_or_crossed_book_refuses() -> None:
    view = market()
    assert view.spot is not None
    assert not check(replace(view, spot=replace(view.spot, asks=()))).ok
    assert not check(replace(view, spot=replace(view.spot, asks=view.spot.bids))).ok
    assert not check(replace(view, swap=None)).ok


def test_without_a_plan_there_is_nothing_to_measure() -> None:
    assert GUARD.check(scene()).ok
