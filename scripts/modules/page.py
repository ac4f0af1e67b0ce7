"""A measurement as one HTML page that needs nothing beside itself, in the looks of a backtest's report."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Final

from core.types import DAY_MS
from monitor import formats
from monitor.report import tables
from monitor.report.charts import Line, line_chart
from monitor.report.drawing import Shape
from monitor.report.page import document
from monitor.report.words import Said
from monitor.words import Language
from scripts.backtest.files import write_whole
from scripts.modules.files import study_object, write_trades
from scripts.modules.measures import running_net
from scripts.modules.sheets import headline, sheets
from scripts.modules.study import Study
from scripts.modules.words import said_in
from scripts.sheet import section_of

MOST_LINES: Final = 7  # colours of page.css, without that of the whole
MOST_POINTS: Final = 800  # of a line: fewer than a chart thins out, so that no line is interrupted


def write(study: Study, folder: Path, language: Language) -> None:
    """modules.json for programs, modules.html for people, trades.csv and fills.csv to reckon again from."""
    folder.mkdir(parents=True, exist_ok=True)
    write_trades(folder, study)
    said = json.dumps(study_object(study), indent=1, ensure_ascii=False)
    write_whole(folder / "modules.json", said + "\n")
    write_whole(folder / "modules.html", page(study, language))


def page(study: Study, language: Language) -> str:
    """Return the page in one language. The same measurement gives the same page, to the byte."""
    said = said_in(language)
    lines = "".join(f"<p>{escape(line)}</p>" for line in headline(study, said))
    body = (
        f"<header><h1>{escape(said('title'))}</h1>{lines}</header>\n{_tiles(study, said)}\n"
        f"<section><h2>{escape(said('course'))}</h2>"
        f'<div class="cards">{_curve(study, said)}</div></section>\n'
        + "".join(section_of(sheet) for sheet in sheets(study, said))
        + f"<footer><p>{escape(said('promise'))}</p></footer>\n"
    )
    names = ", ".join(coin.instrument for coin in study.coins)
    return document(f"{said('title')}: {names}", body, language)


def _tiles(study: Study, said: Said) -> str:
    figures = [(said("together"), formats.signed_usdt(study.together_figures.net))]
    figures += [
        (each.subject.name, formats.signed_usdt(each.figures.net))
        for each in study.measured
        if each.subject.is_module and each.figures.trades
    ]
    return tables.tiles(figures)


def _curve(study: Study, said: Said) -> str:
    order = study.order
    step_ms = -(-(order.to_ms - order.from_ms) // (MOST_POINTS * DAY_MS)) * DAY_MS  # whole days
    times_ms = list(range(order.from_ms, order.to_ms + step_ms, step_ms))
    drawn = [(said("together"), study.together.trades)]
    drawn += [
        (each.subject.name, each.played.trades)
        for each in study.measured
        if each.subject.is_module and each.played.trades
    ]
    lines = [
        Line(name, f"s{number}", running_net(trades, times_ms))
        for number, (name, trades) in enumerate(drawn[: MOST_LINES + 1])
    ]
    shape = Shape("running", said("running"), said("running.note"), wide=True)
    return line_chart(shape, times_ms, lines, (times_ms[0], times_ms[-1]), _say)


def _say(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"
