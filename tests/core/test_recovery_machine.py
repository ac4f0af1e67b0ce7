"""Whatever happens, and wherever the process dies: after recovery the books are the venue's, and no order
was sent twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.facts import Kind
from core.ids import JournalIds
from core.types import Leg, OrderRequest, Side
from tests.core.test_ownership import OLD, OURS, Account
from tests.core.test_recovery import PAIR, SWAP
from tests.fakes import Fault

D = Decimal
FAULTS = (Fault(push="none"), Fault(push="none", ack_lost=True), Fault(lost=True), Fault(reject="51008"))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ours"), st.sampled_from(Leg), st.integers(1, 5), st.sampled_from(FAULTS)),
        st.tuples(st.just("meant"), st.sampled_from(Leg), st.integers(1, 5), st.none()),
        st.tuples(st.just("lost journal's"), st.sampled_from(Leg), st.integers(1, 5), st.none()),
        st.tuples(st.just("forced"), st.just(Leg.SWAP), st.integers(1, 3), st.none()),
        st.tuples(st.just("crash"), st.none(), st.just(0), st.none()),
    ),
    max_size=12,
)


@pytest.mark.fault("CR1", "CR2", "CR3", "DB7")
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_after_any_history_with_any_crashes_the_books_are_the_venues(steps: list[tuple[object, ...]]) -> None:
    asyncio.run(_play(steps))


async def _play(steps: list[tuple[object, ...]]) -> None:
    account = Account()
    for what, leg, size, fault in steps:
        assert isinstance(size, int)
        if what == "crash":
            assert await account.reconcile() == ""
            await account.clock.sleep(1)
        elif what == "forced":
            if -account.trading.position >= size:
                account.foreign(SWAP, Side.BUY, str(size), "adl")
        elif what == "lost journal's":
            account.restart()
            epoch_ids = account.ids_of(OLD)
            await account.trade(_order(account, epoch_ids, leg, size))
        else:
            request = _order(account, account.ids_of(OURS), leg, size)
            if what == "meant":
                account.meant(request)
            else:
                assert isinstance(fault, Fault)
                await account.attempt(request, fault)
    for _ in range(2):
        assert await account.reconcile() == ""
    dust = account.books.dust.get("BTC", D(0))
    held = account.held()
    assert (held[0] + dust, held[1]) == account.venues()
    assert account.books.unresolved_orders() == ()
    assert max(Counter(order.cl_id for order in account.trading.sent).values(), default=1) == 1
    fills = [(row["fill"]["inst_id"], row["fill"]["trade_id"]) for row in account.fills()]
    assert len(fills) == len(set(fills))
    intents = [row.body["order"]["cl_id"] for row in account.journal.of(Kind.INTENT)]
    assert len(intents) == len(set(intents))


def _order(account: Account, ids: JournalIds, leg: object, size: int) -> OrderRequest:
    assert isinstance(leg, Leg)
    side, text = (Side.BUY, f"{size * PAIR.swap.ct_val:f}") if leg is Leg.SPOT else (Side.SELL, str(size))
    return account.order(ids, account.hedge_ids[OURS], leg, side, text)
