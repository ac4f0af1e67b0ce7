"""Insurance funds, takeovers and deleveraging as the public sees them."""

from exchange.sim.events import AdlChanged, Liquidated
from tests.exchange.sim.surface.client import Rest, Stream
from tests.exchange.sim.surface.stub_venue import START_MS, D


def test_an_insurance_fund_is_shown_with_its_changes() -> None:
    rest = Rest()
    [fund] = rest.rows("/public/insurance-fund", instType="SWAP", instFamily="BTC-USDT")
    assert (fund["total"], fund["instFamily"], fund["instType"]) == ("600000", "BTC-USDT", "SWAP")
    [entry] = fund["details"]
    assert (entry["type"], entry["balance"], entry["decRate"]) == ("regular_update", "1000000", "0.4")
    assert rest.get("/public/insurance-fund", instType="SWAP")[1]["code"] == "50015"
    assert rest.get("/public/insurance-fund", instType="SWAP", uly="X-Y")[1]["code"] == "51000"
    [none] = rest.rows("/public/insurance-fund", instType="SWAP", uly="BTC-USDT", type="bankruptcy_loss")
    assert none["details"] == []


def test_takeovers_are_pushed_together_and_at_most_once_a_second() -> None:
    rest = Rest()
    stream = Stream(rest, "public")
    stream.subscribe(channel="liquidation-orders", instType="SWAP")
    took = Liquidated("BTC-USDT-SWAP", "buy", "net", D("62822.9"), D(100), D("5.5"), START_MS)
    rest.venue.now_ms += 1_000
    rest.venue.outbox += [took, took]
    [push] = [frame for frame in stream.news() if "data" in frame]
    [row] = push["data"]
    assert (row["instId"], row["uly"], len(row["details"])) == ("BTC-USDT-SWAP", "BTC-USDT", 2)
    detail = row["details"][0]
    assert (detail["side"], detail["posSide"], detail["bkPx"]) == ("buy", "short", "62822.9")
    assert (detail["sz"], detail["bkLoss"]) == ("100", "5.5")
    rest.venue.outbox.append(took)
    assert stream.news() == []
    rest.venue.now_ms += 1_000
    assert len(stream.news()[0]["data"][0]["details"]) == 1


def test_the_adl_warning_speaks_every_minute_and_every_second_while_it_goes_on() -> None:
    rest = Rest()
    stream = Stream(rest, "public")
    *_, push = stream.subscribe(channel="adl-warning", instType="SWAP")
    [row] = push["data"]
    assert (row["state"], row["bal"], row["decRate"], row["adlRate"]) == ("warning", "600000", "0.4", "0.3")
    rest.venue.now_ms += 59_000
    assert stream.news() == []
    rest.venue.deleverages = True
    rest.venue.outbox.append(AdlChanged("BTC-USDT"))
    assert stream.news()[0]["data"][0]["state"] == "adl"
    rest.venue.now_ms += 1_000
    assert len(stream.news()) == 1
    rest.venue.deleverages = False
    rest.venue.now_ms += 1_000
    assert stream.news() == []


def test_the_adl_warning_of_one_family_names_it_in_its_argument() -> None:
    stream = Stream(Rest(), "public")
    arg = {"channel": "adl-warning", "instType": "SWAP", "instFamily": "BTC-USDT"}
    _, push = stream.subscribe(**arg)
    assert push["arg"] == arg and [row["instFamily"] for row in push["data"]] == ["BTC-USDT"]
    [refused] = stream.subscribe(**{**arg, "instFamily": "NO-USDT"})
    assert refused["code"] == "60018"
