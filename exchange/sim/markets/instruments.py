"""What the simulated venue lists: contract sizes, steps, tiers and discounts per coin.

BTC and ETH as recorded from the venue (tiers 1-3 of BTC, tier 1 of ETH, the rest continued in the
announced pattern); other coins from third-party metadata, unknown ones from their price.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from exchange.sim.model import Instrument

DAY_MS = 86_400_000
QUOTE = "USDT"
MAX_ANY = Decimal(100_000_000)
MAX_SPOT_MARKET_USDT = Decimal(1_000_000)
MAX_SPOT_MARKET_USD = Decimal(1_000_000)

Tier = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]
DiscountTier = tuple[Decimal, Decimal | None, Decimal]


@dataclass(frozen=True, slots=True)
class CoinSpec:
    """One coin's two markets. `price` USDT to start a generated market from; `funding_cap` per interval.

    `liquidity` scales BTC's depth and volume; `beta` scales the market's moves.
    """

    coin: str
    price: float
    tick: str
    spot_lot: str
    spot_min: str
    ct_val: str
    swap_lot: str
    code: int
    max_leverage: int
    max_market: int
    funding_cap: str
    liquidity: float
    beta: float
    spot_tick: str = ""  # where it is not `tick`


_KNOWN = {
    spec.coin: spec
    for spec in (
        CoinSpec("BTC", 92e3, "0.1", "1e-8", "1e-5", "0.01", "0.01", 10459, 100, 12_000, "0.00375", 1, 1),
        CoinSpec("ETH", 3150, "0.01", "1e-6", "1e-4", "0.1", "0.01", 10461, 100, 20_000, "0.00375", 0.6, 1.3),
        CoinSpec("SOL", 135.0, "0.01", "1e-6", "0.001", "1", "0.01", 10463, 50, 50_000, "0.0075", 0.25, 1.5),
        CoinSpec("XRP", 2.1, "0.0001", "1e-6", "0.1", "100", "0.01", 10465, 50, 50_000, "0.0075", 0.2, 1.3),
        CoinSpec("DOGE", 0.14, "1e-5", "1e-6", "1", "1000", "0.01", 10467, 50, 30_000, "0.0075", 0.15, 1.6),
        CoinSpec("BNB", 880.0, "0.1", "1e-6", "0.001", "0.01", "1", 10469, 50, 50_000, "0.0075", 0.12, 0.9),
        CoinSpec("LTC", 80.0, "0.01", "1e-6", "0.001", "1", "0.1", 10471, 50, 30_000, "0.0075", 0.08, 1.1),
        CoinSpec("ADA", 0.39, "0.0001", "1e-6", "1", "100", "0.1", 10473, 50, 30_000, "0.0075", 0.08, 1.4),
        CoinSpec("AVAX", 13.5, "0.001", "1e-6", "0.01", "1", "0.1", 10475, 50, 30_000, "0.0075", 0.08, 1.5),
    )
}  # fmt: skip

# (upper contracts of BTC's size, mmr, imr, max leverage); ETH and coins without a record scale the sizes.
_MAJOR_TIERS = (
    (1_000, "0.004", "0.01", "100"),
    (5_000, "0.005", "0.015", "66.66"),
    (20_000, "0.0075", "0.02", "50"),
    (40_000, "0.01", "0.025", "40"),
    (80_000, "0.015", "0.05", "20"),
    (160_000, "0.02", "0.0667", "15"),
    (300_000, "0.025", "0.1", "10"),
    (500_000, "0.05", "0.2", "5"),
)
_ALT_TIERS = (
    (1_000, "0.0065", "0.02", "50"),
    (5_000, "0.01", "0.025", "40"),
    (20_000, "0.015", "0.05", "20"),
    (40_000, "0.02", "0.0667", "15"),
    (80_000, "0.025", "0.1", "10"),
    (160_000, "0.03", "0.125", "8"),
    (300_000, "0.035", "0.2", "5"),
)
_MAJORS = {"BTC": 1, "ETH": 5}  # tier sizes as multiples of BTC's table, in contracts

_DISCOUNTS: dict[str, tuple[DiscountTier, ...]] = {
    QUOTE: ((Decimal(0), None, Decimal(1)),),
    "BTC": (
        (Decimal(0), Decimal(20), Decimal("0.98")),
        (Decimal(20), Decimal(25), Decimal("0.9775")),
        (Decimal(25), Decimal(30), Decimal("0.975")),
        (Decimal(30), Decimal(100), Decimal("0.95")),
        (Decimal(100), None, Decimal("0.9")),
    ),
    "ETH": (
        (Decimal(0), Decimal(500), Decimal("0.98")),
        (Decimal(500), Decimal(1_000), Decimal("0.975")),
        (Decimal(1_000), Decimal(5_000), Decimal("0.95")),
        (Decimal(5_000), None, Decimal("0.9")),
    ),
}
# Altcoins: the recorded LTC shape, with USD turned into coins at the coin's reference price.
_ALT_DISCOUNTS = (
    (0, 2_000_000, "0.95"),
    (2_000_000, 4_000_000, "0.85"),
    (4_000_000, 8_000_000, "0.5"),
    (8_000_000, None, "0"),
)


class LoanTerms(NamedTuple):
    """quota and interest-free part in coins, interest as a fraction per hour."""

    quota: Decimal
    free: Decimal
    hourly: Decimal


_LOANS = {
    QUOTE: LoanTerms(Decimal(500_000), Decimal(5_000), Decimal("0.00001822")),
    "BTC": LoanTerms(Decimal(10), Decimal(0), Decimal("0.00000833")),
}
LOAN_COEFFICIENTS = {"Lv1": 1, "VIP1": 6, "VIP2": 7, "VIP3": 8, "VIP4": 9, "VIP5": 10}  # by fee level


def coin_spec(coin: str, price: float | None = None) -> CoinSpec:
    """Return what is known of a coin, else a middling altcoin built around `price` (USDT, default 10)."""
    if coin in _KNOWN:
        return _KNOWN[coin]
    reference = price or 10.0
    exponent = -4  # tick: between 0.5 and 5 parts in 100,000 of the price
    while reference >= 10.0 ** (exponent + 5):
        exponent += 1
    while reference < 10.0 ** (exponent + 4):
        exponent -= 1
    tick = Decimal(1).scaleb(exponent)
    ct_val = Decimal(1)  # a contract is worth roughly 10 to 100 USDT
    while ct_val * Decimal(str(reference)) < 10:
        ct_val *= 10
    code = 20_000 + sum(ord(letter) * 31**place for place, letter in enumerate(coin)) % 70_000
    return CoinSpec(
        coin, reference, f"{tick:f}", "1e-6", "0.001", f"{ct_val:f}", "0.1", code, 50, 30_000, "0.015",
        0.05, 1.4,
    )  # fmt: skip


def listing(spec: CoinSpec, list_ms: int) -> tuple[Instrument, Instrument]:
    """Return the coin's spot market and its USDT-margined perpetual."""
    tick = Decimal(spec.tick)
    spot = Instrument(
        inst_id=f"{spec.coin}-{QUOTE}",
        inst_type="SPOT",
        base=spec.coin,
        quote=QUOTE,
        tick=Decimal(spec.spot_tick or spec.tick),
        lot=Decimal(spec.spot_lot),
        min_size=Decimal(spec.spot_min),
        max_limit_size=MAX_ANY * 100,
        max_market_size=MAX_SPOT_MARKET_USDT,
        max_market_usd=MAX_SPOT_MARKET_USD,
        code=spec.code + 100_000,
        list_ms=list_ms,
    )
    swap = Instrument(
        inst_id=f"{spec.coin}-{QUOTE}-SWAP",
        inst_type="SWAP",
        base=spec.coin,
        quote=QUOTE,
        tick=tick,
        lot=Decimal(spec.swap_lot),
        min_size=Decimal(spec.swap_lot),
        max_limit_size=MAX_ANY,
        max_market_size=Decimal(spec.max_market),
        code=spec.code,
        list_ms=list_ms,
        ct_val=Decimal(spec.ct_val),
        max_leverage=Decimal(spec.max_leverage),
    )
    return spot, swap


@cache
def position_tiers(coin: str) -> tuple[Tier, ...]:
    """Return (min contracts, max contracts, mmr, imr, max leverage), smallest first.

    Source: recorded BTC and ETH tiers and the altcoin pattern of announcements, api-v5.md 2.7.
    """
    table, scale = (_MAJOR_TIERS, _MAJORS[coin]) if coin in _MAJORS else (_ALT_TIERS, 10)
    rows: list[Tier] = []
    low = Decimal(0)
    for top, mmr, imr, leverage in table:
        high = Decimal(top * scale)
        rows.append((low, high, Decimal(mmr), Decimal(imr), Decimal(leverage)))
        low = high + Decimal("0.01")
    return tuple(rows)


@cache
def loan_terms(coin: str) -> LoanTerms:
    """What the venue lends of a coin. USDT and BTC as recorded; others the worth of the USDT quota."""
    if coin in _LOANS:
        return _LOANS[coin]
    quota = _LOANS[QUOTE].quota / Decimal(str(coin_spec(coin).price))
    return LoanTerms(quota // 1, Decimal(0), Decimal("0.0000125"))


def loan_quota(fee_level: str, coin: str) -> Decimal:
    """The most an account of this fee level may owe, coins."""
    return loan_terms(coin).quota * LOAN_COEFFICIENTS[fee_level]


@cache
def discount_tiers(coin: str) -> tuple[DiscountTier, ...]:
    """Return (from coins, to coins or None, share of its value that counts as collateral)."""
    if coin in _DISCOUNTS:
        return _DISCOUNTS[coin]
    price = Decimal(str(coin_spec(coin).price))
    return tuple(
        (
            Decimal(low) / price // 1,
            None if high is None else Decimal(high) / price // 1,
            Decimal(rate),
        )
        for low, high, rate in _ALT_DISCOUNTS
    )
