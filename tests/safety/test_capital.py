"""Where the capital goes: a place changes hands, and profits compound, through the whole engine."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from config.schema import Settings
from core.events import State
from core.facts import Kind
from tests.safety.stage import CALM, LOT, Stage, play

D = Decimal
HOUR_MS = 3_600_000
HALF_AN_HOUR_S = 1800

ONE_PLACE = Settings.model_validate(
    {
        "risk": {"caps": {"max_instruments": 1, "max_concentration": D(1)}},
        "account": {"total_capital": D(60_000)},
    }
)
SMALL = Settings.model_validate(
    {
        "instruments": {"instruments": ("BTC-USDT",)},
        "account": {"total_capital": D(10_000), "max_position_value": D(10_000), "compound": True},
        "risk": {"caps": {"max_concentration": D(1)}},
    }
)


def exits(stage: Stage) -> list[str]:
    """Why hedges were left, in order."""
    return [
        target["reason"]
        for row in stage.rows(Kind.DECISION)
        for target in row.body["targets"]
        if target.get("purpose") == "exit"
    ]


def test_the_only_place_goes_to_a_much_better_coin_and_stays_with_it(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.market.rates = {"BTC": D("0.0002"), "ETH": D("0.0001")}
        await stage.start()
        await stage.running()
        held = stage.app.books.hedge("BTC-USDT")
        assert held is not None
        held.opened_ms -= 9 * HOUR_MS  # as if its shortest time were over
        stage.market.rates["ETH"] = D("0.009")
        await stage.until(lambda: stage.short("ETH") > 0, HALF_AN_HOUR_S)
        await stage.running()
        changed_ms = stage.clock.now_ms()
        assert (stage.short("BTC"), stage.state) == (0, State.RUNNING)
        assert stage.coins("BTC") < LOT["BTC"]
        stage.market.rates = {"BTC": D("0.009"), "ETH": D("0.0001")}
        await stage.wait(HALF_AN_HOUR_S)
        assert stage.short("ETH") > 0 and not stage.sent(changed_ms)

    stage = play(tmp_path, story, ONE_PLACE, **CALM)
    assert exits(stage) == ["a better coin pays for the change"]
    assert stage.naked_ms() < 5_000
    assert stage.app.engine.violations == []


def test_profits_make_a_held_hedge_larger_with_both_legs(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        before = stage.short("BTC")
        assert before == D("6.66")  # 10,000 x 0.4 / 60,000 coins, in contracts of 0.01
        stage.app.books.ledger.opening_equity -= D(600)  # as if so much had been earned
        await stage.until(lambda: stage.short("BTC") > before, HALF_AN_HOUR_S)
        await stage.running()
        assert stage.short("BTC") == D("6.99")  # a step of 500: 4,200, less what the entry had cost
        assert abs(stage.delta("BTC")) < LOT["BTC"]
        grown_ms = stage.clock.now_ms()
        await stage.wait(HALF_AN_HOUR_S)
        assert stage.state is State.RUNNING and not stage.sent(grown_ms)

    stage = play(tmp_path, story, SMALL, **CALM)
    assert stage.naked_ms() < 5_000
    assert stage.app.engine.totals.rejects == 0
