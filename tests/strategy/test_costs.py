from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from strategy.costs import round_trip
from tests.risk.scenes import FEES, D, book, market


def test_the_docstrings_example_holds() -> None:
    view = market()
    one_bp = replace(
        view,
        spot=book("BTC-USDT", D(100_000), D(2), half_bps="1"),
        swap=book("BTC-USDT-SWAP", D(100_000), D(200), half_bps="1"),
    )
    cost = round_trip(one_bp, FEES, D("0.2"))
    assert cost is not None
    assert cost.fees_bps == 30
    assert abs(cost.slippage_bps - 4) < D("1e-9")
    assert cost.covered


def test_each_leg_is_walked_in_its_own_unit() -> None:
    # Swap levels of 5 contracts are 0.05 coins: 0.2 coins walk four of them, spot stays on the first.
    view = replace(market(), swap=book("BTC-USDT-SWAP", D(100_000), D(5)))
    cost = round_trip(view, FEES, D("0.2"))
    assert cost is not None
    assert abs(cost.slippage_bps - (2 * D("0.5") + 2 * D(2))) < D("1e-9")


def test_a_book_that_does_not_hold_the_size_is_told() -> None:
    view = market()
    assert view.swap is not None
    thin = replace(view, swap=replace(view.swap, asks=((view.swap.asks[0][0], D(1)),)))
    cost = round_trip(thin, FEES, D("0.2"))
    assert cost is not None
    assert not cost.covered


def test_without_two_sound_books_there_is_no_price() -> None:
    assert round_trip(replace(market(), spot=None), FEES, D("0.2")) is None


@given(
    coins=st.integers(min_value=1, max_value=1000).map(lambda n: D(n) / 100),
    more=st.integers(min_value=0, max_value=1000).map(lambda n: D(n) / 100),
)
def test_a_larger_hedge_never_costs_less_per_coin(coins: Decimal, more: Decimal) -> None:
    small, large = round_trip(market(), FEES, coins), round_trip(market(), FEES, coins + more)
    assert small is not None and large is not None
    assert small.total_bps <= large.total_bps + D("1e-18")
