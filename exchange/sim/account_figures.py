"""What the surface asks the economics for: figures of an account or an insurance fund at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from msgspec import Struct

from exchange.sim.model import ZERO, FundEntry, PositionKey


class CoinFigures(Struct, frozen=True):
    ccy: str
    cash: Decimal
    equity: Decimal
    available: Decimal  # free to spend (availBal)
    available_equity: Decimal  # free as margin (availEq)
    frozen: Decimal
    order_frozen: Decimal
    upl: Decimal
    liability: Decimal
    imr: Decimal
    mmr: Decimal
    mgn_ratio: Decimal | None
    usd_px: Decimal
    discounted_usd: Decimal
    isolated_equity: Decimal = ZERO  # margin and profit of isolated positions; part of `equity`
    isolated_upl: Decimal = ZERO
    upl_liability: Decimal = ZERO  # the part of `liability` that losses not realised yet make
    borrowable: Decimal = ZERO
    repay_risk: int = 0  # 0 to 5 = the loan is as large as it may be


class PositionFigures(Struct, frozen=True):
    key: PositionKey
    margin: Decimal | None  # isolated positions only
    upl: Decimal
    upl_ratio: Decimal
    imr: Decimal
    mmr: Decimal
    mgn_ratio: Decimal | None
    liq_px: Decimal | None
    notional_usd: Decimal
    usd_px: Decimal  # of its settlement currency
    mark_px: Decimal
    adl_rank: int
    break_even_px: Decimal | None = None
    closable: Decimal | None = None  # contracts no order is closing yet; long_short mode only


@dataclass(frozen=True, slots=True)
class AccountFigures:
    total_equity: Decimal  # USD, every coin at index
    adjusted_equity: Decimal | None  # multi-currency mode only
    imr: Decimal | None
    mmr: Decimal | None
    mgn_ratio: Decimal | None
    notional_usd: Decimal
    upl: Decimal
    coins: dict[str, CoinFigures]
    positions: dict[PositionKey, PositionFigures]
    isolated_equity: Decimal = ZERO  # USD
    borrow_frozen: Decimal = ZERO  # USD of initial margin that loans need
    borrowed_usd: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class FundFigures:
    """An insurance fund, USDT. `deleverages`: forced deleveraging is going on; rates are fractions."""

    family: str
    balance: Decimal
    peak: FundEntry  # of the last eight hours
    fall: Decimal  # from that peak
    deleverages: bool
    adl_type: str
    adl_balance: Decimal
    begins_at: Decimal  # fall
    ends_at: Decimal
    entries: tuple[FundEntry, ...]  # newest first
