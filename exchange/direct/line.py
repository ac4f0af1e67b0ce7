"""What stands where a network would: pushes, time, and the health of a way on which nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.clock import VirtualLoop
from core.context import StreamHealth
from core.ports import OrderSink
from exchange.direct import words
from exchange.direct.stores import DirectAccount
from exchange.okx.rest_log import RestHealth
from exchange.sim.events import AccountChanged, OrderChanged
from exchange.sim.model import AccountState
from exchange.sim.seam import Venue

NAMES = ("public", "business", "private")
VALUED_EVERY_MS = 60_000  # the real venue says it every five seconds, also when it has not changed


class DirectStreams:
    """The Streams port: hands what happened to the account to whoever listens, in the order it happened.

    Market data is not pushed; the stores look it up. `orders` is None until execution is there.
    """

    def __init__(self, venue: Venue, account: AccountState, store: DirectAccount) -> None:
        self._venue, self._account, self._store = venue, account, store
        self.orders: OrderSink | None = None
        self._live = False
        self._delivering = False
        self._valued_ms = 0
        self.frames = 0

    async def start(self) -> None:
        self._live = True
        self._venue.outbox.clear()

    async def stop(self) -> None:
        self._live = False

    def health(self) -> Mapping[str, StreamHealth]:
        return dict.fromkeys(NAMES, StreamHealth(self._live, self._venue.now_ms))

    def renew(self, inst_id: str) -> None:
        """Nothing to renew: a book is looked up whenever it is wanted."""

    def deliver(self) -> bool:
        """Tell what the outbox holds; True when there was something of this account's."""
        outbox = self._venue.outbox
        if self._delivering or not outbox:
            return False
        self._delivering, told = True, False
        while outbox:
            events, booked = list(outbox), False
            outbox.clear()
            for event in events:
                if isinstance(event, OrderChanged) and event.account == self._account.name:
                    told = True
                    self._tell_order(event)
                elif isinstance(event, AccountChanged) and event.account == self._account.name:
                    booked = told = True
            if booked and self._live:
                self._store.changed()
        self._delivering = False
        return told

    def revalue(self, hears: Callable[[], bool]) -> bool:
        """What the venue repeats by itself while a position is held: what it is worth now. True when told;
        nobody is where nobody hears it."""
        if not self._live or not self._account.positions:
            return False
        held = any(row.size for row in self._account.positions.values())
        if held and self._venue.now_ms - self._valued_ms >= VALUED_EVERY_MS:
            self._valued_ms = self._venue.now_ms
            if hears():
                self._store.changed()
                return True
        return False

    def _tell_order(self, event: OrderChanged) -> None:
        if self._live and self.orders is not None:
            self.frames += 1
            order = event.order
            pushed = words.record(order, self._venue.instruments[order.inst_id])
            self.orders.on_order(pushed, words.fill(event.execution) if event.execution else None)


class DirectTime:
    """Moves the venue when a virtual loop has nothing left to do. Implements core.clock.TimeKeeper.

    on_end   told once when the market data has ended; time goes on then, but the market stands still.
    on_time  told the time whenever the engine gets its turn.
    leap     asked first whether it can pass a longer time at once; True when it has.
    hears    whether the account's value, which the venue repeats, can matter to anybody now.
    """

    def __init__(self, venue: Venue, streams: DirectStreams) -> None:
        self._venue, self._streams = venue, streams
        self.on_end: Callable[[], None] = lambda: None
        self.on_time: Callable[[int], None] = lambda now_ms: None
        self.leap: Callable[[], bool] = lambda: False
        self.hears: Callable[[], bool] = lambda: True
        self._has_ended = False

    def now_ms(self) -> int:
        return self._venue.now_ms

    def attach(self, loop: VirtualLoop) -> None:
        """Nothing to listen to: time is moved by calling."""

    def idle(self, until_ms: int | None) -> bool:
        """Go on to `until_ms`, or to the first instant at which the account hears of something."""
        self.on_time(self._venue.now_ms)
        if self.leap():
            return True
        while until_ms is None or self._venue.now_ms < until_ms:
            next_ms = self._venue.next_ms()
            if next_ms is None and not self._has_ended:
                self._has_ended = True
                self.on_end()
                return True
            target_ms = next_ms if until_ms is None else until_ms
            if target_ms is None:
                raise RuntimeError("every task waits and the market has ended")
            self._venue.advance(target_ms)
            if self._streams.deliver() or self._streams.revalue(self.hears):
                return True
        return True


class DirectLine:
    """The way to the venue, as far as its health is asked for: nothing is slow, lost or refused."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.requests = 0

    def venue_now_ms(self) -> int:
        return self._venue.now_ms

    async def measure_offset(self, samples: int = 1) -> int:
        return 0

    def health_figures(self, now_ms: int) -> RestHealth:
        return RestHealth(
            requests=0,
            errors_1m=0,
            rejects_1m=0,
            throttled_1m=0,
            latency_ms=Decimal(0),
            clock_offset_ms=0,
            rate_use_ratio=Decimal(0),
            failing_since_ms=None,
            shut_out_until_ms=0,
            key_refusals=0,
        )

    def forgive_key(self) -> None:
        """No key is needed here."""

    async def close(self) -> None:
        """Nothing is open."""
