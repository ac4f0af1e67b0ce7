"""The worked examples of the venue's fact sheet (api-v5.md section 7), to the last digit."""

from exchange.sim.edits import Edits
from exchange.sim.markets.funding import funding_rate, payment
from tests.exchange.sim.worlds import HELD, HOUR_MS, SPOT, SWAP, D, Desk, StillMarket


def test_a_short_backed_by_half_its_value_stands_until_the_price_is_half_again_as_high() -> None:
    """x = (C / N + 1) / (1 + m + t), 7.2: 0.5, 0.004 and 0.0005 give 1.493."""
    desk = Desk(usdt="30000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    price = desk.venue.figures(desk.me).positions[HELD].liq_px
    multiple = D("1.5") / D("1.0045")
    assert price is not None and abs(price - 60_000 * multiple) < D("1e-20")
    assert round(multiple, 3) == D("1.493")
    desk.move(float(price) - 0.2)
    assert desk.contracts() == -100
    desk.move(float(price) + 0.2)
    assert desk.contracts() == 0


def test_one_settlement_of_a_short() -> None:
    """15.99 contracts at mark 60,000 and 0.01 %, 7.1."""
    assert payment(D("-15.99"), D("0.01"), D(60_000), D("0.0001")) == D("0.9594")
    desk = Desk()
    Edits(desk.venue).set_position(desk.me, SWAP, D("-15.99"))
    desk.wait(8 * HOUR_MS)
    assert desk.cash() == D("100000.9594")


def test_a_hedge_is_sized_by_what_the_fee_leaves() -> None:
    """Buying 0.1601 BTC at 0.1 % leaves coins for 15.99 contracts and a residue, 7.8."""
    desk = Desk()
    desk.order(SPOT, "buy", "0.1601", "60100")
    net, instrument = desk.cash("BTC"), desk.venue.instruments[SWAP]
    contracts = net / instrument.ct_val // instrument.lot * instrument.lot
    assert (net, contracts) == (D("0.1599399"), D("15.99"))
    assert net - contracts * instrument.ct_val == D("0.0000399")


def test_a_small_premium_settles_at_exactly_one_basis_point() -> None:
    market = StillMarket()
    market.rate, market.premium = None, D("-0.000237")
    desk = Desk(market)
    desk.wait(8 * HOUR_MS)
    assert desk.venue.markets[SWAP].settled[-1].rate == D("0.0001")
    assert funding_rate(D("0.00061"), 8 * HOUR_MS, D("0.00375")) == D("0.00011")


def test_the_ratio_of_the_futures_mode_example() -> None:
    """Short 16 contracts at mark 62,871.9, equity 10,050.1: about 222, 3.2."""
    desk = Desk(usdt="10050.1")
    desk.market.spot["BTC"] = 62_871.9
    desk.wait(60_000)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-16))
    ratio = desk.venue.figures(desk.me).coins["USDT"].mgn_ratio
    assert ratio == D("10050.1") / (D("0.16") * D("62871.9") * D("0.0045")) and round(ratio) == 222
