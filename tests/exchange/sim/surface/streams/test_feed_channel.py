"""The books channel on a recorded order book, kept by a client of a few lines."""

import json
from decimal import Decimal

from exchange.sim.exchange import Exchange
from exchange.sim.markets.tape import TapeMarket
from exchange.sim.surface.inprocess import InProcess, MemoryStream
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.switchboard import Switchboard
from exchange.tape import read_tape
from tests.exchange.sim.markets.test_feed import DATA, FROM_MS, SWAP, needs_data, plain_books

D = Decimal


class Kept:
    """A book as a client keeps it; every update has to follow the one before."""

    def __init__(self, stream: MemoryStream) -> None:
        self._stream = stream
        self.seq_id = 0
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}

    def hear(self) -> int:
        heard = 0
        while (text := self._stream.next_frame()) is not None:
            message = json.loads(text)
            if "data" not in message:
                continue
            (data,) = message["data"]
            assert data["prevSeqId"] == (-1 if message["action"] == "snapshot" else self.seq_id)
            self.seq_id, heard = data["seqId"], heard + 1
            for name, side in self.sides.items():
                for price, size, *_ in data[name]:
                    side[D(price)] = D(size)
                    if not D(size):
                        del side[D(price)]
        return heard


@needs_data
def test_the_books_channel_follows_the_recorded_book_number_by_number() -> None:
    venue = Exchange(TapeMarket(read_tape(DATA, ["BTC"], FROM_MS, FROM_MS + 900_000)), seed=1)
    board = Switchboard(premises_of(venue))
    begin_ms = 1_723_161_257_000
    board.run_until(begin_ms)
    stream = InProcess(board).connect("/ws/v5/public")
    kept, plain = Kept(stream), plain_books("perp")
    stream.say(json.dumps({"op": "subscribe", "args": [{"channel": "books", "instId": SWAP}]}))
    update_id, book = 0, {"b": {}, "a": {}}
    checked = 0
    for second in range(1, 61):
        board.run_until(begin_ms + second * 1_000)
        if not kept.hear():
            continue
        while update_id < kept.seq_id:
            update_id, _, book = next(plain)
        assert update_id == kept.seq_id
        for name, key in (("bids", "b"), ("asks", "a")):
            best = sorted(book[key], reverse=key == "b")[:400]
            assert {p: q / 100 for p, q in kept.sides[name].items()} == {p: book[key][p] for p in best}
        checked += 1
    assert checked > 50
