"""An account's balances and positions as the venue writes them.

Which balance figures are "" depends on the account mode, exactly as documented for modes 1 to 4.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from exchange.sim.account_figures import AccountFigures, CoinFigures, PositionFigures
from exchange.sim.model import (
    ZERO,
    AccountState,
    Instrument,
    PositionRow,
)
from exchange.sim.seam import MarketSide
from exchange.sim.surface.rendering.text import UNDOCUMENTED, Row, blank, ms, num

SPOT_MODE, FUTURES_MODE, MULTI_MODE = "1", "2", "3"


_COIN_BLANK = blank(
    "isoEq fixedBal crossLiab isoLiab interest isoUpl uplLiab maxLoan borrowFroz notionalLever stgyEq "
    "rewardBal twap frpType spotInUseAmt clSpotInUseAmt maxSpotInUseAmt maxSpotInUse spotIsoBal "
    "smtSyncEq spotCopyTradingEq spotBal openAvgPx accAvgPx spotUpl spotUplRatio totalPnl totalPnlRatio "
    "colRes colBorrAutoConversion collateralRestrict autoLendStatus autoLendMtAmt autoLendAmt "
    "autoStakingStatus availEq disEq liab upl imr mmr mgnRatio"
)
_ACCOUNT_BLANK = blank(
    "isoEq adjEq availEq ordFroz imr mmr borrowFroz mgnRatio notionalUsd notionalUsdForBorrow "
    "notionalUsdForSwap notionalUsdForFutures notionalUsdForOption upl delta deltaLever "
    "deltaNeutralStatus"
)


def coin(c: CoinFigures, level: str, updated_ms: int) -> Row:
    """One row of balance `details`; sections that a mode does not have stay ""."""
    row: Row = {
        **_COIN_BLANK,
        "ccy": c.ccy,
        "eq": num(c.equity),
        "cashBal": num(c.cash),
        "availBal": num(c.available),
        "frozenBal": num(c.frozen),
        "ordFrozen": num(c.order_frozen),
        "eqUsd": num(c.equity * c.usd_px),
        "fixedBal": "0",
        "stgyEq": "0",
        "rewardBal": "0",
        "spotIsoBal": "0",
        "spotBal": num(c.cash),
        "borrowFroz": "0",
        "uTime": ms(updated_ms),
        "collateralEnabled": level == MULTI_MODE,
    }
    if level == SPOT_MODE:
        return row
    row.update(
        availEq=num(c.available_equity),
        upl=num(c.upl),
        isoEq=num(c.isolated_equity),
        isoUpl=num(c.isolated_upl),
        disEq=num(c.discounted_usd),
    )
    if level == FUTURES_MODE:  # each coin carries its own margin
        row.update(
            imr=num(c.imr),
            mmr=num(c.mmr),
            mgnRatio=num(c.mgn_ratio),
            notionalLever="0",
        )
    else:
        liability = num(c.liability)
        row.update(
            liab=liability,
            crossLiab=liability,
            isoLiab="0",
            uplLiab=num(c.upl_liability),
            interest="0",  # deducted at the hour it is due
            maxLoan=num(c.borrowable),
            twap=str(c.repay_risk),
        )
    return row


def balance(
    account: AccountState,
    f: AccountFigures,
    now_ms: int,
    currencies: Collection[str] = (),
    usd_prices: bool = False,
) -> Row:
    """account/balance, or the account push (`usd_prices` adds coinUsdPrice). Zero coins are left out.

    An account that never held anything has "" everywhere and no details.
    """
    held = [c for c in f.coins.values() if c.cash or c.equity]
    virgin = not held and not account.bills
    details = []
    for c in held if not currencies else [f.coins[ccy] for ccy in currencies if ccy in f.coins]:
        row = coin(c, account.level, account.updated_ms)
        if usd_prices:
            row["coinUsdPrice"] = num(c.usd_px)
        details.append(row)
    top: Row = {
        **_ACCOUNT_BLANK,
        "uTime": ms(now_ms),
        "totalEq": "" if virgin else num(f.total_equity),
        "details": details,
        **UNDOCUMENTED,
    }
    if virgin or account.level == SPOT_MODE:
        return top
    top["isoEq"] = num(f.isolated_equity)
    if account.level != FUTURES_MODE:
        top.update(
            adjEq=num(f.adjusted_equity),
            availEq=num(max(ZERO, (f.adjusted_equity or ZERO) - (f.imr or ZERO))),
            ordFroz=num(sum((c.order_frozen * c.usd_px for c in held), ZERO)),
            imr=num(f.imr),
            mmr=num(f.mmr),
            mgnRatio=num(f.mgn_ratio),
            borrowFroz=num(f.borrow_frozen),
            notionalUsd=num(f.notional_usd),
            notionalUsdForSwap=num(f.notional_usd),
            notionalUsdForBorrow=num(f.borrowed_usd),
            notionalUsdForFutures="0",
            notionalUsdForOption="0",
            upl=num(f.upl),
        )
    return top


_POSITION_BLANK = blank(
    "posCcy availPos nonSettleAvgPx bePx margin liab liabCcy optVal pendingCloseOrdLiabVal deltaBS "
    "deltaPA gammaBS gammaPA thetaBS thetaPA vegaBS vegaPA baseBal quoteBal baseBorrowed baseInterest "
    "quoteBorrowed quoteInterest spotInUseAmt spotInUseCcy clSpotInUseAmt maxSpotInUseAmt bizRefId "
    "bizRefType hedgedPos"
)


def shown_size(p: PositionRow) -> Decimal:
    """Contracts as the venue writes them: signed in net mode, else the side says the direction."""
    return p.size if p.key.side == "net" else abs(p.size)


def position(p: PositionRow, f: PositionFigures | None, side: MarketSide, now_ms: int) -> Row:
    """The position object of section 3.3. In net mode the sign of `pos` is the direction.

    Cross positions have an initial margin (`imr`), isolated ones a `margin` of their own.
    A closed position keeps its ids and times, shows pos "0" and has no margin figures.
    """
    i = side.instrument
    realized = p.realized + p.fee + p.funding_fee + p.liq_penalty
    row: Row = {
        **_POSITION_BLANK,
        "instType": i.inst_type,
        "instId": p.inst_id,
        "mgnMode": p.key.mode,
        "posId": p.pos_id,
        "posSide": p.key.side,
        "pos": num(shown_size(p)),
        "ccy": i.quote,
        "lever": num(p.leverage),
        "interest": "",
        "last": num(side.last),
        "idxPx": num(side.index_px),
        "usdPx": num(f.usd_px) if f else "",
        "markPx": num(side.mark_px),
        "tradeId": p.trade_id,
        "pnl": num(p.realized),
        "fee": num(p.fee),
        "fundingFee": num(p.funding_fee),
        "liqPenalty": num(p.liq_penalty),
        "settledPnl": "",
        "realizedPnl": num(realized),
        "closeOrderAlgo": [],
        "cTime": ms(p.created_ms),
        "uTime": ms(p.updated_ms),
        "pTime": ms(now_ms),
        **UNDOCUMENTED,
    }
    live = (
        "avgPx",
        "bePx",
        "availPos",
        "upl",
        "uplRatio",
        "uplLastPx",
        "uplRatioLastPx",
        "liqPx",
        "imr",
        "mmr",
        "mgnRatio",
    )
    if f is None or not p.size:
        return {**row, **dict.fromkeys((*live, "margin", "notionalUsd"), ""), "adl": "0"}
    upl_last = (side.last - p.avg_px) * p.size * i.ct_val
    row.update(
        avgPx=num(p.avg_px),
        bePx=num(f.break_even_px),
        availPos=num(f.closable),
        upl=num(f.upl),
        uplRatio=num(f.upl_ratio),
        uplLastPx=num(upl_last),
        uplRatioLastPx=num(upl_last * p.leverage / (p.avg_px * abs(p.size) * i.ct_val)),
        liqPx=num(f.liq_px),
        imr=num(f.imr) if f.margin is None else "",
        margin=num(f.margin),
        mmr=num(f.mmr),
        mgnRatio=num(f.mgn_ratio),
        notionalUsd=num(f.notional_usd),
        adl=str(f.adl_rank),
    )
    return row


def liquidation_warning(p: PositionRow, f: PositionFigures, i: Instrument, now_ms: int) -> Row:
    return {
        "instType": i.inst_type,
        "instId": p.inst_id,
        "mgnMode": p.key.mode,
        "posId": p.pos_id,
        "posSide": p.key.side,
        "pos": num(shown_size(p)),
        "posCcy": "",
        "ccy": i.quote,
        "lever": num(p.leverage),
        "markPx": num(f.mark_px),
        "liqPx": num(f.liq_px),
        "mgnRatio": num(f.mgn_ratio),
        "margin": num(f.margin),
        "imr": num(f.imr) if f.margin is None else "",
        "mmr": num(f.mmr),
        "adl": str(f.adl_rank),
        "cTime": ms(p.created_ms),
        "uTime": ms(p.updated_ms),
        "pTime": ms(now_ms),
    }
