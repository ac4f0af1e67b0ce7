"""What several guards need: the planned opening in figures, and one way to word a verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from config.schema import Margin
from core.context import Context, MarketView
from core.events import HedgeTarget
from core.types import ZERO, Base, Book, Contracts, FeeRates, Side, Usdt, ceil_to
from core.verdict import Figures, Verdict

Check = tuple[bool, str]  # holds, and what to say when it does not


def judged(
    guard: str, checks: Iterable[Check], well: str, figures: Figures, instrument: str | None = None
) -> Verdict:
    """Return a verdict that refuses with the first check that does not hold, or says `well`."""
    wrong = next((reason for holds, reason in checks if not holds), None)
    return Verdict(wrong is None, guard, wrong or well, figures, instrument)


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


@dataclass(frozen=True, slots=True)
class Opening:
    """The plan's best opening, measured on the books the decision sees.

    added      coins the hedge would grow by, on each leg.
    spot_size  coins to buy, so that `added` remains after the fee in the coin.
    contracts  contracts to sell.
    """

    target: HedgeTarget
    market: MarketView
    spot: Book
    swap: Book
    fees: FeeRates
    added: Base
    spot_size: Base
    contracts: Contracts
    mark_px: Usdt

    @property
    def instrument(self) -> str:
        return self.target.instrument

    @property
    def swap_notional(self) -> Usdt:
        """USDT value at mark of the contracts to sell."""
        return Usdt(self.market.pair.swap.to_base(self.contracts) * self.mark_px)

    @property
    def spot_cost(self) -> Usdt:
        """USDT the spot leg takes, walked through the asks; its fee is paid in the coin bought."""
        _, average_px = self.spot.walk(Side.BUY, self.spot_size)
        return Usdt(average_px * self.spot_size)

    @property
    def swap_fee(self) -> Usdt:
        return Usdt(self.swap_notional * max(self.fees.swap_taker, ZERO))


def opening_of(ctx: Context) -> Opening | str | None:
    """Return the best opening of the plan, None when there is none, or why it cannot be measured."""
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
    return Opening(
        target=target,
        market=market,
        spot=market.spot,
        swap=market.swap,
        fees=fees,
        added=Base(added),
        spot_size=Base(ceil_to(missing / (1 - max(fees.spot_taker, ZERO)), market.pair.spot.lot)),
        contracts=market.pair.swap.to_contracts(added),
        mark_px=Usdt(market.mark_px),
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


def project(ctx: Context, opening: Opening | None) -> Projection:
    """Return backing and notional after the opening (as they are now when there is none).

    The spot leg is paid out of USDT and the coins bought count for nothing: exact in futures mode,
    and on the safe side in multi-currency mode, where the venue would count them at a discount.
    """
    if opening is None:
        return Projection(Usdt(ctx.backing_equity), Usdt(ctx.swap_notional))
    return Projection(
        Usdt(ctx.backing_equity - opening.spot_cost - opening.swap_fee),
        Usdt(ctx.swap_notional + opening.swap_notional),
    )
