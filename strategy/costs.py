"""What it costs to open a hedge of our size and close it again, walked on both books."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.context import MarketView
from core.types import BPS, ZERO, Book, FeeRates, Side
from core.verdict import Figures


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """Cost of opening and closing, bps of the hedge's notional (of one leg).

    fees_bps      taker fee of both legs, twice; resting as a maker is a gain not counted on.
    slippage_bps  average price against the mid, buying and selling our size in both books.
    covered       False when a book does not hold our size: then the slippage is too low an estimate.
    """

    fees_bps: Decimal
    slippage_bps: Decimal
    covered: bool

    @property
    def total_bps(self) -> Decimal:
        return self.fees_bps + self.slippage_bps

    @property
    def terms(self) -> Figures:
        return (
            ("round_trip_bps", self.total_bps),
            ("fees_bps", self.fees_bps),
            ("slippage_bps", self.slippage_bps),
            ("books_cover_size", self.covered),
        )


def round_trip(market: MarketView, fees: FeeRates, coins: Decimal) -> RoundTrip | None:
    """Return the cost of `coins` of hedge, there and back; None while a book is missing or crossed.

    Books with 1 bp between mid and best price that hold our size, 0.1 % spot and 0.05 % swap taker:
    30 bps of fees and 4 bps of slippage.
    """
    if market.spot is None or market.swap is None or not market.is_quoted:
        return None
    contracts = coins / market.pair.swap.ct_val
    walks = [_walk(market.spot, side, coins) for side in Side]
    walks += [_walk(market.swap, side, contracts) for side in Side]
    return RoundTrip(
        fees_bps=2 * (fees.spot_taker + fees.swap_taker) * BPS,
        slippage_bps=sum((bps for bps, _ in walks), ZERO),
        covered=all(covered for _, covered in walks),
    )


def _walk(book: Book, side: Side, size: Decimal) -> tuple[Decimal, bool]:
    """Slippage of taking `size`, bps of mid, and whether the book holds it."""
    taken, average_px = book.walk(side, size)
    slippage = (average_px / book.mid - 1) * side.sign * BPS if taken else ZERO
    return slippage, taken >= size
