"""Money in its place: is there enough for the planned hedge, and does the margin need more or less."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from config.schema import Account, Settings
from core.capital import spot_budget
from core.context import Context, HedgeView, MarketView
from core.events import HedgeTarget, Plan, Purpose, Target, TransferTarget
from core.types import ZERO, AccountMode, Base, Usdt, Wallet, ceil_to, floor_to
from core.verdict import Figures, Verdict
from risk.measures import Opening, account_gap, judged, opening_of, price_gap
from risk.projection import projected_ratio

CENT: Final = Decimal("0.01")
SETTLEMENT_WINDOW_MS: Final = 60_000  # the venue refuses transfers while it charges funding (58111)
RETRY_MS: Final = (
    10_000  # after a change of state: a transfer that has just failed is not tried at once again
)
FAILED_MS: Final = 15 * 60_000  # after a top-up that failed the hedge shrinks instead
SWEEP_PAUSE_MS: Final = 300_000  # the same for a sweep, which is never urgent
CLOSING_COST: Final = Decimal("0.005")  # of notional: both takers' fees and slippage of a shrink, rounded up
ROOM: Final = Decimal("1.01")  # fees and slippage of openings still to come
LEAST_CASH: Final = Decimal("0.25")  # of the notional, in USDT: a rise by as much and a loan would begin
CASH: Final = Decimal("0.5")  # of the notional, in USDT: what is restored, and what no sweep takes


@dataclass(frozen=True, slots=True)
class Split:
    """How the sleeve is divided, and what it allows.

    margin_per_spot  margin USDT kept per USDT of hedge.
    """

    account: Account
    margin_per_spot: Decimal

    @classmethod
    def of(cls, settings: Settings) -> Split:
        account = settings.account
        return cls(account, account.futures_ratio / account.spot_ratio)

    def budget(self, ctx: Context) -> Usdt:
        """USDT notional of all hedges together."""
        return spot_budget(self.account, ctx)


class FundGuard:
    """Free USDT of the trading account pays both legs of the planned hedge, and no cap is passed.

    free = min(available, backing equity - margin the held swaps need at the split). A new hedge must bring
    its own margin: it may not live on what protects the others. Money in the funding wallet or on its way
    is not counted. Fails closed on a missing or stale snapshot.
    """

    name = "funds_ok"

    def __init__(self, settings: Settings) -> None:
        self._settings, self._split = settings, Split.of(settings)

    def check(self, ctx: Context) -> Verdict:
        if gap := account_gap(ctx, self._settings.risk.margin):
            return Verdict(False, self.name, gap)
        opening = opening_of(ctx)
        if isinstance(opening, str):
            return Verdict(False, self.name, opening)
        if opening is None:
            return Verdict(True, self.name, "nothing is planned")
        assert ctx.account is not None  # account_gap has looked
        available = ctx.account.available("USDT")
        free = min(available, ctx.backing_equity - ctx.swap_notional * self._split.margin_per_spot)
        margin = opening.swap_notional * self._split.margin_per_spot
        need = opening.spot_cost + opening.swap_fee + margin
        figures = (
            ("free_usdt", free),
            ("available_usdt", available),
            ("need_usdt", need),
            ("spot_cost_usdt", opening.spot_cost),
            ("margin_usdt", margin),
            ("swap_fee_usdt", opening.swap_fee),
        )
        cap_checks, cap_figures = self._caps(ctx, opening)
        checks = ((free >= need, "not enough free USDT for both legs"), *cap_checks)
        well = "free USDT covers both legs"
        return judged(self.name, checks, well, (*figures, *cap_figures), opening.instrument)

    def _caps(self, ctx: Context, opening: Opening) -> tuple[tuple[tuple[bool, str], ...], Figures]:
        caps, account = self._settings.risk.caps, self._settings.account
        value = opening.target.base * opening.spot.mid
        others = tuple(h for h in ctx.open_hedges if h.instrument != opening.instrument)
        total = value + sum((_value(ctx, h) for h in others), ZERO)
        concentration = value / self._split.budget(ctx)
        checks = (
            (value <= account.max_position_value, "the hedge would be larger than one may be"),
            (concentration <= caps.max_concentration, "too much of the sleeve in one hedge"),
            (total <= caps.max_total_value, "all hedges together would be too large"),
            (len(others) < caps.max_instruments, "enough instruments are held"),
        )
        figures: Figures = (
            ("hedge_value_usdt", value),
            ("max_position_value_usdt", account.max_position_value),
            ("concentration_ratio", concentration),
            ("max_concentration_ratio", caps.max_concentration),
            ("total_value_usdt", total),
            ("max_total_value_usdt", caps.max_total_value),
            ("hedges_held", len(others)),
            ("max_instruments", caps.max_instruments),
        )
        return checks, figures


class _Lack(NamedTuple):
    """What is missing: `backing` should be `target` times the notional. Do coins sold add to it?"""

    reason: str
    backing: Decimal
    target: Decimal
    sale_counts: bool


class FundPlanner:
    """Keeps the margin ratio of the shorts between `rebalance_below` and `sweep_above`.

    E = backing equity, N = swap notional at mark, t = target ratio; ratio = E / N.

    **Too low**: E + x = t N, so x = t N - E comes from the funding wallet. What the wallet does not have
    is made by shrinking both legs of the largest hedge, see `shrink`.

    **Too high**: E - t N is more than the shorts need. Swept to the funding wallet is only what the part of
    the sleeve not in use would not need either: an unused notional U takes U for spot and U x
    margin_per_spot for margin. In multi-currency mode coins back the swaps too, but losses are booked in
    USDT: half of the notional stays in USDT. The ratio is high there all the time, so a sweep waits until
    USDT exceed that half by as much as `sweep_above` exceeds the target, 30 %: not every fall is one.

    **Too little USDT**, in multi-currency mode: a rise is paid in USDT while the ratio stays high, and the
    engine does not borrow. Below a quarter of the notional, half of it is restored in the same two ways.

    Nothing moves on a snapshot older than the last change of state: what was just done may not be in it. No
    transfer while another is pending, within a minute of a funding time, or right after one failed; half
    way from `rebalance_below` to the emergency nobody waits for one any longer, and the hedge
    shrinks instead. No sweep while legs are unequal or an order's outcome is unknown.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings, self._split = settings, Split.of(settings)
        self._margin = settings.risk.margin

    def plan(self, ctx: Context) -> Plan:
        targets, verdict = self._judge(ctx)
        return Plan(adjusting=targets, verdicts=(verdict,))

    def _judge(self, ctx: Context) -> tuple[tuple[Target, ...], Verdict]:
        if gap := account_gap(ctx, self._margin) or price_gap(ctx):
            return (), Verdict(False, "margin_upkeep", gap)
        ratio = ctx.margin_ratio
        if ratio is None:
            return (), Verdict(True, "margin_upkeep", "no swap is held")
        figures: Figures = (
            ("margin_ratio", ratio),
            ("backing_usdt", ctx.backing_equity),
            ("swap_notional_usdt", ctx.swap_notional),
            ("target_ratio", self._margin.target),
        )
        projected = projected_ratio(ctx, self._margin)
        # Early enough: a rise like those of the last hour must not end below the emergency.
        near = projected is not None and projected < self._margin.emergency_below
        figures += (("projected_ratio", "not known" if projected is None else projected),)
        low = self._lack(ctx, ratio, near)
        high = self._is_high(ctx, ratio) and not near
        assert ctx.account is not None  # account_gap has looked
        if (low is not None or high) and ctx.account.seen_ms < ctx.state_since_ms:
            reason = "waiting for the account as it is after the last change"
            return (), Verdict(low is None, "margin_upkeep", reason, figures)
        if low:
            targets, reason = self._restore(ctx, low, ratio, figures)
            return targets, Verdict(False, "margin_upkeep", reason, figures)
        if high:
            targets, reason = self._sweep(ctx, figures)
            return targets, Verdict(True, "margin_upkeep", reason, figures)
        return (), Verdict(True, "margin_upkeep", "margin ratio is in its range", figures)

    def _is_high(self, ctx: Context, ratio: Decimal) -> bool:
        margin = self._margin
        if ratio <= margin.sweep_above or not _in_coins(ctx):
            return ratio > margin.sweep_above
        kept = CASH * margin.sweep_above / margin.target * ctx.swap_notional
        return ctx.cash - self._reserved(ctx) > kept

    def _lack(self, ctx: Context, ratio: Decimal, near: bool) -> _Lack | None:
        margin, in_coins = self._margin, _in_coins(ctx)
        if ratio < margin.rebalance_below or (near and ratio < margin.target):
            return _Lack("margin ratio is too low", ctx.backing_equity, margin.target, not in_coins)
        if in_coins and ctx.cash < LEAST_CASH * ctx.swap_notional:
            return _Lack("USDT beside the coins is too low", ctx.cash, CASH, True)
        return None

    def _restore(
        self, ctx: Context, low: _Lack, ratio: Decimal, figures: Figures
    ) -> tuple[tuple[Target, ...], str]:
        assert ctx.account is not None  # _judge has looked
        need = ceil_to(low.target * ctx.swap_notional - low.backing, CENT)
        least, amount = self._margin.min_transfer_usdt, ZERO
        targets: list[Target] = []
        if top_up_failed(ctx):
            return self._shrink(ctx, low, need, figures), f"{low.reason}, and a top-up has just failed"
        if transfers_allowed(ctx):
            wallet = floor_to(ctx.account.funding_wallet.get("USDT", ZERO), CENT)
            offer = min(max(need, least), wallet)
            if offer > 0 and offer >= least:
                amount = offer
                moved = (*figures, ("need_usdt", need), ("wallet_usdt", wallet))
                targets.append(_transfer(amount, Purpose.TOP_UP, low.reason, moved))
        elif ratio >= (self._margin.emergency_below + self._margin.rebalance_below) / 2:
            return (), f"{low.reason}, waiting until transfers are possible"
        if need > amount:
            targets.extend(self._shrink(ctx, low, need - amount, figures))
        return tuple(targets), low.reason

    @staticmethod
    def _shrink(ctx: Context, low: _Lack, need: Decimal, figures: Figures) -> tuple[HedgeTarget, ...]:
        return shrink(ctx, need, low.target, figures, low.sale_counts, low.reason)

    def _sweep(self, ctx: Context, figures: Figures) -> tuple[tuple[Target, ...], str]:
        assert ctx.account is not None  # _judge has looked
        quiet = ctx.now_ms - ctx.state_since_ms >= SWEEP_PAUSE_MS and not ctx.unresolved_orders
        uneven = any(_is_uneven(ctx, hedge) for hedge in ctx.hedges.values())
        if not transfers_allowed(ctx) or not quiet or uneven:
            return (), "margin ratio is higher than needed, waiting for a quiet moment"
        reserved = self._reserved(ctx)
        excess = ctx.backing_equity - self._margin.target * ctx.swap_notional - reserved
        amount = min(excess, ctx.account.available("USDT"))
        if _in_coins(ctx):
            amount = min(amount, ctx.cash - ctx.swap_notional * CASH - reserved)
        amount = floor_to(max(amount, ZERO), CENT)
        if amount <= 0 or amount < self._margin.min_transfer_usdt:
            return (), "margin ratio is high, but the rest of the sleeve needs the money"
        kept = (*figures, ("excess_usdt", excess), ("reserved_usdt", reserved))
        reason = "margin ratio is higher than needed"
        return (_transfer(amount, Purpose.SWEEP, reason, kept),), reason

    def _reserved(self, ctx: Context) -> Decimal:
        """USDT the part of the sleeve not in use would take: spot, margin, and some room for fees."""
        in_use = sum((h.entry_notional for h in ctx.open_hedges), ZERO)
        unused = max(ZERO, self._split.budget(ctx) - in_use)
        return unused * (1 + self._split.margin_per_spot) * ROOM


def shrink(
    ctx: Context,
    need: Decimal,
    target: Decimal,
    figures: Figures,
    sale_counts: bool,
    why: str = "margin ratio is too low",
) -> tuple[HedgeTarget, ...]:
    """Return smaller hedges, the largest first, that make up for `need` = target x N - E, USDT.

    Closing x coins of both legs at spot price S and mark P: the sale brings x S of USDT, buying back costs
    no equity (its result is in E already), fees and slippage take at most c x P, and N falls by x P. The
    target is met when E + x S - c x P = target (N - x P), hence

        x = need / (S + (target - c) P)          `sale_counts`: E is USDT alone
        x = need / ((target - c) P)              multi-currency: the coins sold had been counted already

    rounded up to whole lots. What would fall below the swap's smallest order is closed entirely; a hedge
    that does not suffice is closed and the next one makes up the rest.
    """
    shrunk: list[HedgeTarget] = []
    for hedge in sorted(ctx.open_hedges, key=lambda h: (-_value(ctx, h), h.instrument)):
        market = ctx.markets[hedge.instrument]
        prices = _prices(market)
        if need <= 0 or prices is None or not hedge.contracts or not market.pair.trades:
            continue
        spot_px, mark_px = prices
        relief = (target - CLOSING_COST) * mark_px + (spot_px if sale_counts else ZERO)  # USDT per coin
        swap = market.pair.swap
        closed = min(ceil_to(need / relief / swap.ct_val, swap.lot), hedge.contracts)
        if hedge.contracts - closed < swap.min_size:
            closed = hedge.contracts
        base = Base(swap.to_base(hedge.contracts - closed))
        need -= swap.to_base(closed) * relief
        shrunk.append(
            HedgeTarget(
                hedge.instrument,
                base,
                Purpose.SHRINK,
                f"{why} and the wallet cannot cover it",
                (*figures, ("closed_contracts", closed), ("relief_usdt_per_base", relief)),
            )
        )
    return tuple(shrunk)


def top_up_failed(ctx: Context) -> bool:
    """The venue has refused a top-up within the last quarter of an hour: nobody waits for the next one."""
    return bool(ctx.top_up_failed_ms) and ctx.now_ms - ctx.top_up_failed_ms < FAILED_MS


def transfers_allowed(ctx: Context) -> bool:
    """No transfer is pending or was just tried, and no funding time of a quoted swap is within a minute."""
    if ctx.pending_transfer or ctx.now_ms - ctx.state_since_ms < RETRY_MS:
        return False
    quotes = (m.funding for m in ctx.markets.values() if m.funding is not None)
    times = (t for q in quotes for t in (q.funding_time_ms, q.funding_time_ms - q.interval_ms))
    return all(abs(ctx.now_ms - t) > SETTLEMENT_WINDOW_MS for t in times)


def _in_coins(ctx: Context) -> bool:
    """Whether coins back the swaps as well as USDT."""
    return ctx.account is not None and ctx.account.mode is not AccountMode.FUTURES


def _transfer(amount: Decimal, purpose: Purpose, reason: str, figures: Figures) -> TransferTarget:
    source, dest = (
        (Wallet.FUNDING, Wallet.TRADING) if purpose is Purpose.TOP_UP else (Wallet.TRADING, Wallet.FUNDING)
    )
    return TransferTarget("USDT", amount, source, dest, purpose, reason, figures)


def _prices(market: MarketView) -> tuple[Decimal, Decimal] | None:
    """Spot mid and swap mark; None while either is not known."""
    if market.spot is None or not market.spot.is_sane or not market.mark_px:
        return None
    return market.spot.mid, market.mark_px


def _value(ctx: Context, hedge: HedgeView) -> Decimal:
    """USDT value of a hedge's larger leg at the spot mid, or what it cost while that is not known."""
    market = ctx.markets.get(hedge.instrument)
    prices = _prices(market) if market else None
    return hedge.size * prices[0] if prices else hedge.entry_notional


def _is_uneven(ctx: Context, hedge: HedgeView) -> bool:
    market = ctx.markets.get(hedge.instrument)
    return market is None or abs(hedge.net_delta) >= market.pair.swap.step
