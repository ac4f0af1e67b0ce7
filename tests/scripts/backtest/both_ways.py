"""One tape played on both paths, and what they tell differently."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.schema import Settings
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from monitor.summary import summary
from scripts.backtest.agreement import differences
from scripts.backtest.command import FAST, FULL, BacktestOptions, Outcome, run, settings_of

MONEY = (
    "state", "permission", "account", "equity_start", "equity_end", "net_pnl", "funding", "basis", "fees",
    "slippage", "interest", "other", "unexplained", "rounds", "opens", "closes", "rebalances", "orders",
    "rejects", "violations", "per_instrument", "max_naked_s",
)  # fmt: skip


def configured(tape: Path, names: tuple[str, ...], changes: Mapping[str, Mapping[str, Any]]) -> Settings:
    """The settings of config/ with other values at `strategy.exit` and the like."""
    settings = settings_of(BacktestOptions(tape, names))
    for place, values in changes.items():
        settings = _changed(settings, place.split("."), values)
    return settings


def _changed(section: Any, place: list[str], values: Mapping[str, Any]) -> Any:
    """Not validated again: the sections are strict, and the tests' values are in their types."""
    if place:
        values = {place[0]: _changed(getattr(section, place[0]), place[1:], values)}
    return section.model_copy(update=values)


def told_differently(
    folder: Path,
    tape: Path,
    names: tuple[str, ...],
    settings: Settings,
    must: tuple[str, ...] = (),
    resume_after_ms: int | None = None,
    account: str = "futures",
) -> list[str]:
    """Play both and compare; empty where they agree, and `must` has happened: counts of the summary."""
    found, played = [], {}
    for path in (FULL, FAST):
        (folder / path).mkdir()
        options = BacktestOptions(tape, names, path=path, resume_after_ms=resume_after_ms, account=account)
        played[path] = run(options, settings, folder / path)
    full, fast = (summary(played[path].facts) for path in (FULL, FAST))
    found += [f"no {name}" for name in must if not fast[name]]
    found += [f"{name}: full {full[name]}, fast {fast[name]}" for name in MONEY if full[name] != fast[name]]
    found += _differing_books(played[FULL], played[FAST])
    with JournalReader(folder / FULL / FILE_NAME) as one, JournalReader(folder / FAST / FILE_NAME) as other:
        found += differences(one.rows(), other.rows())
    return found


def _differing_books(full: Outcome, fast: Outcome) -> list[str]:
    one, other = full.app.books, fast.app.books
    found = []
    if one.ledger.settlements != other.ledger.settlements:
        found.append("settlements differ")
    if full.recorder.stays != fast.recorder.stays:
        found.append(f"stays: full {full.recorder.stays}, fast {fast.recorder.stays}")
    at_ms = full.facts.to_ms
    if one.breaker(at_ms) != other.breaker(at_ms):
        found.append(f"breaker: full {one.breaker(at_ms)}, fast {other.breaker(at_ms)}")
    return found
