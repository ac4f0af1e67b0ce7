"""Identities of hedges, orders and transfers: letters and digits, never random, never used twice.

    hedge     FE<epoch>H<number>                   FE2k9x1mH3
    position  FE<epoch>X<number>                   FE2k9x1mX3           (of the sleeve)
    order     <hedge><S|P><epoch>N<attempt>        FE2k9x1mH3S2k9x1mN1   (S spot, P perpetual)
    stop      <position>G<epoch>N<attempt>         FE2k9x1mX3G2k9x1mN1   (at the venue, under a position)
    transfer  FE<epoch>T<number>                   FE2k9x1mT1
    reducing  FW<epoch>P<process>N<number>         FW2k9x1mP4d2N1       (watchdog, close_all: no hedge's)

Numbers are in base 36 with small letters; capitals separate. An order carries the epoch of the process
that sent it besides its hedge's, because a hedge outlives processes. The venue allows 32 characters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from core.types import Leg

PREFIX: Final = "FE"
REDUCER_PREFIX: Final = "FW"  # of orders that only reduce, sent beside the engine
TAG: Final = "fundingengine"  # every order carries it, so that a switch at the venue concerns ours alone
MAX_LENGTH: Final = 32
EPOCH_ZERO_S: Final = 1_577_836_800  # 2020-01-01T00:00:00Z

_LETTER: Final = {Leg.SPOT: "S", Leg.SWAP: "P"}
_LEG: Final = {letter: leg for leg, letter in _LETTER.items()}
_N: Final = "(0|[1-9a-z][0-9a-z]*)"
_ORDER: Final = re.compile(f"({PREFIX}{_N}[HX]{_N})([SP]){_N}N{_N}")
_HEDGE: Final = re.compile(f"{PREFIX}{_N}([HX]){_N}")
_STOP: Final = re.compile(f"({PREFIX}{_N}X{_N})G{_N}N{_N}")
_TRANSFER: Final = re.compile(f"{PREFIX}{_N}T{_N}")
_REDUCING: Final = re.compile(f"{REDUCER_PREFIX}{_N}P{_N}N{_N}")


@dataclass(frozen=True, slots=True)
class OrderId:
    """What a client order id says. `epoch` is of the process that sent the order."""

    hedge_id: str
    leg: Leg
    epoch: int
    attempt: int


def parse(cl_id: str) -> OrderId | None:
    """Read a client order id of ours; None for anybody else's."""
    match = _ORDER.fullmatch(cl_id)
    if match is None:
        return None
    hedge_id, _, _, letter, epoch, attempt = match.groups()
    return OrderId(hedge_id, _LEG[letter], int(epoch, 36), int(attempt, 36))


def is_ours(cl_id: str) -> bool:
    """True for an order id made by this engine, in whichever process."""
    return parse(cl_id) is not None


def is_stop(cl_id: str) -> bool:
    """True for the id of a stop of ours at the venue."""
    return _STOP.fullmatch(cl_id) is not None


def is_reducers(cl_id: str) -> bool:
    """True for an order id of the watchdog or of close_all: it reduced what the engine owns."""
    return _REDUCING.fullmatch(cl_id) is not None


def next_epoch(last_epoch: int, now_ms: int) -> int:
    """The epoch of a process that starts now: above the last one, and at least the seconds since 2020.

    The seconds keep ids new even after the journal was lost or an old copy of it was put back.
    """
    return max(last_epoch + 1, now_ms // 1000 - EPOCH_ZERO_S)


class JournalIds:
    """Implements core.ports.Ids by counting within one epoch.

    used  ids already in the journal: counting goes on after those of the same epoch.
    """

    def __init__(self, epoch: int, used: Iterable[str] = ()) -> None:
        if epoch < 0:
            raise ValueError(f"an epoch is not negative, this is {epoch}")
        self._epoch = epoch
        self._numbers: Counter[str] = Counter()  # by letter: hedges, positions
        self._transfers = 0
        self._attempts: Counter[tuple[str, Leg]] = Counter()
        self._stops: Counter[str] = Counter()
        for text in used:
            self._skip(text)

    def hedge_id(self, instrument: str) -> str:
        """A new hedge id. The instrument is not part of it; the journal's hedge row has both."""
        return self._next("H")

    def position_id(self) -> str:
        """A new id for a position of the sleeve."""
        return self._next("X")

    def stop_id(self, position_id: str) -> str:
        """A new client id for a stop at the venue. Raises ValueError for what is no position of ours."""
        match = _HEDGE.fullmatch(position_id)
        if match is None or match[2] != "X":
            raise ValueError(f"{position_id!r} is not a position id of this engine")
        self._stops[position_id] += 1
        return f"{position_id}G{base36(self._epoch)}N{base36(self._stops[position_id])}"

    def _next(self, letter: str) -> str:
        self._numbers[letter] += 1
        return f"{PREFIX}{base36(self._epoch)}{letter}{base36(self._numbers[letter])}"

    def order_id(self, hedge_id: str, leg: str) -> str:
        """A new client order id for a leg ("spot" or "swap") of this hedge.

        Raises ValueError for another leg, for a hedge id that is not ours, and past 32 characters.
        """
        if _HEDGE.fullmatch(hedge_id) is None:
            raise ValueError(f"{hedge_id!r} is not a hedge id of this engine")
        key = (hedge_id, Leg(leg))
        self._attempts[key] += 1
        text = f"{hedge_id}{_LETTER[key[1]]}{base36(self._epoch)}N{base36(self._attempts[key])}"
        if len(text) > MAX_LENGTH:
            raise ValueError(f"{text} is longer than {MAX_LENGTH} characters")
        return text

    def transfer_id(self) -> str:
        self._transfers += 1
        return f"{PREFIX}{base36(self._epoch)}T{base36(self._transfers)}"

    def _skip(self, text: str) -> None:
        if (stop := _STOP.fullmatch(text)) is not None:
            if int(stop[4], 36) == self._epoch:
                self._stops[stop[1]] = max(self._stops[stop[1]], int(stop[5], 36))
            self._skip(stop[1])
        elif (order := parse(text)) is not None:
            if order.epoch == self._epoch:
                key = (order.hedge_id, order.leg)
                self._attempts[key] = max(self._attempts[key], order.attempt)
            self._skip(order.hedge_id)
        elif match := _HEDGE.fullmatch(text):
            if int(match[1], 36) == self._epoch:
                self._numbers[match[2]] = max(self._numbers[match[2]], int(match[3], 36))
        elif (match := _TRANSFER.fullmatch(text)) and int(match[1], 36) == self._epoch:
            self._transfers = max(self._transfers, int(match[2], 36))


class ReducerIds:
    """Ids of the orders one reducing process sends. The process id keeps two of one second apart."""

    def __init__(self, epoch: int, process: int) -> None:
        self._stem = f"{REDUCER_PREFIX}{base36(epoch)}P{base36(process)}N"
        self._orders = 0

    def order_id(self) -> str:
        self._orders += 1
        return f"{self._stem}{base36(self._orders)}"


def base36(number: int) -> str:
    """A number >= 0 in digits and small letters."""
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        if not number:
            return digits
