"""`scripts/venue.serve` as a child process, with the real economics behind it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.errors import UsageError
from scripts.market import market_of
from scripts.venue import serve
from tests.exchange.sim.surface.client import signed_headers

ROOT = Path(__file__).parents[4]
CODE = """
import asyncio
from pathlib import PosixPath
from scripts.venue import serve
asyncio.run(serve(port=0, tape=None, seed=7, speed=1.0, instruments=("BTC-USDT",), lockstep=True,
                  stop_on_stdin_eof={eof}, **{more}))
"""


@contextmanager
def child(eof: bool, **more: object) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    with subprocess.Popen(
        [sys.executable, "-c", CODE.format(eof=eof, more=more)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def ask(hello: dict[str, int], path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{hello['port']}{path}", data, headers or {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def test_a_hedge_is_opened_on_the_real_venue_and_its_books_show_it() -> None:
    with child(eof=True) as (_, hello):
        assert ask(hello, "/api/v5/public/time")["data"][0]["ts"] == str(hello["now_ms"])

        def post(path: str, body: dict[str, str]) -> Any:
            text = json.dumps(body)
            answer = ask(hello, path, body, signed_headers(hello["now_ms"], "POST", path, text))
            return answer["data"][0]

        def get(path: str) -> Any:
            return ask(hello, path, None, signed_headers(hello["now_ms"], "GET", path, ""))["data"]

        [ticker] = ask(hello, "/api/v5/market/ticker?instId=BTC-USDT")["data"]
        spot = {
            "instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "ioc", "sz": "0.01",
            "px": ticker["askPx"],
        }  # fmt: skip
        assert post("/api/v5/trade/order", spot)["sCode"] == "0"
        swap = {
            "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "market", "sz": "1",
        }  # fmt: skip
        assert post("/api/v5/trade/order", swap)["sCode"] == "0"
        fills = get("/api/v5/trade/fills")
        assert sorted({row["instId"] for row in fills}) == ["BTC-USDT", "BTC-USDT-SWAP"]
        [position] = get("/api/v5/account/positions")
        assert position["pos"] == "-1"
        [balance] = get("/api/v5/account/balance")
        btc = next(row for row in balance["details"] if row["ccy"] == "BTC")
        assert 0 < float(btc["cashBal"]) < 0.01  # the fee of a spot buy is taken in the coin
        assert len(get("/api/v5/account/bills")) >= 3
        edited = ask(hello, "/sim/instrument/BTC-USDT-SWAP", {"state": "suspend"})
        assert edited["state"] == "suspend"
        assert post("/api/v5/trade/order", swap)["sCode"] != "0"


def test_the_child_ends_when_its_parent_closes_its_input() -> None:
    with child(eof=True) as (process, _):
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0


def test_the_child_ends_at_once_and_cleanly_when_its_input_is_no_pipe(tmp_path: Path) -> None:
    (file := tmp_path / "input").write_text("text")
    for path in (Path("/dev/null"), file):
        with path.open() as stdin:
            code = CODE.format(eof=True, more={})
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=ROOT, stdin=stdin, capture_output=True, timeout=60
            )
        assert (done.returncode, done.stderr) == (0, b"")


def test_the_child_ends_cleanly_when_told_to() -> None:
    with child(eof=False) as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def test_a_venue_starts_with_faults_writes_its_log_and_is_saved_and_restored(tmp_path: Path) -> None:
    faults, log, saved = tmp_path / "faults.yaml", tmp_path / "log", tmp_path / "venue"
    faults.write_text("rules: [{id: gone, where: {rest: 'GET *'}, what: {http: {status: 503}}}]")
    with child(eof=True, faults=faults, log=log, snapshot=saved) as (process, hello):
        with pytest.raises(urllib.error.HTTPError, match="503"):
            ask(hello, "/api/v5/public/time")
        ask(hello, "/sim/account/demo", {"cash": {"USDT": "7"}})
        state = ask(hello, "/sim/state")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["fault", "edit", "AccountChanged"]
    with child(eof=True, restore=saved) as (_, hello):
        assert ask(hello, "/sim/state") == state
        [rule] = ask(hello, "/sim/faults")["rules"]
        assert (rule["id"], rule["hits"]) == ("gone", 1)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"faults": "x.yaml"}, ["--faults", "x.yaml", "melt", "allowed"]),
        ({"faults": "nothing.yaml"}, ["--faults", "nothing.yaml", "allowed"]),
        ({"restore": "x.yaml"}, ["--restore", "x.yaml", "not a snapshot", "allowed"]),
        ({"restore": "nothing"}, ["--restore", "nothing", "No such file", "allowed"]),
        ({"log": "no/such/folder"}, ["--log", "no/such/folder", "allowed"]),
    ],
)
async def test_files_that_cannot_be_had_are_one_clear_error(
    files: dict[str, str], words: list[str], tmp_path: Path
) -> None:
    (tmp_path / "x.yaml").write_text("rules: [{what: melt}]")
    paths = {name: tmp_path / file for name, file in files.items()}
    with pytest.raises(UsageError) as refused:
        await serve(0, None, 7, 1.0, ("BTC-USDT",), **paths)  # type: ignore[arg-type]
    for word in words:
        assert word in str(refused.value)


def test_an_end_without_a_tape_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--tape"):
        market_of(None, 7, ("BTC-USDT",), None, 1)


def test_a_demo_venue_refuses_the_keys_of_live_clients() -> None:
    with child(eof=True, environment="demo") as (_, hello):
        path = "/api/v5/account/config"
        headers = signed_headers(hello["now_ms"], "GET", path, "")
        with pytest.raises(urllib.error.HTTPError, match="401") as refused:
            ask(hello, path, None, headers)
        refused.value.close()
        assert ask(hello, path, None, {**headers, "x-simulated-trading": "1"})["code"] == "0"


async def test_an_environment_nobody_knows_is_one_clear_error() -> None:
    with pytest.raises(UsageError, match="--environment test: allowed: any, live, demo"):
        await serve(0, None, 7, 1.0, ("BTC-USDT",), environment="test")
