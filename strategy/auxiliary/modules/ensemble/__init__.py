"""The multi-timeframe ensemble. `module.py` is where to begin to read."""

from __future__ import annotations

from strategy.auxiliary.modules.ensemble.module import Ensemble

__all__ = ["Ensemble"]
