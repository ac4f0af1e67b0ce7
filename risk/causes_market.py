"""Causes that lie with the market: old or broken data, thin books, prices that make no sense, the dollar.

What is held is judged; what might be opened is judged by the guards of its opening. Thin books and a basis
block new risk and never close anything: selling into them is what costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from config.schema import Degradation, Liquidity, Settings
from core.context import Context, MarketView, Permission
from core.ladder import Finding
from core.types import ONE, ZERO, Book, Side
from core.verdict import Figures

FULL, NO_NEW_RISK, REDUCE_ONLY = Permission.FULL, Permission.NO_NEW_RISK, Permission.REDUCE_ONLY
_IsBad = Callable[[MarketView], bool]
OLD: Final = "market data of what is held is old or broken"
AGREE: Final = 2  # looks that must find data old: a reconnect takes a moment


def market_findings(ctx: Context, settings: Settings) -> Iterator[Finding]:
    limits = settings.risk.degradation
    held = tuple(ctx.markets[h.instrument] for h in ctx.open_hedges if h.instrument in ctx.markets)
    yield _books(ctx, held, limits)
    yield _marks(ctx, held, limits)
    yield _funding(ctx, held, limits)
    yield _account(ctx, limits)
    yield _drought(ctx, held, settings)
    yield _basis(held, settings)
    yield _price_jump(ctx)
    yield _depeg(ctx, limits)


def _books(ctx: Context, held: tuple[MarketView, ...], limits: Degradation) -> Finding:
    """A book that is missing, crossed, one-sided or old; of everything, when nothing is held."""
    max_ms = limits.max_data_age_s * 1000

    def is_bad(market: MarketView) -> bool:
        books = (market.spot, market.swap)
        return not market.is_quoted or any(b is not None and ctx.now_ms - b.seen_ms > max_ms for b in books)

    return _aged(ctx, held, "books", is_bad)


def _marks(ctx: Context, held: tuple[MarketView, ...], limits: Degradation) -> Finding:
    max_ms = limits.max_data_age_s * 1000
    return _aged(ctx, held, "mark_prices", lambda m: not m.mark_px or ctx.now_ms - m.mark_seen_ms > max_ms)


def _funding(ctx: Context, held: tuple[MarketView, ...], limits: Degradation) -> Finding:
    max_ms = limits.max_funding_age_s * 1000
    return _aged(
        ctx, held, "funding_rates", lambda m: m.funding is None or ctx.now_ms - m.funding.seen_ms > max_ms
    )


def _aged(ctx: Context, held: tuple[MarketView, ...], cause: str, is_bad: _IsBad) -> Finding:
    """Bad for anything held, or for everything there is: then it is the channel that fails."""
    markets = held or tuple(ctx.markets.values())
    bad = [m.pair.name for m in markets if is_bad(m)]
    wrong = bool(bad) if held else bool(bad) and len(bad) == len(markets)
    figures: Figures = (("instruments", ", ".join(sorted(bad))),)
    reason = OLD if held else "no market data is fresh"
    return Finding(cause, NO_NEW_RISK if wrong else FULL, reason, figures, samples=AGREE)


def _account(ctx: Context, limits: Degradation) -> Finding:
    """Guards that judge the account ask for a fresher picture than this: here the channel is judged."""
    age_ms = None if ctx.account is None else ctx.now_ms - ctx.account.seen_ms
    old = age_ms is None or age_ms > limits.max_data_age_s * 1000
    figures: Figures = (("age_ms", "never seen" if age_ms is None else age_ms),)
    return Finding("account_data", NO_NEW_RISK if old else FULL, "the account data is old", figures, AGREE)


def _drought(ctx: Context, held: tuple[MarketView, ...], settings: Settings) -> Finding:
    """Supply = the scarcer of depth in the band / what is asked for, and spread allowed / spread shown, over
    the sides that leaving would take: spot bids and swap asks. 1 is just enough."""
    limits, liquidity = settings.risk.degradation, settings.risk.liquidity
    supplies = {m.pair.name: supply for m in held if (supply := _supply(m, liquidity)) is not None}
    if not held:  # what could be opened: the best of them counts, an opening needs only one
        offered = [s for m in ctx.markets.values() if (s := _supply(m, liquidity)) is not None]
        supplies = {"best": max(offered)} if offered else {}
    supply = min(supplies.values(), default=ONE)
    level, severe = FULL, supply < limits.drought_severe_ratio
    if supply < limits.drought_medium_ratio:
        level = REDUCE_ONLY
    elif supply < limits.drought_mild_ratio:
        level = NO_NEW_RISK
    figures: Figures = (
        ("supply_ratio", supply),
        ("mild_below_ratio", limits.drought_mild_ratio),
        ("medium_below_ratio", limits.drought_medium_ratio),
        ("severe_below_ratio", limits.drought_severe_ratio),
        ("scarcest", min(supplies, key=lambda name: supplies[name], default="")),
    )
    reason = "the books have almost dried up" if severe else "the books are thin"
    return Finding("drought", level, reason, figures, limits.samples, critical=severe)


def _supply(market: MarketView, limits: Liquidity) -> Decimal | None:
    """1 where depth and spread just suffice; None without books, which is another cause."""
    spot, swap = market.spot, market.swap
    if spot is None or swap is None or not market.is_quoted:
        return None
    spot_usdt = _depth_usdt(spot, Side.SELL, ONE, limits.depth_band_bps)
    swap_usdt = _depth_usdt(swap, Side.BUY, market.pair.swap.ct_val, limits.depth_band_bps)
    ratios = [ONE]
    if limits.min_depth_usdt:
        ratios.append(min(spot_usdt, swap_usdt) / limits.min_depth_usdt)
    ratios += [limits.max_spread_bps / book.spread_bps for book in (spot, swap) if book.spread_bps > ZERO]
    return min(ratios)


def _depth_usdt(book: Book, side: Side, coins_per_unit: Decimal, band_bps: Decimal) -> Decimal:
    return book.depth_within(side, band_bps) * coins_per_unit * book.mid


def _basis(held: tuple[MarketView, ...], settings: Settings) -> Finding:
    bound = settings.strategy.opening.max_basis_bps
    basis = {m.pair.name: abs(bps) for m in held if (bps := m.basis_bps) is not None}
    widest = max(basis.values(), default=ZERO)
    figures: Figures = (("widest_basis_bps", widest), ("max_basis_bps", bound))
    level = NO_NEW_RISK if widest > bound else FULL
    reason = "swap and spot of what is held are too far apart"
    return Finding("basis", level, reason, figures, settings.risk.degradation.samples)


def _price_jump(ctx: Context) -> Finding:
    figures: Figures = (("instruments", ", ".join(sorted(ctx.doubtful))),)
    reason = "a price has jumped and is not confirmed yet"
    return Finding("price_jump", NO_NEW_RISK if ctx.doubtful else FULL, reason, figures)


def _depeg(ctx: Context, limits: Degradation) -> Finding:
    """Everything here is counted in USDT; when a USDT is no dollar, figures that look well are not."""
    usdt_usd = ctx.venue.rounds.usdt_usd
    off = ZERO if usdt_usd is None else abs(usdt_usd - 1)
    level = FULL
    if off > limits.depeg_reduce_ratio:
        level = REDUCE_ONLY
    elif off > limits.max_depeg_ratio:
        level = NO_NEW_RISK
    figures: Figures = (
        ("usdt_usd", "not known" if usdt_usd is None else usdt_usd),
        ("max_depeg_ratio", limits.max_depeg_ratio),
        ("reduce_ratio", limits.depeg_reduce_ratio),
    )
    return Finding("depeg", level, "USDT is off its dollar", figures, critical=True)
