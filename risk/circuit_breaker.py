"""Stop new risk after losses: a streak of losing rounds, a bad day, too many openings."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from config.schema import Breaker
from core.context import BreakerView, Context
from core.types import DAY_MS, HOUR_MS
from core.verdict import Verdict
from risk.measures import judged

LOSING_STREAK: Final = "too many losing rounds in a row"
DAILY_LOSS: Final = "too much lost today"


def judge(view: BreakerView, limits: Breaker, now_ms: int) -> str:
    """Return why the breaker has to trip, or an empty text.

    A round is lost when it closed with a net result below zero or was unwound by force; a day is a
    UTC day, and figures of another day do not count for this one.
    """
    if view.losing_rounds >= limits.losing_rounds:
        return LOSING_STREAK
    if view.day == utc_day(now_ms) and view.day_pnl <= -limits.daily_loss_limit:
        return DAILY_LOSS
    return ""


def holds(view: BreakerView, limits: Breaker, now_ms: int) -> bool:
    """Whether a trip is still in force: a bad day wears off, everything else needs the operator."""
    if not view.tripped:
        return False
    cooled = now_ms - view.tripped_ms >= limits.cooldown_hours * HOUR_MS
    return not (view.tripped == DAILY_LOSS and cooled)


class BreakerGuard:
    """Refuse new risk while the breaker is tripped, or would have to trip on what the books say now."""

    name = "not_tripped"

    def __init__(self, limits: Breaker) -> None:
        self._limits = limits

    def check(self, ctx: Context) -> Verdict:
        view, limits = ctx.breaker, self._limits
        today = view.day == utc_day(ctx.now_ms)
        opens = view.rounds_today if today else 0
        due = judge(view, limits, ctx.now_ms)
        tripped = holds(view, limits, ctx.now_ms)
        figures = (
            ("losing_rounds", view.losing_rounds),
            ("max_losing_rounds", limits.losing_rounds),
            ("day_pnl_usdt", view.day_pnl if today else Decimal(0)),
            ("daily_loss_limit_usdt", limits.daily_loss_limit),
            ("opens_today", opens),
            ("max_opens_per_day", limits.max_opens_per_day),
            ("tripped", view.tripped if tripped else ""),
            ("tripped_ms", view.tripped_ms if tripped else ""),
        )
        checks = (
            (not tripped, "the breaker is tripped"),
            (not due, due),
            (opens < limits.max_opens_per_day, "enough was opened today"),
        )
        return judged(self.name, checks, "losses are within their limits", figures)


def utc_day(now_ms: int) -> str:
    """The UTC date of an instant, as the books name a day: 2026-01-31."""
    return _named(now_ms // DAY_MS)


@lru_cache(maxsize=4)
def _named(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_MS / 1000, tz=UTC).date().isoformat()
