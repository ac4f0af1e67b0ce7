"""What may be done to an account behind its client's back."""

import pytest

from exchange.sim.edits import Edits
from exchange.sim.model import PositionKey
from tests.exchange.sim.worlds import MINUTE_MS, SPOT, SWAP, D, Desk


def test_settings_are_changed_as_asked() -> None:
    desk = Desk()
    edits = Edits(desk.venue)
    edits.set_permissions(desk.me, "read_only")
    edits.set_ip(desk.me, "127.0.0.1,::1")
    edits.set_fee_level(desk.me, "VIP2")
    edits.set_level(desk.me, "3")
    edits.set_auto_loan(desk.me, "true")
    me = desk.me
    assert (me.permissions, me.ip, me.fee_level, me.level) == ("read_only", "127.0.0.1,::1", "VIP2", "3")
    assert me.auto_loan
    edits.set_permissions(desk.me, "")
    assert desk.me.permissions == ""


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("permissions", "read_only,fly"),
        ("permissions", "trade,trade"),
        ("ip", "localhost"),
        ("fee_level", "VIP99"),
        ("level", "7"),
        ("auto_loan", "yes"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_with_what_is_allowed(setting: str, value: str) -> None:
    desk = Desk()
    with pytest.raises(ValueError, match=f"{setting} is {value}, allowed: "):
        getattr(Edits(desk.venue), f"set_{setting}")(desk.me, value)


def test_isolated_positions_keep_an_account_out_of_multi_currency_mode() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "1", mode="isolated")
    with pytest.raises(ValueError, match="isolated"):
        Edits(desk.venue).set_level(desk.me, "3")
    desk.venue.close_position(desk.me, PositionKey(SWAP, "isolated"), "", auto_cancel=False)
    Edits(desk.venue).set_level(desk.me, "3")


def test_a_higher_fee_level_is_noticed_by_the_next_margin_check() -> None:
    desk = Desk(usdt="3000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    desk.move(62_700)
    Edits(desk.venue).set_fee_level(desk.me, "Lv1")
    desk.wait(MINUTE_MS)
    assert desk.contracts() == -100


def test_a_spot_fee_is_taken_in_the_quote_currency_where_that_was_chosen() -> None:
    desk = Desk()
    desk.venue.set_fee_type(desk.me, "1")
    order = desk.order(SPOT, "buy", "0.1601", "60100")
    assert desk.cash("BTC") == D("0.1601") and order.fee_ccy == "USDT"
    assert order.fee == -order.notional / 1000 and desk.cash() == 100_000 - order.notional + order.fee
