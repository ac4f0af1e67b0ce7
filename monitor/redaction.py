"""Known secrets never leave the process: whatever text they are in, they become `***`.

By value, because a secret turns up where no key name warns: in a URL, in an exception, in a header dump.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
MIN_LENGTH = 4  # shorter values would blank out ordinary words

SECRET_KEY = re.compile(
    r"secret|passw|passphrase|token|api_?key|ok-access|authorization|webhook|signature|^sign$|cookie", re.I
)


class Redactor:
    """Replaces each known secret, in the forms it travels in: plain, URL-quoted, JSON-escaped, base64."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= MIN_LENGTH for form in _forms(secret)}
        # Longest first: a secret that contains another must not leave its remainder behind.
        ordered = sorted(forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text

    def __repr__(self) -> str:
        return "Redactor(***)"


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
