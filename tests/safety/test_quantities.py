"""Coins, contracts and fees: what is hedged is what is really held, for every contract value and fee."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import SwapSpec
from exchange.okx.fields import plain
from execution.pricing import gross_up
from tests.safety.stage import LOT, Stage, play

D = Decimal
CT_VALS = st.sampled_from([D("0.001"), D("0.01"), D("0.1"), D(1), D(10), D(1000)])
LOTS = st.sampled_from([D("0.01"), D("0.1"), D(1)])
COINS = st.decimals(min_value="0.00000001", max_value="1000000", places=8)


def swap(ct_val: Decimal, lot: Decimal) -> SwapSpec:
    return SwapSpec("X-USDT-SWAP", ct_val, D("0.1"), lot, lot, D(10**9), D(50))


@pytest.mark.fault("QT2", "QT4")
@given(coins=COINS, ct_val=CT_VALS, lot=LOTS)
def test_contracts_never_hedge_more_than_the_coins_and_miss_less_than_a_lot(
    coins: Decimal, ct_val: Decimal, lot: Decimal
) -> None:
    spec = swap(ct_val, lot)
    contracts = spec.to_contracts(coins)
    assert contracts % lot == 0
    assert 0 <= coins - spec.to_base(contracts) < spec.step == lot * ct_val
    assert spec.to_contracts(spec.to_base(contracts)) == contracts, "there and back is the same"


@pytest.mark.fault("QT1", "QT4")
@given(need=COINS, fee=st.decimals(min_value="-0.001", max_value="0.005", places=6))
def test_what_remains_after_a_fee_in_the_coin_is_enough_and_less_than_a_lot_too_much(
    need: Decimal, fee: Decimal
) -> None:
    lot = D("0.00000001")
    bought = gross_up(need, fee, lot)
    left = bought * (1 - max(fee, D(0)))
    assert bought % lot == 0 and need <= left < need + lot


@pytest.mark.fault("QT4")
@given(st.decimals(min_value="0.00000001", max_value="99999999", places=8))
def test_a_number_goes_to_the_venue_and_back_unchanged(value: Decimal) -> None:
    text = plain(value)
    assert "e" not in text.lower() and D(text) == value


@pytest.mark.fault("QT1", "QT6")
@pytest.mark.parametrize("level", ["VIP1", "VIP5"])
def test_the_short_equals_the_coins_left_after_the_fee_also_when_the_fee_tier_has_changed(
    level: str, tmp_path: Path
) -> None:
    """The engine still reckons with the rates it learned at the start: only the venue knows better."""

    async def story(stage: Stage) -> None:
        await stage.start()
        stage.edit(fee_level=level)
        await stage.running()
        assert abs(stage.delta("BTC")) < LOT["BTC"]
        hedge = stage.app.books.hedge("BTC-USDT")
        assert hedge is not None and hedge.spot_base == stage.coins("BTC")
        stage.halt(flatten=True)
        await stage.wait(30)
        assert stage.short("BTC") == 0 and stage.coins("BTC") < LOT["BTC"]
        assert stage.app.engine.totals.rejects == 0

    stage = play(tmp_path, story)
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("QT5")
def test_rounds_leave_no_more_dust_than_a_lot(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        for _ in range(6):
            await stage.running()
            stage.halt(flatten=True)
            await stage.wait(20)
            stage.app.books.last_close_ms.clear()  # as if the cool-down were over
            stage.app.engine.ask_resume()
            await stage.wait(5)
        assert stage.coins("BTC") < LOT["BTC"] or stage.short("BTC") > 0

    stage = play(tmp_path, story)
    assert abs(stage.delta("BTC")) < LOT["BTC"]
