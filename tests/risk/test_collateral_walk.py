"""Multi-currency mode, kept by margin upkeep alone: what a hedge's account comes to on any path of prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.schema import MAX_LEVERAGE
from core.context import Context
from core.events import HedgeTarget, Purpose, State, TransferTarget
from core.types import AccountMode
from risk.fund_guard import CASH, CLOSING_COST, LEAST_CASH, FundPlanner
from tests.risk.scenes import D, account, hedge, market, scene, tuned

LEAN = tuned(account={"spot_ratio": D("0.66"), "futures_ratio": D("0.33")})
PLANNER = FundPlanner(LEAN)
BUDGET, PRICE, WALLET, DISCOUNT = D(52_800), D(100_000), D(20_000), D("0.95")
A_QUARTER = 25  # %, the most a price may rise between two looks without a loan: LEAST_CASH


@dataclass
class Walk:
    """A hedge of the whole sleeve at 100,000, with half of its notional in USDT beside it."""

    coins: Decimal = BUDGET / PRICE
    px: Decimal = PRICE
    cash: Decimal = BUDGET / 2
    wallet: Decimal = WALLET
    moved: int = 0
    discount: Decimal = DISCOUNT

    @property
    def notional(self) -> Decimal:
        return self.coins * self.px

    @property
    def leverage(self) -> Decimal:
        return self.notional / (self.cash + self.discount * self.notional)

    def step(self, per_cent: int) -> None:
        """The price moves at once, and nobody acts."""
        risen = self.px * per_cent / 100
        self.cash, self.px = self.cash - self.coins * risen, self.px + risen

    def look(self) -> None:
        """The engine does what upkeep plans, at the costs it reckons with."""
        for target in PLANNER.plan(self.context()).adjusting:
            if isinstance(target, TransferTarget):
                amount = target.amount if target.purpose is Purpose.TOP_UP else -target.amount
                self.cash, self.wallet, self.moved = self.cash + amount, self.wallet - amount, self.moved + 1
                assert self.wallet >= 0
            else:
                assert isinstance(target, HedgeTarget)
                closed = self.coins - target.base
                self.cash += closed * self.px * (1 - CLOSING_COST)
                self.coins = D(target.base)

    def context(self) -> Context:
        coins, lots = str(self.coins), str(self.coins * 100)
        snapshot = account(
            str(self.cash),
            mode=AccountMode.MULTI,
            adjusted=str(self.cash + self.discount * self.notional),
            short={"BTC-USDT-SWAP": lots},
            coins={"BTC": coins},
            wallet=str(self.wallet),
        )
        return scene(
            state=State.RUNNING,
            markets={"BTC-USDT": market(px=str(self.px), depth_usdt="2000000")},
            account=snapshot,
            hedges={"BTC-USDT": hedge(coins, entry=str(BUDGET))},
        )


@given(moves=st.lists(st.integers(-60, A_QUARTER), max_size=30), wallet=st.integers(0, 60_000))
def test_no_path_of_prices_ends_in_a_debt_or_past_the_red_line(moves: list[int], wallet: int) -> None:
    walk = Walk(wallet=D(wallet))
    for move in moves:
        walk.step(move)
        assert walk.cash >= 0
        assert walk.leverage <= MAX_LEVERAGE
        walk.look()
        if not walk.coins:
            return
        assert walk.cash >= LEAST_CASH * walk.notional


@given(moves=st.lists(st.integers(-60, A_QUARTER), max_size=30), crash=st.integers(0, 200))
def test_a_rise_beyond_what_is_prepared_for_costs_a_loan_but_not_the_red_line(
    moves: list[int], crash: int
) -> None:
    walk = Walk()
    for move in moves:
        walk.step(move)
        walk.look()
    walk.step(crash)
    assert not walk.coins or walk.leverage <= MAX_LEVERAGE


def test_a_sweep_is_not_followed_by_another_until_the_price_has_fallen_again() -> None:
    """From half of the notional the first comes after a fall by 9.1 %, and leaves half again."""
    walk = Walk()
    for move in (-4, -4):
        walk.step(move)
        walk.look()
    assert walk.moved == 0
    walk.step(-3)
    walk.look()
    assert walk.moved == 1
    assert abs(walk.cash - CASH * walk.notional) < D("0.02")
    for move in (-3, 2, -3):
        walk.step(move)
        walk.look()
    assert walk.moved == 1


def test_money_for_a_place_that_is_not_taken_yet_is_no_reason_to_sweep() -> None:
    """Half of the sleeve is in use; the rest will take its spot, its margin and some room for both."""
    walk = Walk(coins=BUDGET / 200_000)
    reserve = BUDGET / 2 * (1 + D("0.33") / D("0.66")) * D("1.01")
    half = scene(state=State.RUNNING, hedges={"BTC-USDT": hedge(str(walk.coins), entry=str(BUDGET / 2))})
    for beside, swept in ((D("0.64"), 0), (D("0.66"), 1)):
        walk.cash = reserve + beside * walk.notional
        seen = walk.context()
        assert len(PLANNER.plan(scene(
            state=State.RUNNING, account=seen.account, markets=seen.markets, hedges=half.hedges
        )).adjusting) == swept  # fmt: skip
