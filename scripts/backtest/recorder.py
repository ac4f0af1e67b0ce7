"""What a backtest remembers beside the books: the figures of every hour, and every stay in a state."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.context import Context
from core.events import Decision, On, State
from monitor.report.facts import Sample, Stay


@dataclass(slots=True)
class Recorder:
    """A listener of the engine. The last of `stays` ends with `close`."""

    samples: list[Sample] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    _since_ms: int | None = None
    _state: State = State.IDLE

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        if self._since_ms is None:
            self._state, self._since_ms = decision.dst, ctx.now_ms
        if decision.dst is not self._state:
            self.stays.append(Stay(self._state, self._since_ms, ctx.now_ms))
            self._state, self._since_ms = decision.dst, ctx.now_ms
        if decision.on is On.REVIEW:
            self.samples.append(_sample(ctx))

    def close(self, now_ms: int) -> None:
        """The run is over: the present stay ends."""
        if self._since_ms is not None:
            self.stays.append(Stay(self._state, self._since_ms, now_ms))
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
