"""The sleeve's feed on a venue in this process: its account is told of, its prices are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from core.context import StreamHealth
from core.ports import OrderSink
from core.types import Book
from exchange.direct import words
from exchange.direct.deliveries import AccountEar, Deliveries
from exchange.direct.stores import DirectAccount
from exchange.sim.model import AccountState
from exchange.sim.seam import Venue

PRIVATE, PUBLIC = "sleeve private", "sleeve public"
LEVELS = 5
MARKS_EVERY_MS = 10_000  # the real venue repeats a mark that has not changed


class DirectSleeveFeed:
    """Implements core.ports.SleeveFeed. Who moves the venue stops at `next_look_ms` at the latest, and calls
    `look` wherever it stops.

    deliveries  shared with the engine's own streams: the venue tells everything once.
    """

    def __init__(
        self,
        venue: Venue,
        account: AccountState,
        store: DirectAccount,
        deliveries: Deliveries,
        orders: OrderSink,
        on_mark: Callable[[str, Decimal, int], None],
        on_book: Callable[[Book], None],
    ) -> None:
        self._venue, self._deliveries = venue, deliveries
        self._on_mark, self._on_book = on_mark, on_book
        self._ear = AccountEar(venue, account, store)
        self._ear.orders = orders
        deliveries.add(self._ear)
        self._watched: tuple[str, ...] = ()
        self._marks: dict[str, tuple[Decimal, int]] = {}  # as told last, and when
        self._books: dict[str, int] = {}  # their numbers

    @property
    def frames(self) -> int:
        return self._ear.frames

    async def start(self) -> None:
        self._deliveries.deliver()  # what was before is not told
        self._ear.live = True

    async def stop(self) -> None:
        self._ear.live = False

    def health(self) -> Mapping[str, StreamHealth]:
        names = (PRIVATE, PUBLIC) if self._watched else (PRIVATE,)
        return dict.fromkeys(names, StreamHealth(self._ear.live, self._venue.now_ms))

    def watch(self, inst_ids: Iterable[str]) -> None:
        """What is new is told with the next look, as a new subscription begins with what there is."""
        self._watched = tuple(sorted(set(inst_ids)))
        self._marks = {one: told for one, told in self._marks.items() if one in self._watched}
        self._books = {one: number for one, number in self._books.items() if one in self._watched}

    def next_look_ms(self) -> int | None:
        """When a mark is due to be told even if it stands; None while nothing is watched."""
        if not self._ear.live or not self._watched:
            return None
        return min(self._due_ms(inst_id) for inst_id in self._watched)

    def _due_ms(self, inst_id: str) -> int:
        told = self._marks.get(inst_id)
        return self._venue.now_ms if told is None else told[1] + MARKS_EVERY_MS

    def look(self) -> bool:
        """Tell what has changed since the last look; True when something has, or was due to be repeated."""
        if not self._ear.live:
            return False
        told = False
        for inst_id in self._watched:
            side, now_ms = self._venue.markets[inst_id], self._venue.now_ms
            known = self._marks.get(inst_id)
            if known is None or known[0] != side.mark_px or now_ms >= self._due_ms(inst_id):
                self._marks[inst_id], told = (side.mark_px, now_ms), True
                self._on_mark(inst_id, side.mark_px, now_ms)
            if self._books.get(inst_id) != side.seq_id:
                self._books[inst_id], told = side.seq_id, True
                self._on_book(words.book(side, LEVELS, now_ms))
        return self._ear.revalue() or told
