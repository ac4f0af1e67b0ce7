"""What stands where a network would: pushes, time, and the health of a way on which nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from core.clock import VirtualLoop
from core.context import StreamHealth
from core.ports import OrderSink
from exchange.direct.deliveries import AccountEar, Deliveries
from exchange.direct.sleeve import DirectSleeveFeed
from exchange.direct.stores import DirectAccount
from exchange.okx.rest_log import RestHealth
from exchange.sim.model import AccountState
from exchange.sim.seam import Venue

NAMES = ("public", "business", "private")
WELL: Final = RestHealth(
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


class DirectStreams:
    """The Streams port: hands what happened to the account to whoever listens, in the order it happened.

    Market data is not pushed; the stores look it up. `orders` is None until execution is there.

    deliveries  shared with other accounts of the same venue; its own when there are none.
    """

    def __init__(
        self,
        venue: Venue,
        account: AccountState,
        store: DirectAccount,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._venue = venue
        self._ear = AccountEar(venue, account, store)
        self._deliveries = deliveries or Deliveries(venue)
        self._deliveries.add(self._ear)

    @property
    def orders(self) -> OrderSink | None:
        return self._ear.orders

    @orders.setter
    def orders(self, sink: OrderSink) -> None:
        self._ear.orders = sink

    @property
    def frames(self) -> int:
        return self._ear.frames

    async def start(self) -> None:
        self.deliver()  # what was before is not told
        self._ear.live = True

    async def stop(self) -> None:
        self._ear.live = False

    def health(self) -> Mapping[str, StreamHealth]:
        return dict.fromkeys(NAMES, StreamHealth(self._ear.live, self._venue.now_ms))

    def renew(self, inst_id: str) -> None:
        """Nothing to renew: a book is looked up whenever it is wanted."""

    def deliver(self) -> bool:
        """Tell what the outbox holds; True when there was something of this account's, or of one that
        shares the deliveries."""
        return self._deliveries.deliver()

    def revalue(self, hears: Callable[[], bool]) -> bool:
        """See AccountEar."""
        return self._ear.revalue(hears)


class DirectTime:
    """Moves the venue when a virtual loop has nothing left to do. Implements core.clock.TimeKeeper.

    on_end   told once when the market data has ended; time goes on then, but the market stands still.
    on_time  told the time whenever the engine gets its turn.
    leap     asked first whether it can pass a longer time at once; True when it has.
    hears    whether the account's value, which the venue repeats, can matter to anybody now.
    sleeve   looks at its prices whenever the venue stops, and nothing is leapt over while it watches any;
             None where there is no sleeve.
    """

    def __init__(self, venue: Venue, streams: DirectStreams) -> None:
        self._venue, self._streams = venue, streams
        self.on_end: Callable[[], None] = lambda: None
        self.on_time: Callable[[int], None] = lambda now_ms: None
        self.leap: Callable[[], bool] = lambda: False
        self.hears: Callable[[], bool] = lambda: True
        self.sleeve: DirectSleeveFeed | None = None
        self._has_ended = False

    def now_ms(self) -> int:
        return self._venue.now_ms

    def attach(self, loop: VirtualLoop) -> None:
        """Nothing to listen to: time is moved by calling."""

    def idle(self, until_ms: int | None) -> bool:
        """Go on to `until_ms`, or to the first instant at which the account hears of something."""
        self.on_time(self._venue.now_ms)
        if self._next_look_ms() is None and self.leap():
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
            look_ms = self._next_look_ms()
            target_ms = target_ms if look_ms is None else min(target_ms, look_ms)
            if target_ms > self._venue.now_ms:
                self._venue.advance(target_ms)
            told = self._streams.deliver()
            seen = self.sleeve is not None and self.sleeve.look()
            if told or seen or self._streams.revalue(self.hears):
                return True
        return True

    def _next_look_ms(self) -> int | None:
        return None if self.sleeve is None else self.sleeve.next_look_ms()


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
        return WELL

    def forgive_key(self) -> None:
        """No key is needed here."""

    async def close(self) -> None:
        """Nothing is open."""
