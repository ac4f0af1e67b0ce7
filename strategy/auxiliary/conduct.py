"""Strategy's part in the sleeve's engine: the gate before a position, its exit plan while it is held.

Implements core.sleeve.ports.Conduct. Pure: what it needs of the world is handed in as functions that read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from core.facts import plain
from core.sleeve.books import Position, SleeveBooks
from core.sleeve.events import Intent, PositionPlan, PositionTarget
from core.sleeve.ports import Answer, Judged, Sight
from core.types import ZERO, Base, SwapSpec, Usdt
from core.verdict import Verdict
from strategy.auxiliary.exit_plan import ExitPlan, Measures
from strategy.auxiliary.exit_progress import (
    Entry,
    Progress,
    Reason,
    begun,
    entered,
    recalled,
    recorded,
    with_held,
)
from strategy.auxiliary.exit_watch import BarClosed, Close, Mark, MoveStop, Sweep, watch
from strategy.auxiliary.gate import Grant, Judgement
from strategy.auxiliary.language import Signal
from strategy.auxiliary.sleeve_view import Entered, Held, SleeveView, Streak
from strategy.auxiliary.venue_stop import venue_stop

NOTHING_ENTERED = "nothing was entered"


@dataclass(frozen=True, slots=True)
class Running:
    """A position under its plan: what the engine keeps for us between two looks."""

    plan: ExitPlan
    entry: Entry
    progress: Progress


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What of the world is read while deciding.

    gate     the gate, with its limits and the signal's market in it.
    capital  USDT the sleeve may use, less what it has lost.
    swap_of  instrument -> its swap's rules.
    mark_of  instrument -> its last mark price, None before the first.
    returns  by instrument, of the same bars, oldest first: for correlations.
    """

    gate: Callable[[Signal, SleeveView, int], Judgement]
    capital: Callable[[], Usdt]
    swap_of: Callable[[str], SwapSpec]
    mark_of: Callable[[str], Decimal | None]
    returns: Callable[[], Mapping[str, Sequence[float]]] = dict


class PlanConduct:
    """Judges by the gate, holds by the exit plan."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    # --- before a position ------------------------------------------------------------------------

    def judge(self, proposal: Signal, books: SleeveBooks, frozen: str, now_ms: int) -> Judged:
        judgement = self._around.gate(proposal, self.view(books, frozen, now_ms), now_ms)
        grant = judgement.grant
        if grant is None:
            return Judged(judgement.fate.value, judgement.why, judgement.verdicts, proposal.wished_leverage)
        swap = self._around.swap_of(grant.instrument)
        trigger_px = _trigger_px(_granted(grant, swap, now_ms), swap)
        target = PositionTarget(
            grant.instrument,
            "",
            grant.side,
            grant.base,
            trigger_px,
            Intent.ENTER,
            f"{grant.module} {proposal.strength.normalize():f}",
            limit_px=grant.entry_px,
            leverage=grant.leverage_granted,
            figures=(("risk_usdt", Decimal(grant.risk)), ("margin_usdt", Decimal(grant.margin))),
        )
        record = {
            "plan": recorded(grant.plan),
            "measures": plain(grant.measures),
            "leverage": plain(grant.leverage_granted),
            "base": plain(grant.base),
            "limit_px": plain(grant.entry_px),
            "trigger_px": plain(trigger_px),
        }
        return Judged(
            judgement.fate.value,
            target.reason,
            judgement.verdicts,
            grant.leverage_wished,
            grant.leverage_granted,
            target,
            record,
        )

    def view(self, books: SleeveBooks, frozen: str, now_ms: int) -> SleeveView:
        """The sleeve as the gate may see it."""
        held = (self._held(books.position(name)) for name in books.instruments)
        return SleeveView(
            capital=self._around.capital(),
            held=tuple(each for each in held if each is not None),
            entries=tuple(Entered(g.module, g.instrument, g.at_ms) for g in books.granted),
            lost_today=Usdt(-books.day_cash(now_ms)),
            seen=frozenset(books.seen),
            closed=frozen or None,
            returns=self._around.returns(),
            streaks=_streaks(books),
        )

    def _held(self, position: Position | None) -> Held | None:
        """What is held, or on its way: then as large as it may become, at the price it may cost."""
        if position is None:
            return None
        wanted = position.wanted
        px = position.entry_px if position.entered else Decimal(wanted["limit_px"])
        base = position.held if position.entered else Base(Decimal(wanted["base"]))
        if base <= 0:
            return None
        margin = Usdt(base * px / Decimal(wanted["leverage"]))
        mark_px = self._around.mark_of(position.instrument) or px
        return Held(position.module, position.instrument, position.side, base, px, mark_px, margin)

    # --- while it is held -------------------------------------------------------------------------

    def begin(self, position: Position) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        wanted, swap = position.wanted, self._around.swap_of(position.instrument)
        plan = recalled(wanted["plan"], ExitPlan)
        try:
            entry = _entry(position, plan, position.entry_px, swap)
        except ValueError:  # filled beyond its own stop: by the price it was granted at, the stop is hit now
            entry = _entry(position, plan, Decimal(wanted["limit_px"]), swap)
        return recorded(entry), recorded(begun(plan, entry))

    def recall(self, position: Position) -> Running:
        assert position.entry is not None and position.progress is not None
        return Running(
            recalled(position.wanted["plan"], ExitPlan),
            recalled(position.entry, Entry),
            recalled(position.progress, Progress),
        )

    def held(self, position: Position, progress: Running) -> Running:
        after = with_held(progress.progress, position.held)
        return progress if after is progress.progress else replace(progress, progress=after)

    def record(self, progress: Running) -> Mapping[str, Any]:
        return recorded(progress.progress)

    def ended(self, position: Position, progress: Running | None) -> str:
        if not position.entered:
            return NOTHING_ENTERED
        reason = progress.progress.ended if progress is not None else None
        return position.closing or (reason or Reason.OUTSIDE).value

    def target(self, progress: Running) -> Decimal:
        return progress.progress.left

    def look(self, position: Position, progress: Running, sight: Sight) -> Answer:
        seen: Mark | BarClosed | Sweep = Sweep(sight.at_ms, sight.mark_px)
        if sight.bars is not None:
            seen = BarClosed(sight.at_ms, sight.bars)
        elif sight.mark_px is not None:
            seen = Mark(sight.at_ms, sight.mark_px)
        step = watch(progress.plan, progress.entry, progress.progress, seen)
        after = replace(progress, progress=step.progress)
        reason, action = step.action.reason.value, step.action
        verdict = Verdict(True, "exit_plan", reason, action.figures, position.instrument)
        plan = PositionPlan(verdicts=(verdict,))
        if isinstance(action, Close):
            target = self._target(position, after, Base(action.left), Intent.REDUCE, reason)
            plan = replace(plan, reducing=target, caring=target)
        elif isinstance(action, MoveStop):
            care = self._target(position, after, after.progress.left, Intent.CARE, reason)
            plan = replace(plan, caring=care, moves=True)
        return Answer(plan, after, recorded(after.progress) if step.is_news else None, reason)

    def caring(self, position: Position, progress: Running | None) -> PositionTarget:
        if progress is not None:
            return self._target(position, progress, progress.progress.left, Intent.CARE, "as it stands")
        trigger_px = Decimal(position.wanted["trigger_px"])
        name, held = position.instrument, Base(max(ZERO, position.held))
        return PositionTarget(
            name, position.position_id, position.side, held, trigger_px, Intent.CARE, "as it stands"
        )

    def _target(
        self, position: Position, running: Running, base: Base, purpose: Intent, reason: str
    ) -> PositionTarget:
        trigger_px = _trigger_px(running, self._around.swap_of(position.instrument))
        name, side = position.instrument, running.entry.side
        return PositionTarget(name, position.position_id, side, base, trigger_px, purpose, reason)


def _granted(grant: Grant, swap: SwapSpec, now_ms: int) -> Running:
    """The position as it would be, filled in full at the worst price."""
    entry = entered(
        grant.plan,
        grant.side,
        grant.base,
        grant.entry_px,
        leverage=grant.leverage_granted,
        margin=grant.margin,
        lot=swap.step,
        opened_ms=now_ms,
        measures=grant.measures,
    )
    return Running(grant.plan, entry, begun(grant.plan, entry))


def _entry(position: Position, plan: ExitPlan, px: Decimal, swap: SwapSpec) -> Entry:
    leverage = Decimal(position.wanted["leverage"])
    return entered(
        plan,
        position.side,
        position.held,
        px,
        leverage=leverage,
        margin=Usdt(position.held * px / leverage),
        lot=swap.step,
        opened_ms=position.opened_ms,
        measures=recalled(position.wanted["measures"], Measures),
    )


def _trigger_px(running: Running, swap: SwapSpec) -> Decimal:
    """Where the venue's stop stands, also while the last of the position is being sold."""
    whole = replace(running.progress, left=running.entry.base, ended=None)
    stop = venue_stop(running.plan, running.entry, whole, swap.tick)
    assert stop is not None
    return stop.trigger_px


def _streaks(books: SleeveBooks) -> dict[str, Streak]:
    """Losses in a row, of each coin's newest positions."""
    found: dict[str, Streak] = {}
    over: set[str] = set()
    for position in reversed(books.closed):
        name = position.instrument
        if name in over:
            continue
        if position.net >= 0:
            over.add(name)
            continue
        known = found.get(name, Streak(0, position.closed_ms))
        found[name] = Streak(known.losses + 1, known.ended_ms)
    return found
