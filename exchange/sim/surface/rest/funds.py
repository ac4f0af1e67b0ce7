"""The public look at the insurance funds: api-v5.md 2.7."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.model import ZERO
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.params import bad, one_of_missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering import funds as render_funds
from exchange.sim.surface.rest.routes import Call, Route

TYPES = ("regular_update", "liquidation_balance_deposit", "bankruptcy_loss", "platform_revenue", "adl")


def routes(venue: Venue) -> list[Route]:
    def insurance_fund(call: Call) -> Sequence[Any]:
        params = call.params
        inst_type = params.choice("instType", ("SWAP", "FUTURES", "OPTION", "MARGIN"))
        family = params.get("instFamily") or params.get("uly")
        if inst_type != "MARGIN" and not family:
            raise one_of_missing("instFamily", "uly")
        kind = params.choice("type", TYPES, TYPES[0]) if params.get("type") else ""
        if inst_type != "SWAP":
            return []
        funds = venue.insurance_funds()
        found = next((fund for fund in funds if fund.family == family), None)
        if found is None:
            raise bad("instFamily")
        rows = (entry for entry in found.entries if not kind or entry.kind == kind)
        entries = page(rows, params, lambda entry: entry.ts_ms)
        total = sum((fund.balance for fund in funds), ZERO)
        return [render_funds.fund(found, entries, total)]

    return [Route("GET", "/public/insurance-fund", insurance_fund, Limit(10, 2000))]
