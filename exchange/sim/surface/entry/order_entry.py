"""Placing, cancelling and amending: the part that REST and WebSocket order operations share.

Shapes are checked here, economics by the venue. Every item gets an acknowledgement of its own; an
acknowledgement means acceptance, never execution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from exchange.sim.model import AccountState, Instrument, Order, Reject
from exchange.sim.seam import OrderParams, Venue
from exchange.sim.surface.entry.order_reading import read_change, read_order
from exchange.sim.surface.entry.params import Params, bad, missing
from exchange.sim.surface.entry.rate_limits import ALL_NEW_ORDERS, BATCH_ORDERS, SINGLE_ORDER, RateLimits
from exchange.sim.surface.rendering.text import Row

MOST_IN_BATCH = 20

Items = Sequence[Mapping[str, Any]]
_TOO_MANY = {"place": "51111", "cancel": "51406", "amend": "51501"}


def outcome(acks: Sequence[Row]) -> tuple[str, str]:
    """The envelope's (code, msg): 0 all accepted, 1 none, 2 some."""
    failed = sum(ack["sCode"] != "0" for ack in acks)
    if not failed:
        return "0", ""
    if failed == len(acks):
        return "1", "All operations failed"
    return "2", "Bulk operation partially succeeded."


def find_order(account: AccountState, params: Params, unknown_code: str) -> Order:
    """By ordId, which wins, or by clOrdId (the newest that carried it).

    Raises Reject(unknown_code), or 51003 (51407 when cancelling) where neither is given.
    """
    inst_id, ord_id, cl_id = params.get("instId"), params.get("ordId"), params.get("clOrdId")
    if not ord_id and not cl_id:
        code = "51407" if unknown_code == "51400" else "51003"
        raise Reject(code, "Either client order ID or order ID is required.")
    order = account.orders.get(ord_id or account.by_client.get(cl_id, ""))
    if order is None or (inst_id and order.inst_id != inst_id):
        raise Reject(unknown_code, _UNKNOWN[unknown_code])
    return order


_UNKNOWN = {
    "51400": "Cancellation failed as the order has been filled, canceled or does not exist.",
    "51503": "Order modification failed as the order does not exist.",
    "51603": "Order does not exist",
}


class OrderEntry:
    def __init__(self, venue: Venue, limits: RateLimits) -> None:
        self._venue = venue
        self._limits = limits
        self.refusals: dict[int, Reject] = {}  # items not to be accepted, by place from 0: for faults
        self._by_code = {str(i.code): i.inst_id for i in venue.instruments.values()}

    def place(self, account: AccountState, items: Items, by_code: bool = False) -> list[Row]:
        """`by_code`: over WebSocket an order names its instrument by instIdCode, not by instId."""
        return self._each("place", account, items, self._place, by_code)

    def cancel(self, account: AccountState, items: Items) -> list[Row]:
        return self._each("cancel", account, items, self._cancel, False)

    def amend(self, account: AccountState, items: Items) -> list[Row]:
        return self._each("amend", account, items, self._amend, False)

    def _each(
        self,
        verb: str,
        account: AccountState,
        items: Items,
        act: Callable[[AccountState, Params], Order],
        by_code: bool,
    ) -> list[Row]:
        if not items:
            raise missing("args")
        if len(items) > MOST_IN_BATCH:
            raise Reject(_TOO_MANY[verb], f"Number of orders in a batch exceeds {MOST_IN_BATCH}")
        named = [self._named(item, by_code) for item in items]
        self._spend(verb, account, [inst_id for inst_id, _ in named])
        acks = []
        for n, ((inst_id, error), item) in enumerate(zip(named, items, strict=True)):
            params = Params({**item, "instId": inst_id})
            ack: Row = {
                "ordId": "",
                "clOrdId": _plain(item.get("clOrdId")),
                "tag": _plain(item.get("tag")),
                "ts": str(self._venue.now_ms),
                "sCode": "0",
                "sMsg": "",
                "subCode": "",
            }
            if verb == "amend":
                ack["reqId"] = _plain(item.get("reqId"))
            try:
                if (no := self.refusals.get(n, error)) is not None:
                    raise no
                order = act(account, params)
                ack["ordId"], ack["clOrdId"] = order.ord_id, order.cl_id
                ack["sMsg"] = "Order placed" if verb == "place" else ""
            except Reject as no:
                ack["ordId"] = "" if verb == "place" else _plain(item.get("ordId"))
                ack["sCode"], ack["sMsg"] = no.code, no.msg
            acks.append(ack)
        return acks

    def _named(self, item: Mapping[str, Any], by_code: bool) -> tuple[str, Reject | None]:
        params = Params(item)
        try:
            if by_code or (params.get("instIdCode") and not params.get("instId")):
                inst_id = self._by_code.get(params.need("instIdCode"), "")
            else:
                inst_id = params.need("instId")
            self._instrument(inst_id)
        except Reject as no:
            return "", no
        return inst_id, None

    def _instrument(self, inst_id: str) -> Instrument:
        instrument = self._venue.instruments.get(inst_id)
        if instrument is None:
            raise Reject("51001", "Instrument ID does not exist.")
        return instrument

    def _spend(self, verb: str, account: AccountState, inst_ids: list[str]) -> None:
        """A batch counts its orders; a batch of one counts as a single order."""
        now_ms, uid = self._venue.now_ms, account.uid
        known = [inst_id for inst_id in inst_ids if inst_id]
        if verb != "cancel":
            swaps = sum(self._venue.instruments[inst_id].is_swap for inst_id in known)
            self._limits.spend(("new orders", uid), ALL_NEW_ORDERS, now_ms, swaps, "50061")
        limit, name = (SINGLE_ORDER, verb) if len(inst_ids) == 1 else (BATCH_ORDERS, f"{verb} batch")
        for inst_id in dict.fromkeys(known):
            self._limits.spend((name, uid, inst_id), limit, now_ms, known.count(inst_id))

    def _place(self, account: AccountState, params: Params) -> Order:
        return self._venue.place(account, self.read(account, params))

    def read(self, account: AccountState, params: Params) -> OrderParams:
        """Read one order body. Raises Reject with 50014, 51000 or what fits better."""
        return read_order(account, params, self._instrument(params.need("instId")))

    def _cancel(self, account: AccountState, params: Params) -> Order:
        order = find_order(account, params, "51400")
        if not order.is_open:
            raise Reject("51400", _UNKNOWN["51400"])
        self._venue.cancel(account, order)
        return order

    def _amend(self, account: AccountState, params: Params) -> Order:
        order = find_order(account, params, "51503")
        change = read_change(order, params)
        if not order.is_open:
            raise Reject("51503", _UNKNOWN["51503"])
        self._venue.amend(account, order, change)
        return order

    def mass_cancel(self, account: AccountState, items: Items) -> list[Row]:
        """Cancelling market maker protected orders: options of portfolio margin accounts only."""
        params = Params(items[0]) if len(items) == 1 else Params({})
        params.choice("instType", ("OPTION",))
        params.need("instFamily")
        raise Reject("51411", "Account does not have permission for mass cancellation.")


def check_expiry(text: str, venue: Venue) -> None:
    """Refuse what reaches the gateway (50036), or would reach the matching (50037), after its expTime.

    Raises 51000 for what is no number.
    """
    if not text:
        return
    if not text.isdecimal():
        raise bad("expTime")
    if int(text) < venue.stated_ms:
        raise Reject("50036", "The expTime can't be earlier than the current system time.")
    if int(text) < venue.stated_ms + venue.profile.match_ms:
        raise Reject("50037", "Order expired.")


def _plain(value: object) -> str:
    return value if isinstance(value, str) else ""
