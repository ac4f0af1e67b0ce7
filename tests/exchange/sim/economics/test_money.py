"""Whatever happens to accounts of every mode, the books balance and nobody owes what he may not owe."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from exchange.sim.economics.margin import standing
from exchange.sim.edits import Edits
from exchange.sim.model import ZERO, AccountState, PositionKey, Reject
from exchange.sim.seam import OrderParams
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, SPOT, SWAP, D, Desk, StillMarket

NET, SIDED, LENT, STRICT = "net", "sided", "lent", "strict"
NAMES = st.sampled_from([NET, SIDED, LENT, STRICT])
ALL_KEYS = [("cross", NET), *(("isolated", side) for side in (NET, "long", "short"))]
STARTS = (
    (NET, False, 60, "isolated", NET),
    (NET, True, 40, "cross", NET),
    (SIDED, True, 90, "cross", "long"),
    (SIDED, False, 30, "cross", "short"),
    (SIDED, False, 30, "isolated", "short"),
    (LENT, False, 120, "cross", NET),
    (STRICT, True, 150, "cross", NET),
)
MODES = st.sampled_from(["cross", "isolated"])
TINY = D("1e-12")  # averages are kept to 28 digits


class Accounts(RuleBasedStateMachine):
    """`net` and `sided` in futures mode; `lent` and `strict` in multi-currency mode, one may borrow."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(StillMarket(volume=2_000.0), insurance_usdt=D(30_000))
        self.venue, self.edits = self.desk.venue, Edits(self.desk.venue)
        for name, level in ((NET, "2"), (SIDED, "2"), (LENT, "3"), (STRICT, "3")):
            self.desk.open(name, usdt="20000", level=level)
        self.venue.set_position_mode(self.account(SIDED), "long_short_mode")
        self.venue.set_auto_loan(self.account(LENT), True)
        for account in self.venue.accounts.values():
            self.edits.set_cash(account, "BTC", D("0.3"))
            for mode, side in ALL_KEYS:
                account.leverage[PositionKey(SWAP, mode, side)] = D(20)

        for name, buys, size, mode, side in STARTS:
            key = PositionKey(SWAP, mode, side)
            params = OrderParams(SWAP, mode, "buy" if buys else "sell", "market", D(size), pos_side=key.side)
            self.venue.place(self.account(name), params)

    def account(self, name: str) -> AccountState:
        return self.venue.accounts[name]

    def keys(self, name: str) -> list[PositionKey]:
        return [row.key for row in self.account(name).positions.values() if row.size]

    @rule(
        name=NAMES,
        swap=st.booleans(),
        mode=MODES,
        buys=st.booleans(),
        long=st.booleans(),
        kind=st.sampled_from(["market", "limit"]),
        size=st.integers(1, 90),
        offset=st.integers(-900, 900),
    )
    def order(
        self, name: str, swap: bool, mode: str, buys: bool, long: bool, kind: str, size: int, offset: int
    ) -> None:
        account, price = self.account(name), None
        if kind == "limit":
            price = D(round(self.desk.market.spot["BTC"] * 10) + offset * 10) / 10
        side = "net" if name != SIDED or not swap else "long" if long else "short"
        if account.level == "3" or not swap:
            mode = "cross" if account.level == "3" else "cash"
        params = OrderParams(
            SWAP if swap else SPOT, mode, "buy" if buys else "sell", kind,
            D(size) / (1 if swap else 200), price, pos_side=side, target_ccy="" if swap else "base_ccy",
        )  # fmt: skip
        self.attempt(lambda: self.venue.place(account, params))

    @rule(name=NAMES, mode=MODES, lever=st.sampled_from([3, 20, 50, 100]), long=st.booleans())
    def leverage(self, name: str, mode: str, lever: int, long: bool) -> None:
        sided = name == SIDED and mode == "isolated"
        key = PositionKey(SWAP, mode, ("long" if long else "short") if sided else "net")
        self.attempt(lambda: self.venue.set_leverage(self.account(name), key, D(lever)))

    @rule(name=NAMES, amount=st.integers(-3_000, 3_000))
    def margin(self, name: str, amount: int) -> None:
        for key in self.keys(name):
            if amount and key.mode == "isolated":
                self.attempt(partial(self.venue.adjust_margin, self.account(name), key, D(amount)))

    @rule(name=NAMES)
    def close(self, name: str) -> None:
        for key in self.keys(name):
            self.attempt(partial(self.venue.close_position, self.account(name), key, "", True))

    @rule(name=NAMES, ccy=st.sampled_from(["USDT", "BTC"]), share=st.floats(0.01, 1), inward=st.booleans())
    def transfer(self, name: str, ccy: str, share: float, inward: bool) -> None:
        account = self.account(name)
        source, dest = ("6", "18") if inward else ("18", "6")
        pot = account.funding if inward else account.trading
        amount = pot.get(ccy, ZERO) * D(f"{share:.3f}")
        self.attempt(lambda: self.venue.transfer(account, ccy, amount, source, dest, ""))

    @rule(move=st.sampled_from([-0.2, -0.04, -0.01, 0.003, 0.01, 0.04, 0.2]), basis=st.floats(-0.004, 0.004))
    def price(self, move: float, basis: float) -> None:
        spot = self.desk.market.spot
        spot["BTC"] = min(max(spot["BTC"] * (1 + move), 20_000), 200_000)
        self.desk.market.basis["BTC"] = basis
        self.desk.wait(MINUTE_MS)
        self.nobody_stands_at_his_liquidation()

    @rule(rate=st.sampled_from(["0.0001", "-0.002", "0.00375"]))
    def settlement(self, rate: str) -> None:
        self.desk.market.rate = D(rate)
        self.desk.wait(8 * HOUR_MS)
        self.desk.wait(MINUTE_MS)

    @rule(name=NAMES, takes=st.booleans(), fraction=st.sampled_from(["0.3", "1"]))
    def force(self, name: str, takes: bool, fraction: str) -> None:
        if not self.keys(name):
            return
        if takes:
            self.edits.liquidate(self.account(name), SWAP)
        else:
            self.edits.force_adl(self.account(name), SWAP, D(fraction))

    def attempt(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Reject:
            return

    def nobody_stands_at_his_liquidation(self) -> None:
        for account in self.venue.accounts.values():
            now = standing(self.venue.world, account)
            assert now.ratio is None or now.ratio > 1 or not now.exposures
            assert all(each.own_ratio > 1 for each in now.isolated)

    @invariant()
    def all_money_is_accounted_for(self) -> None:
        world = self.venue.world
        for ccy in ("USDT", "BTC"):
            assert abs(world.total(ccy) - world.house.deposits[ccy]) < TINY

    @invariant()
    def positions_cancel_out_with_the_house_and_so_do_their_entries(self) -> None:
        rows = [row for a in self.venue.accounts.values() for row in a.positions.values()]
        house = self.venue.world.house
        assert sum((row.size for row in rows), house.contracts[SWAP]) == 0
        entries = sum((row.size * row.avg_px / 100 for row in rows), ZERO)
        assert abs(house.owed[SWAP] + entries) < TINY

    @invariant()
    def isolated_margin_belongs_to_isolated_positions(self) -> None:
        for account in self.venue.accounts.values():
            for key, amount in account.margins.items():
                assert key.mode == "isolated" and (amount > 0) == bool(account.positions[key].size)

    @invariant()
    def nobody_owes_what_he_may_not_owe(self) -> None:
        for name in (NET, SIDED, LENT, STRICT):
            account = self.account(name)
            assert all(amount >= 0 for amount in account.funding.values())
            if name != LENT:
                assert account.trading.get("BTC", ZERO) >= 0
            if account.level == "2" and not any(key.mode == "cross" for key in self.keys(name)):
                assert self.equity(account) > -TINY

    @invariant()
    def funds_are_never_overdrawn(self) -> None:
        assert all(amount >= 0 for amount in self.venue.world.house.insurance.values())

    def equity(self, account: AccountState) -> Decimal:
        return account.trading.get("USDT", ZERO)


TestAccounts = Accounts.TestCase
TestAccounts.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
