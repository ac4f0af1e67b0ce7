"""What the charts show is what the facts say: the values a pointer reads, the lines that are drawn."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import monitor
from core.events import State
from core.types import HOUR_MS
from monitor.cause_words import EXITS
from monitor.report import charts, tables
from monitor.report.facts import ReportFacts, Sample, Source
from monitor.report.page import page
from monitor.report.pictures import draw
from monitor.report.results import results_of
from monitor.report.words import Said
from tests.monitor.report.scenes import START_MS, busy, run

D = Decimal
SAID = Said("en")
SHORT, LONG = busy(days=20), busy(days=200)


def chart(name: str, facts: ReportFacts) -> str:
    return draw(name, facts, results_of(facts), SAID)


def read(name: str, facts: ReportFacts) -> dict[str, list[str]]:
    """Each series as a pointer reads it, and the labels as "at"."""
    [block] = re.findall(r'<script type="application/json">(.*?)</script>', chart(name, facts), re.S)
    said: dict[str, Any] = json.loads(block)
    return {"at": said["labels"], **{one["name"]: one["values"] for one in said["series"]}}


def number(text: str) -> Decimal:
    return D(text.replace(",", "").replace("%", "").strip())


def test_the_equity_chart_begins_and_ends_as_the_run_and_loses_no_extreme() -> None:
    shown = [number(value) for value in read("equity", LONG)["equity".title()]]
    curve = [equity for _, equity in results_of(LONG).curve]
    assert len(curve) > charts.MOST_POINTS >= len(shown)
    for known, drawn in ((curve[0], shown[0]), (curve[-1], shown[-1])):
        assert abs(known - drawn) < 1
    assert abs(max(curve) - max(shown)) < 1 and abs(min(curve) - min(shown)) < 1


def test_the_drawdown_chart_reaches_down_to_the_deepest_fall() -> None:
    depths = [number(value) for value in read("drawdown", LONG)["Drawdown"]]
    assert abs(min(depths) + results_of(LONG).fall.depth * 100) <= D("0.01") and max(depths) == 0


def test_each_months_bar_is_made_of_its_instruments_funding() -> None:
    shown, months = read("months", LONG), results_of(LONG).months
    assert shown["at"] == list(months)
    for n, of in enumerate(months.values()):
        for name, amount in of.items():
            assert number(shown[name][n]) == round(amount, 2)


def test_a_short_run_shows_the_basis_of_every_hour() -> None:
    shown = read("basis", SHORT)
    assert len(shown["at"]) == len(SHORT.samples)
    for n in (0, 100, -1):
        assert number(shown["BTC-USDT"][n]) == round(SHORT.samples[n].basis_bps["BTC-USDT"], 1)
    assert "once an hour" in chart("basis", SHORT)


def test_a_long_run_shows_each_days_mean_basis_between_its_lowest_and_highest() -> None:
    hours = [(0, "2"), (5, "4"), (23, "9"), (24, "-1"), (47, "-3")]
    samples = tuple(
        Sample(START_MS + h * HOUR_MS, State.RUNNING, None, {"BTC-USDT": D(bps)}, D(1)) for h, bps in hours
    )
    facts = ReportFacts(run(days=100), "sign", SHORT.limits, samples=samples)
    assert read("basis", facts)["BTC-USDT"] == ["5.0", "-2.0"]
    assert "each day&#x27;s mean" in chart("basis", facts)
    [ring] = re.findall(r'class="area s0" d="M([^"]+)Z"', chart("basis", facts))
    ys = [float(point.split()[1]) for point in ring.split("L")]
    # lowest of both days from left to right, then the highest back: 2, -3, -1, 9
    scaled = [y - ys[3] for y in ys]
    assert scaled == pytest.approx([scaled[0], scaled[0] * 12 / 7, scaled[0] * 10 / 7, 0], abs=0.2)


def test_the_margins_thresholds_stand_where_the_settings_put_them() -> None:
    text = unescape(chart("margin", SHORT))
    marks = dict(re.findall(r'<span class="mark [\w-]+" style="top:([\d.]+)%">([^<]+)</span>', text))
    heights = {words: float(top) for top, words in marks.items()}
    levels = {"rebalance below 80 %": 80, "emergency below 50 %": 50, "red line 33 %": 100 / 3}
    assert set(heights) == set(levels)
    per_point = (heights["emergency below 50 %"] - heights["rebalance below 80 %"]) / 30
    for (one, level), (other, below) in pairwise(levels.items()):
        assert heights[other] - heights[one] == pytest.approx((level - below) * per_point, abs=0.05)


def test_the_margin_is_that_of_the_samples() -> None:
    shown = read("margin", SHORT)["Margin ratio"]
    ratios = [sample.margin_ratio for sample in SHORT.samples]
    for text, ratio in zip(shown, ratios, strict=True):
        assert (text == "–") == (ratio is None)
        if ratio is not None:
            assert abs(number(text) - ratio * 100) <= D("0.51")


def test_every_measurable_naked_spell_has_its_needle() -> None:
    shown = read("naked", LONG)
    spells = sorted((one.began_ms, one.lasted_ms) for one in LONG.spells if one.lasted_ms)
    assert [number(value) for value in shown["Naked seconds"]] == [D(lasted) / 1000 for _, lasted in spells]
    assert chart("naked", LONG).count('class="line loss solid"') == sum(
        lasted > 5_000 for _, lasted in spells
    )


def test_the_waterfall_goes_from_funding_to_the_net_result() -> None:
    cells = re.findall(r'<td class="num [\w-]+">([^<]+)</td>', chart("waterfall", LONG))
    money = LONG.run.money
    assert number(cells[0]) == round(money.funding, 2) and number(cells[2]) == -round(money.fees, 2)
    assert number(cells[-1]) == round(money.net, 2)


def test_times_in_states_add_up_to_the_run() -> None:
    shares = [D(share) for share in re.findall(r"([\d.]+)%</td>", chart("states", LONG))]
    assert abs(sum(shares) - 100) < D("0.05")


# --- what stands beside the charts ------------------------------------------------------------------


def test_the_page_says_what_was_played_and_what_of_it_is_missing() -> None:
    sources = (
        Source("BTC", "binance", 5 * 60_000, HOUR_MS),
        Source("ETH", "okx", HOUR_MS, None, ("perp",)),
    )
    facts = replace(SHORT, sources=sources, holes=((START_MS, START_MS + 90 * 60_000),))
    text = page(facts, results_of(facts), "en")
    assert "BTC from binance, bars of 5m, mark price 1h; ETH from okx, bars of 1h" in text
    assert "mark price of the swap itself, order book of perp." in text
    assert "Gaps in the tape: 1, 1.5 hours in all" in text
    assert facts.run.journal_head[:16] in text
    assert "Data:" not in page(SHORT, results_of(SHORT), "en")


def test_rounds_leave_out_terms_that_none_of_them_has() -> None:
    plain = tables.rounds(LONG, SAID)
    assert ">interest<" not in plain and ">other<" not in plain and ">funding<" in plain
    first = LONG.rounds[0]
    dear = replace(first, terms=replace(first.terms, interest=D(3)))
    told = tables.rounds(replace(LONG, rounds=(dear, *LONG.rounds[1:])), SAID)
    assert ">interest<" in told and ">-3.00<" in told and ">other<" not in told


def test_reasons_to_leave_are_told_in_the_readers_language() -> None:
    """And each of them is one that the engine gives: a sentence changed there needs its words here."""
    root = Path(monitor.__file__).parents[1]
    given = "".join(p.read_text() for name in ("strategy", "core") for p in (root / name).rglob("*.py"))
    assert [reason for reason in EXITS if f'"{reason}"' not in given] == []
    [cell] = {c for c in re.findall(r">([^<>]*资金费结算[^<>]*)<", tables.rounds(SHORT, Said("zh")))}
    assert cell == "资金费结算为负"


def test_figures_of_rounds_say_why_they_are_absent() -> None:
    held = tuple(replace(one, closed_ms=None) for one in LONG.rounds[:2])
    facts = replace(LONG, rounds=held)
    assert tables.figure_groups(facts, results_of(facts), SAID).count("no round was closed, 2 held") == 3
    assert "no round was closed" not in tables.figure_groups(LONG, results_of(LONG), SAID)
