"""The whole venue on a real port, its clock moved by hand, and clients nobody here wrote.

Only URLs and credentials are set on a client. The venue's time stands while a test does not move it, so
that nothing depends on how fast a machine is; a client signs with the venue's clock as its user would
make it: by the offset it measures, or because the machine's clock is right.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from decimal import Decimal
from functools import cache
from typing import Any

import ccxt.async_support
import ccxt.pro

from exchange.sim.exchange import NEUTRAL, Exchange
from exchange.sim.markets.generated import START_MS, GeneratedMarket
from exchange.sim.model import AccountState, BookLevel
from exchange.sim.profile import VenueProfile
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.server import SimServer

SEED = 7
COINS = ("BTC", "ETH")
SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
SPOT_ID, SWAP_ID = "BTC-USDT", "BTC-USDT-SWAP"
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
D = Decimal


class House:
    """A running venue and the demo account's owner."""

    def __init__(self, venue: Exchange, server: SimServer, port: int) -> None:
        self.venue, self.server, self.port = venue, server, port
        self.clients: list[Any] = []  # those that sign with a measured offset

    @property
    def me(self) -> AccountState:
        return self.venue.accounts["demo"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/v5"

    async def drive(self, ms: int) -> None:
        """Move the venue's time: what happens on the way is pushed, clients measure their clocks anew."""
        until_ms = self.venue.now_ms + ms
        while self.venue.now_ms < until_ms:
            self.server.advance(until_ms)
            await asyncio.sleep(0)
        for client in self.clients:
            await client.load_time_difference()

    def cash(self, ccy: str) -> Decimal:
        return self.me.trading.get(ccy, D(0))

    def contracts(self, inst_id: str = SWAP_ID) -> Decimal:
        return sum((row.size for row in self.me.positions.values() if row.inst_id == inst_id), D(0))

    def ask(self, inst_id: str) -> BookLevel:
        return self.venue.markets[inst_id].asks(1)[0]

    def bid(self, inst_id: str) -> BookLevel:
        return self.venue.markets[inst_id].bids(1)[0]


@cache
def market(start_ms: int) -> GeneratedMarket:
    """One market for every house: it is a path over time, which no venue changes."""
    return GeneratedMarket(SEED, COINS, start_ms)


@asynccontextmanager
async def open_house(
    start_ms: int = START_MS, rate_limits: bool = False, profile: VenueProfile = NEUTRAL
) -> AsyncIterator[House]:
    venue = Exchange(market(start_ms), SEED, profile=profile)
    server = SimServer(premises_of(venue, rate_limits), speed=None)
    port = await server.start()
    try:
        yield House(venue, server, port)
    finally:
        await server.close()


def machine_ms() -> int:
    """The machine's time, for clients that sign with it."""
    return int(time.time() * 1000)


def _point(client: Any, house: House) -> None:
    """Turn a client to the venue: what a user writes into its configuration, and no more."""
    for group in ("api", "test"):
        client.urls[group] = {"rest": house.url, "ws": house.ws_url}


@asynccontextmanager
async def ccxt_client(house: House, sandbox: bool = False, **config: Any) -> AsyncIterator[Any]:
    """An unmodified ccxt client of the demo account, which has measured the venue's clock."""
    login = {"apiKey": house.me.key, "secret": house.me.secret, "password": house.me.passphrase}
    client = ccxt.async_support.okx({**login, "enableRateLimit": False, **config})
    _point(client, house)
    if sandbox:
        client.set_sandbox_mode(True)
    try:
        await client.load_time_difference()
        house.clients.append(client)
        yield client
    finally:
        await client.close()


class Punctual(ccxt.pro.okx):  # type: ignore[misc]
    """ccxt.pro on a machine whose clock shows the venue's time: its login has no offset to set.

    It also lets a test wait for a subscription's acknowledgement, which ccxt itself takes no notice of.
    """

    house: House

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._acknowledged: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def milliseconds(self) -> int:
        return self.house.venue.now_ms

    def seconds(self) -> int:
        return self.house.venue.now_ms // 1000

    def handle_subscription_status(self, client: Any, message: Any) -> Any:
        self._acknowledged[message["arg"]["channel"]].set()
        return super().handle_subscription_status(client, message)

    async def start(self, watching: Awaitable[Any], channel: str) -> asyncio.Future[Any]:
        """Begin to watch a channel that greets nobody; its first news will be the future's result."""
        future = asyncio.ensure_future(watching)
        await self._acknowledged[channel].wait()
        return future


@asynccontextmanager
async def ccxt_pro_client(house: House, sandbox: bool = False, **config: Any) -> AsyncIterator[Punctual]:
    login = {"apiKey": house.me.key, "secret": house.me.secret, "password": house.me.passphrase}
    client = Punctual({**login, "enableRateLimit": False, **config})
    client.house = house
    _point(client, house)
    if sandbox:
        client.set_sandbox_mode(True)
    try:
        yield client
    finally:
        await client.close()
