"""Pictures are drawn in a process of their own: what that takes of memory goes away with it, and no decision
waits while it is drawn. It gets figures and a language, and none of this process's environment."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Final

from core.tally import Terms
from monitor.chat.passbook import Stretch
from monitor.words import Language

log = logging.getLogger(__name__)

ROOT: Final = Path(__file__).resolve().parents[2]
WITHIN_S: Final = 10.0


async def painted(
    stretch: Stretch, language: Language, command: tuple[str, ...] = ("-m", "monitor.chat.chart")
) -> bytes | None:
    """The picture as PNG; None when there is nothing to draw, or it could not be drawn."""
    order = json.dumps(
        {
            "language": language,
            "equity": [[at_ms, str(value)] for at_ms, value in stretch.equity],
            "payments": [[at_ms, str(value)] for at_ms, value in stretch.payments],
        }
    )
    return await asyncio.to_thread(_run, order.encode(), command)


def ordered(told: bytes) -> tuple[Stretch, Language]:
    """The other side of the order: what the picture needs of a stretch."""
    order = json.loads(told)
    equity, payments = (
        tuple((at_ms, Decimal(value)) for at_ms, value in order[name]) for name in ("equity", "payments")
    )
    begin, end = (equity[0][0], equity[-1][0]) if equity else (0, 0)
    return Stretch(begin, end, Terms(), equity, {}, payments, 0), order["language"]


def _run(order: bytes, command: tuple[str, ...]) -> bytes | None:
    try:
        done = subprocess.run(
            [sys.executable, *command],
            input=order,
            capture_output=True,
            cwd=ROOT,
            env={},
            timeout=WITHIN_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("picture_failed error=%s", type(error).__name__)
        return None
    return done.stdout or None
