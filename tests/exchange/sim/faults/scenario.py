"""A scenario file played to a venue, in this process or over real sockets in lock-step.

python -m tests.exchange.sim.faults.scenario FILE      prints the digest of the event log
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from websockets.asyncio.client import ClientConnection, connect

from exchange.sim.exchange import Exchange
from exchange.sim.faults.kinds import span_ms
from exchange.sim.faults.reading import Known, plan_of
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.surface.inprocess import ConnectionLost, InProcess
from exchange.sim.surface.premises import Premises, premises_of
from exchange.sim.surface.server import SimServer
from exchange.sim.surface.switchboard import Switchboard
from tests.exchange.sim.surface.client import sign, signed_headers
from tests.exchange.sim.surface.stub_venue import KEY, PASSPHRASE, SECRET

PUBLIC = [
    {"channel": "books", "instId": "BTC-USDT"},
    {"channel": "tickers", "instId": "BTC-USDT-SWAP"},
]
PRIVATE = [{"channel": "orders", "instType": "ANY"}, {"channel": "account"}]


@dataclass(frozen=True, slots=True)
class Step:
    at_ms: int
    method: str
    path: str
    body: str

    def headers(self, now_ms: int) -> dict[str, str]:
        return signed_headers(now_ms, self.method, self.path, self.body)


class Scenario:
    def __init__(self, path: Path) -> None:
        self._raw: dict[str, Any] = yaml.safe_load(path.read_text())
        self.until_ms = span_ms(self._raw["until"])

    def premises(self) -> Premises:
        seed = self._raw["seed"]
        venue = Exchange(GeneratedMarket(seed, self._raw["coins"]), seed, check=True)
        premises = premises_of(venue, rate_limits=False)
        known = Known(venue.now_ms, venue.accounts, venue.instruments)
        premises.plan = plan_of(self._raw["faults"], known)
        return premises

    def steps(self, start_ms: int) -> list[Step]:
        """In order of time; at one instant in the order of the file."""
        return sorted(self._steps(start_ms), key=lambda step: step.at_ms)

    def _steps(self, start_ms: int) -> Iterator[Step]:
        for each in self._raw["rounds"]:
            for n in range(1, each["times"] + 1):
                at_ms = start_ms + span_ms(each["at"]) + (n - 1) * span_ms(each["every"])
                for request in each["requests"]:
                    [(verb, path)] = [(k, v) for k, v in request.items() if k != "body"]
                    body = json.dumps(request["body"]).replace("{n}", str(n)) if "body" in request else ""
                    yield Step(at_ms, "GET" if verb == "get" else "POST", path, body)


def login(now_ms: int) -> str:
    seconds = str(now_ms // 1000)
    signature = sign(SECRET, f"{seconds}GET/users/self/verify")
    arg = {"apiKey": KEY, "passphrase": PASSPHRASE, "timestamp": seconds, "sign": signature}
    return json.dumps({"op": "login", "args": [arg]})


def subscribe(args: list[dict[str, str]]) -> str:
    return json.dumps({"op": "subscribe", "args": args})


def play_in_process(scenario: Scenario) -> Premises:
    premises = scenario.premises()
    board = Switchboard(premises)
    near, start_ms = InProcess(board), board.now_ms
    near.connect("/ws/v5/public").say(subscribe(PUBLIC))
    private = near.connect("/ws/v5/private")
    private.say(login(start_ms))
    private.say(subscribe(PRIVATE))
    for step in scenario.steps(start_ms):
        board.run_until(step.at_ms)
        stated_ms = premises.venue.stated_ms
        try:
            near.request(step.method, step.path, "", step.headers(stated_ms), step.body.encode(), 600_000)
        except ConnectionLost:
            continue
    board.run_until(start_ms + scenario.until_ms)
    return premises


async def play_over_sockets(scenario: Scenario) -> Premises:
    premises = scenario.premises()
    server = SimServer(premises, speed=None)
    port, start_ms = await server.start(), premises.venue.now_ms
    try:
        async with asyncio.TaskGroup() as both:  # a venue that breaks ends its clients too
            broken = both.create_task(server.finished())
            await _drive(scenario, premises, port, start_ms)
            broken.cancel()
    finally:
        await server.close()
    return premises


async def _drive(scenario: Scenario, premises: Premises, port: int, start_ms: int) -> None:
    url = f"ws://127.0.0.1:{port}"
    async with (
        connect(f"{url}/sim/clock", compression=None) as clock,
        connect(f"{url}/ws/v5/public", compression=None) as public,
        connect(f"{url}/ws/v5/private", compression=None) as private,
    ):
        await clock.send('{"op":"attach","speed":null}')
        readers = [asyncio.create_task(_read(one)) for one in (public, private)]
        await public.send(subscribe(PUBLIC))
        await private.send(login(start_ms))
        await private.send(subscribe(PRIVATE))
        time = _Time(clock)
        for step in scenario.steps(start_ms):
            await time.reach(step.at_ms)
            await _ask(port, step, premises.venue.stated_ms)
        await time.reach(start_ms + scenario.until_ms)
        for reader in readers:
            reader.cancel()


async def _read(socket: ClientConnection) -> None:
    async for _ in socket:
        continue


class _Time:
    """A lock-step client."""

    def __init__(self, clock: ClientConnection) -> None:
        self._clock = clock

    async def reach(self, at_ms: int) -> None:
        """Be idle until the venue is there. Time may have moved on meanwhile, with a late answer."""
        while (await self._said("peek"))["now_ms"] < at_ms:
            await self._said("idle", until_ms=at_ms)

    async def _said(self, op: str, **fields: int) -> dict[str, Any]:
        await self._clock.send(json.dumps({"op": op, **fields}))
        while (message := json.loads(await self._clock.recv()))["op"] not in ("now", "sync", "peek"):
            continue
        answer: dict[str, Any] = message
        return answer


async def _ask(port: int, step: Step, now_ms: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = {**step.headers(now_ms), "connection": "close", "content-length": str(len(step.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"{step.method} {step.path} HTTP/1.1\r\n{lines}\r\n{step.body}".encode())
    try:
        await reader.read()
    except ConnectionResetError:
        return
    finally:
        writer.close()


if __name__ == "__main__":
    print(play_in_process(Scenario(Path(sys.argv[1]))).log.digest)
