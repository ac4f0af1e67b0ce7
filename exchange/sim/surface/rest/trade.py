"""Private endpoints /trade: orders, their history, fills, and the dead man's switch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from exchange.sim.model import AccountState, Execution, Order, PositionKey, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.order_entry import Items, OrderEntry, find_order
from exchange.sim.surface.entry.order_reading import position_side
from exchange.sim.surface.entry.params import Params, bad, page
from exchange.sim.surface.entry.rate_limits import ALL_NEW_ORDERS, Limit
from exchange.sim.surface.rendering import orders as render_orders
from exchange.sim.surface.rendering.text import DAY_MS, Row
from exchange.sim.surface.rest.routes import READ, TRADE, Call, Route

UNFILLED_CANCELS_MS = 2 * 3_600_000  # a cancelled order without a fill is forgotten after two hours
HISTORY_MS = 7 * DAY_MS
ARCHIVE_MS = 90 * DAY_MS
FILLS_MS = 3 * DAY_MS


class TradeData:
    def __init__(self, venue: Venue, entry: OrderEntry) -> None:
        self._venue = venue
        self._entry = entry

    def _forgotten(self, order: Order) -> bool:
        age_ms = self._venue.now_ms - order.updated_ms
        return order.state == "canceled" and not order.filled and age_ms > UNFILLED_CANCELS_MS

    def _order_row(self, order: Order) -> Row:
        return render_orders.order(order, self._venue.instruments[order.inst_id])

    def order(self, call: Call) -> Sequence[Any]:
        call.params.need("instId")
        order = find_order(call.account, call.params, "51603")
        if self._forgotten(order):
            raise Reject("51603", "Order does not exist")
        return [self._order_row(order)]

    def _matches(self, params: Params) -> Callable[[Order], bool]:
        inst_type, inst_id = params.get("instType"), params.get("instId")
        family = params.get("instFamily") or params.get("uly")
        kinds, state = params.names("ordType", 10), params.get("state")
        instruments = self._venue.instruments

        def match(order: Order) -> bool:
            i = instruments[order.inst_id]
            return (
                (not inst_type or i.inst_type == inst_type)
                and (not inst_id or i.inst_id == inst_id)
                and (not family or f"{i.base}-{i.quote}" == family)
                and (not kinds or order.kind in kinds)
                and (not state or order.state == state)
            )

        return match

    def pending(self, call: Call) -> Sequence[Any]:
        match = self._matches(call.params)
        rows = (order for order in reversed(call.account.open_orders.values()) if match(order))
        return [self._order_row(order) for order in page(rows, call.params, _order_key)]

    def history(self, call: Call) -> Sequence[Any]:
        return self._history(call, HISTORY_MS)

    def archive(self, call: Call) -> Sequence[Any]:
        """Three months, only what was filled at least in part."""
        return self._history(call, ARCHIVE_MS, filled_only=True)

    def _history(self, call: Call, kept_ms: int, filled_only: bool = False) -> Sequence[Any]:
        call.params.need("instType")
        match, oldest_ms = self._matches(call.params), self._venue.now_ms - kept_ms
        rows = (
            order
            for order in reversed(call.account.orders.values())
            if not order.is_open
            and order.updated_ms >= oldest_ms
            and not self._forgotten(order)
            and (order.filled or not filled_only)
            and match(order)
        )
        found = page(rows, call.params, _order_key, lambda order: order.created_ms)
        return [self._order_row(order) for order in found]

    def fills(self, call: Call) -> Sequence[Any]:
        return self._fills(call, FILLS_MS)

    def fills_history(self, call: Call) -> Sequence[Any]:
        call.params.need("instType")
        return self._fills(call, ARCHIVE_MS)

    def _fills(self, call: Call, kept_ms: int) -> Sequence[Any]:
        params, account, instruments = call.params, call.account, self._venue.instruments
        oldest_ms = self._venue.now_ms - kept_ms
        asked = {
            name: params.get(name) for name in ("instType", "instId", "ordId", "subType") if params.get(name)
        }

        def rows() -> Iterator[Execution]:
            for e in reversed(account.executions):
                if e.ts_ms < oldest_ms:
                    return
                own = {
                    "instType": instruments[e.inst_id].inst_type,
                    "instId": e.inst_id,
                    "ordId": e.ord_id,
                    "subType": e.sub_type,
                }
                if all(own[name] == value for name, value in asked.items()):
                    yield e

        found = page(rows(), params, lambda e: int(e.bill_id), lambda e: e.ts_ms)
        return [render_orders.fill(e, instruments[e.inst_id], _tag(account, e)) for e in found]

    def close_position(self, call: Call) -> Sequence[Any]:
        params = call.params
        inst_id = params.need("instId")
        instrument = self._venue.instruments.get(inst_id)
        if instrument is None:
            raise Reject("51001", "Instrument ID does not exist.")
        if not instrument.is_swap:
            raise bad("instId")
        mode = params.choice("mgnMode", ("cross", "isolated"))
        key = PositionKey(inst_id, mode, position_side(call.account, params))
        cl_id, tag = params.client_id(), params.tag()
        self._venue.close_position(call.account, key, cl_id, params.flag("autoCxl"), tag)
        return [{"instId": inst_id, "posSide": key.side, "clOrdId": cl_id, "tag": tag}]

    def cancel_all_after(self, call: Call) -> Sequence[Any]:
        """Seconds: 0 disarms, 10 to 120 arm."""
        call.params.need("timeOut")
        seconds = call.params.integer("timeOut")
        if seconds is None or (seconds and not 10 <= seconds <= 120):
            raise bad("timeOut")
        tag = call.params.tag()
        trigger_ms = self._venue.cancel_all_after(call.account, seconds, tag)
        return [{"triggerTime": str(trigger_ms), "tag": tag, "ts": str(self._venue.now_ms)}]

    def precheck(self, call: Call) -> Sequence[Any]:
        """What the order would do to the account, in multi-currency mode."""
        params = self._entry.read(call.account, call.params)
        key = PositionKey(params.inst_id, params.td_mode, params.pos_side)
        return [render_orders.effect(self._venue.precheck(call.account, params), key)]

    def rate_limit(self, call: Call) -> Sequence[Any]:
        """New and amended orders per two seconds; only accounts from VIP5 on are rated by what fills."""
        row = {"fillRatio": "", "mainFillRatio": "", "nextAccRateLimit": ""}
        return [{**row, "accRateLimit": str(ALL_NEW_ORDERS.count), "ts": str(self._venue.now_ms)}]


def _order_key(order: Order) -> int:
    return int(order.ord_id)


def _tag(account: AccountState, e: Execution) -> str:
    order = account.orders.get(e.ord_id)
    return order.tag if order else ""


def routes(venue: Venue, entry: OrderEntry) -> list[Route]:
    data = TradeData(venue, entry)

    def get(path: str, answer: Any, count: int) -> Route:
        return Route("GET", path, answer, Limit(count, 2000), READ)

    def enter(path: str, act: Callable[[AccountState, Items], list[Row]], batch: bool = False) -> Route:
        def answer(call: Call) -> Sequence[Any]:
            return act(call.account, call.items)

        expires = "cancel" not in path
        return Route("POST", path, answer, None, TRADE, batch, order_entry=True, expires=expires)

    def mass_cancel(call: Call) -> Sequence[Any]:
        return entry.mass_cancel(call.account, call.items)

    return [
        enter("/trade/order", entry.place),
        enter("/trade/batch-orders", entry.place, batch=True),
        enter("/trade/cancel-order", entry.cancel),
        enter("/trade/cancel-batch-orders", entry.cancel, batch=True),
        enter("/trade/amend-order", entry.amend),
        enter("/trade/amend-batch-orders", entry.amend, batch=True),
        Route("POST", "/trade/mass-cancel", mass_cancel, Limit(5, 2000), TRADE),
        Route("GET", "/trade/order", data.order, Limit(60, 2000, ("instId",)), READ),
        Route("POST", "/trade/order-precheck", data.precheck, Limit(5, 2000), TRADE),
        Route("GET", "/trade/account-rate-limit", data.rate_limit, Limit(1, 1000), READ),
        get("/trade/orders-pending", data.pending, 60),
        get("/trade/orders-history", data.history, 40),
        get("/trade/orders-history-archive", data.archive, 20),
        get("/trade/fills", data.fills, 60),
        get("/trade/fills-history", data.fills_history, 10),
        Route("POST", "/trade/close-position", data.close_position, Limit(20, 2000, ("instId",)), TRADE),
        Route("POST", "/trade/cancel-all-after", data.cancel_all_after, Limit(1, 1000, ("tag",)), TRADE),
    ]
