"""One instrument whose market stands where a test puts it."""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from exchange.sim.model import (
    ZERO,
    Bar,
    BookLevel,
    FundingState,
    Instrument,
    Interest,
    PublicTrade,
    Settled,
)

D = Decimal

SPOT = Instrument(
    "BTC-USDT", "SPOT", "BTC", "USDT", D("0.1"), D("0.00000001"), D("0.00001"), D("9999"), D("1000000"),
    code=10001, list_ms=1_600_000_000_000,
)  # fmt: skip
SWAP = Instrument(
    "BTC-USDT-SWAP", "SWAP", "BTC", "USDT", D("0.1"), D("0.01"), D("0.01"), D("100000000"), D("12000"),
    code=10459, list_ms=1_573_557_408_000, ct_val=D("0.01"), max_leverage=D("100"), group_id="2",
)  # fmt: skip


class StubMarket:
    def __init__(self, instrument: Instrument, now_ms: int) -> None:
        self.instrument, self.now_ms = instrument, now_ms
        self.seq_id, self.depth = 1000, 10
        self.mid, self.last, self.last_size = D("60000"), D("60000.1"), D("0.5")
        self.mark_px, self.index_px = D("60005"), D("60000")
        self.open_24h, self.high_24h, self.low_24h = D("59000"), D("61000"), D("58000")
        self.volume_24h, self.quote_volume_24h = D("1234.5"), D("74070000")
        self.buy_limit, self.sell_limit = D("61200"), D("58800")
        self.funding: FundingState | None = None
        self.settled: deque[Settled] = deque()
        self.trades: deque[PublicTrade] = deque()
        self.asked_bars: list[tuple[int, int | None, int, int]] = []

    @property
    def ts_ms(self) -> int:
        return self.now_ms

    @property
    def open_interest(self) -> Decimal:
        return D("5000") if self.instrument.is_swap else ZERO

    def bids(self, depth: int) -> list[BookLevel]:
        tick = self.instrument.tick
        return [
            BookLevel(self.mid - tick * n, D("1.50") * n, n) for n in range(1, min(depth, self.depth) + 1)
        ]

    def asks(self, depth: int) -> list[BookLevel]:
        tick = self.instrument.tick
        return [
            BookLevel(self.mid + tick * n, D("2.50") * n, n) for n in range(1, min(depth, self.depth) + 1)
        ]

    def bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        self.asked_bars.append((bar_ms, before_ms, limit, utc_offset_ms))
        newest = (self.now_ms + utc_offset_ms) // bar_ms * bar_ms - utc_offset_ms
        opens = [newest - n * bar_ms for n in range(2000)]
        kept = [ts for ts in opens if before_ms is None or ts < before_ms][:limit]
        return [
            Bar(ts, D("60000"), D("60100.50"), D("59900"), D("60050"), D("2"), closed=ts != newest)
            for ts in kept
        ]

    mark_bars = index_bars = bars

    def interest(
        self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0
    ) -> list[Interest]:
        kept = self.bars(bar_ms, before_ms, limit, utc_offset_ms)
        return [Interest(bar.ts_ms, self.open_interest, bar.open) for bar in kept]
