"""The confluence signals without a venue: `python -m scripts.confluence` tries the module on made-up
messages, `python -m scripts.confluence FILE` scores a feed file, one JSON message a line.

Exit codes: 0 done, 1 a score is not what it must be or a line could not be read, 2 no such file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from strategy.auxiliary.confluence_self_test import score_lines, self_test, shown
from strategy.auxiliary.feed import read_lines, taken_in
from strategy.auxiliary.language import FeedEvent


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.confluence", description="Score confluence signals without a venue."
    )
    parser.add_argument("file", nargs="?", type=Path, help="a feed file; without one, the self-test runs")
    given = parser.parse_args(arguments)
    return _scored(given.file) if given.file else _self_tested()


def _self_tested() -> int:
    outcomes = self_test()
    print("\n".join(shown(outcomes)))
    wrong = sum(not outcome.ok for outcome in outcomes)
    print(f"{len(outcomes) - wrong} of {len(outcomes)} scores are what they must be")
    return 1 if wrong else 0


def _scored(path: Path) -> int:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        print(f"{path}: {error}, allowed: a text file with one JSON message a line", file=sys.stderr)
        return 2
    reading = read_lines(lines, path.name)
    kept: tuple[FeedEvent, ...] = ()
    for event in reading.events:
        kept = taken_in(kept, event, event.at_ms)
    print("\n".join(score_lines(kept)) or "no match")
    for complaint in reading.complaints:
        print(complaint, file=sys.stderr)
    return 1 if reading.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
