"""Rude clients by the thousand: `python -m benchmarks.abuse [--minutes 60] [--json]`.

Every kind of rudeness again and again, on new connections, while a polite client keeps asking. Measured:
connections survived, endings that were not as they must be, and how much the venue's memory grew.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, report
from benchmarks.rudeness import CLOSE, HANDSHAKE, TIME, End, Rudeness, frame, rudenesses
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.surface.premises import premises_of
from exchange.sim.surface.server import SimServer

HOST = "127.0.0.1"
PATIENCE_S = 120.0  # for an end that must come, on a busy machine; nothing is measured by it
MOST_GROWTH_MIB = 8.0


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """The (opcode, payload) of a server's frames; a part of one at the end is left out."""
    found, at = [], 0
    while at + 2 <= len(data):
        opcode, size, head = data[at] & 15, data[at + 1] & 127, 2
        if size > 125:
            head = 4 if size == 126 else 10
            size = int.from_bytes(data[at + 2 : at + head], "big")
        found.append((opcode, data[at + head : at + head + size]))
        at += head + size
    return found


async def converse(port: int, rude: Rudeness) -> str | None:
    """Be rude on a connection of its own; return what was wrong with its end, None when nothing was."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        if rude.stream:
            writer.write(HANDSHAKE % b"public")
            if not (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101"):
                return "no handshake"
        writer.write(rude.raw + (frame(b"ping") if rude.end is End.GOES_ON else b""))
        if rude.end is End.ANY:
            writer.write_eof()
        return await _end_of(reader, rude)
    except ConnectionError:
        return None if rude.end is End.ANY else "reset"
    except TimeoutError:
        return f"no end within {PATIENCE_S:.0f} s: {rude.end.value}"
    finally:
        writer.close()


async def _end_of(reader: asyncio.StreamReader, rude: Rudeness) -> str | None:
    data = b""
    async with asyncio.timeout(PATIENCE_S):
        while got := await reader.read(1 << 16):
            data += got
            if rude.end is End.GOES_ON and b"\x81\x04pong" in data:
                return None
            codes = [int.from_bytes(text[:2], "big") for opcode, text in frames_of(data) if opcode == CLOSE]
            if rude.end is End.CLOSED and codes:
                return None if codes[0] in rude.codes else f"closed with {codes[0]}, not {rude.codes}"
    return None if rude.end is End.ANY else f"ended without what must come: {rude.end.value}"


async def is_polite(port: int) -> bool:
    """Does the venue still answer a request and a stream's ping?"""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(TIME)
    answered = (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    writer.close()
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(HANDSHAKE % b"public")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(frame(b"ping"))
    answered = answered and await reader.readexactly(6) == b"\x81\x04pong"
    writer.close()
    return answered


async def abuse(port: int, rounds: Sequence[int]) -> tuple[int, list[str]]:
    """Every kind of rudeness once a round. Returns connections made, and what went wrong."""
    made, wrong = 0, []
    for seed in rounds:
        for rude in rudenesses(seed):
            complaint = await converse(port, rude)
            made += 1
            if complaint is not None:
                wrong.append(f"{rude.name}, round {seed}: {complaint}")
        if not await is_polite(port):
            wrong.append(f"round {seed}: a polite client was not answered")
    return made, wrong


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def serve() -> None:
    """The venue's process, until standard input is closed. Time runs a minute a second."""
    venue = Exchange(GeneratedMarket(7, ("BTC", "ETH")), 7)
    server = SimServer(premises_of(venue, rate_limits=False), speed=60.0)
    print(json.dumps({"port": await server.start(HOST)}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.close()


async def figures(seconds: float, warm_rounds: int = 20) -> list[Figure]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.abuse", "--serve",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    port = json.loads(await process.stdout.readline())["port"]
    made, wrong = await abuse(port, range(warm_rounds))
    before_mib, begin, seed = resident_mib(process.pid), time.perf_counter(), warm_rounds
    while time.perf_counter() - begin < seconds:
        more, complaints = await abuse(port, [seed])
        made, seed = made + more, seed + 1
        wrong += complaints
    grown_mib = resident_mib(process.pid) - before_mib
    process.stdin.close()
    await process.wait()
    for complaint in wrong[:20]:
        print(complaint, file=sys.stderr)
    return [
        Figure("rude connections", made, "", 1, True),
        Figure("endings that were wrong", len(wrong), "", 0, False),
        Figure("memory grown after the warm-up", grown_mib, "MiB", MOST_GROWTH_MIB, False),
    ]


def main(argv: Sequence[str]) -> int:
    if argv[:1] == ["--serve"]:
        asyncio.run(serve())
        return 0
    minutes = float(argv[argv.index("--minutes") + 1]) if "--minutes" in argv else 1.0
    return report(asyncio.run(figures(minutes * 60)), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
