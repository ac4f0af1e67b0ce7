"""The book of a backtest on closing prices: takers get the middle, whatever their size."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.exchange import Exchange
from exchange.sim.profile import VenueProfile
from exchange.sim.seam import OrderParams
from tests.exchange.sim.worlds import SPOT, SWAP, StillMarket

D = Decimal


def venue() -> Exchange:
    return Exchange(StillMarket(volume=1.0), 1, profile=VenueProfile(flat_books=True))


def order(side: str, size: str, price: str, kind: str = "ioc") -> OrderParams:
    return OrderParams(
        inst_id=SPOT, td_mode="cash", side=side, kind=kind, size=D(size), price=D(price), cl_id="a1"
    )


def test_the_public_sees_a_tick_on_either_side_of_the_price() -> None:
    for inst_id in (SPOT, SWAP):
        market = venue().markets[inst_id]
        bid, ask = market.bids(5), market.asks(5)
        assert [len(bid), len(ask)] == [1, 1]
        assert bid[0].price < D(60_000) < ask[0].price
        assert (bid[0].price + ask[0].price) / 2 == D(60_000)


def test_an_order_of_any_size_fills_at_the_middle_and_moves_nothing() -> None:
    still = venue()
    account = still.accounts["demo"]
    still.set_fee_type(account, "1")  # in the quote currency
    for _ in range(3):
        for side, limit in (("buy", "60100"), ("sell", "59900")):
            filled = still.place(account, order(side, "0.5", limit))
            assert (filled.filled, filled.avg_px) == (D("0.5"), D(60_000))


def test_an_order_that_names_a_worse_price_than_the_middle_rests_in_the_public_book() -> None:
    still = venue()
    resting = still.place(still.accounts["demo"], order("buy", "0.1", "59990", kind="limit"))
    assert not resting.filled
    assert [level.price for level in still.markets[SPOT].bids(5)][1:] == [D(59_990)]
