"""What holds of every grant, whatever the signal, the sleeve, the market and the configuration."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from config.auxiliary import AuxiliaryLimits, AuxiliaryModules
from core.context import MarketView
from core.types import DAY_MS, HOUR_MS, Base, Side, SwapSpec, Usdt
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop
from strategy.auxiliary.gate import Judgement, judge
from strategy.auxiliary.language import Fate, Signal
from strategy.auxiliary.presets import PRESETS
from strategy.auxiliary.sleeve_view import Entered, Held, SleeveView
from tests.fakes import btc
from tests.strategy.auxiliary.gate_scenes import NAME, NOW_MS, market, signal

NAMES = (NAME, "ETH-USDT", "SOL-USDT")
MODULES = ("tried", "other")


seldom = st.integers(0, 11).map(lambda n: n == 7)  # what refuses is drawn seldom, so that grants are made


def decimals(least: str, most: str, places: int = 4) -> st.SearchStrategy[D]:
    return st.decimals(D(least), D(most), places=places)


@st.composite
def stops(draw: st.DrawFn) -> Stop:
    ratio, atr, margin = (draw(st.booleans()) for _ in range(3))
    distances = (
        *((Distance(ratio=draw(decimals("0.001", "0.2") | decimals("0.2", "1.5"))),) if ratio else ()),
        *((Distance(atr=draw(decimals("0.1", "9"))),) if atr else ()),
    )
    support = draw(st.booleans()) or not (ratio or atr or margin)
    return Stop(distances, support, draw(decimals("0.05", "1")) if margin else None)


@st.composite
def signals(draw: st.DrawFn, mid: D) -> Signal | None:
    side, stop = draw(st.sampled_from(Side)), draw(stops())
    px = (mid * draw(decimals("0.98" if draw(seldom) else "0.995", "1.005"))).quantize(D("0.1"))
    measures = Measures(draw(decimals("1", "9000", 1)), draw(decimals("1", "90000", 1)))
    age_ms, valid_ms = (draw(st.integers(-1, 3)), draw(st.integers(1, 4))) if draw(seldom) else (1, 2)
    try:
        return signal(
            module=draw(st.sampled_from(MODULES)),
            side=side,
            px=px,
            strength=draw(decimals("0", "100", 2)),
            at_ms=NOW_MS - age_ms,
            valid_until_ms=NOW_MS - age_ms + valid_ms,
            plan=ExitPlan("drawn", stop),
            measures=measures,
            wished_leverage=draw(decimals("0.1", "125", 2)),
            most_base=draw(st.none() | decimals("0.001", "5").map(lambda n: Base(max(n, D("0.0001"))))),
        )
    except ValueError:  # the plan does not protect there: no module can say it
        return None


@st.composite
def sleeves(draw: st.DrawFn, mid: D) -> SleeveView:
    positions = tuple(
        Held(
            draw(st.sampled_from(MODULES)),
            draw(st.sampled_from(NAMES[:1] if draw(seldom) else NAMES[1:])),
            draw(st.sampled_from(Side)),
            Base(draw(decimals("0.0001", "0.02"))),
            (mid * draw(decimals("0.9", "1.1"))).quantize(D("0.1")),
            mid,
            Usdt(draw(decimals("1", "2000", 2))),
        )
        for _ in range(draw(st.integers(0, 3)))
    )
    ages = st.integers(0 if draw(seldom) else HOUR_MS, 30 * HOUR_MS)
    entries = tuple(
        Entered(draw(st.sampled_from(MODULES)), NAME, NOW_MS - draw(ages))
        for _ in range(draw(st.integers(0, 5 if draw(seldom) else 1)))
    )
    if draw(seldom):  # the module's own, which wins or loses
        own_px = mid * draw(decimals("0.95", "1.02"))
        positions += (Held("tried", NAME, Side.BUY, Base(D("0.001")), own_px, mid, Usdt(D(50))),)
    moves = {name: tuple(float((at // 2**n) % 2) for at in range(64)) for n, name in enumerate(NAMES, 1)}
    return SleeveView(
        Usdt(draw(decimals("0" if draw(seldom) else "20000", "300000", 2))),
        positions,
        entries,
        Usdt(draw(decimals("-500", "3000" if draw(seldom) else "100", 2))),
        closed="halted" if draw(seldom) else None,
        returns=moves,
    )


@st.composite
def markets(draw: st.DrawFn, mid: D) -> MarketView:
    swap: SwapSpec = replace(
        btc().swap,
        ct_val=draw(st.sampled_from([D("0.01"), D("0.003"), D("0.1")])),
        lot=draw(st.sampled_from([D("0.01"), D("0.1"), D("0.7")])),
        tick=draw(st.sampled_from([D("0.1"), D("0.5"), D("7")])),
        min_size=draw(st.sampled_from([D("0.01"), D("0.7"), D("3.5")])),
        max_leverage=D("0.5") if draw(seldom) else draw(st.sampled_from([D(100), D(20), D(2)])),
        max_limit_size=draw(st.sampled_from([D(100_000), D(1)])),
    )
    mark = mid * draw(decimals("0.97" if draw(seldom) else "0.999", "1.001"))
    return market(
        str(mid),
        str(draw(decimals("0.001" if draw(seldom) else "5", "500"))),
        NOW_MS - (60_000 if draw(seldom) else 0),
        str(mark),
        replace(btc(), swap=swap),
        str(draw(decimals("0.1", "20" if draw(seldom) else "1", 1))),
    )


@st.composite
def rules(draw: st.DrawFn) -> AuxiliaryModules:
    most_total = draw(decimals("0.05", "1", 2))
    return AuxiliaryModules(
        exit_preset=draw(st.sampled_from(["own", *PRESETS])) if draw(st.booleans()) else "own",
        limits=AuxiliaryLimits(
            max_leverage=draw(decimals("1", "3", 2)),
            max_risk_ratio=draw(decimals("0.0001", "0.02")),
            max_entries_per_day=draw(st.integers(1, 4)),
            min_entry_gap_s=draw(st.integers(3_600, 7_200)),
            max_notional=draw(decimals("1000", "50000", 2)),
            min_notional=draw(decimals("1", "100", 2)),
            max_coin_ratio=min(D("0.5"), most_total),
            max_total_ratio=most_total,
            max_depth_share=draw(decimals("0.01", "1", 2)),
            max_slippage_bps=draw(decimals("1", "100", 1)),
        ),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Signal, SleeveView, MarketView, AuxiliaryModules]:
    mid = draw(decimals("5", "70000", 1) | decimals("5", "500", 1))
    found = draw(signals(mid).filter(lambda each: each is not None))
    assert found is not None
    return found, draw(sleeves(mid)), draw(markets(mid)), draw(rules())


Case = tuple[Signal, SleeveView, MarketView, AuxiliaryModules]


@given(cases())
@settings(max_examples=400)
def test_no_grant_is_above_any_limit(case: Case) -> None:
    signal, sleeve, market, rules = case
    limits, judgement = rules.limits, judge(*case, NOW_MS)
    assert (judgement.grant is not None) is (judgement.fate is Fate.EXECUTED)
    assert (judgement.fate is Fate.EXECUTED) is all(each.ok for each in judgement.verdicts)
    if (grant := judgement.grant) is None:
        return
    assert sleeve.closed is None and signal.at_ms <= NOW_MS <= signal.valid_until_ms
    lost = grant.base * abs(grant.entry_px - grant.stop_px)
    assert lost <= grant.risk <= limits.max_risk_ratio * sleeve.capital <= D("0.02") * sleeve.capital
    assert (grant.entry_px - grant.stop_px) * grant.side.sign > 0 and grant.stop_px > 0
    assert 1 <= grant.leverage_granted <= min(limits.max_leverage, D(3), market.pair.swap.max_leverage)
    assert grant.leverage_granted <= max(D(1), grant.leverage_wished)
    assert abs(grant.entry_px - grant.stop_px) / grant.entry_px < 1 / grant.leverage_granted
    value = grant.base * grant.entry_px
    assert value / grant.margin <= grant.leverage_granted
    there = [held for held in sleeve.held if held.instrument == NAME]
    in_coin = value + sum((held.notional for held in there), D(0))
    assert in_coin <= min(limits.max_coin_ratio * sleeve.capital, limits.max_notional)
    in_all = value + sum((held.notional for held in sleeve.held), D(0))
    assert in_all <= limits.max_total_ratio * sleeve.capital
    assert signal.most_base is None or grant.base <= signal.most_base
    assert grant.base % market.pair.swap.step == 0 and grant.base > 0
    assert market.swap is not None
    depth = market.pair.swap.to_base(market.swap.depth_within(signal.side, limits.max_slippage_bps))
    assert grant.base <= depth * limits.max_depth_share
    assert all(held.module == signal.module and held.side is signal.side for held in there)
    assert all((held.mark_px - held.entry_px) * held.side.sign > 0 for held in there)
    own = [each.at_ms for each in sleeve.entries if each.module == signal.module]
    assert all(NOW_MS - at_ms >= HOUR_MS for at_ms in own)
    assert sum(at_ms > NOW_MS - DAY_MS for at_ms in own) < 4


@pytest.mark.parametrize("bound", ["risk_base", "notional_base", "asked_base", "depth_base"])
def test_what_is_drawn_reaches_grants_of_every_size(bound: str) -> None:
    def is_granted(case: Case) -> bool:
        sizes = [dict(each.figures) for each in judge(*case, NOW_MS).verdicts if each.guard == "signal_size"]
        return judge(*case, NOW_MS).grant is not None and sizes[0]["bound_by"] == bound

    unshrunk = settings(max_examples=2_000, database=None, phases=[Phase.generate])
    assert is_granted(find(cases(), is_granted, settings=unshrunk))


@given(cases())
@settings(max_examples=100)
def test_the_same_question_has_the_same_answer_and_every_answer_names_the_instrument(case: Case) -> None:
    def asked() -> Judgement:
        return judge(*case, NOW_MS)

    assert asked() == asked()
    assert {each.instrument for each in asked().verdicts} == {NAME}


@given(cases(), decimals("0.1", "1", 2))
@settings(max_examples=150)
def test_a_stricter_risk_limit_never_grants_more(case: Case, part: D) -> None:
    signal, sleeve, market, rules = case
    limits = rules.limits.model_copy(update={"max_risk_ratio": rules.limits.max_risk_ratio * part})
    lax = judge(*case, NOW_MS).grant
    strict = judge(signal, sleeve, market, rules.model_copy(update={"limits": limits}), NOW_MS).grant
    if strict is not None:
        assert lax is not None and strict.base <= lax.base
