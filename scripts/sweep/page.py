"""A sweep as one HTML page that needs nothing beside itself, in the looks of a backtest's report."""

from __future__ import annotations

from html import escape

from monitor.report import tables
from monitor.report.charts import Line, line_chart
from monitor.report.drawing import Shape
from monitor.report.page import document
from scripts.sweep.report import Report, Sheet, likelihood, percent, sheets


def page(report: Report) -> str:
    """Return the page. The same report gives the same page, to the byte."""
    title = f"Parameter sweep: {', '.join(report.instruments)}"
    body = (
        f"<header><h1>{escape(title)}</h1><p>{report.tried} sets, {report.days} days, sampler "
        f"{escape(report.sampler)}, seed {report.seed}</p></header>\n{_tiles(report)}\n"
        f'<section><h2>Running net</h2><div class="cards">{_curve(report)}</div></section>\n'
        + "".join(_section(sheet) for sheet in sheets(report))
        + "<footer><p>Measured on what was; no promise of what will be.</p></footer>\n"
    )
    return document(title, body, "en")


def _tiles(report: Report) -> str:
    top, walks = report.best[0].score, report.walks
    judged = percent(sum(one.judged_net for one in walks) / len(walks)) if walks else "–"
    tiles = (
        ("net a year, best set", percent(report.aim.net(top))),
        ("net a year, as configured", percent(report.aim.net(report.configured))),
        ("net a year, walk-forward", judged),
        ("deflated Sharpe ratio", likelihood(report.deflated_sharpe)),
    )
    inside = "".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>' for name, value in tiles
    )
    return f'<dl class="tiles">{inside}</dl>'


def _curve(report: Report) -> str:
    times_ms = [at_ms for at_ms, _, _ in report.curve]
    lines = [
        Line("best set", "s0", [100 * best for _, best, _ in report.curve]),
        Line("as configured", "s1", [100 * usual for _, _, usual in report.curve]),
    ]
    note = "Equal parts of all instruments, per cent of swap notional, costs deducted, not compounded."
    shape = Shape("running", "Running net", note, wide=True)
    return line_chart(shape, times_ms, lines, (times_ms[0], times_ms[-1]), _say)


def _say(value: float, digits: int) -> str:
    return f"{value:,.{digits}f} %"


def _section(sheet: Sheet) -> str:
    head = [(name, "num" if n else "") for n, name in enumerate(sheet.head)]
    rows = [("", [(cell, "num" if n else "") for n, cell in enumerate(row)]) for row in sheet.rows]
    return (
        f'<section><h2>{escape(sheet.title)}</h2><p class="note">{escape(sheet.note)}</p>'
        f'<div class="card">{tables.table(head, rows, sheet.title)}</div></section>\n'
    )
