"""Endpoints that are watched together: what a person asks about, not thirty names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# family -> names of SDK wrappers, as in limits.LIMITS; a test holds the two together
MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("place_order", "cancel_order", "cancel_all_after", "place_algo_order", "cancel_algo_order"),
    "order_query": (
        "get_order", "get_order_list", "get_fills", "get_fills_history", "get_algo_order_details",
        "order_algos_list",
    ),
    "account": (
        "get_account_config", "get_account_balance", "get_positions", "get_account_bills",
        "get_account_bills_archive", "get_leverage", "set_leverage", "get_fee_rates",
    ),
    "wallet": ("get_balances", "transfer", "transfer_state_of"),
    "market": (
        "get_funding_rate", "get_mark_price", "get_price_limit", "get_open_interest", "get_tickers",
        "get_index_tickers", "get_orderbook", "get_instruments",
    ),
    "history": (
        "funding_rate_history", "get_candlesticks", "get_history_candlesticks",
        "get_history_mark_candlesticks", "get_open_interest_history", "get_long_short_ratio",
    ),
    "status": ("get_system_time", "status"),
}  # fmt: skip
FAMILY_OF: Final[Mapping[str, str]] = {call: family for family, calls in MEMBERS.items() for call in calls}
