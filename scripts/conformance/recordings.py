"""The recorded payloads of the real venue, by message type."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2].parent / "shared" / "okx" / "recorded"
_API = "rest:/api/v5"

# Types the collection only guessed from the fields, and guessed wrong.
_GUESSED = {
    "rest:candles_or_list9": "rest:/market/candles",
    "rest:candles_or_lists": "rest:/public/instruments",
    "ws:books": "ws:books:snapshot",
    "rest:unknown:activePx,actualPx,actualSz,algoClOrdId,algoId,cTime": "rest:/trade/orders-algo-pending",
    "hummingbot/test_okx_perpetual_derivative_028": "rest:/account/balance",
    "nautilus_trader/http_get_account_balance": "rest:/account/balance",
    "nautilus_trader/http_get_orders_algo_history": "rest:/trade/orders-algo-history",
    "nautilus_trader/http_get_orders_algo_pending": "rest:/trade/orders-algo-pending",
}


@dataclass(frozen=True, slots=True)
class Recording:
    kind: str  # rest:/trade/order, ws:books:update, wsop:order, wsev:login
    name: str  # of its file, below the folder of recordings
    payload: Any


def recordings(folder: Path = FOLDER) -> Iterator[Recording]:
    """Every recording but those whose type could only be guessed and says nothing. Sorted by name."""
    for path in sorted(folder.glob("*/*.json")):
        recorded = json.loads(path.read_text())
        name, payload = f"{path.parent.name}/{path.stem}", recorded["payload"]
        yield Recording(_kind(name, recorded["type"], payload), name, _strip(payload))
    for path in sorted(folder.glob("*/rest_*.json.gz")):
        payload = json.loads(gzip.decompress(path.read_bytes()))["payload"]
        yield Recording("rest:/public/instruments", f"{path.parent.name}/{path.name}", payload)
    for path in sorted(folder.glob("*/ws_*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            frame = json.loads(line)
            if frame["dir"] == "recv" and isinstance(frame["msg"], dict):
                yield Recording(
                    kind_of_frame(frame["msg"]), f"{path.parent.name}/{path.name}", _strip(frame["msg"])
                )


def kind_of_frame(message: dict[str, Any]) -> str:
    """The type of a WebSocket message: a push, the answer to an operation, or an event."""
    if "op" in message:
        return f"wsop:{message['op']}"
    if "event" in message:
        return f"wsev:{message['event']}"
    channel = re.sub(r"candle\w+", "candle", message["arg"]["channel"])
    return f"ws:{channel}:{message['action']}" if "action" in message else f"ws:{channel}"


def _kind(name: str, recorded: str, payload: Any) -> str:
    guessed = _GUESSED.get(name) or _GUESSED.get(recorded)
    if guessed is not None:
        return guessed
    if recorded.startswith("ws:"):
        return kind_of_frame(payload)
    if recorded == f"{_API}/trade/order-algo" and "sCode" not in payload["data"][0]:
        return "rest:GET /trade/order-algo"
    return recorded.replace(_API, "rest:")


def _strip(payload: Any) -> Any:
    """Without the arguments of a push: what is echoed there is the subscriber's own."""
    if isinstance(payload, dict) and "arg" in payload:
        return {name: value for name, value in payload.items() if name != "arg"}
    return payload
