"""The reducing routine against a venue that loses answers, fills in part, refuses and changes its mind."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import AuthFailed
from core.ids import ReducerIds
from core.types import ZERO, Book, Leg, OrderKind, OrderRequest, Side
from execution.reducer import Insistence, Reducer
from execution.reduction import Owned
from tests.fakes import D, FakeClock, FakeTrading, Fault, btc

MANNER = Insistence.between(D(50), D(200), D(30_000))  # slices of half a coin


class Prices:
    def __init__(self, venue: FakeTrading) -> None:
        self._venue = venue

    async def book(self, inst_id: str, depth: int) -> Book:
        return await self._venue.book(inst_id)


class Scene:
    def __init__(self, spot: str = "1", short: str = "100") -> None:
        self.clock, self.pair = FakeClock(), btc()
        self.venue = FakeTrading(self.clock, self.pair)
        self.venue.cash["BTC"], self.venue.position = D(spot), -D(short)
        self.reducer = Reducer(self.venue, Prices(self.venue), self.clock, ReducerIds(1, 2), MANNER)

    async def flatten(self, spot: str = "1", short: str = "100", seconds: int = 30) -> None:
        until_ms = self.clock.now_ms() + seconds * 1000
        await self.reducer.flatten({self.pair.name: Owned(D(spot), D(short))}, [self.pair], until_ms)

    @property
    def held(self) -> tuple[Decimal, Decimal]:
        return self.venue.cash["BTC"], -self.venue.position

    def sides(self) -> list[tuple[str, str]]:
        return [(order.side.value, order.leg.value) for order in self.venue.sent]


async def test_both_legs_go_slice_by_slice_the_swap_first() -> None:
    scene = Scene()
    await scene.flatten()
    assert scene.held == (ZERO, ZERO)
    assert scene.sides() == [("buy", "swap"), ("sell", "spot")] * (len(scene.venue.sent) // 2)
    assert len(scene.venue.sent) >= 4
    assert all(order.kind is OrderKind.IOC for order in scene.venue.sent)
    assert all(order.reduce_only for order in scene.venue.sent if order.leg is Leg.SWAP)
    assert len({order.cl_id for order in scene.venue.sent}) == len(scene.venue.sent)


@pytest.mark.fault("MI3", "OL14")
async def test_what_is_not_owned_stays() -> None:
    scene = Scene(spot="3", short="250")
    await scene.flatten(spot="1", short="100")
    assert scene.held == (D(2), D(150))
    await scene.flatten(spot="0", short="0")
    assert scene.held == (D(2), D(150))


@pytest.mark.fault("MG5", "MI2")
async def test_a_short_that_is_gone_already_leaves_only_the_spot_to_sell() -> None:
    scene = Scene(short="0")
    await scene.flatten()
    assert scene.held == (ZERO, ZERO) and set(scene.sides()) == {("sell", "spot")}


@pytest.mark.fault("RE1", "RE8", "OL7")
@pytest.mark.parametrize("leg", ["spot", "swap"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault(ack_lost=True),
        Fault(lost=True),
        Fault(fill=D("0.37")),
        Fault(fill=ZERO),
        Fault(invisible_ms=1_500),
        Fault(ack_lost=True, invisible_ms=1_500),
        Fault(reject="51008"),
        Fault(throttle_s=0.5),
        Fault(move_bps=D(80)),
    ],
)
async def test_one_bad_answer_delays_the_way_out_and_changes_nothing_else(leg: str, fault: Fault) -> None:
    scene = Scene(spot="3", short="100")  # two coins are somebody else's
    inst_id = (scene.pair.spot if leg == "spot" else scene.pair.swap).inst_id
    scene.venue.on(inst_id, fault)
    await scene.flatten()
    assert scene.held == (D(2), ZERO)


@pytest.mark.fault("RE9")
async def test_while_an_outcome_is_unknown_its_pair_rests_even_for_the_next_attempt() -> None:
    scene = Scene(spot="3")
    scene.venue.on(scene.pair.spot.inst_id, Fault(ack_lost=True, invisible_ms=40_000))
    scene.venue.position = ZERO
    scene.venue.outages.extend([False] * 3 + [True] * 400)
    await scene.flatten(short="0", seconds=10)
    assert len(scene.venue.sent) == 1
    scene.venue.outages.clear()
    scene.venue.orders[scene.venue.sent[0].cl_id].visible_ms = 0
    await scene.flatten(spot="0", short="0", seconds=10)
    assert len(scene.venue.sent) == 1 and scene.held == (D(2), ZERO)


@pytest.mark.fault("RE12")
async def test_an_unanswered_question_about_the_account_is_not_an_empty_account() -> None:
    scene = Scene()
    scene.venue.outages.extend([True] * 5)
    await scene.flatten()
    assert scene.held == (ZERO, ZERO)
    assert any("account" in remark for remark in scene.reducer.remarks)


async def test_only_our_resting_orders_are_cancelled() -> None:
    scene = Scene()
    resting = OrderRequest(
        "", scene.pair.name, scene.pair.spot.inst_id, Leg.SPOT, Side.BUY, OrderKind.POST_ONLY,
        D("0.1"), D(50_000), False, D(60_000),
    )  # fmt: skip
    for cl_id in ("FE1H1S3N1", "byhand", "FW1P2N9"):
        await scene.venue.place(replace(resting, cl_id=cl_id))
    assert await scene.reducer.cancel_ours() == 2
    assert [order.cl_id for order in await scene.venue.open_orders()] == ["byhand"]


async def test_a_key_that_is_refused_ends_it() -> None:
    class Revoked(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            raise AuthFailed("no such key", "50119")

    scene = Scene()
    revoked = Revoked(scene.clock, scene.pair)
    revoked.cash["BTC"], revoked.position = D(1), D(-100)
    reducer = Reducer(revoked, Prices(revoked), scene.clock, ReducerIds(1, 2), MANNER)
    with pytest.raises(AuthFailed):
        await reducer.flatten(
            {scene.pair.name: Owned(D(1), D(100))}, [scene.pair], scene.clock.now_ms() + 9_000
        )
