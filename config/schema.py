"""The only place where a parameter has a type, a unit, a bound and a default.

Each YAML file of a configuration folder is read into one section. Sections are frozen and refuse
unknown keys. Decimals are read from the text as written: 0.01 % is written 0.0001.
Red lines are not here: they are code (risk/red_lines.py) and cannot be configured away.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.auxiliary import AuxiliaryModules as AuxiliaryModules
from config.degradation import Degradation as Degradation
from config.monitor import Monitor
from config.section import MAX_LEVERAGE as MAX_LEVERAGE
from config.section import HttpUrl, InstrumentName, Ratio, Section, StreamUrl, Usdt
from config.watchdog import Watchdog

# --- account.yaml -----------------------------------------------------------------------------


class Account(Section):
    """account.yaml: whose money, how much of it, and how it is split."""

    venue: Annotated[
        Literal["okx", "okx-demo"],
        Field(description="okx trades real money, okx-demo is the venue's own demo trading"),
    ] = "okx-demo"
    region: Annotated[Literal["global", "eea", "us"], Field(description="which hosts the key belongs to")] = (
        "global"
    )
    rest_url: Annotated[
        HttpUrl | None, Field(description="another REST base URL; empty takes the region's")
    ] = None
    stream_url: Annotated[
        StreamUrl | None, Field(description="another WebSocket base URL, without /public")
    ] = None
    total_capital: Annotated[
        Decimal, Field(gt=0, le=1_000_000_000, description="USDT the engine may use")
    ] = Decimal(100_000)
    compound: Annotated[
        bool,
        Field(description="true: profits and losses move the capital, in steps of 5 %, never above equity"),
    ] = False
    core_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="share of the capital for cash and carry")
    ] = Decimal("0.8")
    auxiliary_ratio: Annotated[Ratio, Field(description="share of the capital for auxiliary strategies")] = (
        Decimal(0)
    )
    spot_ratio: Annotated[
        Decimal, Field(gt=0, lt=1, description="share of the core sleeve that buys spot")
    ] = Decimal("0.5")
    futures_ratio: Annotated[
        Decimal, Field(gt=0, lt=1, description="share of the core sleeve that backs the swap")
    ] = Decimal("0.5")
    max_position_value: Annotated[Usdt, Field(description="USDT notional of one hedge at most")] = Decimal(
        50_000
    )
    leverage: Annotated[
        Decimal,
        Field(ge=1, le=MAX_LEVERAGE, description="venue leverage set on the swap; never above 3"),
    ] = Decimal(3)

    @model_validator(mode="after")
    def _sums(self) -> Self:
        if self.spot_ratio + self.futures_ratio > 1:
            raise ValueError(
                f"spot_ratio + futures_ratio must be at most 1, not {self.spot_ratio + self.futures_ratio}"
            )
        if self.core_ratio + self.auxiliary_ratio > 1:
            raise ValueError(
                f"core_ratio + auxiliary_ratio must be at most 1, "
                f"not {self.core_ratio + self.auxiliary_ratio}"
            )
        if self.max_position_value > self.total_capital:
            raise ValueError(
                f"max_position_value {self.max_position_value} is above total_capital {self.total_capital}"
            )
        if self.futures_ratio / self.spot_ratio < 1 / MAX_LEVERAGE:
            raise ValueError("futures_ratio / spot_ratio below 1/3 would open above 3x leverage")
        return self


# --- instruments.yaml -------------------------------------------------------------------------


class Universe(Section):
    """Rank the venue's own list instead of naming instruments."""

    enabled: bool = False
    size: Annotated[int, Field(ge=1, le=500, description="instruments kept after ranking")] = 20
    min_volume_usdt: Annotated[Usdt, Field(description="24 h swap volume below which a coin is left out")] = (
        Decimal(10_000_000)
    )
    exclude: tuple[InstrumentName, ...] = ()


class Instruments(Section):
    """instruments.yaml: what may be hedged."""

    instruments: Annotated[tuple[InstrumentName, ...], Field(min_length=1, max_length=100)] = (
        "BTC-USDT",
        "ETH-USDT",
    )
    universe: Universe = Universe()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        if len(set(self.instruments)) != len(self.instruments):
            raise ValueError(f"instruments names one twice: {', '.join(self.instruments)}")
        both = set(self.instruments) & set(self.universe.exclude)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} is both in instruments and in universe.exclude")
        return self


# --- strategy.yaml ----------------------------------------------------------------------------


class FundingBand(Section):
    """Opening band, per 8 h; converted by each instrument's own interval."""

    min: Annotated[
        Decimal, Field(ge=0, le=Decimal("0.1"), description="fraction per 8 h; 0.0001 = 0.01 %")
    ] = Decimal("0.0001")
    max: Annotated[Decimal, Field(gt=0, le=Decimal("0.1"), description="fraction per 8 h; 0.01 = 1 %")] = (
        Decimal("0.01")
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.min < self.max:
            raise ValueError(f"min {self.min} must be below max {self.max}")
        return self


class Forecast(Section):
    """Exponentially weighted, mean-reverting funding forecast."""

    half_life_hours: Annotated[
        Decimal, Field(gt=0, le=2160, description="how fast old settlements are forgotten")
    ] = Decimal(72)
    horizon_hours: Annotated[Decimal, Field(gt=0, le=8760, description="how far ahead income is counted")] = (
        Decimal(720)
    )
    reversion_half_life_hours: Annotated[
        Decimal, Field(gt=0, le=8760, description="how fast the rate returns to its long mean")
    ] = Decimal(2160)
    min_settlements: Annotated[
        int, Field(ge=1, le=300, description="history below which nothing is opened")
    ] = 9


class Exit(Section):
    """When a hedge is given up."""

    mode: Annotated[
        Literal["expected_cost", "hysteresis", "sign"],
        Field(
            description="expected_cost: leave when staying is forecast to cost more than leaving "
            "and coming back; hysteresis: after n negative settlements; sign: at once"
        ),
    ] = "expected_cost"
    negative_settlements: Annotated[
        int, Field(ge=1, le=100, description="hysteresis: settlements in a row below zero")
    ] = 3
    take_profit_ratio: Annotated[
        Decimal, Field(gt=0, le=10, description="of the pair's capital; 0.05 = +5 %")
    ] = Decimal("0.05")
    stop_loss_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="of the pair's capital; 0.02 = -2 %")
    ] = Decimal("0.02")
    min_hold_hours: Annotated[
        Decimal, Field(ge=0, le=2160, description="no forecast exit before; risk exits always")
    ] = Decimal(8)
    cooldown_hours: Annotated[
        Decimal, Field(ge=0, le=2160, description="after a close, before the coin is opened again")
    ] = Decimal(8)


class Rotation(Section):
    """Giving up the weakest hedge for a better coin once all places are taken."""

    enabled: bool = True
    min_gain_bps: Annotated[
        Decimal,
        Field(ge=0, le=1000, description="forecast gain over the horizon, after the new round trip"),
    ] = Decimal(75)


class Regime(Section):
    """Candle figures that can keep a scan from opening."""

    max_hourly_range_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="high-low over the last hour / close")
    ] = Decimal("0.03")
    max_funding_percentile: Annotated[
        Decimal, Field(gt=0, le=1, description="above it crowding is called extreme; 1 = off")
    ] = Decimal(1)
    max_open_interest_rise_ratio: Annotated[
        Decimal, Field(gt=0, le=10, description="24 h rise of open interest called extreme")
    ] = Decimal("0.5")


class Opening(Section):
    """How a hedge is opened."""

    min_net_carry_bps: Annotated[
        Decimal, Field(ge=0, le=1000, description="expected net carry over the horizon, at least")
    ] = Decimal(0)
    max_slippage_bps: Annotated[
        Decimal, Field(gt=0, le=100, description="per leg, from the mid price at decision")
    ] = Decimal(15)
    maker_first: Annotated[bool, Field(description="rest the first leg as maker before taking")] = False
    maker_wait_s: Annotated[Decimal, Field(gt=0, le=600)] = Decimal(20)
    max_basis_bps: Annotated[
        Decimal, Field(gt=0, le=1000, description="|swap - spot|; beyond it nothing is opened")
    ] = Decimal(100)
    settlement_quiet_s: Annotated[
        int, Field(ge=0, le=600, description="seconds around a settlement in which nothing opens")
    ] = 60


class Strategy(Section):
    """strategy.yaml: should we."""

    enabled: bool = True
    dry_run: Annotated[bool, Field(description="live mode refuses to start while true")] = True
    auto_trading: Annotated[
        bool, Field(description="false: scan and explain, never open; exits and repairs still run")
    ] = True
    funding_rate_threshold: FundingBand = FundingBand()
    forecast: Forecast = Forecast()
    exit: Exit = Exit()
    rotation: Rotation = Rotation()
    regime: Regime = Regime()
    opening: Opening = Opening()
    auxiliary: AuxiliaryModules = AuxiliaryModules()


# --- risk.yaml --------------------------------------------------------------------------------


class Margin(Section):
    """margin ratio = equity that backs the swap / swap notional at mark; 1 = unlevered, 0.33 = 3x."""

    open_above: Annotated[Decimal, Field(gt=0, le=5, description="opening needs this")] = Decimal("0.8")
    rebalance_below: Annotated[Decimal, Field(gt=0, le=5, description="starts a top-up")] = Decimal("0.8")
    emergency_below: Annotated[Decimal, Field(gt=0, le=5, description="starts the unwind")] = Decimal("0.5")
    target: Annotated[Decimal, Field(gt=0, le=5, description="what a top-up restores")] = Decimal(1)
    sweep_above: Annotated[
        Decimal, Field(gt=0, le=20, description="above it, what exceeds the target is swept out")
    ] = Decimal("1.3")
    min_transfer_usdt: Annotated[Usdt, Field(description="smaller transfers are not made")] = Decimal(100)
    venue_ratio_warning: Annotated[
        Decimal, Field(gt=1, le=1000, description="the venue's own mgnRatio; it liquidates at 1")
    ] = Decimal(3)
    max_age_s: Annotated[int, Field(gt=0, le=600, description="an older snapshot refuses")] = 30
    project_sigmas: Annotated[
        Decimal, Field(ge=0, le=20, description="a rise so many standard deviations large is prepared for")
    ] = Decimal(4)
    project_minutes: Annotated[int, Field(ge=1, le=1440, description="within so many minutes")] = 60
    stress_rise_ratio: Annotated[
        Decimal, Field(ge=0, le=5, description="a rise of all prices at once that an opening must survive")
    ] = Decimal("0.5")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.emergency_below < self.rebalance_below <= self.target < self.sweep_above:
            raise ValueError(
                "need emergency_below < rebalance_below <= target < sweep_above, not "
                f"{self.emergency_below}, {self.rebalance_below}, {self.target}, {self.sweep_above}"
            )
        if self.open_above < self.rebalance_below:
            raise ValueError(f"open_above {self.open_above} is below rebalance_below {self.rebalance_below}")
        if self.emergency_below <= 1 / MAX_LEVERAGE:
            raise ValueError(
                f"emergency_below {self.emergency_below} must stay above 0.3334 (3x, a red line)"
            )
        return self


class Drift(Section):
    """drift = |net delta| / hedge quantity."""

    rebalance_above: Annotated[Decimal, Field(gt=0, le=Decimal("0.5"))] = Decimal("0.01")


class Deleveraging(Section):
    """The venue's indicator of forced deleveraging, 0 to 5 = first in line, on the short's position."""

    warn_rank: Annotated[int, Field(ge=1, le=5, description="rank from which on a look counts")] = 4
    samples: Annotated[
        int, Field(ge=1, le=600, description="looks in a row, a second or more apart, before it is answered")
    ] = 3
    shrink_share: Annotated[
        Decimal,
        Field(gt=0, le=1, description="of both legs, given up before one is taken by force"),
    ] = Decimal("0.5")


class Breaker(Section):
    """What stops new risk after losses."""

    losing_rounds: Annotated[int, Field(ge=1, le=100, description="closed rounds in a row below zero")] = 3
    daily_loss_limit: Annotated[Usdt, Field(description="USDT lost since 00:00 UTC")] = Decimal(500)
    max_drawdown_ratio: Annotated[
        Decimal, Field(gt=0, le=Decimal("0.15"), description="from the equity peak; a breach unwinds")
    ] = Decimal("0.05")
    max_opens_per_day: Annotated[int, Field(ge=1, le=1000)] = 20
    cooldown_hours: Annotated[
        Decimal,
        Field(ge=0, le=720, description="a daily-loss trip ends after it; a losing streak needs resume"),
    ] = Decimal(24)


class Liquidity(Section):
    """The book must carry our size."""

    max_depth_share: Annotated[
        Decimal, Field(gt=0, le=1, description="of the depth within the band we may take")
    ] = Decimal("0.2")
    depth_band_bps: Annotated[Decimal, Field(gt=0, le=500)] = Decimal(10)
    min_depth_usdt: Annotated[Usdt, Field(description="within the band, each leg's side")] = Decimal(10_000)
    max_spread_bps: Annotated[Decimal, Field(gt=0, le=500)] = Decimal(10)
    max_wick_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="wick of the last closed 3m bar / close")
    ] = Decimal("0.03")


class ExchangeLimits(Section):
    """When the venue is not fit to open on."""

    max_errors_per_minute: Annotated[int, Field(ge=1, le=1000)] = 5
    max_rejects_per_minute: Annotated[int, Field(ge=1, le=1000)] = 3
    max_market_age_s: Annotated[int, Field(gt=0, le=600, description="books and mark price")] = 10
    max_clock_offset_ms: Annotated[int, Field(gt=0, le=30_000)] = 1_000
    maintenance_lead_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    max_latency_ms: Annotated[
        int, Field(gt=0, le=60_000, description="REST median; above it nothing opens")
    ] = 500


class ExecutionLimits(Section):
    """Deadlines and prices of the hedge routines."""

    repair_deadline_s: Annotated[
        Decimal, Field(gt=0, le=60, description="a naked leg is completed or unwound by then")
    ] = Decimal(5)
    opening_deadline_s: Annotated[int, Field(ge=5, le=600)] = 60
    rebalancing_deadline_s: Annotated[int, Field(ge=5, le=600)] = 120
    repair_slippage_bps: Annotated[
        Decimal, Field(gt=0, le=500, description="how far a repair may go from the mid")
    ] = Decimal(50)
    flatten_slippage_bps: Annotated[
        Decimal, Field(gt=0, le=1000, description="how far an emergency unwind may go")
    ] = Decimal(200)
    order_timeout_s: Annotated[Decimal, Field(gt=0, le=60)] = Decimal(10)
    dead_man_s: Annotated[
        int,
        Field(ge=10, le=120, description="untold for so long, the venue cancels what rests of ours"),
    ] = 30


class Caps(Section):
    """Ceilings over all hedges."""

    max_instruments: Annotated[int, Field(ge=1, le=100)] = 10
    max_concentration: Annotated[
        Decimal, Field(gt=0, le=1, description="one hedge's notional / the sleeve's spot budget")
    ] = Decimal("0.5")
    max_total_value: Annotated[Usdt, Field(description="USDT notional of all hedges")] = Decimal(1_000_000)


class Shutdown(Section):
    on_signal: Annotated[
        Literal["hold", "flatten"], Field(description="what SIGTERM and Ctrl-C do with open hedges")
    ] = "hold"


class Risk(Section):
    """risk.yaml: may we."""

    margin: Margin = Margin()
    drift: Drift = Drift()
    deleveraging: Deleveraging = Deleveraging()
    circuit_breaker: Breaker = Breaker()
    liquidity: Liquidity = Liquidity()
    exchange: ExchangeLimits = ExchangeLimits()
    degradation: Degradation = Degradation()
    execution: ExecutionLimits = ExecutionLimits()
    caps: Caps = Caps()
    shutdown: Shutdown = Shutdown()
    watchdog: Watchdog = Watchdog()

    @model_validator(mode="after")
    def _ladder(self) -> Self:
        low, mid, high = (
            self.degradation.latency_notice_ms,
            self.exchange.max_latency_ms,
            self.degradation.latency_reduce_ms,
        )
        if not low <= mid <= high:
            raise ValueError(
                "need degradation.latency_notice_ms <= exchange.max_latency_ms <= "
                f"degradation.latency_reduce_ms, not {low}, {mid}, {high}"
            )
        return self


# --- all --------------------------------------------------------------------------------------


class Settings(Section):
    """A whole configuration folder, validated as one."""

    account: Account = Account()
    instruments: Instruments = Instruments()
    strategy: Strategy = Strategy()
    risk: Risk = Risk()
    monitor: Monitor = Monitor()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        leg_budget = self.account.total_capital * self.account.core_ratio * self.account.spot_ratio
        if self.risk.liquidity.max_spread_bps > self.strategy.opening.max_slippage_bps * 2:
            raise ValueError(
                "risk.liquidity.max_spread_bps is above twice strategy.opening.max_slippage_bps: "
                "an order inside the slippage bound could never fill"
            )
        if leg_budget <= 0:
            raise ValueError("account leaves no budget for the spot leg")
        if self.risk.circuit_breaker.daily_loss_limit > self.account.total_capital:
            raise ValueError(
                "risk.circuit_breaker.daily_loss_limit is above account.total_capital: "
                "the breaker could never trip"
            )
        return self
