"""What a backtest remembers beside the books: the figures of every hour, and every decision that moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from core.context import Context
from core.events import Decision, On, State


@dataclass(frozen=True, slots=True)
class Sample:
    """The account at one review.

    margin_ratio  backing equity / swap notional; None while no swap is held.
    basis_bps     swap mid over spot mid, by instrument, where both are quoted.
    hedged_usdt   notional of all shorts at mark.
    """

    ts_ms: int
    state: State
    margin_ratio: Decimal | None
    basis_bps: dict[str, Decimal]
    hedged_usdt: Decimal


@dataclass(slots=True)
class Recorder:
    """A listener of the engine.

    stays  (state, since, until) of every stay in a state, UTC ms; the last one ends with `close`.
    """

    samples: list[Sample] = field(default_factory=list)
    moves: list[Decision] = field(default_factory=list)
    stays: list[tuple[State, int, int]] = field(default_factory=list)
    _since_ms: int | None = None
    _state: State = State.IDLE

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        if self._since_ms is None:
            self._state, self._since_ms = decision.dst, ctx.now_ms
        if decision.moved:
            self.moves.append(decision)
        if decision.dst is not self._state:
            self.stays.append((self._state, self._since_ms, ctx.now_ms))
            self._state, self._since_ms = decision.dst, ctx.now_ms
        if decision.on is On.REVIEW:
            self.samples.append(_sample(ctx))

    def close(self, now_ms: int) -> None:
        """The run is over: the present stay ends."""
        if self._since_ms is not None:
            self.stays.append((self._state, self._since_ms, now_ms))
            self._since_ms = None


def _sample(ctx: Context) -> Sample:
    quoted = {name: view.basis_bps for name, view in sorted(ctx.markets.items())}
    return Sample(
        ts_ms=ctx.now_ms,
        state=ctx.state,
        margin_ratio=ctx.margin_ratio,
        basis_bps={name: bps for name, bps in quoted.items() if bps is not None},
        hedged_usdt=ctx.swap_notional,
    )
