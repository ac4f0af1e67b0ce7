"""What a process of the engine has seen of the order books, and when: it can act on nothing younger."""

from __future__ import annotations

from typing import Final

from exchange.sim.surface.wires import Reply

CHANNEL: Final = b'{"arg":{"channel":"books'
INST_ID: Final = b'"instId":"'
BOOK_PATH: Final = "/api/v5/market/books?"


class Sights:
    """Told of every public frame and every answer that a process takes in; one process at a time."""

    def __init__(self) -> None:
        self._seen_ms: dict[str, int] = {}

    def forget(self) -> None:
        """The process is gone, and what it had seen with it."""
        self._seen_ms.clear()

    def pushed(self, frame: bytes, now_ms: int) -> None:
        if frame.startswith(CHANNEL):
            begin = frame.index(INST_ID) + len(INST_ID)
            self._seen_ms[frame[begin : frame.index(b'"', begin)].decode()] = now_ms

    def answered(self, path: str, reply: Reply, now_ms: int) -> None:
        if path.startswith(BOOK_PATH) and b'"code":"0"' in reply.body[:40]:
            inst_id = path.partition("instId=")[2].partition("&")[0]
            self._seen_ms[inst_id] = now_ms

    def age_ms(self, inst_id: str, now_ms: int) -> int | None:
        """How old the newest picture of a book is; None when there is none."""
        seen_ms = self._seen_ms.get(inst_id)
        return None if seen_ms is None else now_ms - seen_ms
