"""Who is measured: every module of the engine, and parts of those a tape does not have everything for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from scripts.modules.asking import Proposals, proposals
from scripts.modules.book import Way
from scripts.modules.claims import ALONE, SYSTEM_OF
from scripts.modules.screens import screen_of
from scripts.modules.stand_ins import STAND_INS
from scripts.modules.tape import Coin
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.exit_plan import ExitPlan, Measures
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.language import Module, Signal
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.modules.proposal import rounded
from strategy.auxiliary.presets import Preset

ATR_BARS, ATR_SHOWN = 14, 240
TIMED_FRAME = "5m"  # a plan that looks at targets within the hour is watched on bars no longer than this
HOUR = FRAME_MS["1H"]

Settings = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Subject:
    """`lacks`: what the module asks for that no tape here has; keys of words.py. Empty: it is measured."""

    name: str
    make: Callable[[Settings], Module]
    system: str
    is_module: bool
    lacks: tuple[str, ...] = ()

    @property
    def is_walked(self) -> bool:
        """Whether its parameters are searched: those of a whole module, or of what stands in for one."""
        return not self.lacks and self.name not in ALONE

    def frame(self) -> str:
        """The bars its positions are watched on: the shortest it is asked about, and the hour at most."""
        frames = [frame for frame in self.make({}).needs.bars if FRAME_MS[frame] <= HOUR] or ["1H"]
        return min(frames, key=lambda one: FRAME_MS[one])

    def ask(self, coins: Sequence[Coin], from_ms: int, to_ms: int, given: Settings) -> Proposals:
        """Return its proposals on all coins. Raises ValueError for settings it refuses."""
        module = self.make(given)
        screen = screen_of(module, given)
        found = [proposals(module, coin, from_ms, to_ms, screen) for coin in coins]
        closes = np.concatenate([each.closes_ms for each in found]) if found else np.empty(0, dtype=np.int64)
        return Proposals(tuple(one for each in found for one in each.signals), np.unique(closes))


def subjects() -> tuple[Subject, ...]:
    """Every module by name, each followed by what stands in for parts of it."""
    found = []
    for name, make in MODULES.items():
        needs = make({}).needs
        lacks = [key for key, asked in (("events", needs.events), ("open_interest", needs.open_interest),
                                        ("long_short", needs.long_short)) if asked]  # fmt: skip
        found.append(Subject(name, make, SYSTEM_OF.get(name, ""), True, tuple(lacks)))
        for other, stand_in in STAND_INS.items():
            if other.startswith(name):
                found.append(Subject(other, stand_in, SYSTEM_OF.get(name, ""), False))
    assert ALONE.keys() <= {each.name for each in found}
    return tuple(found)


def own_way(signal: Signal) -> Way:
    """The plan the module itself proposed. The ensemble says which of its strategies it was."""
    label = dict(signal.evidence).get("strategy", "")
    return Way(signal.plan, signal.measures, signal.wished_leverage, str(label))


class PresetWay:
    """A reference system's way to leave, for whatever proposal; distances are of its own bars."""

    def __init__(self, preset: Preset, coins: Sequence[Coin]) -> None:
        self.preset = preset
        self._plan = without_rules(preset.plan)
        self._coins = {coin.instrument: coin for coin in coins}

    def __call__(self, signal: Signal) -> Way | None:
        """Return the way; None where its range cannot be measured, or the signal is too weak for it."""
        series = self._coins[signal.instrument].series.get(self._plan.frame)
        if signal.strength < self.preset.least_strength:
            return None
        range_px = None
        if _in_atr(self._plan):
            if series is None:
                return None
            [index], [count] = series.newest(np.array([signal.at_ms]))
            if count < ATR_SHOWN // 2:
                return None
            bars = series.bars(int(index), ATR_SHOWN)
            range_px = float(atr(bars.high, bars.low, bars.close, ATR_BARS)[-1])
            if range_px <= 0:
                return None
        measures = Measures(None if range_px is None else rounded(range_px), signal.measures.support)
        return Way(self._plan, measures, self.preset.leverage_for(signal.strength))

    def frame(self, subject: Subject) -> str:
        """The bars a position is watched on: the subject's, or shorter where the plan needs it."""
        own = subject.frame()
        timed = any(0 < target.from_ms < 15 * MINUTE_MS for target in self._plan.targets)
        return min((own, TIMED_FRAME), key=lambda one: FRAME_MS[one]) if timed else own


def without_rules(plan: ExitPlan) -> ExitPlan:
    """The plan without factor rules: only factor_score measures the factors, and applies them itself."""
    return replace(plan, rules=())


def _in_atr(plan: ExitPlan) -> bool:
    distances = [*plan.stop.distances, *(target.distance for target in plan.targets)]
    return any(each.atr is not None for each in distances)
