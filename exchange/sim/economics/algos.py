"""Algo orders: they wait for a price, then place a normal order. api-v5.md 4.6.

They hold nothing back. `watch` looks at every waiting order after every step of the market and after
every command, oldest first, again and again until the present prices call for nothing more.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from decimal import Decimal

from exchange.sim.algo_model import AlgoOrder, Attached, Trigger
from exchange.sim.economics import algo_rules, latency, orders
from exchange.sim.economics.accounts import leverage_of
from exchange.sim.economics.order_words import opposite
from exchange.sim.economics.trigger_rules import check_sides, check_trigger, watched
from exchange.sim.economics.world import World
from exchange.sim.events import AlgoChanged
from exchange.sim.markets.market import Market
from exchange.sim.model import AccountState, Order, Reject
from exchange.sim.seam import AlgoChange, AlgoParams

_SOURCES = {"trigger": "6", "conditional": "7", "oco": "7", "move_order_stop": "25"}  # order.source


def place(world: World, account: AccountState, params: AlgoParams) -> AlgoOrder:
    """Accept an algo order. Raises Reject. What its price calls for already happens at the next `watch`."""
    if params.kind == "conditional" and params.stop_loss is not None:
        params = replace(params, take_profit=None)  # with both, only the stop loss is carried out
    algo_rules.check(world, account, params)
    return _accept(world, account, params, world.next_id())


def _accept(world: World, account: AccountState, params: AlgoParams, algo_id: str) -> AlgoOrder:
    market = world.markets[params.inst_id]
    algo = AlgoOrder(
        algo_id=algo_id, cl_id=params.cl_id, tag=params.tag, inst_id=params.inst_id,
        side=params.side, pos_side=params.pos_side, td_mode=params.td_mode, kind=params.kind,
        size=params.size, reduce_only=params.reduce_only, target_ccy=params.target_ccy,
        with_position=params.with_position, created_ms=world.now_ms, updated_ms=world.now_ms,
        last_px=market.last, leverage=leverage_of(account, params.position), take_profit=params.take_profit,
        stop_loss=params.stop_loss, trigger=params.trigger, then=params.then, trailing=params.trailing,
        attached=params.attached,
    )  # fmt: skip
    if algo.trigger is not None:
        algo.rises = algo.trigger.price >= watched(market, algo.trigger.watches)
    if algo.trailing is not None and algo.trailing.active_px is None:
        algo.extreme_px = market.last
    account.algos[algo.algo_id] = account.open_algos[algo.algo_id] = algo
    world.waiting[algo.algo_id] = account
    _tell(world, account, algo)
    return algo


def cancel(world: World, account: AccountState, algo: AlgoOrder) -> None:
    """Raise Reject(51400) when it is not waiting any more, 51416 when it has triggered."""
    if algo.state == "effective":
        raise Reject("51416", "Order has been triggered and can't be canceled")
    if not algo.is_open:
        raise Reject("51400", "Cancellation failed as the order has been filled, canceled or does not exist.")
    _finish(world, account, algo, "canceled")


def amend(world: World, account: AccountState, algo: AlgoOrder, change: AlgoChange) -> None:
    """Change size, trigger or order price of a waiting order. A refusal changes nothing and is told too."""
    try:
        amended = _amended(world, account, algo, change)
    except Reject:
        _tell(world, account, algo, change.req_id, "-1")
        raise
    algo.size, algo.take_profit, algo.stop_loss = amended.size, amended.take_profit, amended.stop_loss
    algo.trigger, algo.rises = amended.trigger, amended.rises
    _tell(world, account, algo, change.req_id, "0")


def _amended(world: World, account: AccountState, algo: AlgoOrder, change: AlgoChange) -> AlgoOrder:
    if not algo.is_open:
        raise Reject("51503", "Your order has already been filled or canceled.")
    if algo.kind == algo_rules.TRAILING:
        raise Reject("51506", "Order modification unavailable for the order type.")
    market = world.market(algo.inst_id)
    new = copy(algo)
    if change.size is not None:
        if algo.size is None:
            raise Reject(
                "51524",
                "Unable to modify the order quantity of a stop order that closes an entire position. "
                "Please modify the trigger price instead.",
            )
        new.size = change.size
    new.take_profit = _arm(algo.take_profit, change.take_profit)
    new.stop_loss = _arm(algo.stop_loss, change.stop_loss)
    new.trigger = _arm(algo.trigger, change.trigger)
    arms = algo_rules.arms_of(new)
    if not arms:
        raise Reject(
            "51531",
            "Order modification unsuccessful. The stop order must have either take profit or stop "
            "loss attached.",
        )
    for arm in arms:
        check_trigger(market, arm)
        if new.size is None and arm.order_px is not None:
            raise Reject(
                "51523",
                "Unable to modify the order price of a stop order that closes an entire position. Please "
                "modify the trigger price instead.",
            )
        if new.size is not None:
            kind = "market" if arm.order_px is None else "limit"
            orders.check_size(market, algo_rules.order_of(new, kind, new.size, arm.order_px))
    check_sides(market, algo.side, new.take_profit, new.stop_loss)
    if new.trigger is not None:
        new.rises = new.trigger.price >= watched(market, new.trigger.watches)
    return new


def _arm(old: Trigger | None, new: Trigger | None) -> Trigger | None:
    if new is None:
        return old
    if old is None:
        raise Reject(
            "51526",
            "Order modification unsuccessful. Take profit/Stop loss conditions cannot be added to or "
            "removed from stop orders.",
        )
    return new if new.price else None


def watch(world: World) -> None:
    """Let everything the present prices and positions call for happen, and what follows from it."""
    while world.hatching or world.waiting:
        for account, order in world.hatching:
            _hatch(world, account, order)
        world.hatching.clear()
        if world.closed or not any([_look(world, owner, id_) for id_, owner in list(world.waiting.items())]):
            return


def _look(world: World, account: AccountState, algo_id: str) -> bool:
    """Whether the order went off, or went away with its position."""
    algo = account.open_algos.get(algo_id)
    if algo is None:  # another of this round took it along
        return False
    market = world.markets[algo.inst_id]
    if (algo.size is None or algo.with_position) and not orders.reducible(account, algo):
        _finish(world, account, algo, "canceled")
        return True
    sells = algo.side == "sell"
    if algo.trailing is not None:
        if not _trails(algo, market):
            return False
        _go_off(world, account, algo, None, "")
        return True
    for arm, rises, side in (
        (algo.stop_loss, not sells, "sl"),
        (algo.take_profit, sells, "tp"),
        (algo.trigger, algo.rises, ""),
    ):
        if arm is not None and _reached(market, arm, rises):
            _go_off(world, account, algo, arm.order_px, side)
            return True
    return False


def _reached(market: Market, arm: Trigger, rises: bool) -> bool:
    price = watched(market, arm.watches)
    return price >= arm.price if rises else price <= arm.price


def _trails(algo: AlgoOrder, market: Market) -> bool:
    """Follow the market; say whether it has come back far enough."""
    assert algo.trailing is not None
    last, active_px, sells = market.last, algo.trailing.active_px, algo.side == "sell"
    if algo.extreme_px is None:
        assert active_px is not None
        if last < active_px if sells else last > active_px:
            return False
        algo.extreme_px = last
    algo.extreme_px = max(algo.extreme_px, last) if sells else min(algo.extreme_px, last)
    trigger_px = algo.trigger_px
    assert trigger_px is not None
    return last <= trigger_px if sells else last >= trigger_px


def _go_off(world: World, account: AccountState, algo: AlgoOrder, price: Decimal | None, side: str) -> None:
    """Place the normal order. When the venue refuses it, the algo order has failed."""
    algo.triggered_ms, algo.actual_side = world.now_ms, side
    size = algo.size if algo.size is not None else orders.reducible(account, algo)
    kind = "market" if price is None else (algo.then or "limit")
    params = algo_rules.order_of(
        algo, kind, size, price, source=_SOURCES[algo.kind], algo_id=algo.algo_id, algo_cl_id=algo.cl_id
    )
    try:
        order = latency.place(world, account, params)
    except Reject as no:
        algo.fail_code = no.code
        _finish(world, account, algo, "order_failed")
        return
    algo.ord_id, algo.actual_size = order.ord_id, order.size
    algo.actual_px = order.price or order.avg_px or world.markets[order.inst_id].last
    _finish(world, account, algo, "effective")


def _hatch(world: World, account: AccountState, order: Order) -> None:
    """A filled order's take profit and stop loss come alive: a swap's as reduce-only orders."""
    instrument = world.markets[order.inst_id].instrument
    coins_left = order.filled + (order.fee if order.fee_ccy == instrument.base else 0)
    whole = order.filled if instrument.is_swap else coins_left // instrument.lot * instrument.lot
    for one in order.attached:
        params = AlgoParams(
            order.inst_id, order.td_mode, opposite(order.side), _kind_of(one),
            one.size if one.size is not None else whole, cl_id=one.cl_id, tag=order.tag,
            pos_side=order.pos_side, reduce_only=instrument.is_swap,
            target_ccy="" if instrument.is_swap else "base_ccy",
            take_profit=one.take_profit, stop_loss=one.stop_loss,
        )  # fmt: skip
        _accept(world, account, params, one.algo_id)


def _kind_of(one: Attached) -> str:
    return "oco" if one.take_profit is not None and one.stop_loss is not None else "conditional"


def _finish(world: World, account: AccountState, algo: AlgoOrder, state: str) -> None:
    algo.state = state
    account.open_algos.pop(algo.algo_id)
    world.waiting.pop(algo.algo_id)
    world.ended_algos.append((world.now_ms, account, algo.algo_id))
    _tell(world, account, algo)


def _tell(
    world: World, account: AccountState, algo: AlgoOrder, req_id: str = "", amend_result: str = ""
) -> None:
    algo.updated_ms = account.updated_ms = world.now_ms
    world.outbox.append(AlgoChanged(account.name, copy(algo), req_id, amend_result))
