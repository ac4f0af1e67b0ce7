"""What recorded decisions would have been with other limits: `main.py journal replay --set NAME=VALUE`.

A decision's row holds what its guards measured. Each limit here is compared again with that measure; a
verdict that turns is put back into the table, whose rows then say where the decision would have gone.
Nothing else is recomputed: not the plans (sizes, forecasts), and not what would have followed, because
every decision is judged on the world as it really was. Where the row does not say enough, so does the
answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from operator import ge, gt, le, lt
from typing import Any, Final

from config.schema import Settings
from core.events import On, State
from core.facts import Row
from core.table import TABLE
from core.table import Row as Way

Compare = Callable[[Decimal, Decimal], bool]


@dataclass(frozen=True, slots=True)
class Limit:
    """`guard` says yes only while `figure` compares so with the setting; `size`: by absolute value."""

    setting: str
    guard: str
    figure: str
    holds: Compare
    size: bool = False


LIMITS: Final = (
    Limit("strategy.funding_rate_threshold.min", "funding_band", "rate_8h", ge),
    Limit("strategy.funding_rate_threshold.max", "funding_band", "rate_8h", le),
    Limit("strategy.exit.cooldown_hours", "cooled_down", "hours_since_close", ge),
    Limit("strategy.opening.settlement_quiet_s", "away_from_settlement", "nearest_settlement_s", gt),
    Limit("strategy.regime.max_hourly_range_ratio", "calm", "hourly_range_ratio", le),
    Limit("strategy.regime.max_funding_percentile", "uncrowded", "funding_percentile", le),
    Limit("strategy.regime.max_open_interest_rise_ratio", "uncrowded", "open_interest_rise_ratio", le),
    Limit("strategy.forecast.min_settlements", "history_known", "settlements_known", ge),
    Limit("strategy.opening.max_basis_bps", "basis_in_bounds", "basis_bps", le, size=True),
    Limit("strategy.opening.max_basis_bps", "liquid", "basis_bps", le, size=True),
    Limit("strategy.opening.min_net_carry_bps", "net_carry", "net_carry_bps", ge),
    Limit("strategy.opening.max_slippage_bps", "liquid", "spot_slippage_bps", le),
    Limit("strategy.opening.max_slippage_bps", "liquid", "swap_slippage_bps", le),
    Limit("risk.liquidity.max_spread_bps", "liquid", "spot_spread_bps", le),
    Limit("risk.liquidity.max_spread_bps", "liquid", "swap_spread_bps", le),
    Limit("risk.liquidity.min_depth_usdt", "liquid", "spot_depth_usdt", ge),
    Limit("risk.liquidity.min_depth_usdt", "liquid", "swap_depth_usdt", ge),
    Limit("risk.liquidity.max_depth_share", "liquid", "spot_depth_share", le),
    Limit("risk.liquidity.max_depth_share", "liquid", "swap_depth_share", le),
    Limit("risk.liquidity.max_wick_ratio", "liquid", "wick_ratio", le),
    Limit("risk.margin.open_above", "margin_ok", "margin_ratio_after", ge),
    Limit("risk.margin.venue_ratio_warning", "margin_ok", "venue_mgn_ratio", gt),
    Limit("risk.margin.rebalance_below", "margin_upkeep", "margin_ratio", ge),
    Limit("risk.exchange.max_errors_per_minute", "venue_up", "errors_1m", lt),
    Limit("risk.exchange.max_rejects_per_minute", "venue_up", "rejects_1m", lt),
    Limit("risk.exchange.max_latency_ms", "venue_up", "latency_ms", le),
    Limit("risk.exchange.max_clock_offset_ms", "venue_up", "clock_offset_ms", le, size=True),
    Limit("risk.circuit_breaker.losing_rounds", "not_tripped", "losing_rounds", lt),
    Limit("risk.circuit_breaker.max_opens_per_day", "not_tripped", "opens_today", lt),
    Limit("account.max_position_value", "funds_ok", "hedge_value_usdt", le),
    Limit("risk.caps.max_concentration", "funds_ok", "concentration_ratio", le),
    Limit("risk.caps.max_total_value", "funds_ok", "total_value_usdt", le),
    Limit("risk.drift.rebalance_above", "legs_equal", "drift_ratio", le),
)

# Which verdict lets the plan ask for which change of what is held.
WANTED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "margin_upkeep": ("top_up", "shrink"),
    "legs_equal": ("repair",),
}
CANDIDATE: Final = "net_carry"  # the last question a candidate is asked: who has its verdict is one

SETTINGS: Final = tuple(sorted({limit.setting for limit in LIMITS}))


@dataclass(frozen=True, slots=True)
class Turned:
    """A verdict that another limit turns."""

    guard: str
    instrument: str | None
    ok: bool  # what it would have said
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that would have been another one. `would` is a state, "stayed", or why it cannot be told."""

    seq: int
    at_ms: int
    on: str
    was: str
    would: str
    told: bool
    turned: tuple[Turned, ...]


class Counterfactual:
    """Judges recorded decisions with `changed` settings where they had `kept` ones."""

    def __init__(self, kept: Settings, changed: Settings) -> None:
        self._limits = [
            (limit, Decimal(str(a)), Decimal(str(b)))
            for limit in LIMITS
            if (a := value_at(kept, limit.setting)) != (b := value_at(changed, limit.setting))
        ]
        self._kept = kept
        self.judged = 0  # decisions that hold a verdict of a limit that was changed
        self.turned = 0  # verdicts that would have been others

    def judge(self, row: Row) -> Difference | None:
        """The difference a changed limit makes to this decision; None when it makes none."""
        body = row.body
        touched = {limit.guard for limit, _, _ in self._limits}
        if any(verdict["guard"] in touched for verdict in body["verdicts"]):
            self.judged += 1
        turned = tuple(t for verdict in body["verdicts"] if (t := self._again(verdict)) is not None)
        if not turned:
            return None
        self.turned += len(turned)
        was = body["dst"] if body["moved"] else "stayed"
        would, told = _outcome(body, turned)
        if told and would == was:
            return None
        return Difference(row.seq, row.at_ms, body["on"], was, would, told, turned)

    def _again(self, verdict: Mapping[str, Any]) -> Turned | None:
        """The verdict with the changed limits, when it turns.

        A yes becomes a no when a changed limit no longer holds. A no becomes a yes when the recorded
        limits explain it and every one of them holds now; a no for another reason stays.
        """
        figures = {name: number(value) for name, value in verdict["figures"]}
        changed = [entry for entry in self._limits if entry[0].guard == verdict["guard"]]
        now = [_holds(limit, figures, new) for limit, _, new in changed]
        if verdict["ok"]:
            ok = False not in now
        else:
            before = [_holds(limit, figures, old) for limit, old, _ in changed]
            others = [
                _holds(limit, figures, Decimal(str(value_at(self._kept, limit.setting))))
                for limit in LIMITS
                if limit.guard == verdict["guard"] and limit.setting not in {c.setting for c, _, _ in changed}
            ]
            ok = False in before and False not in now and False not in others
        if ok == verdict["ok"]:
            return None
        shown = tuple((limit.figure, str(figures.get(limit.figure))) for limit, _, _ in changed)
        return Turned(verdict["guard"], verdict["instrument"], ok, shown)


def _holds(limit: Limit, figures: Mapping[str, Decimal | None], bound: Decimal) -> bool | None:
    """None when the figure was not known: then the guard did not rest on it."""
    measured = figures.get(limit.figure)
    if measured is None:
        return None
    return limit.holds(abs(measured) if limit.size else measured, bound)


def _outcome(body: Mapping[str, Any], turned: Sequence[Turned]) -> tuple[str, bool]:
    """Where the table would have gone, and whether that can be told from the row."""
    said: dict[str, bool] = {}
    for verdict in body["verdicts"]:
        said.setdefault(verdict["guard"], verdict["ok"])
    said |= {t.guard: t.ok for t in turned if t.instrument is None or t.guard in _OF_OPENINGS}
    unsure: dict[str, str] = {}
    if "carry_pays" in said:
        _candidates(body, turned, said, unsure)
    if "adjustment_due" in said:
        _adjustments(body, turned, said, unsure)
    src, on = State(body["src"]), On(body["on"])
    for way in (w for w in TABLE if w.on is on and src in w.sources):
        answer = _passes(way, said, unsure)
        if answer is None:
            asked = next(g for g in way.guards if g in unsure or g not in said)
            return f"cannot be told: {unsure.get(asked, f'{asked} was not asked')}", False
        if answer:
            dest = way.dest or src
            return ("stayed" if dest is src and not body["moved"] else dest.value), True
    return "stayed", True


_OF_OPENINGS: Final = frozenset({"margin_ok", "funds_ok", "liquid", "venue_up"})


def _passes(way: Way, said: Mapping[str, bool | None], unsure: Mapping[str, str]) -> bool | None:
    """Whether all guards of a row would have said yes; None when one that matters cannot be told."""
    answers = [said.get(guard) if guard not in unsure else None for guard in way.guards]
    if False in answers:
        return False
    return None if None in answers else True


def _candidates(
    body: Mapping[str, Any], turned: Sequence[Turned], said: dict[str, bool], unsure: dict[str, str]
) -> None:
    """Who could be opened: an instrument whose own conditions all say yes. The best carry goes first."""
    carry = {v["instrument"]: dict(v["figures"]) for v in body["verdicts"] if v["guard"] == CANDIDATE}
    asked = set(carry)

    def able(verdicts: Iterable[tuple[str | None, str, bool]]) -> set[str | None]:
        refused = {name for name, guard, ok in verdicts if not ok and guard not in _OF_OPENINGS}
        return asked - refused

    before = [(v["instrument"], v["guard"], v["ok"]) for v in body["verdicts"]]
    other = {(t.instrument, t.guard): t.ok for t in turned}
    after = [(name, guard, other.get((name, guard), ok)) for name, guard, ok in before]

    def first(names: set[str | None]) -> str | None:
        worth = {n: number(carry[n].get("net_carry_bps")) or Decimal("-Infinity") for n in names}
        return min(worth, key=lambda n: (-worth[n], str(n)), default=None)

    then, now = first(able(before)), first(able(after))
    said["carry_pays"] = now is not None
    if now is not None and now != then:
        why = f"{now} would be opened, which the guards of an opening were not asked about"
        for guard in ("margin_ok", "funds_ok", "liquid", "red_lines"):
            unsure[guard] = why


def _adjustments(
    body: Mapping[str, Any], turned: Sequence[Turned], said: dict[str, bool], unsure: dict[str, str]
) -> None:
    """What was to be changed of what is held, less what nobody would have asked for any more."""
    due = next(v for v in body["verdicts"] if v["guard"] == "adjustment_due")
    wanted = {str(purpose) for purpose, _ in due["figures"]}
    for turn in turned:
        purposes = WANTED_BY.get(turn.guard, ())
        if turn.ok and not any(
            v["guard"] == turn.guard and not v["ok"] and v["instrument"] != turn.instrument
            for v in body["verdicts"]
        ):
            wanted -= set(purposes)
        elif not turn.ok and purposes:
            wanted.add(purposes[0])
    said["adjustment_due"] = bool(wanted)


def number(value: object) -> Decimal | None:
    """A figure as it stands in the journal; None for a word."""
    if isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def value_at(settings: Settings, path: str) -> Any:
    """The value of a dotted setting. Raises AttributeError when there is none."""
    value: Any = settings
    for name in path.split("."):
        value = getattr(value, name)
    return value
