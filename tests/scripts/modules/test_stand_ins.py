"""Parts of modules that can be measured alone: they say what the part says, and lack what it lacks."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from core.types import HOUR_MS, SettledFunding, Side
from scripts.modules.asking import proposals
from scripts.modules.stand_ins import STAND_INS, ByFunding, SmartEntry
from scripts.modules.tape import Coin
from strategy.auxiliary.language import Signal
from strategy.auxiliary.modules.ensemble.strategies import Strategy
from tests.scripts.modules.scenes import BEGIN_MS, tape

D = Decimal
HOURS = 4_200


def paid(rate: str, seed: int = 3) -> Coin:
    """Quiet funding on a market that stands still, and one rate of a crowd near the end."""
    coin = tape(seed, HOURS, "1H", 0.0004)
    settled = [SettledFunding(each.ts_ms, D("0.00001") * (n % 5)) for n, each in enumerate(coin.settled)]
    settled[-4] = replace(settled[-4], rate=D(rate))
    return replace(coin, settled=tuple(settled))


@pytest.mark.parametrize(("rate", "side"), [("0.002", Side.SELL), ("-0.002", Side.BUY)])
def test_who_pays_much_is_stood_against(rate: str, side: Side) -> None:
    found = [one for seed in range(6) for one in told(paid(rate, seed))]
    assert found and {one.side for one in found} == {side}


def told(coin: Coin) -> list[Signal]:
    found = proposals(ByFunding({"rest_bars": D(1)}), coin, BEGIN_MS, BEGIN_MS + HOURS * HOUR_MS)
    return list(found.signals)


def test_a_rate_that_is_usual_is_no_crowd() -> None:
    assert not [one for seed in range(4) for one in told(paid("0.00002", seed))]


@pytest.mark.parametrize("strategy", [Strategy.BREAKOUT, Strategy.PULLBACK])
def test_a_strategy_alone_enters_where_it_triggers_and_with_the_ensembles_plan(strategy: Strategy) -> None:
    coin = tape(1, 12_000 * 3, "5m", 0.002)
    found = proposals(SmartEntry(strategy), coin, BEGIN_MS, BEGIN_MS + 3_000 * HOUR_MS)
    assert found.signals
    assert {each.plan.name for each in found.signals} == {"smart"}
    assert {dict(each.evidence)["strategy"] for each in found.signals} == {strategy.value}
    closes = set(found.closes_ms.tolist())
    assert all(each.at_ms in closes for each in found.signals)


def test_none_of_them_asks_for_what_is_made_up_nowhere() -> None:
    for name, make in STAND_INS.items():
        needs = make({}).needs
        assert make({}).name == name
        assert not (needs.book or needs.open_interest or needs.long_short or needs.events)


def test_a_strategy_on_bars_the_tape_does_not_have_is_not_asked() -> None:
    found = proposals(SmartEntry(Strategy.OSCILLATION), tape(1, 600, "1H"), BEGIN_MS, BEGIN_MS + 10**10)
    assert found.signals == () and np.array_equal(found.closes_ms, [])
