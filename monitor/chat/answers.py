"""What each command shows: from figures that were asked for to one page for a phone. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from core.tally import Terms
from core.types import ZERO
from monitor import formats
from monitor.chat.commands import ENTRIES
from monitor.chat.figures import figure
from monitor.chat.layout import SCREEN, Button, Page, clipped, facts, table
from monitor.chat.passbook import HOUR_MS, Closed, Judged, Stretch
from monitor.pnl_tracker import max_drawdown
from monitor.status import HedgeLine, Status
from monitor.texts import render
from monitor.verdict_words import figure_word, guard_word
from monitor.words import Language, label, verdict_sentence, word

FIGURES_SHOWN: Final = 4  # of one verdict
WARNINGS_SHOWN: Final = 6
MARKS: Final[Mapping[str, str]] = {"critical": "🔴", "warning": "🟡", "info": "🟢"}


def coin_of(instrument: str) -> str:
    """The coin's name, which is enough here: every pair is against USDT."""
    return instrument.removesuffix("-USDT")


def minute(at_ms: int) -> str:
    """UTC to the minute, without the year: 11-20 08:00."""
    return formats.clock_time(at_ms)[:-3]


@dataclass(frozen=True, slots=True)
class Answers:
    """Pages in one language."""

    language: Language

    def status(self, s: Status) -> Page:
        """Everything at a glance, with the buttons one most often wants next."""
        heart = "🔴" if any(w.level == "critical" for w in s.warnings) else "🟡" if s.warnings else "🟢"
        head = f"{heart} {self._word(s.state)} · {self._word(s.permission)} · {self._word(s.mode)}"
        lines = facts(
            (
                (self._label("equity"), formats.usdt(s.equity)),
                (self._label("today"), formats.signed_usdt(s.day_pnl)),
                (self._label("unrealised"), formats.signed_usdt(s.unrealised_pnl)),
                (self._label("funding"), formats.signed_usdt(s.totals.funding)),
                (self._label("fees"), formats.usdt(s.totals.fees)),
                (self._label("margin"), _percent(s.margin_ratio)),
                (self._label("hedges"), str(len(s.hedges))),
                (self._label("since"), minute(s.state_since_ms)),
                (self._label("as_of"), minute(s.now_ms)),
            )
        )
        return Page(head, lines, self._warnings(s), self._status_buttons(s))

    def hedges(self, s: Status) -> Page:
        """Every hedge with both legs, and a button to give it up."""
        settles = {line.instrument: line for line in s.settlements}
        lines: list[str] = []
        for hedge in s.hedges:
            coming = settles.get(hedge.instrument)
            rows = [
                (hedge.instrument, formats.signed_usdt(hedge.pnl)),
                (f" {self._label('notional')}", _usdt(hedge.notional)),
                (f" {self._label('funding')}", formats.signed_usdt(hedge.funding)),
                (f" {self._label('spot')}", formats.coins(hedge.spot_base)),
                (f" {self._label('contracts')}", formats.coins(hedge.contracts)),
                (f" {self._label('drift')}", formats.percent(hedge.drift_ratio)),
                (f" {self._label('held')}", formats.span(s.now_ms - hedge.opened_ms)),
            ]
            if coming is not None:
                rows.append((f" {self._label('settles')}", formats.span(coming.at_ms - s.now_ms)))
            if coming is not None and coming.expected is not None:
                rows.append((f" {self._label('expected')}", formats.signed_usdt(coming.expected)))
            lines += facts(rows)
        notes = () if s.hedges else (self._say("chat.nothing_held"),)
        buttons = [
            (
                Button(f"{self._label('why')} {coin_of(h.instrument)}", f"c:why {h.instrument}"),
                Button(f"{self._label('close')} {coin_of(h.instrument)}", f"c:close {h.instrument}"),
            )
            for h in s.hedges
        ]
        buttons.append((self._button("refresh", "hedges"), self._button("flatten", "flatten")))
        return Page(f"{self._label('hedges')} {len(s.hedges)}", tuple(lines), notes, tuple(buttons))

    def pnl(self, period: str, stretch: Stretch) -> Page:
        """Where the money came from."""
        lines = self._terms(
            stretch.terms,
            (self._label("drawdown"), formats.percent(max_drawdown(stretch.equity))),
            (self._label("settled"), str(len(stretch.payments))),
            (self._label("closed_rounds"), str(stretch.rounds)),
        )
        head = f"{self._label('pnl')} {self._label(period or 'total')}"
        choice = (
            tuple(self._button(name, f"pnl {name}") for name in ("day", "week", "month")),
            (self._button("total", "pnl all"),),
        )
        notes = [f"{minute(stretch.from_ms)} – {minute(stretch.to_ms)} UTC"]
        if stretch.hours < 2:
            next_ms = stretch.to_ms - stretch.to_ms % HOUR_MS + HOUR_MS
            notes.append(self._say("chat.young_curve", at_ms=next_ms))
        return Page(head, lines, tuple(notes), choice)

    def funding(self, s: Status, day: Stretch, all_: Stretch) -> Page:
        """What comes next, and what was received."""
        coming = [
            (
                coin_of(line.instrument),
                formats.rate(line.rate),
                formats.span(line.at_ms - s.now_ms),
                formats.signed_usdt(line.expected) if line.expected is not None else formats.ABSENT,
            )
            for line in s.settlements
        ]
        got = [
            (coin_of(name), formats.signed_usdt(day.funding.get(name, ZERO)), formats.signed_usdt(amount))
            for name, amount in all_.funding.items()
        ]
        heads = (self._label("received"), self._label("last_24h"), self._label("total"))
        if got:
            sums = [formats.signed_usdt(sum(x.funding.values(), ZERO)) for x in (day, all_)]
            got.append(("=", sums[0], sums[1]))
        lines = (*table(coming), *([""] if coming and got else []), *(table([heads, *got]) if got else ()))
        return Page(
            self._label("next_settlements"), tuple(lines), (), ((self._button("refresh", "funding"),),)
        )

    def why(self, instrument: str, s: Status, judged: Judged) -> Page:
        """Why an instrument is held, or why it is not."""
        hedge = next((h for h in s.hedges if h.instrument == instrument), None)
        refusals = [v for v in judged.verdicts if not v.ok and not (hedge and v.guard == "not_held")]
        notes: list[str] = []
        for verdict in refusals:
            said = verdict_sentence(verdict.guard, verdict.ok, verdict.reason, self.language)
            notes.append(f"✗ {guard_word(verdict.guard, self.language)}: {said}")
            notes += [
                f"    {figure_word(name, self.language)} {figure(name, value, self.language)}"
                for name, value in verdict.figures[:FIGURES_SHOWN]
            ]
        if passed := sum(v.ok for v in judged.verdicts):
            notes.append(f"✓ {self._label('checks_passed')}: {passed}")
        if not judged.verdicts:
            notes.append(self._label("never_judged"))
        if judged.moved_ms:
            why = self._word(judged.moved_why)
            notes.append(f"{self._label('last_move')} {minute(judged.moved_ms)}: {why}")
        head = f"{instrument}: {self._label('held') if hedge else self._label('not_held')}"
        candidate = next((c for c in s.candidates if c.instrument == instrument), None)
        rows = self._held(s, hedge) if hedge else []
        if candidate is not None and candidate.rate is not None:
            rows.append((self._label("rate"), formats.rate(candidate.rate)))
        if candidate is not None and candidate.basis_bps is not None:
            rows.append((self._label("basis"), f"{candidate.basis_bps:+z.1f}"))
        if judged.at_ms:
            rows.append((self._label("as_of"), minute(judged.at_ms)))
        return Page(head, facts(rows), tuple(notes))

    def risk(self, s: Status, settings: Mapping[str, Any]) -> Page:
        """What the engine may do, how near its limits it is, and what is wrong."""
        margin = settings["risk"]["margin"]
        rows = [
            (self._label("permission"), self._word(s.permission)),
            (self._label("margin"), _percent(s.margin_ratio)),
            (f" {self._label('margin_floor')}", formats.percent(Decimal(str(margin["rebalance_below"])))),
            (f" {self._label('margin_emergency')}", formats.percent(Decimal(str(margin["emergency_below"])))),
            (self._label("today"), formats.signed_usdt(s.day_pnl)),
            (self._label("losing_rounds"), str(s.losing_rounds)),
            (self._label("rounds"), str(s.rounds_today)),
        ]
        rows += [(f"{'●' if x.live else '○'} {x.name}", formats.span(x.age_ms)) for x in s.streams]
        causes = [
            f"▼ {self._word(c.level)}: {self._word(c.cause)}, {self._word(c.reason)} ({minute(c.since_ms)})"
            for c in s.causes
        ]
        breaker = [f"🟡 {self._label('breaker')}: {s.breaker}"] if s.breaker else []
        return Page(self._label("risk"), facts(rows), (*causes, *breaker, *self._warnings(s)))

    def balance(self, s: Status, cash: Mapping[str, Decimal], moved_out: Decimal) -> Page:
        """Where the money is: cash by currency, what hedges hold, what was moved out of trading."""
        held = {coin_of(h.instrument): h for h in s.hedges}
        rows = [(self._label("equity"), formats.usdt(s.equity))]
        rows += [
            (f" {ccy} {self._label('cash' if ccy == 'USDT' else 'coin')}", _amount(ccy, amount))
            for ccy, amount in cash.items()
        ]
        rows += [
            (f" {coin} {self._label('notional')}", _usdt(hedge.notional)) for coin, hedge in held.items()
        ]
        rows.append((self._label("unrealised"), formats.signed_usdt(s.unrealised_pnl)))
        if moved_out:
            rows.append((self._label("swept"), formats.usdt(moved_out)))
        rows.append((self._label("margin"), _percent(s.margin_ratio)))
        return Page(self._label("balance"), facts(rows))

    def history(self, rounds: Sequence[Closed]) -> Page:
        """The latest closed rounds, youngest first."""
        if not rounds:
            return Page(self._label("history"), (), (self._label("no_rounds"),))
        lines = table(
            [
                (
                    coin_of(one.instrument),
                    minute(one.closed_ms)[:5],
                    formats.span(one.closed_ms - one.opened_ms),
                    formats.signed_usdt(one.net),
                )
                for one in rounds
            ]
        )
        last = rounds[0]
        reason = f"{coin_of(last.instrument)}: {self._word(last.reason)}" if last.reason else ""
        return Page(self._label("history"), lines, (reason,) if reason else ())

    def logs(self, lines: Sequence[str]) -> Page:
        """Log lines, oldest first, each on as few screen lines as it needs."""
        return Page(self._label("logs"), (), tuple(map(_log_line, lines)) or (self._label("no_logs"),))

    def help(self) -> Page:
        notes = tuple(f"/{entry.name} – {entry.describe(self.language)}" for entry in ENTRIES)
        return Page(self._label("help"), (), notes)

    def report(self, s: Status, day: Stretch) -> Page:
        """The daily report: the last 24 hours, what is held, what is wrong, what comes next."""
        by_instrument = [(f" {coin_of(n)}", formats.signed_usdt(a)) for n, a in day.funding.items()]
        held = [(coin_of(h.instrument), _usdt(h.notional), formats.signed_usdt(h.pnl)) for h in s.hedges]
        coming = [
            (coin_of(x.instrument), formats.span(x.at_ms - s.now_ms), formats.rate(x.rate))
            for x in s.settlements
        ]
        lines = (
            *facts(
                (
                    (self._label("equity"), formats.usdt(s.equity)),
                    (self._label("state"), self._word(s.state)),
                    (self._label("margin"), _percent(s.margin_ratio)),
                )
            ),
            f"– {self._label('last_24h')}",
            *self._terms(day.terms),
            *(("– " + self._label("funding"), *facts(by_instrument)) if by_instrument else ()),
            *(("– " + self._label("hedges"), *table(held)) if held else ()),
            *(("– " + self._label("next_settlements"), *table(coming)) if coming else ()),
        )
        return Page(render("daily_report", {"at_ms": s.now_ms}, self.language), lines, self._warnings(s))

    def legs(self, hedges: Sequence[HedgeLine]) -> tuple[str, ...]:
        """What closing these would sell and buy back."""
        return facts(
            (coin_of(h.instrument), f"{formats.coins(h.spot_base)} / {formats.coins(h.contracts)}")
            for h in hedges
        )

    # --- parts -----------------------------------------------------------------------------------

    def _terms(self, terms: Terms, *more: tuple[str, str]) -> tuple[str, ...]:
        rows = [
            ("funding", terms.funding),
            ("basis_term", terms.basis),
            ("fees", -terms.fees),
            ("slippage", -terms.slippage),
            ("interest", -terms.interest),
            ("other", terms.other),
        ]
        shown = [(self._label(key), formats.signed_usdt(value)) for key, value in rows if value]
        return facts((*shown, (self._label("net"), formats.signed_usdt(terms.net)), *more))

    def _held(self, s: Status, hedge: HedgeLine) -> list[tuple[str, str]]:
        return [
            (self._label("held"), formats.span(s.now_ms - hedge.opened_ms)),
            (self._label("notional"), _usdt(hedge.notional)),
            (self._label("pnl"), formats.signed_usdt(hedge.pnl)),
            (self._label("funding"), formats.signed_usdt(hedge.funding)),
        ]

    def _warnings(self, s: Status) -> tuple[str, ...]:
        shown = [f"{MARKS[w.level]} {w.text} ({minute(w.since_ms)})" for w in s.warnings[:WARNINGS_SHOWN]]
        more = len(s.warnings) - WARNINGS_SHOWN
        return (*shown, *((f"+{more}",) if more > 0 else ()))

    def _status_buttons(self, s: Status) -> tuple[tuple[Button, ...], ...]:
        paused = any(cause.cause == "operator" for cause in s.causes)
        return (
            tuple(self._button(name, name) for name in ("hedges", "pnl", "funding")),
            (
                self._button("risk", "risk"),
                self._button("balance", "balance"),
                self._button("refresh", "status"),
            ),
            (
                self._button("unpause", "unpause") if paused else self._button("pause", "pause"),
                self._button("halt", "halt"),
                self._button("flatten", "flatten"),
            ),
        )

    def _button(self, name: str, command: str) -> Button:
        return Button(self._label(name), f"c:{command}")

    def _label(self, key: str) -> str:
        return label(key, self.language)

    def _word(self, value: object) -> str:
        return word(value, self.language)

    def _say(self, topic: str, **fields: object) -> str:
        return render(topic, fields, self.language)


def _percent(value: Decimal | None) -> str:
    return formats.percent(value) if value is not None else formats.ABSENT


def _usdt(value: Decimal | None) -> str:
    return formats.usdt(value) if value is not None else formats.ABSENT


def _amount(ccy: str, amount: Decimal) -> str:
    write: Callable[[Decimal], str] = formats.usdt if ccy == "USDT" else formats.coins
    return write(amount)


def _log_line(line: str) -> str:
    """`08:05:12 warning what happened key=value`, from a line of JSON; any other line as it is."""
    try:
        told = json.loads(line)
        at, level, event = told["ts"][11:19], told["level"], told["event"]
    except (ValueError, TypeError, KeyError):
        return clipped(line, 4 * SCREEN)
    skipped = {"ts", "level", "event", "logger", "at"}
    rest = " ".join(f"{key}={value}" for key, value in told.items() if key not in skipped)
    return clipped(f"{at} {level} {event} {rest}".rstrip(), 4 * SCREEN)
