"""Insurance funds and takeovers as the venue writes them. Source: api-v5.md 2.7, 5.5."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.account_figures import FundFigures
from exchange.sim.events import Liquidated
from exchange.sim.model import FundEntry
from exchange.sim.surface.rendering.text import Row, ms, num


def _state(fund: FundFigures) -> str:
    if fund.deleverages:
        return "adl"
    return "warning" if fund.fall >= fund.ends_at else "normal"


def adl_warning(fund: FundFigures, now_ms: int) -> Row:
    top = fund.peak.balance
    return {
        "instType": "SWAP",
        "instFamily": fund.family,
        "state": _state(fund),
        "bal": num(fund.balance),
        "ccy": "USDT",
        "maxBal": num(top),
        "maxBalTs": ms(fund.peak.ts_ms),
        "decRate": num(fund.fall),
        "adlType": fund.adl_type,
        "adlBal": num(top * (1 - fund.begins_at)),
        "adlRate": num(fund.begins_at),
        "adlRecBal": num(top * (1 - fund.ends_at)),
        "adlRecRate": num(fund.ends_at),
        "ts": ms(now_ms),
    }


def fund(figures: FundFigures, entries: list[FundEntry], total: Decimal) -> Row:
    return {
        "total": num(total),
        "instType": "SWAP",
        "instFamily": figures.family,
        "details": [_entry(entry, figures) for entry in entries],
    }


def _entry(entry: FundEntry, figures: FundFigures) -> Row:
    newest = entry is figures.entries[0]
    return {
        "balance": num(entry.balance),
        "amt": num(entry.amount),
        "ccy": "USDT",
        "type": entry.kind,
        "maxBal": num(figures.peak.balance) if newest else "",
        "maxBalTs": ms(figures.peak.ts_ms) if newest else "",
        "decRate": num(figures.fall) if newest else "",
        "adlType": figures.adl_type if newest else "",
        "ts": ms(entry.ts_ms),
    }


def takeover(of_one: list[Liquidated]) -> Row:
    """Takeovers of one instrument, a message of the liquidation-orders channel."""
    inst_id = of_one[0].inst_id
    family = inst_id.removesuffix("-SWAP")
    return {
        "instType": "SWAP",
        "instFamily": family,
        "instId": inst_id,
        "uly": family,
        "details": [
            {
                "side": one.side,
                "posSide": one.pos_side if one.pos_side != "net" else _SIDE[one.side],
                "bkPx": num(one.bankruptcy_px),
                "sz": num(one.size),
                "bkLoss": num(one.loss),
                "ccy": "",
                "ts": ms(one.ts_ms),
            }
            for one in of_one
        ],
    }


_SIDE = {"buy": "short", "sell": "long"}  # of the position an order closes
