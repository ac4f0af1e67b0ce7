"""Signals, sleeves and markets for the gate: by default one that is granted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

from config.auxiliary import AuxiliaryLimits, AuxiliaryModules
from core.context import MarketView
from core.types import Base, Book, Pair, Side, Usdt
from core.verdict import Verdict
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Stop
from strategy.auxiliary.gate import Judgement, judge
from strategy.auxiliary.language import Signal
from strategy.auxiliary.sleeve_view import Held, SleeveView
from tests.fakes import START_MS, btc

NOW_MS = START_MS
NAME = "BTC-USDT"
PLAN = ExitPlan("tried", Stop((Distance(ratio=D("0.03")),)))


def signal(**changed: Any) -> Signal:
    """A long at 60 000 with a stop at 3 %."""
    return Signal(
        **{
            "module": "tried",
            "instrument": NAME,
            "side": Side.BUY,
            "strength": D(80),
            "px": D(60_000),
            "at_ms": NOW_MS - 60_000,
            "valid_until_ms": NOW_MS + 60_000,
            "evidence": (("points", D(80)),),
            "plan": PLAN,
            **changed,
        }
    )


def market(
    mid: str = "60000",
    depth: str = "100",
    seen_ms: int = NOW_MS,
    mark: str | None = None,
    pair: Pair | None = None,
    half_spread_bps: str = "0.5",
) -> MarketView:
    """A book with `depth` coins on each side, half a basis point from the mid."""
    pair = pair or btc()
    px, half = D(mid), D(mid) * D(half_spread_bps) / 10_000
    size = D(depth) / pair.swap.ct_val
    book = Book(pair.swap.inst_id, ((px - half, size),), ((px + half, size),), seen_ms, seen_ms, 1)
    return MarketView(pair, None, book, D(mark or mid), seen_ms)


def sleeve(capital: str = "20000", **changed: Any) -> SleeveView:
    return SleeveView(Usdt(D(capital)), **changed)


def held(**changed: Any) -> Held:
    """A hundredth of a bitcoin that another module bought at 60 000, at a profit."""
    return Held(
        **{
            "module": "other",
            "instrument": NAME,
            "side": Side.BUY,
            "base": Base(D("0.01")),
            "entry_px": D(60_000),
            "mark_px": D(60_100),
            "margin": Usdt(D(200)),
            **changed,
        }
    )


def rules(**limits: Any) -> AuxiliaryModules:
    return AuxiliaryModules(limits=AuxiliaryLimits(**limits))


def judged(
    a_signal: Signal | None = None,
    a_sleeve: SleeveView | None = None,
    a_market: MarketView | None = None,
    some_rules: AuxiliaryModules | None = None,
    **how: Any,
) -> Judgement:
    return judge(
        a_signal or signal(),
        a_sleeve or sleeve(),
        a_market or market(),
        some_rules or rules(),
        NOW_MS,
        **how,
    )


def verdict(judgement: Judgement, guard: str) -> Verdict:
    return next(each for each in judgement.verdicts if each.guard == guard)


def figures(judgement: Judgement, guard: str) -> dict[str, Any]:
    return dict(verdict(judgement, guard).figures)


def with_swap(**changed: Any) -> Pair:
    pair = btc()
    return replace(pair, swap=replace(pair.swap, **changed))
