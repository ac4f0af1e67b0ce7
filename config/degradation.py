"""risk.yaml, section degradation: what lowers the permission by itself, and for how long."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.section import Section


class Degradation(Section):
    """From what on the permission is lowered, and how long it must have been well to be given back."""

    look_every_s: Annotated[
        Decimal, Field(gt=0, le=60, description="seconds between two looks at everything; events add theirs")
    ] = Decimal(5)
    ask_every_s: Annotated[
        int, Field(ge=10, le=3600, description="seconds between two rounds of questions to the venue")
    ] = 300
    recover_s: Annotated[
        int, Field(ge=0, le=3600, description="seconds a cause must have been well before it ends")
    ] = 60
    samples: Annotated[
        int, Field(ge=1, le=20, description="looks in a row that must agree on a price jump or a thin book")
    ] = 3
    max_jump_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="a larger step of a price between two looks is doubted")
    ] = Decimal("0.05")
    latency_notice_ms: Annotated[int, Field(gt=0, le=60_000, description="REST median shown in health")] = 100
    latency_reduce_ms: Annotated[
        int, Field(gt=0, le=60_000, description="REST median for REDUCE_ONLY, unless a leg is being repaired")
    ] = 1_000
    unreachable_s: Annotated[
        int, Field(ge=1, le=600, description="no request answered for so long: NO_NEW_RISK")
    ] = 15
    unreachable_reduce_s: Annotated[
        int, Field(ge=1, le=3600, description="no request answered for so long: REDUCE_ONLY")
    ] = 60
    max_rate_use_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="of the busiest order budget; NO_NEW_RISK from there on")
    ] = Decimal("0.8")
    max_key_refusals: Annotated[
        int, Field(ge=1, le=10, description="requests refused for the key in a row: HALTED, no further try")
    ] = 3
    max_data_age_s: Annotated[
        int,
        Field(gt=0, le=3600, description="books, mark prices, account; a quiet book is repeated every 60 s"),
    ] = 75
    max_funding_age_s: Annotated[
        int, Field(gt=0, le=86_400, description="funding quotes of what is held")
    ] = 900
    max_stream_down_s: Annotated[
        int, Field(ge=0, le=3600, description="a stream that is not live for so long")
    ] = 10
    drought_mild_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="of liquidity.min_depth_usdt: NO_NEW_RISK below")
    ] = Decimal("0.8")
    drought_medium_ratio: Annotated[Decimal, Field(gt=0, le=1, description="REDUCE_ONLY below")] = Decimal(
        "0.5"
    )
    drought_severe_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="REDUCE_ONLY and a critical message below")
    ] = Decimal("0.2")
    max_depeg_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="|USDT-USD - 1| beyond which nothing is opened")
    ] = Decimal("0.01")
    depeg_reduce_ratio: Annotated[
        Decimal, Field(gt=0, le=1, description="|USDT-USD - 1| for REDUCE_ONLY")
    ] = Decimal("0.03")
    max_skip_s: Annotated[
        int, Field(ge=2, le=3600, description="a jump of the clock above it is treated like a restart")
    ] = 60
    max_drift_ms_day: Annotated[
        int, Field(gt=0, le=100_000, description="clock drift, ms a day, above which health warns")
    ] = 1_000
    crashes: Annotated[int, Field(ge=2, le=100, description="abnormal starts that make a crash loop")] = 3
    crash_window_minutes: Annotated[int, Field(ge=1, le=1440)] = 10

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.drought_severe_ratio < self.drought_medium_ratio < self.drought_mild_ratio:
            raise ValueError(
                "need drought_severe_ratio < drought_medium_ratio < drought_mild_ratio, not "
                f"{self.drought_severe_ratio}, {self.drought_medium_ratio}, {self.drought_mild_ratio}"
            )
        for low, high in (
            ("latency_notice_ms", "latency_reduce_ms"),
            ("unreachable_s", "unreachable_reduce_s"),
            ("max_depeg_ratio", "depeg_reduce_ratio"),
        ):
            if not getattr(self, low) < getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} must be below {high} {getattr(self, high)}")
        return self
