from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.capital import spot_budget, working_capital
from tests.risk.scenes import SETTINGS, D, scene, tuned

COMPOUND = tuned(account={"compound": True}).account


@pytest.mark.parametrize(
    ("profit", "equity", "capital"),
    [
        (0, 100_000, 100_000),
        (4_999, 104_999, 100_000),
        (7_400, 107_400, 105_000),
        (12_000, 112_000, 110_000),
        (7_400, 500_000, 105_000),  # what else lies in the account is not the engine's to use
        (7_400, 60_000, 60_000),
        (-4_000, 96_000, 96_000),
        (-6_000, 200_000, 95_000),
        (-100_001, -1, 0),
    ],
)
def test_profits_count_by_whole_steps_and_never_beyond_equity(profit: int, equity: int, capital: int) -> None:
    assert working_capital(COMPOUND, scene(profit=D(profit), equity=D(equity))) == capital


def test_without_compounding_the_capital_is_what_was_configured() -> None:
    assert working_capital(SETTINGS.account, scene(profit=D(50_000), equity=D(10))) == 100_000
    assert spot_budget(SETTINGS.account, scene()) == 40_000


amounts = st.decimals(min_value=-200_000, max_value=1_000_000, places=2)


@given(profit=amounts, equity=amounts, more=st.decimals(min_value=0, max_value=4_999, places=2))
def test_capital_never_exceeds_equity_and_stands_still_within_a_step(
    profit: Decimal, equity: Decimal, more: Decimal
) -> None:
    capital = working_capital(COMPOUND, scene(profit=profit, equity=equity))
    assert 0 <= capital <= max(equity, 0)
    later = working_capital(COMPOUND, scene(profit=profit + more, equity=equity))
    assert capital <= later <= capital + 5_000
