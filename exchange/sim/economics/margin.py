"""What backs an account's swaps, what they need, and what is left. Source: api-v5.md 7.2.

Futures mode ("2"): only USDT backs USDT swaps. Multi-currency mode ("3"): every coin at its discount.
Isolated positions are backed by their own margin alone. All figures in USDT, which counts as one dollar.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from exchange.sim.economics import fees
from exchange.sim.economics.accounts import ISOLATED, leverage_of
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import Tier, discount_tiers, loan_quota, position_tiers
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState, PositionKey, PositionRow

MULTI = "3"
# A loan needs margin like the first tier of a spot margin position; HAIRCUT leaves room for the discount
# on what it buys. api-v5.md does not give these: assumed from the 10x the venue lists for spot margin.
LOAN_IMR, LOAN_MMR, LOAN_HAIRCUT = Decimal("0.1"), Decimal("0.03"), Decimal("0.05")


class Exposure(Struct, gc=False):
    """One position at mark. What an order does not ask for is worked out when somebody does."""

    row: PositionRow
    market: Market
    size: Decimal  # contracts, never negative
    notional: Decimal
    upl: Decimal
    imr: Decimal
    taker: Decimal  # what closing costs, a fraction of notional
    margin: Decimal = ZERO  # an isolated position's own
    known_rate: Decimal | None = None  # once asked for

    @property
    def mmr_rate(self) -> Decimal:
        """Of the tier it is in, a fraction of notional."""
        if self.known_rate is None:
            self.known_rate = tier_of(self.market, self.size)[2]
        return self.known_rate

    @property
    def mmr(self) -> Decimal:
        return self.notional * self.mmr_rate

    @property
    def close_fee(self) -> Decimal:
        return self.notional * self.taker

    @property
    def rate(self) -> Decimal:
        """Maintenance margin and fee, a fraction of notional."""
        return self.mmr_rate + self.taker

    @property
    def own_ratio(self) -> Decimal:
        """An isolated position's ratio: (margin + UPL) / (notional x (mmr + taker fee))."""
        return (self.margin + self.upl) / (self.mmr + self.close_fee)

    @property
    def spare(self) -> Decimal:
        """Margin an isolated position could give back: what its size and its loss do not need."""
        return max(ZERO, self.margin + min(ZERO, self.upl) - self.imr)


class Standing(Struct, gc=False):
    """An account at one instant, USDT. Isolated positions stand alone and count nowhere else.

    backing   what counts against the requirement: USDT equity, or adjusted equity in multi mode
    held      per currency, what spot orders hold back; order_margin what swap orders hold back
    equity    per currency, cash and profit of cross positions
    loans     per currency, what is owed; loan_imr what loans need, those of waiting orders included
    """

    multi: bool
    exposures: list[Exposure]  # cross
    isolated: list[Exposure]
    upl: Decimal
    imr: Decimal
    order_margin: Decimal
    held: dict[str, Decimal]
    backing: Decimal
    equity: dict[str, Decimal]
    world: World
    loans: dict[str, Decimal]
    loan_imr: Decimal
    loan_mmr: Decimal
    known_mmr: Decimal | None = None  # once asked for, as every position's figures ask
    known_need: Decimal | None = None

    @property
    def mmr(self) -> Decimal:
        if self.known_mmr is None:
            self.known_mmr = sum([each.mmr for each in self.exposures], ZERO)
        return self.known_mmr

    @property
    def close_fees(self) -> Decimal:
        return sum([each.close_fee for each in self.exposures], ZERO)

    @property
    def need(self) -> Decimal:
        """What a ratio of 1 takes: the maintenance margin, and the fees of closing everything."""
        if self.known_need is None:
            self.known_need = self.mmr + self.loan_mmr + self.close_fees
        return self.known_need

    @property
    def cover(self) -> Decimal:
        """What stands against the need. In Futures mode USDT that buy coins will back nothing any more;
        in multi-currency mode the coins will, so an order changes nothing yet."""
        return self.backing if self.multi else self.backing - self.held.get(QUOTE, ZERO)

    @property
    def ratio(self) -> Decimal | None:
        """The venue's mgnRatio: 1 liquidates, 3 warns. None without positions or loans."""
        return self.cover / self.need if self.need else None

    @property
    def free(self) -> Decimal:
        """Margin left for new positions, USDT; may be negative."""
        return self.cover - self.imr - self.loan_imr - self.order_margin

    def spare_of(self, key: PositionKey) -> Decimal:
        """USDT a position could lose before the maintenance margin and fees behind it are touched."""
        for each in self.isolated:
            if each.row.key == key:
                return max(ZERO, each.margin + each.upl - each.mmr - each.close_fee)
        return max(ZERO, self.backing - self.need)

    def own(self, account: AccountState, ccy: str, freed: Decimal = ZERO) -> Decimal:
        """Coins the account has free, with `freed` of them given up by an order that is being amended.

        USDT must also leave the positions their margin.
        """
        cash, held = account.trading.get(ccy, ZERO), self.held.get(ccy, ZERO)
        if ccy == QUOTE and not self.multi:
            left = min(cash - held - self.order_margin, self.free)
        else:
            left = min(cash, self.equity.get(ccy, ZERO)) - held
        return max(ZERO, left + freed)

    def borrowable(self, account: AccountState, ccy: str) -> Decimal:
        """Coins that auto-borrow would lend on top: as far as the quota and the free margin reach."""
        if not (self.multi and account.auto_loan and (price := self.world.index(ccy))):
            return ZERO
        quota = loan_quota(account.fee_level, ccy)
        owed = max(ZERO, self.held.get(ccy, ZERO) - self.equity.get(ccy, ZERO))
        return max(ZERO, min(quota - owed, self.free / (LOAN_IMR + LOAN_HAIRCUT) / price))

    def spendable(self, account: AccountState, ccy: str, freed: Decimal = ZERO) -> Decimal:
        """Coins that may be sold or paid: free ones, and borrowed ones where the account may borrow."""
        return self.own(account, ccy, freed) + self.borrowable(account, ccy)


def tier_of(market: Market, size: Decimal) -> Tier:
    """The tier a position of `size` contracts falls in; the last one beyond the table."""
    tiers = position_tiers(market.coin)
    for tier in tiers:
        if size <= tier[1]:
            return tier
    return tiers[-1]


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
    upl = imr = ZERO
    taker = fees.rates(account.fee_level, "SWAP")[1]
    for key, row in account.positions.items():
        if not row.size:
            continue
        each = _exposure(row, world.markets[key.inst_id], leverage_of(account, key), taker)
        if key.mode == ISOLATED:
            each.margin = account.margins[key]
            isolated.append(each)
            continue
        exposures.append(each)
        upl += each.upl
        imr += each.imr
    sums, equity = account.sums, dict(account.trading)
    held = sums.held
    equity[QUOTE] = equity.get(QUOTE, ZERO) + upl
    owed: dict[str, Decimal] = {}
    loan_imr = loan_mmr = ZERO
    backing = equity[QUOTE]
    if multi:
        backing = ZERO
        for ccy in (*equity, *(ccy for ccy in held if ccy not in equity)):
            amount, price = equity.get(ccy, ZERO), world.index(ccy)
            backing += discounted(ccy, amount, price)
            if amount < 0:
                owed[ccy] = -amount
                loan_mmr -= amount * price * LOAN_MMR
            if (short := held.get(ccy, ZERO) - amount) > 0:
                loan_imr += short * price * LOAN_IMR
    return Standing(
        multi, exposures, isolated, upl, imr, sums.margin, held, backing, equity,
        world, owed, loan_imr, loan_mmr,
    )  # fmt: skip


def _exposure(row: PositionRow, market: Market, leverage: Decimal, taker: Decimal) -> Exposure:
    coins, mark_px = row.size * market.instrument.ct_val, market.mark_px
    notional, upl = abs(coins) * mark_px, coins * (mark_px - row.avg_px)
    return Exposure(row, market, abs(row.size), notional, upl, notional / leverage, taker)
