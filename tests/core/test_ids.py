from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import MAX_LENGTH, JournalIds, OrderId, base36, is_ours, next_epoch, parse
from core.types import Leg

LATE_MS = 4_102_444_800_000  # 2100-01-01

epochs = st.integers(0, 36**6)
legs = st.sampled_from(list(Leg))


@given(epochs, epochs, st.integers(1, 50), legs, st.integers(1, 50))
def test_an_order_id_reads_back_as_what_it_was_made_of(
    hedge_epoch: int, epoch: int, hedges: int, leg: Leg, attempts: int
) -> None:
    earlier, now = JournalIds(hedge_epoch), JournalIds(epoch)
    hedge_id = [earlier.hedge_id("BTC-USDT") for _ in range(hedges)][-1]
    cl_id = [now.order_id(hedge_id, leg.value) for _ in range(attempts)][-1]
    assert parse(cl_id) == OrderId(hedge_id, leg, epoch, attempts)
    assert cl_id.startswith(hedge_id)


@pytest.mark.fault("OL10")
def test_ids_of_a_century_of_epochs_and_a_million_attempts_fit_the_venue() -> None:
    epoch = next_epoch(0, LATE_MS)
    used = f"FE{base36(epoch)}H{base36(9999)}P{base36(epoch)}N{base36(999_999)}"
    ids = JournalIds(epoch, [used])
    cl_id = ids.order_id(ids.hedge_id("BTC-USDT"), "swap")
    assert len(ids.order_id(parse(used).hedge_id, "swap")) <= MAX_LENGTH  # type: ignore[union-attr]
    for text in (cl_id, ids.transfer_id()):
        assert text.isascii() and text.isalnum() and len(text) <= MAX_LENGTH


def test_an_id_that_would_be_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than 32"):
        JournalIds(36**24).order_id("FE1H1", "spot")


@given(st.lists(st.tuples(st.sampled_from("hot"), legs), max_size=40), epochs)
def test_no_id_is_given_out_twice_not_even_by_a_process_that_forgot_to_change_its_epoch(
    calls: list[tuple[str, Leg]], epoch: int
) -> None:
    given_out: list[str] = ["FE0H1"]
    for _ in range(2):
        ids = JournalIds(epoch, given_out)
        for what, leg in calls:
            if what == "h":
                given_out.append(ids.hedge_id("BTC-USDT"))
            elif what == "t":
                given_out.append(ids.transfer_id())
            else:
                hedge = [g for g in given_out if "H" in g and "N" not in g][-1]
                given_out.append(ids.order_id(hedge, leg.value))
    fresh = given_out[1:]
    assert len(set(fresh)) == len(fresh)


def test_a_hedge_that_outlives_its_process_gets_new_order_ids() -> None:
    first, second = JournalIds(1), JournalIds(2)
    hedge_id = first.hedge_id("BTC-USDT")
    assert first.order_id(hedge_id, "spot") != second.order_id(hedge_id, "spot")


def test_a_hedge_known_by_its_orders_alone_is_not_numbered_again() -> None:
    assert JournalIds(1, ["FE1H4S1N2", "FE0H9S1N1"]).hedge_id("BTC-USDT") == "FE1H5"


def test_both_legs_count_their_own_attempts() -> None:
    ids = JournalIds(5)
    made = [ids.order_id("FE5H1", leg) for leg in ("spot", "swap", "spot")]
    assert made == ["FE5H1S5N1", "FE5H1P5N1", "FE5H1S5N2"]


@given(st.from_regex("FE[0-9a-z]{1,2}H[0-9a-z]{1,2}[SP][0-9a-z]{1,2}N[0-9a-z]{1,2}", fullmatch=True))
def test_a_text_that_is_read_as_an_order_id_is_the_only_spelling_of_it(text: str) -> None:
    order = parse(text)
    if order is None:
        assert "0" in text  # a leading zero: we never write one
        return
    letter = "S" if order.leg is Leg.SPOT else "P"
    assert text == f"{order.hedge_id}{letter}{base36(order.epoch)}N{base36(order.attempt)}"


@pytest.mark.parametrize(
    "text",
    ["", "12345", "FE1H1", "FE1T1", "FE1H1X1N1", "FE01H1S1N1", "fe1h1s1n1", "FE1H1S1N1 ", "XFE1H1S1N1"],
)
def test_an_id_that_is_not_an_order_of_ours_is_not_claimed(text: str) -> None:
    assert not is_ours(text)


@pytest.mark.parametrize(("hedge_id", "leg"), [("mine", "spot"), ("FE1H1", "option"), ("FE1T1", "spot")])
def test_nonsense_gets_no_order_id(hedge_id: str, leg: str) -> None:
    with pytest.raises(ValueError):
        JournalIds(1).order_id(hedge_id, leg)


def test_an_epoch_is_above_the_last_and_above_every_one_before_this_second() -> None:
    assert next_epoch(7, 1_577_836_800_000) == 8
    assert next_epoch(0, 1_577_836_900_000) == 100
    assert next_epoch(500, 1_577_836_900_000) == 501


@given(st.integers(0, 10**12))
def test_base36_reads_back(number: int) -> None:
    assert int(base36(number), 36) == number
