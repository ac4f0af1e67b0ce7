"""The page in both languages: everything is there, nothing is loaded, everything can be read."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from msgspec import structs

from monitor.report import page as page_module
from monitor.report import tables
from monitor.report.facts import ReportFacts
from monitor.report.page import page
from monitor.report.pictures import CHARTS, draw
from monitor.report.results import report_object, results_of
from monitor.report.words import REPORT, Said
from monitor.words import Language
from tests.monitor.report.scenes import HOSTILE, busy, empty, run

LANGUAGES: tuple[Language, ...] = ("en", "zh")
BUSY = busy(days=120)
CSS = (page_module.HERE / "page.css").read_text()
VOID = {"meta", "link", "br", "img", "input", "hr"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def shown(facts: ReportFacts, language: Language = "en") -> str:
    return page(facts, results_of(facts), language)


class Tags(HTMLParser):
    """Checks that every tag is closed in order, and collects ids, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.append((tag, name, value or ""))
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words += data + "\n"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("facts", [BUSY, empty()], ids=["busy", "empty"])
def test_every_chart_and_table_is_on_the_page(facts: ReportFacts, language: Language) -> None:
    tags, said = Tags(shown(facts, language)), Said(language)
    assert len(tags.ids) == len(set(tags.ids))
    assert set(CHARTS) | {"figures", "decisions", "instruments", "rounds"} <= set(tags.ids)
    figures = (
        "net_apr",
        "sharpe",
        "sortino",
        "calmar",
        "omega",
        "max_drawdown",
        "recovery",
        "win_rate",
        "payoff",
    )
    for key in (*CHARTS, *figures, "expectancy", "turnover", "capture"):
        assert said(key) in tags.words
    if facts.benchmarks:
        for mode in ("expected_cost", "hysteresis", "sign"):
            assert said("regret", mode=mode) in tags.words
    for chart in CHARTS:
        assert "<svg" in draw(chart, BUSY, results_of(BUSY), said)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_needs_nothing_from_outside_and_lets_nothing_in(language: Language) -> None:
    text = shown(BUSY, language)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<link|<img|<iframe|\bsrc=|\bhref=", text)
    script = (page_module.HERE / "page.js").read_text()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in unescape(text)
    assert text.count("<script>") == 1
    assert not [name for _, name, _ in Tags(text).attributes if name.startswith("on")]


def test_text_from_outside_stays_text() -> None:
    hostile = replace(BUSY.rounds[0], instrument=HOSTILE, reason=HOSTILE, closed_ms=BUSY.run.to_ms)
    settled = tuple(structs.replace(one, instrument=HOSTILE) for one in BUSY.settlements[:9])
    facts = replace(BUSY, rounds=(hostile,), settlements=settled, run=run(violations=(HOSTILE,)))
    text = shown(facts)
    assert HOSTILE not in text
    assert HOSTILE in Tags(text).words
    assert text.count("<script>") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_facts_give_the_same_page_whatever_time_the_run_took(language: Language) -> None:
    slower = replace(BUSY, run=replace(BUSY.run, wall_s=99.0))
    assert shown(BUSY, language) == shown(slower, language)


def test_what_a_pointer_reads_fits_the_drawing() -> None:
    blocks = re.findall(r'<script type="application/json">(.*?)</script>', shown(BUSY), re.S)
    assert len(blocks) == 6
    for block in blocks:
        data = json.loads(block)
        assert data["x"] == sorted(data["x"])
        assert all(0 <= x <= 1 for x in data["x"])
        assert len(data["labels"]) == len(data["x"])
        assert data["series"]
        assert all(len(series["values"]) == len(data["x"]) for series in data["series"])


def test_what_years_of_rounding_leave_is_no_difference() -> None:
    text = shown(replace(BUSY, run=replace(BUSY.run, unexplained=tables.BPS / 10**13)))
    assert "nothing explains" not in text and "nothing is unexplained" in text


def test_violations_and_an_unexplained_rest_stand_at_the_top() -> None:
    text = shown(replace(BUSY, run=replace(BUSY.run, violations=("INV-7 broken",), unexplained=tables.BPS)))
    head = text[: text.index("</header>")]
    assert "INV-7 broken" in head
    assert "10,000.00 USDT that nothing explains" in head


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("futures", ("futures mode, only USDT", "合约模式，只有 USDT")),
        ("multi", ("multi-currency mode, coins", "跨币种模式，现货")),
        ("unknown", ("mode not known", "模式未知")),
    ],
)
def test_what_backs_the_swaps_and_what_was_changed_stand_at_the_top(
    account: str, said: tuple[str, str]
) -> None:
    changed = replace(BUSY, run=replace(BUSY.run, account=account), changes=("account.spot_ratio=0.66",))
    for language, words in zip(LANGUAGES, said, strict=True):
        text = shown(changed, language)
        head = text[: text.index("</header>")]
        assert words in head and "account.spot_ratio=0.66" in head
        assert "spot_ratio" not in shown(BUSY, language)
    assert report_object(changed, results_of(changed))["changes"] == ["account.spot_ratio=0.66"]


def test_the_last_rounds_are_shown_and_the_rest_is_counted() -> None:
    many = replace(BUSY, rounds=BUSY.rounds[:1] * (tables.MOST_ROUNDS + 5))
    assert f"last {tables.MOST_ROUNDS} of {tables.MOST_ROUNDS + 5} rounds" in shown(many)


def test_both_languages_say_everything_with_the_same_fields() -> None:
    for key, texts in REPORT.items():
        english, chinese = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in texts)
        assert english == chinese, key
        assert all(texts), key


# --- it can be read ------------------------------------------------------------------------------


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def colors_of(scheme: str) -> dict[str, str]:
    light, dark = CSS.split("@media (prefers-color-scheme: dark)")
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light if scheme == "light" else dark))
    assert found
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_have_the_contrast_of_wcag_aa_and_shapes_that_of_graphics(scheme: str) -> None:
    colors = colors_of(scheme)
    for word in ("ink", "soft", "gain", "loss", "warn", "s0"):
        for ground in ("card", "page"):
            assert contrast(colors[word], colors[ground]) >= 4.5, (word, ground)
    shapes = (
        *(f"s{n}" for n in range(8)),
        "axis",
        "idle",
        "opening",
        "running",
        "rebalancing",
        "stopped",
        "focus",
    )
    for shape in shapes:
        assert contrast(colors[shape], colors["card"]) >= 3, shape


def test_every_color_a_chart_asks_for_is_in_the_style() -> None:
    for name in (*(f"s{n}" for n in range(8)), "gain", "loss", "warn", "calm", "grid", "axis"):
        assert f".{name} {{ --c:" in CSS
    for stay in BUSY.stays:
        assert f".{stay.state.value} {{ --c:" in CSS


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine to open the page with")
@pytest.mark.parametrize("width", [390, 1240])
def test_a_browser_shows_it_without_a_complaint_and_without_sideways_scrolling(
    width: int, tmp_path: Path
) -> None:
    """The frame around the page reports what it finds inside, because a headless window is never narrow."""
    report, frame = tmp_path / "report.html", tmp_path / "frame.html"
    report.write_text(shown(BUSY, "zh"), encoding="utf-8")
    frame.write_text(
        f'<iframe src="report.html" style="width:{width}px;height:900px;border:0"></iframe><pre></pre>'
        "<script>"
        "onload = () => { const page = document.querySelector('iframe').contentDocument;"
        "const plots = [...page.querySelectorAll('.readable')];"
        "for (const plot of plots) plot.dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }));"
        "document.querySelector('pre').textContent = JSON.stringify({"
        " over: page.documentElement.scrollWidth - page.documentElement.clientWidth,"
        " plots: plots.length, tips: page.querySelectorAll('.tip:not([hidden])').length,"
        " flat: [...page.querySelectorAll('svg')].filter((s) => s.clientHeight < 20).length }); };</script>"
    )
    assert CHROMIUM is not None
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--dump-dom", frame.as_uri()],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    found = re.search(r"<pre>(.*?)</pre>", done.stdout)
    assert found, done.stderr
    assert json.loads(found[1]) == {"over": 0, "plots": 6, "tips": 6, "flat": 0}
    assert "CONSOLE" not in done.stderr
