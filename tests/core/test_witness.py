"""One bad print is no price; a price that stays is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.context import MarketView
from core.witness import Witness
from tests.risk.scenes import NOW, D, book, market

NAME = "BTC-USDT"


class Sight:
    def __init__(self) -> None:
        self.witness, self.now_ms = Witness(D("0.05"), 3), NOW

    def doubts(self, view: MarketView, after_ms: int = 5_000) -> bool:
        self.now_ms += after_ms
        return NAME in self.witness.look({NAME: view}, self.now_ms)


def at(px: str, source: str = "all") -> MarketView:
    """The market with one of its prices, or all, at `px`; it was at 100000."""
    view, mid = market(), D(px)
    if source in ("all", "mark"):
        view = replace(view, mark_px=mid)
    if source in ("all", "spot"):
        view = replace(view, spot=book(NAME, mid, D(1)))
    if source in ("all", "swap"):
        view = replace(view, swap=book(f"{NAME}-SWAP", mid, D(100)))
    return view


@pytest.mark.fault("MD6")
@pytest.mark.parametrize("source", ["mark", "spot", "swap", "all"])
def test_a_jump_of_any_price_is_doubted_until_three_looks_have_seen_it(source: str) -> None:
    sight = Sight()
    assert not sight.doubts(at("100000"))
    assert sight.doubts(at("120000", source))
    assert sight.doubts(at("120000", source))
    assert not sight.doubts(at("120000", source))  # it stayed: it is the price
    assert not sight.doubts(at("121000", source))


@pytest.mark.fault("MD6")
def test_a_wick_of_one_sample_leaves_no_trace() -> None:
    sight = Sight()
    for _ in range(20):
        assert not sight.doubts(at("100000"))
        assert sight.doubts(at("80000"))
    assert not sight.doubts(at("100000"))


def test_a_market_that_moves_step_by_step_is_never_doubted() -> None:
    sight, px = Sight(), D(100_000)
    for _ in range(30):
        assert not sight.doubts(at(str(px)))
        px *= D("0.96")


def test_looks_of_the_same_second_confirm_nothing() -> None:
    sight = Sight()
    sight.doubts(at("100000"))
    for _ in range(5):
        assert sight.doubts(at("80000"), 100)


def test_after_a_long_silence_the_next_price_is_taken_as_it_is() -> None:
    sight = Sight()
    sight.doubts(at("100000"))
    assert not sight.doubts(at("80000"), 600_001)


def test_a_side_without_quotes_is_no_price() -> None:
    sight, empty = Sight(), replace(market(), spot=None, swap=None, mark_px=None)
    assert not sight.doubts(empty)
    assert not sight.doubts(at("100000"))
