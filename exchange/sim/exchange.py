"""The simulated venue: time, commands and the market, in one synchronous, deterministic object.

Implements seam.Venue. Between two calls nothing happens; `advance` is the only thing that moves time,
and it stops at every instant at which something is due, so no price path or settlement is skipped.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

from exchange.sim.account_figures import AccountFigures, FundFigures
from exchange.sim.algo_model import AlgoOrder
from exchange.sim.commands import command
from exchange.sim.economics import (
    algos,
    dead_man,
    fees,
    figures,
    insurance,
    latency,
    loans,
    matching,
    order_funds,
    order_life,
    precheck,
    retention,
    settings,
    transfers,
)
from exchange.sim.economics.accounts import CROSS, family_of, leverage_of
from exchange.sim.economics.calendar import Calendar
from exchange.sim.economics.settlement import FundingDesk
from exchange.sim.economics.vigil import Vigil
from exchange.sim.economics.world import QUOTE, Unbalanced, World
from exchange.sim.event_log import EventLog
from exchange.sim.events import BarChanged, IndexChanged
from exchange.sim.markets.dollar import DOLLAR, DollarBars, dollar
from exchange.sim.markets.instruments import (
    discount_tiers,
    listing,
    loan_quota,
    loan_terms,
    position_tiers,
)
from exchange.sim.markets.market import Market, Pulse
from exchange.sim.markets.source import MarketSource
from exchange.sim.model import AccountState, Bar, Order, PositionKey, Reject, Transfer
from exchange.sim.profile import VenueProfile
from exchange.sim.seam import AlgoChange, AlgoParams, MarketSide, OrderChange, OrderEffect, OrderParams

DOLLAR_HISTORY_MS = 60 * 86_400_000  # candles of USDT-USD before the start
LISTED_MS = 1_573_557_408_000
NEUTRAL = VenueProfile()
DEMO_CASH = Decimal(100_000)
AUDIT_EVERY_MS = 3_600_000
AUDIT_ROUNDING = Decimal("1e-6")  # each booking may be off by far less


class Exchange:
    """`source` is the market, `seed` shapes its books, `start_ms` is the first instant,
    `profile` says how it behaves where the real venue leaves a choice.

    log    where commands are recorded with their outcome
    check  audit the books after every step and command, not only once per hour of venue time

    Commands raise Reject with the venue's code. The control commands at the end raise ValueError for
    what makes no sense; they are for tests and operators of the simulation, never for clients.
    """

    def __init__(
        self,
        source: MarketSource,
        seed: int,
        start_ms: int | None = None,
        profile: VenueProfile = NEUTRAL,
        log: EventLog | None = None,
        check: bool = False,
    ) -> None:
        now_ms = source.start_ms if start_ms is None else start_ms
        self.log = log
        self.check = check
        self._audited_ms = now_ms
        self._source = source
        self._pulse = Pulse(now_ms)
        self._turn_ms: int | None = now_ms  # of the market's path, after its last move
        self._turns_kept: dict[bool, tuple[int, int | None]] = dict.fromkeys((False, True), (now_ms, None))
        self._dollar_bars = DollarBars(source.usd, source.start_ms - DOLLAR_HISTORY_MS)
        self._swaps: list[Market] = []
        self._watched: dict[str, Market] = {}
        markets: dict[str, Market] = {}
        for spec in source.coins:
            spot, swap = listing(spec, LISTED_MS)
            spot_market = Market(spot, spec, source, self._pulse, seed, profile)
            swap_market = Market(swap, spec, source, self._pulse, seed, profile)
            self._swaps.append(swap_market)
            markets.update({spot.inst_id: spot_market, swap.inst_id: swap_market})
        self._fed = [market for market in markets.values() if market.has_feed]
        self.profile = profile
        self.world = World(now_ms, markets, seed, profile)
        self.outbox = self.world.outbox
        self.accounts = self.world.accounts
        self.instruments = {inst_id: market.instrument for inst_id, market in markets.items()}
        self.markets: dict[str, MarketSide] = dict(markets)
        self.calendar = Calendar(self.world, source.gaps, source.delistings)
        self.maintenance = self.calendar.windows
        self.clock_skew_ms = 0  # how far the stated time is ahead
        self._by_key: dict[str, AccountState] = {}
        self._desk = FundingDesk(self.world, source)
        self._vigil = Vigil(self.world)
        for swap_market in self._swaps:
            self._desk.open(swap_market)
            insurance.open_fund(self.world, family_of(swap_market), profile.insurance_usdt)
        self.create_account("demo", "demo-key", "demo-secret", "demo-pass", {QUOTE: DEMO_CASH})
        for market in self._fed:
            market.follow()
        self.calendar.keep()
        self.outbox.clear()

    # --- time ----------------------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self.world.now_ms

    @property
    def stated_ms(self) -> int:
        return self.world.now_ms + self.clock_skew_ms

    @property
    def moves(self) -> int:
        return self._pulse.count + self._pulse.stirs

    def next_ms(self) -> int | None:
        resting = bool(self.world.owners or self.world.waiting)
        market_ms = self._next_turn_ms(resting)
        if market_ms is None:
            return None
        due = (
            market_ms,
            self._desk.next_due_ms(),
            *self._obligations_ms(),
            self._pulse.sampler.next_ms(self.now_ms),
        )
        return min(at_ms for at_ms in due if at_ms is not None)

    def _obligations_ms(self) -> tuple[int | None, ...]:
        """When what is neither the market's nor funding's is due next."""
        return (
            transfers.next_due_ms(self.world),
            loans.next_due_ms(self.world),
            self.calendar.next_ms(),
            dead_man.next_due_ms(self.world),
            latency.next_due_ms(self.world),
        )

    def _next_turn_ms(self, every_turn: bool) -> int | None:
        """The market's next turn, which stays the next until it has come."""
        now_ms, (since_ms, turn_ms) = self.now_ms, self._turns_kept[every_turn]
        if turn_ms is None or not since_ms <= now_ms < turn_ms:
            turn_ms = self._source.next_ms(now_ms, every_turn)
            self._turns_kept[every_turn] = (now_ms, turn_ms)
        return turn_ms

    def advance(self, until_ms: int) -> int:
        target = self.next_ms()
        return self._step(until_ms if target is None else min(until_ms, target))

    def leap(self, until_ms: int) -> int:
        """Go on as `advance` does, but past the turns of the market's path: to `until_ms`, or to the first
        settlement or other obligation before.

        Who calls it vouches that nothing the path does in between can matter: that no order rests, and that
        no margin comes near its end.
        """
        settlement_ms = None if self.world.closed else self._desk.next_settlement_ms()
        due = (settlement_ms, *self._obligations_ms())
        return self._step(min((until_ms, *(at_ms for at_ms in due if at_ms is not None))))

    def _step(self, at_ms: int) -> int:
        """Let everything happen that is due at one instant."""
        self.world.now_ms = max(at_ms, self.now_ms)
        self.calendar.keep()
        self._desk.finish_due()
        end_ms = self._source.end_ms
        is_open = not self.world.closed and (end_ms is None or self.now_ms <= end_ms)
        if is_open:
            self._refresh()
            algos.watch(self.world)
            due_ms = self._desk.next_due_ms()
            if due_ms is not None and due_ms <= self.now_ms:
                for swap in self._swaps:
                    self._desk.settle_due(swap)
        latency.arrive_due(self.world, is_open)
        if is_open:
            for inst_id in self._with_orders():
                matching.match_resting(self.world, self.world.markets[inst_id])
            for account in self.accounts.values():
                if account.positions or account.auto_loan:
                    self._vigil.keep(account)
            algos.watch(self.world)
            self._pulse.sampler.sample(self.now_ms)
        for family, fund in self.world.funds.items():
            if fund.adl_type:
                insurance.review(self.world, family)
        transfers.complete_due(self.world)
        loans.charge_due(self.world)
        dead_man.fire_due(self.world)
        retention.sweep(self.world)
        if self.check or self.now_ms - self._audited_ms >= AUDIT_EVERY_MS:
            self.audit()
        return self.now_ms

    def audit(self) -> None:
        """Raise Unbalanced unless all money in the venue is what was ever brought in, per currency."""
        self._audited_ms = self.now_ms
        for ccy, deposited in self.world.house.deposits.items():
            total = self.world.total(ccy)
            if abs(total - deposited) > AUDIT_ROUNDING:
                raise Unbalanced(f"{total} {ccy} in the venue, {deposited} brought in")

    def _refresh(self) -> None:
        """Move all markets to the present; those nobody watches notice when they are looked at."""
        if not self._moves():
            return
        self._pulse.beat(self.now_ms)
        if self.profile.pulse_ms:
            self._turn_ms = self._next_turn_ms(every_turn=False)
        usdt_usd = dollar(self._source.usd, self.now_ms)
        if usdt_usd != self.world.usdt_usd:
            self.world.usdt_usd = usdt_usd
            self.outbox += (IndexChanged(DOLLAR), BarChanged(DOLLAR))
        for market in self._watched.values():
            market.announce(self.outbox)
        for market in self._fed:
            market.follow()

    def _moves(self) -> bool:
        """Whether the market moves at this instant, see `VenueProfile.pulse_ms`."""
        pulse, turn_ms = self._pulse, self._turn_ms
        return (
            pulse.is_stirred
            or self.now_ms - pulse.now_ms >= self.profile.pulse_ms
            or (turn_ms is not None and self.now_ms >= turn_ms)
        )

    def watch(self, inst_id: str) -> None:
        market = self.world.market(inst_id)
        self._watched[inst_id] = market
        spot_id = f"{market.coin}-{QUOTE}"  # a swap's price band follows the index
        self._watched[spot_id] = self.world.markets[spot_id]

    def _with_orders(self) -> dict[str, None]:
        """Instruments in which somebody's order rests, in a fixed order."""
        return dict.fromkeys(
            order.inst_id for account in self.accounts.values() for order in account.open_orders.values()
        )

    # --- accounts ------------------------------------------------------------------------------

    @property
    def usdt_usd(self) -> Decimal:
        return self.world.usdt_usd

    def usdt_bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        return self._dollar_bars.newest(self.now_ms, bar_ms, before_ms, limit, utc_offset_ms)

    def account_by_key(self, key: str) -> AccountState | None:
        return self._by_key.get(key)

    def create_account(
        self, name: str, key: str, secret: str, passphrase: str, cash: dict[str, Decimal], level: str = "2"
    ) -> AccountState:
        """Open an account with `cash` in trading. Raises ValueError when name or key is taken."""
        if name in self.accounts or key in self._by_key:
            raise ValueError(f"an account named {name} or with its key exists already")
        if level not in settings.LEVELS:
            raise ValueError(f"level is {level}, allowed: {', '.join(settings.LEVELS)}")
        uid = str(440_000_000_000 + len(self.accounts) + 1)
        account = AccountState(name, uid, key, secret, passphrase, level=level, updated_ms=self.now_ms)
        for ccy, amount in cash.items():
            self.world.deposit(account, ccy, amount)
        self.accounts[name] = self._by_key[key] = account
        return account

    def figures(self, account: AccountState) -> AccountFigures:
        return figures.figures(self.world, account)

    def insurance_funds(self) -> list[FundFigures]:
        return insurance.figures(self.world)

    def fee_rates(self, account: AccountState, inst_type: str) -> tuple[Decimal, Decimal]:
        return fees.rates(account.fee_level, inst_type)

    def tiers(self, inst_id: str) -> list[tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
        return list(position_tiers(self.world.market(inst_id).coin))

    def discount_tiers(self, ccy: str) -> list[tuple[Decimal, Decimal | None, Decimal]]:
        return list(discount_tiers(ccy))

    def loan_terms(self, account: AccountState, ccy: str) -> tuple[Decimal, Decimal, Decimal]:
        terms = loan_terms(ccy)
        return loan_quota(account.fee_level, ccy), terms.free, terms.hourly

    def leverage_of(self, account: AccountState, key: PositionKey) -> Decimal:
        return leverage_of(account, key)

    @command
    def set_leverage(self, account: AccountState, key: PositionKey, leverage: Decimal) -> None:
        settings.set_leverage(self.world, account, key, leverage)

    @command
    def adjust_margin(self, account: AccountState, key: PositionKey, change: Decimal) -> None:
        settings.adjust_margin(self.world, account, key, change)

    @command
    def set_position_mode(self, account: AccountState, mode: str) -> None:
        settings.set_position_mode(self.world, account, mode)

    @command
    def set_auto_loan(self, account: AccountState, lends: bool) -> None:
        settings.set_auto_loan(account, lends)

    @command
    def set_fee_type(self, account: AccountState, fee_type: str) -> None:
        settings.set_fee_type(account, fee_type)

    @command
    def set_level(self, account: AccountState, level: str) -> None:
        settings.set_level(self.world, account, level)

    @command
    def transfer(
        self, account: AccountState, ccy: str, amount: Decimal, source: str, dest: str, client_id: str
    ) -> Transfer:
        return transfers.ask(self.world, account, ccy, amount, source, dest, client_id)

    def max_loan(self, account: AccountState, ccy: str) -> Decimal:
        return loans.most(self.world, account, ccy)

    def max_withdrawal(self, account: AccountState, ccy: str) -> Decimal:
        return transfers.max_withdrawal(self.world, account, ccy)

    # --- orders --------------------------------------------------------------------------------

    @command
    def place(self, account: AccountState, params: OrderParams) -> Order:
        order = latency.place(self.world, account, params)
        algos.watch(self.world)
        return order

    @command
    def cancel(self, account: AccountState, order: Order) -> None:
        self._require_open_venue()
        latency.ask_cancel(self.world, account, order)

    @command
    def amend(self, account: AccountState, order: Order, change: OrderChange) -> None:
        self._require_open_venue()
        latency.ask_amend(self.world, account, order, change)
        algos.watch(self.world)

    @command
    def place_algo(self, account: AccountState, params: AlgoParams) -> AlgoOrder:
        algo = algos.place(self.world, account, params)
        algos.watch(self.world)
        return algo

    @command
    def cancel_algo(self, account: AccountState, algo: AlgoOrder) -> None:
        self._require_open_venue()
        algos.cancel(self.world, account, algo)

    @command
    def amend_algo(self, account: AccountState, algo: AlgoOrder, change: AlgoChange) -> None:
        self._require_open_venue()
        algos.amend(self.world, account, algo, change)
        algos.watch(self.world)

    @command
    def close_position(
        self, account: AccountState, key: PositionKey, cl_id: str, auto_cancel: bool, tag: str = ""
    ) -> None:
        settings.swap_of(self.world, key.inst_id)
        self._require_open_venue()
        params = order_life.closing_order(self.world, account, key, cl_id, auto_cancel, tag)
        latency.place(self.world, account, params)
        algos.watch(self.world)

    @command
    def cancel_all_after(self, account: AccountState, seconds: int, tag: str = "") -> int:
        return dead_man.arm(self.world, account, tag, seconds)

    def precheck(self, account: AccountState, params: OrderParams) -> OrderEffect:
        return precheck.effect(self.world, account, params)

    def max_size(
        self, account: AccountState, inst_id: str, price: Decimal | None, mode: str = CROSS
    ) -> tuple[Decimal, Decimal]:
        market = self.world.market(inst_id)
        return order_funds.max_size(self.world, account, market, price, mode)

    def _require_open_venue(self) -> None:
        if self.world.closed:
            raise Reject("50001", "Service temporarily unavailable. Try again later")

    # --- control: for operators of the simulation, never reachable from /api/v5 ----------------

    def set_funding_interval(self, inst_id: str, interval_ms: int) -> None:
        """Change how often a generated swap settles, from its next settlement on."""
        self._desk.set_interval(settings.swap_of(self.world, inst_id), interval_ms)

    def revoke_key(self, account: AccountState) -> None:
        """Delete an account's key: nobody is known by it any more."""
        self._by_key.pop(account.key, None)

    def snapshot_hash(self) -> str:
        digest = hashlib.sha256(str(self.now_ms).encode())
        for name, account in sorted(self.accounts.items()):
            positions = [
                (*key, row.size, row.avg_px, account.margins.get(key))
                for key, row in account.positions.items()
                if row.size
            ]
            listed = [(order.ord_id, order.state, order.filled) for order in account.orders.values()]
            parts = (
                name,
                sorted(account.trading.items()),
                sorted(account.funding.items()),
                sorted(positions),
                listed,
            )
            digest.update(repr(parts).encode())
        return digest.hexdigest()
