"""Write docs/conformance.md and its Chinese twin. Needs the recorded payloads beside the checkout."""

from __future__ import annotations

import sys

from scripts.conformance.page import PAGES, compare, render
from scripts.conformance.recordings import FOLDER, recordings
from scripts.conformance.scenario import Scenario


def main() -> int:
    if not FOLDER.is_dir():
        print(f"{FOLDER}: the recorded payloads are not there", file=sys.stderr)
        return 2
    report = compare(recordings(), Scenario().play())
    for language, page in PAGES.items():
        page.write_text(render(report, language), encoding="utf-8")
    for (kind, path), what in report.unexplained().items():
        print(f"{kind} {path}: {what}, and not a listed deviation", file=sys.stderr)
    for kind in report.unanswered:
        print(f"{kind}: a must-have, and not answered", file=sys.stderr)
    return 1 if report.unexplained() or report.unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
