"""The Chinese of the generated reference pages, by the English it stands for.

A sentence that changes in the code has no Chinese until somebody has read it again: a test says which.
"""

from __future__ import annotations

import re


def anchor(heading: str) -> str:
    """Return what the heading of an English page is linked by, so that its Chinese twin has the same."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
