"""Private endpoints that choose among an account's ways, and tell whether a mode may be entered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering.text import Row, num
from exchange.sim.surface.rest.routes import READ, TRADE, Call, Route

LEVELS = ("1", "2", "3", "4")


class SettingsData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def set_fee_type(self, call: Call) -> Sequence[Any]:
        """0: a spot fee is taken in what is received; 1: always in the quote currency."""
        fee_type = call.params.choice("feeType", ("0", "1"))
        self._venue.set_fee_type(call.account, fee_type)
        return [{"feeType": fee_type}]

    def set_isolated_mode(self, call: Call) -> Sequence[Any]:
        """Isolated positions take their margin by themselves here; there is no other way to choose."""
        call.params.choice("type", ("MARGIN", "CONTRACTS"))
        return [{"isoMode": call.params.choice("isoMode", ("automatic",))}]

    def risk_state(self, call: Call) -> Sequence[Any]:
        raise Reject("51010", "You can't complete this request under your current account mode.")

    def level_precheck(self, call: Call) -> Sequence[Any]:
        """sCode 0: the level may be set at once; 1: what `unmatchedInfoCheck` names has to go first."""
        account, wanted = call.account, call.params.choice("acctLv", LEVELS)
        unmatched = self._unmatched(account)
        figures = self._venue.figures(account)
        margin = {"acctAvailEq": num(figures.total_equity), "mgnRatio": num(figures.mgn_ratio), "details": []}
        return [
            {
                "acctLv": wanted,
                "curAcctLv": account.level,
                "sCode": "1" if unmatched else "0",
                "unmatchedInfoCheck": unmatched,
                "mgnBf": margin,
                "mgnAft": margin,
                "posList": [
                    {"posId": row.pos_id, "lever": num(row.leverage)}
                    for row in account.positions.values()
                    if row.size
                ],
                "posTierCheck": [],
                "riskOffsetType": "",
            }
        ]

    def level_preset(self, call: Call) -> Sequence[Any]:
        wanted = call.params.choice("acctLv", LEVELS)
        return [
            {
                "acctLv": wanted,
                "curAcctLv": call.account.level,
                "lever": call.params.get("lever"),
                "riskOffsetType": "",
            }
        ]

    def _unmatched(self, account: AccountState) -> list[Row]:
        """This venue changes the level of idle accounts only."""
        held = [row.pos_id for row in account.positions.values() if row.size]
        rows: list[Row] = []
        if account.open_orders:
            rows.append({"type": "pending_orders", "totalAsset": "", "posList": []})
        if held:
            rows.append({"type": "cross_margin", "totalAsset": "", "posList": held})
        return rows


def routes(venue: Venue) -> list[Route]:
    data, five = SettingsData(venue), Limit(5, 2000)
    return [
        Route("POST", "/account/set-fee-type", data.set_fee_type, five, TRADE),
        Route("POST", "/account/set-isolated-mode", data.set_isolated_mode, five, TRADE),
        Route("GET", "/account/risk-state", data.risk_state, Limit(10, 2000), READ),
        Route("GET", "/account/set-account-switch-precheck", data.level_precheck, five, READ),
        Route("POST", "/account/account-level-switch-preset", data.level_preset, five, TRADE),
    ]
