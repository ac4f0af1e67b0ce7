"""Planted secrets: every test runs with them in its environment, and none may turn up anywhere afterwards."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

MARK: Final = "cAnArY/7f3a+9c"
# Each variable's own value, so that a find names the one that leaked.
CANARIES: Final[Mapping[str, str]] = {
    "OKX_API_KEY": f"key-{MARK}",
    "OKX_API_SECRET": f"secret-{MARK}",
    "OKX_PASSPHRASE": f'pass "{MARK}"',
    "OKX_SLEEVE_API_KEY": f"sleeve key-{MARK}",
    "OKX_SLEEVE_API_SECRET": f"sleeve secret-{MARK}",
    "OKX_SLEEVE_PASSPHRASE": f"sleeve pass-{MARK}",
    "TELEGRAM_BOT_TOKEN": f"12345678:{MARK}",
    "DINGTALK_WEBHOOK": f"http://127.0.0.1:9/robot?token={MARK}",
    "DINGTALK_SECRET": f"SEC{MARK}",
    "SMTP_PASSWORD": f"smtp {MARK}",
    "WEBHOOK_SECRET": f"hook{MARK}",
    "WEB_TOKEN": f"web{MARK}",
}


def _traces() -> tuple[bytes, ...]:
    """What is left of the mark in each form it may travel in; base64 depends on what stands before it."""
    plain = MARK.encode()
    shifted = [base64.b64encode(b"\0" * n + plain)[4 if n else 0 : -4] for n in range(3)]
    return (plain, MARK.replace("/", "%2F").replace("+", "%2B").encode(), plain.hex().encode(), *shifted)


TRACES: Final = _traces()


def found_in(data: bytes) -> bool:
    """Whether a planted secret is in there, in any form."""
    return any(trace in data for trace in TRACES)


def leaks(folder: Path) -> Iterator[Path]:
    """Every file under the folder that holds one: logs, journals and their logs, exports, backups."""
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            if path.is_file() and not path.is_symlink() and found_in(path.read_bytes()):
                yield path
