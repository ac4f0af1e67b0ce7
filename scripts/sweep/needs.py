"""What a sweep needs besides the engine's own libraries."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from core.errors import UsageError

SEARCH = ("numpy", "optuna", "cmaes")


def need(modules: Sequence[str], command: str) -> None:
    """Raises UsageError naming what is missing, and the command that installs it."""
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise UsageError(f"sweep needs {', '.join(missing)}, not installed here: run `{command}`")
