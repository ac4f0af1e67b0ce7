"""The report as one HTML page that needs nothing beside itself: no network, no script of others."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import Final

from core.survey import UNEXPLAINED_USDT
from core.types import DAY_MS, HOUR_MS
from monitor import formats
from monitor.report import tables
from monitor.report.facts import ReportFacts, Source
from monitor.report.pictures import draw
from monitor.report.results import Results
from monitor.report.words import Said
from monitor.words import Language, word

HERE: Final = Path(__file__).parent
SECTIONS: Final = (
    ("money", ("equity", "drawdown", "waterfall", "states")),
    ("funding", ("months", "basis")),
    ("risk", ("margin", "naked")),
)


def page(facts: ReportFacts, results: Results, language: Language) -> str:
    """Return the page in one language. The same facts give the same page, to the byte."""
    said = Said(language)
    body = (
        f"{_header(facts, said)}\n{_tiles(facts, results, said)}\n"
        + "".join(
            f'<section><h2>{escape(said(f"section.{name}"))}</h2><div class="cards">\n'
            + "\n".join(draw(chart, facts, results, said) for chart in charts)
            + "\n</div></section>\n"
            for name, charts in SECTIONS
        )
        + _tables(facts, results, said)
        + f"<footer><p>{escape(said('hover'))}</p><p>{escape(said('page_note'))}</p>"
        f"<p>{escape(said('made_of', head=facts.run.journal_head[:16]))}</p></footer>\n"
    )
    return document(f"{said('title')}: {', '.join(facts.run.instruments)}", body, language)


def document(title: str, body: str, language: Language) -> str:
    """The page around a body: its style and the script that reads charts, and nothing from anywhere else."""
    style, script = ((HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    # Nothing may be loaded from anywhere, and only this script runs, whatever text came in from outside.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"{body}</main>\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _header(facts: ReportFacts, said: Said) -> str:
    run = facts.run
    days = f"{(run.to_ms - run.from_ms) / DAY_MS:,.1f}"
    begin, end = formats.utc(run.from_ms)[:-4], formats.utc(run.to_ms)[:-4]
    ended = said(
        "ended", state=word(run.state, said.language), permission=word(run.permission, said.language)
    )
    lines = [
        said("period", begin=begin, end=end, days=days),
        " · ".join((", ".join(run.instruments), said("exit", mode=facts.exit_mode), ended)),
        said("account", mode=said(f"account.{run.account}")),
        said("capital", start=formats.usdt(run.equity[0][1]), end=formats.usdt(run.equity[-1][1])),
    ]
    if facts.changes:
        lines.append(said("changes", changes=", ".join(facts.changes)))
    alerts = [f"{said('violations')}: {', '.join(run.violations)}"] if run.violations else []
    if abs(run.unexplained) > UNEXPLAINED_USDT:
        alerts.append(said("unexplained", amount=formats.usdt(run.unexplained)))
    else:
        lines.append(said("closes"))
    return (
        f'<header><h1 id="top">{escape(said("title"))}</h1>'
        + "".join(f"<p>{escape(line)}</p>" for line in lines)
        + "".join(f'<p class="source">{escape(line)}</p>' for line in _data(facts, said))
        + "".join(f'<p class="alert">{escape(line)}</p>' for line in alerts)
        + "</header>"
    )


def _data(facts: ReportFacts, said: Said) -> list[str]:
    """What was played, and what of it is missing."""
    lines = []
    if facts.sources:
        lines.append(said("data", sources="; ".join(_source(one, said) for one in facts.sources)))
    if facts.holes:
        hours = sum(end_ms - begin_ms for begin_ms, end_ms in facts.holes) / HOUR_MS
        lines.append(said("holes", n=len(facts.holes), hours=f"{hours:,.1f}"))
    return lines


def _source(one: Source, said: Said) -> str:
    mark = (
        said("source.no_mark") if one.mark_ms is None else said("source.mark", bars=formats.span(one.mark_ms))
    )
    parts = [said("source", coin=one.coin, venue=one.venue, bars=formats.span(one.bar_ms), mark=mark)]
    return ", ".join([*parts, *(said("source.feed", market=market) for market in one.feeds)])


def _tiles(facts: ReportFacts, results: Results, said: Said) -> str:
    run = facts.run
    tiles = (
        (said("net_pnl"), formats.signed_usdt(results.net_pnl)),
        (said("net_apr"), formats.percent(results.net_apr)),
        (said("max_drawdown"), tables.depth(results.fall.depth)),
        (said("sharpe"), tables.ratio(results.sharpe)),
        (said("funding"), tables.signed(run.money.funding)),
        (said("capture"), tables.share(results.captured)),
        (said("lowest_margin"), tables.optional_percent(results.lowest_margin)),
        (said("longest_naked"), f"{run.naked_ms / 1000:,.1f} s"),
    )
    return tables.tiles(tiles)


def _tables(facts: ReportFacts, results: Results, said: Said) -> str:
    parts = (
        ("figures", "", f'<div class="cards">{tables.figure_groups(facts, results, said)}</div>'),
        ("decisions", said("decisions.note"), _card(tables.decisions(facts, said))),
        ("instruments", "", _card(tables.instruments(facts, results, said))),
        ("rounds", "", _card(tables.rounds(facts, said))),
    )
    return "".join(
        f'<section id="{name}"><h2>{escape(said(f"section.{name}"))}</h2>'
        + (f'<p class="note">{escape(note)}</p>' if note else "")
        + body
        + "</section>\n"
        for name, note, body in parts
    )


def _card(inside: str) -> str:
    return f'<div class="card">{inside}</div>'
