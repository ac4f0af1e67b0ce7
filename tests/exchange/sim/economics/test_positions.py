"""Positions by swap, margin mode and side: net and long/short mode, cross and isolated margin."""

import pytest

from exchange.sim.edits import Edits
from exchange.sim.events import AccountChanged
from exchange.sim.model import PositionKey, Reject
from tests.exchange.sim.worlds import SWAP, D, Desk

OWN = PositionKey(SWAP, "isolated")
LONG, SHORT = PositionKey(SWAP, "cross", "long"), PositionKey(SWAP, "cross", "short")


def hedger(mode: str = "cross") -> Desk:
    """A trader of long_short_mode, long 30 contracts and short 20."""
    desk = Desk()
    desk.venue.set_position_mode(desk.me, "long_short_mode")
    desk.order(SWAP, "buy", "30", pos_side="long", mode=mode)
    desk.order(SWAP, "sell", "20", pos_side="short", mode=mode)
    return desk


def test_long_and_short_stand_side_by_side_in_long_short_mode() -> None:
    desk = hedger()
    assert (desk.contracts(LONG), desk.contracts(SHORT)) == (30, -20)
    assert [bill.sub_type for bill in desk.me.bills] == ["3", "4"]
    assert desk.me.positions[LONG].pos_id != desk.me.positions[SHORT].pos_id


def test_an_order_of_long_short_mode_must_say_its_side() -> None:
    desk = hedger()
    for side in ("net", "", "both"):
        with pytest.raises(Reject, match="posSide"):
            desk.order(SWAP, "buy", "1", pos_side=side)
    with pytest.raises(Reject, match="posSide"):
        Desk().order(SWAP, "buy", "1", pos_side="long")


def test_closing_orders_of_long_short_mode_never_reach_beyond_the_position() -> None:
    desk = hedger()
    order = desk.order(SWAP, "sell", "100", pos_side="long")
    assert (order.size, order.amend_source, order.reduce_only) == (30, "3", True)
    assert (desk.contracts(LONG), desk.contracts(SHORT)) == (0, -20)
    assert (desk.me.bills[-1].sub_type, desk.me.closed_positions[-1]["posSide"]) == ("5", "long")
    with pytest.raises(Reject, match="51169"):
        desk.order(SWAP, "sell", "1", pos_side="long")


def test_a_waiting_closing_order_goes_when_its_position_does() -> None:
    desk = hedger()
    waiting = desk.order(SWAP, "buy", "20", "58900", kind="limit", pos_side="short")
    other = desk.order(SWAP, "sell", "30", "61000", kind="limit", pos_side="long")
    desk.venue.close_position(desk.me, SHORT, "", auto_cancel=True)
    assert (waiting.state, other.state, desk.contracts(SHORT)) == ("canceled", "live", 0)


def test_the_position_mode_changes_only_while_nothing_is_open() -> None:
    desk = hedger()
    with pytest.raises(Reject, match="59000"):
        desk.venue.set_position_mode(desk.me, "net_mode")
    for key in (LONG, SHORT):
        desk.venue.close_position(desk.me, key, "", auto_cancel=False)
    waiting = desk.order(SWAP, "buy", "1", "59000", kind="limit", pos_side="long")
    with pytest.raises(Reject, match="59000"):
        desk.venue.set_position_mode(desk.me, "net_mode")
    desk.venue.cancel(desk.me, waiting)
    desk.venue.set_position_mode(desk.me, "net_mode")
    desk.order(SWAP, "sell", "5")
    assert desk.contracts() == -5


def test_an_edit_sets_the_side_its_sign_says() -> None:
    desk = hedger()
    Edits(desk.venue).set_position(desk.me, SWAP, D(-50))
    assert (desk.contracts(LONG), desk.contracts(SHORT)) == (30, -50)


def test_an_isolated_position_takes_its_margin_from_the_cash_and_gives_it_back() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "30", mode="isolated")
    row = desk.me.positions[OWN]
    margin = D("0.3") * row.avg_px / 3
    opening = desk.me.bills[-1]
    assert abs(desk.me.margins[OWN] - margin) < D("1e-20")
    assert desk.cash() == 100_000 + opening.change and opening.change == row.fee - desk.me.margins[OWN]
    assert (opening.mode, opening.margin_change, opening.margin) == ("isolated", margin, margin)
    desk.order(SWAP, "buy", "10", mode="isolated")
    assert abs(desk.me.margins[OWN] - margin * 2 / 3) < D("1e-20")
    desk.order(SWAP, "buy", "20", mode="isolated")
    assert desk.me.margins[OWN] == 0
    assert abs(desk.cash() - (100_000 + row.realized + row.fee)) < D("1e-20")


def test_cross_and_isolated_stand_apart() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "30", mode="isolated")
    desk.order(SWAP, "buy", "10")
    assert (desk.contracts(OWN), desk.contracts()) == (-30, 10)
    now = desk.venue.figures(desk.me)
    cross = next(figures for key, figures in now.positions.items() if key.mode == "cross")
    assert now.positions[OWN].mgn_ratio != cross.mgn_ratio == now.coins["USDT"].mgn_ratio


def test_the_ratio_of_an_isolated_position_is_its_margin_against_its_own_need() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "30", mode="isolated")
    desk.move(61_000)
    row, margin = desk.me.positions[OWN], desk.me.margins[OWN]
    upl = D("-0.3") * (61_000 - row.avg_px)
    now = desk.venue.figures(desk.me)
    assert now.positions[OWN].mgn_ratio == (margin + upl) / (D("0.3") * 61_000 * D("0.0045"))
    assert now.isolated_equity == margin + upl == now.coins["USDT"].isolated_equity
    assert now.coins["USDT"].equity == desk.cash() + margin + upl == now.total_equity
    assert now.upl == 0 and now.coins["USDT"].isolated_upl == upl


def test_an_isolated_position_is_liquidated_alone() -> None:
    desk = Desk()
    desk.venue.set_leverage(desk.me, OWN, D(50))
    desk.order(SWAP, "sell", "30", mode="isolated")
    desk.order(SWAP, "buy", "1")
    before = desk.cash()
    liq_px = desk.venue.figures(desk.me).positions[OWN].liq_px
    assert liq_px is not None
    desk.move(float(liq_px) - 5)
    assert desk.contracts(OWN) == -30
    desk.move(float(liq_px) + 5)
    assert (desk.contracts(OWN), desk.contracts()) == (0, 1)
    assert desk.me.bills[-1].sub_type == "105" and desk.me.closed_positions[-1]["mgnMode"] == "isolated"
    assert desk.me.margins[OWN] == 0 and abs(desk.cash() - before) < 1  # the margin was all it could lose


def test_margin_is_added_and_taken_out_within_its_limits() -> None:
    desk = Desk(usdt="10000")
    with pytest.raises(Reject, match="59300"):
        desk.venue.adjust_margin(desk.me, OWN, D(1))
    desk.order(SWAP, "sell", "30", mode="isolated")
    margin, cash = desk.me.margins[OWN], desk.cash()
    desk.venue.outbox.clear()
    desk.venue.adjust_margin(desk.me, OWN, D(500))
    assert (desk.me.margins[OWN], desk.cash()) == (margin + 500, cash - 500)
    bill = desk.me.bills[-1]
    assert (bill.kind, bill.sub_type, bill.change, bill.margin_change) == ("6", "160", -500, 500)
    told = [e for e in desk.venue.outbox if isinstance(e, AccountChanged)]
    assert [(e.reason, e.positions) for e in told] == [("adjust_margin", (OWN,))]
    with pytest.raises(Reject, match="59303"):
        desk.venue.adjust_margin(desk.me, OWN, D(5_000))
    with pytest.raises(Reject, match="59301"):
        desk.venue.adjust_margin(desk.me, OWN, D(-600))
    desk.venue.adjust_margin(desk.me, OWN, D(-400))
    assert desk.me.bills[-1].sub_type == "161" and desk.me.margins[OWN] == margin + 100
    waiting = desk.order(SWAP, "buy", "30", "59000", kind="limit", mode="isolated")
    with pytest.raises(Reject, match="59302"):
        desk.venue.adjust_margin(desk.me, OWN, D(-1))
    desk.venue.cancel(desk.me, waiting)
    desk.venue.adjust_margin(desk.me, OWN, D(-1))


def test_an_isolated_leverage_moves_the_margin_along() -> None:
    desk = Desk(usdt="10000")
    desk.order(SWAP, "sell", "30", mode="isolated")
    margin = desk.me.margins[OWN]
    desk.venue.set_leverage(desk.me, OWN, D(2))
    assert abs(desk.me.margins[OWN] - margin * 3 / 2) < D("1e-20")
    assert desk.me.bills[-1].sub_type == "162"
    with pytest.raises(Reject, match="59303"):
        desk.venue.set_leverage(desk.me, OWN, D(1))
    assert desk.venue.leverage_of(desk.me, OWN) == 2
    assert desk.venue.leverage_of(desk.me, PositionKey(SWAP)) == 3
    desk.venue.set_leverage(desk.me, OWN, D(10))
    assert D(1790) < desk.me.margins[OWN] < D(1810)


def test_funding_of_an_isolated_position_is_taken_from_its_margin() -> None:
    desk = Desk()
    desk.order(SWAP, "buy", "30", mode="isolated")
    margin, cash = desk.me.margins[OWN], desk.cash()
    desk.wait(8 * 3_600_000)
    paid = D("0.3") * 60_000 * D("0.0001")
    assert (desk.me.margins[OWN], desk.cash()) == (margin - paid, cash)
    bill = desk.me.bills[-1]
    assert (bill.sub_type, bill.pnl, bill.change, bill.margin_change) == ("173", -paid, 0, -paid)


def test_multi_currency_mode_has_no_isolated_positions() -> None:
    desk = Desk(level="3")
    with pytest.raises(Reject, match="50072"):
        desk.order(SWAP, "buy", "1", mode="isolated")
    with pytest.raises(Reject, match="50072"):
        desk.venue.set_leverage(desk.me, OWN, D(5))


def test_leverage_of_an_isolated_side_stands_for_that_side() -> None:
    desk = hedger("isolated")
    long = PositionKey(SWAP, "isolated", "long")
    desk.venue.set_leverage(desk.me, long, D(10))
    assert desk.me.positions[long].leverage == 10
    assert desk.me.positions[PositionKey(SWAP, "isolated", "short")].leverage == 3
    with pytest.raises(Reject, match="posSide"):
        desk.venue.set_leverage(desk.me, OWN, D(10))
