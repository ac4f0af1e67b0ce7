"""What one decision costs: the guard chain, the table, and the row handed to the journal.

`python -m benchmarks.decision [--decisions N] [--json]`

A scan in RUNNING: one hedge is held and balanced, another is opened; the guards of both rows of the table
speak, and the second moves the machine. The context and the plan stand; making them is another matter (an
observer's look, a strategy's forecast). Every round gets a context of its own, in which nothing has been
worked out yet. Measured is from the event to the row queued for the journal's writer, with its text and its
hashes; the writer itself takes no part. Times are those of the processor, the median of many rounds.

In turns with it the same machine does a fixed piece of work, because machines and moments differ.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import thread_time

from benchmarks.figures import Figure, report
from config.schema import Settings
from core import conditions
from core.clock import SystemClock
from core.context import (
    BreakerView,
    Context,
    HedgeView,
    MarketView,
    PermissionView,
    StreamHealth,
    VenueHealth,
)
from core.engine import body_of
from core.events import Event, HedgeTarget, On, Plan, Purpose, State
from core.facts import Kind
from core.journal import SqliteJournal
from core.state_machine import StateMachine
from core.types import (
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
    SpotSpec,
    SwapSpec,
)
from risk import build_guards
from strategy import build_guards as build_strategy_guards

DECISIONS = 3_000
TARGET_US = 60.0
NOW = 1_767_585_600_000  # 2026-01-05T04:00Z
D = Decimal
_FEES = FeeRates(D("0.0008"), D("0.001"), D("0.0002"), D("0.0005"))


def _pair(coin: str) -> Pair:
    spot = SpotSpec(f"{coin}-USDT", coin, "USDT", D("0.1"), D("0.00000001"), D("0.00001"), D(10_000))
    swap = SwapSpec(f"{coin}-USDT-SWAP", D("0.01"), D("0.1"), D("0.01"), D("0.01"), D(100_000), D(100))
    return Pair(f"{coin}-USDT", spot, swap)


def _book(inst_id: str, mid: Decimal, size: Decimal) -> Book:
    steps = [mid * (D("0.5") + n) / 10_000 for n in range(10)]
    bids, asks = tuple((mid - s, size) for s in steps), tuple((mid + s, size) for s in steps)
    return Book(inst_id, bids, asks, NOW, NOW, 1)


def _market(coin: str, mid: Decimal) -> MarketView:
    pair, hour = _pair(coin), 3_600_000
    bars = tuple(Candle(NOW - n * 180_000, mid, mid, mid, mid, D(1)) for n in range(40, 0, -1))
    return MarketView(
        pair=pair,
        spot=_book(pair.spot.inst_id, mid, D(20)),
        swap=_book(pair.swap.inst_id, mid, D(2_000)),
        mark_px=mid,
        mark_seen_ms=NOW,
        index_px=mid,
        funding=FundingQuote(pair.swap.inst_id, D("0.0001"), NOW + 4 * hour, NOW + 12 * hour, NOW),
        candles={"3m": bars},
    )


def scene() -> Context:
    """One hedge of BTC held, one of ETH planned; every guard has something to judge."""
    btc, eth, zero = _market("BTC", D(94_000)), _market("ETH", D(3_200)), D(0)
    held = HedgeView(
        "BTC-USDT", "FE1H1", Base(D("0.2")), Base(D("0.2")), Contracts(D(20)), Base(D("0.2")), NOW - 10**7,
        D(18_800), D(37_600), D("4.2"), D("-0.1"), D("28.2"), D("0.3"), zero, 3,
    )  # fmt: skip
    planned = HedgeTarget("ETH-USDT", Base(D(5)), Purpose.OPEN, "expected carry pays the round trip")
    account = AccountSnapshot(
        mode=AccountMode.FUTURES,
        balances={"USDT": Balance("USDT", D(60_000), D(60_000), D(55_000))},
        positions={
            "BTC-USDT-SWAP": Position("BTC-USDT-SWAP", Contracts(D(-20)), D(94_000), D(94_000), zero, D(3))
        },
        total_equity_usd=D(100_000),
        ts_ms=NOW,
        seen_ms=NOW,
    )
    streams = {name: StreamHealth(True, NOW) for name in ("public", "private", "business")}
    return Context(
        now_ms=NOW,
        state=State.RUNNING,
        state_since_ms=NOW - 10**7,
        permission=PermissionView(),
        markets={"BTC-USDT": btc, "ETH-USDT": eth},
        account=account,
        fees={"BTC-USDT": _FEES, "ETH-USDT": _FEES},
        hedges={"BTC-USDT": held},
        breaker=BreakerView(day="2026-01-05"),
        venue=VenueHealth(streams=streams, latency_ms=D(40)),
        equity=D(100_000),
        plan=Plan(opening=(planned,)),
    )


def machine_of(settings: Settings) -> StateMachine:
    """The engine's own machine with all its guards."""
    return StateMachine((*conditions.CONDITIONS, *build_guards(settings), *build_strategy_guards(settings)))


def fixed_work() -> None:
    """A hundred Decimals divided, twenty hashes of a kilobyte: what the machine is measured by."""
    for number in _NUMBERS:
        _ = D(94_000) / number
    for _ in range(20):
        hashlib.sha256(_TEXT).digest()


_TEXT, _NUMBERS = b"x" * 1024, [D(n) for n in range(1, 101)]


async def measure(folder: Path, decisions: int) -> list[Figure]:
    journal = await SqliteJournal.open(folder / "journal.db", SystemClock(), linger_s=3600)
    machine, ctx, event = machine_of(Settings()), scene(), Event(On.SCAN, NOW)
    deciding, writing, whole, fixed = [], [], [], []
    for _ in range(decisions):
        machine.restore(State.RUNNING)
        fresh = replace(ctx)  # nothing of the round before is known
        began = thread_time()
        decided = machine.decide(event, fresh)
        between = thread_time()
        journal.append(Kind.DECISION, NOW, body_of(decided))
        ended = thread_time()
        fixed_work()
        fixed.append(thread_time() - ended)
        deciding.append(between - began)
        writing.append(ended - between)
        whole.append(ended - began)
    await journal.close()
    if decided.dst is not State.OPENING:
        raise AssertionError(f"the scene was to open a hedge, and stays in {decided.dst}")
    return [
        Figure("guards and table", median(deciding) * 1e6, "us", TARGET_US, False),
        Figure("row for the journal", median(writing) * 1e6, "us", TARGET_US, False),
        Figure("a decision, guards to journal", median(whole) * 1e6, "us", TARGET_US, False),
        Figure("fixed work", median(fixed) * 1e6, "us", float("inf"), False),
        Figure("decision / fixed work", median(whole) / median(fixed), "", float("inf"), False),
        Figure("verdicts of it", len(decided.verdicts), "", 10, True),
    ]


def main(argv: Sequence[str]) -> int:
    decisions = int(argv[argv.index("--decisions") + 1]) if "--decisions" in argv else DECISIONS
    folder = Path(tempfile.mkdtemp(prefix="decision-"))
    try:
        return report(asyncio.run(measure(folder, decisions)), argv)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
