"""Long rows, made small on their way to the disk and whole again on their way back.

One scan's verdicts read almost like those of the scan before, so a row is compressed against an
earlier one, its base. Bases are compressed alone and renewed every few rows: reading one row takes two.
Hashes cover the text itself; packing happens below them and changes nothing that is said.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

Record = tuple[int, str, int, str, bytes, bytes | None]  # seq, kind, at_ms, body, hash, chain
Stored = tuple[int, str, int, str, bytes, bytes | None, bytes | None, int | None]  # and packed, base

MIN_LENGTH: Final = 1_000  # shorter bodies stay text, readable with any SQLite tool
ROWS_PER_BASE: Final = 24
LEVEL: Final = 3  # against a base, half the work of zlib's usual 6 for a quarter more bytes


class Packer:
    """Packs the bodies of one writer, row after row. `restart` after rows that may not have arrived."""

    def __init__(self) -> None:
        self._base_seq, self._base, self._used = 0, b"", 0

    def restart(self) -> None:
        """Begin a new base with the next row: the present one may not be in the file."""
        self._used = 0

    def pack(self, records: Iterable[Record]) -> Iterator[Stored]:
        """Yield each record as it is stored. Lazy, so that the work is done where it is consumed."""
        for record in records:
            seq, kind, at_ms, body, digest, chain = record
            if len(body) < MIN_LENGTH:
                yield (*record, None, None)
                continue
            text = body.encode()
            if self._used % ROWS_PER_BASE == 0:
                self._base_seq, self._base, self._used = seq, text, 0
                squeeze, base = zlib.compressobj(LEVEL), None
            else:
                squeeze, base = zlib.compressobj(LEVEL, zdict=self._base), self._base_seq
            self._used += 1
            yield seq, kind, at_ms, "", digest, chain, squeeze.compress(text) + squeeze.flush(), base


def unpack(body: str, packed: bytes | None, base: bytes | None) -> str:
    """Return a row's text. `base` is the packed base it leans on, None for a row that stands alone.

    Raises ValueError when the bytes are damaged.
    """
    if packed is None:
        return body
    try:
        if base is None:
            return zlib.decompress(packed).decode()
        loosen = zlib.decompressobj(zdict=_loosened(base))
        return (loosen.decompress(packed) + loosen.flush()).decode()
    except zlib.error as error:
        raise ValueError(f"a packed row is damaged: {error}") from error


@lru_cache(maxsize=4)  # neighbours lean on the same base, and a row alone is read twice at most
def _loosened(base: bytes) -> bytes:
    return zlib.decompress(base)
