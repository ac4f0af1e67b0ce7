"""Known secrets never leave the process: whatever text they are in, they become `***`.

By value, because a secret turns up where no key name warns: in a URL, in an exception, in a header dump.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast
from urllib.parse import quote, quote_plus

from core.errors import EngineError

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
        self._forms = tuple(ordered)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def __call__(self, text: str) -> str:
        # Looking for each form is much quicker than trying all of them at every place, and nearly all texts
        # hold none.
        if self._pattern is None or not any(form in text for form in self._forms):
            return text
        return self._pattern.sub(MASK, text)

    def __repr__(self) -> str:
        return "Redactor(***)"


class _RedactedStream:
    """A text stream whose every write is cleaned; all else is the stream's own."""

    def __init__(self, stream: TextIO, redact: Redactor) -> None:
        self._stream, self._redact = stream, redact

    def write(self, text: str) -> int:
        return self._stream.write(self._redact(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redacted_stream(stream: TextIO, redact: Redactor) -> TextIO:
    """The stream, with every write cleaned."""
    return cast(TextIO, _RedactedStream(stream, redact))


@contextmanager
def redacted_errors(redact: Redactor) -> Iterator[None]:
    """Whatever leaves this block says no secret: errors of ours keep their kind, any other one is written
    to stderr with its traceback and ends the process with exit code 1."""
    try:
        yield
    except EngineError as error:
        raise type(error)(redact(str(error))) from None
    except Exception as error:  # noqa: BLE001 - the last place that can clean its words
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
        raise SystemExit(1) from None


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
