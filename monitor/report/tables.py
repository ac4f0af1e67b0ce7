"""The tables of the report."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Final

from core.tally import Terms
from core.types import BPS, ZERO
from monitor import formats
from monitor.report.facts import COSTS, TERMS, Benchmark, ReportFacts, Round, Way
from monitor.report.figures import capture
from monitor.report.results import Results, net_of
from monitor.report.words import Said
from monitor.words import word

MOST_ROUNDS: Final = 300
SELDOM: Final = ("interest", "other")  # left out of the rounds where none of them has any
TERM_WORDS: Final = {name: "price_result" if name == "basis" else name for name in TERMS}

Cell = tuple[str, str]  # text, class


def table(head: Sequence[Cell], rows: Sequence[tuple[str, Sequence[Cell]]], name: str) -> str:
    """Rows of (class, cells); a row's first cell is its head. It scrolls by itself where it is too wide."""
    top = "".join(f'<th scope="col" class="{css}">{escape(text)}</th>' for text, css in head)
    body = "".join(
        f'<tr class="{css}"><th scope="row" class="{cells[0][1]}">{escape(cells[0][0])}</th>'
        + "".join(f'<td class="{kind}">{escape(text)}</td>' for text, kind in cells[1:])
        + "</tr>"
        for css, cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}"><table>'
        f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def tiles(figures: Sequence[tuple[str, str]]) -> str:
    """The figures that are read first: (name, value) each."""
    inside = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>' for name, value in figures
    )
    return f'<dl class="tiles">{inside}</dl>'


def figure_groups(facts: ReportFacts, results: Results, said: Said) -> str:
    """Every figure with how it is reckoned, in four groups."""
    fall, run = results.fall, facts.run
    recovered = formats.span(fall.recovery_ms) if fall.recovery_ms is not None else said("recovery.not")
    peak, trough = formats.utc(fall.peak_ms)[:-4], formats.utc(fall.trough_ms)[:-4]
    naked_s = f"{results.naked_ms / 1000:,.1f}"
    groups: dict[str, list[tuple[str, str, dict[str, object]]]] = {
        "figures.return": [
            ("net_pnl", formats.signed_usdt(results.net_pnl), {}),
            ("net_apr", formats.percent(results.net_apr), {}),
            ("sharpe", ratio(results.sharpe), {"n": len(results.returns)}),
            ("sortino", ratio(results.sortino), {}),
            ("calmar", ratio(results.calmar), {}),
            ("omega", ratio(results.omega), {}),
        ],
        "figures.fall": [
            ("max_drawdown", depth(fall.depth), {"peak": peak, "trough": trough}),
            ("recovery", recovered if fall.depth else formats.ABSENT, {}),
            ("under_water", formats.span(results.under_water_ms), {}),
            ("lowest_margin", optional_percent(results.lowest_margin), {}),
            ("max_leverage", f"{run.max_leverage:.2f}", {}),
            ("longest_naked", f"{run.naked_ms / 1000:,.1f}", {"s": naked_s}),
        ],
        "figures.rounds": [
            ("win_rate", share(results.win_rate), {}),
            ("payoff", ratio(results.payoff), {}),
            ("expectancy", formats.ABSENT if results.expectancy is None else signed(results.expectancy), {}),
            ("turnover", ratio(results.turnover), {}),
            ("traded", formats.usdt(results.traded_usdt), {}),
        ],
        "figures.decisions": [("capture", share(results.captured), {})],
    }
    for group, rows in groups.items():
        groups[group] = [
            (said(key), value, {"how": said(f"{key}.how", **fields)}) for key, value, fields in rows
        ]
    if not results.nets:
        why = said("rounds.open", n=len(facts.rounds))
        groups["figures.rounds"][:3] = [
            (name, v, {"how": why}) for name, v, _ in groups["figures.rounds"][:3]
        ]
    for mode, regret in results.regrets.items():
        how: dict[str, object] = {"how": said("regret.how")}
        groups["figures.decisions"].append((said("regret", mode=mode), bps(regret, sign=True), how))
    return "".join(_group(said(key), rows) for key, rows in groups.items())


def _group(title: str, rows: Sequence[tuple[str, str, dict[str, object]]]) -> str:
    body = "".join(
        f'<tr><th scope="row">{escape(name)}<small>{escape(str(fields["how"]))}</small></th>'
        f'<td class="num">{escape(value)}</td></tr>'
        for name, value, fields in rows
    )
    inside = f"<h3>{escape(title)}</h3><table><tbody>{body}</tbody></table>"
    return f'<section class="card figures">{inside}</section>'


def decisions(facts: ReportFacts, said: Said) -> str:
    """This run beside perfect foresight and every exit mode, by instrument, then all together."""
    known = facts.benchmarks
    if not known:
        return f'<p class="note">{escape(said("no_data"))}</p>'
    head = [(said("instrument"), ""), (said("way"), "")]
    head += [
        (said(key), "num") for key in ("net_bps", "switches", "held_n", "captured", "regret_bps", "cost_bps")
    ]
    rows: list[tuple[str, Sequence[Cell]]] = []
    for one in (*known, *([_all_of(known, said)] if len(known) > 1 else [])):
        ways = {"run": one.run, "foresight": one.foresight, **one.modes}
        for name, way in ways.items():
            title = said(f"way.{name}") if name in ("run", "foresight") else name
            caught = "" if name == "foresight" else share(capture(way.net, one.foresight.net))
            rows.append(
                (
                    "same" if name == "run" else "",
                    [
                        (one.instrument if name == "run" else "", ""),
                        (title, ""),
                        (bps(way.net), "num"),
                        (str(way.switches), "num"),
                        (said("of", part=way.held, whole=one.settlements), "num"),
                        (caught, "num"),
                        ("" if name == "run" else bps(way.net - one.run.net, sign=True), "num"),
                        (bps(one.switch_cost) if name == "run" and one.switch_cost else "", "num"),
                    ],
                )
            )
    return table(head, rows, said("section.decisions"))


def _all_of(known: Sequence[Benchmark], said: Said) -> Benchmark:
    def together(ways: Sequence[Way]) -> Way:
        return Way(net_of(ways), sum(way.switches for way in ways), sum(way.held for way in ways))

    return Benchmark(
        instrument=said("total"),
        settlements=sum(one.settlements for one in known),
        switch_cost=ZERO,
        run=together([one.run for one in known]),
        foresight=together([one.foresight for one in known]),
        modes={mode: together([one.modes[mode] for one in known]) for mode in known[0].modes},
    )


def instruments(facts: ReportFacts, results: Results, said: Said) -> str:
    """The money of each instrument, what of the account belongs to none, and the whole."""
    run, captured = facts.run, {one.instrument: one for one in facts.benchmarks}
    head = [(said("instrument"), ""), *_term_heads(said)]
    head += [(said(key), "num") for key in ("traded", "settlements", "captured")]
    settled = [one.instrument for one in facts.settlements]
    rows: list[tuple[str, Sequence[Cell]]] = []
    for name, terms in sorted(run.per_instrument.items()):
        one = captured.get(name)
        rows.append(
            (
                "",
                [
                    (name, ""),
                    *_term_cells(terms),
                    (formats.usdt(results.traded_of.get(name, ZERO)), "num"),
                    (str(settled.count(name)), "num"),
                    (share(capture(one.run.net, one.foresight.net)) if one else formats.ABSENT, "num"),
                ],
            )
        )
    whole = [(said("total"), ""), *_term_cells(run.money), (formats.usdt(results.traded_usdt), "num")]
    whole += [(str(len(settled)), "num"), (share(results.captured), "num")]
    rows.append(("total", whole))
    return table(head, rows, said("section.instruments"))


def rounds(facts: ReportFacts, said: Said) -> str:
    """Every round with its money; the last ones where there are very many."""
    known = facts.rounds
    if not known:
        return f'<p class="note">{escape(said("rounds.none"))}</p>'
    head = [(said("instrument"), ""), (said("opened"), ""), (said("closed"), "")]
    shown = known[-MOST_ROUNDS:]
    terms = [name for name in TERMS if name not in SELDOM or any(getattr(one.terms, name) for one in shown)]
    head += [(said("held_for"), "num"), (said("notional"), "num"), *_term_heads(said, terms)]
    head += [(said("settlements"), "num"), (said("reason"), "")]
    rows = [("", _round_cells(one, facts.run.to_ms, terms, said)) for one in shown]
    note = said("rounds.more", shown=len(shown), all=len(known)) if len(shown) < len(known) else ""
    return (f'<p class="note">{escape(note)}</p>' if note else "") + table(head, rows, said("section.rounds"))


def _round_cells(one: Round, end_ms: int, terms: Sequence[str], said: Said) -> list[Cell]:
    closed = said("still_held") if one.closed_ms is None else formats.utc(one.closed_ms)[:-4]
    reason = word(one.reason, said.language) if one.closed_ms is not None else ""
    if one.forced:
        reason = f"{said('forced')}: {reason}"
    return [
        (one.instrument, ""),
        (formats.utc(one.opened_ms)[:-4], "num"),
        (closed, "num"),
        (formats.span((one.closed_ms or end_ms) - one.opened_ms), "num"),
        (formats.usdt(one.notional), "num"),
        *_term_cells(one.terms, terms),
        (str(one.settlements), "num"),
        (reason, ""),
    ]


def months(results: Results, said: Said) -> str:
    """Funding by month and instrument, as numbers."""
    names = sorted({name for of in results.months.values() for name in of})
    head = [(said("month"), ""), *((name, "num") for name in (*names, said("total")))]
    rows = [
        ("", [(month, ""), *((signed(v), "num") for v in (*(of[n] for n in names), sum(of.values(), ZERO)))])
        for month, of in results.months.items()
    ]
    return table(head, rows, said("months"))


def _term_heads(said: Said, names: Sequence[str] = TERMS) -> list[Cell]:
    return [(said(TERM_WORDS[name]), "num") for name in names] + [(said("net"), "num")]


def _term_cells(terms: Terms, names: Sequence[str] = TERMS) -> list[Cell]:
    """Costs are shown as what they do to the result: with a minus."""
    cells = [(signed(contribution(terms, name)), "num") for name in names]
    return [*cells, (signed(terms.net), f"num {'gain' if terms.net >= 0 else 'loss'}-text")]


def contribution(terms: Terms, name: str) -> Decimal:
    """What a term adds to the net result, USDT."""
    value: Decimal = getattr(terms, name)
    return -value if name in COSTS else value


def signed(value: Decimal) -> str:
    return formats.signed_usdt(value) if value else "0.00"


def ratio(value: float | None) -> str:
    return formats.ABSENT if value is None else f"{value:,.2f}"


def share(value: float | None) -> str:
    return formats.ABSENT if value is None else f"{value:.1%}".replace("%", " %")


def depth(value: Decimal) -> str:
    """A drawdown; hedged books fall by so little that two decimals of a per cent would hide it."""
    return f"{value * 100:.3f} %"


def optional_percent(value: Decimal | None) -> str:
    return formats.ABSENT if value is None else formats.percent(value)


def bps(value: Decimal, sign: bool = False) -> str:
    return f"{value * BPS:+z,.1f}" if sign else f"{value * BPS:z,.1f}"
