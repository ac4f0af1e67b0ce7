from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.capital import spot_budget
from core.context import Context
from risk.fund_guard import FundGuard
from risk.liquidity_guard import LiquidityGuard
from risk.red_lines import RedLineGuard
from strategy.sizing import Sizing, ceilings, fit, planned_hedges
from tests.risk.scenes import FEES, SETTINGS, D, account, hedge, market, opening, pair, scene, tuned

BTC = pair()
FEE = D("0.001")


def sized(ctx: Context, name: str = "BTC-USDT") -> Sizing:
    view = ctx.markets[name]
    return fit(view.pair, FEE, ceilings(SETTINGS, ctx, view, FEES))


def test_the_docstrings_example_holds() -> None:
    coarse = pair(ct_val="0.001", lot="1", spot_lot="0.001")
    sizing = fit(coarse, FEE, (("share", D("1.0005")),))
    assert (sizing.base, sizing.contracts, sizing.spot_size) == (D("1.000"), 1000, D("1.002"))


def test_a_calm_scene_is_sized_by_its_share_of_the_sleeve() -> None:
    # 100000 x 0.8 x 0.5 = 40000 for two instruments.
    sizing = sized(scene())
    assert sizing.bound == "share"
    assert sizing.base == D("0.2")
    assert (spot_budget(SETTINGS.account, scene()), planned_hedges(SETTINGS)) == (40_000, 2)


def test_the_number_of_hedges_follows_list_universe_and_cap() -> None:
    assert planned_hedges(tuned(instruments={"instruments": ("BTC-USDT",)})) == 1
    ranked = {"universe": {"enabled": True, "size": 20}}
    assert planned_hedges(tuned(instruments=ranked)) == 10
    assert planned_hedges(tuned(instruments=ranked, risk={"caps": {"max_instruments": 3}})) == 3


def test_each_ceiling_can_be_the_one_that_binds() -> None:
    def bound(ctx: Context, **sections: dict[str, object]) -> str:
        settings = tuned(**sections)
        view = ctx.markets["BTC-USDT"]
        return fit(view.pair, FEE, ceilings(settings, ctx, view, FEES)).bound

    def seen(depth_usdt: str = "200000") -> Context:
        return scene(markets={"BTC-USDT": market(depth_usdt=depth_usdt)})

    view = market()
    small_spot = replace(view, pair=replace(BTC, spot=replace(BTC.spot, max_limit_size=D("0.1"))))
    small_swap = replace(view, pair=replace(BTC, swap=replace(BTC.swap, max_limit_size=D(10))))
    assert view.spot is not None and view.swap is not None
    thin_spot = replace(view, spot=replace(view.spot, asks=tuple((p, D("0.05")) for p, _ in view.spot.asks)))
    thin_swap = replace(view, swap=replace(view.swap, bids=tuple((p, D(5)) for p, _ in view.swap.bids)))
    assert bound(seen()) == "share"
    assert bound(seen(), account={"max_position_value": D(15_000)}) == "position"
    assert bound(seen(), risk={"caps": {"max_concentration": D("0.3")}}) == "concentration"
    assert bound(seen(), risk={"caps": {"max_total_value": D(9_000)}}) == "total"
    assert bound(scene(account=account("30000"))) == "funds"
    assert bound(scene(markets={"BTC-USDT": small_spot})) == "spot_order"
    assert bound(scene(markets={"BTC-USDT": small_swap})) == "swap_order"
    assert bound(scene(markets={"BTC-USDT": thin_spot})) == "spot_depth"
    assert bound(scene(markets={"BTC-USDT": thin_swap})) == "swap_depth"
    assert bound(scene(hedges={"ETH-USDT": hedge("8", name="ETH-USDT", entry="30000")})) == "sleeve"


def test_other_hedges_take_their_part_of_the_total_at_todays_price() -> None:
    settings = tuned(risk={"caps": {"max_total_value": D(20_000)}})
    ctx = scene(hedges={"ETH-USDT": hedge("3", name="ETH-USDT", entry="5000")})  # 12000 today
    limits = dict(ceilings(settings, ctx, ctx.markets["BTC-USDT"], FEES))
    assert limits["total"] == D("0.08")


def test_funds_leave_room_for_the_slippage_that_is_allowed() -> None:
    # 15 bps and a fee of 10 bps on spot, margin and 5 bps of fee on the swap: about 2.003 prices a coin.
    ctx = scene(account=account("20000"))
    limits = dict(ceilings(SETTINGS, ctx, ctx.markets["BTC-USDT"], FEES))
    coin = 100_000 * (D("1.0015") / D("0.999") + D("1.0005"))
    assert abs(limits["funds"] - 20_000 / coin) < D("1e-20")


def test_without_an_account_nothing_fits() -> None:
    sizing = sized(scene(account=None))
    assert (sizing.contracts, sizing.base, sizing.spot_size) == (0, 0, 0)
    assert sizing.bound == "funds"


def test_less_than_the_smallest_order_is_nothing() -> None:
    least = replace(BTC, swap=replace(BTC.swap, min_size=D(1)))
    assert fit(least, FEE, (("share", D("0.0099")),)).contracts == 0
    assert fit(least, FEE, (("share", D("0.01")),)).contracts == 1
    spot = replace(BTC, spot=replace(BTC.spot, min_size=D("0.5")))
    assert fit(spot, FEE, (("share", D("0.4")),)).contracts == 0


steps = st.sampled_from(["1", "0.1", "0.01", "0.001", "10"])
spot_lots = st.sampled_from(["0.00000001", "0.0001", "0.01", "1", "25"])


@given(
    ct_val=st.sampled_from(["0.01", "0.1", "1", "10", "1000", "0.001"]),
    lot=steps,
    spot_lot=spot_lots,
    fee=st.integers(min_value=-5, max_value=50).map(lambda n: D(n) / 10_000),
    limits=st.lists(st.decimals(min_value=0, max_value=100_000, places=6), min_size=1, max_size=4),
)
def test_a_size_is_whole_lots_below_every_ceiling_and_hedged_to_one_step(
    ct_val: str, lot: str, spot_lot: str, fee: Decimal, limits: list[Decimal]
) -> None:
    the_pair = pair(ct_val=ct_val, lot=lot, spot_lot=spot_lot)
    swap = the_pair.swap
    sizing = fit(the_pair, fee, tuple((f"c{n}", limit) for n, limit in enumerate(limits)))
    if not sizing.contracts:
        assert min(limits) < swap.step + 2 * D(spot_lot) / (1 - max(fee, D(0))) + D(spot_lot)
        return
    assert sizing.contracts % swap.lot == 0
    assert sizing.spot_size % the_pair.spot.lot == 0
    assert sizing.base == swap.to_base(sizing.contracts)
    assert all(sizing.base <= limit for limit in limits)
    assert limits[int(sizing.bound[1:])] == min(limits)
    kept = sizing.spot_size * (1 - max(fee, D(0)))
    residue = kept - sizing.base
    # Never naked by a lot, and to one spot lot where that is the finer grid.
    assert 0 <= residue < swap.step
    assert residue < D(spot_lot) or D(spot_lot) > swap.step
    # Nothing is given away: one more lot (of the coarser grid) would not have fitted.
    assert sizing.base + swap.step + 2 * D(spot_lot) > min(limits)


@given(
    low=st.decimals(min_value=0, max_value=100, places=6),
    more=st.decimals(min_value=0, max_value=100, places=6),
    spot_lot=spot_lots,
)
def test_a_higher_ceiling_never_gives_a_smaller_hedge(low: Decimal, more: Decimal, spot_lot: str) -> None:
    the_pair = pair(spot_lot=spot_lot)
    assert fit(the_pair, FEE, (("c", low),)).base <= fit(the_pair, FEE, (("c", low + more),)).base


@given(
    usdt=st.integers(min_value=1_000, max_value=150_000),
    held=st.integers(min_value=0, max_value=200),
    depth=st.integers(min_value=2_000, max_value=100_000),
    basis=st.integers(min_value=-90, max_value=90),
)
def test_what_is_sized_the_guards_of_money_and_books_accept(
    usdt: int, held: int, depth: int, basis: int
) -> None:
    lots = D(held)
    ctx = scene(
        markets={
            "BTC-USDT": market(basis_bps=str(basis), depth_usdt=str(depth)),
            "ETH-USDT": market("ETH-USDT", "4000"),
        },
        account=account(str(usdt), short={"ETH-USDT-SWAP": str(lots)} if held else {}),
        hedges={"ETH-USDT": hedge(str(lots / 100), name="ETH-USDT", entry=str(lots * 40))} if held else {},
    )
    sizing = sized(ctx)
    if not sizing.contracts:
        return
    planned = replace(ctx, plan=opening(str(sizing.base)))
    for guard in (
        FundGuard(SETTINGS),
        LiquidityGuard(SETTINGS.risk.liquidity, SETTINGS.strategy.opening),
        RedLineGuard(SETTINGS.account),
    ):
        verdict = guard.check(planned)
        # A book may still be too thin in itself: no size answers that.
        assert verdict.ok or verdict.reason.endswith("book is too thin"), (verdict, sizing)
