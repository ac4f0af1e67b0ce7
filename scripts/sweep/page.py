"""A sweep as one HTML page that needs nothing beside itself, in the looks of a backtest's report."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from statistics import fmean

from monitor import formats
from monitor.report import tables
from monitor.report.charts import Line, line_chart
from monitor.report.drawing import Shape
from monitor.report.page import document
from monitor.report.words import Said
from monitor.words import Language
from scripts.backtest.files import write_whole
from scripts.sheet import likelihood, percent, section_of
from scripts.sweep.report import Report
from scripts.sweep.sheets import sheets
from scripts.sweep.words import said_in


def write(report: Report, folder: Path, language: Language) -> None:
    """sweep.json for programs, sweep.html for people."""
    write_whole(folder / "sweep.json", json.dumps(report.plain(), indent=1) + "\n")
    write_whole(folder / "sweep.html", page(report, language))


def page(report: Report, language: Language) -> str:
    """Return the page in one language. The same report gives the same page, to the byte."""
    said = said_in(language)
    body = (
        f"{_header(report, said)}\n{_tiles(report, said)}\n"
        f"<section><h2>{escape(said('course'))}</h2>"
        f'<div class="cards">{_curve(report, said)}</div></section>\n'
        + "".join(section_of(sheet) for sheet in sheets(report, said))
        + f"<footer><p>{escape(said('promise'))}</p></footer>\n"
    )
    return document(f"{said('title')}: {', '.join(report.instruments)}", body, language)


def _header(report: Report, said: Said) -> str:
    begin, end = (formats.utc_day(at_ms - 1) for at_ms in (report.curve[0][0], report.curve[-1][0]))
    lines = (
        ", ".join(report.instruments),
        said("period", begin=begin, end=end, days=report.days),
        said("drawn", tried=report.tried, sampler=report.sampler, seed=report.seed),
    )
    inside = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"<header><h1>{escape(said('title'))}</h1>{inside}</header>"


def _tiles(report: Report, said: Said) -> str:
    top, walks = report.best[0].score, report.walks
    judged = percent(fmean(one.judged_net for one in walks)) if walks else formats.ABSENT
    tiles = (
        (said("best"), percent(report.aim.net(top))),
        (said("usual"), percent(report.aim.net(report.configured))),
        (said("walked"), judged),
        (said("deflated"), likelihood(report.deflated_sharpe, said)),
    )
    return tables.tiles(tiles)


def _curve(report: Report, said: Said) -> str:
    times_ms = [at_ms for at_ms, _, _ in report.curve]
    lines = [
        Line(said("running.best"), "s0", [100 * best for _, best, _ in report.curve]),
        Line(said("as_configured"), "s1", [100 * usual for _, _, usual in report.curve]),
    ]
    shape = Shape("running", said("running"), said("running.note"), wide=True)
    return line_chart(shape, times_ms, lines, (times_ms[0], times_ms[-1]), _say)


def _say(value: float, digits: int) -> str:
    return f"{value:,.{digits}f} %"
