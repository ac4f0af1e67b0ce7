"""Payloads recorded from the real venue, when the folder with them is there."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "okx" / "recorded"

needs_recordings = pytest.mark.skipif(not FOLDER.is_dir(), reason="no ../shared/okx/recorded here")


def payload(name: str) -> Any:
    """The message itself, without the envelope that says where it came from."""
    return json.loads((FOLDER / f"{name}.json").read_text())["payload"]


def of_type(kind: str) -> list[tuple[str, Any]]:
    """(file, payload) of every recording of one type; empty when the folder is absent."""
    found = []
    for path in sorted(FOLDER.glob("*/*.json")):
        envelope = json.loads(path.read_text())
        if envelope["type"] == kind:
            found.append((f"{path.parent.name}/{path.stem}", envelope["payload"]))
    return found


def gzipped(name: str) -> Any:
    return json.loads(gzip.decompress((FOLDER / name).read_bytes()))


def lines(name: str) -> Iterator[Any]:
    with gzip.open(FOLDER / name, "rt") as file:
        for line in file:
            yield json.loads(line)
