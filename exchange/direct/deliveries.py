"""What happened at a venue in this process, told to the accounts it concerns, in the order it happened."""

from __future__ import annotations

from collections.abc import Callable

from core.ports import OrderSink
from exchange.direct import words
from exchange.direct.stores import DirectAccount
from exchange.sim.events import AccountChanged, OrderChanged
from exchange.sim.model import AccountState
from exchange.sim.seam import Venue

VALUED_EVERY_MS = 60_000  # the real venue says it every five seconds, also when it has not changed


class AccountEar:
    """One account's listener. `orders` is None until execution is there; nothing is told while not `live`."""

    def __init__(self, venue: Venue, account: AccountState, store: DirectAccount) -> None:
        self._venue, self._account, self._store = venue, account, store
        self.orders: OrderSink | None = None
        self.live = False
        self.frames = 0
        self._booked = False
        self._valued_ms = 0

    @property
    def name(self) -> str:
        return self._account.name

    def hear(self, event: OrderChanged | AccountChanged) -> None:
        if isinstance(event, AccountChanged):
            self._booked = True
        elif self.live and self.orders is not None:
            self.frames += 1
            order = event.order
            pushed = words.record(order, self._venue.instruments[order.inst_id])
            self.orders.on_order(pushed, words.fill(event.execution) if event.execution else None)

    def settle(self) -> None:
        """Tell that the account has changed, once after everything that happened together."""
        if self._booked and self.live:
            self._store.changed()
        self._booked = False

    def revalue(self, hears: Callable[[], bool] = lambda: True) -> bool:
        """What the venue repeats by itself while a position is held: what it is worth now. True when told;
        nobody is where nobody hears it."""
        if not self.live or not self._account.positions:
            return False
        held = any(row.size for row in self._account.positions.values())
        if held and self._venue.now_ms - self._valued_ms >= VALUED_EVERY_MS:
            self._valued_ms = self._venue.now_ms
            if hears():
                self._store.changed()
                return True
        return False


class Deliveries:
    """Empties the venue's outbox for everybody who listens."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._ears: dict[str, AccountEar] = {}
        self._delivering = False

    def add(self, ear: AccountEar) -> None:
        self._ears[ear.name] = ear

    def deliver(self) -> bool:
        """Tell what the outbox holds; True when there was something of an account that is listened to."""
        outbox = self._venue.outbox
        if self._delivering or not outbox:
            return False
        self._delivering, told = True, False
        while outbox:
            events = list(outbox)
            outbox.clear()
            for event in events:
                if isinstance(event, OrderChanged | AccountChanged):
                    ear = self._ears.get(event.account)
                    if ear is not None:
                        told = True
                        ear.hear(event)
            for ear in self._ears.values():
                ear.settle()
        self._delivering = False
        return told
