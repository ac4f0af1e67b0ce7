"""When an onlooker takes over, and when it must not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from risk.vigilance import FINE, Judgement, Look, Opinion, Patience, Sign, consider

PATIENCE = Patience(after_ms=10_000, after_exit_ms=30_000, clock_off_ms=15_000)
WELL = Look(
    now_ms=1_000_000,
    quiet_ms=200,
    signed_off=False,
    has_process=True,
    holds=True,
    clock_off_ms=3,
    is_naked=False,
)


def seen(*looks: Look) -> Opinion:
    opinion = FINE
    for look in looks:
        opinion = consider(opinion, look, PATIENCE)
    return opinion


def later(look: Look, ms: int) -> Look:
    return replace(look, now_ms=look.now_ms + ms)


def test_a_beating_engine_with_equal_legs_is_healthy() -> None:
    assert seen(WELL, later(WELL, 60_000)).judgement is Judgement.HEALTHY


def test_a_heartbeat_is_suspected_first_and_then_replaced() -> None:
    assert seen(replace(WELL, quiet_ms=4_999)).judgement is Judgement.HEALTHY
    assert seen(replace(WELL, quiet_ms=5_000)).judgement is Judgement.SUSPECT
    struck = seen(replace(WELL, quiet_ms=10_000))
    assert struck.judgement is Judgement.TAKE_OVER and "heartbeat" in struck.why


def test_a_process_that_is_gone_may_be_started_again_first() -> None:
    gone = replace(WELL, has_process=False, quiet_ms=29_999)
    assert seen(gone).judgement is not Judgement.TAKE_OVER
    assert seen(replace(gone, quiet_ms=30_000)).judgement is Judgement.TAKE_OVER


def test_an_engine_that_signed_off_is_missed_by_nobody_but_its_legs_are_still_watched() -> None:
    off = replace(WELL, signed_off=True, has_process=False, quiet_ms=86_400_000, clock_off_ms=99_999)
    assert seen(off, later(off, 60_000)).judgement is Judgement.HEALTHY
    naked = replace(off, is_naked=True)
    assert seen(naked, later(naked, 10_000)).judgement is Judgement.TAKE_OVER


def test_with_nothing_held_there_is_nothing_to_lose() -> None:
    assert seen(replace(WELL, holds=False, quiet_ms=10**9, is_naked=True)) == FINE


def test_unequal_legs_are_counted_from_when_they_were_seen() -> None:
    naked = replace(WELL, is_naked=True)
    assert seen(naked, later(naked, 9_999)).judgement is Judgement.SUSPECT
    assert seen(naked, later(naked, 10_000)).judgement is Judgement.TAKE_OVER
    assert seen(naked, later(WELL, 5_000), later(naked, 10_000)).judgement is Judgement.HEALTHY


def test_a_clock_far_off_for_long_enough_is_lost() -> None:
    off = replace(WELL, clock_off_ms=-15_001)
    assert seen(off, later(off, 10_000)).judgement is Judgement.TAKE_OVER
    assert seen(replace(off, clock_off_ms=15_000), later(WELL, 10_000)).judgement is Judgement.HEALTHY


def test_a_venue_that_does_not_answer_proves_nothing() -> None:
    naked, unknown = replace(WELL, is_naked=True), replace(WELL, is_naked=None, clock_off_ms=None)
    blind = seen(naked, later(unknown, 60_000))
    assert blind.judgement is not Judgement.TAKE_OVER
    assert consider(blind, later(naked, 60_500), PATIENCE).judgement is Judgement.TAKE_OVER
    assert seen(unknown, later(unknown, 60_000)).judgement is Judgement.HEALTHY


looks = st.lists(
    st.builds(
        Look,
        now_ms=st.integers(0, 60_000),
        quiet_ms=st.integers(0, 40_000),
        signed_off=st.booleans(),
        has_process=st.booleans(),
        holds=st.booleans(),
        clock_off_ms=st.none() | st.integers(-40_000, 40_000),
        is_naked=st.none() | st.booleans(),
    ),
    max_size=12,
)


@given(looks)
def test_taking_over_always_has_a_sign_that_is_lost_now_and_was_for_its_whole_patience(
    history: list[Look],
) -> None:
    opinion = FINE
    ordered = [replace(look, now_ms=n * 3_000) for n, look in enumerate(history, 1)]
    for n, look in enumerate(ordered):
        opinion = consider(opinion, look, PATIENCE)
        if opinion.judgement is not Judgement.TAKE_OVER:
            continue
        assert look.holds
        silent = not look.signed_off and look.quiet_ms >= PATIENCE.after_ms
        unequal = look.is_naked is True and opinion.lost_ms[Sign.HEDGES] <= look.now_ms - PATIENCE.after_ms
        off = (
            look.clock_off_ms is not None
            and abs(look.clock_off_ms) > PATIENCE.clock_off_ms
            and opinion.lost_ms[Sign.CLOCK] <= look.now_ms - PATIENCE.after_ms
        )
        assert silent or unequal or off
        if not silent and unequal and not off:  # nobody saw it well in between
            since_ms = opinion.lost_ms[Sign.HEDGES]
            assert all(one.is_naked is not False for one in ordered[: n + 1] if one.now_ms >= since_ms)
