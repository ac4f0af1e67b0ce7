"""The REST protocol without sockets: a request in, a status and a body out.

Envelope {"code","msg","data"}; order entry adds inTime and outTime in microseconds. Routes come from
the files beside it; this file decides who may ask, how often, and what an error looks like.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from exchange.sim.model import Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry import auth
from exchange.sim.surface.entry.algo_entry import AlgoEntry
from exchange.sim.surface.entry.order_entry import OrderEntry, check_expiry, outcome
from exchange.sim.surface.entry.params import Params
from exchange.sim.surface.entry.rate_limits import RateLimits
from exchange.sim.surface.rendering.public import DayOpens
from exchange.sim.surface.rest import (
    account,
    algos,
    asset,
    funds,
    ledger,
    loans,
    market,
    public,
    rubik,
    settings,
    trade,
)
from exchange.sim.surface.rest.not_simulated import NOT_SIMULATED
from exchange.sim.surface.rest.routes import Call, Route
from exchange.sim.surface.wires import Request

PREFIX = "/api/v5"

_STATUS = {
    "404": 404,
    "50000": 400,
    "50001": 503,
    "50002": 400,
    "50004": 400,
    "50005": 410,
    "50006": 400,
    "50011": 429,
    "50013": 429,
    "50014": 400,
    "50015": 400,
    "50016": 400,
    "50024": 400,
    "50025": 400,
    "50026": 500,
    "50100": 400,
    "50115": 405,
    "51000": 400,
    "51054": 500,
    "51113": 429,
    "51115": 429,
    "51149": 500,
    "58102": 429,
}


ENVIRONMENTS = ("any", "live", "demo")


def status_of(code: str) -> int:
    """HTTP status of an envelope code: 401 for the 501xx family, 200 for business refusals."""
    return _STATUS.get(code, 401 if code.startswith("501") else 200)


class RestApi:
    """All of /api/v5. Not for the control interface, which lives outside of it.

    `environment` is whose keys there are: those of live or of demo trading, which a request must say
    in its header x-simulated-trading (1 for demo), or any, and then the header does not matter.
    """

    def __init__(self, venue: Venue, limits: RateLimits, entry: OrderEntry, environment: str = "any") -> None:
        if environment not in ENVIRONMENTS:
            raise ValueError(f"environment is {environment}, allowed: {', '.join(ENVIRONMENTS)}")
        self._venue = venue
        self._environment = environment
        self._limits = limits
        self.routes = (
            *public.routes(venue),
            *market.routes(venue, DayOpens()),
            *rubik.routes(venue),
            *account.routes(venue),
            *ledger.routes(venue),
            *loans.routes(venue),
            *settings.routes(venue),
            *funds.routes(venue),
            *asset.routes(venue),
            *trade.routes(venue, entry),
            *algos.routes(venue, AlgoEntry(venue, limits)),
        )
        self._routes: dict[tuple[str, str], Route] = {(r.method, PREFIX + r.path): r for r in self.routes}
        self._paths = {path for _, path in self._routes}

    def handle(self, request: Request) -> tuple[int, bytes]:
        """Answer one request; what it changed waits in the venue's outbox. Never raises for bad input."""
        try:
            route = self._route(request)
            return 200, self._answer(route, request)
        except Reject as no:
            return status_of(no.code), _envelope(no.code, no.msg, [])

    def _route(self, request: Request) -> Route:
        route = self._routes.get((request.method, request.path))
        if route is not None:
            return route
        if request.path in self._paths:
            raise Reject("50115", f"Invalid request method: {request.method}")
        if request.path.removeprefix(PREFIX) in NOT_SIMULATED:
            raise Reject("50005", "API is offline or unavailable.")
        raise Reject("404", "Not Found")

    def _answer(self, route: Route, request: Request) -> bytes:
        venue = self._venue
        account = None
        if route.permission is not None:
            account = auth.check_request(venue, request)
            auth.check_environment(self._environment, auth.rest_environment(request.headers))
            if route.permission not in account.permissions.split(","):
                raise Reject(
                    "50120", f"This API key doesn't have permission to use this function: {route.path}"
                )
        raw = _read_body(request) if request.method == "POST" else dict(_query(request.query))
        items = raw if isinstance(raw, list) else [raw]
        params = Params({} if isinstance(raw, list) else raw)
        if isinstance(raw, list) != route.batch:
            raise Reject("50002", "JSON syntax error")
        if route.limit is not None:
            caller = request.peer if account is None else account.uid
            scope = (route.path, caller, *(params.get(name) for name in route.limit.per))
            self._limits.spend(scope, route.limit, venue.now_ms)
        if route.expires:
            check_expiry(request.headers.get("exptime", ""), venue)
        data = route.answer(Call(params, items, account))
        code, msg = outcome(data) if route.order_entry or route.acks else ("0", "")
        if not route.order_entry:
            return _envelope(code, msg, data)
        in_us = venue.now_ms * 1000
        return _envelope(code, msg, data, inTime=str(in_us + 123), outTime=str(in_us + 1456))


def _envelope(code: str, msg: str, data: Any, **more: str) -> bytes:
    return msgspec.json.encode({"code": code, "msg": msg, "data": data, **more})


def _query(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)


def _read_body(request: Request) -> dict[str, Any] | list[dict[str, Any]]:
    if "json" not in request.headers.get("content-type", "application/json"):
        raise Reject("50006", 'Invalid Content-Type, please use "application/json".')
    if not request.body.strip():
        raise Reject("50000", "Body for POST request can not be empty.")
    try:
        return msgspec.json.decode(request.body, type=dict[str, Any] | list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Reject("50002", "JSON syntax error") from None
