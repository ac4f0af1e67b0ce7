"""Private endpoints /asset about currencies: what exists, and what never comes in or goes out.

There is no chain behind this venue: every currency is listed, none can be deposited or withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.seam import Venue
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering.text import Row
from exchange.sim.surface.rest.routes import READ, Call, Route

_CURRENCY: Row = {
    "burningFeeRate": "",
    "canDep": False,
    "canInternal": False,
    "canWd": False,
    "depEstOpenTime": "",
    "depQuotaFixed": "",
    "depQuoteDailyLayer2": "",
    "fee": "",
    "logoLink": "",
    "mainNet": True,
    "maxFee": "",
    "maxFeeForCtAddr": "",
    "maxWd": "",
    "minDep": "",
    "minDepArrivalConfirm": "",
    "minFee": "",
    "minFeeForCtAddr": "",
    "minInternal": "",
    "minWd": "",
    "minWdUnlockConfirm": "",
    "needTag": False,
    "usedDepQuotaFixed": "",
    "usedWdQuota": "0",
    "wdEstOpenTime": "",
    "wdQuota": "",
    "wdTickSz": "8",
}


class AssetData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def currencies(self, call: Call) -> Sequence[Any]:
        """One row per currency, on a chain of its own name."""
        asked = call.params.names("ccy", 20)
        listed = self._venue.instruments.values()
        known = dict.fromkeys([*(i.base for i in listed), *(i.quote for i in listed)])
        return [
            {**_CURRENCY, "ccy": ccy, "name": ccy, "chain": f"{ccy}-{ccy}"}
            for ccy in known
            if not asked or ccy in asked
        ]

    def nothing(self, call: Call) -> Sequence[Any]:
        return []


def routes(venue: Venue) -> list[Route]:
    data, six_a_second = AssetData(venue), Limit(6, 1000)
    return [
        Route("GET", "/asset/currencies", data.currencies, six_a_second, READ),
        Route("GET", "/asset/deposit-history", data.nothing, six_a_second, READ),
        Route("GET", "/asset/withdrawal-history", data.nothing, six_a_second, READ),
    ]
