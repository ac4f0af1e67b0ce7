"""What the research commands need besides the engine's own libraries."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from core.errors import UsageError

SEARCH = ("numpy", "optuna", "cmaes")
AUXILIARY = ("numpy", "talib")


def need(modules: Sequence[str], command: str, verb: str = "sweep") -> None:
    """Raises UsageError naming what is missing, and the command that installs it."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UsageError(f"{verb} needs {', '.join(missing)}, not installed here: run `{command}`")
