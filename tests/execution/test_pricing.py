"""Prices and sizes: never beyond the bound, always on the grid."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.types import BPS, Book, Contracts, Side, floor_to
from execution.pricing import gross_up, ladder, limit_px, slice_size, taking_cost
from tests.fakes import D, FakeClock, FakeTrading, btc

BOOK = Book("X", ((D("99.9"), D(1)), (D("99.8"), D(5))), ((D("100.1"), D(1)), (D("100.2"), D(5))), 0, 0, 0)

PRICES = st.decimals("0.01", "100000", places=2)
TICKS = st.sampled_from([D("0.01"), D("0.1"), D("0.5"), D(1)])


def test_a_buy_may_pay_and_a_sale_must_get_the_bound_rounded_towards_the_mid() -> None:
    assert limit_px(BOOK, Side.BUY, D(15), D("0.1")) == D("100.1")
    assert limit_px(BOOK, Side.SELL, D(15), D("0.1")) == D("99.9")


@given(PRICES, PRICES, st.decimals("0", "500", places=1), TICKS, st.sampled_from(Side))
def test_a_limit_is_on_the_tick_and_never_beyond_its_bound(
    bid: Decimal, gap: Decimal, bps: Decimal, tick: Decimal, side: Side
) -> None:
    book = Book("X", ((bid, D(1)),), ((bid + gap, D(1)),), 0, 0, 0)
    price = limit_px(book, side, bps, tick)
    assert price == floor_to(price, tick)
    assert (price - book.mid) * side.sign <= book.mid * bps / BPS


def test_taking_costs_spread_depth_and_fee() -> None:
    assert taking_cost(BOOK, Side.BUY, D(1), D("0.001"), D(50)) == D("0.1") + D("0.1001")
    assert taking_cost(BOOK, Side.SELL, D(1), D("0.001"), D(50)) == D("0.1") + D("0.0999")


def test_what_the_book_does_not_hold_is_priced_at_the_last_bound() -> None:
    within = taking_cost(BOOK, Side.BUY, D(6), D(0), D(50))
    assert taking_cost(BOOK, Side.BUY, D(8), D(0), D(50)) == within + 2 * D("0.5")


def test_a_chase_goes_from_the_first_bound_half_way_to_the_last() -> None:
    assert ladder(D(15), D(50)) == (D(15), D("32.5"), D(50))
    assert ladder(D(60), D(50)) == (D(50),)


@given(st.decimals("0.001", "1000", places=5), st.decimals("0", "0.01", places=5))
def test_after_the_fee_in_the_coin_at_least_the_need_remains_and_less_than_a_lot_more(
    need: Decimal, rate: Decimal
) -> None:
    lot = D("0.0001")
    bought = gross_up(need, rate, lot)
    assert need <= bought * (1 - rate) < need + lot


def test_a_rebate_does_not_make_us_buy_less_than_we_need() -> None:
    assert gross_up(D(1), D("-0.001"), D("0.0001")) == 1


def test_a_slice_takes_its_share_of_the_thinner_book() -> None:
    venue = FakeTrading(FakeClock(), btc())
    spot, swap = venue.book_of("BTC-USDT"), venue.book_of("BTC-USDT-SWAP")
    whole = slice_size(venue.pair, spot, swap, True, Contracts(D(100_000)), D(10), D("0.2"))
    assert whole == D(200)  # 10 levels of 1 BTC within 10 bps, a fifth of them, 0.01 BTC a contract
    venue.level_base = D("0.5")
    thin = venue.book_of("BTC-USDT-SWAP")
    assert slice_size(venue.pair, spot, thin, True, Contracts(D(100_000)), D(10), D("0.2")) == D(100)
    assert slice_size(venue.pair, spot, swap, True, Contracts(D("7.777")), D(10), D("0.2")) == D("7.77")
