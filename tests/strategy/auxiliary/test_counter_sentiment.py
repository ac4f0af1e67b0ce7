"""Against an extreme crowd, on its first close, and never where a trend carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS, HOUR_MS, Base, SettledFunding, Side
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.language import Holding, Look, Parameter
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.modules.counter_sentiment import CounterSentiment
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import (
    NAME,
    D,
    bars_of_closes,
    column,
    columns_of,
    figures,
    look_at,
    market,
    mirrored,
    random_bars,
)

MODULE = CounterSentiment()
COUNTS = MODULE.needs.bars
Series = tuple[tuple[int, Decimal], ...]


def still(frame: str, closed_ms: int = START_MS) -> Bars:
    """Up and down, and nowhere: an ADX far below any trend."""
    return bars_of_closes([100.0 + n % 2 for n in range(COUNTS[frame])], frame=frame, closed_ms=closed_ms)


def rising(frame: str) -> Bars:
    return bars_of_closes(np.linspace(50, 100, COUNTS[frame]), frame=frame)


def rates(last: str = "0.0008", usual: str = "0.00005", sign: int = 1) -> tuple[SettledFunding, ...]:
    """A hundred settlements, the last of them 4 h before the close."""
    paid = [sign * (D(usual) + D(n % 7) / 10**6) for n in range(99)] + [sign * D(last)]
    return tuple(SettledFunding(START_MS - (8 * (99 - n) + 4) * HOUR_MS, rate) for n, rate in enumerate(paid))


def hourly(last: str, usual: str = "1", ends_ms: int = START_MS - HOUR_MS, count: int = 31 * 24) -> Series:
    """A figure an hour that moves a little, and a last one."""
    figures_of = [D(usual) + D(n % 5) / 100 for n in range(count - 1)] + [D(last)]
    return tuple((ends_ms - (count - 1 - n) * HOUR_MS, figure) for n, figure in enumerate(figures_of))


def crowded(
    bars: Bars | None = None,
    daily: Bars | None = None,
    settled: tuple[SettledFunding, ...] | None = None,
    interest: Series | None = None,
    ratio: Series | None = None,
) -> Look:
    """A crowd of longs that pays eight times what it did, in a market that goes nowhere."""
    view = market(
        settled=rates() if settled is None else settled,
        open_interest=hourly("9") if interest is None else interest,
    )
    shown = bars or still("4H"), daily or still("1D")
    return look_at(*shown, market=view, long_short=hourly("9") if ratio is None else ratio)


def crowded_short() -> Look:
    return crowded(mirrored(still("4H")), mirrored(still("1D")), rates(sign=-1), ratio=hourly("0.2"))


def test_against_a_crowd_of_longs_it_sells() -> None:
    signal = MODULE.signal(crowded())
    assert signal is not None and signal.side is Side.SELL
    assert figures(signal)["crowd"] == "long" and figures(signal)["rate_8h"] == D("0.0008")
    assert signal.at_ms == START_MS and signal.valid_until_ms == START_MS + 6 * HOUR_MS
    assert signal.wished_leverage == 1


def test_against_a_crowd_of_shorts_it_buys_with_the_same_strength() -> None:
    long, short = MODULE.signal(crowded()), MODULE.signal(crowded_short())
    assert short is not None and long is not None and short.side is Side.BUY
    assert short.strength == long.strength
    stops = [s.plan.levels(s.side, s.px, s.measures, s.wished_leverage).stop_px for s in (long, short)]
    assert stops[0] + stops[1] == pytest.approx(2 * long.px)


@pytest.mark.parametrize(
    ("broken", "look"),
    [
        ("funding is not extreme", lambda: crowded(settled=rates("0.00005"))),
        ("everybody always paid as much", lambda: crowded(settled=_all_equal())),
        ("nobody pays more than usual", lambda: crowded(settled=rates("0.0001", usual="0.00002"))),
        ("the highest funding is still paid by shorts", lambda: crowded(settled=_all_negative())),
        ("accounts are not all long", lambda: crowded(ratio=hourly("1.02"))),
        ("accounts are short while longs pay", lambda: crowded(ratio=hourly("0.2"))),
        ("little is open", lambda: crowded(interest=hourly("1.02"))),
        ("open interest is at its lowest", lambda: crowded(interest=hourly("0.2"))),
        ("no market is shown", lambda: replace(crowded(), market=None)),
        ("no funding is known", lambda: crowded(settled=())),
        ("no open interest is known", lambda: crowded(interest=())),
        ("no ratio is known", lambda: crowded(ratio=())),
        ("the ratio has a figure a day", lambda: crowded(ratio=hourly("9")[-1 - 24 * 29 :: 24])),
        ("the ratio reaches back a week", lambda: crowded(ratio=hourly("9", count=7 * 24))),
        (
            "the open interest ended a day ago",
            lambda: crowded(interest=hourly("9", ends_ms=START_MS - DAY_MS)),
        ),
        ("funding ended a day ago", lambda: crowded(settled=rates()[:-3])),
    ],
)
def test_one_thing_that_is_not_so_or_not_known_is_enough(broken: str, look: Callable[[], Look]) -> None:
    assert MODULE.signal(crowded()) is not None
    assert MODULE.signal(look()) is None, broken


def _all_negative() -> tuple[SettledFunding, ...]:
    return tuple(replace(each, rate=each.rate - D("0.01")) for each in rates())


def _all_equal() -> tuple[SettledFunding, ...]:
    return tuple(replace(each, rate=D("0.0008")) for each in rates())


@pytest.mark.parametrize("frame", ["4H", "1D"])
def test_a_trend_that_carries_the_crowd_keeps_it_back_and_one_against_the_crowd_does_not(frame: str) -> None:
    place = "bars" if frame == "4H" else "daily"
    assert MODULE.signal(crowded(**{place: rising(frame)})) is None
    falling = MODULE.signal(crowded(**{place: mirrored(rising(frame))}))
    assert figures(falling)[f"trend_{frame.lower()}"] == "sell"
    weak = CounterSentiment({"trend_adx": D(40)})
    assert weak.signal(crowded(**{place: rising(frame)})) is None  # an ADX of 100 is a trend at any setting


def test_a_rise_too_weak_for_a_trend_keeps_nothing_back() -> None:
    noise = np.random.default_rng(3).normal(0, 2, COUNTS["4H"])
    drifting = bars_of_closes(np.linspace(99, 101, COUNTS["4H"]) + noise, frame="4H")
    signal = MODULE.signal(crowded(drifting))
    assert figures(signal)["adx_4h"] < 25 and figures(signal)["trend_4h"] == "none"


def test_days_that_are_missing_are_not_taken_for_no_trend() -> None:
    assert MODULE.signal(crowded(daily=still("1D", START_MS - DAY_MS))) is not None  # it closes just now
    assert MODULE.signal(crowded(daily=still("1D", START_MS - 2 * DAY_MS))) is None


def later(look: Look, closes: int) -> Look:
    """The same series, seen some 4H closes later."""
    at_ms = START_MS + closes * FRAME_MS["4H"]
    bars = {"4H": still("4H", at_ms), "1D": look.bars["1D"]}
    return replace(look, now_ms=at_ms, bars=bars)


def going_on(closes: int) -> Look:
    """The crowd stays as extreme as it was: every hour a little more, and settlements go on."""
    more = tuple((START_MS + n * HOUR_MS, D(9) + D(n + 1) / 100) for n in range(4 * closes))
    settled = (
        *rates(),
        *(
            SettledFunding(START_MS + (4 + 8 * n) * HOUR_MS, D("0.0009") + D(n) / 10**5)
            for n in range(closes)
        ),
    )
    view = market(settled=settled, open_interest=(*hourly("9"), *more))
    return later(replace(crowded(), market=view, long_short=(*hourly("9"), *more)), closes)


def test_only_the_first_close_at_which_it_holds_speaks() -> None:
    assert MODULE.signal(going_on(0)) is not None
    for closes in (1, 2, 5):
        assert MODULE.uncarried(going_on(closes), START_MS + closes * FRAME_MS["4H"]) is not None
        assert MODULE.signal(going_on(closes)) is None


@pytest.mark.parametrize(("settled_ms", "known"), [(START_MS, False), (START_MS - 1, True)])
def test_what_settles_as_the_bar_closes_was_not_known_at_the_close(settled_ms: int, known: bool) -> None:
    sudden = SettledFunding(settled_ms, D("0.0009"))
    signal = MODULE.signal(crowded(settled=(*rates("0.00005"), sudden)))
    assert (signal is not None) == known


def test_a_crowd_that_was_there_within_its_rest_is_no_first() -> None:
    """It was extreme at one close, not at the next two, and is again at the third."""
    gone = tuple((START_MS + n * HOUR_MS, D("1.02") if n < 8 else D(12)) for n in range(12))
    settled = (*rates(), SettledFunding(START_MS + 4 * HOUR_MS, D("0.0009")))
    view = market(settled=settled, open_interest=(*hourly("9"), *gone))
    again = later(replace(crowded(), market=view, long_short=(*hourly("9"), *gone)), 3)
    assert MODULE.uncarried(again, START_MS + 3 * FRAME_MS["4H"]) is not None
    assert MODULE.uncarried(again, START_MS + 2 * FRAME_MS["4H"]) is None
    assert MODULE.signal(again) is None
    assert CounterSentiment({"rest_bars": D(3)}).signal(again) is None
    assert CounterSentiment({"rest_bars": D(2)}).signal(again) is not None


def test_a_crowd_that_is_no_longer_carried_speaks_at_the_close_that_ends_its_trend() -> None:
    """It was there a close before, and a rise of weeks with it; now the price has fallen through its mean."""
    ended = bars_of_closes([*rising("4H").close[1:], 60.0], frame="4H", closed_ms=START_MS + FRAME_MS["4H"])
    look = replace(going_on(1), bars={"4H": ended, "1D": still("1D")})
    assert MODULE.signal(going_on(1)) is None
    signal = MODULE.signal(look)
    assert signal is not None and signal.side is Side.SELL and figures(signal)["trend_4h"] == "sell"


def test_without_a_price_a_stop_could_stand_at_it_says_nothing() -> None:
    wild = replace(still("4H"), low=column(still("4H").low - 60))
    assert MODULE.signal(crowded(wild)) is None


@pytest.mark.parametrize("side", list(Side))
def test_while_it_holds_anything_it_says_nothing(side: Side) -> None:
    held = Holding(side, Base(D(1)), D(80), START_MS - DAY_MS)
    assert MODULE.signal(replace(crowded(), holding=held)) is None


def test_the_strength_is_the_sum_of_its_terms() -> None:
    signal = MODULE.signal(crowded())
    shown = figures(signal)
    terms = {name: worth for name, worth in shown.items() if name.endswith("_points")}
    assert signal is not None and signal.strength == sum(terms.values())
    assert terms == {
        "base_points": 50,
        "funding_points": D("12.00"),  # 8 of 10 bps
        "long_short_points": D("15.00"),
        "interest_points": D("10.00"),
        "turn_points": D("0.00"),  # the rate still grows
    }


def test_a_rate_that_comes_back_is_worth_more() -> None:
    peak = (*rates()[:-4], *(replace(each, rate=D("0.0016")) for each in rates()[-4:-1]), rates()[-1])
    back = CounterSentiment({"extreme": D("0.9")}).signal(crowded(settled=peak))
    assert figures(back)["rate_before_8h"] == D("0.0016") and figures(back)["turn_points"] == 10


def test_a_close_says_nothing_after_six_hours() -> None:
    assert MODULE.signal(replace(crowded(), now_ms=START_MS + 6 * HOUR_MS)) is not None
    assert MODULE.signal(replace(crowded(), now_ms=START_MS + 6 * HOUR_MS + 1)) is None


def test_a_rate_is_compared_per_eight_hours() -> None:
    """2 bps after four hours are 4 bps per eight."""
    sooner = SettledFunding(START_MS - 8 * HOUR_MS, D("0.0002"))  # the one before was 12 h before the close
    assert figures(MODULE.signal(crowded(settled=(*rates()[:-1], sooner))))["rate_8h"] == D("0.0004")


@pytest.mark.parametrize("parameter", CounterSentiment.parameters, ids=lambda p: p.name)
def test_both_bounds_of_every_parameter_can_be_asked(parameter: Parameter) -> None:
    for value in (parameter.least, parameter.most):
        module = MODULES["counter_sentiment"]({parameter.name: value})
        bars = {
            frame: bars_of_closes([100.0 + n % 2 for n in range(count)], frame=frame)
            for frame, count in module.needs.bars.items()
        }
        signal = module.signal(replace(crowded(), bars=bars))
        strict = parameter.name in ("lookback_d", "floor_rate_8h") and value == parameter.most
        assert (signal is None) == strict


@given(
    random_bars(COUNTS["4H"], "4H"),
    random_bars(COUNTS["1D"], "1D"),
    st.lists(st.decimals("-0.02", "0.02", places=6), min_size=1, max_size=8),
    st.lists(st.decimals("0.01", "20", places=3), min_size=1, max_size=8),
)
def test_any_bars_and_any_crowd_give_a_whole_signal_or_none(
    bars: Bars, daily: Bars, paid: list[Decimal], ratios: list[Decimal]
) -> None:
    module, before = CounterSentiment({"extreme": D("0.8")}), columns_of(bars) + columns_of(daily)
    settled = tuple(replace(each, rate=rate) for each, rate in zip(rates()[-len(paid) :], paid, strict=True))
    ratio = hourly("1")
    tail = tuple((at_ms, value) for (at_ms, _), value in zip(ratio[-len(ratios) :], ratios, strict=True))
    look = crowded(bars, daily, (*rates()[: -len(paid)], *settled), ratio=(*ratio[: -len(ratios)], *tail))
    signal = module.signal(look)
    assert module.signal(look) == signal and columns_of(bars) + columns_of(daily) == before
    if signal is not None:
        assert 0 <= signal.strength <= 100 and signal.instrument == NAME
        shown = figures(signal)
        assert shown["crowd"] == ("long" if signal.side is Side.SELL else "short")
        assert signal.side.opposite.value not in (shown["trend_4h"], shown["trend_1d"])
        levels = signal.plan.levels(signal.side, signal.px, signal.measures, signal.wished_leverage)
        assert (levels.stop_px - signal.px) * signal.side.sign < 0 < levels.stop_px
