"""A sweep's tables and page in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from string import Formatter

import pytest
from rich.cells import cell_len

from config.schema import Strategy
from monitor.report.page import HERE
from monitor.words import Language
from scripts.sheet import CLASSES, KEY
from scripts.sweep.page import page
from scripts.sweep.report import Report, Walk, judged
from scripts.sweep.scoring import Bench
from scripts.sweep.sheets import sheets, tables
from scripts.sweep.space import read_space
from scripts.sweep.splits import walk_forward
from scripts.sweep.study import Aim, Finished
from scripts.sweep.words import SWEEP, said_in, study_of
from tests.scripts.sweep.scenes import COST, GRID, START_MS, records, space_file

LANGUAGES: tuple[Language, ...] = ("en", "zh")
DAY_MS = 86_400_000
HAN = re.compile(r"[\u4e00-\u9fff]")
# What stays as it is written in the configuration, and names that Chinese readers know in English.
KEPT = re.compile(r"[a-z_]+\.[a-z_.]+|expected_cost|hysteresis|sign|[A-Z]+-USDT|VaR|CVaR|UTC|nsga2|bps")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Every table has rows: a front, folds, and a set confirmed by the whole engine."""
    space = read_space(space_file(tmp_path_factory.mktemp("space"), GRID), Strategy())
    bench = Bench(records(150, "BTC-USDT", "ETH-USDT"), COST)
    sets = list(space.grid())
    scores = bench.scores([space.strategy(one) for one in sets])
    best = [Finished(n, *one) for n, one in enumerate(zip(sets, scores, strict=True))]
    splits = walk_forward((START_MS, START_MS + 150 * DAY_MS), 2, 5 * DAY_MS, 2 * DAY_MS)
    summary = {"net_apr": "0.05", "max_drawdown": "0.01", "opens": 3, "unexplained": "0"}
    runs = [{"set": {one.key: "1" for one in space.dimensions}, "summary": summary}]
    return judged(
        ("BTC-USDT", "ETH-USDT"), "nsga2", Aim(), 7, 200, space, bench, best,
        [Walk(one, best[0], 0.01, 0.02, 0.03) for one in splits], runs, 1.0,
    )  # fmt: skip


def words_of(text: str) -> str:
    """What a reader sees of a page."""
    body = text[text.index("<main>") : text.index("</main>")]
    return re.sub(r"<[^>]+>", "\n", re.sub(r"<(script|style).*?</\1>", "", body, flags=re.S))


def test_both_languages_say_everything_with_the_same_fields() -> None:
    for key, texts in SWEEP.items():
        english, chinese = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in texts)
        assert english == chinese, key
        assert all(texts), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_stands_on_the_page_and_on_the_console(report: Report, language: Language) -> None:
    said = said_in(language)
    shown, told = page(report, language), tables(report, said)
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in shown
    names = [sheet.name for sheet in sheets(report, said)]
    assert names == ["sets", "front", "walks", "chance", "outlook", "stress", "runs"]
    for name in names:
        assert f'<section id="{name}"><h2>{said(name)}</h2>' in shown
        assert f"\n{said(name)}\n" in told


def test_the_chinese_page_and_tables_leave_no_english_but_names(report: Report) -> None:
    for text in (words_of(page(report, "zh")).replace("\u200b", ""), tables(report, said_in("zh"))):
        assert HAN.search(text)
        assert not re.findall(r"[A-Za-z]{2,}", KEPT.sub("", text))
    assert not HAN.search(page(report, "en")) and not HAN.search(tables(report, said_in("en")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_stand_below_each_other_however_wide_their_letters(
    report: Report, language: Language
) -> None:
    lines = tables(report, said_in(language)).splitlines()
    sheet = sheets(report, said_in(language))[0]
    begin = lines.index(sheet.title) + 1
    widths = {cell_len(line) for line in lines[begin : begin + 1 + len(sheet.rows)]}
    assert len(widths) == 1, "the last column is set to the right, so all its lines end alike"


def test_sets_stand_beside_the_configuration_key_by_key(report: Report) -> None:
    sheet = sheets(report, said_in("en"))[0]
    keys = [name for name, kind in zip(sheet.head, sheet.kinds, strict=True) if kind == KEY]
    assert keys == ["exit.mode", "exit.negative_settlements", "forecast.half_life_hours"]
    assert sheet.rows[-1][0] == "as configured"
    usual = Strategy()
    configured = (usual.exit.mode, usual.exit.negative_settlements, usual.forecast.half_life_hours)
    assert sheet.rows[-1][-3:] == tuple(str(one) for one in configured)


def test_a_stress_says_of_when_and_how_much_and_a_short_record_says_that_it_is(report: Report) -> None:
    said = said_in("en")
    rows = {row[0]: row for sheet in sheets(report, said) if sheet.name == "stress" for row in sheet.rows}
    assert rows["every switch at double cost"][1].endswith(" a year")
    assert rows["every switch at double cost"][2].startswith("32 bps a switch")
    assert re.search(r"30 days from 2024-\d\d-\d\d on", rows["a month of negative funding"][2])
    short = replace(report.stresses[1], figures={"starts": 0})
    again = sheets(replace(report, stresses=(short,)), said)
    assert [sheet.rows[0][2] for sheet in again if sheet.name == "stress"] == ["the record is too short"]


def test_studies_are_named_in_the_readers_language() -> None:
    assert [study_of(name, said_in("zh")) for name in ("whole", "fold 2")] == ["全部时段", "第 2 段"]
    assert [study_of(name, said_in("en")) for name in ("whole", "fold 2")] == ["whole", "fold 2"]


def test_every_class_of_a_column_is_in_the_style() -> None:
    style = (HERE / "page.css").read_text()
    for kind in CLASSES.values():
        for name in kind.split():
            assert f".{name} {{" in style
