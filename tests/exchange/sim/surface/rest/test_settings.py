from exchange.sim.model import PositionKey, PositionRow
from tests.exchange.sim.surface.client import Rest
from tests.exchange.sim.surface.stub_venue import START_MS, D

SWAP = PositionKey("BTC-USDT-SWAP")


def test_the_fee_type_is_chosen_and_shown() -> None:
    rest = Rest()
    assert rest.post("/account/set-fee-type", {"feeType": "1"})[1]["data"] == [{"feeType": "1"}]
    assert rest.rows("/account/config")[0]["feeType"] == "1"
    assert rest.post("/account/set-fee-type", {"feeType": "2"})[1]["code"] == "51000"


def test_isolated_margin_comes_by_itself() -> None:
    body = {"isoMode": "automatic", "type": "CONTRACTS"}
    assert Rest().post("/account/set-isolated-mode", body)[1]["data"] == [{"isoMode": "automatic"}]
    assert Rest().post("/account/set-isolated-mode", {**body, "isoMode": "x"})[1]["code"] == "51000"


def test_the_risk_state_belongs_to_portfolio_margin() -> None:
    assert Rest().get("/account/risk-state")[1]["code"] == "51010"


def test_the_precheck_of_a_level_names_what_is_in_the_way() -> None:
    rest = Rest()
    [free] = rest.rows("/account/set-account-switch-precheck", acctLv="3")
    assert (free["sCode"], free["curAcctLv"], free["unmatchedInfoCheck"]) == ("0", "2", [])
    rest.venue.demo.positions[SWAP] = PositionRow(SWAP, "1001", D(-5), D(60_000), D(3), START_MS, START_MS)
    rest.order(clOrdId="live1")
    [busy] = rest.rows("/account/set-account-switch-precheck", acctLv="3")
    assert busy["sCode"] == "1"
    assert [one["type"] for one in busy["unmatchedInfoCheck"]] == ["pending_orders", "cross_margin"]
    preset = rest.post("/account/account-level-switch-preset", {"acctLv": "3", "lever": "2"})[1]
    assert preset["data"] == [{"acctLv": "3", "curAcctLv": "2", "lever": "2", "riskOffsetType": ""}]
