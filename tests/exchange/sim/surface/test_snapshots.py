"""The whole venue saved and restored: it goes on as if nothing had happened."""

import asyncio
import json
from pathlib import Path

import pytest

from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.surface.inprocess import RESET_CODE, InProcess
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.snapshots import MAGIC, BadSnapshot
from exchange.sim.surface.switchboard import Switchboard
from tests.exchange.sim.faults.lab import ORDER_PATH, PLACING, SWAP, Lab
from tests.exchange.sim.surface.sockets import heard, running, said
from tests.exchange.sim.surface.stub_venue import START_MS
from tests.exchange.sim.surface.test_clock import attach, idle, info
from tests.exchange.sim.worlds import HOUR_MS, MINUTE_MS


class Lively(Lab):
    """A lab on a generated market, with chance in its faults."""

    def __init__(self) -> None:
        self.venue = Exchange(GeneratedMarket(3, ("BTC", "ETH")), 3, check=True)
        self.board = Switchboard(premises_of(self.venue, rate_limits=False))
        self.near = InProcess(self.board)

    def live(self, name: str, rounds: int) -> None:
        """Trade, wait, rest an order, transfer: the same inputs for the same arguments."""
        for n in range(rounds):
            price = "100000" if n % 2 else "1000"
            side = "buy" if n % 2 else "sell"
            self.raw("POST", ORDER_PATH, "", {
                "instId": SWAP, "tdMode": "cross", "side": side, "ordType": "market", "sz": "0.5",
                "clOrdId": f"{name}{n}",
            })  # fmt: skip
            self.raw("POST", ORDER_PATH, "", {
                "instId": SWAP, "tdMode": "cross", "side": side, "ordType": "post_only", "sz": "0.5",
                "px": price, "clOrdId": f"{name}r{n}",
            })  # fmt: skip
            self.wait(2 * HOUR_MS + 77)

    def state(self) -> object:
        return self.control("GET", "/sim/state")[1]


def lively() -> Lively:
    lab = Lively()
    lab.fault({"http": {"status": 502}}, PLACING, chance=0.3)
    lab.fault({"suspend": {"inst_id": SWAP, "lasts": "3h"}}, at="9h")
    lab.fault({"clock": {"ms": 700, "lasts": "1h"}}, at="20h")
    lab.live("a", 5)
    return lab


def test_a_restored_venue_lives_on_exactly_as_without_it() -> None:
    lab = lively()
    lab.private().follow("orders", instType="ANY")
    assert lab.control("POST", "/sim/snapshot", {"name": "noon"}) == (200, {"snapshots": ["noon"]})
    lab.live("b", 8)
    without = lab.state()
    assert lab.control("POST", "/sim/restore", {"name": "noon"})[0] == 200
    lab.live("b", 8)
    assert lab.state() == without
    lab.control("POST", "/sim/restore", {"name": "noon"})
    lab.live("c", 8)
    assert lab.state() != without


def test_a_venue_restored_elsewhere_lives_on_the_same() -> None:
    lab, other = lively(), Lively()
    saved = lab.board.save()
    lab.live("b", 5)
    other.board.load(saved)
    other.live("b", 5)
    assert other.state() == lab.state()
    assert other.control("GET", "/sim/log", query="limit=10000") == lab.control(
        "GET", "/sim/log", query="limit=10000"
    )


def test_streams_are_reset_and_clients_may_come_back() -> None:
    lab = Lab()
    public = lab.stream()
    lab.control("POST", "/sim/snapshot", {"name": "s"})
    lab.wait(MINUTE_MS)
    lab.control("POST", "/sim/restore", {"name": "s"})
    assert public.closed == (RESET_CODE, "") and lab.board.now_ms == START_MS
    again = lab.stream()
    again.follow("books5", instId=SWAP)
    lab.wait(MINUTE_MS)
    assert again.heard()


def test_what_is_shown_wrongly_is_shown_wrongly_after_a_restore_until_it_ends() -> None:
    lab = Lab()
    lab.fault({"book": {"inst_id": SWAP, "shape": "empty", "lasts": "2m"}})
    saved = lab.board.save()
    lab.wait(3 * MINUTE_MS)
    lab.board.load(saved)
    query = f"instId={SWAP}"
    assert lab.get("/api/v5/market/books", query)[1]["data"][0]["bids"] == []
    lab.wait(2 * MINUTE_MS)
    assert lab.get("/api/v5/market/books", query)[1]["data"][0]["bids"]


def test_a_name_nobody_took_a_snapshot_under_is_refused() -> None:
    lab = Lab()
    assert lab.control("POST", "/sim/restore", {"name": "s"})[1]["error"]["allowed"] == "none has been taken"
    lab.control("POST", "/sim/snapshot", {"name": "t"})
    status, answer = lab.control("POST", "/sim/restore", {"name": "s"})
    assert (status, answer["error"]["allowed"]) == (400, "t")
    for body in ({}, {"name": ""}, {"name": 5}, {"name": "s", "more": 1}):
        assert lab.control("POST", "/sim/snapshot", body)[0] == 400


@pytest.mark.parametrize("harm", ["magic", "version", "content", "end"])
def test_bytes_that_are_no_snapshot_are_refused_and_change_nothing(harm: str) -> None:
    lab = Lab()
    saved = bytearray(lab.board.save())
    match harm:
        case "magic":
            saved[0] ^= 1
        case "version":
            saved[len(MAGIC) + 1] += 1
        case "content":
            saved[-100] ^= 1
        case _:
            del saved[-1:]
    lab.wait(MINUTE_MS)
    with pytest.raises(BadSnapshot):
        lab.board.load(bytes(saved))
    assert lab.board.now_ms == START_MS + MINUTE_MS


async def test_over_sockets_streams_are_reset_and_the_clock_goes_on_from_there() -> None:
    async with (
        running() as server,
        server.socket("/sim/clock") as clock,
        server.socket("/ws/v5/public") as old,
    ):
        await attach(clock)
        await ask(server.port, "POST", "/sim/snapshot", {"name": "s"})
        await said(old, op="subscribe", args=[{"channel": "books5", "instId": "BTC-USDT"}])
        await heard(old)
        while (await idle(clock, START_MS + 5_000))["now_ms"] < START_MS + 5_000:
            pass
        await ask(server.port, "POST", "/sim/restore", {"name": "s"})
        await old.wait_closed()
        assert old.close_code == RESET_CODE
        assert (await info(server))["now_ms"] == START_MS
        assert (await idle(clock, START_MS + 7))["now_ms"] == START_MS + 7


async def test_a_free_running_clock_runs_on_from_where_it_was_restored_to() -> None:
    async with running(speed=1_000.0) as server:
        await ask(server.port, "POST", "/sim/snapshot", {"name": "s"})
        while (await info(server))["now_ms"] < START_MS + 2_000_000:
            pass
        await ask(server.port, "POST", "/sim/restore", {"name": "s"})
        back_ms = (await info(server))["now_ms"]
        assert back_ms < START_MS + 1_500_000
        while (now_ms := (await info(server))["now_ms"]) <= back_ms:
            pass
        assert now_ms < START_MS + 1_500_000


async def ask(port: int, method: str, path: str, body: object) -> None:
    text = json.dumps(body)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(text)}\r\n\r\n"
    writer.write((head + text).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b" 200 OK" in answer, answer


def test_a_saved_venue_fits_a_file(tmp_path: Path) -> None:
    lab = lively()
    path = tmp_path / "venue"
    path.write_bytes(lab.board.save())
    assert path.stat().st_size < 100_000_000
    other = Lively()
    other.board.load(path.read_bytes())
    assert other.state() == lab.state()
