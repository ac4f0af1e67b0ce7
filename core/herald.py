"""Counts what was done and tells people about it; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.context import Context
from core.events import Decision, HedgeTarget, Outcome, Purpose, Report, Target
from core.ports import Clock, Notifier
from core.projections import Books
from core.verdict import Verdict

_TOPICS = {Purpose.OPEN: "opened", Purpose.EXIT: "closed", Purpose.FLATTEN: "closed"}


@dataclass(slots=True)
class Totals:
    """Counters of this run, for people and for the summary."""

    scans: int = 0
    opens: int = 0
    closes: int = 0
    rebalances: int = 0
    orders: int = 0
    rejects: int = 0
    max_leverage: Decimal = Decimal(0)
    dropped: int = 0
    lost_ticks: int = 0  # of the schedule, the process being too busy or suspended


class Herald:
    """The engine's voice. `violations` are the alarms of this run, in words."""

    def __init__(self, notifier: Notifier, books: Books, clock: Clock) -> None:
        self._notifier, self._books, self._clock = notifier, books, clock
        self.totals = Totals()
        self.violations: list[str] = []

    def decided(self, ctx: Context, decision: Decision) -> None:
        """Count a decision and the leverage it saw."""
        if ctx.margin_ratio:
            self.totals.max_leverage = max(self.totals.max_leverage, 1 / ctx.margin_ratio)
        if not decision.moved and decision.reason.startswith("dropped"):
            self.totals.dropped += 1

    def breached(self, alarm: Verdict) -> str:
        """Tell an alarm that starts an unwind; return it in words."""
        what = f"{alarm.guard}: {alarm.reason}"
        self.violations.append(what)
        self._notifier.tell("breach", "critical", {"what": alarm.guard, "detail": alarm.reason})
        return what

    def broken(self, detail: str) -> None:
        self._notifier.tell("alarm", "critical", {"what": "hedge broken", "detail": detail})

    def stopped(self, reason: str) -> None:
        self._notifier.tell("stop", "warning", {"reason": reason, "state": "STOPPED"})

    def tripped(self, reason: str) -> None:
        self._notifier.tell("breaker", "critical", {"reason": reason})

    def trouble(self, what: str, detail: str) -> None:
        self._notifier.tell("trouble", "warning", {"what": what, "detail": detail})

    def worked(self, targets: tuple[Target, ...], report: Report) -> None:
        """Count what execution did, and tell each target that was reached."""
        self.totals.orders += report.orders
        self.totals.rejects += report.rejects
        if report.outcome is Outcome.BROKEN:
            return
        for target in targets:
            if isinstance(target, HedgeTarget):
                topic = _TOPICS.get(target.purpose, "rebalanced")
                if self._came_about(topic, target, report):
                    self._reached(target, topic)
            elif not report.errors:
                self.totals.rebalances += 1
                fields = {
                    "instrument": target.ccy,
                    "size": target.amount,
                    "to": f"{target.dest.value} wallet",
                }
                self._tell("moved", target, fields)

    def _came_about(self, topic: str, target: HedgeTarget, report: Report) -> bool:
        """Legs may be equal because nothing could be traded: opened is what is held, closed what is not."""
        hedge = self._books.hedge(target.instrument)
        if topic == "closed":
            return hedge is None
        if topic == "opened":
            return hedge is not None and hedge.contracts > 0
        return report.outcome is Outcome.BALANCED or not target.purpose.adds_risk

    def _reached(self, target: HedgeTarget, topic: str) -> None:
        fields: dict[str, object] = {"instrument": target.instrument, "size": target.base}
        if topic == "opened":
            self.totals.opens += 1
        elif topic == "closed":
            self.totals.closes += 1
            fields |= self._last_round(target.instrument)
        else:
            self.totals.rebalances += 1
        self._tell(topic, target, fields)

    def _last_round(self, instrument: str) -> dict[str, object]:
        """What the round that just ended came to; empty when nothing of it was traded."""
        ended = next((r for r in reversed(self._books.rounds) if r.instrument == instrument), None)
        if ended is None:
            return {}
        terms = ended.closing_terms
        return {
            "held_ms": ended.closed_ms - ended.opened_ms,
            "pnl": terms.net,
            "funding": terms.funding,
            "fees": terms.fees,
            "settlements": ended.tally.settlements,
        }

    def _tell(self, topic: str, target: Target, fields: dict[str, object]) -> None:
        self._notifier.tell(
            topic, "info", {**fields, "purpose": target.purpose.value, "reason": target.reason}
        )
