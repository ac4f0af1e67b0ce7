"""What the venue refuses of orders that wait for a price. Source: api-v5.md 4.6 and its code table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from exchange.sim.algo_model import AlgoOrder, Trailing, Trigger
from exchange.sim.economics import orders
from exchange.sim.economics.trigger_rules import check_attached, check_sides, check_trigger
from exchange.sim.economics.world import World
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, Reject
from exchange.sim.seam import AlgoParams, OrderParams

STOPS, PLAIN, TRAILING = ("conditional", "oco"), "trigger", "move_order_stop"
KINDS = (*STOPS, PLAIN, TRAILING)
MOST = {"conditional": 100, "oco": 100, PLAIN: 500, TRAILING: 50}  # pending per symbol; stops together
_TOO_MANY = {
    "conditional": ("51261", "Each user can hold up to 100 pending stop orders at the same time."),
    "oco": ("51261", "Each user can hold up to 100 pending stop orders at the same time."),
    PLAIN: ("51299", "Order did not go through. You can hold a maximum of 500 orders of this type."),
    TRAILING: ("51260", "Maximum of 50 pending trailing stop orders can be held at the same time."),
}
LEAST_CALLBACK, MOST_CALLBACK = Decimal("0.001"), Decimal(1)


def check(world: World, account: AccountState, params: AlgoParams) -> None:
    """Raise Reject when the order cannot stand. Money is looked at only when it triggers."""
    if world.closed:
        raise Reject("50001", "Service temporarily unavailable. Try again later")
    market = world.market(params.inst_id)
    orders.check_tradable(world, market)
    if params.kind not in KINDS:
        raise Reject("51056", f"Action not allowed: ordType {params.kind} is not available here.")
    _check_ids(account, params)
    arms = arms_of(params)
    for arm in arms:
        check_trigger(market, arm)
        _check_placeable(world, account, market, params, arm.order_px)
    if params.kind in STOPS:
        _check_stops(market, params)
    elif params.kind == PLAIN:
        _check_plain(account, market, params)
    else:
        _check_placeable(world, account, market, params, None)
        _check_trailing(market, params.side, params.trailing)
    if params.size is None or params.with_position:
        _check_bound(account, params, arms)
    _check_count(account, params)


def arms_of(order: AlgoParams | AlgoOrder) -> list[Trigger]:
    return [arm for arm in (order.take_profit, order.stop_loss, order.trigger) if arm is not None]


def _check_ids(account: AccountState, params: AlgoParams) -> None:
    taken = {algo.cl_id for algo in account.open_algos.values()}
    if params.cl_id and params.cl_id in taken:
        raise Reject("51065", "algoClOrdId already exists.")


def _check_placeable(
    world: World, account: AccountState, market: Market, params: AlgoParams, order_px: Decimal | None
) -> None:
    """Check what a trigger would place, as far as that does not depend on the moment."""
    placed = order_of(params, "limit" if order_px is not None else "market", ZERO, order_px)
    if params.size is not None:
        placed = structs.replace(placed, size=params.size)
        try:
            orders.check_size(market, placed)
        except Reject as no:
            if no.code == "51101" and order_px is None:
                raise Reject(
                    "51275", "The amount of single stop-market order cannot exceed the upper limit."
                ) from None
            raise
    orders.check_params(world, account, market, placed)


def order_of(
    order: AlgoParams | AlgoOrder, kind: str, size: Decimal, price: Decimal | None, **more: str
) -> OrderParams:
    """The normal order an algo order places."""
    in_market = kind == "market"
    return OrderParams(
        order.inst_id, order.td_mode, order.side, kind, size, price, tag=order.tag, pos_side=order.pos_side,
        reduce_only=order.reduce_only, target_ccy=order.target_ccy if in_market else "",
        attached=order.attached, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _check_stops(market: Market, params: AlgoParams) -> None:
    if params.take_profit is None and params.stop_loss is None:
        raise Reject("50015", "Either parameter tpTriggerPx or slTriggerPx is required.")
    if params.kind == "oco" and (params.take_profit is None or params.stop_loss is None):
        raise Reject("51000", "Parameter ordType error: oco needs take profit and stop loss")
    check_sides(market, params.side, params.take_profit, params.stop_loss)


def _check_plain(account: AccountState, market: Market, params: AlgoParams) -> None:
    if params.trigger is None:
        raise Reject("50014", "Parameter triggerPx can not be empty.")
    if params.then and (params.then not in ("fok", "ioc") or params.trigger.order_px is None):
        raise Reject("51000", "Parameter advanceOrdType error")
    if params.attached:
        price = params.trigger.order_px
        check_attached(
            account,
            market,
            order_of(params, "limit" if price else "market", ZERO, price),
            params.reduce_only,
        )


def _check_trailing(market: Market, side: str, trailing: Trailing | None) -> None:
    if trailing is None or (trailing.ratio is None) == (trailing.spread is None):
        raise Reject("50015", "Either parameter callbackRatio or callbackSpread is required.")
    if trailing.ratio is not None and not LEAST_CALLBACK <= trailing.ratio <= MOST_CALLBACK:
        raise Reject(
            "51311",
            "Failed to place trailing stop order. Callback rate should be within "
            f"{LEAST_CALLBACK}<x<={MOST_CALLBACK}",
        )
    if trailing.spread is not None and (trailing.spread <= 0 or trailing.spread % market.instrument.tick):
        raise Reject("51000", "Parameter callbackSpread error")
    if trailing.active_px is None:
        return
    if trailing.active_px % market.instrument.tick:
        raise Reject("51000", "Parameter activePx error")
    if side == "sell" and trailing.active_px <= market.last:
        raise Reject(
            "51258",
            "Trailing stop order placement failed. The trigger price of a sell order must be higher than "
            "the last transaction price.",
        )
    if side == "buy" and trailing.active_px >= market.last:
        raise Reject(
            "51259",
            "Trailing stop order placement failed. The trigger price of a buy order must be lower than "
            "the last transaction price.",
        )


def _check_bound(account: AccountState, params: AlgoParams, arms: Sequence[Trigger]) -> None:
    """An order tied to a position: reduce-only, and there must be one to reduce."""
    if params.size is None:
        if not params.inst_id.endswith("-SWAP"):
            raise Reject("51327", "closeFraction is only available for Expiry Futures and Perpetual Futures")
        if not params.reduce_only and params.pos_side == "net":
            raise Reject("51328", "closeFraction is only available for reduceOnly orders")
        if params.kind not in STOPS or any(arm.order_px is not None for arm in arms):
            raise Reject("51330", "closeFraction is only available for stop market orders")
        if any(each.size is None and _same_position(each, params) for each in account.open_algos.values()):
            raise Reject("51088", "You can only place 1 TP/SL order to close an entire position")
    elif not params.reduce_only and params.pos_side == "net":
        raise Reject("51000", "Parameter reduceOnly error: cxlOnClosePos needs a reduce-only order")
    if not orders.reducible(account, params):
        raise Reject("51058", "No available position for this algo order")


def _same_position(algo: AlgoOrder, params: AlgoParams) -> bool:
    return (algo.inst_id, algo.td_mode, algo.pos_side) == (params.inst_id, params.td_mode, params.pos_side)


def _check_count(account: AccountState, params: AlgoParams) -> None:
    alike = STOPS if params.kind in STOPS else (params.kind,)
    pending = sum(
        each.kind in alike and each.inst_id == params.inst_id for each in account.open_algos.values()
    )
    if pending >= MOST[params.kind]:
        raise Reject(*_TOO_MANY[params.kind])
