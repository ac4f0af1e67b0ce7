"""Where a trigger may stand: of algo orders, and of what is attached to normal ones. api-v5.md 4.6."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.algo_model import Attached, Trigger
from exchange.sim.markets.market import Market
from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import OrderParams

SOURCES = ("last", "mark", "index")
MOST_SPLIT_TPS = 10

# (watched price, side of the order): code when it is beyond the price already, which side it must not be on
_TP = {
    ("last", "buy"): "51277", ("mark", "buy"): "51300", ("index", "buy"): "51305",
    ("last", "sell"): "51279", ("mark", "sell"): "51303", ("index", "sell"): "51307",
}  # fmt: skip
_SL = {
    ("last", "buy"): "51278", ("mark", "buy"): "51302", ("index", "buy"): "51306",
    ("last", "sell"): "51280", ("mark", "sell"): "51304", ("index", "sell"): "51308",
}  # fmt: skip


def watched(market: Market, source: str) -> Decimal:
    """The price a trigger looks at."""
    if source == "mark":
        return market.mark_px
    return market.index_px if source == "index" else market.last


def check_trigger(market: Market, arm: Trigger) -> None:
    if arm.watches not in SOURCES:
        raise Reject("51000", "Parameter triggerPxType error")
    if not market.instrument.is_swap and arm.watches != "last":
        raise Reject(
            "51415",
            "Unable to place order. Spot trading only supports using the last price as trigger price. "
            'Please select "Last" and try again.',
        )
    for name, price in (("triggerPx", arm.price), ("ordPx", arm.order_px)):
        if price is not None and (price <= 0 or price % market.instrument.tick):
            raise Reject(
                "51000", f"Parameter {name} error: not a multiple of the tick size {market.instrument.tick}"
            )


def check_sides(market: Market, side: str, take_profit: Trigger | None, stop_loss: Trigger | None) -> None:
    """A sell takes its profit above the watched price and stops below; a buy the other way round."""
    words = {"last": "last price", "mark": "mark price", "index": "index price"}
    for arm, codes, name, above in (
        (take_profit, _TP, "TP", side == "sell"),
        (stop_loss, _SL, "SL", side == "buy"),
    ):
        if arm is None:
            continue
        price = watched(market, arm.watches)
        if (arm.price < price) if above else (arm.price > price):
            wrong = "lower" if above else "higher"
            raise Reject(
                codes[arm.watches, side],
                f"{name} trigger price cannot be {wrong} than the {words[arm.watches]}",
            )


# --- take profit and stop loss attached to a normal order ---------------------------------------


def check_attached(account: AccountState, market: Market, params: OrderParams, closing: bool) -> None:
    """Check what hangs on an order; `params.attached` is not empty."""
    if closing:
        raise Reject(
            "51100",
            "Unable to place order. Take profit/Stop loss conditions cannot be added to reduce-only orders.",
        )
    if params.kind == "market" and not market.instrument.is_swap and _is_odd_unit(params):
        raise Reject(
            "51044",
            f"The order type {params.kind}, {params.target_ccy} is not allowed to set stop loss and take "
            "profit",
        )
    taken = {algo.cl_id for algo in account.open_algos.values()}
    names = [one.cl_id for one in params.attached if one.cl_id]
    for name in names:
        if name in taken or names.count(name) > 1:
            raise Reject("51068", f"{name} already exists within algoClOrdId and attachAlgoClOrdId.")
    for one in params.attached:
        if one.take_profit is None and one.stop_loss is None:
            raise Reject(
                "51178",
                "tpTriggerPx&tpOrdPx or slTriggerPx&slOrdPx can't be empty when using attachAlgoClOrdId.",
            )
        _check_attached_arms(market, params, one)
    if len(params.attached) > 1:
        _check_split(market, params)


def _is_odd_unit(params: OrderParams) -> bool:
    """Whether a spot market order is sized in what it buys or sells for, not in what it gives."""
    return params.target_ccy == ("base_ccy" if params.side == "buy" else "quote_ccy")


def _check_attached_arms(market: Market, params: OrderParams, one: Attached) -> None:
    """Against the order's own price, or the best price of the book for an order without one."""
    buys = params.side == "buy"
    other = market.book.best("sell" if buys else "buy") or market.last
    own = params.price if params.price is not None else None
    for arm, name, above, code, market_code in (
        (one.take_profit, "take profit", buys, "51046" if buys else "51048", "51050" if buys else "51052"),
        (one.stop_loss, "stop loss", not buys, "51047" if buys else "51049", "51051" if buys else "51053"),
    ):
        if arm is None:
            continue
        check_trigger(market, arm)
        price = own if own is not None else other
        if arm.price <= price if above else arm.price >= price:
            against = "the order price" if own is not None else f"the best {'ask' if buys else 'bid'} price"
            raise Reject(
                code if own is not None else market_code,
                f"The {name} trigger price must be {'higher' if above else 'lower'} than {against}",
            )


def _check_split(market: Market, params: OrderParams) -> None:
    """Several take profits and at most one stop loss share the order between them."""
    if not market.instrument.is_swap:
        raise Reject(
            "51077",
            "Setting multiple TP and cost-price SL orders isn't supported for spot and margin trading.",
        )
    profits = [one for one in params.attached if one.take_profit is not None]
    losses = [one for one in params.attached if one.stop_loss is not None]
    arms = [one.take_profit for one in profits if one.take_profit is not None]
    if any(one.take_profit is not None and one.stop_loss is not None for one in params.attached):
        raise Reject(
            "51076",
            "TP/SL orders in Split TPs only support one-way TP/SL. You can't use slTriggerPx&slOrdPx "
            "and tpTriggerPx&tpOrdPx at the same time.",
        )
    if len(profits) > MOST_SPLIT_TPS:
        raise Reject(
            "51079",
            f"The number of TP orders with Split TPs attached in a same order cannot exceed {MOST_SPLIT_TPS}",
        )
    if len(losses) > 1:
        raise Reject(
            "51084", "The number of SL orders with Split TPs attached in a same order cannot exceed 1"
        )
    if len({arm.watches for arm in arms}) > 1:
        raise Reject(
            "51080",
            "Take-profit trigger price types (tpTriggerPxType) must be the same in an order with "
            "Split TPs attached",
        )
    if len({arm.price for arm in arms}) < len(arms):
        raise Reject(
            "51081",
            "Take-profit trigger prices (tpTriggerPx) cannot be the same in an order with Split TPs attached",
        )
    sizes = [one.size for one in profits if one.size is not None]
    if len(profits) > 1 and len(sizes) < len(profits):
        raise Reject("51089", "The size of the TP order among split TPs attached cannot be empty")
    if sizes and sum(sizes) != params.size:
        raise Reject(
            "51083",
            "The total size of TP orders with Split TPs attached in a same order should equal the "
            "size of this order",
        )
