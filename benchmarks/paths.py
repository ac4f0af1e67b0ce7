"""Whether both paths of a backtest tell the same of a recorded market, and how much faster the fast one is.

    python -m benchmarks.paths --tape DIR --instruments BTC-USDT,ETH-USDT --from 2024-01-01 --to 2024-04-01

Plays the tape through the whole engine at every instant, then through the fast path, and compares the
journals row by row (scripts/backtest/agreement.py). A month of one instrument takes the full path about a
minute; `--account` and `--set` are those of the backtest. Each path is timed from the loaded tape to the last
row.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from benchmarks.figures import Figure, report
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from monitor.summary import RunFacts
from scripts.backtest.agreement import differences
from scripts.backtest.command import FAST, FULL, BacktestOptions, run, settings_of
from scripts.options import instant_ms, names_of

MOST_SHARE = 0.1  # of the full path's time


def measure(options: BacktestOptions) -> list[Figure]:
    """Differences, which must be none, and the fast path's time over the full one's."""
    facts: dict[str, RunFacts] = {}
    with tempfile.TemporaryDirectory(prefix="paths-") as folder:
        for path in (FULL, FAST):
            (Path(folder) / path).mkdir()
            played = run(replace(options, path=path), settings_of(options), Path(folder) / path)
            facts[path] = played.facts
        with (
            JournalReader(Path(folder) / FULL / FILE_NAME) as full,
            JournalReader(Path(folder) / FAST / FILE_NAME) as fast,
        ):
            found = differences(full.rows(), fast.rows())
    for line in found:
        print(line, file=sys.stderr)
    one, other = facts[FULL], facts[FAST]
    said = f"{other.counts.opens} opened, {other.counts.orders} orders, {other.counts.rebalances} rebalanced"
    ran = f"{one.wall_s:.1f} s and {one.instants} instants in full, {other.wall_s:.1f} s and {other.instants}"
    return [
        Figure(f"differences ({said})", len(found), "", 0, False),
        Figure(f"share of the time ({ran})", other.wall_s / one.wall_s, "", MOST_SHARE, False),
    ]


def main(argv: Sequence[str]) -> int:
    given = dict(pairwise(argv))
    if "--tape" not in given:
        print("--tape DIR is needed: a folder with candles and funding", file=sys.stderr)
        return 2
    begin, end = given.get("--from"), given.get("--to")
    options = BacktestOptions(
        tape=Path(given["--tape"]),
        instruments=names_of(given.get("--instruments", "BTC-USDT")),
        from_ms=instant_ms(begin, "--from") if begin else None,
        to_ms=instant_ms(end, "--to") if end else None,
        account=given.get("--account", "futures"),
        changes=tuple(value for name, value in pairwise(argv) if name == "--set"),
    )
    return report(measure(options), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
