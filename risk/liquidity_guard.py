"""Refuse an opening the books cannot carry."""

from __future__ import annotations

from decimal import Decimal

from config.schema import Liquidity
from config.schema import Opening as OpeningLimits
from core.context import Context, MarketView
from core.types import BPS, ONE, ZERO, Book, Side
from core.verdict import Figure, Verdict
from risk.measures import Check, Taken, judged, opening_of

WICK_BARS = 3  # closed 3m bars looked at: a wick ten minutes ago is history


class LiquidityGuard:
    """Both books are walked for the planned size: depth, share of it, spread, slippage; then wick and basis.

    Depth is what lies within `depth_band_bps` of the mid on the side each leg takes (spot asks, swap
    bids). Candles may be missing when a market has just been subscribed: then the wick is not known,
    which the figures say, and the books alone decide.
    """

    name = "liquid"

    def __init__(self, limits: Liquidity, opening: OpeningLimits) -> None:
        self._limits, self._opening = limits, opening

    def check(self, ctx: Context) -> Verdict:
        opening = opening_of(ctx)
        if isinstance(opening, str):
            return Verdict(False, self.name, opening)
        if opening is None:
            return Verdict(True, self.name, "nothing is planned")
        market, ct_val = opening.market, opening.market.pair.swap.ct_val
        spot, swap = opening.spot, opening.swap
        spot_checks, spot_figures = self._leg("spot", spot, Side.BUY, opening.spot_size, opening.bought, ONE)
        swap_checks, swap_figures = self._leg(
            "swap", swap, Side.SELL, opening.contracts, opening.sold, ct_val
        )
        wick, basis_bps = wick_ratio(market), market.basis_bps
        checks = (
            *spot_checks,
            *swap_checks,
            (wick is None or wick <= self._limits.max_wick_ratio, "the last bars have a long wick"),
            (
                basis_bps is not None and abs(basis_bps) <= self._opening.max_basis_bps,
                "swap and spot are too far apart",
            ),
        )
        figures = (
            *spot_figures,
            *swap_figures,
            ("wick_ratio", "not known" if wick is None else wick),
            ("max_wick_ratio", self._limits.max_wick_ratio),
            ("basis_bps", "not known" if basis_bps is None else basis_bps),
            ("max_basis_bps", self._opening.max_basis_bps),
        )
        return judged(self.name, checks, "the books carry our size", figures, opening.instrument)

    def _leg(
        self, leg: str, book: Book, side: Side, size: Decimal, walked: Taken, coins_per_unit: Decimal
    ) -> tuple[tuple[Check, ...], tuple[tuple[str, Figure], ...]]:
        limits, mid, spread_bps = self._limits, book.mid, book.spread_bps
        depth = book.depth_within(side, limits.depth_band_bps)
        depth_usdt = depth * coins_per_unit * mid
        share = size / depth if depth else None
        taken, average_px = walked
        slippage_bps = (average_px / mid - 1) * side.sign * BPS if taken else ZERO
        checks = (
            (spread_bps <= limits.max_spread_bps, f"{leg} spread is too wide"),
            (depth_usdt >= limits.min_depth_usdt, f"{leg} book is too thin"),
            (
                share is not None and share <= limits.max_depth_share,
                f"our size is too much of the {leg} book",
            ),
            (taken >= size, f"{leg} book does not hold our size"),
            (slippage_bps <= self._opening.max_slippage_bps, f"{leg} slippage would be too high"),
        )
        figures = (
            (f"{leg}_spread_bps", spread_bps),
            (f"{leg}_depth_usdt", depth_usdt),
            (f"{leg}_depth_share", "no depth" if share is None else share),
            (f"{leg}_slippage_bps", slippage_bps),
        )
        return checks, figures


def wick_ratio(market: MarketView) -> Decimal | None:
    """Return the longest wick of the last closed 3m bars / close; None without a bar.

    A wick is what lies above or below the body: high - max(open, close), or min(open, close) - low.
    """
    closed = [bar for bar in market.newest("3m", WICK_BARS + 1) if bar.closed][-WICK_BARS:]
    wicks = [max(b.high - max(b.open, b.close), min(b.open, b.close) - b.low) / b.close for b in closed]
    return max(wicks, default=None)
