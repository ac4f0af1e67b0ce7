"""The book of a recorded feed, level by level, with clients' own orders in it.

Every update is applied in its order. What clients took of a level is missing until the feed writes that
level anew. A client's order queues behind what the feed shows at its price when it arrives; the feed's
trades at its price use up that queue and then the order, trades beyond its price the order alone. Levels
that shrink without a trade shorten the queue. Before and after the feed the book is the invented one.

Sizes are the feed's coins turned into the instrument's unit and rounded down to its lot; a level below a
lot is not shown.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal

from exchange.sim.markets.book import Behind, Book, FeedPrint
from exchange.sim.markets.calibration import DepthProfile
from exchange.sim.model import ZERO, BookLevel, Instrument, Order
from exchange.sim.profile import VenueProfile
from exchange.tape_l2 import SNAPSHOT, TRADE, UNIT, DepthFeed

LEVELS = 400  # built at a time, best first
FIRST_LOOK = 5  # of them are enough to find the best, as a rule
PRINTS_KEPT = 500


class _Side:
    """Price -> size, in the feed's whole numbers; `ranks` ascending, the best price last."""

    def __init__(self, sign: int) -> None:
        self.sizes: dict[int, int] = {}
        self._sign = sign
        self._ranks: list[int] = []

    def write(self, price: int, size: int) -> None:
        known = price in self.sizes
        if size:
            self.sizes[price] = size
            if not known:
                insort(self._ranks, price * self._sign)
        elif known:
            del self.sizes[price]
            del self._ranks[bisect_left(self._ranks, price * self._sign)]

    def clear(self) -> None:
        self.sizes.clear()
        self._ranks.clear()

    def best(self, count: int) -> list[int]:
        """The best prices, best first."""
        return [abs(rank) for rank in reversed(self._ranks[-count:])]


class FeedBook(Book):
    """`rows_applied` counts the levels written so far, those of the snapshot included."""

    def __init__(
        self,
        instrument: Instrument,
        depth_profile: DepthProfile,
        scale: float,
        seed: int,
        profile: VenueProfile,
        feed: DepthFeed,
    ) -> None:
        super().__init__(instrument, depth_profile, scale, seed, profile)
        self.rows_applied = 0
        self._feed = feed
        self._event = 0  # the next one to apply
        self._update_id = 0
        self._sides = {"buy": _Side(1), "sell": _Side(-1)}
        self._most = LEVELS
        self._prints: list[FeedPrint] = []
        self._hits: list[tuple[Order, Decimal]] = []
        self._ahead: dict[str, Decimal] = {}  # by order, of what the feed shows at its price

    @property
    def update_id(self) -> int | None:
        return self._update_id if self.covers(self._at_ms) else None

    def covers(self, at_ms: int) -> bool:
        return self._feed.times[0] <= at_ms <= self._feed.times[-1]

    def refresh(self, mid: float, spread: float, depth: float, at_ms: int) -> None:
        super().refresh(mid, spread, depth, at_ms)
        feed = self._feed
        self._queue_up()
        while self._event < len(feed.times) and feed.times[self._event] <= at_ms:
            if feed.kinds[self._event] == TRADE:
                self._trade(self._event)
            else:
                self._write(self._event)
            self._event += 1

    def _write(self, event: int) -> None:
        feed = self._feed
        bids, asks = self._sides["buy"], self._sides["sell"]
        if feed.kinds[event] == SNAPSHOT:
            bids.clear()
            asks.clear()
        begin, end = feed.rows[event], feed.rows[event + 1]
        for row in range(begin, end):
            (bids if feed.buys[row] else asks).write(feed.prices[row], feed.sizes[row])
        self._update_id = feed.ids[event]
        self.rows_applied += end - begin
        for order in self._queued():
            shown = self._size(self._sides[order.side].sizes.get(_whole(order.limit), 0))
            self._ahead[order.ord_id] = min(self._ahead[order.ord_id], shown)

    # --- trades of the feed, and clients' orders in its queues ------------------------------------

    def _queue_up(self) -> None:
        """Orders that came since the last look stand behind what is shown at their price."""
        resting = {order.ord_id: order for side in self.resting.values() for order in side}
        self._ahead = {ord_id: ahead for ord_id, ahead in self._ahead.items() if ord_id in resting}
        for order in resting.values():
            if order.ord_id not in self._ahead:
                shown = self._sides[order.side].sizes.get(_whole(order.limit), 0)
                self._ahead[order.ord_id] = self._size(shown)

    def _queued(self) -> list[Order]:
        return [order for side in self.resting.values() for order in side] if self._ahead else []

    def _trade(self, event: int) -> None:
        feed, row = self._feed, self._feed.rows[event]
        price, size = Decimal(feed.prices[row]) / UNIT, self._size(feed.sizes[row])
        taker, maker = ("buy", "sell") if feed.buys[row] else ("sell", "buy")
        left = size - self._hit(maker, price, size) if self._ahead else size
        if left > 0:
            self._prints.append(FeedPrint(feed.ids[event], price, left, taker, feed.times[event]))
            del self._prints[:-PRINTS_KEPT]

    def _hit(self, side: str, price: Decimal, size: Decimal) -> Decimal:
        """Give orders of one side their part of a trade; return how much that is."""
        given = ZERO
        already = {order.ord_id: part for order, part in self._hits}
        for order in self.resting[side]:
            if (order.limit < price) if side == "buy" else (order.limit > price):
                break
            at_price = order.limit == price
            reach = size - given - (self._ahead[order.ord_id] if at_price else ZERO)
            if at_price:
                self._ahead[order.ord_id] = max(ZERO, -reach)
            part = min(max(ZERO, reach), order.left - already.get(order.ord_id, ZERO))
            if part > 0:
                self._hits.append((order, part))
                given += part
        return given

    def take_hits(self) -> list[tuple[Order, Decimal]]:
        hits, self._hits = self._hits, []
        return hits

    def take_prints(self) -> list[FeedPrint]:
        prints, self._prints = self._prints, []
        return prints

    # --- what there is to take ---------------------------------------------------------------------

    def best(self, side: str) -> Decimal | None:
        if not self.covers(self._at_ms):
            return super().best(side)
        written = self._sides[side]
        for price in written.best(FIRST_LOOK):
            if self._size(written.sizes[price]):
                return Decimal(price) / UNIT
        levels = self.levels(side)
        return levels[0][0] if levels else None

    def eat(self, side: str, size: Decimal) -> None:
        if not self.covers(self._at_ms):
            super().eat(side, size)
            return
        levels = self._levels[side]
        price, shown = levels[0]
        whole = _whole(price)
        left = shown - size
        if left > 0:
            levels[0][1] = left
        else:
            del levels[0]
            if not levels:
                del self._levels[side]
        self._sides[side].write(whole, self._coins(left))
        for order in self.resting[side].at(price):
            if order.ord_id in self._ahead:
                self._ahead[order.ord_id] = max(ZERO, self._ahead[order.ord_id] - size)

    def parts(self, side: str, depth: int) -> tuple[list[BookLevel], Behind | None]:
        if depth > self._most:
            self._most = depth
            self._levels.clear()
        return super().parts(side, depth)

    def _far_view(self, side: str, count: int, edge: Decimal | None) -> Behind | None:
        return None if self.covers(self._at_ms) else super()._far_view(side, count, edge)

    def _behind(self, side: str, ticks: int, count: int) -> list[BookLevel]:
        return [] if self.covers(self._at_ms) else super()._behind(side, ticks, count)

    def _build(self, side: str) -> list[list[Decimal]]:
        if not self.covers(self._at_ms):
            return super()._build(side)
        written = self._sides[side]
        found = ((price, self._size(written.sizes[price])) for price in written.best(self._most))
        return [[Decimal(price) / UNIT, size] for price, size in found if size]

    def _size(self, whole: int) -> Decimal:
        lot = self.instrument.lot
        return Decimal(whole) / UNIT / self.instrument.ct_val // lot * lot

    def _coins(self, size: Decimal) -> int:
        return int(size * self.instrument.ct_val * UNIT)


def _whole(price: Decimal) -> int:
    return int(price * UNIT)
