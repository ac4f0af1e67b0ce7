"""What is in force for one signal: the configured limits, the preset's if stricter, the red lines always."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from config.auxiliary import MAX_ENTRIES_PER_DAY, MAX_RISK_RATIO, MIN_ENTRY_GAP_S, AuxiliaryModules
from config.schema import MAX_LEVERAGE
from core.types import ZERO, Usdt
from strategy.auxiliary.language import Signal
from strategy.auxiliary.presets import PRESETS, Preset

OWN: Final = "own"  # the plan is the module's


@dataclass(frozen=True, slots=True)
class Bounds:
    """Amounts in USDT of the sleeve as it is now. `wished_leverage` is a wish; the rest are ceilings."""

    preset: Preset | None
    wished_leverage: Decimal
    leverage: Decimal
    risk: Usdt
    coin: Usdt
    total: Usdt
    notional: Usdt
    least_notional: Usdt
    daily_loss: Usdt
    positions: int
    entries_per_day: int
    entry_gap_ms: int
    trades_per_day: int
    least_strength: Decimal


def bounds_of(signal: Signal, rules: AuxiliaryModules, capital: Usdt) -> Bounds:
    """Return the ceilings for this signal. What a preset does not state tightens nothing."""
    limits = rules.limits
    preset = None if rules.exit_preset == OWN else PRESETS[rules.exit_preset]

    def stated(name: str) -> Any:
        return getattr(preset, name) if preset else None

    def part(ratio: Decimal | None) -> Decimal | None:
        return None if ratio is None else capital * ratio

    return Bounds(
        preset,
        preset.leverage_for(signal.strength) if preset else signal.wished_leverage,
        leverage=min(limits.max_leverage, MAX_LEVERAGE),
        risk=_least(part(limits.max_risk_ratio), part(MAX_RISK_RATIO), part(stated("risk_ratio"))),
        coin=_least(part(limits.max_coin_ratio), part(stated("share_ratio"))),
        total=_least(part(limits.max_total_ratio), part(stated("total_ratio"))),
        notional=_least(limits.max_notional, stated("notional_usdt")),
        least_notional=Usdt(limits.min_notional),
        daily_loss=_least(
            part(limits.daily_loss_ratio),
            limits.daily_loss_limit,
            part(stated("daily_loss_ratio")),
            stated("daily_loss_usdt"),
        ),
        positions=min(limits.max_positions, stated("max_positions") or limits.max_positions),
        entries_per_day=min(limits.max_entries_per_day, MAX_ENTRIES_PER_DAY),
        entry_gap_ms=1_000 * max(limits.min_entry_gap_s, MIN_ENTRY_GAP_S),
        trades_per_day=min(limits.max_trades_per_day, stated("daily_trades") or limits.max_trades_per_day),
        least_strength=stated("least_strength") or ZERO,
    )


def _least(*ways: Decimal | None) -> Usdt:
    return Usdt(min(way for way in ways if way is not None))
