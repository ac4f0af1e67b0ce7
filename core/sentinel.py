"""One engine per account: notices another one by the orders that carry our prefix and are not ours.

The folder's lock keeps a second process out of one folder; it cannot see another host. At the venue every
order shows its sender's epoch. The younger engine keeps the account, the older one halts at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.context import Permission
from core.errors import SelfCheckRefused
from core.facts import Kind
from core.ids import parse
from core.permission import Permissions
from core.ports import Clock, Journal, Notifier, Trading
from core.projections import Books

CAUSE = "another_engine"
RECENT_MS = 5 * 60_000  # an engine that traded so lately is taken to be alive


class Sentinel:
    """Judges every order and fill that execution does not know."""

    def __init__(
        self, books: Books, permissions: Permissions, journal: Journal, clock: Clock, notifier: Notifier
    ) -> None:
        self._books, self._permissions = books, permissions
        self._journal, self._clock, self._notifier = journal, clock, notifier
        self._found: set[str] = set()
        self._watches = False

    def begin(self) -> None:
        """The account has been compared with the books: what comes from now on is new."""
        self._watches = True

    def take_over(self, cl_id: str) -> None:
        """An order found when this process started: of a journal that was lost, not of a living engine."""
        self._found.add(cl_id)

    def is_foreign(self, cl_id: str) -> bool:
        """Whether an engine with another journal sent this order."""
        return self._watches and cl_id not in self._found and is_unknown(self._books, cl_id)

    def see(self, cl_id: str) -> None:
        """Lower the permission when this order was sent by another engine; anything else is not ours to
        judge. HALTED for the older engine, no new risk for the younger one."""
        if not self.is_foreign(cl_id):
            return
        order = parse(cl_id)
        assert order is not None
        older = order.epoch >= self._books.epoch
        known = CAUSE in self._permissions.causes
        if older:
            self._permissions.lower(CAUSE, Permission.HALTED, "a younger engine trades on this account")
        elif not known:
            self._permissions.lower(
                CAUSE, Permission.NO_NEW_RISK, "an older engine still trades on this account"
            )
        if not known:
            self._notifier.tell("alarm", "critical", {"what": "another engine", "detail": f"order {cl_id}"})
            self._journal.append(
                Kind.NOTE,
                self._clock.now_ms(),
                {"what": "another engine", "cl_id": cl_id, "epoch": order.epoch, "own": self._books.epoch},
            )

    def acknowledge(self) -> None:
        """The operator says that this engine is alone again."""
        self._permissions.lift(CAUSE)


def is_unknown(books: Books, cl_id: str) -> bool:
    """An order with our prefix, of an epoch that this journal never had."""
    order = parse(cl_id)
    return order is not None and not books.knows_order(cl_id) and order.epoch not in books.epochs


async def refuse_company(trading: Trading, books: Books, now_ms: int) -> None:
    """Raise SelfCheckRefused when another engine has just been active on this account."""
    resting = (order.cl_id for order in await trading.open_orders())
    filled = (fill.cl_id for fill in await trading.fills(now_ms - RECENT_MS))
    others = [cl_id for cl_id in _each(resting, filled) if is_unknown(books, cl_id)]
    if others:
        raise SelfCheckRefused(
            f"another engine works on this account: order {others[-1]} is not in this journal and is "
            f"younger than {RECENT_MS // 60_000} minutes or still open. Stop the other engine and wait, or "
            "take its place with --take-over"
        )


def _each(*parts: Iterable[str]) -> list[str]:
    return [cl_id for part in parts for cl_id in part]
