"""python-okx made fit for service: its signing and its endpoints on a transport of our own.

The SDK alone signs with the local clock, forces HTTP/2 (calls in flight fail when the server
recycles the connection), takes proxies from the environment, sends unset fields as "", and returns
JSON whatever the status was. Everything passes one funnel, `_request`; it is replaced here, and returns
the signed request instead of an answer: rest.py decides who carries it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from okx import utils as untyped_utils
from okx.Account import AccountAPI
from okx.Funding import FundingAPI
from okx.MarketData import MarketAPI
from okx.okxclient import OkxClient
from okx.PublicData import PublicAPI
from okx.Status import StatusAPI
from okx.Trade import TradeAPI

from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.errors import HttpReply

_utils: Any = untyped_utils

GET: Final = "GET"
POST: Final = "POST"
NO_KEY: Final = "-1"  # the SDK's word for unsigned
# The query is signed as written but would be sent encoded: only what needs no encoding may pass
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.,:-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as the SDK shaped and signed it, not sent yet. `path` includes the query."""

    client: _Signed
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def send(self) -> HttpReply:
        """Send it and wait for the answer, read in no way. Raises what httpx raises."""
        response = self.client.request(self.method, self.path, content=self.body, headers=self.headers)
        return HttpReply(response.status_code, response.content)

    @property
    def patience_s(self) -> float:
        """How long an answer is waited for."""
        return self.client.timeout.read or 0.0


class _Signed(OkxClient):
    """The funnel: strip, stamp, sign. What it returns is not sent yet, so that who sends may choose how."""

    now_ms: Callable[[], int]

    def _request(
        self, method: str, request_path: str, params: Mapping[str, Any] | list[Mapping[str, Any]]
    ) -> Prepared:
        body = ""
        if method == GET:
            request_path += _utils.parse_params_to_str(params)
        else:
            body = json.dumps(_said(params))
        if self.API_KEY == NO_KEY:
            headers = _utils.get_header_no_sign(self.flag, False)
        else:
            stamp = iso_time(self.now_ms())
            signature = _utils.sign(
                _utils.pre_hash(stamp, method, request_path, body, False), self.API_SECRET_KEY
            )
            headers = _utils.get_header(self.API_KEY, signature, stamp, self.PASSPHRASE, self.flag, False)
        return Prepared(self, method, request_path, headers, body.encode())


class Account(_Signed, AccountAPI):
    pass


class Public(_Signed, PublicAPI):
    pass


class MarketInfo(_Signed, MarketAPI):
    """Quotes and candles, with the histories the SDK lacks or keeps in a client of their own."""

    def get_history_mark_candlesticks(self, **params: str) -> Prepared:
        return self._request(GET, "/api/v5/market/history-mark-price-candles", params)

    def get_open_interest_history(self, **params: str) -> Prepared:
        return self._request(GET, "/api/v5/rubik/stat/contracts/open-interest-history", params)

    def get_long_short_ratio(self, **params: str) -> Prepared:
        return self._request(GET, "/api/v5/rubik/stat/contracts/long-short-account-ratio", params)


class Service(_Signed, StatusAPI):
    pass


class Trade(_Signed, TradeAPI):
    """Trading, with the dead man's switch and the expiry of orders that the SDK lacks."""

    def place_order(self, *args: Any, expTime: str = "", **params: Any) -> Prepared:
        """POST trade/order; `expTime`, venue time in ms, travels as a header and is not signed."""
        untyped: Any = super()
        prepared: Prepared = untyped.place_order(*args, **params)
        return replace(prepared, headers={**prepared.headers, "expTime": expTime}) if expTime else prepared

    def cancel_all_after(self, timeOut: str, tag: str) -> Prepared:
        return self._request(POST, "/api/v5/trade/cancel-all-after", {"timeOut": timeOut, "tag": tag})


class Funding(_Signed, FundingAPI):
    """Transfers, with the client id the SDK's wrappers leave out."""

    def transfer(self, **params: str) -> Prepared:
        """POST asset/transfer; `source` is sent as `from`, a word Python keeps for itself."""
        sent = {"from" if key == "source" else key: value for key, value in params.items()}
        return self._request(POST, "/api/v5/asset/transfer", sent)

    def transfer_state_of(self, **params: str) -> Prepared:
        return self._request(GET, "/api/v5/asset/transfer-state", params)


class Sdk:
    """The SDK's objects, built once: orders on their own connections, public ones without the key.

    Public calls stay unsigned so that market data survives a revoked key.
    """

    def __init__(
        self, endpoints: Endpoints, credentials: Credentials | None, now_ms: Callable[[], int]
    ) -> None:
        tls = httpx.create_ssl_context(trust_env=False)
        self._transports = [
            httpx.HTTPTransport(
                verify=tls,
                http1=True,
                http2=False,
                trust_env=False,
                limits=httpx.Limits(max_connections=size, max_keepalive_connections=size),
            )
            for size in (4, 8)
        ]
        orders, reads = self._transports
        quick = httpx.Timeout(3.0, connect=2.0)
        patient = httpx.Timeout(5.0, connect=3.0)
        secret = credentials or Credentials(NO_KEY, NO_KEY, NO_KEY)
        public = Credentials(NO_KEY, NO_KEY, NO_KEY)

        def build(
            api: type[Any], key: Credentials, transport: httpx.HTTPTransport, timeout: httpx.Timeout
        ) -> Any:
            client = api(
                key.key,
                key.secret,
                key.passphrase,
                flag="1" if endpoints.demo else "0",  # explicit: the SDK's own default is demo
                domain=endpoints.rest_url,
                debug=False,  # debug would log key and passphrase
            )
            for own in (client._transport, *client._mounts.values()):
                if own is not None:
                    own.close()
            client._transport, client._mounts = transport, {}
            client._trust_env = False
            client.timeout = timeout
            client.now_ms = now_ms
            return client

        self.trade: Trade = build(Trade, secret, orders, quick)
        self.account: Account = build(Account, secret, reads, patient)
        self.funding: Funding = build(Funding, secret, reads, patient)
        self.public: Public = build(Public, public, reads, patient)
        self.market: MarketInfo = build(MarketInfo, public, reads, patient)
        self.service: Service = build(Service, public, reads, patient)

    def tell_time(self, now_ms: Callable[[], int]) -> None:
        """Sign with another clock from now on."""
        for client in (self.trade, self.account, self.funding, self.public, self.market, self.service):
            client.now_ms = now_ms

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


def iso_time(at_ms: int) -> str:
    """Return the signature's time: 2026-01-05T09:08:57.715Z."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _said(params: Mapping[str, Any] | list[Mapping[str, Any]]) -> object:
    """A body without the fields that were left open; some endpoints take a list of such."""
    if isinstance(params, list):
        return [_said(each) for each in params]
    return {key: value for key, value in params.items() if value is not None and value != ""}


def check_plain(params: Mapping[str, Any]) -> None:
    """Raise ValueError for a parameter that could not be signed as it will be sent."""
    for key, value in params.items():
        if isinstance(value, str) and not _PLAIN.fullmatch(value):
            raise ValueError(f"{key}={value!r} cannot be sent to the venue")
