"""What happened at the venue, one canonical JSON line each, and a running digest over all of it.

Commands are logged with their outcome, and what they and the market caused as events. Market ticks are
not lines: prints, the instants at which time stopped and, hourly, all prices go into the digest only.
Two runs with equal digests have gone through the same history.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import Struct, structs

from exchange.sim.events import (
    AccountChanged,
    BarChanged,
    BookChanged,
    FundingChanged,
    IndexChanged,
    InstrumentChanged,
    MarkChanged,
    StatusChanged,
    TradePrinted,
    VenueEvent,
)
from exchange.sim.model import AccountState, Order
from exchange.sim.seam import Venue

LINES_KEPT: Final = 100_000
PRICES_EVERY_MS: Final = 3_600_000
TICKS_HELD: Final = 256
_TICKS: Final = (BookChanged, MarkChanged, IndexChanged, BarChanged, FundingChanged)
_encode: Final = msgspec.json.Encoder(order="sorted").encode


class EventLog:
    """Lines are numbered from 1; the newest LINES_KEPT are kept for whoever asks, and every line goes to
    `sink` as it is written. The digest covers all lines ever, and the ticks between them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.sink: Callable[[bytes], object] | None = None
        self._lines: deque[bytes] = deque(maxlen=LINES_KEPT)
        self._chain = bytes(32)
        self._ticks: list[str] = []  # not yet in the digest
        self._priced_ms = 0

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"sink": None}  # an open file is not part of what happened

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of everything so far. Asking for it changes nothing."""
        return self._folded().hex()

    def record(self, at_ms: int, kind: str, details: Mapping[str, object]) -> None:
        self._fold_ticks()
        self.count += 1
        line = _encode({"n": self.count, "at_ms": at_ms, "kind": kind, **details})
        self._chain = hashlib.sha256(self._chain + line).digest()
        self._lines.append(line)
        if self.sink is not None:
            self.sink(line + b"\n")

    def command(self, at_ms: int, name: str, args: Iterable[object], outcome: Mapping[str, object]) -> None:
        self.record(at_ms, "command", {"name": name, "args": [brief(arg) for arg in args], **outcome})

    def events(self, venue: Venue) -> None:
        """Take note of everything in the venue's outbox."""
        now_ms = venue.now_ms
        for event in venue.outbox:
            if isinstance(event, _TICKS):
                continue
            if isinstance(event, TradePrinted):
                trade = event.trade
                self._ticks.append(f"{trade.inst_id} {trade.trade_id} {trade.price} {trade.size}")
            else:
                self.record(now_ms, type(event).__name__, _told(event, venue))
        self._ticks.append(str(now_ms))
        if now_ms - self._priced_ms >= PRICES_EVERY_MS:
            self._priced_ms = now_ms // PRICES_EVERY_MS * PRICES_EVERY_MS
            self._ticks += [f"{m.seq_id} {m.last} {m.mark_px} {m.index_px}" for m in venue.markets.values()]
        if len(self._ticks) > TICKS_HELD:
            self._fold_ticks()

    def after(self, number: int, limit: int) -> list[bytes]:
        """Up to `limit` lines that follow line `number`, oldest first, of those still kept."""
        first = self.count - len(self._lines)
        start = max(0, number - first)
        return list(islice(self._lines, start, start + limit))

    def _fold_ticks(self) -> None:
        self._chain = self._folded()
        self._ticks.clear()

    def _folded(self) -> bytes:
        if not self._ticks:
            return self._chain
        return hashlib.sha256(self._chain + "\n".join(self._ticks).encode()).digest()


def _told(event: VenueEvent, venue: Venue) -> Mapping[str, object]:
    """An event's own fields, and what it only points to as it stands now."""
    told = structs.asdict(event)
    match event:
        case AccountChanged(name, _, currencies):
            trading = venue.accounts[name].trading
            told["cash"] = {ccy: trading.get(ccy) for ccy in currencies}
        case InstrumentChanged(inst_id):
            told["state"] = venue.instruments[inst_id].state
            told["expires_ms"] = venue.instruments[inst_id].expires_ms
        case StatusChanged():
            told["windows"] = venue.maintenance
    return told


def brief(value: object) -> object:
    """An argument or result of a command: accounts and orders by name, the rest in full."""
    if isinstance(value, AccountState):
        return value.name
    if isinstance(value, Order):
        return value.ord_id
    if isinstance(value, Struct):
        return structs.asdict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value
