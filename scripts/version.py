"""Which version this is: in the journal's boot rows, in messages, in the manifests of backups."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
