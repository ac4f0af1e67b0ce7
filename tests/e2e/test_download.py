"""From a running venue into a folder, from there into a backtest: real processes, real sockets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.tape_growth import PART
from exchange.tape_store import read_lines, write_lines
from scripts.child_venue import venue_process
from tests.e2e.rig import ROOT, main
from tests.exchange.tapes import HOUR_MS, START_MS, whole_tape
from tests.exchange.test_tape_store import needs_parquet

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

DAYS = ("--instruments", "BTC-USDT", "--from", "2026-01-01", "--to", "2026-01-04")
FROM_MS = 1_767_225_600_000
QUARTERS = 3 * 24 * 4
NAMES = [
    "okx_funding_BTC-USDT-SWAP", "okx_spot_15m_BTC-USDT", "okx_perp_15m_BTC-USDT-SWAP",
    "okx_mark_15m_BTC-USDT-SWAP", "okx_open_interest_15m_BTC-USDT-SWAP",
]  # fmt: skip


@pytest.fixture(scope="module")
def venue() -> Iterator[str]:
    with venue_process("--instruments", "BTC-USDT", lockstep=False) as url:
        yield url


@pytest.fixture(scope="module")
def tape(venue: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tape")
    done = main("download", "--venue", venue, "--tape", str(folder), "--bars", "15m", *DAYS, "--json")
    assert done.code == 0, done.err
    said = done.summary
    assert [one["file"].removesuffix(".csv.gz") for one in said["files"]] == NAMES
    assert [one["rows"] for one in said["files"]] == [9, *[QUARTERS] * 4]
    assert all(not one["holes"] and one["from_ms"] == FROM_MS for one in said["files"])
    assert "okx_mark_15m_BTC-USDT-SWAP.csv.gz" in done.err  # how far it is
    return folder


def test_a_few_days_of_the_venue_are_whole_and_a_backtest_runs_on_them(tape: Path) -> None:
    looked = main("tape", "check", "--tape", str(tape), "--json")
    assert looked.code == 0, looked.out
    [use] = looked.summary["backtests"]
    assert use["notes"] == ["BTC: okx spot and perp 15m, mark 15m"]
    assert (use["from_ms"], use["to_ms"]) == (FROM_MS, FROM_MS + 72 * HOUR_MS)
    asked = ("--tape", str(tape), "--instruments", "BTC-USDT", "--from", "2026-01-02", "--path", "full")
    played = main("backtest", *asked, "--json")
    assert played.code == 0, played.err
    assert played.summary["scans"] > 100 and played.summary["unexplained"] == "0"


def test_what_a_candle_says_of_volume_is_coins_in_both_markets(tape: Path) -> None:
    spot, perp = (
        [float(line.split(",")[6]) for line in read_lines(tape / f"{name}.csv.gz")[1:]] for name in NAMES[1:3]
    )
    assert min(spot) > 0 and min(perp) > 0
    assert any(round(volume, 2) != volume for volume in perp)  # hundredths of a contract are less of a coin


def test_asking_again_fetches_nothing_and_a_longer_period_only_the_rest(venue: str, tape: Path) -> None:
    begun = {path.name: path.read_bytes() for path in tape.iterdir()}
    asked = ("download", "--venue", venue, "--tape", str(tape), "--bars", "15m")
    again = main(*asked, *DAYS, "--json")
    assert [one["added"] for one in again.summary["files"]] == [0] * 5
    assert {path.name: path.read_bytes() for path in tape.iterdir()} == begun
    longer = main(*asked, *DAYS[:-1], "2026-01-04T06:00", "--kinds", "spot", "--json")
    assert [one["added"] for one in longer.summary["files"]] == [24]


def test_a_killed_download_goes_on_where_its_pages_end(venue: str, tmp_path: Path) -> None:
    """Ten days of minutes are 48 pages; it is killed when it says that a third is there."""
    days = ("--instruments", "BTC-USDT", "--from", "2025-12-20", "--to", "2025-12-30", "--bars", "1m")
    asked = ("download", "--venue", venue, *days, "--kinds", "spot", "--json")
    folder, whole = tmp_path / "killed", tmp_path / "whole"
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *asked, "--tape", str(folder)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    ) as child:  # fmt: skip
        assert child.stderr is not None
        assert any(" 3" in line.partition(".csv.gz")[2][:3] for line in child.stderr)
        child.kill()
    part = folder / f"okx_spot_1m_BTC-USDT{PART}"
    kept = part.read_bytes().count(b"\n")
    assert kept >= 14_400 * 0.3 and kept < 14_400
    rest = main(*asked, "--tape", str(folder)).summary
    assert rest["files"][0]["added"] == 14_400 - kept and rest["files"][0]["holes"] == []
    assert main(*asked, "--tape", str(whole)).summary["files"][0]["added"] == 14_400
    name = "okx_spot_1m_BTC-USDT.csv.gz"
    assert read_lines(folder / name) == read_lines(whole / name)
    assert not part.exists()


def test_holes_of_a_venue_are_told_and_left_open(tmp_path: Path) -> None:
    """A tape with hours missing, served as a venue and downloaded again, has the same hours missing."""
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    whole_tape(recorded, hours=96)
    for kind in ("spot", "perp", "mark"):
        path = recorded / f"binance_{kind}_1h_BTCUSDT.csv.gz"
        header, *rows = read_lines(path)
        write_lines(path, [header, *rows[:20], *rows[26:]])
    with venue_process(
        "--instruments", "BTC-USDT", "--tape", str(recorded), "--from", "2024-01-04", lockstep=False
    ) as url:
        done = main(
            "download", "--venue", url, "--tape", str(tmp_path / "copy"), "--instruments", "BTC-USDT",
            "--from", "2024-01-01", "--to", "2024-01-04", "--kinds", "spot,perp,mark,funding", "--json",
        )  # fmt: skip
    assert done.code == 0, done.err
    hole = {"begin_ms": START_MS + 20 * HOUR_MS, "end_ms": START_MS + 26 * HOUR_MS}
    files = {one["kind"]: one for one in done.summary["files"]}
    assert [files[kind]["holes"] for kind in ("spot", "perp", "mark")] == [[hole]] * 3
    unpaid = {"begin_ms": START_MS + 16 * HOUR_MS + 1, "end_ms": START_MS + 32 * HOUR_MS}
    assert files["funding"]["rows"] == 8 and files["funding"]["holes"] == [unpaid]
    looked = main("tape", "check", "--tape", str(tmp_path / "copy"))
    assert looked.code == 0 and "1 holes, 6 hours in all: the venue is closed there" in looked.out


@needs_parquet
def test_in_parquet_the_same_rows_arrive(venue: str, tape: Path, tmp_path: Path) -> None:
    asked = ("download", "--venue", venue, "--bars", "15m", *DAYS, "--format", "parquet", "--json")
    done = main(*asked, "--tape", str(tmp_path))
    assert done.code == 0, done.err
    for name in NAMES:
        texts, numbers = (
            [line.split(",") for line in read_lines(path)[1:]]
            for path in (tape / f"{name}.csv.gz", tmp_path / f"{name}.parquet")
        )
        assert [row[0] for row in texts[: len(numbers)]] == [row[0] for row in numbers]
        assert [float(cell) for row in texts[: len(numbers)] for cell in row[2:]] == [
            float(cell) for row in numbers for cell in row[2:]
        ]
    assert main("tape", "check", "--tape", str(tmp_path)).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--instruments", "NONE-USDT"), 2, "no USDT swap with a spot twin: NONE-USDT"),
        (("--instruments", "BTC"), 2, "names like BTC-USDT are allowed"),
        (("--bars", "7m"), 2, "--bars '7m': allowed: 1m, 3m"),
        (("--kinds", "spot,trades"), 2, "--kinds 'trades': allowed: spot, perp"),
        (("--format", "xml"), 2, "--format 'xml': allowed: csv, parquet"),
        (("--from", "2026-01-03", "--to", "2026-01-02"), 2, "--from must be before --to"),
        (("--from", "2030-01-01"), 2, "allowed: a time before 2026-01-05"),
        (("--venue", "nowhere"), 2, "a URL like"),
        (("--venue", "http://127.0.0.1:9"), 1, "no answer"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(
    venue: str, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    usual = ("download", "--venue", venue, "--tape", str(tmp_path / "new"), "--instruments", "BTC-USDT")
    done = main(*usual, *arguments)
    assert done.code == code, done.err
    assert said in done.err and "Traceback" not in done.err


def test_a_folder_that_is_a_file_and_a_file_of_other_columns_are_refused(venue: str, tmp_path: Path) -> None:
    asked = ("download", "--venue", venue, *DAYS, "--kinds", "funding")
    (tmp_path / "file").write_text("")
    done = main(*asked, "--tape", str(tmp_path / "file"))
    assert done.code == 2 and "allowed: a folder to write into" in done.err
    write_lines(tmp_path / "okx_funding_BTC-USDT-SWAP.csv.gz", ["time,rate", "1,2"])
    done = main(*asked, "--tape", str(tmp_path))
    assert done.code == 2 and "header is 'time,rate', allowed: ts,symbol,rate" in done.err
