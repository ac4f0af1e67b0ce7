"""risk.yaml / watchdog: when the process beside the engine takes over, and how it reduces."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.section import Section, Usdt


class Watchdog(Section):
    """The process beside the engine that can only reduce: `python main.py watchdog`."""

    after_s: Annotated[
        Decimal,
        Field(ge=1, le=600, description="heartbeat, clock or equal legs lost for so long: it takes over"),
    ] = Decimal(10)
    after_exit_s: Annotated[
        Decimal,
        Field(ge=1, le=3600, description="the same when the process is gone: it may be restarted by then"),
    ] = Decimal(60)
    max_clock_offset_s: Annotated[
        Decimal,
        Field(ge=1, le=30, description="engine's clock against the venue's; at 30 no signature holds"),
    ] = Decimal(15)
    slice_usdt: Annotated[
        Usdt, Field(description="of a hedge taken off at a time: what may stand unhedged between two orders")
    ] = Decimal(25_000)
    patience_s: Annotated[
        int, Field(ge=5, le=600, description="after which it tells that it is not flat yet, and goes on")
    ] = 60

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.after_exit_s < self.after_s:
            raise ValueError(f"after_exit_s {self.after_exit_s} is below after_s {self.after_s}")
        return self
