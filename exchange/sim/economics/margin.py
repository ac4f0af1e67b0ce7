"""What backs an account's swaps, what they need, and what is left. Source: api-v5.md 7.2.

Futures mode ("2"): only USDT backs USDT swaps. Multi-currency mode ("3"): every coin at its discount.
Isolated positions are backed by their own margin alone. All figures in USDT, which counts as one dollar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from exchange.sim.economics import fees
from exchange.sim.economics.accounts import ISOLATED, MARGIN_FOLLOWS, MARGIN_TAKEN, leverage_of, move_margin
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import Tier, discount_tiers, position_tiers
from exchange.sim.markets.market import Market
from exchange.sim.model import (
    ZERO,
    AccountFigures,
    AccountState,
    CoinFigures,
    PositionFigures,
    PositionKey,
    PositionRow,
    Reject,
)

MULTI = "3"


@dataclass(slots=True)
class Exposure:
    """One position at mark."""

    row: PositionRow
    market: Market
    notional: Decimal
    upl: Decimal
    imr: Decimal
    mmr: Decimal
    close_fee: Decimal
    rate: Decimal  # mmr + fee, fraction of notional
    margin: Decimal = ZERO  # an isolated position's own

    @property
    def own_ratio(self) -> Decimal:
        """An isolated position's ratio: (margin + UPL) / (notional x (mmr + taker fee))."""
        return (self.margin + self.upl) / (self.mmr + self.close_fee)

    @property
    def spare(self) -> Decimal:
        """Margin an isolated position could give back: what its size and its loss do not need."""
        return max(ZERO, self.margin + min(ZERO, self.upl) - self.imr)


@dataclass(slots=True)
class Standing:
    """An account at one instant, USDT. Isolated positions stand alone and count nowhere else.

    backing   what counts against the requirement: USDT equity, or adjusted equity in multi mode
    held      per currency, what spot orders hold back; order_margin what swap orders hold back
    equity    per currency, cash and profit of cross positions
    """

    multi: bool
    exposures: list[Exposure]  # cross
    isolated: list[Exposure]
    upl: Decimal
    imr: Decimal
    mmr: Decimal
    close_fees: Decimal
    order_margin: Decimal
    held: dict[str, Decimal]
    backing: Decimal
    equity: dict[str, Decimal] = field(default_factory=dict)

    @property
    def ratio(self) -> Decimal | None:
        """The venue's mgnRatio: 1 liquidates, 3 warns. None without positions."""
        need = self.mmr + self.close_fees
        return (self.backing - self.held.get(QUOTE, ZERO)) / need if need else None

    @property
    def free(self) -> Decimal:
        """Margin left for new positions, USDT; may be negative."""
        held = ZERO if self.multi else self.held.get(QUOTE, ZERO)
        return self.backing - self.imr - self.order_margin - held

    def spare_of(self, key: PositionKey) -> Decimal:
        """USDT a position could lose before the maintenance margin and fees behind it are touched."""
        for each in self.isolated:
            if each.row.key == key:
                return max(ZERO, each.margin + each.upl - each.mmr - each.close_fee)
        return max(ZERO, self.backing - self.mmr - self.close_fees)

    def spendable(self, account: AccountState, ccy: str) -> Decimal:
        """Coins free to be sold or paid. USDT must also leave the positions their margin."""
        cash, held = account.trading.get(ccy, ZERO), self.held.get(ccy, ZERO)
        left = min(cash, self.equity.get(ccy, ZERO)) - held
        if ccy == QUOTE and not self.multi:
            left = min(cash - held - self.order_margin, self.free)
        return max(ZERO, left)


def tier_of(market: Market, size: Decimal) -> Tier:
    """The tier a position of `size` contracts falls in; the last one beyond the table."""
    tiers = position_tiers(market.coin)
    return next((tier for tier in tiers if size <= tier[1]), tiers[-1])


def discounted(ccy: str, amount: Decimal, price: Decimal) -> Decimal:
    """USD a coin balance counts as collateral, tier by tier; a debt counts in full."""
    if amount <= 0:
        return amount * price
    total = ZERO
    for low, high, rate in discount_tiers(ccy):
        top = amount if high is None else min(amount, high)
        if top <= low:
            break
        total += (top - low) * rate
    return total * price


def standing(world: World, account: AccountState) -> Standing:
    multi = account.level == MULTI
    exposures: list[Exposure] = []
    isolated: list[Exposure] = []
    upl = imr = mmr = close_fees = order_margin = ZERO
    for key, row in account.positions.items():
        if not row.size:
            continue
        each = _exposure(account, row, world.markets[key.inst_id])
        if key.mode == ISOLATED:
            each.margin = account.margins[key]
            isolated.append(each)
            continue
        exposures.append(each)
        upl += each.upl
        imr += each.imr
        mmr += each.mmr
        close_fees += each.close_fee
    held: dict[str, Decimal] = {}
    for order in account.open_orders.values():
        instrument = world.markets[order.inst_id].instrument
        if instrument.is_swap:
            order_margin += order.frozen
        else:
            ccy = instrument.quote if order.side == "buy" else instrument.base
            held[ccy] = held.get(ccy, ZERO) + order.frozen
    equity = dict(account.trading)
    equity[QUOTE] = equity.get(QUOTE, ZERO) + upl
    if multi:
        backing = sum((discounted(ccy, eq, world.index(ccy)) for ccy, eq in equity.items()), ZERO)
    else:
        backing = equity[QUOTE]
    return Standing(
        multi, exposures, isolated, upl, imr, mmr, close_fees, order_margin, held, backing, equity
    )


def _exposure(account: AccountState, row: PositionRow, market: Market) -> Exposure:
    coins = row.size * market.instrument.ct_val
    notional = abs(coins) * market.mark_px
    mmr_rate = tier_of(market, abs(row.size))[2]
    taker = fees.rates(account.fee_level, "SWAP")[1]
    return Exposure(
        row=row,
        market=market,
        notional=notional,
        upl=coins * (market.mark_px - row.avg_px),
        imr=notional / leverage_of(account, row.key),
        mmr=notional * mmr_rate,
        close_fee=notional * taker,
        rate=mmr_rate + taker,
    )


def isolated(now: Standing, key: PositionKey) -> Exposure:
    """The open isolated position `key`. Raises 59300 when there is none."""
    for each in now.isolated:
        if each.row.key == key:
            return each
    raise Reject("59300", "Margin call failed. Position does not exist.")


def add_margin(world: World, account: AccountState, key: PositionKey, change: Decimal, sub_type: str) -> None:
    """Give an isolated position more margin out of the account's cash. Raises 59300, 59303."""
    now = standing(world, account)
    each = isolated(now, key)
    if change > now.spendable(account, QUOTE):
        raise Reject("59303", "Insufficient available margin, add margin or reduce the borrowing amount.")
    move_margin(world, account, key, change, sub_type, each.market)


def take_margin(world: World, account: AccountState, key: PositionKey, change: Decimal) -> None:
    """Take margin out of an isolated position. Raises 59300; 59302 while an order would close it; 59301
    for more than its initial margin and its loss leave over."""
    each = isolated(standing(world, account), key)
    closing = "sell" if each.row.size > 0 else "buy"
    if any(order.side == closing and order.position == key for order in account.open_orders.values()):
        raise Reject("59302", "Margin adjustment failed due to pending close order.")
    if change > each.spare:
        raise Reject("59301", "Margin adjustment failed for exceeding the max limit.")
    move_margin(world, account, key, -change, MARGIN_TAKEN, each.market)


def follow_leverage(world: World, account: AccountState, key: PositionKey, factor: Decimal) -> None:
    """Bring an isolated position's margin to `factor` times what it is, after its leverage changed.

    Raises 59303 when there is not enough cash for more; gives back no more than can be spared.
    """
    each = isolated(standing(world, account), key)
    change = max(each.margin * (factor - 1), -each.spare)
    if change > 0:
        add_margin(world, account, key, change, MARGIN_FOLLOWS)
    elif change:
        move_margin(world, account, key, change, MARGIN_TAKEN, each.market)


def liquidation_price(world: World, account: AccountState, now: Standing, each: Exposure) -> Decimal | None:
    """The mark price at which the account's ratio reaches 1 if only this coin moves; None if none does.

    Futures mode, short of notional N against USDT C: x = (C/N + 1) / (1 + mmr + fee). With C/N = 0.5,
    mmr 0.004 and fee 0.0005 the price may rise to 1.493 times the entry. In multi-currency mode the
    coin's own balance moves along at its discount, and a fully hedged short has no such price.
    """
    mark, coins = each.market.mark_px, each.row.size * each.market.instrument.ct_val
    if each.row.key.mode == ISOLATED:
        price = mark - (each.margin + each.upl - abs(coins) * mark * each.rate) / (
            coins - abs(coins) * each.rate
        )
        return price if price > 0 else None
    others = now.mmr + now.close_fees - abs(coins) * mark * each.rate
    slope = coins - abs(coins) * each.rate  # what one more dollar of price adds to backing minus need
    if now.multi and (own := now.equity.get(each.market.coin, ZERO)) > 0:
        index = world.index(each.market.coin)
        slope += discounted(each.market.coin, own, index) / index if index else ZERO
    surplus = now.backing - now.held.get(QUOTE, ZERO) - others - abs(coins) * mark * each.rate
    if not slope:
        return None
    price = mark - surplus / slope
    return price if price > 0 and slope * coins > 0 else None


def figures(world: World, account: AccountState) -> AccountFigures:
    now = standing(world, account)
    open_now = now.exposures + now.isolated
    coins = {
        ccy: _coin(world, account, now, ccy)
        for ccy in sorted(set(account.trading) | ({QUOTE} if open_now else set()))
        if account.trading.get(ccy, ZERO) or (ccy == QUOTE and open_now)
    }
    ratio = now.ratio
    notional = sum((each.notional for each in open_now), ZERO)
    return AccountFigures(
        total_equity=sum((coin.equity * coin.usd_px for coin in coins.values()), ZERO),
        adjusted_equity=now.backing if now.multi else None,
        imr=now.imr + now.order_margin if now.multi else None,
        mmr=now.mmr if now.multi else None,
        mgn_ratio=ratio if now.multi else None,
        notional_usd=notional,
        upl=now.upl,
        coins=coins,
        positions={each.row.key: _position(world, account, now, each) for each in open_now},
        isolated_equity=sum((each.margin + each.upl for each in now.isolated), ZERO),
    )


def _coin(world: World, account: AccountState, now: Standing, ccy: str) -> CoinFigures:
    settles = ccy == QUOTE
    equity, price = now.equity.get(ccy, ZERO), world.index(ccy)
    order_frozen = now.held.get(ccy, ZERO) + (now.order_margin if settles else ZERO)
    imr = now.imr if settles and not now.multi else ZERO
    if now.multi:
        margin_free = max(ZERO, now.free) / price if price else ZERO
    else:
        margin_free = max(ZERO, now.free) if settles else max(ZERO, equity - order_frozen)
    isolated_upl = sum((each.upl for each in now.isolated), ZERO) if settles else ZERO
    isolated = sum((each.margin for each in now.isolated), isolated_upl) if settles else ZERO
    return CoinFigures(
        ccy=ccy,
        cash=account.trading.get(ccy, ZERO),
        equity=equity + isolated,
        available=now.spendable(account, ccy),
        available_equity=margin_free,
        frozen=order_frozen + imr,
        order_frozen=order_frozen,
        upl=now.upl if settles else ZERO,
        liability=max(ZERO, -equity) if now.multi else ZERO,
        imr=imr,
        mmr=now.mmr if settles and not now.multi else ZERO,
        mgn_ratio=now.ratio if settles and not now.multi else None,
        usd_px=price,
        discounted_usd=discounted(ccy, equity, price),
        isolated_equity=isolated,
        isolated_upl=isolated_upl,
    )


def _position(world: World, account: AccountState, now: Standing, each: Exposure) -> PositionFigures:
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
        mgn_ratio=each.own_ratio if own else now.ratio,
        liq_px=liquidation_price(world, account, now, each),
        notional_usd=each.notional,
        mark_px=each.market.mark_px,
        adl_rank=adl_rank(now, each),
    )


def adl_rank(now: Standing, each: Exposure) -> int:
    """Place in the queue of forced reduction, 1 to 5 = first: profit times effective leverage.

    A simple model: the venue ranks against all other holders, whom the simulation does not have.
    """
    entry = each.notional - each.upl * (1 if each.row.size > 0 else -1)
    if each.upl <= 0 or entry <= 0:
        return 1
    backing = each.margin + each.upl if each.row.key.mode == ISOLATED else now.backing
    leverage = each.notional / backing if backing > 0 else Decimal(100)
    score = each.upl / entry * leverage
    return next(
        (rank for rank, edge in ((1, "0.02"), (2, "0.08"), (3, "0.2"), (4, "0.5")) if score < Decimal(edge)),
        5,
    )
