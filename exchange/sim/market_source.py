"""What the venue needs of a market: prices along a continuous path, funding, and where data ends.

Two kinds exist: generated (market_generated) and replayed from files (market_tape). A source never
depends on what clients do, so the same seed or tape shows the same market to every run.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol

from exchange.sim.instruments import CoinSpec
from exchange.sim.model import Settled
from exchange.sim.timeline import Track


class Quote(NamedTuple):
    """Prices of one coin at one instant, USDT per coin, and how thick its books are.

    `spread` and `depth` are multiples of a calm day's.
    """

    spot: float
    swap: float
    mark: float
    spread: float
    depth: float


class Forecast(NamedTuple):
    """The venue's word on the coming settlement: fractions of notional per interval."""

    rate: Decimal
    premium: Decimal


class Gap(NamedTuple):
    """A stretch without market data: the venue is closed, and open positions cannot be priced."""

    begin_ms: int
    end_ms: int
    title: str


class MarketSource(Protocol):
    """`end_ms` None means the market never ends."""

    @property
    def coins(self) -> tuple[CoinSpec, ...]: ...

    @property
    def start_ms(self) -> int: ...

    @property
    def end_ms(self) -> int | None: ...

    @property
    def gaps(self) -> tuple[Gap, ...]: ...

    def next_ms(self, after_ms: int) -> int | None:
        """The first instant after `after_ms` at which the path turns; None past the end."""
        ...

    def quote(self, coin: str, at_ms: int) -> Quote: ...

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        """The price series (spot, swap, mark) candles are cut from; history before the start included."""
        ...

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        """The next two settlement instants after `after_ms`; guessed where the data has ended."""
        ...

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        """What the settlement at `settle_ms` is expected to charge, as of `at_ms`."""
        ...

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        """The mark price a settlement must use, where the source knows it better than its path."""
        ...

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        """The last `count` settlements before an instant, oldest first."""
        ...


def next_grid_ms(after_ms: int, bar_ms: int) -> int:
    """The next instant after `after_ms` at which a bar's path has news: its open and its two extremes.

    A bar runs open, extreme, extreme, close in quarters; its close is all but the next bar's open, so
    nothing stops there.
    """
    quarter = bar_ms // 4
    at_ms = after_ms // quarter * quarter + quarter
    return at_ms + quarter if at_ms // quarter % 4 == 3 else at_ms
