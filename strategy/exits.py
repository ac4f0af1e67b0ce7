"""When a held hedge is given up: risk first, then the pair's own result, then income.

Each verdict says whether the hedge may be kept; the first that says no is the reason for leaving.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from config.schema import Exit, Settings
from core.context import Context, HedgeView, MarketView
from core.types import BPS, DAY_MS, HOUR_MS, ZERO
from core.verdict import Verdict
from strategy.costs import RoundTrip
from strategy.funding_forecast import Forecast

# Closed a day before its end at the latest: two hours for the hourly look, and for a slow market.
DELISTED_LEAD_MS: Final = DAY_MS + 2 * HOUR_MS
UNSUPERVISED_MS: Final = HOUR_MS  # a longer maintenance leaves the margin without supervision
MINUTE_MS: Final = 60_000
LEAST_LEAD_MS: Final = 10 * MINUTE_MS


def reasons_to_keep(
    settings: Settings,
    ctx: Context,
    market: MarketView,
    hedge: HedgeView,
    forecast: Forecast | None,
    cost: RoundTrip | None,
) -> tuple[Verdict, ...]:
    """Return every verdict on one held hedge, in the order in which they count.

    forecast  of its funding; None while that cannot be made.
    cost      of leaving and coming back with its size; None while the books or fees are missing.
    """
    lead_ms = settings.risk.exchange.maintenance_lead_minutes * MINUTE_MS
    return (
        _leaving_goes_on(hedge),
        _listed(ctx, market),
        _supervised(ctx, hedge.instrument, lead_ms),
        *_result(settings, ctx, market, hedge),
        _income(settings, ctx, market, hedge, forecast, cost),
    )


def _leaving_goes_on(hedge: HedgeView) -> Verdict:
    """An exit once begun is finished, even if its reason has gone, and keeps that reason."""
    ok = hedge.target_base > 0
    reason = "the hedge is wanted" if ok else hedge.reason or "an exit was begun"
    return Verdict(
        ok, "keep_wanted", reason, (("target_base", Decimal(hedge.target_base)),), hedge.instrument
    )


def _listed(ctx: Context, market: MarketView) -> Verdict:
    """Neither leg is delisted within a day and two hours."""
    ends = [t for t in (market.pair.spot.exp_time_ms, market.pair.swap.exp_time_ms) if t is not None]
    name = market.pair.name
    if not ends:
        return Verdict(True, "keep_listed", "no delisting is announced", (), name)
    left_ms = min(ends) - ctx.now_ms
    figures = (("hours_left", Decimal(left_ms) / HOUR_MS),)
    ok = left_ms > DELISTED_LEAD_MS
    reason = "delisting is not near" if ok else "about to be delisted"
    return Verdict(ok, "keep_listed", reason, figures, name)


def tradable(market: MarketView) -> Verdict:
    """Both legs trade. While one is suspended or gone the pair is frozen: an exit would move one leg only."""
    spot, swap = market.pair.spot.state, market.pair.swap.state
    ok = market.pair.trades
    reason = "both legs trade" if ok else "frozen: a leg does not trade"
    return Verdict(ok, "not_frozen", reason, (("spot_state", spot), ("swap_state", swap)), market.pair.name)


def _supervised(ctx: Context, name: str, lead_ms: int) -> Verdict:
    """No long maintenance begins within the lead time: nobody could top up the margin during it."""
    lead_ms = max(lead_ms, LEAST_LEAD_MS)
    for window in ctx.venue.maintenance:
        is_long = window.end_ms - window.begin_ms > UNSUPERVISED_MS
        if is_long and window.covers(ctx.now_ms, lead_ms):
            figures = (("begin_ms", window.begin_ms), ("end_ms", window.end_ms), ("title", window.title))
            return Verdict(False, "keep_supervised", "a long maintenance is about to begin", figures, name)
    return Verdict(True, "keep_supervised", "no long maintenance is near", (), name)


def _result(settings: Settings, ctx: Context, market: MarketView, hedge: HedgeView) -> tuple[Verdict, ...]:
    """Take profit and stop loss, of the pair's capital and the pair's whole result.

    Costs of entry count from the first second, and are far from the stop: about 0.1 % of the capital against
    2 %. A loss that exists only because swap and spot stand apart right now is no reason to leave: it comes
    back when they meet, and is real only for who sells. So the stop asks that the loss be there both at
    the prices of now and with the swap at the spot price.
    """
    rules, name = settings.strategy.exit, hedge.instrument
    if market.spot is None or market.swap is None or not market.is_quoted:
        return (Verdict(True, "keep_result", "not judged: a book is missing", (), name),)
    if name in ctx.doubtful:
        return (Verdict(True, "keep_result", "not judged: a price has jumped", (), name),)
    account = settings.account
    split_capital = hedge.size * market.spot.mid * (1 + account.futures_ratio / account.spot_ratio)
    capital = hedge.capital if hedge.capital > 0 else split_capital
    gain = hedge.pnl / capital
    swap_px = market.mark_px or market.swap.mid  # the books value the short at the mark
    converged = (hedge.pnl + (swap_px - market.spot.mid) * hedge.short_base) / capital
    figures = (
        ("pnl_ratio", gain),
        ("pnl_without_basis_ratio", converged),
        ("pnl_usdt", hedge.pnl),
        ("capital_usdt", capital),
        ("funding_usdt", hedge.funding),
        ("basis_usdt", hedge.basis),
        ("fees_usdt", hedge.fees),
        ("slippage_usdt", hedge.slippage),
        ("interest_usdt", hedge.interest),
    )
    stopped = max(gain, converged) <= -rules.stop_loss_ratio
    taken = gain >= rules.take_profit_ratio
    stop, take = ("stop_loss_ratio", rules.stop_loss_ratio), ("take_profit_ratio", rules.take_profit_ratio)
    return (
        Verdict(
            not stopped,
            "keep_stop_loss",
            "stop loss of the pair" if stopped else "above the stop loss",
            (*figures, stop),
            name,
        ),
        Verdict(
            not taken,
            "keep_take_profit",
            "profit target of the pair" if taken else "below the profit target",
            (*figures[:1], take),
            name,
        ),
    )


def _income(
    settings: Settings,
    ctx: Context,
    market: MarketView,
    hedge: HedgeView,
    forecast: Forecast | None,
    cost: RoundTrip | None,
) -> Verdict:
    """Ask the configured exit mode, once the hedge has been held for `min_hold_hours`.

    `sign` and `hysteresis` look at rates settled since the opening: what was settled before was known when
    the hedge was opened, and must not close it again at once.
    """
    rules, name = settings.strategy.exit, hedge.instrument
    if not settings.strategy.enabled:
        return Verdict(True, "keep_income", "income is not judged: the strategy is switched off", (), name)
    held_hours = Decimal(ctx.now_ms - hedge.opened_ms) / HOUR_MS
    if held_hours < rules.min_hold_hours:
        figures = (("held_hours", held_hours), ("min_hold_hours", rules.min_hold_hours))
        return Verdict(True, "keep_income", "held too short to be judged", figures, name)
    if rules.mode == "expected_cost":
        return _expected_cost(settings, name, held_hours, forecast, cost)
    return _settled_below_zero(rules, market, hedge)


def _expected_cost(
    settings: Settings, name: str, held_hours: Decimal, forecast: Forecast | None, cost: RoundTrip | None
) -> Verdict:
    """Leave only when staying is forecast to cost more than leaving and coming back."""
    least = settings.strategy.forecast.min_settlements
    if forecast is None or cost is None or forecast.history < least:
        return Verdict(True, "keep_income", "not judged: no forecast, or no price of leaving", (), name)
    funding_bps = forecast.expected_sum * BPS
    figures = (
        ("funding_bps", funding_bps),
        ("leave_and_return_bps", cost.total_bps),
        ("held_hours", held_hours),
        ("horizon_hours", settings.strategy.forecast.horizon_hours),
        *forecast.terms,
        *cost.terms,
    )
    if leaving_is_cheaper(forecast, cost):
        reason = "staying is forecast to cost more than leaving and coming back"
        return Verdict(False, "keep_income", reason, figures, name)
    return Verdict(True, "keep_income", "staying is the cheaper way", figures, name)


def leaving_is_cheaper(forecast: Forecast, cost: RoundTrip) -> bool:
    """Over the horizon, staying is forecast to cost more than leaving and coming back."""
    return forecast.expected_sum * BPS < -cost.total_bps


def negative_needed(rules: Exit) -> int:
    """How many settlements below zero in a row the literal modes leave after."""
    return 1 if rules.mode == "sign" else rules.negative_settlements


def negative_in_a_row(rates: Sequence[Decimal]) -> int:
    """How many of the last rates, oldest first, were below zero without one between that was not."""
    below = 0
    for rate in reversed(rates):
        if rate >= ZERO:
            break
        below += 1
    return below


def _settled_below_zero(rules: Exit, market: MarketView, hedge: HedgeView) -> Verdict:
    """`sign`: the last settlement since opening was below zero. `hysteresis`: the last n all were."""
    needed = negative_needed(rules)
    since = [s.rate for s in market.settled if s.ts_ms > hedge.opened_ms]
    below = negative_in_a_row(since)
    figures = (
        ("settled_since_opening", len(since)),
        ("last_settled_rate", since[-1] if since else "none yet"),
        ("negative_in_a_row", below),
        ("negative_settlements", needed),
    )
    if below >= needed:
        return Verdict(False, "keep_income", "funding settled below zero", figures, hedge.instrument)
    return Verdict(
        True, "keep_income", "funding has not settled below zero for long", figures, hedge.instrument
    )
