"""strategy.yaml, section auxiliary: which signal modules run, with what numbers, and within what limits.

The red lines of their sleeve are the constants below. They are bounds here, and asked again at every signal
and every order: a configuration can only be stricter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from config.section import MAX_LEVERAGE, InstrumentName, Section

MAX_ENTRIES_PER_DAY: Final = 4  # of one module within any 24 hours
MIN_ENTRY_GAP_S: Final = 3_600  # between two entries of one module
MAX_RISK_RATIO: Final = Decimal("0.02")  # of the sleeve, lost when the stop of one position is hit

ModuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ModuleParameter = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39} ?= ?-?[0-9]{1,15}(\.[0-9]{1,15})?$")
]


class AuxiliaryLimits(Section):
    """What the gate lets through at most, over all modules unless it says otherwise."""

    max_leverage: Annotated[Decimal, Field(ge=1, le=MAX_LEVERAGE)] = Decimal(3)
    max_risk_ratio: Annotated[Decimal, Field(gt=0, le=MAX_RISK_RATIO)] = Decimal("0.02")
    max_entries_per_day: Annotated[int, Field(ge=1, le=MAX_ENTRIES_PER_DAY)] = 4
    min_entry_gap_s: Annotated[int, Field(ge=MIN_ENTRY_GAP_S, le=86_400)] = 3_600
    max_trades_per_day: Annotated[int, Field(ge=1, le=100)] = 20
    max_positions: Annotated[int, Field(ge=1, le=20)] = 5
    max_notional: Annotated[Decimal, Field(gt=0, le=1_000_000_000)] = Decimal(10_000)
    min_notional: Annotated[Decimal, Field(gt=0, le=1_000_000_000)] = Decimal(10)
    max_coin_ratio: Annotated[Decimal, Field(gt=0, le=Decimal("0.5"))] = Decimal("0.1")
    max_total_ratio: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.5")
    daily_loss_ratio: Annotated[Decimal, Field(gt=0, le=Decimal("0.2"))] = Decimal("0.05")
    daily_loss_limit: Annotated[Decimal, Field(gt=0, le=1_000_000_000)] = Decimal(2_000)
    max_correlation: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.8")
    max_deviation_ratio: Annotated[Decimal, Field(gt=0, le=Decimal("0.05"))] = Decimal("0.01")
    max_slippage_bps: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(15)
    max_depth_share: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.2")
    max_market_age_s: Annotated[int, Field(gt=0, le=600)] = 10

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_notional > self.max_notional:
            raise ValueError(f"min_notional {self.min_notional} is above max_notional {self.max_notional}")
        if self.max_coin_ratio > self.max_total_ratio:
            raise ValueError(
                f"max_coin_ratio {self.max_coin_ratio} is above max_total_ratio {self.max_total_ratio}"
            )
        return self


class Blacklist(Section):
    """Coins that keep losing are left alone for a while."""

    enabled: bool = False
    losses: Annotated[int, Field(ge=1, le=100)] = 3
    hours: Annotated[Decimal, Field(gt=0, le=8760)] = Decimal(168)


class AuxiliaryModules(Section):
    """Optional signal modules; they come with their own sleeve and obey the same guards."""

    enabled: bool = False
    modules: Annotated[tuple[ModuleName, ...], Field(min_length=0, max_length=20)] = ()
    parameters: Annotated[tuple[ModuleParameter, ...], Field(min_length=0, max_length=200)] = ()
    symbols: Annotated[tuple[InstrumentName, ...], Field(min_length=0, max_length=500)] = ()
    exclude: Annotated[tuple[InstrumentName, ...], Field(min_length=0, max_length=500)] = ()
    exit_preset: Literal[
        "own",
        "dtrs",
        "ats",
        "ats_conservative",
        "smart",
        "vs",
        "vs_conservative",
        "vs_aggressive",
        "vs_trailing",
    ] = "own"
    blacklist: Blacklist = Blacklist()
    limits: AuxiliaryLimits = AuxiliaryLimits()

    @model_validator(mode="after")
    def _known(self) -> Self:
        for name in ("modules", "symbols", "exclude"):
            given = getattr(self, name)
            if twice := sorted({each for each in given if given.count(each) > 1}):
                raise ValueError(f"{name} names one twice: {', '.join(twice)}")
        if both := set(self.symbols) & set(self.exclude):
            raise ValueError(f"{', '.join(sorted(both))} is both in symbols and in exclude")
        seen: set[tuple[str, str]] = set()
        for text in self.parameters:
            module, name, _ = parts_of(text)
            if module not in self.modules:
                raise ValueError(f"parameters: {text} is for a module that is not in modules")
            if (module, name) in seen:
                raise ValueError(f"parameters gives {module}.{name} twice")
            seen.add((module, name))
        if self.enabled and not self.modules:
            raise ValueError("enabled is true and modules names none; at least one is allowed, or false")
        return self

    def given(self, module: str) -> Mapping[str, Decimal]:
        """Return what `parameters` says to one module, by name; whether it has such a number it knows."""
        told = (parts_of(text) for text in self.parameters)
        return {name: value for of, name, value in told if of == module}


def parts_of(text: str) -> tuple[str, str, Decimal]:
    """Return module, parameter and value of "trend_breakout.ma_bars = 30".

    Raises ValueError for another form: it is checked before anybody asks.
    """
    found = re.fullmatch(r"(\w+)\.(\w+) ?= ?(-?[0-9.]+)", text)
    if found is None:
        raise ValueError(f"{text!r}, allowed: module.parameter = number")
    return found[1], found[2], Decimal(found[3])
