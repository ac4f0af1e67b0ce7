"""What a replay costs: time for one bar of one symbol, memory of a large tape, and the way to a first answer.

    python -m benchmarks.replay [--json]

A bar of a symbol is a spot and a swap candle of five minutes with its mark, its funding and the margin of
an account that holds a hedge in every symbol; the venue stops in it up to three times, at its open and at
its two extremes. Memory and start are those of fresh processes.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.figures import Figure, report
from exchange.sim.edits import Edits
from exchange.sim.exchange import Exchange
from exchange.sim.markets.tape import TapeMarket
from exchange.tape import CoinTape, Tape
from exchange.tape_files import Candles, Settlements

ROOT = Path(__file__).resolve().parents[1]
BAR_MS, HOUR_MS, DAY_MS, SETTLE_MS = 300_000, 3_600_000, 86_400_000, 28_800_000
START_MS = 1_704_067_200_000
SYMBOLS, DAYS = 50, 3
LARGE_SYMBOLS, LARGE_DAYS = 300, 30
MEBIBYTE = 1024


def invented_tape(symbols: int, days: int) -> Tape:
    """Candles of `symbols` coins that walk up and down; the swap trades a little above spot."""
    return Tape(
        tuple(_coin(n, days * DAY_MS // BAR_MS) for n in range(symbols)),
        START_MS,
        START_MS + days * DAY_MS,
        (),
        (),
    )


def _coin(n: int, bars: int) -> CoinTape:
    noise = n * 7_919 + 1
    spot, perp, mark = Candles(BAR_MS), Candles(BAR_MS), Candles(BAR_MS)
    close = 20.0 + n
    for i in range(bars):
        noise = noise * 1_103_515_245 + 12_345 & 0x7FFFFFFF
        open_, close = close, max(1.0, close * (1 + (noise / 0x7FFFFFFF - 0.5) * 0.004))
        high, low = max(open_, close) * 1.002, min(open_, close) * 0.998
        for candles, lift in ((spot, 1.0), (perp, 1.0003), (mark, 1.0002)):
            candles.ts.append(START_MS + i * BAR_MS)
            candles.open.append(open_ * lift)
            candles.high.append(high * lift)
            candles.low.append(low * lift)
            candles.close.append(close * lift)
            candles.volume.append(100_000.0)
            if candles.ts[-1] % HOUR_MS == 0:
                candles.hour_open[candles.ts[-1]] = f"{open_ * lift:.4f}"
    ts = list(range(START_MS, START_MS + bars * BAR_MS + 1, SETTLE_MS))
    funding = Settlements(ts, [Decimal("0.0001")] * len(ts), [None] * len(ts))
    return CoinTape(f"C{n}", "made", spot, perp, mark, funding)


def replay_us(symbols: int, days: int) -> tuple[float, float]:
    """Replay with a hedge in every symbol; return (microseconds per symbol and bar, stops per bar)."""
    venue = Exchange(TapeMarket(invented_tape(symbols, days)), 1)
    account, edits = venue.accounts["demo"], Edits(venue)
    edits.set_cash(account, "USDT", Decimal(10_000_000))
    for spec in venue.instruments.values():
        if spec.is_swap:
            coins = -(10_000 / venue.markets[spec.inst_id].last // spec.ct_val) * spec.ct_val
            edits.set_position(account, spec.inst_id, coins / spec.ct_val)
            edits.set_cash(account, spec.base, -coins)
    venue.outbox.clear()
    end_ms, stops = START_MS + days * DAY_MS, 0
    began_s = time.perf_counter()
    while venue.now_ms < end_ms:
        venue.advance(end_ms)
        venue.outbox.clear()
        stops += 1
    took_s = time.perf_counter() - began_s
    bars = days * DAY_MS // BAR_MS
    return took_s / (symbols * bars) * 1e6, stops / bars


def resident_mib(symbols: int, days: int) -> float:
    """The largest resident size of a fresh process that holds a tape of so many coins, each twice."""
    program = f"from benchmarks.replay import hold; hold({symbols}, {days})"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return float(run.stdout)


def hold(symbols: int, days: int) -> None:
    """Build the venue of a large tape, go one bar on, and print the process's largest size in MiB."""
    venue = Exchange(TapeMarket(invented_tape(symbols, days)), 1)
    venue.advance(START_MS + BAR_MS)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE)


def start_s() -> float:
    """From starting `main.py venue` to its first answer, bytecode written before."""
    command = [sys.executable, "main.py", "venue", "--port", "0", "--lockstep", "--until-stdin-closes"]
    took_s = 0.0
    for _ in range(2):  # the first writes the bytecode
        began_s = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_with_bytecode()
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            port = json.loads(process.stdout.readline())["port"]
            connection = HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/api/v5/public/time")
            connection.getresponse().read()
            took_s = time.perf_counter() - began_s
            connection.close()
            process.stdin.close()
    return took_s


def _with_bytecode() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(symbols: int, days: int, large_symbols: int, large_days: int) -> list[Figure]:
    per_bar_us, stops = replay_us(symbols, days)
    return [
        Figure("one bar of one symbol, with margin", per_bar_us, "us", 25.0, at_least=False),
        Figure("stops in one bar", stops, "stops", 4.0, at_least=False),
        Figure(
            f"{2 * large_symbols} instruments, {large_days} days of 5m bars",
            resident_mib(large_symbols, large_days), "MiB", 1024.0, at_least=False,
        ),
        Figure("main.py venue, start to first answer", start_s(), "s", 1.0, at_least=False),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(report(measure(SYMBOLS, DAYS, LARGE_SYMBOLS, LARGE_DAYS), sys.argv[1:]))
