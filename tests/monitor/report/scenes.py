"""A run to make reports of: three coins over fourteen months, good times and bad ones, and an empty one."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from core.events import State
from core.ledger import Settlement
from core.naked import Spell
from core.tally import Terms, Trade
from core.types import DAY_MS, HOUR_MS, ZERO, Fill, Leg, Side
from monitor.pnl_tracker import Point
from monitor.report.facts import Benchmark, Limits, ReportFacts, Round, Sample, Stay, Way
from monitor.summary import Counts, RunFacts

D = Decimal
START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
COINS = {"BTC-USDT": D(42_000), "DOGE-USDT": D("0.09"), "ETH-USDT": D(2_300)}
LIMITS = Limits(D("0.8"), D("0.5"), D(1) / 3, 5.0)
HOSTILE = "<script>alert('&')</script>"


def run(days: int = 425, **changed: object) -> RunFacts:
    given: dict[str, object] = {
        "mode": "backtest",
        "instruments": tuple(COINS),
        "from_ms": START_MS,
        "to_ms": START_MS + days * DAY_MS,
        "state": "RUNNING",
        "permission": "FULL",
        "equity": ((START_MS, D(100_000)), (START_MS + days * DAY_MS, D(100_000))),
        "money": Terms(),
        "journal_head": "ab12",
        "wall_s": 12.5,
    }
    return RunFacts(**{"counts": Counts(), **given, **changed})  # type: ignore[arg-type]


def empty() -> ReportFacts:
    """A run that never opened anything."""
    return ReportFacts(run(days=2), "expected_cost", LIMITS)


def trade(name: str, hedge_id: str, leg: Leg, side: Side, px: Decimal, base: Decimal, at_ms: int) -> Trade:
    fee = base * px * (D("0.001") if leg is Leg.SPOT else D("0.0005"))
    fill = Fill(name, f"{at_ms}{leg.value}", "1", hedge_id, side, px, base, -fee, "USDT", at_ms, False)
    return Trade(fill, name, hedge_id, leg, base, fee, ZERO, D("0.25"))


def busy(days: int = 425, seed: int = 3) -> ReportFacts:
    """Rounds of some weeks on each coin, funding that turns, a margin that sags, and a few naked legs."""
    draw = Random(seed)
    trades, settlements, rounds, spells = list[Trade](), list[Settlement](), list[Round](), list[Spell]()
    per_coin, end_ms = dict[str, Terms](), START_MS + days * DAY_MS
    for name, px in COINS.items():
        at_ms, number, total = START_MS + HOUR_MS, 0, Terms()
        while at_ms < end_ms - 3 * DAY_MS:
            number += 1
            hedge_id, base = f"{name[:3]}{number}", D(20_000) / px
            lasts = draw.randint(3, 60)
            closed_ms = at_ms + lasts * DAY_MS if at_ms + lasts * DAY_MS < end_ms else None
            fills = [
                trade(name, hedge_id, Leg.SPOT, Side.BUY, px, base, at_ms),
                trade(name, hedge_id, Leg.SWAP, Side.SELL, px, base, at_ms + 400),
            ]
            if closed_ms is not None:
                fills.append(trade(name, hedge_id, Leg.SPOT, Side.SELL, px, base, closed_ms))
                fills.append(trade(name, hedge_id, Leg.SWAP, Side.BUY, px, base, closed_ms + 400))
            paid = ZERO
            first_ms = -(-at_ms // (8 * HOUR_MS)) * 8 * HOUR_MS
            until_ms = closed_ms or end_ms
            drift = draw.uniform(-0.00006, 0.00025)
            times = range(first_ms, until_ms, 8 * HOUR_MS)
            for ts_ms in times:
                rate = D(round(draw.gauss(drift, 0.0001), 6))
                settlements.append(Settlement(ts_ms, name, hedge_id, base, px, rate, base * px * rate))
                paid += base * px * rate
            terms = Terms(
                funding=paid,
                basis=D(round(draw.gauss(2, 8), 2)),
                fees=sum((one.fee_usdt for one in fills), ZERO),
                slippage=D("0.25") * len(fills),
            )
            rounds.append(
                Round(
                    name, hedge_id, at_ms, closed_ms, D(20_000), terms, len(times),
                    "funding settled below zero" if closed_ms else "", forced=number == 4,
                )
            )  # fmt: skip
            if number % 3 == 0:
                took_ms = draw.choice((800, 2_400, 6_300))
                spells.append(Spell(name, at_ms, at_ms, at_ms + took_ms, base))
            trades += fills
            total += terms
            at_ms = until_ms + draw.randint(1, 12) * DAY_MS
        per_coin[name] = total
    settlements.sort(key=lambda one: (one.ts_ms, one.instrument))
    money = sum(per_coin.values(), Terms())
    facts = run(
        days,
        money=money,
        per_instrument=per_coin,
        equity=_curve(settlements, trades, money.net, end_ms, draw),
        max_leverage=D("1.91"),
        naked_ms=max((one.lasted_ms for one in spells), default=0),
    )
    return ReportFacts(
        run=facts,
        exit_mode="expected_cost",
        limits=LIMITS,
        trades=tuple(trades),
        settlements=tuple(settlements),
        samples=tuple(_samples(end_ms, draw)),
        stays=_stays(end_ms, draw),
        spells=tuple(sorted(spells, key=lambda one: one.ended_ms)),
        rounds=tuple(sorted(rounds, key=lambda one: (one.opened_ms, one.instrument))),
        benchmarks=tuple(
            Benchmark(
                name,
                settlements=days * 3,
                switch_cost=D("0.00152"),
                run=Way(D("0.0831"), 14, 1_090),
                foresight=Way(D("0.0902"), 10, 1_130),
                modes={
                    "expected_cost": Way(D("0.0840"), 12, 1_101),
                    "hysteresis": Way(D("0.0712"), 38, 1_010),
                    "sign": Way(D("0.0304"), 140, 870),
                },
            )
            for name in COINS
        ),
    )


def _curve(
    settled: list[Settlement], trades: list[Trade], net: Decimal, end_ms: int, draw: Random
) -> tuple[Point, ...]:
    equity, points, at = D(100_000), [(START_MS, D(100_000))], 0
    flows = [(one.ts_ms, one.amount) for one in settled]
    flows = sorted(flows + [(one.fill.ts_ms, -one.fee_usdt) for one in trades])
    for ts_ms in range(START_MS + HOUR_MS, end_ms, HOUR_MS):
        while at < len(flows) and flows[at][0] <= ts_ms:
            equity += flows[at][1]
            at += 1
        points.append((ts_ms, equity + D(round(draw.gauss(0, 6), 4))))
    return (*points, (end_ms, 100_000 + net))


def _samples(end_ms: int, draw: Random) -> list[Sample]:
    ratio, basis, found = 1.0, 4.0, list[Sample]()
    for ts_ms in range(START_MS + HOUR_MS, end_ms, HOUR_MS):
        ratio = 1.0 if ratio < 0.53 else ratio + draw.gauss(0.0, 0.008) + (1.0 - ratio) * 0.01
        basis += draw.gauss(0, 1.2) - basis * 0.02
        away = START_MS + 200 * DAY_MS < ts_ms < START_MS + 215 * DAY_MS
        bps = {name: D(round(basis + n * 3 + draw.gauss(0, 1), 2)) for n, name in enumerate(COINS)}
        margin = None if away else D(round(ratio, 4))
        found.append(Sample(ts_ms, State.RUNNING, margin, bps, D(60_000)))
    return found


def _stays(end_ms: int, draw: Random) -> tuple[Stay, ...]:
    stays, at_ms = [Stay(State.IDLE, START_MS, START_MS + HOUR_MS)], START_MS + HOUR_MS
    while at_ms < end_ms:
        course = (
            (State.OPENING, 0.01),
            (State.RUNNING, draw.uniform(48, 900)),
            (State.REBALANCING, 0.02),
            (State.IDLE, draw.uniform(2, 120)),
        )
        for state, hours in course:
            until_ms = min(end_ms, at_ms + int(hours * HOUR_MS))
            if at_ms < until_ms:
                stays.append(Stay(state, at_ms, until_ms))
            at_ms = until_ms
    return tuple(stays)
