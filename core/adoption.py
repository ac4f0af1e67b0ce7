"""Hedges that the venue knows and the journal does not: rebuilt from the fills that carry our ids.

A client id says hedge, leg and epoch (core.ids), so what it bought is provably ours, with the journal
lost (a new folder) or older than the venue (a backup put back). The venue keeps fills for three months.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.explanation import Share, difference, explaining, fill_body
from core.facts import Kind, Row, canonical, plain
from core.hedges import Hedge
from core.ids import parse
from core.ledger import Ledger
from core.types import DAY_MS, ZERO, AccountSnapshot, Fill, Pair

LOOK_BACK_MS = 89 * DAY_MS  # the venue forgets after three months


@dataclass(frozen=True, slots=True)
class Lost:
    """What a new journal starts with: rows of fills and hedges, and the cash from before them.

    opening_cash  by currency: the venue's cash now, with everything these fills did to it taken back.
    """

    rows: tuple[tuple[Kind, dict[str, object]], ...]
    opening_cash: dict[str, Decimal]
    instruments: tuple[str, ...] = ()


def rebuild(fills: Sequence[Fill], pairs: Sequence[Pair], snapshot: AccountSnapshot) -> Lost:
    """Find the hedges of ours that are still open at the venue, for a journal that knows nothing.

    Rounds that were closed before are not told again; what they left is somebody's coins.
    """
    cash = {ccy: balance.cash for ccy, balance in snapshot.balances.items()}
    rows: list[tuple[Kind, dict[str, object]]] = []
    names = []
    for pair in pairs:
        own = _open_rounds(fills, pair)
        if not own:
            continue
        spot, short = _held(own, pair)
        shares = [Share(fill, False) for fill in own]
        gap = difference(pair, spot, short, snapshot)
        if gap is not None:
            foreign = [f for f in fills if parse(f.cl_id) is None and f.ts_ms >= own[0].ts_ms]
            shares += explaining(pair, gap, foreign)
            shares.sort(key=lambda share: share.fill.ts_ms)
        hedge_id = hedge_of(own[-1])
        rows += [(Kind.FILL, fill_body(s.fill, pair, hedge_id, s.fill.px, split=s.split)) for s in shares]
        held_spot, held_short = _held([s.fill for s in shares], pair)
        rows.append((Kind.HEDGE, adopted_body(pair, hedge_id, held_spot, held_short, "found at the venue")))
        names.append(pair.name)
    for ccy, change in _effects(rows).items():
        cash[ccy] = cash.get(ccy, ZERO) - change
    return Lost(tuple(rows), cash, tuple(names))


def adopted_body(pair: Pair, hedge_id: str, spot: Decimal, short: Decimal, reason: str) -> dict[str, object]:
    """The row that makes a hedge ours. Its target is its larger leg: the other may be completed to it."""
    return {
        "hedge_id": hedge_id,
        "instrument": pair.name,
        "event": "adopted",
        "target_base": max(spot, pair.swap.to_base(short), ZERO),
        "purpose": "open",
        "reason": reason,
    }


def hedge_of(fill: Fill) -> str:
    """The hedge a fill of ours belongs to. Raises ValueError for anybody else's."""
    order = parse(fill.cl_id)
    if order is None:
        raise ValueError(f"{fill.cl_id!r} is not an order of this engine")
    return order.hedge_id


def is_flat(pair: Pair, hedge: Hedge) -> bool:
    """No contract, and less spot than can be hedged or sold."""
    return hedge.contracts == 0 and hedge.spot_base < max(pair.swap.step, pair.spot.min_size)


def _open_rounds(fills: Iterable[Fill], pair: Pair) -> list[Fill]:
    """Fills of this pair's hedges that did not end flat, oldest first."""
    rounds: dict[str, list[Fill]] = {}
    for fill in fills:
        if fill.inst_id in (pair.spot.inst_id, pair.swap.inst_id) and parse(fill.cl_id) is not None:
            rounds.setdefault(hedge_of(fill), []).append(fill)
    found = []
    for own in rounds.values():
        spot, short = _held(own, pair)
        if short or spot >= max(pair.swap.step, pair.spot.min_size):
            found += own
    return sorted(found, key=lambda fill: fill.ts_ms)


def _held(fills: Iterable[Fill], pair: Pair) -> tuple[Decimal, Decimal]:
    """Coins and contracts short that these fills leave."""
    spot = short = ZERO
    for fill in fills:
        if fill.inst_id == pair.swap.inst_id:
            short -= fill.side.sign * fill.size
        else:
            spot += fill.side.sign * fill.size
            spot += fill.fee if fill.fee_ccy == pair.spot.base_ccy else ZERO
    return spot, short


def _effects(rows: Iterable[tuple[Kind, dict[str, object]]]) -> dict[str, Decimal]:
    """What these rows do to cash, counted by the ledger that will fold them."""
    ledger = Ledger()
    for kind, body in rows:
        ledger.apply(Row(0, kind, 0, _as_read(body), ""))
    return ledger.cash


def _as_read(body: dict[str, object]) -> dict[str, Any]:
    read: dict[str, Any] = plain(body)
    canonical(read)
    return read
