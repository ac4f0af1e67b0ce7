"""A rally eats the margin of the short: money comes in time, or both legs shrink; nothing is liquidated."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from config.schema import Margin, Settings
from core.context import Context, MarketView
from core.events import HedgeTarget, Purpose, State, TransferTarget
from core.facts import Kind
from core.types import Candle
from risk import FundPlanner
from risk.projection import projected_ratio, rise_ahead
from tests.risk import scenes
from tests.safety.stage import LOT, D, Stage, play

BOTH = Settings()
HOUR_S = 3_600
TRANSFERS = {"rest": "POST /api/v5/asset/transfer"}


class Lowest:
    """The lowest margin ratio any decision saw."""

    def __init__(self, stage: Stage) -> None:
        self.ratio = Decimal(10)
        stage.app.engine.listeners.append(self._see)

    def _see(self, ctx: Context, _: object) -> None:
        self.ratio = min(self.ratio, ctx.margin_ratio or self.ratio)


async def rally(stage: Stage, change: float, seconds: int, refused: str = "") -> Lowest:
    """Hold both hedges with the reserve swept away, then let both coins rise; transfers may be refused."""
    await stage.start()
    await stage.running(2)
    await stage.wait(600)
    assert stage.me.funding["USDT"] > 10_000, "the reserve lies in the funding wallet"
    if refused:
        stage.faults({"where": TRANSFERS, "what": {"reject": {"code": refused}}})
    lowest = Lowest(stage)
    for coin in LOT:
        stage.market.ramp(coin, stage.clock.now_ms(), change, seconds * 1000)
    await stage.wait(seconds + 60)
    return lowest


def moved(stage: Stage) -> list[tuple[str, str]]:
    return [(r.body["purpose"], r.body["status"]) for r in stage.rows(Kind.TRANSFER)]


@pytest.mark.fault("MG1")
@pytest.mark.parametrize("seconds", [HOUR_S, 300])
def test_a_rally_of_thirty_percent_is_paid_for_from_the_reserve_and_no_leg_is_given_up(
    seconds: int, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        lowest = await rally(stage, 0.3, seconds)
        assert lowest.ratio > D("0.75"), "acted on within one look after the floor of 0.8"
        assert stage.state is State.RUNNING and stage.app.engine.violations == []
        assert ("top_up", "success") in moved(stage)

    stage = play(tmp_path, story, BOTH)
    assert [s for s in stage.sides() if s.startswith("sell") and "SWAP" not in s] == []


@pytest.mark.fault("MG2")
@pytest.mark.parametrize("code", ["58111", "58101", "58102"])
def test_when_the_top_up_is_refused_both_legs_shrink_and_people_are_told(code: str, tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        lowest = await rally(stage, 0.3, 900, refused=code)
        assert lowest.ratio > D("0.70")
        assert stage.state is State.RUNNING and stage.app.engine.violations == []
        assert ("top_up", "success") not in moved(stage) and ("top_up", "failed") in moved(stage)
        assert stage.said("top-up failed") >= 1
        tries = [at for at, what, _ in stage.post.log if what == "POST /api/v5/asset/transfer"]
        assert len(tries) < 150, "no storm of requests"
        for coin in LOT:
            assert abs(stage.delta(coin)) < LOT[coin]
        assert sum(stage.short(c) * v for c, v in (("BTC", D(600)), ("ETH", D(300)))) < 39_000

    stage = play(tmp_path, story, BOTH)
    assert stage.naked_ms() < 5_000


def bars(step: str) -> tuple[Candle, ...]:
    """Twenty-one closed 3m bars, each `step` above the one before."""
    closes = [D(50_000) * (1 + D(step)) ** n for n in range(21)]
    return tuple(Candle(n * 180_000, px, px, px, px, D(1)) for n, px in enumerate(closes))


def moving(candles: tuple[Candle, ...]) -> MarketView:
    return replace(scenes.market(), candles={"3m": candles})


def test_a_steady_rally_is_not_calm() -> None:
    rise = rise_ahead(moving(bars("0.005")), D(4), D(60))
    assert rise is not None and abs(rise - D("0.0894")) < D("0.001")
    assert rise_ahead(moving(bars("0")), D(4), D(60)) == 0
    assert rise_ahead(moving(()), D(4), D(60)) is None


@pytest.mark.fault("MG1")
@pytest.mark.parametrize(("step", "acts"), [("0.001", False), ("0.015", True)])
def test_a_top_up_comes_before_the_floor_when_a_rise_like_the_last_hours_would_end_in_an_emergency(
    step: str, acts: bool
) -> None:
    """Ratio 0.9 is above the floor of 0.8; four sigmas of 1.5 % bars are 27 % more in an hour."""
    ctx = scenes.scene(
        state=State.RUNNING,
        markets={"BTC-USDT": moving(bars(step))},
        hedges={"BTC-USDT": scenes.hedge("0.2")},
        account=scenes.account("18000", short={"BTC-USDT-SWAP": "20"}, wallet="5000"),
    )
    ratio, projected = ctx.margin_ratio, projected_ratio(ctx, Margin())
    assert ratio is not None and projected is not None and D("0.8") < ratio < 1
    targets = FundPlanner(Settings()).plan(ctx).adjusting
    assert bool(targets) is acts
    if acts:
        [target] = targets
        assert isinstance(target, TransferTarget) and target.purpose is Purpose.TOP_UP
        without = replace(ctx, top_up_failed_ms=ctx.now_ms - 60_000)
        [shrunk] = FundPlanner(Settings()).plan(without).adjusting
        assert isinstance(shrunk, HedgeTarget) and shrunk.purpose is Purpose.SHRINK
        off = Settings(risk=Settings().risk.model_copy(update={"margin": Margin(project_sigmas=D(0))}))
        assert FundPlanner(off).plan(ctx).adjusting == ()
