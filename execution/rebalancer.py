"""When legs drift apart, and money between the venue's wallets."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from operator import is_
from typing import Final

from config.schema import Settings
from core.context import Context, HedgeView
from core.errors import AuthFailed, JournalFailed, RateLimited, VenueError, VenueRejected
from core.events import HedgeTarget, Plan, Purpose, TransferTarget
from core.facts import Kind
from core.ports import Clock, Ids, Journal, Trading
from core.types import ZERO, AccountSnapshot, Base, Pair, TransferStatus, Wallet
from core.verdict import Verdict
from execution.holdings import Legs, held_of

SETTLING_MS: Final = 2_000  # an account push this soon after our own orders may not count them yet
POLL_S: Final = 1.0
PATIENCE_MS: Final = 20_000  # then the transfer stays pending and is asked for next time
ABSENCE_ANSWERS: Final = 3
ABSENCE_WINDOW_MS: Final = 5_000


_Judged = tuple[Verdict, HedgeTarget | None]


class DriftPlanner:
    """Plans a repair for every hedge whose legs are unequal (core.ports.Planner).

    Measures |spot coins - short coins| / the larger leg, by the books and, when the account picture
    is fresh, by what the account really holds: after an ADL, a liquidation or a trade by hand it
    holds less than the books, and the other leg follows it down. More than the books is not ours.
    """

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.risk.drift.rebalance_above
        self._max_age_ms = settings.risk.margin.max_age_s * 1000
        self._judged: dict[str, tuple[tuple[object, ...], _Judged]] = {}  # a memo: most stay as they are

    def plan(self, ctx: Context) -> Plan:
        if ctx.unresolved_orders:
            return Plan()  # what is held is not known for certain: nothing may be concluded from it
        account = self._picture(ctx)
        judged = [self._judge(ctx.markets[h.instrument].pair, h, account) for h in ctx.open_hedges]
        return Plan(
            adjusting=tuple(t for _, t in judged if t is not None), verdicts=tuple(v for v, _ in judged)
        )

    def _judge(self, pair: Pair, hedge: HedgeView, account: AccountSnapshot | None) -> _Judged:
        """As `_work_out`, which is done again only when one of its figures is another one."""
        seen: tuple[object, ...] = (
            pair, hedge.spot_base, hedge.contracts, hedge.target_base, hedge.liquidations,
            account and account.cash(pair.spot.base_ccy), account and account.contracts(pair.swap.inst_id),
        )  # fmt: skip
        known = self._judged.get(pair.name)
        # Equal figures may be written with other digits, and so would be what is said of them.
        if known is None or not all(map(is_, known[0], seen)):
            known = self._judged[pair.name] = seen, self._work_out(pair, hedge, account)
        return known[1]

    def _work_out(self, pair: Pair, hedge: HedgeView, account: AccountSnapshot | None) -> _Judged:
        booked = Legs(pair, hedge.spot_base, hedge.contracts)
        legs = held_of(booked, account) if account is not None else booked
        smaller, larger = sorted((legs.spot, Decimal(pair.swap.to_base(legs.contracts))))
        drift = abs(legs.gap) / larger if larger else ZERO
        equal = legs.balanced or drift <= self._limit
        figures = (
            ("drift_ratio", drift),
            ("limit_ratio", self._limit),
            ("net_delta_base", Decimal(legs.gap)),
            ("step_base", Decimal(legs.tolerance)),
            ("missing_contracts", booked.contracts - legs.contracts),
            ("missing_base", booked.spot - legs.spot),
        )
        said = "both legs equal within the limit" if equal else "the legs have drifted apart"
        verdict = Verdict(equal, "legs_equal", said, figures, hedge.instrument)
        if equal:
            return verdict, None
        if hedge.liquidations:
            # The margin did not carry the short: it is never sold again, the spot behind it goes.
            base, reason = Base(min(smaller, hedge.target_base)), "the short was liquidated"
        elif legs == booked:
            base, reason = hedge.target_base, "the legs have drifted apart"
        else:
            base, reason = Base(min(smaller, hedge.target_base)), "the account holds less than the books"
        return verdict, HedgeTarget(hedge.instrument, base, Purpose.REPAIR, reason, figures)

    def _picture(self, ctx: Context) -> AccountSnapshot | None:
        """The account where it can tell what it has of the booked legs, else None."""
        account = ctx.account
        if (
            account is None
            or ctx.now_ms - account.seen_ms > self._max_age_ms
            or account.seen_ms < ctx.state_since_ms + SETTLING_MS
        ):
            return None
        return account


@dataclass(frozen=True, slots=True)
class TransferOutcome:
    """PENDING: not known yet, asked for again by `settle`. FAILED: certainly nothing was moved."""

    status: TransferStatus
    message: str = ""


@dataclass(slots=True)
class _Transfer:
    """A transfer on its way; `transfer_id` is the venue's, empty until told."""

    target: TransferTarget
    client_id: str
    transfer_id: str = ""


class Transfers:
    """Moves money between the venue's wallets, one transfer at a time, each sent at most once."""

    def __init__(self, trading: Trading, journal: Journal, ids: Ids, clock: Clock) -> None:
        self._trading = trading
        self._journal = journal
        self._ids = ids
        self._clock = clock
        self._pending: dict[str, _Transfer] = {}
        self._recalled = False

    async def execute(self, target: TransferTarget) -> TransferOutcome:
        """Send a transfer and follow it. A refusal because funding is being charged (58111) is no
        failure of ours: the planner asks again at the next review.

        Raises AuthFailed when the venue does not accept our key.
        """
        if await self.settle():
            return TransferOutcome(TransferStatus.FAILED, "an earlier transfer is still pending")
        transfer = _Transfer(target, self._ids.transfer_id())
        self._pending[transfer.client_id] = transfer
        self._write(transfer, TransferStatus.PENDING)
        try:
            await self._journal.durable()
        except JournalFailed as error:
            return self._end(transfer, TransferStatus.FAILED, str(error))
        return await self._send(transfer)

    async def settle(self) -> tuple[str, ...]:
        """Ask for every transfer without outcome, also of the process before; return those still open."""
        if not self._recalled:
            await self._recall()
            self._recalled = True
        for transfer in tuple(self._pending.values()):
            await self._follow(transfer)
        return tuple(self._pending)

    async def _send(self, transfer: _Transfer) -> TransferOutcome:
        target, until_ms = transfer.target, self._clock.now_ms() + PATIENCE_MS
        while True:
            try:
                transfer.transfer_id = await self._trading.transfer(
                    transfer.client_id, target.ccy, target.amount, target.source, target.dest
                )
            except RateLimited as error:  # nothing happened, so the same id may go again
                await self._clock.sleep(error.retry_after_s)
                if self._clock.now_ms() > until_ms:
                    return self._end(transfer, TransferStatus.FAILED, str(error))
            except VenueRejected as error:
                postponed = "postponed, funding is being charged: " if error.code == "58111" else ""
                return self._end(transfer, TransferStatus.FAILED, f"{postponed}{error}")
            except AuthFailed as error:
                self._end(transfer, TransferStatus.FAILED, str(error))
                raise
            except VenueError:  # unknown: the answer to the question below is what counts
                return await self._follow(transfer)
            else:
                self._write(transfer, TransferStatus.PENDING)
                return await self._follow(transfer)

    async def _follow(self, transfer: _Transfer) -> TransferOutcome:
        """Poll until the transfer is done, failed, or proven never to have arrived."""
        until_ms = self._clock.now_ms() + PATIENCE_MS
        absences: list[int] = []
        trouble = "still pending"
        while self._clock.now_ms() < until_ms:
            await self._clock.sleep(POLL_S)
            try:
                record = await self._trading.transfer_state(transfer.transfer_id or transfer.client_id)
            except AuthFailed:
                raise
            except VenueRejected as error:  # it knows no such transfer (yet)
                trouble = str(error)
                absences.append(self._clock.now_ms())
                long_enough = absences[-1] - absences[0] >= ABSENCE_WINDOW_MS
                if not transfer.transfer_id and len(absences) >= ABSENCE_ANSWERS and long_enough:
                    return self._end(transfer, TransferStatus.FAILED, f"never arrived: {error}")
            except VenueError as error:  # no answer proves nothing
                trouble = str(error)
            else:
                transfer.transfer_id = record.transfer_id
                if record.status is not TransferStatus.PENDING:
                    return self._end(transfer, record.status, "")
        return TransferOutcome(TransferStatus.PENDING, trouble)

    async def _recall(self) -> None:
        """Read the transfers that the process before left open."""
        last: dict[str, _Transfer] = {}
        async for row in self._journal.rows(Kind.TRANSFER):
            body = row.body
            if body["status"] != TransferStatus.PENDING:
                last.pop(body["client_id"], None)
                continue
            target = TransferTarget(
                body["ccy"],
                Decimal(body["amount"]),
                Wallet(body["source"]),
                Wallet(body["dest"]),
                Purpose(body["purpose"]),
                body["reason"],
            )
            last[body["client_id"]] = _Transfer(target, body["client_id"], body["transfer_id"])
        self._pending = last | self._pending

    def _end(self, transfer: _Transfer, status: TransferStatus, message: str) -> TransferOutcome:
        self._write(transfer, status, message)
        self._pending.pop(transfer.client_id, None)
        return TransferOutcome(status, message)

    def _write(self, transfer: _Transfer, status: TransferStatus, message: str = "") -> None:
        target = transfer.target
        body = {
            "client_id": transfer.client_id,
            "transfer_id": transfer.transfer_id,
            "ccy": target.ccy,
            "amount": target.amount,
            "source": target.source,
            "dest": target.dest,
            "status": status,
            "purpose": target.purpose,
            "reason": message or target.reason,
        }
        self._journal.append(Kind.TRANSFER, self._clock.now_ms(), body)
