"""The record of a closed position says what was so when it was made, whenever it is read."""

from __future__ import annotations

import pickle

from tests.exchange.sim.worlds import SWAP, D, Desk


def test_a_record_read_late_tells_of_its_own_time() -> None:
    desk = Desk()
    opened = desk.order(SWAP, "sell", "2", "59900")
    desk.move(58_000)
    closed = desk.order(SWAP, "buy", "2", "58100")
    (record,) = desk.me.closed_positions
    desk.move(61_000)
    desk.order(SWAP, "buy", "5", "61100")
    desk.move(62_000)
    desk.order(SWAP, "sell", "1", "61900")
    assert (D(record["openAvgPx"]), D(record["closeAvgPx"])) == (opened.avg_px, closed.avg_px)
    assert (record["closeTotalPos"], record["openMaxPos"], record["direction"]) == ("2", "2", "short")
    assert D(record["realizedPnl"]) == closed.pnl + opened.fee + closed.fee
    assert record["uTime"] == str(closed.updated_ms)
    assert [one["direction"] for one in desk.me.closed_positions] == ["short", "long"]


def test_a_record_is_the_same_read_at_once_read_late_or_read_back_from_a_snapshot() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "2", "59900")
    desk.order(SWAP, "buy", "1", "60100")
    (record,) = desk.me.closed_positions
    kept = pickle.dumps(record)
    at_once = dict(record)
    desk.order(SWAP, "buy", "4", "60100")
    assert dict(record) == at_once == dict(pickle.loads(kept))
    assert len(record) == len(at_once) and at_once["posId"] == record["posId"]
