from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.loader import load
from config.schema import Exit, Forecast, FundingBand, Opening, Strategy
from core.types import DAY_MS, HOUR_MS, SettledFunding
from exchange.tape_files import tape_file
from strategy.columns import PLAYED, Columns
from strategy.foresight import Segments
from strategy.rehearsal import MODES, Rehearsal
from tests.e2e.rig import ROOT, TAPE, needs_tape

D = Decimal
COST = D("0.0016")
START_MS = 1_704_067_200_000

# Few distinct values, so that figures meet their thresholds exactly; and fine ones, so that they nearly do.
coarse_rates = st.integers(-8, 12).map(lambda n: D(n) / 10_000)
fine_rates = st.integers(-600_000, 900_000).map(lambda n: D(n) / 1_000_000_000)
gaps_s = st.sampled_from((3_600, 14_400, 28_800, 28_800, 28_800, 28_801, 90_000))
hours = st.one_of(st.sampled_from((D(8), D(24), D("71.5"), D(2160))), st.integers(1, 2160).map(D))


@st.composite
def series(draw: st.DrawFn) -> list[SettledFunding]:
    rates = draw(st.lists(st.one_of(coarse_rates, fine_rates), min_size=1, max_size=80))
    stretch = draw(st.sampled_from((1, 1, 1, 6)))  # the long ones outgrow what is remembered
    at_ms, settled = START_MS, list[SettledFunding]()
    gap_s = draw(gaps_s)
    for rate in rates * stretch:
        gap_s = draw(gaps_s) if stretch == 1 else gap_s
        at_ms += gap_s * 1000
        settled.append(SettledFunding(at_ms, rate))
    return settled


@st.composite
def parameters(draw: st.DrawFn) -> Strategy:
    low = draw(st.sampled_from((D(0), D("0.0001"), D("0.0003"))))
    return Strategy(
        funding_rate_threshold=FundingBand(
            min=low, max=low + draw(st.sampled_from((D("0.0004"), D("0.01"))))
        ),
        forecast=Forecast(
            half_life_hours=draw(hours),
            horizon_hours=draw(st.one_of(hours, st.sampled_from((D("0.5"), D(8760))))),
            reversion_half_life_hours=draw(hours),
            min_settlements=draw(st.integers(1, 20)),
        ),
        exit=Exit(
            mode=draw(st.sampled_from(MODES)),
            negative_settlements=draw(st.integers(1, 5)),
            min_hold_hours=draw(st.sampled_from((D(0), D(8), D("8.5"), D(100)))),
            cooldown_hours=draw(st.sampled_from((D(0), D(8), D(100)))),
        ),
        opening=Opening(min_net_carry_bps=draw(st.sampled_from((D(0), D(4), D("12.5"))))),
    )


def assert_rehearsed(
    settled: Sequence[SettledFunding],
    sets: Sequence[Strategy],
    cost: Decimal,
    first: int = 0,
    segments: Segments | None = None,
) -> int:
    """Compare every set with its rehearsal; return how many sets floats could not decide."""
    played = Columns(settled, cost, first, segments).play(sets)
    for n, one in enumerate(sets):
        course = Rehearsal(settled, cost, one, first, segments).play(one.exit.mode)
        assert tuple(played.held[n]) == course.held
        assert played.switches[n] == course.switches
        assert abs(D(float(played.net[n])) - course.net) < D("1e-12")
    return played.doubtful


@given(
    settled=series(),
    sets=st.lists(parameters(), min_size=1, max_size=5),
    cost=st.sampled_from((D(0), D("0.0004"), COST)),
    known=st.integers(0, 30),
    cut=st.integers(1, 40),
)
def test_every_set_decides_as_its_rehearsal(
    settled: list[SettledFunding], sets: list[Strategy], cost: Decimal, known: int, cut: int
) -> None:
    first = min(known, len(settled) - 1)
    left = len(settled) - first
    segments = ((0, min(cut, left)), (min(cut, left), left)) if cut < left else None
    assert_rehearsed(settled, sets, cost, first, segments)


@pytest.mark.parametrize("least_bps", ["58", "57.999999999999", "58.000000000001"])
def test_a_figure_that_meets_its_threshold_exactly_is_decided_in_decimal(least_bps: str) -> None:
    """Ninety settlements of one basis point, less 32 of costs, are 58."""
    settled = [SettledFunding(START_MS + n * 8 * HOUR_MS, D("0.0001")) for n in range(40)]
    assert assert_rehearsed(settled, [Strategy(opening=Opening(min_net_carry_bps=D(least_bps)))], COST) == 1


def test_a_figure_that_is_clear_of_its_threshold_is_not() -> None:
    settled = [SettledFunding(START_MS + n * 8 * HOUR_MS, D("0.0001")) for n in range(40)]
    assert assert_rehearsed(settled, [Strategy(opening=Opening(min_net_carry_bps=D("57.999")))], COST) == 0


@settings(max_examples=30)
@given(settled=series(), sets=st.lists(parameters(), min_size=2, max_size=6))
def test_a_set_comes_to_the_same_bits_whatever_stands_beside_it(
    settled: list[SettledFunding], sets: list[Strategy]
) -> None:
    columns = Columns(settled, COST)
    together = columns.play(sets).net
    assert [float(columns.play([one]).net[0]) for one in sets] == [float(one) for one in together]


def test_what_the_decisions_depend_on_is_there_in_the_configuration() -> None:
    for path in PLAYED:
        section, _, name = path.partition(".")
        assert hasattr(getattr(Strategy(), section), name)


@needs_tape
def test_on_recorded_funding_every_mode_and_many_parameters_decide_as_rehearsed() -> None:
    file = tape_file(TAPE / "binance_funding_ETHUSDT.csv.gz")
    assert file is not None
    read = file.settlements()
    settled = [SettledFunding(*one) for one in zip(read.ts, read.rate, strict=True)][1500:2900]
    base = load(ROOT / "config").strategy
    sets = []
    for mode in MODES:
        for half_life, horizon in ((24, 240), (72, 720), (336, 2000)):
            forecast = base.forecast.model_copy(
                update={"half_life_hours": D(half_life), "horizon_hours": D(horizon)}
            )
            way = base.exit.model_copy(update={"mode": mode})
            sets.append(base.model_copy(update={"forecast": forecast, "exit": way}))
    days = [one.ts_ms // DAY_MS for one in settled]
    cut = next(n for n, day in enumerate(days) if day - days[0] == 200)
    assert assert_rehearsed(settled, sets, COST, 300, ((0, cut - 300), (cut - 300, len(settled) - 300))) == 0
