"""What the sleeve sees of the swaps it watches: last marks and best levels, with the time each was seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from core.context import MarketView
from core.errors import VenueError
from core.ports import Clock, Market
from core.sleeve.ports import Sight
from core.types import Book, Pair

DEPTH = 50  # levels, where a book is asked for


class SleeveMarkets:
    """`on_sight` is told of every mark. `max_age_ms`: an older mark or book is not acted on."""

    def __init__(self, pairs: Mapping[str, Pair], market: Market, clock: Clock, max_age_ms: int) -> None:
        self._pairs, self._market, self._clock, self._max_age_ms = pairs, market, clock, max_age_ms
        self._by_swap = {pair.swap.inst_id: name for name, pair in pairs.items()}
        self._marks: dict[str, tuple[Decimal, int]] = {}
        self._books: dict[str, Book] = {}
        self.on_sight: Callable[[str, Sight], None] = lambda name, sight: None

    # --- what is pushed -------------------------------------------------------------------------

    def on_mark(self, inst_id: str, mark_px: Decimal, at_ms: int) -> None:
        name = self._by_swap[inst_id]
        self._marks[name] = mark_px, at_ms
        self.on_sight(name, Sight(at_ms, mark_px))

    def on_book(self, book: Book) -> None:
        self._books[self._by_swap[book.inst_id]] = book

    # --- answers --------------------------------------------------------------------------------

    def mark_of(self, name: str) -> Decimal | None:
        """The last mark price, however old; None before the first."""
        known = self._marks.get(name)
        return known[0] if known is not None else None

    def sight(self, name: str) -> Sight:
        """What a sweep sees: the mark where it is young enough, none otherwise."""
        now_ms, known = self._clock.now_ms(), self._marks.get(name)
        is_young = known is not None and now_ms - known[1] <= self._max_age_ms
        return Sight(now_ms, known[0] if known is not None and is_young else None)

    def view(self, name: str) -> MarketView:
        mark_px, seen_ms = self._marks.get(name, (None, 0))
        return MarketView(self._pairs[name], None, self._books.get(name), mark_px, seen_ms)

    async def book(self, name: str) -> Book | None:
        """The book that was pushed, where it is young enough; else one asked for; None without either."""
        known = self._books.get(name)
        if known is not None and known.is_sane and self._clock.now_ms() - known.seen_ms <= self._max_age_ms:
            return known
        try:
            book = await self._market.book(self._pairs[name].swap.inst_id, DEPTH)
        except VenueError:
            return None
        return book if book.is_sane else None

    async def look(self, name: str) -> None:
        """Ask for the whole book and the mark of a swap a signal speaks of. Raises VenueError."""
        inst_id = self._pairs[name].swap.inst_id
        self._books[name] = await self._market.book(inst_id, DEPTH)
        self._marks[name] = await self._market.mark_px(inst_id), self._clock.now_ms()
