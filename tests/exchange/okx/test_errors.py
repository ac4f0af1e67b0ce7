"""What each answer says about the world."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AuthFailed, BadPayload, RateLimited, VenueDown, VenueError, VenueRejected
from exchange.okx import wire
from exchange.okx.errors import HttpReply, refusal, unpack


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        ("50100 50101 50102 50105 50110 50111 50113 50114 50119 50120 50012 50035 60009 60024", AuthFailed),
        ("50011 50040 50061 51113 58102 60014", RateLimited),
        ("50001 50004 50013 50026 51054 51149 51412 58124", VenueDown),
        ("50071 51016", VenueDown),  # our own earlier order: to be asked for, not to be given up
        (
            "50014 50023 51000 51001 51008 51020 51030 51121 51169 51400 51603 54012 58111 58120 59000",
            VenueRejected,
        ),
        ("59999 12345", VenueRejected),  # unknown to us, but said in good order
    ],
)
def test_each_code_has_its_class(codes: str, kind: type[VenueError]) -> None:
    for code in codes.split():
        error = refusal(code, "words of the venue")
        assert type(error) is kind, code
        assert error.code == code
        assert "words of the venue" in str(error)


def test_an_unknown_code_with_a_server_error_is_an_unknown_outcome() -> None:
    assert type(refusal("50999", "", status=500)) is VenueDown


@pytest.mark.fault("RE11")
def test_a_missing_data_list_is_no_rows() -> None:
    assert unpack(HttpReply(200, b'{"code":"0","data":null}'), wire.Order) == []


def test_rows_of_another_shape_are_a_bad_payload_with_the_raw_text() -> None:
    with pytest.raises(BadPayload, match="ordId"):
        unpack(HttpReply(200, b'{"code":"0","data":[{"ordId":17}]}'), wire.Order)


def test_success_under_a_failing_status_is_not_believed() -> None:
    with pytest.raises(VenueDown):
        unpack(HttpReply(500, b'{"code":"0","data":[]}'), wire.Order)


@given(status=st.sampled_from([200, 400, 401, 429, 500, 502]), body=st.binary(max_size=80))
def test_any_bytes_become_rows_or_a_venue_error(status: int, body: bytes) -> None:
    try:
        rows = unpack(HttpReply(status, body), wire.Ack)
    except VenueError:
        return
    assert isinstance(rows, list)


@given(
    code=st.sampled_from(["0", "1", "2", "51008", ""]),
    item=st.dictionaries(
        st.sampled_from(["ordId", "sCode", "sMsg", "clOrdId"]),
        st.one_of(st.none(), st.text(max_size=5), st.integers(), st.booleans()),
    ),
)
def test_any_item_becomes_a_row_or_a_venue_error(code: str, item: dict[str, object]) -> None:
    body = json.dumps({"code": code, "msg": "m", "data": [item]}).encode()
    try:
        (row,) = unpack(HttpReply(200, body), wire.Ack)
    except VenueError:
        return
    assert code == "0" and row.s_code in ("", None, "0")
