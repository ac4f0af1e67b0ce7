from __future__ import annotations

from decimal import Decimal

import pytest

from config.schema import Account
from strategy.auxiliary.sleeve import sleeve

D = Decimal


@pytest.mark.parametrize(("ratio", "usdt"), [("0", 0), ("0.2", 20_000), ("0.3", 30_000)])
def test_the_sleeve_is_a_fraction_of_the_capital(ratio: str, usdt: Decimal) -> None:
    assert sleeve(Account(core_ratio=D("0.7"), auxiliary_ratio=D(ratio))) == usdt


@pytest.mark.parametrize("ratio", ["0.19", "0.31"])
def test_a_sleeve_of_any_other_size_is_refused(ratio: str) -> None:
    with pytest.raises(ValueError, match="auxiliary_ratio"):
        sleeve(Account(core_ratio=D("0.5"), auxiliary_ratio=D(ratio)))
