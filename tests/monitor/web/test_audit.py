"""Who is turned away is counted in the journal, and cannot fill it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from monitor.web.audit import BURST, GAP_S, LONGEST, LOOK_S, MOST, PER_S, Refusals
from monitor.web.door import Refusal

FOREIGN = Refusal(403, "foreign_origin", "pages of other servers may not ask here")
WRONG = Refusal(401, "wrong_token", "this is not the token")


class Night:
    """A door, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.refusals = Refusals(lambda: self.now_s)

    def knock(self, why: Refusal = FOREIGN, address: str = "10.0.0.1", path: str = "/api/halt") -> bool:
        return self.refusals.note(address, "POST", path, why)

    def rows(self, after_s: float = LOOK_S) -> tuple[Mapping[str, object], ...]:
        self.now_s += after_s
        return self.refusals.due()


def test_the_first_refusal_is_a_row_at_once() -> None:
    night = Night()
    assert night.rows() == ()
    assert night.knock()
    assert night.rows() == (
        {
            "what": "refused",
            "error": "foreign_origin",
            "status": 403,
            "address": "10.0.0.1",
            "count": 1,
            "detail": "POST /api/halt",
        },
    )
    assert night.rows() == ()


def test_who_goes_on_is_a_row_a_minute_with_their_number_and_a_line_of_the_log_once() -> None:
    night = Night()
    lines, counts = 0, []
    for _ in range(300):
        lines += night.knock()
        counts += [row["count"] for row in night.rows(1.0)]
    assert lines == 1
    assert counts == [1, 60, 60, 60, 60]
    night.knock(path="/api/config")
    [row] = night.rows(GAP_S)
    assert (row["count"], row["detail"]) == (60, "POST /api/config")


def test_after_a_quiet_minute_it_is_news_again() -> None:
    night = Night()
    night.knock()
    night.rows()
    night.rows(GAP_S)
    assert night.knock() and len(night.rows()) == 1


def test_addresses_and_reasons_are_told_apart() -> None:
    night = Night()
    night.knock(FOREIGN, "10.0.0.1")
    night.knock(WRONG, "10.0.0.1")
    night.knock(WRONG, "10.0.0.2")
    assert {(row["address"], row["error"]) for row in night.rows()} == {
        ("10.0.0.1", "foreign_origin"),
        ("10.0.0.1", "wrong_token"),
        ("10.0.0.2", "wrong_token"),
    }


def test_a_day_of_knocking_from_everywhere_is_counted_whole_in_few_rows() -> None:
    night = Night()
    rows = []
    for second in range(0, 86_400, 7):
        for n in range(20):
            night.knock(WRONG if n % 2 else FOREIGN, f"10.{second % 256}.{n}.{second // 256 % 256}")
        rows += night.rows(7.0)
    rows += night.refusals.due(is_last=True)
    assert sum(int(str(row["count"])) for row in rows) == 20 * len(range(0, 86_400, 7))
    assert len(rows) <= BURST + 86_400 * PER_S + 2
    assert all(len(str(row)) < 300 for row in rows)
    summed = [row for row in rows if row["error"] == "several"]
    assert summed and "wrong_token" in str(summed[0]["detail"]) and summed[0]["address"] == ""
    assert len(night.refusals._counts) <= MOST + 2


def test_what_waits_for_its_minute_is_told_at_the_end() -> None:
    night = Night()
    for _ in range(5):
        night.knock()
        night.rows()
    assert [row["count"] for row in night.refusals.due(is_last=True)] == [4]
    assert night.refusals.due(is_last=True) == ()


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::1", "::1"),
        ("?", "?"),
    ],
)
def test_one_host_cannot_go_by_many_names(address: str, known_as: str) -> None:
    night = Night()
    night.knock(address=address)
    assert [row["address"] for row in night.rows()] == [known_as]


def test_what_a_stranger_wrote_is_cut_and_made_printable() -> None:
    night = Night()
    night.knock(path="/\x1b[2J\n\ud800" + "x" * 1_000)
    [row] = night.rows()
    detail = str(row["detail"])
    assert detail.startswith("POST /?[2J??xxx") and len(detail) == LONGEST
