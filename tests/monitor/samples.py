"""A realistic engine to look at: two hedges among four instruments, on a day in March."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal as D

from core.context import (
    BreakerView,
    Context,
    HedgeView,
    MarketView,
    PermissionView,
    StreamHealth,
    VenueHealth,
)
from core.events import Decision, HedgeTarget, On, Plan, Purpose, State
from core.types import (
    AccountMode,
    AccountSnapshot,
    Balance,
    Base,
    Book,
    Contracts,
    FundingQuote,
    Pair,
    Position,
    SpotSpec,
    SwapSpec,
)
from core.verdict import Verdict
from monitor.status import Totals

NOW_MS = 1_773_302_700_000  # 2026-03-12 08:05:00 UTC
HOUR_MS = 3_600_000


def pair(coin: str) -> Pair:
    return Pair(
        f"{coin}-USDT",
        SpotSpec(f"{coin}-USDT", coin, "USDT", D("0.1"), D("0.00000001"), D("0.00001"), D(1000)),
        SwapSpec(f"{coin}-USDT-SWAP", D("0.01"), D("0.1"), D("0.01"), D("0.01"), D(10_000), D(100)),
    )


def book(inst_id: str, mid: D, seen_ms: int) -> Book:
    return Book(inst_id, ((mid - 1, D(5)),), ((mid + 1, D(5)),), seen_ms, seen_ms, 1)


def market(coin: str, px: str, rate: str, seen_ms: int = NOW_MS - 200) -> MarketView:
    both = pair(coin)
    return MarketView(
        pair=both,
        spot=book(both.spot.inst_id, D(px), seen_ms),
        swap=book(both.swap.inst_id, D(px) * D("1.0004"), seen_ms),
        mark_px=D(px),
        mark_seen_ms=seen_ms,
        funding=FundingQuote(
            both.swap.inst_id,
            D(rate),
            NOW_MS + 8 * HOUR_MS - 5 * 60_000,
            NOW_MS + 16 * HOUR_MS - 5 * 60_000,
            NOW_MS,
        ),
    )


def hedge(coin: str, base: str, **changes: object) -> HedgeView:
    view = HedgeView(
        instrument=f"{coin}-USDT",
        hedge_id=f"h1{coin}",
        target_base=Base(D(base)),
        spot_base=Base(D(base)),
        contracts=Contracts(D(base) * 100),
        short_base=Base(D(base)),
        opened_ms=NOW_MS - 51 * HOUR_MS,
        entry_notional=D(base) * 60_000,
        capital=D(base) * 120_000,
        funding=D("43.21"),
        basis=D("-3.5"),
        fees=D("18.02"),
        slippage=D("1.1"),
        interest=D(0),
        settlements=6,
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def account(seen_ms: int = NOW_MS - 1_000, usdt: str = "38000") -> AccountSnapshot:
    return AccountSnapshot(
        mode=AccountMode.FUTURES,
        balances={"USDT": Balance("USDT", D(usdt), D(usdt), D(usdt) / 2)},
        positions={
            "BTC-USDT-SWAP": Position("BTC-USDT-SWAP", Contracts(D(-40)), D(64_900), D(65_000), D(-40), D(3)),
            "ETH-USDT-SWAP": Position("ETH-USDT-SWAP", Contracts(D(-400)), D(3_200), D(3_190), D(40), D(3)),
        },
        total_equity_usd=D("100212.44"),
        ts_ms=seen_ms,
        seen_ms=seen_ms,
    )


VERDICTS = (
    Verdict(True, "band", "rate inside the opening band", (("rate_8h", D("0.0003")),), "SOL-USDT"),
    Verdict(False, "net_carry", "expected carry does not pay the round trip", (), "SOL-USDT"),
    Verdict(False, "basis", "swap and spot too far apart", (), "SOL-USDT"),
    Verdict(False, "band", "rate below the opening band", (("rate_8h", D("-0.00002")),), "DOGE-USDT"),
    Verdict(False, "no_position", "already held", (), "BTC-USDT"),
    Verdict(True, "band", "rate inside the opening band", (), "XRP-USDT"),
)


def context(**changes: object) -> Context:
    """A quiet, healthy engine; name what should be different."""
    markets: Mapping[str, MarketView] = {
        "BTC-USDT": market("BTC", "65000", "0.000125"),
        "ETH-USDT": market("ETH", "3190", "0.0001"),
        "SOL-USDT": market("SOL", "142", "0.0003"),
        "DOGE-USDT": market("DOGE", "0.2", "-0.00002"),
    }
    ctx = Context(
        now_ms=NOW_MS,
        state=State.RUNNING,
        state_since_ms=NOW_MS - 51 * HOUR_MS,
        permission=PermissionView(),
        markets=markets,
        account=account(),
        fees={},
        hedges={
            "BTC-USDT": hedge("BTC", "0.4"),
            "ETH-USDT": hedge("ETH", "4", funding=D("12.5"), opened_ms=NOW_MS - 7 * HOUR_MS, settlements=1),
        },
        breaker=BreakerView(day="2026-03-12", day_pnl=D("14.2"), rounds_today=1),
        venue=VenueHealth(
            streams={
                "public": StreamHealth(True, NOW_MS - 150),
                "business": StreamHealth(True, NOW_MS - 2_400),
                "private": StreamHealth(True, NOW_MS - 1_000, 1),
            },
            latency_ms=D("42"),
        ),
        equity=D("100212.44"),
        plan=Plan(verdicts=VERDICTS),
    )
    return replace(ctx, **changes)  # type: ignore[arg-type]


def decision(on: On, at_ms: int, **changes: object) -> Decision:
    quiet = Decision(on, at_ms, State.RUNNING, State.RUNNING, False, (), (), "nothing to do")
    return replace(quiet, **changes)  # type: ignore[arg-type]


DECISIONS = (
    decision(
        On.SCAN,
        NOW_MS - 7 * HOUR_MS,
        dst=State.OPENING,
        moved=True,
        targets=(HedgeTarget("ETH-USDT", Base(D(4)), Purpose.OPEN, "best net carry"),),
        instrument="ETH-USDT",
        reason="best net carry",
    ),
    decision(On.OPENED, NOW_MS - 7 * HOUR_MS + 900, src=State.OPENING, moved=True, reason="both legs equal"),
    decision(On.SETTLE, NOW_MS - 299_000, instrument="BTC-USDT", reason="funding booked"),
    decision(On.REVIEW, NOW_MS - 298_000),
    decision(On.SCAN, NOW_MS, verdicts=VERDICTS),
)

TOTALS = Totals(
    orders=14, rejects=1, scans=612, settlements=7, opens=2, closes=0, funding=D("55.71"), fees=D("36.04")
)
