"""`main.py modules`: what the signal modules would have come to on a tape."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from config.loader import load
from core.errors import UsageError
from core.types import Usdt
from scripts.backtest.command import LANGUAGES, in_language
from scripts.modules.book import Limits
from scripts.modules.files import study_object
from scripts.modules.page import write
from scripts.modules.sheets import text_of
from scripts.modules.study import Order, studied
from scripts.modules.subjects import subjects
from scripts.modules.tape import Coin, read_coins
from scripts.modules.trade import Costs
from scripts.modules.words import said_in
from scripts.options import check_order, check_tape


@dataclass(frozen=True, slots=True)
class ModulesOptions:
    """One measurement as asked for.

    only         names of modules; empty: all of them.
    venue        whose candles, where the tape has several; None: those that cover most of the period.
    sets, folds  of the walk-forward: parameter sets tried, and judged parts; one of them 0: none.
    Raises UsageError for what cannot be.
    """

    tape: Path
    instruments: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    only: tuple[str, ...] = ()
    venue: str | None = None
    taker: Decimal = Decimal("0.0005")
    slippage: Decimal = Decimal("0.0003")
    capital: Decimal = Decimal(10_000)
    sets: int = 16
    folds: int = 4
    seed: int = 7
    workers: int = 1
    out: Path | None = None
    config: Path = Path("config")
    json: bool = False
    language: str | None = None

    def __post_init__(self) -> None:
        check_tape(self.tape)
        check_order(self.from_ms, self.to_ms)
        try:
            Costs(self.taker, self.slippage)
        except ValueError as error:
            raise UsageError(f"--{error}") from error
        names = [each.name for each in subjects()]
        if unknown := [name for name in self.only if name not in names]:
            raise UsageError(f"--only {', '.join(unknown)}: allowed: {', '.join(names)}")
        if self.capital <= 0:
            raise UsageError(f"--capital {self.capital}: allowed: USDT above 0")
        if self.language is not None and self.language not in LANGUAGES:
            raise UsageError(f"--language {self.language}: allowed: {', '.join(LANGUAGES)}")


def measure(options: ModulesOptions) -> int:
    """Measure, write what was asked for, print the tables; return the exit code. Raises EngineError."""
    began = time.monotonic()
    settings = in_language(load(options.config), options.language)
    language = settings.monitor.language
    names = options.instruments or settings.instruments.instruments
    coins = read_coins(options.tape, names, options.from_ms, options.to_ms, options.venue)
    from_ms, to_ms = _period(coins, options)
    order = Order(
        from_ms,
        to_ms,
        Costs(options.taker, options.slippage),
        Limits(capital=Usdt(options.capital)),
        options.only,
        options.sets,
        options.folds,
        options.seed,
        options.workers,
    )
    said = said_in(language)

    def tell(what: str) -> None:
        print(said("progress", what=what, s=f"{time.monotonic() - began:.0f}"), file=sys.stderr, flush=True)

    study = studied(coins, order, tell)
    if options.out is not None:
        write(study, options.out, language)
    if options.json:
        print(json.dumps(study_object(study), ensure_ascii=False))
        return 0
    print(text_of(study, said))
    if options.out is not None:
        print(said("results", folder=options.out, page=options.out / "modules.html"))
    return 0


def _period(coins: tuple[Coin, ...], options: ModulesOptions) -> tuple[int, int]:
    """What was asked for, or from the first to the last candle there is."""
    every = [series for coin in coins for series in coin.series.values()]
    begin, end = min(int(one.ts_ms[0]) for one in every), max(int(one.closed_ms[-1]) for one in every)
    from_ms, to_ms = options.from_ms or begin, options.to_ms or end
    if from_ms >= min(to_ms, end):
        raise UsageError(f"--from {from_ms}: the tape's candles end at {end}, allowed: a time before it")
    return from_ms, to_ms
