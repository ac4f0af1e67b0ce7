from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.types import HOUR_MS, Base, Side
from strategy.auxiliary.bars import Bars, Column
from strategy.auxiliary.exit_plan import Levels
from strategy.auxiliary.language import Holding, Look, Signal
from strategy.auxiliary.modules.grid_band import Band, BandBy
from strategy.auxiliary.modules.neutral_grid import PARAMETERS, NeutralGrid
from tests.fakes import START_MS
from tests.strategy.auxiliary.grid_scenes import (
    DAY,
    HIGH,
    LOW,
    PAST,
    QUARTER_MS,
    calm,
    grid_look,
    hours_of,
    quarters_of,
)
from tests.strategy.auxiliary.module_scenes import NAME, column, columns_of, figures, mirrored, random_bars

D = Decimal
STEP = (HIGH - LOW) / 8
LINE_1, LINE_2, LINE_3 = (100 - n * STEP for n in (1, 2, 3))  # 99.4875, 98.975, 98.4625
DOWN = [100.0, LINE_1 - 0.1]  # the close before, and the one that crosses the first line
UP = [100.0, 200 - LINE_1 + 0.1]


def asked(
    day: list[float], past: Column | None = None, held: Holding | None = None, **given: str
) -> Signal | None:
    module = NeutralGrid({name: D(value) for name, value in given.items()})
    return module.signal(grid_look(day, past, holding=held))


def levels(signal: Signal) -> Levels:
    return signal.plan.levels(signal.side, signal.px, signal.measures, signal.wished_leverage)


def holding(side: Side, base: str, entry_px: float) -> Holding:
    return Holding(side, Base(D(base)), D(str(entry_px)), START_MS)


# --- a slice -----------------------------------------------------------------------------------


def test_a_line_crossed_downwards_is_bought_with_the_next_line_as_target_and_the_edge_as_stop() -> None:
    signal = asked(DOWN)
    assert signal is not None and signal.side is Side.BUY
    assert signal.px == D(str(DOWN[-1]))
    assert levels(signal).stop_px == D(str(LOW))
    assert float(levels(signal).targets[0].px) == pytest.approx(100)
    assert (signal.at_ms, signal.valid_until_ms) == (START_MS + 2 * QUARTER_MS, START_MS + 3 * QUARTER_MS)


def test_a_line_crossed_upwards_is_sold_short_in_the_same_way() -> None:
    signal = asked(UP)
    assert signal is not None and signal.side is Side.SELL
    assert levels(signal).stop_px == D(str(HIGH))
    assert float(levels(signal).targets[0].px) == pytest.approx(100)


@pytest.mark.parametrize(
    ("to", "line", "target"), [(LINE_2 - 0.1, 2, LINE_1), (LINE_3 - 0.1, 3, LINE_2), (LINE_1, 1, 100.0)]
)
def test_of_several_lines_crossed_at_once_the_outermost_counts_and_gets_one_slice(
    to: float, line: int, target: float
) -> None:
    signal = asked([100.0, to])
    assert signal is not None
    assert figures(signal)["line"] == line
    assert float(levels(signal).targets[0].px) == pytest.approx(target)
    assert signal.most_base == figures(signal)["slice_base"]


def test_every_line_gets_the_same_number_of_coins_and_all_of_them_make_the_cap() -> None:
    slices = [asked([100.0, line - 0.1]) for line in (LINE_1, LINE_2, LINE_3)]
    assert {figures(signal)["slice_base"] for signal in slices} == {D("3.33333333333")}
    assert float(figures(slices[0])["cap_base"]) == pytest.approx(1000 / 100)


@pytest.mark.parametrize(
    "day",
    [
        [LINE_1 - 0.1, LINE_1 + 0.1],  # crossed on the way in
        [LINE_1 - 0.1, LINE_1 - 0.2],  # beyond it since before
        [LINE_1, LINE_1 - 0.1],  # on it since before
        [100.0, LINE_1 + 0.01],  # not reached
        [100.0, LINE_1 - 0.3],  # more than half a step past it
        [200 - LINE_1, LINE_1 + 0.1],  # through the middle without a line
    ],
)
def test_without_a_line_crossed_outwards_and_near_there_is_no_slice(day: list[float]) -> None:
    assert asked(day) is None


# --- when there is a band at all ---------------------------------------------------------------


def trending(quarters: int) -> Column:
    """From the lower edge slowly to the upper one: no edge is touched, but the ADX is high."""
    return column(np.linspace(LOW + 0.3, HIGH - 0.3, quarters))


def test_a_range_that_formed_in_a_trend_is_none() -> None:
    past = column([*calm()[:-DAY], *calm()[-DAY:-80], *trending(80)])
    look = grid_look([100.0], past)
    assert NeutralGrid({"below_adx": D(25)}).band(look) is not None
    assert NeutralGrid({"below_adx": D(15)}).band(look) is None
    assert NeutralGrid({"below_adx": D(15)}).band(grid_look([100.0])) is not None


def test_a_band_that_is_born_beside_the_price_is_none() -> None:
    """A quiet day at 101.8 after a wild one around 100: the average range is small, and the mean far away."""
    quiet = 101.8 + 0.05 * np.sin(np.arange(DAY))
    look = grid_look([], column([*calm()[:-DAY], *quiet]))
    at_mean = grid_look([], column([*calm()[:-DAY], *(quiet - 1.8)]))
    grid = NeutralGrid({"band_by": D(BandBy.ATR), "band_times": D(1)})
    assert grid.band(at_mean) is not None
    assert grid.band(look) is None


def test_no_slice_is_proposed_while_there_is_a_trend_now() -> None:
    calm_day, day = [100.0] * 80 + UP, [*trending(80), *UP]
    assert NeutralGrid({"below_adx": D(15)}).band(grid_look(day)) is not None
    assert asked(calm_day, below_adx="15") is not None
    assert asked(day, below_adx="15") is None


def test_the_limit_of_the_trend_filter_can_be_lowered_and_never_raised() -> None:
    assert asked(DOWN, below_adx="10") is not None
    with pytest.raises(ValueError, match="below_adx is 26, allowed: 10 to 25"):
        NeutralGrid({"below_adx": D(26)})


@pytest.mark.parametrize("touch", [LOW + 0.05, HIGH - 0.05])
def test_one_touch_of_an_edge_blows_the_fuse_until_the_day_ends(touch: float) -> None:
    whole = [100.0] * 40 + DOWN
    assert asked(whole) is not None
    for moment in (0, 20, 39):
        broken = [*whole[:moment], touch, *whole[moment + 1 :]]
        assert asked(broken) is None
        assert NeutralGrid().band(grid_look(broken)) is None


def test_the_day_after_a_broken_one_forms_nothing_and_the_one_after_that_does_if_the_new_range_held() -> None:
    one = [*calm(), *[100.0] * 50, HIGH + 0.2, *[100.0] * 45]
    narrow = list(100 + 1.8 * np.sin(np.pi * np.arange(DAY) / 4))
    broken_again = [*narrow[:50], HIGH + 0.5, *narrow[51:]]
    formed = [
        NeutralGrid().band(grid_look([100.0], column(past)))
        for past in (one, [*one, *narrow], [*one, *broken_again])
    ]
    assert [band is not None for band in formed] == [False, True, False]


def test_levels_stay_where_they_are_all_day_and_do_not_depend_on_how_much_is_shown() -> None:
    module = NeutralGrid()
    day = list(100 + 1.5 * np.sin(np.arange(DAY)))
    whole = [grid_look(day[: n + 1]) for n in range(DAY - 1)]
    needed = [_only_needed(look, module) for look in whole]
    bands = {module.band(look) for look in [*whole, *needed]}
    assert len(bands) == 1 and None not in bands
    assert [module.signal(look) for look in whole] == [module.signal(look) for look in needed]


def test_a_step_that_does_not_pay_its_costs_is_no_grid() -> None:
    assert asked(DOWN, least_step_ratio="0.0051") is not None
    assert asked(DOWN, least_step_ratio="0.0052") is None


@pytest.mark.parametrize("by", [BandBy.BOLLINGER, BandBy.ATR])
def test_the_edges_may_come_from_deviations_or_from_the_average_range(by: BandBy) -> None:
    look = grid_look(DOWN)
    band = NeutralGrid({"band_by": D(by)}).band(look)
    assert band is not None
    hours = look.bars["1H"]
    closes = hours.close[-48:]
    ranges = hours.high[-48:] - hours.low[-48:]
    reach = 2.5 * float(closes.std() if by is BandBy.BOLLINGER else ranges.mean())
    assert float(band.lower_px) == pytest.approx(closes.mean() - reach, rel=0.002)
    assert float(band.upper_px) == pytest.approx(closes.mean() + reach, rel=0.002)


def test_while_one_of_the_series_is_late_nothing_is_proposed() -> None:
    look = grid_look([100.0] * 6 + DOWN)
    assert NeutralGrid().band(look) is not None
    for frame, missing in (("1H", 1), ("15m", 3)):
        late = _without_last(look.bars[frame], missing)
        assert NeutralGrid().band(replace(look, bars={**look.bars, frame: late})) is None


# --- what is held ------------------------------------------------------------------------------


def test_no_slice_comes_to_a_position_that_loses() -> None:
    assert asked([LINE_1, LINE_2 - 0.1]) is not None
    assert asked([LINE_1, LINE_2 - 0.1], held=holding(Side.BUY, "3.3", LINE_1)) is None


def test_a_line_that_is_crossed_a_second_time_gets_no_second_slice() -> None:
    assert asked(DOWN, held=holding(Side.BUY, "3.3", LINE_1 - STEP / 2)) is None


def test_a_slice_may_come_to_a_position_that_wins_by_more_than_half_a_step() -> None:
    assert asked(DOWN, held=holding(Side.BUY, "3.3", DOWN[-1] - 0.49 * STEP)) is None
    assert asked(DOWN, held=holding(Side.BUY, "3.3", DOWN[-1] - 0.51 * STEP)) is not None


def test_a_slice_that_would_exceed_the_cap_is_not_proposed_not_even_a_part_of_it() -> None:
    assert asked(DOWN, held=holding(Side.BUY, "6.6", LINE_3)) is not None
    assert asked(DOWN, held=holding(Side.BUY, "6.7", LINE_3)) is None


def test_no_slice_goes_against_what_is_held() -> None:
    assert asked(UP, held=holding(Side.BUY, "3.3", LINE_1)) is None
    assert asked(DOWN, held=holding(Side.SELL, "3.3", LINE_1)) is None


# --- what a strength is ------------------------------------------------------------------------


def test_the_evidence_adds_up_to_the_strength() -> None:
    shown = figures(asked(DOWN))
    terms = [shown["calm_points"], shown["outward_points"], shown["reward_points"]]
    signal = asked(DOWN)
    assert signal is not None and sum(terms) == signal.strength
    assert shown["outward_points"] == D("10.00")


def test_a_line_further_out_is_stronger() -> None:
    strengths = [figures(asked([100.0, line - 0.1]))["outward_points"] for line in (LINE_1, LINE_2, LINE_3)]
    assert strengths == [D("10.00"), D("20.00"), D("30.00")]


def test_the_mirror_image_of_a_market_gives_the_mirror_image_of_a_slice() -> None:
    look = grid_look(DOWN)
    about = 2 * look.bars["15m"].close[-1]
    upside_down = {
        "15m": mirrored(look.bars["15m"]),
        "1H": hours_of(mirrored(look.bars["15m"])),
    }
    bought, sold = NeutralGrid().signal(look), NeutralGrid().signal(replace(look, bars=upside_down))
    assert bought is not None and sold is not None
    assert (bought.side, sold.side) == (Side.BUY, Side.SELL)
    assert abs(bought.strength - sold.strength) < D("0.05")
    assert float(levels(sold).stop_px) == pytest.approx(about - float(levels(bought).stop_px))
    assert float(levels(sold).targets[0].px) == pytest.approx(about - float(levels(bought).targets[0].px))


def test_it_is_pure() -> None:
    look = grid_look(DOWN)
    before = [columns_of(bars) for bars in look.bars.values()]
    assert NeutralGrid().signal(look) == NeutralGrid().signal(look)
    assert [columns_of(bars) for bars in look.bars.values()] == before


# --- whatever comes ----------------------------------------------------------------------------

HOLDINGS = st.none() | st.builds(
    Holding,
    side=st.sampled_from(Side),
    base=st.decimals("0.0001", "20", places=4).map(Base),
    entry_px=st.decimals("97", "103", places=3),
    opened_ms=st.just(START_MS),
)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        p.name: (
            st.integers(int(p.least), int(p.most)).map(D)
            if p.whole
            else st.decimals(p.least, p.most, places=4, allow_nan=False)
        )
        for p in PARAMETERS
    },
)


@settings(max_examples=60, deadline=None)
@given(st.data(), SETTINGS, HOLDINGS)
def test_whatever_is_shown_it_never_raises_and_a_signal_is_sound(
    data: st.DataObject, given: dict[str, Decimal], held: Holding | None
) -> None:
    module = NeutralGrid(given)
    bars = {frame: data.draw(random_bars(count, frame)) for frame, count in module.needs.bars.items()}
    signal = module.signal(Look(START_MS, NAME, bars, holding=held))
    if signal is not None:
        assert 0 <= signal.strength <= 100
        assert (signal.px - levels(signal).stop_px) * signal.side.sign > 0


@settings(max_examples=60, deadline=None)
@given(st.floats(LOW, HIGH), st.floats(LOW, HIGH), HOLDINGS)
def test_no_signal_raises_the_net_delta_of_a_position_that_loses(
    before: float, close: float, held: Holding | None
) -> None:
    look = grid_look([before, close], holding=held)
    signal = NeutralGrid().signal(look)
    if signal is not None and held is not None:
        assert (signal.px - held.entry_px) * held.side.sign > 0
        assert signal.side is held.side and signal.most_base is not None
        assert held.base + signal.most_base <= figures(signal)["cap_base"]


@pytest.mark.parametrize("seed", range(12))
def test_over_a_random_life_the_inventory_stays_below_its_cap_and_no_loser_is_added_to(seed: int) -> None:
    life = Life(seed)
    life.live()
    assert life.signals > 0


class Life:
    """Ten days of a noisy range in which stops always work and targets sometimes do not."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.module = NeutralGrid()
        self.slices: list[tuple[Signal, Decimal]] = []
        self.signals = 0

    def live(self) -> None:
        quarters = _noisy_range(self.random, PAST + 10 * DAY)
        hours = hours_of(quarters)
        for count in range(PAST, len(quarters)):
            shown = _first(quarters, count + 1)
            self._exits(shown)
            look = Look(
                shown.closed_ms,
                NAME,
                {"15m": shown, "1H": _closed_by(hours, shown.closed_ms)},
                holding=self._held(),
            )
            if signal := self.module.signal(look):
                self._enter(signal)

    def _enter(self, signal: Signal) -> None:
        self.signals += 1
        before = sum((base * each.side.sign for each, base in self.slices), D(0))
        assert signal.most_base is not None
        base = signal.most_base * D(str(round(self.random.uniform(0.3, 1), 3)))
        if held := self._held():
            loses = (signal.px - held.entry_px) * held.side.sign <= 0
            assert not (loses and abs(before + base * signal.side.sign) > abs(before))
        self.slices.append((signal, base))
        inventory = sum((held_base for _, held_base in self.slices), D(0))
        assert inventory <= figures(signal)["cap_base"]

    def _exits(self, shown: Bars) -> None:
        low, high, kept = D(str(shown.low[-1])), D(str(shown.high[-1])), []
        for signal, base in self.slices:
            reached = levels(signal)
            best, worst = (high, low) if signal.side is Side.BUY else (low, high)
            stopped = (worst - reached.stop_px) * signal.side.sign <= 0
            won = (best - reached.targets[0].px) * signal.side.sign >= 0
            if not stopped and (not won or self.random.random() < 0.5):
                kept.append((signal, base))
        self.slices = kept

    def _held(self) -> Holding | None:
        if not self.slices:
            return None
        base = sum((each for _, each in self.slices), D(0))
        cost = sum((each * signal.px for signal, each in self.slices), D(0))
        return Holding(self.slices[0][0].side, Base(base), cost / base, self.slices[0][0].at_ms)


def _noisy_range(random: np.random.Generator, count: int) -> Bars:
    steps, path = random.normal(0, 0.25, count), np.zeros(count)
    for n in range(1, count):
        path[n] = path[n - 1] * 0.985 + steps[n]
    return quarters_of(column(100 + path), START_MS + 10 * DAY * QUARTER_MS)


def _first(bars: Bars, count: int) -> Bars:
    return replace(
        bars,
        **{name: getattr(bars, name)[:count] for name in ("ts_ms", "open", "high", "low", "close", "volume")},
    )


def _closed_by(hours: Bars, now_ms: int) -> Bars:
    return _first(hours, int(np.searchsorted(hours.ts_ms + HOUR_MS, now_ms, side="right")))


def _without_last(bars: Bars, count: int) -> Bars:
    return _first(bars, len(bars) - count)


def _only_needed(look: Look, module: NeutralGrid) -> Look:
    return replace(
        look, bars={frame: look.bars[frame].last(count) for frame, count in module.needs.bars.items()}
    )


def test_a_band_knows_its_lines() -> None:
    band = Band(START_MS, D(90), D(110), 4, D(1000))
    assert (band.middle_px, band.step, band.slice_base, band.cap_base) == (100, 2, D("2.5"), 10)
    assert [band.line_px(n, Side.BUY) for n in (1, 4)] == [98, 92]
    assert [band.line_px(n, Side.SELL) for n in (1, 4)] == [102, 108]
