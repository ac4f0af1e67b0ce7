"""An account in figures, as its owner may ask for them. Source: api-v5.md 3.2, 3.3, 7.2."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.account_figures import AccountFigures, CoinFigures, PositionFigures
from exchange.sim.economics import deleveraging, fees, loans
from exchange.sim.economics.accounts import ISOLATED, NET, leverage_of
from exchange.sim.economics.margin import LOAN_MMR, Exposure, Standing, discounted, standing
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.model import (
    ZERO,
    AccountState,
)


def liquidation_price(world: World, now: Standing, each: Exposure) -> Decimal | None:
    """The mark price at which the account's ratio reaches 1 if only this coin moves; None if none does.

    Futures mode, short of notional N against USDT C: x = (C/N + 1) / (1 + mmr + fee). With C/N = 0.5,
    mmr 0.004 and fee 0.0005 the price may rise to 1.493 times the entry. In multi-currency mode the
    coin's own balance moves along at its discount, and a loss beyond the USDT there is becomes a loan
    that needs margin too: the surplus over the need has a kink where the USDT are used up.
    """
    mark, coins = each.market.mark_px, each.row.size * each.market.instrument.ct_val
    slope = coins - abs(coins) * each.rate  # what one more dollar of price adds to backing minus need
    if each.row.key.mode == ISOLATED:
        surplus = each.margin + each.upl - each.mmr - each.close_fee
        return _falls_to_zero(mark, surplus, slope, coins)
    surplus = now.cover - now.need
    if not now.multi:
        return _falls_to_zero(mark, surplus, slope, coins)
    if (own := now.equity.get(each.market.coin, ZERO)) > 0 and (index := world.index(each.market.coin)):
        slope += discounted(each.market.coin, own, index) / index
    usdt, lending = now.equity[QUOTE], slope + LOAN_MMR * coins
    if usdt <= 0:
        return _falls_to_zero(mark, surplus, lending, coins)
    price, kink = _falls_to_zero(mark, surplus, slope, coins), mark - usdt / coins
    if price is not None and (price - kink) * coins >= 0:
        return price
    return _falls_to_zero(kink, surplus + slope * (kink - mark), lending, coins)


def _falls_to_zero(price: Decimal, surplus: Decimal, slope: Decimal, coins: Decimal) -> Decimal | None:
    """Where a surplus that changes by `slope` per dollar is gone as the price moves against `coins`."""
    if slope * coins <= 0:
        return None
    found = price - surplus / slope
    return found if found > 0 else None


def figures(world: World, account: AccountState) -> AccountFigures:
    now = standing(world, account)
    open_now = now.exposures + now.isolated
    ratio = now.ratio
    coins = {
        ccy: _coin(world, account, now, ratio, ccy)
        for ccy in sorted(set(account.trading) | ({QUOTE} if open_now else set()))
        if account.trading.get(ccy, ZERO) or (ccy == QUOTE and open_now)
    }
    notional = sum((each.notional for each in open_now), ZERO)
    return AccountFigures(
        total_equity=sum((coin.equity * coin.usd_px for coin in coins.values()), ZERO),
        adjusted_equity=now.backing if now.multi else None,
        imr=now.imr + now.loan_imr + now.order_margin if now.multi else None,
        mmr=now.mmr + now.loan_mmr if now.multi else None,
        mgn_ratio=ratio if now.multi else None,
        notional_usd=notional * world.usdt_usd,
        upl=now.upl,
        coins=coins,
        positions={each.row.key: _position(world, account, now, ratio, each) for each in open_now},
        isolated_equity=sum((each.margin + each.upl for each in now.isolated), ZERO),
        borrow_frozen=now.loan_imr,
        borrowed_usd=sum((owed * world.index(ccy) for ccy, owed in now.loans.items()), ZERO),
    )


def _coin(world: World, account: AccountState, now: Standing, ratio: Decimal | None, ccy: str) -> CoinFigures:
    settles = ccy == QUOTE
    equity, price = now.equity.get(ccy, ZERO), world.index(ccy)
    order_frozen = now.held.get(ccy, ZERO) + (now.order_margin if settles else ZERO)
    imr = now.imr if settles and not now.multi else ZERO
    if now.multi:
        margin_free = min(max(ZERO, now.free) / price, max(ZERO, equity - order_frozen)) if price else ZERO
    else:
        margin_free = max(ZERO, now.free) if settles else max(ZERO, equity - order_frozen)
    isolated_upl = sum((each.upl for each in now.isolated), ZERO) if settles else ZERO
    isolated = sum((each.margin for each in now.isolated), isolated_upl) if settles else ZERO
    return CoinFigures(
        ccy=ccy,
        cash=account.trading.get(ccy, ZERO),
        equity=equity + isolated,
        available=now.own(account, ccy),
        available_equity=margin_free,
        frozen=order_frozen + imr + max(ZERO, isolated),
        order_frozen=order_frozen,
        upl=now.upl + isolated_upl if settles else ZERO,
        liability=now.loans.get(ccy, ZERO),
        upl_liability=min(now.loans.get(ccy, ZERO), max(ZERO, -now.upl)) if settles else ZERO,
        borrowable=now.borrowable(account, ccy),
        repay_risk=loans.repay_risk(account, ccy, now.loans.get(ccy, ZERO)),
        imr=imr,
        mmr=now.mmr if settles and not now.multi else ZERO,
        mgn_ratio=ratio if settles and not now.multi else None,
        usd_px=price * world.usdt_usd,
        discounted_usd=discounted(ccy, equity, price),
        isolated_equity=isolated,
        isolated_upl=isolated_upl,
    )


def _position(
    world: World, account: AccountState, now: Standing, ratio: Decimal | None, each: Exposure
) -> PositionFigures:
    key = each.row.key
    own = key.mode == ISOLATED
    entry_margin = abs(each.row.size) * each.market.instrument.ct_val * each.row.avg_px
    entry_margin /= leverage_of(account, key)
    return PositionFigures(
        key=key,
        margin=each.margin if own else None,
        upl=each.upl,
        upl_ratio=each.upl / entry_margin if entry_margin else ZERO,
        imr=each.imr,
        mmr=each.mmr,
        mgn_ratio=each.own_ratio if own else ratio,
        liq_px=liquidation_price(world, now, each),
        notional_usd=each.notional * world.usdt_usd,
        usd_px=world.usdt_usd,
        mark_px=each.market.mark_px,
        adl_rank=deleveraging.rank(now, each),
        break_even_px=break_even_price(account, each),
        closable=None if key.side == NET else _closable(account, each),
    )


def break_even_price(account: AccountState, each: Exposure) -> Decimal | None:
    """Where closing at the taker fee would leave neither gain nor loss of the position's whole life, what
    it has realised, its fees and its funding included; None where no price does.

    coins x (p - average) - fee x |coins| x p + result so far = 0. The venue's formula is not documented.
    """
    row, taker = each.row, fees.rates(account.fee_level, "SWAP")[1]
    coins = row.size * each.market.instrument.ct_val
    so_far = row.realized + row.fee + row.funding_fee + row.liq_penalty
    price = (coins * row.avg_px - so_far) / (coins - taker * abs(coins))
    return price if price > 0 else None


def _closable(account: AccountState, each: Exposure) -> Decimal:
    side = "sell" if each.row.size > 0 else "buy"
    closing = (o.left for o in account.open_orders.values() if o.position == each.row.key and o.side == side)
    return max(ZERO, abs(each.row.size) - sum(closing, ZERO))
