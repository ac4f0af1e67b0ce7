"""Who owns what: hedges rebuilt from our ids, another engine noticed, everything else left alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.adoption import rebuild
from core.context import Permission
from core.errors import SelfCheckRefused, VenueRejected
from core.facts import Kind
from core.ids import JournalIds
from core.projections import Books
from core.sentinel import CAUSE, RECENT_MS, refuse_company
from core.survey import EXTERNAL, UNEXPLAINED
from core.types import Bill, BillKind, Leg, OrderKind, OrderRequest, Side
from tests.core.test_recovery import NAME, PAIR, SPOT, SWAP, World
from tests.fakes import START_MS, Fault

D = Decimal
OLD, OURS, YOUNG = 40, 50, 60  # epochs: of a lost journal, of this process, of another engine


class Account(World):
    """A world whose orders carry the ids of real engines."""

    def __init__(self) -> None:
        super().__init__()
        self.journal.append(Kind.BOOT, START_MS, {"epoch": OURS})
        self.restart()
        self._ids = {epoch: JournalIds(epoch) for epoch in (OLD, OURS, YOUNG)}
        self.hedge_ids = {epoch: ids.hedge_id(NAME) for epoch, ids in self._ids.items()}

    def ids_of(self, epoch: int) -> JournalIds:
        """One process's ids: they go on counting."""
        return self._ids[epoch]

    async def attempt(self, request: OrderRequest, fault: Fault) -> None:
        """Meant and sent by a process that dies before it hears anything."""
        try:
            await self.unseen(request, fault)
        except VenueRejected:
            return

    def order(
        self, ids: JournalIds, hedge_id: str, leg: Leg, side: Side, size: str, kind: OrderKind = OrderKind.IOC
    ) -> OrderRequest:
        made = self.request("s" if leg is Leg.SPOT else "p", side, size, kind)
        return replace(made, cl_id=ids.order_id(hedge_id, leg.value))

    async def trade(self, request: OrderRequest) -> None:
        """Sent by a process that is not this one, and of which this journal knows nothing."""
        self.trading.sink = None
        self.trading.on(request.inst_id, Fault(push="none"))
        await self.trading.place(request)

    async def hedge_of(self, epoch: int, contracts: str = "10") -> JournalIds:
        """A whole hedge, opened by the engine of that epoch."""
        ids = JournalIds(epoch)
        hedge_id = ids.hedge_id(NAME)
        base = D(contracts) * PAIR.swap.ct_val
        await self.trade(self.order(ids, hedge_id, Leg.SPOT, Side.BUY, f"{base:f}"))
        await self.trade(self.order(ids, hedge_id, Leg.SWAP, Side.SELL, contracts))
        return ids

    def forget(self) -> None:
        """The data folder is deleted; a new one begins with what the venue tells."""
        self.journal.written.clear()
        self.journal.listeners = []
        self.books = Books()

    async def begin(self) -> None:
        """The first start in an empty folder, as scripts.compose does it."""
        await self.clock.sleep(1)
        snapshot = await self.trading.account()
        lost = rebuild(await self.trading.fills(0), (PAIR,), snapshot)
        self.journal.append(
            Kind.BOOT, self.clock.now_ms(), {"epoch": OURS, "opening_cash": lost.opening_cash}
        )
        for kind, body in lost.rows:
            self.journal.append(kind, self.clock.now_ms(), body)


@pytest.fixture
def account() -> Account:
    return Account()


# --- journals that are lost or old ------------------------------------------------------------


@pytest.mark.fault("DB7")
async def test_a_hedge_whose_journal_was_deleted_is_rebuilt_from_the_venues_fills(account: Account) -> None:
    await account.hedge_of(OLD)
    await account.clock.sleep(3600)
    account.forget()
    await account.begin()
    assert await account.reconcile() == ""
    assert account.held() == account.venues() and account.held()[1] == 10
    hedge = account.books.hedge(NAME)
    assert hedge is not None and hedge.hedge_id == JournalIds(OLD).hedge_id(NAME)
    assert account.books.ledger.differences(account.trading.snapshot()) == {}
    assert account.permissions.view.level is Permission.FULL
    sent = len(account.trading.sent)
    assert await account.reconcile() == "" and len(account.trading.sent) == sent


@pytest.mark.fault("DB7", "MI2")
async def test_a_lost_hedge_that_was_partly_closed_by_hand_is_rebuilt_as_far_as_it_stands(
    account: Account,
) -> None:
    await account.hedge_of(OLD)
    account.foreign(SWAP, Side.BUY, "4")
    account.forget()
    await account.begin()
    assert await account.reconcile() == ""
    assert account.held() == account.venues() and account.held()[1] == 6
    assert account.books.ledger.differences(account.trading.snapshot()) == {}


@pytest.mark.fault("DB7")
async def test_a_lost_round_that_was_closed_is_not_told_again(account: Account) -> None:
    ids = await account.hedge_of(OLD)
    hedge_id = JournalIds(OLD).hedge_id(NAME)
    await account.trade(account.order(ids, hedge_id, Leg.SWAP, Side.BUY, "10"))
    await account.trade(account.order(ids, hedge_id, Leg.SPOT, Side.SELL, "0.0999"))
    account.forget()
    await account.begin()
    assert await account.reconcile() == ""
    assert account.books.hedge(NAME) is None and account.books.rounds == []


@pytest.mark.fault("DB6")
async def test_what_was_done_after_a_backup_is_taken_over_and_an_old_intent_is_never_sent(
    account: Account,
) -> None:
    old = account.request("s9", Side.BUY, "0.1")
    account.meant(old)  # the backup ends in the middle of an opening
    await account.hedge_of(OLD)
    sent = len(account.trading.sent)
    assert await account.reconcile() == ""
    assert len(account.trading.sent) == sent and account.books.unresolved_orders() == ()
    assert account.held() == account.venues() and account.held()[1] == 10


@pytest.mark.fault("DB6", "CR5")
async def test_a_round_the_backup_had_open_ends_and_the_next_one_is_told_by_its_own_id(
    account: Account,
) -> None:
    await account.hold()
    first = account.books.hedge(NAME)
    assert first is not None
    ids = JournalIds(OLD)
    spot = account.held()[0]
    await account.trade(account.order(ids, first.hedge_id, Leg.SWAP, Side.BUY, "10"))
    await account.trade(account.order(ids, first.hedge_id, Leg.SPOT, Side.SELL, f"{spot:f}"))
    second = ids.hedge_id(NAME)
    await account.trade(account.order(ids, second, Leg.SPOT, Side.BUY, "0.05"))
    await account.trade(account.order(ids, second, Leg.SWAP, Side.SELL, "5"))
    assert await account.reconcile() == ""
    assert account.held() == account.venues() and account.held()[1] == 5
    hedge = account.books.hedge(NAME)
    assert hedge is not None and hedge.hedge_id == second
    assert [r.hedge_id for r in account.books.rounds] == [first.hedge_id]


@pytest.mark.fault("DB6")
async def test_an_order_that_only_its_id_says_is_ours_is_cancelled_at_the_start(account: Account) -> None:
    ids = JournalIds(OLD)
    resting = account.order(ids, ids.hedge_id(NAME), Leg.SPOT, Side.BUY, "0.1", OrderKind.POST_ONLY)
    await account.trading.place(resting)
    assert await account.reconcile() == ""
    assert await account.trading.open_orders() == ()
    account.sentinel.see(resting.cl_id)  # its push comes late: still ours
    assert account.permissions.view.level is Permission.FULL


# --- another engine ---------------------------------------------------------------------------


@pytest.mark.fault("IN2")
async def test_an_order_of_a_younger_engine_halts_the_older_one_at_once(account: Account) -> None:
    await account.reconcile()
    account.sentinel.see(
        account.order(ids := JournalIds(YOUNG), ids.hedge_id(NAME), Leg.SPOT, Side.BUY, "1").cl_id
    )
    assert account.permissions.causes[CAUSE].level is Permission.HALTED
    assert ("alarm", "critical", "another engine") in account.told.told


@pytest.mark.fault("IN1", "IN2")
async def test_an_order_of_an_older_engine_holds_new_risk_in_the_younger_one(account: Account) -> None:
    await account.reconcile()
    ids = JournalIds(OLD)
    for _ in range(2):
        account.sentinel.see(ids.order_id(ids.hedge_id(NAME), "spot"))
    assert account.permissions.view.level is Permission.NO_NEW_RISK
    assert account.told.told.count(("alarm", "critical", "another engine")) == 1
    account.sentinel.acknowledge()
    assert account.permissions.view.level is Permission.FULL


@pytest.mark.fault("IN2")
async def test_a_lost_push_is_made_up_by_the_next_comparison(account: Account) -> None:
    assert await account.reconcile() == ""
    await account.hedge_of(YOUNG)
    held = account.held()
    await account.reconciler.reconcile()
    assert account.permissions.view.level is Permission.HALTED
    assert account.held() == held  # nothing of theirs is ours


@pytest.mark.fault("IN1", "IN2")
async def test_a_start_beside_a_living_engine_is_refused_and_a_later_one_is_not(account: Account) -> None:
    await account.hedge_of(OLD)
    with pytest.raises(SelfCheckRefused, match="another engine"):
        await refuse_company(account.trading, account.books, account.clock.now_ms())
    await account.clock.sleep(RECENT_MS / 1000 + 1)
    await refuse_company(account.trading, account.books, account.clock.now_ms())


async def test_our_own_orders_of_a_moment_ago_do_not_keep_us_from_starting(account: Account) -> None:
    await account.hold()
    await account.hedge_of(OURS)  # of a process of ours whose last rows were lost with it
    await refuse_company(account.trading, account.books, account.clock.now_ms())


# --- what is external -------------------------------------------------------------------------


@pytest.mark.fault("MI3")
async def test_a_position_that_is_not_ours_is_shown_and_holds_new_risk_until_it_is_gone(
    account: Account,
) -> None:
    await account.hold()
    held = account.held()
    account.foreign(SWAP, Side.SELL, "5")
    for _ in range(2):
        assert await account.reconcile() == ""
    assert account.books.external.contracts == {SWAP: D(-5)}
    assert account.permissions.causes[EXTERNAL].level is Permission.NO_NEW_RISK
    assert account.told.told.count(("alarm", "critical", "external position")) == 1
    assert account.held() == held
    account.foreign(SWAP, Side.BUY, "5")
    assert await account.reconcile() == ""
    assert account.permissions.view.level is Permission.FULL and account.books.external.contracts == {}


@pytest.mark.fault("MI3")
async def test_what_the_operator_refuses_is_left_for_ever_and_told_again_when_it_changes(
    account: Account,
) -> None:
    account.foreign(SWAP, Side.SELL, "5")
    await account.reconcile()
    account.survey.refuse(account.trading.snapshot())
    assert await account.reconcile() == ""
    assert account.permissions.view.level is Permission.FULL
    account.foreign(SWAP, Side.SELL, "1")
    await account.reconcile()
    assert account.permissions.view.level is Permission.NO_NEW_RISK


@pytest.mark.fault("DB7")
async def test_what_the_operator_adopts_becomes_a_hedge_without_changing_what_was_earned(
    account: Account,
) -> None:
    account.trading.cash["BTC"] = D(1)
    account.journal.written[0].body["opening_cash"]["BTC"] = "1"  # type: ignore[index]
    account.foreign(SWAP, Side.SELL, "10")
    assert await account.reconcile() == ""
    prices = {NAME: (D(60_000), D(60_000))}
    account.books.ledger.prices.update(prices)
    said = account.survey.adopt(NAME, account.trading.snapshot(), JournalIds(OURS))
    assert said.startswith("adopted 10 contracts short and 0.10 BTC"), said
    assert account.held() == (D("0.1"), D(10))
    assert account.permissions.view.level is Permission.FULL
    assert account.books.external.coins == {"BTC": D("0.9")}
    ledger = account.books.ledger
    assert ledger.terms(prices).net == 0
    assert ledger.equity(prices) - ledger.transfers == ledger.opening_equity
    assert ledger.differences(account.trading.snapshot()) == {}
    again = account.survey.adopt(NAME, account.trading.snapshot(), JournalIds(OURS))
    assert again == f"nothing adopted: nothing external in {NAME}"


async def test_the_coins_an_operator_has_beside_us_hold_nothing_up(account: Account) -> None:
    await account.hold()
    account.trading.cash["BTC"] += D(2)
    assert await account.reconcile() == ""
    assert account.books.external.coins == {"BTC": D(2)}
    assert account.permissions.view.level is Permission.FULL


# --- money ------------------------------------------------------------------------------------


def trade_bills(account: Account, inst_id: str, number: str, **changes: str) -> None:
    for ccy, change in changes.items():
        bill_id = f"t{len(account.trading.filed)}"
        account.trading.filed.append(
            Bill(bill_id, BillKind.TRADE, "2/1", ccy, D(change), account.clock.now_ms(), inst_id, "8", number)
        )


async def balance(account: Account) -> Decimal:
    """What the hourly comparison says; twice, because a first difference is only a suspicion."""
    await account.keeper.collect_bills()
    for _ in range(2):
        account.survey.balance(account.trading.snapshot(), account.survey.mark())
    return account.survey.unexplained


@pytest.mark.fault("MI5")
async def test_money_moved_in_or_out_is_a_transfer_and_never_a_loss(account: Account) -> None:
    await account.hold()
    before = account.books.breaker(account.clock.now_ms())
    account.trading.cash["USDT"] -= D(5000)
    out = Bill("w1", BillKind.TRANSFER, "1/12", "USDT", D(-5000), account.clock.now_ms())
    account.trading.filed.append(out)
    assert await account.reconcile() == ""
    assert await balance(account) == 0
    after = account.books.breaker(account.clock.now_ms())
    assert after.day_pnl == before.day_pnl
    assert after.peak_equity == before.peak_equity - 5000
    assert account.permissions.view.level is Permission.FULL


@pytest.mark.fault("MI5")
async def test_cash_that_no_bill_explains_is_told_with_its_currency_and_holds_new_risk(
    account: Account,
) -> None:
    await account.hold()
    await account.reconcile()
    assert await balance(account) == 0
    account.trading.cash["USDT"] -= D("0.000002")
    assert await balance(account) == D("0.000002")
    assert account.permissions.causes[UNEXPLAINED].level is Permission.NO_NEW_RISK
    items = account.books.ledger.open_items(account.trading.snapshot())
    assert items == ("USDT no bill -0.000002",)
    account.trading.cash["USDT"] += D("0.000001")
    assert await balance(account) == D("0.000001")
    assert account.permissions.view.level is Permission.FULL


@pytest.mark.fault("MI5")
async def test_cash_the_operator_has_written_off_is_no_profit_and_no_loss(account: Account) -> None:
    await account.reconcile()
    account.trading.cash["USDT"] -= D(7)
    assert await balance(account) == 7
    account.survey.refuse(account.trading.snapshot())
    assert await balance(account) == 0
    assert account.permissions.view.level is Permission.FULL
    ledger = account.books.ledger
    assert ledger.equity({}) - ledger.transfers == ledger.opening_equity


@pytest.mark.fault("MI3")
async def test_money_of_somebody_elses_trade_is_explained_by_its_bills(account: Account) -> None:
    await account.reconcile()
    account.trading.cash["BTC"] = D("0.5")
    account.trading.cash["USDT"] -= D(30_000)
    assert await balance(account) > 0
    trade_bills(account, SPOT, "x1", BTC="0.5", USDT="-30000")
    assert await balance(account) == 0
    assert account.books.ledger.equity({}) == account.books.ledger.opening_equity


async def test_a_trade_that_is_billed_otherwise_than_it_was_filled_is_named(account: Account) -> None:
    await account.hold()
    fill = next(row for row in account.fills() if row["leg"] == "spot")["fill"]
    before = account.books.ledger.statement.wrong()
    trade_bills(account, SPOT, fill["trade_id"], USDT="-6000")
    await account.keeper.collect_bills()
    wrong = account.books.ledger.statement.wrong()
    cost = D(fill["px"]) * D(fill["size"])
    assert before == {} and wrong["USDT"] == cost - 6000
    account.trading.cash["USDT"] += wrong["USDT"]
    items = account.books.ledger.open_items(account.trading.snapshot())
    assert any(item.startswith("USDT trade ") for item in items), items


@pytest.mark.fault("FU5", "FU4")
async def test_a_bill_that_comes_late_and_twice_is_booked_once(account: Account) -> None:
    await account.hold()
    await account.clock.sleep(900)
    paid = Bill(
        "f1", BillKind.FUNDING, "8/173", "USDT", D(3), START_MS + 1000, SWAP, px=D(60_000), size=D(10)
    )
    account.trading.filed += [paid, paid]
    account.trading.cash["USDT"] += D(3)
    for _ in range(2):
        assert await account.reconcile() == ""
    assert account.books.ledger.terms({}).funding == 3 and await balance(account) == 0


@pytest.mark.fault("QT5")
async def test_after_five_hundred_rounds_every_grain_of_dust_is_in_the_books(account: Account) -> None:
    ids = account.ids_of(OURS)
    account.trading.level_base = D(1000)
    for round_no in range(500):
        hedge_id = ids.hedge_id(NAME)
        size = D(1 + round_no % 7) * PAIR.swap.ct_val
        contracts = f"{size / PAIR.swap.ct_val:f}"
        for leg, side, amount in (
            (Leg.SPOT, Side.BUY, f"{size:f}"),
            (Leg.SWAP, Side.SELL, contracts),
            (Leg.SWAP, Side.BUY, contracts),
            (Leg.SPOT, Side.SELL, f"{size * D('0.999') - D('0.00000003'):f}"),
        ):
            await account.trade(account.order(ids, hedge_id, leg, side, amount))
        if round_no % 50 == 49:
            assert await account.reconcile() == ""
    assert account.held()[1] == 0
    dust = account.books.dust.get("BTC", D(0)) + account.held()[0]
    assert dust == account.trading.cash["BTC"] == 500 * D("0.00000003")
    assert "BTC" not in account.books.ledger.differences(account.trading.snapshot())
