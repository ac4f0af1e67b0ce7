"""What has been closed of positions, in the venue's words: one record of each one's life. api-v5.md 3.3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from msgspec import structs

from exchange.sim.economics.world import QUOTE, booked
from exchange.sim.markets.market import Market
from exchange.sim.model import AccountState, Instrument, PositionRow


class ClosedPosition(Mapping[str, str]):
    """The record as of one fill. Few are ever read, so only what it is found by is told at once.

    kind        positions-history type: how the position was closed last, and whether wholly
    trigger_px  the mark price that forced it, where something did
    """

    def __init__(
        self, row: PositionRow, instrument: Instrument, kind: str, direction: str, trigger_px: Decimal | None
    ) -> None:
        self._row = structs.replace(row)
        self._instrument = instrument
        self._kind, self._direction, self._trigger_px = kind, direction, trigger_px
        self._words = {"posId": row.pos_id, "cTime": str(row.created_ms)}
        self._is_told = False

    def __getitem__(self, name: str) -> str:
        return (self._words if name in self._words else self._tell())[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tell())

    def __len__(self) -> int:
        return len(self._tell())

    def _tell(self) -> dict[str, str]:
        if not self._is_told:
            self._words, self._is_told = self._figures() | self._labels(), True
        return self._words

    def _figures(self) -> dict[str, str]:
        row = self._row
        open_px = row.opened_value / row.opened
        realized = row.realized + row.fee + row.funding_fee + row.liq_penalty
        margin = open_px * row.closed * self._instrument.ct_val / row.leverage
        figures = {
            "openAvgPx": open_px, "closeAvgPx": row.closed_value / row.closed, "openMaxPos": row.max_size,
            "closeTotalPos": row.closed, "realizedPnl": realized, "pnl": row.realized,
            "pnlRatio": realized / margin, "fee": row.fee, "fundingFee": row.funding_fee,
            "liqPenalty": row.liq_penalty, "lever": row.leverage,
        }  # fmt: skip
        return {name: f"{booked(value).normalize():f}" for name, value in figures.items()}

    def _labels(self) -> dict[str, str]:
        row, instrument = self._row, self._instrument
        return {
            "instType": instrument.inst_type, "instId": row.inst_id, "mgnMode": row.key.mode,
            "type": self._kind, "posId": row.pos_id, "posSide": row.key.side,
            "direction": self._direction, "cTime": str(row.created_ms), "uTime": str(row.updated_ms),
            "uly": f"{instrument.base}-{QUOTE}", "ccy": QUOTE,
            "triggerPx": "" if self._trigger_px is None else f"{self._trigger_px:f}",
        }  # fmt: skip


def record_close(
    account: AccountState, market: Market, row: PositionRow, side: str, types: tuple[str, str], forced: bool
) -> None:
    """Note what an order of `side` has closed of a position, in place of what was noted of it before.

    `types` are those of a position closed partly and of one closed wholly.
    """
    record = ClosedPosition(
        row,
        market.instrument,
        types[0] if row.size else types[1],
        "long" if side == "sell" else "short",
        market.mark_px if forced else None,
    )
    known = account.closed_positions
    for back, earlier in enumerate(reversed(known), 1):
        if earlier["posId"] == record["posId"] and earlier["cTime"] == record["cTime"]:
            del known[-back]
            break
    known.append(record)
