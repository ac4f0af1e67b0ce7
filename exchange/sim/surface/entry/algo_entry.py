"""Reading algo orders: placing, amending and cancelling, and what hangs on a normal order.

Shapes are checked here, economics by the venue. An acknowledgement means acceptance, never a trigger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from exchange.sim.algo_model import AlgoOrder, Trailing
from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import AlgoChange, AlgoParams, Venue
from exchange.sim.surface.entry.order_reading import (
    RATIOS,
    attached,
    changed_trigger,
    position_side,
    refuse,
    target_ccy,
)
from exchange.sim.surface.entry.order_reading import trigger as read_trigger
from exchange.sim.surface.entry.params import Params, missing, one_of_missing
from exchange.sim.surface.entry.rate_limits import Limit, RateLimits
from exchange.sim.surface.rendering.text import Row

MOST_CANCELLED = 10
ALGO_ORDERS = Limit(20, 2000, ("instId",))

Items = Sequence[Mapping[str, Any]]


def find_algo(account: AccountState, params: Params, unknown: Reject) -> AlgoOrder:
    """By algoId, which wins, or by algoClOrdId (the newest that carried it). Raises `unknown`."""
    algo_id, cl_id = params.get("algoId"), params.get("algoClOrdId")
    if not algo_id and not cl_id:
        raise one_of_missing("algoId", "algoClOrdId")
    algo = account.algos.get(algo_id)
    if not algo_id:
        named = (one for one in reversed(account.algos.values()) if one.cl_id == cl_id)
        algo = next(named, None)
    inst_id = params.get("instId")
    if algo is None or (inst_id and algo.inst_id != inst_id):
        raise unknown
    return algo


class AlgoEntry:
    def __init__(self, venue: Venue, limits: RateLimits) -> None:
        self._venue = venue
        self._limits = limits

    def place(self, account: AccountState, items: Items) -> list[Row]:
        return self._each("place algo", account, items, self._place)

    def cancel(self, account: AccountState, items: Items) -> list[Row]:
        if len(items) > MOST_CANCELLED:
            raise Reject("51406", f"Canceled - order count exceeds the limit {MOST_CANCELLED}.")
        return self._each("cancel algo", account, items, self._cancel)

    def amend(self, account: AccountState, items: Items) -> list[Row]:
        return self._each("amend algo", account, items, self._amend)

    def _each(
        self, verb: str, account: AccountState, items: Items, act: Callable[[AccountState, Params], AlgoOrder]
    ) -> list[Row]:
        if not items:
            raise missing("algoId")
        for item in items:
            scope = (verb, account.uid, Params(item).get("instId"))
            self._limits.spend(scope, ALGO_ORDERS, self._venue.now_ms)
        acks = []
        for item in items:
            params = Params(item)
            ack: Row = {
                "algoId": _plain(item.get("algoId")),
                "algoClOrdId": _plain(item.get("algoClOrdId")),
                "clOrdId": "",
                "sCode": "0",
                "sMsg": "",
                "tag": _plain(item.get("tag")),
            }
            if verb == "amend algo":
                ack["reqId"] = _plain(item.get("reqId"))
            try:
                algo = act(account, params)
                ack["algoId"], ack["algoClOrdId"], ack["tag"] = algo.algo_id, algo.cl_id, algo.tag
            except Reject as no:
                ack["sCode"], ack["sMsg"] = no.code, no.msg
            acks.append(ack)
        return acks

    def _place(self, account: AccountState, params: Params) -> AlgoOrder:
        return self._venue.place_algo(account, self._read(account, params))

    def _read(self, account: AccountState, params: Params) -> AlgoParams:
        instrument = self._venue.instruments.get(params.need("instId"))
        if instrument is None:
            raise Reject("51001", "Instrument ID does not exist.")
        td_mode, kind = params.need("tdMode"), params.need("ordType")
        side = params.choice("side", ("buy", "sell"))
        refuse(params, RATIOS)
        params.choice("tpOrdKind", ("condition",), "condition")
        trigger = None
        if kind == "trigger":
            if params.get("tgtCcy"):
                raise Reject("51281", "Trigger order do not support the tgtCcy parameter.")
            params.need("triggerPx")
            trigger = read_trigger(params, "triggerPx", "orderPx", "triggerPxType")
        return AlgoParams(
            inst_id=instrument.inst_id,
            td_mode=td_mode,
            side=side,
            kind=kind,
            size=_size(params),
            cl_id=params.client_id("algoClOrdId"),
            tag=params.tag(),
            pos_side=position_side(account, params) if instrument.is_swap else "net",
            reduce_only=params.flag("reduceOnly") and instrument.is_swap,
            target_ccy=target_ccy(params, instrument, side),
            with_position=params.flag("cxlOnClosePos"),
            take_profit=read_trigger(params, "tpTriggerPx", "tpOrdPx", "tpTriggerPxType"),
            stop_loss=read_trigger(params, "slTriggerPx", "slOrdPx", "slTriggerPxType"),
            trigger=trigger,
            then=params.get("advanceOrdType"),
            trailing=_trailing(params) if kind == "move_order_stop" else None,
            attached=attached(params),
        )

    def _cancel(self, account: AccountState, params: Params) -> AlgoOrder:
        params.need("instId")
        unknown = Reject("51400", "Order cancellation failed as the order does not exist.")
        algo = find_algo(account, params, unknown)
        self._venue.cancel_algo(account, algo)
        return algo

    def _amend(self, account: AccountState, params: Params) -> AlgoOrder:
        params.need("instId")
        algo = find_algo(
            account,
            params,
            Reject("51527", "Order modification unsuccessful. The stop order does not exist."),
        )
        refuse(params, RATIOS)
        change = AlgoChange(
            size=params.positive("newSz") if params.get("newSz") else None,
            take_profit=changed_trigger(params, algo.take_profit, "newTp"),
            stop_loss=changed_trigger(params, algo.stop_loss, "newSl"),
            trigger=changed_trigger(params, algo.trigger, "new"),
            req_id=params.client_id("reqId"),
        )
        if change == AlgoChange(req_id=change.req_id):
            raise Reject("51500", "You must enter a price, quantity, or TP/SL")
        try:
            self._venue.amend_algo(account, algo, change)
        except Reject:
            if params.flag("cxlOnFail") and algo.is_open:
                self._venue.cancel_algo(account, algo)
            raise
        return algo


def _size(params: Params) -> Decimal | None:
    """None is the whole position."""
    if params.get("closeFraction"):
        if params.get("sz"):
            raise Reject("50024", "Parameters sz and closeFraction can not be given at the same time.")
        params.choice("closeFraction", ("1",))
        return None
    if not params.get("sz"):
        raise one_of_missing("sz", "closeFraction")
    return params.positive("sz")


def _trailing(params: Params) -> Trailing:
    ratio, spread = params.number("callbackRatio"), params.number("callbackSpread")
    return Trailing(ratio, spread, params.positive("activePx") if params.get("activePx") else None)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""
