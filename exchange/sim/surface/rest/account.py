"""Private endpoints /account: what an account is, holds and may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.account_figures import PositionFigures
from exchange.sim.model import (
    ZERO,
    AccountState,
    Instrument,
    PositionKey,
    PositionRow,
    Reject,
)
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.params import Params, bad, one_of_missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering import account as render_account
from exchange.sim.surface.rendering.text import DAY_MS, Row, blank, ms, num
from exchange.sim.surface.rest.routes import READ, TRADE, Call, Route

ARCHIVE_MS = 90 * DAY_MS
MARGIN_MODES = ("cross", "isolated")

_HISTORY_BLANK = blank(
    "instType instId mgnMode type cTime uTime openAvgPx closeAvgPx posId openMaxPos closeTotalPos "
    "realizedPnl settledPnl pnl pnlRatio fee fundingFee liqPenalty posSide direction lever triggerPx "
    "uly ccy"
)


class AccountData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def _instrument(self, inst_id: str) -> Instrument:
        instrument = self._venue.instruments.get(inst_id)
        if instrument is None:
            raise Reject("51001", "Instrument ID does not exist.")
        return instrument

    # --- state --------------------------------------------------------------------------------

    def config(self, call: Call) -> Sequence[Any]:
        a = call.account
        return [
            {
                "uid": a.uid,
                "mainUid": a.family,
                "acctLv": a.level,
                "posMode": a.pos_mode,
                "acctStpMode": "cancel_maker",
                "autoLoan": a.auto_loan,
                "greeksType": "PA",
                "level": a.fee_level,
                "levelTmp": "",
                "feeType": a.fee_type,
                "ctIsoMode": "automatic",
                "mgnIsoMode": "automatic",
                "stgyType": "0",
                "spotOffsetType": "",
                "roleType": "0",
                "traderInsts": [],
                "spotRoleType": "0",
                "spotTraderInsts": [],
                "opAuth": "0",
                "kycLv": "3",
                "label": a.name,
                "ip": a.ip,
                "perm": a.permissions,
                "liquidationGear": "3",
                "enableSpotBorrow": False,
                "spotBorrowAutoRepay": False,
                "type": "1" if a.master else "0",
                "settleCcy": "USDT",
                "settleCcyList": ["USDT"],
                "newFieldOfTomorrow": "",
            }
        ]

    def balance(self, call: Call) -> Sequence[Any]:
        currencies = call.params.names("ccy", 20)
        figures = self._venue.figures(call.account)
        return [render_account.balance(call.account, figures, self._venue.now_ms, currencies)]

    def positions(self, call: Call) -> Sequence[Any]:
        """A closed position is only shown to who asks for it by name."""
        venue, params = self._venue, call.params
        inst_ids, pos_ids = params.names("instId", 10), params.names("posId", 20)
        if params.get("instType") not in ("", "SWAP"):
            return []
        figures = venue.figures(call.account)
        return [
            render_account.position(p, figures.positions.get(p.key), venue.markets[p.inst_id], venue.now_ms)
            for p in call.account.positions.values()
            if (p.size or p.inst_id in inst_ids)
            and (not inst_ids or p.inst_id in inst_ids)
            and (not pos_ids or p.pos_id in pos_ids)
        ]

    def positions_history(self, call: Call) -> Sequence[Any]:
        params, oldest_ms = call.params, self._venue.now_ms - ARCHIVE_MS
        rows = (
            {**_HISTORY_BLANK, **row}
            for row in reversed(call.account.closed_positions)
            if int(row["uTime"]) >= oldest_ms
            and all(
                not params.get(name) or row.get(name) == params.get(name)
                for name in ("instType", "instId", "mgnMode", "type", "posId")
            )
        )
        return page(rows, params, lambda row: int(row["uTime"]))

    def position_risk(self, call: Call) -> Sequence[Any]:
        """Balances and positions of one instant."""
        venue, account = self._venue, call.account
        figures = venue.figures(account)
        multi = account.level == render_account.MULTI_MODE
        held = [c for c in figures.coins.values() if c.cash or c.equity]
        return [
            {
                "ts": ms(venue.now_ms),
                "adjEq": num(figures.adjusted_equity) if multi else "",
                "balData": [
                    {"ccy": c.ccy, "eq": num(c.equity), "disEq": num(c.discounted_usd)} for c in held
                ],
                "posData": [self._risk_row(account.positions[f.key], f) for f in figures.positions.values()],
            }
        ]

    def _risk_row(self, p: PositionRow, f: PositionFigures) -> Row:
        i = self._instrument(p.inst_id)
        return {
            "instType": i.inst_type,
            "mgnMode": p.key.mode,
            "posId": p.pos_id,
            "instId": p.inst_id,
            "pos": num(render_account.shown_size(p)),
            "posCcy": "",
            "posSide": p.key.side,
            "baseBal": "",
            "quoteBal": "",
            "notionalCcy": num(abs(p.size) * i.ct_val),
            "ccy": i.quote,
            "notionalUsd": num(f.notional_usd),
        }

    # --- settings -----------------------------------------------------------------------------

    def set_position_mode(self, call: Call) -> Sequence[Any]:
        mode = call.params.choice("posMode", ("net_mode", "long_short_mode"))
        self._venue.set_position_mode(call.account, mode)
        return [{"posMode": mode}]

    def set_account_level(self, call: Call) -> Sequence[Any]:
        level = call.params.choice("acctLv", ("1", "2", "3", "4"))
        self._venue.set_level(call.account, level)
        return [{"acctLv": level}]

    def _leveraged(self, params: Params) -> list[Instrument]:
        inst_ids = params.names("instId", 20)
        if not inst_ids:
            raise one_of_missing("instId", "ccy")
        found = [self._instrument(inst_id) for inst_id in inst_ids]
        if not all(i.is_swap for i in found):
            raise bad("instId")
        return found

    def set_leverage(self, call: Call) -> Sequence[Any]:
        """`posSide` counts for isolated positions of long_short_mode only, and is required there."""
        params, account = call.params, call.account
        lever = params.positive("lever")
        mode = params.choice("mgnMode", MARGIN_MODES)
        [instrument] = self._leveraged(params)[:1]
        sided = mode == "isolated" and account.pos_mode != "net_mode"
        side = params.choice("posSide", ("long", "short")) if sided else "net"
        key = PositionKey(instrument.inst_id, mode, side)
        self._venue.set_leverage(account, key, lever)
        row = self._lever_row(account, key)
        return [{name: row[name] for name in ("lever", "mgnMode", "instId", "posSide")}]

    def leverage_info(self, call: Call) -> Sequence[Any]:
        mode = call.params.choice("mgnMode", MARGIN_MODES)
        account = call.account
        sides = ("net",) if account.pos_mode == "net_mode" else ("long", "short")
        return [
            self._lever_row(account, PositionKey(i.inst_id, mode, side))
            for i in self._leveraged(call.params)
            for side in sides
        ]

    def _lever_row(self, account: AccountState, key: PositionKey) -> Row:
        lever = self._venue.leverage_of(account, key)
        return {
            "instId": key.inst_id,
            "ccy": "",
            "mgnMode": key.mode,
            "posSide": key.side,
            "lever": num(lever),
        }

    # --- room ---------------------------------------------------------------------------------

    def max_size(self, call: Call) -> Sequence[Any]:
        params = call.params
        mode = params.choice("tdMode", ("cash", *MARGIN_MODES))
        params.need("instId")
        rows = []
        for inst_id in params.names("instId", 5):
            instrument = self._instrument(inst_id)
            buy, sell = self._venue.max_size(call.account, inst_id, params.number("px"), mode)
            ccy = instrument.quote if instrument.is_swap else instrument.base
            rows.append({"instId": inst_id, "ccy": ccy, "maxBuy": num(buy), "maxSell": num(sell)})
        return rows

    def max_avail_size(self, call: Call) -> Sequence[Any]:
        """Spot: quote to buy with, coins to sell. Swap: margin, or the position when reduce-only."""
        params, account = call.params, call.account
        mode = params.choice("tdMode", ("cash", *MARGIN_MODES))
        params.need("instId")
        figures = self._venue.figures(account)
        coins, rows = figures.coins, []
        for inst_id in params.names("instId", 5):
            i = self._instrument(inst_id)
            quote, base = coins.get(i.quote), coins.get(i.base)
            if not i.is_swap:
                buy, sell = quote.available if quote else ZERO, base.available if base else ZERO
            elif params.flag("reduceOnly"):
                sizes = [p.size for p in account.positions.values() if p.key[:2] == (inst_id, mode)]
                buy, sell = -sum((s for s in sizes if s < 0), ZERO), sum((s for s in sizes if s > 0), ZERO)
            elif figures.adjusted_equity is not None:  # every coin backs a swap
                buy = sell = max(ZERO, figures.adjusted_equity - (figures.imr or ZERO))
            else:
                buy = sell = quote.available_equity if quote else ZERO
            rows.append({"instId": inst_id, "availBuy": num(buy), "availSell": num(sell)})
        return rows

    def max_withdrawal(self, call: Call) -> Sequence[Any]:
        account = call.account
        currencies = call.params.names("ccy", 20) or [c for c, cash in account.trading.items() if cash]
        rows = []
        for ccy in currencies:
            most = num(self._venue.max_withdrawal(account, ccy))
            rows.append(
                {"ccy": ccy, "maxWd": most, "maxWdEx": most, "spotOffsetMaxWd": "", "spotOffsetMaxWdEx": ""}
            )
        return rows

    def trade_fee(self, call: Call) -> Sequence[Any]:
        """Negative is paid by the trader. USDT swaps keep the older U fields beside feeGroup."""
        params, account = call.params, call.account
        inst_type = params.choice("instType", ("SPOT", "SWAP"))
        maker_cost, taker_cost = self._venue.fee_rates(account, inst_type)
        maker, taker = num(-maker_cost), num(-taker_cost)
        groups = dict.fromkeys(
            i.group_id for i in self._venue.instruments.values() if i.inst_type == inst_type
        )
        wanted, spot = params.get("groupId"), inst_type == "SPOT"
        return [
            {
                "category": "1",
                "delivery": "",
                "exercise": "",
                "feeGroup": [
                    {"groupId": group, "maker": maker, "taker": taker, "elpMaker": ""}
                    for group in groups
                    if not wanted or group == wanted
                ],
                "fiat": [],
                "instType": inst_type,
                "level": account.fee_level,
                "maker": maker if spot else "",
                "makerU": "" if spot else maker,
                "makerUSDC": "",
                "ruleType": "normal",
                "settle": "",
                "taker": taker if spot else "",
                "takerU": "" if spot else taker,
                "takerUSDC": "",
                "ts": ms(self._venue.now_ms),
            }
        ]

    def adjust_margin(self, call: Call) -> Sequence[Any]:
        """Only isolated positions have margin of their own."""
        params, account = call.params, call.account
        instrument = self._instrument(params.need("instId"))
        if not instrument.is_swap:
            raise bad("instId")
        side = params.choice("posSide", ("net", "long", "short"))
        verb, amount = params.choice("type", ("add", "reduce")), params.positive("amt")
        key = PositionKey(instrument.inst_id, "isolated", side)
        self._venue.adjust_margin(account, key, amount if verb == "add" else -amount)
        return [
            {
                "instId": key.inst_id,
                "posSide": side,
                "amt": num(amount),
                "type": verb,
                "leverage": num(self._venue.leverage_of(account, key)),
                "ccy": instrument.quote,
            }
        ]


def routes(venue: Venue) -> list[Route]:
    data = AccountData(venue)

    def get(path: str, answer: Any, count: int, window_ms: int = 2000) -> Route:
        return Route("GET", path, answer, Limit(count, window_ms), READ)

    def post(path: str, answer: Any, count: int, *per: str, window_ms: int = 2000) -> Route:
        return Route("POST", path, answer, Limit(count, window_ms, per), TRADE)

    return [
        get("/account/config", data.config, 5),
        get("/account/balance", data.balance, 10),
        get("/account/positions", data.positions, 10),
        get("/account/positions-history", data.positions_history, 10),
        get("/account/account-position-risk", data.position_risk, 10),
        post("/account/set-position-mode", data.set_position_mode, 5),
        post("/account/set-account-level", data.set_account_level, 5),
        post("/account/set-leverage", data.set_leverage, 20),
        get("/account/leverage-info", data.leverage_info, 20),
        get("/account/max-size", data.max_size, 20),
        get("/account/max-avail-size", data.max_avail_size, 20),
        get("/account/max-withdrawal", data.max_withdrawal, 20),
        get("/account/trade-fee", data.trade_fee, 5),
        post("/account/position/margin-balance", data.adjust_margin, 20),
    ]
