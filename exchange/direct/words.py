"""From the simulated venue's nouns to the engine's, without a protocol in between.

Pure. What the wire's parsers do for OKX is done here for a venue in the same process, with the same tables
of the venue's codes; both end in the same domain types, and a test holds them against each other.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.protection import StopRecord
from core.types import (
    AccountConfig,
    AccountSnapshot,
    Balance,
    Bill,
    BillKind,
    Book,
    Candle,
    Contracts,
    Fill,
    FundingQuote,
    MaintenanceWindow,
    OrderRecord,
    OrderStatus,
    Position,
    Side,
    SpotSpec,
    SwapSpec,
    TransferRecord,
    TransferStatus,
)
from exchange.direct.levels import levels_of
from exchange.okx.parse_account import BILLS, MODES, WALLETS
from exchange.okx.parse_algo import STATES as STOPS
from exchange.sim.account_figures import AccountFigures, CoinFigures
from exchange.sim.algo_model import AlgoOrder
from exchange.sim.model import (
    ZERO,
    AccountState,
    Bar,
    BillRow,
    Execution,
    FundingState,
    Instrument,
    Order,
    PositionKey,
    Transfer,
)
from exchange.sim.seam import MarketSide

USDT: Final = "USDT"
_SIDES: Final = {side.value: side for side in Side}
_STATES: Final = {status.value: status for status in OrderStatus}


# --- instruments and markets ------------------------------------------------------------------


def spot_spec(i: Instrument) -> SpotSpec:
    return SpotSpec(
        i.inst_id, i.base, i.quote, i.tick, i.lot, i.min_size, i.max_limit_size, i.state, i.expires_ms
    )


def swap_spec(i: Instrument) -> SwapSpec:
    return SwapSpec(
        i.inst_id,
        i.ct_val,
        i.tick,
        i.lot,
        i.min_size,
        i.max_limit_size,
        i.max_leverage,
        i.state,
        i.expires_ms,
    )


def book(side: MarketSide, depth: int, now_ms: int) -> Book:
    bids, asks = levels_of(*side.parts("buy", depth)), levels_of(*side.parts("sell", depth))
    return Book(side.instrument.inst_id, bids, asks, side.ts_ms, now_ms, side.seq_id)


def candle(bar: Bar) -> Candle:
    return Candle(bar.ts_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.closed)


def quote(inst_id: str, state: FundingState, now_ms: int) -> FundingQuote:
    return FundingQuote(
        inst_id=inst_id,
        rate=state.rate,
        funding_time_ms=state.funding_ms,
        next_funding_time_ms=state.next_funding_ms,
        seen_ms=now_ms,
        min_rate=state.min_rate,
        max_rate=state.max_rate,
        settled_rate=state.settled_rate,
    )


def maintenance(row: dict[str, str]) -> MaintenanceWindow:
    return MaintenanceWindow(row["title"], int(row["begin"]), int(row["end"]), row["state"])


# --- orders -----------------------------------------------------------------------------------


def record(order: Order, instrument: Instrument) -> OrderRecord:
    buys_coins = order.side == "buy" and not instrument.is_swap
    return OrderRecord(
        cl_id=order.cl_id,
        ord_id=order.ord_id,
        inst_id=order.inst_id,
        side=_SIDES[order.side],
        status=_STATES[order.state],
        size=order.size,
        filled=order.filled,
        avg_px=order.avg_px if order.filled else None,
        fee=min(order.fee, ZERO),
        fee_ccy=order.fee_ccy or (instrument.base if buys_coins else instrument.quote),
        updated_ms=order.updated_ms,
        category=order.category,
        cancel_source=order.cancel_source,
        algo_cl_id=order.algo_cl_id,
    )


def stop(algo: AlgoOrder) -> StopRecord:
    """One that watches for a loss, of a stated size."""
    assert algo.size is not None and algo.stop_loss is not None, "no stop of ours"
    return StopRecord(
        cl_id=algo.cl_id,
        algo_id=algo.algo_id,
        inst_id=algo.inst_id,
        side=_SIDES[algo.side],
        size=Contracts(algo.size),
        trigger_px=algo.stop_loss.price,
        state=STOPS[algo.state],
        ord_id=algo.ord_id,
        created_ms=algo.created_ms,
    )


def fill(e: Execution) -> Fill:
    return Fill(
        inst_id=e.inst_id,
        trade_id=str(e.trade_id),
        ord_id=e.ord_id,
        cl_id=e.cl_id,
        side=_SIDES[e.side],
        px=e.price,
        size=e.size,
        fee=e.fee,
        fee_ccy=e.fee_ccy,
        ts_ms=e.ts_ms,
        maker=e.maker,
        bill_id=e.bill_id,
    )


# --- account ----------------------------------------------------------------------------------


def config(account: AccountState) -> AccountConfig:
    return AccountConfig(
        uid=account.uid,
        mode=MODES[account.level],
        net_positions=account.pos_mode == "net_mode",
        permissions=frozenset(account.permissions.split(",")),
        ip_bound=bool(account.ip),
        auto_loan=account.auto_loan,
        fee_in_quote=account.fee_type == "1",
    )


def snapshot(
    account: AccountState, figures: AccountFigures, now_ms: int, *, sleeve: bool = False
) -> AccountSnapshot:
    """Both wallets. `sleeve` says whose account it is."""
    usdt = figures.coins.get(USDT)
    multi = account.level == "3"
    open_keys = [key for key, row in account.positions.items() if row.size]
    held = [_position(account, key, figures, sleeve=sleeve) for key in open_keys]
    return AccountSnapshot(
        mode=MODES[account.level],
        balances={c.ccy: _balance(c, multi=multi) for c in figures.coins.values() if c.cash or c.equity},
        positions={p.inst_id: p for p in held if not p.is_stray},
        total_equity_usd=figures.total_equity,
        ts_ms=now_ms,
        seen_ms=now_ms,
        adjusted_equity_usd=figures.adjusted_equity,
        mgn_ratio=figures.mgn_ratio if multi else usdt.mgn_ratio if usdt else None,
        funding_wallet=wallet(account),
        strays={p.key: p for p in held if p.is_stray},
    )


def _balance(c: CoinFigures, *, multi: bool) -> Balance:
    """Of the margin currency only what is free as cash and as margin counts as available."""
    return Balance(
        ccy=c.ccy,
        cash=c.cash,
        equity=c.equity,
        available=min(c.available, c.available_equity) if c.ccy == USDT else c.available,
        liability=c.liability if multi else ZERO,
        discounted_usd=c.discounted_usd,
    )


def _position(account: AccountState, key: PositionKey, figures: AccountFigures, *, sleeve: bool) -> Position:
    row, seen = account.positions[key], figures.positions[key]
    return Position(
        inst_id=row.inst_id,
        contracts=Contracts(row.size),
        avg_px=row.avg_px,
        mark_px=seen.mark_px,
        upl=seen.upl,
        leverage=row.leverage,
        liq_px=seen.liq_px,
        mgn_ratio=seen.mgn_ratio,
        adl_rank=seen.adl_rank,
        isolated=row.key.mode == "isolated",
        long_side=row.key.side == "long",
        in_sleeve=sleeve,
        margin=seen.margin,
    )


def bill(row: BillRow) -> Bill:
    return Bill(
        bill_id=row.bill_id,
        kind=BILLS.get(row.kind, BillKind.OTHER),
        raw_type=f"{row.kind}/{row.sub_type}",
        ccy=row.ccy,
        change=row.change,
        ts_ms=row.ts_ms,
        inst_id=row.inst_id,
        ord_id=row.ord_id,
        trade_id=row.trade_id,
        px=row.price,
        size=row.size,
        pnl=row.pnl,
        fee=row.fee,
        interest=row.interest,
    )


def transfer(one: Transfer) -> TransferRecord:
    return TransferRecord(
        transfer_id=one.transfer_id,
        client_id=one.client_id,
        ccy=one.ccy,
        amount=one.amount,
        source=WALLETS[one.source],
        dest=WALLETS[one.dest],
        status=TransferStatus(one.state),
    )


def wallet(account: AccountState) -> dict[str, Decimal]:
    return {ccy: amount for ccy, amount in account.funding.items() if amount}
