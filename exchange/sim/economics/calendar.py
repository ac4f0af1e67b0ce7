"""When the venue is closed: gaps in its market data, told ahead as scheduled maintenance; and delistings."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.sim.economics.forced import forced
from exchange.sim.economics.matching import BY_SYSTEM, cancel
from exchange.sim.economics.world import World
from exchange.sim.events import InstrumentChanged, StatusChanged
from exchange.sim.markets.market import Market
from exchange.sim.markets.source import Delisting, Gap

ANNOUNCE_MS = 2 * 3_600_000


class Calendar:
    """`windows` are the system/status rows: what is announced, going on, or over.

    Data does not tell what a price was inside a gap, so nobody can trade then, and whoever still holds
    a position when it begins is listed in `unflat`: its result depends on a price jump nobody traded.
    """

    def __init__(self, world: World, gaps: Sequence[Gap], delistings: Sequence[Delisting] = ()) -> None:
        self.windows: list[dict[str, str]] = []
        self.unflat: list[str] = []
        self._world = world
        self._gaps = [gap for gap in gaps if gap.end_ms > world.now_ms]
        self._delistings = sorted(delistings, key=lambda one: one.announced_ms)  # still to be announced
        self._announced = 0  # gaps with a window

    def next_ms(self) -> int | None:
        """The next instant at which a window is announced, begins or ends, or an instrument expires."""
        now_ms = self._world.now_ms
        times = [
            m.instrument.expires_ms for m in self._world.markets.values() if m.instrument.state == "live"
        ]
        times += [one.announced_ms for one in self._delistings[:1]]
        for row in self.windows:
            if row["state"] != "completed":
                times += [int(row["begin"]), int(row["end"])]
        if self._announced < len(self._gaps):
            times.append(self._gaps[self._announced].begin_ms - ANNOUNCE_MS)
        return min((at_ms for at_ms in times if at_ms is not None and at_ms > now_ms), default=None)

    def announce(self, window: Gap) -> None:
        """Tell of a window now, however far ahead it is."""
        self.windows.append(_row(window))
        self._world.outbox.append(StatusChanged())

    def keep(self) -> None:
        """Bring windows and instruments up to the present."""
        now_ms = self._world.now_ms
        while (
            self._announced < len(self._gaps) and self._gaps[self._announced].begin_ms - ANNOUNCE_MS <= now_ms
        ):
            self.announce(self._gaps[self._announced])
            self._announced += 1
        closed, over = False, False
        for row in self.windows:
            if row["state"] == "completed":
                continue
            state = "scheduled" if now_ms < int(row["begin"]) else "ongoing"
            state = "completed" if now_ms >= int(row["end"]) else state
            closed = closed or state == "ongoing"
            if state != row["state"]:
                row["state"] = state
                self._world.outbox.append(StatusChanged())
                if state == "ongoing":
                    self._note_unflat(row)
            over = over or state == "completed"
        if over and self._world.closed and not closed:
            for market in self._world.markets.values():  # as api-v5.md 5.4 says of maintenance
                market.restart_sequence(self._world.outbox)
        self._world.closed = closed
        while self._delistings and self._delistings[0].announced_ms <= now_ms:
            self._announce_expiry(self._delistings.pop(0))
        for market in self._world.markets.values():
            expires_ms = market.instrument.expires_ms
            if expires_ms is not None and expires_ms <= now_ms and market.instrument.state == "live":
                self._expire(market)

    def _note_unflat(self, row: dict[str, str]) -> None:
        for account in self._world.accounts.values():
            for held in account.positions.values():
                if held.size:
                    self.unflat.append(f"{account.name}: {held.size} {held.inst_id} at {row['begin']}")

    def _announce_expiry(self, delisting: Delisting) -> None:
        for market in self._world.markets.values():
            if market.coin == delisting.coin and market.instrument.expires_ms is None:
                market.instrument.expires_ms = delisting.expires_ms
                self._world.outbox.append(InstrumentChanged(market.instrument.inst_id))

    def _expire(self, market: Market) -> None:
        """A delisted market cancels its orders and settles its positions at mark."""
        inst_id = market.instrument.inst_id
        market.instrument.state = "expired"
        for account in self._world.accounts.values():
            for order in list(account.open_orders.values()):
                if order.inst_id == inst_id:
                    cancel(self._world, account, order, BY_SYSTEM)
            for row in list(account.positions.values()):
                if row.inst_id == inst_id and row.size:
                    size = abs(row.size)
                    forced(self._world, account, row.key, size, market.mark_px, "delivery", "delivered")
        self._world.outbox.append(InstrumentChanged(inst_id))


def _row(gap: Gap) -> dict[str, str]:
    return {
        "title": gap.title,
        "state": "scheduled",
        "begin": str(gap.begin_ms),
        "end": str(gap.end_ms),
    }
