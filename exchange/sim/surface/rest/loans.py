"""Private endpoints about borrowing: who may, how much, at what rate, and what it has cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exchange.sim.model import ZERO, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.params import one_of_missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering.text import DAY_MS, Row, ms, num
from exchange.sim.surface.rest.routes import READ, TRADE, Call, Route

HOUR_MS = 3_600_000
MULTI_MODE = "3"


class LoanData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def _listed(self, call: Call) -> list[str]:
        """The currencies asked for, else every listed one."""
        instruments = self._venue.instruments.values()
        known = dict.fromkeys([*(i.quote for i in instruments), *(i.base for i in instruments)])
        asked = call.params.names("ccy", 20)
        return [ccy for ccy in known if not asked or ccy in asked]

    def set_auto_loan(self, call: Call) -> Sequence[Any]:
        lends = call.params.flag("autoLoan")
        self._venue.set_auto_loan(call.account, lends)
        return [{"autoLoan": lends}]

    def accrued(self, call: Call) -> Sequence[Any]:
        params = call.params
        if params.get("type") not in ("", "2") or params.get("mgnMode") not in ("", "cross"):
            return []
        rows = (row for row in reversed(call.account.interest) if params.get("ccy") in ("", row.ccy))
        return [
            {
                "type": "2",
                "ccy": row.ccy,
                "instId": "",
                "mgnMode": "cross",
                "interest": num(row.interest),
                "interestRate": num(row.rate),
                "liab": num(row.liability),
                "totalLiab": num(row.liability),
                "interestFreeLiab": num(self._venue.loan_terms(call.account, row.ccy)[1]),
                "ts": ms(row.ts_ms),
            }
            for row in page(rows, params, lambda row: row.ts_ms)
        ]

    def rates(self, call: Call) -> Sequence[Any]:
        """Hourly."""
        return [
            {"ccy": ccy, "interestRate": num(self._venue.loan_terms(call.account, ccy)[2])}
            for ccy in self._listed(call)
        ]

    def limits(self, call: Call) -> Sequence[Any]:
        venue, account = self._venue, call.account
        coins = venue.figures(account).coins
        next_hour_ms = venue.now_ms // HOUR_MS * HOUR_MS + HOUR_MS
        records: list[Row] = []
        debt = interest = ZERO
        for ccy in self._listed(call):
            quota, free, hourly = venue.loan_terms(account, ccy)
            coin = coins.get(ccy)
            owed, price = (coin.liability, coin.usd_px) if coin else (ZERO, ZERO)
            due = max(ZERO, owed - free) * hourly
            debt, interest = debt + owed * price, interest + due * price
            left = num(max(ZERO, quota - owed))
            records.append(
                {
                    "ccy": ccy,
                    "rate": num(hourly * 24),
                    "avgRate": num(hourly * 24) if owed else "",
                    "loanQuota": num(quota),
                    "surplusLmt": left,
                    "surplusLmtDetails": {},
                    "usedLmt": num(owed),
                    "interest": num(due),
                    "interestFreeLiab": num(free),
                    "potentialBorrowingAmt": "0",
                    "posLoan": "",
                    "availLoan": "",
                    "usedLoan": "",
                }
            )
        return [
            {
                "debt": num(debt),
                "interest": num(interest),
                "loanAlloc": "",
                "nextDiscountTime": ms(next_hour_ms // DAY_MS * DAY_MS + DAY_MS),
                "nextInterestTime": ms(next_hour_ms),
                "records": records,
            }
        ]

    def max_loan(self, call: Call) -> Sequence[Any]:
        """What could be borrowed of a pair's coins to sell them, and of its quote to buy with it."""
        params, venue = call.params, self._venue
        params.choice("mgnMode", ("cross", "isolated"))
        inst_ids, named = params.names("instId", 5), params.names("ccy", 5)
        if not inst_ids and not named:
            raise one_of_missing("instId", "ccy")
        for inst_id in inst_ids:
            if inst_id not in venue.instruments:
                raise Reject("51001", "Instrument ID does not exist.")
        return [
            *(self._loan(call, ccy, "", "") for ccy in named),
            *(
                self._loan(call, ccy, inst_id, side)
                for inst_id in inst_ids
                for ccy, side in (
                    (venue.instruments[inst_id].base, "sell"),
                    (venue.instruments[inst_id].quote, "buy"),
                )
            ),
        ]

    def _loan(self, call: Call, ccy: str, inst_id: str, side: str) -> Row:
        most = self._venue.max_loan(call.account, ccy) if call.account.level == MULTI_MODE else Decimal(0)
        return {
            "instId": inst_id,
            "mgnMode": "cross",
            "mgnCcy": "",
            "maxLoan": num(most),
            "ccy": ccy,
            "side": side,
        }


def routes(venue: Venue) -> list[Route]:
    data, five = LoanData(venue), Limit(5, 2000)
    return [
        Route("POST", "/account/set-auto-loan", data.set_auto_loan, five, TRADE),
        Route("GET", "/account/interest-accrued", data.accrued, five, READ),
        Route("GET", "/account/interest-rate", data.rates, five, READ),
        Route("GET", "/account/interest-limits", data.limits, five, READ),
        Route("GET", "/account/max-loan", data.max_loan, Limit(20, 2000), READ),
    ]
