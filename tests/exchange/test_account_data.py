"""The account store: pushes in any order end in the same account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import AccountMode, AccountSnapshot, Balance, Contracts, Position
from exchange.account_data import AccountData, BalancePush, CashPush, PositionPush
from tests.exchange.okx.support import NOW_MS, StillClock

D = Decimal
SWAP = "BTC-USDT-SWAP"


def usdt(cash: str, equity: str | None = None) -> Balance:
    return Balance("USDT", cash=D(cash), equity=D(equity or cash), available=D(cash))


def short(contracts: int, avg_px: str = "60000") -> Position:
    return Position(SWAP, Contracts(D(contracts)), D(avg_px), D(avg_px), upl=D(0), leverage=D(3))


def told(cash: str = "1000", contracts: int = -10, ts_ms: int = 100) -> AccountSnapshot:
    return AccountSnapshot(
        AccountMode.FUTURES, {"USDT": usdt(cash)}, {SWAP: short(contracts)}, D(1000), ts_ms, seen_ms=0
    )


class Sink:
    def __init__(self) -> None:
        self.seen: list[AccountSnapshot] = []

    def on_account(self, snapshot: AccountSnapshot) -> None:
        self.seen.append(snapshot)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def account(clock: StillClock) -> AccountData:
    data = AccountData(clock)
    data.replace(told())
    return data


def now(account: AccountData) -> AccountSnapshot:
    snapshot = account.snapshot()
    assert snapshot is not None
    return snapshot


def test_pushes_before_the_first_snapshot_are_ignored(clock: StillClock) -> None:
    account = AccountData(clock)
    account.on_balances(BalancePush(((usdt("1"), 5),), ts_ms=5))
    account.on_positions(PositionPush(((short(-1), 5),)))
    account.on_cash(CashPush((("USDT", D(1), 5),), ()))
    assert account.snapshot() is None


def test_every_change_is_told_with_the_time_of_its_arrival(clock: StillClock) -> None:
    sink = Sink()
    account = AccountData(clock, [sink])
    account.replace(told())
    clock.now += 5
    account.on_positions(PositionPush(((short(-11), 200),)))
    assert [s.contracts(SWAP) for s in sink.seen] == [-10, -11]
    assert [s.seen_ms for s in sink.seen] == [NOW_MS, NOW_MS + 5]
    assert now(account) is sink.seen[-1]


def test_a_balance_push_changes_only_its_currencies(account: AccountData) -> None:
    btc = Balance("BTC", D("0.1"), D("0.1"), D("0.1"))
    account.on_balances(BalancePush(((btc, 200),), ts_ms=200, total_equity_usd=D(7000)))
    assert now(account).cash("USDT") == 1000 and now(account).cash("BTC") == D("0.1")
    assert now(account).total_equity_usd == 7000


def test_totals_that_were_not_said_stay(account: AccountData) -> None:
    account.on_balances(BalancePush((), 150, mgn_ratio=D(9), tells_margin=True))
    account.on_balances(BalancePush((), 200))
    assert now(account).total_equity_usd == 1000 and now(account).mgn_ratio == 9
    account.on_balances(BalancePush((), 300, tells_margin=True))  # no position any more
    assert now(account).mgn_ratio is None


def test_totals_of_an_older_push_are_not_taken(account: AccountData) -> None:
    account.on_balances(BalancePush((), 300, total_equity_usd=D(3)))
    account.on_balances(BalancePush((), 200, total_equity_usd=D(2)))
    assert now(account).total_equity_usd == 3


def test_a_position_without_contracts_is_gone(account: AccountData) -> None:
    account.on_positions(PositionPush(((short(0), 200),)))
    assert now(account).positions == {}


def test_an_older_word_never_overwrites_a_newer_one(account: AccountData) -> None:
    account.on_positions(PositionPush(((short(-5), 300),)))
    account.on_positions(PositionPush(((short(-9), 200),)))
    account.on_cash(CashPush((), ((SWAP, Contracts(D(-8)), D(1), 250),)))
    assert now(account).contracts(SWAP) == -5


def test_the_fast_view_moves_cash_and_equity_together(account: AccountData) -> None:
    account.on_balances(BalancePush(((usdt("1000", "1200"), 150),), 150))
    account.on_cash(CashPush((("USDT", D(900), 200),), ()))
    balance = now(account).balances["USDT"]
    assert (balance.cash, balance.equity, balance.available) == (900, 1100, 900)


def test_the_fast_view_keeps_what_it_does_not_tell(account: AccountData) -> None:
    account.on_cash(CashPush((), ((SWAP, Contracts(D(-4)), D(61000), 200),)))
    position = now(account).positions[SWAP]
    assert (position.contracts, position.avg_px, position.leverage) == (-4, 61000, 3)


def test_the_fast_view_may_be_the_first_to_tell(account: AccountData) -> None:
    account.on_cash(CashPush((("BTC", D(2), 200),), (("ETH-USDT-SWAP", Contracts(D(-1)), D(3000), 200),)))
    assert now(account).available("BTC") == 2
    assert now(account).contracts("ETH-USDT-SWAP") == -1
    account.on_cash(CashPush((), (("ETH-USDT-SWAP", Contracts(D(0)), D(0), 201),)))
    assert "ETH-USDT-SWAP" not in now(account).positions


def test_available_never_goes_below_zero(account: AccountData) -> None:
    account.on_cash(CashPush((("USDT", D(-50), 200),), ()))
    assert now(account).available("USDT") == 0 and now(account).cash("USDT") == -50


def test_a_snapshot_on_its_way_does_not_undo_a_later_push(account: AccountData) -> None:
    account.on_positions(PositionPush(((short(0), 300),)))
    account.on_balances(BalancePush(((usdt("1500"), 300),), 300))
    account.replace(told(cash="1000", contracts=-10, ts_ms=250))  # asked for before the close
    assert now(account).positions == {} and now(account).cash("USDT") == 1500


def test_a_newer_snapshot_replaces_everything(account: AccountData) -> None:
    account.on_positions(PositionPush(((short(-3), 300),)))
    account.replace(replace(told(ts_ms=400), positions={}, balances={}))
    assert now(account).positions == {} and now(account).balances == {}


def test_earlier_snapshots_stay_as_they_were(account: AccountData) -> None:
    before = now(account)
    account.on_positions(PositionPush(((short(-99), 200),)))
    assert before.contracts(SWAP) == -10


PUSHES = st.lists(
    st.tuples(st.sampled_from(["positions", "cash", "balances"]), st.integers(101, 140), st.integers(-5, 5)),
    max_size=12,
    unique_by=lambda push: push[1],
)


def apply(account: AccountData, push: tuple[str, int, int]) -> None:
    channel, ts_ms, value = push
    if channel == "positions":
        account.on_positions(PositionPush(((short(value), ts_ms),)))
    elif channel == "cash":
        account.on_cash(CashPush((("USDT", D(value), ts_ms),), ((SWAP, Contracts(D(value)), D(1), ts_ms),)))
    else:
        account.on_balances(BalancePush(((usdt(str(value)), ts_ms),), ts_ms))


@given(pushes=PUSHES, data=st.data())
def test_size_and_cash_do_not_depend_on_the_order_of_channels(
    pushes: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    ends = []
    shuffled = data.draw(st.permutations(pushes))
    for order in (sorted(pushes, key=lambda push: push[1]), shuffled, [*shuffled, *shuffled]):
        account = AccountData(StillClock())
        account.replace(told())
        for push in order:
            apply(account, push)
        ends.append((now(account).contracts(SWAP), now(account).cash("USDT")))
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.fault("MG10", "AC1")
def test_a_second_position_in_the_same_swap_never_takes_the_place_of_ours() -> None:
    account = AccountData(StillClock())
    account.replace(told())
    isolated = replace(short(-3), isolated=True)
    long_side = replace(short(4), long_side=True)
    account.on_positions(PositionPush(((isolated, 200), (long_side, 200))))
    seen = account.snapshot()
    assert seen is not None
    assert seen.contracts(SWAP) == -10
    assert sorted(seen.strays) == [f"{SWAP} isolated", f"{SWAP} long side"]
    gone = replace(isolated, contracts=Contracts(D(0)))
    account.on_positions(PositionPush(((gone, 300),)))
    account.replace(told(ts_ms=250))  # older than what the push said
    assert (seen := account.snapshot()) is not None
    assert f"{SWAP} isolated" not in seen.strays
