"""Examples in the API's description: answers recorded from a day of the engine (scripts/api_examples.py)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).parent / "examples.json"
UNTOLD: Final = ("/api/stream", "/api/export", "/metrics")  # streams and text


def put_into(described: dict[str, Any]) -> dict[str, Any]:
    """Add the recorded answers to an OpenAPI description; what has none yet stays as it is."""
    if not FILE.exists():
        return described
    for path, methods in json.loads(FILE.read_text(encoding="utf-8")).items():
        for method, example in methods.items():
            responses = described["paths"].get(path, {}).get(method, {}).get("responses", {})
            good = next((told for code, told in responses.items() if code.startswith("2")), None)
            if good is not None and (content := good.get("content", {}).get("application/json")):
                content["example"] = example
    return described
