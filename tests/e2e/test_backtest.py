"""The engine on history in one process: the same decisions and the same money as through the protocol."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from core.journal_reader import JournalReader
from main import main as command
from tests.e2e.rig import TAPE, main, needs_tape
from tests.exchange.tapes import whole_tape

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal
PAIRS = ("--tape", str(TAPE), "--instruments", "BTC-USDT,ETH-USDT", "--from", "2024-01-01")
COUNTED = (
    "state",
    "permission",
    "opens",
    "closes",
    "orders",
    "rejects",
    "scans",
    "unexplained",
    "violations",
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def recorded(name: str) -> list[dict[str, str]]:
    with gzip.open(TAPE / name, "rt") as file:
        return list(csv.DictReader(file))


def independent_funding(out: Path, from_ms: int, to_ms: int) -> D:
    """Sum quantity x mark x rate over the settlements held, from trades.csv and the tape's files alone.

    The mark at a settlement is the hourly mark candle's open, as exchange/sim/markets/tape.py documents.
    """
    total, trades = D(0), [t for t in table(out / "trades.csv") if t["leg"] == "swap"]
    for coin in ("BTC", "ETH"):
        sold = [
            (int(t["ts"]), D(t["base_qty"]) * (1 if t["side"] == "sell" else -1))
            for t in trades
            if t["instrument"] == f"{coin}-USDT"
        ]
        marks = {int(r["ts"]): D(r["open"]) for r in recorded(f"binance_mark_1h_{coin}USDT.csv.gz")}
        for row in recorded(f"binance_funding_{coin}USDT.csv.gz"):
            at_ms = round(int(row["ts"]) / 1000) * 1000
            if from_ms < at_ms <= to_ms:
                total += sum((q for ts, q in sold if ts < at_ms), D(0)) * marks[at_ms] * D(row["rate"])
    return total


@needs_tape
def test_a_week_of_tape_collects_what_the_files_say_and_adds_up_to_what_it_says(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ended = main("backtest", *PAIRS, "--to", "2024-01-08", "--json", "--out", str(out))
    assert ended.code == 0, ended.err
    said = ended.summary
    assert said["opens"] >= 2
    assert said["unexplained"] == "0"
    found = independent_funding(out, said["from_ms"], said["to_ms"])
    assert abs(D(said["funding"]) - found) < D("1e-6")
    trades, funding = table(out / "trades.csv"), table(out / "funding.csv")
    assert sum((D(row["amount"]) for row in funding), D(0)).quantize(D("1e-8")) == D(
        said["funding"]
    ).quantize(D("1e-8"))
    assert abs(sum((D(row["fee_usdt"]) for row in trades), D(0)) - D(said["fees"])) < D("1e-8")
    curve = table(out / "equity.csv")
    assert abs(D(curve[-1]["equity"]) - D(said["equity_end"])) < D("1e-8")
    decisions = [json.loads(line) for line in (out / "decisions.jsonl").read_text().splitlines()]
    assert sum(d["on"] == "scan" for d in decisions) == said["scans"]
    with JournalReader(out / "journal.db") as reader:
        assert reader.verify().ok


@needs_tape
def test_the_same_again_is_decided_again_and_so_it_is_with_the_protocol(tmp_path: Path) -> None:
    """By the protocol books are looked up at another instant of the same second: prices may differ by a
    step, not more."""
    day = (*PAIRS, "--to", "2024-01-02T12:00", "--json")
    plain, again = (
        main("backtest", *day, "--path", "full", "--out", str(tmp_path / name)).summary for name in "ab"
    )
    for name in ("trades.csv", "funding.csv", "equity.csv", "decisions.jsonl"):
        assert (tmp_path / "a" / name).read_text() == (tmp_path / "b" / name).read_text()
    assert plain["opens"] >= 2 and again["journal_head"] == plain["journal_head"]
    wired = main("run", *day, "--speed", "max", "--data", str(tmp_path / "run")).summary
    assert {name: plain[name] for name in COUNTED} == {name: wired[name] for name in COUNTED}
    for name in ("funding", "fees"):
        assert abs(D(plain[name]) / D(wired[name]) - 1) < D("0.001")


@needs_tape
def test_where_the_recorded_spot_market_stood_still_an_exit_left_no_leg_alone(tmp_path: Path) -> None:
    """On 2023-03-24 the spot market traded nothing for two hours, just as the hedge was given up."""
    asked = ("--tape", str(TAPE), "--instruments", "BTC-USDT", "--from", "2023-01-01", "--to", "2023-03-25")
    said = main("backtest", *asked, "--json").summary
    assert said["closes"] == 1 and said["unexplained"] == "0"
    assert 0 < said["max_naked_s"] < 5
    assert said["orders"] < 300 and D(said["fees"]) < 150


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tape", "nowhere"), "--tape 'nowhere': an existing folder is needed"),
        (("--exit", "never"), "--exit never: allowed: expected_cost, hysteresis, sign"),
        (("--path", "quick"), "--path quick: allowed: fast, full"),
        (("--account", "spot"), "--account spot: allowed: futures, multi"),
        (("--set", "account.spot_ratio"), "--set 'account.spot_ratio': KEY=VALUE is allowed"),
        (("--set", "strategy.dry_run=false"), "strategy.dry_run = false; only the files on the host"),
        (("--set", "account.spot_ratio=0.9"), "spot_ratio + futures_ratio must be at most 1"),
        (("--from", "2024-01-03", "--to", "2024-01-02"), "--from must be before --to"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(
    arguments: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tape = () if arguments[0] == "--tape" else ("--tape", str(whole_tape(tmp_path)))
    assert command(["backtest", *tape, *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_with_results_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("backtest", "--tape", str(whole_tape(tmp_path)), "--instruments", "BTC-USDT")
    out = ("--out", str(tmp_path / "out"))
    assert main(*words, *out).code == 0
    assert command([*words, *out]) == 2
    assert "an empty folder is needed" in capsys.readouterr().err
