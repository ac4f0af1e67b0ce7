"""A module played on a made-up market, through the gate, the monitor and its own exits.

What is looked for is a counter-example: an instant at which a rule is broken, with what led there. Every
question is asked twice, and once more of a module that was made anew: what differs was remembered somewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from config.auxiliary import MAX_ENTRIES_PER_DAY, MIN_ENTRY_GAP_S, AuxiliaryModules
from config.schema import MAX_LEVERAGE
from core.types import DAY_MS, HOUR_MS, ONE, ZERO, Base, Usdt
from core.verdict import Figures
from strategy.auxiliary.exit_plan import ExitPlan
from strategy.auxiliary.exit_progress import Entry, Progress, begun, entered
from strategy.auxiliary.exit_watch import BarClosed, Close, Mark, MoveStop, Seen, watch
from strategy.auxiliary.gate import Grant, judge
from strategy.auxiliary.language import STRONGEST, Fate, Holding, Look, Module, Signal
from strategy.auxiliary.red_lines.declared import USUAL_RANGES, plan_breaches, plan_figures, wish_is_stated
from strategy.auxiliary.red_lines.monitor import Exposure, order_allowed
from strategy.auxiliary.red_lines.rules import (
    MOST_PROPOSALS_A_DAY,
    STRENGTH_DIGITS,
    Breach,
    Moment,
    Rule,
    side_word,
)
from strategy.auxiliary.red_lines.worlds import NAME, PAIR, World
from strategy.auxiliary.sleeve_view import Entered, Held, SleeveView

CAPITAL: Final = Usdt(Decimal(100_000))
TRACE: Final = 12  # moments that are kept of what led to a breach
EVERY: Final = 7  # of the questions without a proposal, how many are asked again
LOSSES: Final = (Decimal("0.01"), Decimal("0.1"))  # of the price, that a holding is down when asked about it
RULES: Final = AuxiliaryModules()
NEVER: Final = "the mark price is beyond the stop"  # of the market, not of the module

Make = Callable[[], Module]


@dataclass(slots=True)
class _Position:
    grant: Grant
    entry: Entry
    progress: Progress

    @property
    def exposure(self) -> Exposure:
        left = self.progress.left
        margin = self.entry.margin * left / self.entry.base
        net = Base(self.entry.side.sign * left)
        return Exposure(NAME, net, self.entry.px, Usdt(margin), self.progress.stop_px)


@dataclass(slots=True)
class Played:
    """What one play came to. `breach` is the first there was; the play ends with it."""

    asked: int = 0
    proposed: int = 0
    granted: int = 0
    breach: Breach | None = None
    moments: list[Moment] = field(default_factory=list)

    def tell(self, at_ms: int, what: str, figures: Figures = ()) -> None:
        self.moments.append(Moment(at_ms, what, figures))
        del self.moments[:-TRACE]


class _Broken(Exception):
    def __init__(self, rule: Rule, broken: str, at_ms: int, figures: Figures = ()) -> None:
        super().__init__(broken)
        self.rule, self.broken, self.moment = rule, broken, Moment(at_ms, broken, figures)


def play(make: Make, world: World) -> Played:
    """Ask a module at every instant of a market, and do what the gate grants."""
    played = Played()
    game = _Game(make, world, played)
    try:
        game.run()
    except _Broken as broken:
        trace = (Moment(None, f"market {world.name}"), *played.moments, broken.moment)
        played.breach = Breach(broken.rule, game.module.name, broken.broken, trace)
    return played


class _Game:
    def __init__(self, make: Make, world: World, played: Played) -> None:
        self.make, self.world, self.played = make, world, played
        self.module = make()
        self.position: _Position | None = None
        self.entries: list[Entered] = []
        self.proposals: dict[str, int] = {}  # id -> the instant it speaks of
        self.answers: list[tuple[Look, Signal | None]] = []
        self.plans: set[ExitPlan] = set()  # that were looked at

    def run(self) -> None:
        needs, last_ms = self.module.needs, self.world.from_ms
        for now_ms in self.world.instants(needs):
            self._live_through(last_ms, now_ms)
            last_ms = now_ms
            look = self.world.look(needs, now_ms, self._holding())
            signal = self._ask(look)
            self.played.asked += 1
            if signal is None:
                continue
            self._check(signal, look)
            if signal.signal_id not in self.proposals:
                self._propose(signal, look)
        self._ask_backwards()

    # --- asking --------------------------------------------------------------------------------

    def _ask(self, look: Look) -> Signal | None:
        signal = _answer(self.module, look)
        if signal is not None or self.played.asked % EVERY == 0:
            self._compare(
                look, signal, _answer(self.module, look), "asked again at once it answers otherwise"
            )
            fresh = _answer(self.make(), look)
            self._compare(look, signal, fresh, "made anew it answers otherwise: it remembers")
            self.answers.append((look, signal))
            del self.answers[:-200]
        return signal

    def _ask_backwards(self) -> None:
        module = self.make()
        for look, signal in reversed(self.answers):
            self._compare(
                look,
                signal,
                _answer(module, look),
                "asked in another order it answers otherwise: it remembers",
            )

    @staticmethod
    def _compare(look: Look, one: Signal | None, other: Signal | None, broken: str) -> None:
        if one != other:
            figures = (("first", _told(one)), ("then", _told(other)))
            raise _Broken(Rule.PURITY, broken, look.now_ms, figures)

    # --- what was said -------------------------------------------------------------------------

    def _check(self, signal: Signal, look: Look) -> None:
        now_ms = look.now_ms
        if type(signal) is not Signal:
            raise _Broken(Rule.OWN, "what it says is not a signal of the language", now_ms)
        for broken, said, is_so in (
            ("it speaks in another's name", signal.module, signal.module == self.module.name),
            ("it speaks of what it was not shown", signal.instrument, signal.instrument == look.instrument),
            ("it knows what is still to come", signal.at_ms, signal.at_ms <= now_ms),
            ("it speaks of a day that is gone", signal.at_ms, signal.at_ms >= now_ms - DAY_MS),
        ):
            if not is_so:
                raise _Broken(Rule.OWN, broken, now_ms, (("said", said),))
        if not wish_is_stated(signal):
            figures = (("wished_leverage", signal.wished_leverage), ("most", MAX_LEVERAGE))
            raise _Broken(Rule.LEVERAGE, "it wishes for leverage above the red line", now_ms, figures)
        if found := plan_figures(signal.plan):
            rule, broken, moment = found
            raise _Broken(rule, broken, now_ms, (("plan", moment.what), *moment.figures))
        _check_strength(signal, now_ms)
        self._check_holding(signal, look)

    def _check_holding(self, signal: Signal, look: Look) -> None:
        """R2: what it says while it holds and loses, here and in the same market with holdings made up."""
        if look.holding is not None:
            _check_losing(signal, None, look)
            return
        px, ago_ms = signal.px, look.now_ms - HOUR_MS
        for lost in LOSSES:
            down_px = px * (1 + signal.side.sign * lost)
            holding = Holding(signal.side, signal.most_base or Base(ONE), down_px, ago_ms)
            losing = replace(look, holding=holding)
            _check_losing(_answer(self.module, losing), signal, losing)

    # --- the gate, the monitor, the exits ------------------------------------------------------

    def _propose(self, signal: Signal, look: Look) -> None:
        now_ms, played = look.now_ms, self.played
        played.proposed += 1
        figures = (("id", signal.signal_id), ("px", signal.px), ("strength", signal.strength))
        played.tell(now_ms, f"it proposes a {side_word(signal.side)}", figures)
        self.proposals[signal.signal_id] = signal.at_ms
        today = sum(at_ms > now_ms - DAY_MS for at_ms in self.proposals.values())
        if today > MOST_PROPOSALS_A_DAY:
            told = (("proposals_24h", today), ("most", MOST_PROPOSALS_A_DAY))
            raise _Broken(Rule.FREQUENCY, "it proposes more often than once an hour", now_ms, told)
        if signal.plan not in self.plans:
            self.plans.add(signal.plan)
            for found in plan_breaches(signal.plan, signal.module, USUAL_RANGES):
                raise _Broken(found.rule, found.broken, now_ms, found.trace[-1].figures)
        at_its_price = replace(signal, px=self.world.px(now_ms))
        market = self.world.market(now_ms)
        judgement = judge(at_its_price, self._sleeve(now_ms), market, RULES, now_ms)
        for verdict in judgement.verdicts:
            if verdict.guard == "signal_plan" and not verdict.ok and verdict.reason != NEVER:
                raise _Broken(Rule.STOP, verdict.reason, now_ms, verdict.figures)
        played.tell(now_ms, f"the gate: {judgement.fate.value}", (("why", judgement.why or "granted"),))
        if judgement.fate is Fate.EXECUTED and judgement.grant is not None:
            self._enter(judgement.grant, now_ms)

    def _enter(self, grant: Grant, now_ms: int) -> None:
        held = self.position
        before = held.exposure if held else Exposure(NAME, Base(ZERO))
        after = before.with_order(grant.side, grant.base, grant.entry_px, grant.margin, grant.stop_px)
        entry = entered(
            grant.plan,
            grant.side,
            Base(abs(after.net)),
            after.entry_px,
            leverage=grant.leverage_granted,
            margin=after.margin,
            lot=PAIR.swap.step,
            opened_ms=now_ms,
            measures=grant.measures,
        )
        position = _Position(grant, entry, begun(grant.plan, entry))
        self._order(before, position.exposure, now_ms)
        self.position = position
        self._check_pace(now_ms)
        self.entries.append(Entered(grant.module, NAME, now_ms))
        self.played.granted += 1
        figures = (
            ("base", Decimal(grant.base)),
            ("entry_px", grant.entry_px),
            ("stop_px", grant.stop_px),
            ("leverage", grant.leverage_granted),
        )
        self.played.tell(now_ms, "entered", figures)

    def _check_pace(self, now_ms: int) -> None:
        """R5, counted once more beside the gate."""
        today = [each.at_ms for each in self.entries if each.at_ms > now_ms - DAY_MS]
        gap_ms = 1_000 * MIN_ENTRY_GAP_S
        if len(today) >= MAX_ENTRIES_PER_DAY or (today and now_ms - today[-1] < gap_ms):
            figures = (("entries_24h", len(today) + 1), ("since_last_ms", now_ms - max(today)))
            raise _Broken(Rule.FREQUENCY, "it was let in more often than a module may be", now_ms, figures)

    def _order(self, before: Exposure, after: Exposure, now_ms: int) -> None:
        said = order_allowed(before, after, self.world.px(now_ms))
        if not said.ok:
            rule = Rule.LOSING if "does not win" in said.reason else Rule.STOP
            rule = Rule.LEVERAGE if "leverage" in said.reason else rule
            raise _Broken(rule, said.reason, now_ms, said.figures)

    def _live_through(self, last_ms: int, now_ms: int) -> None:
        if self.position is None:
            return
        for seen in _seen(self.world, last_ms, now_ms):
            held = self.position
            step = watch(held.grant.plan, held.entry, held.progress, seen)
            before = held.exposure
            held.progress = step.progress
            if (held.progress.stop_px - (before.stop_px or ZERO)) * held.entry.side.sign < 0:
                moved = (("stop_px", before.stop_px or ZERO), ("new_stop_px", held.progress.stop_px))
                raise _Broken(Rule.STOP, "its stop moved away from the price", seen.at_ms, moved)
            if isinstance(step.action, MoveStop | Close):
                if held.progress.left:
                    self._order(before, held.exposure, seen.at_ms)
                self.played.tell(seen.at_ms, f"its plan: {step.action.reason.value}", step.action.figures[:3])
            if not held.progress.left:
                self.position = None
                return

    def _holding(self) -> Holding | None:
        held = self.position
        if held is None:
            return None
        return Holding(held.entry.side, held.progress.left, held.entry.px, held.entry.opened_ms)

    def _sleeve(self, now_ms: int) -> SleeveView:
        held = self.position
        there: tuple[Held, ...] = ()
        if held is not None:
            exposure, px = held.exposure, self.world.px(now_ms)
            entry = held.entry
            there = (
                Held(held.grant.module, NAME, entry.side, held.progress.left, entry.px, px, exposure.margin),
            )
        return SleeveView(CAPITAL, there, tuple(self.entries[-100:]))


def _answer(module: Module, look: Look) -> Signal | None:
    try:
        return module.signal(look)
    except Exception as error:
        told = (("error", f"{type(error).__name__}: {error}"),)
        rule = Rule.STOP if "protects" in str(error) or "plan" in str(error) else Rule.OWN
        rule = Rule.SCORE if "evidence" in str(error) else rule
        raise _Broken(rule, "it raises where all it needs is there", look.now_ms, told) from error


def _check_strength(signal: Signal, now_ms: int) -> None:
    """R4: `*_points` add up to the strength, or `*_term` to a hundredth of it; and something was measured."""
    numbers = {name: D for name, D in signal.evidence if isinstance(D, Decimal | int)}
    points = [Decimal(value) for name, value in numbers.items() if name.endswith("_points")]
    terms = [Decimal(value) for name, value in numbers.items() if name.endswith("_term")]
    added = sum(points, ZERO) if points else 100 * sum(terms, ZERO)
    cut = min(STRONGEST, max(ZERO, added))
    figures = (("strength", signal.strength), ("added_up", cut), ("terms", len(points) or len(terms)))
    if not points and not terms:
        raise _Broken(Rule.SCORE, "its strength has no terms in the evidence", now_ms, figures)
    if abs(cut - signal.strength) > STRENGTH_DIGITS:
        raise _Broken(Rule.SCORE, "its strength is not what the evidence adds up to", now_ms, figures)
    if len(numbers) == (len(points) or len(terms)):
        raise _Broken(
            Rule.SCORE, "it shows what it adds up, and nothing it was measured from", now_ms, figures
        )


def _check_losing(signal: Signal | None, without: Signal | None, look: Look) -> None:
    """Raise when a module asks for more of what loses; `without`: what it says when it holds nothing."""
    holding = look.holding
    if signal is None or holding is None or signal.side is not holding.side:
        return
    if (signal.px - holding.entry_px) * holding.side.sign >= 0:
        return
    figures: Figures = (
        ("held_side", holding.side.value),
        ("held_entry_px", holding.entry_px),
        ("px", signal.px),
        ("asked_base", "all it may" if signal.most_base is None else Decimal(signal.most_base)),
    )
    if signal.most_base is not None:
        raise _Broken(Rule.LOSING, "it asks for a slice more of a position that loses", look.now_ms, figures)
    if without is not None and (
        signal.strength > without.strength or signal.wished_leverage > without.wished_leverage
    ):
        more = (("strength", signal.strength), ("strength_without", without.strength))
        raise _Broken(Rule.LOSING, "it wants more because it loses", look.now_ms, (*figures, *more))


def _seen(world: World, last_ms: int, now_ms: int) -> Iterator[Seen]:
    """Yield what a position sees: four marks of every quarter of an hour, the losing one of a long first in
    every second one, and the bars of its trails as they close."""
    quarters = world.closed("15m", now_ms)
    count = int((quarters.ts_ms >= last_ms).sum())
    bars = quarters.last(count)
    for n in range(len(bars)):
        closed_ms = int(bars.ts_ms[n]) + bars.frame_ms
        path = (bars.open[n], bars.low[n], bars.high[n], bars.close[n])
        for step, px in enumerate(path if n % 2 else (path[0], path[2], path[1], path[3])):
            yield Mark(int(bars.ts_ms[n]) + step * bars.frame_ms // 4, Decimal(repr(float(px))))
        yield BarClosed(closed_ms, world.closed("15m", closed_ms).last(120))


def _told(signal: Signal | None) -> str:
    if signal is None:
        return "nothing"
    base = "" if signal.most_base is None else f" of {signal.most_base}"
    return f"{side_word(signal.side)}{base} at {signal.px}, strength {signal.strength}, {signal.signal_id}"
