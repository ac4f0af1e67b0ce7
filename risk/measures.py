"""What several guards need: the planned opening in figures, and one way to word a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from config.schema import Margin
from core.context import Context, MarketView
from core.events import HedgeTarget
from core.types import ZERO, Base, Book, Contracts, Side, Usdt, ceil_to
from core.verdict import Figures, Verdict

Check = tuple[bool, str]  # holds, and what to say when it does not
Taken = tuple[Decimal, Decimal]  # of a book: the size takeable, its average price


def judged(
    guard: str, checks: Iterable[Check], well: str, figures: Figures, instrument: str | None = None
) -> Verdict:
    """Return a verdict that refuses with the first check that does not hold, or says `well`."""
    for holds, reason in checks:
        if not holds:
            return Verdict(False, guard, reason or well, figures, instrument)
    return Verdict(True, guard, well, figures, instrument)


def account_gap(ctx: Context, limits: Margin) -> str:
    """Say why the account cannot be judged: never seen, or too old; empty when it can."""
    if ctx.account is None:
        return "account was never seen"
    if ctx.now_ms - ctx.account.seen_ms > limits.max_age_s * 1000:
        return "account snapshot is stale"
    return ""


def price_gap(ctx: Context) -> str:
    """Say why prices of what is held cannot be judged: one of them has just jumped; empty when they can."""
    doubted = sorted(h.instrument for h in ctx.open_hedges if h.instrument in ctx.doubtful)
    return f"a price of {', '.join(doubted)} has jumped and is not confirmed yet" if doubted else ""


class Opening(NamedTuple):
    """The plan's best opening, measured on the books the decision sees.

    added      coins the hedge would grow by, on each leg.
    spot_size  coins to buy, so that `added` remains after the fee in the coin.
    contracts  contracts to sell.
    bought, sold   both sizes walked through their books: (size takeable, its average price).
    swap_notional  USDT value at mark of the contracts to sell.
    spot_cost      USDT the spot leg takes; its fee is paid in the coin bought.
    swap_fee       USDT, a taker's.
    """

    target: HedgeTarget
    market: MarketView
    spot: Book
    swap: Book
    added: Base
    spot_size: Base
    contracts: Contracts
    bought: Taken
    sold: Taken
    swap_notional: Usdt
    spot_cost: Usdt
    swap_fee: Usdt

    @property
    def instrument(self) -> str:
        return self.target.instrument


def opening_of(ctx: Context) -> Opening | str | None:
    """Return the best opening of the plan, None when there is none, or why it cannot be measured."""
    return ctx.once(_measure)


def _measure(ctx: Context) -> Opening | str | None:
    if not ctx.plan.opening:
        return None
    target = ctx.plan.opening[0]
    market, fees = ctx.markets.get(target.instrument), ctx.fees.get(target.instrument)
    if market is None or market.spot is None or market.swap is None or not market.is_quoted:
        return "the planned pair is not quoted"
    if not market.mark_px:
        return "the planned pair has no mark price"
    if fees is None:
        return "fees of the planned pair are not known"
    hedge = ctx.hedges.get(target.instrument)
    spot_held, short_held = (hedge.spot_base, hedge.short_base) if hedge else (ZERO, ZERO)
    added = max(ZERO, target.base - short_held)
    missing = max(ZERO, target.base - spot_held)
    spot_size = ceil_to(missing / (1 - max(fees.spot_taker, ZERO)), market.pair.spot.lot)
    contracts = market.pair.swap.to_contracts(added)
    notional = market.pair.swap.to_base(contracts) * market.mark_px
    bought = market.spot.walk(Side.BUY, spot_size)
    return Opening(
        target=target,
        market=market,
        spot=market.spot,
        swap=market.swap,
        added=Base(added),
        spot_size=Base(spot_size),
        contracts=contracts,
        bought=bought,
        sold=market.swap.walk(Side.SELL, contracts),
        swap_notional=Usdt(notional),
        spot_cost=Usdt(bought[1] * spot_size),
        swap_fee=Usdt(notional * max(fees.swap_taker, ZERO)),
    )


@dataclass(frozen=True, slots=True)
class Projection:
    """Backing equity and swap notional as they would stand after the opening, USDT."""

    backing: Usdt
    notional: Usdt

    @property
    def leverage(self) -> Usdt | None:
        """Notional / backing; None when nothing backs it, which is leverage without a bound."""
        return Usdt(self.notional / self.backing) if self.backing > 0 else None


def projection_of(ctx: Context) -> Projection:
    """Return backing and notional after the plan's best opening, or as they are now when there is none.

    The spot leg is paid out of USDT and the coins bought count for nothing: exact in futures mode,
    and on the safe side in multi-currency mode, where the venue would count them at a discount.
    """
    return ctx.once(_project)


def _project(ctx: Context) -> Projection:
    opening = opening_of(ctx)
    if not isinstance(opening, Opening):
        return Projection(Usdt(ctx.backing_equity), Usdt(ctx.swap_notional))
    return Projection(
        Usdt(ctx.backing_equity - opening.spot_cost - opening.swap_fee),
        Usdt(ctx.swap_notional + opening.swap_notional),
    )
