"""Who is asking: the signature of REST requests and of the WebSocket login, against the venue's clock.

Prehash REST: timestamp + METHOD + path?query + body. Prehash login: seconds + "GET/users/self/verify".
The signature is base64 of HMAC-SHA256 with the key's secret.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.wires import Request

WINDOW_MS = 30_000
# The first part of a stream's host name, api-v5.md 1.4.
_DEMO_HOSTS, _LIVE_HOSTS = ("wspap", "wseeapap", "wsuspap"), ("ws", "wseea", "wsus")

_REST_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
_LOGIN_TIME = re.compile(r"\d{9,11}(\.\d{1,6})?")
_KEY = re.compile(r"[A-Za-z0-9-]+")


def signature(secret: str, prehash: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), prehash.encode(), "sha256")).decode()


def _rest_time_ms(text: str) -> int:
    if not _REST_TIME.fullmatch(text):
        raise Reject("50112", "Invalid OK-ACCESS-TIMESTAMP")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Reject("50112", "Invalid OK-ACCESS-TIMESTAMP") from None
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def check_request(venue: Venue, request: Request) -> AccountState:
    """Return the account a REST request speaks for.

    Raises Reject with the documented 501xx codes, in the order a request meets them.
    """
    values = {}
    for name, code in (("key", "50103"), ("passphrase", "50104"), ("sign", "50106"), ("timestamp", "50107")):
        values[name] = request.headers.get(f"ok-access-{name}", "")
        if not values[name]:
            raise Reject(code, f"Request header OK-ACCESS-{name.upper()} can not be empty.")
    at_ms = _rest_time_ms(values["timestamp"])
    if abs(venue.stated_ms - at_ms) > WINDOW_MS:
        raise Reject("50102", "Timestamp request expired")
    if not _KEY.fullmatch(values["key"]):
        raise Reject("50111", "Invalid OK-ACCESS-KEY")
    account = venue.account_by_key(values["key"])
    if account is None:
        raise Reject("50119", "API key doesn't exist")
    if not hmac.compare_digest(values["passphrase"].encode(), account.passphrase.encode()):
        raise Reject("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.")
    prehash = (
        f"{values['timestamp']}{request.method}{request.target}{request.body.decode('utf-8', 'replace')}"
    )
    if not hmac.compare_digest(values["sign"].encode(), signature(account.secret, prehash).encode()):
        raise Reject("50113", "Invalid Sign")
    if not _is_let_in(account, request.peer):
        raise Reject("50110", f"Your IP {request.peer} is not included in your API key's IP whitelist.")
    return account


def check_login(venue: Venue, arg: Mapping[str, Any], peer: str) -> AccountState:
    """Return the account of a WebSocket login; `timestamp` is epoch seconds. Raises Reject (600xx).

    A key bound to other addresses than `peer` is refused as 60009: streams have no code of their own for it.
    """
    text = {name: str(arg.get(name) or "") for name in ("apiKey", "passphrase", "timestamp", "sign")}
    if not all(text.values()):
        raise Reject("60009", "Login failed.")
    if not _LOGIN_TIME.fullmatch(text["timestamp"]):
        raise Reject("60004", "Invalid timestamp")
    if abs(venue.stated_ms - int(float(text["timestamp"]) * 1000)) > WINDOW_MS:
        raise Reject("60006", "Timestamp request expired")
    account = venue.account_by_key(text["apiKey"])
    if account is None:
        raise Reject("60005", "Invalid apiKey")
    if not hmac.compare_digest(text["passphrase"].encode(), account.passphrase.encode()):
        raise Reject("60024", "Wrong passphrase")
    expected = signature(account.secret, text["timestamp"] + "GET/users/self/verify")
    if not hmac.compare_digest(text["sign"].encode(), expected.encode()):
        raise Reject("60007", "Invalid sign")
    if not _is_let_in(account, peer):
        raise Reject("60009", f"Login failed. Your IP {peer} is not included in your API key's IP whitelist.")
    return account


def rest_environment(headers: Mapping[str, str]) -> str:
    """Which environment a request is for: demo with `x-simulated-trading: 1`, else live. api-v5.md 1.1."""
    return "demo" if headers.get("x-simulated-trading", "").strip() == "1" else "live"


def stream_environment(headers: Mapping[str, str]) -> str:
    """Which environment a stream's handshake is for: as its x-simulated-trading says, else as its host does.

    "" where neither does, as at an address of this machine: that is the address of whatever venue is there.
    """
    if "x-simulated-trading" in headers:
        return rest_environment(headers)
    host = headers.get("host", "").partition(".")[0].lower()
    return "demo" if host in _DEMO_HOSTS else "live" if host in _LIVE_HOSTS else ""


def check_environment(own: str, asked: str) -> None:
    """Raise Reject(50101, api-v5.md 1.3) when the keys of `own` ("any" for both) are not for `asked`."""
    if own != "any" and asked not in ("", own):
        raise Reject("50101", "APIKey does not match current environment.")


def _is_let_in(account: AccountState, peer: str) -> bool:
    return not account.ip or peer in account.ip.split(",")
