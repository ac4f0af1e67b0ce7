"""Modules made for the scanner's tests, candles to keep, and a scan that is asked here and now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any, Final

from core.types import Candle, Side
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Stop
from strategy.auxiliary.language import Look, Module, Needs, Parameter, Signal
from strategy.auxiliary.scanner import Scanner
from strategy.auxiliary.scanning.asking import asked
from strategy.auxiliary.scanning.blacklist import BanRules, Blacklist
from strategy.auxiliary.scanning.candles import Candles
from strategy.auxiliary.scanning.sights import Sights, bars_kept
from strategy.auxiliary.scanning.words import Scan
from tests.fakes import START_MS

D = Decimal
NAME: Final = "BTC-USDT"
NO_BANS: Final = BanRules(automatic=False)
HOURLY: Final = Needs(bars={"1H": 3}, on="1H")
PLAN: Final = ExitPlan("toy", Stop((Distance(ratio=D("0.02")),)))


@dataclass
class Toy:
    """Says what it is told to say, and remembers every look it was shown."""

    name: str = "toy"
    needs: Needs = HOURLY
    says: Callable[[Look], Any] = lambda look: None
    about: str = "Nothing at all."
    parameters: tuple[Parameter, ...] = ()
    looks: list[Look] = field(default_factory=list)

    def signal(self, look: Look) -> Signal | None:
        self.looks.append(look)
        said: Signal | None = self.says(look)
        return said


def signal(look: Look, module: str = "toy", strength: str = "50", **other: Any) -> Signal:
    at_ms = look.bars["1H"].closed_ms if "1H" in look.bars else look.now_ms
    values: dict[str, Any] = {
        "module": module,
        "instrument": look.instrument,
        "side": Side.BUY,
        "strength": D(strength),
        "px": D(100),
        "at_ms": at_ms,
        "valid_until_ms": at_ms + 5_400_000,
        "evidence": (("toy", D(1)),),
        "plan": PLAN,
    }
    return Signal(**(values | other))


def candle(frame: str, at: int, closed: bool = True, px: str | None = None) -> Candle:
    """The bar that opens `at` bars after START_MS; every one has prices of its own."""
    close = D(px) if px else D(100) + D(at % 97) / 10
    return Candle(START_MS + at * FRAME_MS[frame], close, close + 1, close - 1, close, D(1_000 + at), closed)


def history(frame: str, count: int, until: int = 0) -> list[Candle]:
    """The `count` bars before the one that opens `until` bars after START_MS."""
    return [candle(frame, at) for at in range(until - count, until)]


def kept(
    modules: Iterable[Module], instruments: Sequence[str] = (NAME,), until_ms: int = START_MS
) -> Candles:
    """A store with all the modules need, closed until then."""
    store = Candles(bars_kept(modules))
    for instrument in instruments:
        for frame in store.frames:
            until = (until_ms - START_MS) // FRAME_MS[frame]
            store.take(instrument, frame, history(frame, store.kept(frame), until), until_ms)
    return store


def stormy(modules: Iterable[Module], instruments: Sequence[str]) -> Candles:
    """Walks that end in an hour of a break-out with four times the volume, some up and some down."""
    store = Candles(bars_kept(modules))
    for seed, instrument in enumerate(instruments):
        for frame in store.frames:
            random, px, count = Random(f"{seed} {frame}"), 100.0, store.kept(frame)
            rows = []
            for at in range(-count, 0):
                before, swing = px, 0.006 * (FRAME_MS[frame] / FRAME_MS["1H"]) ** 0.5
                px *= 1 + (0.03 * (-1) ** seed if at == -1 else random.gauss(0, swing))
                volume = random.uniform(5e4, 2e5) if at < -1 else 8e5
                figures = (before, max(before, px) * 1.001, min(before, px) * 0.999, px, volume)
                rows.append(
                    Candle(START_MS + at * FRAME_MS[frame], *(D(f"{each:.8g}") for each in figures))  # type: ignore[arg-type]
                )
            store.take(instrument, frame, rows, START_MS)
    return store


def copied(bars: Bars) -> Bars:
    """The same bars in columns of their own."""
    names = ("ts_ms", "open", "high", "low", "close", "volume")
    return replace(bars, **{name: getattr(bars, name).copy() for name in names})


def scanner_of(*modules: Module, **rest: Any) -> Scanner:
    return Scanner(modules, **({"blacklist": Blacklist(NO_BANS)} | rest))


def scan(
    scanner: Scanner, sights: Sights, now_ms: int = START_MS, instruments: Sequence[str] = (NAME,)
) -> Scan:
    modules: Mapping[str, Module] = {module.name: module for module in scanner.modules}
    round_ = scanner.begin(instruments, sights, now_ms)
    for group in round_.groups():
        round_.take([asked(modules, question, lambda: 0.0) for question in group])
    return round_.end()
