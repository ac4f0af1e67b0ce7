"""Which charts the report has, and what of the facts each of them shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from html import escape
from itertools import groupby
from statistics import fmean
from typing import Final

from core.types import DAY_MS
from monitor import formats
from monitor.report import charts, tables
from monitor.report.charts import Line, Threshold
from monitor.report.drawing import Shape, figure
from monitor.report.facts import TERMS, ReportFacts, Sample, Stay
from monitor.report.figures import drawdowns
from monitor.report.results import Results
from monitor.report.words import Said
from monitor.words import word

CHARTS: Final = ("equity", "drawdown", "waterfall", "months", "basis", "margin", "states", "naked")
COLORS: Final = 8  # that page.css has for series
HOURS_READABLE_MS: Final = 92 * DAY_MS  # of a run, up to which its hours can be told apart
HIGHEST_MARGIN: Final = 2.0  # what lies above is far from every threshold


def draw(name: str, facts: ReportFacts, results: Results, said: Said) -> str:
    """One chart of CHARTS by its name; a frame that says so where nothing was recorded."""
    period = (facts.run.from_ms, facts.run.to_ms)
    match name:
        case "equity":
            drawn = _equity(results, period, said)
        case "drawdown":
            drawn = _drawdown(results, period, said)
        case "waterfall":
            drawn = _waterfall(facts, said)
        case "months":
            drawn = _months(results, said)
        case "basis":
            drawn = _basis(facts, results, period, said)
        case "margin":
            drawn = _margin(facts, period, said)
        case "states":
            drawn = _states(facts, results, period, said)
        case "naked":
            drawn = _naked(facts, period, said)
        case _:
            raise ValueError(f"no chart {name!r}; known: {', '.join(CHARTS)}")
    return drawn or figure(_shape(name, said), f'<p class="note">{escape(said("no_data"))}</p>')


def _shape(name: str, said: Said, more: str = "", wide: bool = False) -> Shape:
    return Shape(name, said(name), said(f"{name}.note"), more, wide)


def _equity(results: Results, period: tuple[int, int], said: Said) -> str:
    times_ms = [ts_ms for ts_ms, _ in results.curve]
    line = Line(said("equity"), "s0", [float(equity) for _, equity in results.curve])
    shape = _shape("equity", said, wide=True)
    return charts.line_chart(shape, times_ms, [line], period, _usdt)


def _drawdown(results: Results, period: tuple[int, int], said: Said) -> str:
    fallen = drawdowns(results.curve)
    line = Line(said("drawdown"), "loss solid", [-float(depth) * 100 for _, depth in fallen], filled=True)
    shape = _shape("drawdown", said, wide=True)
    bounds = (-float(results.fall.depth) * 100 or -1.0, 0.0)
    return charts.line_chart(
        shape, [ts_ms for ts_ms, _ in fallen], [line], period, _per_cent, bounds=bounds, height="short"
    )


def _waterfall(facts: ReportFacts, said: Said) -> str:
    money = facts.run.money
    rows = []
    for name in TERMS:
        value = tables.contribution(money, name)
        rows.append((said(tables.TERM_WORDS[name]), float(value), tables.signed(value), False))
    rows.append((said("net"), float(money.net), tables.signed(money.net), True))
    return figure(_shape("waterfall", said), charts.waterfall(rows))


def _months(results: Results, said: Said) -> str:
    totals: dict[str, Decimal] = {}
    for of in results.months.values():
        for name, amount in of.items():
            totals[name] = totals.get(name, Decimal(0)) + abs(amount)
    names = sorted(sorted(totals, key=lambda name: -totals[name])[:COLORS])
    lines = [
        Line(name, f"s{n}", [float(of[name]) for of in results.months.values()])
        for n, name in enumerate(names)
    ]
    more = f"<details><summary>{escape(said('show_table'))}</summary>{tables.months(results, said)}</details>"
    if len(names) < len(totals):
        more = _drawn_of(names, totals, said) + more
    return charts.stacked_bars(_shape("months", said, more), list(results.months), lines, _usdt)


def _basis(facts: ReportFacts, results: Results, period: tuple[int, int], said: Said) -> str:
    known = sorted({name for sample in facts.samples for name in sample.basis_bps})
    by_turnover = sorted(known, key=lambda name: -results.traded_of.get(name, Decimal(0)))
    names = sorted(by_turnover[:COLORS])
    more = _drawn_of(names, known, said) if len(names) < len(known) else ""
    shape, zero = _shape("basis", said, more), [Threshold(0.0, "", "axis")]
    if period[1] - period[0] > HOURS_READABLE_MS:
        days = [list(some) for _, some in groupby(facts.samples, key=lambda one: one.ts_ms // DAY_MS)]
        lines = [_by_day(name, f"s{n}", days) for n, name in enumerate(names)]
        noons_ms = [day[0].ts_ms // DAY_MS * DAY_MS + DAY_MS // 2 for day in days]
        shape = replace(shape, note=said("basis.days"))
        return charts.line_chart(shape, noons_ms, lines, period, _plain, zero)
    lines = [
        Line(name, f"s{n}", [_float(sample.basis_bps.get(name)) for sample in facts.samples])
        for n, name in enumerate(names)
    ]
    times_ms = [sample.ts_ms for sample in facts.samples]
    return charts.line_chart(shape, times_ms, lines, period, _plain, zero)


def _by_day(name: str, color: str, days: Sequence[Sequence[Sample]]) -> Line:
    """The mean of each day's basis between its lowest and highest: hours of months are a blur."""
    known = [[float(one.basis_bps[name]) for one in day if name in one.basis_bps] for day in days]
    return Line(
        name,
        color,
        [fmean(day) if day else None for day in known],
        low=[min(day, default=None) for day in known],
        high=[max(day, default=None) for day in known],
    )


def _margin(facts: ReportFacts, period: tuple[int, int], said: Said) -> str:
    limits = facts.limits
    thresholds = [
        _threshold(limits.rebalance_below, "margin.rebalance", "calm", said),
        _threshold(limits.emergency_below, "margin.emergency", "warn", said),
        _threshold(limits.red_line, "margin.red", "loss", said),
    ]
    ratios = [_float(sample.margin_ratio) for sample in facts.samples]
    highest = max((r for r in ratios if r is not None), default=1.0)
    top = min(max(highest, 1.0), HIGHEST_MARGIN) * 100
    line = Line(said("margin"), "s0", [None if r is None else r * 100 for r in ratios])
    cut = said("margin.above", ratio=formats.percent(Decimal(HIGHEST_MARGIN)))
    more = f'<p class="more">{escape(cut)}</p>' if highest > HIGHEST_MARGIN else ""
    times_ms = [sample.ts_ms for sample in facts.samples]
    shape = _shape("margin", said, more)
    return charts.line_chart(shape, times_ms, [line], period, _per_cent, thresholds, (0.0, top))


def _threshold(ratio: Decimal, key: str, color: str, said: Said) -> Threshold:
    return Threshold(float(ratio) * 100, said(key, ratio=f"{ratio * 100:.0f} %"), color)


def _states(facts: ReportFacts, results: Results, period: tuple[int, int], said: Said) -> str:
    whole = sum(results.in_state.values())
    if not whole:
        return ""
    rows = "".join(
        f'<tr><th scope="row"><span class="{state}"><i class="key"></i></span>'
        f"{escape(word(state, said.language))}</th>"
        f'<td class="num">{escape(formats.span(spent))}</td><td class="num">{spent / whole:.2%}</td></tr>'
        for state, spent in sorted(results.in_state.items(), key=lambda one: -one[1])
    )
    body = charts.strip(_merged(facts.stays, period), period)
    head = "".join(f'<th class="{css}">{escape(said(key))}</th>' for key, css in _STATE_HEAD)
    return figure(
        _shape("states", said),
        f"{body}<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>",
    )


_STATE_HEAD: Final = (("state", ""), ("time", "num"), ("share", "num"))


def _merged(stays: Sequence[Stay], period: tuple[int, int]) -> list[tuple[int, int, str]]:
    """Stays as stretches of the strip. Short ones that follow each other within a pixel become one."""
    least_ms = (period[1] - period[0]) / 1000
    parts: list[tuple[int, int, str]] = []
    for state, group in groupby(stays, key=lambda stay: stay.state.value):
        some = list(group)
        begin, end = some[0].since_ms, some[-1].until_ms
        last = parts[-1] if parts else None
        if last and end - begin < least_ms and end - last[0] < least_ms:
            parts[-1] = (last[0], end, last[2])
        else:
            parts.append((begin, end, state))
    return parts


def _naked(facts: ReportFacts, period: tuple[int, int], said: Said) -> str:
    limit_s = facts.limits.repair_deadline_s
    events = [(one.began_ms, one.lasted_ms / 1000, one.instrument) for one in facts.spells if one.lasted_ms]
    threshold = Threshold(limit_s, said("naked.deadline", s=f"{limit_s:g}"), "loss")
    shape = _shape("naked", said)
    return charts.spikes(shape, sorted(events), period, threshold, _plain, said("naked.none"))


def _drawn_of(names: Sequence[str], known: Sequence[str] | dict[str, Decimal], said: Said) -> str:
    return f'<p class="more">{escape(said("series.more", shown=len(names), all=len(known)))}</p>'


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _usdt(value: float, digits: int) -> str:
    return f"{value:z,.{digits}f}"


def _plain(value: float, digits: int) -> str:
    return f"{value:z,.{digits}f}"


def _per_cent(value: float, digits: int) -> str:
    return f"{value:z.{digits}f} %"
