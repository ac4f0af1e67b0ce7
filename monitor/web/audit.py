"""What was turned away at the door, on its way into the journal: counted, so that knocking cannot fill it.

The web's thread notes, the engine's takes what is due. A row counts what one address was refused for one
reason, at most one a minute; how many rows there may be in all is limited, too, and what comes beyond is
summed up in one of them, so that every refusal is counted somewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Final

from monitor.web.door import Refusal

WHAT: Final = "refused"  # of the NOTE rows
SEVERAL: Final = "several"  # the reason of a row that sums up
GAP_S: Final = 60.0  # between two rows about one address and reason
LOOK_S: Final = 1.0  # between two looks at what is due
BURST, PER_S = 20.0, 1 / 30  # rows: whoever knocks all day leaves 2,900 of them, less than a megabyte
MOST: Final = 256  # addresses and reasons told apart at once; the others are counted without their address
LONGEST: Final = 120  # of what was asked for, in a row
SITE_BITS: Final = 64  # of an IPv6 address: whoever has one has them all


@dataclass(slots=True)
class _Count:
    """Refusals of one address for one reason that no row tells of yet."""

    status: int
    refused: int = 0
    asked: str = ""  # the latest of them
    told_s: float = -math.inf


class Refusals:
    """Counts who was turned away, and says which rows are due. May be used from two threads.

    now_s  seconds of a clock that never goes back.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s, self._lock = now_s, Lock()
        self._counts: dict[tuple[str, str], _Count] = {}
        self._rows, self._seen_s, self._look_s = BURST, now_s(), -math.inf

    def note(self, address: str, method: str, path: str, why: Refusal) -> bool:
        """Count one; return whether it is the first of its kind for a while, and worth a line of the log."""
        key = _site(address), why.error
        with self._lock:
            if key not in self._counts and len(self._counts) >= MOST:
                key = "", why.error
            count = self._counts.get(key)
            is_news = count is None
            if count is None:
                count = self._counts[key] = _Count(why.status)
            count.refused += 1
            count.asked = _printable(f"{method} {path}")
            return is_news

    def due(self, is_last: bool = False) -> tuple[Mapping[str, object], ...]:
        """The rows to write now. is_last: there is no other time, so none waits for its minute."""
        if not self._counts:
            return ()
        now_s = self._now_s()
        if (now_s - self._look_s < LOOK_S) and not is_last:
            return ()
        with self._lock:
            self._look_s = now_s
            self._rows = min(BURST, self._rows + (now_s - self._seen_s) * PER_S)
            self._seen_s = now_s
            rows = self._told(now_s, is_last)
            for key in [k for k, c in self._counts.items() if not c.refused and now_s - c.told_s >= GAP_S]:
                del self._counts[key]
            return rows

    def _told(self, now_s: float, is_last: bool) -> tuple[Mapping[str, object], ...]:
        rows: list[Mapping[str, object]] = []
        over: list[tuple[str, str, int]] = []
        for (address, error), count in self._counts.items():
            if not count.refused or (now_s - count.told_s < GAP_S and not is_last):
                continue
            if self._rows >= 2:  # the last one is for the sum
                self._rows -= 1
                rows.append(
                    {
                        "what": WHAT,
                        "error": error,
                        "status": count.status,
                        "address": address,
                        "count": count.refused,
                        "detail": count.asked,
                    }
                )
            elif self._rows >= 1 or is_last:
                over.append((address, error, count.refused))
            else:
                continue
            count.told_s, count.refused = now_s, 0
        if over:
            self._rows = max(0.0, self._rows - 1)
            rows.append(_summed(over))
        return tuple(rows)


def _summed(over: list[tuple[str, str, int]]) -> Mapping[str, object]:
    by_error: dict[str, int] = {}
    for _, error, refused in over:
        by_error[error] = by_error.get(error, 0) + refused
    told = ", ".join(f"{error} {refused}" for error, refused in sorted(by_error.items()))
    return {
        "what": WHAT,
        "error": SEVERAL,
        "address": "",
        "count": sum(by_error.values()),
        "detail": f"{told}; of {len({address for address, _, _ in over})} addresses",
    }


def _site(address: str) -> str:
    """Who is meant by an address: of IPv6 the network, or one host could go by any number of names."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return _printable(address)
    if not isinstance(known, IPv6Address) or known.is_loopback:
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return f"{IPv6Address(int(known) >> SITE_BITS << SITE_BITS)}/{SITE_BITS}"


def _printable(text: str) -> str:
    """What a stranger wrote, as a journal and a terminal can bear it."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:LONGEST])
