"""The engine's heartbeat: a small file whose counter moves as long as the consumer of events does.

Whoever watches needs no database to know what the engine believes it holds: the file is as large from
its first moment as it will ever be, so a full disk does not stop it, and it has two places that are
written in turn, so a reader always finds a whole beat.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

FILE_NAME: Final = "heartbeat"
PLACE_BYTES: Final = 64 * 1024
_HEAD: Final = struct.Struct("<4sIIQ")  # magic, length, checksum, counter
_MAGIC: Final = b"BEAT"


class Phase(StrEnum):
    STARTING = "starting"  # connecting and reconciling; the consumer does not run yet
    RUNNING = "running"
    ENDED = "ended"  # signed off on purpose; what is held is held without an engine


@dataclass(frozen=True, slots=True)
class BeatHedge:
    """A hedge as the engine's books have it: coins of spot, contracts short (>= 0)."""

    instrument: str
    hedge_id: str
    spot_base: Decimal
    contracts: Decimal


@dataclass(frozen=True, slots=True)
class Beat:
    """What the engine says of itself.

    counter        grows with every beat of one process; `epoch` tells processes apart.
    venue_ms       what the engine takes for the venue's time; `on_venue_clock` when it has no other.
    state          of the machine, "" before the boot.
    booked_ms      every fill older than this is in the hedges; of younger ones those in `fills`,
                   each as inst_id/trade_id.
    """

    pid: int
    epoch: int
    counter: int
    venue_ms: int
    on_venue_clock: bool
    phase: Phase
    state: str
    hedges: tuple[BeatHedge, ...]
    booked_ms: int
    fills: tuple[str, ...]

    @property
    def has_something(self) -> bool:
        """Something is held, or an order may be under way."""
        return bool(self.hedges) or self.state in ("OPENING", "REBALANCING")


class HeartbeatFile:
    """The writing side. Raises OSError at the start when the disk has no room, later never for room."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / FILE_NAME, os.O_CREAT | os.O_RDWR, 0o644)
        try:
            if os.fstat(self._fd).st_size < 2 * PLACE_BYTES:
                os.posix_fallocate(self._fd, 0, 2 * PLACE_BYTES)
        except OSError:
            os.close(self._fd)
            raise
        self._place = 0

    def write(self, beat: Beat) -> None:
        """Replace the older of the two beats. Raises OSError, ValueError for one too large for its place."""
        text = msgspec.json.encode(asdict(beat), enc_hook=str)
        if len(text) > PLACE_BYTES - _HEAD.size:
            raise ValueError(f"a heartbeat of {len(text)} bytes; allowed: {PLACE_BYTES - _HEAD.size}")
        head = _HEAD.pack(_MAGIC, len(text), zlib.crc32(text), beat.counter)
        os.pwrite(self._fd, head + text, self._place * PLACE_BYTES)
        self._place = 1 - self._place

    def close(self) -> None:
        os.close(self._fd)


def read(folder: Path) -> Beat | None:
    """The last whole beat of this folder; None when there is none, or none that can be read."""
    try:
        content = (folder / FILE_NAME).read_bytes()
    except OSError:
        return None
    found = (_beat_in(content[at : at + PLACE_BYTES]) for at in (0, PLACE_BYTES))
    return _newest(beat for beat in found if beat is not None)


def _newest(beats: Iterable[Beat]) -> Beat | None:
    return max(beats, key=lambda beat: (beat.epoch, beat.counter), default=None)


def _beat_in(place: bytes) -> Beat | None:
    if len(place) < _HEAD.size:
        return None
    magic, length, checksum, _ = _HEAD.unpack_from(place)
    text = place[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or len(text) != length or zlib.crc32(text) != checksum:
        return None
    try:
        return msgspec.json.decode(text, type=Beat)
    except msgspec.DecodeError:  # of another version
        return None
