"""From proposals to trades: what the sleeve's limits let in, and what became of each.

A proposal is known at the close of its bar and entered at the open of the next one, never at that close.
What is let in does not depend on how earlier trades ended, except that a coin is taken while one is held:
sizes are of a constant capital, and nothing is compounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal

from config.schema import MAX_LEVERAGE
from core.types import DAY_MS, HOUR_MS, ONE, Base, Usdt
from scripts.modules.asking import LOT
from scripts.modules.ride import Ride
from scripts.modules.tape import Coin
from scripts.modules.trade import Costs, Trade, charges_of, fills_of
from scripts.modules.watched import Watched
from strategy.auxiliary.exit_plan import ExitPlan, Measures
from strategy.auxiliary.exit_progress import entered
from strategy.auxiliary.language import Signal
from strategy.auxiliary.modules.proposal import exact


@dataclass(frozen=True, slots=True)
class Limits:
    """The sleeve's rules, the red lines among them.

    capital  of the sleeve, USDT.    risk_ratio  of it, lost at most at the stop.
    coin_ratio  of it, in one coin.
    day  entries of one module within 24 h, `apart_ms` between two.
    deviation  of the entry from the signal.
    stop_within  of the margin: leverage is cut until the stop lies before the liquidation.
    """

    capital: Usdt = field(default_factory=lambda: Usdt(Decimal(10_000)))
    risk_ratio: Decimal = Decimal("0.02")
    coin_ratio: Decimal = Decimal("0.10")
    leverage: Decimal = MAX_LEVERAGE
    day: int = 4
    apart_ms: int = HOUR_MS
    deviation: Decimal = Decimal("0.01")
    stop_within: Decimal = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class Way:
    """How a proposal would end on this tape. `label`: which of a module's ways it was."""

    plan: ExitPlan
    measures: Measures
    wished_leverage: Decimal
    label: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """`refused`: how many proposals came to nothing, by reason."""

    trades: tuple[Trade, ...]
    refused: Mapping[str, int]


WayOf = Callable[[Signal], Way | None]


class Desk:
    """Rides positions on one tape; of one proposal and one way it does so once."""

    def __init__(self, coins: Iterable[Coin], frame: str, costs: Costs, limits: Limits) -> None:
        self.coins = {coin.instrument: coin for coin in coins if frame in coin.series}
        self.frame, self.costs, self.limits = frame, costs, limits
        self._watched = {name: Watched(coin, frame) for name, coin in self.coins.items()}
        self._known: dict[tuple[object, ...], Trade | str] = {}

    def trade(self, signal: Signal, way: Way) -> Trade | str:
        """Return what a proposal would have come to, or why there would have been no entry."""
        key = (signal.signal_id, signal.px, signal.strength, signal.most_base, way)
        if key not in self._known:
            self._known[key] = self._trade(signal, way)
        return self._known[key]

    def _trade(self, signal: Signal, way: Way) -> Trade | str:
        watched = self._watched.get(signal.instrument)
        at = None if watched is None else watched.series.at(signal.at_ms)
        if watched is None or at is None:
            return "no bar to enter at"
        shown_px = exact(watched.series.open[at])
        if abs(shown_px - signal.px) > self.limits.deviation * signal.px:
            return "the price had run away"
        px, plan, limits = self.costs.paid_px(signal.side, shown_px), watched.played(way.plan), self.limits
        try:
            leverage = max(ONE, min(way.wished_leverage, limits.leverage))
            stop_px = plan.levels(signal.side, px, way.measures, leverage).stop_px
            leverage = max(ONE, min(leverage, limits.stop_within * px / abs(px - stop_px)))
            base = _size(signal, px, abs(px - stop_px), limits)
            entry = entered(
                plan,
                signal.side,
                base,
                px,
                leverage=leverage,
                margin=Usdt(base * px / leverage),
                lot=LOT,
                opened_ms=signal.at_ms,
                measures=way.measures,
            )
        except ValueError:
            return "the plan has no stop there"
        fills = fills_of(entry, shown_px, Ride(plan, entry, watched).exits(at), self.costs)
        return Trade(
            signal.module,
            plan.name,
            signal.instrument,
            signal.side,
            signal.at_ms,
            signal.strength,
            entry.levels.stop_px,
            leverage,
            fills,
            charges_of(watched.coin, self.frame, fills),
            way.label,
        )


def _size(signal: Signal, px: Decimal, per_coin: Decimal, limits: Limits) -> Base:
    """Return the coins: the least of what the stop may lose, what one coin may be, and what is asked for."""
    ways = [limits.capital * limits.risk_ratio / per_coin, limits.capital * limits.coin_ratio / px]
    if signal.most_base is not None:
        ways.append(signal.most_base)
    return Base(min(ways).quantize(LOT, ROUND_DOWN))


def play(signals: Iterable[Signal], way_of: WayOf, desks: Mapping[str, Desk]) -> Played:
    """Return the trades of one module, or of several beside one another; `desks` by module.

    Of two proposals at one instant the stronger is heard, as with the scanner.
    """
    trades: list[Trade] = []
    refused: Counter[str] = Counter()
    entries: dict[str, list[int]] = {}
    taken_until_ms: dict[str, int] = {}
    for signal in sorted(signals, key=lambda one: (one.at_ms, -one.strength, one.module, one.instrument)):
        desk = desks[signal.module]
        own = entries.setdefault(signal.module, [])
        if taken_until_ms.get(signal.instrument, -1) >= signal.at_ms:
            refused["something was held there"] += 1
        elif own and signal.at_ms - own[-1] < desk.limits.apart_ms:
            refused["an entry a moment ago"] += 1
        elif sum(at_ms > signal.at_ms - DAY_MS for at_ms in own[-desk.limits.day :]) >= desk.limits.day:
            refused["entries of the day used up"] += 1
        elif (way := way_of(signal)) is None:
            refused["the plan cannot be measured there"] += 1
        elif isinstance(found := desk.trade(signal, way), str):
            refused[found] += 1
        else:
            trades.append(found)
            own.append(signal.at_ms)
            taken_until_ms[signal.instrument] = found.closed_ms
    return Played(tuple(trades), dict(refused))


def turned(signal: Signal, way: Way) -> tuple[Signal, Way]:
    """Return the same proposal the other way round, its support as far on the other side.

    Half of the one and half of the other is what a coin toss at the same instants would have come to.
    """
    support = way.measures.support
    mirrored = None if support is None else 2 * signal.px - support
    measures = replace(way.measures, support=mirrored if mirrored is None or mirrored > 0 else None)
    other = replace(signal, side=signal.side.opposite, plan=way.plan, measures=measures)
    return other, replace(way, measures=measures)
