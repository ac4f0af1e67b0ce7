from exchange.sim.model import InterestRow
from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import HOUR_MS, START_MS, D


def test_auto_loan_is_switched() -> None:
    rest = Rest()
    assert rest.post("/account/set-auto-loan", {"autoLoan": True})[1]["data"] == [{"autoLoan": True}]
    assert rest.venue.demo.auto_loan and rest.rows("/account/config")[0]["autoLoan"] is True


def test_accrued_interest_is_listed_newest_first_and_by_currency() -> None:
    rest = Rest()
    rest.venue.demo.interest.extend(
        InterestRow(START_MS + n * HOUR_MS, ccy, D("0.3"), D("0.00001822"), D(17_000))
        for n, ccy in enumerate(["USDT", "BTC", "USDT"])
    )
    rows = rest.rows("/account/interest-accrued", ccy="USDT")
    assert [row["ts"] for row in rows] == [str(START_MS + 2 * HOUR_MS), str(START_MS)]
    assert (rows[0]["interest"], rows[0]["interestRate"], rows[0]["liab"]) == ("0.3", "0.00001822", "17000")
    assert rest.rows("/account/interest-accrued", mgnMode="isolated") == []


def test_rates_and_limits_of_borrowing() -> None:
    rest = Rest()
    assert rest.rows("/account/interest-rate", ccy="USDT") == [{"ccy": "USDT", "interestRate": "0.00001822"}]
    [limits] = rest.rows("/account/interest-limits", ccy="USDT")
    assert limits["nextInterestTime"] == str(START_MS + HOUR_MS)
    [record] = limits["records"]
    assert (record["loanQuota"], record["usedLmt"], record["interestFreeLiab"]) == ("500000", "0", "5000")


def test_most_that_may_be_borrowed_for_either_side_of_a_pair() -> None:
    rest = Rest()
    rows = rest.rows("/account/max-loan", instId="BTC-USDT", mgnMode="cross")
    assert [(row["side"], row["ccy"], row["maxLoan"]) for row in rows] == [
        ("sell", "BTC", "0"),
        ("buy", "USDT", "0"),
    ]
    rest.venue.demo.level = "3"
    assert rest.rows("/account/max-loan", ccy="USDT", mgnMode="cross")[0]["maxLoan"] == "12"
    assert rest.get("/account/max-loan", mgnMode="cross")[1]["code"] == "50015"
