"""What must never happen, as code: no configuration moves these lines.

At every opening (RedLineGuard) and again at every single order (check_order): effective leverage never
above 3, no directional bet, no averaging down, no order past its target, nothing larger than the sleeve.
The pair's stop and target cannot be switched off either: config.schema bounds both above zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Protocol

from config.schema import MAX_LEVERAGE, Account
from core.capital import spot_budget
from core.context import Context
from core.types import ZERO, AccountMode, AccountSnapshot, Base, Leg, OrderRequest, Pair, Side
from core.verdict import Verdict
from risk.measures import judged, opening_of, projection_of

GUARD: Final = "red_lines"
COIN_FEE_SLACK: Final = Decimal("0.01")  # of the target: more than any spot fee


class Legs(Protocol):
    """What an order is judged against: coins held, coins short, and the journalled target.

    core.context.HedgeView fits, and so does the books' own hedge.
    """

    @property
    def spot_base(self) -> Base: ...

    @property
    def short_base(self) -> Base: ...

    @property
    def target_base(self) -> Base: ...


class RedLineGuard:
    """Judges the planned opening as a whole.

    A target names one quantity for both legs, so a plan of HedgeTargets cannot be directional; what could
    be is a hedge whose legs already differ: it is repaired first, never enlarged, whatever it earns.
    """

    name = GUARD

    def __init__(self, account: Account) -> None:
        self._account = account

    def check(self, ctx: Context) -> Verdict:
        if not ctx.plan.opening:
            return Verdict(True, self.name, "nothing is planned")
        target = ctx.plan.opening[0]
        opening = opening_of(ctx)
        if isinstance(opening, str) or opening is None:
            return Verdict(False, self.name, opening or "nothing is planned", (), target.instrument)
        pair = opening.market.pair
        hedge = ctx.hedges.get(opening.instrument)
        net_delta = abs(hedge.net_delta) if hedge else ZERO
        after = projection_of(ctx)
        held = sum((h.entry_notional for h in ctx.open_hedges if h.instrument != target.instrument), ZERO)
        sleeve, most = held + target.base * opening.spot.mid, spot_budget(self._account, ctx)
        leverage = after.leverage
        figures = (
            ("leverage_after", "no backing" if leverage is None else leverage),
            ("max_leverage", MAX_LEVERAGE),
            ("net_delta_base", net_delta),
            ("one_lot_base", Decimal(pair.swap.step)),
            ("sleeve_used_usdt", sleeve),
            ("sleeve_usdt", most),
        )
        checks = (
            (ctx.account is not None, "account was never seen"),
            (
                all(t.purpose.adds_risk for t in ctx.plan.opening),
                "a target that reduces is no opening",
            ),
            (opening.added > 0, "an opening must make the hedge larger"),
            (net_delta < pair.swap.step, "legs are unequal: repair before adding"),
            (leverage is not None and leverage <= MAX_LEVERAGE, "effective leverage would pass the red line"),
            (sleeve <= most, "hedges would be larger than their sleeve"),
        )
        return judged(self.name, checks, "no red line is near", figures, target.instrument)


def check_order(
    order: OrderRequest,
    hedge: Legs | None,
    account: AccountSnapshot | None,
    pair: Pair,
    mark_px: Decimal | None,
    *,
    other_notional: Decimal = ZERO,
    dry_run: bool = False,
) -> Verdict:
    """Say whether one order may leave. Asked immediately before every send, by code, not by habit.

    hedge           the hedge it belongs to, as the books have it now, with its journalled target.
    mark_px         the swap's mark, USDT per coin.
    other_notional  USDT at mark of the account's swaps on other pairs, for the leverage.
    dry_run         True when configuration says dry run and the order would reach a real venue.

    The rule against averaging down: an order either makes the two legs more equal, or moves its own leg
    towards the journalled target without passing it. So opening, closing and both ways of repair go
    through, while a leg that has reached its target can never be bought or sold further, whatever the
    price does: a loss cannot be doubled up, and no mistake can be repeated into a position nobody
    decided on. An order that reduces may also rest on what the account says instead of the books, so that
    a leg the venue closed by force (ADL, liquidation) can be followed down at once.

    A swap is bought only reduce-only: buying back a short is the only reason this engine has. A swap
    is sold only while the account's swap notional stays within 3x of the equity that backs it.
    """
    swap = pair.swap
    is_spot, buys = order.leg is Leg.SPOT, order.side is Side.BUY
    size = order.size if is_spot else swap.to_base(order.size)
    leverage: Decimal | None = ZERO
    if not is_spot and not buys:
        leverage = _leverage_after(size, pair, account, mark_px, other_notional)
    checks = (
        (not dry_run, "dry run: no order may leave"),
        (order.size > 0 and order.limit_px > 0, "size and price must be above zero"),
        (
            order.instrument == pair.name
            and order.inst_id == (pair.spot.inst_id if is_spot else swap.inst_id),
            "the order is for another pair",
        ),
        (order.reduce_only or is_spot or not buys, "a swap is only ever bought back, reduce-only"),
        (hedge is not None, "no hedge stands behind the order"),
        (
            hedge is not None and _is_orderly(order, size, hedge, account, pair),
            "the order would enlarge an open net delta",
        ),
        (leverage is not None and leverage <= MAX_LEVERAGE, "effective leverage would pass the red line"),
    )
    figures = (
        ("leg", order.leg.value),
        ("side", order.side.value),
        ("size_base", Decimal(size)),
        ("net_delta_base", hedge.spot_base - hedge.short_base if hedge else ZERO),
        ("target_base", Decimal(hedge.target_base) if hedge else ZERO),
        ("leverage_after", "not known" if leverage is None else leverage),
    )
    return judged(GUARD, checks, "within the red lines", figures, order.instrument)


def _is_orderly(
    order: OrderRequest, size: Decimal, hedge: Legs, account: AccountSnapshot | None, pair: Pair
) -> bool:
    """Whether the order evens the legs, or moves its leg towards the target and not past it.

    `slack` is what cannot be avoided: one order of the venue's least size, and the coin fee bought on top.
    """
    legs = [(hedge.spot_base, hedge.short_base)]
    grows = (order.leg is Leg.SPOT) is (order.side is Side.BUY)
    if account is not None and not grows:
        short = pair.swap.to_base(max(ZERO, -account.contracts(pair.swap.inst_id)))
        spot = account.cash(pair.spot.base_ccy)
        legs.append((Base(min(hedge.spot_base, spot)), Base(min(hedge.short_base, short))))
    least = max(pair.swap.step, pair.swap.to_base(pair.swap.min_size), pair.spot.min_size)
    slack = least + hedge.target_base * COIN_FEE_SLACK
    for spot_base, short_base in legs:
        delta = spot_base - short_base
        held = spot_base if order.leg is Leg.SPOT else short_base
        if grows:
            towards = held + size <= hedge.target_base + slack
        else:
            towards = held - size >= hedge.target_base - slack
        after = delta + order.side.sign * size
        evens = abs(after) <= abs(delta) and (after * delta >= 0 or abs(after) <= slack)
        if towards or evens:
            return True
    return False


def _leverage_after(
    size: Decimal,
    pair: Pair,
    account: AccountSnapshot | None,
    mark_px: Decimal | None,
    other_notional: Decimal,
) -> Decimal | None:
    """Swap notional / backing equity once `size` coins more are sold short; None when it cannot be known."""
    if account is None or mark_px is None:
        return None
    if account.mode is AccountMode.FUTURES:
        usdt = account.balances.get("USDT")
        backing = usdt.equity if usdt else ZERO
    else:
        backing = account.adjusted_equity_usd or ZERO
    short = abs(pair.swap.to_base(account.contracts(pair.swap.inst_id)))
    return (other_notional + (short + size) * mark_px) / backing if backing > 0 else None
