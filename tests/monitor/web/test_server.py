"""The web's own thread: how many answers it makes at once, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Lock, Semaphore

import httpx
from fastapi import FastAPI

from monitor.web.server import AT_ONCE, WebServer


class Crowded:
    """An answer that takes until the gate opens, and counts how many are being made."""

    def __init__(self) -> None:
        self.begun, self.gate = Semaphore(0), Event()
        self.most = self._now = 0
        self._lock = Lock()

    def answer(self) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.begun.release()
        self.gate.wait()
        with self._lock:
            self._now -= 1
        return "made"


def app(crowded: Crowded) -> FastAPI:
    api = FastAPI()
    api.get("/slow")(crowded.answer)

    @api.get("/quick")
    async def quick() -> str:
        return "there"

    return api


@contextmanager
def served(crowded: Crowded) -> Iterator[str]:
    server = WebServer(lambda: app(crowded), "127.0.0.1", 0)
    server.start()
    try:
        yield server.url
    finally:
        crowded.gate.set()
        server.stop()


def test_a_crowd_of_questions_takes_turns_and_holds_up_no_sign_of_life() -> None:
    crowded = Crowded()
    with served(crowded) as url, ThreadPoolExecutor(6) as askers:
        asked = [askers.submit(httpx.get, f"{url}slow", timeout=60) for _ in range(6)]
        for _ in range(AT_ONCE):
            assert crowded.begun.acquire(timeout=60)
        assert httpx.get(f"{url}quick", timeout=60).json() == "there"
        crowded.gate.set()
        assert [one.result().json() for one in asked] == ["made"] * 6
    assert crowded.most == AT_ONCE
