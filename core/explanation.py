"""Why the venue holds less than our books: trades that nobody here sent, taken only as far as they explain.

Pure. A trade by hand or by force may be larger than what it took from us: the part that explains is
ours to book, the rest is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from core.facts import plain
from core.types import ZERO, AccountSnapshot, Fill, Leg, Pair


@dataclass(frozen=True, slots=True)
class Difference:
    """Venue minus books for one pair, as far as the venue has less: coins of spot, and contracts short."""

    instrument: str
    spot_base: Decimal
    contracts: Decimal

    def __str__(self) -> str:
        return f"{self.instrument}: {self.spot_base:f} coins, {self.contracts:f} contracts short"


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a fill that is ours. `split` when the rest of it is not."""

    fill: Fill
    split: bool


def difference(pair: Pair, owned: Decimal, short: Decimal, snapshot: AccountSnapshot) -> Difference | None:
    """What the venue has less than so many coins and contracts; below one spot lot there is none.

    More than ours is somebody else's inventory (core.ownership), not a difference.
    """
    missing_spot = min(ZERO, snapshot.cash(pair.spot.base_ccy) - owned)
    missing_short = min(ZERO, -snapshot.contracts(pair.swap.inst_id) - short)
    if missing_spot > -pair.spot.lot and missing_short == 0:
        return None
    return Difference(pair.name, missing_spot, missing_short)


def explaining(pair: Pair, gap: Difference, foreign: Iterable[Fill]) -> tuple[Share, ...]:
    """The shares of these fills, oldest first, that took from us what is missing."""
    spot, short = -gap.spot_base, -gap.contracts
    found = []
    for fill in foreign:
        if fill.inst_id == pair.swap.inst_id and fill.side.sign > 0 and short > 0:
            size = min(fill.size, short)
            short -= size
        elif fill.inst_id == pair.spot.inst_id and fill.side.sign < 0 and spot >= pair.spot.lot:
            size = min(fill.size, spot)
            spot -= size
        else:
            continue
        found.append(Share(part_of(fill, size), size < fill.size))
    return tuple(found)


def part_of(fill: Fill, size: Decimal) -> Fill:
    """So much of a fill, with its share of the fee."""
    if size == fill.size:
        return fill
    return replace(fill, size=size, fee=fill.fee * size / fill.size)


def fill_body(
    fill: Fill, pair: Pair, hedge_id: str, ref_mid: Decimal, *, split: bool = False
) -> dict[str, object]:
    """The journal's row of a fill; `split` says that the venue's own fill was larger."""
    is_swap = fill.inst_id == pair.swap.inst_id
    body: dict[str, object] = {
        "hedge_id": hedge_id,
        "instrument": pair.name,
        "leg": (Leg.SWAP if is_swap else Leg.SPOT).value,
        "ref_mid": ref_mid,
        "ct_val": pair.swap.ct_val if is_swap else Decimal(1),
        "fill": plain(fill),
    }
    return body | {"split": True} if split else body
