from __future__ import annotations

import pickle
from decimal import Decimal

from config.schema import Exit, Strategy
from core.types import DAY_MS, HOUR_MS, SettledFunding
from scripts.sweep.record import Record, Stretch, record_of
from scripts.sweep.scoring import YEAR_MS, Bench
from strategy.foresight import perfect_foresight
from strategy.rehearsal import MODES, Rehearsal
from tests.scripts.sweep.scenes import COST, START_MS, records, settled

D = Decimal
SETS = [Strategy(exit=Exit(mode=mode)) for mode in MODES]


def near(one: float, other: float) -> bool:
    return abs(one - other) < 1e-12


def test_a_score_is_what_the_rehearsal_makes_of_every_stretch() -> None:
    series = settled(100)
    late = [SettledFunding(one.ts_ms + 10 * DAY_MS, one.rate) for one in series[150:]]
    record = record_of("BTC-USDT", [*series[:150], *late])
    assert [len(one.settled) for one in record.stretches] == [150, 150]
    for strategy, score in zip(SETS, Bench([record], COST).scores(SETS), strict=True):
        mode = strategy.exit.mode
        courses = [Rehearsal(one.settled, COST, strategy).play(mode) for one in record.stretches]
        best = sum(perfect_foresight([s.rate for s in one.settled], COST).net for one in record.stretches)
        result, years = score.results["BTC-USDT"], record.played_ms / YEAR_MS
        net = float(sum(one.net for one in courses))
        assert near(result.net_per_year, net / years)
        assert near(result.regret_per_year, (float(best) - net) / years)
        assert result.switches == sum(one.switches for one in courses)
        assert near(result.held, sum(one.settlements_held for one in courses) / 300)


def test_what_lies_before_a_span_is_known_and_not_played() -> None:
    record = record_of("BTC-USDT", settled(200))
    part = record.within((START_MS + 150 * DAY_MS, START_MS + 180 * DAY_MS))
    assert part.stretches[0].played[0].ts_ms == START_MS + 150 * DAY_MS
    assert (part.stretches[0].first, len(part.stretches[0].settled)) == (300, 390)
    assert record.within((0, START_MS)).stretches == ()


def test_the_days_add_up_to_the_net_and_the_drawdown_is_the_largest_fall_of_its_running_sum() -> None:
    bench = Bench(records(150), COST)
    for score, days in zip(bench.scores(SETS), bench.daily(SETS), strict=True):
        result = score.results["BTC-USDT"]
        assert near(days.sum(), result.net_per_year * bench.records[0].played_ms / YEAR_MS)
        assert score.days == len(days) == len(bench.days) == 150
        peak = running = fall = 0.0
        for day in days:
            running += day
            peak = max(peak, running)
            fall = max(fall, peak - running)
        assert fall - 1e-12 <= result.drawdown  # of settlements, which may fall deeper than days


def test_a_fall_is_counted_from_the_start() -> None:
    series = [SettledFunding(START_MS + n * 8 * HOUR_MS, D("0.0005")) for n in range(20)]
    series += [SettledFunding(START_MS + n * 8 * HOUR_MS, D("-0.001")) for n in range(20, 22)]
    bench = Bench([Record("BTC-USDT", (Stretch(tuple(series), 19),))], COST)
    score = bench.scores([Strategy(exit=Exit(mode="hysteresis"))])[0]
    assert near(score.results["BTC-USDT"].drawdown, 0.0016 + 0.002 + 0.0016 - 0.0005)


def test_instruments_share_a_day_equally_and_one_that_is_not_there_takes_no_part() -> None:
    early = record_of("BTC-USDT", settled(40, seed=1))
    late = record_of("ETH-USDT", settled(40, seed=2, begin_ms=START_MS + 20 * DAY_MS))
    both = Bench([early, late], COST).daily(SETS[2:])[0]
    one, other = (Bench([record], COST).daily(SETS[2:])[0] for record in (early, late))
    assert len(both) == 60
    assert all(near(a, b) for a, b in zip(both[:20], one[:20], strict=True))
    assert all(near(a, (b + c) / 2) for a, b, c in zip(both[20:40], one[20:], other[:20], strict=True))


def test_a_set_scores_the_same_to_the_bit_whatever_stands_beside_it_and_after_a_journey() -> None:
    bench = Bench(records(120, "BTC-USDT", "ETH-USDT"), COST)
    away: Bench = pickle.loads(pickle.dumps(bench))
    together = bench.scores(SETS)
    assert [away.scores([one])[0] for one in SETS] == together
