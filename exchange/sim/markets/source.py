"""What the venue needs of a market: prices along a continuous path, funding, and where data ends.

Two kinds exist: generated (generated.py) and replayed from files (tape.py). A source never
depends on what clients do, so the same seed or tape shows the same market to every run.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple, Protocol

from exchange.sim.markets.instruments import CoinSpec
from exchange.sim.markets.timeline import Track
from exchange.sim.model import Settled
from exchange.tape_l2 import DepthFeed


class Quote(NamedTuple):
    """Prices of one coin at one instant, USDT per coin, and how thick its books are.

    `spread` and `depth` are multiples of a calm day's.
    """

    spot: float
    swap: float
    mark: float
    spread: float
    depth: float


class Reach(NamedTuple):
    """The lowest and highest mark and index price from an instant on, up to and including `until_ms`."""

    mark_low: float
    mark_high: float
    index_low: float
    index_high: float
    until_ms: int


class Forecast(NamedTuple):
    """What is known of the coming settlement: fractions of notional.

    rate     per interval; None leaves it to the formula
    premium  average over the interval so far
    """

    rate: Decimal | None
    premium: Decimal


class Gap(NamedTuple):
    """A stretch without market data: the venue is closed, and open positions cannot be priced."""

    begin_ms: int
    end_ms: int
    title: str


class Delisting(NamedTuple):
    """A coin's two markets are announced to expire, and do."""

    coin: str
    announced_ms: int
    expires_ms: int


class FundingRecord(Protocol):
    """What was announced and charged, as a source tells it."""

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        """What the settlement at `settle_ms` is expected to charge, as of `at_ms`."""
        ...

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        """The last `count` settlements before an instant, oldest first."""
        ...


class MarketSource(Protocol):
    """`end_ms` None means the market never ends; `delistings` in no order."""

    @property
    def coins(self) -> tuple[CoinSpec, ...]: ...

    @property
    def start_ms(self) -> int: ...

    @property
    def history_ms(self) -> int:
        """How long before the start prices go back, of a source without a record of funding."""
        ...

    @property
    def end_ms(self) -> int | None: ...

    @property
    def gaps(self) -> tuple[Gap, ...]: ...

    @property
    def delistings(self) -> tuple[Delisting, ...]: ...

    @property
    def record(self) -> FundingRecord | None:
        """None: the venue samples its own books for what it charges."""
        ...

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int | None:
        """The first instant after `after_ms` at which the path turns; None past the end.

        every_turn  also those of calm bars, for the sake of orders that rest in the book.
        """
        ...

    def quote(self, coin: str, at_ms: int) -> Quote: ...

    def thickness(self, coin: str, at_ms: int) -> tuple[float, float]:
        """The spread and depth of a quote; the same all through a bar."""
        ...

    def reach(self, coin: str, at_ms: int) -> Reach:
        """Bounds of what is to come soon; a source that promises nothing says `at_ms` itself."""
        ...

    def feed(self, coin: str, swap: bool) -> DepthFeed | None:
        """The recorded order book of one of a coin's markets."""
        ...

    def usd(self, at_ms: int) -> float:
        """What a USDT is worth in dollars."""
        ...

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        """The price series (spot, swap, mark) candles are cut from; history before the start included."""
        ...

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        """The next two settlement instants after `after_ms`; guessed where the data has ended."""
        ...

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        """The mark price a settlement must use, where the source knows it better than its path."""
        ...


CALM_RANGE = 0.004  # a bar's high over its low, less one: nothing in it can move a margin that matters


def reach_of(mark: Track, index: Track, at_ms: int) -> Reach:
    """The bounds of the bars two tracks are in."""
    i, k = mark.index(at_ms), index.index(at_ms)
    until_ms = min(mark.ts[i] + mark.bar_ms, index.ts[k] + index.bar_ms) - 1
    return Reach(mark.low[i], mark.high[i], index.low[k], index.high[k], max(at_ms, until_ms))


def next_turn_ms(after_ms: int, bar_ms: int, tracks: Iterable[Track], every_turn: bool) -> int:
    """The next instant after `after_ms` at which a bar's path has news: its open and its two extremes.

    A bar runs open, extreme, extreme, close in quarters; its close is all but the next bar's open, so
    nothing stops there. The extremes of a bar in which every track was calm are passed by, unless
    `every_turn` asks for them.
    """
    quarter = bar_ms // 4
    at_ms = after_ms // quarter * quarter + quarter
    phase = at_ms // quarter % 4
    next_open_ms = at_ms + (4 - phase) % 4 * quarter
    if phase == 3 or (phase and not every_turn and all(_is_calm(track, at_ms) for track in tracks)):
        return next_open_ms
    return at_ms


def _is_calm(track: Track, at_ms: int) -> bool:
    i = track.index(at_ms)
    return track.high[i] <= track.low[i] * (1 + CALM_RANGE)
