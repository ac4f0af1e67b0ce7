"""The same venue without a socket: REST for synchronous clients, streams as pairs in memory."""

import json
from typing import Any

import httpx
import pytest

from exchange.sim.surface.inprocess import RESET_CODE, ConnectionLost, InProcess, MemoryStream
from exchange.sim.surface.switchboard import Switchboard
from tests.exchange.sim.surface.client import signed_headers
from tests.exchange.sim.surface.stub_venue import START_MS, STEP_MS, StubVenue, stub_premises

BOOKS = {"channel": "books5", "instId": "BTC-USDT"}
ORDER = {
    "instId": "BTC-USDT-SWAP",
    "tdMode": "cross",
    "side": "sell",
    "ordType": "ioc",
    "px": "59000",
    "sz": "1",
}


class Near:
    """A stub venue in this process and its client."""

    def __init__(self) -> None:
        self.venue = StubVenue()
        self.board = Switchboard(stub_premises(self.venue))
        self.near = InProcess(self.board)

    def post(self, path: str, body: object) -> tuple[int, Any]:
        text = json.dumps(body)
        headers = signed_headers(self.venue.now_ms, "POST", path, text)
        status, _, answer = self.near.request("POST", path, headers=headers, body=text.encode())
        return status, json.loads(answer)


def frames(stream: MemoryStream) -> list[Any]:
    found = []
    while (frame := stream.next_frame()) is not None:
        found.append(json.loads(frame))
    return found


def test_an_unmodified_http_client_reaches_it_through_a_mock_transport() -> None:
    near = Near()
    client = httpx.Client(transport=httpx.MockTransport(near.near), base_url="http://venue")
    answer = client.get("/api/v5/public/time")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["data"] == [{"ts": str(START_MS)}]
    rows = client.get("/api/v5/market/books", params={"instId": "BTC-USDT", "sz": "1"}).json()["data"]
    assert len(rows[0]["asks"]) == 1
    assert client.get("/nothing").status_code == 404


def test_a_signed_order_is_executed_and_its_push_is_there_before_the_answer() -> None:
    near = Near()
    stream = near.near.connect("/ws/v5/public")
    stream.say(json.dumps({"op": "subscribe", "args": [BOOKS]}))
    assert [one.get("event") for one in frames(stream)] == ["subscribe", None]
    assert near.post("/api/v5/trade/order", ORDER)[1]["data"][0]["sCode"] == "0"
    assert list(near.venue.demo.orders)


def test_the_control_interface_answers_too_and_says_who_moves_the_time() -> None:
    near = Near()
    status, _, body = near.near.request("GET", "/sim/clock")
    assert (status, json.loads(body)["driver"]) == (200, "in process")
    assert json.loads(body)["next_ms"] == START_MS + STEP_MS


def test_time_moves_step_by_step_and_pushes_what_happens() -> None:
    near = Near()
    stream = near.near.connect("/ws/v5/public")
    stream.say(json.dumps({"op": "subscribe", "args": [BOOKS]}))
    frames(stream)
    near.board.run_until(START_MS + 2 * STEP_MS)
    assert [int(one["data"][0]["ts"]) for one in frames(stream)] == [
        START_MS + STEP_MS,
        START_MS + 2 * STEP_MS,
    ]


async def test_a_stream_can_be_awaited_and_tells_how_it_ended() -> None:
    near = Near()
    stream = near.near.connect("/ws/v5/private")
    stream.say("ping")
    assert await stream.recv() == "pong"
    stream.say(json.dumps({"op": "login", "args": [{"apiKey": "x"}]}))
    assert json.loads(await stream.recv())["event"] == "error"
    with pytest.raises(ConnectionLost, match="4001"):
        await stream.recv()
    with pytest.raises(ConnectionLost):
        stream.say("ping")


def test_a_stream_closed_by_its_client_is_forgotten() -> None:
    near = Near()
    stream = near.near.connect("/ws/v5/public")
    stream.close()
    near.board.run_until(START_MS + STEP_MS)
    assert stream.closed == (1000, "") and near.board._lines == {}


def test_a_stream_may_be_cut_or_fall_silent() -> None:
    near = Near()
    cut, silent = near.near.connect("/ws/v5/public"), near.near.connect("/ws/v5/public")
    news = []
    cut.on_news = lambda: news.append(cut.closed)
    cut.reset()
    assert cut.closed == (RESET_CODE, "") and news == [cut.closed]
    silent.mute()
    silent.say("ping")
    assert silent.next_frame() is None and silent.closed is None
