"""The reference contract: the engine's figures against the oracle's, and its time against a rival's.

    python -m benchmarks.contract --data FOLDER [--symbols N] [--years Y | --days D] [--scale 10,50]
        [--path fast|full|both] [--nautilus PYTHON] [--repeat R] [--reference FOLDER] [--json]

Missing data are made by the reference's own generator, with PYTHON or this interpreter. First the engine's
books are held against the oracle: fills, margin exits, funding and fees exactly, equity too, and all of it
to four decimals against what the reference's README gives, where it does. Then, with --nautilus, engine and
rival run in turn on the same files, each in a process of its own; ratios are medians over the pairs.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Final

from benchmarks.contract import runs
from benchmarks.contract.market import Bars, read_bars, shorten
from benchmarks.contract.oracle import KNOWN, expected
from benchmarks.contract.play import run
from benchmarks.contract.reference import COINS, REFERENCE
from benchmarks.figures import Figure, report
from core.errors import EngineError, UsageError
from scripts.backtest.command import FAST, FULL, PATHS
from scripts.collector import expect_to_keep

BARS_A_DAY: Final = 288
DAYS_A_YEAR: Final = 365
BOTH: Final = "both"
TARGETS: Final = {FAST: (0.10, 0.25), FULL: (2.0, 2.0)}  # of the rival's run, and of its process
EQUITY_MAY_DIFFER: Final = Decimal("1e-6")  # USDT


def main(argv: list[str]) -> int:
    options = _options(argv)
    try:
        return _once(options) if options.once else _all(options)
    except (EngineError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contract", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--data", type=Path, required=True, help="folder of the generated files")
    parser.add_argument("--symbols", type=int, default=1, choices=range(1, 65), metavar="N")
    parser.add_argument("--years", type=int, default=1, help="of data, when they are to be made")
    parser.add_argument("--days", type=int, help="play only the first so many")
    parser.add_argument("--scale", default="", help="also measure the rate at so many symbols: 10,50")
    parser.add_argument("--nautilus", type=Path, metavar="PYTHON", help="interpreter with nautilus_trader")
    parser.add_argument("--path", choices=(*PATHS, BOTH), default=FAST, help="which way the engine goes")
    parser.add_argument("--repeat", type=int, default=1, help="rounds: each path once, then the rival")
    parser.add_argument("--reference", type=Path, default=REFERENCE)
    parser.add_argument("--once", action="store_true", help="run the engine here, print one line of JSON")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


def _bars(data: Path, symbols: int) -> list[Bars]:
    return [read_bars(data, coin) for coin in COINS[:symbols]]


def _once(options: argparse.Namespace) -> int:
    """One run of the engine in this process, on whole files."""
    expect_to_keep()
    coins = _bars(options.data, options.symbols)
    with tempfile.TemporaryDirectory(prefix="contract-") as folder:
        played = run(coins, Path(folder), options.path)
    result = played.result
    said = {
        "bars": sum(len(one.ts) for one in coins),
        "run_s": played.run_s,
        "trades": result.fills,
        "margin_exits": result.margin_exits,
        "funding": round(float(result.funding), 4),
        "fees": round(float(result.fees), 4),
        "equity": round(float(result.equity), 4),
        "exact": [str(one) for one in result],
        "journal_head": played.facts.journal_head,
        "complaints": list(played.complaints),
    }
    print(json.dumps(said))
    return 0


def _all(options: argparse.Namespace) -> int:
    symbols, scales = options.symbols, [int(word) for word in options.scale.split(",") if word]
    data = _prepared(options, max(symbols, *scales, 1))
    paths = PATHS if options.path == BOTH else (options.path,)
    engines: dict[str, list[runs.Run]] = {path: [] for path in paths}
    rivals: list[runs.Run] = []
    runs.warm_up()
    for _ in range(options.repeat):
        for path in paths:
            engines[path].append(_told(f"engine, {path}", runs.ours(data, symbols, path)))
        if options.nautilus is not None:
            rival = runs.nautilus(options.nautilus, options.reference, data, symbols)
            rivals.append(_told("nautilus", rival))
    wrong, figures = list[str](), list[Figure]()
    for path, found in engines.items():
        missed = _wrong(found[0], data, symbols)
        wrong += missed
        figures += [
            Figure(f"{path}: what differs from the oracle", len(missed), "figures", 0, at_least=False),
            Figure(f"{path}: peak memory", max(one.peak_mib for one in found), "MiB", 1024, at_least=False),
        ]
        figures += _ratios(path, list(zip(found, rivals, strict=True))) if rivals else []
    path, rate = paths[0], _rate(engines[paths[0]][0])
    for count in scales:
        more = _told(f"engine, {path}, {count} symbols", runs.ours(data, count, path))
        missed = _wrong(more, data, count)
        figures.append(Figure(f"what differs at {count} symbols", len(missed), "figures", 0, at_least=False))
        figures.append(Figure(f"rate at {count} / rate at {symbols}", _rate(more) / rate, "", 0.9, True))
        figures.append(Figure(f"peak memory at {count}", more.peak_mib, "MiB", 1024, at_least=False))
        wrong += missed
    for line in wrong:
        print(line, file=sys.stderr)
    return report(figures, ["--json"] if options.json else [])


def _prepared(options: argparse.Namespace, symbols: int) -> Path:
    """The folder whose files are played: the given one, or its first days beside it."""
    data: Path = options.data
    if not all((data / f"{coin}.parquet").is_file() for coin in COINS[:symbols]):
        python = options.nautilus or Path(sys.executable)
        runs.generate(python, options.reference, data, options.years, symbols)
    if options.days is None:
        return data
    short = data / f"days-{options.days}"
    for coin in COINS[:symbols]:
        shorten(data, coin, options.days * BARS_A_DAY, short)
    return short


def _rate(one: runs.Run) -> float:
    """Symbol-bars a second."""
    return float(one.said["bars"]) / one.run_s


def _wrong(engine: runs.Run, data: Path, symbols: int) -> list[str]:
    """What the engine's books say otherwise than the oracle, or than the venue's."""
    coins = _bars(data, symbols)
    wanted = [Decimal(one) for one in expected(coins)]
    names = ("fills", "margin exits", "funding", "fees", "equity")
    wrong = [
        f"{name}: {found}, not {one}"
        for name, found, one in zip(names, engine.said["exact"], wanted, strict=True)
        if abs(Decimal(found) - one) > (EQUITY_MAY_DIFFER if name == "equity" else 0)
    ]
    years = len(coins[0].ts) / BARS_A_DAY / DAYS_A_YEAR
    known = KNOWN.get((symbols, int(years))) if years.is_integer() else None
    if known is not None and engine.result != known:
        wrong.append(f"the reference gives {known}, not {engine.result}")
    return [*wrong, *engine.said["complaints"]]


def _ratios(path: str, pairs: list[tuple[runs.Run, runs.Run]]) -> list[Figure]:
    """The engine's time over the rival's, pair by pair, and their medians."""

    def median(of: Callable[[runs.Run], float]) -> float:
        return statistics.median(of(engine) / of(rival) for engine, rival in pairs)

    run, process = TARGETS[path]
    return [
        Figure(f"{path} / nautilus, run", median(lambda one: one.run_s), "", run, at_least=False),
        Figure(f"{path} / nautilus, whole process", median(lambda one: one.process_s), "", process, False),
        Figure(f"{path} / nautilus, processor time", median(lambda one: one.cpu_s), "", process, False),
        Figure(f"{path} / nautilus, peak memory", median(lambda one: one.peak_mib), "", 1.0, False),
    ]


def _told(who: str, one: runs.Run) -> runs.Run:
    """Say what a run took while the next one is under way."""
    each_us = one.run_s / one.said["bars"] * 1e6
    said = f"{who}: run {one.run_s:.2f} s, {each_us:,.1f} us a bar; process {one.process_s:.2f} s, "
    said += f"{one.cpu_s:.2f} s of the processor, {one.peak_mib:.0f} MiB; {one.result}"
    print(said, file=sys.stderr, flush=True)
    return one


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
