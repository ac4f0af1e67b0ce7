"""The venue's bills of trades against our fills: which money is ours, and which somebody else moved.

Every trade moves cash once, told twice: by our FILL row and by the venue's TRADE bills. A bill without a
fill is a trade of somebody else on the same account; a bill that says another amount than the fill is a
mistake, and is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from core.types import ZERO, Bill, BillKind

Key = tuple[str, str]  # instrument id, trade id


@dataclass(slots=True)
class _Account:
    """One trade: bills minus our fill, by currency."""

    open: dict[str, Decimal] = field(default_factory=dict)
    booked: bool = False  # there is a fill of ours
    billed: bool = False
    split: bool = False  # our fill is only a part of the venue's

    def add(self, ccy: str, change: Decimal) -> None:
        self.open[ccy] = self.open.get(ccy, ZERO) + change
        if not self.open[ccy]:
            del self.open[ccy]


Asked = Callable[[_Account], bool]


@dataclass(slots=True)
class Statement:
    """Trades whose two tellings are not both here yet, or do not agree. Others are forgotten."""

    _trades: dict[Key, _Account] = field(default_factory=dict)

    def fill(self, key: Key, effects: Mapping[str, Decimal], *, split: bool) -> None:
        """Take what one of our fills did to cash."""
        account = self._trades.setdefault(key, _Account())
        account.booked, account.split = True, split
        for ccy, change in effects.items():
            account.add(ccy, -change)
        self._settle(key, account)

    def bill(self, bill: Bill) -> None:
        """Take a trade's bill; of a forced trade only the part that is the trade."""
        change = bill.change if bill.kind is BillKind.TRADE else bill.pnl + bill.fee
        if not bill.trade_id:
            return
        key = (bill.inst_id, bill.trade_id)
        account = self._trades.setdefault(key, _Account())
        account.billed = True
        account.add(bill.ccy, change)
        self._settle(key, account)

    def external(self) -> dict[str, Decimal]:
        """Cash that trades of somebody else moved, by currency."""
        return self._sum(lambda a: a.billed and (a.split or not a.booked))

    def wrong(self) -> dict[str, Decimal]:
        """Bills minus fills of our own trades that both have come, by currency; nothing when they agree."""
        return self._sum(lambda a: a.billed and a.booked and not a.split)

    def _sum(self, asked: Asked) -> dict[str, Decimal]:
        total: dict[str, Decimal] = {}
        for account in self._trades.values():
            if asked(account):
                for ccy, change in account.open.items():
                    total[ccy] = total.get(ccy, ZERO) + change
        return {ccy: change for ccy, change in total.items() if change}

    def _settle(self, key: Key, account: _Account) -> None:
        if account.booked and account.billed and not account.open:
            del self._trades[key]
