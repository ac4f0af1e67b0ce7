"""What rude clients send: byte streams for one connection each, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Final

HANDSHAKE: Final = (
    b"GET /ws/v5/%s HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
TIME: Final = b"GET /api/v5/public/time HTTP/1.1\r\nHost: x\r\n\r\n"
TEXT, BINARY, CLOSE, PING, CONTINUED = 1, 2, 8, 9, 0
FINAL, MASKED = 0x80, 0x80


class End(Enum):
    """How a conversation must end."""

    CLOSED = "the venue closes with a code"
    GOES_ON = "the venue answers a ping"
    ANY = "nothing to say: the client leaves half-way"


@dataclass(frozen=True, slots=True)
class Rudeness:
    """`raw` follows the handshake, where there is one. `codes` are the closing codes allowed."""

    name: str
    raw: bytes
    end: End
    codes: tuple[int, ...] = ()
    stream: bool = True


def frame(
    payload: bytes, opcode: int = TEXT, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """A client's frame, masked with zeros."""
    first, size = (FINAL if final else 0) | reserved | opcode, len(payload)
    mask = MASKED if masked else 0
    if size < 126:
        head = bytes([first, mask | size])
    elif size < 65_536:
        head = bytes([first, mask | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, mask | 127]) + size.to_bytes(8, "big")
    return head + (bytes(4) if masked else b"") + payload


def _subscribe(n: int) -> bytes:
    arg = {"channel": "books", "instId": "BTC-USDT"}
    op = "subscribe" if n % 2 else "unsubscribe"
    return frame(json.dumps({"op": op, "args": [arg]}).encode())


def _storm(dice: Random) -> bytes:
    return b"".join(_subscribe(n) for n in range(dice.randrange(300, 700)))


def _nonsense(dice: Random) -> bytes:
    words = (
        "{",
        "[]",
        "null",
        '{"op":1}',
        '{"op":"login","args":[{}]',
        "\ud7ff",
        '{"op":"subscribe"}',
        "[" * 900,
    )
    return b"".join(frame(dice.choice(words).encode()) for _ in range(20))


def _fragments(dice: Random) -> bytes:
    pieces = [frame(b"", CONTINUED, final=False) for _ in range(dice.randrange(50, 2000))]
    return frame(b"pi", final=False) + b"".join(pieces) + frame(b"ng", CONTINUED)


def _long_fragments(_: Random) -> bytes:
    return frame(b"x" * 60_000, final=False) + frame(b"x" * 60_000, CONTINUED, final=False) * 3


def _many_channels(_: Random) -> bytes:
    return frame(json.dumps({"op": "subscribe", "args": [{"channel": "x"}] * 5000}).encode())


_WRONG: Final = (1002,)
_STREAMS: Final[tuple[tuple[str, Callable[[Random], bytes], End, tuple[int, ...]], ...]] = (
    ("random bytes", lambda dice: dice.randbytes(dice.randrange(1, 3000)), End.ANY, ()),
    ("an unmasked frame", lambda _: frame(b"ping", masked=False), End.CLOSED, _WRONG),
    ("a reserved bit", lambda _: frame(b"ping", reserved=0x40), End.CLOSED, _WRONG),
    ("an unknown opcode", lambda dice: frame(b"x", dice.choice((3, 7, 11))), End.CLOSED, _WRONG),
    ("a fragmented ping", lambda _: frame(b"x", PING, final=False), End.CLOSED, _WRONG),
    ("a long ping", lambda _: frame(b"x" * 126, PING), End.CLOSED, _WRONG),
    ("a continuation of nothing", lambda _: frame(b"x", CONTINUED), End.CLOSED, _WRONG),
    ("a message within another", lambda _: frame(b"x", final=False) + frame(b"y"), End.CLOSED, _WRONG),
    ("bad UTF-8", lambda dice: frame(b"\xff" + dice.randbytes(20)), End.CLOSED, (1007,)),
    ("bytes instead of text", lambda dice: frame(dice.randbytes(20), BINARY), End.CLOSED, (1003,)),
    ("a message too long", lambda _: frame(b"x" * 200_000), End.CLOSED, (1009,)),
    ("a length of exabytes", lambda _: b"\x81\xff\x7f" + b"\xff" * 7 + bytes(4), End.CLOSED, (1009,)),
    ("fragments too long", _long_fragments, End.CLOSED, (1009,)),
    ("a bad closing code", lambda _: frame((5).to_bytes(2, "big"), CLOSE), End.CLOSED, _WRONG),
    ("half a frame", lambda _: frame(b"x" * 90)[:40], End.ANY, ()),
    ("a bad login", lambda _: frame(b'{"op":"login","args":[{"apiKey":"x"}]}'), End.CLOSED, (4001,)),
    ("too many channels", _many_channels, End.CLOSED, (4008,)),
    ("a storm of subscriptions", _storm, End.GOES_ON, ()),
    ("a storm of pings", lambda dice: frame(dice.randbytes(100), PING) * 500, End.GOES_ON, ()),
    ("many empty fragments", _fragments, End.GOES_ON, ()),
    ("nonsense", _nonsense, End.GOES_ON, ()),
)  # fmt: skip
_REQUESTS: Final[tuple[tuple[str, Callable[[Random], bytes], End], ...]] = (
    ("random bytes", lambda dice: dice.randbytes(dice.randrange(1, 3000)), End.ANY),
    ("half a request", lambda dice: TIME[: dice.randrange(1, len(TIME))], End.ANY),
    ("half a handshake", lambda dice: HANDSHAKE[: dice.randrange(30, 150)], End.ANY),
    ("a handshake without a key", lambda _: HANDSHAKE.replace(b"Key", b"Kez") % b"public", End.ANY),
    ("a handshake of another version", lambda _: HANDSHAKE.replace(b": 13", b": 7") % b"public", End.ANY),
    ("a handshake somewhere else", lambda _: HANDSHAKE % b"nowhere", End.ANY),
    ("a handshake and nothing more", lambda _: HANDSHAKE % b"private", End.ANY),
    ("headers without end", lambda _: TIME[:-2] + b"x: " + b"y" * 1_100_000, End.ANY),
    (
        "a body that is not there",
        lambda _: b"POST /api/v5/trade/order HTTP/1.1\r\ncontent-length: 99\r\n\r\n{",
        End.ANY,
    ),
    ("bad chunks", lambda _: b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", End.ANY),
    ("a tunnel", lambda _: b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n" + TIME, End.ANY),
    ("another protocol", lambda _: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", End.ANY),
    ("a hundred requests", lambda _: TIME * 100, End.ANY),
)


def rudenesses(seed: int) -> Iterator[Rudeness]:
    """Every kind once, with details drawn from the seed."""
    dice = Random(seed)
    for name, make, end, codes in _STREAMS:
        yield Rudeness(name, make(dice), end, codes)
    for name, make, end in _REQUESTS:
        yield Rudeness(f"{name} over HTTP", make(dice), end, stream=False)
