"""A request that faults have struck: late, lost, refused, answered wrongly, or executed unheard."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final

import msgspec

from exchange.sim.faults.kinds import places_orders
from exchange.sim.faults.rules import Effect, Occasion
from exchange.sim.surface.control.fault_desk import FaultDesk, items_of, refuses_orders
from exchange.sim.surface.rest.api import status_of
from exchange.sim.surface.wires import RESET, SILENCE, Reply, Request

_ORDER_PATHS: Final = ("order", "batch-orders", "cancel-order", "cancel-batch-orders", "amend-order",
                       "amend-batch-orders")  # fmt: skip


def struck_request(
    desk: FaultDesk,
    effects: list[Effect],
    occasion: Occasion,
    request: Request,
    answer: Callable[[Request], Reply],
) -> Generator[int, None, Reply]:
    """Carry out a request under its faults. Yields the instants that must be reached before it goes on."""
    for effect in effects:
        if effect.kind == "delay" and effect["part"] == "request":
            yield desk.venue.now_ms + effect["ms"]
    for effect in effects:
        if (reply := _instead(effect, occasion)) is not None:
            return reply
    extra = sum(effect["times"] for effect in effects if effect.kind == "duplicate")
    with desk.around_orders(effects, items_of(request)):
        for _ in range(extra):
            answer(request)
        reply = answer(request)
    for effect in effects:
        reply = _altered(effect, occasion, reply, desk.venue.now_ms)
    for effect in effects:
        if effect.kind == "delay" and effect["part"] == "answer":
            yield desk.venue.now_ms + effect["ms"]
    return reply


def _instead(effect: Effect, occasion: Occasion) -> Reply | None:
    """What comes back of a request that is not carried out; None when it is."""
    match effect.kind:
        case "drop" if effect["part"] == "request":
            return SILENCE
        case "reset" if effect["part"] == "request":
            return RESET
        case "half_open":
            return SILENCE
        case "http" if not effect["executed"]:
            return _http(effect)
        case "rate_limit":
            return refused("50011", "Too Many Requests")
        case "reject" if not (refuses_orders(effect) and _enters_orders(occasion)):
            return refused(effect["code"], effect["msg"])
    return None


def _altered(effect: Effect, occasion: Occasion, reply: Reply, now_ms: int) -> Reply:
    """What becomes of the answer to a request that was carried out."""
    match effect.kind:
        case "drop" if effect["part"] == "answer":
            return SILENCE
        case "reset" if effect["part"] == "answer":
            return RESET
        case "ack_lost":
            if effect["answer"] == "timeout":
                return refused("50004", "API endpoint request timeout (does not mean success or failure)")
            return RESET if effect["answer"] == "reset" else SILENCE
        case "http" if effect["executed"]:
            return _http(effect)
        case "visibility":
            return _without_the_young(reply, now_ms - effect["ms"], occasion.path)
    return reply


def knocked(effects: list[Effect]) -> Reply | None:
    """What an attempt to open a stream gets instead of a handshake; None when it is let in."""
    for effect in effects:
        match effect.kind:
            case "drop" | "half_open":
                return SILENCE
            case "reset":
                return RESET
            case "http":
                return _http(effect)
    return None


def refused(code: str, msg: str) -> Reply:
    return Reply(status_of(code), msgspec.json.encode({"code": code, "msg": msg, "data": []}))


def _http(effect: Effect) -> Reply:
    return Reply(effect["status"], effect["body"].encode(), effect["content_type"])


def _enters_orders(occasion: Occasion) -> bool:
    return places_orders(occasion) or (
        occasion.method == "POST" and occasion.path.removeprefix("/api/v5/trade/") in _ORDER_PATHS
    )


def _without_the_young(reply: Reply, since_ms: int, path: str) -> Reply:
    """An order list, or a single order, as a part of the venue that lags behind would tell it."""
    body: dict[str, Any] = msgspec.json.decode(reply.body)
    if body["code"] != "0":
        return reply
    rows = [row for row in body["data"] if int(row.get("cTime") or row.get("ts") or 0) <= since_ms]
    if len(rows) == len(body["data"]):
        return reply
    if path == "/api/v5/trade/order":
        return refused("51603", "Order does not exist")
    return Reply(reply.status, msgspec.json.encode({**body, "data": rows}))
