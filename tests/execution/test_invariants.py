"""What may never happen, whatever the venue does: random faults, random targets, random prices."""

import asyncio
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from core.events import Outcome, Purpose
from core.facts import Kind
from core.types import ZERO, Leg, Side
from tests.execution.bench import MAKER_FIRST, Bench
from tests.fakes import D, Fault

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"

shares = st.sampled_from([D(0), D("0.003"), D("0.37"), D("0.9"), D(1)])
faults = st.one_of(
    st.just(Fault()),
    st.builds(
        Fault,
        fill=shares,
        push=st.sampled_from(["before", "after", "twice", "none"]),
        push_ms=st.sampled_from([1, 150, 700, 5_000]),
        ack_lost=st.booleans(),
        invisible_ms=st.sampled_from([0, 900, 1_800]),
        rest_fill=st.none() | st.tuples(st.sampled_from([500, 19_950]), shares),
        move_bps=st.integers(-40, 40).map(Decimal),
    ),
    st.sampled_from([Fault(reject="51008"), Fault(reject="51030"), Fault(lost=True), Fault(throttle_s=0.5)]),
)
scripts = st.lists(faults, max_size=8)
outages = st.lists(st.booleans(), max_size=12)
bases = st.sampled_from(["0", "0.0001", "0.00037", "0.5", "1.23456", "4"]).map(Decimal)
steps = st.lists(st.tuples(bases, st.sampled_from(list(Purpose)[:6])), min_size=1, max_size=4)


class Watched(Bench):
    """A bench that checks every order against the legs as they were when it was sent."""

    def scripted(self, spot: list[Fault], swap: list[Fault], silence: list[bool]) -> None:
        self.venue.on(SPOT, *spot)
        self.venue.on(SWAP, *swap)
        self.venue.outages.extend(silence)

    async def step(self, base: Decimal, purpose: Purpose) -> None:
        before, sent = self.legs, len(self.venue.sent)
        report = await self.reach(base, purpose)
        orders = self.venue.sent[sent:]
        lot = self.pair.swap.step

        assert len({o.cl_id for o in self.venue.sent}) == len(self.venue.sent), "an id was sent twice"
        assert all(o.reduce_only for o in orders if o.leg is Leg.SWAP and o.side is Side.BUY)
        if report.outcome is Outcome.BROKEN:
            assert not self.legs.balanced or self.orders.pending(), "broken, but nothing is wrong"
        else:
            assert self.legs.balanced or self.legs.flat, "a naked leg was reported as accounted for"
            assert not self.orders.pending()
        if not purpose.adds_risk and purpose is not Purpose.REPAIR:
            assert self.legs.spot <= before.spot and self.legs.contracts <= before.contracts
            back = [o for o in orders if (o.leg, o.side) not in ((Leg.SWAP, Side.BUY), (Leg.SPOT, Side.SELL))]
            # Where nobody buys the coins, an exit takes back what it gave up; a flatten never does.
            assert purpose is not Purpose.FLATTEN or not back
            assert all((o.leg, o.side) == (Leg.SWAP, Side.SELL) for o in back)
        most = max(base, before.spot, self.pair.swap.to_base(before.contracts)) + lot
        assert max(self.legs.spot, self.pair.swap.to_base(self.legs.contracts)) <= most
        self.books_equal_the_venue()

    def books_equal_the_venue(self) -> None:
        """Once nothing is pending, every trade of the venue is in the journal, once."""
        written = [row.body["fill"]["trade_id"] for row in self.journal.of(Kind.FILL)]
        assert len(written) == len(set(written))
        if not self.orders.pending():
            traded = {f.trade_id for o in self.venue.orders.values() for f in o.fills}
            assert set(written) == traded
            assert self.legs.contracts == -self.venue.position
            assert self.legs.spot + self.books.dust.get("BTC", ZERO) == self.venue.cash.get("BTC", ZERO)


@settings(max_examples=250, deadline=None)
@given(spot=scripts, swap=scripts, silence=outages, todo=steps, maker=st.booleans())
def test_legs_end_equal_or_the_report_says_broken(
    spot: list[Fault],
    swap: list[Fault],
    silence: list[bool],
    todo: list[tuple[Decimal, Purpose]],
    maker: bool,
) -> None:
    async def scenario() -> None:
        bench = Watched(settings=MAKER_FIRST if maker else None)
        bench.scripted(spot, swap, silence)
        for base, purpose in todo:
            await bench.step(base, purpose)

    asyncio.run(scenario())


@settings(max_examples=100, deadline=None)
@given(spot=scripts, swap=scripts, silence=outages, base=bases)
def test_once_the_venue_behaves_again_everything_can_be_flattened(
    spot: list[Fault], swap: list[Fault], silence: list[bool], base: Decimal
) -> None:
    async def scenario() -> None:
        bench = Watched()
        bench.scripted(spot, swap, silence)
        await bench.step(base, Purpose.OPEN)
        bench.venue.script[SPOT].clear()
        bench.venue.script[SWAP].clear()
        bench.venue.outages.clear()
        report = await bench.reach(D(0), Purpose.FLATTEN)
        assert report.outcome is Outcome.FLAT and bench.real.flat

    asyncio.run(scenario())


@settings(max_examples=100, deadline=None)
@given(fault=faults, silence=outages)
def test_an_order_is_known_in_the_end_and_its_fills_are_those_of_the_venue(
    fault: Fault, silence: list[bool]
) -> None:
    async def scenario() -> None:
        bench = Watched()
        bench.venue.on(SPOT, fault)
        bench.venue.outages.extend(silence)
        request = bench.order()
        result = await bench.orders.execute(request, "h1", Purpose.OPEN, bench.pair)
        bench.venue.outages.clear()
        await bench.orders.settle()
        await bench.clock.sleep(10)
        await bench.orders.settle()
        assert bench.orders.pending() == () and bench.books.unresolved_orders() == ()
        assert [o.cl_id for o in bench.venue.sent] == [result.cl_id]
        bench.books_equal_the_venue()

    asyncio.run(scenario())
