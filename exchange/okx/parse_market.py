"""Public payloads to domain types. Pure; raises BadPayload on what cannot be read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from core.types import (
    DAY_MS,
    ZERO,
    Book,
    Candle,
    FundingQuote,
    Level,
    MaintenanceWindow,
    PriceLimits,
    SettledFunding,
    SpotSpec,
    SwapSpec,
)
from exchange.local_book import BookChange
from exchange.okx import wire
from exchange.okx.fields import maybe, maybe_millis, millis, number, one_of, positive, unreadable, word

SWAP_SUFFIX: Final = "-SWAP"
_LARGEST: Final = Decimal("1e18")  # no price or size is larger; keeps sums far from overflow


def spot(row: wire.Instrument) -> SpotSpec:
    return SpotSpec(
        inst_id=word("instId", row.inst_id, row),
        base_ccy=word("baseCcy", row.base_ccy, row),
        quote_ccy=word("quoteCcy", row.quote_ccy, row),
        tick=positive("tickSz", row.tick_sz, row),
        lot=positive("lotSz", row.lot_sz, row),
        min_size=positive("minSz", row.min_sz, row),
        max_limit_size=positive("maxLmtSz", row.max_lmt_sz, row),
        state=word("state", row.state, row),
        exp_time_ms=maybe_millis("expTime", row.exp_time, row),
    )


def swap(row: wire.Instrument) -> SwapSpec:
    """Read a linear perpetual; `ct_val` has the multiplier applied. An inverse one is refused."""
    if row.ct_type != "linear":
        unreadable("ctType", row.ct_type, row)
    multiplier = positive("ctMult", row.ct_mult, row) if row.ct_mult else Decimal(1)
    return SwapSpec(
        inst_id=word("instId", row.inst_id, row),
        ct_val=positive("ctVal", row.ct_val, row) * multiplier,
        tick=positive("tickSz", row.tick_sz, row),
        lot=positive("lotSz", row.lot_sz, row),
        min_size=positive("minSz", row.min_sz, row),
        max_limit_size=positive("maxLmtSz", row.max_lmt_sz, row),
        max_leverage=positive("lever", row.lever, row),
        state=word("state", row.state, row),
        exp_time_ms=maybe_millis("expTime", row.exp_time, row),
    )


def turnover(row: wire.Ticker) -> tuple[str, Decimal]:
    """Return a swap's id and its 24 h turnover, USDT: coins traded x last price."""
    coins = number("volCcy24h", row.vol_ccy_24h, row)
    return word("instId", row.inst_id, row), coins * positive("last", row.last, row)


def book(row: wire.BookData, inst_id: str, seen_ms: int) -> Book:
    ts_ms = millis("ts", row.ts, inst_id)
    return Book(
        inst_id, tuple(_levels(row.bids)), tuple(_levels(row.asks)), ts_ms, seen_ms, seq_id=row.seq_id
    )


def book_change(action: str, row: wire.BookData) -> BookChange:
    """Read a push of the `books` channel. The checksum is always zero and not looked at."""
    snapshot = one_of("action", action, {"snapshot": True, "update": False}, row.ts)
    if row.seq_id < 0:
        unreadable("seqId", row.seq_id, row.ts)
    return BookChange(
        snapshot,
        _levels(row.bids),
        _levels(row.asks),
        millis("ts", row.ts, action),
        row.seq_id,
        row.prev_seq_id,
    )


def _levels(rows: list[wire.BookLevel]) -> list[Level]:
    levels = []
    try:
        for row in rows:
            px, sz = row.px, row.sz
            if not (ZERO < px < _LARGEST and ZERO <= sz < _LARGEST):
                unreadable("book level", (px, sz), row)
            levels.append((px, sz))
    except InvalidOperation:  # not a number has no order
        unreadable("book", rows, rows)
    return levels


def candle(row: wire.CandleRow, inst_id: str) -> Candle:
    """Read one bar; the volume in coins is another column for swaps than for spot."""
    if len(row) < 9:
        unreadable("candle", len(row), row)
    return Candle(
        ts_ms=millis("ts", row[0], row),
        open=positive("o", row[1], row),
        high=positive("h", row[2], row),
        low=positive("l", row[3], row),
        close=positive("c", row[4], row),
        volume=number("vol", row[6] if inst_id.endswith(SWAP_SUFFIX) else row[5], row),
        closed=one_of("confirm", row[8], {"0": False, "1": True}, row),
    )


def funding(row: wire.FundingRate, seen_ms: int) -> FundingQuote:
    """Read a forecast. While a settlement is in progress there is no settled rate to report."""
    settled = maybe("settFundingRate", row.sett_funding_rate, row) if row.sett_state == "settled" else None
    quote = FundingQuote(
        inst_id=word("instId", row.inst_id, row),
        rate=number("fundingRate", row.funding_rate, row),
        funding_time_ms=millis("fundingTime", row.funding_time, row),
        next_funding_time_ms=millis("nextFundingTime", row.next_funding_time, row),
        seen_ms=seen_ms,
        min_rate=maybe("minFundingRate", row.min_funding_rate, row),
        max_rate=maybe("maxFundingRate", row.max_funding_rate, row),
        settled_rate=settled,
    )
    if quote.interval_ms <= 0:
        unreadable("nextFundingTime", row.next_funding_time, row)
    return quote


def settled(row: wire.FundingHistory) -> SettledFunding:
    """Read one settlement; old rows have no realised rate, there the charged rate is the forecast."""
    rate = row.realized_rate or row.funding_rate
    return SettledFunding(millis("fundingTime", row.funding_time, row), number("realizedRate", rate, row))


def mark(row: wire.MarkPrice) -> tuple[str, Decimal]:
    return word("instId", row.inst_id, row), positive("markPx", row.mark_px, row)


def price_limits(row: wire.PriceLimit) -> PriceLimits:
    return PriceLimits(maybe("buyLmt", row.buy_lmt, row), maybe("sellLmt", row.sell_lmt, row))


def index_px(row: wire.IndexTicker) -> Decimal:
    return positive("idxPx", row.idx_px, row)


def open_interest(row: wire.OpenInterest) -> Decimal:
    return number("oiCcy", row.oi_ccy, row)


def server_time(row: wire.Time) -> int:
    return millis("ts", row.ts, row)


def maintenance(row: wire.Status) -> MaintenanceWindow:
    """Read a maintenance notice; one without an end is taken to last a day."""
    begin_ms = millis("begin", row.begin, row)
    end_ms = maybe_millis("end", row.end, row)
    return MaintenanceWindow(
        row.title or "",
        begin_ms,
        begin_ms + DAY_MS if end_ms is None else end_ms,
        word("state", row.state, row),
    )
