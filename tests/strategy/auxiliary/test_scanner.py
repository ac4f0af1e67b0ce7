"""The scanner: who is asked what and when, what a look shows, and what is said of those who were not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import MarketView
from core.types import DAY_MS, HOUR_MS, SettledFunding
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.language import FeedEvent, Look, Needs
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.scanner import Memory, Scanner
from strategy.auxiliary.scanning.blacklist import Ban, BanRules, Blacklist, Cause
from strategy.auxiliary.scanning.health import Ward
from strategy.auxiliary.scanning.sights import Sights, bars_kept, turnover_of
from strategy.auxiliary.scanning.words import Outcome, Reply
from tests.fakes import START_MS, D, btc
from tests.strategy.auxiliary.scan_scenes import (
    NAME,
    NO_BANS,
    Toy,
    candle,
    copied,
    history,
    kept,
    scan,
    scanner_of,
    signal,
    stormy,
)

FED = Toy("fed", Needs(bars={"1m": 1}, events=True))


def event(name: str, at_ms: int = START_MS) -> FeedEvent:
    return FeedEvent(name, "113", NAME, at_ms, "test")


def outcomes(found: Any) -> list[Outcome]:
    return [line.outcome for line in found.lines]


# --- once a bar -------------------------------------------------------------------------------------


def test_a_module_is_asked_once_about_a_bar() -> None:
    toy = Toy()
    scanner, store = scanner_of(toy), kept([toy])
    assert outcomes(scan(scanner, Sights(store))) == [Outcome.NOTHING]
    assert outcomes(scan(scanner, Sights(store), START_MS + 60_000)) == [Outcome.NOT_NEW]
    store.take(NAME, "1H", history("1H", 3), START_MS + 60_000)
    assert outcomes(scan(scanner, Sights(store), START_MS + 120_000)) == [Outcome.NOT_NEW]
    store.take(NAME, "1H", [candle("1H", 0)], START_MS + HOUR_MS)
    assert outcomes(scan(scanner, Sights(store), START_MS + HOUR_MS)) == [Outcome.NOTHING]
    assert [look.bars["1H"].closed_ms for look in toy.looks] == [START_MS, START_MS + HOUR_MS]


def test_a_look_shows_as_many_bars_as_the_module_asks_for_whatever_others_need() -> None:
    toy, hungry = Toy(), Toy("hungry", Needs(bars={"1H": 9, "4H": 2}, on="1H"))
    scan(scanner_of(toy, hungry), Sights(kept([toy, hungry])))
    assert {frame: len(bars) for frame, bars in toy.looks[0].bars.items()} == {"1H": 3}
    assert {frame: len(bars) for frame, bars in hungry.looks[0].bars.items()} == {"1H": 9, "4H": 2}


def test_a_bar_that_comes_late_is_asked_about_as_if_it_had_come_in_time() -> None:
    prompt, late = Toy(), Toy()
    store = kept([prompt])
    scan(scanner_of(prompt), Sights(store))
    tardy = scanner_of(late, memory=Memory({("toy", NAME): START_MS - HOUR_MS}))
    store.take(NAME, "1H", [candle("1H", 0)], START_MS + HOUR_MS)
    found = scan(tardy, Sights(store), START_MS + HOUR_MS + 60_000)
    assert [line.of_ms for line in found.lines] == [START_MS, START_MS + HOUR_MS]
    one, other = prompt.looks[0].bars["1H"], late.looks[0].bars["1H"]
    assert (one.ts_ms == other.ts_ms).all() and (one.close == other.close).all()
    assert late.looks[1].bars["1H"].closed_ms == START_MS + HOUR_MS


def test_what_closed_before_anybody_looked_is_not_caught_up_with() -> None:
    toy = Toy()
    assert len(scan(scanner_of(toy), Sights(kept([toy])), START_MS + 60_000).lines) == 1


def test_a_stale_bar_is_not_asked_about() -> None:
    toy = Toy()
    store, scanner = kept([toy]), scanner_of(toy)
    found = scan(scanner, Sights(store), START_MS + 90 * MINUTE_MS + 1)
    assert outcomes(found) == [Outcome.STALE_BAR] and found.lines[0].detail == "1H closed 90 minutes ago"
    assert outcomes(scan(scanner, Sights(store), START_MS + 90 * MINUTE_MS)) == [Outcome.NOTHING]


def test_a_module_waits_until_its_longer_bar_that_closed_then_is_there_too() -> None:
    toy = Toy(needs=Needs(bars={"1H": 3, "4H": 2}, on="1H"))
    store, scanner = kept([toy], until_ms=START_MS - HOUR_MS), scanner_of(toy)
    store.take(NAME, "1H", [candle("1H", -1)], START_MS)
    found = scan(scanner, Sights(store), START_MS + 2_000)
    assert (found.lines[0].outcome, found.lines[0].detail) == (
        Outcome.MISSING,
        "bars of 4H: the newest is late",
    )
    store.take(NAME, "4H", [candle("4H", -1)], START_MS)
    assert outcomes(scan(scanner, Sights(store), START_MS + 9_000)) == [Outcome.NOTHING]
    assert toy.looks[0].bars["4H"].closed_ms == START_MS


def test_the_engine_asks_no_bar_a_second_time_after_a_restart() -> None:
    toy = Toy(says=signal)
    store, before = kept([toy]), scanner_of(toy)
    assert outcomes(scan(before, Sights(store))) == [Outcome.SIGNAL]
    after = scanner_of(toy, memory=before.memory)
    assert outcomes(scan(after, Sights(store), START_MS + 5_000)) == [Outcome.NOT_NEW]


def test_a_question_that_was_not_answered_comes_again() -> None:
    toy = Toy()
    store, scanner = kept([toy]), scanner_of(toy)
    round_ = scanner.begin([NAME], Sights(store), START_MS)
    assert len(next(round_.groups())) == 1
    assert outcomes(round_.end()) == [Outcome.CUT_SHORT]
    assert outcomes(scan(scanner, Sights(store), START_MS + 5_000)) == [Outcome.NOTHING]


def test_replies_may_come_in_any_order() -> None:
    toy = Toy()
    store = kept([toy], until_ms=START_MS + HOUR_MS)
    scanner = scanner_of(toy, memory=Memory({("toy", NAME): START_MS - HOUR_MS}))
    now_ms = START_MS + HOUR_MS
    round_ = scanner.begin([NAME], Sights(store), now_ms)
    (group,) = round_.groups()
    assert [question.of_ms for question in group] == [START_MS, now_ms]
    round_.take([Reply(question.place) for question in reversed(group)])
    assert outcomes(round_.end()) == [Outcome.NOTHING] * 2
    assert outcomes(scan(scanner, Sights(store), now_ms + 5_000)) == [Outcome.NOT_NEW]


# --- asked on no frame ------------------------------------------------------------------------------


def test_a_module_on_no_frame_is_asked_when_something_is_fed_and_once_a_minute() -> None:
    toy = replace(FED, looks=[])
    store, scanner = kept([toy]), scanner_of(toy)
    once, twice = {NAME: (event("a"),)}, {NAME: (event("a"), event("b"))}
    said = [
        outcomes(scan(scanner, Sights(store, events=events), START_MS + after_ms))[0]
        for after_ms, events in ((0, once), (5_000, once), (6_000, twice), (59_999, twice), (60_000, twice))
    ]
    assert said == [
        Outcome.NOTHING,
        Outcome.NOT_NEW,
        Outcome.NOTHING,
        Outcome.NOT_NEW,
        Outcome.NOTHING,
    ]


def test_only_a_module_that_asks_for_events_is_shown_them() -> None:
    toy, fed = Toy(), replace(FED, looks=[])
    scan(scanner_of(toy, fed), Sights(kept([toy, fed]), events={NAME: (event("a"),)}))
    assert toy.looks[0].events == () and fed.looks[0].events == (event("a"),)


# --- what is missing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("needs", "what"),
    [
        (Needs(bars={"1H": 3, "15m": 4}, on="1H"), "bars of 15m: 0 of 4"),
        (Needs(bars={"15m": 4}, on="15m"), "bars of 15m"),
        (Needs(bars={"1H": 3}, on="1H", book=True), "the book"),
        (Needs(bars={"1H": 3}, on="1H", funding=True), "funding"),
        (Needs(bars={"1H": 3}, on="1H", open_interest=True), "open interest"),
        (Needs(bars={"1H": 3}, on="1H", long_short=True), "long/short ratio"),
        (Needs(bars={"1H": 3}, on="1H", events=True), "events"),
    ],
)
def test_a_module_is_not_asked_without_what_it_needs_and_it_is_said_what_that_is(
    needs: Needs, what: str
) -> None:
    toy = Toy(needs=needs)
    store = kept([Toy()])
    store._keep["15m"] = 6
    found = scan(scanner_of(toy), Sights(store, markets={NAME: MarketView(btc())}))
    assert [(line.outcome, line.detail) for line in found.lines] == [(Outcome.MISSING, what)]
    assert found.counts == {f"missing: {what.partition(':')[0]}": 1} and not toy.looks


def test_with_everything_there_it_is_asked() -> None:
    needs = Needs(bars={"1H": 3}, on="1H", funding=True, open_interest=True, long_short=True, events=True)
    toy = Toy(needs=needs)
    market = MarketView(btc(), settled=(SettledFunding(START_MS, D(1)),), open_interest=((START_MS, D(5)),))
    sights = Sights(
        kept([toy]), {NAME: market}, long_short={NAME: ((START_MS, D(1)),)}, events={NAME: (event("a"),)}
    )
    assert outcomes(scan(scanner_of(toy), sights)) == [Outcome.NOTHING]


def test_a_look_has_no_candles_beside_its_closed_bars() -> None:
    toy = Toy()
    market = MarketView(btc(), candles={"3m": (candle("1m", 0, closed=False),)}, volume_24h_usdt=D(7))
    scan(scanner_of(toy), Sights(kept([toy]), {NAME: market}))
    shown = toy.looks[0].market
    assert shown is not None and shown.candles == {} and shown.volume_24h_usdt == 7


def test_open_interest_that_reaches_back_takes_the_place_of_the_markets_own() -> None:
    toy, long = Toy(), ((START_MS - 30 * DAY_MS, D(4)), (START_MS, D(5)))
    market = MarketView(btc(), open_interest=((START_MS, D(5)),))
    scan(scanner_of(toy), Sights(kept([toy]), {NAME: market}, open_interest={NAME: long}))
    scan(scanner_of(toy), Sights(kept([toy]), {NAME: market}))
    shown = [look.market.open_interest for look in toy.looks if look.market]
    assert shown == [long, market.open_interest]


# --- what comes back --------------------------------------------------------------------------------


def test_signals_come_strongest_first_and_then_by_name() -> None:
    toys = [
        Toy(name, says=lambda look, name=name, strength=strength: signal(look, name, strength))
        for name, strength in (("weak", "10"), ("b", "80"), ("a", "80"))
    ]
    names = ["ETH-USDT", "BTC-USDT"]
    found = scan(scanner_of(*toys), Sights(kept(toys, names)), instruments=names)
    assert [(each.module, each.instrument) for each in found.signals] == [
        (module, name) for module in ("a", "b", "weak") for name in ("BTC-USDT", "ETH-USDT")
    ]
    assert found.asked == 6 and found.counts == {"signal": 6}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (lambda look: signal(look, "other"), "a signal of other"),
        (lambda look: signal(look, instrument="ETH-USDT"), "for ETH-USDT"),
        (lambda look: "buy", "said str"),
        (lambda look: signal(look, evidence=(("figure", D("NaN")),)), "figure is Decimal"),
        (lambda look: signal(look, evidence=(("figure", 0.5),)), "figure is 0.5"),
        (lambda look: signal(look, strength="NaN"), "InvalidOperation"),
        (lambda look: signal(look, valid_until_ms=float("nan")), "valid_until_ms is nan, allowed: int"),
        (lambda look: signal(look, at_ms=1.5), "at_ms is 1.5"),
        (lambda look: signal(look, side="buy"), "'str' object has no attribute"),
        (lambda look: signal(look, evidence=("figure",)), "evidence is ('figure',)"),
        (lambda look: signal(look, evidence=7), "evidence is 7"),
        (lambda look: signal(look, most_base=2.5), "most_base is 2.5"),
        (lambda look: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_is_no_proper_signal_is_a_failure_of_the_module(said: Any, why: str) -> None:
    toy = Toy(says=said)
    found = scan(scanner_of(toy), Sights(kept([toy])))
    assert outcomes(found) == [Outcome.FAILED] and not found.signals
    assert why in found.lines[0].detail and why in found.health["toy"].last


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({"at_ms": START_MS - 9, "valid_until_ms": START_MS - 1}, "it ended at"),
        ({"at_ms": START_MS + 1, "valid_until_ms": START_MS + 9}, "it speaks of"),
    ],
)
def test_a_signal_that_has_ended_or_is_to_come_is_refused(times: dict[str, int], why: str) -> None:
    toy = Toy(says=lambda look: signal(look, **times))
    found = scan(scanner_of(toy), Sights(kept([toy])))
    assert outcomes(found) == [Outcome.STALE_SIGNAL] and why in found.lines[0].detail and not found.signals
    assert found.health["toy"].failed_ms == ()


def test_the_same_signal_is_said_once_also_over_a_restart() -> None:
    toy = replace(FED, looks=[], says=lambda look: signal(look, "fed", at_ms=START_MS))
    store, scanner = kept([toy]), scanner_of(toy)
    sights = Sights(store, events={NAME: (event("a"),)})
    assert outcomes(scan(scanner, sights)) == [Outcome.SIGNAL]
    assert outcomes(scan(scanner, sights, START_MS + 60_000)) == [Outcome.REPEATED]
    again = scanner_of(toy, memory=scanner.memory)
    assert outcomes(scan(again, sights, START_MS + 119_000)) == [Outcome.REPEATED]
    assert scanner.memory.said == {f"fed:{NAME}:buy:{START_MS}": START_MS + 5_400_000}


def test_what_can_no_longer_matter_is_forgotten() -> None:
    toy = Toy(says=signal)
    scanner = scanner_of(toy)
    scan(scanner, Sights(kept([toy])))
    assert scanner.memory == Memory(
        {("toy", NAME): START_MS}, {f"toy:{NAME}:buy:{START_MS}": START_MS + 90 * MINUTE_MS}
    )
    scan(scanner, Sights(kept([])), START_MS + 7 * DAY_MS, instruments=())
    assert scanner.memory == Memory()


@pytest.mark.fault("ST1")
def test_a_module_that_raises_costs_itself_and_no_other_and_is_switched_off_in_the_end() -> None:
    bad, good = Toy("bad", says=lambda look: 1 / 0), Toy("good", says=lambda look: signal(look, "good"))
    names = [f"C{n}-USDT" for n in range(7)]
    scanner = scanner_of(bad, good)
    found = scan(scanner, Sights(kept([bad, good], names)), instruments=names)
    assert len(found.signals) == 7 and found.counts == {"failed": 5, "signal": 7, "switched_off": 2}
    off = found.health["bad"]
    assert not off.is_on and off.off.startswith("5 failures within 1440 minutes, the last: C4-USDT: Zero")
    assert off.off_ms == START_MS and found.health["good"].is_on
    assert found.of("bad", "C6-USDT")[0].detail == off.off


def test_a_module_that_is_switched_off_stays_so_until_somebody_says_otherwise() -> None:
    bad = Toy(says=lambda look: 1 / 0)
    ward = Ward(["toy"], most=1)
    ward.failed("toy", "it broke", START_MS)
    scanner, store = scanner_of(bad, ward=ward), kept([bad])
    assert outcomes(scan(scanner, Sights(store))) == [Outcome.SWITCHED_OFF]
    known = Ward(["toy"], most=1, known=ward.all())
    assert not known.of("toy").is_on
    ward.switch_on("toy")
    assert outcomes(scan(scanner, Sights(store))) == [Outcome.FAILED]


def test_failures_of_long_ago_switch_nothing_off() -> None:
    ward = Ward(["toy"], most=2, within_ms=HOUR_MS)
    for hour in range(5):
        assert ward.failed("toy", "it broke", START_MS + hour * HOUR_MS).is_on
    assert not ward.failed("toy", "again", START_MS + 4 * HOUR_MS + 1).is_on
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        Ward(["toy"], most=0)


# --- what is kept out -------------------------------------------------------------------------------


def test_what_the_operator_excludes_is_asked_about_by_nobody() -> None:
    toy = Toy()
    blacklist = Blacklist(NO_BANS, frozenset({"ETH-USDT"}))
    names = [NAME, "ETH-USDT"]
    found = scan(scanner_of(toy, blacklist=blacklist), Sights(kept([toy], names)), instruments=names)
    assert found.counts == {"kept_out: excluded": 1, "nothing": 1}
    assert [ban.instrument for ban in found.bans] == ["ETH-USDT"]


def test_a_scan_puts_on_the_list_what_shows_too_little() -> None:
    toy = Toy(needs=Needs(bars={"1H": 24}, on="1H"))
    rules = BanRules(least_turnover_usdt=D(10_000_000))
    scanner = scanner_of(toy, blacklist=Blacklist(rules))
    found = scan(scanner, Sights(kept([toy])))
    assert found.counts == {"kept_out: thin": 1}
    busy = MarketView(btc(), volume_24h_usdt=D(10_000_000))
    assert scan(scanner, Sights(kept([toy]), {NAME: busy}), START_MS + 1).counts == {"kept_out: thin": 1}
    store = kept([toy], until_ms=START_MS + HOUR_MS)
    later = scan(scanner, Sights(store, {NAME: busy}), START_MS + HOUR_MS)
    assert outcomes(later) == [Outcome.NOTHING] and later.bans == ()


def test_turnover_is_taken_from_the_shortest_bars_that_reach_back_a_day() -> None:
    toys = [Toy(needs=Needs(bars={"5m": 20, "1H": 24, "1D": 2}, on="1H"))]
    store = kept(toys, until_ms=START_MS + 12 * HOUR_MS)
    day = store.bars(NAME, "1H", START_MS + 12 * HOUR_MS).last(24)
    found = turnover_of(store, NAME, START_MS + 12 * HOUR_MS)
    assert found is not None and abs(float(found) - float((day.volume * day.close).sum())) < 1e-3
    assert turnover_of(kept([Toy()]), NAME, START_MS) is None


# --- limits -----------------------------------------------------------------------------------------


def test_more_instruments_than_can_be_scanned_and_doubled_ones_are_refused() -> None:
    scanner = scanner_of(Toy())
    with pytest.raises(ValueError, match="501 instruments, allowed: up to 500"):
        scanner.begin([str(n) for n in range(501)], Sights(kept([])), START_MS)
    with pytest.raises(ValueError, match="named twice: BTC-USDT"):
        scanner.begin([NAME, NAME], Sights(kept([])), START_MS)
    with pytest.raises(ValueError, match="of the same name: toy"):
        scanner_of(Toy(), Toy())
    with pytest.raises(ValueError, match="stale_periods is 0"):
        scanner_of(Toy(), stale_periods=0)


def test_a_reply_to_what_was_not_asked_is_an_error() -> None:
    round_ = scanner_of(Toy()).begin([NAME], Sights(kept([Toy()])), START_MS)
    with pytest.raises(KeyError):
        round_.take([Reply(0)])


def test_enough_is_kept_for_a_question_that_comes_late() -> None:
    assert bars_kept([Toy(needs=Needs(bars={"1H": 10, "15m": 4}, on="1H"))]) == {"1H": 13, "15m": 11}
    real = [make({}) for make in MODULES.values()]
    for module in real:
        for frame, count in module.needs.bars.items():
            assert bars_kept(real)[frame] > count


# --- whatever arrives -------------------------------------------------------------------------------


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, str, int, bool]]:
    """(when, frame, bar, confirmed): every bar of three hours comes, some late, some twice, some forming."""
    made: list[tuple[int, str, int, bool]] = []
    for frame, bars in (("15m", 12), ("1H", 3)):
        for at in range(bars):
            over_ms = START_MS + (at + 1) * FRAME_MS[frame]
            made.append((over_ms - draw(st.integers(1, 20)) * 30_000, frame, at, False))
            for late in draw(st.lists(st.sampled_from((0, 1, 2, 40, 47, 100)), min_size=1, max_size=3)):
                made.append((over_ms + late * 30_000, frame, at, True))
    return sorted(made)


@given(coming=arrivals(), every=st.sampled_from((30_000, 60_000, 150_000)))
def test_whatever_arrives_when_every_bar_is_asked_about_once_at_most_and_no_look_shows_a_forming_one(
    coming: list[tuple[int, str, int, bool]], every: int
) -> None:
    toys = [
        Toy("quarters", Needs(bars={"15m": 5}, on="15m"), lambda look: _said(look, "quarters")),
        Toy("both", Needs(bars={"15m": 5, "1H": 3}, on="15m"), lambda look: _said(look, "both")),
        Toy("hours", Needs(bars={"1H": 3, "15m": 5}, on="1H"), lambda look: _said(look, "hours")),
    ]
    scanner, store = scanner_of(*toys), kept(toys)
    confirmed: dict[tuple[str, int], int] = {}
    signals, questions = [], []
    for now_ms in range(START_MS, START_MS + 4 * HOUR_MS, every):
        for at_ms, frame, at, closed in (each for each in coming if now_ms - every < each[0] <= now_ms):
            store.take(NAME, frame, [candle(frame, at, closed)], max(at_ms, START_MS))
            if closed:
                confirmed.setdefault((frame, at), now_ms)
        found = scan(scanner, Sights(store), now_ms)
        signals += [each.signal_id for each in found.signals]
        questions += [(line.module, line.of_ms) for line in found.lines if line.outcome is Outcome.SIGNAL]
    assert len(set(questions)) == len(questions) and len(set(signals)) == len(signals)
    for toy in toys:
        for look in toy.looks:
            for frame, bars in look.bars.items():
                newest = (int(bars.ts_ms[-1]) - START_MS) // FRAME_MS[frame]
                assert bars.closed_ms <= look.now_ms
                assert newest < 0 or confirmed[frame, newest] <= look.now_ms
    # What came while it was fresh, with all before it, was asked about; what came later was not.
    for at in range(12):
        over_ms = START_MS + (at + 1) * FRAME_MS["15m"]
        quarters = max(confirmed["15m", n] for n in range(at + 1))
        hours = max((confirmed["1H", n] for n in range((at + 1) // 4)), default=START_MS)
        stale_ms = over_ms + 1.5 * FRAME_MS["15m"]
        assert (("quarters", over_ms) in questions) == (quarters <= stale_ms)
        assert (("both", over_ms) in questions) == (max(quarters, hours) <= stale_ms)


def _said(look: Look, module: str) -> Any:
    on = "1H" if module == "hours" else "15m"
    at_ms = look.bars[on].closed_ms
    return signal(look, module, at_ms=at_ms, valid_until_ms=at_ms + DAY_MS)


@given(st.permutations(["quarters", "hours"]), st.integers(0, 3))
def test_the_same_scan_gives_the_same_to_the_last_line(order: list[str], hours: int) -> None:
    def run() -> Any:
        toys = [
            Toy(name, Needs(bars={"1H": 3, "15m": 5}, on="1H"), lambda look, n=name: signal(look, n))
            for name in order
        ]
        now_ms = START_MS + hours * HOUR_MS
        names = ["B-USDT", "A-USDT"]
        found = scan(scanner_of(*toys), Sights(kept(toys, names, now_ms)), now_ms, names)
        return replace(found, slowest={})

    assert run() == run()


def test_all_modules_of_the_registry_can_be_scanned_together() -> None:
    modules = [make({}) for make in MODULES.values()]
    scanner = Scanner(modules, Blacklist(NO_BANS))
    found = scan(scanner, Sights(kept(modules)))
    assert {line.module for line in found.lines} == set(MODULES)
    assert "failed" not in found.counts and found.asked == 4


def test_a_ban_is_told_with_its_reason() -> None:
    toy = Toy()
    blacklist = Blacklist(BanRules())
    blacklist.restore([Ban(NAME, Cause.FAILURES, "refused", START_MS, START_MS + HOUR_MS)])
    found = scan(scanner_of(toy, blacklist=blacklist), Sights(kept([toy])))
    assert found.lines[0].detail == "failures: refused"


def test_modules_say_the_same_whether_they_share_what_they_see_or_not() -> None:
    """The scanner cuts its columns once for all who ask; here every module has copies of its own."""
    modules = [make({}) for make in MODULES.values()]
    names = [f"C{n}-USDT" for n in range(6)]
    store = stormy(modules, names)
    found = scan(Scanner(modules, Blacklist(NO_BANS)), Sights(store), instruments=names)
    alone = []
    for name in names:
        for module in modules:
            bars = {
                frame: copied(store.bars(name, frame, START_MS).last(count))
                for frame, count in module.needs.bars.items()
            }
            if not module.needs.events and not module.needs.funding:
                alone.append(module.signal(Look(START_MS, name, bars)))
    said = sorted((each for each in alone if each), key=lambda each: each.signal_id)
    assert sorted(found.signals, key=lambda each: each.signal_id) == said and len(said) >= 3
