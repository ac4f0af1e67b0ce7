"""What the contract asks for, as a planner: the decisions alone. Everything else is the engine's own.

At the close of a bar, with at most one action a bar and pair:

    open, and (M + (entry - mark) x qty) / (mark x qty x MMR) < MIN_RATIO   close; M is fixed at the entry
    open, the bar is a settlement, and its rate is negative                 close
    flat, the bar is a settlement, and LEAST <= rate <= MOST                open NOTIONAL at the spot price

Funding is the venue's: it has charged the settlement before anybody looks at the bar.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import Account, Instruments, Settings
from core.context import Context, HedgeView, MarketView
from core.events import HedgeTarget, Plan, Purpose
from core.types import ZERO, Base, floor_to
from core.verdict import Verdict

BAR_MS: Final = 300_000
NOTIONAL: Final = Decimal(10_000)  # USDT, at most
MARGIN: Final = NOTIONAL / 3
MMR: Final = Decimal("0.005")
MIN_RATIO: Final = 5
LOT: Final = Decimal("0.0001")  # coins
LEAST, MOST = Decimal("0.0001"), Decimal("0.01")  # of the rate of a settlement
CASH: Final = 20_000  # USDT a pair brings
SUNK: Final = "the margin ratio is too low"
NEGATIVE: Final = "funding is negative"


def size_at(spot_px: Decimal) -> Base:
    """Coins for NOTIONAL, in whole lots."""
    return Base(floor_to(NOTIONAL / spot_px, LOT))


def is_sunk(entry_px: Decimal, mark_px: Decimal, coins: Decimal) -> bool:
    """Whether what is left of the margin is too little for the maintenance margin at mark."""
    return MARGIN + (entry_px - mark_px) * coins < MIN_RATIO * mark_px * coins * MMR


class ContractRules:
    """Implements core.ports.Planner; judges by the context alone."""

    def plan(self, ctx: Context) -> Plan:
        opening: list[HedgeTarget] = []
        closing: list[HedgeTarget] = []
        verdicts: list[Verdict] = []
        bar = ctx.now_ms // BAR_MS
        for name in sorted(ctx.markets):
            market, hedge = ctx.markets[name], ctx.hedges.get(name)
            settled = market.settled[-1] if market.settled else None
            rate = settled.rate if settled is not None and settled.ts_ms // BAR_MS == bar else None
            if hedge is not None and hedge.size:
                if reason := self._against(ctx, market, hedge, rate):
                    closing.append(HedgeTarget(name, Base(ZERO), Purpose.EXIT, reason))
                verdicts.append(Verdict(not reason, "hold", reason or "held", (), name))
            elif rate is not None:
                pays = LEAST <= rate <= MOST and ctx.last_close_ms.get(name, 0) // BAR_MS != bar
                if pays and market.spot is not None:
                    size = size_at(market.spot.mid)
                    opening.append(HedgeTarget(name, size, Purpose.OPEN, "funding is in the band"))
                verdicts.append(Verdict(pays, "funding_band", "settled now", (("rate", rate),), name))
        return Plan(tuple(opening), tuple(closing), tuple(verdicts))

    @staticmethod
    def _against(ctx: Context, market: MarketView, hedge: HedgeView, rate: Decimal | None) -> str:
        """Why the hedge must go; empty when it stays."""
        if hedge.opened_ms // BAR_MS == ctx.now_ms // BAR_MS:
            return ""  # the bar has had its action
        position = ctx.account.positions.get(market.pair.swap.inst_id) if ctx.account else None
        if position is None or market.mark_px is None:
            return ""
        if is_sunk(position.avg_px, market.mark_px, hedge.short_base):
            return SUNK
        return NEGATIVE if rate is not None and rate < 0 else ""


def settings_for(coins: tuple[str, ...]) -> Settings:
    """The engine's configuration under which nothing but the contract's rules decides.

    The contract gives every pair cash for a hedge without leverage and lets the short lose a third of it:
    the engine's own upkeep of the margin, its breaker and its caps stand outside of that range. Red lines
    are code and hold as ever.
    """
    usual, cash = Settings(), Decimal(CASH * len(coins))
    risk = usual.risk
    margin = risk.margin.model_copy(
        update={
            "open_above": Decimal("0.35"),
            "rebalance_below": Decimal("0.35"),
            "emergency_below": Decimal("0.34"),
            "sweep_above": Decimal(20),
            "min_transfer_usdt": cash,
            "venue_ratio_warning": Decimal("1.5"),
            "project_sigmas": ZERO,
            "stress_rise_ratio": ZERO,
        }
    )
    breaker = risk.circuit_breaker.model_copy(
        update={
            "losing_rounds": 100,
            "daily_loss_limit": cash,
            "max_drawdown_ratio": Decimal("0.15"),
            "max_opens_per_day": 1000,
        }
    )
    caps = risk.caps.model_copy(
        update={"max_instruments": 100, "max_concentration": Decimal(1), "max_total_value": cash}
    )
    liquidity = risk.liquidity.model_copy(update={"max_depth_share": Decimal(1)})
    changed = risk.model_copy(
        update={"margin": margin, "circuit_breaker": breaker, "caps": caps, "liquidity": liquidity}
    )
    made = usual.model_copy(
        update={
            "account": Account(
                total_capital=cash,
                core_ratio=Decimal(1),
                spot_ratio=Decimal("0.7"),
                futures_ratio=Decimal("0.28"),
                max_position_value=cash,
            ),
            "instruments": Instruments(instruments=tuple(f"{coin}-USDT" for coin in coins)),
            "risk": changed,
        }
    )
    return Settings.model_validate(made.model_dump())
