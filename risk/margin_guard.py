"""Refuse new exposure while the short legs carry too much leverage, or USDT could run out."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import MAX_LEVERAGE, Margin
from core.context import Context
from core.types import AccountMode, AccountSnapshot
from core.verdict import Figure, Verdict
from risk.measures import Projection, account_gap, judged, opening_of, projection_of

KEPT_RATIO: Final = Decimal("0.05")  # more than the venue's maintenance margin of any position of our size


class MarginGuard:
    """The margin ratio after the planned opening must reach `open_above`, and survive a rise.

    Stressed: every price rises at once by s = `stress_rise_ratio` before anybody can act. All coins move
    together, the shorts lose s N, and nothing the spot gains is counted: exact in futures mode, and on the
    safe side in multi-currency mode. What is left must stay above the venue's liquidation:

        (E - s N) / ((1 + s) N) > 0.05

    In multi-currency mode the short's loss is paid in USDT all the same, and the engine does not borrow: what
    is left of USDT must pay for the rise, U >= s N. Coins that count a third of their value or more then
    keep the leverage below the red line, whatever s is: nothing is owed, and they rise like the shorts.

    margin ratio = equity that backs the swaps / swap notional at mark (1 = unlevered, 0.33 = 3x). The
    venue's own mgnRatio, on its own scale (liquidation at 1), is asked as a second opinion. Fails
    closed: without a fresh snapshot nothing is known, and an old figure says nothing about now.
    """

    name = "margin_ok"

    def __init__(self, limits: Margin) -> None:
        self._limits = limits

    def check(self, ctx: Context) -> Verdict:
        if gap := account_gap(ctx, self._limits):
            return Verdict(False, self.name, gap)
        opening = opening_of(ctx)
        if isinstance(opening, str):
            return Verdict(False, self.name, opening)
        assert ctx.account is not None  # account_gap has looked
        after = projection_of(ctx)
        ratio = after.backing / after.notional if after.notional else None
        rise = self._limits.stress_rise_ratio
        stressed = stressed_ratio(after, rise)
        venue_ratio = lowest_mgn_ratio(ctx.account)
        figures: tuple[tuple[str, Figure], ...] = (
            ("margin_ratio_after", "no swap" if ratio is None else ratio),
            ("open_above_ratio", self._limits.open_above),
            ("stressed_ratio", "no swap" if stressed is None else stressed),
            ("stress_rise_ratio", rise),
            ("backing_after_usdt", after.backing),
            ("swap_notional_after_usdt", after.notional),
            ("venue_mgn_ratio", "not known" if venue_ratio is None else venue_ratio),
            ("venue_warning_ratio", self._limits.venue_ratio_warning),
            ("age_ms", ctx.now_ms - ctx.account.seen_ms),
        )
        left = _left_of_usdt(ctx, after, rise)
        if left is not None:
            figures += (("usdt_after_rise_usdt", left),)
        levered = after.notional > after.backing * MAX_LEVERAGE
        checks = (
            (not levered, "effective leverage would pass the red line"),
            (ratio is None or ratio >= self._limits.open_above, "margin ratio would be too low"),
            (stressed is None or stressed > KEPT_RATIO, "a rise of all prices at once could liquidate"),
            (left is None or left >= 0, "a rise of all prices at once could need a loan"),
            (
                venue_ratio is None or venue_ratio > self._limits.venue_ratio_warning,
                "the venue's own margin ratio is near its warning",
            ),
        )
        instrument = opening.instrument if opening else None
        return judged(self.name, checks, "margin ratio suffices", figures, instrument)


def stressed_ratio(after: Projection, rise: Decimal) -> Decimal | None:
    """Backing over notional after the rise: 0.8 and +50 % leave 0.2. None without a swap."""
    if not after.notional:
        return None
    return (after.backing - rise * after.notional) / (after.notional * (1 + rise))


def _left_of_usdt(ctx: Context, after: Projection, rise: Decimal) -> Decimal | None:
    """USDT after the opening and the rise; None where they are the backing itself, or without a swap."""
    assert ctx.account is not None  # the caller has looked
    if ctx.account.mode is AccountMode.FUTURES or not after.notional:
        return None
    coins = ctx.backing_equity - ctx.cash
    return after.backing - coins - rise * after.notional


def lowest_mgn_ratio(account: AccountSnapshot) -> Decimal | None:
    """Return the venue's lowest mgnRatio of the account and its open positions; None when it gave none."""
    positions = (p.mgn_ratio for p in account.positions.values() if p.contracts)
    known = [ratio for ratio in (account.mgn_ratio, *positions) if ratio is not None]
    return min(known, default=None)
