"""How large a hedge may be: the smallest of many ceilings, in whole lots."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.schema import Settings
from core.capital import STEP, spot_budget
from core.context import Context, HedgeView, MarketView
from core.types import BPS, ONE, ZERO, AccountMode, Base, Contracts, FeeRates, Pair, Side, ceil_to
from core.verdict import Figures

LEAST_GROWTH: Final = STEP * 4 / 5  # of a place: a step of the capital, less what lots and fees take off
Ceiling = tuple[str, Decimal]  # what limits, coins


@dataclass(frozen=True, slots=True)
class Sizing:
    """A hedge in whole lots.

    contracts   to be short; 0 when less than the venue's least order fits.
    base        the same in coins: the hedge's target.
    spot_size   coins to buy so that after the fee in the coin at least `base` remains.
    bound       the ceiling that decided.    ceilings  all of them, coins.
    """

    contracts: Contracts
    base: Base
    spot_size: Base
    bound: str
    ceilings: tuple[Ceiling, ...]

    @property
    def terms(self) -> Figures:
        return (
            ("size_base", Decimal(self.base)),
            ("bound_by", self.bound),
            *((f"ceiling_{name}_base", coins) for name, coins in self.ceilings),
        )


def planned_hedges(settings: Settings) -> int:
    """How many hedges the sleeve is divided among: what may be hedged, but no more than may be held."""
    universe = settings.instruments.universe
    names = universe.size if universe.enabled else len(settings.instruments.instruments)
    return min(names, settings.risk.caps.max_instruments)


def place_is_free(settings: Settings, ctx: Context) -> bool:
    """Whether another hedge may be held, and the sleeve has half a share or more left for it."""
    if len(ctx.open_hedges) >= settings.risk.caps.max_instruments:
        return False
    budget = spot_budget(settings.account, ctx)
    left = budget - sum((hedge.entry_notional for hedge in ctx.open_hedges), ZERO)
    return left >= budget / planned_hedges(settings) / 2


def growth_due(settings: Settings, ctx: Context, hedge: HedgeView) -> bool:
    """Whether a place of the sleeve has become larger than the hedge that stands in it, by most of a step.

    Both in USDT at entry, so that a price that moves is no growth. Only profits that count make it due.
    """
    share = spot_budget(settings.account, ctx) / planned_hedges(settings)
    return settings.account.compound and share - hedge.entry_notional >= share * LEAST_GROWTH


def ceilings(settings: Settings, ctx: Context, market: MarketView, fees: FeeRates) -> tuple[Ceiling, ...]:
    """Return everything that limits what may be added of a coin, in coins. The market must be quoted.

    share          the sleeve's spot budget / planned hedges.
    sleeve         what other hedges, at their entry, leave of the budget.
    position, concentration, total   the configured caps, at today's price.
    funds          free USDT pays spot (with slippage and fee) and margin at the split; see `_funds`.
    rise           multi-currency mode: a rise of all prices at once leaves no debt; see `_rise`.
    spot_depth, swap_depth   our share of what the side we take offers within the band.
    spot_order, swap_order   the venue's largest limit order.

    What is held of the coin already is taken off the first five, at its entry or at today's price.
    """
    assert market.spot is not None and market.swap is not None  # is_quoted
    name, px = market.pair.name, market.spot.mid
    budget, caps, liquidity = spot_budget(settings.account, ctx), settings.risk.caps, settings.risk.liquidity
    own, others = ctx.hedges.get(name), [h for h in ctx.open_hedges if h.instrument != name]
    stands = own is not None and own.size >= market.pair.swap.step  # less is dust
    own_entered, own_worth = (own.entry_notional, own.size * px) if own and stands else (ZERO, ZERO)
    entered = sum((h.entry_notional for h in others), max(own_entered, own_worth))
    worth = sum((_worth(ctx, h.instrument, h.size, h.entry_notional) for h in others), own_worth)
    share, band = liquidity.max_depth_share, liquidity.depth_band_bps
    spot_depth = market.spot.depth_within(Side.BUY, band)
    swap_depth = market.pair.swap.to_base(market.swap.depth_within(Side.SELL, band))
    return (
        ("share", max(ZERO, budget / planned_hedges(settings) - own_entered) / px),
        ("sleeve", max(ZERO, budget - entered) / px),
        ("position", max(ZERO, settings.account.max_position_value - own_worth) / px),
        ("concentration", max(ZERO, budget * caps.max_concentration - own_worth) / px),
        ("total", max(ZERO, caps.max_total_value - worth) / px),
        ("funds", _funds(settings, ctx, market, fees)),
        *_rise(settings, ctx, market, fees),
        ("spot_depth", _after_fee(spot_depth * share, market.pair, fees)),
        ("swap_depth", swap_depth * share),
        ("spot_order", _after_fee(market.pair.spot.max_limit_size, market.pair, fees)),
        ("swap_order", Decimal(market.pair.swap.to_base(market.pair.swap.max_limit_size))),
    )


def fit(pair: Pair, spot_fee: Decimal, limits: tuple[Ceiling, ...]) -> Sizing:
    """Return the largest hedge below all `limits` (at least one) that both markets can express.

    Contracts are whole lots. Spot is bought in whole spot lots so that what remains after the fee in the
    coin is `base`, up to one spot lot; where the spot lot is the coarser one, contracts follow what
    the spot leg can be. 1.0005 coins, fee 0.001, both lots 0.001: 1.000 short, 1.002 bought, 1.000998 kept.
    """
    swap, keep = pair.swap, ONE - max(spot_fee, ZERO)
    bound, most = min(limits, key=lambda limit: limit[1])
    base = swap.to_base(swap.to_contracts(max(ZERO, most)))
    bought = ceil_to(base / keep, pair.spot.lot)
    contracts = swap.to_contracts(bought * keep)
    if swap.to_base(contracts) > most:  # only when a spot lot is coarser than a swap lot
        bought -= pair.spot.lot
        contracts = swap.to_contracts(max(ZERO, bought * keep))
    if contracts < swap.min_size or not contracts or bought < pair.spot.min_size:
        return Sizing(Contracts(ZERO), Base(ZERO), Base(ZERO), bound, limits)
    return Sizing(contracts, swap.to_base(contracts), Base(bought), bound, limits)


def _after_fee(bought: Decimal, pair: Pair, fees: FeeRates) -> Decimal:
    """Coins of hedge that can be made of at most `bought` coins: less the fee and the rounding to a lot."""
    return max(ZERO, bought - pair.spot.lot) * (ONE - max(fees.spot_taker, ZERO))


def _funds(settings: Settings, ctx: Context, market: MarketView, fees: FeeRates) -> Decimal:
    """Coins that free USDT pays for, on both legs.

    free = min(available, backing equity - margin the held swaps need at the split); a coin costs its
    price with the slippage allowed and the fee, plus margin and fee of its short. 0 without an account.
    """
    if ctx.account is None or market.spot is None:
        return ZERO
    account = settings.account
    margin_per_spot = account.futures_ratio / account.spot_ratio
    free = min(ctx.account.available("USDT"), ctx.backing_equity - ctx.swap_notional * margin_per_spot)
    return max(ZERO, free) / _cost(settings, market.spot.mid, market, fees, margin_per_spot)


def _rise(settings: Settings, ctx: Context, market: MarketView, fees: FeeRates) -> tuple[Ceiling, ...]:
    """Coins after whose opening a rise of every price by `stress_rise_ratio` can be paid in USDT.

    In multi-currency mode the coins back the shorts too, but a short's loss is paid in USDT: what is left of
    them must be that share s of all notional, what is held included. Without a ceiling in futures mode,
    where the margin itself is USDT.
    """
    if ctx.account is None or ctx.account.mode is AccountMode.FUTURES or market.spot is None:
        return ()
    rise = settings.risk.margin.stress_rise_ratio
    free = max(ZERO, ctx.cash - ctx.swap_notional * rise)
    return (("rise", free / _cost(settings, market.spot.mid, market, fees, rise)),)


def _cost(
    settings: Settings, px: Decimal, market: MarketView, fees: FeeRates, margin_per_spot: Decimal
) -> Decimal:
    """USDT a coin of hedge takes: its price with the slippage allowed and the fee, margin and fee of its
    short."""
    slippage = settings.strategy.opening.max_slippage_bps / BPS
    spot_cost = px * (1 + slippage) / (ONE - max(fees.spot_taker, ZERO))
    return spot_cost + (market.mark_px or px) * (margin_per_spot + max(fees.swap_taker, ZERO))


def _worth(ctx: Context, name: str, coins: Decimal, entry_notional: Decimal) -> Decimal:
    """USDT value of a hedge today, or what it cost while its market is not quoted."""
    market = ctx.markets.get(name)
    if market is None or market.spot is None or not market.spot.is_sane:
        return entry_notional
    return coins * market.spot.mid
