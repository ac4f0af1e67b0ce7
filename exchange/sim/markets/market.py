"""Public data of one instrument: prices, book, prints, candles, funding."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from functools import partial

from exchange.sim.markets.book import Book
from exchange.sim.markets.calibration import SPOT_DEPTH, SWAP_DEPTH
from exchange.sim.markets.instruments import CoinSpec
from exchange.sim.markets.source import Quote
from exchange.sim.markets.timeline import Span, Track
from exchange.sim.model import (
    ZERO,
    Bar,
    BarChanged,
    BookChanged,
    BookLevel,
    FundingChanged,
    FundingState,
    IndexChanged,
    Instrument,
    MarkChanged,
    PublicTrade,
    Settled,
    TradePrinted,
    VenueEvent,
)
from exchange.sim.profile import VenueProfile

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BAND = Decimal("0.02")  # how far from the index an order may be priced, before the premium
BAND_LIMIT = Decimal("0.05")  # and at most
OPEN_INTEREST_USD = 2_000_000_000  # BTC; other coins by liquidity
PRINT_USD = 4_000
SETTLED_KEPT = 300


class Market:
    """Implements model.MarketSide. `refresh` moves it; everything else only looks."""

    def __init__(
        self,
        instrument: Instrument,
        spec: CoinSpec,
        track: Track,
        mark_track: Track,
        seed: int,
        now_ms: int,
        profile: VenueProfile,
    ) -> None:
        swap = instrument.is_swap
        self.instrument = instrument
        self.coin = spec.coin
        self.book = Book(
            instrument, SWAP_DEPTH if swap else SPOT_DEPTH, spec.liquidity, seed, profile.regrow_ms
        )
        self.seq_id = 1_000_000
        self.ts_ms = now_ms
        self.last = self.last_size = self.mark_px = self.index_px = ZERO
        self.funding: FundingState | None = None
        self.settled: deque[Settled] = deque(maxlen=SETTLED_KEPT)
        self.trades: deque[PublicTrade] = deque(maxlen=500)
        self.trade_count = 0
        self._spec = spec
        self._profile = profile
        self._track = track
        self._mark_track = mark_track
        self._tick = float(instrument.tick)
        self._used: tuple[int, Decimal] = (-1, ZERO)  # bar, and what clients traded in it
        self._day: tuple[int, Decimal, Decimal, Decimal] = (-1, ZERO, ZERO, ZERO)
        self.book_changed = BookChanged(instrument.inst_id)
        self.funding_changed = FundingChanged(instrument.inst_id)
        self._moved: tuple[VenueEvent, ...] = (
            (MarkChanged(instrument.inst_id), BarChanged(instrument.inst_id))
            if swap
            else (IndexChanged(f"{spec.coin}-{instrument.quote}"), BarChanged(instrument.inst_id))
        )

    def refresh(self, quote: Quote, at_ms: int, outbox: list[VenueEvent]) -> None:
        """Show the market as of `at_ms`: book, mark, index, and one print at the new price."""
        tick = self.instrument.tick
        price = quote.swap if self.instrument.is_swap else quote.spot
        before, self.last = self.last, round(price / self._tick) * tick
        self.mark_px = round(quote.mark / self._tick) * tick if self.instrument.is_swap else self.last
        self.index_px = round(quote.spot / self._tick) * tick
        self.ts_ms = at_ms
        self.book.refresh(price, quote.spread, quote.depth, at_ms)
        self.seq_id += 1
        outbox.append(self.book_changed)
        outbox.extend(self._moved)
        if self.last != before:
            side = "buy" if self.last > before else "sell"
            self.print_trade(self._print_size(at_ms), self.last, side, outbox)

    def _print_size(self, at_ms: int) -> Decimal:
        """Some ten thousand USDT, more in thicker markets."""
        usdt = PRINT_USD * self._spec.liquidity * (1 + at_ms // 1_000 % 9)
        lots = usdt / float(self.last * self.instrument.ct_val * self.instrument.lot)
        return max(1, int(lots)) * self.instrument.lot

    def print_trade(self, size: Decimal, price: Decimal, side: str, outbox: list[VenueEvent]) -> int:
        """Publish one trade; return its id, unique within the instrument."""
        self.trade_count += 1
        trade = PublicTrade(self.instrument.inst_id, self.trade_count, price, size, side, self.ts_ms)
        self.last, self.last_size = price, size
        self.trades.append(trade)
        outbox.append(TradePrinted(trade))
        return self.trade_count

    def touched(self, outbox: list[VenueEvent]) -> None:
        """A client changed the book."""
        self.seq_id += 1
        if not outbox or outbox[-1] is not self.book_changed:
            outbox.append(self.book_changed)

    # --- how much the market itself can trade with clients in this bar ------------------------

    def room(self) -> Decimal:
        i = self._track.index(self.ts_ms)
        bar, used = self._used
        if bar != i:
            used = ZERO
            self._used = (i, used)
        volume = Decimal(str(self._track.volume[i])) / self.instrument.ct_val
        return (
            max(ZERO, volume * self._profile.volume_share - used) // self.instrument.lot * self.instrument.lot
        )

    def use_room(self, size: Decimal) -> None:
        bar, used = self._used
        self._used = (bar, used + size)

    # --- what the public sees ------------------------------------------------------------------

    def bids(self, depth: int) -> list[BookLevel]:
        return self.book.view("buy", depth)

    def asks(self, depth: int) -> list[BookLevel]:
        return self.book.view("sell", depth)

    def bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        spans = self._track.spans(bar_ms, before_ms, limit, self.ts_ms, utc_offset_ms)
        return [self._bar(span) for span in spans]

    def mark_bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        spans = self._mark_track.spans(bar_ms, before_ms, limit, self.ts_ms, utc_offset_ms)
        return [self._bar(span) for span in spans]

    def _bar(self, span: Span) -> Bar:
        price = partial(round_to, tick=self.instrument.tick, step=self._tick)
        return Bar(
            span.ts_ms,
            price(span.open),
            price(span.high),
            price(span.low),
            price(span.close),
            round_to(span.volume, self.instrument.lot, float(self.instrument.lot)),
            span.closed,
        )

    @property
    def open_24h(self) -> Decimal:
        start = max(self.ts_ms - DAY_MS, self._track.ts[0])
        return round_to(self._track.at(start), self.instrument.tick, self._tick)

    @property
    def high_24h(self) -> Decimal:
        return max(self._day_figures()[1], self.last)

    @property
    def low_24h(self) -> Decimal:
        return min(self._day_figures()[2], self.last)

    @property
    def volume_24h(self) -> Decimal:
        return self._day_figures()[3]

    @property
    def quote_volume_24h(self) -> Decimal:
        return (self.volume_24h * self.last).quantize(Decimal("0.01"))

    @property
    def open_interest(self) -> Decimal:
        """Contracts; drifts by the hour, nobody's decision depends on it."""
        if not self.instrument.is_swap or not self.mark_px:
            return ZERO
        swing = 0.9 + 0.2 * (self.ts_ms // HOUR_MS * 2_654_435_761 % 1_000) / 1_000
        coins = Decimal(str(OPEN_INTEREST_USD * self._spec.liquidity * swing)) / self.mark_px
        return round(coins / self.instrument.ct_val, 2)

    @property
    def buy_limit(self) -> Decimal:
        """Highest price a buy may name: index +2 % plus the premium, never above +5 %. api-v5.md 7.7."""
        index, premium = self.index_px, self.mark_px - self.index_px
        edge = min(max(index, index * (1 + BAND) + premium), index * (1 + BAND_LIMIT))
        return edge // self.instrument.tick * self.instrument.tick

    @property
    def sell_limit(self) -> Decimal:
        """Lowest price a sell may name, mirrored."""
        index, premium = self.index_px, self.mark_px - self.index_px
        edge = max(min(index, index * (1 - BAND) + premium), index * (1 - BAND_LIMIT))
        return -(-edge // self.instrument.tick) * self.instrument.tick

    def _day_figures(self) -> tuple[int, Decimal, Decimal, Decimal]:
        """(bar, high, low, volume) of the closed bars of the last day, kept until the bar ends."""
        i = self._track.index(self.ts_ms)
        if self._day[0] != i:
            first = max(0, self._track.index(self.ts_ms - DAY_MS) + 1)
            points = self._track.points[first:i] or [(self._track.points[i][0],) * 4]
            high, low = max(map(max, points)), min(map(min, points))
            volume = sum(self._track.volume[first:i])
            lot = self.instrument.lot
            self._day = (
                i,
                round_to(high, self.instrument.tick, self._tick),
                round_to(low, self.instrument.tick, self._tick),
                round_to(volume, lot, float(lot)),
            )
        return self._day


def round_to(value: float, tick: Decimal, step: float) -> Decimal:
    """Return the multiple of `tick` nearest to `value`; `step` is the tick as a float."""
    return round(value / step) * tick
