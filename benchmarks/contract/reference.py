"""The reference's own generator, run where it lies. It makes columns with numpy and writes files with pandas;
for the columns alone pandas is not needed."""

from __future__ import annotations

import importlib.util
import sys
from array import array
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from benchmarks.contract.market import Bars
from core.errors import UsageError

REFERENCE: Final = Path(__file__).resolve().parents[3] / "shared" / "bench" / "backtest"
COINS: Final = ("BTC", "ETH", *(f"S{n:02d}" for n in range(2, 64)))  # as the generator numbers them


def generated(number: int, years: int = 1, reference: Path = REFERENCE) -> Bars:
    """The columns of coin `number`. Raises UsageError where the generator is not."""
    bars, settled = _generator(reference).make(number, years)
    return Bars(
        coin=COINS[number],
        ts=_column(bars["ts"], "q"),
        spot=_column(bars["sc"], "d"),
        swap=_column(bars["pc"], "d"),
        mark=_column(bars["mark"], "d"),
        volume=_column(bars["sv"], "d"),
        settled_ts=_column(settled["ts"], "q"),
        rate=_column(settled["rate"], "d"),
    )


def _generator(reference: Path) -> Any:
    path = reference / "gen_data.py"
    if not path.is_file():
        raise UsageError(f"{path}: not there, allowed: a folder with the reference's generator")
    spec = importlib.util.spec_from_file_location("reference_generator", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    frames = ModuleType("pandas")
    frames.DataFrame = dict  # type: ignore[attr-defined]
    before = sys.modules.get("pandas")
    sys.modules["pandas"] = frames
    try:
        spec.loader.exec_module(module)
    finally:
        if before is None:
            del sys.modules["pandas"]
        else:
            sys.modules["pandas"] = before
    return module


def _column(values: Any, code: str) -> array[Any]:
    return array(code, values.tobytes())
