"""Who moves the venue's clock.

FreeRunning follows the wall clock times a speed, for any client. LockStep moves only when every
attached client says it is idle, and only after every push has provably arrived: then acceleration
changes no decision.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec

from exchange.sim.surface.ws_link import WebSocketLink

STEP_S: Final = 0.1  # of wall time between two looks at the wall clock
SLICE_S: Final = 0.05  # a paced wait notices within this that its client has left
CATCH_UP_S: Final = 1.0  # a paced run this far behind its speed does not try to make up more


class Stage(Protocol):
    """The venue with its connections, as its clock sees it."""

    @property
    def now_ms(self) -> int: ...

    def next_ms(self) -> int | None: ...

    def advance(self, until_ms: int) -> int:
        """Move the venue by one step towards an instant and push what happened."""
        ...

    def close_idle(self) -> None: ...

    def failed(self, error: BaseException) -> None:
        """The venue broke while its clock was moved; time stands from here on."""
        ...

    def unproven(self) -> bool:
        """Has anything been sent whose arrival is not proven?"""
        ...

    async def prove(self) -> None:
        """Return once everything sent so far has arrived, or its connection is gone."""
        ...

    async def prove_if_read(self) -> None:
        """The same for a moment only: a client may be unable to read before it has its answer."""
        ...

    def send(self, link: WebSocketLink, frames: list[bytes]) -> None:
        """Send frames whose arrival is to be proven."""
        ...


class FreeRunning:
    """`speed` venue seconds per wall second.

    now_s  the wall clock, by default the running loop's
    sleep  waits for so many wall seconds; 0 only lets others run
    """

    def __init__(
        self,
        stage: Stage,
        speed: float,
        now_s: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._stage = stage
        self._speed = speed
        self._now_s = now_s
        self._sleep = sleep

    async def run(self) -> None:
        """Run until cancelled. A venue that cannot keep up runs as fast as it can."""
        stage, now_s = self._stage, self._now_s or asyncio.get_running_loop().time
        wall_s, venue_ms, last_ms = now_s(), float(stage.now_ms), stage.now_ms
        is_behind = False
        while True:
            await self._sleep(0 if is_behind else STEP_S)
            is_behind = False
            began_s = now_s()
            if stage.now_ms < last_ms:  # the venue went back to a snapshot
                venue_ms, last_ms = float(stage.now_ms), stage.now_ms
            venue_ms += (began_s - wall_s) * 1000 * self._speed
            wall_s = began_s
            while stage.now_ms < int(venue_ms):
                before_ms = stage.now_ms
                last_ms = stage.advance(int(venue_ms))
                if last_ms == before_ms:
                    break
                await self._sleep(0)  # let requests in between two steps
                if stage.now_ms < last_ms:
                    break  # one of them took the venue back to a snapshot
                if now_s() - began_s > STEP_S:
                    is_behind, venue_ms = True, float(stage.now_ms)
            stage.close_idle()


@dataclass(slots=True)
class _Client:
    speed: float | None
    until_ms: int | None = None
    is_idle: bool = False


class LockStep:
    """The clock of `/sim/clock`: JSON text, one object per message.

    attach(speed) -> attached; idle(until_ms) -> sync (pushes have arrived, time stands), or tick (time
    moves to this instant, its pushes follow) and now (they have arrived; `end` when the market data is
    over); peek -> peek. Without a client time stands still.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._clients: dict[WebSocketLink, _Client] = {}
        self._round: asyncio.Task[None] | None = None
        self._moving = asyncio.Lock()  # one at a time moves the venue
        self._due_s = 0.0  # when, on the wall, a paced venue should be where it is

    @property
    def clients(self) -> int:
        return len(self._clients)

    def hear(self, link: WebSocketLink, text: str) -> None:
        try:
            message = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            self._say(link, op="error", msg="a JSON object is allowed")
            return
        client = self._clients.get(link)
        match message.get("op"):
            case "attach":
                speed = message.get("speed")
                if speed is not None and (not isinstance(speed, int | float) or speed <= 0):
                    self._say(link, op="error", msg=f"speed {speed!r}: null or a number above 0 is allowed")
                    return
                self._clients[link] = _Client(speed)
                self._due_s = asyncio.get_running_loop().time()
                self._say(link, op="attached", now_ms=self._stage.now_ms)
            case "idle" if client is not None:
                until_ms = message.get("until_ms")
                if not isinstance(until_ms, int | None):
                    self._say(
                        link, op="error", msg=f"until_ms {until_ms!r}: null or milliseconds are allowed"
                    )
                    return
                client.until_ms, client.is_idle = until_ms, True
                self._start_round()
            case "peek":
                self._say(link, op="peek", now_ms=self._stage.now_ms, next_ms=self._stage.next_ms())
            case op:
                self._say(link, op="error", msg=f"op {op!r}: attach, then idle, or peek is allowed")

    async def move(self, until_ms: int) -> None:
        """Move time for a client that waits for an answer, and so can neither be idle nor say so.

        Every step is told to all clients, and what it pushed has arrived, before the next.
        """
        async with self._moving:
            while self._stage.now_ms < until_ms:
                next_ms = self._stage.next_ms()
                landing_ms = until_ms if next_ms is None else min(until_ms, next_ms)
                for link in self._clients:
                    self._stage.send(link, [_encoded(op="tick", now_ms=max(self._stage.now_ms, landing_ms))])
                self._stage.advance(until_ms)
                await self._stage.prove_if_read()

    def leave(self, link: WebSocketLink) -> None:
        self._clients.pop(link, None)
        self._start_round()  # the others may have been waiting for this one

    def _ready(self) -> bool:
        return bool(self._clients) and all(client.is_idle for client in self._clients.values())

    def _start_round(self) -> None:
        if self._ready() and (self._round is None or self._round.done()):
            self._round = asyncio.get_running_loop().create_task(self._play())
            self._round.add_done_callback(self._ended)

    def _ended(self, played: asyncio.Task[None]) -> None:
        if played.cancelled():
            return
        if (error := played.exception()) is not None:
            self._stage.failed(error)
        else:
            self._start_round()

    async def _play(self) -> None:
        async with self._moving:
            await self._step()

    async def _step(self) -> None:
        stage = self._stage
        if not self._ready():  # somebody spoke or left while time was moved for another
            return
        if not stage.unproven():
            until_ms = self._until_ms()
            await self._pace(until_ms)
            if not self._ready():
                return
            if not stage.unproven():
                # The clients' clocks first: what is pushed now must not look older than it is.
                landing_ms = min(until_ms, stage.next_ms() or until_ms)
                self._tick(max(stage.now_ms, landing_ms))
                stage.advance(until_ms)
                await stage.prove()
                self._reply(op="now", now_ms=stage.now_ms, end=stage.next_ms() is None)
                return
        await stage.prove()
        self._reply(op="sync", now_ms=stage.now_ms)

    def _until_ms(self) -> int:
        """The earliest instant anybody waits for; when all wait for nothing, the venue's own next."""
        asked = [client.until_ms for client in self._clients.values() if client.until_ms is not None]
        if asked:
            return min(asked)
        return self._stage.next_ms() or self._stage.now_ms

    async def _pace(self, until_ms: int) -> None:
        speeds = [client.speed for client in self._clients.values() if client.speed is not None]
        if not speeds:
            return
        loop = asyncio.get_running_loop()
        landing_ms = min(until_ms, self._stage.next_ms() or until_ms)
        wait_s = max(0, landing_ms - self._stage.now_ms) / 1000 / min(speeds)
        self._due_s = max(self._due_s + wait_s, loop.time() - CATCH_UP_S)
        while self._ready() and not self._stage.unproven():
            left_s = self._due_s - loop.time()
            if left_s <= 0:
                return
            await asyncio.sleep(min(left_s, SLICE_S))

    def _tick(self, now_ms: int) -> None:
        for link in self._clients:
            self._say(link, op="tick", now_ms=now_ms)

    def _reply(self, **message: object) -> None:
        for link, client in self._clients.items():
            if client.is_idle:
                client.is_idle = False
                self._say(link, **message)

    def _say(self, link: WebSocketLink, **message: object) -> None:
        link.send([_encoded(**message)])


def _encoded(**message: object) -> bytes:
    return msgspec.json.encode(message)
