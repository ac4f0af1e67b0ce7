"""Signed REST calls from asyncio: budgeted, typed, never repeated when they could do something twice.

The SDK shapes and signs; a carrier sends. The usual carrier has two bounded pools of threads, one for
orders and one for everything else, so that a slow candle query cannot delay a hedge order. A request
once given to a thread cannot be taken back, therefore nothing here puts a timeout around one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

from core.errors import AuthFailed, BadPayload, RateLimited, VenueDown, VenueError, VenueRejected
from core.meters import Meters
from core.ports import Clock
from exchange.okx import wire
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.errors import CLOCK_CODE, EXPIRED, HttpReply, unpack
from exchange.okx.families import FAMILY_OF
from exchange.okx.limits import Throttle
from exchange.okx.parse_market import server_time
from exchange.okx.rest_log import RestHealth, RestLog
from exchange.okx.sdk import Prepared, Sdk, check_plain

W = TypeVar("W")
R = TypeVar("R")

RETRY_AFTER_S: Final = (0.2, 1.0)  # a read is tried three times
THREADS: Final = 4
CLOCK_SAMPLES: Final = 3
_ANSWERS: Final[Mapping[type[VenueError], str]] = {
    VenueRejected: "rejected",
    RateLimited: "throttled",
    AuthFailed: "unauthorized",
}  # every other error is no usable answer


class Carrier(Protocol):
    """Brings signed requests to the venue."""

    async def carry(self, request: Prepared, is_order: bool) -> HttpReply:
        """Send and return the answer. Whatever is raised means: no answer, it may have arrived."""
        ...

    async def close(self) -> None:
        """Return once nothing is under way any more."""
        ...


BuildSdk = Callable[[Endpoints, Credentials | None, Callable[[], int]], Sdk]


class ThreadCarrier:
    """Sends on worker threads, over the SDK's own connections."""

    def __init__(self) -> None:
        self._order_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="okx-orders")
        self._read_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="okx-reads")

    async def carry(self, request: Prepared, is_order: bool) -> HttpReply:
        pool = self._order_threads if is_order else self._read_threads
        return await asyncio.get_running_loop().run_in_executor(pool, request.send)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        for pool in (self._order_threads, self._read_threads):
            await loop.run_in_executor(None, pool.shutdown)


class OkxRest:
    """The one door to the venue's REST API.

    `sdk` has the endpoints; pass one of its methods to `read` or `send`. Both return parsed rows and
    raise VenueRejected, VenueDown (also for an answer that cannot be read), RateLimited, AuthFailed.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        credentials: Credentials | None,
        clock: Clock,
        carrier: Carrier | None = None,
        build_sdk: BuildSdk = Sdk,
        max_key_refusals: int = 3,
        meters: Meters | None = None,
    ) -> None:
        self._clock = clock
        self._meters = meters or Meters()
        self.offset_ms = 0  # venue minus local
        self._log = RestLog(max_key_refusals)
        self.sdk = build_sdk(endpoints, credentials, self.venue_now_ms)
        self._throttle = Throttle()
        self._carrier = carrier or ThreadCarrier()

    @property
    def requests(self) -> int:
        """Requests sent in total."""
        return self._log.requests

    def venue_now_ms(self) -> int:
        """Return the venue's time as well as we know it."""
        return self._clock.now_ms() + self.offset_ms

    async def read(
        self,
        call: Callable[..., Any],
        row: type[W],
        parse: Callable[[W], R],
        *,
        scope: str = "",
        **params: Any,
    ) -> list[R]:
        """Ask for something; a failed or throttled question is asked again, twice at most."""
        request = _Request(call, row, parse, scope, False, params)
        for pause_s in RETRY_AFTER_S:
            try:
                return await self._in_time(request)
            except VenueDown:
                await self._clock.sleep(pause_s)
            except RateLimited as exc:
                await self._clock.sleep(max(pause_s, exc.retry_after_s))
        return await self._in_time(request)

    async def read_one(
        self,
        call: Callable[..., Any],
        row: type[W],
        parse: Callable[[W], R],
        *,
        scope: str = "",
        **params: Any,
    ) -> R:
        """Ask for one thing; VenueDown also when the answer is none or several."""
        return _only(call, await self.read(call, row, parse, scope=scope, **params))

    async def send(
        self,
        call: Callable[..., Any],
        row: type[W],
        parse: Callable[[W], R],
        *,
        scope: str = "",
        urgent: bool = False,
        **params: Any,
    ) -> R:
        """Change something at the venue, once. VenueDown: it may have happened, ask.

        `urgent` may use the part of the budget kept for orders that reduce.
        """
        try:
            rows = await self._in_time(_Request(call, row, parse, scope, urgent, params))
        except VenueRejected:
            self._log.refused(self._clock.now_ms())
            raise
        return _only(call, rows)

    async def measure_offset(self, samples: int = CLOCK_SAMPLES) -> int:
        """Measure venue time minus local time by the fastest of a few samples, ms; keep and return it."""
        best: tuple[int, int] | None = None
        for _ in range(samples):
            asked = self._clock.now_ms()
            venue_ms = await self.read_one(self.sdk.public.get_system_time, wire.Time, server_time)
            answered = self._clock.now_ms()
            sample = (answered - asked, venue_ms - (asked + answered) // 2)
            best = sample if best is None else min(best, sample)
        assert best is not None
        self.offset_ms = best[1]
        return self.offset_ms

    def health_figures(self, now_ms: int) -> RestHealth:
        return self._log.health(now_ms, self.offset_ms, self._throttle.order_use_ratio())

    def forgive_key(self) -> None:
        """Try the key again after it was refused too often: the operator says that it is well."""
        self._log.forgive_key()

    async def close(self) -> None:
        """Let the calls under way end, then close the connections."""
        await self._carrier.close()
        self.sdk.close()

    async def _in_time(self, request: _Request[W, R]) -> list[R]:
        """Make the call; when the venue finds our clock wrong, measure it and try once more.

        That is safe for orders too: a signature out of time is refused before anything is read. An order that
        has expired is not tried again: either our clock is wrong, or it has truly become old.
        """
        signed = request.call.__self__ in (self.sdk.trade, self.sdk.account, self.sdk.funding)
        try:
            return await self._call(request, signed)
        except AuthFailed as exc:
            if exc.code != CLOCK_CODE:
                raise
        except VenueRejected as exc:
            if exc.code == EXPIRED:
                await self.measure_offset()
            raise
        await self.measure_offset()
        return await self._call(request, signed)

    async def _call(self, request: _Request[W, R], signed: bool) -> list[R]:
        name, log, meters = request.name, self._log, self._meters
        family = FAMILY_OF[name]
        log.admit(self._clock.now_ms(), signed=signed)
        wanted_ms = self._clock.now_ms()
        await self._throttle.take(name, request.scope, urgent=request.urgent)
        log.began()
        asked_ms, answer = self._clock.now_ms(), "failed"
        meters.throttle_s.add(family, amount=(asked_ms - wanted_ms) / 1000)
        try:
            reply = await self._carried(request)
            parsed = [request.parse(item) for item in unpack(reply, request.row)]
            answer = "answered"
        except BadPayload as exc:
            down = VenueDown(f"{name}: unreadable answer: {exc}")
            log.failed(down, self._clock.now_ms(), signed=signed)
            raise down from exc
        except VenueError as exc:
            log.failed(exc, self._clock.now_ms(), signed=signed)
            answer = _ANSWERS.get(type(exc), answer)
            if isinstance(exc, RateLimited):
                self._throttle.drain(name, request.scope)
            raise
        finally:
            now_ms = self._clock.now_ms()
            log.took(now_ms - asked_ms, now_ms)
            meters.rest_s.add(family, (now_ms - asked_ms) / 1000)
            meters.answers.add(family, answer)
        log.answered(signed=signed)
        return parsed

    async def _carried(self, request: _Request[W, R]) -> HttpReply:
        is_order = request.call.__self__ is self.sdk.trade
        try:
            return await self._carrier.carry(request.call(**request.params), is_order)
        except Exception as exc:
            # Whatever broke on the way, the request may have arrived
            raise VenueDown(f"{request.name}: no answer ({type(exc).__name__})") from exc


@dataclass(frozen=True, slots=True)
class _Request(Generic[W, R]):
    """One call of an SDK method and how to read its answer."""

    call: Any  # a bound method of one of the SDK's objects
    row: type[W]
    parse: Callable[[W], R]
    scope: str
    urgent: bool
    params: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_plain(self.params)

    @property
    def name(self) -> str:
        return str(self.call.__name__)


def _only(call: Callable[..., Any], rows: list[R]) -> R:
    if len(rows) != 1:
        raise VenueDown(f"{call.__name__}: {len(rows)} rows where one belongs")
    return rows[0]
