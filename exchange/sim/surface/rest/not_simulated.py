"""What the real venue offers beyond this simulation, by the names its documents use.

These answer 50005 (offline or unavailable), so that nobody takes them for working or for a typing error:
a path no document knows is 404.
"""

from __future__ import annotations

from typing import Final

_BEYOND: Final = {
    "account": (
        "activate-option bills-history-archive borrow-repay "
        "borrow-repay-history collateral-assets fixed-loan/amend-borrowing-order "
        "fixed-loan/borrowing-limit fixed-loan/borrowing-order fixed-loan/borrowing-orders-list "
        "fixed-loan/borrowing-quote fixed-loan/manual-reborrow fixed-loan/repay-borrowing-order greeks "
        "move-positions move-positions-history position-builder "
        "position-tiers precheck-set-delta-neutral set-auto-earn "
        "set-auto-repay set-collateral-assets set-greeks "
        "set-riskOffset-amt set-riskOffset-type set-trading-config simulated_margin "
        "spot-borrow-repay-history spot-manual-borrow-repay subaccount/balances "
        "subaccount/interest-limits subaccount/set-loan-allocation subtypes vip-interest-accrued "
        "vip-interest-deducted vip-loan-order-detail vip-loan-order-list"
    ),
    "asset": (
        "asset-valuation bills bills-history cancel-withdrawal convert-dust-assets convert/currencies "
        "convert/currency-pair convert/estimate-quote convert/history convert/trade deposit-address "
        "deposit-lightning deposit-withdraw-status monthly-statement non-tradable-assets purchase_redempt "
        "subaccount/balances subaccount/bills subaccount/transfer withdrawal withdrawal-lightning"
    ),
    "market": (
        "block-ticker block-tickers block-trades books-lite books-rpi exchange-rate index-components "
        "platform-24-volume"
    ),
    "public": (
        "convert-contract-coin delivery-exercise-history estimated-price estimated-settlement-info "
        "instrument-tick-bands interest-rate-loan-quota market-data-history opt-summary "
        "option-trades premium-history settlement-history vip-interest-rate-loan-quota"
    ),
    "rubik": (
        "stat/contracts/long-short-account-ratio stat/contracts/long-short-account-ratio-contract "
        "stat/contracts/long-short-account-ratio-contract-top-trader "
        "stat/contracts/open-interest-volume "
        "stat/margin/loan-ratio stat/taker-volume stat/taker-volume-contract "
        "stat/trading-data/support-coin"
    ),
    "support": "announcements",
    "trade": (
        "easy-convert easy-convert-currency-list easy-convert-history fills-archive "
        "one-click-repay one-click-repay-currency-list one-click-repay-currency-list-v2 "
        "one-click-repay-history one-click-repay-history-v2 one-click-repay-v2"
    ),
    "users": (
        "entrust-subaccount-list glp/historicalperformance glp/todayperformance subaccount/list "
        "subaccount/modify-apikey subaccount/set-transfer-out"
    ),
}

NOT_SIMULATED: Final = frozenset(
    f"/{group}/{name}" for group, names in _BEYOND.items() for name in names.split()
)
