"""Private endpoints /trade for algo orders: entry, details, pending, history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exchange.sim.algo_model import AlgoOrder
from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.algo_entry import AlgoEntry, Items, find_algo
from exchange.sim.surface.entry.params import Params, bad, one_of_missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering.algos import algo_order
from exchange.sim.surface.rendering.text import DAY_MS, Row
from exchange.sim.surface.rest.routes import READ, TRADE, Call, Route

KINDS = ("conditional", "oco", "trigger", "move_order_stop", "chase", "iceberg", "twap", "smart_iceberg")
STATES = ("effective", "canceled", "order_failed")
KEPT_MS = 90 * DAY_MS


class AlgoData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def _row(self, algo: AlgoOrder) -> Row:
        return algo_order(algo, self._venue.instruments[algo.inst_id])

    def details(self, call: Call) -> Sequence[Any]:
        return [self._row(find_algo(call.account, call.params, Reject("51603", "Order does not exist")))]

    def pending(self, call: Call) -> Sequence[Any]:
        return self._page(call, reversed(call.account.open_algos.values()), self._matches(call.params))

    def history(self, call: Call) -> Sequence[Any]:
        """Three months; needs a state or an algoId."""
        params = call.params
        state, match = params.get("state"), self._matches(params)
        if not state and not params.get("algoId"):
            raise one_of_missing("state", "algoId")
        if state and state not in STATES:
            raise bad("state")
        oldest_ms = self._venue.now_ms - KEPT_MS
        rows = (
            algo
            for algo in reversed(call.account.algos.values())
            if not algo.is_open and algo.updated_ms >= oldest_ms and (not state or algo.state == state)
        )
        return self._page(call, rows, match)

    def _page(self, call: Call, rows: Any, match: Callable[[AlgoOrder], bool]) -> Sequence[Any]:
        found = page((algo for algo in rows if match(algo)), call.params, lambda algo: int(algo.algo_id))
        return [self._row(algo) for algo in found]

    def _matches(self, params: Params) -> Callable[[AlgoOrder], bool]:
        """`ordType` is required; only conditional and oco may be asked for together."""
        params.need("ordType")
        kinds = params.names("ordType", 2)
        together = len(kinds) == 1 or set(kinds) == {"conditional", "oco"}
        if not together or any(kind not in KINDS for kind in kinds):
            raise bad("ordType")
        inst_type, inst_id, algo_id = params.get("instType"), params.get("instId"), params.get("algoId")
        instruments = self._venue.instruments

        def match(algo: AlgoOrder) -> bool:
            return (
                algo.kind in kinds
                and (not inst_type or instruments[algo.inst_id].inst_type == inst_type)
                and (not inst_id or algo.inst_id == inst_id)
                and (not algo_id or algo.algo_id == algo_id)
            )

        return match


def routes(venue: Venue, entry: AlgoEntry) -> list[Route]:
    data = AlgoData(venue)

    def enter(path: str, act: Callable[[AccountState, Items], list[Row]], batch: bool = False) -> Route:
        def answer(call: Call) -> Sequence[Any]:
            return act(call.account, call.items)

        return Route("POST", path, answer, None, TRADE, batch, acks=True)

    def get(path: str, answer: Callable[[Call], Sequence[Any]]) -> Route:
        return Route("GET", path, answer, Limit(20, 2000), READ)

    return [
        enter("/trade/order-algo", entry.place),
        enter("/trade/cancel-algos", entry.cancel, batch=True),
        enter("/trade/amend-algos", entry.amend),
        get("/trade/order-algo", data.details),
        get("/trade/orders-algo-pending", data.pending),
        get("/trade/orders-algo-history", data.history),
    ]
