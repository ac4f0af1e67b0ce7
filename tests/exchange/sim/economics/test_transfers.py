import pytest

from exchange.sim.edits import Edits
from exchange.sim.model import Reject
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS, SPOT, SWAP, D, Desk

FUNDING, TRADING = "6", "18"


def test_a_transfer_leaves_at_once_and_arrives_a_second_later() -> None:
    desk = Desk()
    move = desk.venue.transfer(desk.me, "USDT", D(1_000), TRADING, FUNDING, "t1")
    assert move.state == "pending" and desk.cash() == 99_000 and not desk.me.funding
    desk.wait(999)
    assert move.state == "pending"
    desk.wait(1)
    assert move.state == "success" and desk.me.funding["USDT"] == 1_000
    back = desk.venue.transfer(desk.me, "USDT", D(400), FUNDING, TRADING, "t2")
    desk.wait(1_000)
    assert back.state == "success" and desk.cash() == 99_400 and desk.me.funding["USDT"] == 600
    assert [(bill.kind, bill.sub_type, bill.change, bill.size) for bill in desk.me.bills] == [
        ("1", "12", D(-1_000), D(-1_000)),
        ("1", "11", D(400), D(400)),
    ]


def test_the_venue_stops_for_an_arrival() -> None:
    desk = Desk()
    desk.venue.transfer(desk.me, "USDT", D(1), TRADING, FUNDING, "t1")
    assert desk.venue.next_ms() == desk.venue.now_ms + 1_000


@pytest.mark.parametrize(
    ("amount", "source", "dest", "code"),
    [("1", FUNDING, TRADING, "58350"), ("100001", TRADING, FUNDING, "58116"), ("1", "6", "6", "58114")],
)
def test_a_refused_transfer_moves_nothing(amount: str, source: str, dest: str, code: str) -> None:
    desk = Desk()
    with pytest.raises(Reject, match=code):
        desk.venue.transfer(desk.me, "USDT", D(amount), source, dest, "t1")
    assert desk.cash() == 100_000 and not desk.me.transfers


def test_transfers_pause_while_a_settlement_is_charged() -> None:
    desk = Desk()
    desk.wait(8 * HOUR_MS)
    with pytest.raises(Reject, match="58111"):
        desk.venue.transfer(desk.me, "USDT", D(1), TRADING, FUNDING, "t1")
    desk.wait(MINUTE_MS)
    desk.venue.transfer(desk.me, "USDT", D(1), TRADING, FUNDING, "t1")


@pytest.mark.parametrize("level", ["2", "3"])
def test_margin_in_use_cannot_leave(level: str) -> None:
    desk = Desk(level=level, usdt="50000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    assert desk.venue.max_withdrawal(desk.me, "USDT") == 30_000
    desk.order(SWAP, "sell", "1", "60500", kind="limit")
    held = D("605") / 3 + D("605") * D("0.0005")
    assert desk.venue.max_withdrawal(desk.me, "USDT") == D("29798.03083333") == round(30_000 - held, 8)


def test_coins_are_free_to_leave_in_futures_mode() -> None:
    desk = Desk()
    desk.me.trading["BTC"] = D(1)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    assert desk.venue.max_withdrawal(desk.me, "BTC") == 1


def test_collateral_cannot_leave_in_multi_currency_mode() -> None:
    desk = Desk(level="3", usdt="0")
    desk.me.trading["BTC"] = D(1)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    assert D("0.6") < desk.venue.max_withdrawal(desk.me, "BTC") < D("0.67")


def test_coins_that_secure_a_loan_cannot_leave() -> None:
    desk = Desk(level="3", usdt="60000")
    desk.me.auto_loan = True
    desk.order(SPOT, "buy", "1.5", "60100")
    desk.venue.set_auto_loan(desk.me, False)
    assert desk.cash() < 0 and not desk.me.positions
    with pytest.raises(Reject, match="58116"):
        desk.venue.transfer(desk.me, "BTC", D("1.4"), "18", "6", "t1")
