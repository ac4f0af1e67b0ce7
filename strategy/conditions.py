"""What must hold before a hedge is opened: one small verdict per question, each with its figures.

All of them speak about every instrument, so that "why not" has a complete answer. What cannot be
judged because candles or open interest have not come in yet passes and says so; funding history is
different: without it there is no forecast, and no opening.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import Instruments, Regime, Settings, Strategy
from core.context import Context, HedgeView, MarketView
from core.types import BPS, HOUR_MS, Contracts, FundingQuote, Pair
from core.verdict import Verdict
from strategy.costs import RoundTrip
from strategy.funding_forecast import Forecast, History
from strategy.indicators import hourly_range, open_interest_rise, trend_word
from strategy.sizing import Sizing

UNKNOWN: Final = "not known"
HELD_BEFORE_S: Final = 120  # seconds before a settlement by which a new hedge has to be complete


def is_held(hedge: HedgeView | None, pair: Pair) -> bool:
    """A hedge with at least one lot on either side; less is dust."""
    return hedge is not None and hedge.size >= pair.swap.step


def usable_quote(market: MarketView, now_ms: int) -> FundingQuote | None:
    """The funding quote if it speaks about a settlement to come, with an interval; else None."""
    quote = market.funding
    if quote is None or quote.interval_ms <= 0 or quote.funding_time_ms <= now_ms:
        return None
    return quote


def wanted(name: str, strategy: Strategy, instruments: Instruments) -> Verdict:
    """Switched on, and one of the instruments that may be hedged."""
    if not strategy.enabled:
        return Verdict(False, "wanted", "the strategy is switched off", (), name)
    if not strategy.auto_trading:
        return Verdict(False, "wanted", "automatic opening is switched off", (), name)
    universe = instruments.universe
    listed = name not in universe.exclude if universe.enabled else name in instruments.instruments
    if not listed:
        return Verdict(False, "wanted", "the instrument is not among those to hedge", (), name)
    return Verdict(True, "wanted", "may be opened automatically", (), name)


def quoted(market: MarketView) -> Verdict:
    """Both books present and not crossed, and a mark price."""
    ok = market.is_quoted and bool(market.mark_px)
    reason = "both legs are quoted" if ok else "a book or the mark price is missing"
    return Verdict(ok, "quoted", reason, (), market.pair.name)


def funding_in_band(market: MarketView, quote: FundingQuote | None, strategy: Strategy) -> Verdict:
    """min <= funding rate <= max, compared per 8 h whatever the swap's interval."""
    name, band = market.pair.name, strategy.funding_rate_threshold
    if quote is None:
        return Verdict(False, "funding_band", "no funding quote for a settlement to come", (), name)
    rate_8h = quote.rate_8h
    figures = (
        ("rate_8h", rate_8h),
        ("rate", quote.rate),
        ("interval_hours", Decimal(quote.interval_ms) / HOUR_MS),
        ("min_rate_8h", band.min),
        ("max_rate_8h", band.max),
    )
    reason = "funding is in the band"
    if rate_8h < band.min:
        reason = "funding is below the band"
    elif rate_8h > band.max:
        reason = "funding is above the band"
    return Verdict(in_band(quote, strategy), "funding_band", reason, figures, name)


def in_band(quote: FundingQuote, strategy: Strategy) -> bool:
    """The quote, per 8 h, lies where a hedge may be opened; both ends belong to it."""
    band = strategy.funding_rate_threshold
    return band.min <= quote.rate_8h <= band.max


def not_held(market: MarketView, hedge: HedgeView | None, account_contracts: Contracts) -> Verdict:
    """Neither our books nor the account have a position in the instrument."""
    figures = (
        ("hedge_base", Decimal(hedge.size) if hedge else Decimal(0)),
        ("account_contracts", Decimal(account_contracts)),
    )
    if is_held(hedge, market.pair):
        return Verdict(False, "not_held", "a hedge is held already", figures, market.pair.name)
    if account_contracts:
        reason = "the account holds a position that is not ours"
        return Verdict(False, "not_held", reason, figures, market.pair.name)
    return Verdict(True, "not_held", "nothing is held", figures, market.pair.name)


def may_grow(market: MarketView, hedge: HedgeView) -> Verdict:
    """Both legs stand equal, at what was asked for: what is being changed is not enlarged."""
    ok = abs(hedge.net_delta) < market.pair.swap.step and hedge.target_base > 0
    reason = "its place has become larger" if ok else "the hedge is being changed"
    figures = (("hedge_base", Decimal(hedge.size)), ("entry_notional_usdt", hedge.entry_notional))
    return Verdict(ok, "may_grow", reason, figures, market.pair.name)


def cooled_down(ctx: Context, name: str, cooldown_hours: Decimal) -> Verdict:
    """Long enough since the last close of this instrument."""
    last_ms = ctx.last_close_ms.get(name)
    since: Decimal | str = "never closed" if last_ms is None else Decimal(ctx.now_ms - last_ms) / HOUR_MS
    ok = isinstance(since, str) or since >= cooldown_hours
    reason = "cooled down" if ok else "closed too recently"
    figures = (("hours_since_close", since), ("cooldown_hours", cooldown_hours))
    return Verdict(ok, "cooled_down", reason, figures, name)


def away_from_settlement(ctx: Context, market: MarketView, quiet_s: int, opening_s: int) -> Verdict:
    """No settlement of the swap just behind or ahead: the venue refuses orders around it (51030).

    Ahead there must be time for a whole opening that takes as long as it may, and two minutes more: who
    holds only one leg at the settlement pays or misses it.
    """
    name, quote = market.pair.name, market.funding
    times = [market.settled[-1].ts_ms] if market.settled else []
    if quote is not None:
        times += [quote.funding_time_ms, quote.funding_time_ms - quote.interval_ms]
    if not times:
        return Verdict(True, "away_from_settlement", f"funding time {UNKNOWN}", (), name)
    nearest_s = Decimal(min(abs(ctx.now_ms - t) for t in times)) / 1000
    ahead_s = min((Decimal(t - ctx.now_ms) / 1000 for t in times if t > ctx.now_ms), default=None)
    lead_s = opening_s + HELD_BEFORE_S
    ok = nearest_s > quiet_s and (ahead_s is None or ahead_s > lead_s)
    reason = "no settlement is near" if ok else "too close to a settlement"
    figures = (("nearest_settlement_s", nearest_s), ("quiet_s", quiet_s), ("lead_s", lead_s))
    return Verdict(ok, "away_from_settlement", reason, figures, name)


def calm(ctx: Context, market: MarketView, regime: Regime) -> Verdict:
    """The last hour's range is small. A steady trend is no obstacle: the hedge has no view on price."""
    span = hourly_range(market.candles, ctx.now_ms)
    figures = (
        ("hourly_range_ratio", UNKNOWN if span is None else span),
        ("max_hourly_range_ratio", regime.max_hourly_range_ratio),
        ("regime", trend_word(market.candles)),
    )
    if span is None:
        return Verdict(True, "calm", f"hourly range {UNKNOWN}", figures, market.pair.name)
    ok = span <= regime.max_hourly_range_ratio
    reason = "the last hour was calm" if ok else "the last hour was not calm"
    return Verdict(ok, "calm", reason, figures, market.pair.name)


def uncrowded(
    ctx: Context, market: MarketView, quote: FundingQuote | None, history: History, regime: Regime
) -> Verdict:
    """Neither the funding rate nor the growth of open interest is extreme for this coin.

    funding_percentile  share of past settlements that paid less per hour than today's quote.
    open_interest_rise  change of open interest over 24 h, a fraction.
    """
    percentile = history.percentile(quote.rate, quote.interval_ms) if quote else None
    rise = open_interest_rise(market.open_interest, ctx.now_ms)
    figures = (
        ("funding_percentile", UNKNOWN if percentile is None else percentile),
        ("max_funding_percentile", regime.max_funding_percentile),
        ("open_interest_rise_ratio", UNKNOWN if rise is None else rise),
        ("max_open_interest_rise_ratio", regime.max_open_interest_rise_ratio),
    )
    name = market.pair.name
    if percentile is not None and percentile > regime.max_funding_percentile:
        return Verdict(False, "uncrowded", "funding is extreme for this coin", figures, name)
    if rise is not None and rise > regime.max_open_interest_rise_ratio:
        return Verdict(False, "uncrowded", "open interest rose too fast", figures, name)
    if percentile is None or rise is None:
        return Verdict(True, "uncrowded", f"sentiment {UNKNOWN} in part", figures, name)
    return Verdict(True, "uncrowded", "sentiment is not extreme", figures, name)


def history_known(market: MarketView, history: History, least: int) -> Verdict:
    """Enough settled rates to rest a forecast on."""
    ok = history.count >= least
    reason = "funding history suffices" if ok else "too little funding history"
    figures = (("settlements_known", history.count), ("min_settlements", least))
    return Verdict(ok, "history_known", reason, figures, market.pair.name)


def basis_in_bounds(market: MarketView, max_basis_bps: Decimal) -> Verdict:
    """|swap mid - spot mid| in bps of spot: beyond it one of the two prices is wrong, or will move."""
    basis_bps = market.basis_bps
    figures = (
        ("basis_bps", UNKNOWN if basis_bps is None else basis_bps),
        ("max_basis_bps", max_basis_bps),
    )
    ok = basis_bps is not None and abs(basis_bps) <= max_basis_bps
    reason = "swap and spot are together" if ok else "swap and spot are too far apart"
    return Verdict(ok, "basis_in_bounds", reason, figures, market.pair.name)


def large_enough(market: MarketView, sizing: Sizing | None) -> Verdict:
    """At least the venue's smallest order fits under every ceiling."""
    name = market.pair.name
    if sizing is None:
        return Verdict(False, "large_enough", f"size {UNKNOWN}: prices or fees are missing", (), name)
    if not sizing.contracts:
        return Verdict(False, "large_enough", "less than the smallest order fits", sizing.terms, name)
    return Verdict(True, "large_enough", "a whole lot or more fits", sizing.terms, name)


def net_carry_bps(forecast: Forecast, cost: RoundTrip) -> Decimal:
    """Expected funding over the horizon minus the round trip, bps of one leg's notional."""
    return forecast.expected_sum * BPS - cost.total_bps


def carry_pays(
    market: MarketView, forecast: Forecast | None, cost: RoundTrip | None, settings: Settings
) -> Verdict:
    """The forecast funding over the horizon pays the round trip, and `min_net_carry_bps` on top."""
    name, least = market.pair.name, settings.strategy.opening.min_net_carry_bps
    if forecast is None or cost is None:
        return Verdict(
            False, "net_carry", f"net carry {UNKNOWN}: forecast, size or fees are missing", (), name
        )
    net = net_carry_bps(forecast, cost)
    figures = (
        ("net_carry_bps", net),
        ("min_net_carry_bps", least),
        ("funding_bps", forecast.expected_sum * BPS),
        ("horizon_hours", settings.strategy.forecast.horizon_hours),
        *forecast.terms,
        *cost.terms,
    )
    if not cost.covered:
        return Verdict(False, "net_carry", "the books do not carry our size", figures, name)
    reason = "expected carry pays the round trip" if net >= least else "expected carry does not pay"
    return Verdict(net >= least, "net_carry", reason, figures, name)
