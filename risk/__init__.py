"""May we: guards of an opening, alarms, upkeep of the margin, red lines at every order."""

from __future__ import annotations

from collections.abc import Callable

from config.schema import Settings
from core.context import BreakerView
from core.ports import Guard
from risk.alarms import build_alarms
from risk.circuit_breaker import BreakerGuard, holds, judge
from risk.degradation import Degradation
from risk.exchange_guard import ExchangeGuard
from risk.fund_guard import FundGuard, FundPlanner
from risk.liquidity_guard import LiquidityGuard
from risk.margin_guard import MarginGuard
from risk.red_lines import RedLineGuard, check_order

__all__ = [
    "Degradation",
    "FundPlanner",
    "build_alarms",
    "build_guards",
    "build_hold",
    "build_judge",
    "check_order",
]


def build_guards(settings: Settings) -> tuple[Guard, ...]:
    """Return the guards core/table.py names for an opening."""
    risk = settings.risk
    return (
        ExchangeGuard(risk.exchange),
        BreakerGuard(risk.circuit_breaker),
        MarginGuard(risk.margin),
        FundGuard(settings),
        LiquidityGuard(risk.liquidity, settings.strategy.opening),
        RedLineGuard(settings.account),
    )


def build_judge(settings: Settings) -> Callable[[BreakerView, int], str]:
    """Return what tells the engine why the breaker has to trip, given its view and the time in ms."""
    limits = settings.risk.circuit_breaker
    return lambda view, now_ms: judge(view, limits, now_ms)


def build_hold(settings: Settings) -> Callable[[BreakerView, int], bool]:
    """Return what tells the engine whether a trip is still in force."""
    limits = settings.risk.circuit_breaker
    return lambda view, now_ms: holds(view, limits, now_ms)
