from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.economics import liquidation
from exchange.sim.edits import Edits
from exchange.sim.markets.source import Reach
from tests.exchange.sim.worlds import MINUTE_MS, SWAP, D, Desk, StillMarket

steps = st.lists(st.floats(-0.08, 0.08), min_size=1, max_size=40)


def shorts(level: str) -> Desk:
    desk = Desk(level=level, usdt="12000")
    edits = Edits(desk.venue)
    edits.set_position(desk.me, SWAP, D(-100))
    edits.set_position(desk.me, "ETH-USDT-SWAP", D(-50))
    edits.set_cash(desk.me, "BTC", D("0.5"))
    return desk


@given(steps=steps, level=st.sampled_from("23"))
@settings(max_examples=40, deadline=None)
def test_whoever_watches_at_every_step_sees_nothing_more(steps: list[float], level: str) -> None:
    spared, watched = shorts(level), shorts(level)
    for change in steps:
        for desk in (spared, watched):
            desk.move(desk.market.spot["BTC"] * (1 + change))
            desk.move(desk.market.spot["ETH"] * (1 - change / 2), "ETH")
        liquidation.watch(watched.venue.world, watched.me)
        assert spared.venue.snapshot_hash() == watched.venue.snapshot_hash()


def test_a_change_of_the_account_ends_the_calm() -> None:
    desk = shorts("2")
    desk.wait(MINUTE_MS)
    Edits(desk.venue).set_cash(desk.me, "USDT", D(100))
    desk.wait(MINUTE_MS)
    assert desk.contracts() == 0


class Promising(StillMarket):
    """A market that says for how long its prices stay as they are, and counts how often it is asked."""

    asked = 0

    def reach(self, coin: str, at_ms: int) -> Reach:
        self.asked += 1
        return super().reach(coin, at_ms)._replace(until_ms=at_ms + 10 * MINUTE_MS)


def test_while_prices_are_promised_nobody_looks() -> None:
    market = Promising()
    desk = Desk(market)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-1))
    desk.wait(MINUTE_MS)
    market.asked = 0
    desk.wait(20 * MINUTE_MS)
    assert market.asked == 2
