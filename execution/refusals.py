"""What the venue's refusals mean for the next try. Codes after docs of OKX v5, section error codes."""

from __future__ import annotations

from typing import Final

# Nobody can trade right now, or not this account: the same order may pass a moment later.
FOR_NOW: Final = frozenset(
    {
        "50001", "50013",  # service unavailable, busy
        "50017", "50018", "50019",  # frozen by forced deleveraging: position, currency, account
        "50020", "50021", "50022",  # the same by a liquidation
        "51029", "51030",  # settling, funding being charged
        "51124", "51404",  # call auction: limit orders only, no cancelling
    }
)  # fmt: skip
# The instrument does not trade: not listed (yet), suspended, expired, being delivered.
NOT_TRADING: Final = frozenset({"51001", "51021", "51022", "51027", "51028"})
# The price lies outside what the venue allows at the moment: another price may pass, this one never.
BAND: Final = frozenset({"51006", "51135", "51136", "51137", "51138", "54084", "54085"})
# Larger than one order, or the position it would lead to, may be: a smaller one may pass.
SIZE: Final = frozenset({"51005", "51101", "51185", "51201", "51202", "51203", "51129"})
