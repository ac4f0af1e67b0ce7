"""The whole venue as bytes, and back.

A snapshot is a pickle, so a file of one is trusted input: it is only ever read back by the venue that
writes it. What leads it (a magic word, a version, the SHA-256 of the rest) catches accidents, not malice.
"""

from __future__ import annotations

import hashlib
import pickle
from typing import Final

from exchange.sim.surface.premises import Premises

MAGIC: Final = b"funding-engine venue"
VERSION: Final = 3
_HEAD: Final = MAGIC + VERSION.to_bytes(2, "big")
_DIGEST_BYTES: Final = 32


class BadSnapshot(ValueError):
    """The bytes are no snapshot of this version, or were changed."""


def packed(premises: Premises) -> bytes:
    content = pickle.dumps(premises, protocol=pickle.HIGHEST_PROTOCOL)
    return _HEAD + hashlib.sha256(content).digest() + content


def unpacked(data: bytes) -> Premises:
    """Raises BadSnapshot before anything of it is believed."""
    if not data.startswith(MAGIC):
        raise BadSnapshot("not a snapshot of a simulated venue")
    if not data.startswith(_HEAD):
        raise BadSnapshot(f"a snapshot of another version; this venue reads version {VERSION}")
    content = memoryview(data)[len(_HEAD) + _DIGEST_BYTES :]
    if hashlib.sha256(content).digest() != data[len(_HEAD) : len(_HEAD) + _DIGEST_BYTES]:
        raise BadSnapshot("a snapshot that is damaged or was changed")
    premises = pickle.loads(content)
    assert isinstance(premises, Premises)
    return premises
