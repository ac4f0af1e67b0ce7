"""The gate's questions that need no size: each gives one verdict with the figures it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import isfinite
from statistics import StatisticsError, correlation
from typing import Final

from config.auxiliary import AuxiliaryModules
from core.context import MarketView
from core.types import DAY_MS, HOUR_MS
from core.verdict import Figures, Verdict
from strategy.auxiliary.gate_bounds import Bounds
from strategy.auxiliary.language import Signal
from strategy.auxiliary.sleeve_view import Held, SleeveView

FEWEST_RETURNS: Final = 30  # fewer say nothing about two coins
_DIGITS: Final = Decimal("0.0001")


def is_open(signal: Signal, sleeve: SleeveView) -> Verdict:
    told = (("closed", sleeve.closed),) if sleeve.closed is not None else ()
    ok = sleeve.closed is None
    reason = "the sleeve may enter" if ok else "the sleeve may enter nothing now"
    return Verdict(ok, "sleeve_open", reason, told, signal.instrument)


def day_is_not_lost(signal: Signal, sleeve: SleeveView, bounds: Bounds) -> Verdict:
    figures = (("lost_today_usdt", sleeve.lost_today), ("daily_loss_usdt", bounds.daily_loss))
    ok = sleeve.lost_today < bounds.daily_loss
    reason = "the day's loss is below its limit" if ok else "the day has lost what a day may lose"
    return Verdict(ok, "sleeve_daily_loss", reason, figures, signal.instrument)


def is_fresh(signal: Signal, now_ms: int) -> Verdict:
    figures = (("age_ms", now_ms - signal.at_ms), ("valid_ms", signal.valid_until_ms - signal.at_ms))
    checks = (
        (signal.at_ms <= now_ms, "the signal is of a time to come"),
        (now_ms <= signal.valid_until_ms, "the signal is stale"),
    )
    return _verdict("signal_fresh", checks, "the signal is fresh", figures, signal)


def is_new(signal: Signal, sleeve: SleeveView) -> Verdict:
    checks = ((signal.signal_id not in sleeve.seen, "this signal has been judged before"),)
    return _verdict("signal_new", checks, "a signal not seen before", (), signal)


def is_strong(signal: Signal, bounds: Bounds) -> Verdict:
    figures = (("strength", signal.strength), ("least_strength", bounds.least_strength))
    checks = ((signal.strength >= bounds.least_strength, "weaker than the preset asks for"),)
    return _verdict("signal_strength", checks, "strong enough", figures, signal)


def may_be_traded(
    signal: Signal, sleeve: SleeveView, market: MarketView, rules: AuxiliaryModules, now_ms: int
) -> Verdict:
    streak = sleeve.streaks.get(signal.instrument)
    rested_ms = now_ms - streak.ended_ms if streak else 0
    rest_ms = int(rules.blacklist.hours * HOUR_MS)
    is_black = (
        rules.blacklist.enabled
        and streak is not None
        and streak.losses >= rules.blacklist.losses
        and rested_ms < rest_ms
    )
    figures: Figures = (
        (("losses", streak.losses), ("rested_ms", rested_ms), ("rest_ms", rest_ms)) if streak else ()
    )
    checks = (
        (market.pair.name == signal.instrument, "the market shown is another one"),
        (market.pair.trades, "the instrument does not trade"),
        (not rules.symbols or signal.instrument in rules.symbols, "not one of the configured symbols"),
        (signal.instrument not in rules.exclude, "the instrument is excluded"),
        (not is_black, "the instrument is blacklisted after its losses"),
    )
    return _verdict("sleeve_instrument", checks, "the instrument may be traded", figures, signal)


def has_no_conflict(signal: Signal, sleeve: SleeveView, market: MarketView) -> Verdict:
    """Nobody is there; or the module's own position, which wins, and to which a slice of stated size comes.

    It has to win at every price that is known: the mark, the mid, and the mark it was seen with.
    """
    there = sleeve.in_coin(signal.instrument)
    if not there:
        return _verdict("sleeve_conflict", (), "nothing is held there", (), signal)
    book = market.swap
    known = [market.mark_px, book.mid if book and book.is_sane else None]
    prices = [px for px in known if px is not None]

    def wins(held: Held) -> bool:
        return all(held.wins_at(px) for px in (held.mark_px, *prices))

    first = there[0]
    figures = (
        ("held_by", first.module),
        ("held_side", first.side.value),
        ("held_base", Decimal(first.base)),
        ("held_entry_px", first.entry_px),
        ("held_mark_px", first.mark_px),
    )
    checks = (
        (all(held.module == signal.module for held in there), "another module holds the instrument"),
        (all(held.side is signal.side for held in there), "a position on the other side is held"),
        (signal.most_base is not None, "the position is held already"),
        (all(wins(held) for held in there), "what is held is losing: it is never added to"),
    )
    return _verdict("sleeve_conflict", checks, "a slice to its own winning position", figures, signal)


def has_a_place(signal: Signal, sleeve: SleeveView, bounds: Bounds) -> Verdict:
    count = len(sleeve.held) + (not sleeve.in_coin(signal.instrument))
    figures = (("positions_after", count), ("max_positions", bounds.positions))
    checks = ((count <= bounds.positions, "all places are taken"),)
    return _verdict("sleeve_positions", checks, "a place is free", figures, signal)


def is_rare(signal: Signal, sleeve: SleeveView, bounds: Bounds, now_ms: int, paper: bool) -> Verdict:
    """The low-frequency rule. On paper the figures are the same, and nothing is refused."""
    own = [each.at_ms for each in sleeve.entries if each.module == signal.module]
    today = sum(at_ms > now_ms - DAY_MS for at_ms in own)
    since_ms = now_ms - max(own) if own else None
    figures: Figures = (
        ("entries_24h", today),
        ("max_entries_24h", bounds.entries_per_day),
        ("since_last_ms", "never" if since_ms is None else since_ms),
        ("entry_gap_ms", bounds.entry_gap_ms),
        ("paper", paper),
    )
    checks = (
        (paper or today < bounds.entries_per_day, "the module has entered as often as it may in a day"),
        (paper or since_ms is None or since_ms >= bounds.entry_gap_ms, "the module entered a moment ago"),
    )
    return _verdict("signal_frequency", checks, "the module enters seldom enough", figures, signal)


def has_trades_left(signal: Signal, sleeve: SleeveView, bounds: Bounds, now_ms: int) -> Verdict:
    today = sum(each.at_ms > now_ms - DAY_MS for each in sleeve.entries)
    figures = (("trades_24h", today), ("max_trades_24h", bounds.trades_per_day))
    checks = ((today < bounds.trades_per_day, "the sleeve has entered as often as it may in a day"),)
    return _verdict("sleeve_trades", checks, "the day has entries left", figures, signal)


def is_uncorrelated(signal: Signal, sleeve: SleeveView, most: Decimal) -> Verdict:
    """Against every other coin that is held: what loses together counts, so a hedge of it does not.

    Unknown refuses: a coin nobody has figures of could be the same bet once more.
    """
    figures: list[tuple[str, Decimal | str]] = [("max_correlation", most)]
    unknown = beyond = False
    for held in sleeve.held:
        if held.instrument == signal.instrument:
            continue
        found = _correlation(sleeve, signal.instrument, held.instrument)
        together = None if found is None else found * held.side.sign * signal.side.sign
        figures.append((f"with_{held.instrument}", "not known" if together is None else together))
        unknown |= together is None
        beyond |= together is not None and together >= most
    checks = (
        (not beyond, "it would lose together with what is held"),
        (not unknown, "the correlation with what is held is not known"),
    )
    return _verdict("sleeve_correlation", checks, "nothing held loses with it", tuple(figures), signal)


def _correlation(sleeve: SleeveView, one: str, other: str) -> Decimal | None:
    """Pearson's, of the newest returns both have; None where it is not known."""
    first, second = sleeve.returns.get(one, ()), sleeve.returns.get(other, ())
    count = min(len(first), len(second))
    newest = [*first[-count:], *second[-count:]]
    if count < FEWEST_RETURNS or not all(map(isfinite, newest)):
        return None
    try:
        found = correlation(newest[:count], newest[count:])
    except StatisticsError:  # one of the two stood still
        return None
    return Decimal(str(found)).quantize(_DIGITS)


def _verdict(
    guard: str, checks: Iterable[tuple[bool, str]], well: str, figures: Figures, signal: Signal
) -> Verdict:
    for holds, reason in checks:
        if not holds:
            return Verdict(False, guard, reason, figures, signal.instrument)
    return Verdict(True, guard, well, figures, signal.instrument)
