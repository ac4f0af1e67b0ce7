"""Who owns what on the account: what the books hold is ours, everything else is EXTERNAL.

External coins and contracts are shown and never traded. While external contracts stand in a swap that we
trade, nothing new is opened: the venue nets both into one position. The operator decides what they are:
`adopt` takes them into the books, `refuse` leaves them for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from core.types import ZERO, AccountSnapshot, Pair

if TYPE_CHECKING:
    from core.projections import Books

USDT: Final = "USDT"


@dataclass(frozen=True, slots=True)
class Holding:
    """Coins by currency, and contracts by swap, negative when short."""

    coins: Mapping[str, Decimal] = field(default_factory=dict)
    contracts: Mapping[str, Decimal] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Holding:
        """Read back what a row says."""
        return cls(_decimals(body["coins"]), _decimals(body["contracts"]))

    def __str__(self) -> str:
        parts = [f"{size:+f} {inst_id}" for inst_id, size in sorted(self.contracts.items())]
        parts += [f"{size:f} {ccy}" for ccy, size in sorted(self.coins.items())]
        return ", ".join(parts)


def external(books: Books, snapshot: AccountSnapshot, pairs: Iterable[Pair]) -> Holding:
    """What of the account is not ours. What is missing of ours is not in here: recovery looks at that."""
    by_coin = {p.spot.base_ccy: p for p in pairs}
    by_swap = {p.swap.inst_id: p for p in by_coin.values()}
    coins, contracts = {}, {}
    for ccy in sorted(snapshot.balances.keys() - {USDT}):
        pair = by_coin.get(ccy)
        hedge = books.hedge(pair.name) if pair else None
        ours = (hedge.spot_base if hedge else ZERO) + books.dust.get(ccy, ZERO)
        rest = snapshot.cash(ccy) - ours
        if rest >= (pair.spot.lot if pair else ZERO) and rest > 0:
            coins[ccy] = rest
    for inst_id in sorted(snapshot.positions):
        pair = by_swap.get(inst_id)
        hedge = books.hedge(pair.name) if pair else None
        short = hedge.contracts if hedge else ZERO
        held = Decimal(snapshot.contracts(inst_id))
        rest = held + short if held < -short else max(held, ZERO)
        if rest:
            contracts[inst_id] = rest
    return Holding(coins, contracts)


def undecided(found: Holding, refused: Holding, pairs: Iterable[Pair]) -> Mapping[str, Decimal]:
    """External contracts in the swaps of these pairs that the operator has not refused as they are."""
    ours = {pair.swap.inst_id for pair in pairs}
    return {
        inst_id: size
        for inst_id, size in found.contracts.items()
        if inst_id in ours and refused.contracts.get(inst_id, ZERO) != size
    }


def _decimals(body: Mapping[str, Any]) -> dict[str, Decimal]:
    return {str(name): Decimal(value) for name, value in body.items()}
