"""The insurance fund of each contract family: what it takes in, what it pays, when it calls for ADL.

It gets what is left of a liquidated position beyond its bankruptcy price and the liquidation fees, and
covers what is missing, as far as it reaches. Forced deleveraging begins when it has fallen by 30 % from
its peak of the last eight hours, or is used up. Source: api-v5.md 7.3, 7.4.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.account_figures import FundFigures
from exchange.sim.economics.world import QUOTE, World, post
from exchange.sim.events import AdlChanged
from exchange.sim.model import ZERO, FundEntry, InsuranceFund

PEAK_MS = 8 * 3_600_000
BEGINS, ENDS = Decimal("0.3"), Decimal("0.15")  # fall from the peak; where it ends is an assumption
DEPOSIT, LOSS, UPDATE = "liquidation_balance_deposit", "bankruptcy_loss", "regular_update"
BY_RATE, BY_BALANCE, BY_HAND, OVER = "rate_adl_start", "bal_adl_start", "pos_adl_start", "adl_end"
UNDER_WAY = (BY_RATE, BY_BALANCE, BY_HAND)


def open_fund(world: World, family: str, amount: Decimal) -> None:
    """Endow the fund of a contract family from outside the venue."""
    world.house.deposits[QUOTE] += amount
    world.house.insurance[family] += amount
    world.funds[family] = InsuranceFund(family)
    _record(world, family, UPDATE, amount)


def settle(world: World, family: str, gain: Decimal, fee: Decimal) -> Decimal:
    """Book what a takeover gained or lost against the mark price; return what the fund could not cover.

    `fee` has been paid into the fund by the owner of the position already.
    """
    house = world.house
    covered = max(gain, -house.insurance[family])
    post((house.cash, QUOTE, -covered), (house.insurance, family, covered))
    if covered + fee:
        _record(world, family, DEPOSIT if covered + fee > 0 else LOSS, covered + fee)
    review(world, family)
    return covered - gain


def peak(world: World, family: str) -> FundEntry:
    """The highest balance of the last eight hours, the one these began with included."""
    best: FundEntry | None = None
    for entry in reversed(world.funds[family].entries):
        if best is None or entry.balance > best.balance:
            best = entry
        if entry.ts_ms <= world.now_ms - PEAK_MS:
            break
    assert best is not None, "a fund is opened with an entry"
    return best


def fall(world: World, family: str) -> Decimal:
    """How far the fund is below its peak, a fraction."""
    top = peak(world, family).balance
    return 1 - world.house.insurance[family] / top if top > 0 else ZERO


def review(world: World, family: str) -> None:
    """Begin or end forced deleveraging of a family as its fund calls for."""
    fund, balance = world.funds[family], world.house.insurance[family]
    fallen = fall(world, family)
    if fund.adl_type in UNDER_WAY:
        if balance > 0 and fallen < ENDS:
            _turn(world, fund, OVER)
    elif balance <= 0:
        _turn(world, fund, BY_BALANCE)
    elif fallen >= BEGINS:
        _turn(world, fund, BY_RATE)


def deleverages(world: World, family: str) -> bool:
    return world.funds[family].adl_type in UNDER_WAY


def announce(world: World, family: str) -> None:
    """Let a deleveraging begin that the fund did not call for; the next review ends it."""
    if not deleverages(world, family):
        _turn(world, world.funds[family], BY_HAND)


def figures(world: World) -> list[FundFigures]:
    return [
        FundFigures(
            family,
            world.house.insurance[family],
            peak(world, family),
            fall(world, family),
            deleverages(world, family),
            fund.adl_type,
            fund.adl_balance,
            BEGINS,
            ENDS,
            tuple(reversed(fund.entries)),
        )
        for family, fund in world.funds.items()
    ]


def _turn(world: World, fund: InsuranceFund, adl_type: str) -> None:
    fund.adl_type, fund.adl_balance = adl_type, world.house.insurance[fund.family]
    world.outbox.append(AdlChanged(fund.family))


def _record(world: World, family: str, kind: str, amount: Decimal) -> None:
    entry = FundEntry(world.now_ms, kind, amount, world.house.insurance[family])
    world.funds[family].entries.append(entry)
