"""The snippets of the manual, run as they stand against the venue a user would start."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.house import HOUR_MS, MINUTE_MS, machine_ms

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs" / "venue.md").read_text(encoding="utf-8")
OWN_CLIENT = re.search(r"^## Use it with your own client\n(.*?)(?=^## |\Z)", MANUAL, re.M | re.S)
SNIPPETS = re.findall(r"```python\n(.*?)```", OWN_CLIENT[1] if OWN_CLIENT else "", re.S)
PRINTED = (
    r"BTC/USDT:USDT short 10\.0\n",
    r"canceled\n",
    r"Order placed\nUSDT 99000\.0\d+\nBTC 0\.01\d+\n|Order placed\nBTC 0\.01\d+\nUSDT 99000\.0\d+\n",
)


@pytest.fixture
def port() -> Iterator[int]:
    into_ms = machine_ms() % (8 * HOUR_MS)
    if into_ms < 2 * MINUTE_MS or into_ms > 8 * HOUR_MS - MINUTE_MS:
        pytest.skip("at this minute of the day the venue charges funding and refuses orders")
    command = [sys.executable, "main.py", "venue", "--port", "0", "--from", "now", "--until-stdin-closes"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as venue:
        assert venue.stdout is not None and venue.stdin is not None
        yield json.loads(venue.stdout.readline())["port"]
        venue.stdin.close()
        assert venue.wait(timeout=20) == 0


def test_the_manual_has_a_snippet_for_every_client() -> None:
    assert len(SNIPPETS) == len(PRINTED)


@pytest.mark.parametrize(("number", "printed"), list(enumerate(PRINTED)))
def test_a_snippet_does_what_it_says(port: int, number: int, printed: str) -> None:
    snippet = SNIPPETS[number].replace("8080", str(port))
    run = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(printed, run.stdout), run.stdout
