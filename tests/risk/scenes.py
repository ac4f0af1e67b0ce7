"""Scenes for guards and planners: a calm market, a healthy account, one thing changed at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from config.schema import Settings
from core.context import (
    BreakerView,
    Context,
    HedgeView,
    MarketView,
    PermissionView,
    StreamHealth,
    VenueHealth,
)
from core.events import HedgeTarget, Plan, Purpose, State
from core.types import (
    DAY_MS,
    HOUR_MS,
    AccountMode,
    AccountSnapshot,
    Balance,
    Base,
    Book,
    Candle,
    Contracts,
    FeeRates,
    FundingQuote,
    Pair,
    Position,
    SettledFunding,
    SpotSpec,
    SwapSpec,
)

D = Decimal
NOW = 1_767_571_200_000 + 4 * HOUR_MS  # 2026-01-05T04:00Z, half way between two settlements
SETTINGS = Settings()
FEES = FeeRates(spot_maker=D("0.0008"), spot_taker=D("0.001"), swap_maker=D("0.0002"), swap_taker=D("0.0005"))


def tuned(**sections: Mapping[str, Any]) -> Settings:
    """Default settings with some values changed: tuned(risk={"margin": {"target": D(1)}})."""
    return Settings.model_validate(sections)


def pair(
    name: str = "BTC-USDT", ct_val: str = "0.01", lot: str = "0.01", spot_lot: str = "0.00000001"
) -> Pair:
    coin = name.split("-")[0]
    spot = SpotSpec(name, coin, "USDT", D("0.1"), D(spot_lot), max(D(spot_lot), D("0.00001")), D(10_000))
    swap = SwapSpec(f"{name}-SWAP", D(ct_val), D("0.1"), D(lot), D(lot), D(100_000), D(100))
    return Pair(name, spot, swap)


def book(inst_id: str, mid: Decimal, size: Decimal, half_bps: str = "0.5", seen_ms: int = NOW) -> Book:
    """Ten levels a side, the best `half_bps` from the mid, one bp apart, `size` on each."""
    steps = [mid * (D(half_bps) + n) / 10_000 for n in range(10)]
    bids, asks = tuple((mid - s, size) for s in steps), tuple((mid + s, size) for s in steps)
    return Book(inst_id, bids, asks, seen_ms, seen_ms, 1)


def quote(rate: str = "0.0001", now: int = NOW, hours: int = 8) -> FundingQuote:
    step = hours * HOUR_MS
    at = (now // step + 1) * step
    return FundingQuote("BTC-USDT-SWAP", D(rate), at, at + step, now)


def history(
    rate: str = "0.0001", count: int = 90, now: int = NOW, hours: int = 8
) -> tuple[SettledFunding, ...]:
    step = hours * HOUR_MS
    last = now // step * step
    return tuple(SettledFunding(last - (count - 1 - n) * step, D(rate)) for n in range(count))


def bars(count: int, step_ms: int, px: Decimal, span: str = "0.001", now: int = NOW) -> tuple[Candle, ...]:
    """Closed bars ending now, each `span` from low to high around an unchanging price."""
    half = px * D(span) / 2
    first = now - count * step_ms
    return tuple(Candle(first + n * step_ms, px, px + half, px - half, px, D(1)) for n in range(count))


def market(
    name: str = "BTC-USDT", px: str = "100000", basis_bps: str = "0", depth_usdt: str = "200000"
) -> MarketView:
    """A deep, calm market; swap `basis_bps` from spot; each level is worth `depth_usdt`."""
    the_pair, mid = pair(name), D(px)
    swap_mid = mid * (1 + D(basis_bps) / 10_000)
    coins = D(depth_usdt) / mid
    return MarketView(
        pair=the_pair,
        spot=book(name, mid, coins),
        swap=book(the_pair.swap.inst_id, swap_mid, coins / the_pair.swap.ct_val),
        mark_px=swap_mid,
        mark_seen_ms=NOW,
        index_px=mid,
        funding=quote(),
        settled=history(),
        candles={
            "3m": bars(40, 180_000, mid),
            "15m": bars(40, 900_000, mid),
            "4H": bars(40, 4 * HOUR_MS, mid),
            "D": bars(40, DAY_MS, mid),
        },
        open_interest=((NOW - DAY_MS - 1, D(1000)), (NOW - 1000, D(1010))),
        volume_24h_usdt=D(1_000_000_000),
    )


def account(
    usdt: str = "100000",
    *,
    available: str | None = None,
    short: Mapping[str, str] | None = None,
    coins: Mapping[str, str] | None = None,
    mode: AccountMode = AccountMode.FUTURES,
    adjusted: str | None = None,
    mgn_ratio: str | None = None,
    wallet: str = "0",
    seen_ms: int = NOW,
) -> AccountSnapshot:
    """An account with USDT, coins, and shorts given in contracts by swap id."""
    free = D(available if available is not None else usdt)
    balances = {"USDT": Balance("USDT", D(usdt), D(usdt), free)}
    for coin, amount in (coins or {}).items():
        balances[coin] = Balance(coin, D(amount), D(amount), D(amount))
    positions = {
        inst_id: Position(inst_id, Contracts(-D(size)), D(100_000), D(100_000), D(0), D(3))
        for inst_id, size in (short or {}).items()
    }
    return AccountSnapshot(
        mode=mode,
        balances=balances,
        positions=positions,
        total_equity_usd=D(usdt),
        ts_ms=seen_ms,
        seen_ms=seen_ms,
        adjusted_equity_usd=D(adjusted) if adjusted else None,
        mgn_ratio=D(mgn_ratio) if mgn_ratio else None,
        funding_wallet={"USDT": D(wallet)},
    )


def hedge(
    base: str = "0.2",
    *,
    name: str = "BTC-USDT",
    spot: str | None = None,
    short: str | None = None,
    target: str | None = None,
    opened_ms: int = NOW - 2 * DAY_MS,
    entry: str = "20000",
    **money: str,
) -> HedgeView:
    """A balanced hedge of `base` coins at 100000, capital twice the entry; `money` names PnL terms."""
    short_base = D(short if short is not None else base)
    terms = {"funding": "0", "basis": "0", "fees": "0", "slippage": "0", "interest": "0", **money}
    return HedgeView(
        instrument=name,
        hedge_id="h1",
        target_base=Base(D(target if target is not None else base)),
        spot_base=Base(D(spot if spot is not None else base)),
        contracts=Contracts(short_base / D("0.01")),
        short_base=Base(short_base),
        opened_ms=opened_ms,
        entry_notional=D(entry),
        capital=2 * D(entry),
        settlements=3,
        **{term: D(value) for term, value in terms.items()},
    )


def opening(base: str = "0.2", name: str = "BTC-USDT", purpose: Purpose = Purpose.OPEN) -> Plan:
    return Plan(opening=(HedgeTarget(name, Base(D(base)), purpose, "expected carry pays"),))


def venue(**changed: Any) -> VenueHealth:
    streams = {name: StreamHealth(True, NOW) for name in ("public", "business", "private")}
    return replace(VenueHealth(streams=streams, latency_ms=D(40)), **changed)


def scene(**changed: Any) -> Context:
    """Two calm markets, 100,000 USDT, nothing held, nothing planned; then what the test changes."""
    calm = Context(
        now_ms=NOW,
        state=State.IDLE,
        state_since_ms=NOW - HOUR_MS,
        permission=PermissionView(),
        markets={"BTC-USDT": market(), "ETH-USDT": market("ETH-USDT", "4000")},
        account=account(),
        fees={"BTC-USDT": FEES, "ETH-USDT": FEES},
        hedges={},
        breaker=BreakerView(day="2026-01-05", peak_equity=D(100_000)),
        venue=venue(),
        equity=D(100_000),
    )
    return replace(calm, **changed)


def figure(verdict: Any, name: str) -> Any:
    return dict(verdict.figures)[name]
