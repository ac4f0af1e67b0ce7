"""Whose a bill is: the hedge's that stood when it was charged, also when that hedge is over by now."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.facts import Kind
from core.types import Bill, BillKind, Side
from tests.core.test_recovery import HEDGE, NAME, SWAP, World
from tests.fakes import Fault

D = Decimal
SECOND_MS = 1_000


class Desk(World):
    """A world in which rounds begin and end at given instants."""

    async def open(self, hedge_id: str = HEDGE, number: str = "0") -> None:
        for cl_id, side, size in ((f"s{number}", Side.BUY, "0.1"), (f"p{number}", Side.SELL, "10")):
            await self._trade(hedge_id, cl_id, side, size)

    async def close(self, hedge_id: str = HEDGE, number: str = "9") -> None:
        for cl_id, side, size in ((f"p{number}", Side.BUY, "10"), (f"s{number}", Side.SELL, "0.0999")):
            await self._trade(hedge_id, cl_id, side, size)
        over = self._hedge("closed") | {"hedge_id": hedge_id, "purpose": "exit", "target_base": D(0)}
        self.journal.append(Kind.HEDGE, self.clock.now_ms(), over)

    async def _trade(self, hedge_id: str, cl_id: str, side: Side, size: str) -> None:
        request = self.request(cl_id, side, size)
        opened = self._hedge("opened") | {"hedge_id": hedge_id}
        if self.books.hedge(NAME) is None:
            self.journal.append(Kind.HEDGE, self.clock.now_ms(), opened)
        body = {"order": request, "hedge_id": hedge_id, "purpose": "open"}
        self.journal.append(Kind.INTENT, self.clock.now_ms(), body)
        self.trading.sink = None
        self.trading.on(request.inst_id, Fault(push="none"))
        await self.trading.place(request)
        await self.orders.resolve(cl_id)

    def charge(self, at_ms: int, change: str, kind: BillKind = BillKind.FUNDING) -> None:
        bill_id = f"b{len(self.trading.filed)}"
        self.trading.filed.append(Bill(bill_id, kind, "8", "USDT", D(change), at_ms, SWAP, px=D(60_000)))

    def owners(self) -> list[str]:
        return [row.body["hedge_id"] for row in self.journal.of(Kind.BILL)]

    def amended(self) -> list[tuple[str, str, str]]:
        notes = [row.body for row in self.journal.of(Kind.NOTE) if row.body["what"] == "round amended"]
        return [(body["hedge_id"], body["amount"], body["net"]) for body in notes]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.fault("FU4")
@pytest.mark.parametrize("lag_s", [0, 2, 50])
async def test_funding_read_after_the_round_was_closed_is_this_rounds(desk: Desk, lag_s: int) -> None:
    """The venue may charge it up to a minute after the instant; the round ended three seconds after it."""
    await desk.open()
    await desk.clock.sleep(3600)
    settled_ms = desk.clock.now_ms()
    await desk.clock.sleep(3)
    await desk.close()
    before = desk.books.rounds[0].closing_terms
    assert before.net < 0 and desk.books.breaker(settled_ms).losing_rounds == 1
    await desk.clock.sleep(60)
    desk.charge(settled_ms + lag_s * SECOND_MS, "100")
    await desk.keeper.collect_bills()
    [ended] = desk.books.rounds
    assert ended.closing_terms.funding == 100 and ended.closing_terms.net == before.net + 100
    assert ended.tally.settlements == 1
    assert desk.books.breaker(settled_ms).losing_rounds == 0
    assert desk.amended() == [(HEDGE, "100", f"{before.net + 100:f}")]
    desk.restart()
    assert desk.books.rounds[0].closing_terms.funding == 100, "a restart must know it too"


@pytest.mark.fault("FU4")
async def test_a_late_bill_of_the_round_before_is_not_the_new_rounds(desk: Desk) -> None:
    await desk.open()
    await desk.clock.sleep(3600)
    settled_ms = desk.clock.now_ms()
    await desk.clock.sleep(3)
    await desk.close()
    await desk.clock.sleep(120)
    await desk.open("FE1H2", "1")
    await desk.clock.sleep(1)
    desk.charge(settled_ms, "3")
    desk.charge(desk.clock.now_ms(), "4")
    await desk.keeper.collect_bills()
    assert desk.owners() == [HEDGE, "FE1H2"]
    assert [owner for owner, _, _ in desk.amended()] == [HEDGE]


async def test_a_bill_long_after_the_last_round_is_no_rounds(desk: Desk) -> None:
    """Somebody else's position on the account: the money counts, and no round answers for it."""
    await desk.open()
    await desk.close()
    await desk.clock.sleep(3600)
    desk.charge(desk.clock.now_ms(), "-5")
    await desk.keeper.collect_bills()
    assert desk.owners() == [""] and desk.amended() == []
    assert desk.books.ledger.terms({}).funding == -5


async def test_a_bill_from_before_the_first_contract_is_no_rounds(desk: Desk) -> None:
    await desk.clock.sleep(1)
    charged_ms = desk.clock.now_ms()
    await desk.clock.sleep(60)
    await desk.open()
    desk.charge(charged_ms, "-5")
    await desk.keeper.collect_bills()
    assert desk.owners() == [""]


async def test_what_was_short_at_an_instant_is_known_after_it_was_bought_back(desk: Desk) -> None:
    times = [desk.clock.now_ms()]
    for act in (desk.open, desk.close):
        await desk.clock.sleep(3600)
        await act()
        await desk.clock.sleep(3600)
        times.append(desk.clock.now_ms())
    assert [desk.books.contracts_at(NAME, at_ms) for at_ms in times] == [0, 10, 0]


@pytest.mark.fault("FU4")
@pytest.mark.parametrize("lead_s", [3, -3])
async def test_the_bill_of_a_round_that_just_ended_is_waited_for(desk: Desk, lead_s: int) -> None:
    """And the one of a round that ended just before the settlement is not: there is none."""
    await desk.open()
    await desk.clock.sleep(3600)
    await desk.close()
    desk.keeper.expect(NAME, desk.clock.now_ms() - lead_s * SECOND_MS)
    assert desk.keeper.awaits_bills == (lead_s > 0)
    desk.charge(desk.clock.now_ms() - lead_s * SECOND_MS, "2")
    await desk.keeper.collect_bills()
    assert not desk.keeper.awaits_bills
