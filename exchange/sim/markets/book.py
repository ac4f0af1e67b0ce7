"""One order book: invented depth around a mid price, and the clients' own resting orders in it.

The invented levels are a function of seed, instrument and second, built only when somebody looks. What
takers ate is missing from the best levels and grows back within seconds. Clients' orders queue behind
the depth shown at their price, among themselves by time. Behind the calibrated levels there are more
(far_book.py), worked out when somebody looks, or trades, so deep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from exchange.sim.markets.calibration import DepthProfile
from exchange.sim.markets.depth import Depth
from exchange.sim.markets.far_book import FarSide
from exchange.sim.markets.impact import Impact
from exchange.sim.markets.ladder import Ladder
from exchange.sim.model import ZERO, BookLevel, Instrument, Order
from exchange.sim.profile import VenueProfile

SIDES = ("buy", "sell")
Behind = Callable[[], list[BookLevel]]
FAR_LEVELS = 400  # that a taker may walk behind the calibrated ones


class FeedPrint(NamedTuple):
    """A trade of a recorded book, less what clients' orders had of it."""

    trade_id: int
    price: Decimal
    size: Decimal
    side: str  # of the taker
    ts_ms: int


class Book:
    """Sizes in the instrument's own unit: coins for spot, contracts for swaps."""

    def __init__(
        self,
        instrument: Instrument,
        depth_profile: DepthProfile,
        scale: float,
        seed: int,
        profile: VenueProfile,
    ) -> None:
        self.instrument = instrument
        self.resting = {"buy": Ladder("buy"), "sell": Ladder("sell")}  # clients' orders
        self.invented = Depth(instrument, depth_profile, scale, seed)
        self._regrow_ms = profile.regrow_ms
        self.impact = Impact(profile.impact_share, profile.impact_ms)
        self._tick = float(instrument.tick)
        self._mid = self._depth = 1.0
        self._at_ms = 0
        drawn = self.invented.seed
        self._far = {side: FarSide(instrument, depth_profile, scale, drawn, side) for side in SIDES}
        self._best_ticks = {"buy": 0, "sell": 0}
        self._levels: dict[str, list[list[Decimal]]] = {}
        self._last_ticks = {"buy": 0, "sell": 0}  # the outermost price that ever was in `_levels`
        self._eaten = {"buy": ZERO, "sell": ZERO}  # missing now
        self._meals = {"buy": (ZERO, 0), "sell": (ZERO, 0)}  # what was missing after the last bite, and when

    @property
    def update_id(self) -> int | None:
        """The number of the last update of a recorded book; invented ones have none."""
        return None

    def covers(self, at_ms: int) -> bool:
        """Whether the book is a recorded one at that instant."""
        return False

    def take_hits(self) -> list[tuple[Order, Decimal]]:
        """What trades of a recorded book reached of clients' orders since the last time."""
        return []

    def take_prints(self) -> list[FeedPrint]:
        """Trades of a recorded book since the last time."""
        return []

    def refresh(self, mid: float, spread: float, depth: float, at_ms: int) -> None:
        """Move the invented depth to `mid`; `spread` and `depth` are multiples of a calm day's."""
        bid, ask = self.invented.best(mid, spread)
        if self._eaten["buy"] or self._eaten["sell"]:
            for side, (missing, bitten_ms) in self._meals.items():
                # Counted from the bite, so that looking at the book in between changes nothing.
                gone = min(Decimal(1), Decimal(at_ms - bitten_ms) / self._regrow_ms)
                self._eaten[side] = missing * (1 - gone) // self.instrument.lot * self.instrument.lot
        self._best_ticks = {"buy": bid, "sell": ask}
        self._mid, self._depth, self._at_ms = mid, depth, at_ms
        self._levels.clear()

    def altered_until(self, at_ms: int) -> int | None:
        """How long the book is not what the market alone would show; None while a client's order rests."""
        if self.resting["buy"] or self.resting["sell"]:
            return None
        bites = (bitten_ms + self._regrow_ms for missing, bitten_ms in self._meals.values() if missing)
        return max(self.impact.until_ms, *bites, at_ms - 1)

    def best(self, side: str) -> Decimal | None:
        """The best invented price; None when all of it has been eaten."""
        if not self._eaten[side]:
            return self._best_ticks[side] * self.instrument.tick
        levels = self.levels(side)
        return levels[0][0] if levels else None

    def levels(self, side: str) -> list[list[Decimal]]:
        """Invented [price, size] of one side ("buy" are the bids), best first, less what was eaten.

        The calibrated levels; when all of them have been eaten, the next one behind them.
        """
        found = self._levels.get(side)
        if found is None:
            found = self._levels[side] = self._build(side)
        return found

    def walk(self, side: str) -> Iterator[Sequence[Decimal]]:
        """All a taker could meet of one side's invented depth: [price, size], best first."""
        yield from self.levels(side)
        for level in self._behind(side, self._last_ticks[side], FAR_LEVELS):
            yield level.price, level.size

    def size_at(self, side: str, price: Decimal) -> Decimal:
        """The invented depth at a price."""
        for at, size in self.levels(side):
            if at == price:
                return size
        ticks, last = int(price / self.instrument.tick), self._last_ticks[side]
        if (ticks >= last) if side == "buy" else (ticks <= last):
            return ZERO
        found = self._behind(side, ticks + 1 if side == "buy" else ticks - 1, 1)
        return found[0].size if found and found[0].price == price else ZERO

    def _behind(self, side: str, ticks: int, count: int) -> list[BookLevel]:
        """The levels behind the calibrated ones, from behind a price on."""
        return self._far[side].levels(ticks, count, self._mid / self._tick, self._depth, self._at_ms)

    def eat(self, side: str, size: Decimal) -> None:
        """Take `size` from the best invented level of `side`; at most what is there."""
        levels = self.levels(side)
        levels[0][1] -= size
        if levels[0][1] <= 0:
            eaten = levels.pop(0)
            if not levels:
                self._draw_up(side, levels)
            if levels:
                self.impact.note(self._at_ms, float(levels[0][0] - eaten[0]))
        self._eaten[side] += size
        self._meals[side] = (self._eaten[side], self._at_ms)

    def shown(self, side: str) -> Decimal | None:
        """The best price the public sees on one side; None when there is none."""
        own = self.resting[side].first
        crossed = self.resting["sell" if side == "buy" else "buy"].first
        best = None
        for price, _ in self.walk(side):
            if crossed is None or (price > crossed.limit if side == "sell" else price < crossed.limit):
                best = price
                break
        if own is None or best is None:
            return best if own is None else own.limit
        return max(best, own.limit) if side == "buy" else min(best, own.limit)

    def view(self, side: str, depth: int) -> list[BookLevel]:
        """What the public sees of one side: invented levels and clients' orders together."""
        near, behind = self.parts(side, depth)
        return near if behind is None else near + behind()

    def parts(self, side: str, depth: int) -> tuple[list[BookLevel], Behind | None]:
        """The same in two parts: the near levels, and what draws those behind them, where there are any.
        Drawn later, they are still those of now."""
        own = self.resting[side]
        crossed = self.resting["sell" if side == "buy" else "buy"].first
        near = self.levels(side)
        if crossed is not None:  # an order the market has no volume left for still hides what it crosses
            edge = crossed.limit
            near = [level for level in near if (level[0] > edge if side == "sell" else level[0] < edge)]
        levels = [BookLevel(price, size, 1 + int(size) % 7) for price, size in near[:depth]]
        behind: Behind | None = None
        if depth > len(near):
            behind = self._far_view(side, depth - len(near), None if crossed is None else crossed.limit)
        if not own:
            return levels, behind
        merged = {level.price: level for level in (levels if behind is None else levels + behind())}
        for order in own:
            level = merged.get(order.limit, BookLevel(order.limit, ZERO, 0))
            merged[order.limit] = BookLevel(order.limit, level.size + order.left, level.orders + 1)
        return sorted(merged.values(), key=lambda level: level.price, reverse=side == "buy")[:depth], None

    def _far_view(self, side: str, count: int, edge: Decimal | None) -> Behind | None:
        """Levels behind the calibrated ones that lie behind `edge`, too."""
        behind = self._last_ticks[side]
        if edge is not None:
            ticks = int(edge / self.instrument.tick)
            behind = max(behind, ticks) if side == "sell" else min(behind, ticks)
        mid_ticks = self._mid / self._tick
        return partial(self._far[side].levels, behind, count, mid_ticks, self._depth, self._at_ms)

    def _draw_up(self, side: str, levels: list[list[Decimal]]) -> None:
        """Bring the next of the levels behind into `levels`, where it can be eaten."""
        for level in self._behind(side, self._last_ticks[side], 1):
            levels.append([level.price, level.size])
            self._last_ticks[side] = int(level.price / self.instrument.tick)

    def _build(self, side: str) -> list[list[Decimal]]:
        tick, lot = self.instrument.tick, self.instrument.lot
        previous = self._best_ticks[side]
        eaten = self._eaten[side]
        built: list[list[Decimal]] = []
        for place, lots in self.invented.levels(side, previous, self._mid, self._depth, self._at_ms):
            previous = place
            size = lots * lot
            if eaten:
                taken = min(eaten, size)
                eaten -= taken
                size = (size - taken) // lot * lot
                if not size:
                    continue
            built.append([place * tick, size])
        self._last_ticks[side] = previous
        while not built:
            self._draw_up(side, built)
            if not built:
                break
            taken = min(eaten, built[0][1])
            eaten -= taken
            built[0][1] -= taken
            if not built[0][1]:
                built.clear()
        return built
