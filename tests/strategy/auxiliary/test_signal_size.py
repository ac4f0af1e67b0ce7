from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.types import Base, Side
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Stop
from strategy.auxiliary.language import Signal

D = Decimal
PLAN = ExitPlan("any", Stop((Distance(D("0.02")),)))
SIGNAL = Signal("any", "BTC-USDT", Side.BUY, D(50), D(100), 0, 1, (("close_px", D(100)),), PLAN)


def test_a_signal_leaves_its_size_to_the_gate_unless_it_says_how_much_it_wants_at_most() -> None:
    assert SIGNAL.most_base is None
    assert replace(SIGNAL, most_base=Base(D("0.5"))).most_base == D("0.5")


@pytest.mark.parametrize("base", [D(0), D(-1)])
def test_a_signal_that_asks_for_nothing_is_refused(base: Decimal) -> None:
    with pytest.raises(ValueError, match=f"at most {base} coins, allowed: above zero"):
        replace(SIGNAL, most_base=Base(base))
