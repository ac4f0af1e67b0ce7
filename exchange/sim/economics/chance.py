"""Seeded chance: the same seed, name and instant give the same draw on every machine and in every run.

A draw is a hash of what it is for, not the next number of a sequence, so one more draw somewhere leaves
all others as they were.
"""

from __future__ import annotations

from hashlib import sha256


def draw(seed: int, *about: object) -> float:
    """A number in [0, 1) that depends on nothing but its arguments, each written out as text."""
    text = ":".join(str(part) for part in (seed, *about))
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48


def between(low: int, high: int, seed: int, *about: object) -> int:
    """A whole number from `low` to `high`, both included."""
    return low if low == high else low + int(draw(seed, *about) * (high - low + 1))


def happens(chance: float, seed: int, *about: object) -> bool:
    """Whether something with this chance, 0 to 1, happens."""
    return chance > 0 and draw(seed, *about) < chance
