"""Writing small tape folders for tests."""

from __future__ import annotations

import gzip
from pathlib import Path

START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC
HOUR_MS = 3_600_000
CANDLES = "ts,symbol,open,high,low,close,volume"
MARKS = "ts,symbol,open,high,low,close"
FUNDING = "ts,symbol,rate"


def write(folder: Path, name: str, header: str, rows: list[str]) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress("\n".join([header, *rows, ""]).encode()))
    return path


def bars(
    symbol: str, hours: range, first: float = 100.0, bar_ms: int = HOUR_MS, volume: str = ",1000"
) -> list[str]:
    """Bars of two dollars up and one down, each opening where the last one closed."""
    rows = []
    for n in hours:
        open_ = first + n
        rows.append(f"{START_MS + n * bar_ms},{symbol},{open_},{open_ + 2},{open_ - 1},{open_ + 1}{volume}")
    return rows


def settlements(symbol: str, count: int, rate: str = "0.0001", jitter_ms: int = 0) -> list[str]:
    return [f"{START_MS + 8 * n * HOUR_MS + jitter_ms},{symbol},{rate}" for n in range(count)]


def whole_tape(folder: Path, hours: int = 48, coin: str = "BTC") -> Path:
    """Spot, perp, mark and funding of one coin by the hour; the perp trades half a dollar higher."""
    symbol = f"{coin}USDT"
    write(folder, f"binance_spot_1h_{symbol}.csv.gz", CANDLES, bars(symbol, range(hours)))
    write(folder, f"binance_perp_1h_{symbol}.csv.gz", CANDLES, bars(symbol, range(hours), 100.5))
    write(folder, f"binance_mark_1h_{symbol}.csv.gz", MARKS, bars(symbol, range(hours), 100.25, volume=""))
    write(folder, f"binance_funding_{symbol}.csv.gz", FUNDING, settlements(symbol, hours // 8 + 1))
    return folder
