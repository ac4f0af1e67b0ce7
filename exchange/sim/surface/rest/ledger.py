"""Private endpoints of the ledger: bills, interest, the funding wallet and transfers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.model import BillRow, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.params import one_of_missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering import orders as render_orders
from exchange.sim.surface.rendering.text import DAY_MS, num
from exchange.sim.surface.rest.routes import READ, TRADE, Call, Route

BILLS_MS = 7 * DAY_MS
ARCHIVE_MS = 90 * DAY_MS


class LedgerData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def bills(self, call: Call) -> Sequence[Any]:
        return self._bills(call, BILLS_MS)

    def bills_archive(self, call: Call) -> Sequence[Any]:
        return self._bills(call, ARCHIVE_MS)

    def _bills(self, call: Call, kept_ms: int) -> Sequence[Any]:
        params, oldest_ms = call.params, self._venue.now_ms - kept_ms
        filters = {
            "instType": "inst_type",
            "instId": "inst_id",
            "ccy": "ccy",
            "type": "kind",
            "subType": "sub_type",
        }
        asked = [(field, params.get(name)) for name, field in filters.items() if params.get(name)]
        rows = (
            bill
            for bill in reversed(call.account.bills)
            if bill.ts_ms >= oldest_ms and all(getattr(bill, field) == value for field, value in asked)
        )
        found: list[BillRow] = page(rows, params, lambda b: int(b.bill_id), lambda b: b.ts_ms)
        return [render_orders.bill(bill) for bill in found]

    def wallet(self, call: Call) -> Sequence[Any]:
        currencies = call.params.names("ccy", 20)
        return [
            render_orders.wallet(ccy, amount)
            for ccy, amount in call.account.funding.items()
            if amount and (not currencies or ccy in currencies)
        ]

    def transfer(self, call: Call) -> Sequence[Any]:
        """Accepted is not done: ask transfer-state."""
        params = call.params
        if params.choice("type", ("0", "1", "2", "3", "4"), "0") != "0":
            raise Reject("58129", "Transfers between accounts are not available to this key.")
        ccy, amount = params.need("ccy"), params.positive("amt")
        source, dest = params.choice("from", ("6", "18")), params.choice("to", ("6", "18"))
        if source == dest:
            raise Reject("58123", "Parameter 'from' can't be equal to parameter 'to'.")
        t = self._venue.transfer(call.account, ccy, amount, source, dest, params.client_id("clientId"))
        return [
            {
                "transId": t.transfer_id,
                "ccy": t.ccy,
                "clientId": t.client_id,
                "from": t.source,
                "amt": num(t.amount),
                "to": t.dest,
            }
        ]

    def transfer_state(self, call: Call) -> Sequence[Any]:
        trans_id, client_id = call.params.get("transId"), call.params.get("clientId")
        if not trans_id and not client_id:
            raise one_of_missing("transId", "clientId")
        for transfer in reversed(call.account.transfers.values()):
            if transfer.transfer_id == trans_id or (not trans_id and transfer.client_id == client_id):
                return [render_orders.transfer_state(transfer)]
        raise Reject("58129", "Transfer does not exist.")


def routes(venue: Venue) -> list[Route]:
    data = LedgerData(venue)

    def get(path: str, answer: Any, count: int, window_ms: int = 1000) -> Route:
        return Route("GET", path, answer, Limit(count, window_ms), READ)

    return [
        get("/account/bills", data.bills, 5),
        get("/account/bills-archive", data.bills_archive, 5, 2000),
        get("/asset/balances", data.wallet, 6),
        Route("POST", "/asset/transfer", data.transfer, Limit(2, 1000, ("ccy",)), TRADE),
        get("/asset/transfer-state", data.transfer_state, 10),
    ]
