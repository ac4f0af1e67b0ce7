"""What every section of the configuration is made of: its base, and the kinds of values several share."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_LEVERAGE = Decimal(3)  # red line; a bound here, checked again at every order

Ratio = Annotated[Decimal, Field(ge=0, le=1)]
Usdt = Annotated[Decimal, Field(ge=0, le=1_000_000_000)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://\S+$")]
StreamUrl = Annotated[str, Field(pattern=r"^wss?://\S+$")]
InstrumentName = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,20}-USDT$")]


class Section(BaseModel):
    """Base of every section: closed, frozen, strict about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=True)
