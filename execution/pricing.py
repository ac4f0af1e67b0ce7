"""Prices and sizes of orders: pure arithmetic on frozen books."""

from __future__ import annotations

from decimal import Decimal

from core.types import BPS, Base, Book, Contracts, Pair, Side, ceil_to, floor_to


def limit_px(book: Book, side: Side, bps: Decimal, tick: Decimal) -> Decimal:
    """Return the worst price an order may take: `bps` from the mid, rounded to the tick.

    Rounded towards the mid, so the bound is never exceeded. Mid 100, 15 bps, tick 0.1: a buy may
    pay 100.1, a sell must get 99.9.
    """
    bound = book.mid * (1 + side.sign * bps / BPS)
    return floor_to(bound, tick) if side is Side.BUY else ceil_to(bound, tick)


def taking_cost(book: Book, side: Side, size: Decimal, fee_rate: Decimal, shortfall_bps: Decimal) -> Decimal:
    """Return what taking `size` now costs against the mid price, fee included.

    In quote currency per unit of one: multiply by ct_val for a swap book. What the book does not
    hold is priced at `shortfall_bps` from the mid. One coin at mid 100, ask 100.1, fee 0.001: 0.2001.
    """
    taken, avg_px = book.walk(side, size)
    slippage = (avg_px - book.mid) * side.sign * taken
    missing = (size - taken) * book.mid * (shortfall_bps / BPS + fee_rate)
    return slippage + avg_px * taken * fee_rate + missing


def ladder(first_bps: Decimal, last_bps: Decimal) -> tuple[Decimal, ...]:
    """Return the slippage bounds of a chase: the first, half way, the last. 15 and 50: 15, 32.5, 50."""
    if first_bps >= last_bps:
        return (last_bps,)
    return (first_bps, (first_bps + last_bps) / 2, last_bps)


def gross_up(need: Decimal, fee_rate: Decimal, lot: Decimal) -> Base:
    """Return how many coins to buy so that `need` remain after a fee taken in the coin.

    Rounded up to the lot. 1 coin, fee 0.001, lot 0.0001: 1.0011. A rebate (negative fee) is ignored.
    """
    return Base(ceil_to(need / (1 - max(fee_rate, Decimal(0))), lot))


def slice_size(
    pair: Pair, spot: Book, swap: Book, opening: bool, wanted: Contracts, band_bps: Decimal, share: Decimal
) -> Contracts:
    """Return the contracts one slice may take: at most `wanted`, a share of the depth, an order's maximum.

    Both books count, because what the first leg takes the second must be able to follow: opening
    buys spot and sells swap, closing does the reverse. Depth is what lies within `band_bps` of the
    mid. Whole lots, possibly zero.
    """
    spot_side, swap_side = (Side.BUY, Side.SELL) if opening else (Side.SELL, Side.BUY)
    coins = min(share * spot.depth_within(spot_side, band_bps), pair.spot.max_limit_size)
    contracts = min(share * swap.depth_within(swap_side, band_bps), pair.swap.max_limit_size)
    return Contracts(floor_to(min(wanted, contracts, coins / pair.swap.ct_val), pair.swap.lot))
