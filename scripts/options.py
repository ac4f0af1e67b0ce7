"""What the command line says, read once and checked: durations, speeds, dates, instruments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from core.errors import UsageError
from exchange.sim.markets.regimes import REGIMES

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_INSTRUMENT = re.compile(r"^[A-Z0-9]{1,20}-USDT$")


class Mode(StrEnum):
    DEMO = "demo"
    DRY_RUN = "dry-run"
    LIVE = "live"


def duration_ms(text: str, option: str = "--for") -> int:
    """Read `30d`, `12h`, `90m`, `45s`, `2w`. Raises UsageError naming what is allowed."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if not found or float(found[1]) <= 0:
        raise UsageError(f"{option} {text!r}: a number above 0 and one of s, m, h, d, w is allowed, like 30d")
    return int(float(found[1]) * _UNITS_MS[found[2]])


def speed_of(text: str) -> float | None:
    """`max` is None: as fast as both sides can; else venue seconds per wall second, above 0."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e9:
        raise UsageError(f"--speed {text!r}: max or a number above 0 is allowed, like 3600")
    return speed


def instant_ms(text: str, option: str) -> int:
    """Read an ISO date or time, UTC when it names no zone, or UTC milliseconds in 13 digits."""
    if re.fullmatch(r"[0-9]{13}", text):
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r}: a date is allowed, like 2024-01-01 or 2024-01-01T08:00, or UTC milliseconds"
        ) from error
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def check_order(from_ms: int | None, to_ms: int | None) -> None:
    """Raises UsageError where a period ends before it begins."""
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise UsageError("--from must be before --to")


def check_tape(folder: Path) -> None:
    """Raises UsageError where there is no such folder."""
    if not folder.is_dir():
        raise UsageError(f"--tape {str(folder)!r}: an existing folder is needed")


def words_of(text: str) -> tuple[str, ...]:
    """Read `5m,1h`; each once, in the order given."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def fraction_of(text: str, option: str) -> Decimal:
    """Read a fraction from 0 to 1, in plain digits."""
    if not re.fullmatch(r"\d+(\.\d+)?", text) or not 0 <= Decimal(text) <= 1:
        raise UsageError(f"{option} {text!r}: a fraction from 0 to 1 is allowed, like 0.0016")
    return Decimal(text)


def names_of(text: str) -> tuple[str, ...]:
    """Read `BTC-USDT,ETH-USDT`."""
    names = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    for name in names:
        if not _INSTRUMENT.match(name):
            raise UsageError(f"--instruments {name!r}: names like BTC-USDT are allowed, separated by commas")
    if len(set(names)) != len(names):
        raise UsageError(f"--instruments {text!r}: names one twice")
    return names


def name_of(text: str) -> str:
    """Read one pair as people name it: `BTC-USDT`, or its coin alone, in either case."""
    name = text.strip().upper()
    name = name if "-" in name else f"{name}-USDT"
    if not _INSTRUMENT.match(name):
        raise UsageError(f"{text!r}: a name like BTC-USDT is allowed, or its coin alone")
    return name


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run of the daemon, as asked for. `speed` None is as fast as possible."""

    mode: Mode = Mode.DEMO
    for_ms: int | None = None
    speed: float | None = 3600.0
    seed: int = 7
    tape: Path | None = None
    instruments: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    venue: str | None = None
    regime: str | None = None
    hold_regime: bool = True
    config: Path = Path("config")
    data: Path | None = None
    json: bool = False
    web: bool = False
    take_over: bool = False  # start although another engine has just been active on the account
    flatten: bool = False  # unwind what the books hold, stop, and end

    def __post_init__(self) -> None:
        if self.tape is not None:
            check_tape(self.tape)
        if self.venue is not None and self.tape is not None:
            raise UsageError("--venue and --tape: a running venue has its own market; give one of them")
        if self.venue is not None and not re.match(r"^https?://[^/]+/?$", self.venue):
            raise UsageError(f"--venue {self.venue!r}: a URL like http://127.0.0.1:8080 is allowed")
        if self.regime is not None and (self.mode is not Mode.DEMO or self.tape or self.venue):
            raise UsageError("--regime: allowed in --mode demo only, without --tape and --venue")
        if self.regime is not None and self.regime not in REGIMES:
            raise UsageError(f"--regime is {self.regime}, allowed: {', '.join(REGIMES)}")
        if self.regime is None and not self.hold_regime:
            raise UsageError("--from-regime: allowed with --regime only")
        if self.mode is not Mode.DEMO and (self.tape or self.venue or self.from_ms or self.to_ms):
            raise UsageError(f"--tape, --venue, --from and --to belong to --mode demo, not {self.mode.value}")
        check_order(self.from_ms, self.to_ms)
        if (self.from_ms is not None or self.to_ms is not None) and self.tape is None:
            raise UsageError("--from and --to choose a part of a tape: give --tape too")
