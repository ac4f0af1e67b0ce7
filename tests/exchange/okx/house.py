"""The real simulated venue on a port, prices and clock moved by hand, and the sleeve's account in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from decimal import Decimal
from typing import Any

import httpx

from core.protection import StopRequest
from core.types import Contracts, Leg, OrderKind, OrderRequest, Side
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.rest import OkxRest
from exchange.sim.exchange import NEUTRAL, Exchange
from exchange.sim.model import AccountState, PositionKey
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.server import SimServer
from tests.exchange.sim.worlds import MINUTE_MS, SWAP, StillMarket

NAME = "BTC-USDT"
SLEEVE = "sleeve"
KEY = Credentials(f"{SLEEVE}-key", f"{SLEEVE}-secret", f"{SLEEVE}-pass")
HELD = PositionKey(SWAP, "isolated")
D = Decimal


class House:
    """`market` stands still until it is told a price."""

    def __init__(self, market: StillMarket, venue: Exchange, server: SimServer, port: int) -> None:
        self.market, self.venue, self.server, self.port = market, venue, server, port

    @property
    def account(self) -> AccountState:
        return self.venue.accounts[SLEEVE]

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(f"http://127.0.0.1:{self.port}", f"ws://127.0.0.1:{self.port}/ws/v5", demo=True)

    @property
    def contracts(self) -> Decimal:
        row = self.account.positions.get(HELD)
        return row.size if row else D(0)

    @property
    def cash(self) -> Decimal:
        return self.account.trading["USDT"]

    async def control(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask the control interface, as somebody outside of the process does."""
        return await self._control("POST", path, json.dumps(body))

    async def _control(self, method: str, path: str, body: str = "") -> Any:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.request(method, f"{self.endpoints.rest_url}/sim/{path}", content=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def lose_answers(self, path: str, answer: str) -> None:
        """Of requests to `path`: carried out, but answered in no usable way."""
        rule = {"what": {"ack_lost": {"answer": answer}}, "where": {"rest": f"* /api/v5/{path}"}}
        await self.control("faults", {"rules": [rule]})

    async def forget_faults(self) -> None:
        await self._control("DELETE", "faults")

    async def move(self, price: float) -> None:
        """Take spot, swap and mark there, and let the venue notice."""
        self.market.spot["BTC"] = price
        self.market.mark.pop("BTC", None)
        await self.wait(MINUTE_MS)

    async def mark(self, price: float) -> None:
        """Take the mark there alone; the last trade stays."""
        self.market.mark["BTC"] = price
        await self.wait(MINUTE_MS)

    async def wait(self, ms: int) -> None:
        until_ms = self.venue.now_ms + ms
        while self.venue.now_ms < until_ms:
            self.server.advance(until_ms)
            await asyncio.sleep(0)

    def now_ms(self) -> int:
        """The venue's time: what a clock that is right shows. With the rest below, a core.ports.Clock."""
        return self.venue.now_ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    async def sleep_until(self, at_ms: int) -> None:
        await asyncio.sleep(0)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()


@asynccontextmanager
async def open_house() -> AsyncIterator[House]:
    market = StillMarket()
    venue = Exchange(market, seed=1, profile=NEUTRAL)
    server = SimServer(premises_of(venue), speed=None)
    port = await server.start()
    house = House(market, venue, server, port)
    try:
        await house.control("accounts", {"name": SLEEVE, "main": "demo", "cash": {"USDT": "10000"}})
        yield house
    finally:
        await server.close()


@asynccontextmanager
async def client_of(house: House) -> AsyncIterator[OkxRest]:
    rest = OkxRest(house.endpoints, KEY, house)
    try:
        yield rest
    finally:
        await rest.close()


def order(side: Side, size: str, limit_px: str, *, closes: bool = False, cl_id: str = "o1") -> OrderRequest:
    price = D(limit_px)
    return OrderRequest(
        cl_id, NAME, SWAP, Leg.SWAP, side, OrderKind.IOC, D(size), price, closes, D(60_000)
    )  # fmt: skip


def stop(side: Side, trigger_px: str, size: str = "10", cl_id: str = "s1") -> StopRequest:
    return StopRequest(cl_id, NAME, SWAP, side, Contracts(D(size)), D(trigger_px))
