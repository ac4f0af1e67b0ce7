"""The whole measurement on a tape folder: tables, page, files, and money that can be reckoned again."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from core.errors import UsageError
from core.types import DAY_MS
from exchange.tape_store import write_lines
from main import main
from monitor.report.page import HERE
from monitor.words import Language
from scripts.modules.claims import CLAIMS
from scripts.modules.command import ModulesOptions, measure
from scripts.modules.files import study_object
from scripts.modules.page import page, write
from scripts.modules.sheets import headline, sheets, text_of
from scripts.modules.study import Order, Study, studied
from scripts.modules.tape import read_coins
from scripts.modules.words import MODULES, said_in
from strategy.auxiliary.bars import FRAME_MS
from tests.scripts.modules.scenes import BEGIN_MS, tape

D = Decimal
LANGUAGES: tuple[Language, ...] = ("en", "zh")
HAN = re.compile(r"[\u4e00-\u9fff]")
DAYS = 130
END_MS = BEGIN_MS + DAYS * DAY_MS


def write_tape(folder: Path, name: str, seed: int, days: int, frame: str) -> None:
    """Swap candles of one length and funding of one coin, as files of a venue."""
    coin = tape(seed, days * DAY_MS // FRAME_MS[frame], frame, 0.003)
    series, symbol = coin.series[frame], name.replace("-", "")
    rows = zip(
        *(
            c.tolist()
            for c in (series.ts_ms, series.open, series.high, series.low, series.close, series.volume)
        ),
        strict=True,
    )
    lines = [f"{ts},{symbol},{o},{h},{lo},{c},{v}" for ts, o, h, lo, c, v in rows]
    header = "ts,symbol,open,high,low,close,volume"
    write_lines(folder / f"binance_perp_{frame}_{symbol}.csv.gz", [header, *lines])
    paid = [f"{each.ts_ms},{symbol},{each.rate}" for each in coin.settled]
    write_lines(folder / f"binance_funding_{symbol}.csv.gz", ["ts,symbol,rate", *paid])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("modules-tape")
    write_tape(made, "BTC-USDT", 1, DAYS, "15m")
    write_tape(made, "ETH-USDT", 2, 45, "5m")
    return made


@pytest.fixture(scope="session")
def study(folder: Path) -> Study:
    coins = read_coins(folder, ("BTC-USDT", "ETH-USDT"))
    return studied(coins, Order(BEGIN_MS, END_MS, sets=2, folds=2))


@pytest.fixture(scope="session")
def written(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("modules-out") / "new"
    write(study, out, "en")
    return out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_trade_can_be_reckoned_again_from_its_fills_alone(written: Path) -> None:
    cash: dict[str, Decimal] = defaultdict(Decimal)
    held: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows_of(written / "fills.csv"):
        if row["kind"] == "funding":
            assert held[row["trade"]] != 0 and abs(held[row["trade"]]) == D(row["base"])
            cash[row["trade"]] -= held[row["trade"]] * D(row["shown_px"]) * D(row["rate"])
            continue
        sign = 1 if row["side"] == "buy" else -1
        held[row["trade"]] += sign * D(row["base"])
        cash[row["trade"]] -= sign * D(row["base"]) * D(row["px"]) + D(row["fee"])
        assert D(row["px"]) == D(row["shown_px"]) * (1 + sign * D("0.0003"))
        assert abs(D(row["fee"]) - D(row["base"]) * D(row["px"]) * D("0.0005")) < D("1e-20")
    trades = rows_of(written / "trades.csv")
    assert trades and all(base == 0 for base in held.values())
    assert len(trades) == len(cash)
    for trade in trades:
        assert abs(cash[trade["trade"]] - D(trade["net"])) < D("1e-15"), trade["trade"]


def test_the_figures_are_sums_of_the_trades_that_were_written(written: Path, study: Study) -> None:
    by_module: dict[str, list[Decimal]] = defaultdict(list)
    for trade in rows_of(written / "trades.csv"):
        by_module[trade["trade"].rpartition("-")[0]].append(D(trade["net"]))
    told: dict[str, Any] = json.loads((written / "modules.json").read_text(encoding="utf-8"))
    for each in (*told["modules"], {"name": "together", "figures": told["together"]}):
        nets = by_module.pop(each["name"], [])
        figures = each["figures"]
        assert figures["trades"] == len(nets)
        assert abs(D(figures["net"]) - sum(nets)) < D("1e-12")
        if nets:
            assert figures["win_rate"] == pytest.approx(sum(net > 0 for net in nets) / len(nets))
    assert not by_module


def test_entries_of_one_sleeve_never_meet_in_a_coin(study: Study) -> None:
    taken: dict[str, int] = {}
    for trade in study.together.trades:
        assert trade.opened_ms > taken.get(trade.instrument, 0)
        taken[trade.instrument] = trade.closed_ms


def test_what_a_tape_lacks_is_told_and_not_made_up(study: Study) -> None:
    told = {
        row[0]: row[1]
        for sheet in sheets(study, said_in("en"))
        if sheet.name == "missing"
        for row in sheet.rows
    }
    assert told["confluence"] == "messages of an outside feed"
    assert "open interest" in told["counter_sentiment"] and "accounts" in told["counter_sentiment"]
    assert "1m" in told["ensemble"]
    silent = {each.subject.name for each in study.measured if not each.played.trades}
    assert {"confluence", "counter_sentiment", "ensemble"} <= silent


def test_every_claim_stands_beside_a_figure_or_the_word_that_there_is_none(study: Study) -> None:
    [sheet] = [sheet for sheet in sheets(study, said_in("en")) if sheet.name == "claims"]
    assert {row[0] for row in sheet.rows} == {claim.row for claim in CLAIMS} | {"ATS-41"}
    assert {row[-1] for row in sheet.rows} <= {"reached", "not reached", "too few trades"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_stands_on_the_page_and_on_the_console(study: Study, language: Language) -> None:
    said = said_in(language)
    shown, told = page(study, language), text_of(study, said)
    names = [sheet.name for sheet in sheets(study, said)]
    assert names == ["overview", "claims", "money", "coins", "presets", "walks", "parts", "missing", "beside",
                     "refusals"]  # fmt: skip
    for name in names:
        assert f'<section id="{name}"><h2>{said(name)}</h2>' in shown
        assert f"\n{said(name)}\n" in told
    assert page(study, language) == shown
    for line in headline(study, said):
        assert line in told


def test_the_page_needs_nothing_beside_itself(study: Study) -> None:
    shown = page(study, "en")
    assert "default-src 'none'" in shown and (HERE / "page.css").read_text(encoding="utf-8") in shown
    assert not re.findall(r"(?:src|href)=", shown)


def test_the_english_page_has_no_chinese_and_the_chinese_one_says_it_in_chinese(study: Study) -> None:
    assert not HAN.search(page(study, "en")) and not HAN.search(text_of(study, said_in("en")))
    for line in headline(study, said_in("zh")):
        assert HAN.search(line)
    for sheet in sheets(study, said_in("zh")):
        assert HAN.search(sheet.title) and HAN.search(sheet.note)


def test_both_languages_say_everything_with_the_same_fields() -> None:
    for key, texts in MODULES.items():
        english, chinese = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in texts)
        assert english == chinese, key
        assert all(texts), key


def test_the_first_thing_said_is_that_no_module_is_on(study: Study) -> None:
    lines = headline(study, said_in("en"))
    assert lines[0].startswith("No module is switched on by default.")
    lost = [each for each in study.measured if each.subject.is_module and each.figures.net < 0]
    assert lost and all(each.subject.name in "\n".join(lines) for each in lost)


def test_more_workers_find_the_same(study: Study, folder: Path) -> None:
    coins = read_coins(folder, ("BTC-USDT", "ETH-USDT"))
    order = replace(study.order, workers=2, only=("trend_breakout", "factor_score"))
    alone = studied(coins, replace(order, workers=1))
    assert study_object(studied(coins, order)) == study_object(alone)


def test_the_command_prints_one_object_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["modules", "--tape", str(folder), "--instruments", "BTC-USDT", "--only", "trend_breakout",
                 "--sets", "0", "--workers", "1", "--json"]  # fmt: skip
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [each["name"] for each in told["modules"]] == ["trend_breakout"]
    assert told["modules"][0]["walk_forward"] is None and told["modules"][0]["days"] > 90


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({"only": ("oracle",)}, "allowed: confluence"),
        ({"capital": D(0)}, "allowed: USDT above 0"),
        ({"taker": D(1)}, "allowed: 0 to below 1"),
        ({"language": "fr"}, "allowed: en, zh"),
        ({"from_ms": END_MS, "to_ms": BEGIN_MS}, "--from must be before --to"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_what_is_allowed(
    folder: Path, changed: dict[str, Any], allowed: str
) -> None:
    with pytest.raises(UsageError, match=allowed):
        ModulesOptions(**{"tape": folder, **changed})


@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({"instruments": ("DOGE-USDT",)}, "DOGE-USDT has no swap candles .* allowed: binance BTC-USDT"),
        ({"venue": "okx"}, "from okx, allowed: binance BTC-USDT"),
        ({"from_ms": END_MS + DAY_MS}, "allowed: "),
    ],
)
def test_what_the_tape_does_not_have_is_refused_with_what_it_has(
    folder: Path, changed: dict[str, Any], allowed: str
) -> None:
    with pytest.raises(UsageError, match=allowed):
        measure(ModulesOptions(**{"tape": folder, "instruments": ("BTC-USDT",), "workers": 1, **changed}))
