"""How large a position may be: the price it would pay, the stop it would have, the least of all ceilings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Context, Decimal
from typing import Final

from core.context import MarketView
from core.types import BPS, ONE, ZERO, Base, Side, SwapSpec, Usdt, ceil_to, floor_to
from core.verdict import Figures, Verdict
from strategy.auxiliary.exit_plan import ExitPlan, adjusted
from strategy.auxiliary.gate_bounds import Bounds
from strategy.auxiliary.language import STRONGEST, Signal
from strategy.auxiliary.sleeve_view import SleeveView

STOP_WITHIN: Final = Decimal(
    "0.8"
)  # of the margin: a stop further away lies behind the liquidation (SMART-6)
LEVERAGE_STEP: Final = Decimal("0.01")
_DOWN: Final = Context(prec=28, rounding=ROUND_DOWN)
_UP: Final = Context(prec=28, rounding=ROUND_UP)


@dataclass(frozen=True, slots=True)
class Quote:
    """What entering would cost now, USDT per coin.

    limit_px  the worst the order may pay, on the tick.    mid_px  of the swap's book.
    dearest_px  the highest of these and the mark: what notional is counted at.
    depth     coins to be had no further than `limit_px`.
    """

    limit_px: Decimal
    mid_px: Decimal
    mark_px: Decimal
    depth: Base

    @property
    def dearest_px(self) -> Decimal:
        return max(self.limit_px, self.mid_px, self.mark_px)


@dataclass(frozen=True, slots=True)
class Protected:
    """The plan in force and what it means at the limit price. `per_coin`: USDT one coin loses at the stop."""

    plan: ExitPlan
    leverage: Decimal
    stop_px: Decimal
    per_coin: Decimal


def quoted(
    signal: Signal,
    market: MarketView,
    slippage_bps: Decimal,
    deviation: Decimal,
    max_age_ms: int,
    now_ms: int,
) -> tuple[Verdict, Quote | None]:
    """Return what an entry would pay, or the verdict that says why that is not known or too far away."""
    book, mark_px, swap = market.swap, market.mark_px, market.pair.swap

    def said(ok: bool, reason: str, figures: Figures = ()) -> Verdict:
        return Verdict(ok, "signal_price", reason, figures, signal.instrument)

    if book is None or not book.is_sane or mark_px is None or mark_px <= 0:
        return said(False, "no book or no mark price"), None
    age_ms = now_ms - min(book.seen_ms, market.mark_seen_ms)
    aged: Figures = (("age_ms", age_ms), ("max_age_ms", max_age_ms))
    if age_ms > max_age_ms:
        return said(False, "the book or the mark price is too old", aged), None
    mid_px = book.mid
    away = abs(mid_px - signal.px) / signal.px
    far_px = mid_px * (1 + signal.side.sign * slippage_bps / BPS)
    limit_px = floor_to(far_px, swap.tick) if signal.side is Side.BUY else ceil_to(far_px, swap.tick)
    quote = Quote(limit_px, mid_px, mark_px, swap.to_base(book.depth_within(signal.side, slippage_bps)))
    figures: Figures = (
        ("signal_px", signal.px),
        ("mid_px", mid_px),
        ("mark_px", mark_px),
        ("deviation_ratio", away),
        ("max_deviation_ratio", deviation),
        *aged,
    )
    if limit_px <= 0:
        return said(False, "the price is below a tick", figures), None
    if away > deviation:
        return said(False, "the price has run away from the signal's", figures), None
    return said(True, "the price is near the signal's", figures), quote


def protected(
    signal: Signal, bounds: Bounds, quote: Quote, swap: SwapSpec
) -> tuple[Verdict, Protected | None]:
    """Return the plan with its rules applied, the leverage granted, and the stop; or why there is none.

    Leverage is the least of the wish, the ceiling, the venue's, and what leaves the stop before the
    liquidation; 1 is unlevered, and less than that would only be more margin.
    """

    def said(ok: bool, reason: str, figures: Figures) -> Verdict:
        return Verdict(ok, "signal_plan", reason, figures, signal.instrument)

    wished: Figures = (
        ("wished_leverage", bounds.wished_leverage),
        ("max_leverage", bounds.leverage),
        ("venue_leverage", swap.max_leverage),
    )
    try:
        plan = ruled(bounds.preset.plan if bounds.preset else signal.plan, signal)
        leverage = _leverage(bounds.wished_leverage, bounds.leverage, swap.max_leverage)
        away = _furthest(plan, signal, quote, leverage)
        if away * leverage > STOP_WITHIN * quote.limit_px:
            leverage = _leverage(leverage, STOP_WITHIN * quote.limit_px / away)
            away = _furthest(plan, signal, quote, leverage)
        stop_px = plan.levels(signal.side, quote.limit_px, signal.measures, leverage).stop_px
    except ValueError as error:
        return said(False, "the plan has no stop here", (("told", str(error)), *wished)), None
    figures = (
        ("plan", plan.name),
        *wished,
        ("granted_leverage", leverage),
        ("entry_px", quote.limit_px),
        ("stop_px", stop_px),
        ("stop_ratio", away / quote.limit_px),
    )
    if leverage > swap.max_leverage:
        return said(False, "the venue grants less than no leverage", figures), None
    if away * leverage > STOP_WITHIN * quote.limit_px:
        return said(False, "the stop lies behind the liquidation", figures), None
    if (quote.mark_px - stop_px) * signal.side.sign <= 0:
        return said(False, "the mark price is beyond the stop", figures), None
    return said(True, "the plan protects", figures), Protected(plan, leverage, stop_px, away)


def ruled(plan: ExitPlan, signal: Signal) -> ExitPlan:
    """Return the plan with its factor rules applied once: factors by name from the evidence.

    `strength` is the signal's, 0 to 1, where the evidence names none. Raises ValueError for a factor that
    a rule asks for and nobody measured.
    """
    if not plan.rules:
        return plan
    figures = {name: value for name, value in signal.evidence if not isinstance(value, str | bool)}
    factors = {name: Decimal(value) for name, value in figures.items()}
    return adjusted(plan, {"strength": signal.strength / STRONGEST, **factors})


def _leverage(*ways: Decimal) -> Decimal:
    return max(ONE, floor_to(min(ways), LEVERAGE_STEP))


def _furthest(plan: ExitPlan, signal: Signal, quote: Quote, leverage: Decimal) -> Decimal:
    """What a coin loses at most at the stop, whether it is had at the limit or at the mid."""
    prices = (quote.limit_px, quote.mid_px)
    return max(abs(px - plan.levels(signal.side, px, signal.measures, leverage).stop_px) for px in prices)


@dataclass(frozen=True, slots=True)
class Size:
    base: Base
    margin: Usdt
    risk: Usdt


def sized(
    signal: Signal,
    sleeve: SleeveView,
    bounds: Bounds,
    quote: Quote,
    stop: Protected,
    swap: SwapSpec,
    depth_share: Decimal,
) -> tuple[Verdict, Size | None]:
    """Return the coins, whole lots rounded down: the least of every ceiling, each of which is a figure.

    risk      sleeve x risk ratio, or what the day may still lose, / loss of a coin at the stop.
    coin, total, notional  what the limit leaves beside what is held, at the dearest known price.
    margin    the sleeve's capital that backs nothing yet x leverage.
    depth     the share of the book that may be taken.    order  the venue's largest order.
    asked     what the signal asks for at most.    preset_*  the preset's own ways.
    """
    there = sum((held.notional for held in sleeve.in_coin(signal.instrument)), ZERO)
    all_held = sum((held.notional for held in sleeve.held), ZERO)
    margins = sum((held.margin for held in sleeve.held), ZERO)
    left_today = bounds.daily_loss - max(ZERO, sleeve.lost_today)
    px = quote.dearest_px
    ways: dict[str, Decimal] = {
        "risk_base": _part(min(bounds.risk, left_today), stop.per_coin),
        "coin_base": _part(bounds.coin - there, px),
        "total_base": _part(bounds.total - all_held, px),
        "notional_base": _part(bounds.notional - there, px),
        "margin_base": _part((sleeve.capital - margins) * stop.leverage, px),
        "depth_base": quote.depth * depth_share,
        "order_base": swap.to_base(swap.max_limit_size),
    }
    if signal.most_base is not None:
        ways["asked_base"] = signal.most_base
    if bounds.preset is not None:
        wished, _ = bounds.preset.wished_size(sleeve.capital, quote.limit_px, stop.stop_px, stop.leverage)
        ways["preset_base"] = wished
    bound = min(ways, key=lambda way: ways[way])
    base = Base(max(ZERO, _down(ways[bound], swap.step)))
    notional = base * px
    figures: Figures = (
        *ways.items(),
        ("bound_by", bound),
        ("step_base", Decimal(swap.step)),
        ("base", Decimal(base)),
        ("notional_usdt", notional),
        ("min_notional_usdt", bounds.least_notional),
    )
    for holds, reason in (
        (base > 0 and base >= swap.to_base(swap.min_size), "less than the venue's smallest order is left"),
        (notional >= bounds.least_notional, "smaller than what is worth an order"),
    ):
        if not holds:
            return Verdict(False, "signal_size", reason, figures, signal.instrument), None
    margin = Usdt(_UP.divide(notional, stop.leverage))  # in its last digit, never less than it takes
    size = Size(base, margin, Usdt(base * stop.per_coin))
    risked = (("risk_usdt", size.risk), ("margin_usdt", size.margin))
    reason = "the size is within every limit"
    return Verdict(True, "signal_size", reason, (*figures, *risked), signal.instrument), size


def _part(amount: Decimal, px: Decimal) -> Decimal:
    """Coins of an amount, rounded down in the last digit: what is multiplied back is never more."""
    return _DOWN.divide(max(ZERO, amount), px)


def _down(base: Decimal, step: Decimal) -> Decimal:
    return _DOWN.divide(base, step).to_integral_value(ROUND_DOWN) * step
