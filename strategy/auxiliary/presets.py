"""The four reference systems as exit plans, with what each would like of leverage, size and limits.

A wish is not a permission: the gate grants at most what the red lines and the sleeve allow, and writes both
down. `ours` says which numbers a system leaves open and what was put in their place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from config.schema import MAX_LEVERAGE
from core.types import HOUR_MS, ONE, ZERO, Base, Usdt
from core.verdict import Figures
from strategy.auxiliary.bars import MINUTE_MS
from strategy.auxiliary.exit_plan import Distance, ExitPlan, FactorRule, Stop, StopTo, Target, Trail, TrailBy

_HALF = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class LeverageByStrength:
    """Leverage in a straight line over a signal's strength: `least` at `weakest`, `most` at 100."""

    weakest: Decimal
    least: Decimal
    most: Decimal

    def stated(self, strength: Decimal) -> Decimal:
        """Return what the system itself would ask for."""
        return self.least + (self.most - self.least) * self._part(strength)

    def mapped(self, strength: Decimal) -> Decimal:
        """Return the same place between 1 and the red line, so that a stronger signal still gets more.

        Stated 2 to 5 for strengths from 75 to 100: of 87.5 stated 3.5, mapped 2.
        """
        return ONE + (MAX_LEVERAGE - ONE) * self._part(strength)

    def _part(self, strength: Decimal) -> Decimal:
        return min(ONE, max(ZERO, (strength - self.weakest) / (100 - self.weakest)))


@dataclass(frozen=True, slots=True)
class Preset:
    """One system's way to leave, and its wishes; None where it states nothing.

    wished_leverage   what it states; the most of it where strength decides (`by_strength`).
    margin_usdt       margin per trade.    notional_usdt  the most per position.
    risk_ratio        of the capital, lost when the stop is hit.    share_ratio  of the capital per position.
    total_ratio       of the capital in all positions together.
    least_strength    of a signal, 0-100.
    ours              what it leaves open, a sentence each.

    Raises ValueError when nothing of it sizes a position.
    """

    name: str
    about: str
    plan: ExitPlan
    wished_leverage: Decimal
    by_strength: LeverageByStrength | None = None
    margin_usdt: Usdt | None = None
    notional_usdt: Usdt | None = None
    risk_ratio: Decimal | None = None
    share_ratio: Decimal | None = None
    total_ratio: Decimal | None = None
    max_positions: int | None = None
    daily_trades: int | None = None
    daily_loss_ratio: Decimal | None = None
    daily_loss_usdt: Usdt | None = None
    least_strength: Decimal = ZERO
    ours: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ways = (self.margin_usdt, self.notional_usdt, self.risk_ratio, self.share_ratio)
        if all(way is None for way in ways):
            raise ValueError(f"{self.name}: nothing says how large a position is to be")

    def leverage_for(self, strength: Decimal) -> Decimal:
        """Return the leverage to ask the gate for: as stated, or by strength between 1 and the red line."""
        return self.wished_leverage if self.by_strength is None else self.by_strength.mapped(strength)

    def stated_leverage_for(self, strength: Decimal) -> Decimal:
        """Return what the system would ask for in its own scale: the journal has it beside the grant."""
        return self.wished_leverage if self.by_strength is None else self.by_strength.stated(strength)

    def wished_size(
        self, capital: Usdt, entry_px: Decimal, stop_px: Decimal, leverage: Decimal
    ) -> tuple[Base, Figures]:
        """Return the coins it would enter with, and every way it was asked; the least of them counts.

        margin    margin per trade x leverage / price.
        risk      capital x risk ratio / distance to the stop: (2 % / 3.2 %) x 10 000 is 6 250 USDT.
        share     capital x share / price.
        notional  the most per position / price.

        Raises ValueError for a price or leverage that is not above zero, or a stop at the entry.
        """
        if min(entry_px, stop_px, leverage) <= 0 or entry_px == stop_px:
            raise ValueError(f"no size for an entry at {entry_px}, stop {stop_px}, leverage {leverage}")
        ways: dict[str, Decimal] = {}
        if self.margin_usdt is not None:
            ways["margin_base"] = self.margin_usdt * leverage / entry_px
        if self.risk_ratio is not None:
            ways["risk_base"] = capital * self.risk_ratio / abs(entry_px - stop_px)
        if self.share_ratio is not None:
            ways["share_base"] = capital * self.share_ratio / entry_px
        if self.notional_usdt is not None:
            ways["notional_base"] = self.notional_usdt / entry_px
        bound = min(ways, key=lambda way: ways[way])
        return Base(ways[bound]), (*ways.items(), ("bound_by", bound))


def dtrs(stop_atr: Decimal = Decimal("1.5"), frame: str = "1H") -> Preset:
    """Return the trend scanner's plan for one of its periods (1H, 4H, 1D)."""
    plan = ExitPlan(
        "dtrs",
        Stop((Distance(atr=stop_atr),)),
        (
            Target(Distance(atr=Decimal("0.618")), Decimal("0.4"), StopTo.TARGET),
            Target(Distance(atr=Decimal("1.618"))),
        ),
        (Trail(TrailBy.EMA20, frame="15m"), Trail(TrailBy.MA20, frame="15m")),
        emergency_ratio=Decimal("0.30"),
        cooldown_ms=3_000,
        frame=frame,
    )
    return Preset(
        "dtrs",
        "ATR stop, 40 % off at 0.618 ATR with the stop moved there, the rest at 1.618 ATR or at an average",
        plan,
        wished_leverage=Decimal(10),
        margin_usdt=Usdt(Decimal(50)),
        max_positions=20,
        ours=("The multiple of the ATR its stop lies at: 1.5.",),
    )


_ATS_RULES: Final = (
    FactorRule("strength", Decimal("0.7"), stop_times=Decimal("0.8"), target_times=Decimal("1.3")),
    FactorRule("trend", Decimal("0.6"), target_times=Decimal("1.2")),
    FactorRule("liquidity", Decimal("0.6"), stop_times=Decimal("0.9")),
    FactorRule("volatility", Decimal("3.0"), stop_times=Decimal("1.5")),
)


def ats(conservative: bool = False) -> Preset:
    """Return the factor-driven manager's plan. Factors: strength, trend, liquidity 0-1, volatility in %."""
    name = "ats_conservative" if conservative else "ats"
    plan = ExitPlan(
        name,
        _percent_stop("2"),
        (Target(_percent("4"), _HALF, StopTo.ENTRY), Target(_percent("8"), _HALF)),
        rules=_ATS_RULES,
    )
    weakest = Decimal(80 if conservative else 75)
    return Preset(
        name,
        "2 % stop, half off at 4 % with the stop moved to the entry, half at 8 %, stretched by four factors",
        plan,
        wished_leverage=Decimal(5),
        by_strength=LeverageByStrength(weakest, least=Decimal(2), most=Decimal(5)),
        notional_usdt=Usdt(Decimal(5_000 if conservative else 10_000)),
        risk_ratio=Decimal("0.02"),
        max_positions=3 if conservative else 5,
        daily_loss_usdt=Usdt(Decimal(1_000 if conservative else 2_000)),
        least_strength=weakest,
        ours=(
            "Its risk budget per trade: 2 % of the capital.",
            "That volatility is counted in percent of the price.",
        ),
    )


def smart(stop_atr: Decimal = Decimal(2)) -> Preset:
    """Return the leveraged system's plan: it asks less the longer it takes, and is over after four hours."""
    least, most = Decimal(1), Decimal(3)
    if not least <= stop_atr <= most:
        raise ValueError(f"stop_atr is {stop_atr}, allowed: {least} to {most}")
    rungs = (("1", "0.5", 5, 15, "0.3"), ("3", "1", 15, 60, "0.3"), ("10", "3", 60, 240, None))
    targets = tuple(
        Target(
            _percent(first),
            Decimal(fraction) if fraction else None,
            from_ms=since * MINUTE_MS,
            relaxes_to=_percent(last),
            by_ms=until * MINUTE_MS,
        )
        for first, last, since, until, fraction in rungs
    )
    stop = Stop((Distance(atr=stop_atr),), at_support=True, margin_over_leverage=Decimal("0.8"))
    return Preset(
        "smart",
        "30, 30 and 40 % off by holding time; stop at 0.8 of the margin, 2 ATR or a support; over after 4 h",
        ExitPlan("smart", stop, targets, max_hold_ms=4 * HOUR_MS, frame="15m"),
        wished_leverage=Decimal(25),
        risk_ratio=Decimal("0.02"),
        ours=(
            "The bars its ATR is of: 15 minutes.",
            "Its time stop: the end of its last rung, four hours.",
            "Within a rung the target falls in a straight line from its upper figure to its lower one.",
        ),
    )


def vs(name: str, share: str, stop: str, first: str, last: str | None, ours: tuple[str, ...] = ()) -> Preset:
    """Return a plan of the confluence system, figures in percent; without a last target the rest trails."""
    targets = (Target(_percent(first), _HALF), *((Target(_percent(last)),) if last else ()))
    trails = () if last else (Trail(TrailBy.RATIO, Decimal(stop) / 100, after_targets=1),)
    end = f"the rest at {last} %" if last else f"the rest trails by {stop} %"
    return Preset(
        name,
        f"{stop} % stop, half off at {first} %, {end}",
        ExitPlan(name, _percent_stop(stop), targets, trails),
        wished_leverage=ONE,
        share_ratio=Decimal(share) / 100,
        total_ratio=_HALF,
        daily_trades=20,
        daily_loss_ratio=Decimal("0.05"),
        ours=("Its leverage: none.", *ours),
    )


def _percent(value: str) -> Distance:
    return Distance(ratio=Decimal(value) / 100)


def _percent_stop(value: str) -> Stop:
    return Stop((_percent(value),))


_DOUBLE: Final = "Its second target: twice the first, as in the default."
_TRAILS: Final = "How far its trailing stop lies behind: as far as its first stop."

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            dtrs(),
            ats(),
            ats(conservative=True),
            smart(),
            vs("vs", "10", "3", "5", "10"),
            vs("vs_conservative", "5", "2", "3", "6", (_DOUBLE,)),
            vs("vs_aggressive", "15", "5", "8", "16", (_DOUBLE,)),
            vs("vs_trailing", "10", "3", "5", None, (_TRAILS,)),
        )
    }
)
