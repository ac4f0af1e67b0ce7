"""How much of the capital all modules together may use."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import Account
from core.types import Usdt

SLEEVE_RANGE: Final = (Decimal("0.2"), Decimal("0.3"))  # of the capital, when there is a sleeve at all


def sleeve(account: Account) -> Usdt:
    """Return the USDT that all modules together may use; zero when the account has no such sleeve.

    Raises ValueError for a share of the capital that is neither zero nor within 20-30 %.
    """
    low, high = SLEEVE_RANGE
    if account.auxiliary_ratio and not low <= account.auxiliary_ratio <= high:
        raise ValueError(f"auxiliary_ratio {account.auxiliary_ratio} is neither 0 nor within {low}-{high}")
    return Usdt(account.total_capital * account.auxiliary_ratio)
