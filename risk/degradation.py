"""What lowers the permission: every cause looked at on the frozen context, well or not, with its figures.

Pure. core/ladder.py decides what becomes of a finding; docs/operations.md, section 8, explains every cause
to the operator.
"""

from __future__ import annotations

from config.schema import Settings
from core.context import Context
from core.ladder import Finding
from risk.causes_account import account_findings
from risk.causes_market import market_findings
from risk.causes_venue import venue_findings


class Degradation:
    """Judges all causes. The same context gives the same findings, in the same order."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def judge(self, ctx: Context) -> tuple[Finding, ...]:
        """Return one finding of every cause, FULL where it is well."""
        return (
            *venue_findings(ctx, self._settings.risk),
            *market_findings(ctx, self._settings),
            *account_findings(ctx),
        )
